"""Cells to the JSON values of fields: forgiving about how a thing is written, unforgiving about what it could mean.

Numbers stay digits. A workbook stores binary doubles; of one, the shortest decimal that gives the same double is taken, which is what was typed
(David M. Gay's algorithm, as Python's ``repr`` has it). Nothing is rounded: what then has more than 6 digits after the point is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any, Final

from compliance.domain.drugs import DRUGS
from compliance.domain.objections import did_you_mean
from compliance.domain.quantity import plain_digits
from compliance.domain.reading import Unreadable, echo
from compliance.domain.vocabulary import FieldSpec
from compliance.errors import Place
from compliance.intake.json_lines import ExactReader
from compliance.intake.sheets.cells import Fault, Number, Value
from compliance.intake.sheets.columns import folded, is_unit
from compliance.intake.sheets.moments import DateOrder, Moment, written
from compliance.intake.sheets.number_formats import shown_otherwise

_YES: Final = frozenset({"yes", "y", "true", "1", "x"})
_NO: Final = frozenset({"no", "n", "false", "0"})
_AS_TEXT: Final = "format the column as text, and type the value again"
_UNFORMATTED: Final = frozenset({"General", "@", "0"})
_MANGLED: Final = re.compile(r"[0-9]\.[0-9]{1,}E\+[0-9]{2}")
_DIGITS: Final = re.compile(r"-?[0-9]+")
_SURE: Final = 15
"""Digits of a whole number that a binary double keeps for sure, and that a spreadsheet shows."""
_WITH_COMMA: Final = re.compile(r"-?[0-9]+,[0-9]+")
_ITEM: Final = re.compile("[;|]")


@dataclass(frozen=True, slots=True)
class Style:
    """How a file writes what can be written in two ways: the order of 03/04/2026, and whether 1,5 is one and a half."""

    date_order: DateOrder | None = None
    decimal_comma: bool = False


PLAIN: Final = Style()
"""Nobody said how: what can be read in two ways is refused."""


def read_value(spec: FieldSpec, value: Value, style: Style) -> Any:
    """The JSON value of a field other than a point in time. Raises `Unreadable` with what is wrong, in words for people."""
    if isinstance(value, Fault):
        raise value.refusal()
    if isinstance(value, str) and value.strip()[:1] in _JSON.get(spec.type, ()):
        return _json(value.strip())
    if spec.element is not None:
        return _list(spec.element, value, style)
    if spec.fields is not None:
        raise Unreadable(
            f"{_what(value)}, where a record is expected",
            f"give each of its fields a column, such as {spec.name}.{next(iter(spec.fields))}, or write JSON in {{}}",
        )
    if spec.values:
        return _choice(spec, _text(value))
    if spec.type in {"decimal", "integer"}:
        digits = _digits(value, spec.unit, decimal_comma=style.decimal_comma)
        return digits if spec.type == "decimal" else _whole(digits)
    if spec.type == "boolean":
        return _yes_or_no(value)
    if spec.type == "date":
        return read_day(value, style)
    text = _text(value)
    return _CODES.get(folded(text), text) if spec.listed == "drug" else text


_JSON: Final[Mapping[str, tuple[str, ...]]] = {"list": ("[",), "record": ("{",)}
_CODES: Final = {folded(code): code for code in DRUGS}


def _what(value: Value) -> str:
    """What a cell holds, without repeating any text."""
    if isinstance(value, Number):
        return "a number"
    if isinstance(value, bool):
        return "TRUE or FALSE"
    if isinstance(value, datetime):
        return "a date with a time"
    if isinstance(value, date | time):
        return "a date" if isinstance(value, date) else "a time"
    return f"text of {len(value)} characters" if isinstance(value, str) else "nothing"


def _json(text: str) -> Any:
    value, problems = ExactReader().parsed(text.encode("utf-8", "surrogatepass"), Place(""))
    if problems:
        raise Unreadable(problems[0].message, problems[0].remedy)
    return value


def _text(value: Value) -> str:
    """Text as it was typed, without the white space around it, in Unicode form NFC. What a spreadsheet made of a text is refused."""
    if isinstance(value, str):
        text = value.strip()
        if _MANGLED.fullmatch(text):
            raise Unreadable(f"{echo(text)}: a spreadsheet has taken a text for a number", _AS_TEXT)
        return text if text.isascii() else unicodedata.normalize("NFC", text)
    if isinstance(value, Number) and value.format in _UNFORMATTED:
        digits = _shortest(value)
        if _DIGITS.fullmatch(digits) and len(digits.lstrip("-")) <= _SURE:
            return digits
    raise Unreadable(
        f"{_what(value)}, where text is expected: the spreadsheet may have changed what was typed", _AS_TEXT
    )


def _choice(spec: FieldSpec, text: str) -> str:
    found = _choices(spec.values).get(folded(text))
    if found is None:
        remedy = did_you_mean(text, spec.values) or f"use one of {', '.join(spec.values)}"
        raise Unreadable(f"{echo(text)} is not one of its values", remedy)
    return found


@lru_cache(maxsize=512)
def _choices(values: tuple[str, ...]) -> Mapping[str, str]:
    return {folded(value): value for value in values}


def _yes_or_no(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    text = value.digits if isinstance(value, Number) else value.strip() if isinstance(value, str) else ""
    if text.casefold() in _YES or text.casefold() in _NO:
        return text.casefold() in _YES
    said = echo(text) if text else _what(value)
    raise Unreadable(
        f"{said} is neither yes nor no", "write yes or no; leave the cell empty where it is not known"
    )


def _list(element: FieldSpec, value: Value, style: Style) -> list[Any]:
    """``a; b`` or ``a|b``."""
    if element.fields is not None:
        raise Unreadable(
            f"{_what(value)}, where a list of records is expected",
            f"give each field of each record a column, such as 1.{next(iter(element.fields))} after the list's name, or write JSON in []",
        )
    if not isinstance(value, str):
        return [read_value(element, value, style)]
    if ";" in value and "|" in value:
        raise Unreadable(
            "both ; and | stand in the list", "put the same sign between all items, or write JSON in []"
        )
    return [read_value(element, item, style) for item in _ITEM.split(value) if item.strip()]


def _shortest(number: Number) -> str:
    """The digits of a number of a workbook."""
    if _DIGITS.fullmatch(number.digits) and len(number.digits) <= _SURE:
        return number.digits
    text = repr(float(number.digits))
    return text.removesuffix(".0")


def _digits(value: Value, unit: str | None, *, decimal_comma: bool) -> str:
    """Exact digits with a point."""
    if isinstance(value, Number):
        why = shown_otherwise(
            value.format, value.digits, lambda text: unit is not None and is_unit(unit, text)
        )
        if why is not None:
            raise Unreadable(
                f"the cell is shown {why}, by its format {echo(value.format)}",
                "format the column as a plain number or as text, and check its values",
            )
        digits = _shortest(value)
        try:
            return plain_digits(digits)
        except Unreadable as error:
            if "after the point" not in error.message:
                raise
            raise Unreadable(
                f"{echo(digits)} has more than 6 digits after the point",
                "type the number that is meant, or round it within the workbook; nothing is rounded here",
            ) from None
    if not isinstance(value, str):
        raise Unreadable(
            f"{_what(value)}, where a number is expected",
            "format the column as a number, and type the value again",
        )
    text = value.strip()
    if "," not in text:
        if decimal_comma and "." in text:
            raise Unreadable(
                f"{echo(text)} has a point, and --decimal-comma says that this file writes commas",
                "write it with a comma, or leave the option out",
            )
        return plain_digits(text)
    if "." in text:
        raise Unreadable(f"{echo(text)} has both a comma and a point", "write no sign between thousands")
    if not decimal_comma:
        raise Unreadable(
            f"{echo(text)} has a comma, which can stand for thousands or for the decimal point",
            "write no sign between thousands; where the file writes 1,5 for one and a half, say so with --decimal-comma",
        )
    if not _WITH_COMMA.fullmatch(text):
        raise Unreadable(f"{echo(text)} is not a decimal number", "write digits with a comma, such as 28,5")
    return plain_digits(text.replace(",", "."))


def _whole(digits: str) -> int:
    whole, _, fraction = digits.partition(".")
    if fraction.strip("0"):
        raise Unreadable(f"{echo(digits)} is not a whole number", "check the number and its unit")
    return int(whole)


def read_moment(value: Value, style: Style) -> Moment:
    """What a cell says of a point in time: a day, a time of day, an offset. Raises `Unreadable`."""
    if isinstance(value, Fault):
        raise value.refusal()
    if isinstance(value, datetime):
        return Moment(value.date(), value.time())
    if isinstance(value, date):
        return Moment(value, None)
    if isinstance(value, time):
        return Moment(None, value)
    if not isinstance(value, str):
        raise Unreadable(
            f"{_what(value)}, where a date or time is expected",
            "format the column as dates, or as text, and type the value again, such as 2026-03-04 14:05",
        )
    return written(value, style.date_order)


def read_day(value: Value, style: Style) -> str:
    """A date, as RFC 3339 has it. Raises `Unreadable`."""
    moment = read_moment(value, style)
    if moment.day is None:
        raise Unreadable("a time, where a date is expected", "write it like 2026-03-04")
    if moment.clock is not None:
        raise Unreadable("a date with a time, where a date is expected", "leave out the time")
    return moment.day.isoformat()
