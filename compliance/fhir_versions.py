"""Versions of FHIR resources as the log takes them: the first is an event, a later one a correction of it, one entered in error its void.

What FHIR told of an event so far is what was sent first, with the corrections that came from FHIR; only what a version changes in that is
corrected, so that a correction by a person stays when the same resource is sent again. Which of two versions is the later one is told by
``meta.lastUpdated``, else by ``meta.versionId`` where that counts (FHIR R4, Resource, leaves its form open); the `source` of events keeps both. An
older one changes nothing. Without either, what comes later is the later version, unless it says what an earlier one had said.

The ids of corrections and voids are made from what they say, so that sending the same again writes nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from compliance.domain.canonical import encode
from compliance.domain.event import Event
from compliance.domain.free_text import commitments
from compliance.domain.making import make_event, stamp
from compliance.domain.time import format_instant, parse_instant
from compliance.errors import Problem
from compliance.intake.drafts import Draft, Read, Rejected
from compliance.intake.fhir.gathering import number_of
from compliance.intake.fhir.reading import Heard, Origin, Told, Untold, Version
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.ledger.vault import Reach
from compliance.sealing import cleared

LATER: Final = "a later version of the FHIR resource"
OLDER: Final = "versions of resources older than what is in the log"
NO_MORE: Final = "this is told no more"
VOID_ALREADY: Final = "entered in error, and void in the log already"

DELETED: Final = (
    "the log has an event of this resource, and the server deleted it, which does not say whether it happened",
    "If it did not happen, void the event: `compliance events void ID`; else nothing is to be done.",
)
WHOLE: Final = (
    "the log has the dose that this is a part of, and what was given would count twice",
    "If the parts are what is to be kept, void the whole first: `compliance events void ID`; then send them again.",
)

_FROM_FHIR: Final = "FHIR "
_VERSION: Final = re.compile(r"FHIR [A-Za-z]+(?: version ([A-Za-z0-9.\-]{1,64}))?(?: of (\S+))?", re.ASCII)
_IGNORED: Final = frozenset({"id", "kind", "intent", "source", "entered_at"})
"""Fields that tell of the version, or cannot be corrected."""


@dataclass(frozen=True, slots=True)
class Standing:
    """An event of the log, or of this input: as it was sent; what FHIR told of it, version by version, in clear words; how it stands, None
    where it is void, and the void that FHIR gave; the latest version, and how many corrections there are."""

    sent: Event
    told: tuple[Event, ...]
    stands: Event | None
    version: Version
    corrections: int = 0
    void: Event | None = None


class Versions:
    """What a run makes of the versions that it hears. `actor` is who runs it; `now` the log's clock."""

    def __init__(self, log: Log, way: Reach | None, actor: str | None, now: Callable[[], int]) -> None:
        self._log = log
        self._way = way
        self._actor = actor
        self._now = now
        self._following: dict[
            str, Standing
        ] = {}  # events of which this input holds more versions, not all in the log yet

    def items(self, heard: Iterable[Heard]) -> Iterator[Read]:
        """What goes into the log for what was heard, in its order."""
        for one in heard:
            if isinstance(one, Told):
                yield from self._told(one)
            elif isinstance(one, Untold):
                yield from self._untold(one)
            else:
                yield one

    # ---- a version that tells of the event

    def _told(self, told: Told) -> Iterator[Read]:
        event, origin = told.draft.event, told.origin
        known = self._known(event.id)
        if known is None:
            if event.kind == "administration" and any(self._stands(one) for one in origin.part_of):
                yield origin.rejected((origin.problem("partOf", *WHOLE),))
                return
            early = self._void_before(origin)
            if early is not None:
                yield self._after_its_void(told, early)
                return
            self._keep(Standing(event, (event,), event, origin.version), origin)
            yield told.draft
            return
        made = self._later(event, origin, known)
        if isinstance(made, str):
            yield origin.passed(made)
        elif isinstance(made, Problem):
            yield origin.rejected((made,))
        elif made is None:
            self._keep(replace(known, version=_last(known.version, origin.version)), origin)
            yield Draft(known.sent, origin.source, origin.line)
        else:
            yield from self._corrected(event, made, origin, known)

    def _later(self, event: Event, origin: Origin, known: Standing) -> tuple[str, ...] | str | Problem | None:
        """The fields that this version corrects; None where it tells nothing new, a reason where it is passed over, a problem where it cannot be."""
        age = _age(origin.version, known.version)
        fields = _differing(known.told[-1], event)
        if age == 0:  # not another version: it only was sent with less around it
            fields = tuple(name for name in fields if name in event.body)
        if not fields:
            return _again(origin) if known.stands is None and age == 1 else None
        older = age is None and any(not _differing(one, event) for one in known.told)
        if age == -1 or older:
            return OLDER
        if known.stands is None:
            return _again(origin)
        if event.kind != known.sent.kind or event.proposed != known.sent.proposed:
            return origin.problem(
                "status" if event.kind == known.sent.kind else "id",
                "this version tells of another kind of event than the one that the log has of the resource",
                f"Void {event.id}, and send the resource under an id of its own.",
            )
        return tuple(name for name in fields if name in _differing(known.stands, event)) or None

    def _corrected(
        self, event: Event, names: tuple[str, ...], origin: Origin, known: Standing
    ) -> Iterator[Read]:
        stands = known.stands
        if stands is None:
            raise ValueError(event.id)  # `_later` names no fields of a void event
        changes = [
            {"name": name, "old": _json(stands.body.get(name)), "new": _json(event.body.get(name))}
            for name in names
        ]
        said = sha256(encode([known.corrections, *changes])).hexdigest()
        members = {
            "id": _own_id(event.id, f"-c{known.corrections + 1}-{said[:12]}"),
            "fields": changes, "reason": LATER, "reason_code": "other", "resign_required": False,
        }  # fmt: skip
        made = self._amendment("correction", event.body, origin, members)
        if not isinstance(made, Draft):
            yield made
            return
        now = {**stands.body, **{name: event.body.get(name) for name in names}}
        standing = make_event({name: value for name, value in now.items() if value is not None})
        after = replace(
            known, told=(*known.told, event), stands=standing if isinstance(standing, Event) else stands,
            version=_last(known.version, origin.version), corrections=known.corrections + 1,
        )  # fmt: skip
        self._keep(after, origin)
        yield made

    # ---- a version that tells of no event

    def _untold(self, untold: Untold) -> Iterator[Read]:
        origin, silent = untold.origin, True
        if untold.deleted and any(self._stands(name) for name in untold.missing):
            yield origin.rejected((origin.problem("id", *DELETED),))
            return
        for name in untold.missing:
            known = self._known(name)
            for item in () if known is None else self._withdrawn(untold, known):
                silent = False
                yield item
        if silent and untold.about is not None:
            early = self._void_before(origin)
            of = untold.about
            yield (
                self._void(of, untold, untold.undone or "")
                if early is None
                else Draft(early, origin.source, origin.line)
            )
        elif silent and untold.reason:
            yield origin.passed(untold.reason, untold.codes)

    def _stands(self, event_id: str) -> bool:
        known = self._known(event_id)
        return known is not None and known.stands is not None

    def _void_before(self, origin: Origin) -> Event | None:
        """The void of a resource whose event has not come yet: a later version, entered in error, came first."""
        if not origin.events or self._log.by_event_id(origin.events[0]) is not None:
            return None
        void = _own_id(origin.events[0], "-void")
        return None if self._log.by_event_id(void) is None else LogHistory(self._log).sent(void)

    def _after_its_void(self, told: Told, void: Event) -> Read:
        """An older version whose void is in the log goes in, and is void from the start."""
        event, origin = told.draft.event, told.origin
        if _age(origin.version, _version_of(void)) not in (-1, 0):
            return origin.rejected((_again(origin),))
        return told.draft if event.id == void.values["corrects"] else origin.passed(OLDER)

    def _withdrawn(self, untold: Untold, known: Standing) -> Iterator[Read]:
        """What becomes of an event of which this version no longer tells."""
        origin, event = untold.origin, known.sent
        age = _age(origin.version, known.version)
        undone = untold.undone or (NO_MORE if age == 1 and not untold.reason else None)
        if known.stands is None:
            if undone is None:
                return
            if known.void is None:
                yield origin.passed(VOID_ALREADY)
            else:
                yield Draft(known.void, origin.source, origin.line)
        elif age == -1:
            yield origin.passed(OLDER)
        elif undone is not None:
            made = self._void(known.stands.body, untold, undone)
            if isinstance(made, Draft):
                version = _last(known.version, origin.version)
                self._keep(replace(known, stands=None, void=made.event, version=version), origin)
            yield made
        elif age == 1:
            message = (
                "the log has an event of an earlier version of this resource, and this one tells of none"
            )
            remedy = f"If it did not happen, void it: `compliance events void {event.id}`."
            yield origin.rejected((origin.problem("id", message, remedy),))

    # ---- what both share

    def _void(self, of: Mapping[str, Any], untold: Untold, undone: str) -> Draft | Rejected:
        members = {
            "id": _own_id(of["id"], "-void"), "reason": f"{LATER} says: {undone}", "reason_code": "never_happened",
        }  # fmt: skip
        return self._amendment("void", of, untold.origin, members)

    def _amendment(
        self, kind: str, of: Mapping[str, Any], origin: Origin, members: Mapping[str, Any]
    ) -> Draft | Rejected:
        """A correction or void; who acts is who runs this: no resource says who changed it."""
        where = {name: of[name] for name in ("site", "patient", "session") if of.get(name) is not None}
        at = origin.version.updated
        body = {
            "kind": kind, "occurred_at": format_instant(self._now() if at is None else at), "actor": self._actor or of.get("actor"),
            "corrects": of["id"], "source": f"{_FROM_FHIR}{origin.type}{origin.version.text()}", **where, **members,
        }  # fmt: skip
        made = make_event(body, source=origin.source, line=origin.line)
        return Draft(made, origin.source, origin.line) if isinstance(made, Event) else origin.rejected(made)

    def _keep(self, standing: Standing, origin: Origin) -> None:
        """Remember an event for the versions that follow in this input; after the last nobody asks."""
        if origin.more:
            self._following[standing.sent.id] = standing
        else:
            self._following.pop(standing.sent.id, None)

    def _known(self, event_id: str) -> Standing | None:
        known = self._following.get(event_id)
        if known is not None or self._log.by_event_id(event_id) is None:
            return known
        history = LogHistory(self._log)
        sent, stands = history.sent(event_id), history.stands(event_id)
        if sent is None:
            return None
        told = [self._clear(sent, history)]
        version = _version_of(sent)
        corrections, void = 0, None
        for amendment in sorted(history.amendments(event_id), key=lambda one: one.order):
            corrections += 1
            if not str(amendment.body.get("source", "")).startswith(_FROM_FHIR):
                continue
            version = _last(version, _version_of(amendment))
            if amendment.kind == "void":
                void = amendment
            elif (now := history.stands(amendment.id)) is not None:
                told.append(_with(told[-1], self._clear(now, history)))
        clear = None if stands is None else self._clear(stands, history)
        return Standing(sent, tuple(told), clear, version, corrections, void)

    def _clear(self, event: Event, history: LogHistory) -> Event:
        """An event of the log with its words, as far as the vault still has them."""
        if self._way is None or next(commitments(event.body), None) is None:
            return event

        def corrects(name: str) -> str | None:
            sent = history.sent(name)
            return None if sent is None else sent.values.get("corrects")

        vault = self._way.vault
        vault.persons.refresh()
        vault.texts.begin()
        body = cleared(vault.texts, event, corrects, partly=True)
        made = event if body is None else make_event(body)
        return stamp(made, event.recorded_at or 0, event.position) if isinstance(made, Event) else event


