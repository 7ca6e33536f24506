"""Units written out at another time, of other patients: gaps filled, cabinets kept, events appended in the order in which they were typed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from heapq import heappop, heappush
from typing import Any, Final

import orjson

from compliance.demo.clinic import VIALS_IV
from compliance.domain.lookup import key_of
from compliance.engine.sight import FOREVER
from compliance.engine.signed import signable
from compliance.ledger.batch import Batch
from compliance.record import Submission
from tests.benchmarks.year_clinic import ZONES, Body
from tests.benchmarks.year_template import Again, Clock, Gap, Key, Template, Unit
from tests.recording import draft

LOT_WEEKS: Final = 4
"""A lot is delivered for so many weeks."""

SECOND: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Copy:
    """A unit at another time: so many days and seconds later, with handles of its own, its lots those of a week of the year (counted from 0)."""

    unit: Unit
    days: int
    seconds: int
    patient: str
    visit: str
    week: int
    changes: Mapping[str, Any] | None = None


@cache
def _offset(site: str, ordinal: int) -> int:
    """Seconds by which a site's clock is ahead of UTC on a day."""
    offset = (
        datetime.combine(date.fromordinal(ordinal), datetime.min.time(), ZONES[site])
        .replace(hour=12)
        .utcoffset()
    )
    assert offset is not None
    return int(offset.total_seconds())


@cache
def _read(text: str) -> tuple[datetime, bool]:
    return datetime.fromisoformat(text), text.endswith("Z")


def later_by(copy: Copy, site: str, moment: datetime) -> int:
    """How much later an instant is in a copy, in seconds: the clock on the wall shows the same, whatever the clocks did in between."""
    local = moment.astimezone(ZONES[site]).toordinal()
    return copy.days * 86_400 + copy.seconds + _offset(site, local) - _offset(site, local + copy.days)


def filled(copy: Copy, gap: Gap) -> str:
    """What stands in a gap of a copy."""
    if gap.kind == "visit":
        return gap.text + copy.visit
    if gap.kind == "patient":
        return gap.text + copy.patient
    if gap.kind == "lot":
        return f"{gap.text}.{(copy.week + gap.week) // LOT_WEEKS}"
    if gap.kind == "date":
        return (date.fromisoformat(gap.text) + timedelta(days=copy.days)).isoformat()
    if gap.kind == "instant":
        moment, in_utc = _read(gap.text)
        moved = moment.astimezone(UTC) + timedelta(seconds=later_by(copy, gap.site, moment))
        return (
            moved.isoformat().replace("+00:00", "Z")
            if in_utc
            else moved.astimezone(ZONES[gap.site]).isoformat()
        )
    return gap.text


@dataclass(slots=True)
class Due:
    """A copy with its gaps filled, and what its events need of each other."""

    copy: Copy
    texts: list[str]
    raw: list[bytes]
    placed: dict[int, int]
    bodies: dict[int, Body]


class Stock:
    """What stands in the cabinets, by site and lot."""

    def __init__(self, clean: Template) -> None:
        self._containers: Counter[tuple[str, str]] = Counter()
        self._lines: dict[str, Body] = {}
        for one in clean.days.values():
            for piece in one.pieces:
                for line in piece.body.get("lines", ()):
                    self._lines.setdefault(line["lot"], line)

    def take(self, site: str, lot: str, containers: int) -> None:
        """So many containers leave, or come."""
        self._containers[site, lot] -= containers

    def lines(self, site: str) -> list[Body]:
        """The lines of a count."""
        found = []
        for (where, lot), containers in self._containers.items():
            if where == site and containers > 0:
                line = self._lines[lot.partition(".")[0]]
                each = Decimal(line["quantity_per_container"])
                found.append(
                    {**line, "lot": lot, "containers": containers, "quantity": str(each * containers)}
                )
        return found


