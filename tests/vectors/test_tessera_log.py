"""A log that other software wrote: its entries, tiles and signed checkpoints against our tree, notes and checkpoints."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from compliance.ledger.checkpoint import open_checkpoint
from compliance.ledger.note import Verifier
from compliance.ledger.tree import Frontier, consistency_proof, fold, leaf_hash, verify_consistency

FOLDER = Path(__file__).parent / "tessera-log" / "testdata" / "log"
VERIFIER = Verifier.parse("example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx")


def entries(size):
    bundle = (FOLDER / "tile" / "entries" / "000.p" / str(size)).read_bytes() if size else b""
    found = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        found.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    return found


def checkpoint(size):
    return open_checkpoint((FOLDER / f"checkpoint.{size}").read_bytes(), [VERIFIER])


class Leaves:
    def __init__(self, leaves):
        self.leaves = leaves

    def subtree(self, height, index):
        return fold(self.leaves[index << height : (index + 1) << height])


@pytest.mark.parametrize("size", range(16))
def test_root_of_every_checkpoint(size):
    """The signature verifies, and our root over the entries is the signed one, at every size."""
    signed = checkpoint(size)
    frontier = Frontier()
    for entry in entries(size):
        frontier.append(leaf_hash(entry))
    assert (signed.size, signed.root) == (size, frontier.root())


@pytest.mark.parametrize("size", range(1, 16))
def test_tile(size):
    """A partial tile holds the leaf hashes of its entries."""
    tile = (FOLDER / "tile" / "0" / "000.p" / str(size)).read_bytes()
    assert tile == b"".join(map(leaf_hash, entries(size)))


def test_every_pair_of_checkpoints_is_consistent():
    """Our consistency proofs hold between every two of their checkpoints, and between no two where a root is another's."""
    source = Leaves([leaf_hash(entry) for entry in entries(15)])
    for old, new in combinations(range(1, 16), 2):
        proof = consistency_proof(source, old, new)
        verify_consistency(old, new, checkpoint(old).root, checkpoint(new).root, proof)
