"""FHIR input, second pass: resources in the order in which they occurred, checked, and mapped to events.

What a resource tells is not yet what goes into the log: it may be a version of something that is there (`compliance.fhir_versions`).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count
from typing import Any, Final, Protocol, TypeAlias

from compliance.domain.codes import Codes
from compliance.domain.event import Event
from compliance.domain.time import format_instant
from compliance.errors import Place, Problem
from compliance.intake.drafts import KEPT, Draft, PassedOver, Rejected
from compliance.intake.fhir.crossings import Crossings, Objection
from compliance.intake.fhir.gathering import BROKEN, EMPTY, IN_ERROR, Gathered, Kept, relative
from compliance.intake.fhir.mappers import MAPPERS, REFERRED, Mapped
from compliance.intake.fhir.modifiers import NOT_KNOWN, modifiers
from compliance.intake.fhir.names import may_speak, speaks_of_ours
from compliance.intake.fhir.ndcs import LISTED, Ndcs
from compliance.intake.fhir.references import References
from compliance.intake.fhir.sketch import NotOurs, Resource, Sketch
from compliance.intake.fhir.structure import Structure
from compliance.intake.fhir.view import View, event_id, reference_text
from compliance.intake.fhir.which_drug import which_drug
from compliance.intake.pieces import MAX_PIECE

UNDONE: Final[Mapping[tuple[str, object], str]] = {
    ("Encounter", "cancelled"): "cancelled before it began",
    ("MedicationAdministration", "not-done"): "not done",
    ("MedicationDispense", "cancelled"): "cancelled, and never given",
    ("MedicationDispense", "declined"): "declined",
    ("Observation", "cancelled"): "cancelled",
}
"""Statuses by which a later version says that what an earlier one told never happened."""
TELLING: Final[Mapping[str, tuple[str, ...]]] = {
    "Consent": ("active",),
    "Encounter": ("finished", "cancelled"),
    "MedicationAdministration": ("completed",),
    "MedicationDispense": ("completed",),
    "MedicationRequest": ("active",),
    "Observation": ("final",),
}
"""Statuses that a resource which was entered in error may have had before, so that there was an event of it."""
GIVEN: Final = frozenset({"completed", "in-progress", "on-hold", "stopped"})
"""Statuses of a MedicationAdministration of which something was given."""
NO_EVENT_OF_OURS: Final = "names a drug of ours, in a type of which no event comes"
"""Why a Procedure or a MedicationStatement with ketamine is passed over: counted by itself, so that somebody looks."""
WAITING: Final = 10_000
"""So many events at most wait for their time; more than that are out before it."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a resource: ``meta.versionId``, ``meta.lastUpdated`` in microseconds."""

    number: str | None = None
    updated: int | None = None

    def text(self) -> str:
        """As `source` of an event has it."""
        return _version_text(self.number, self.updated)


@lru_cache(maxsize=1024)  # what was written together was mostly changed together
def _version_text(number: str | None, updated: int | None) -> str:
    said = "" if number is None else f" version {number}"
    return said if updated is None else f"{said} of {format_instant(updated)}"


@dataclass(frozen=True, slots=True)
class Origin:
    """The resource that something comes from: where it stood, its type, version, the events that it may tell of, and whether `more` versions of
    it follow in the input; `part_of` are the events of the doses that it is a part of."""

    source: str
    line: int
    raw: bytes
    type: str
    version: Version
    events: tuple[str, ...]
    more: bool
    part_of: tuple[str, ...] = ()

    def rejected(self, problems: tuple[Problem, ...]) -> Rejected:
        """The resource as a piece that cannot be taken."""
        return Rejected.of_bytes(Place(self.source, self.line), self.raw, problems)

    def passed(self, reason: str, codes: tuple[str, ...] | None = None) -> PassedOver:
        """The resource as one that is not ours, with the codes of its drug where that is why."""
        return PassedOver(self.source, self.line, self.type, reason, codes)

    def problem(self, element: str, message: str, remedy: str) -> Problem:
        """Something that is wrong at an element of it."""
        return Problem(Place(self.source, self.line, field=f"{self.type}.{element}"), message, remedy, "fhir")


