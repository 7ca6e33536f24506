"""Whatever is sent in whatever order: all that a witness ever cosigned of a log is one history."""

from __future__ import annotations

from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.errors import ComplianceError
from compliance.ledger import witness as module
from compliance.ledger.checkpoint import Checkpoint
from compliance.ledger.note import Signer
from compliance.ledger.tree import Frontier, consistency_proof, fold, leaf_hash, verify_consistency
from compliance.ledger.witness import Request, witness
from tests.logs import empty_log

SIZE, FORKED_AT = 12, 5
NUMBERS = count()


class History:
    """A tree in memory."""

    def __init__(self, name: str) -> None:
        self.leaves = [
            leaf_hash(f"{'' if number < FORKED_AT else name}{number}".encode()) for number in range(SIZE)
        ]

    def subtree(self, height: int, index: int) -> bytes:
        return fold(self.leaves[index << height : (index + 1) << height])

    def root(self, size: int) -> bytes:
        frontier = Frontier()
        for leaf in self.leaves[:size]:
            frontier.append(leaf)
        return frontier.root()


HISTORIES = (History("a"), History("b"))
REQUESTS = st.lists(
    st.tuples(
        st.sampled_from([0, 1]), st.integers(0, SIZE), st.integers(0, SIZE), st.sampled_from([0, 0, 0, 1])
    ),
    max_size=12,
)


def cosigned(log, key, requests):
    """Send requests of (history, size, old size, history of the proof); what was cosigned, in order."""
    signer = Signer(f"log-{next(NUMBERS)}.example", bytes(range(32)))
    found = []
    for which, size, old, other in requests:
        proof = HISTORIES[which ^ other]
        hashes = tuple(consistency_proof(proof, old, size)) if 0 < old <= size else ()
        note = signer.sign(Checkpoint(signer.name, size, HISTORIES[which].root(size)).text)
        try:
            done = witness(log, Request(old, hashes, note), [signer.verifier], key, first=True)
        except ComplianceError:
            continue
        found.append((which, done.checkpoint))
    return found


def is_one_history(found) -> bool:
    """Sizes never go back, and each is consistent with the one before, by a proof of the history that it came from."""
    for (_, first), (which, second) in pairwise(found):
        if first.size > second.size:
            return False
        proof = (
            consistency_proof(HISTORIES[which], first.size, second.size)
            if 0 < first.size < second.size
            else []
        )
        try:
            if first.size:
                verify_consistency(first.size, second.size, first.root, second.root, proof)
        except ComplianceError:
            return False
    return True


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    with empty_log(tmp_path_factory.mktemp("witness") / "log.db") as made:
        yield made


@given(requests=REQUESTS)
def test_a_witness_signs_one_history(log, tmp_path_factory, requests):
    """Of two histories that part ways after a few entries it signs at most one beyond that point, and never goes back."""
    key = tmp_path_factory.getbasetemp() / "property.witness.key"
    assert is_one_history(cosigned(log, key, requests))


def test_honest_requests_are_all_signed(log, tmp_path):
    """The property would hold for a witness that signs nothing: this one signs every step of an honest log."""
    steps = [(0, 0, 0, 0), (0, 3, 0, 0), (0, 5, 3, 0), (0, 5, 5, 0), (0, 9, 5, 0), (0, 12, 9, 0)]
    assert [one.size for _, one in cosigned(log, tmp_path / "key", steps)] == [0, 3, 5, 5, 9, 12]


def test_the_property_finds_a_witness_that_does_not_look(log, tmp_path, monkeypatch):
    """The mutant: without the proof, both branches of a fork are signed."""
    monkeypatch.setattr(module, "_verify", lambda *_: None)
    assert not is_one_history(cosigned(log, tmp_path / "key", [(0, 6, 0, 0), (1, 9, 6, 0)]))
