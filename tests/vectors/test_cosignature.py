"""Cosignatures that other people's witnesses made, over a real checkpoint of a real log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compliance.ledger.checkpoint import open_checkpoint
from compliance.ledger.cosignature import Witness, cosignatures, require_cosignatures
from compliance.ledger.note import NoteError, Verifier

FOLDER = Path(__file__).parent / "cosignature"
NOTE = (FOLDER / "checkpoint").read_text()
KEYS = json.loads((FOLDER / "vkeys.json").read_text())
MADE = 1779573024


@pytest.mark.parametrize("vkey", KEYS["witnesses"])
def test_a_public_witness_cosigned(vkey):
    """The cosignature verifies under the witness's published key, and says when it was made."""
    witness = Witness.parse(vkey)
    assert str(witness) == vkey
    (found,) = require_cosignatures(NOTE, [witness])
    assert (found.witness, found.seconds) == (witness, MADE)


def test_the_log_signed_it_too():
    """The same note opens with the log's own key, whatever else signed it."""
    assert open_checkpoint(NOTE, [Verifier.parse(KEYS["log"])]).size == 1432088532


def test_a_witness_that_did_not_cosign_is_missed():
    """A required cosignature that is not there is told by name; one that is not required is ignored."""
    both = [Witness.parse(vkey) for vkey in (*KEYS["witnesses"], *KEYS["absent"])]
    assert len(cosignatures(NOTE, both)) == 2
    with pytest.raises(NoteError, match=r"not cosigned by rgdd\.se"):
        require_cosignatures(NOTE, both)


@pytest.mark.parametrize(
    "old, new", [("\n1432088532\n", "\n1432088533\n"), ("U7WM", "V7WM"), ("arche2025h1.staging.ct.transparency.dev\n", "x\n")]
)  # fmt: skip
def test_another_checkpoint_under_the_same_cosignatures(old, new):
    """A changed size, root or origin makes every cosignature wrong."""
    for vkey in KEYS["witnesses"]:
        with pytest.raises(NoteError, match="does not verify"):
            cosignatures(NOTE.replace(old, new, 1), [Witness.parse(vkey)])


@pytest.mark.parametrize("vkey", [*KEYS["bad"], KEYS["log"], "remora.n621.de+da77ade8+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"])  # fmt: skip
def test_what_is_no_key_of_a_witness(vkey):
    """A damaged key, one with a wrong ID, and a key of another type, such as a log's own, are refused."""
    with pytest.raises(NoteError):
        Witness.parse(vkey)


@pytest.mark.parametrize("vkey", KEYS["witnesses"])
def test_a_witness_is_no_log(vkey):
    """A witness's key does not open a note as the log's key does."""
    with pytest.raises(NoteError):
        Verifier.parse(vkey)
