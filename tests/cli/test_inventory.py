"""``compliance inventory``: balances now and at past instants, by lot, container and drug, down to the entries."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Clinic, lines
from tests.recording import correction, void
from tests.stockroom import (
    DEVICE,
    Body,
    came,
    counted,
    destroyed,
    discrepancy,
    emptied,
    entered,
    given,
    line,
    profile,
    sent,
    wasted,
)

KEYS = [
    "site", "registration", "drug", "lot", "container", "unit", "opening", "received", "given", "dispensed", "transferred", "destroyed",
    "wasted", "overfill", "balance", "counted", "counted_at", "book", "difference", "state", "unexplained", "discrepancies", "at",
    "entries", "notes",
]  # fmt: skip


def stocked(clinic: Clinic, *events: Body) -> list[int]:
    """Record what happened; the entries."""
    return [answer["entry"] for answer in clinic.record(profile(), *events)[1:]]


def asked(clinic: Clinic, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and rows as of the end of 5 March."""
    result = clinic.run("inventory", "--output", "json", "--as-of", "2026-03-05T23:59:59-06:00", *words)
    return result.exit_code, lines(result)


def one(clinic: Clinic, *words: str) -> dict[str, Any]:
    """The only row."""
    (row,) = asked(clinic, *words)[1]
    return row


START = counted("01 18:00", "50")
DOSE = given("02 09:00", "4.2", "V1")


def test_a_balance_with_the_documented_keys(clinic: Clinic) -> None:
    """From the last complete count on, each figure with its entries."""
    earlier, count, dose, waste, came_in = stocked(
        clinic, START, counted("02 18:00", "50"), given("03 09:00", "4.2"), wasted("03 09:10", "0.1"), came("03 10:00", "20")
    )  # fmt: skip
    code, (row,) = asked(clinic)
    assert code == 0
    assert list(row) == KEYS
    assert row == {
        **row, "site": "S1", "registration": "R1", "drug": "ketamine_inj_50mg_ml", "lot": "L1", "container": None, "unit": "ml",
        "opening": "50", "received": "20", "given": "4.2", "wasted": "0.1", "transferred": "0", "balance": "65.7", "counted": "50",
        "counted_at": "2026-03-03T00:00:00Z", "book": "50", "difference": "0", "state": "agrees", "unexplained": False,
        "discrepancies": [], "at": "2026-03-06T05:59:59Z", "notes": [],
    }  # fmt: skip
    assert row["entries"] == {
        "opening": [count], "received": [came_in], "given": [dose], "dispensed": [], "transferred": [], "destroyed": [],
        "wasted": [waste], "counted": [count],
    }  # fmt: skip
    assert earlier < count


TWICE = given("02 10:00", "1")
TYPED = given("02 10:00", "10")
SHORT = counted("03 18:00", "48")

TIMELINES: dict[str, tuple[list[Body], int, str, str | None]] = {
    "exact": ([START, DOSE, counted("03 18:00", "45.8")], 0, "45.8", "0"),
    "short": ([START, SHORT], 1, "48", "-2"),
    "over": ([START, counted("03 18:00", "50.5")], 1, "50.5", "0.5"),
    "in a discrepancy": ([START, SHORT, discrepancy("03 19:00", "2", count_event=SHORT["id"])], 0, "48", "-2"),
    "in a discrepancy of another day": ([START, SHORT, discrepancy("04 09:00", "2")], 1, "48", "-2"),
    "sent and destroyed": ([START, sent("02 09:00", "10"), destroyed("02 10:00", "5.5")], 0, "34.5", None),
    "a quantity corrected": ([START, TYPED, correction(TYPED, "c1", ("quantity", "10", "1"))], 0, "49", None),
    "a dose voided": ([START, TWICE, void(TWICE, "v1")], 0, "50", None),
    "a dose entered after the count": ([START, counted("03 18:00", "45.8"), DOSE], 0, "45.8", "0"),
    "short in a part, complete later": ([START, counted("03 18:00", "49", complete=False)], 1, "50", "-1"),
}  # fmt: skip


@pytest.mark.parametrize("name", TIMELINES)
def test_a_small_timeline(clinic: Clinic, name: str) -> None:
    """The balance, the difference, and whether somebody must look."""
    events, code, balance, difference = TIMELINES[name]
    stocked(clinic, *events)
    found, (row,) = asked(clinic)
    assert (found, row["balance"], row["unexplained"]) == (code, balance, code == 1)
    assert row["difference"] == difference


def test_any_past_instant_by_what_occurred_and_by_what_was_known(clinic: Clinic) -> None:
    """--as-of asks by when things occurred, --known-at by when they were recorded."""
    stocked(clinic, START, came("02 08:00", "10"))
    (shown,) = lines(clinic.run("log", "show", "4", "--output", "json"))
    recorded = shown["entry"]["recorded_at"]
    stocked(clinic, given("02 09:00", "1"), came("04 08:00", "5"))
    assert one(clinic)["balance"] == "64"
    assert one(clinic, "--as-of", "2026-03-03")["balance"] == "59"
    assert one(clinic, "--as-of", "2026-03-01T18:00:00-06:00")["balance"] == "50"
    assert one(clinic, "--known-at", recorded)["balance"] == "50"
    assert one(clinic, "--known-at", "now")["balance"] == "64"


