"""Signed notes and verifier keys, with the verdicts of the reference implementation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compliance.ledger.checkpoint import Checkpoint
from compliance.ledger.note import NoteError, Verifier, open_note

FOLDER = Path(__file__).parent / "signed-note"
NOTES = json.loads((FOLDER / "note-vectors.json").read_text(encoding="utf-8"))
KEYS = json.loads((FOLDER / "vkey-vectors.json").read_text(encoding="utf-8"))
JUDGED = [vector for vector in NOTES if vector["ok"] is not None]
FORK = [vector for vector in NOTES if vector["ok"] is None]


def test_no_vector_is_lost():
    """Twelve judged notes and the two of a fork."""
    assert (len(JUDGED), len(FORK)) == (12, 2)


@pytest.mark.parametrize("vector", JUDGED, ids=lambda vector: vector["desc"])
def test_note(vector):
    """A note opens exactly where the reference opens it."""
    verifiers = [Verifier.parse(vkey) for vkey in vector["vkeys"]]
    if vector["ok"]:
        note, verified = open_note(vector["note"], verifiers)
        assert vector["note"].startswith(note.text)
        assert verified
    else:
        with pytest.raises(NoteError):
            open_note(vector["note"], verifiers)


@pytest.mark.parametrize("vector", FORK, ids=lambda vector: vector["desc"][:24])
def test_recorded_fork(vector):
    """Both notes of a recorded fork are well signed: signatures alone do not show a fork, comparing roots does."""
    note, _ = open_note(vector["note"], [Verifier.parse(vkey) for vkey in vector["vkeys"]])
    assert Checkpoint.parse(note.text).size in {5, 6}


@pytest.mark.parametrize("vkey", KEYS["good"])
def test_good_key(vkey):
    """A good verifier key is read and written back unchanged."""
    assert str(Verifier.parse(vkey)) == vkey


@pytest.mark.parametrize("vkey", KEYS["bad"])
def test_bad_key(vkey):
    """A verifier key with a wrong ID, damaged or of another algorithm, is refused."""
    with pytest.raises(NoteError):
        Verifier.parse(vkey)
