"""From the JSON of an event to engine values, field by field, and the exact form that the log keeps.

`values_of` trusts its input: it was validated before it was written. It is what a look-up costs for each event that it finds,
so it goes through the fields that need converting and no others, and through no validator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, Final, TypeAlias

from compliance.domain.events.checks import digits_of
from compliance.domain.quantity import millionths
from compliance.domain.reading import Unreadable
from compliance.domain.time import EPOCH, parse_duration, parse_instant
from compliance.domain.values import SCALE
from compliance.domain.vocabulary import KINDS, FieldSpec

Convert: TypeAlias = Callable[[Any], Any]


def _instant(text: str) -> int:
    try:
        since = datetime.fromisoformat(text) - EPOCH
    except ValueError:  # a lower-case "z" (RFC 3339 5.6), which Python 3.11 does not read
        return parse_instant(text)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def _integer(value: int) -> int:
    return value * SCALE


_SCALAR: Final[Mapping[str, Convert]] = {
    "decimal": millionths,
    "integer": _integer,
    "instant": _instant,
    "date": _day,
    "duration": parse_duration,
}


def _converter(spec: FieldSpec) -> Convert | None:
    """How a field's value becomes an engine value; None where it already is one."""
    if spec.element is not None:
        inner = _converter(spec.element)
        return tuple if inner is None else lambda items: tuple(map(inner, items))
    if spec.fields is not None:
        return _record(spec.fields)
    return _SCALAR.get(spec.type)


def _record(fields: Mapping[str, FieldSpec]) -> Convert:
    steps = tuple(
        (name, convert) for name, spec in fields.items() if (convert := _converter(spec)) is not None
    )

    def convert_record(record: Mapping[str, Any]) -> dict[str, Any]:
        values = dict(record)
        for name, convert in steps:
            if name in values:
                values[name] = convert(values[name])
        return values

    return convert_record


@cache
def _kind_converter(kind: str) -> Convert:
    return _record(KINDS[kind].fields)


def values_of(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The engine values of a valid body, `intent` filled in; the log's own fields come with `stamp`."""
    values: dict[str, Any] = _kind_converter(kind)(body)
    values.setdefault("intent", "performed")
    return values


def _exact_step(spec: FieldSpec) -> Convert | None:
    if spec.type == "decimal":
        return _exact_digits
    if spec.element is not None:
        inner = _exact_step(spec.element)
        return (
            None
            if inner is None
            else lambda items: [*map(inner, items)] if isinstance(items, list) else items
        )
    if spec.fields is not None:
        steps = _exact_steps(spec.fields)
        return (lambda record: _exact(steps, record)) if steps else None
    return None


def _exact_digits(value: Any) -> Any:
    try:
        return digits_of(value)
    except Unreadable:
        return value  # the model says what is wrong with it


def _exact_steps(fields: Mapping[str, FieldSpec]) -> tuple[tuple[str, Convert], ...]:
    return tuple((name, step) for name, spec in fields.items() if (step := _exact_step(spec)) is not None)


def _exact(steps: tuple[tuple[str, Convert], ...], record: Any) -> Any:
    if not isinstance(record, dict):
        return record
    exact = dict(record)
    for name, step in steps:
        if name in exact:
            exact[name] = step(exact[name])
    return exact


@cache
def _kind_exact_steps(kind: str) -> tuple[tuple[str, Convert], ...]:
    return _exact_steps(KINDS[kind].fields)


def exact_body(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a body with every decimal as plain digits in text, otherwise as it was sent.

    What is no decimal stays as it is, for the model to refuse.
    """
    exact: dict[str, Any] = _exact(_kind_exact_steps(kind), dict(body))
    return exact
