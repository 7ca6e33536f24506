"""Presence, gaps and book stock (policy-language.md, "Facts": `uncovered`, `largest_gap`, `balance`)."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.domain.time import HOUR, MINUTE
from compliance.domain.values import SCALE, UNKNOWN
from tests.rulebook import entry, fact, facts

VITALS = "vital_signs"
HIGH = "it.systolic_mmhg > 140"


def vitals(at: str, **fields: Any) -> dict[str, Any]:
    return entry(VITALS, at, **{"session": "T1", **fields})


def leaving(at: str = "12:00", **fields: Any) -> dict[str, Any]:
    return entry("discharge", at, **{"id": "leaving", **fields})


def which(found: Any) -> Any:
    """An event by its id; anything else as it is."""
    return found["id"] if isinstance(found, dict) else found


# ---- spans


def shift(arrived: str, left: str | None = None, name: str = "H1", **fields: Any) -> dict[str, Any]:
    ended = {} if left is None else {"left_at": left}
    return entry(
        "presence",
        arrived,
        **{"id": name, "shift": name, "person": "N1", "arrived_at": arrived, **ended, **fields},
    )


SPAN = {"from": "event.occurred_at - duration('3h')", "to": "event.occurred_at"}
COVER = {"uncovered": "presence", **SPAN}


@pytest.mark.parametrize(
    ("present", "minutes"),
    [
        ([], 180),
        ([shift("08:00")], 0),
        ([shift("08:00", "12:00")], 0),
        ([shift("09:30")], 30),
        ([shift("08:00", "11:45")], 15),
        ([shift("08:00", "10:00"), shift("10:30", "12:00", "H2")], 30),
        ([shift("08:00", "11:00"), shift("10:00", "12:00", "H2")], 0),
        ([shift("07:00", "09:00")], 180),
        ([shift("08:00"), shift("10:00", "10:00", "H1", id="H1-left", arrived_at="08:00")], 120),
    ],
)
def test_how_much_of_a_span_nobody_covers(present: list[dict[str, Any]], minutes: int) -> None:
    """Overlaps count once, an interval without an end is open, and a shift's present state says when it ended."""
    assert fact(COVER, [*present, leaving()]) == minutes * MINUTE


def test_cover_of_which_nobody_can_say_whether_it_counts() -> None:
    """An unknown condition matters only where it would change the answer."""
    doubtful = {**COVER, "where": "it.session == event.session"}
    assert fact(doubtful, [shift("08:00"), leaving()]) is UNKNOWN
    assert fact(doubtful, [shift("08:00"), shift("08:30", None, "H2", session="T1"), leaving()]) == 0


def test_a_span_whose_ends_are_missing_is_unknown() -> None:
    """Without a start nobody can say what lay uncovered."""
    givens = {
        "last": {"latest": "administration"},
        "alone": {"uncovered": "presence", "from": "last.occurred_at", "to": "event.occurred_at"},
    }
    assert facts(givens, [shift("08:00"), leaving()])["alone"] is UNKNOWN


@pytest.mark.parametrize(
    ("times", "minutes"),
    [
        ([], 180),
        (["09:00", "12:00"], 180),
        (["10:00", "11:00"], 60),
        (["10:00"], 120),
        (["08:00", "08:30"], 180),
        (["11:30"], 150),
        (["05:00"], 180),
    ],
)
def test_the_longest_stretch_without_an_event(times: list[str], minutes: int) -> None:
    """The ends of the span bound the first and last stretch; events outside it do not shorten anything."""
    assert (
        fact({"largest_gap": VITALS, **SPAN}, [*(vitals(at) for at in times), leaving()]) == minutes * MINUTE
    )


def test_a_gap_that_an_unknown_event_would_shorten_is_unknown() -> None:
    """A reading of which nobody can say whether it counts makes the gap unknown, unless the longest stretch is elsewhere."""
    given = {"largest_gap": VITALS, "where": HIGH, **SPAN}
    assert fact(given, [vitals("10:30"), leaving()]) is UNKNOWN
    assert (
        fact(given, [vitals("11:50"), vitals("11:40", systolic_mmhg=150), leaving()])
        == 2 * HOUR + 40 * MINUTE
    )