def _with(event: Event, correction: Event) -> Event:
    """An event with what a correction said, whatever stood before."""
    body = dict(event.body)
    for change in correction.body["fields"]:
        value = json.loads(change["new"], parse_float=str)
        body[change["name"]] = value
    made = make_event({name: value for name, value in body.items() if value is not None})
    return made if isinstance(made, Event) else event


def _differing(before: Event, after: Event) -> tuple[str, ...]:
    """The fields in which two events differ, however they are written; what was erased from the vault differs from nothing."""
    if before.body == after.body:
        return ()
    return tuple(
        name
        for name in dict.fromkeys([*before.body, *after.body])
        if name not in _IGNORED
        and before.values.get(name) != after.values.get(name)
        and next(commitments(before.body.get(name)), None) is None
    )


def _age(version: Version, other: Version) -> int | None:
    """1 where a version is later than another, -1 where it is older, 0 where it is the same; None where nobody can tell."""
    if version.updated is not None and other.updated is not None and version.updated != other.updated:
        return 1 if version.updated > other.updated else -1
    one, two = number_of(version.number), number_of(other.number)
    if one >= 0 and two >= 0 and one != two:
        return 1 if one > two else -1
    same = version == other and version != Version()
    return 0 if same else None


def _last(one: Version, other: Version) -> Version:
    return one if _age(one, other) == 1 or other == Version() else other


def _version_of(event: Event) -> Version:
    """The version of a resource that the source of an event names."""
    match = _VERSION.fullmatch(str(event.body.get("source", "")))
    if match is None:
        return Version()
    number, updated = match.groups()
    try:
        return Version(number, None if updated is None else parse_instant(updated))
    except ValueError:
        return Version()


def _again(origin: Origin) -> Problem:
    return origin.problem(
        "status",
        "the log has this as void, and this version says again that it happened",
        "A void cannot be taken back: send it under an id of its own.",
    )


def _own_id(event_id: str, suffix: str) -> str:
    """An id made from another, at most 64 characters long."""
    if len(event_id) + len(suffix) <= 64:
        return event_id + suffix
    return f"{event_id[:20]}-{sha256(event_id.encode()).hexdigest()[:20]}{suffix}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
