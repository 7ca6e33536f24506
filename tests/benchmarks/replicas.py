"""The demonstration's fortnight many times over: other clinics, people and patients each time, every reference still valid.

A replica is made from the JSON text of the events: strings that are handles (ids of events, sites, people, patients, sessions, containers ...)
get a suffix, dates and instants are moved by whole weeks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import orjson

from compliance.demo import events
from compliance.domain.lookup import indexed_fields
from compliance.domain.vocabulary import KINDS, FieldSpec

SHARED = frozenset(
    {"drug", "drug_code", "ndc11", "artifact", "lot", "invoice_no", "state", "jurisdiction", "course"}
)
"""Handles that clinics have in common."""

PEOPLE_OF_A_VISIT = frozenset(
    {"patient", "session", "preparation", "order", "prescription", "consent", "course", "escort_ref"}
)
"""Handles that are new in every fortnight of the same clinic; staff, stores and registrations stay."""

_STRING = re.compile(rb'"((?:[^"\\]|\\.)*)"(:?)')
_DATE = re.compile(rb"\d{4}-\d\d-\d\d(?:$|T)")


def fortnight() -> list[dict[str, Any]]:
    """The events of the demonstration."""
    return list(events())


@lru_cache
def handles() -> tuple[frozenset[bytes], frozenset[bytes]]:
    """All handles in the fortnight, and those among them that another fortnight of the same clinics does not share."""
    all_of_them: set[bytes] = set()
    of_a_visit: set[bytes] = set()

    def take(fields: Mapping[str, FieldSpec], record: Mapping[str, Any], wanted: frozenset[str]) -> None:
        for name, value in record.items():
            spec = fields[name]
            if spec.fields and isinstance(value, dict):
                take(spec.fields, value, wanted)
            elif isinstance(value, list) and spec.element is not None:
                for item in value:
                    if isinstance(item, dict) and spec.element.fields:
                        take(spec.element.fields, item, wanted)
                    elif isinstance(item, str) and not spec.element.values and not spec.element.listed:
                        note(name, spec.element, item, wanted)
            elif isinstance(value, str):
                note(name, spec, value, wanted)

    def note(name: str, spec: FieldSpec, value: str, wanted: frozenset[str]) -> None:
        if (
            spec.values
            or spec.listed
            or name in SHARED
            or not (spec.type == "id" or name in wanted or value in known)
        ):
            return
        all_of_them.add(value.encode())
        if name in PEOPLE_OF_A_VISIT or name == "id" or name.endswith("_event"):
            of_a_visit.add(value.encode())

    known = {value for body in events() for name, value in body.items() if name in ("actor", "id")}
    for body in events():
        take(KINDS[body["kind"]].fields, body, frozenset(indexed_fields(body["kind"])))
    return frozenset(all_of_them), frozenset(of_a_visit)


def replica(lines: Iterable[bytes], number: int) -> Iterator[bytes]:
    """The events at other clinics, of other people."""
    return rewritten(lines, {handle: handle + b".%d" % number for handle in handles()[0]}, 0)


def earlier(lines: Iterable[bytes], number: int, weeks: int) -> Iterator[bytes]:
    """A replica's events as of some weeks before, at the same clinics: visits and ids are new, people and stores are not."""
    suffix = b".%d" % number
    return rewritten(
        lines, {handle + suffix: handle + suffix + b".%d" % weeks for handle in handles()[1]}, -weeks
    )


def rewritten(lines: Iterable[bytes], renamed: Mapping[bytes, bytes], weeks: int) -> Iterator[bytes]:
    """The events with strings renamed, and with dates and instants moved by whole weeks."""
    moved: dict[bytes, bytes] = {}

    def rewrite(match: re.Match[bytes]) -> bytes:
        text = match[1]
        if match[2]:  # the name of a member
            return match[0]
        name = renamed.get(text)
        if name is not None:
            return b'"' + name + b'"'
        if weeks and _DATE.match(text):
            day = moved.get(text[:10])
            if day is None:
                day = moved[text[:10]] = (
                    (date.fromisoformat(text[:10].decode()) + timedelta(weeks=weeks)).isoformat().encode()
                )
            return b'"' + day + text[10:] + b'"'
        return match[0]

    return (_STRING.sub(rewrite, line) for line in lines)


def ndjson(count: int) -> list[bytes]:
    """So many events as lines, of as many clinics as that takes, in the order in which they occurred."""
    lines = [orjson.dumps(body) for body in fortnight()]
    replicas = (count + len(lines) - 1) // len(lines)
    woven = zip(*(replica(lines, number) for number in range(1, replicas + 1)), strict=True)
    return [line for some in woven for line in some][:count]
