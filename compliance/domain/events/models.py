"""A pydantic model for each kind of event: the checks at the boundary.

Strict, frozen, and closed to fields that the vocabulary does not have. ``"28"`` is no integer, ``true`` is no number, null is
no way to leave a field out, and no binary float is let in. A model is made from the vocabulary when its kind is first met: 57
validators cost a second of start-up, and most calls meet a few kinds.
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
    "drug": Annotated[str, Strict(), AfterValidator(check_drug)],
    "zone": Annotated[str, Strict(), AfterValidator(check_zone)],
}
_CLOSED: Final = ConfigDict(strict=True, extra="forbid", frozen=True)
_OPEN: Final = ConfigDict(strict=True, extra="ignore", frozen=True)


@cache
def model_of(kind: str) -> type[BaseModel]:
    """The model of a kind. KeyError for a kind that the vocabulary does not have."""
    name = EVENT_TYPES[kind].__name__
    return _model(name, KINDS[kind].fields, f"{KINDS[kind].says}.", _CLOSED)


@cache
def envelope_model() -> type[BaseModel]:
    """What can be said of an event whose kind is unknown: the envelope's fields, whatever else it has."""
    return _model("Envelope", ENVELOPE, "What every event carries.", _OPEN)


def _model(name: str, fields: Mapping[str, FieldSpec], says: str, config: ConfigDict) -> type[BaseModel]:
    members: dict[str, Any] = {
        spec.name: (_type_of(spec, name), _field(spec)) for spec in fields.values() if not spec.derived
    }
    made: type[BaseModel] = create_model(name, __config__=config, __doc__=says, **members)
    return made


def _field(spec: FieldSpec) -> Any:
    extra: dict[str, Any] | None = {"x-unit": spec.unit} if spec.unit else None
    default: Any = ... if spec.required else "performed" if spec.name == "intent" else None
    return Field(default, description=spec.says, json_schema_extra=extra)


def _type_of(spec: FieldSpec, owner: str) -> Any:
    if spec.type == "enum":
        return Literal[spec.values]
    if spec.listed:
        return _LISTED[spec.listed]
    if spec.element is not None:
        return list[_type_of(spec.element, f"{owner}.{spec.name}")]  # type: ignore[misc]
    if spec.fields is not None:
        return _model(f"{owner}.{spec.name or 'line'}", spec.fields, spec.says or f"One of {owner}.", _CLOSED)
    return _TYPES[spec.type]
