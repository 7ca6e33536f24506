"""The section on stock: small days with one thing in each, and the demonstration's fortnight."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compliance.domain.event import Event
from compliance.domain.time import DAY, parse_instant
from compliance.engine.judging import Judge
from compliance.engine.nights import NightSight
from compliance.engine.stock import balance
from compliance.holdings.account import Span, Spans
from compliance.holdings.books import accounts
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.reports.page import Level, Section
from compliance.reports.sections.stock import stock
from tests.logs import empty_log
from tests.recording import correction, put_in_force, record, void
from tests.reports.nights import night_of
from tests.stockroom import (
    Body,
    came,
    counted,
    discrepancy,
    emptied,
    entered,
    given,
    line,
    opened,
    profile,
    sent,
    terms,
    wasted,
)

TERMS = Judge(terms())
DATE = "2026-03-03"


class Day:
    """A log, and the section of 3 March over it."""

    def __init__(self, log: Log) -> None:
        self.log = log
        put_in_force(log, TERMS.bundle)
        self.add(profile("S1"), profile("S2"))

    def add(self, *events: Body) -> None:
        assert all(hasattr(result, "idx") for result in record(self.log, TERMS, *events))

    def section(
        self, *events: Body, date: str = DATE, sites: tuple[str, ...] = (), new_from: int | None = None
    ) -> Section:
        self.add(*events)
        return stock(night_of(self.log, date, *sites, new_from=new_from))


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    with empty_log(tmp_path / "log.db") as log:
        yield Day(log)


def rows(section: Section, table: str) -> list[dict[str, Any]]:
    """The rows of a table by the keys of its columns; what is empty or zero is left out."""
    (found,) = (one for one in section.tables if one.id == table)
    keys = [column.key for column in found.columns]
    return [{k: v for k, v in zip(keys, row, strict=True) if v not in (None, "", "0")} for row in found.rows]


def row(section: Section, table: str = "stock", **where: str) -> dict[str, Any]:
    """The one row of a table that says so."""
    (found,) = (one for one in rows(section, table) if where.items() <= one.items())
    return found


def told(section: Section) -> list[tuple[Level, str]]:
    return [(item.level, item.title) for item in section.items]


def entry(log: Log, event: Body) -> int:
    found = log.by_event_id(event["id"])
    assert found is not None
    return found


START = counted("01 18:00", "50")
LOT = "ketamine_inj_50mg_ml under R1, lot L1,"


def test_a_day_in_order(day: Day) -> None:
    """Each figure of a lot with the entries that it is made of; the opening with its count and how much moved since."""
    moved = [
        came("03 08:00", "20"),
        given("03 09:00", "4.2"),
        given("03 09:10", "0.3"),
        wasted("03 09:30", "0.5"),
        sent("03 12:00", "5"),
    ]
    earlier, count = given("02 09:00", "0.5"), counted("03 18:00", "59.5")
    section = day.section(START, earlier, *moved, count)
    assert (section.level, section.items) == (Level.GOOD, ())
    assert section.summary == "The stock is in order; 1 of 1 lots were counted."
    assert row(section) == {
        "site": "S1", "registration": "R1", "drug": "ketamine_inj_50mg_ml", "lot": "L1", "unit": "ml", "opening": "49.5", "received": "20",
        "given": "4.5", "left": "5", "wasted": "0.5", "closing": "59.5", "counted": "59.5", "counted_at": "2026-03-03T18:00:00-06:00",
    }  # fmt: skip
    figures = {one["figure"]: (one["amount"], one["entries"]) for one in rows(section, "stock-figures")}
    at = [str(entry(day.log, one)) for one in moved]
    assert figures == {
        "opening": ("49.5", str(entry(day.log, START))), "received": ("20", at[0]), "given": ("4.5", f"{at[1]}, {at[2]}"),
        "wasted": ("0.5", at[3]), "transferred": ("5", at[4]), "counted": ("59.5", str(entry(day.log, count))),
    }  # fmt: skip
    assert row(section, "stock-figures", figure="opening")["movements"] == 1


VIAL = entered("02 08:00", "V1")
DRAWN = [given("03 09:00", "5", "V1"), wasted("03 09:30", "5.4", "V1"), emptied("03 09:40", "V1")]
SHORT = counted("03 18:00", "48", count="C1")

DAYS: dict[str, tuple[list[Body], list[tuple[Level, str]]]] = {
    "short": ([SHORT], [(Level.ALARM, f"{LOT} is short by 2 ml: 48 ml counted, 50 ml by the books.")]),
    "over": ([counted("03 18:00", "51")], [(Level.ACTION, f"{LOT} has 1 ml too much: 51 ml counted, 50 ml by the books.")]),
    "opened, within measuring": ([counted("03 18:00", opened("49.9"))], []),
    "in an open discrepancy": (
        [SHORT, discrepancy("03 19:00", "2", count_event=SHORT["id"])],
        [(Level.ACTION, f"{LOT} is short by 2 ml: 48 ml counted, 50 ml by the books; told in discrepancy D1 (open).")],
    ),
    "in a concluded one": (
        [SHORT, discrepancy("03 19:00", "2", "significant_loss", count_event=SHORT["id"])],
        [(Level.NOTICE, f"{LOT} is short by 2 ml: 48 ml counted, 50 ml by the books; told in discrepancy D1 (significant loss).")],
    ),
    "in part": (
        [SHORT, discrepancy("03 19:00", "0.5")],
        [(Level.ALARM, f"{LOT} is short by 2 ml: 48 ml counted, 50 ml by the books; told in discrepancy D1 (open); 1.5 ml stay unexplained.")],
    ),
    "overfill": ([VIAL, *DRAWN, counted("03 18:00", "40")], []),
    "overfill, and a shortage behind it": (
        [VIAL, *DRAWN, counted("03 18:00", "39.6")],
        [(Level.ALARM, f"{LOT} is short by 0.4 ml: 39.6 ml counted, 39.6 ml by the books; 0.4 ml of overfill are taken into account.")],
    ),
    "more out of a vial than it can have held": (
        [VIAL, *DRAWN, wasted("03 09:35", "1", "V1")],
        [(Level.ACTION, "Container V1 of ketamine_inj_50mg_ml, lot L1, has 0.9 ml too much: 0 ml said to be left, -1.4 ml by the books; 0.5 ml of overfill are taken into account.")],
    ),
    "the same, before it was called empty": (
        [VIAL, DRAWN[0], wasted("03 09:35", "6", "V1")],
        [(Level.ACTION, "Container V1 of ketamine_inj_50mg_ml, lot L1, gave 0.5 ml more than its label and overfill allow; 0.5 ml of overfill are taken into account.")],
    ),
    "an empty vial that is not accounted for": (
        [VIAL, DRAWN[0], DRAWN[2]],
        [(Level.ALARM, "Container V1 of ketamine_inj_50mg_ml, lot L1, is short by 5 ml: 0 ml said to be left, 5 ml by the books.")],
    ),
    "the same, told by the count of its lot": (
        [VIAL, DRAWN[0], DRAWN[2], counted("03 18:00", "40")],
        [(Level.ALARM, f"{LOT} is short by 5 ml: 40 ml counted, 45 ml by the books. Look at container V1.")],
    ),
    "a lot that the count leaves out": (
        [counted("03 18:00")], [(Level.ALARM, f"{LOT} is short by 50 ml: the complete count does not name it, 50 ml by the books.")],
    ),
    "a count of a part": ([counted("03 18:00", line("3", lot="L2"), complete=False)], [
        (Level.ACTION, "ketamine_inj_50mg_ml under R1, lot L2, has 3 ml too much: 3 ml counted, 0 ml by the books.")]),
    "a line without a lot": (
        [counted("03 18:00", "50", line("1", lot=None))],
        [(Level.ACTION, "ketamine_inj_50mg_ml under R1, no lot recorded, cannot be compared with the books: 1 ml counted.")],
    ),
    "a dose without a lot": (
        [given("03 09:00", "1.5", lot=None)],
        [(Level.ACTION, "1.5 ml of ketamine_inj_50mg_ml moved, and no lot was recorded: no book holds it.")],
    ),
    "a dose without a registration": (
        [given("03 09:00", "1.5", registration=None)],
        [(Level.ACTION, "1.5 ml of ketamine_inj_50mg_ml moved, and no registration was recorded: no book holds it.")],
    ),
    "below zero": (
        [given("03 09:00", "50.5")],
        [(Level.ACTION, f"The books of {LOT} fell below zero, to -0.5 ml.")],
    ),
    "below zero since yesterday": (
        [given("02 09:00", "51"), given("03 09:00", "1")],
        [(Level.ACTION, f"The books of {LOT} are below zero, at -2 ml.")],
    ),
    "a shortage in the morning that the evening's count no longer shows": (
        [counted("03 08:00", "48"), counted("03 18:00", "48")],
        [(Level.ALARM, f"{LOT} is short by 2 ml: 48 ml counted, 50 ml by the books.")],
    ),
    "of the day before, and nobody explained it": (
        [counted("02 18:00", "48"), counted("03 18:00", "48")],
        [(Level.ALARM, f"{LOT} is short by 2 ml: 48 ml counted, 50 ml by the books. Counted on 2026-03-02, and not explained since.")],
    ),
    "of the day after": ([counted("04 00:00", "48")], []),
    "a first inventory": ([counted("03 18:00", "7", registration="R7", count_type="initial")], []),
}  # fmt: skip


@pytest.mark.parametrize("name", DAYS)
def test_what_a_day_says(day: Day, name: str) -> None:
    """What must be acted on, most urgent first, and nothing that is in order."""
    events, expected = DAYS[name]
    section = day.section(START, *events)
    assert told(section) == expected
    assert section.level == (expected[0][0] if expected else Level.GOOD)


def test_an_item_says_where_it_stands_and_what_must_be_done(day: Day) -> None:
    """The count and its entry, who must do what, where it is written, the values, and every entry behind it."""
    dose, report = given("03 09:00", "1"), discrepancy("03 19:00", "0.5")
    (item,) = day.section(START, dose, SHORT, report).items
    assert item.where == f"count C1, S1, entry {entry(day.log, SHORT)}"
    assert item.todo.startswith("Stock officer: Count again")
    assert "1304.21" in item.cites
    assert (item.site, item.event, item.at) == ("S1", SHORT["id"], "2026-03-03T18:00:00-06:00")
    assert item.values == {
        "registration": "R1", "drug": "ketamine_inj_50mg_ml", "lot": "L1", "book": "49", "counted": "48", "overfill": "0",
        "difference": "-1", "unit": "ml", "unexplained": "-0.5",
    }  # fmt: skip
    assert item.entries == tuple(entry(day.log, one) for one in (SHORT, START, dose, report))


def test_overfill_has_its_own_column(day: Day) -> None:
    """For the lot and for the vial, beside the books that fell below the label."""
    section = day.section(START, VIAL, *DRAWN, counted("03 18:00", "40"))
    assert (row(section)["overfill"], row(section)["closing"]) == ("0.4", "40")
    assert row(section, "stock-counts")["overfill"] == "0.4"
    vial = row(section, "stock-containers")
    assert (vial["label"], vial["given"], vial["wasted"], vial["overfill"], vial["closing"]) == (
        "10",
        "5",
        "5.4",
        "0.4",
        "-0.4",
    )
    assert vial["entries"] == ", ".join(str(entry(day.log, one)) for one in (VIAL, *DRAWN))


def test_what_is_not_known_is_not_zero(day: Day) -> None:
    """A vial of which nobody wrote what it held, goods in no book, a lot that was never counted: each says so."""
    section = day.section(
        came("02 08:00", "9"), given("03 09:00", "1", "V9"), given("03 09:00", "2", lot=None)
    )
    assert row(section, lot="L1")["note"] == "never counted completely: from zero"
    loose = next(one for one in rows(section, "stock") if "lot" not in one)
    assert "closing" not in loose
    assert "stands in no book" in loose["note"]
    vial = row(section, "stock-containers")
    assert "closing" not in vial
    assert vial["note"] == "nobody wrote what it held"


def test_other_units_and_other_sites_are_told(day: Day) -> None:
    """Amounts that were entered in another unit, and movements under the registration elsewhere."""
    section = day.section(START, given("03 09:00", "1", quantity_unit="unit", site="S2"))
    assert row(section)["note"] == "entered in unit, added as they stand; moved at S2 too"


def test_two_sites_with_the_same_lot(day: Day) -> None:
    """Each has its own book, and a report about one says nothing of the other."""
    there = {"site": "S2", "registration": "R2"}
    events = [
        START,
        counted("01 18:00", "7", **there),
        counted("03 18:00", "50"),
        counted("03 18:00", "6", **there),
    ]
    section = day.section(*events)
    assert [(one["site"], one["closing"]) for one in rows(section, "stock")] == [("S1", "50"), ("S2", "6")]
    assert [item.site for item in section.items] == ["S2"]
    assert stock(night_of(day.log, DATE, "S1")).items == ()


def test_lots_that_were_not_counted_are_named(day: Day) -> None:
    """And what the policies allow is said."""
    section = day.section(START)
    assert section.summary == "No difference is known; none of 1 lots was counted."
    assert any(note.startswith("S1, S2:") and "5 percent" in note and "0.2" in note for note in section.notes)
    assert any(note == "Not counted on this day: ketamine_inj_50mg_ml lot L1 (S1)" for note in section.notes)


def test_nothing_on_the_books_is_said(day: Day) -> None:
    """An empty clinic, and a log that knows no site."""
    assert day.section().summary == "Nothing is on the books."
    assert stock(replace(night_of(day.log, DATE), sites=())).summary == "No site is known."


# ---- what comes late


WRONG = given("02 10:00", "2")
OF_YESTERDAY = counted("02 18:00", "48")

LATE: dict[str, tuple[list[Body], Callable[[], list[Body]], bool]] = {
    "a dose of yesterday": ([OF_YESTERDAY], lambda: [WRONG], False),
    "a dose that makes yesterday's count wrong": ([counted("02 18:00", "50")], lambda: [WRONG], True),
    "a dose under another registration": ([counted("02 18:00", "50")], lambda: [given("02 10:00", "2", registration="R2")], False),
    "a void": ([WRONG, OF_YESTERDAY], lambda: [void(WRONG, "v1", at="2026-03-03T20:00:00-06:00")], True),
    "a correction of the quantity": (
        [WRONG, OF_YESTERDAY],
        lambda: [correction(WRONG, "c1", ("quantity", "2", "1"), at="2026-03-03T20:00:00-06:00")], True,
    ),
    "a correction that was itself corrected": (
        [WRONG, OF_YESTERDAY, fixed := correction(WRONG, "c1", ("quantity", "2", "2"), at="2026-03-02T20:00:00-06:00")],
        lambda: [void(fixed, "v2", at="2026-03-03T20:00:00-06:00")], False,
    ),
    "a count": ([], lambda: [OF_YESTERDAY], True),
    "a count in order": ([], lambda: [counted("02 18:00", "50")], False),
    "something else": ([OF_YESTERDAY], lambda: [entered("02 08:00", "V1")], False),
}  # fmt: skip


@pytest.mark.parametrize("name", LATE)
def test_a_count_that_a_late_entry_sets_in_another_light_is_told(day: Day, name: str) -> None:
    """Yesterday's count, where it does not agree with the books as they are known now; only what bears on it."""
    known, late, again = LATE[name]
    day.add(START, *known)
    reported = day.log.size
    section = day.section(*late(), new_from=reported)
    assert [
        item.level is not Level.GOOD and "entered since the report of that day" in item.title
        for item in section.items
        if "not explained since" not in item.title
    ] == [True] * again
    if again:
        assert "Counted on 2026-03-02" in section.items[0].title
        assert reported in section.items[0].entries