# ---- stock

DRUG = "ketamine_inj_50mg_ml"
GOODS = {"registration": "R1", "drug": DRUG, "lot": "L1"}
BOOK = {"balance": "stock", "by": ["registration", "drug", "lot"]}


def moved(kind: str, at: str, quantity: str | None, **fields: Any) -> dict[str, Any]:
    return entry(kind, at, **{**GOODS, **({} if quantity is None else {"quantity": quantity}), **fields})


def counted(at: str, quantity: str | None, name: str = "K1", **fields: Any) -> dict[str, Any]:
    lines = [] if quantity is None else [{"drug": DRUG, "lot": "L1", "quantity": quantity}]
    return entry(
        "inventory_count", at, **{"id": name, "count": name, "registration": "R1", "lines": lines, **fields}
    )


DRAWN = moved("administration", "12:00", "2", id="drawn")


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([], 0),
        ([moved("receipt", "08:00", "10")], 10),
        ([moved("receipt", "08:00", "10", accepted=False)], 0),
        (
            [
                moved("receipt", "08:00", "10"),
                moved("wastage", "09:00", "0.5"),
                moved("administration", "09:30", "2.5", id="d0"),
            ],
            7,
        ),
        (
            [
                moved("receipt", "08:00", "10"),
                moved("transfer_out", "09:00", "4"),
                moved("destruction", "10:00", "1"),
            ],
            5,
        ),
        (
            [
                moved("receipt", "08:00", "10", lot="L2"),
                moved("receipt", "08:00", "3", registration="R2", id="r2"),
            ],
            0,
        ),
        ([moved("receipt", "08:00", "10"), counted("09:00", "7")], 7),
        ([moved("receipt", "08:00", "10"), counted("09:00", None)], 0),
        ([moved("receipt", "08:00", "10"), counted("09:00", "7", complete=False)], 10),
        ([counted("09:00", "7"), moved("receipt", "10:00", "10"), moved("wastage", "11:00", "1")], 16),
        ([counted("08:00", "5"), counted("09:00", "7", "K2"), moved("wastage", "10:00", "1")], 6),
        ([counted("09:00", "7", registration="R2"), moved("receipt", "08:00", "10")], 10),
        ([moved("wastage", "09:00", "1")], -1),
    ],
)
def test_book_stock(history: list[dict[str, Any]], expected: int) -> None:
    """The last complete count of the registration plus movements since, from zero where nothing was counted; negative where books are wrong."""
    assert fact(BOOK, [*history, DRAWN]) == expected * SCALE


def test_book_stock_of_unknown_goods_is_unknown() -> None:
    """A judged event that does not say which lot has no balance."""
    unsaid = {name: value for name, value in DRAWN.items() if name != "lot"}
    assert fact(BOOK, [moved("receipt", "08:00", "10"), unsaid]) is UNKNOWN


def test_a_count_does_not_see_itself_and_has_a_balance_for_each_line() -> None:
    """`for_each` gives every line its book balance; the judged count is not the last count."""
    by_line = {"balance": "stock", "by": ["registration", "drug", "lot"], "for_each": "event.lines"}
    history = [counted("07:00", "3", "K0"), moved("receipt", "08:00", "10")]
    lines = [
        {"drug": DRUG, "lot": "L1", "quantity": "12"},
        {"drug": DRUG, "lot": "L2", "quantity": "1"},
        {"drug": DRUG, "quantity": "1"},
    ]
    found = fact(by_line, [*history, counted("12:00", None, lines=lines)])
    assert [(line.get("lot"), line.get("balance")) for line in found] == [
        ("L1", 13 * SCALE),
        ("L2", 0),
        (None, None),
    ]


def test_book_stock_by_container() -> None:
    """By container, a count that names it sets the balance, and one that does not leaves it."""
    by_container = {"balance": "stock", "by": ["container"]}
    lines = [{"drug": DRUG, "container": "V1", "quantity": "10"}]
    history = [
        counted("08:00", None, lines=lines),
        counted("09:00", None, "K2"),
        moved("wastage", "10:00", "1", container="V1"),
    ]
    assert fact(by_container, [*history, {**DRAWN, "container": "V1"}]) == 9 * SCALE
