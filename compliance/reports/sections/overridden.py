"""Overrides: who let an act go on against a denial, given or used on the day, and how often each person does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from compliance.continuation import decision_at
from compliance.domain.event import Event
from compliance.domain.findings import Severity
from compliance.domain.time import local_date
from compliance.reports.news import Act, News, is_news
from compliance.reports.night import Night
from compliance.reports.page import Cell, Column, Item, Level, Section, Table, worst
from compliance.reports.quarter import quarter
from compliance.reports.window import DAYS, rejudgements

MANY: Final = 5
"""Overrides by one person in ninety days from which on they are many, where they are more than half of all: an exception has become a way of
working. Fewer may all belong to one patient."""

State: TypeAlias = Literal["used", "not yet used", "expired unused"]

_COLUMNS: Final = (
    Column("entry", "Entry", "entries"),
    Column("site", "Site"),
    Column("override", "Override"),
    Column("given_at", "Given", "instant"),
    Column("given_by", "Given by"),
    Column("approved_by", "Approved by"),
    Column("emergency", "Emergency"),
    Column("requirements", "Requirements"),
    Column("denied", "Denied act"),
    Column("rules", "Rules"),
    Column("expires_at", "Expires", "instant"),
    Column("state", "State"),
    Column("acts", "Entries of the act", "entries"),
    Column("by_the_same", f"By the same person in {DAYS} days", "count"),
)
_GIVERS: Final = (
    Column("person", "Person"),
    Column("given", "Given", "count"),
    Column("approved", "Approved for others", "count"),
    Column("emergencies", "In an emergency", "count"),
    Column("used", "Used", "count"),
    Column("expired", "Expired unused", "count"),
)


class Told(NamedTuple):
    """An override with what it was about: the proposed act (None where there is none), the rules that denied it and that it names a requirement
    of, what it let go on, and how it stands at the end of the day."""

    event: Event
    proposed: Event | None
    rules: tuple[str, ...]
    acts: Sequence[Act]
    state: State


def overrides(night: Night) -> Section:
    """Overrides that were given on the day, or under which an act was done on it; and the ninety days by person."""
    news = quarter(night).news
    told = [_told(night, news, one) for one in _of_the_day(night, news)]
    given = Counter(one.values["actor"] for one in news.overrides.values())
    items = tuple(_item(night, one, given) for one in told)
    rows = tuple(_row(night, one, given) for one in told)
    summary = (
        "No override was given or used."
        if not told
        else f"{len(told)} {'override was' if len(told) == 1 else 'overrides were'} given or used."
    )
    return Section(
        "overrides", "Overrides", worst([item.level for item in items]), summary, items,
        (
            Table("overrides", "Overrides given or used on the day", _COLUMNS, rows),
            Table("override-givers", f"Overrides of {DAYS} days by person", _GIVERS, _givers(night, news)),
        ),
        notes=("Why an override was given is free text and stays in the vault, under the override's event.",) if told else (),
    )  # fmt: skip


def _of_the_day(night: Night, news: News) -> list[Event]:
    """Those that are news, and those under which something was done on the day, or became known to have been; in the order of the log."""
    ids = {event.id for event in news.overrides.values() if _on_the_day(night, event)}
    ids |= {name for name, acts in news.acts.items() if any(_on_the_day(night, act.event) for act in acts)}
    found = (news.overrides.get(name) or night.history.stands(name) for name in ids)
    return sorted((event for event in found if event is not None), key=lambda event: event.position)


def _on_the_day(night: Night, event: Event) -> bool:
    return (
        is_news(night, event)
        or local_date(event.occurred_at, night.of(event.values["site"]).zone) == night.day
    )


def _told(night: Night, news: News, event: Event) -> Told:
    proposed = night.history.sent(event.values["overrides_event"])
    rules = () if proposed is None else _denying(night, proposed, event.values["requirements"])
    return Told(event, proposed, rules, news.acts.get(event.id, ()), _state(night, news, event))


def _state(night: Night, news: News, event: Event) -> State:
    if news.acts.get(event.id):
        return "used"
    return "expired unused" if event.values.get("expires_at", night.ends) < night.ends else "not yet used"


def _denying(night: Night, proposed: Event, requirements: Sequence[str]) -> tuple[str, ...]:
    """The rules that denied the act and keep one of the requirements."""
    again = rejudgements(night, proposed.id)
    decision = decision_at(night.log, again[-1].idx if again else proposed.position)
    bundle = night.bundles.bundle(decision.bundle)
    denied = (finding.rule for finding in decision.findings if finding.severity is Severity.DENY)
    return tuple(rule for rule in denied if set(bundle.rule(rule).implements) & set(requirements))


def _item(night: Night, told: Told, given: Counter[str]) -> Item:
    event, values = told.event, told.event.values
    giver, approver, site = values["actor"], values["approved_by"], values["site"]
    many = given[giver] >= MANY and 2 * given[giver] > given.total()
    unreviewed = values["emergency"] and "reviewed_by" not in values
    todo = [
        *(["Have it reviewed by somebody who took no part, and record who did."] if unreviewed else []),
        *(
            [
                f"{giver} gave {given[giver]} of {given.total()} overrides in {DAYS} days: see whether the rule or the work must change."
            ]
            if many
            else []
        ),
        *(
            ["Giver and approver are one person: see whether a second one should have decided."]
            if giver == approver
            else []
        ),
    ]
    return Item(
        Level.ACTION if todo else Level.NOTICE,
        f"{giver} let {_act(told)} go on against {', '.join(values['requirements'])}, approved by {approver}"
        f"{' (emergency)' if values['emergency'] else ''}; {told.state}.",
        where=f"given {night.instant(event.occurred_at, site)}" + _done(night, told.acts),
        todo=" ".join(todo),
        rule=", ".join(told.rules),
        site=site,
        event=event.id,
        at=night.instant(event.occurred_at, site),
        values={
            "given by": giver, "approved by": approver, "requirements": ", ".join(values["requirements"]), "rules": ", ".join(told.rules) or "none",
            "emergency": "yes" if values["emergency"] else "no", "reviewed by": values.get("reviewed_by", "nobody"),
            "expires": night.instant(values["expires_at"], site) if "expires_at" in values else "never", "state": told.state,
            f"by {giver} in {DAYS} days": str(given[giver]),
        },
        entries=_entries(told),
    )  # fmt: skip


def _act(told: Told) -> str:
    if told.proposed is None:
        return f"an act that the log does not know ({told.event.values['overrides_event']})"
    return f"{told.proposed.kind.replace('_', ' ')} {told.proposed.id}"


def _done(night: Night, acts: Sequence[Act]) -> str:
    if not acts:
        return ""
    return ", done " + ", ".join(
        night.instant(act.event.occurred_at, act.event.values["site"]) for act in acts
    )


def _entries(told: Told) -> tuple[int, ...]:
    proposed = () if told.proposed is None else (told.proposed.position,)
    return (*proposed, told.event.position, *(act.event.position for act in told.acts))


def _row(night: Night, told: Told, given: Counter[str]) -> tuple[Cell, ...]:
    event, values = told.event, told.event.values
    site = values["site"]
    return (
        str(event.position), site, event.id, night.instant(event.occurred_at, site), values["actor"], values["approved_by"],
        "yes" if values["emergency"] else "no", ", ".join(values["requirements"]), _act(told), ", ".join(told.rules) or None,
        night.instant(values["expires_at"], site) if "expires_at" in values else None, told.state,
        ",".join(str(act.event.position) for act in told.acts) or None, given[values["actor"]],
    )  # fmt: skip


def _givers(night: Night, news: News) -> tuple[tuple[Cell, ...], ...]:
    """By person, who gives most first."""
    given: Counter[str] = Counter()
    counts: dict[str, Counter[str]] = {}
    for event in news.overrides.values():
        giver, approver = event.values["actor"], event.values["approved_by"]
        given[giver] += 1
        mine = counts.setdefault(giver, Counter())
        mine[_state(night, news, event)] += 1
        mine["emergency"] += event.values["emergency"]
        if approver != giver:
            counts.setdefault(approver, Counter())["approved"] += 1
    return tuple(
        (person, given[person], mine["approved"], mine["emergency"], mine["used"], mine["expired unused"])
        for person, mine in sorted(counts.items(), key=lambda one: (-given[one[0]], one[0]))
    )
