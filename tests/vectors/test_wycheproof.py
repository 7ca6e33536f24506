"""Ed25519 signatures, good and bad, through the note's verifier."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compliance.ledger.note import Verifier

SUITE = json.loads(
    (Path(__file__).parent / "wycheproof" / "testvectors_v1" / "ed25519_test.json").read_text()
)
CASES = [(group["publicKey"]["pk"], case) for group in SUITE["testGroups"] for case in group["tests"]]


def test_no_case_is_lost():
    """There are 151."""
    assert len(CASES) == 151


@pytest.mark.parametrize("key, case", CASES, ids=lambda one: one["tcId"] if isinstance(one, dict) else "")
def test_signature(key, case):
    """A signature verifies exactly where the suite calls it valid."""
    verifier = Verifier.of("wycheproof", bytes.fromhex(key))
    assert verifier.verifies(bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])) == (
        case["result"] == "valid"
    )
