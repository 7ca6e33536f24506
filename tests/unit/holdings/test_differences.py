"""What counts amount to: shortages, surpluses, overfill, measuring, discrepancies (S3-REC-BALANCE-26, S3-INV-RECONCILE-38)."""

from __future__ import annotations

import pytest

from compliance.domain.quantity import format_decimal
from compliance.holdings.account import Goods, Span, Spans
from compliance.holdings.differences import Difference, Reconciling, State
from compliance.holdings.reconciled import lots
from compliance.policy.model import Bundle
from tests.recording import bundle, correction, rule, void
from tests.stockroom import (
    DEVICE,
    KETAMINE,
    Body,
    came,
    counted,
    discrepancy,
    emptied,
    entered,
    given,
    line,
    micros,
    opened,
    remembered,
    sent,
    terms,
    wasted,
)

LOT = Goods("R1", KETAMINE, "L1")
TERMS = terms()


def judged(*events: Body, goods: Goods = LOT, policies: Bundle = TERMS) -> list[Difference]:
    """What the counts of 3 March amount to."""
    history, span = remembered(events), Span(micros("03 00:00"), micros("04 00:00"))
    spans = Spans(lambda site: span, span.begins, span.ends - 1)
    reconciling = Reconciling(history, policies, lambda _: "America/Chicago", lambda _: span.ends - 1)
    found = {lot.account.goods: lot for lot in lots(history, spans, reconciling)}
    return [difference for _, difference in found[goods].judged]


def told(difference: Difference) -> tuple[State, str | None]:
    """The state, and by how much."""
    return difference.state, None if difference.amount is None else format_decimal(difference.amount)


START = counted("01 18:00", "50")
DOSE = given("02 09:00", "4.2")
LATE = given("02 10:00", "1", entered_at="2026-03-20T10:00:00-06:00")
TYPED = given("02 10:00", "10")
TWICE = given("02 10:00", "1")