def test_what_no_report_was_about_is_not_opened_again(day: Day) -> None:
    """The first report of a log is about its day."""
    items = day.section(START, OF_YESTERDAY, new_from=0).items
    assert ["entered since" in item.title for item in items] == [False]


# ---- the demonstration


def test_the_demonstrations_missing_vial_is_in_the_report_of_its_day(clinic: Log) -> None:
    """It is told on the day of the count, with its discrepancy, and neither before nor after; all else is in order."""
    assert stock(night_of(clinic, "2026-03-09")).items == ()
    assert stock(night_of(clinic, "2026-03-12")).items == ()
    (item,) = stock(night_of(clinic, "2026-03-10")).items
    assert item.level is Level.ACTION
    assert "is short by 20 ml" in item.title
    assert "told in discrepancy DSC-0001 (open)" in item.title
    assert item.event == "MESA-0310.inventory_count"


def test_the_books_are_the_engines_balance_on_every_evening_of_the_fortnight(clinic: Log) -> None:
    """What a lot closes with is what a rule that asks for its `balance` at midnight would be given."""
    history, compared = LogHistory(clinic), 0
    for number in range(2, 14):
        ends = parse_instant(f"2026-03-{number:02}T23:59:59-06:00")
        for account in accounts(history, Spans(lambda site: Span(ends - DAY, ends), ends - DAY, ends - 1)):  # noqa: B023 - used at once
            goods = account.goods
            assert goods.registration is not None
            assert goods.lot is not None
            keys = {"registration": goods.registration, "drug": goods.drug, "lot": goods.lot}
            night = Event("night", "night", {}, {"noted_at": ends, **keys}, ends - 1, ends, 2**62)
            assert account.closing == balance(tuple(keys), keys, NightSight(history, night))
            compared += 1
    assert compared > 40
