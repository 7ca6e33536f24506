"""What references name: resources of the input, contained ones too, each checked before anybody looks into it.

A reference is relative (``Encounter/3``), absolute (with the server's address), a ``urn:uuid:`` of a Bundle's entry, or names a contained
resource (``#med1``). All that name one resource become ``Type/id``; what another resource contains is ``Type/id#med1`` from outside. A circle of
references is a matter of whoever follows them: each step is one look-up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

from compliance.errors import Place, Problem
from compliance.intake.fhir.gathering import Gathered, Kept, own_id, relative
from compliance.intake.fhir.sketch import Resource
from compliance.intake.fhir.structure import Structure
from compliance.intake.fhir.view import instant_of
from compliance.intake.json_lines import NOTHING, ExactReader, plainly

_IN_USE: Final = 1024
"""Resources that are kept in memory; one is some 10 KB."""
_FOUND: Final = 8192
_FAR: Final = re.compile(rb'"reference"\s*:\s*"(?![A-Z][A-Za-z]{1,63}/[A-Za-z0-9.\-]{1,64}")')
"""A reference that is not plainly ``Type/id``."""


class References:
    """The resources of an input as they are read and looked up."""

    def __init__(self, gathered: Gathered, structure: Structure) -> None:
        self._gathered = gathered
        self._structure = structure
        self._reader = ExactReader()
        self._current: Resource = {}
        self._checked: dict[int, Resource | tuple[Problem, ...]] = {}
        self._named = lru_cache(_FOUND)(gathered.named)
        self._loaded = lru_cache(_IN_USE)(self._load)
        self._whole = lru_cache(_IN_USE)(self._find)

    def read(self, kept: Kept) -> Resource | tuple[Problem, ...]:
        """A resource whose structure is sound, or all that is wrong with it; from now on ``#x`` is what it contains."""
        found = self._sound(kept)
        if isinstance(found, tuple):
            return found
        self._current = self._plain(found, kept, outside=False)
        return self._current

    def value(self, kept: Kept) -> tuple[Any, tuple[Problem, ...]]:
        """The JSON value of a resource, exactly as it was written, and what is wrong with its JSON."""
        value: Any = plainly(kept.raw)
        problems: tuple[Problem, ...] = ()
        if value is NOTHING:
            place = Place(self._gathered.sources[kept.file], kept.line)
            value, problems = self._reader.parsed(kept.raw, place)
        if kept.inner and isinstance(value, dict):
            value = value.get("resource")
        return value, problems

    def resolve(self, reference: str) -> Resource | None:
        """The resource that a reference names; None where the input does not hold it, or not as FHIR has it."""
        if "#" not in reference:
            return self._whole(reference)
        base, _, inside = reference.partition("#")
        holder = self._whole(base) if base else self._current
        if holder is None or not inside:
            return holder
        return next((one for one in holder.get("contained", ()) if one.get("id") == inside), None)

    def called(self, reference: str) -> str:
        """``Type/id`` of what a reference names, as far as that can be known."""
        base, _, inside = reference.partition("#")
        if not base:
            return reference
        seq = None if base == relative(base) and not base.startswith("urn:") else self._named(base)
        key = None if seq is None else self._gathered.kept(seq).key
        return f"{key or relative(base)}#{inside}" if inside else key or relative(base)

    def others(self, kept: Kept, what: str, values: Iterable[str]) -> Iterator[tuple[Kept, Resource]]:
        """The other administrations that are marked so, each in its last version."""
        for other in self._gathered.marked(what, values):
            last = other.seq if other.key is None else self._named(other.key)
            found = self._loaded(other.seq) if last == other.seq and other.key != kept.key else None
            if found is not None:
                yield other, found

    def first(self, visit: str, counts: Callable[[Resource], bool]) -> int | None:
        """When (microseconds) the first administration at a visit began, of those that count; each in its last version."""
        names = {visit, relative(visit)}
        seq = self._named(visit)
        if seq is not None:
            kept = self._gathered.kept(seq)
            names |= {name for name in (kept.key, kept.url, relative(kept.url or "")) if name}
        for kept in self._gathered.doses(names):
            last = kept.seq if kept.key is None or kept.versions == 1 else self._named(kept.key)
            resource = self._loaded(kept.seq) if last == kept.seq else None
            if resource is not None and counts(resource):
                began = resource.get("effectivePeriod", {}).get("start")
                at = instant_of(resource.get("effectiveDateTime") or began)
                if at is not None:
                    return at
        return None

    def _find(self, reference: str) -> Resource | None:
        seq = self._named(reference)
        return None if seq is None else self._loaded(seq)

    def _load(self, seq: int) -> Resource | None:
        kept = self._gathered.kept(seq)
        found = self._sound(kept) if self._structure.knows(kept.type) else ()
        return None if isinstance(found, tuple) else self._plain(found, kept, outside=True)

    def _sound(self, kept: Kept) -> Resource | tuple[Problem, ...]:
        """A resource, or what is wrong with it. Those of one visit are looked up about when they are read: the last few are remembered, apart
        from observations, which are most of an input, and which hardly anything refers to."""
        found = self._checked.get(kept.seq)
        if found is None:
            value, problems = self.value(kept)
            if not problems:
                problems = self._structure.problems(
                    value, Place(self._gathered.sources[kept.file], kept.line)
                )
            found = problems or value
            if kept.type == "Observation":
                return found
            if len(self._checked) >= _IN_USE:
                self._checked.clear()
            self._checked[kept.seq] = found
        return found

    def _plain(self, value: Resource, kept: Kept, *, outside: bool) -> Resource:
        """The resource with its id, if only its entry tells that, and with references as ``Type/id``."""
        if "id" not in value and (own := own_id(kept.url)) is not None:
            value = {**value, "id": own}
        if _FAR.search(kept.raw) is None:
            return value

        def plain(reference: str) -> str:
            if reference.startswith("#"):
                return f"{kept.key}{reference}" if outside and kept.key is not None else reference
            return self.called(reference)

        renamed: Resource = _renamed(value, plain)
        return renamed


def _renamed(value: Any, plain: Callable[[str], str]) -> Any:
    """A value with every reference in it put plainly."""
    if isinstance(value, dict):
        return {
            name: plain(inner) if name == "reference" and isinstance(inner, str) else _renamed(inner, plain)
            for name, inner in value.items()
        }
    return [_renamed(inner, plain) for inner in value] if isinstance(value, list) else value