@dataclass(frozen=True, slots=True)
class Told:
    """An event as a version of a resource tells it."""

    draft: Draft
    origin: Origin


@dataclass(frozen=True, slots=True)
class Untold:
    """A resource of a mapped type that tells of no event, or not of `missing` ones that it might, and why (empty where it tells of others);
    `undone` is what it says where it says that they never happened; `codes` are those of a drug that is not ours; `about` what is known of the event (`id`, `site`, `actor` ...) where that has
    to be kept although the log does not have the event, since an older version of it may still come. A server that `deleted` a
    resource does not say whether what it told of happened."""

    origin: Origin
    missing: tuple[str, ...]
    reason: str
    undone: str | None = None
    codes: tuple[str, ...] | None = None
    about: Mapping[str, Any] | None = None
    deleted: bool = False


Heard: TypeAlias = Told | Untold | Rejected | PassedOver


class Pseudonyms(Protocol):
    """Who patients are."""

    def pseudonym(self, reference: str) -> str | None:
        """The pseudonym of a patient; None where it cannot be told."""

    def trouble(self, reference: str) -> tuple[str, str] | None:
        """Why it cannot be told, and what to do."""

    def same(self, one: str, other: str) -> bool:
        """Whether two references mean one patient, as far as can be told; nobody is entered for the sake of the other."""


