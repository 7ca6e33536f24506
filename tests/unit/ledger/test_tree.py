"""The Merkle tree of RFC 9162: our frontier and proofs against the definition, written out naively."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.ledger.tree import (
    EMPTY_ROOT,
    Frontier,
    ProofError,
    consistency_proof,
    fold,
    frontier_of,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)

SIZES = st.integers(1, 80)
LEAVES = [leaf_hash(str(number).encode()) for number in range(600)]


def naive_root(leaves):
    """MTH of RFC 9162 2.1.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


@given(st.lists(st.integers(0, 300), max_size=6), st.integers(0, 3))
def test_extending_is_appending_each(lengths, far):
    """Many leaves at once give the frontier, the size and the completed subtrees that they give one by one."""
    begun = Frontier(far << 16, LEAVES[: far.bit_count()])
    one_by_one, at_once = (Frontier(begun.size, begun.hashes) for _ in range(2))
    for length in lengths:
        for leaf in LEAVES[:length]:
            one_by_one.append(leaf)
        at_once.extend(LEAVES[:length])
        assert (at_once.size, at_once.hashes) == (one_by_one.size, one_by_one.hashes)
    assert at_once.completed == one_by_one.completed


class Leaves:
    def subtree(self, height, index):
        return fold(LEAVES[index << height : (index + 1) << height])


SOURCE = Leaves()
ROOTS = [naive_root(LEAVES[:size]) for size in range(81)]


def frontier(size):
    made = Frontier()
    for leaf in LEAVES[:size]:
        made.append(leaf)
    return made


def test_the_root_of_nothing():
    """The empty tree has the hash of nothing (RFC 9162 2.1.1)."""
    assert Frontier().root() == EMPTY_ROOT == naive_root([])


@given(st.integers(0, 80))
def test_frontier_root_is_the_definition_s(size):
    """The root from the frontier is the one that the definition gives."""
    assert frontier(size).root() == ROOTS[size]


@given(st.integers(0, 80))
def test_frontier_survives_storing(size):
    """A stored frontier is read back as it was, and has one hash for each bit of the size."""
    made = frontier(size)
    read = Frontier.from_bytes(size, made.to_bytes())
    assert (read.size, read.hashes) == (made.size, made.hashes)
    assert len(made.hashes) == size.bit_count()


@given(st.integers(1, 80), st.integers(0, 80))
def test_frontier_of_another_size_is_refused(size, other):
    """A frontier cannot be taken for that of a size with another number of subtrees."""
    if size.bit_count() != other.bit_count():
        with pytest.raises(ProofError):
            Frontier.from_bytes(other, frontier(size).to_bytes())


def test_completed_subtrees_are_those_of_the_tiles():
    """Every 256 leaves complete a subtree of height 8, with the root that the definition gives."""
    made = frontier(600)
    assert made.completed == [(8, naive_root(LEAVES[:256])), (8, naive_root(LEAVES[256:512]))]


@given(st.integers(0, 80))
def test_frontier_from_stored_hashes(size):
    """The frontier of an earlier size can be read from the stored subtrees."""
    assert frontier_of(SOURCE, size).hashes == frontier(size).hashes


@given(SIZES, st.data())
def test_inclusion_proofs_hold(size, data):
    """Every entry of every tree is proved to be in it."""
    index = data.draw(st.integers(0, size - 1))
    verify_inclusion(index, size, LEAVES[index], inclusion_proof(SOURCE, index, size), ROOTS[size])


@given(SIZES, st.data())
def test_consistency_proofs_hold(new, data):
    """Every tree is proved to be a beginning of every larger one."""
    old = data.draw(st.integers(1, new))
    verify_consistency(old, new, ROOTS[old], ROOTS[new], consistency_proof(SOURCE, old, new))


def changed(proof, data):
    """The proof with one thing about it changed."""
    how = data.draw(st.sampled_from(["flip", "drop", "add", "cut"] if proof else ["add"]))
    proof = list(proof)
    at = data.draw(st.integers(0, max(len(proof) - 1, 0)))
    if how == "flip":
        bit = data.draw(st.integers(0, 255))
        proof[at] = (int.from_bytes(proof[at], "big") ^ (1 << bit)).to_bytes(32, "big")
    elif how == "drop":
        del proof[at]
    elif how == "cut":
        proof[at] = proof[at][:-1]
    else:
        proof.insert(at, data.draw(st.binary(min_size=32, max_size=32)))
    return proof


@given(SIZES, st.data())
def test_a_changed_inclusion_proof_fails(size, data):
    """A flipped bit, a hash too many, too few or too short is always found."""
    index = data.draw(st.integers(0, size - 1))
    proof = changed(inclusion_proof(SOURCE, index, size), data)
    with pytest.raises(ProofError):
        verify_inclusion(index, size, LEAVES[index], proof, ROOTS[size])


@given(SIZES, st.data())
def test_a_changed_consistency_proof_fails(new, data):
    """The same for consistency proofs."""
    old = data.draw(st.integers(1, new))
    proof = changed(consistency_proof(SOURCE, old, new), data)
    with pytest.raises(ProofError):
        verify_consistency(old, new, ROOTS[old], ROOTS[new], proof)


@given(SIZES, st.data())
def test_another_leaf_or_index_is_not_included(size, data):
    """A proof holds for its own leaf at its own index only."""
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, 79).filter(lambda one: one != index))
    proof = inclusion_proof(SOURCE, index, size)
    with pytest.raises(ProofError):
        verify_inclusion(index, size, LEAVES[other], proof, ROOTS[size])
    with pytest.raises(ProofError):
        verify_inclusion(other, size, LEAVES[index], proof, ROOTS[size])


@given(st.integers(2, 80), st.data())
def test_a_fork_has_no_consistency_proof(new, data):
    """Two trees that differ before the smaller size are never consistent by a proof of either."""
    old = data.draw(st.integers(1, new))
    at = data.draw(st.integers(0, old - 1))
    leaves = [*LEAVES[:at], leaf_hash(b"another"), *LEAVES[at + 1 : new]]
    with pytest.raises(ProofError):
        verify_consistency(old, new, ROOTS[old], naive_root(leaves), consistency_proof(SOURCE, old, new))


@pytest.mark.parametrize("old, new", [(0, 0), (0, 5), (6, 5)])
def test_no_proof_begins_at_nothing_or_goes_back(old, new):
    """There is no consistency proof from the empty tree or to a smaller one (decision 0003)."""
    with pytest.raises(ProofError):
        consistency_proof(SOURCE, old, new)
    with pytest.raises(ProofError):
        verify_consistency(old, new, ROOTS[old], ROOTS[new], [])


@pytest.mark.parametrize("index, size", [(5, 5), (-1, 5), (0, 0)])
def test_no_proof_of_what_is_not_there(index, size):
    """An index that is not below the size has no proof."""
    with pytest.raises(ProofError):
        inclusion_proof(SOURCE, index, size)
    with pytest.raises(ProofError):
        verify_inclusion(index, size, LEAVES[0], [], ROOTS[size])


def test_hashes_that_are_not_32_bytes_are_refused():
    """An empty root and an empty leaf hash prove nothing (decision 0003)."""
    with pytest.raises(ProofError, match="32 bytes"):
        verify_inclusion(0, 1, b"", [], b"")
    with pytest.raises(ProofError, match="32 bytes"):
        verify_consistency(3, 3, b"short", b"short", [])
