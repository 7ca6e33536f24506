"""The log's side of checking a binder: signatures, checkpoints, the Merkle tree. In a binder it is a part of ``verify.py`` (see `script`).

Standard library only, Python 3.8: whoever checks a binder has nothing else. The ledger's own modules do the same with other means; the tests
hold both to the same vectors.
"""

from __future__ import annotations

import base64
import hashlib


class Wrong(Exception):
    """What does not hold, in words."""


# ---- Ed25519 (RFC 8032 5.1), verification only; points in extended coordinates

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def point_of(encoded: bytes) -> tuple[int, int, int, int] | None:
    """The point, or None where the bytes are not the one encoding of a point (RFC 8032 5.1.3)."""
    y, sign = int.from_bytes(encoded, "little") & (2**255 - 1), encoded[31] >> 7
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x + u) % P == 0:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (v * x * x - u) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


def _sum(p: tuple[int, int, int, int], q: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")) or (0, 1, 1, 0)


def _sum_of_products(
    m: int, p: tuple[int, int, int, int], n: int, q: tuple[int, int, int, int]
) -> tuple[int, int, int, int]:
    """[m]p + [n]q, both at once from the highest bit down; nothing here is secret, so time may tell."""
    steps = ((0, 1, 1, 0), p, q, _sum(p, q))
    result = steps[0]
    for bit in range(max(m.bit_length(), n.bit_length()) - 1, -1, -1):
        result = _sum(result, result)
        step = (m >> bit & 1) + 2 * (n >> bit & 1)
        if step:
            result = _sum(result, steps[step])
    return result


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the key signed the message: [S]B = R + [k]A, with S below the order of the base point (RFC 8032 5.1.7)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    a, s = point_of(public), int.from_bytes(signature[32:], "little")
    if a is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    x, y, z, _ = _sum_of_products(s, BASE, k, (P - a[0], a[1], 1, P - a[3]))
    inverse = pow(z, P - 2, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


# ---- the log: signed notes, checkpoints (C2SP signed-note, tlog-checkpoint), the Merkle tree (RFC 9162 2.1)


def decoded(text: str) -> bytes:
    """Base64 as bytes; raises Wrong."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Wrong("it holds something that is not base64") from None


def checkpoint_of(note: str, key: str) -> tuple[str, int, bytes]:
    """Origin, size and root of a checkpoint that the verifier key signed; raises Wrong."""
    name, key_id, encoded = ([*key.strip().split("+", 2), "", ""])[:3]
    public = decoded(encoded)
    if len(public) != 33 or public[0] != 1:
        raise Wrong("the verifier key is none of Ed25519: name+key ID+base64")
    if hashlib.sha256(name.encode() + b"\n" + public).hexdigest()[:8] != key_id:
        raise Wrong("the verifier key's ID is not that of its key")
    text, empty, signatures = note.rpartition("\n\n")
    lines = text.split("\n")
    if not empty or len(lines) < 3 or not lines[1].isdigit() or len(decoded(lines[2])) != 32:
        raise Wrong("it is no checkpoint: origin, size, root, an empty line, a signature")
    start = "— " + name + " "
    for line in signatures.splitlines():
        if line.startswith(start) and (signed := decoded(line[len(start) :]))[:4].hex() == key_id:
            if not is_signed(public[1:], (text + "\n").encode(), signed[4:]):
                raise Wrong("its signature is wrong: it was changed, or another key signed it")
            return lines[0], int(lines[1]), decoded(lines[2])
    raise Wrong("it is not signed by the verifier key " + key.strip())


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def leaf_of(entry: bytes) -> bytes:
    """The leaf hash of an entry (RFC 9162 2.1.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def require_included(index: int, size: int, leaf: bytes, path: list[bytes], root: bytes) -> None:
    """RFC 9162 2.1.3.2; raises Wrong."""
    if not 0 <= index < size or any(len(one) != 32 for one in (leaf, *path)):
        raise Wrong("its proof is of another log or not whole")
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if sn == 0:
            raise Wrong("its proof is too long")
        if fn & 1 or fn == sn:
            r = _node(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = _node(r, p)
        fn, sn = fn >> 1, sn >> 1
    if sn or r != root:
        raise Wrong(
            "its proof does not lead to the root of the checkpoint: the entry or the proof was changed"
        )


def require_continued(old: int, new: int, old_root: bytes, new_root: bytes, proof: list[bytes]) -> None:
    """RFC 9162 2.1.4.2; raises Wrong."""
    if not 0 < old <= new or any(len(one) != 32 for one in (old_root, new_root, *proof)):
        raise Wrong("the later checkpoint does not reach as far as the earlier one")
    if old == new and not proof and old_root == new_root:
        return
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0] if path else b""
    for c in path[1:]:
        if sn == 0:
            raise Wrong("the proof that the log continues is too long")
        if fn & 1 or fn == sn:
            fr, sr = _node(c, fr), _node(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = _node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    if sn or fr != old_root or sr != new_root:
        raise Wrong(
            "the log does not continue the earlier checkpoint: it was changed in between, or there are two logs"
        )
