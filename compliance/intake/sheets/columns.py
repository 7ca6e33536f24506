"""Headings of a table, and the fields of a kind of event that they mean.

A heading is a field's name in any case, its words joined by spaces, underscores, hyphens or nothing; its unit may stand in brackets in place of the name's
end (``Dose (mg)`` is ``dose_mg``), and a star after it. ``vitals.pre_systolic_mmhg`` is a field of a record, ``fields.1.name`` one of the first
record of a list, ``topics.2`` the second item of a list. A point in time may have two columns, a date and a time: ``occurred date``, ``occurred time``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from compliance.domain.objections import did_you_mean
from compliance.domain.quantity import COUNTED
from compliance.domain.vocabulary import KINDS, FieldSpec
from compliance.intake.sheets.cells import letters

Path: TypeAlias = tuple[str | int, ...]
Part: TypeAlias = Literal["", "date", "time"]

MOST_ITEMS: Final = 200
"""Numbered columns of one list; a row can hold more as JSON."""

_LONGEST: Final = 200
"""Characters of a heading."""

_PARTS: Final[Mapping[str, Part]] = {
    "date": "date", "on": "date", "atdate": "date", "time": "time", "attime": "time",
}  # fmt: skip
"""What stands after the name of a point in time (without its ``_at``) where a column says its date or its time alone."""

_JOINED: Final = re.compile(r"[\s_*-]+")
_UNIT: Final = re.compile(r"(.*?)[(\[]([^()\[\]]*)[)\]][\s*]*", re.DOTALL)
_NUMBERED: Final = re.compile(r"([^.]+)\.([0-9]{1,3})(?:\.([^.]+))?")
_ENDINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "%": ("percent",),
    "degC": ("c",),
    "beats/min": ("bpm",),
    "mL/h": ("mlperhour",),
}
"""How field names end where they do not end as their unit is written."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a column says: a field by its path (list items counted from 1), the whole of it or its date or time alone."""

    path: Path
    spec: FieldSpec
    part: Part = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file: where it is, its heading, what it says."""

    number: int
    meaning: Meaning

    def cell(self, row: int) -> str:
        """A cell of it, as a spreadsheet names it: ``C4``."""
        return f"{letters(self.number)}{row}"


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a heading."""

    column: int
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Headings:
    """The columns that say fields; those that do not, with the field that each may be meant for; what is wrong with headings."""

    columns: tuple[Column, ...]
    unknown: tuple[tuple[int, str], ...]
    wrong: tuple[Wrong, ...]


def folded(text: str) -> str:
    """A name without what people write differently: case, width, spaces, underscores, hyphens, a star."""
    return _JOINED.sub("", unicodedata.normalize("NFKC", text).casefold())


def known_headings(kind: str, texts: Sequence[str]) -> int:
    """How many of some texts are headings of a kind's fields."""
    return sum(isinstance(_meaning(kind, text), Meaning | str) for text in texts)


def headings(kind: str, texts: Mapping[int, str]) -> Headings:
    """What each heading means, by column."""
    columns: list[Column] = []
    unknown: list[tuple[int, str]] = []
    wrong: list[Wrong] = []
    taken: dict[tuple[Path, Part], int] = {}
    for number, text in texts.items():
        meaning = _meaning(kind, text)
        if meaning is None:
            unknown.append((number, did_you_mean(_like_a_name(text), _names(kind))))
        elif isinstance(meaning, str):
            wrong.append(
                Wrong(
                    number, f"column {letters(number)} {meaning}", "convert its values, or mend the heading"
                )
            )
        elif (earlier := taken.setdefault((meaning.path, meaning.part), number)) != number:
            message = f"columns {letters(earlier)} and {letters(number)} both say {path_name(meaning)}"
            wrong.append(Wrong(number, message, "keep the one that is meant"))
        else:
            columns.append(Column(number, meaning))
    return Headings(tuple(columns), tuple(unknown), tuple(wrong))


def missing(kind: str, columns: Sequence[Column], given: Sequence[str]) -> tuple[str, ...]:
    """The fields that every event of a kind needs and that no column says; `given` are those that the call says."""
    said = {column.meaning.path[0] for column in columns} | set(given)
    return tuple(name for name, spec in sent(kind).items() if spec.required and name not in said)


def path_name(meaning: Meaning) -> str:
    """A column's field for people: ``vitals.pre_systolic_mmhg``, ``occurred_at (time)``."""
    return ".".join(map(str, meaning.path)) + (f" ({meaning.part})" if meaning.part else "")


@lru_cache(maxsize=64)
def sent(kind: str) -> dict[str, FieldSpec]:
    """The fields of a kind that a sender says, by name."""
    return {name: spec for name, spec in KINDS[kind].fields.items() if not spec.derived}


