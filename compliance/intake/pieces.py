"""A byte stream cut into pieces that hold one JSON value each, with the line where each begins.

Three layouts are told apart by how the first line begins and ends:

* ``[`` begins an array, which is cut into its elements;
* a first line that opens a ``{`` and goes on below is an object laid out over several lines;
* otherwise each line is a piece, so that a broken one spoils no other (NDJSON).

A piece of more than 1 MiB is passed through the digest and dropped, all but its beginning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from typing import BinaryIO, Final

from compliance.intake.drafts import KEPT

MAX_PIECE: Final = 1024 * 1024
_CHUNK: Final = 64 * 1024
_BOM: Final = b"\xef\xbb\xbf"
_SPACE: Final = b" \t\r\n"  # RFC 8259, section 2: no other white space
_MARK: Final = re.compile(rb'"[^"\\\n]*"|["\[\]{},\n]')
_IN_STRING: Final = re.compile(rb'["\\\n]')


@dataclass(frozen=True, slots=True)
class Piece:
    """The bytes of one value without the white space around it, and their SHA-256 (hex).

    Where the piece is `too_long`, `content` is only the first 64 KiB, and the digest is still over all of it.
    """

    line: int
    content: bytes
    sha256: str
    too_long: bool = False


class _Gathering:
    """A piece while it is gathered: bytes up to the limit, and the digest of all of them."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.length = 0
        self._content = bytearray()  # grows in place, where bytes would be copied with every line
        self._blanks = bytearray()
        self._digest = sha256()

    def add(self, part: bytes) -> None:
        """Takes more bytes. White space counts once something follows it; that before the value only counts lines."""
        if not self.length:
            solid = part.lstrip(_SPACE)
            self.line += part.count(b"\n", 0, len(part) - len(solid))
            part = solid
        solid = part.rstrip(_SPACE)
        if solid or len(self._blanks) > MAX_PIECE:
            self._take(self._blanks)
            self._take(solid)
            self._blanks.clear()
        if self.length:
            self._blanks += part[len(solid) :]

    def _take(self, solid: bytes | bytearray) -> None:
        self._digest.update(solid)
        self.length += len(solid)
        self._content += solid
        if self.length > MAX_PIECE:
            del self._content[KEPT:]

    def done(self) -> Piece:
        """The piece as it now is."""
        return Piece(self.line, bytes(self._content), self._digest.hexdigest(), self.length > MAX_PIECE)


def pieces(stream: BinaryIO) -> Iterator[Piece]:
    """The values of a stream, one by one. Never raises for what is in it."""
    chunks = _line_chunks(stream)
    opening: list[bytes] = []
    first = _next_line(chunks, opening)
    if first.content.startswith(b"["):
        return _cut(chain(opening, chunks))
    if not first.content.startswith(b"{") or first.too_long or _whole_value(first.content):
        return _lines(chain(opening, chunks))
    second = _next_line(chunks, opening)
    if first.content.endswith((b"{", b"[", b":")) or second.content.startswith((b'"', b"}", b"]", b",")):
        return _cut(chain(opening, chunks))
    return _lines(chain(opening, chunks))


def _line_chunks(stream: BinaryIO) -> Iterator[bytes]:
    """Lines with their ends; a long one in several chunks. A byte-order mark at the start is left out."""
    chunk = stream.readline(_CHUNK).removeprefix(_BOM)
    while chunk:
        yield chunk
        chunk = stream.readline(_CHUNK)


def _next_line(chunks: Iterator[bytes], opening: list[bytes]) -> Piece:
    """The next line that is not blank, looked for within 2 MiB; what was read is kept in `opening`."""
    gathered = _Gathering(1)
    read = 0
    for chunk in chunks:
        opening.append(chunk)
        gathered.add(chunk)
        read += len(chunk)
        if (gathered.length and chunk.endswith(b"\n")) or read > 2 * MAX_PIECE:
            break
    return gathered.done()


def _whole_value(line: bytes) -> bool:
    try:
        json.loads(line, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True


def _lines(chunks: Iterable[bytes]) -> Iterator[Piece]:
    number = 1
    gathered = _Gathering(number)
    for chunk in chunks:
        gathered.add(chunk)
        if chunk.endswith(b"\n"):
            if gathered.length:
                yield gathered.done()
            number += 1
            gathered = _Gathering(number)
    if gathered.length:
        yield gathered.done()


def _cut(chunks: Iterable[bytes]) -> Iterator[Piece]:
    """The elements of an array, or values one after another, cut where their brackets close.

    The array's own brackets and commas belong to no piece, and are not judged. An array that breaks off between two elements
    gives a last piece ``[``, which is no JSON, so that nobody takes half a file for the whole.
    """
    line = 1
    depth = 0
    in_array = in_string = escaped = False
    started = False
    gathered = _Gathering(line)
    for chunk in chunks:
        begin = position = 0
        if escaped:  # the last chunk ended between a backslash and what it escapes
            position, escaped = 1, False
        while mark := (_IN_STRING if in_string else _MARK).search(chunk, position):
            position = mark.end()
            sign = chunk[mark.start() : mark.start() + 1]
            if sign == b"\n":
                line += 1
            elif in_string:
                if sign == b"\\":
                    escaped = position == len(chunk)
                    position += 1
                else:
                    in_string = False
            elif sign == b'"':
                in_string = position - mark.start() == 1
            elif sign in b"[{":
                if not started and sign == b"[":
                    in_array, begin = True, position
                else:
                    depth += 1
                started = True
            elif sign == b"," and depth:
                continue
            elif sign == b"," or (sign == b"]" and not depth and in_array):
                gathered.add(chunk[begin : mark.start()])
                in_array = in_array and sign == b","
                begin = position
                if gathered.length:
                    yield gathered.done()
                gathered = _Gathering(line)
            elif depth:
                depth -= 1
                if not depth:
                    gathered.add(chunk[begin:position])
                    yield gathered.done()
                    gathered, begin = _Gathering(line), position
        gathered.add(chunk[begin:])
    if gathered.length:
        yield gathered.done()
    elif in_array:
        yield Piece(line, b"[", sha256(b"[").hexdigest())
