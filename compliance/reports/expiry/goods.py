"""Goods with a last day that are still there: lots in stock, and containers that were opened.

What may be in stock is what the last complete count found and what came since; only of lots that end soon are the containers looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from compliance.domain.drugs import DRUGS
from compliance.domain.event import Event
from compliance.domain.quantity import format_decimal
from compliance.domain.values import SCALE, UNKNOWN
from compliance.engine.nights import NIGHT, NightSight
from compliance.engine.stock import balance
from compliance.reports.expiry.ending import NOTICE_DAYS, Ending, last_day, present
from compliance.reports.night import Night
from compliance.reports.quarter import quarter

_USABLE: Final = frozenset({"in_stock", "opened", "in_use"})
_ASIDE: Final = frozenset({"quarantined", "awaiting_disposal", "sealed_by_order"})

_OPENED_DAYS: Final = 3
"""A vial that was opened is good for days or weeks, so it is named only when they are nearly over."""

_LAST: Final = 2**62


class Lot(NamedTuple):
    """A lot that may be in stock, under the registration that it is booked under."""

    registration: str | None
    drug: str
    lot: str


def goods(night: Night) -> Iterator[Ending]:
    """Every lot and opened container that is there and has a last day near enough to be named."""
    for lot in sorted(_lots(night), key=lambda one: (one.drug, one.lot, one.registration or "")):
        labelled = _labelled(night, lot)
        if labelled is not None and labelled.values["expires_on"] <= night.day + NOTICE_DAYS:
            left = _left(night, lot)
            if left:
                yield Ending(
                    f"lot of {lot.drug}", lot.lot, labelled.values["expires_on"], labelled,
                    "Move what has expired to the quarantine place, and record that; it stays in the inventory until it is handed over or destroyed."
                    if labelled.values["expires_on"] < night.day else "Use it first, or send it back in time.",
                    rule="s3-disp-prompt-60", where=left,
                )  # fmt: skip
    yield from _opened(night)


def _lots(night: Night) -> set[Lot]:
    """What the last complete count of each registration found, and what came since, at the sites covered."""
    counted: dict[str, Event] = {}
    for registration in present(night, "registration"):
        handle = registration.values["registration"]
        if registration.values["holder_kind"] in ("own_site", "own_practitioner"):
            found = night.history.newest_first(
                "inventory_count", "registration", handle, night.ends - 1, None
            )
            count = next((one for one in found if one.values["complete"]), None)
            if count is not None:
                counted[handle] = count
    lots = {
        Lot(handle, line["drug"], line["lot"])
        for handle, count in counted.items()
        if night.covers(count.values["site"])
        for line in count.values["lines"]
        if "lot" in line
    }
    for site in night.sites:
        counts = [count for count in counted.values() if count.values["site"] == site.site]
        # What came before was counted, or is gone; how much is left of what came since is looked at lot by lot.
        since = min((count.occurred_at for count in counts), default=None)
        for event in night.history.newest_first("receipt", "site", site.site, site.ends - 1, since):
            values = event.values
            if "lot" in values:
                lots.add(Lot(values.get("registration"), values["drug"], values["lot"]))
    return lots


def _labelled(night: Night, lot: Lot) -> Event | None:
    """The newest delivery of a lot that says until when it is good, else the newest such state of a container."""
    for kind in ("receipt", "container_status"):
        for event in night.history.newest_first(kind, "lot", lot.lot, night.ends - 1, None):
            if event.values.get("drug", lot.drug) == lot.drug and "expires_on" in event.values:
                return event
    return None


def _left(night: Night, lot: Lot) -> str:
    """What is left in usable stock, in words; empty where nothing is."""
    states = [
        event
        for event in present(night, "container_status", "lot", lot.lot)
        if event.values.get("drug", lot.drug) == lot.drug and _booked(event, lot)
    ]
    usable = [event for event in states if event.values["status"] in _USABLE]
    if usable:
        names = ", ".join(sorted(event.values["container"] for event in usable)[:_NAMED])
        more = f" and {len(usable) - _NAMED} more" if len(usable) > _NAMED else ""
        return f"{len(usable)} {'container' if len(usable) == 1 else 'containers'} in usable stock: {names}{more}"
    received = sum(
        _containers(event.values)
        for event in night.history.newest_first("receipt", "lot", lot.lot, night.ends - 1, None)
        if event.values["accepted"] and event.values["drug"] == lot.drug and _booked(event, lot)
    )
    if states and len(states) >= received:
        return ""  # the log follows each container, and none of them is usable
    held = _balance(night, lot)
    if held is UNKNOWN:
        return "how much is left is not known"
    aside = sum(event.values.get("quantity_left", 0) for event in states if event.values["status"] in _ASIDE)
    return (
        f"{format_decimal(held - aside)} {DRUGS[lot.drug].stock_unit} left by the books"
        if held > aside
        else ""
    )


_NAMED: Final = 3
"""Containers that are named; the log has the rest."""


def _booked(event: Event, lot: Lot) -> bool:
    return lot.registration is None or event.values.get("registration", lot.registration) == lot.registration


def _containers(values: Any) -> int:
    """How many containers the log would follow: a kit's devices one by one, vials and packages as they came."""
    count: int = values["quantity"] if values["quantity_unit"] == "device" else values["containers"]
    return count // SCALE


def _balance(night: Night, lot: Lot) -> Any:
    """The book balance at the end of the day, in millionths of the stock unit, or UNKNOWN."""
    wanted = {"registration": lot.registration, "drug": lot.drug, "lot": lot.lot}
    keys = {name: value for name, value in wanted.items() if value is not None}
    as_of = Event("night", NIGHT, {}, {"intent": "performed"}, night.ends - 1, None, _LAST)
    return balance(tuple(keys), keys, NightSight(night.history, as_of))


def _opened(night: Night) -> Iterator[Ending]:
    """Containers opened within the window, whose use-by has come or is about to."""
    for one in quarter(night).in_use.containers.values():
        if one.status in _USABLE and one.beyond_use_at is not None:
            event = night.history.stands(one.event_id)
            assert event is not None
            until = last_day(night, one.beyond_use_at, one.site)
            use_by = f"use by {night.instant(one.beyond_use_at, one.site)}"
            yield Ending(
                f"opened container of {one.drug or 'a drug'}", one.container, until, event,
                "Take nothing more from it; waste the rest before a witness, and record it as empty." if until < night.day else "Use it before then.",
                rule="s3-disp-prompt-60", where=f"lot {one.lot}, {use_by}" if one.lot else use_by, soon=_OPENED_DAYS, mentioned=_OPENED_DAYS,
            )  # fmt: skip
