"""In which format a file of events is, and what must be known to read it: the options that ``record`` and ``check`` share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final, Literal

import click

from compliance.errors import InputError

FORMATS: Final = ("json", "csv", "xlsx", "fhir")
DATE_ORDERS: Final = ("mdy", "dmy", "ymd")
_OTHER_SHEETS: Final = frozenset({".xls", ".xlsm", ".xlsb", ".ods", ".numbers"})
_TABLES: Final = ("csv", "xlsx")
_SHEETS: Final = {".csv": "csv", ".tsv": "csv", ".xlsx": "xlsx"}


@dataclass(frozen=True, slots=True)
class Form:
    """What a call says about its files. Without a `format`, a file's name says it: .csv, .tsv and .xlsx are tables, all else is JSON.

    `kind` is the kind of event in a table's rows; `site` and the actor stand in for what a file leaves out; `date_order` says how 03/04/2026
    is meant, `decimal_comma` that 1,5 is one and a half.
    """

    format: str | None = None
    kind: str | None = None
    site: str | None = None
    date_order: Literal["mdy", "dmy", "ymd"] | None = None
    decimal_comma: bool = False

    def require_usable(self) -> None:
        """Raise InputError where no file at all could be read: a table of which nobody said what its rows are, or of no kind that there is; FHIR
        without its package."""
        if self.format in _TABLES and self.kind is None:
            raise _no_kind(f"--format {self.format}")
        if self.kind is not None:
            from compliance.intake.sheets.table import known_kind

            known_kind(self.kind)
        if self.format == "fhir":
            from compliance.intake.fhir.structure import Structure

            Structure()

    def of(self, name: str) -> str:
        """The format of one file. Raises InputError for a table of which nobody said what its rows are, or that is of a kind that is not read."""
        ending = PurePath(name).suffix.casefold()
        if self.format is None and ending in _OTHER_SHEETS:
            raise InputError(
                f"{name}: tables of the kind {ending} are not read",
                'Open it in the spreadsheet program and save it as .xlsx, or as "CSV UTF-8".',
            )
        found = self.format or _SHEETS.get(ending, "json")
        if found in _TABLES and self.kind is None:
            raise _no_kind(name)
        return found


def _no_kind(name: str) -> InputError:
    return InputError(
        f"{name} is a table: say what its rows are",
        "Name the kind with --kind, such as --kind administration; `compliance schema template KIND` writes an empty table.",
    )


def _form(**said: Any) -> Form:
    form = Form(**said)
    tables = form.kind is not None or form.date_order is not None or form.decimal_comma
    if tables and form.format in ("json", "fhir"):
        raise click.UsageError("--kind, --date-order and --decimal-comma belong to tables (csv, xlsx).")
    return form


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options, given to the command together as `form`."""

    def with_form(*args: Any, **kwargs: Any) -> Any:
        said = {name: kwargs.pop(name) for name in ("format", "kind", "site", "date_order", "decimal_comma")}
        return command(*args, form=_form(**said), **kwargs)

    with_form.__doc__, with_form.__name__ = command.__doc__, command.__name__
    with_form.__dict__.update(command.__dict__)
    for option in reversed(_OPTIONS):
        option(with_form)
    return with_form


_OPTIONS: Final = (
    click.option(
        "--format", type=click.Choice(FORMATS), help="Else by the file's name; json unless it is a table."
    ),
    click.option("--kind", metavar="KIND", help="Of a table's rows, such as administration."),
    click.option("--site", metavar="ID", help="Where the file does not say the site."),
    click.option("--date-order", type=click.Choice(DATE_ORDERS), help="How a table's 03/04/2026 is meant."),
    click.option("--decimal-comma", is_flag=True, help="In a table, 1,5 is one and a half."),
)
