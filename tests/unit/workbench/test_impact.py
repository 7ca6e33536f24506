"""What other policies would have decided on a log (`policy impact`); its law is in tests/properties/test_impact.py."""

from __future__ import annotations

import json
import os
import signal

import pytest

from compliance.bundles import Bundles
from compliance.domain.time import parse_instant
from compliance.engine.judging import Judge
from compliance.errors import DatabaseError, InputError, PolicyError
from compliance.ledger.log import Log
from compliance.workbench import impact as module
from compliance.workbench.impact import Impact, Scope
from compliance.workbench.judging_again import Asked, Stand
from compliance.workbench.named import named_bundle
from tests.recording import (
    CONSENTED,
    DAY,
    MONITORED,
    PHONED,
    PRESSURE,
    body,
    bundle,
    correction,
    fresh_log,
    put_in_force,
    record,
    rule,
    void,
)

LATE = parse_instant("2026-03-09T00:00:00Z")
NOON_AND_TWO = parse_instant(f"{DAY}14:00:00-06:00")
PHONED_SOONER = {**PHONED, "expect": {**PHONED["expect"], "due": "discharge.occurred_at + duration('1h')"}}
COUNTED = {
    **{name: said for name, said in rule("counted", "site_profile", "counts != null").items() if name != "on"},
    "every": "night", "per": {"each": "site_profile"}, "given": {"counts": {"any": "inventory_count", "by": ["site"]}},
    "cases": [{"name": "any", "event": {"kind": "site_profile"}, "now": "2026-03-02T13:00:00-06:00", "expect": "fail"}],
}  # fmt: skip
LAXER = {**MONITORED, "require": MONITORED["require"].replace("2h", "1h")}


def found(log, new, *rules, as_of=LATE, processes=1, every_rule=False, **asked):
    """What differs, and the counts."""
    scope = Scope(Asked(**asked), as_of, frozenset(rules), every_rule)
    made = Impact(log, Bundles(log, written=False), new, scope)
    return list(made.differences(processes)), made


def differing(log, new, *rules, **asked):
    """(event, verdicts) of what differs."""
    return [(one.event, one.verdicts) for one in found(log, new, *rules, **asked)[0]]


@pytest.fixture
def log(home):
    with home.empty_log() as made:
        put_in_force(made, bundle(MONITORED, PRESSURE, CONSENTED, PHONED))
        yield made


def say(log, *bodies):
    return record(log, Bundles(log).active(), *bodies)


def stay(log, name="D", left="11:00", **fields):
    """A dose at nine and a discharge."""
    session = f"T-{name}"
    dose = body(
        "administration",
        "09:00",
        id=f"{name}-dose",
        session=session,
        completed_at=f"{DAY}09:05:00-06:00",
        **fields,
    )
    say(log, dose, body("discharge", left, id=name, session=session, **fields))


def test_what_is_decided_otherwise_is_told_by_rule_site_and_week(log):
    """The week is that of the site's calendar: late on Sunday evening in Chicago it is Monday in Greenwich."""
    say(log, body("site_profile", "2026-02-01T00:00:00-06:00", time_zone="America/Chicago"))
    session = {"session": "T-1"}
    at = "2026-03-01T{}:00-06:00"
    say(log, body("administration", at.format("22:00"), **session, completed_at=at.format("22:05")))
    say(log, body("discharge", at.format("23:30"), id="D", **session))
    (one,), made = found(log, bundle(LAXER, PRESSURE, CONSENTED, PHONED))
    assert (one.form, one.event, one.kind, one.site, one.week) == (
        "event",
        "D",
        "discharge",
        "S1",
        "2026-W09",
    )
    assert one.verdicts == ("violation", "compliant")
    ((change),) = one.changes
    assert (change.rule, change.old, change.new, change.direction) == (
        "monitored",
        Stand("fail", "deny"),
        None,
        "lets_go",
    )
    assert made.tally.by == {("monitored", "S1", "2026-W09"): {"lets_go": 1}}
    assert made.changed == {"monitored"}


