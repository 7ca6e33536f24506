"""Late entries, corrections and voids: what was entered on the day about what had happened before, and what it changed.

Why somebody says it was done stays in the identity vault: here stands only whether a reason was given, and of free text only that it changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from compliance.domain.event import Event
from compliance.domain.free_text import FREE_TEXT, PREFIX
from compliance.domain.time import format_duration
from compliance.domain.vocabulary import KINDS
from compliance.ledger.entry import Entry
from compliance.reports.lateness import delay, longest
from compliance.reports.night import Night
from compliance.reports.page import Cell, Column, Item, Level, Section, Table, worst
from compliance.reports.quarter import quarter
from compliance.reports.window import Seen, rejudgements

_GOOD: Final = frozenset({"compliant", "permitted", "voided"})
_LATE: Final = (
    Column("entry", "Entry", "entries"),
    Column("site", "Site"),
    Column("event", "Event"),
    Column("kind", "Kind"),
    Column("entered_by", "Entered by"),
    Column("occurred_at", "Occurred", "instant"),
    Column("noted_at", "Noted", "instant"),
    Column("late", "Later by"),
    Column("reason", "Reason"),
    Column("judged_again", "Judged again"),
)
_AMENDED: Final = (
    Column("entry", "Entry", "entries"),
    Column("site", "Site"),
    Column("event", "Event"),
    Column("what", "What"),
    Column("of", "Of event"),
    Column("of_kind", "Of kind"),
    Column("entered_by", "Entered by"),
    Column("approved_by", "Approved by"),
    Column("noted_at", "Noted", "instant"),
    Column("why", "Why"),
    Column("changed", "Changed"),
    Column("judged_again", "Judged again"),
)
_NOTE: Final = (
    "An entry is late where it was noted longer after the event than is allowed, or more than an hour after it and on a later day or with a reason. "
    "Reasons are free text and stay in the vault; whoever may read them finds them there under the event."
)


class Again(NamedTuple):
    """An event that was judged again because of an entry: how it was judged before and after, and the entry that says so."""

    event: str
    before: str
    after: str
    idx: int

    def __str__(self) -> str:
        return (
            f"{self.event}: {self.before} to {self.after}"
            if self.before != self.after
            else f"{self.event}: other findings, still {self.after}"
        )


def late(night: Night) -> Section:
    """What came late on the day, and what was corrected or voided, with the verdicts that changed by it."""
    news = quarter(night).news
    came = [(seen, tuple(_judged_again(night, seen.event))) for seen in sorted(news.late, key=_by_entry)]
    made = [
        (seen, tuple(_judged_again(night, seen.event))) for seen in sorted(news.amendments, key=_by_entry)
    ]
    items = (
        *(_late_item(night, seen, again) for seen, again in came),
        *(_amended_item(night, seen, again) for seen, again in made),
    )
    return Section(
        "late", "Late entries and corrections", worst([item.level for item in items]), _summary(came, made), items,
        (
            Table("late-entries", "Entries that came late", _LATE, tuple(_late_row(night, *one) for one in came)),
            Table("corrections", "Corrections and voids", _AMENDED, tuple(_amended_row(night, *one) for one in made)),
        ),
        notes=(_NOTE,),
    )  # fmt: skip


def _by_entry(seen: Seen) -> int:
    return seen.idx


def _summary(came: list[Any], made: list[Any]) -> str:
    voids = sum(seen.event.kind == "void" for seen, _ in made)
    counts = (
        (len(came), "entry came late", "entries came late"),
        (len(made) - voids, "correction was made", "corrections were made"),
        (voids, "event was voided", "events were voided"),
    )
    said = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
    return f"{', '.join(said)}." if said else "Nothing came late, and nothing was corrected or voided."


# ---- late entries


def _late_item(night: Night, seen: Seen, again: tuple[Again, ...]) -> Item:
    event, given = seen.event, "reason" in seen.event.values
    site = event.values["site"]
    waited = format_duration(delay(event))
    allowed = longest(night, site)
    todo = (
        ""
        if given
        else "Add as a correction why it came late; the day of the record stays that of the true event."
    )
    return Item(
        # What came within the time allowed needs no reason, only to be seen.
        Level.ACTION if not given and delay(event) > allowed else Level.NOTICE,
        f"{event.kind.replace('_', ' ')} {event.id} was entered {waited} late by {event.values['actor']}, {'with a reason' if given else 'without a reason'}.",
        where=f"occurred {night.instant(event.occurred_at, site)}, noted {night.instant(event.noted_at, site)}",
        todo=todo,
        site=site,
        event=event.id,
        at=night.instant(event.noted_at, site),
        values={
            "late": waited, "entered by": event.values["actor"], "reason": "given" if given else "not given",
            "longest allowed": format_duration(allowed), "verdict": seen.verdict, **_said(again),
        },
        entries=(seen.idx, *(one.idx for one in again)),
    )  # fmt: skip


def _late_row(night: Night, seen: Seen, again: tuple[Again, ...]) -> tuple[Cell, ...]:
    event = seen.event
    site = event.values["site"]
    return (
        str(seen.idx), site, event.id, event.kind, event.values["actor"], night.instant(event.occurred_at, site),
        night.instant(event.noted_at, site), format_duration(delay(event)), _reason(event), _told(again) or None,
    )  # fmt: skip


# ---- corrections and voids


def _amended_item(night: Night, seen: Seen, again: tuple[Again, ...]) -> Item:
    event, values = seen.event, seen.event.values
    site = values["site"]
    target = night.history.sent(values["corrects"])
    about = f"{values['corrects']}" if target is None else f"{target.kind.replace('_', ' ')} {target.id}"
    what = "corrected" if event.kind == "correction" else "voided"
    changed = "; ".join(_changes(event))
    worse = any(one.before in _GOOD and one.after not in _GOOD for one in again)
    approved = values.get("approved_by")
    return Item(
        Level.ACTION if worse or seen.verdict == "violation" else Level.NOTICE,
        f"{values['actor']} {what} {about}" + (f": {changed}." if changed else "."),
        where=f"noted {night.instant(event.noted_at, site)}; {values['reason_code']}; "
        + (f"approved by {approved}" if approved else "nobody is named as approving it"),
        todo=_todo(seen, worse=worse),
        site=site,
        event=event.id,
        at=night.instant(event.noted_at, site),
        values={
            "entered by": values["actor"], "approved by": approved or "nobody", "reason": _reason(event), "why": values["reason_code"],
            "verdict": seen.verdict, **_said(again),
        },
        entries=(*(() if target is None else (target.position,)), seen.idx, *(one.idx for one in again)),
    )  # fmt: skip


def _todo(seen: Seen, *, worse: bool) -> str:
    if seen.verdict == "violation":
        return "See what is held against it among the violations: it may have no effect, or lack an approval."
    return "See among the violations what now stands against the event." if worse else ""


def _amended_row(night: Night, seen: Seen, again: tuple[Again, ...]) -> tuple[Cell, ...]:
    event, values = seen.event, seen.event.values
    target = night.history.sent(values["corrects"])
    site = values["site"]
    return (
        str(seen.idx), site, event.id, event.kind, values["corrects"], None if target is None else target.kind, values["actor"],
        values.get("approved_by"), night.instant(event.noted_at, site), f"{values['reason_code']}, reason {_reason(event)}",
        "; ".join(_changes(event)) or None, _told(again) or None,
    )  # fmt: skip


def _changes(event: Event) -> Iterator[str]:
    """The fields that a correction names, with old and new value where they are no free text."""
    for change in event.body.get("fields", ()):
        name = change["name"]
        old, new = _value(name, change["old"]), _value(name, change["new"])
        yield f"{name} (text)" if old is None or new is None else f"{name} from {old} to {new}"


def _value(name: str, written: str) -> str | None:
    """A value as JSON text in words; None where it is or may hold free text."""
    if name in FREE_TEXT or name not in _NAMES or PREFIX in written:
        return None
    try:
        value = json.loads(written, parse_float=str)
    except (ValueError, RecursionError):
        return None
    if value is None:
        return "nothing"
    if isinstance(value, Mapping) or (
        isinstance(value, list) and any(isinstance(one, Mapping) for one in value)
    ):
        return None
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else _word(value)


def _word(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


_NAMES: Final = frozenset(name for kind in KINDS.values() for name in kind.fields)


def _reason(event: Event) -> str:
    return "given" if "reason" in event.values else "not given"


# ---- what was judged again


def _judged_again(night: Night, event: Event) -> Iterator[Again]:
    """What the log judged again because of an entry: it stands right behind it."""
    for entry in _behind(night, event.position):
        if entry.type == "continuation":
            continue
        earlier = [one for one in rejudgements(night, str(entry.target)) if one.idx < entry.idx]
        before = (earlier or [night.log.entry(entry.document()["of"])])[-1]
        yield Again(str(entry.target), str(before.verdict), str(entry.verdict), entry.idx)


def _behind(night: Night, idx: int) -> Iterator[Entry]:
    for at in range(idx + 1, night.size):
        entry = night.log.entry(at)
        if entry.type not in ("rejudgement", "continuation"):
            return
        yield entry


def _told(again: tuple[Again, ...]) -> str:
    return "; ".join(map(str, again))


def _said(again: tuple[Again, ...]) -> dict[str, str]:
    return {"judged again": _told(again)} if again else {}
