"""The law of `policy impact`: what it says the new policies would have decided is what stands after recording the same events under them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.bundles import Bundles
from compliance.domain.event import Event
from compliance.intake.drafts import Draft
from compliance.ledger.log import Log
from compliance.policy.bundle import bundle_from_documents
from compliance.policy.model import Bundle
from compliance.record import Recorder
from compliance.workbench.impact import Impact, Scope
from compliance.workbench.judging_again import Asked, Difference
from tests.properties.timelines import crowded, rules, timelines
from tests.recording import fresh_log, put_in_force, standing

FAR = 4_000_000_000_000_000
RULES = sorted(rules().documents["rules"])
EDITS = ("severity", "other way round", "condition", "left out")


def edited(edits: Sequence[tuple[str, str]]) -> Bundle:
    """The rules of these tests with (rule, what is done to it), rules that are left out among them."""
    return _edited(json.dumps(edits))


@lru_cache(maxsize=256)
def _edited(edits: str) -> Bundle:
    documents: dict[str, Any] = orjson.loads(orjson.dumps(rules().documents))
    for rule_id, edit in json.loads(edits):
        rule = documents["rules"].get(rule_id)
        if rule is None:
            continue
        if edit == "left out":
            del documents["rules"][rule_id]
        elif edit == "severity":
            rule["otherwise"]["severity"] = "report" if rule["otherwise"]["severity"] == "deny" else "deny"
        elif edit == "other way round":
            rule["require"] = f"!({rule['require']})"
        else:
            rule["when"] = "event.site == 'S1'"
    return bundle_from_documents(documents)


def policies() -> st.SearchStrategy[Bundle]:
    edits = st.tuples(st.sampled_from(RULES), st.sampled_from(EDITS))
    return st.lists(edits, max_size=5).map(edited)


def told(log: Log, new: Bundle, *, every_rule: bool = False) -> list[Difference]:
    """What impact finds among events."""
    scope = Scope(Asked(), FAR, every_rule=every_rule)
    found = Impact(log, Bundles(log, written=False), new, scope).differences(processes=1)
    return [one for one in found if one.form == "event"]


def after(log: Log, differences: Sequence[Difference]) -> dict[str, Any]:
    """How the events that are not void stand in a log, with the differences put in."""
    stands = {
        name: (verdict, set(findings))
        for name, (verdict, findings) in standing(log).items()
        if verdict != "voided" and not name.startswith("activation")
    }
    for one in differences:
        assert one.verdicts is not None
        verdict, findings = stands[one.event]
        assert one.verdicts[0] == verdict
        for change in one.changes:
            if change.old is not None:
                findings.remove((change.rule, change.old.outcome, change.old.severity))
            if change.new is not None:
                findings.add((change.rule, change.new.outcome, change.new.severity))
        stands[one.event] = (one.verdicts[1], findings)
    return stands


def record(log: Log, events: Sequence[Event]) -> None:
    drafts = [Draft(event, "test", number) for number, event in enumerate(events)]
    for _ in Recorder(log, Bundles(log).active).submit(drafts):
        pass


@settings(max_examples=30)
@given(
    st.one_of(timelines(), crowded()), policies(), policies(), policies(), st.integers(0, 14), st.booleans()
)
def test_what_impact_says_is_what_recording_would_leave(
    events: list[Event], first: Bundle, second: Bundle, new: Bundle, change: int, back: bool
) -> None:
    """Whatever policies judged before, one after the other, and whether the new ones are their like: as if all had been recorded under the new ones."""
    new = first if back else new
    with fresh_log() as fresh:
        put_in_force(fresh, new)
        record(fresh, events)
        expected = after(fresh, [])
    with fresh_log() as log:
        put_in_force(log, first)
        record(log, events[:change])
        if change < len(events):
            put_in_force(log, second)
            record(log, events[change:])
        size = log.size
        differences = told(log, new)
        assert after(log, differences) == expected
        assert told(log, new, every_rule=True) == differences
        assert log.size == size


@settings(max_examples=10)
@given(timelines(), policies())
def test_the_policies_in_force_change_nothing(events: list[Event], active: Bundle) -> None:
    """Every rule judged again says what it said; other words say the same."""
    documents = orjson.loads(orjson.dumps(active.documents))
    for rule in documents["rules"].values():
        rule["title"] += ", in other words"
    with fresh_log() as log:
        put_in_force(log, active)
        record(log, events)
        assert told(log, active, every_rule=True) == []
        assert told(log, bundle_from_documents(documents)) == []
