"""The books of `compliance.holdings` are the engine's `balance` at every instant, for all goods at once; containers likewise, with their labels."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.domain.event import Event
from compliance.domain.making import make_event, stamp
from compliance.domain.values import UNKNOWN
from compliance.engine.history import History, MemoryHistory
from compliance.engine.nights import NightSight
from compliance.engine.stock import MOVEMENTS, balance
from compliance.holdings.account import Account, Goods, Span, Spans
from compliance.holdings.books import accounts, counts
from compliance.holdings.containers import container, last_counted, lives, named_in
from compliance.policy.fill import fill
from tests.properties.timelines import START, instant

DRUGS = ("ketamine_inj_50mg_ml", "ketamine_inj_10mg_ml")
minutes = st.integers(0, 30).map(lambda n: n * 37)
quantities = st.sampled_from(["1", "2.5", "0.3", "10"])
registrations = st.sampled_from(["R1", "R1", "R2"])
lots = st.sampled_from(["L1", "L2"])
containers = st.sampled_from(["C1", "C2", "C3"])
sites = st.sampled_from(["S1", "S2"])
drugs = st.sampled_from((DRUGS[0], *DRUGS))


@st.composite
def happened(draw: st.DrawFn, number: int, earlier: list[dict[str, Any]]) -> dict[str, Any]:
    """A movement, a count, an entry about a container, or an amendment of an earlier one; now and then it leaves something out."""
    kinds = (*MOVEMENTS, "administration", "inventory_count", "inventory_count", "container_status")
    kind = draw(st.sampled_from((*kinds, "correction", "void") if earlier else kinds))
    at = draw(minutes)
    body: dict[str, Any] = {
        "id": f"e{number:03d}", "kind": kind, "site": draw(sites), "actor": "N1",
        "occurred_at": instant(at), "entered_at": instant(at + draw(st.integers(0, 90))),
    }  # fmt: skip
    if kind == "void":
        body |= {"corrects": draw(st.sampled_from(earlier))["id"], "reason": "wrong"}
    elif kind == "correction":
        target = draw(st.sampled_from(earlier))
        name = draw(
            st.sampled_from([n for n in ("quantity", "lot", "registration", "occurred_at") if n in target])
        )
        new = draw(
            {
                "quantity": quantities,
                "lot": lots,
                "registration": registrations,
                "occurred_at": minutes.map(instant),
            }[name]
        )
        change = {"name": name, "old": json.dumps(target[name]), "new": json.dumps(new)}
        body |= {"corrects": target["id"], "fields": [change], "reason": "typed wrongly"}
    elif kind == "inventory_count":
        line = st.fixed_dictionaries(
            {"drug": drugs, "quantity": quantities}, optional={"lot": lots, "container": containers}
        )
        body |= {
            "registration": draw(registrations),
            "complete": draw(st.booleans()),
            "lines": draw(st.lists(line, max_size=3)),
        }
        body["count_type"] = draw(st.sampled_from(["initial", "shift", "cycle"]))
    elif kind == "container_status":
        about = {"drug": drugs, "lot": lots, "labelled_quantity": quantities, "quantity_left": quantities}
        body |= {"container": draw(containers), "registration": draw(registrations), "status": "opened"}
        body |= draw(st.fixed_dictionaries({}, optional=about))
    else:
        body |= {"drug": draw(drugs), "quantity": draw(quantities), "registration": draw(registrations)}
        named = {"lot": lots, **({"container": containers} if kind in ("administration", "wastage") else {})}
        body |= draw(st.fixed_dictionaries({}, optional=named))
        if kind == "receipt":
            body["accepted"] = draw(st.sampled_from([True, True, False]))
        if kind in ("administration", "dispense", "wastage") and draw(st.integers(0, 5)) == 0:
            del body["registration"]
    return fill(body, number)


@st.composite
def histories(draw: st.DrawFn) -> tuple[History, list[Event]]:
    """Events in the order in which they were recorded."""
    written: list[dict[str, Any]] = []
    for number in range(draw(st.integers(3, 16))):
        body = draw(happened(number, [one for one in written if one["kind"] not in ("correction", "void")]))
        written.append(body)
    events = []
    for position, body in enumerate(written):
        made = make_event(body)
        assert isinstance(made, Event), made
        events.append(stamp(made, made.occurred_at + 10**9, position))
    return MemoryHistory(events), events


def engine(history: History, instant: int, **keys: str) -> Any:
    """The engine's balance by these keys, as the night sees it at an instant."""
    values = {"site": "S1", "noted_at": instant, **keys}
    night = Event("night", "night", {}, values, instant, instant, 2**62)
    return balance(tuple(keys), keys, NightSight(history, night))


