"""The history in memory and the one over SQL agree, and the final standing does not depend on the order of arrival (engine.md)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.domain.event import Event
from compliance.domain.findings import decision_of
from compliance.domain.making import stamp
from compliance.engine.history import MemoryHistory
from compliance.engine.judging import Judge
from compliance.intake.drafts import Draft
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.record import Recorded, Recorder, Rejudged
from tests.homes import PostgresHome
from tests.properties.timelines import rules, timelines

JUDGE = Judge(rules())


@lru_cache(maxsize=1)
def _empty_log() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        Log.create(f"sqlite:///{path}", "test/log", "test+00000000+AA==").close()
        return path.read_bytes()


@contextmanager
def recorded(events: Sequence[Event]) -> Iterator[Log]:
    """A log with these events, recorded in this order, in a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.db"
        path.write_bytes(_empty_log())
        with Log.open(f"sqlite:///{path}", write=True) as log:
            yield _recorded(log, events)


@contextmanager
def recorded_in_postgresql(events: Sequence[Event]) -> Iterator[Log]:
    """The same in a schema."""
    home = PostgresHome()
    try:
        with home.empty_log() as log:
            yield _recorded(log, events)
    finally:
        home.remove()


def _recorded(log: Log, events: Sequence[Event]) -> Log:
    results = Recorder(log, JUDGE).submit(Draft(event, "test", number) for number, event in enumerate(events))
    for batch in results:
        assert all(isinstance(result, Recorded | Rejudged) for result in batch), batch
    return log


def standing(log: Log) -> dict[str, Any]:
    """How each event stands after its last judgement."""
    found = {}
    for entry in log.entries():
        if entry.type == "event" and entry.event_id is not None:
            last = log.last_judgement(entry.event_id)
            found[entry.event_id] = decision_of(
                (entry if last is None else log.entry(last)).document()["decision"]
            ).stands()
    return found


def judged_at_the_end(events: Sequence[Event]) -> dict[str, Any]:
    """How each event stands when all are judged on everything, in memory."""
    history = MemoryHistory(
        stamp(event, event.occurred_at, position) for position, event in enumerate(events)
    )
    found: dict[str, Any] = {}
    for event in history:
        stands = history.stands(event.id)
        found[event.id] = (
            ("voided", frozenset()) if stands is None else JUDGE.judge(stands, history).decision.stands()
        )
    return found


def untied(events: Sequence[Event]) -> list[Event]:
    """Those events whose instants differ: where two occurred and were noted at once, the log's order decides, as it should."""
    seen: dict[tuple[int, int], Event] = {}
    for event in events:
        seen.setdefault((event.occurred_at, stamp(event, 0, 0).noted_at), event)
    kept = {event.id for event in seen.values()}
    return [event for event in events if event.id in kept]


def both_agree(log: Log) -> None:
    """Every event is decided on the same case over the log as over the same events in memory."""
    over_log = LogHistory(log)
    in_memory = MemoryHistory(over_log.recorded(e.idx) for e in log.entries() if e.type == "event")
    for event in in_memory:
        stands = in_memory.stands(event.id)
        assert over_log.stands(event.id) == stands
        if stands is not None:
            assert JUDGE.judge(stands, over_log) == JUDGE.judge(stands, in_memory)


@settings(max_examples=150)
@given(timelines())
def test_both_histories_bind_the_same_facts(events: list[Event]) -> None:
    """Over a file and in memory, look-ups find the same."""
    with recorded(events) as log:
        both_agree(log)


@settings(max_examples=10)
@given(timelines())
def test_the_history_over_postgresql_binds_the_same_facts(events: list[Event]) -> None:
    """Over PostgreSQL and in memory, too."""
    with recorded_in_postgresql(events) as log:
        both_agree(log)


def shuffled(events: Sequence[Event], random: Any) -> list[Event]:
    """In any order."""
    mixed = list(events)
    random.shuffle(mixed)
    return mixed


@settings(max_examples=70)
@given(timelines(), st.randoms(use_true_random=False))
def test_the_final_standing_does_not_depend_on_the_order_of_arrival(events: list[Event], random: Any) -> None:
    """Whatever arrives first, each event stands in the end as when everything had been known at once."""
    events = untied(events)
    with recorded(shuffled(events, random)) as log:
        assert standing(log) == judged_at_the_end(events)


@settings(max_examples=10)
@given(timelines(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter_in_postgresql(events: list[Event], random: Any) -> None:
    """The same where other statements look things up."""
    events = untied(events)
    with recorded_in_postgresql(shuffled(events, random)) as log:
        assert standing(log) == judged_at_the_end(events)
