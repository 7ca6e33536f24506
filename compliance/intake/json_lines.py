"""Events from JSON: one event per line (NDJSON), one JSON object, or one JSON array of objects.

Reading never raises for bad data: each piece gives a `Draft` (a valid event and where it stood) or a `Rejected` (its bytes, their digest,
and every problem), and reading goes on after it. NDJSON is read line by line, arrays element by element, so memory holds one
piece at a time, and no piece beyond 1 MiB is ever whole in memory.

What is narrower than RFC 8259, and why:

* numbers keep their digits (`NumberText`): no binary float, no conversion of huge integers;
* a member name may stand once only; which of two quantities was meant, nobody can say (RFC 8259, section 4, leaves it open);
* NaN and Infinity, which Python's reader lets in, are no JSON;
* UTF-8 only (RFC 8259, 8.1), a byte-order mark tolerated at the start of the file; no NUL bytes; at most 64 levels.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import orjson

from compliance.domain.event import Event
from compliance.domain.making import make_event
from compliance.domain.objections import path_text
from compliance.domain.quantity import NumberText
from compliance.errors import Place, Problem
from compliance.intake.drafts import KEPT, Draft, Rejected
from compliance.intake.pieces import MAX_PIECE, Piece, pieces

MAX_DEPTH: Final = 64
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_BRACKET: Final = re.compile(r"[\[\]{}]")
_INTEGER_DIGITS: Final = 18
_MARKED: Final = bytes.maketrans(b"0123456789eE", b"0000000000..")
_MANY: Final = b"0" * _INTEGER_DIGITS


def read_json(source: str, stream: BinaryIO) -> Iterator[Draft | Rejected]:
    """Each event of a file, in its order. `source` is its name, for messages; lines count from 1."""
    reader = ExactReader()
    for piece in pieces(stream):
        yield _read_piece(source, piece, reader)


def _read_piece(source: str, piece: Piece, reader: ExactReader) -> Draft | Rejected:
    if piece.too_long:
        remedy = "an event is at most 32 KiB; look for a missing line end or quotation mark"
        problem = Problem(Place(source, piece.line), f"longer than {MAX_PIECE} bytes", remedy, "too_long")
        return Rejected(source, piece.line, piece.content, piece.sha256, (problem,))
    value, problems = reader.parsed(piece.content, Place(source, piece.line))
    if value is not NOTHING:
        made = make_event(value, source=source, line=piece.line)
        if not isinstance(made, Event):
            problems += made
        elif not problems:
            return Draft(made, source, piece.line)
    return Rejected(source, piece.line, piece.content[:KEPT], piece.sha256, problems)


NOTHING: Final = object()
"""Where there is no JSON value; None is one."""


class _NoNumber(ValueError):
    """NaN or an infinity."""


class ExactReader:
    """Python's JSON reader with exact numbers, which notes member names that stand twice; what it does not take is told above."""

    def __init__(self) -> None:
        self._repeated: list[str] = []
        self._decode = json.JSONDecoder(
            object_pairs_hook=self._members,
            parse_float=NumberText,
            parse_int=_integer,
            parse_constant=_refuse_constant,
        ).decode

    def parsed(self, content: bytes, place: Place) -> tuple[Any, tuple[Problem, ...]]:
        """The JSON value of some bytes (or `NOTHING`), and what is wrong with them."""
        nul = content.find(b"\0")
        if nul >= 0:
            at = _moved(place, content, nul)
            remedy = "save the file as UTF-8 text"
            return NOTHING, (Problem(at, f"a NUL byte at byte {nul + 1}", remedy, "not_json"),)
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            at = _moved(place, content, error.start)
            message = f"byte {error.start + 1} (0x{content[error.start]:02x}) is not UTF-8"
            return NOTHING, (Problem(at, message, "save the file as UTF-8", "not_json"),)
        if _too_deep(text):
            message = f"nested more than {MAX_DEPTH} levels deep"
            return NOTHING, (Problem(place, message, "events are nearly flat", "not_json"),)
        self._repeated.clear()
        try:
            value = self._decode(text)
        except json.JSONDecodeError as error:
            return NOTHING, (_not_json(error, place, text),)
        except _NoNumber as error:
            remedy = "leave the field out where nothing was measured"
            return NOTHING, (Problem(place, f"{error} is no JSON number", remedy, "not_json"),)
        return value, tuple(_stands_twice(name, place) for name in dict.fromkeys(self._repeated))

    def _members(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        record = dict(pairs)
        if len(record) != len(pairs):
            seen: set[str] = set()
            for name, _ in pairs:
                if name in seen:
                    self._repeated.append(name)
                seen.add(name)
        return record


def plainly(content: bytes) -> Any:
    """The JSON value of bytes in which plainly nothing needs a closer look, the very one that `ExactReader` gives; else `NOTHING`.

    Digits are lost only by a fraction, an exponent or more than 18 of them. Without a backslash every colon is one of the value, within a text
    or after a name: where all of them are in the value as it is written again, no name was lost, and so none stood twice.
    """
    marked = content.translate(_MARKED)
    if b"0." in marked or _MANY in marked or b"\\" in content:
        return NOTHING
    if content.count(b"[") + content.count(b"{") > MAX_DEPTH:
        return NOTHING
    try:
        value = orjson.loads(content)
    except ValueError:
        return NOTHING
    return value if orjson.dumps(value).count(b":") == content.count(b":") else NOTHING


def digits(value: Any) -> Any:
    """For orjson, which knows no `NumberText`: the number as it was written."""
    if isinstance(value, NumberText):
        return orjson.Fragment(value.text.encode())
    raise TypeError


def _stands_twice(name: str, place: Place) -> Problem:
    where = Place(place.source, place.line, field=path_text((name,)))
    return Problem(
        where, "the same name stands twice in one record", "keep the one that is meant", "repeated_name"
    )


def _integer(text: str) -> int | NumberText:
    """Small integers as such; others keep their digits, since Python refuses to convert more than 4300 of them."""
    return int(text) if len(text) <= _INTEGER_DIGITS else NumberText(text)


def _refuse_constant(name: str) -> Any:
    raise _NoNumber(name)


def _too_deep(text: str) -> bool:
    """Whether brackets outside of strings nest too deep; counted first, since few texts have that many at all."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _not_json(error: json.JSONDecodeError, place: Place, text: str) -> Problem:
    at = Place(place.source, (place.line or 1) + error.lineno - 1, error.colno)
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return Problem(at, "the JSON breaks off", "send the whole of it again from its source", "not_json")
    wrong = error.msg[0].lower() + error.msg[1:]
    if "control character" in error.msg:
        return Problem(at, f"not valid JSON: {wrong}", "write line ends within text as \\n", "not_json")
    return Problem(
        at, f"not valid JSON: {wrong}", "write one JSON object, on one line or in a list", "not_json"
    )


def _moved(place: Place, content: bytes, offset: int) -> Place:
    """The line and column of a byte within a piece."""
    before = content[:offset]
    column = offset - (before.rfind(b"\n") + 1) + 1
    return Place(place.source, (place.line or 1) + before.count(b"\n"), column)