def opened(history: History, registration: str, until: int) -> bool:
    """Whether there is a book: something was counted, or came."""
    counted = history.newest_first("inventory_count", "registration", registration, until, None)
    came = history.newest_first("receipt", "registration", registration, until, None)
    return any(True for _ in counted) or any(event.values["accepted"] for event in came)


def keys_of(goods: Goods) -> dict[str, str]:
    """The keys of a book."""
    assert goods.registration is not None
    assert goods.lot is not None
    return {"registration": goods.registration, "drug": goods.drug, "lot": goods.lot}


def whole(begins: int | None, ends: int) -> Spans:
    """The same span at every site."""
    return Spans(lambda site: Span(begins, ends), begins, ends - 1)


MOMENTS = st.integers(0, 30 * 37 + 5).map(lambda n: int(START.timestamp() * 1_000_000) + n * 60_000_000)


@settings(max_examples=60)
@given(histories(), MOMENTS, MOMENTS)
def test_opening_and_closing_are_the_engines_balance(
    made: tuple[History, list[Event]], one: int, other: int
) -> None:
    """At both ends of any span, by lot and by drug, and nothing that the engine would find is left out."""
    history, _ = made
    begins, ends = min(one, other), max(one, other) + 1
    found = [one for one in accounts(history, whole(begins, ends)) if one.goods.registration is not None]
    by_goods = {account.goods: account for account in found}
    assert len(by_goods) == len(found)
    for registration in ("R1", "R2"):
        moved = any(goods.registration == registration for goods in by_goods)
        if not moved and not opened(history, registration, ends - 1):
            continue
        for drug in DRUGS:
            total = [0, 0]
            for lot in ("L1", "L2", None):
                account = by_goods.get(Goods(registration, drug, lot))
                ours = (account.opening, account.closing) if account is not None else (0, 0)
                total = [total[0] + ours[0], total[1] + ours[1]]
                if lot is not None:
                    keys = {"registration": registration, "drug": drug, "lot": lot}
                    assert ours == (engine(history, begins - 1, **keys), engine(history, ends - 1, **keys))
            keys = {"registration": registration, "drug": drug}
            assert total == [engine(history, begins - 1, **keys), engine(history, ends - 1, **keys)]


@settings(max_examples=40)
@given(histories(), MOMENTS)
def test_from_the_last_count_on_the_balance_is_the_same(
    made: tuple[History, list[Event]], moment: int
) -> None:
    """A span that begins with the last complete count ends in the same figures, and every figure adds up."""
    history, _ = made
    for account in accounts(history, whole(None, moment)):
        if account.goods.booked:
            assert account.closing == engine(history, moment - 1, **keys_of(account.goods))
            assert account.closing == _added_up(account)
        started = account.start.of(account.goods) if account.start is not None else ()
        assert account.closing == sum(line.quantity for line in started) + sum(
            step.amount for step in account.running
        )


def _added_up(account: Account) -> int:
    """What it held, what moved, and what each complete count changed."""
    changed = sum(one.counted - one.book for one in account.compared if one.count.complete)
    return account.opening + sum(step.amount for step in account.steps) + changed


@settings(max_examples=60)
@given(histories(), MOMENTS, MOMENTS)
def test_a_container_holds_what_the_engine_says_from_its_label_on(
    made: tuple[History, list[Event]], one: int, other: int
) -> None:
    """Begun by a count, its account is the engine's balance; begun by its label, that and the label; else nobody can say."""
    history, _ = made
    span = Span(min(one, other), max(one, other) + 1)
    within = counts(history, whole(span.begins, span.ends))
    for life in lives(history, ("C1", "C2", "C3"), span.ends - 1):
        before = last_counted(history, [life.name], span).get(life.name)
        named = [count for count in within if life.name in named_in(count)]
        account = container(life, before, named, span)
        balance_of = engine(history, span.ends - 1, container=life.name)
        if account.closing is None:
            assert life.label is None
            continue
        label = life.label if account.begun == life.labelled_by and life.label is not None else 0
        assert balance_of is not UNKNOWN
        assert account.closing == label + balance_of
