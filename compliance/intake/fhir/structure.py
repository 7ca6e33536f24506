"""Whether a resource is what FHIR R4 says it is: each element by its class in ``fhir.resources.R4B``, every problem at its FHIRPath-like place.

The classes of R4B are those of R4 for all that is read here. They are asked element by element, from the inside out: an element that was found
sound is remembered by its bytes, since codes, units, people and places come again and again. What they let through and FHIR does not (FHIR R4,
"JSON Representation of Resources") is refused before they are asked: null, a number in quotes, an object as text.

No value is ever repeated in a problem.
"""

from __future__ import annotations

import typing
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from types import NoneType
from typing import Annotated, Any, Final, TypeAlias

import orjson
from pydantic import BaseModel, ValidationError

from compliance.domain.objections import path_text
from compliance.domain.quantity import NumberText
from compliance.errors import InputError, Place, Problem
from compliance.intake.fhir.sketch import Resource

MOST: Final = 50
"""No more problems than this are told of one resource."""
_REMEMBERED: Final = 4096
_LONGEST: Final = 2048
"""Elements of more bytes hardly come again, and are not remembered."""
_DIGITS: Final = 64
_SPEC: Final = "See the element in FHIR R4, and mend it where it comes from."

Steps: TypeAlias = tuple[Any, ...]
"""Names and positions, from the resource inwards; made into text only where something is wrong."""
Found: TypeAlias = tuple[Steps, str]


@dataclass(frozen=True, slots=True)
class _Element:
    """What may stand under a name: an element of a class, any resource, or a primitive that JSON writes in one of some types."""

    repeats: bool
    of: type[BaseModel] | None = None
    resource: bool = False
    written: tuple[type, ...] = ()


class Structure:
    """Checks resources; one per run, since it remembers."""

    def __init__(self) -> None:
        try:
            from fhir.resources.R4B import get_fhir_model_class  # noqa: PLC0415 - an extra, and slow to import
        except ImportError:
            raise InputError(
                "FHIR is read with fhir.resources, which is not installed",
                "Install it with `pip install 'compliance-engine[fhir]'`.",
            ) from None
        self._by_name = get_fhir_model_class
        self._sound: OrderedDict[tuple[type, bytes], BaseModel] = OrderedDict()

    def knows(self, name: str) -> bool:
        """Whether R4 has a resource of this name."""
        return self._class_of(name) is not None

    def problems(self, resource: Resource, place: Place) -> tuple[Problem, ...]:
        """All that is wrong with a resource whose type R4 knows."""
        name = resource["resourceType"]
        of = self._class_of(name)
        if of is None:
            raise KeyError(name)
        found: list[Found] = []
        try:
            self._made(of, resource, (), found)
        except TypeError:  # orjson: half of a surrogate pair
            found = [((), "text that is no Unicode (half of a surrogate pair)")]
        return tuple(
            Problem(Place(place.source, place.line, field=path_text((name, *steps))), said, _SPEC, "fhir")
            for steps, said in found[:MOST]
        )

    def _class_of(self, name: Any) -> type[BaseModel] | None:
        return _resource_class(self._by_name, name) if isinstance(name, str) else None

    def _made(
        self, of: type[BaseModel], value: Resource, path: Steps, found: list[Found]
    ) -> BaseModel | None:
        """The element as an object of its class, or None where something is wrong with it."""
        encoded = orjson.dumps(value, default=_digits)
        key = (of, encoded)
        known = self._sound.get(key)
        if known is not None:
            self._sound.move_to_end(key)
            return known
        before = len(found)
        members = _elements(of)
        children: dict[str, Any] = {}
        for name, inner in value.items():
            element = members.get(name)
            if element is not None:
                children[name] = self._member(element, inner, (*path, name), found)
            elif name == "resourceType" and "implicitRules" in members:
                children[name] = inner
            else:
                found.append(((*path, name), "no element of FHIR R4"))
        if len(found) > before:
            return None
        try:
            made = of.model_validate(children)
        except ValidationError as error:
            found.extend(_told(error, path))
            return None
        if len(encoded) <= _LONGEST:
            self._sound[key] = made
            if len(self._sound) > _REMEMBERED:
                self._sound.popitem(last=False)
        return made

    def _member(self, element: _Element, value: Any, at: Steps, found: list[Found]) -> Any:
        if not element.repeats:
            return self._one(element, value, at, found)
        if not isinstance(value, list):
            found.append((at, "one value, where FHIR has a list"))
            return None
        return [self._one(element, one, (*at, i), found, listed=True) for i, one in enumerate(value)]

    def _one(
        self, element: _Element, value: Any, at: Steps, found: list[Found], *, listed: bool = False
    ) -> Any:
        if value is None:
            if not listed or not (element.written or str(at[-2]).startswith("_")):
                found.append((at, "null, where FHIR leaves the element out"))
            return None
        if element.written:
            return _primitive(element.written, value, at, found)
        if not isinstance(value, dict):
            found.append((at, "no object, where FHIR has one"))
            return None
        of = element.of
        if element.resource:
            of = self._class_of(value.get("resourceType"))
            if of is None:
                found.append(((*at, "resourceType"), "no type of resource that FHIR R4 has"))
        return None if of is None else self._made(of, value, at, found)


