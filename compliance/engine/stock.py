"""Book stock: the last complete count, plus what came and less what went since (policy-language.md, "Facts": `balance`).

Amounts are in the drug's stock unit, scaled by 10^6. From zero where nothing was ever counted; a count does not see itself. A movement
that lacks the amount, or of which nobody can say whether the goods were taken, makes the balance unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from compliance.domain.event import Event
from compliance.domain.values import UNKNOWN
from compliance.engine.sight import Sight, search_values

MOVEMENTS: Final[Mapping[str, int]] = {
    "receipt": 1, "administration": -1, "dispense": -1, "wastage": -1, "transfer_out": -1, "destruction": -1,
}  # fmt: skip
"""What adds to stock and what takes from it."""


def balance(by: tuple[str, ...], wanted: Mapping[str, Any], sight: Sight) -> Any:
    """The book balance of what `wanted` names by the keys `by` (registration, drug, lot, or container), or UNKNOWN."""
    if any(key not in wanted for key in by):
        return UNKNOWN
    keys = {key: wanted[key] for key in by}
    counted, total = _last_count(keys, sight)
    for kind, sign in MOVEMENTS.items():
        for event in _events(kind, keys, sight):
            if counted is not None and event.order <= counted.order:
                break
            amount = _amount(event)
            if amount is UNKNOWN:
                return UNKNOWN
            total += sign * amount
    return total


def _events(kind: str, keys: Mapping[str, Any], sight: Sight) -> Any:
    field, value = search_values(kind, keys)
    for event in sight.candidates(kind, field, value, sight.judged.occurred_at, None):
        if all(event.values.get(key) == wanted for key, wanted in keys.items()):
            yield event


def _amount(event: Event) -> Any:
    if event.kind == "receipt" and not event.values["accepted"]:
        return 0
    return event.values.get("quantity", UNKNOWN)


def _last_count(keys: Mapping[str, Any], sight: Sight) -> tuple[Event | None, int]:
    """The last complete count of the registration, and what it found of the goods: a complete count without a line found none."""
    inside = {key: value for key, value in keys.items() if key != "registration"}
    registration = {"registration": keys["registration"]} if "registration" in keys else {}
    for count in _events("inventory_count", registration, sight):
        if count.values["complete"]:
            lines = [
                line
                for line in count.values["lines"]
                if all(line.get(key) == value for key, value in inside.items())
            ]
            if lines or registration:
                return count, sum(line["quantity"] for line in lines)
    return None, 0
