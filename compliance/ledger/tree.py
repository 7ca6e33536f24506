"""The Merkle tree of RFC 9162, section 2.1, over SHA-256.

Invariants: ``leaf = SHA-256(0x00 || entry)`` and ``node = SHA-256(0x01 || left || right)`` (2.1.1), so that no leaf can pass for
a node. Every hash that comes from outside is 32 bytes long or refused (docs/decisions/0003). The tree of nothing has the root
SHA-256(""), and no proof starts from it.

Names as in the RFC: a *tree size* counts leaves, an *index* is zero-based, D[a:b] are the leaves from a up to but not including b.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final, Protocol

from compliance.errors import LogError

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()


class ProofError(LogError):
    """A proof does not show what it should; the message says why."""

    def __init__(self, message: str) -> None:
        super().__init__(
            message,
            "Get the proof and the checkpoint again, from their source; if it fails again, the log was changed.",
        )


class Subtrees(Protocol):
    """Where proofs take their hashes from."""

    def subtree(self, height: int, index: int) -> bytes:
        """The root of the perfect subtree over D[index * 2^height : (index + 1) * 2^height]."""


def leaf_hash(entry: bytes) -> bytes:
    """MTH({d}) of RFC 9162 2.1.1."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 9162 2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The roots of the perfect subtrees that a tree of `size` leaves is made of, largest first; at most 64.

    It is all that appending needs: a leaf costs one node hash on average. `completed` collects, in order, the height and the
    root of every subtree of 256, 256^2 ... leaves that was completed, from which the tiles are made (C2SP tlog-tiles).
    """

    __slots__ = ("completed", "hashes", "size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)
        self.completed: list[tuple[int, bytes]] = []
        if len(self.hashes) != size.bit_count() or any(len(one) != HASH_BYTES for one in self.hashes):
            raise ProofError(
                f"a tree of {size} leaves has {size.bit_count()} frontier hashes of {HASH_BYTES} bytes"
            )

    @classmethod
    def from_bytes(cls, size: int, stored: bytes) -> Frontier:
        """Read what `to_bytes` wrote; raises ProofError where it cannot belong to this size."""
        return cls(size, [stored[at : at + HASH_BYTES] for at in range(0, len(stored), HASH_BYTES)])

    def to_bytes(self) -> bytes:
        """The hashes one after another."""
        return b"".join(self.hashes)

    def append(self, leaf: bytes) -> None:
        """Add the leaf hash of the next entry."""
        self.extend((leaf,))

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add the leaf hashes of the next entries."""
        at, left = 0, len(leaves)
        while left:
            # The largest perfect subtree that begins here, within a tile.
            height = min((self.size | 256) & -(self.size | 256), left).bit_length() - 1
            root = fold(leaves[at : at + (1 << height)])
            at, left = at + (1 << height), left - (1 << height)
            if height == 8:
                self.completed.append((height, root))
            hashes, carry, size = self.hashes, self.size >> height, self.size + (1 << height)
            while carry & 1:
                root = sha256(b"\x01" + hashes.pop() + root).digest()
                carry >>= 1
                height += 1
                if height & 7 == 0:
                    self.completed.append((height, root))
            hashes.append(root)
            self.size = size

    def root(self) -> bytes:
        """The tree's root (RFC 9162 2.1.1)."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in self.hashes[-2::-1]:
            root = node_hash(left, root)
        return root


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root of a perfect subtree over 1, 2, 4, 8 ... neighbouring hashes."""
    level: Iterable[bytes] = hashes
    for _ in range(len(hashes).bit_length() - 1):
        pairs = iter(level)
        level = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
    (root,) = level
    return root


def frontier_of(source: Subtrees, size: int) -> Frontier:
    """The frontier of the first `size` leaves, from stored hashes."""
    hashes, start = [], 0
    for height in range(size.bit_length() - 1, -1, -1):
        if size >> height & 1:
            hashes.append(source.subtree(height, start >> height))
            start += 1 << height
    return Frontier(size, hashes)


def inclusion_proof(source: Subtrees, index: int, size: int) -> list[bytes]:
    """PATH(index, D[0:size]) of RFC 9162 2.1.3.1, from the leaf's sibling up; needs 0 <= index < size."""
    if not 0 <= index < size:
        raise ProofError(f"entry {index} is not in a tree of {size} entries")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_root(source, middle, end))
            end = middle
        else:
            path.append(_range_root(source, start, middle))
            start = middle
    return path[::-1]


def consistency_proof(source: Subtrees, old: int, new: int) -> list[bytes]:
    """PROOF(old, D[0:new]) of RFC 9162 2.1.4.1; needs 0 < old <= new."""
    if not 0 < old <= new:
        raise ProofError(f"there is no consistency proof from a tree of {old} entries to one of {new}")
    path, start, end, whole = [], 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range_root(source, middle, end))
            end = middle
        else:
            path.append(_range_root(source, start, middle))
            start, whole = middle, False
    if not whole:
        path.append(_range_root(source, start, end))
    return path[::-1]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """RFC 9162 2.1.3.2: the leaf hash is at this index of the tree with this size and root. Raises ProofError otherwise."""
    _require_hashes([leaf, root, *proof])
    if not 0 <= index < size:
        raise ProofError(f"entry {index} is not in a tree of {size} entries")
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            raise ProofError(f"the inclusion proof has more hashes than a tree of {size} entries needs")
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise ProofError(f"the inclusion proof has fewer hashes than a tree of {size} entries needs")
    if r != root:
        raise ProofError(f"the inclusion proof for entry {index} does not lead to the tree's root")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """RFC 9162 2.1.4.2: the first tree is a beginning of the second. Raises ProofError otherwise, and for an empty first tree."""
    _require_hashes([old_root, new_root, *proof])
    if not 0 < old <= new:
        raise ProofError(f"nothing is consistent from a tree of {old} entries to one of {new}")
    if old == new:
        if proof:
            raise ProofError("a consistency proof between equal trees is empty")
        if old_root != new_root:
            raise ProofError(f"two roots for the same size {old}: the log was forked")
        return
    if not proof:
        raise ProofError("the consistency proof is empty")
    # A first tree that is itself a perfect subtree is not repeated in the proof (RFC 9162 2.1.4.2, step 2).
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            raise ProofError("the consistency proof has too many hashes")
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise ProofError("the consistency proof has too few hashes")
    if fr != old_root:
        raise ProofError(f"the consistency proof does not lead to the root at size {old}")
    if sr != new_root:
        raise ProofError(f"the consistency proof does not lead to the root at size {new}")


def _range_root(source: Subtrees, start: int, end: int) -> bytes:
    """MTH(D[start:end]), where start is a multiple of the largest power of two that is not more than end - start."""
    count = end - start
    if count & (count - 1) == 0:
        height = count.bit_length() - 1
        return source.subtree(height, start >> height)
    middle = start + _split(count)
    return node_hash(_range_root(source, start, middle), _range_root(source, middle, end))


def _split(count: int) -> int:
    """The largest power of two smaller than count: where the RFC divides a tree."""
    return 1 << ((count - 1).bit_length() - 1)


def _require_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(one) != HASH_BYTES for one in hashes):
        raise ProofError(f"every hash of a proof is {HASH_BYTES} bytes long")