class Reading:
    """The resources of an input, read in order."""

    def __init__(
        self,
        gathered: Gathered,
        codes: Codes,
        sites: frozenset[str],
        site: str | None,
        actor: str | None,
        known_doses: Callable[[str], Iterable[tuple[str, int]]],
        ndcs: Ndcs = LISTED,
    ) -> None:
        """`known_doses` gives the doses of a session that are on record already, by id, with when (microseconds) they began;
        `ndcs` are the drug list's and those of products on record."""
        self._gathered = gathered
        self._structure = Structure()
        self._references = References(gathered, self._structure)
        self.resolve = self._references.resolve
        self._codes, self._sites, self._site, self._actor = codes, sites, site, actor
        self._known_doses, self._ndcs = known_doses, ndcs

    def heard(self, pseudonyms: Pseudonyms) -> Iterator[Heard]:
        """What each resource tells. An event that occurred later than its resource begins waits until its time comes."""

        def given(resource: Resource) -> bool:
            return resource["resourceType"] == "MedicationAdministration" and resource.get("status") in GIVEN

        def ours(resource: Resource) -> bool:
            return given(resource) and not isinstance(which_drug(resource, view), NotOurs)

        def counts(resource: Resource) -> bool:
            if not given(resource):
                return False
            meant = which_drug(resource, view)
            return not isinstance(meant, NotOurs) and meant.drug is not None

        def first(visit: str) -> int | None:
            session = view.handle({"reference": visit})
            known = () if session is None else self._known_doses(session)
            before = (at for event, at in known if not self._tells_of(event))
            here = self._references.first(visit, counts)
            return min((*before, *(() if here is None else (here,))), default=None)

        view = View(
            codes=self._codes,
            resolve=self.resolve,
            pseudonym=pseudonyms.pseudonym,
            first_dose=lru_cache(4096)(first),
            sites=self._sites,
            site=self._site,
            ndcs=self._ndcs,
        )

        around = Crossings(self._gathered, self._references, ours)
        waiting: list[tuple[int, int, Heard]] = []
        order = count()
        for kept in self._gathered.in_order():
            while waiting and (waiting[0][0] < kept.at or len(waiting) > WAITING):
                yield heapq.heappop(waiting)[2]
            for one in self._of(kept, view, pseudonyms, around):
                at = one.draft.event.occurred_at if isinstance(one, Told) and kept.versions == 1 else kept.at
                heapq.heappush(waiting, (max(at, kept.at), next(order), one))
        while waiting:
            yield heapq.heappop(waiting)[2]

    def _of(self, kept: Kept, view: View, pseudonyms: Pseudonyms, around: Crossings) -> Iterator[Heard]:
        source = self._gathered.sources[kept.file]
        if kept.type == BROKEN:
            yield self._broken(kept, source)
            return
        if kept.type == EMPTY:
            yield self._without_resource(kept, source)
            return
        mapped = MAPPERS.get(kept.type)
        if mapped is None:
            yield self._unmapped(kept, source, view)
            return
        events = _event_ids(kept, mapped.suffixes)
        version = Version(kept.version, kept.updated)
        origin = Origin(
            source, kept.line, kept.raw, kept.type, version, events, kept.rank + 1 < kept.versions
        )
        if self._gathered.mixed:
            resource = self._references.read(kept)
            unsure = tuple(around.ambiguous(kept, None if isinstance(resource, tuple) else resource))
            if unsure:
                yield _unsure(resource, unsure, origin, mapped, view)
                return
        if kept.in_error:
            about = None if origin.more else self._in_error(kept, mapped, view, events)
            reason = "entered in error, and nothing of it is in the log"
            yield Untold(origin, events, reason, "entered in error", about=about)
            return
        resource = self._references.read(kept)
        if isinstance(resource, tuple):
            yield origin.rejected(resource)
            return
        if "partOf" in resource and kept.type == "MedicationAdministration":
            origin = replace(origin, part_of=_wholes(resource))
        sketches = mapped.mapper(resource, view)
        undone = UNDONE.get((kept.type, resource.get("status")))
        if isinstance(sketches, NotOurs):
            yield Untold(origin, events, sketches.reason, undone, codes=sketches.codes)
            return
        for place in modifiers(resource, kept.raw):
            for sketch in sketches:
                sketch.wrong(place, *NOT_KNOWN)
        for sketch in sketches:
            for objection in around.objections(kept, sketch, view, pseudonyms.same):
                sketch.wrong(*objection)
        if mapped.by_caller and self._actor is not None:
            for sketch in sketches:
                sketch.fields.setdefault("actor", self._actor)
        told = yield from _finished(sketches, origin, pseudonyms)
        missing = () if mapped.lasting else tuple([name for name in events if name not in told])
        if missing:
            yield Untold(origin, missing, "", undone)

    def _without_resource(self, kept: Kept, source: str) -> Heard:
        """An entry of a Bundle that holds no resource. What a server deleted is named by its request (FHIR R4, Bundle.entry.request)."""
        value, _ = self._references.value(kept._replace(inner=False))
        asked = value.get("request") if isinstance(value, dict) else None
        url = asked.get("url") if isinstance(asked, dict) and asked.get("method") == "DELETE" else None
        name, _, own = relative(url).partition("/") if isinstance(url, str) else ("", "", "")
        mapped = MAPPERS.get(name)
        if mapped is None or not own:
            known = name if name and self._structure.knows(name) else EMPTY
            return PassedOver(
                source, kept.line, known, "entries of a Bundle without a resource, such as deletions"
            )
        events = tuple(
            e for s in mapped.suffixes if (e := event_id({"resourceType": name, "id": own}, s)) is not None
        )
        origin = Origin(source, kept.line, kept.raw, name, Version(), events, more=False)
        return Untold(origin, events, "deleted at the server, and nothing of it is in the log", deleted=True)

    def _in_error(
        self, kept: Kept, mapped: Mapped, view: View, events: tuple[str, ...]
    ) -> Mapping[str, Any] | None:
        """What is known of an event that was entered in error; None where it is plainly none of ours, whatever its status had been before."""
        if not events:
            return None
        resource = self._references.read(kept)
        if isinstance(resource, tuple):
            return {"id": events[0], "actor": self._actor, "site": self._site}
        for status in TELLING.get(kept.type, ()):
            sketches = mapped.mapper({**resource, "status": status}, view)
            if not isinstance(sketches, NotOurs):
                return {"actor": self._actor, "site": self._site, **sketches[0].fields}
        return None

    def _tells_of(self, event: str) -> bool:
        """Whether the input holds the administration that an event in the log came of: then what it says now counts, whatever was recorded."""
        name, _, own = event.partition("-")
        return name == "MedicationAdministration" and self._gathered.named(f"{name}/{own}") is not None

    def _unmapped(self, kept: Kept, source: str, view: View) -> Heard:
        """A resource of which no event comes. Those that others refer to are checked, so that nothing is left out for a slip in them."""
        if kept.type in REFERRED:
            read = self._references.read(kept)
            if isinstance(read, tuple):
                return Rejected.of_bytes(Place(source, kept.line), kept.raw, read)
            return PassedOver(source, kept.line, kept.type, "resources that only others refer to")
        name = kept.type if self._structure.knows(kept.type) else "resource"
        if may_speak(kept.raw, view.ndcs) and speaks_of_ours(self._references.value(kept)[0], view.ndcs):
            return PassedOver(source, kept.line, name, NO_EVENT_OF_OURS)
        return PassedOver(source, kept.line, name, "resources of types of which no event comes")

    def _broken(self, kept: Kept, source: str) -> Rejected:
        if kept.digest is not None:
            problem = Problem(
                Place(source, kept.line),
                f"longer than {MAX_PIECE} bytes",
                "Send each resource on a line of its own, or as an entry of a Bundle.",
                "too_long",
            )
            return Rejected(source, kept.line, kept.raw[:KEPT], kept.digest, (problem,))
        value, problems = self._references.value(kept)
        if not problems:
            field = "resourceType" if isinstance(value, dict) else None
            if kept.entry is not None:
                field = f"Bundle.entry[{kept.entry}].resource" + (f".{field}" if field else "")
            problems = (
                Problem(
                    Place(source, kept.line, field=field),
                    "this is no FHIR resource",
                    "A resource is a JSON object that names its type in resourceType.",
                    "fhir",
                ),
            )
        return Rejected.of_bytes(Place(source, kept.line), kept.raw, problems)