def heading(meaning: Meaning) -> str:
    """A heading that means it, with its unit: ``Dose (mg)``, ``Vitals.pre systolic mmhg``."""
    unit = meaning.spec.unit
    if unit is None or not isinstance(meaning.path[-1], str):
        return _words(".".join(map(str, meaning.path)))
    name = meaning.path[-1]
    for ending in _endings(unit):
        words = name.split("_")
        for cut in range(1, len(words)):
            if folded("".join(words[cut:])) == ending:
                return f"{_words('.'.join([*map(str, meaning.path[:-1]), '_'.join(words[:cut])]))} ({unit})"
    return _words(".".join(map(str, meaning.path)))


def _words(name: str) -> str:
    return name[:1].upper() + name[1:].replace("_", " ")


@lru_cache(maxsize=1024)
def _meaning(kind: str, text: str) -> Meaning | str | None:
    """What a heading means; words where it names a field and another unit; None where it names none."""
    if len(text) > _LONGEST:
        return None
    named = _named(kind)
    bracket = _UNIT.fullmatch(text)
    if bracket is None:
        return _found(named, folded(text))
    unit = _spelled(bracket[2])
    other: Meaning | None = None
    for known in _all_units(kind):  # before the name by itself: ``Drug (mL)`` is drug_ml and not drug
        for ending in _endings(known):
            meaning = _found(named, folded(bracket[1]) + ending)
            if meaning is not None and meaning.spec.unit == known:
                if unit in _units(known):
                    return meaning
                other = other or meaning
    whole = _found(named, folded(bracket[1]))
    if whole is not None:
        own = whole.spec.unit
        if (own is None and whole.spec.type not in {"decimal", "integer"}) or (own and unit in _units(own)):
            return whole
    wrong = whole or other
    if wrong is None:
        return None
    unit_of = wrong.spec.unit
    return f"is in {bracket[2]!r}, and {path_name(wrong)} is {f'in {unit_of}' if unit_of else 'a number without a unit'}"


def _like_a_name(text: str) -> str:
    """A heading as the field would be called: ``Doze (mg)`` as ``Doze_mg``."""
    bracket = _UNIT.fullmatch(text) if len(text) <= _LONGEST else None
    return text if bracket is None else f"{bracket[1].strip()}_{bracket[2].strip()}"


def _found(named: Mapping[str, Meaning], name: str) -> Meaning | None:
    """A field by its folded name; items of lists by number."""
    if (meaning := named.get(name)) is not None:
        return meaning
    match = _NUMBERED.fullmatch(name)
    above = None if match is None else named.get(match[1])
    if match is None or above is None or above.spec.element is None or not 1 <= int(match[2]) <= MOST_ITEMS:
        return None
    element, number = above.spec.element, int(match[2])
    if match[3] is None:
        return None if element.fields is not None else Meaning((*above.path, number), element)
    for inner, spec in (element.fields or {}).items():
        if folded(inner) == match[3]:
            return Meaning((*above.path, number, inner), spec)
    return None


@lru_cache(maxsize=64)
def _named(kind: str) -> Mapping[str, Meaning]:
    """What headings may say of a kind, by folded name; names of fields come before names of their parts."""
    own = {folded(name): Meaning((name,), spec) for name, spec in sent(kind).items()}
    below = {
        f"{folded(name)}.{folded(inner)}": Meaning((name, inner), spec)
        for name, above in sent(kind).items()
        for inner, spec in (above.fields or {}).items()
    }
    parts: dict[str, Meaning] = {}
    for name, spec in sent(kind).items():
        if spec.type != "instant":
            continue
        stem = folded(name.removesuffix("_at"))
        for word, part in _PARTS.items():
            parts.setdefault(stem + word, Meaning((name,), spec, part))
    return {**parts, **below, **own}


def _names(kind: str) -> Iterator[str]:
    return (path_name(meaning) for meaning in _named(kind).values() if not meaning.part)


@lru_cache(maxsize=64)
def _all_units(kind: str) -> tuple[str, ...]:
    """The units of a kind's fields."""

    def units(fields: Mapping[str, FieldSpec]) -> Iterator[str]:
        for spec in fields.values():
            if spec.unit is not None:
                yield spec.unit
            yield from units(spec.fields or {})
            yield from units((spec.element and spec.element.fields) or {})

    return tuple(dict.fromkeys(units(sent(kind))))


def _endings(unit: str) -> tuple[str, ...]:
    spelled = folded(unit.replace("/", "per"))
    plural = (f"{spelled}s",) if unit in COUNTED else ()
    return (*_ENDINGS.get(unit, ()), *plural, spelled)


def is_unit(unit: str, text: str) -> bool:
    """Whether a text is a unit, as people write it, in brackets or not."""
    bracket = _UNIT.fullmatch(text)
    return _spelled(text if bracket is None or bracket[1].strip() else bracket[2]) in _units(unit)


def _units(unit: str) -> frozenset[str]:
    """How people write a unit."""
    return frozenset({_spelled(unit), *_endings(unit), *({"°c"} if unit == "degC" else ())})


def _spelled(unit: str) -> str:
    return "".join(unit.casefold().split())
