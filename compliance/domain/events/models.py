"""A pydantic model for each kind of event: the checks at the boundary.

Strict, frozen, and closed to fields that the vocabulary does not have. ``"28"`` is no integer, ``true`` is no number, null is
no way to leave a field out, and no binary float is let in. A model is made from the vocabulary when its kind is first met: 57
validators cost a second of start-up, and most calls meet a few kinds.

There are two of each. `model_of` asks every question and has words for every answer. `quick_model_of` is for the ninety-odd per cent of
events with which nothing is wrong: the same types as patterns that pydantic's core checks without calling back into Python.
It may turn away what is right, never let in what is wrong, as long as its caller asks two things more: that the event's text is plain
ASCII without escapes, and that its dates and instants convert. A property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    Strict,
    StringConstraints,
    create_model,
)

from compliance.domain.events import EVENT_TYPES
from compliance.domain.events.checks import (
    TEXT_LENGTH,
    check_drug,
    check_text,
    check_zone,
    read_amount,
    read_day,
    read_moment,
)
from compliance.domain.quantity import LIMIT
from compliance.domain.vocabulary import ENVELOPE, KINDS, FieldSpec

_TYPES: Final[Mapping[str, Any]] = {
    "id": Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9._:\-]{1,64}$")],
    "text": Annotated[str, Strict(), AfterValidator(check_text)],
    "integer": Annotated[int, Field(strict=True, gt=-LIMIT, lt=LIMIT)],
    "decimal": Annotated[Decimal, PlainValidator(read_amount)],
    "boolean": Annotated[bool, Strict()],
    "instant": Annotated[datetime, PlainValidator(read_moment)],
    "date": Annotated[date, PlainValidator(read_day)],
}
_LISTED: Final[Mapping[str, Any]] = {
    "drug": Annotated[str, Strict(), AfterValidator(check_drug)],  # quick enough: a look into a dict
    "zone": Annotated[str, Strict(), AfterValidator(check_zone)],
}
_QUICK_TYPES: Final[Mapping[str, Any]] = {
    **_TYPES,
    "text": Annotated[str, StringConstraints(strict=True, max_length=TEXT_LENGTH, pattern=r"[^ ]")],
    "decimal": Annotated[
        str, StringConstraints(strict=True, pattern=r"^-?(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,6})?$")
    ],
    "instant": Annotated[
        str,
        StringConstraints(
            strict=True,
            pattern=(
                r"^(?:19[1-9]|20[0-9])[0-9]-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](?:\.[0-9]{1,6})?"
                r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$"
            ),
        ),
    ],
    "date": Annotated[str, StringConstraints(strict=True, pattern=r"^(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}$")],
}
_CLOSED: Final = ConfigDict(strict=True, extra="forbid", frozen=True)
_OPEN: Final = ConfigDict(strict=True, extra="ignore", frozen=True)


@cache
def model_of(kind: str) -> type[BaseModel]:
    """The model of a kind. KeyError for a kind that the vocabulary does not have."""
    name = EVENT_TYPES[kind].__name__
    return _model(name, KINDS[kind].fields, f"{KINDS[kind].says}.", _CLOSED, _TYPES)


@cache
def quick_model_of(kind: str) -> type[BaseModel]:
    """The same without words, and without conversions; see the module."""
    name = f"Quick{EVENT_TYPES[kind].__name__}"
    return _model(name, KINDS[kind].fields, f"{KINDS[kind].says}.", _CLOSED, _QUICK_TYPES)


@cache
def envelope_model() -> type[BaseModel]:
    """What can be said of an event whose kind is unknown: the envelope's fields, whatever else it has."""
    return _model("Envelope", ENVELOPE, "What every event carries.", _OPEN, _TYPES)


def answer_model(spec: FieldSpec) -> type[BaseModel]:
    """The model of one field alone, for what a person answers."""
    return _model("Answer", {spec.name: spec}, "One field.", _CLOSED, _TYPES)


def _model(
    name: str, fields: Mapping[str, FieldSpec], says: str, config: ConfigDict, simple: Mapping[str, Any]
) -> type[BaseModel]:
    members: dict[str, Any] = {
        spec.name: (_type_of(spec, name, simple), _field(spec))
        for spec in fields.values()
        if not spec.derived
    }
    made: type[BaseModel] = create_model(name, __config__=config, __doc__=says, **members)
    return made


def _field(spec: FieldSpec) -> Any:
    extra: dict[str, Any] | None = {"x-unit": spec.unit} if spec.unit else None
    default: Any = ... if spec.required else "performed" if spec.name == "intent" else None
    return Field(default, description=spec.says, json_schema_extra=extra)


def _type_of(spec: FieldSpec, owner: str, simple: Mapping[str, Any]) -> Any:
    if spec.type == "enum":
        return Literal[spec.values]
    if spec.listed:
        return _LISTED[spec.listed]
    if spec.element is not None:
        return list[_type_of(spec.element, f"{owner}.{spec.name}", simple)]  # type: ignore[misc]
    if spec.fields is not None:
        return _model(
            f"{owner}.{spec.name or 'line'}", spec.fields, spec.says or f"One of {owner}.", _CLOSED, simple
        )
    return simple[spec.type]