def test_only_what_is_asked_about_is_told(log):
    """A site, a time, a rule: by what stands, also where a correction moved it there."""
    stay(log, "A")
    stay(log, "B", "10:30", site="S2")
    new = bundle(LAXER)
    old_and_new = ("violation", "compliant")
    assert dict(differing(log, new, "monitored")) == {"A": old_and_new, "B": old_and_new}
    assert differing(log, new, "monitored", site="S2") == [("B", old_and_new)]
    until = parse_instant(f"{DAY}10:30:00-06:00")
    assert differing(log, new, "monitored", until=until) == [("B", old_and_new)]
    assert differing(log, new, "monitored", since=until + 1) == [("A", old_and_new)]
    sent = log.entry(log.by_event_id("A")).document()["event"]
    say(log, correction(sent, "C", ("occurred_at", sent["occurred_at"], f"{DAY}10:20:00-06:00")))
    assert dict(differing(log, new, "monitored", until=until)) == {"A": old_and_new, "B": old_and_new}
    assert differing(log, new, "monitored", since=until + 1) == []
    assert {change.rule for one in found(log, new, "consented")[0] for change in one.changes} == {"consented"}


def test_voids_and_rejected_lines_are_left_out(log):
    """What did not happen is not decided."""
    stay(log)
    say(log, void({"id": "D"}, "V"))
    assert differing(log, bundle(LAXER), "monitored") == []


def test_an_override_keeps_its_effect(log):
    """What was allowed stays allowed under a rule of the same kind, and not under one that may never be set aside."""
    say(
        log, body("administration", "08:30", id="P-1", intent="proposed", dose_mg="28"),
        body(
            "override", "08:40", id="O-1", overrides_event="P-1", requirements=["CONSENT"], justification="life at risk", approved_by="A9", emergency=True
        ),
        body("administration", "09:00", id="D-1", proposal="P-1", dose_mg="28"),
    )  # fmt: skip
    reworded = {**CONSENTED, "require": f"({CONSENTED['require']})"}
    assert found(log, bundle(MONITORED, PRESSURE, reworded, PHONED))[0] == []
    never = {**CONSENTED, "otherwise": {**CONSENTED["otherwise"], "override": "never"}}
    (one,), _ = found(log, bundle(MONITORED, PRESSURE, never, PHONED))
    assert (one.event, one.verdicts, one.changes[0].old, one.changes[0].new) == (
        "D-1", ("flagged", "violation"), Stand("overridden", "deny"), Stand("fail", "deny"),
    )  # fmt: skip


def test_deadlines_are_compared_as_of_an_instant(log):
    """A shorter term is missed earlier; the states and when it was due stand side by side. A deadline that is gone is gone."""
    stay(log, left="12:00")
    rules = (MONITORED, PRESSURE, CONSENTED)
    as_of = NOON_AND_TWO
    (one,), made = found(log, bundle(*rules, PHONED_SOONER), as_of=as_of)
    (change,) = one.changes
    assert (one.form, one.event, one.verdicts, change.direction) == ("duty", "D", None, "objects")
    assert (change.old.state, change.new.state, change.old.due_at - change.new.due_at) == (
        "open",
        "missed",
        23 * 3_600_000_000,
    )
    assert made.tally.differ == {"duty": 1}
    (gone,) = found(log, bundle(*rules), as_of=as_of)[0]
    assert (gone.changes[0].new, gone.changes[0].direction) == (None, "otherwise")


def test_standing_rules_are_compared_as_of_an_instant(log):
    """A new rule of the night finds the subjects that fail it now."""
    say(log, body("site_profile", "08:00", id="S", time_zone="America/Chicago"))
    with_it = bundle(MONITORED, PRESSURE, CONSENTED, PHONED, COUNTED)
    (one,), _ = found(log, with_it)
    assert (one.form, one.event, one.week, one.changes[0].new) == (
        "night",
        "S",
        "2026-W10",
        Stand("fail", "deny"),
    )
    put_in_force(log, with_it)
    assert found(log, with_it)[0] == []


def test_what_is_recorded_meanwhile_is_not_looked_at(log):
    """The log is judged up to the size that it had: neither a later correction nor what it judged again is seen."""
    stay(log, "D")
    stay(log, "E", patient="P2")
    scope = Scope(Asked(), LATE, frozenset({"monitored"}))
    made = Impact(log, Bundles(log, written=False), bundle(LAXER), scope)
    for name, completed in (("D", "07:00"), ("E", "10:59")):
        sent = log.entry(log.by_event_id(f"{name}-dose")).document()["event"]
        say(
            log,
            correction(
                sent, f"C-{name}", ("completed_at", sent["completed_at"], f"{DAY}{completed}:00-06:00")
            ),
        )
    assert log.last_judgement("D") is not None  # it is compliant now
    assert [one.verdicts for one in made.differences(1)] == [("violation", "compliant")] * 2


