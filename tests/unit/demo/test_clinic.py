"""The demonstration's clinic: every planted mistake is found by its rule, and nothing else is found."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from compliance.demo import CORRECTED, MISTAKES, events
from compliance.domain.canonical import digest
from compliance.domain.event import Event
from compliance.domain.findings import Decision, Verdict, decision_of
from compliance.domain.making import make_event
from compliance.domain.time import parse_instant
from compliance.engine.duties import Duty, DutyState, duties
from compliance.engine.judging import Judge
from compliance.intake.drafts import Draft
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.policy.bundle import load_folder
from compliance.policy.model import Bundle
from compliance.record import Recorded, Recorder, Rejudged
from compliance.settings import shipped_folder

TEN_DAYS_AFTER = parse_instant("2026-03-24T12:00:00-04:00")


@dataclass(frozen=True)
class Fortnight:
    """The log after everything was recorded. `found` has what was ever held against an event, `standing` the last judgement of each."""

    bundle: Bundle
    events: dict[str, Event]
    found: dict[str, set[str]]
    standing: dict[str, Decision]
    duties: list[Duty]
    corrected: Event | None


@pytest.fixture(scope="module")
def fortnight(tmp_path_factory) -> Fortnight:
    bundle, problems = load_folder(shipped_folder("policies"))
    assert bundle is not None and problems == ()
    judge = Judge(bundle)
    made = [make_event(body) for body in events()]
    drafts = [Draft(event, "demo", line) for line, event in enumerate(made, 1) if isinstance(event, Event)]
    found: dict[str, set[str]] = defaultdict(set)
    url = f"sqlite:///{tmp_path_factory.mktemp('clinic')}/clinic.db"
    with Log.create(url, "demo/log", "demo+00000000+AA==") as log:
        for batch in Recorder(log, judge).submit(drafts):
            for result in batch:
                assert isinstance(result, Recorded | Rejudged), result
                event = result.draft.event if isinstance(result, Recorded) else result.event
                found[event.id] |= {finding.rule for finding in result.decision.findings}
        history = LogHistory(log)
        standing = {}
        for entry in log.entries():
            if entry.type == "event" and entry.event_id is not None:
                last = log.last_judgement(entry.event_id)
                document = (entry if last is None else log.entry(last)).document()
                standing[entry.event_id] = decision_of(document["decision"])
        as_they_stand = list(duties(judge, history, TEN_DAYS_AFTER))
        corrected = history.stands(CORRECTED[0])
    return Fortnight(bundle, {d.event.id: d.event for d in drafts}, found, standing, as_they_stand, corrected)


def planted(*, settled: bool | None = None) -> set[tuple[str, str]]:
    """(event, rule) of every mistake that a rule finds on an event, and what follows from it."""
    return {
        pair
        for mistake in MISTAKES
        if mistake.duty is None and settled in (None, mistake.settled_by is not None)
        for pair in ((mistake.event, mistake.rule), *mistake.follows)
    }


def test_every_event_is_valid():
    """Nothing is wrong with any event, and what was sent is exact: decimals are strings, nothing is rewritten."""
    for body in events():
        made = make_event(body)
        assert isinstance(made, Event), made
        assert made.body == body


def test_the_clinic_is_the_same_every_time():
    """Two calls give the same events, each with an id of its own."""
    first = events()
    assert json.dumps(first) == json.dumps(events())
    assert len({body["id"] for body in first}) == len(first)


def test_events_come_in_the_order_in_which_they_were_typed_in():
    """`entered_at` never goes back, and lies shortly after the act, except where an entry gives its reason or permission was asked."""
    entered = [datetime.fromisoformat(body["entered_at"]) for body in events()]
    assert entered == sorted(entered)
    for body, at in zip(events(), entered, strict=True):
        done = datetime.fromisoformat(body.get("completed_at", body["occurred_at"]))
        lag = at - done
        assert (
            timedelta(0) < lag < timedelta(minutes=3) or "reason" in body or body["kind"] == "adverse_event"
        )


def test_the_sites_keep_their_own_clocks():
    """The Lake's clocks go forward on 2026-03-08, those of Mesa stay."""
    for body in events():
        summer = body["occurred_at"] >= "2026-03-08T03"
        assert body["occurred_at"].endswith(
            "-07:00" if body["site"] == "MESA" else "-04:00" if summer else "-05:00"
        )


