"""``verify.py`` as it lies in a binder: one file, for people who have Python and nothing else.

Its parts are modules of this package, so that they are read, typed and tested like any other code, and so that those who write a table and those who
check it mean the same by a heading. Put together, they import the standard library alone.
"""

from __future__ import annotations

import re
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

PARTS: Final = ("verify_cells", "verify_log", "verify_rows", "verify")
_IMPORT: Final = re.compile(r"^(?:import \w+|from [\w.]+ import (?:\([^)]*\)|[^\n]+))\n", re.MULTILINE)
_OURS: Final = "from compliance"
_FUTURE: Final = "from __future__ import annotations\n"


@cache
def script() -> bytes:
    """The script; the same bytes wherever the same software made it."""
    imports: set[str] = set()
    bodies: list[str] = []
    for part in PARTS:
        source = Path(__file__).with_name(f"{part}.py").read_text(encoding="utf-8")
        _, said, rest = source.split('"""', 2)
        imports |= {
            found for found in _IMPORT.findall(rest) if not found.startswith(_OURS) and found != _FUTURE
        }
        bodies.append(_IMPORT.sub("", rest).strip())
    head = f'"""{said}"""\n\n{_FUTURE}\n{"".join(sorted(imports))}'
    return "\n\n\n".join((head.rstrip(), *bodies)).encode() + b"\n"


def digest() -> str:
    """The SHA-256 of the script, for who compares it with that of the software."""
    return sha256(script()).hexdigest()
