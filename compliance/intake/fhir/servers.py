"""What tells resources apart, or shows that two are one, beside their ids: addresses of servers, business identifiers, being part of another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

_FAR: Final = re.compile(rb'"reference"\s*:\s*"((?i:https?):[^"#]*)')
_SERVER: Final = re.compile(
    r"(?i:https?)://(.+)/([A-Z][A-Za-z]{1,63}/[A-Za-z0-9.\-]{1,64})(?:/_history/[^/#]*)?", re.ASCII
)

SEVERAL: Final = (
    "several servers have a resource of this type and id, and a log would take them for one",
    "Send the resources of each system to a log of its own, or give them ids of their own.",
)


def named_at(url: str | None, raw: bytes) -> Iterator[tuple[str, str]]:
    """Address of the server, and ``Type/id``, of whatever a resource names with an address: itself by its ``fullUrl``, others by references."""
    far = [match.group(1).decode("ascii", "replace") for match in _FAR.finditer(raw.replace(b"\\/", b"/"))]
    for address in far if url is None else [url, *far]:
        match = _SERVER.fullmatch(address)
        if match is not None:  # one server may be named with and without encryption
            yield match.group(1).lower(), match.group(2)


PART, SAME = "part", "same"


def marks(administration: Any) -> Iterator[tuple[str, str]]:
    """What an administration is part of, and its business identifiers as ``system|value``; nothing is checked yet."""
    for what, name in ((PART, "partOf"), (SAME, "identifier")):
        said = administration.get(name)
        for one in said if isinstance(said, list) else ():
            if isinstance(one, dict):
                value = one.get("reference") if what == PART else identifier_text(one)
                if isinstance(value, str) and value.isascii():
                    yield what, value if what == SAME else value.partition("/_history/")[0]


def identifier_text(identifier: Any) -> str | None:
    """An Identifier that says which thing it means: with its system."""
    system, value = identifier.get("system"), identifier.get("value")
    return (
        f"{system}|{value}"
        if isinstance(system, str) and isinstance(value, str) and system and value
        else None
    )
