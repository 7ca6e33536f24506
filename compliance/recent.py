"""What the log knows that a person who enters an event may mean: its sites, and handles that were named lately.

Only handles are offered (containers, lots, orders, visits, events by id), never free text, staff or patients: one line too far down a list of
people is a record in the wrong name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Any, Final

from compliance.domain.drugs import DRUGS
from compliance.domain.event import Event
from compliance.domain.identifiers import ndc11
from compliance.domain.lookup import EVERY
from compliance.domain.reading import Unreadable
from compliance.domain.time import format_instant
from compliance.domain.vocabulary import KINDS
from compliance.intake.scan import listed_ndcs
from compliance.ledger.history import LogHistory

OFFERED: Final = frozenset({
    "container", "course", "discrepancy", "equipment", "episode", "invoice_no", "kit", "lot", "ndc11", "order", "preparation",
    "prescription", "registration", "session", "storage_place",
})  # fmt: skip
"""Fields whose recent values are offered, beside those that name an event."""

MOST: Final = 6
LOOKED_AT: Final = 60
"""So many events are read for one list, so that an offer costs the same in a large log."""

_NARROWING: Final = ("patient", "session", "drug", "lot")
_GONE: Final = frozenset({"empty", "lost", "transferred"})
_OF_KIND: Final = {"count": "inventory_count"}


def sites(history: LogHistory) -> list[str]:
    """The sites that have a profile, the last to be described first."""
    found = (event.values["site"] for event in history.newest_first("site_profile", EVERY, "", None, None))
    return list(dict.fromkeys(found))


def zone_of(history: LogHistory, site: str) -> str | None:
    """The time zone of a site by its last profile; None where it has none."""
    profile = next(history.newest_first("site_profile", "site", site, None, None), None)
    return None if profile is None else str(profile.values["time_zone"])


def recent(history: LogHistory, field: str, body: Mapping[str, Any], zone: str) -> dict[str, str]:
    """Values of a field that recent events name and that fit what the body says already, the newest first, with the event that named them."""
    kinds, wanted = _where(field, body["kind"])
    found: dict[str, str] = {}
    for event in islice(_newest(history, kinds, body), LOOKED_AT):
        value = event.values.get(wanted)
        if not isinstance(value, str) or value in found or not _fits(event, body):
            continue
        if field == "container" and _gone(history, value):
            continue
        found[value] = f"{event.kind}, {format_instant(event.occurred_at, zone)[:16].replace('T', ' ')}"
        if len(found) == MOST:
            break
    return found


def known_ndcs(history: LogHistory) -> dict[str, frozenset[str]]:
    """The NDCs (11 digits) of the drug list and of the products that the log knows, each with its drugs."""
    found = listed_ndcs()
    for product in history.newest_first("product", EVERY, "", None, None):
        digits = product.values.get("ndc11") or _normal(product.values)
        if digits is not None and product.values["drug_code"] in DRUGS:
            found[digits] = found.get(digits, frozenset()) | {product.values["drug_code"]}
    return found


def _normal(product: Mapping[str, Any]) -> str | None:
    try:
        return ndc11(product["ndc_raw"], product["ndc_format"])
    except (KeyError, Unreadable):
        return None


def _where(field: str, kind: str) -> tuple[list[str], str]:
    """The kinds in which values of a field are looked for, and the field there; no kinds where nothing is to be offered."""
    if field.endswith("_event"):
        named = field.removesuffix("_event")
        named = _OF_KIND.get(named, named)
        return [named] if named in KINDS else [], "id"
    if field not in OFFERED or KINDS[kind].fields[field].says.startswith("Handle"):
        return [], field  # a handle that this kind gives is new
    return [name for name, spec in KINDS.items() if field in spec.fields], field


def _newest(history: LogHistory, kinds: list[str], body: Mapping[str, Any]) -> Iterator[Event]:
    by = "patient" if "patient" in body and all("patient" in KINDS[kind].fields for kind in kinds) else "site"
    if by not in body:
        return iter(())
    scans = [history.newest_first(kind, by, body[by], None, None) for kind in kinds]
    return merge(*scans, key=attrgetter("occurred_at"), reverse=True)


def _fits(event: Event, body: Mapping[str, Any]) -> bool:
    return all(event.values.get(name, body[name]) == body[name] for name in _NARROWING if name in body)


def _gone(history: LogHistory, container: str) -> bool:
    last = next(history.newest_first("container_status", "container", container, None, None), None)
    return last is not None and last.values["status"] in _GONE
