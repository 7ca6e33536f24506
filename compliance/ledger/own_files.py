"""The files that a log itself is made of: its database, its identity vault, and the keys of both. None of them is ever an input.

A file is known by what it is (device and inode, so also under a link's name) and by how its content begins (also a copy, or another log's). What an
input holds that is no event is kept in the log, and a key must not get there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compliance.ledger.database import place_of
from compliance.ledger.keys import key_path, next_path
from compliance.ledger.note import PRIVATE
from compliance.ledger.vault.site_key import FIRST
from compliance.ledger.vault.store import key_file, vault_file
from compliance.ledger.witness import witness_key_path

BEGINNING: Final = 64
"""So many bytes of a file are enough for `kind_of_content`."""

_BOM: Final = b"\xef\xbb\xbf"
_OF_SQLITE: Final = ("", "-wal", "-shm", "-journal")
_CONTENTS: Final = (
    (b"SQLite format 3\x00", "a SQLite database"),  # sqlite.org/fileformat.html, 1.3
    (b"\x37\x7f\x06\x82", "a SQLite write-ahead log"),  # 4.1, with checksums in either order of bytes
    (b"\x37\x7f\x06\x83", "a SQLite write-ahead log"),
    (b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", "a SQLite rollback journal"),  # 3
)
_TEXTS: Final = ((PRIVATE.encode(), "a signing key"), (FIRST.encode(), "the key of an identity vault"))


@dataclass(frozen=True, slots=True)
class OwnFile:
    """One of the files of a log, which need not be there: `what` it is, in words for people, and where it lies."""

    what: str
    path: Path


def own_files(url: str) -> Iterator[OwnFile]:
    """The files of the log at a URL, wherever the environment says that they lie. Raises InputError where the URL names no place."""
    for what, file in (
        ("the log's database", place_of(url).file),
        ("the log's identity vault", vault_file(url)),
    ):
        if file is not None:
            for base in {
                file,
                file.resolve(),
            }:  # SQLite writes its other files beside the one that a link leads to
                yield from (OwnFile(what, base.with_name(base.name + suffix)) for suffix in _OF_SQLITE)
    key = key_path(url)
    with suppress(OSError):
        for path in key.parent.iterdir():
            if path.name.startswith(f"{key.name}.") and path.suffix == ".retired":
                yield OwnFile("a signing key of the log", path)
    yield from (OwnFile("the log's signing key", path) for path in (key, next_path(key)))
    yield OwnFile("the log's key as a witness", witness_key_path(url))
    yield OwnFile("the key of the log's identity vault", key_file(url))


def identities(url: str) -> dict[tuple[int, int], str]:
    """What each of the files that are there is, by device and inode (stat(2))."""
    found = {}
    for own in own_files(url):
        with suppress(OSError):
            status = own.path.stat()
            found[status.st_dev, status.st_ino] = own.what
    return found


def own_file_below(url: str, folder: Path) -> OwnFile | None:
    """One of the files that lies, or would lie, in a folder or below it."""
    there = folder.resolve()
    return next((own for own in own_files(url) if own.path.resolve().is_relative_to(there)), None)


def kind_of_content(beginning: bytes) -> str | None:
    """What a file is that begins so, where that is a key or a database: no input, whosever it is."""
    text = beginning.removeprefix(_BOM).lstrip()
    return next(
        (
            what
            for content, signs in ((beginning, _CONTENTS), (text, _TEXTS))
            for sign, what in signs
            if content.startswith(sign)
        ),
        None,
    )
