"""Where things stand: the folders that ship with the software.

In the repository `policies/` and `migrations/` lie beside the package, in a wheel below it (docs/decisions/0001).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).resolve().parent


def shipped_folder(name: Literal["policies", "migrations"]) -> Path:
    """The shipped policies, or alembic's migrations, wherever this copy of the software was installed."""
    below = _PACKAGE / name
    return below if below.is_dir() else _PACKAGE.parent / name


def without_login(url: str) -> str:
    """A database's URL as it may be shown, whatever was typed: scheme and what comes after the login, without parameters."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2].partition('?')[0]}"