def test_times_before_the_first_entry_are_answered(clinic: Clinic) -> None:
    """With words on when the log begins to speak of stock."""
    assert "the log says nothing of stock" in clinic.run("inventory").stdout
    stocked(clinic, START)
    early = clinic.run("inventory", "--as-of", "2026-03-01")
    assert (early.exit_code, early.stdout) == (
        0,
        "nothing is on the books: what the log says of stock begins on 2026-03-02T00:00:00Z\n",
    )
    unknown = clinic.run("inventory", "--known-at", "2026-01-01")
    assert unknown.exit_code == 0
    assert unknown.stdout.startswith("nothing was known: the first entry about stock was recorded on 2")
    assert clinic.run("inventory", "--as-of", "2026-03-01", "--output", "json").stdout == ""


def test_rows_are_chosen_by_site_drug_and_lot(clinic: Clinic) -> None:
    """Two sites with the same lot are two rows."""
    there = {"site": "S2", "registration": "R2"}
    stocked(
        clinic,
        counted("01 18:00", "50", line("3", drug=DEVICE, lot="E1")),
        counted("01 18:00", "7", **there),
        profile("S2"),
    )
    assert [(row["site"], row["lot"], row["balance"]) for row in asked(clinic)[1]] == [
        ("S1", "E1", "3"), ("S1", "L1", "50"), ("S2", "L1", "7"),
    ]  # fmt: skip
    assert one(clinic, "--site", "S2")["balance"] == "7"
    assert one(clinic, "--drug", DEVICE)["unit"] == "device"
    assert len(asked(clinic, "--lot", "L1")[1]) == 2


def test_containers_and_what_is_in_none_of_them(clinic: Clinic) -> None:
    """Each vial from its label, and the rest of the lot; empty ones are left out unless asked for."""
    stocked(
        clinic, counted("01 18:00", "30"), entered("01 19:00", "V1"), entered("01 19:00", "V2"), DOSE, wasted("02 09:10", "5.8", "V1"),
        emptied("02 09:20", "V1"), sent("02 10:00", "5"),
    )  # fmt: skip
    assert [(row["container"], row["balance"]) for row in asked(clinic, "--by", "container")[1]] == [
        ("V2", "10"),
        (None, "5"),
    ]
    empty = one(clinic, "--container", "V1")
    assert (empty["opening"], empty["given"], empty["wasted"], empty["balance"]) == ("10", "4.2", "5.8", "0")
    assert (empty["counted"], empty["difference"]) == ("0", "0")


def test_a_vial_of_which_nobody_wrote_what_it_held(clinic: Clinic) -> None:
    """Its balance is not known, and neither is what of the lot is in none; what was said of it is shown. A lost one says so."""
    lost = entered("01 19:00", "V2", status="lost")
    measured = entered("02 09:20", "V1", None, status="in_use", quantity_left="6")
    stocked(clinic, START, DOSE, measured, lost)
    code, (vial, gone, rest) = asked(clinic, "--by", "container")
    assert (code, vial["balance"], vial["counted"], vial["state"]) == (0, None, "6", "cannot be compared")
    assert vial["notes"] == ["nobody wrote what it held"]
    assert (gone["balance"], gone["notes"]) == ("10", ["lost"])
    assert (rest["container"], rest["balance"]) == (None, None)


def test_an_empty_vial_that_is_not_accounted_for_exits_1(clinic: Clinic) -> None:
    """The lot may agree by now; the vial does not."""
    stocked(
        clinic,
        START,
        entered("01 19:00", "V1"),
        DOSE,
        emptied("02 09:20", "V1"),
        counted("02 18:00", "40"),
        counted("03 18:00", "40"),
    )
    assert asked(clinic)[0] == 0
    code, rows = asked(clinic, "--by", "container")
    assert code == 1
    assert [(row["container"], row["difference"]) for row in rows if row["unexplained"]] == [("V1", "-5.8")]


def test_a_drug_is_its_lots_added_up(clinic: Clinic) -> None:
    """What names no lot is among it; a lot that differs is named."""
    stocked(
        clinic,
        counted("01 18:00", "50", line("20", lot="L2")),
        counted("02 18:00", "49", line("20", lot="L2")),
        given("03 09:00", "1", lot=None),
    )
    code, (row,) = asked(clinic, "--by", "drug")
    assert (code, row["lot"], row["balance"], row["notes"]) == (1, None, "68", ["lot L1: short"])
    by_lot = {found["lot"]: found for found in asked(clinic)[1]}
    assert (by_lot[None]["balance"], by_lot[None]["given"]) == (None, "1")
    assert by_lot[None]["notes"] == ["no lot was recorded: stands in no book"]


