"""Logs with an identity vault for the tests, and the search for what must not be in any file."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path

from compliance.ledger.log import Log
from compliance.ledger.vault import Vault, reach
from tests.logs import ORIGIN, SIGNER, clock, url


def vaulted_log(path: Path) -> Log:
    """A log of one entry with a vault, open for writing."""
    return vaulted(url(path))


def vaulted(at: str) -> Log:
    """The same at any URL."""
    vault = Vault.create(at)
    vault.close()
    return Log.create(at, ORIGIN, str(SIGNER.verifier), vault=vault.name, clock=clock)


def lose(log: Log) -> None:
    """The vault is gone, and the key with it."""
    with reach(log) as way:
        vault = way.vault
    vault.remove()


def spellings(text: str) -> dict[str, bytes]:
    """A text as it might lie in a file: encodings, letter cases, base64 at each of its three offsets, hexadecimal."""
    found: dict[str, bytes] = {}
    for case, spelt in (("", text), ("upper ", text.upper()), ("lower ", text.lower())):
        found[f"{case}utf-8"] = spelt.encode()
        found[f"{case}utf-16-le"] = spelt.encode("utf-16-le")
        found[f"{case}utf-16-be"] = spelt.encode("utf-16-be")
        found[f"{case}json"] = spelt.encode("ascii", "backslashreplace")
    raw = text.encode()
    found["hex"] = raw.hex().encode()
    found["HEX"] = raw.hex().upper().encode()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw)
        # Only the characters that depend on nothing but the text.
        found[f"base64+{offset}"] = encoded[-(-8 * offset // 6) : 8 * (offset + len(raw)) // 6]
        found[f"base64url+{offset}"] = found[f"base64+{offset}"].replace(b"+", b"-").replace(b"/", b"_")
    return found


def traces(folder: Path, texts: Iterable[str], *, leave_out: Iterable[Path] = ()) -> Iterator[str]:
    """Where any of the texts is in any file of a folder, in any spelling."""
    left_out = set(leave_out)
    contents = {
        file: file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file not in left_out
    }
    for text in texts:
        for spelling, needle in spellings(text).items():
            for file, content in contents.items():
                if needle in content:
                    yield f"{file.name}: {text!r} as {spelling}"
