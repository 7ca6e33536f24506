"""A client of tiled logs, written from the specifications alone (C2SP tlog-tiles, tlog-checkpoint, signed-note; RFC 6962, section 2.1).

It shares no code with the software under test and fetches files by path, as from a web server.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def from_folder(folder: Path) -> Callable[[str], bytes]:
    """What a plain web server would answer for a path."""

    def fetch(path: str) -> bytes:
        return (folder / path).read_bytes()

    return fetch


def path_of(level: str, n: int, width: int) -> str:
    digits = str(n)
    digits = digits.rjust((len(digits) + 2) // 3 * 3, "0")
    parts = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    name = "/".join(["x" + part for part in parts[:-1]] + parts[-1:])
    return f"tile/{level}/{name}" + (f".p/{width}" if width < 256 else "")


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def tree_head(hashes: list[bytes]) -> bytes:
    """MTH over leaf hashes (RFC 6962, 2.1)."""
    if not hashes:
        return sha(b"")
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return sha(b"\x01" + tree_head(hashes[:k]) + tree_head(hashes[k:]))


class Client:
    """Reads a log and believes nothing but the verifier key."""

    def __init__(self, fetch: Callable[[str], bytes], vkey: str) -> None:
        self.fetch = fetch
        text, signatures = fetch("checkpoint").decode().split("\n\n")
        text += "\n"
        name, key_id, key = vkey.split("+", 2)
        raw = base64.b64decode(key)
        assert raw[0] == 1 and len(raw) == 33
        assert sha(name.encode() + b"\n" + raw)[:4].hex() == key_id
        lines = [line.split(" ") for line in signatures.splitlines()]
        (found,) = [base64.b64decode(one[2]) for one in lines if one[0] == "—" and one[1] == name]
        assert found[:4].hex() == key_id
        Ed25519PublicKey.from_public_bytes(raw[1:]).verify(found[4:], text.encode())
        self.origin, size, root = text.split("\n")[:3]
        self.size, self.root = int(size), base64.b64decode(root)

    def tile(self, level: int, n: int) -> list[bytes]:
        """The hashes of a tile as wide as the checkpoint says it is."""
        width = min(256, self.size // 256**level - n * 256)
        content = self.fetch(path_of(str(level), n, width))
        assert len(content) == 32 * width
        return [content[i : i + 32] for i in range(0, len(content), 32)]

    def range_head(self, start: int, end: int) -> bytes:
        """MTH(D[start:end]) from tiles, where it is a node of the tree or an end of it."""
        count = end - start
        if count & (count - 1) == 0 and start % count == 0:
            level = (count.bit_length() - 1) // 8
            unit = 256**level
            n, first = divmod(start // unit, 256)
            return tree_head(self.tile(level, n)[first : first + count // unit])
        k = 1
        while k * 2 < count:
            k *= 2
        return sha(b"\x01" + self.range_head(start, start + k) + self.range_head(start + k, end))

    def entries(self) -> list[bytes]:
        """Every entry, each compared with its leaf hash in the tiles, and their tiles with the signed root."""
        found = []
        for n in range((self.size + 255) // 256):
            leaves = self.tile(0, n)
            content = self.fetch(path_of("entries", n, len(leaves)))
            for leaf in leaves:
                length = int.from_bytes(content[:2], "big")
                entry, content = content[2 : 2 + length], content[2 + length :]
                assert len(entry) == length and sha(b"\x00" + entry) == leaf
                found.append(entry)
            assert content == b""
        assert len(found) == self.size
        assert tree_head([sha(b"\x00" + entry) for entry in found]) == self.root
        return found

    def check_inclusion(self, index: int, entry: bytes) -> None:
        """The audit path of RFC 6962, 2.1.1, from tiles, climbed again up to the signed root."""
        start, end, path = 0, self.size, []
        while end - start > 1:
            k = 1
            while k * 2 < end - start:
                k *= 2
            if index < start + k:
                path.append(("right", self.range_head(start + k, end)))
                end = start + k
            else:
                path.append(("left", self.range_head(start, start + k)))
                start += k
        head = sha(b"\x00" + entry)
        for side, other in reversed(path):
            head = sha(b"\x01" + head + other) if side == "right" else sha(b"\x01" + other + head)
        assert head == self.root

    def check_continues(self, size: int, root: bytes) -> None:
        """The log of this size and root is a beginning of this one."""
        assert 0 < size <= self.size
        assert self.range_head(0, size) == root
        assert self.range_head(0, self.size) == self.root
