"""What each container should hold, from its label or its last count on."""

from __future__ import annotations

import pytest

from compliance.domain.quantity import format_decimal
from compliance.domain.time import DAY as A_DAY
from compliance.holdings.account import Span, Spans
from compliance.holdings.differences import Reconciling, State
from compliance.holdings.reconciled import Vessel, lots, touched, vessels
from tests.stockroom import (
    DEVICE,
    Body,
    counted,
    discrepancy,
    emptied,
    entered,
    given,
    line,
    micros,
    opened,
    remembered,
    terms,
    wasted,
)

TERMS = terms()


def seen(*events: Body, day: str = "03") -> dict[str, Vessel]:
    """The containers of a day, by name."""
    history, begins = remembered(events), micros(f"{day} 00:00")
    span = Span(begins, begins + A_DAY)
    spans = Spans(lambda site: span if site == "S1" else None, span.begins, span.ends - 1)
    reconciling = Reconciling(history, TERMS, lambda _: "America/Chicago", lambda _: span.ends - 1)
    names = touched(history, spans, lots(history, spans, reconciling))
    return {vessel.account.life.name: vessel for vessel in vessels(history, spans, names, reconciling)}


def figures(vessel: Vessel) -> tuple[str | None, str | None, State | None, str | None]:
    """What it opens and closes with, and what is wrong."""
    account, judged = vessel.account, vessel.judged
    amounts = [account.opening, account.closing, None if judged is None else judged.amount]
    opening, closing, amount = (None if one is None else format_decimal(one) for one in amounts)
    return opening, closing, None if judged is None else judged.state, amount


VIAL = entered("02 08:00", "V1")
EARLIER = given("02 10:00", "2", "V1")
DOSE = given("03 10:00", "3", "V1")

CASES = {
    "given from since its label": ([VIAL, EARLIER, DOSE], ("8", "5", None, None)),
    "emptied and wasted": ([VIAL, DOSE, wasted("03 11:00", "7", "V1"), emptied("03 11:05", "V1")], ("10", "0", State.AGREES, "0")),
    "wasted a little later": ([VIAL, DOSE, emptied("03 11:05", "V1"), wasted("03 11:10", "7", "V1")], ("10", "0", State.AGREES, "0")),
    "emptied, and some is not accounted for": ([VIAL, DOSE, emptied("03 11:05", "V1")], ("10", "7", State.SHORT, "-7")),
    "emptied, with overfill": (
        [VIAL, DOSE, wasted("03 11:00", "7.5", "V1"), emptied("03 11:05", "V1")], ("10", "-0.5", State.AGREES, "0"),
    ),
    "more than it can have held": (
        [VIAL, DOSE, wasted("03 11:00", "7.6", "V1"), emptied("03 11:05", "V1")], ("10", "-0.6", State.OVER, "0.1"),
    ),
    "the same, before anybody said that it is empty": ([VIAL, DOSE, wasted("03 11:00", "7.6", "V1")], ("10", "-0.6", State.OVER, "0.1")),
    "what is left is measured": (
        [VIAL, DOSE, entered("03 11:00", "V1", status="in_use", quantity_left="6.8")], ("10", "7", State.WITHIN, "-0.2"),
    ),
    "what is left shows its overfill": (
        [VIAL, DOSE, entered("03 11:00", "V1", status="in_use", quantity_left="7.5")], ("10", "7", State.AGREES, "0"),
    ),
    "sealed, and not full": ([VIAL, entered("03 11:00", "V1", quantity_left="9.9")], ("10", "10", State.SHORT, "-0.1")),
    "counted by itself": ([VIAL, DOSE, counted("03 18:00", opened("7", container="V1"))], ("10", "7", State.AGREES, "0")),
    "counted short": ([VIAL, DOSE, counted("03 18:00", opened("5", container="V1"))], ("10", "5", State.SHORT, "-2")),
    "counted short in a part of the stock": (
        [VIAL, DOSE, counted("03 18:00", opened("5", container="V1"), complete=False)], ("10", "7", State.SHORT, "-2"),
    ),
    "begun by a count": ([VIAL, counted("02 18:00", line("9", container="V1")), DOSE], ("9", "6", None, None)),
    "begun by a count before anybody entered it": (
        [counted("01 18:00", line("9", container="V1")), VIAL, DOSE], ("9", "6", None, None),
    ),
    "not begun by a count of a part": ([VIAL, counted("02 18:00", line("9", container="V1"), complete=False), DOSE], ("10", "7", None, None)),
    "nobody wrote what it held": ([DOSE, emptied("03 11:05", "V1", labelled_quantity=None)], (None, None, None, None)),
    "in a discrepancy of the day": (
        [VIAL, DOSE, emptied("03 11:05", "V1"), discrepancy("03 12:00", "7", lot=None, container="V1")], ("10", "7", State.OPEN, "-7"),
    ),
    "in a discrepancy of another container": (
        [VIAL, DOSE, emptied("03 11:05", "V1"), discrepancy("03 12:00", "7", container="V2")], ("10", "7", State.SHORT, "-7"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_container_is_accounted_for(name: str) -> None:
    """From its label or count to what is left; overfill is allowed for, measuring too."""
    events, expected = CASES[name]
    assert figures(seen(*events)["V1"]) == expected


def test_overfill_that_was_drawn_on_the_day() -> None:
    """What is above the label, of that day alone."""
    drawn = [VIAL, given("02 10:00", "10.2", "V1"), wasted("03 10:00", "0.2", "V1")]
    assert seen(*drawn)["V1"].overfill == 200_000
    assert seen(*drawn, day="02")["V1"].overfill == 200_000
    assert seen(VIAL, DOSE)["V1"].overfill == 0


def test_which_containers_a_day_is_about() -> None:
    """Used, entered, or counted by itself; not those that lie still, nor those of another site."""
    there = {"site": "S2", "registration": "R2"}
    found = seen(
        VIAL, entered("02 08:00", "V2"), entered("03 08:00", "V3"), counted("03 18:00", line("10", container="V4")),
        given("03 09:00", "1", "V5"), entered("03 08:00", "W1", **there), given("03 09:00", "1", "W2", **there),
    )  # fmt: skip
    assert sorted(found) == ["V3", "V4", "V5"]


def test_a_device_is_one_device() -> None:
    """Used and empty is in order; used twice is one too many, and not a part of it less."""
    made = {"drug": DEVICE, "quantity_unit": "device"}
    dose = given("03 09:00", "1", "D1", drug=DEVICE)
    used = [
        entered("02 08:00", "D1", "1", **made),
        dose,
        emptied("03 09:05", "D1", **made, labelled_quantity="1"),
    ]
    assert figures(seen(*used)["D1"]) == ("1", "0", State.AGREES, "0")
    again = given("03 09:02", "1", "D1", drug=DEVICE)
    assert figures(seen(*used, again)["D1"]) == ("1", "-1", State.OVER, "1")


def test_gone_containers_are_told_from_those_that_still_hold_something() -> None:
    """Empty by the books and by what was said, or handed over."""
    used = [VIAL, given("03 10:00", "10", "V1"), emptied("03 11:00", "V1")]
    assert seen(*used)["V1"].account.gone
    assert seen(VIAL, entered("03 11:00", "V1", status="transferred"))["V1"].account.gone
    assert not seen(VIAL, DOSE, emptied("03 11:00", "V1"))["V1"].account.gone