def test_events_under_policies_that_the_log_does_not_hold_are_judged_in_full():
    """What another rule said then is not taken over."""
    with fresh_log() as log:
        put_in_force(log, bundle(MONITORED, PRESSURE))
        dose = body("administration", "09:00", id="D", session="T")
        record(log, Judge(bundle(CONSENTED)), dose)
        severer = {**PRESSURE, "otherwise": {**PRESSURE["otherwise"], "severity": "deny"}}
        (one,) = found(log, bundle(MONITORED, severer))[0]
        assert {change.rule: change.direction for change in one.changes} == {
            "consented": "lets_go",
            "pressure-first": "objects",
        }


def test_a_rule_that_is_gone_objects_to_nothing(log):
    """Also where no other rule of that kind of event changed."""
    stay(log, "E", "12:00")
    (one,), _ = found(log, bundle(MONITORED, PRESSURE, PHONED))
    assert (one.event, [(change.rule, change.direction) for change in one.changes]) == (
        "E-dose",
        [("consented", "lets_go")],
    )


def test_a_judgement_that_left_no_trace_is_not_taken_for_another(log):
    """Judged again under policies in between, the dose stood as before, and nothing was written: what those before them said is not what they
    would say now."""
    laxer = {**PRESSURE, "require": "vitals == null || vitals.systolic_mmhg <= 160"}
    strict, lax = bundle(PRESSURE), bundle(laxer)
    put_in_force(log, strict)
    vitals = body("vital_signs", "08:50", id="V", session="T", systolic_mmhg=130)
    say(log, vitals, body("administration", "09:00", id="D", session="T"))
    put_in_force(log, lax)
    say(log, correction(vitals, "C", ("systolic_mmhg", 130, 150)))
    assert log.last_judgement("D") is None
    put_in_force(log, strict)
    assert differing(log, strict) == [("D", ("compliant", "flagged"))]


def test_what_is_found_does_not_depend_on_the_number_of_processes(log, monkeypatch):
    """One and two, on either database: the same differences in the same order, the same counts."""
    monkeypatch.setattr(module, "STRETCH", 10)
    say(log, body("site_profile", "08:00", id="S", time_zone="America/Chicago"))
    for number in range(15):
        stay(log, f"D{number}", "10:30", patient=f"P{number}", site=f"S{number % 2 + 1}")
    new = bundle(LAXER, PRESSURE, PHONED_SOONER, COUNTED)
    alone, made = found(log, new, as_of=NOON_AND_TWO)
    together, also = found(log, new, as_of=NOON_AND_TWO, processes=2)
    assert made.tally.differ == {"event": 30, "duty": 15, "night": 1}
    assert (together, also.tally) == (alone, made.tally)
    events = [one for one in alone if one.form == "event"]
    assert events == sorted(events, key=lambda one: one.entry)


def test_a_process_that_ends_is_an_error(monkeypatch):
    """No answer is better than half of one."""
    monkeypatch.setattr(module, "STRETCH", 1)
    with fresh_log() as log:
        put_in_force(log, bundle(MONITORED))
        stay(log)
        monkeypatch.setattr(module, "Worker", Dying)
        with pytest.raises(DatabaseError) as failed:
            found(log, bundle(LAXER), processes=2)
        assert "judged a part of the log ended" in failed.value.message


class Dying:
    """A worker whose process is killed."""

    def __init__(self, _orders):
        pass

    def answer(self, _part):
        os.kill(os.getpid(), signal.SIGKILL)

    def close(self):
        pass


def test_nothing_is_written(tmp_path):
    """A reader's rights are enough, and the file stays as it is."""
    with fresh_log(tmp_path) as log:
        put_in_force(log, bundle(MONITORED))
        stay(log)
        url = log.url
        with Log.open(url) as reader:
            before = (reader.size, reader.root)
            assert differing(reader, bundle(LAXER), "monitored")
            assert (reader.size, reader.root) == before


def test_a_rules_file_is_taken_among_the_rules_in_force(log, tmp_path):
    """In the place of its namesake, or beside them; what is no rule is refused."""
    stay(log)
    active = Bundles(log).active().bundle
    file = tmp_path / "monitored.yaml"
    file.write_text(json.dumps(LAXER))
    made = named_bundle(str(file), active)
    assert sorted(made.documents["rules"]) == sorted(active.documents["rules"])
    assert differing(log, made) == [("D", ("violation", "compliant"))]
    file.write_text("id: [")
    with pytest.raises(PolicyError):
        named_bundle(str(file), active)
    with pytest.raises(InputError):
        named_bundle(str(tmp_path / "nothing"), active)
