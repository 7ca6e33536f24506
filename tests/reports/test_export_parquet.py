"""Exported Parquet: as exact as the log, for every kind, in groups of rows that never fill the memory."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from compliance.bundles import Bundles
from compliance.domain.making import event_from_log, make_event
from compliance.domain.values import SCALE
from compliance.domain.vocabulary import KINDS
from compliance.errors import InputError
from compliance.exports import parquet_tables
from compliance.exports.columns import VERSION, events_of
from compliance.exports.made import Wanted, make
from compliance.exports.parquet_tables import ParquetTables
from compliance.exports.tables import Tables
from compliance.exports.walk import Asked
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.new_folder import Folder
from tests.logs import url
from tests.valid_events import bodies

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def log(amended_fortnight):
    with Log.open(url(amended_fortnight)) as opened:
        yield opened


@pytest.fixture(scope="module")
def as_parquet(log, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parquet") / "out"
    make(
        log,
        Bundles(log),
        Wanted("parquet", Asked(), folder),
        Tables.into(ParquetTables),
        lambda done, of: None,
    )
    return folder


def kinds_in(folder):
    return [one.stem.removeprefix("events-") for one in sorted(folder.glob("events-*"))]


def plain(value, spec):
    """A value out of Parquet as an engine value."""
    if value is None:
        return None
    if spec.element is not None:
        return tuple(plain(one, spec.element) for one in value)
    if spec.fields is not None:
        return {name: plain(value[name], one) for name, one in spec.fields.items() if value[name] is not None}
    if spec.type == "decimal":
        return int(value * SCALE)
    if spec.type == "integer":
        return value * SCALE
    if spec.type == "instant":
        return (value - EPOCH) // timedelta(microseconds=1)
    return value.toordinal() if spec.type == "date" else value


def test_parquet_holds_the_logs_values_for_every_kind(log, as_parquet):
    """Read back with pyarrow, field by field, against the history of the log."""
    history = LogHistory(log)
    seen = 0
    for kind in kinds_in(as_parquet):
        table = events_of(kind)
        for row in parquet.read_table(as_parquet / f"events-{kind}.parquet").to_pylist():
            event = history.stands(row["id"]) or history.sent(row["id"])
            for spec in table.columns:
                if not spec.name.startswith("log_"):
                    assert plain(row[spec.name], spec) == event.values.get(spec.name), (row["id"], spec.name)
            seen += 1
    assert seen == sum(1 for entry in log.entries() if entry.type == "event")


def test_parquet_has_the_types_that_are_promised(as_parquet):
    """Decimals of fifteen digits, instants in UTC, dates, lists, and the version of the columns."""
    schema = parquet.read_schema(as_parquet / "events-administration.parquet")
    assert str(schema.field("dose_mg").type) == "decimal128(15, 6)"
    assert str(schema.field("occurred_at").type) == "timestamp[us, tz=UTC]"
    assert schema.field("dose_mg").metadata == {b"unit": b"mg"}
    assert schema.metadata[b"compliance_columns_version"] == str(VERSION).encode()
    assert (
        str(parquet.read_schema(as_parquet / "events-access_change.parquet").field("set_by").type)
        == "list<element: string>"
    )
    assert (
        str(parquet.read_schema(as_parquet / "events-registration.parquet").field("expires_on").type)
        == "date32[day]"
    )


@settings(deadline=None, max_examples=20)
@given(st.data())
def test_any_valid_event_goes_through_parquet_exactly(tmp_path_factory, data):
    """Of whatever kind, with whatever values, in row groups of two."""
    kind = data.draw(st.sampled_from(sorted(KINDS)))
    body = data.draw(bodies(kind))
    event = make_event(body)
    if isinstance(event, tuple):
        return
    event = event_from_log(event.body, 1, 1)
    folder = Folder(tmp_path_factory.mktemp("one"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet_tables, "GROUP", 2)
        with ParquetTables(folder) as sink:
            for _ in range(3):
                sink.add(events_of(kind), dict(event.body))
    rows = parquet.read_table(folder.path / f"events-{kind}.parquet").to_pylist()
    for name in event.body:
        assert [plain(row[name], KINDS[kind].fields[name]) for row in rows] == [event.values[name]] * 3


def test_waiting_rows_are_bounded(tmp_path, monkeypatch):
    """However many tables there are: the longest waiting list is written."""
    monkeypatch.setattr(parquet_tables, "HELD", 10)
    with ParquetTables(Folder(tmp_path)) as sink:
        for number in range(100):
            sink.add(events_of(sorted(KINDS)[number % 7]), {"id": f"e{number}"})
            assert sink._held < 10
    assert sum(len(parquet.read_table(one)) for one in tmp_path.iterdir()) == 100


def test_without_pyarrow_the_extra_is_named(tmp_path, monkeypatch):
    """In words, and nothing is made."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError) as refused:
        ParquetTables(Folder(tmp_path))
    assert "compliance-engine[parquet]" in refused.value.remedy
