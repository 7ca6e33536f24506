"""A small stockroom for the tests: what comes, leaves and is counted in March 2026, in as few words as a timeline needs.

Instants are ``"02 08:00"``: day of the month and time at a site in Chicago. What is not named is lot L1 of ketamine under registration R1 at S1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from compliance.domain.event import Event
from compliance.domain.making import make_event, stamp
from compliance.domain.time import parse_instant
from compliance.engine.history import MemoryHistory
from compliance.policy.model import Bundle
from tests.recording import body, bundle, rule

KETAMINE = "ketamine_inj_50mg_ml"
DEVICE = "esketamine_nasal_28mg"

Body = dict[str, Any]


def instant(at: str) -> str:
    """``"02 08:00"`` as RFC 3339."""
    return f"2026-03-{at[:2]}T{at[3:]}:00-06:00"


def micros(at: str) -> int:
    return parse_instant(instant(at))


def _happened(kind: str, at: str, **fields: Any) -> Body:
    fields = {"site": "S1", "actor": "N1", "registration": "R1", **fields}
    return body(kind, instant(at), **{name: value for name, value in fields.items() if value is not None})


def _moved(kind: str, at: str, quantity: str, **fields: Any) -> Body:
    drug = fields.pop("drug", KETAMINE)
    unit = "device" if drug == DEVICE else "ml"
    return _happened(
        kind, at, **{"drug": drug, "lot": "L1", "quantity": quantity, "quantity_unit": unit, **fields}
    )


def came(at: str, quantity: str, **fields: Any) -> Body:
    return _moved("receipt", at, quantity, **{"accepted": True, **fields})


def given(at: str, quantity: str, container: str | None = None, **fields: Any) -> Body:
    return _moved("administration", at, quantity, container=container, **fields)


def wasted(at: str, quantity: str, container: str | None = None, **fields: Any) -> Body:
    return _moved("wastage", at, quantity, container=container, **fields)


def sent(at: str, quantity: str, **fields: Any) -> Body:
    return _moved("transfer_out", at, quantity, **fields)


def destroyed(at: str, quantity: str, **fields: Any) -> Body:
    return _moved("destruction", at, quantity, **fields)


def dispensed(at: str, quantity: str, **fields: Any) -> Body:
    return _moved("dispense", at, quantity, **fields)


def line(quantity: str, **fields: Any) -> Body:
    drug = fields.get("drug", KETAMINE)
    unit = "device" if drug == DEVICE else "ml"
    made = {"drug": drug, "lot": "L1", "quantity": quantity, "quantity_unit": unit, "quantity_per_container": "10", "containers": 1,
            "opened_containers": 0, "count_method": "exact", **fields}  # fmt: skip
    return {name: value for name, value in made.items() if value is not None}


def opened(quantity: str, **fields: Any) -> Body:
    return line(quantity, opened_containers=1, **fields)


def counted(at: str, *lines: Body | str, **fields: Any) -> Body:
    """A complete count of a shift; a line may be given as its quantity."""
    made = [line(one) if isinstance(one, str) else one for one in lines]
    return _happened(
        "inventory_count", at, **{"complete": True, "count_type": "shift", "lines": made, **fields}
    )


def entered(
    at: str, container: str, label: str | None = "10", status: str = "in_stock", **fields: Any
) -> Body:
    """A container with the content on its label."""
    made = {"drug": KETAMINE, "lot": "L1", "labelled_quantity": label, "quantity_unit": "ml", **fields}
    return _happened("container_status", at, container=container, status=status, **made)


def emptied(at: str, container: str, **fields: Any) -> Body:
    return entered(at, container, status="empty", quantity_left="0", **fields)


def discrepancy(at: str, quantity: str, finding: str = "open", **fields: Any) -> Body:
    made = {
        "direction": "short",
        "lot": "L1",
        "quantity_unit": "ml",
        "discrepancy": "D1",
        "discovered_at": instant(at),
        **fields,
    }
    return _happened("discrepancy", at, quantity=quantity, finding=finding, **made)


def profile(site: str = "S1") -> Body:
    return _happened(
        "site_profile",
        "01 00:00",
        site=site,
        registration=None,
        time_zone="America/Chicago",
        holds_stock=True,
    )


def remembered(bodies: Iterable[Mapping[str, Any]]) -> MemoryHistory:
    """A history of these events, recorded in this order, long after they occurred."""
    events = []
    for position, one in enumerate(bodies):
        made = make_event(dict(one))
        assert isinstance(made, Event), made
        events.append(stamp(made, micros("28 00:00") + position, position))
    return MemoryHistory(events)


def terms(tolerance: str = "0.2", overfill: str = "5") -> Bundle:
    """Policies that allow so much in measuring opened containers (in the stock unit), and so much overfill (in percent)."""

    def allowing(rule_id: str, name: str, value: str) -> dict[str, Any]:
        values = [{"from": "2000-01-01", "value": float(value), "cites": "none"}]
        return rule(
            rule_id,
            "inventory_count",
            f"param.{name} >= 0",
            parameters={name: {"tighten": "down", "says": "A value.", "values": values}},
        )

    return bundle(
        allowing("s3-rec-balance-26", "opened_tolerance", tolerance),
        allowing("s3-rec-vial-27", "overfill_percent", overfill),
    )
