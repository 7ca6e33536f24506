"""Parameters of a rule: values that law or site policy may change, each with its dates and its source.

The type of a value is seen from how it is written: ``2h`` a duration, ``2026-11-22`` a date, ``2.5`` a number, ``true`` a truth value,
other text a text, ``[...]`` a list of one of these.
"""

from __future__ import annotations

from typing import Any, Final, Literal, cast

from compliance.domain.quantity import format_decimal, parse_decimal, with_unit
from compliance.domain.time import format_date, format_duration
from compliance.domain.values import SCALE, Value
from compliance.policy.expression.tree import Type
from compliance.policy.fields import Fields, elapsed, kind_of, ordinal, shown
from compliance.policy.model import Parameter, ParameterValue, Period
from compliance.policy.names import IDENTIFIER
from compliance.policy.scalars import Digits

FIELDS: Final = ("tighten", "limit", "unit", "says", "values")
VALUE_FIELDS: Final = ("from", "value", "cites")
_ORDERED: Final = ("number", "duration", "date")
_HINT: Final = "write values: [{from: 2026-01-01, value: 2h, cites: where it is written}]"


def read_parameters(rule: Fields, in_force: Period | None) -> tuple[Parameter, ...]:
    """The parameters of a rule; problems are noted in its reading."""
    if not rule.has("parameters"):
        return ()
    given = rule.value["parameters"]
    if not isinstance(given, dict):
        rule.wrong(
            "parameters",
            f"'parameters' must be a group of named parameters, not {kind_of(given)}",
            "write its name, and below it tighten and values",
        )
        return ()
    found = []
    for name in given:
        fields = rule.reading.fields((*rule.at("parameters"), name), FIELDS, f"parameter '{name}'")
        if fields is None:
            continue
        if not IDENTIFIER.match(name):
            rule.reading.wrong(
                fields.path,
                f"'{name}' cannot be a parameter's name",
                "use small letters, digits and _",
                key=True,
            )
        parameter = _parameter(fields, name, in_force)
        if parameter is not None:
            found.append(parameter)
    return tuple(found)


def _parameter(fields: Fields, name: str, in_force: Period | None) -> Parameter | None:
    tighten = fields.one_of(
        "tighten",
        ("fixed", "up", "down"),
        "say in which direction a site may tighten it: tighten: up, down or fixed",
    )
    unit = fields.text("unit", required=False) or None
    if not fields.required("values", _HINT):
        return None
    written = fields.value["values"]
    if not isinstance(written, list) or not written:
        fields.wrong("values", f"'values' must be a list of dated values, not {kind_of(written)}", _HINT)
        return None
    values: list[ParameterValue] = []
    types: list[Type] = []
    before: tuple[int, int] | None = None
    for i in range(len(written)):
        path = (*fields.at("values"), i)
        one = fields.reading.fields(path, VALUE_FIELDS, "a parameter's value")
        if one is None:
            continue
        start = one.date("from", "say from which date it holds: from: 2026-01-01")
        cites = one.text("cites", "say where the value is written: cites: ...")
        if start is not None:
            _check_order(one, before, start, in_force)
            before = (start, i)
        read = _value(one, unit)
        if read is None:
            continue
        type_, value = read
        if types and type_.name != types[0].name:
            one.wrong(
                "value",
                f"this value is {_called(type_)}, the first value of '{name}' is {_called(types[0])}",
                "write all values in one form",
            )
            continue
        types.append(type_)
        values.append(ParameterValue(start or 0, value, cites))
    if not values:
        return None
    if tighten != "fixed" and types[0].name not in _ORDERED:
        _cannot_be_tightened(fields, types[0], values[0].value)
        return None
    if unit is not None and types[0].name not in ("number", "list"):
        fields.wrong("unit", f"{_called(types[0])} has no unit", "delete 'unit'")
    first = min(value.start for value in values)
    if in_force is not None and before is not None and first > in_force.start:
        fields.wrong(
            "values",
            f"from {format_date(in_force.start)} to {format_date(first)} the rule is in force, but '{name}' has no value",
            f"let its first value hold from {format_date(in_force.start)}, or the rule be in force from {format_date(first)}",
            key=True,
        )
    way = cast(Literal["up", "down", "fixed"], tighten)
    limit = _limit(fields, types[0], way, values) if fields.has("limit") else None
    return Parameter(name, types[0], way, tuple(values), limit)


