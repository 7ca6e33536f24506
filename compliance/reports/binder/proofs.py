"""The entries that a binder names, byte for byte, each with its inclusion proof against one checkpoint.

``entries.ndjson`` has a line for each entry, which is its canonical bytes and nothing else. The same line of ``proofs.ndjson`` is a JSON object:
``index``, and the inclusion proof of RFC 9162 2.1.3.1 from the leaf's sibling up: ``hashes`` (base64), and then the last ``shared`` hashes of the proof
in the line before. Neighbours in the log share nearly all of their proofs, so that an entry costs two hashes, not twenty.
"""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache

import orjson

from compliance.errors import InputError, LogError
from compliance.ledger.checkpoint import Checkpoint
from compliance.ledger.log import Log
from compliance.ledger.note import Signer
from compliance.ledger.rotation import key_history, require_beginning, root_at
from compliance.ledger.tree import (
    ProofError,
    Subtrees,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_inclusion,
)
from compliance.reports.binder.folder import Folder
from compliance.reports.binder.period import Marks, Period
from compliance.reports.binder.verify_cells import CHECKPOINT, ENTRIES, KEY, PERIOD, PROOFS, SINCE


class _Remembered:
    """Hashes that neighbouring proofs ask for again and again."""

    def __init__(self, source: Subtrees) -> None:
        self.subtree = lru_cache(maxsize=4096)(source.subtree)


def write(period: Period, listed: Marks, signer: Signer, folder: Folder) -> str:
    """Entries, proofs, the checkpoint, and which events must be there; gives the checkpoint. Raises LogError where an entry is not what the log's
    hashes say."""
    log, size = period.log, period.size
    if key_history(log).at(size) != signer.verifier:
        raise InputError("the log's key was changed while the binder was made", "Run it again.")
    root = root_at(log, size)
    subtrees, before = _Remembered(log.subtrees), list[bytes]()
    with folder.text(ENTRIES) as entries, folder.text(PROOFS) as proofs:
        for idx in listed:
            body = log.body(idx)
            path = inclusion_proof(subtrees, idx, size)
            try:
                verify_inclusion(idx, size, leaf_hash(body), path, root)
            except ProofError as problem:
                raise LogError(
                    f"{log.name}: entry {idx} is not what the hashes of the log say: it was changed",
                    "Run `compliance log verify`.",
                ) from problem
            shared = _shared(before, path)
            said = {
                "index": idx,
                "hashes": [b64encode(one).decode() for one in path[: len(path) - shared]],
                "shared": shared,
            }
            entries.write(body.decode() + "\n")
            proofs.write(orjson.dumps(said).decode() + "\n")
            before = path
    note = signer.sign(Checkpoint(log.identity.origin, size, root).text)
    folder.bytes(CHECKPOINT, note.encode())
    folder.bytes(KEY, f"{signer.verifier}\n".encode())
    about = {"site": period.site, "from": period.instant(period.begins), "until": period.instant(period.ends)}
    folder.bytes(PERIOD, orjson.dumps(about, option=orjson.OPT_APPEND_NEWLINE))
    return note


def _shared(before: list[bytes], path: list[bytes]) -> int:
    """How many hashes at the end of two proofs are the same."""
    count = 0
    while count < min(len(before), len(path)) and before[-1 - count] == path[-1 - count]:
        count += 1
    return count


def write_since(log: Log, size: int, note: bytes, folder: Folder) -> int:
    """The proof that the log continues an earlier checkpoint of it; gives its size. Raises InputError where it is none, or a later one, LogError where it does not."""
    keys = key_history(log)
    kept = keys.open(note)
    if not 0 < kept.size <= size:
        raise InputError(
            f"the checkpoint has {kept.size} entries, and this binder is of the log with {size}",
            "Give an earlier checkpoint.",
        )
    require_beginning(log, kept)
    said = {"note": note.decode(), "key": str(keys.at(kept.size)), "hashes": between(log, kept.size, size)}
    folder.bytes(SINCE, orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return kept.size


def between(log: Log, old: int, new: int) -> list[str]:
    """The consistency proof between two sizes, in base64; empty between equal ones."""
    return [
        b64encode(one).decode() for one in (consistency_proof(log.subtrees, old, new) if old < new else [])
    ]
