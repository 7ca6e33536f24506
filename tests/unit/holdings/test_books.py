"""What the books hold of some goods in a span of time, and what they are made of."""

from __future__ import annotations

import pytest

from compliance.domain.quantity import format_decimal
from compliance.holdings.account import Account, Goods, Span, Spans
from compliance.holdings.books import accounts
from tests.stockroom import (
    DEVICE,
    KETAMINE,
    Body,
    came,
    counted,
    destroyed,
    dispensed,
    given,
    line,
    micros,
    remembered,
    sent,
    wasted,
)

LOT = Goods("R1", KETAMINE, "L1")
DAY = ("03 00:00", "04 00:00")


def books(*events: Body, span: tuple[str | None, str] = DAY, sites: str = "S1 S2") -> dict[Goods, Account]:
    """The accounts of a span, by goods."""
    begins = None if span[0] is None else micros(span[0])
    within = Span(begins, micros(span[1]))
    spans = Spans(lambda site: within if site in sites.split() else None, begins, within.ends - 1)
    return {account.goods: account for account in accounts(remembered(events), spans)}


def figures(account: Account) -> dict[str, str]:
    """What moved, by kind, where something did."""
    kinds = {step.kind for step in account.steps}
    return {kind: format_decimal(account.moved(kind)[0]) for kind in sorted(kinds)}


def ends(account: Account) -> tuple[str, str]:
    return format_decimal(account.opening), format_decimal(account.closing)


BEFORE = [counted("01 18:00", "50"), came("02 08:00", "10"), given("02 09:00", "0.3")]


def test_a_day_opens_with_the_last_complete_count_and_what_moved_since() -> None:
    """In, and out by kind of movement; each with its entries, the opening with its count and the number of movements."""
    moved = [came("03 08:00", "20"), given("03 09:00", "0.1"), given("03 09:30", "0.2"), wasted("03 10:00", "1"),
             dispensed("03 11:00", "2"), sent("03 12:00", "3"), destroyed("03 13:00", "4")]  # fmt: skip
    account = books(*BEFORE, *moved, given("04 00:00", "9"))[LOT]
    assert ends(account) == ("59.7", "69.4")
    assert account.base is not None
    assert (account.base.entry, account.before) == (0, 2)
    assert figures(account) == {
        "administration": "0.3", "destruction": "4", "dispense": "2", "receipt": "20", "transfer_out": "3", "wastage": "1",
    }  # fmt: skip
    assert account.moved("administration")[1] == (4, 5)
    assert account.site == "S1"


def test_what_was_refused_never_came() -> None:
    """A delivery that was not accepted moves nothing, and opens no book."""
    assert ends(books(*BEFORE, came("03 08:00", "20", accepted=False))[LOT]) == ("59.7", "59.7")
    assert books(came("03 08:00", "20", accepted=False)) == {}


def test_a_count_begins_the_books_anew_and_does_not_see_itself() -> None:
    """What moved after it is added to what it found; an incomplete one leaves the books as they are."""
    count = counted("03 12:00", "40")
    account = books(*BEFORE, given("03 09:00", "1"), count, given("03 15:00", "2"))[LOT]
    (compared,) = account.compared
    assert (compared.book, compared.counted, compared.entries) == (58_700_000, 40_000_000, (3,))
    assert ends(account) == ("59.7", "38")
    assert [step.entry for step in account.running] == [5]
    part = books(*BEFORE, counted("03 12:00", "40", complete=False))[LOT]
    assert ends(part) == ("59.7", "59.7")
    assert len(part.compared) == 1


def test_a_span_may_begin_with_the_last_complete_count() -> None:
    """Then the count stands beside what led to it."""
    account = books(*BEFORE, counted("03 12:00", "58"), given("03 15:00", "2"), span=(None, "05 00:00"))[LOT]
    assert ends(account) == ("59.7", "56")
    assert [one.count.entry for one in account.compared] == [3]
    assert account.start is not None
    assert account.start.entry == 3


def test_two_sites_with_the_same_lot_have_two_books() -> None:
    """A book is of a registration."""
    there = {"site": "S2", "registration": "R2"}
    found = books(*BEFORE, counted("01 18:00", "7", **there), given("03 09:00", "1", **there))
    assert ends(found[LOT]) == ("59.7", "59.7")
    assert ends(found[Goods("R2", KETAMINE, "L1")]) == ("7", "6")
    assert found[Goods("R2", KETAMINE, "L1")].site == "S2"


