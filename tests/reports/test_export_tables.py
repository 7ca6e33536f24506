"""Exported tables: every event once, as it stands; the columns of the vocabulary; nothing a spreadsheet calculates; Parquet as exact as the log."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.bundles import Bundles
from compliance.domain.vocabulary import KINDS, FieldSpec
from compliance.errors import InputError
from compliance.exports.columns import (
    DECISIONS,
    FINDINGS,
    PERSONS,
    UNKNOWN_OUTSIDE,
    VERSION,
    events_of,
    type_name,
)
from compliance.exports.csv_tables import CsvTables, field
from compliance.exports.made import MANIFEST, Wanted, make
from compliance.exports.release import Purpose
from compliance.exports.tables import Tables
from compliance.exports.walk import Asked
from compliance.finding_events import Asked as Listing
from compliance.finding_events import find_events
from compliance.ledger.log import Log
from compliance.persons import Acting
from compliance.standing import last_decision
from tests.logs import url
from tests.reports.binders import AUDITOR, CORRECTED_WASTAGE, FORMULA, VOIDED_RECEIPT
from tests.valid_events import TEXTS

TEXT = FieldSpec("narrative", "text", required=False, says="")
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def quiet(done: int, of: int) -> None:
    assert 0 < done <= of


@pytest.fixture(scope="module")
def log(amended_fortnight):
    with Log.open(url(amended_fortnight)) as opened:
        yield opened


def exported(log, folder, **asked):
    make(log, Bundles(log), Wanted("csv", Asked(**asked), folder), Tables.into(CsvTables), quiet)
    return folder


@pytest.fixture(scope="module")
def as_csv(log, tmp_path_factory):
    return exported(log, tmp_path_factory.mktemp("csv") / "out")


def raw(folder, name):
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def meant(cell):
    return cell.removeprefix("'")


def kinds_in(folder):
    return [one.stem.removeprefix("events-") for one in sorted(folder.glob("events-*"))]


def test_every_event_is_there_once_as_it_stands_in_the_logs_order(log, as_csv):
    """Independently of the walk: as `events list` finds them."""
    rows = {kind: raw(as_csv, f"events-{kind}") for kind in kinds_in(as_csv)}
    listed = {one.event.id: one for one in find_events(log, Listing())}
    assert sorted(row["id"] for found in rows.values() for row in found) == sorted(listed)
    for kind, found in rows.items():
        entries = [int(row["log_entry"]) for row in found]
        assert entries == sorted(entries)
        for row in found:
            one = listed[row["id"]]
            assert one.event.kind == kind == row["kind"]
            assert row["log_verdict"] == one.decision.verdict
            assert (row["log_state"] == "void") is one.void
            for name, value in one.event.body.items():
                spec = KINDS[kind].fields[name]
                said = meant(row[name])
                assert (json.loads(said) if spec.element or spec.fields else said) == (
                    {True: "true", False: "false"}[value] if isinstance(value, bool)
                    else value if spec.element or spec.fields else str(value)
                )  # fmt: skip


def test_corrected_and_void_events_are_told_apart(as_csv):
    """The corrected quantity, and what was declared never to have happened."""
    (wastage,) = [row for row in raw(as_csv, "events-wastage") if row["id"] == CORRECTED_WASTAGE]
    assert (wastage["quantity"], wastage["witness"], wastage["log_state"]) == ("16.10", "", "corrected")
    (receipt,) = [row for row in raw(as_csv, "events-receipt") if row["id"] == VOIDED_RECEIPT]
    assert (receipt["log_state"], receipt["log_verdict"]) == ("void", "voided")
    assert (
        meant(next(row["narrative"] for row in raw(as_csv, "events-wastage") if row["id"] == "late-1"))
        == FORMULA
    )


def test_decisions_and_findings_are_those_of_the_log(log, as_csv):
    """A row for each decision, a row for each finding; `last` marks how each event stands."""
    decisions = raw(as_csv, "decisions")
    assert [int(row["entry"]) for row in decisions] == [
        entry.idx for entry in log.entries() if entry.type in ("event", "rejudgement")
    ]
    last = {int(row["event_entry"]): row for row in decisions if row["last"] == "true"}
    findings = raw(as_csv, "findings")
    assert len(last) == len({row["event"] for row in decisions})
    for idx, row in last.items():
        decision = last_decision(log, idx)
        assert (row["verdict"], int(row["findings"])) == (decision.verdict, len(decision.findings))
        stands = {
            (one["rule"], one["outcome"], one["severity"]) for one in findings if one["entry"] == row["entry"]
        }
        assert stands == decision.stands()[1]
    assert all(
        row["message"] and row["policy_file"].endswith(".yaml") and json.loads(row["implements"])
        for row in findings
    )


def test_no_cell_can_be_calculated(as_csv):
    """No field of any file begins as a formula does, unless it is a number."""
    for file in as_csv.glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as read:
            for row in csv.reader(read):
                for cell in row:
                    assert not cell.startswith(STARTS) or Decimal(cell) < 0


@settings(deadline=None)
@given(
    st.one_of(TEXTS, st.sampled_from([*(start + "1+1" for start in STARTS), "'", "''=1", "＝1", " =1", "'x"]))
)
def test_a_text_is_disarmed_and_comes_back(text):
    """Whatever it holds; and taking one apostrophe away gives what was there."""
    cell = field(text, TEXT)
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow([cell])
    ((read,),) = csv.reader(io.StringIO(written.getvalue(), newline=""), strict=True)
    assert read == cell
    assert not cell.startswith(STARTS)
    assert meant(cell) == text


def test_csv_is_rfc_4180(as_csv):
    """UTF-8 without a mark, CR LF, as many fields in every line as there are columns."""
    for file in as_csv.glob("*.csv"):
        content = file.read_bytes()
        assert not content.startswith(b"\xef\xbb\xbf")
        assert content.endswith(b"\r\n")
        rows = list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))
        assert {len(row) for row in rows} == {len(rows[0])}


def test_the_manifest_describes_every_file(log, as_csv):
    """Names, rows, digests, columns with types and units, size and root of the log."""
    manifest = json.loads((as_csv / MANIFEST).read_text())
    assert {one["name"] for one in manifest["files"]} == {one.name for one in as_csv.iterdir()} - {MANIFEST}
    for one in manifest["files"]:
        name = one["name"].removesuffix(".csv")
        assert one["sha256"] == hashlib.sha256((as_csv / one["name"]).read_bytes()).hexdigest()
        assert one["rows"] == len(raw(as_csv, name))
        assert [column["name"] for column in one["columns"]] == list(raw(as_csv, name)[0])
    assert manifest["log"]["size"] == log.size
    (given_,) = [one for one in manifest["files"] if one["name"] == "events-administration.csv"]
    assert {"name": "dose_mg", "type": "decimal", "unit": "mg", "says": "Active drug given"} in given_[
        "columns"
    ]


def test_the_same_log_gives_the_same_bytes(log, as_csv, tmp_path):
    """Every file, and the manifest."""
    again = exported(log, tmp_path / "again")
    for file in as_csv.iterdir():
        assert (again / file.name).read_bytes() == file.read_bytes()


def test_only_what_is_asked_for(log, tmp_path):
    """By site, kind and time, by how the event now stands; decisions go with their events."""
    folder = exported(
        log,
        tmp_path / "some",
        sites=("LAKE",),
        kinds=("administration", "vital_signs"),
        since=1_772_700_000_000_000,
    )
    assert kinds_in(folder) == ["administration", "vital_signs"]
    wanted = {
        one.event.id
        for one in find_events(
            log, Listing(site="LAKE", kinds=("administration", "vital_signs"), since=1_772_700_000_000_000)
        )
    }
    assert {row["id"] for kind in kinds_in(folder) for row in raw(folder, f"events-{kind}")} == wanted
    assert {row["event"] for row in raw(folder, "decisions")} == wanted
    with pytest.raises(InputError, match="no event of a site"):
        exported(log, tmp_path / "none", sites=("LAKES",))


def test_nothing_is_overwritten_and_a_fault_leaves_nothing(log, tmp_path):
    """The folder is whole, or not there."""
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="exists already"):
        exported(log, tmp_path / "out")

    def fault(done, of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(log, Bundles(log), Wanted("csv", Asked(), tmp_path / "new"), Tables.into(CsvTables), fault)
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_only_who_may_enter_it_has_a_purpose_recorded(own_clinic, tmp_path):
    """P-0000 has no account, and nothing is made; the auditor's export is in the log before it stands under its name."""

    def wanted(actor, name):
        return Wanted(
            "csv",
            Asked(kinds=("discharge",)),
            tmp_path / name,
            Purpose.new(Acting(actor, "LAKE"), "operations", leaves_site=False),
        )

    before = own_clinic.size
    with pytest.raises(InputError, match="no account whose role may enter a record_access"):
        make(own_clinic, Bundles(own_clinic), wanted("P-0000", "out"), Tables.into(CsvTables), quiet)
    assert (own_clinic.size, (tmp_path / "out").exists()) == (before, False)
    done = make(own_clinic, Bundles(own_clinic), wanted(AUDITOR, "mine"), Tables.into(CsvTables), quiet)
    told = own_clinic.entry(before).document()["event"]
    digest = hashlib.sha256((tmp_path / "mine" / MANIFEST).read_bytes()).hexdigest()
    assert (told["mode"], told["sha256"], told["row_count"], told["formats"]) == (
        "export",
        digest,
        done.events,
        ["csv"],
    )
    assert done.head.size == before
    with pytest.raises(InputError, match="exists already"):
        make(own_clinic, Bundles(own_clinic), wanted(AUDITOR, "mine"), Tables.into(CsvTables), quiet)
    assert own_clinic.size == before + 1