CASES = {
    "exact": ([DOSE, counted("03 18:00", "45.8")], State.AGREES, "0"),
    "a millionth short": ([DOSE, counted("03 18:00", "45.799999")], State.SHORT, "-0.000001"),
    "short": ([DOSE, counted("03 18:00", "45")], State.SHORT, "-0.8"),
    "over": ([DOSE, counted("03 18:00", "46")], State.OVER, "0.2"),
    "several lines of one lot": ([DOSE, counted("03 18:00", "30", "15.8")], State.AGREES, "0"),
    "waste": ([DOSE, wasted("02 09:30", "5.8"), counted("03 18:00", "40")], State.AGREES, "0"),
    "handed over": ([sent("02 12:00", "50"), counted("03 18:00")], State.AGREES, None),
    "no line for it": ([counted("03 18:00")], State.SHORT, "-50"),
    "opened, within measuring": ([DOSE, counted("03 18:00", opened("45.6"))], State.WITHIN, "-0.2"),
    "opened, beyond measuring": ([DOSE, counted("03 18:00", opened("45.5"))], State.SHORT, "-0.3"),
    "sealed, measured": ([DOSE, counted("03 18:00", line("45.6", count_method="measured"))], State.SHORT, "-0.2"),
    "a dose entered late": ([LATE, counted("03 18:00", "49")], State.AGREES, "0"),
    "a quantity corrected": ([TYPED, counted("03 18:00", "49"), correction(TYPED, "c1", ("quantity", "10", "1"))], State.AGREES, "0"),
    "a dose voided": ([TWICE, counted("03 18:00", "50"), void(TWICE, "v1")], State.AGREES, "0"),
    "no lot": ([counted("03 18:00", line("50", lot=None))], State.SHORT, "-50"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_count_is_held_against_the_books(name: str) -> None:
    """Less is short, more is over; measuring is allowed for where a container was open."""
    events, state, amount = CASES[name]
    found = judged(START, *events)
    assert [told(one) for one in found] == ([] if amount is None else [(state, amount)])


def test_a_line_without_a_lot_cannot_be_compared() -> None:
    """Nobody can say of which lot it is."""
    (found,) = judged(START, counted("03 18:00", line("50", lot=None)), goods=Goods("R1", KETAMINE, None))
    assert told(found) == (State.UNKNOWN, None)


def test_where_nothing_was_counted_before_only_a_shortage_is_certain() -> None:
    """What was there before the first entry is not known; it can only have been more."""
    assert told(judged(came("02 08:00", "10"), counted("03 18:00", "9"))[0]) == (State.SHORT, "-1")
    assert told(judged(came("02 08:00", "10"), counted("03 18:00", "11"))[0]) == (State.FIRST, None)


def test_a_first_inventory_is_compared_with_nothing() -> None:
    """It begins the books; one behind a complete count is a count like others."""
    first = counted("03 18:00", "9", count_type="initial")
    assert told(judged(came("02 08:00", "10"), first)[0]) == (State.FIRST, None)
    assert told(judged(START, first)[0]) == (State.SHORT, "-41")


VIAL = entered("01 08:00", "V1")
DRAWN = [given("02 09:00", "5", "V1"), wasted("02 09:30", "5.4", "V1"), emptied("02 09:40", "V1")]

OVERFILLED = {
    "what is drawn above the label is no surplus": ([VIAL, *DRAWN, counted("03 18:00", "40")], State.AGREES, "0", "0.4"),
    "nor does it make good a shortage": ([VIAL, *DRAWN, counted("03 18:00", "39.6")], State.SHORT, "-0.4", "0.4"),
    "beyond the permitted share it is one": (
        [VIAL, *DRAWN, wasted("02 09:35", "0.4", "V1"), counted("03 18:00", "40")], State.OVER, "0.3", "0.5",
    ),
    "a vial without a label has none": ([*DRAWN[:2], counted("03 18:00", "40")], State.OVER, "0.4", "0"),
    "one opened before the count may have shown it then": (
        [VIAL, given("01 10:00", "5", "V1"), given("02 10:00", "5.4", "V1"), counted("03 18:00", "44.6")], State.AGREES, "0", "0",
    ),
    "or may not": (
        [VIAL, given("01 10:00", "5", "V1"), given("02 10:00", "5.4", "V1"), counted("03 18:00", "45")], State.AGREES, "0", "0.4",
    ),
    "what was drawn above it before the count stays there": (
        [VIAL, given("01 10:00", "10.4", "V1"), given("02 10:00", "0.1", "V1"), counted("03 18:00", "50")], State.AGREES, "0", "0.1",
    ),
    "and makes good no surplus behind it": (
        [VIAL, given("01 10:00", "10.4", "V1"), given("02 10:00", "0.1", "V1"), counted("03 18:00", "50.2")], State.OVER, "0.2", "0.1",
    ),
    "seen in a vial that is counted by itself": (
        [VIAL, given("02 10:00", "6", "V1"), counted("03 18:00", opened("4.3", container="V1"), "40")], State.AGREES, "0", "0.3",
    ),
    "a vial that the count before found so full": (
        [VIAL, counted("02 08:00", line("10.3", container="V1"), "40"), given("02 10:00", "10.3", "V1"), counted("03 18:00", "40")],
        State.AGREES, "0", "0",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OVERFILLED)
def test_overfill(name: str) -> None:
    """Neither stock to account for nor a cover for what is missing."""
    events, state, amount, overfill = OVERFILLED[name]
    found = judged(START, *events)[-1]
    assert (*told(found), format_decimal(found.overfill)) == (state, amount, overfill)


def test_devices_have_no_overfill() -> None:
    """One that was used twice is one device too many."""
    device = {"drug": DEVICE, "container": "D1"}
    events = [counted("01 18:00", line("5", drug=DEVICE)), entered("02 08:00", "D1", "1", drug=DEVICE, quantity_unit="device"),
              given("02 09:00", "1", **device), given("02 09:10", "1", **device), counted("03 18:00", line("4", drug=DEVICE))]  # fmt: skip
    (found,) = judged(*events, goods=Goods("R1", DEVICE, "L1"))
    assert told(found) == (State.OVER, "1")


def test_what_the_policies_do_not_speak_of_is_not_allowed() -> None:
    """Without the parameters nothing is off by measuring, and nothing is overfill."""
    other = bundle(rule("other", "disclosure", "true"))
    assert told(judged(START, counted("03 18:00", opened("49.9")), policies=other)[0]) == (
        State.SHORT,
        "-0.1",
    )
    assert told(judged(START, VIAL, *DRAWN, counted("03 18:00", "40"), policies=other)[0]) == (
        State.OVER,
        "0.4",
    )


SHORT = counted("03 18:00", "48")
NAMED = {"count_event": SHORT["id"]}

REPORTED = {
    "none": ([], State.SHORT, "-2"),
    "it names the count": ([discrepancy("03 19:00", "2", **NAMED)], State.OPEN, "0"),
    "concluded": ([discrepancy("03 19:00", "2", "significant_loss", **NAMED)], State.EXPLAINED, "0"),
    "its last state counts": (
        [discrepancy("03 19:00", "2", **NAMED), discrepancy("03 20:00", "2", "explained", **NAMED)], State.EXPLAINED, "0",
    ),
    "for a part": ([discrepancy("03 19:00", "0.5", "theft", **NAMED)], State.SHORT, "-1.5"),
    "two for both parts": (
        [discrepancy("03 19:00", "0.5", "theft", **NAMED), discrepancy("03 19:00", "1.5", discrepancy="D2", **NAMED)], State.OPEN, "0",
    ),
    "it says over": ([discrepancy("03 19:00", "2", direction="over", **NAMED)], State.SHORT, "-2"),
    "of another lot": ([discrepancy("03 19:00", "2", lot="L2", **NAMED)], State.SHORT, "-2"),
    "of another drug": ([discrepancy("03 19:00", "2", drug=DEVICE, **NAMED)], State.SHORT, "-2"),
    "it names another count": ([discrepancy("03 19:00", "2", count_event="elsewhere")], State.SHORT, "-2"),
    "it names the count and no lot": ([discrepancy("03 19:00", "2", lot=None, **NAMED)], State.OPEN, "0"),
    "only the lot, on the day": ([discrepancy("03 19:00", "2")], State.OPEN, "0"),
    "only the lot, since the count before": ([discrepancy("02 19:00", "2", "theft")], State.EXPLAINED, "0"),
    "only the lot, found before the count before": ([discrepancy("01 17:00", "2", "theft")], State.SHORT, "-2"),
    "neither count nor lot": ([discrepancy("03 19:00", "2", lot=None)], State.SHORT, "-2"),
    "of a delivery": ([discrepancy("03 19:00", "2", receipt_event="r1")], State.SHORT, "-2"),
    "of another registration": ([discrepancy("03 19:00", "2", registration="R2", **NAMED)], State.SHORT, "-2"),
    "the next day": ([discrepancy("04 09:00", "2", **NAMED)], State.SHORT, "-2"),
}  # fmt: skip


@pytest.mark.parametrize("name", REPORTED)
def test_a_discrepancy_accounts_for_what_it_says(name: str) -> None:
    """Of the count, the lot and the direction that it is about, and for no more."""
    events, state, unexplained = REPORTED[name]
    (found,) = judged(START, SHORT, *events)
    assert found.unexplained is not None
    assert (*told(found), format_decimal(found.unexplained)) == (state, "-2", unexplained)


def test_a_discrepancy_accounts_for_its_amount_once() -> None:
    """Two counts of one day are short by two each: one discrepancy is not enough for both."""
    found = judged(START, counted("03 08:00", "48"), counted("03 18:00", "46"), discrepancy("03 19:00", "2"))
    assert [one.state for one in found] == [State.OPEN, State.SHORT]
