"""What is in a binder, against what the log holds."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from decimal import Decimal

import pytest

from compliance.bundles import Bundles
from compliance.ledger.log import Log
from compliance.reports.binder import in_print as in_print_module
from compliance.reports.binder.folder import Folder
from compliance.reports.binder.in_print import PrintedTable, Printer
from compliance.reports.binder.period import Period
from compliance.reports.binder.verify_cells import CORRECTED, REPLACED, VOID, cell_text
from tests.logs import SIGNER, url
from tests.reports.binders import (
    AUDITOR,
    CORRECTED_WASTAGE,
    FORMULA,
    PROPOSED,
    SITES,
    VOIDED_DOSE,
    VOIDED_RECEIPT,
    entries,
    in_print,
    raw,
    rows,
    size_of,
)

GOODS = "30-receipts-and-dispositions"
RECEIPTS, DOSES, WASTAGE = f"{GOODS}/receipts.csv", f"{GOODS}/administrations.csv", f"{GOODS}/wastage.csv"
SUMS = (
    ("receipt", "Received"),
    ("administration", "Administered"),
    ("wastage", "Wasted"),
    ("destruction", "Destroyed"),
)


@pytest.fixture(scope="module")
def log(amended_fortnight, binders):
    with Log.open(url(amended_fortnight)) as opened:
        yield opened


@pytest.fixture(scope="module")
def lake(binders):
    return binders["LAKE"].folder


@pytest.fixture(scope="module")
def mesa(binders):
    return binders["MESA"].folder


def bodies(log, site, *kinds):
    """The performed events at a site, as they were sent."""
    found = (
        entry.document()["event"] for entry in log.entries(1) if entry.kind in kinds and entry.site == site
    )
    return [body for body in found if body.get("intent") != "proposed"]


def of_event(folder, table, event_id):
    return [row for row in rows(folder, table) if row["Event id"] == event_id]


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize(
    ("kind", "table"),
    [
        ("receipt", RECEIPTS), ("administration", DOSES), ("dispense", f"{GOODS}/dispensed.csv"), ("wastage", WASTAGE),
        ("transfer_out", f"{GOODS}/transfers.csv"), ("destruction", f"{GOODS}/destruction.csv"),
        ("monitoring_form", "50-rems/monitoring-forms.csv"), ("discrepancy", "40-losses-and-destruction/discrepancies.csv"),
        ("external_report", "40-losses-and-destruction/reports-sent.csv"), ("correction", "80-changes/corrections.csv"),
        ("void", "80-changes/voids.csv"), ("signature", "80-changes/signatures.csv"), ("override", "70-decisions/overrides.csv"),
    ],
)  # fmt: skip
def test_every_record_of_a_kind_is_there_exactly_once(binders, log, site, kind, table):
    """And nothing else: what was only proposed is no record, and a corrected one has one row for each of its versions."""
    found = rows(binders[site].folder, table)
    assert {row["Event id"] for row in found} == {body["id"] for body in bodies(log, site, kind)}
    once = Counter((row["Event id"], row["Standing"], row.get("No.")) for row in found)
    assert set(once.values()) <= {1}


def test_rows_hold_what_the_law_asks_for(mesa):
    """A delivery with the source's address and DEA number, from the registration that it names."""
    row = next(one for one in rows(mesa, RECEIPTS) if one["Lot"] == "KX4471")
    assert row["Date and time"] == "2026-02-17T10:40:00-07:00"
    assert row["Drug, form and strength"] == "ketamine, injection, 10 mg/mL"
    assert (row["Containers"], row["In each"], row["Quantity"], row["Unit"]) == ("10", "20", "200", "ml")
    assert (row["Supplier's DEA number"], row["Supplier's address"]) == ("RD1182409", "ADDR-RIGHT")
    registration, correction = map(int, row["Supplier's registration entry"].split(", "))
    assert entries(mesa)[registration]["event"]["registered_address_ref"] == "ADDR-DIST-v1"
    assert entries(mesa)[correction]["event"]["id"] == "fix-2"


