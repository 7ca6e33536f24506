"""The types of events, from the vocabulary."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from compliance.domain.vocabulary import KINDS, FieldSpec
from compliance.policy.expression.tree import Type
from compliance.policy.expression.types import BOOL, DATE, DURATION, ERROR, INSTANT, TEXT, known_unit, united

_SIMPLE = {
    "id": TEXT, "text": TEXT, "boolean": BOOL, "instant": INSTANT, "date": DATE, "duration": DURATION,
}  # fmt: skip


def event_type(kinds: Iterable[str]) -> Type:
    """The type of an event of one of these kinds (``any``: of every kind).

    A field exists if at least one kind has it; the values of enums are united. A field that means different things in
    different kinds (a text here, a number there) cannot be used and is left out.
    Raises KeyError for a kind that the vocabulary does not have.
    """
    wanted = tuple(kinds)
    return _event_type(tuple(sorted(KINDS)) if "any" in wanted else wanted)


@lru_cache(maxsize=512)
def _event_type(wanted: tuple[str, ...]) -> Type:
    fields: dict[str, Type | None] = {}
    for kind in wanted:
        for name, spec in KINDS[kind].fields.items():
            known, new = fields.get(name, ERROR), field_type(spec)
            fields[name] = new if known is ERROR else None if known is None else united(known, new)
    fields["kind"] = Type("enum", values=wanted)
    return Type(
        "event", kinds=wanted, fields=tuple((name, kind) for name, kind in fields.items() if kind is not None)
    )


def field_type(spec: FieldSpec, unit: str | None = None) -> Type:
    """The type of a vocabulary field; a list's unit is that of its elements."""
    unit = known_unit(spec.unit) or unit
    if spec.type == "enum":
        return Type("enum", values=tuple(spec.values))
    if spec.type in ("integer", "decimal"):
        return Type("number", unit=unit)
    if spec.type == "record":
        return Type(
            "record", fields=tuple((name, field_type(below)) for name, below in (spec.fields or {}).items())
        )
    if spec.type == "list" and spec.element is not None:
        return Type("list", element=field_type(spec.element, unit))
    return _SIMPLE[spec.type]