def test_only_the_sites_that_are_asked_about_are_told_of() -> None:
    """The book of another site is left out, whatever moved there."""
    there = {"site": "S2", "registration": "R2"}
    found = books(
        *BEFORE,
        came("01 08:00", "7", **there),
        given("03 09:00", "1", registration=None, site="S2"),
        sites="S1",
    )
    assert list(found) == [LOT]


def test_a_book_is_where_it_was_counted_last() -> None:
    """What moves under its registration elsewhere moves it all the same."""
    account = books(*BEFORE, given("03 09:00", "1", site="S2"))[LOT]
    assert (account.site, ends(account)) == ("S1", ("59.7", "58.7"))


@pytest.mark.parametrize(
    ("missing", "goods"),
    [("registration", Goods(None, KETAMINE, "L1")), ("lot", Goods("R1", KETAMINE, None))],
)
def test_what_names_no_registration_or_no_lot_stands_in_no_book(missing: str, goods: Goods) -> None:
    """It is told apart, and no lot is changed by it."""
    found = books(*BEFORE, given("03 09:00", "1", **{missing: None}))
    assert ends(found[LOT]) == ("59.7", "59.7")
    assert not goods.booked
    assert [step.entry for step in found[goods].steps] == [3]


def test_a_registration_that_was_never_counted_nor_supplied_has_a_book_once_something_moves() -> None:
    """A dose under a registration that nobody knows goes below zero there, and is seen."""
    found = books(*BEFORE, given("03 09:00", "1", registration="R9"))
    assert ends(found[Goods("R9", KETAMINE, "L1")]) == ("0", "-1")


def test_a_lot_that_a_complete_count_leaves_out_was_not_found() -> None:
    """The complete count compares every lot that the books hold, an incomplete one only those that it names."""
    other = line("5", lot="L2")
    account = books(*BEFORE, counted("03 18:00", other))[LOT]
    assert [(one.counted, one.book, one.lines) for one in account.compared] == [(0, 59_700_000, ())]
    assert ends(account) == ("59.7", "0")
    assert books(*BEFORE, counted("03 18:00", other, complete=False))[LOT].compared == ()


def test_a_part_counted_container_by_container_says_nothing_of_the_lot() -> None:
    """A whole one does, and so does a part with a line for the lot."""
    vials = [line("10", container="V1"), line("9", container="V2")]
    assert books(*BEFORE, counted("03 18:00", *vials, complete=False))[LOT].compared == ()
    (whole,) = books(*BEFORE, counted("03 18:00", *vials))[LOT].compared
    assert whole.counted == 19_000_000
    (mixed,) = books(*BEFORE, counted("03 18:00", *vials, line("40"), complete=False))[LOT].compared
    assert mixed.counted == 59_000_000


def test_what_left_each_container_since_the_last_complete_count() -> None:
    """A comparison holds it for the overfill; what left before the count does not belong to it, and devices have none."""
    since = [
        given("01 10:00", "5", "V1"),
        *BEFORE,
        given("02 10:00", "2", "V1"),
        wasted("03 10:00", "1", "V1"),
    ]
    (compared,) = books(*since, counted("03 18:00", "50"))[LOT].compared
    assert compared.drawn == {"V1": 3_000_000}
    both = books(*since, counted("03 12:00", "50"), wasted("03 13:00", "2", "V1"), counted("03 18:00", "50"))[
        LOT
    ].compared
    assert [one.drawn for one in both] == [{"V1": 3_000_000}, {"V1": 2_000_000}]
    device = {"drug": DEVICE, "container": "D1"}
    used = books(given("03 09:00", "1", **device), counted("03 18:00", line("1", drug=DEVICE)))
    assert used[Goods("R1", DEVICE, "L1")].compared[0].drawn == {}


def test_what_moved_at_the_instant_of_the_count_lies_before_it_or_behind_it() -> None:
    """History's order decides: when it was known, then where it stands in the log."""
    known = {"entered_at": "2026-03-01T18:00:00-06:00"}
    before, count, behind = (
        given("01 18:00", "1", **known),
        counted("01 18:00", "50", **known),
        given("01 18:00", "2", **known),
    )
    assert ends(books(before, count, behind)[LOT]) == ("48", "48")
    assert ends(books(before, behind, count)[LOT]) == ("50", "50")


def test_idle_accounts_say_nothing() -> None:
    """Nothing there, nothing moved, nothing counted."""
    used_up = books(counted("01 18:00", "5"), given("02 09:00", "5"))[LOT]
    assert used_up.idle
    assert not books(counted("01 18:00", "5"), given("03 09:00", "5"))[LOT].idle