def test_what_was_corrected_stands_beside_what_replaced_it(mesa):
    """Both versions, with the entry of the correction; what it took away is marked as not on record."""
    first, now = of_event(mesa, WASTAGE, CORRECTED_WASTAGE)
    assert (first["Standing"], first["Quantity"], first["Witness"]) == (REPLACED, "16.3", "P-5226")
    assert (now["Standing"], now["Quantity"], now["Witness"]) == (CORRECTED, "16.10", "not on record")
    assert entries(mesa)[int(now["Amended by entries"])]["event"]["id"] == "fix-1"
    assert first["Log entry"] == now["Log entry"]


@pytest.mark.parametrize(
    ("site", "table", "event", "drug", "column", "amount"),
    [
        ("MESA", RECEIPTS, VOIDED_RECEIPT, "ketamine_inj_50mg_ml", "Received", "0"),
        ("LAKE", DOSES, VOIDED_DOSE, "esketamine_nasal_28mg", "Administered", "32"),
    ],
)
def test_what_was_voided_is_shown_and_not_counted(binders, site, table, event, drug, column, amount):
    """It has its row, with the entry that voided it, and is in no sum."""
    folder = binders[site].folder
    (row,) = of_event(folder, table, event)
    assert row["Standing"] == VOID
    assert entries(folder)[int(row["Amended by entries"])]["event"]["corrects"] == event
    (summed,) = [one for one in rows(folder, f"{GOODS}/by-drug.csv") if one["Drug"] == drug]
    assert summed[column] == amount


@pytest.mark.parametrize("site", SITES)
def test_sums_by_drug_are_those_of_what_stands(binders, log, site):
    """Received, administered, wasted, destroyed, from the bodies of the log."""
    summed = rows(binders[site].folder, f"{GOODS}/by-drug.csv")
    said = {(row["Drug"], kind): Decimal(row[column]) for row in summed for kind, column in SUMS}
    right: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for body in bodies(log, site, *dict(SUMS)):
        if body["id"] not in (VOIDED_RECEIPT, VOIDED_DOSE):
            right[body["drug"], body["kind"]] += Decimal(
                "16.10" if body["id"] == CORRECTED_WASTAGE else body["quantity"]
            )
    assert {what: amount for what, amount in said.items() if amount} == right


def test_what_was_proposed_is_a_decision_and_no_disposition(lake):
    """An act for which permission was asked stands among the decisions, with its intent."""
    (asked,) = of_event(lake, "70-decisions/decisions.csv", PROPOSED)
    assert (asked["Kind"], asked["Intent"]) == ("administration", "proposed")
    assert not of_event(lake, DOSES, PROPOSED)


@pytest.mark.parametrize("site", SITES)
def test_every_event_has_its_decision_and_every_finding_its_row(binders, log, site):
    """Verdicts as the log has them, at first and at last; the messages of the findings are in words."""
    folder = binders[site].folder
    known, findings = {}, Counter()
    for entry in log.entries(1, size_of(folder)):
        document = entry.document()
        if entry.type == "event" and entry.site == site:
            known[entry.event_id] = [document["decision"]["verdict"]] * 2
            findings[entry.event_id] = len(document["decision"]["findings"])
        elif entry.type == "rejudgement" and entry.target in known:
            known[entry.target][1] = document["decision"]["verdict"]
    decided = rows(folder, "70-decisions/decisions.csv")
    assert {row["Event id"]: [row["Verdict at first"], row["Verdict now"]] for row in decided} == known
    found = rows(folder, "70-decisions/findings.csv")
    assert Counter(row["About event"] for row in found if row["Judgement"] == "at first") == +findings
    assert all(row["What it says"] and row["Where it is written"] for row in found)