class Writer:
    """Appends copies' events in the order in which they were typed in."""

    def __init__(self, stock: Stock, clock: Clock) -> None:
        self._stock = stock
        self._clock = clock
        self._waiting: list[tuple[int, int, int, Due]] = []
        self._number = 0
        self.sessions = 0

    def add(self, copy: Copy) -> None:
        """A copy whose events are to be appended when it is time."""
        texts = [filled(copy, gap) for gap in copy.unit.gaps]
        due = Due(copy, texts, [orjson.dumps(text)[1:-1] for text in texts], {}, {})
        for place, piece in enumerate(copy.unit.pieces):
            moment = datetime.fromtimestamp(piece.entered / SECOND, UTC)
            at = piece.entered + later_by(copy, piece.body["site"], moment) * SECOND
            self._number += 1
            heappush(self._waiting, (at, self._number, place, due))

    def until(self, instant: int) -> Iterator[tuple[int, int, Due]]:
        """What was typed in before an instant: when, which event, of which copy."""
        while self._waiting and self._waiting[0][0] < instant:
            at, _, place, due = heappop(self._waiting)
            yield at, place, due

    def judge(self, submission: Submission, at: int, place: int, due: Due) -> None:
        """One event, judged anew, and what it has judged again."""
        body = self._made(at, place, due)
        for _ in submission.results_of(draft(body)):
            pass

    def append(self, batch: Batch, at: int, place: int, due: Due) -> None:
        """One event with its original's decision, and what that had judged again."""
        body, piece = self._made(at, place, due), due.copy.unit.pieces[place]
        shift = at - piece.entered
        keys, asked = (
            [_filled_key(key, due.texts) for key in piece.keys],
            _asked(piece.asked, due.texts, shift),
        )
        idx = batch.append(
            "event",
            {"event": body, "decision": piece.decision},
            recorded_us=batch.next_recorded_at(),
            keys=keys,
            asked=asked,
        )
        if piece.wanted:
            due.placed[place] = idx
        for again in piece.again:
            self._judged_again(batch, again, body["id"], due, shift)

    def _judged_again(self, batch: Batch, again: Again, cause: str, due: Due, shift: int) -> None:
        of = due.placed.get(again.target)
        if of is None:
            return
        batch.add_asked((key, until, of) for key, until in _asked(again.asked, due.texts, shift))
        if again.decision is not None:
            first = due.copy.unit.pieces[again.target].decision["bundle"]
            target = due.bodies[again.target]["id"]
            batch.append(
                "rejudgement",
                {
                    "target": target,
                    "of": of,
                    "cause": cause,
                    "first_bundle": first,
                    "decision": again.decision,
                },
            )

    def _made(self, at: int, place: int, due: Due) -> Body:
        self._clock.now = at
        piece, raw = due.copy.unit.pieces[place], due.raw
        parts = piece.parts
        pieces = [parts[0]]
        for number, part in zip(piece.gaps, parts[1:], strict=True):
            pieces += (raw[number], part)
        body: Body = orjson.loads(b"".join(pieces))
        kind = body["kind"]
        if piece.takes is not None:
            self.sessions += 1
            self._stock.take(body["site"], due.texts[piece.takes], 1)
        if kind == "receipt":
            body |= due.copy.changes or {}
            each = Decimal(body["quantity_per_container"])
            body["quantity"] = str(each * body["containers"])
            self._stock.take(body["site"], body["lot"], -body["containers"])
        elif kind == "inventory_count" and body["count_type"] == "cycle":
            if any("discrepancy" in one.body for one in due.copy.unit.pieces):
                self._stock.take(body["site"], f"{VIALS_IV}.{due.copy.week // LOT_WEEKS}", 1)
            body.pop("nothing_on_hand", None)
            body["lines"] = self._stock.lines(body["site"])
            if not body["lines"]:
                body["nothing_on_hand"] = True
        elif kind == "signature" and piece.signs in due.bodies:
            signed = due.bodies[piece.signs]
            body["target_sha256"] = signable(signed)
        if piece.wanted:
            due.bodies[place] = body
        return body


def _filled_key(key: Key, texts: list[str]) -> int:
    return key if isinstance(key, int) else key_of(key[0], key[1], texts[key[2]])


def _asked(asked: Any, texts: list[str], shift: int) -> list[tuple[int, int]]:
    return [(_filled_key(key, texts), until if until >= FOREVER else until + shift) for key, until in asked]