def test_explained_down_to_the_entries(clinic: Clinic) -> None:
    """From the complete count before the last one, each entry with the balance behind it."""
    start, dose, count, waste = stocked(
        clinic, START, DOSE, counted("02 18:00", "45"), wasted("03 09:00", "1")
    )
    row = one(clinic, "--explain")
    assert [(s["entry"], s["kind"], s["amount"], s["found"], s["balance"], s["actor"]) for s in row["steps"]] == [
        (start, "inventory_count", "50", "50", "50", "N1"), (dose, "administration", "-4.2", None, "45.8", "N1"),
        (count, "inventory_count", "-0.8", "45", "45", "N1"), (waste, "wastage", "-1", None, "44", "N1"),
    ]  # fmt: skip
    text = clinic.run("inventory", "--explain", "--as-of", "2026-03-05").stdout
    for words in (
        "S1 ketamine_inj_50mg_ml lot L1, registration R1",
        f"{dose}",
        "2026-03-02 09:00",
        f"balance 44 ml, starting from entry {count}",
        "45.8 ml by the books then: short, 0.8 ml unexplained",
        "1 row; 1 difference unexplained",
    ):
        assert words in text, words


def test_a_container_is_explained_from_its_label_on(clinic: Clinic) -> None:
    """Statuses with what they said, withdrawals, counts."""
    stocked(
        clinic,
        START,
        entered("01 19:00", "V1"),
        DOSE,
        counted("02 18:00", line("5", container="V1"), "40"),
        emptied("03 09:00", "V1"),
    )
    row = one(clinic, "--container", "V1", "--explain")
    assert [(s["kind"], s["status"], s["amount"], s["found"], s["balance"]) for s in row["steps"]] == [
        ("container_status", "in_stock", None, None, "10"), ("administration", None, "-4.2", None, "5.8"),
        ("inventory_count", None, "-0.8", "5", "5"), ("container_status", "empty", None, "0", "5"),
    ]  # fmt: skip


def test_a_drug_is_explained_over_its_lots(clinic: Clinic) -> None:
    """The lots' movements in one row of time, and counts once; where nothing was counted before, from the first entry on."""
    stocked(
        clinic,
        came("01 08:00", "5"),
        came("01 09:00", "7", lot="L2"),
        counted("01 18:00", "5", line("6", lot="L2")),
        given("02 09:00", "1"),
    )
    row = one(clinic, "--by", "drug", "--explain")
    assert [(s["kind"], s["amount"], s["balance"]) for s in row["steps"]] == [
        ("receipt", "5", "5"), ("receipt", "7", "12"), ("inventory_count", "-1", "11"), ("administration", "-1", "10"),
    ]  # fmt: skip


def test_the_table_for_people(clinic: Clinic) -> None:
    """Site, registration, drug, lot, balance and the last count in the site's time, and what else there is to say."""
    stocked(clinic, START, given("02 09:00", "51"))
    result = clinic.run("inventory", "--as-of", "2026-03-05")
    assert result.exit_code == 1
    head, row, note, last = result.stdout.splitlines()
    assert head.split() == [
        "SITE",
        "REGISTRATION",
        "DRUG",
        "LOT",
        "BALANCE",
        "UNIT",
        "COUNTED",
        "DIFFERS",
        "COUNTED",
        "AT",
    ]
    assert row.split() == [
        "S1",
        "R1",
        "ketamine_inj_50mg_ml",
        "L1",
        "-1",
        "ml",
        "50",
        "?",
        "2026-03-01",
        "18:00",
    ]
    assert note == "S1 ketamine_inj_50mg_ml lot L1: the books are below zero"
    assert last == "1 row; 1 difference unexplained"
    by_drug = clinic.run("inventory", "--as-of", "2026-03-05", "--by", "drug").stdout
    assert "LOT" not in by_drug.splitlines()[0]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--site", "S2"), "Use one of: S1."),
        (("--drug", "ketamine_inj_50mg"), "'ketamine_inj_50mg_ml'"),
        (("--drug", "aspirin"), "Use one of: esketamine_nasal_28mg"),
        (("--lot", "L1X"), "'L1'"),
        (("--container", "V11"), "'V1'"),
    ],
)
def test_a_name_that_nobody_knows_exits_2_with_the_nearest_one(
    clinic: Clinic, words: tuple[str, ...], says: str
) -> None:
    """An empty answer would be a false comfort."""
    stocked(clinic, START, entered("01 19:00", "V1"))
    result = clinic.run("inventory", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr


def test_a_lot_that_is_used_up_is_known(clinic: Clinic) -> None:
    """It is shown where it is asked for by name, and left out else."""
    stocked(clinic, START, sent("02 09:00", "50"))
    assert asked(clinic)[1] == []
    assert one(clinic, "--lot", "L1")["balance"] == "0"
    stocked(clinic, counted("03 18:00"), counted("04 18:00"))
    assert clinic.run("inventory", "--lot", "L1").stdout == "nothing of that is on the books\n"