def _primitive(written: tuple[type, ...], value: Any, at: Steps, found: list[Found]) -> Any:
    if type(value) not in written:
        found.append((at, f"not written as FHIR writes it: {_WORDS[written]} is wanted"))
        return None
    if isinstance(value, NumberText):
        if len(value.text) > _DIGITS:
            found.append((at, f"a number of more than {_DIGITS} characters"))
            return None
        return Decimal(value.text)
    return value


_TEXT: Final = (str,)
_NUMBER: Final = (int, NumberText)
_WHOLE: Final = (int,)
_TRUTH: Final = (bool,)
_WORDS: Final[Mapping[tuple[type, ...], str]] = {
    _TEXT: "text", _NUMBER: "a number without quotes", _WHOLE: "a whole number without quotes", _TRUTH: "true or false",
}  # fmt: skip


@lru_cache(maxsize=512)
def _resource_class(by_name: Any, name: str) -> type[BaseModel] | None:
    """The class of a type of resource; None where R4 has none of that name, or no resource."""
    try:
        of: type[BaseModel] = by_name(name)
    except (LookupError, ValueError, AttributeError, ImportError):
        return None
    return of if "implicitRules" in of.model_fields else None


@lru_cache(maxsize=1024)
def _elements(of: type[BaseModel]) -> Mapping[str, _Element]:
    """What may stand in an element of a class, by its name in JSON."""
    return {
        (field.alias or name): _element(field.annotation)
        for name, field in of.model_fields.items()
        if name != "fhir_comments"
    }


def _element(annotation: Any) -> _Element:
    repeats = False
    while (origin := typing.get_origin(annotation)) is not None:
        repeats |= origin is list
        args = typing.get_args(annotation)
        annotation = args[0] if origin is Annotated else next(one for one in args if one is not NoneType)
    if hasattr(annotation, "get_model_klass"):
        of = annotation.get_model_klass()
        return _Element(repeats, of, resource=of.__name__ == "Resource")
    if annotation is bool:
        return _Element(repeats, written=_TRUTH)
    if annotation is int:
        return _Element(repeats, written=_WHOLE)
    return _Element(repeats, written=_NUMBER if annotation is Decimal else _TEXT)


def _told(error: ValidationError, path: Steps) -> Iterator[Found]:
    """What a class found, in words that repeat nothing."""
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        yield (*path, *(step for step in one["loc"] if step != "root")), _words(one["type"], one["msg"])


def _words(kind: str, message: str) -> str:
    if "missing" in kind or message.lower().startswith("field required"):
        return "missing, and FHIR requires it"
    if "Expect any of field value" in message:
        return "none of the forms of an element that FHIR requires"
    if "got multiple" in message:
        return "several forms of an element of which FHIR allows one"
    return "not as FHIR R4 writes such a value"


def _digits(value: Any) -> Any:
    """A number as it was written."""
    if isinstance(value, NumberText):
        return orjson.Fragment(value.text.encode())
    raise TypeError
