"""The history over the log, where it reads many events together: it gives what it gives one by one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from compliance.domain.event import Event
from compliance.engine.judging import Judge
from compliance.ledger import history as module
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.ledger.statements import NEWEST, WIDE
from tests.recording import body, bundle, correction, fresh_log, record, rule, void

MANY = WIDE + 60
JUDGE = Judge(bundle(rule("any", "discharge", "true")))


def events() -> list[dict[str, object]]:
    """Presences of three people, minute by minute; some at the same instant, some corrected, one to another person, one void."""
    made = [
        body(
            "presence",
            f"2026-03-02T{8 + n // 60:02}:{n % 60 // 2:02}:00-06:00",
            id=f"p{n:03}",
            person=f"N{n % 3}",
            shift=f"H{n}",
        )
        for n in range(MANY)
    ]
    amended = [
        correction(made[5], "c1", ("person", "N2", "N9")), correction(made[9], "c2", ("occurred_at", made[9]["occurred_at"], made[70]["occurred_at"])),
        void(made[12], "v1"), body("discharge", "2026-03-02T19:00:00-06:00", id="last"),
    ]  # fmt: skip
    return [*made, *amended]


@pytest.fixture(scope="module")
def log() -> Iterator[Log]:
    with fresh_log() as made:
        record(made, JUDGE, *events())
        yield made


def one_by_one(log: Log, before: int | None, kind: str, field: str, value: str) -> list[Event]:
    """The reference: every event as it stands by itself."""
    history = LogHistory(log, before=before)
    stood = [history.stands(str(sent["id"])) for sent in events()]
    found = [
        one
        for one in stood
        if one is not None and one.kind == kind and (field == "*" or one.values.get(field) == value)
    ]
    return sorted(found, key=lambda one: one.order, reverse=True)


KEYS = [
    ("presence", "*", ""),
    ("presence", "person", "N0"),
    ("presence", "person", "N2"),
    ("presence", "person", "N9"),
    ("presence", "shift", "H7"),
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("before", [None, MANY, MANY + 2])
@pytest.mark.parametrize("ahead", [False, True])
def test_many_together_are_the_same_as_one_by_one(
    log: Log, key: tuple[str, str, str], before: int | None, ahead: bool
) -> None:
    """Newest first, corrections and voids applied as far as they were known, whether or not the key was announced."""
    history = LogHistory(log, before=before)
    if ahead:
        history.ahead(KEYS[1:])
    found = list(history.newest_first(*key, None, None))
    assert found == one_by_one(log, before, *key)
    assert [one.order for one in found] == sorted((one.order for one in found), reverse=True)


@pytest.mark.parametrize("ahead", [False, True])
def test_bounds_hold(log: Log, ahead: bool) -> None:
    """`until` and `since` are both included."""
    history = LogHistory(log)
    every = one_by_one(log, None, "presence", "person", "N0")
    last, first = every[NEWEST + 3].occurred_at, every[NEWEST + 30].occurred_at
    if ahead:
        history.ahead([("presence", "person", "N0")])
    found = list(history.newest_first("presence", "person", "N0", last, first))
    assert found == [one for one in every if first <= one.occurred_at <= last]


def test_a_stretch_gives_every_event_that_stands(log: Log) -> None:
    """In the log's order, also where the memory of events is small."""
    wanted = [
        one.id for one in sorted(one_by_one(log, None, "presence", "*", ""), key=lambda one: one.position)
    ]
    found = [one.id for one in LogHistory(log).stretch(0, log.size) if one.kind == "presence"]
    assert found == wanted


def test_memory_is_bounded(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for few events the same is found, and no more than those are kept."""
    monkeypatch.setattr(module, "CACHED_EVENTS", 40)
    history = LogHistory(log)
    assert [one.id for one in history.newest_first("presence", "*", "", None, None)] == [
        one.id for one in one_by_one(log, None, "presence", "*", "")
    ]
    assert [one.id for one in history.stretch(0, log.size)] == [
        one.id for one in LogHistory(log).stretch(0, log.size)
    ]
    assert len(history._sent) <= WIDE


def test_many_look_ups_are_few_statements(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred subjects cost as many statements as one, once their keys were announced."""
    asked: list[str] = []
    execute = type(log.driver).execute

    def counting(self: object, sql: str, values: object = (), /) -> object:
        asked.append(sql)
        return execute(self, sql, values)  # type: ignore[arg-type]

    monkeypatch.setattr(type(log.driver), "execute", counting)
    history = LogHistory(log)
    history.ahead([("presence", "shift", f"H{n}") for n in range(100)])
    few = len(asked)
    found = [
        next(history.newest_first("presence", "shift", f"H{n}", None, None), None) for n in range(20, 100)
    ]
    assert None not in found
    assert few < 5
    assert len(asked) == few
