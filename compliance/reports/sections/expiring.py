"""What has expired and is still in use, and what will within ninety days: of persons, places, equipment, patients and goods."""

from __future__ import annotations

from itertools import chain
from typing import Final

from compliance.domain.time import format_date
from compliance.reports.expiry.authorities import authorities
from compliance.reports.expiry.ending import ACTION_DAYS, NOTICE_DAYS, Ending
from compliance.reports.expiry.goods import goods
from compliance.reports.night import Night
from compliance.reports.page import Cell, Column, Item, Level, Section, Table, worst

_COLUMNS: Final = (
    Column("holder", "Whose"),
    Column("what", "What"),
    Column("number", "Number"),
    Column("site", "Site"),
    Column("until", "Last day", "date"),
    Column("days_left", "Days left", "count"),
    Column("standing", "Standing"),
    Column("where", "More"),
    Column("entry", "Entry", "entries"),
    Column("event", "Event"),
)
_NOTE: Final = (
    f"Named are what has expired or lost its standing and is still in use, what ends within {ACTION_DAYS} days, and what ends within {NOTICE_DAYS}. "
    "What was renewed stands with its new day, and what belongs to somebody who has left, to a supplier from whom nothing came for half a year, "
    "or to a patient without a dose in ninety days is not named."
)


def expiring(night: Night) -> Section:
    """What ends, the most urgent first; days left are counted from the night's day, negative where the last day has gone by."""
    found = [
        (level, one)
        for one in chain(authorities(night), goods(night))
        if (level := one.level(night.day)) is not None
    ]
    order = list(Level)
    found.sort(key=lambda pair: (order.index(pair[0]), _by_day(pair[1]), pair[1].holder, pair[1].what))
    items = tuple(_item(night, level, one) for level, one in found)
    rows = tuple(_row(night, one) for _, one in found)
    table = Table("expiring", "What has expired or will within ninety days", _COLUMNS, rows, headers=2)
    return Section(
        "expiring", "Expired and expiring", worst([level for level, _ in found]), _summary(found), items, (table,), notes=(_NOTE,)
    )  # fmt: skip


def _by_day(one: Ending) -> int:
    return 0 if one.until is None else one.until


def _summary(found: list[tuple[Level, Ending]]) -> str:
    said = [
        f"{count} {words}"
        for level, words in (
            (Level.ALARM, "expired or not in good standing, and needed"),
            (Level.ACTION, f"to be renewed now (within {ACTION_DAYS} days)"),
            (Level.NOTICE, f"ending within {NOTICE_DAYS} days"),
        )
        if (count := sum(one is level for one, _ in found))
    ]
    return (
        f"{'; '.join(said)}."
        if said
        else f"Nothing in use has expired, and nothing will within {NOTICE_DAYS} days."
    )


def _item(night: Night, level: Level, one: Ending) -> Item:
    event = one.event
    values = {
        "whose": one.holder, "what": one.what, "number": one.number, "standing": one.standing,
        "last day": "" if one.until is None else format_date(one.until), "days left": "" if one.until is None else str(one.until - night.day),
    }  # fmt: skip
    return Item(
        level,
        _title(night, one),
        where=one.where,
        todo=one.todo,
        cites=_cites(night, one.rule),
        rule=one.rule,
        site=event.values["site"],
        event=event.id,
        values={name: value for name, value in values.items() if value},
        entries=(event.position,),
    )


def _title(night: Night, one: Ending) -> str:
    if one.says:
        return one.says
    name = f"{one.holder}: {one.what}{f' {one.number}' if one.number else ''}"
    if one.standing:
        return f"{name} is {one.standing} since {night.instant(one.event.occurred_at, one.event.values['site'])}."
    assert one.until is not None
    days, date = one.until - night.day, format_date(one.until)
    if days < 0:
        return f"{name} expired on {date}, {_days(-days)} ago."
    return f"{name} expires on {date}, {'today' if days == 0 else f'in {_days(days)}'}."


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _row(night: Night, one: Ending) -> tuple[Cell, ...]:
    event = one.event
    return (
        one.holder, one.what, one.number or None, event.values["site"], None if one.until is None else format_date(one.until),
        None if one.until is None else one.until - night.day, _standing(night, one), one.where or None, str(event.position), event.id,
    )  # fmt: skip


def _standing(night: Night, one: Ending) -> str:
    if one.standing or one.until is None:
        return one.standing
    return "expired" if one.until < night.day else "in force"


def _cites(night: Night, rule: str) -> str:
    """Where the rule that asks for it is written; empty where the policies in force do not have it."""
    try:
        cites = night.judge.bundle.rule(rule).cites
    except KeyError:
        return ""
    return "; ".join(f"{cite.source}, {cite.at}" if cite.at else cite.source for cite in cites)
