"""Inclusion and consistency proofs of RFC 9162, good and bad, each with the verdict that its source wants."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path

import pytest

from compliance.ledger.tree import ProofError, verify_consistency, verify_inclusion

FOLDER = Path(__file__).parent / "rfc9162-proofs" / "testdata"
INCLUSION = sorted((FOLDER / "inclusion").rglob("*.json"))
CONSISTENCY = sorted((FOLDER / "consistency").rglob("*.json"))


def probe(path):
    values = json.loads(path.read_text())
    return values, [b64decode(one) for one in values["proof"] or []]


def name(path):
    return "/".join(path.parts[-2:])


def test_no_vector_is_lost():
    """There are 98 of each."""
    assert (len(INCLUSION), len(CONSISTENCY)) == (98, 98)


@pytest.mark.parametrize("path", INCLUSION, ids=name)
def test_inclusion(path):
    """An inclusion proof is accepted exactly where the source accepts it."""
    values, proof = probe(path)
    arguments = (
        values["leafIdx"], values["treeSize"], b64decode(values["leafHash"]), proof, b64decode(values["root"]),
    )  # fmt: skip
    if values["wantErr"]:
        with pytest.raises(ProofError):
            verify_inclusion(*arguments)
    else:
        verify_inclusion(*arguments)


@pytest.mark.parametrize("path", CONSISTENCY, ids=name)
def test_consistency(path):
    """A consistency proof is accepted where the source accepts it, except for roots that are no SHA-256 hashes (decision 0003)."""
    values, proof = probe(path)
    roots = b64decode(values["root1"]), b64decode(values["root2"])
    arguments = (values["size1"], values["size2"], *roots, proof)
    if values["wantErr"] or any(len(root) != 32 for root in roots):
        with pytest.raises(ProofError):
            verify_consistency(*arguments)
    else:
        verify_consistency(*arguments)


def test_one_verdict_differs_on_purpose():
    """Exactly one vector that its source accepts is refused here: its roots have 12 bytes."""
    differing = []
    for path in CONSISTENCY:
        values, proof = probe(path)
        if not values["wantErr"]:
            try:
                verify_consistency(
                    values["size1"],
                    values["size2"],
                    b64decode(values["root1"]),
                    b64decode(values["root2"]),
                    proof,
                )
            except ProofError:
                differing.append(path.name)
    assert len(differing) == 1
    assert differing[0].startswith("sizes-are-equal-one")
