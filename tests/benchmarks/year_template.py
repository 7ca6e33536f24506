"""What a year is made of: the demonstration's people at work, judged once, cut into units that are written out again and again.

A unit is what belongs together: the founding of the practice, a patient taken on, a patient's visits of a fortnight, an open day at a site, a
night. Its events are kept as bytes with gaps: for handles that are new in every copy, for lots, instants and dates. A copy fills the gaps.
Two fortnights are judged: one in which all is in order, and the demonstration's own with its mistakes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import orjson

from compliance.continuation import parts_of
from compliance.demo import events
from compliance.domain.event import Event
from compliance.domain.lookup import key_of, lookup_keys
from compliance.domain.time import parse_instant
from compliance.engine.history import History
from compliance.engine.judging import Judge, Judgement
from compliance.ledger.log import Log
from compliance.policy.model import Bundle
from compliance.record import Recorded, Rejudged, Submission
from tests.benchmarks.year_clinic import LOTS, MONDAY, PATIENTS, Body, clean
from tests.logs import ORIGIN, SIGNER, url
from tests.recording import draft

SHARED = frozenset({"id", "shift", "count", "login", "discrepancy", "invoice_no", "confirmation"})
OF_PATIENTS = SHARED | {
    "patient", "session", "order", "preparation", "prescription", "consent", "course", "escort_ref", "patient_identity_ref",
    "program_patient_ref", "recipient_ref", "treating_clinician_ref", "container", "containers", "corrects", "proposal", "lot", "lots",
}  # fmt: skip
"""Fields whose handles are new in every copy, where the handle is not the clinic's; beside them every ``*_event``."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*")
_GAP = "\x00"


# ---- units


@dataclass(frozen=True, slots=True)
class Gap:
    """What stands in a gap: `kind` is ``patient``, ``visit``, ``lot``, ``instant`` or ``date``; `site` fixes the clock of an instant, `week`
    the week of the fortnight in which a lot is used."""

    kind: str
    text: str
    site: str = ""
    week: int = 0


@dataclass(frozen=True, slots=True)
class Again:
    """An earlier event of the unit (by its place in it) that an event had judged again; without a decision where nothing changed."""

    target: int
    decision: Body | None
    asked: tuple[tuple[int | tuple[str, str, int], int], ...]


Key: TypeAlias = "int | tuple[str, str, int]"
"""A look-up key, or the kind, field and gap that it is made of."""


@dataclass(slots=True)
class Piece:
    """An event of a unit: its bytes around gaps, and all that its original was given."""

    body: Body
    parts: list[bytes]
    gaps: list[int]
    decision: Body
    keys: list[Key]
    asked: list[tuple[Key, int]]
    entered: int
    again: list[Again] = field(default_factory=list)
    signs: int | None = None
    takes: int | None = None
    wanted: bool = False
    """Whether another event of the unit needs to find this one."""


@dataclass(slots=True)
class Unit:
    """Events that are copied together, in the order in which they were typed in; gaps that have the same text are one."""

    pieces: list[Piece]
    gaps: list[Gap]


class Clock:
    """A log's clock that is told what time it is."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        """Microseconds since the epoch."""
        return self.now


class _Listening(Judge):
    """A judge that remembers what each judgement asked."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(bundle)
        self.heard: list[tuple[str, Judgement]] = []

    def judge(self, event: Event, history: History) -> Judgement:
        """See `Judge.judge`."""
        made = super().judge(event, history)
        self.heard.append((event.id, made))
        return made


@dataclass(frozen=True, slots=True)
class Judged:
    """An event with its first decision, what was asked for it, and what it had judged again: event, decision where it changed, asked."""

    body: Body
    decision: Body
    asked: list[tuple[str, str, str, int]]
    again: list[tuple[str, Body | None, list[tuple[str, str, str, int]]]]


def judged(bundle: Bundle, bodies: Sequence[Body]) -> Iterator[Judged]:
    """The events recorded in their order under a bundle, each when it was typed in."""
    judge, clock = _Listening(bundle), Clock()
    with (
        TemporaryDirectory() as folder,
        Log.create(url(Path(folder, "t.db")), ORIGIN, str(SIGNER.verifier), clock=clock) as log,
        log.writing() as batch,
    ):
        submission = Submission(log, batch, judge)
        for body in bodies:
            judge.heard.clear()
            clock.now = parse_instant(body["entered_at"])
            first, *others = submission.results_of(draft(body))
            assert isinstance(first, Recorded), first
            changed = {
                one.event.id: parts_of(one.decision).decision for one in others if isinstance(one, Rejudged)
            }
            (_, own), *heard = judge.heard
            again = [(name, changed.get(name), _asked(made)) for name, made in heard]
            yield Judged(body, parts_of(first.decision).decision, _asked(own), again)


