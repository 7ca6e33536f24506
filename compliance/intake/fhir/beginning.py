"""What cannot be FHIR in JSON is told by how it begins: a spreadsheet, a PDF, XML, UTF-16. It is refused before anything of it is written."""

from __future__ import annotations

import re
from typing import BinaryIO, Final, cast

from compliance.errors import InputError

_LOOKED_AT: Final = 16
_JSON: Final = re.compile(rb'(?:\xef\xbb\xbf)?[ \t\r\n]*(?:[\[{"0-9tfn-][^\x00]*)?', re.DOTALL)
"""White space, and what a JSON text begins with (RFC 8259, section 2); no NUL, which UTF-16 has after each sign."""


class _Checked:
    """A stream whose first line is looked at when it is read."""

    def __init__(self, source: str, stream: BinaryIO) -> None:
        self._source = source
        self._stream = stream
        self._begun = False

    def readline(self, size: int = -1) -> bytes:
        line = self._stream.readline(size)
        if not self._begun and not _JSON.fullmatch(line[:_LOOKED_AT]):
            raise InputError(
                f"{self._source} does not begin as JSON does, so it is no FHIR that can be read",
                "Send resources as JSON or NDJSON in UTF-8; name another --format for a table. Nothing was written.",
            )
        self._begun = True
        return line


def beginning_with_json(source: str, stream: BinaryIO) -> BinaryIO:
    """The same stream, to be read line by line; its first line raises InputError where it begins as no JSON text does."""
    return cast(BinaryIO, _Checked(source, stream))