def test_identities_need_a_vault(own_clinic, tmp_path):
    """This log has none, and it says how to get one; nobody is said to have looked."""
    purpose = Purpose.new(Acting(AUDITOR, "LAKE"), "operations", leaves_site=False)
    before = own_clinic.size
    with pytest.raises(InputError, match="no identity vault"):
        make(
            own_clinic,
            Bundles(own_clinic),
            Wanted("csv", Asked(), tmp_path / "out", purpose, identities=True),
            Tables.into(CsvTables),
            quiet,
        )
    assert (own_clinic.size, list(tmp_path.glob("out"))) == (before, [])


def test_the_documentation_names_every_column_of_the_log(log):
    """docs/exports.md, for the tables that are not the vocabulary's, and the version."""
    said = (Path(__file__).parents[2] / "docs/exports.md").read_text()
    own = [column for column in events_of("discharge").columns if column.name.startswith("log_")]
    for column in (*own, *DECISIONS.columns, *FINDINGS.columns, *PERSONS.columns):
        assert f"| `{column.name}` | {type_name(column)} |" in said
    assert f"Version {VERSION} of the columns" in said


def test_columns_are_the_vocabularys_in_its_order():
    """And the log's own cannot be taken for one of them."""
    for kind, spec in KINDS.items():
        names = [column.name for column in events_of(kind).columns]
        own = [name for name in names if name.startswith("log_")]
        assert own == ["log_entry", "log_state", "log_verdict", "log_judged_in", "log_bundle"]
        assert [name for name in names if name not in own] == [
            name for name in spec.fields if name not in UNKNOWN_OUTSIDE
        ]
        assert names[0] == "log_entry"


def test_columns_are_stable():
    """Names, order, types and units as they were published; whoever changes them changes `VERSION` (docs/exports.md)."""
    said = [
        f"{table.name}.{column.name}:{type_name(column)}:{column.unit or ''}"
        for table in (*map(events_of, KINDS), DECISIONS, FINDINGS, PERSONS)
        for column in table.columns
    ]
    assert (VERSION, hashlib.sha256("\n".join(said).encode()).hexdigest()) == (
        1,
        "07692163505e38dd08c7b6f27f28379c91f00e3d98f0c40992c57637a9cc3b30",
    )


def test_both_ends_of_the_time_asked_for_are_in():
    """As in `events list`."""
    assert Asked(since=5, until=5).wants("x", "S", 5)
    assert not Asked(since=6).wants("x", "S", 5)
    assert not Asked(until=4).wants("x", "S", 5)