def test_every_inventory_has_its_lines(binders, log):
    """Line by line as they were counted; an inventory of nothing has none."""
    for site in SITES:
        folder = binders[site].folder
        (first,) = of_event(folder, "20-inventories/inventories.csv", f"{site}-0217.inventory_count")
        assert (first["Kind"], first["Nothing on hand"], first["Lines"]) == ("initial", "yes", "0")
        lines = Counter(row["Event id"] for row in rows(folder, "20-inventories/inventory-lines.csv"))
        assert lines == +Counter(
            {body["id"]: len(body["lines"]) for body in bodies(log, site, "inventory_count")}
        )


def test_registrations_of_the_site_and_of_its_partners(mesa):
    """MESA has its own, and that of who supplied it, which was entered at the other site."""
    found = rows(mesa, "10-registrations/registrations.csv")
    assert {row["Registration"] for row in found} == {"REG-MESA", "REG-DIST"}
    assert {row["In force in the period"] for row in found} == {"yes"}


def test_form_106_has_the_loss_and_says_what_is_missing(mesa):
    """What the log holds, each with its entry; what the form asks for and the log has not is named."""
    form = {row["Field"]: row["Value"] for row in rows(mesa, "40-losses-and-destruction/dea-106.csv")}
    assert form["DEA registration number"] == "FC5319062"
    assert form["Type of theft or loss"] == "significant_loss"
    assert (form["Quantity lost"], form["Unit"]) == ("20", "ml")
    assert form["NDC, as the delivery of the lot has it"] == "99999001020"
    assert form["Written notice to the field division sent"] == "2026-03-12T09:20:00-07:00"
    assert form["Form 106 submitted"] == form["County"] == "not on record"
    assert "County (1)" in (mesa / "README.txt").read_text().replace("\n  ", " ")


def test_form_41_has_the_destruction(mesa):
    """Substance, amount, method, witnesses; no signature was made, and it says so."""
    form = {row["Field"]: row["Value"] for row in rows(mesa, "40-losses-and-destruction/dea-41.csv")}
    assert [form[one] for one in ("Total destroyed", "Unit", "Method of destruction")] == [
        "20",
        "ml",
        "incineration",
    ]
    assert form["Name, form and strength"] == "ketamine, injection, 10 mg/mL"
    assert form["Signature of the first witness, date"] == "not on record"


def test_late_entries_are_listed_with_their_reason(mesa):
    """Those that were entered more than a day after they happened."""
    (row,) = of_event(mesa, "80-changes/late-entries.csv", "late-1")
    assert (row["Later by"], row["Reason"]) == ("4 d", "network was down")


def test_no_cell_is_a_formula(binders, mesa):
    """A text that begins like one has an apostrophe before it, in every table."""
    (row,) = [one for one in raw(mesa, WASTAGE) if one["Event id"] == "late-1"]
    assert row["What happened"] == f"'{FORMULA}"
    for site in SITES:
        folder = binders[site].folder
        for table in folder.rglob("*.csv"):
            for row in raw(folder, table.relative_to(folder).as_posix()):
                assert not [one for one in row.values() if one.startswith(("=", "+", "@", "\t", "\r", "-="))]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("@SUM(A1)", "'@SUM(A1)"), ("-1+2", "'-1+2"), ("\t=1", "'\t=1"), ("\r=1", "'\r=1"), ("\n=1", "'\n=1"),
        ("'tis", "''tis"), ("\uff1d1", "'\uff1d1"), ("-2.5", "-2.5"), ("28", "28"), ("", ""), ("L-1", "L-1"),
    ],
)  # fmt: skip
def test_formulas_are_neutralised_so_that_they_can_be_read_back(text, cell):
    """One apostrophe comes before the text, and taking one away gives it back."""
    assert cell_text(text) == cell
    assert (cell.removeprefix("'")) == text