def test_people_are_pseudonyms():
    """Actors and patients are handles without a name in them."""
    assert {re.sub(r"\d", "9", body["actor"]) for body in events()} == {"P-9999", "SVC-RECORDS"}
    assert {re.sub(r"\d", "9", body["patient"]) for body in events() if "patient" in body} == {"PT-9999"}


def test_signatures_name_what_was_signed():
    """`target_sha256` is the digest of the signed event's canonical JSON, without `entered_at`."""
    sent = {body["id"]: {k: v for k, v in body.items() if k != "entered_at"} for body in events()}
    signed = [body for body in events() if body["kind"] == "signature"]
    assert signed
    for body in signed:
        assert body["target_sha256"] == digest(sent[body["target_event"]]).removeprefix("sha256:")


def test_every_mistake_is_found_by_its_rule(fortnight):
    """What goes wrong is found on the event that `MISTAKES` names, by the rule that it names."""
    for event, rule in planted():
        assert rule in fortnight.found[event], (event, rule)


def test_nothing_else_is_found(fortnight):
    """No event is held to break a rule, then or later, that `MISTAKES` does not list: what is in order is not objected to."""
    found = {(event, rule) for event, rules in fortnight.found.items() for rule in rules}
    assert found - planted() == set()


def test_what_was_settled_stands_no_more(fortnight):
    """A late entry and a void take back what was found; everything else stands at the end."""
    standing = {
        (event, finding.rule)
        for event, decision in fortnight.standing.items()
        for finding in decision.findings
    }
    assert standing == planted(settled=False)
    for mistake in MISTAKES:
        if mistake.settled_by is not None:
            assert fortnight.events[mistake.settled_by].noted_at > fortnight.events[mistake.event].noted_at


def test_duties_stand_as_listed(fortnight):
    """Ten days after the fortnight every duty is met, but for those that `MISTAKES` lists."""
    standing = {
        (d.opened_by.id, d.rule.id, str(d.state)) for d in fortnight.duties if d.state is not DutyState.MET
    }
    assert standing == {(m.event, m.rule, m.duty) for m in MISTAKES if m.duty is not None}


def test_the_dose_that_was_asked_for_was_denied_then_permitted(fortnight):
    """At 158/98 the software says no; after the rest, yes, and the dose names the permission."""
    first, second = "S-0309-4821.asked.administration", "S-0309-4821.asked.administration.2"
    assert fortnight.standing[first].verdict is Verdict.DENIED
    assert fortnight.standing[second].verdict is Verdict.PERMITTED
    assert fortnight.events["S-0309-4821.administration"].values["proposal"] == second


def test_the_mistyped_heart_rate_stands_corrected(fortnight):
    """The reading is 17 as sent and 71 as it stands."""
    assert fortnight.events[CORRECTED[0]].body["heart_rate_bpm"] == 17
    assert fortnight.corrected is not None and fortnight.corrected.body["heart_rate_bpm"] == 71


def test_everybody_records_what_their_role_may(fortnight):
    """Each entry is of a kind that a role of its actor may record (bundle.yaml, permissions), granted before."""
    roles: dict[str, set[str]] = defaultdict(set)
    may = fortnight.bundle.tables.permissions
    for event in sorted(fortnight.events.values(), key=lambda event: event.occurred_at):
        if event.kind == "access_change":
            roles[event.values["subject"]].add(event.values["role"])
        actor = event.values["actor"]
        if roles[actor]:  # what founds the practice comes before the first account
            assert any(event.kind in may[role] for role in roles[actor]), (event.id, roles[actor])
    assert {event.values["actor"] for event in fortnight.events.values()} == {
        a for a, held in roles.items() if held
    }


def test_importing_the_clinic_is_cheap():
    """The command line can offer the demonstration without loading what judges and stores."""
    code = "import sys, compliance.demo; print(*sorted(m for m in sys.modules if m in {'pydantic', 'sqlalchemy', 'click'}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