def _asked(made: Judgement) -> list[tuple[str, str, str, int]]:
    return [(one.kind, one.field, one.value, one.until) for one in made.asked]


def handles(bodies: Iterable[Body], fields: frozenset[str]) -> set[str]:
    """The handles in some fields of events, and in every ``*_event``."""
    found_: set[str] = set()

    def take(name: str, value: Any) -> None:
        if isinstance(value, dict):
            for inner, one in value.items():
                take(inner, one)
        elif isinstance(value, list):
            for one in value:
                take(name, one)
        elif isinstance(value, str) and (name in fields or name.endswith("_event")):
            found_.add(value)

    for body in bodies:
        take("", body)
    return found_


def unit(made: Sequence[Judged], of_patient: set[str], of_visit: set[str], weeks: Mapping[str, int]) -> Unit:
    """Events with their gaps; `weeks` says in which week of the fortnight each visit is."""
    gaps: dict[Gap, int] = {}
    place = {one.body["id"]: number for number, one in enumerate(made)}
    texts: dict[str, Gap] = {
        **{text: Gap("visit", text) for text in of_visit}, **{text: Gap("patient", text) for text in of_patient},
    }  # fmt: skip
    pieces: list[Piece] = []
    dosed: set[str] = set()
    for one in made:
        body = one.body
        week_of = weeks.get(body.get("session", ""), 0)
        local = {**texts, **{lot: Gap("lot", lot, week=week_of) for lot in LOTS}}
        parts, numbers = _cut(body, local, gaps)
        piece = Piece(
            body, parts, numbers, one.decision, [_key(key, local, gaps) for key in lookup_keys(body["kind"], body)],
            [(_key((kind, name, value), local, gaps), until) for kind, name, value, until in one.asked],
            parse_instant(body["entered_at"]),
        )  # fmt: skip
        for name, decision, asked in one.again:
            if name in place:
                keys = tuple((_key((kind, f, value), local, gaps), until) for kind, f, value, until in asked)
                piece.again.append(Again(place[name], decision, keys))
                pieces[place[name]].wanted = True
        if body["kind"] == "signature" and body["target_event"] in place:
            piece.signs = place[body["target_event"]]
            pieces[piece.signs].wanted = True
        if (
            body["kind"] == "administration"
            and body.get("intent") != "proposed"
            and body["session"] not in dosed
        ):
            dosed.add(body["session"])
            piece.takes = gaps.setdefault(local.get(body["lot"], Gap("fixed", body["lot"])), len(gaps))
        pieces.append(piece)
    return Unit(pieces, list(gaps))


def _cut(body: Body, texts: Mapping[str, Gap], gaps: dict[Gap, int]) -> tuple[list[bytes], list[int]]:
    """The bytes of an event around its gaps, and the gaps."""
    numbers: list[int] = []

    def cut(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: cut(one) for name, one in value.items()}
        if isinstance(value, list):
            return [cut(one) for one in value]
        if not isinstance(value, str):
            return value
        gap = texts.get(value)
        if gap is None and _DATE.fullmatch(value):
            gap = Gap("date", value)
        elif gap is None and _INSTANT.fullmatch(value):
            gap = Gap("instant", value, body["site"])
        if gap is None:
            return value
        numbers.append(gaps.setdefault(gap, len(gaps)))
        return _GAP

    parts = orjson.dumps(cut(body)).split(b"\\u0000")
    assert len(parts) == len(numbers) + 1, body
    return parts, numbers


def _key(key: tuple[str, str, str], texts: Mapping[str, Gap], gaps: dict[Gap, int]) -> Key:
    kind, name, value = key
    gap = texts.get(value)
    return key_of(*key) if gap is None else (kind, name, gaps.setdefault(gap, len(gaps)))


# ---- the two fortnights, cut