@pytest.mark.parametrize("site", SITES)
def test_the_index_names_every_file_with_its_law(binders, site):
    """In both its forms: nothing in the folder is left out, and every table says what it answers."""
    folder, made = binders[site].folder, binders[site].made
    readme, page = (folder / "README.txt").read_text(), (folder / "index.html").read_text()
    for file in folder.rglob("*"):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and name not in ("README.txt", "index.html"):
            assert name in readme
            assert file.suffix != ".csv" or f'href="{name}"' in page
    for text in (readme, page):
        assert made.vkey in text
        assert made.checkpoint.split("\n")[2] in text
        assert made.event_id in text
    assert all(one.law and one.answers for one in made.written)


def test_a_table_without_rows_says_why(binders, lake):
    """On its page and in the index: never silently empty."""
    empty = [one for one in binders["LAKE"].made.written if one.rows == 0]
    assert {one.title for one in empty} >= {"Destruction on site", "Drugs handed out for use elsewhere"}
    readme = " ".join((lake / "README.txt").read_text().split())
    for one in empty:
        assert one.empty in readme
        assert not one.page or one.empty in (lake / one.page).read_text()


def test_the_policies_are_there_whole(lake):
    """The documents have the digest that the decisions name, and can be read."""
    (row,) = [one for one in rows(lake, "60-policies/activations.csv") if one["Documents"]]
    assert {one["Policies"] for one in rows(lake, "70-decisions/decisions.csv")} == {
        f"sha256:{row['Digest']}"
    }
    assert len(json.loads((lake / row["Documents"]).read_text())["rules"]) > 300
    assert "rems-monitor-2h" in (lake / row["Documents"].replace(".json", ".html")).read_text()


def test_the_log_records_that_it_was_made(binders, log, lake):
    """As an export with its counts, by who made it; without a recipient nothing is disclosed."""
    made = binders["LAKE"].made
    idx = log.by_event_id(made.event_id)
    event = log.entry(idx).document()["event"]
    assert (event["kind"], event["mode"], event["purpose"]) == ("record_access", "export", "inspection")
    assert (event["actor"], event["site"], event["leaves_site"]) == (AUDITOR, "LAKE", False)
    assert event["sha256"] == made.manifest
    assert event["row_count"] == event["expected_rows"] == len(rows(lake, "70-decisions/decisions.csv"))
    assert (event["period_from_on"], event["period_until_on"]) == ("2026-02-01", "2026-03-31")
    assert not [one for one in log.entries(idx) if one.kind == "disclosure"]


@pytest.mark.parametrize("site", SITES)
def test_rows_stand_by_drug_and_then_in_time(binders, site):
    """As 21 CFR 1304 wants them found."""
    found = [(row["Drug code"], row["Date and time"]) for row in rows(binders[site].folder, DOSES)]
    assert found == sorted(found)


def test_what_can_be_read_on_pages_can_be_printed_and_searched(mesa):
    """Tables, what is missing, and the checkpoint, in PDF files."""
    printed = in_print(mesa)
    for told in (
        "REG-MESA",
        "KX4471",
        "significant_loss",
        "destroyed-1",
        "What is missing, and why",
        FORMULA,
        SIGNER.name,
    ):
        assert told.replace(" ", "") in printed.replace(" ", "")


def test_a_long_table_goes_on_in_the_next_part(mesa, tmp_path, clinic, monkeypatch):
    """So that no part has more rows than fit into memory; none is lost, and none is twice."""
    period = Period(clinic, Bundles(clinic), clinic.size, "MESA", 739_000, 739_700)
    monkeypatch.setattr(in_print_module, "ROWS", 10)
    printer = Printer(Folder(tmp_path), period, "origin", bytes(32))
    for title, count in (("Long", 25), ("Short", 3)):
        table = PrintedTable(printer, title, "about", "nothing", ("A", "B"))
        for number in range(count):
            table.row((f"{title}-{number}.", "x"))
        table.end()
    printer.close()
    assert len(printer.files) == 3
    text = in_print(tmp_path)
    assert [
        text.count(f"{title}-{number}.")
        for title, count in (("Long", 25), ("Short", 3))
        for number in range(count)
    ] == [1] * 28
    assert "Long (continued)" in text
