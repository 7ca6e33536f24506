"""The log as files that need none of this software to be read.

`entries` is NDJSON: line n (counted from 0) is the canonical bytes of entry n, so its leaf hash is that of the line without its newline.
`entry_bundle` is the same as C2SP tlog-tiles serves it, 256 entries to a bundle, each after its length in two bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

from compliance.ledger.batch import TILE_WIDTH
from compliance.ledger.log import Log


def entries(log: Log, start: int = 0) -> Iterator[bytes]:
    """The lines of the log from an index on, of one fixed state; JSON text never holds a raw newline (RFC 8259, section 7)."""
    with log.reading():
        for entry in log.entries(start):
            yield entry.body + b"\n"


def entry_bundle(log: Log, n: int) -> bytes:
    """Entries 256 * n and up to 255 more: fewer in the last bundle, none past it."""
    bodies = (entry.body for entry in log.entries(n * TILE_WIDTH, (n + 1) * TILE_WIDTH))
    return b"".join(len(body).to_bytes(2, "big") + body for body in bodies)
