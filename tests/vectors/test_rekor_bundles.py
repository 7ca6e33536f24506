"""Inclusion proofs of public logs with millions of entries."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path

import pytest

from compliance.ledger.checkpoint import open_checkpoint, unverified_checkpoint
from compliance.ledger.note import NoteError, Verifier
from compliance.ledger.proof import Proof, read_proof, verify_proof
from compliance.ledger.tree import ProofError, leaf_hash, verify_inclusion

FOLDER = Path(__file__).parent / "rekor-bundles"
BUNDLES = (
    "a.dsse.staging-rekor-v2.txt.sigstore.json",
    "bundle_v3.txt.sigstore",
    "staging-rekor-v2.txt.sigstore.json",
)
ROOTS = "ed6a9cf4e7c2e3297a4b5974fce0d17132f03c63512029d7aa3a402b43acab49.trusted_root.json"


def logged(name):
    bundle = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    (entry,) = bundle["verificationMaterial"]["tlogEntries"]
    proof = entry["inclusionProof"]
    hashes = [b64decode(one) for one in proof["hashes"]]
    return (
        b64decode(entry["canonicalizedBody"]),
        int(proof["logIndex"]),
        hashes,
        proof["checkpoint"]["envelope"],
    )


@pytest.mark.parametrize("name", BUNDLES)
def test_inclusion_leads_to_the_checkpoint_s_root(name):
    """The entry's leaf hash and proof give the root that the log's checkpoint states."""
    body, index, hashes, note = logged(name)
    checkpoint = unverified_checkpoint(note)
    verify_inclusion(index, checkpoint.size, leaf_hash(body), hashes, checkpoint.root)


@pytest.mark.parametrize("name", BUNDLES)
def test_another_entry_is_not_included(name):
    """A single changed byte of the entry is enough to fail."""
    body, index, hashes, note = logged(name)
    checkpoint = unverified_checkpoint(note)
    with pytest.raises(ProofError):
        verify_inclusion(index, checkpoint.size, leaf_hash(body + b" "), hashes, checkpoint.root)


def alpha1():
    """The Ed25519 key of log2025-alpha1; its DER form ends in the 32 bytes of the key (RFC 8410)."""
    logs = json.loads((FOLDER / ROOTS).read_text())["tlogs"]
    (key,) = [log["publicKey"]["rawBytes"] for log in logs if "alpha1" in log["baseUrl"]]
    return Verifier.of("log2025-alpha1.rekor.sigstage.dev", b64decode(key)[-32:])


def test_checkpoint_of_a_public_log_verifies():
    """The signature of the one log whose key is here verifies, and that of another log's note does not open with it."""
    assert open_checkpoint(logged(BUNDLES[2])[3], [alpha1()]).size == 646
    with pytest.raises(NoteError):
        open_checkpoint(logged(BUNDLES[0])[3], [alpha1()])


def test_a_public_entry_as_a_proof_file():
    """The public entry, written as a proof file and read again, verifies from the file and the key alone."""
    body, index, hashes, note = logged(BUNDLES[2])
    text = Proof(index, body, tuple(hashes), note).text
    assert verify_proof(read_proof(text), [alpha1()]).size == 646
