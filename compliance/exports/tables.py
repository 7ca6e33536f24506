"""An export as tables: events by kind, decisions, findings, and persons where identities were asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, Self

from compliance.bundles import Bundles
from compliance.domain.vocabulary import FieldSpec
from compliance.exports.columns import DECISIONS, FINDINGS, PERSONS, VERSION, Table, events_of, type_name
from compliance.exports.made import Written
from compliance.exports.rows import Row, decision_row, event_row, finding_rows, person_rows
from compliance.exports.walk import Judged, Other
from compliance.ledger.log import Log
from compliance.ledger.vault import Vault
from compliance.new_folder import Folder


class Sink(Protocol):
    """Where rows go: `CsvTables` or `ParquetTables`."""

    ending: str

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def add(self, table: Table, row: Row) -> None:
        """Write a row."""
        ...


class Tables:
    """The tables of one export while they are written; a table without a row has no file."""

    def __init__(self, sink: Sink, bundles: Bundles, written: Written) -> None:
        self._sink = sink
        self._bundles = bundles
        self._written = written
        self._tables: dict[str, Table] = {}

    @classmethod
    def into(cls, sink: Callable[[Folder], Sink]) -> Callable[[Folder, Log, Bundles, Written], Tables]:
        """What makes them, for `made.make`."""
        return lambda folder, _, bundles, written: cls(sink(folder), bundles, written)

    def __enter__(self) -> Self:
        self._sink.__enter__()
        return self

    def __exit__(self, *fault: object) -> None:
        self._sink.__exit__(*fault)

    def take(self, one: Judged | Other) -> None:
        """The rows of an entry; one without a decision has none."""
        if isinstance(one, Other):
            self._written.left_out[one.entry.type] += 1
            return
        if one.first:
            self._add(events_of(one.event.kind), event_row(one))
        self._add(DECISIONS, decision_row(one))
        for row in finding_rows(one, self._bundles):
            self._add(FINDINGS, row)

    def person(self, vault: Vault, pseudonym: str) -> None:
        """The rows of a person."""
        for row in person_rows(vault, pseudonym):
            self._add(PERSONS, row)

    def described(self) -> Mapping[str, Mapping[str, Any]]:
        """The columns of each file."""
        return {
            name: {"columns_version": VERSION, "columns": [_described(column) for column in table.columns]}
            for name, table in self._tables.items()
        }

    def _add(self, table: Table, row: Row) -> None:
        name = table.name + self._sink.ending
        self._tables.setdefault(name, table)
        self._written.rows[name] += 1
        self._sink.add(table, row)


def _described(column: FieldSpec) -> dict[str, Any]:
    unit = {} if column.unit is None else {"unit": column.unit}
    values = {} if not column.values else {"values": list(column.values)}
    return {"name": column.name, "type": type_name(column), **unit, **values, "says": column.says}