def _cannot_be_tightened(fields: Fields, type_: Type, value: Value) -> None:
    """A value without more or less; one that begins with a digit was likely meant to have it (``2 hours``)."""
    if isinstance(value, str) and value[:1].isdigit():
        path = (*fields.at("values"), 0, "value")
        remedy = "write an elapsed time as 2h, 90m or 7d, any other amount as a number"
        fields.reading.wrong(path, f"'{value}' is text, and text cannot be raised or lowered", remedy)
    else:
        fields.wrong("tighten", f"{_called(type_)} cannot be raised or lowered", "write tighten: fixed")


def _limit(
    fields: Fields, type_: Type, tighten: Literal["up", "down", "fixed"], values: list[ParameterValue]
) -> Value | None:
    """How far a site may go against `tighten`: beyond it lies what the law forbids."""
    read = infer(fields.value["limit"], type_.unit)
    if read is None or read[0].name != type_.name:
        fields.wrong(
            "limit", f"the limit must be {_called(type_)}, like the values", "write it as they are written"
        )
    elif tighten == "fixed":
        fields.wrong("limit", "what is fixed has no limit", "delete 'limit', or write tighten: up or down")
    elif any(looser(tighten, value.value, read[1]) for value in values):
        fields.wrong(
            "limit",
            "a value of the parameter lies beyond its own limit",
            "the limit is the loosest value that there may be",
        )
    else:
        return read[1]
    return None


def looser(tighten: Literal["up", "down", "fixed"], value: Any, than: Any) -> bool:
    """Whether a value is less strict than another: smaller where a site may only raise it, larger where only lower it."""
    return bool(value != than if tighten == "fixed" else value < than if tighten == "up" else value > than)


def _check_order(one: Fields, before: tuple[int, int] | None, start: int, in_force: Period | None) -> None:
    if before is not None and start == before[0]:
        one.wrong(
            "from",
            f"two values hold from {format_date(start)}",
            "a value holds until the next one begins; keep one of the two",
        )
    elif before is not None and start < before[0]:
        one.wrong(
            "from",
            f"these dates overlap: {format_date(start)} stands after {format_date(before[0])}",
            "write the values in the order of their dates",
        )
    if in_force is not None and in_force.end is not None and start >= in_force.end:
        one.wrong(
            "from",
            f"this value would begin when the rule is no longer in force ({format_date(in_force.end)})",
            "delete it, or change in_force",
        )


def _value(one: Fields, unit: str | None) -> tuple[Type, Value] | None:
    if "value" not in one.value or one.value["value"] is None:
        one.lacks("value", "write value: and the value")
        return None
    read = infer(one.value["value"], unit)
    if read is None:
        one.wrong(
            "value",
            f"a parameter cannot be {shown(one.value['value'])}",
            "write a number, a duration such as 2h, a date, a text, true or false, or a list of one of these",
        )
    return read


def same_form(one: Type, other: Type) -> bool:
    """Whether two values can be compared; an empty list goes with every list."""
    return one.name == other.name


def value_words(parameter: Parameter, value: Any) -> str:
    """A value of a parameter in words, with its unit."""
    return _words(value, parameter.type)


def _words(value: Any, type_: Type) -> str:
    if isinstance(value, tuple):
        return ", ".join(_words(item, type_.element or type_) for item in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if type_.name == "duration":
        return format_duration(value)
    if type_.name == "date":
        return format_date(value)
    return with_unit(format_decimal(value), type_.unit)


def infer(written: Any, unit: str | None = None) -> tuple[Type, Value] | None:
    """Type and engine value of a value as written; None where it can be neither."""
    if isinstance(written, bool):
        return Type("bool"), written
    if isinstance(written, int):
        return Type("number", unit=unit), written * SCALE
    if isinstance(written, Digits):
        return Type("number", unit=unit), parse_decimal(written)
    if isinstance(written, str):
        duration = elapsed(written)
        if duration is not None:
            return Type("duration"), duration
        day = ordinal(written)
        if day is not None:
            return Type("date"), day
        return (Type("text"), written) if written.strip() else None
    if isinstance(written, list):
        read = [infer(item, unit) for item in written]
        pairs = [pair for pair in read if pair is not None and pair[0].name != "list"]
        if len(pairs) != len(written) or len({type_.name for type_, _ in pairs}) > 1:
            return None
        element = pairs[0][0] if pairs else Type("text")
        return Type("list", element=element), tuple(value for _, value in pairs)
    return None


def _called(type_: Type) -> str:
    words = {
        "bool": "true or false",
        "number": "a number",
        "duration": "a duration",
        "date": "a date",
        "text": "text",
        "list": "a list",
    }
    return words.get(type_.name, type_.name)