@dataclass(frozen=True, slots=True)
class Template:
    """A judged fortnight: what the clinic began with, what is delivered of each lot, each patient taken on and treated, open days by site, what a
    night and a Monday morning bring."""

    founding: Unit
    renewing: Unit
    deliveries: Mapping[str, Unit]
    taking_on: Mapping[str, Unit]
    treating: Mapping[str, Sequence[Unit]]
    days: Mapping[tuple[str, date], Unit]
    nights: Sequence[Unit]
    mondays: Unit
    used: Mapping[str, Sequence[tuple[int, str]]]
    """Of each patient, the shared lots taken in a fortnight: the day (counted from its first Monday) and the lot."""


RENEWED = ("credential", "training", "attestation", "registration", "site_certification", "equipment_check")
LOOKED_AFTER = (
    "presence",
    "equipment_check",
    "inventory_count",
    "discrepancy",
    "external_report",
    "signature",
)


def template(bundle: Bundle, *, mistakes: bool) -> Template:
    """The fortnight with the demonstration's mistakes, or the one without any."""
    made = list(judged(bundle, events() if mistakes else clean()))
    mine = [one for one in made if "patient" not in one.body]
    names = {one.body["id"]: one for one in made}
    signed = {
        one.body["id"]
        for one in mine
        if one.body["kind"] == "signature" and "patient" in names[one.body["target_event"]].body
    }
    mine = [one for one in mine if one.body["id"] not in signed]
    before = [one for one in mine if _day(one) < MONDAY and one.body["kind"] != "receipt"]
    kept = {one.body["id"] for one in before}
    weeks = {
        one.body["session"]: (_day(one) - MONDAY).days // 7 for one in made if one.body["kind"] == "discharge"
    }
    at_work = [one for one in mine if one.body["kind"] in LOOKED_AFTER and one.body["id"] not in kept]
    known = handles([one.body for one in before], OF_PATIENTS) | handles(
        [one.body for one in at_work], frozenset({"equipment"})
    )
    taking_on, treating, used = {}, {}, {}
    for patient in PATIENTS:
        own = [one for one in made if _of(one, patient.name, names)]
        first = [one for one in own if _day(one) < MONDAY or one.body["kind"] == "consent"]
        visits = [one for one in own if one not in first]
        lasting = handles([one.body for one in first], OF_PATIENTS) - known - set(LOTS)
        passing = handles([one.body for one in visits], OF_PATIENTS) - known - lasting - set(LOTS)
        taking_on[patient.name] = unit(first, lasting, set(), weeks)
        by_visit: dict[str, list[Judged]] = {}
        for one in visits:
            by_visit.setdefault(
                names[one.body.get("target_event", one.body["id"])].body.get("session", ""), []
            ).append(one)
        treating[patient.name] = [unit(ones, lasting, passing, weeks) for ones in by_visit.values()]
        pieces = [piece for one in treating[patient.name] for piece in one.pieces]
        treated = [one for one in pieces if one.takes is not None and one.body["lot"] in LOTS]
        used[patient.name] = [
            ((date.fromisoformat(one.body["occurred_at"][:10]) - MONDAY).days, one.body["lot"])
            for one in treated
        ]
    days: dict[tuple[str, date], list[Judged]] = {}
    for one in at_work:
        day = date(2026, 3, 10) if "discrepancy" in one.body else _day(one)
        days.setdefault((one.body["site"], day), []).append(one)
    nights: dict[date, list[Judged]] = {}
    for one in mine:
        if one.body["kind"] == "system_event":
            nights.setdefault(_day(one), []).append(one)
    lots = {one.body["lot"]: one for one in mine if one.body["kind"] == "receipt"}
    return Template(
        _of_clinic(before), _of_clinic([one for one in before if one.body["kind"] in RENEWED]),
        {lot: _of_clinic([one]) for lot, one in lots.items()}, taking_on, treating,
        {key: _of_clinic(ones) for key, ones in days.items()}, [_of_clinic(ones) for ones in nights.values()],
        _of_clinic([one for one in mine if one.body["kind"] == "record_access" and _day(one) == MONDAY]), used,
    )  # fmt: skip


def _of_clinic(made: Sequence[Judged]) -> Unit:
    """Events that are about no patient: their own names are new in every copy, all else stays."""
    return unit(made, set(), handles([one.body for one in made], SHARED), {})


def _of(one: Judged, patient: str, names: Mapping[str, Judged]) -> bool:
    target = one.body.get("target_event")
    about = one if target is None else names[target]
    return bool(about.body.get("patient") == patient)


def _day(one: Judged) -> date:
    return date.fromisoformat(one.body["occurred_at"][:10])
