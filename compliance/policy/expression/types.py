"""The types of the policy language: their names, what unites two of them, and the algebra of units.

A unit is known from the vocabulary ("mg", "mg/kg", "min"). Literals, counts and amounts whose unit another field names
("per quantity_unit") have none and go with every unit.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from compliance.policy.expression.tree import Type

BOOL = Type("bool")
TEXT = Type("text")
NUMBER = Type("number")
INSTANT = Type("instant")
DURATION = Type("duration")
DATE = Type("date")
PERIOD = Type("period")
NULL = Type("null")
ERROR = Type("error")
"""The type of what was already reported as wrong: it goes with everything, so that one mistake is one message."""

PLAIN = {
    "bool": "a yes/no value", "text": "a text", "enum": "one of a list of words", "number": "a number",
    "instant": "a point in time", "date": "a date", "duration": "an elapsed time", "period": "a calendar period",
    "list": "a list", "record": "a group of fields", "event": "an event", "null": "null",
}  # fmt: skip
"""What a type is called in messages to people."""


def plain(kind: Type) -> str:
    """A type in words, with its unit."""
    words = PLAIN.get(kind.name, kind.name)
    if kind.name == "number" and kind.unit is not None:
        return f"a number in {kind.unit}"
    if kind.name == "list" and kind.element is not None:
        return f"a list ({PLAIN.get(kind.element.name, kind.element.name)} each)"
    return words


def united(one: Type, other: Type) -> Type | None:
    """The type of a value that may be of either type, or None where there is none."""
    if ERROR in (one, other):
        return ERROR
    if one.name != other.name:
        return TEXT if {one.name, other.name} == {"text", "enum"} else None
    if one.name == "enum":
        return replace(one, values=tuple(dict.fromkeys((*one.values, *other.values))))
    if one.name == "number":
        return Type(
            "number", unit=one.unit if one.unit == other.unit else None, scale=max(one.scale, other.scale)
        )
    if one.name == "list":
        if one.element is None or other.element is None:
            return other if one.element is None else one
        element = united(one.element, other.element)
        return None if element is None else Type("list", element=element)
    if one.name == "record":
        mine, theirs = dict(one.fields), dict(other.fields)
        both = {**theirs, **mine}
        for name in mine.keys() & theirs.keys():
            shared = united(mine[name], theirs[name])
            if shared is None:
                return None
            both[name] = shared
        return Type("record", fields=tuple(both.items()))
    return one


def known_unit(unit: str | None) -> str | None:
    """A vocabulary unit, or None where it depends on another field ("per quantity_unit")."""
    return None if unit is None or unit.startswith("per ") else unit


def same_unit(one: str | None, other: str | None) -> bool:
    """Whether two numbers may be compared or added; no unit goes with every unit."""
    return one is None or other is None or _factors(one) == _factors(other)


def product_unit(one: str | None, other: str | None) -> str | None:
    """The unit of a product: mg/kg times kg is mg. Unknown where either is, or where all units cancel out."""
    if one is None or other is None:
        return None
    powers = _factors(one)
    powers.update(_factors(other))
    above = "*".join(sorted(name for name, power in powers.items() for _ in range(power)))
    below = "*".join(sorted(name for name, power in powers.items() for _ in range(-power)))
    if not above and not below:
        return None
    return f"{above}/{below}" if below else above


def _factors(unit: str) -> Counter[str]:
    powers: Counter[str] = Counter()
    above, _, below = unit.partition("/")
    powers.update(name for name in above.split("*") if name)
    powers.subtract(name for name in below.split("*") if name)
    return Counter({name: power for name, power in powers.items() if power})
