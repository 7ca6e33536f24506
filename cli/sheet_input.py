"""Tables (CSV, XLSX) as the input of ``record`` and ``check``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, BinaryIO

import click

from . import output
from .formats import Form

if TYPE_CHECKING:
    from compliance.intake.drafts import Read
    from compliance.ledger.log import Log


def read_table(
    source: str, stream: BinaryIO, form: Form, log: Log, *, format: str, actor: str | None
) -> Iterator[Read]:
    """The events of a table's rows; what is left out of a file as a whole is said on standard error."""
    from compliance.intake.sheets.filling import Table
    from compliance.intake.sheets.table import read_csv, read_xlsx
    from compliance.intake.sheets.values import Style

    assert form.kind is not None  # Form.of sees to it

    def noted(words: str) -> None:
        click.echo(output.paragraph(f"note: {source}: {words}", 0, 2), err=True)

    style = Style(form.date_order, form.decimal_comma)
    table = Table(form.kind, _zones(log), noted, form.site, actor, style)
    yield from (read_csv if format == "csv" else read_xlsx)(source, stream, table)


def _zones(log: Log) -> Callable[[str, datetime], str | None]:
    """The zone of a site's clock by the profiles that the log has now."""
    from compliance.domain.time import microseconds
    from compliance.domain.zone import zone
    from compliance.ledger.history import LogHistory
    from compliance.site_zones import profiles_of, zone_among

    history = LogHistory(log)
    profiles = lru_cache(maxsize=1024)(lambda site: profiles_of(history, site))

    def zone_of(site: str, local: datetime) -> str | None:
        return zone_among(profiles(site), lambda name: microseconds(local.replace(tzinfo=zone(name))))

    return zone_of
