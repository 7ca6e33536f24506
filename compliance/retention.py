"""How long records must be kept before a person may be erased: periods as dated parameters with their sources, and legal holds.

The numbers are those of the policies (``er-retain-09``, ``s3-rec-retain-29``, ``rems-records-audit-purge``; a test compares them), and where the policies
in force ask for longer, that counts. A person is kept as long as the record that is kept longest.

    >>> add_years(date(2024, 2, 29), 2)
    datetime.date(2026, 3, 1)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from compliance.domain.event import Event
from compliance.domain.values import SCALE, UNKNOWN
from compliance.policy.expression.implementations import state_rule
from compliance.policy.model import Bundle


@dataclass(frozen=True, slots=True)
class Years:
    """A number of years, from a date on, with where it is written."""

    start: date
    years: int
    cites: str


@dataclass(frozen=True, slots=True)
class Period:
    """How long records of some kinds are kept (of all kinds where `kinds` is empty), and the parameter of the policies that says it."""

    name: str
    kinds: frozenset[str]
    values: tuple[Years, ...]
    rule: str = ""
    parameter: str = ""


PERIODS: Final = (
    Period(
        "records of controlled drugs",
        frozenset({
            "receipt", "administration", "dispense", "wastage", "transfer_out", "destruction", "inventory_count", "discrepancy",
            "prescription", "external_report", "registration", "correction", "void", "signature",
        }),
        (Years(date(1971, 5, 1), 2, "21 USC 827(b); 21 CFR 1304.04(a)"),),
        "s3-rec-retain-29", "dea_years",
    ),
    Period(
        "electronic prescriptions", frozenset({"prescription", "signature", "access_change"}),
        (Years(date(2010, 6, 1), 2, "21 CFR 1311.305"),),
        "er-retain-09", "epcs_years",
    ),
    Period(
        "documentation that HIPAA asks for", frozenset(),
        (Years(date(2005, 4, 20), 6, "45 CFR 164.316(b)(2)(i); 45 CFR 164.530(j)(2)"),),
        "er-retain-09", "document_years",
    ),
    Period(
        "records of the REMS",
        frozenset({"monitoring_form", "patient_enrollment", "site_certification", "training"}),
        (Years(date(2019, 3, 5), 7, "site policy; the SPRAVATO REMS Document names no time"),),
        "rems-records-audit-purge", "keep_years",
    ),
    Period(
        "medical records", frozenset(),
        (Years(date(1971, 5, 1), 7, "site policy: longer than most states ask; to be confirmed by counsel for each state"),),
    ),
)  # fmt: skip
"""What applies to every site; the state's own years (`retention_years` of the bundle's table of states) come on top."""

MINORS: Final = Period(
    "records of minors, from the day they come of age", frozenset(),
    (Years(date(1971, 5, 1), 7, "site policy: most states keep them past majority; to be confirmed by counsel for each state"),),
)  # fmt: skip

NOT_COUNTED: Final = frozenset({"record_access", "patient_request", "system_event"})
"""Kinds that do not keep a person: the entries themselves stay for good, and to look somebody up must not put erasure off."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Why somebody cannot be erased: in words, with the last day of the period (None: a hold without an end)."""

    why: str
    until: date | None


def kept_by_periods(
    records: Iterable[tuple[Event, date, str | None]], majority: date | None, bundle: Bundle, today: date
) -> Iterator[Kept]:
    """The periods that have not run out. `records` are the person's events with their day and the state of their site, where it is known."""
    latest: dict[str, tuple[date, str]] = {}

    def note(name: str, until: date, cites: str) -> None:
        if name not in latest or latest[name][0] < until:
            latest[name] = (until, cites)

    for event, day, state in records:
        if event.kind in NOT_COUNTED:
            continue
        for period in PERIODS:
            years = _years(period, bundle, today, event.values["site"])
            if years is not None and (not period.kinds or event.kind in period.kinds):
                note(period.name, add_years(day, years.years), years.cites)
        if state is not None:
            asked = state_rule(bundle.tables, today.toordinal(), state, "retention_years")
            if asked is not UNKNOWN and asked is not None:
                note(
                    f"records in {state}",
                    add_years(day, -(-int(asked) // SCALE)),
                    "table of states, retention_years",
                )
    if majority is not None and latest:
        years = _years(MINORS, bundle, today, "")
        if years is not None:
            note(MINORS.name, add_years(majority, years.years), years.cites)
    for name, (until, cites) in sorted(latest.items(), key=lambda item: item[1][0], reverse=True):
        if today <= until:
            yield Kept(f"{name} are kept ({cites})", until)


def _years(period: Period, bundle: Bundle, today: date, site: str) -> Years | None:
    """What holds today: the table's number, or a greater one of the policies in force, the site's own among them."""
    found = max((one for one in period.values if one.start <= today), key=lambda one: one.start, default=None)
    if found is None or not period.rule:
        return found
    try:
        parameters = bundle.parameters(bundle.rule(period.rule), today.toordinal(), site)
    except KeyError:  # other policies are in force
        return found
    value = parameters.get(period.parameter)
    if isinstance(value, int) and value > found.years * SCALE:
        return Years(today, -(-value // SCALE), f"{period.rule} of the policies in force")
    return found


def kept_by_holds(system_events: Iterable[Event], kinds: frozenset[str]) -> Iterator[Kept]:
    """The legal holds that stand and concern records of some kinds; a hold that names no kinds concerns all.

    A hold ends with a ``legal_hold_off`` of the same site that names the same kinds, or none.
    """
    standing: list[Event] = []
    for event in sorted(system_events, key=lambda one: one.order):
        activity = event.values["activity"]
        if activity == "legal_hold_on":
            standing.append(event)
        elif activity == "legal_hold_off":
            lifted = next((one for one in reversed(standing) if _same_hold(one, event)), None)
            if lifted is not None:
                standing.remove(lifted)
    for event in standing:
        held = frozenset(event.values.get("record_kinds", ()))
        if not held or held & kinds:
            day = event.body["occurred_at"][:10]
            about = f" on {', '.join(sorted(held))}" if held else ""
            yield Kept(f"the legal hold {event.id} of {day}{about} stands", None)


def _same_hold(on: Event, off: Event) -> bool:
    lifted = frozenset(off.values.get("record_kinds", ()))
    return on.values["site"] == off.values["site"] and (
        not lifted or lifted == frozenset(on.values.get("record_kinds", ()))
    )


def add_years(day: date, years: int) -> date:
    """The same day so many years later; 1 March where there is no 29 February."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
