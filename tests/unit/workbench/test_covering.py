"""Condition coverage: what a case shows, in every place where a condition stands; and that it is what the engine says of the mutants."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.engine.cases import as_of, duty_of, night_of, own_offset, prepared
from compliance.engine.history import MemoryHistory
from compliance.engine.judging import Judge
from compliance.engine.sight import Sight
from compliance.policy.bundle import load_folder
from compliance.settings import shipped_folder
from compliance.workbench.conditions import conditions_of, mutant
from compliance.workbench.covering import coverage_of, shows
from tests.rulebook import bundle, rule

AT = "2026-03-02T11:00:00-06:00"
LATER = "2026-03-02T13:00:00-06:00"


def case(expect="pass", *, history=(), name="one", now=None, **event):
    made = {
        "name": name,
        "history": list(history),
        "event": {"kind": "discharge", "occurred_at": AT, **event},
        "expect": expect,
    }
    return made if now is None else {**made, "now": now}


def lacking(*cases, **parts):
    """Sides that the cases do not show, as (where, text, value)."""
    made = bundle(rule("r", **{"on": "discharge", **parts, "cases": list(cases)}))
    return [
        (".".join(map(str, side.condition.where)), side.condition.text, side.value)
        for side in coverage_of(made.rules[0], made).lacking
    ]


FEW = "event.devices_taken <= 3"
HOME = "event.disposition == 'home'"


def test_a_condition_needs_a_case_for_each_side():
    """One case shows one side."""
    few, many = case(devices_taken=1), case("fail", name="two", devices_taken=4)
    assert lacking(few, require=FEW) == [("require", FEW, False)]
    assert lacking(many, require=FEW) == [("require", FEW, True)]
    assert lacking(few, many, require=FEW) == []


def test_a_condition_that_another_overrides_is_not_shown():
    """Both sides were met, but neither decided: that is what tells it from counting what was run."""
    both = f"{FEW} || {HOME}"
    cases = [case(disposition="home", devices_taken=1), case(disposition="home", name="two", devices_taken=4)]
    assert [side for side in lacking(*cases, require=both) if side[1] == FEW] == [
        ("require", FEW, True),
        ("require", FEW, False),
    ]
    cases += [
        case("fail", disposition="admitted", name="three", devices_taken=4),
        case(disposition="admitted", name="four", devices_taken=1),
    ]
    assert lacking(*cases, require=both) == []


def test_what_is_unknown_of_a_condition_shows_neither_side():
    """A case in which a field is missing is indeterminate, whatever the condition would have said."""
    asked = "event.escort_ref == 'E1'"
    unknown = case("indeterminate")
    assert lacking(unknown, require=asked) == [("require", asked, True), ("require", asked, False)]


def test_conditions_of_every_place_are_looked_at():
    """`when`, `require`, the `where` of a fact; each occurrence is a condition of its own, and a choice has three."""
    parts = {
        "given": {
            "dose": {
                "latest": "administration",
                "by": ["session"],
                "where": "it.dose_mg > 50 || it.route == 'im'",
            }
        },
        "when": "dose != null && event.disposition != 'admitted'",
        "require": "event.disposition == 'home' ? event.devices_taken <= 3 : !(event.devices_taken > 1)",
    }
    made = bundle(rule("r", on="discharge", **parts))
    assert [(one.where, one.text) for one in conditions_of(made.rules[0])] == [
        (("given", "dose", "where"), "it.dose_mg > 50"),
        (("given", "dose", "where"), "it.route == 'im'"),
        (("when",), "dose != null"),
        (("when",), "event.disposition != 'admitted'"),
        (("require",), "event.disposition == 'home'"),
        (("require",), "event.devices_taken <= 3"),
        (("require",), "event.devices_taken > 1"),
    ]


def test_a_condition_of_a_fact_decides_by_what_is_found():
    """A dose that is passed over, and one that is taken, where that changes what comes out."""
    parts = {
        "given": {"dose": {"any": "administration", "by": ["session"], "where": "it.dose_mg > 50"}},
        "require": "dose == null",
    }
    dose = {"kind": "administration", "session": "T1", "occurred_at": "2026-03-02T10:00:00-06:00"}
    none = case(session="T1")
    large = case("fail", name="two", session="T1", history=[{**dose, "dose_mg": "84"}])
    small = case(name="three", session="T1", history=[{**dose, "dose_mg": "28"}])
    where, required = ("given.dose.where", "it.dose_mg > 50"), ("require", "dose == null")
    assert lacking(none, require=parts["require"], given=parts["given"]) == [
        (*where, True),
        (*where, False),
        (*required, False),
    ]
    assert lacking(none, large, **parts) == [(*where, False)]
    assert lacking(small, large, **parts) == []


DUTY = {
    "on": "discharge",
    "expect": {
        "event": "assessment",
        "by": ["session"],
        "where": "it.instrument == 'recovery'",
        "due": "event.occurred_at + duration('1h')",
    },
}


def test_a_duty_is_to_be_met_and_missed():
    """That it was done in time is a condition; one that is still open shows nothing of it."""
    done = {
        "kind": "assessment",
        "session": "T1",
        "instrument": "recovery",
        "occurred_at": "2026-03-02T11:30:00-06:00",
    }
    timely, where = (
        ("expect.due", "done by event.occurred_at + duration('1h')"),
        ("expect.where", "it.instrument == 'recovery'"),
    )
    met = case("met", session="T1", history=[done], now=LATER)
    missed = case("missed", session="T1", name="two", now=LATER)
    still = case("open", session="T1", name="three", now="2026-03-02T11:10:00-06:00")
    other = case(
        "missed", session="T1", name="four", history=[{**done, "instrument": "readiness"}], now=LATER
    )
    assert lacking(still, **DUTY) == [(*where, True), (*where, False), (*timely, True), (*timely, False)]
    assert lacking(met, **DUTY) == [(*where, False), (*timely, False)]
    assert lacking(met, missed, **DUTY) == [(*where, False)]
    assert lacking(met, other, **DUTY) == []


def test_a_standing_rule_is_covered_in_whom_it_looks_at():
    """``per: {where:}`` has conditions too."""
    stored = {"kind": "registration", "registration": "R1", "occurred_at": AT}
    parts = {
        "every": "night", "on": None, "per": {"each": "registration", "where": "it.is_institution"},
        "given": {"count": {"any": "inventory_count", "by": ["registration"]}}, "require": "count != null",
    }  # fmt: skip
    yes = {"name": "one", "event": {**stored, "is_institution": True}, "expect": "fail", "now": LATER}
    no = {
        "name": "two",
        "event": {**stored, "is_institution": False},
        "expect": "not_applicable",
        "now": LATER,
    }
    written = {key: value for key, value in parts.items() if key != "on"}
    document = rule("r", on="registration", **written, cases=[yes, no])
    del document["on"]
    made = bundle(document)
    assert [(side.condition.text, side.value) for side in coverage_of(made.rules[0], made).lacking] == [
        ("count != null", True)
    ]


def test_a_case_whose_events_are_not_valid_shows_nothing():
    """It is the check that tells of it."""
    assert len(lacking(case(departure_mode="escort", session="two words"), require=FEW)) == 2


def test_a_single_case_shows_a_single_side():
    """What an accepted case shows is found without the others."""
    made = bundle(rule("r", on="discharge", require=FEW, cases=[case(devices_taken=1)]))
    (condition,) = conditions_of(made.rules[0])
    shown = [shows(made.rules[0], condition, value, made.rules[0].cases[0], made) for value in (True, False)]
    assert shown == [True, False]


# ---- the law: a case shows a side exactly where the engine judges the mutant differently


@lru_cache(maxsize=1)
def library():
    read, problems = load_folder(shipped_folder("policies"))
    assert read is not None, problems
    return read


def comes_out(judged, one, judge):
    """What the engine says, both evaluators together."""
    events, problems = prepared([*one.history, one.event])
    if problems:
        return "invalid"
    history, event = MemoryHistory(events), events[-1]
    if judged.expect is not None:
        duty = duty_of(judged, judge, history, event, as_of(one, events))
        return "none" if duty is None else (duty.state, str(duty.outcome) == "indeterminate")
    if judged.each is not None:
        night = night_of(judged, judge, history, event, as_of(one, events), told=False)
        return "none" if night is None else night.outcome
    stands = history.stands(event.id) or event
    return judge.judge_alone(judged, stands, Sight(history, stands), told=())[0]


@settings(max_examples=3)
@given(st.randoms(use_true_random=False))
def test_the_switches_say_what_the_mutants_do(chance):
    """Of rules of the library: each side is shown by the first case that both evaluators judge differently under the mutant."""
    judged = chance.choice([one for one in library().rules if len(one.cases) < 25])
    judge = Judge(replace(library(), rules=(judged,), sites={}), own_offset)
    came = [comes_out(judged, one, judge) for one in judged.cases]
    sides = [side for side in coverage_of(judged, library()).sides if not side.condition.timely]
    for side in chance.sample(sides, min(6, len(sides))):
        turned = mutant(judged, side.condition, side.value)
        other = Judge(replace(library(), rules=(turned,), sites={}), own_offset)
        first = next(
            (
                one
                for one, was in zip(judged.cases, came, strict=True)
                if comes_out(turned, one, other) != was
            ),
            None,
        )
        assert side.shown_by is first, (judged.id, side.condition.where, side.condition.text, side.value)


@pytest.mark.parametrize("value", [True, False])
def test_a_mutant_keeps_what_is_unknown(value):
    """Were the opposite put in place of what is unknown, an unknown field would count as shown."""
    made = bundle(
        rule("r", on="discharge", require="event.escort_ref == 'E1'", cases=[case("indeterminate")])
    )
    (condition,) = conditions_of(made.rules[0])
    turned = mutant(made.rules[0], condition, value)
    judge = Judge(replace(made, rules=(turned,)), own_offset)
    assert comes_out(turned, turned.cases[0], judge) == "indeterminate"
