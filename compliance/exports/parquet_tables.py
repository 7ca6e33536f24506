"""Tables as Parquet (extra ``parquet``), in row groups: no more than `HELD` rows are in memory, however long the log is.

========= =====================================================================================================
type      in Parquet
========= =====================================================================================================
decimal   decimal128(15, 6): every value of the vocabulary, exactly (below 10^9, six fractional digits)
integer   int64
instant   timestamp[us, UTC]; the offset that was sent stands in the CSV form alone
date      date32
boolean   bool
list      list of its elements
record    struct of its fields
the rest  string
========= =====================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final, Self

from compliance.domain.time import parse_instant
from compliance.domain.vocabulary import FieldSpec
from compliance.errors import InputError
from compliance.exports.columns import VERSION, Table
from compliance.exports.rows import Row
from compliance.new_folder import Folder

HELD: Final = 16_384
"""Rows of all tables together that wait to be written."""
GROUP: Final = 8_192
"""Rows of one table that make a row group."""


class ParquetTables:
    """Tables that are written into a folder side by side; raises InputError where pyarrow is not installed."""

    ending = ".parquet"

    def __init__(self, folder: Folder) -> None:
        try:
            import pyarrow  # noqa: F401, ICN001, PLC0415 - an optional extra
        except ImportError as problem:
            raise InputError(
                "Parquet needs the package pyarrow, which is not installed",
                "Install it: pip install 'compliance-engine[parquet]'.",
            ) from problem
        self._folder = folder
        self._waiting: dict[str, list[Row]] = {}
        self._tables: dict[str, Table] = {}
        self._writers: dict[str, Any] = {}
        self._held = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        if fault[0] is None:
            for name in self._waiting:
                self._write(name)
        for writer, file in self._writers.values():
            writer.close()
            file.close()

    def add(self, table: Table, row: Row) -> None:
        """Take a row; a row group is written when there are enough."""
        self._tables.setdefault(table.name, table)
        rows = self._waiting.setdefault(table.name, [])
        rows.append(row)
        self._held += 1
        if len(rows) >= GROUP:
            self._write(table.name)
        elif self._held >= HELD:
            self._write(max(self._waiting, key=lambda name: len(self._waiting[name])))

    def _write(self, name: str) -> None:
        import pyarrow as pa  # noqa: PLC0415 - an optional extra
        from pyarrow import parquet  # noqa: PLC0415

        rows, table = self._waiting[name], self._tables[name]
        schema = _schema(table)
        if name not in self._writers:
            file = self._folder.binary(name + self.ending)
            self._writers[name] = (parquet.ParquetWriter(file, schema, compression="zstd"), file)
        columns = [
            pa.array([_value(row.get(column.name), column) for row in rows], schema.field(column.name).type)
            for column in table.columns
        ]
        self._writers[name][0].write_table(pa.Table.from_arrays(columns, schema=schema))
        self._held -= len(rows)
        rows.clear()


def _schema(table: Table) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - an optional extra

    fields = [
        pa.field(column.name, _arrow(column), metadata={"unit": column.unit} if column.unit else None)
        for column in table.columns
    ]
    return pa.schema(fields, metadata={"compliance_columns_version": str(VERSION)})


def _arrow(spec: FieldSpec) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - an optional extra

    if spec.element is not None:
        return pa.list_(_arrow(spec.element))
    if spec.fields is not None:
        return pa.struct([(name, _arrow(field)) for name, field in spec.fields.items()])
    return {
        "decimal": pa.decimal128(15, 6),
        "integer": pa.int64(),
        "instant": pa.timestamp("us", tz="UTC"),
        "date": pa.date32(),
        "boolean": pa.bool_(),
    }.get(spec.type, pa.string())


_READ: Final[Mapping[str, Callable[[Any], Any]]] = {
    "decimal": Decimal,
    "instant": parse_instant,
    "date": date.fromisoformat,
}


def _value(value: Any, spec: FieldSpec) -> Any:
    """A JSON value as pyarrow takes it."""
    if value is None:
        return None
    if spec.element is not None:
        return [_value(item, spec.element) for item in value]
    if spec.fields is not None:
        return {name: _value(value.get(name), field) for name, field in spec.fields.items()}
    read = _READ.get(spec.type)
    return value if read is None else read(value)
