"""Rules and events for the tests of the engine, written short: a rule is its differences from a plain one."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from compliance.domain.event import Event
from compliance.domain.making import make_event, stamp
from compliance.domain.time import local_date, parse_instant
from compliance.engine.binding import find
from compliance.engine.history import MemoryHistory
from compliance.engine.judging import Judge, Judgement
from compliance.engine.plan import Planner
from compliance.engine.sight import Sight
from compliance.policy.bundle import digest, load_folder
from compliance.policy.documents import read_file
from compliance.policy.fill import fill
from compliance.policy.located import Document, from_json
from compliance.policy.model import Bundle, Tables
from compliance.policy.rules import read_rule
from compliance.policy.tables import read_tables
from compliance.settings import shipped_folder

PLAIN: dict[str, Any] = {
    "title": "A rule of the tests, not of any law", "implements": ["TEST"], "cites": [{"source": "none", "read": "2026-11-22"}],
    "in_force": {"from": "2000-01-01"}, "owner": "tests", "review_by": "2099-01-01",
    "otherwise": {"severity": "deny", "message": "no", "remedy": "none"},
}  # fmt: skip


def rule(name: str = "a-rule", **differs: Any) -> dict[str, Any]:
    """A rule's document; `severity`, `override` and `message` stand in its ``otherwise``."""
    said = {key: differs.pop(key) for key in ("severity", "override", "message") if key in differs}
    written = {"id": name, **PLAIN, **differs, "otherwise": {**PLAIN["otherwise"], **said}}
    kinds = [written["on"]] if isinstance(written["on"], str) else written["on"]
    written.setdefault("cases", [{"name": "any", "event": {"kind": kinds[0]}, "expect": "not_applicable"}])
    return written


def bundle(*rules: dict[str, Any]) -> Bundle:
    """A bundle of these rules with the shipped tables; rules that cannot be read are a mistake of the test."""
    made = []
    for document in rules:
        read, problems = read_rule(Document(f"{document['id']}.yaml", from_json(document), {}))
        assert read is not None, [str(problem) for problem in problems]
        made.append(read)
    form = {"bundle": {}, "rules": {document["id"]: document for document in rules}, "places": {}}
    made.sort(key=lambda one: one.id)
    return Bundle("tests", "1", digest(form), tuple(made), _tables(), form)


@lru_cache(maxsize=1)
def _tables() -> Tables:
    document = read_file(shipped_folder("policies") / "bundle.yaml")
    assert isinstance(document, Document)
    read, problems = read_tables(document)
    assert read is not None, problems
    return read[2]


@lru_cache(maxsize=1)
def shipped() -> Bundle:
    """The library that is shipped, read once for all tests."""
    made, problems = load_folder(shipped_folder("policies"))
    assert made is not None, [str(problem) for problem in problems]
    return made


def when(at: str) -> str:
    """``09:05`` is that time on 2 March 2026 in Chicago; anything longer is an instant as it stands."""
    return f"2026-03-02T{at}:00-06:00" if len(at) == 5 else at


def us(at: str) -> int:
    """The instant in microseconds."""
    return parse_instant(when(at))


def entry(kind: str, at: str, **fields: Any) -> dict[str, Any]:
    """An event as JSON; its id is made of kind and time unless given."""
    instants = {
        name: when(value) for name, value in fields.items() if name.endswith("_at") and isinstance(value, str)
    }
    return {
        "id": f"{kind}-{at}".replace("+", "p"),
        "kind": kind,
        "occurred_at": when(at),
        **fields,
        **instants,
    }


def recorded(bodies: Iterable[dict[str, Any]]) -> list[Event]:
    """The events, filled in, recorded in this order when they occurred (or at ``recorded_at``)."""
    events = []
    for position, body in enumerate(bodies):
        given = dict(body)
        known = given.pop("recorded_at", None)
        event = make_event(fill(given, position))
        assert isinstance(event, Event), [str(problem) for problem in event]
        events.append(stamp(event, event.occurred_at if known is None else us(known), position))
    return events


def fact(
    given: dict[str, Any], bodies: Iterable[dict[str, Any]], judged: str | None = None, on: str | None = None
) -> Any:
    """What a given finds for the judged event (the last one, or the one with this id)."""
    return facts({"it_is": given}, bodies, judged, on)["it_is"]


def facts(
    givens: dict[str, Any], bodies: Iterable[dict[str, Any]], judged: str | None = None, on: str | None = None
) -> dict[str, Any]:
    """What several givens find, each of which may name those before it."""
    history = MemoryHistory(recorded(bodies))
    events = list(history)
    event = history.stands(judged or events[-1].id)
    assert event is not None
    planner = Planner(bundle(rule(on=on or event.kind, given=givens, require="true")))
    (plan,) = planner.judged(event.kind)
    scope = {
        "event": event.values,
        "param": {plan.rule.id: {}},
        "now": event.noted_at,
        "zone": "America/Chicago",
        "day": local_date(event.occurred_at, "America/Chicago"),
    }
    sight = Sight(history, event)
    for lookup_id in plan.needs:
        scope[lookup_id] = find(planner.lookups[lookup_id], scope, sight)
    return {name: scope[lookup_id] for name, lookup_id in plan.names.items()}


def judged(rules: Bundle, bodies: Iterable[dict[str, Any]], which: str | None = None) -> Judgement:
    """The judgement on the last event (or the one with this id) in view of all."""
    history = MemoryHistory(recorded(bodies))
    event = history.stands(which or list(history)[-1].id)
    assert event is not None
    return Judge(rules).judge(event, history)


SITE = entry("site_profile", "2026-01-05T08:00:00-06:00", id="site-profile", time_zone="America/Chicago")
