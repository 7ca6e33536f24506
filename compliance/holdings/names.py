"""Names that a question about stock may use, and how far back a log can answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from compliance.domain.drugs import DRUGS
from compliance.domain.lookup import EVERY, indexed_fields, key_of
from compliance.domain.vocabulary import KINDS
from compliance.engine.stock import MOVEMENTS
from compliance.errors import InputError
from compliance.holdings.inventory import Asked
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.policy.nearest import did_you_mean


def require_stock_names(log: Log, asked: Asked) -> None:
    """Raise InputError where a filter names a site, drug, lot or container that nobody knows: "nothing is there" would be a false comfort."""
    if asked.drug is not None and asked.drug not in DRUGS:
        raise InputError(
            f"the drug list has no drug {asked.drug!r}", _sentence(did_you_mean(asked.drug, DRUGS))
        )
    for field in ("site", "lot", "container"):
        name = getattr(asked, field)
        if name is not None and not _under_key(log, field, name) and name not in _written(log, field):
            raise InputError(
                f"the log has no stock entry that names the {field} {name!r}",
                _sentence(did_you_mean(name, _written(log, field))) or f"Check the {field}'s name.",
            )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _under_key(log: Log, field: str, name: str) -> bool:
    """Whether any event is found under the name."""
    kinds = (kind for kind in KINDS if field in indexed_fields(kind))
    return any(next(log.key_scan(key_of(kind, field, name)), None) is not None for kind in kinds)


def _written(log: Log, field: str) -> frozenset[str]:
    """The names that deliveries, counts and entries about containers use."""
    history = LogHistory(log)
    return frozenset(name for name in _names(history, field) if name is not None)


def _names(history: LogHistory, field: str) -> Iterator[str | None]:
    for kind in ("receipt", "inventory_count", "container_status", "site_profile"):
        for event in history.newest_first(kind, EVERY, "", None, None):
            yield event.values.get(field)
            lines: Iterable[dict[str, str]] = event.values.get("lines", ())
            yield from (line.get(field) for line in lines)


def size_at(log: Log, recorded: int) -> int:
    """How many entries were recorded by an instant (microseconds): the size that the log had then."""
    low, high = 0, log.size
    while low < high:
        middle = (low + high) // 2
        if log.entry(middle).recorded_us <= recorded:
            low = middle + 1
        else:
            high = middle
    return low


def first_of_stock(log: Log) -> tuple[int, int] | None:
    """When the first movement or count occurred, and when the first of them was recorded; None where there is none."""
    rows = [row for kind in (*MOVEMENTS, "inventory_count") for row in log.key_scan(key_of(kind, EVERY, ""))]
    if not rows:
        return None
    return min(rows)[0], log.entry(min(idx for _, idx in rows)).recorded_us
