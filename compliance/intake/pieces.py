"""A byte stream cut into pieces that hold one JSON value each, with the line where each begins.

Three layouts are told apart by how the first line begins and ends:

* ``[`` begins an array, which is cut into its elements;
* a first line that opens a ``{`` and goes on below is an object laid out over several lines;
* otherwise each line is a piece, so that a broken one spoils no other (NDJSON).

A piece of more than 1 MiB is passed through the digest and dropped, all but its beginning. Where a member is named (``entry`` of a FHIR
Bundle), the elements of the array that an object has under this name are pieces of their own, and the object is a piece without them, so that
an object may be of any length.
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
_NAME: Final = 64
"""More of a text is not looked at to tell whether it is the name of a member."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The bytes of one value without the white space around it, and their SHA-256 (hex).

    Where the piece is `too_long`, `content` is only the first 64 KiB, and the digest is still over all of it. `element` counts the elements
    that are cut out of an object, from 0; the object itself follows them, with their number in `without`.
    """

    line: int
    content: bytes
    sha256: str
    too_long: bool = False
    element: int | None = None
    without: int = 0


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

    def done(self, element: int | None = None, without: int = 0) -> Piece:
        """The piece as it now is."""
        too_long = self.length > MAX_PIECE
        return Piece(self.line, bytes(self._content), self._digest.hexdigest(), too_long, element, without)


def pieces(stream: BinaryIO, member: str | None = None) -> Iterator[Piece]:
    """The values of a stream, one by one; of objects with an array under the name `member` its elements first. Never raises for what is in it."""
    chunks = _line_chunks(stream)
    opening: list[bytes] = []
    first = _next_line(chunks, opening)
    if first.content.startswith(b"["):
        return _cut(chain(opening, chunks), member)
    if not first.content.startswith(b"{") or first.too_long or _whole_value(first.content):
        return _lines(chain(opening, chunks), member)
    second = _next_line(chunks, opening)
    if first.content.endswith((b"{", b"[", b":")) or second.content.startswith((b'"', b"}", b"]", b",")):
        return _cut(chain(opening, chunks), member)
    return _lines(chain(opening, chunks), member)


def elements(piece: Piece, member: str) -> Iterator[Piece]:
    """The elements that an object holds in the array `member`, and the object without them, from a piece that is all of it."""
    return _cut([piece.content], member, piece.line)


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


def _lines(chunks: Iterable[bytes], member: str | None) -> Iterator[Piece]:
    number = 1
    gathered = _Gathering(number)
    following = iter(chunks)
    for chunk in following:
        if member is not None and not chunk.endswith(b"\n"):  # a long line: elements may be cut out of it
            yield from _cut(chain([chunk], _line_rest(following)), member, number)
        else:
            gathered.add(chunk)
            if not chunk.endswith(b"\n"):
                continue
            if gathered.length:
                yield gathered.done()
        number += 1
        gathered = _Gathering(number)
    if gathered.length:
        yield gathered.done()


def _line_rest(chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk
        if chunk.endswith(b"\n"):
            return


def _cut(chunks: Iterable[bytes], member: str | None = None, line: int = 1) -> Iterator[Piece]:
    """The elements of an array, or values one after another, cut where their brackets close; so are the elements of a `member`.

    The array's own brackets and commas belong to no piece, and are not judged. An array that breaks off between two elements
    gives a last piece ``[``, which is no JSON, so that nobody takes half a file for the whole.
    """
    wanted = None if member is None else f'"{member}"'.encode()
    depth = base = cut = 0  # `base` is the depth at which pieces end: 2 within the array of a member
    in_array = in_string = escaped = False
    started = False
    gathered = around = _Gathering(line)
    name = b""  # the last text, where it could be the name of a member of an object that is itself a piece
    for chunk in chunks:
        begin = position = text = 0
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
                    name = (name + chunk[text:position])[:_NAME]
            elif sign == b'"':
                in_string = position - mark.start() == 1
                text = mark.start()
                name = b"" if in_string or depth != 1 else chunk[text:position]
            elif sign in b"[{":
                if not started and sign == b"[":
                    in_array, begin = True, position
                else:
                    depth += 1
                    if depth == 2 and not base and sign == b"[" and name == wanted:
                        gathered.add(chunk[begin:position])
                        around, gathered = gathered, _Gathering(line)
                        base, begin, cut = 2, position, 0
                started = True
            elif sign == b"," and depth > base:
                name = b""
            elif sign == b"," or (sign == b"]" and depth == base and (base or in_array)):
                gathered.add(chunk[begin : mark.start()])
                begin = position
                if gathered.length:
                    yield gathered.done(cut if base else None)
                    cut += 1 if base else 0
                gathered = _Gathering(line)
                if sign == b"]" and base:
                    gathered, begin, base, depth, name = around, mark.start(), 0, 1, b""
                elif sign == b"]":
                    in_array = False
            elif depth > base:
                depth -= 1
                if depth == base:
                    gathered.add(chunk[begin:position])
                    yield gathered.done(cut if base else None, 0 if base else cut)
                    cut = cut + 1 if base else 0
                    gathered, begin = _Gathering(line), position
        gathered.add(chunk[begin:])
        if in_string:
            name = (name + chunk[text:])[:_NAME]
    if gathered.length:
        yield gathered.done(cut if base else None)
    elif in_array and not base:
        yield Piece(line, b"[", sha256(b"[").hexdigest())
    if base:  # the object breaks off within its elements
        yield around.done(None, cut)
