"""``compliance inventory``: the stock by the books, now or at any instant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from . import opening, output
from .application import Call, Command, pass_call
from .types import INSTANT, as_of_option, now

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from compliance.holdings.inventory import By, Found, Row
    from compliance.holdings.trail import Mark
    from compliance.ledger.history import LogHistory

FIGURES: Final = {
    "receipt": "received", "administration": "given", "dispense": "dispensed", "transfer_out": "transferred",
    "destruction": "destroyed", "wastage": "wasted",
}  # fmt: skip
"""What each kind of movement is called."""


@click.command(
    cls=Command,
    examples=(
        "compliance inventory",
        "compliance inventory --site S1 --by container",
        "compliance inventory --lot L0015B --explain --as-of 2026-03-03T23:59:59-07:00",
        "compliance inventory --as-of 2026-03-03 --known-at 2026-03-04 --output json",
    ),
)
@click.option(
    "--by",
    type=click.Choice(["lot", "container", "drug"]),
    default="lot",
    show_default=True,
    help="A row for each of these.",
)
@click.option("--site", metavar="ID")
@click.option("--drug", metavar="CODE")
@click.option("--lot", metavar="LOT")
@click.option("--container", metavar="ID", help="One vial, device or kit.")
@click.option(
    "--explain", is_flag=True, help="Show each balance entry by entry, from the count it starts from."
)
@as_of_option
@click.option(
    "--known-at",
    type=INSTANT,
    metavar="TIME",
    help="By what had been recorded then; by all, unless said otherwise.",
)
@pass_call
def inventory(
    call: Call,
    by: By,
    site: str | None,
    drug: str | None,
    lot: str | None,
    container: str | None,
    explain: bool,
    as_of: int | None,
    known_at: int | None,
) -> int:
    """What is in stock by the books: per site, drug, lot and container, beside what was counted last.

    Exits 1 where a count differs from the books and nobody has explained it.
    """
    from compliance.bundles import Bundles
    from compliance.holdings.differences import Reconciling
    from compliance.holdings.inventory import Asked
    from compliance.holdings.inventory import inventory as read
    from compliance.holdings.names import first_of_stock, require_stock_names, size_at
    from compliance.holdings.trail import trail
    from compliance.ledger.history import LogHistory

    instant = now() if as_of is None else as_of
    asked = Asked(site, drug, lot, container)
    with opening.reading(call) as log, log.reading():
        require_stock_names(log, asked)
        history = LogHistory(log, None if known_at is None else size_at(log, known_at))
        zone_of = _zones(history, instant)
        bundle = Bundles(log, written=False).active().bundle
        reconciling = Reconciling(history, bundle, zone_of, lambda _: instant)
        by = "container" if container is not None else by
        rows = read(history, reconciling, instant + 1, asked, by)
        trails = [trail(history, row, instant + 1) for row in rows] if explain else []
        first = None if rows else first_of_stock(log)
        sites = {row.site for row in rows} | {mark.site for marks in trails for mark in marks}
        zones = {site: zone_of(site) for site in sites}
    if call.json:
        output.echo_json(*(row_json(row, instant) | _steps(trails[n : n + 1]) for n, row in enumerate(rows)))
    elif not rows:
        click.echo(_why_nothing(instant, known_at, first, named=asked != Asked()))
    elif explain:
        for row, marks in zip(rows, trails, strict=True):
            _explain(row, marks, zones)
        click.echo(_told(rows))
    else:
        _show(rows, by, zones)
        click.echo(_told(rows))
    return int(any(row.unexplained for row in rows))


def _zones(history: LogHistory, instant: int) -> Callable[[str], str]:
    from functools import cache

    from compliance.domain.time import local_date
    from compliance.reports.night import days_of

    return cache(lambda site: days_of(history, local_date(instant, "UTC"), (site,))[0].zone)


def row_json(row: Row, instant: int) -> dict[str, Any]:
    """A row; quantities are decimals in text, null where nobody can say."""
    found = row.found
    return {
        "site": row.site, "registration": row.registration, "drug": row.drug, "lot": row.lot, "container": row.container,
        "unit": row.unit, "opening": _amount(row.opening), **_moved(row), "overfill": _amount(row.overfill),
        "balance": _amount(row.balance), "counted": None if found is None else _amount(found.quantity),
        "counted_at": None if found is None else output.instant(found.at), "book": None if found is None else _amount(found.book),
        "difference": None if found is None else _amount(found.judged.amount), "state": None if found is None else str(found.judged.state),
        "unexplained": row.unexplained, "discrepancies": [] if found is None else [one.handle for one in found.judged.reported],
        "at": output.instant(instant), "entries": _entries(row), "notes": list(row.notes),
    }  # fmt: skip


def _steps(trails: list[tuple[Mark, ...]]) -> dict[str, Any]:
    """The trail of a row, where it was asked for."""
    return {"steps": [_step(mark) for mark in trails[0]]} if trails else {}


def _step(mark: Mark) -> dict[str, Any]:
    return {
        "entry": mark.entry, "event": mark.event, "at": output.instant(mark.at), "kind": mark.kind, "status": mark.status,
        "container": mark.container, "amount": _amount(mark.amount), "found": _amount(mark.found), "balance": _amount(mark.balance),
        "actor": mark.actor,
    }  # fmt: skip


def _moved(row: Row) -> dict[str, str | None]:
    sums = dict.fromkeys(FIGURES, 0)
    for step in row.steps:
        sums[step.kind] += abs(step.amount)
    return {FIGURES[kind]: _amount(total) for kind, total in sums.items()}


def _entries(row: Row) -> dict[str, list[int]]:
    """The entries behind each figure: the count (or label) that the balance starts from, the movements, the count shown."""
    behind: dict[str, list[int]] = {"opening": [] if row.start is None else [row.start]}
    for kind, figure in FIGURES.items():
        behind[figure] = [step.entry for step in row.steps if step.kind == kind]
    behind["counted"] = [] if row.found is None else [row.found.entry]
    return behind


def _amount(value: int | None) -> str | None:
    from compliance.domain.quantity import format_decimal

    return None if value is None else format_decimal(value)


def _show(rows: list[Row], by: By, zones: Mapping[str, str]) -> None:
    places = {"lot": ("lot",), "container": ("lot", "container"), "drug": ()}[by]
    output.table(
        ("site", "registration", "drug", *places, "balance", "unit", "counted", "differs", "counted at"),
        [_cells(row, places, zones) for row in rows],
        whole=("balance", "unit", "counted", "differs"),
    )
    for row in rows:
        for note in row.notes:
            click.echo(output.paragraph(f"{_name(row)}: {note}", 0, 2))


def _cells(row: Row, places: Sequence[str], zones: Mapping[str, str]) -> list[str]:
    place = [row.site, row.registration or "?", row.drug or "?"]
    if "lot" in places:
        place.append(row.lot or "?")
    if "container" in places:
        place.append(row.container or "-")
    balance = [_amount(row.balance) or "?", row.unit or "?"]
    if row.found is None:
        return [*place, *balance, "-", "-", "-"]
    found = row.found
    told = [_amount(found.quantity) or "?", _amount(found.judged.amount) or "?"]
    return [*place, *balance, *told, _minute(found.at, zones[row.site])]


def _minute(at: int, zone: str) -> str:
    """An instant by the clock on the wall at the site, for tables that must fit the terminal."""
    return output.instant(at, zone)[:16].replace("T", " ")


def _name(row: Row) -> str:
    lot = "" if row.lot is None else f" lot {row.lot}"
    within = "" if row.container is None else f", container {row.container}"
    return f"{row.site} {row.drug or 'drug not recorded'}{lot}{within}"


def _explain(row: Row, marks: tuple[Mark, ...], zones: Mapping[str, str]) -> None:
    """A balance entry by entry."""
    unit = row.unit or ""
    click.echo(output.paragraph(f"{_name(row)}, registration {row.registration or 'not recorded'}"))
    lines = [
        [
            str(mark.entry), _minute(mark.at, zones[mark.site]), mark.status or mark.kind, mark.container or "-",
            _amount(mark.amount) or "-", _amount(mark.found) or "-", _amount(mark.balance) or "?", mark.actor,
        ]
        for mark in marks
    ]  # fmt: skip
    if lines:
        columns = ("entry", "at", "what", "container", "amount", "found", "balance", "by")
        output.table(columns, lines, whole=("entry", "amount", "found", "balance"))
    begins = "nothing that says so" if row.start is None else f"entry {row.start}"
    balance = "cannot be said" if row.balance is None else f"{_amount(row.balance)} {unit}"
    click.echo(output.paragraph(f"balance {balance}, starting from {begins}", 2, 2))
    if row.found is not None:
        click.echo(output.paragraph(_counted(row.found, row, zones), 2, 2))
    for note in row.notes:
        click.echo(output.paragraph(note, 2, 2))
    click.echo()


def _counted(found: Found, row: Row, zones: Mapping[str, str]) -> str:
    judged, unit = found.judged, row.unit or ""
    told = f"counted {_amount(found.quantity)} {unit} at {output.instant(found.at, zones[row.site])} in entry {found.entry}"
    if found.book is not None:
        told += f", {_amount(found.book)} {unit} by the books then"
    if judged.overfill:
        told += f", {_amount(judged.overfill)} {unit} of overfill"
    told += f": {judged.state}"
    if judged.reported:
        told += f", discrepancy {', '.join(f'{one.handle} ({one.finding})' for one in judged.reported)}"
    if judged.unexplained:
        told += f", {_amount(abs(judged.unexplained))} {unit} unexplained"
    return told


def _told(rows: list[Row]) -> str:
    differing = sum(row.unexplained for row in rows)
    what = output.counted(len(rows), "row")
    if differing:
        return f"{what}; {output.counted(differing, 'difference')} unexplained"
    return f"{what}; no difference is unexplained"


def _why_nothing(instant: int, known_at: int | None, first: tuple[int, int] | None, *, named: bool) -> str:
    """What to say where there is nothing; `first` is when stock was first spoken of, and when that was recorded."""
    if first is None:
        return "nothing is on the books: the log says nothing of stock"
    if instant < first[0]:
        return f"nothing is on the books: what the log says of stock begins on {output.instant(first[0])}"
    if known_at is not None and known_at < first[1]:
        return f"nothing was known: the first entry about stock was recorded on {output.instant(first[1])}"
    return "nothing of that is on the books" if named else "nothing is on the books"