def _wholes(resource: Resource) -> tuple[str, ...]:
    said = (reference_text(one) or "" for one in resource["partOf"])
    pairs = (one.partition("/_history/")[0].split("/") for one in said)
    names = (event_id({"resourceType": pair[0], "id": pair[1]}) for pair in pairs if len(pair) == 2)
    return tuple(name for name in names if name is not None)


def _unsure(
    resource: Resource | tuple[Problem, ...],
    unsure: tuple[Objection, ...],
    origin: Origin,
    mapped: Mapped,
    view: View,
) -> Rejected | PassedOver:
    """A resource of which nobody can tell which one it is, or whom it means: nobody is looked up for it."""
    if not isinstance(resource, tuple):
        sketches = mapped.mapper(resource, replace(view, pseudonym=lambda _: None))
        if isinstance(sketches, NotOurs) and resource.get("status") != IN_ERROR:
            return origin.passed(sketches.reason)
    return origin.rejected(tuple(origin.problem(*one) for one in unsure))


def _finished(
    sketches: list[Sketch], origin: Origin, pseudonyms: Pseudonyms
) -> Generator[Heard, None, set[str]]:
    """The events of a resource's sketches; all that is wrong with any of them, together. Gives the ids of all that it tells of."""
    problems: list[Problem] = []
    for sketch in sketches:
        if "patient" not in sketch.fields:
            _explain(sketch, pseudonyms)
        if "source" in sketch.fields:
            sketch.fields["source"] += origin.version.text()
        made = sketch.finished(Place(origin.source, origin.line))
        if isinstance(made, Event):
            yield Told(Draft(made, origin.source, origin.line), origin)
        else:
            problems += made
    if problems:
        yield origin.rejected(tuple(dict.fromkeys(problems)))
    return {sketch.fields.get("id", "") for sketch in sketches}


def _explain(sketch: Sketch, pseudonyms: Pseudonyms) -> None:
    """Say at its element why a patient cannot be told."""
    path = sketch.places.get("patient")
    if path is None:
        return
    said = reference_text(sketch.resource.get(path))
    trouble = None if said is None else pseudonyms.trouble(said)
    if trouble is not None:
        sketch.wrong(path, *trouble)


def _event_ids(kept: Kept, suffixes: tuple[str, ...]) -> tuple[str, ...]:
    """The ids of the events of which a resource may tell; none without an id of its own."""
    if kept.key is None:
        return ()
    named = {"resourceType": kept.type, "id": kept.key.partition("/")[2]}
    return tuple([made for suffix in suffixes if (made := event_id(named, suffix)) is not None])
