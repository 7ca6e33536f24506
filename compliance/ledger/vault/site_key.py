"""The site key: 32 random bytes in a file of its own, for its owner's eyes only. Whoever has it and the vault can read everything in it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from compliance.errors import DatabaseError
from compliance.ledger.keys import write_private
from compliance.ledger.vault.crypto import KEY_BYTES, new_key

VARIABLE: Final = "COMPLIANCE_VAULT_KEY"
"""Names another file for the site key; it should lie on another disk than the vault."""

FIRST: Final = "compliance-vault-key-v1"
"""The word that a site key's file begins with."""


def site_key_path(beside: Path) -> Path:
    """Where the site key lies: in the file that COMPLIANCE_VAULT_KEY names, else beside the database."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else beside.with_name(beside.name + ".vault.key")


def create_site_key(path: Path) -> bytes:
    """A new site key in a file that only its owner can read. See `keys.write_private`."""
    key = new_key()
    write_private(path, f"{FIRST} {key.hex()}")
    return key


def read_site_key(path: Path) -> bytes:
    """The site key in a file; raises DatabaseError where it is missing or damaged, or where everybody may read it."""
    try:
        words = path.read_text(encoding="ascii").split()
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise DatabaseError(
            f"the site key {path} of the identity vault is not there",
            f"Restore it from its backup, or name its file in {VARIABLE}; without it nothing can be recorded, and no person is known.",
        ) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise DatabaseError(
            f"the site key {path} cannot be read", "Check the file and its permissions."
        ) from problem
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        raise DatabaseError(
            f"the site key {path} can be read or changed by everybody on this machine",
            f"Run `chmod 600 {path}`; if strangers use this machine, treat the vault as read by them.",
        )
    try:
        first, text = words
        key = bytes.fromhex(text)
    except ValueError:
        first, key = "", b""
    if first != FIRST or len(key) != KEY_BYTES:
        raise DatabaseError(f"the file {path} is no site key", "Restore it from its backup.")
    return key
