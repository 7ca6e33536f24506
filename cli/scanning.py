"""A scanned symbol on its way into an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from . import asking
from .types import now

if TYPE_CHECKING:
    from compliance.ledger.history import LogHistory

SCANNED: Final = ("drug", "ndc11", "lot", "container", "expires_on")
"""Fields for which a package may be scanned."""


def take_scan(history: LogHistory, symbol: str, body: dict[str, Any]) -> None:
    """Put what a symbol says into an event's body, as far as its kind has fields for it, and say what was read.

    Raises `Unreadable` where it cannot be read, where it contradicts the body, and where the kind has no field for any of it; the body is
    then as it was. InputError where the extra `gs1` is not installed.
    """
    from compliance.domain.reading import Unreadable, echo
    from compliance.domain.vocabulary import KINDS
    from compliance.intake.scan import read_scan
    from compliance.recent import known_ndcs

    scanned = read_scan(symbol, known_ndcs(history))
    fields = KINDS[body["kind"]].fields
    values = {name: value for name, value in scanned.values().items() if name in fields}
    for name, value in values.items():
        if body.get(name, value) != value:
            raise Unreadable(
                f"the symbol says {name} {echo(value)}, and {echo(str(body[name]))} was given before",
                "see which of the two is in your hand",
            )
    if not values:
        raise Unreadable(f"{body['kind']} has no field for what the symbol says", "leave the scan out")
    body.update(values)
    asking.say("Read: " + ", ".join(f"{name} {value}" for name, value in values.items()))
    if scanned.level:
        asking.say(
            f"The symbol is that of an outer package (packaging level {scanned.level}), which holds several."
        )
    if scanned.expires_on is not None and scanned.expires_on < _today(history, body):
        asking.say(f"It has expired: {scanned.expires_on} was its last day.")


def scanned(history: LogHistory, body: dict[str, Any], name: str, symbol: str) -> Any:
    """What a symbol says of a field; what it says of others is put into the body. Raises `Unreadable`."""
    from compliance.domain.reading import Unreadable
    from compliance.errors import InputError

    found = {other: value for other, value in body.items() if other != name}
    try:
        take_scan(history, symbol, found)
    except InputError as wrong:
        # The extra is not installed: what was typed so far is kept, and the value can be typed, too.
        raise Unreadable(wrong.message, wrong.remedy) from None
    body.update(found)
    if name not in found:
        raise Unreadable(f"the symbol does not say {name}", "type it")
    return found[name]


def _today(history: LogHistory, body: dict[str, Any]) -> str:
    """The date at the site, in UTC where the site or its zone is not known."""
    from compliance.domain.time import format_date, local_date
    from compliance.recent import zone_of

    zone = zone_of(history, body["site"]) if "site" in body else None
    return format_date(local_date(now(), zone or "UTC"))
