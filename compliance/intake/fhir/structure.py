"""Whether a resource is what FHIR R4 says it is: each element by its class in ``fhir.resources.R4B``, every problem at its FHIRPath-like place.

The classes of R4B are those of R4 for all that is read here. A class is asked as a whole once for each set of members that an element has, since
which of them must be there, and which exclude each other, depends on nothing else; the values are asked one by one, by the types that the
class gives them. What the classes let through and FHIR does not (FHIR R4, "JSON Representation of Resources") is refused first: null, a number
in quotes, an object as text.

No value is ever repeated in a problem.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from types import NoneType
from typing import Annotated, Any, Final, TypeAlias

import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError

from compliance.domain.objections import path_text
from compliance.domain.quantity import NumberText
from compliance.errors import InputError, Place, Problem
from compliance.intake.fhir.sketch import Resource
from compliance.intake.json_lines import digits

MOST: Final = 50
"""No more problems than this are told of one resource."""
_LONGEST: Final = 1024
_REMEMBERED: Final = 8192
"""So many sets of members, and so many small elements, are remembered."""
_REMEMBERED_DEPTH: Final = 2
_DIGITS: Final = 64
_SPEC: Final = "See the element in FHIR R4, and mend it where it comes from."

Steps: TypeAlias = tuple[Any, ...]
"""Names and positions, from the resource inwards; made into text only where something is wrong."""
Found: TypeAlias = tuple[Steps, str]


@dataclass(frozen=True, slots=True, eq=False)  # one is itself only, which makes it a key that costs nothing
class _Element:
    """What may stand under a name: an element of a class, any resource, or a primitive that JSON writes in one of some types, and of which
    `asked` tells whether it is one."""

    repeats: bool
    of: type[BaseModel] | None = None
    resource: bool = False
    written: tuple[type, ...] = ()
    asked: TypeAdapter[Any] | None = None


_NAME_OF_TYPE: Final = _Element(repeats=False, written=(str,), asked=TypeAdapter(str))
"""``resourceType``, by which the class was found."""


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
        self._sound: set[tuple[type, frozenset[str]]] = set()
        self._again: set[tuple[type, bytes]] = set()
        self._texts: set[tuple[_Element, str]] = set()
        self._shapes: dict[tuple[Any, ...], tuple[_Element, ...]] = {}

    def knows(self, name: str) -> bool:
        """Whether R4 has a resource of this name."""
        return self._class_of(name) is not None

    def problems(self, resource: Resource, place: Place) -> tuple[Problem, ...]:
        """All that is wrong with a resource whose type R4 knows."""
        name = resource["resourceType"]
        of = self._class_of(name)
        if of is None:
            raise KeyError(name)
        if self._plainly_sound(of, resource, 0):
            return ()
        found: list[Found] = []
        self._look(of, resource, (), found)
        return tuple(
            Problem(Place(place.source, place.line, field=path_text((name, *steps))), said, _SPEC, "fhir")
            for steps, said in found[:MOST]
        )

    def _class_of(self, name: Any) -> type[BaseModel] | None:
        return _resource_class(self._by_name, name) if isinstance(name, str) else None

    def _plainly_sound(self, of: type[BaseModel], value: Resource, depth: int) -> bool:
        """Whether nothing is wrong with an element, as far as that shows from what was found sound before: its members, in their order, and its
        texts. Codes, units and references come again and again: right below a resource, elements are remembered whole, by their bytes."""
        elements = self._shapes.get((of, *value))
        if elements is None:
            return False
        for element, inner in zip(elements, value.values(), strict=True):
            if not element.repeats:
                if not self._is_plainly(element, inner, depth):
                    return False
            elif type(inner) is not list:
                return False
            else:
                for one in inner:
                    if not self._is_plainly(element, one, depth):
                        return False
        return True

    def _is_plainly(self, element: _Element, value: Any, depth: int) -> bool:
        if element.asked is not None:
            text = (element, value) if type(value) is str else None
            if text in self._texts:
                return True
            found: list[Found] = []
            _primitive(element, element.asked, value, (), found)
            if text is not None and not found and len(text[1]) <= _LONGEST:
                _remember(self._texts, text)
            return not found
        if element.of is None or element.resource or type(value) is not dict:
            return False
        again = _bytes(element.of, value) if depth < _REMEMBERED_DEPTH else None
        if again in self._again:
            return True
        if not self._plainly_sound(element.of, value, depth + 1):
            return False
        if again is not None:
            _remember(self._again, again)
        return True

    def _look(self, of: type[BaseModel], value: Resource, path: Steps, found: list[Found]) -> None:
        """Note all that is wrong with an element, and remember its members where nothing is."""
        before = len(found)
        members = _elements(of)
        for nth, (name, inner) in enumerate(value.items(), 1):
            element = members.get(name)
            if element is None:
                if name != "resourceType" or "implicitRules" not in members:
                    found.append((path, f"member {nth} of this is no element of FHIR R4"))
            elif not element.repeats:
                self._one(element, inner, (*path, name), found)
            elif not isinstance(inner, list):
                found.append(((*path, name), "one value, where FHIR has a list"))
            else:
                for position, one in enumerate(inner):
                    self._one(element, one, (*path, name, position), found, listed=True)
        shape = (of, frozenset(value))
        if len(found) > before:
            return
        if shape not in self._sound:
            try:
                of.model_validate(_plain(value))
            except ValidationError as error:
                found.extend(_told(error, path))
                return
            if not any(
                name.startswith("_") for name in value
            ):  # what explains a missing value counts by what it says
                _remember(self._sound, shape)
        if shape in self._sound:
            if len(self._shapes) >= _REMEMBERED:
                self._shapes.clear()
            self._shapes[(of, *value)] = tuple(members.get(name, _NAME_OF_TYPE) for name in value)

    def _one(
        self, element: _Element, value: Any, at: Steps, found: list[Found], *, listed: bool = False
    ) -> None:
        if value is None:
            if not listed or not (element.asked or str(at[-2]).startswith("_")):
                found.append((at, "null, where FHIR leaves the element out"))
        elif element.asked is not None:
            _primitive(element, element.asked, value, at, found)
        elif not isinstance(value, dict):
            found.append((at, "no object, where FHIR has one"))
        else:
            of = self._class_of(value.get("resourceType")) if element.resource else element.of
            if of is None:
                found.append(((*at, "resourceType"), "no type of resource that FHIR R4 has"))
            else:
                self._look(of, value, at, found)


def _bytes(of: type, value: Resource) -> tuple[type, bytes] | None:
    """An element to be looked up; None for one that is long, which hardly comes again, and for text that is no Unicode."""
    try:
        encoded = orjson.dumps(value, default=digits)
    except TypeError:
        return None
    return (of, encoded) if len(encoded) <= _LONGEST else None


def _remember(known: set[Any], one: Any) -> None:
    if len(known) >= _REMEMBERED:
        known.clear()
    known.add(one)


def _primitive(element: _Element, asked: TypeAdapter[Any], value: Any, at: Steps, found: list[Found]) -> None:
    if type(value) not in element.written:
        found.append((at, f"not written as FHIR writes it: {_WORDS[element.written]} is wanted"))
        return
    if isinstance(value, NumberText) and len(value.text) > _DIGITS:
        found.append((at, f"a number of more than {_DIGITS} characters"))
        return
    try:
        asked.validator.validate_python(Decimal(value.text) if isinstance(value, NumberText) else value)
    except ValidationError:
        found.append((at, "not as FHIR R4 writes such a value"))


def _plain(value: Any) -> Any:
    """A JSON value with its numbers as the classes take them."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return Decimal(value.text) if isinstance(value, NumberText) else value


_TEXT: Final = (str,)
_NUMBER: Final = (int, NumberText)
_WHOLE: Final = (int,)
_TRUTH: Final = (bool,)
_WRITTEN: Final[Mapping[type, tuple[type, ...]]] = {bool: _TRUTH, int: _WHOLE, Decimal: _NUMBER}
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
    while (origin := typing.get_origin(annotation)) is not None and origin is not Annotated:
        repeats |= origin is list
        annotation = next(one for one in typing.get_args(annotation) if one is not NoneType)
    if hasattr(annotation, "get_model_klass"):
        of = annotation.get_model_klass()
        return _Element(repeats, of, resource=of.__name__ == "Resource")
    base = annotation
    while typing.get_origin(base) is Annotated:
        base = typing.get_args(base)[0]
    written = _WRITTEN.get(base, _TEXT)
    return _Element(repeats, written=written, asked=TypeAdapter(annotation))


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
