"""Addresses of servers in an input: two of them for one ``Type/id`` mean two resources, and a log has one event for both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

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
