"""Laws of the solver: what it calls impossible never happens, and what it finds the engine confirms.

The library's own cases are the witnesses: whatever outcome a rule has on one of them, and whatever difference one of them shows between the rule and
the rule with one condition turned into true or false, must not be called impossible.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from time import monotonic

import pytest

from compliance.engine.cases import run_case
from compliance.engine.plan import walk
from compliance.library import case_judge
from compliance.policy.bundle import load_folder
from compliance.policy.expression.tree import Compare, Const, Has, In, IsNull, Node, Span, Type
from compliance.policy.located import Document
from compliance.policy.rules import read_rule
from compliance.settings import shipped_folder
from compliance.workbench.symbolic import Found, Nowhere, Side, Unknown, find_case, form_of, outcomes_of, room
from compliance.workbench.symbolic.outcomes import outcomes
from compliance.workbench.symbolic.replay import Replay
from compliance.workbench.symbolic.values import OutOfTime
from compliance.workbench.symbolic.world import World

EVERY = 60
"""So many rules of the library lie between two that every run looks at; the long run looks at all."""


@cache
def library():
    bundle, problems = load_folder(shipped_folder("policies"))
    assert not problems
    return bundle


def some(every=EVERY):
    return [rule.id for rule in library().rules[::every]]


def turned(node, atom, value):
    """An expression with one condition turned into a constant."""
    if node is atom:
        return Const(Type("bool"), Span(0, 0), value)
    if isinstance(node, tuple):
        return tuple(turned(part, atom, value) for part in node)
    if not isinstance(node, Node):
        return node
    names = [name for name in node.__dataclass_fields__ if name not in ("type", "span")]
    return replace(node, **{name: turned(getattr(node, name), atom, value) for name in names})


def mutants(rule):
    """The rule with each condition of `when`, `require` and of its facts turned into true and into false."""
    for name in ("when", "require"):
        expression = getattr(rule, name)
        if expression is not None:
            for atom in atoms(expression.node):
                for value in (True, False):
                    yield replace(
                        rule, **{name: replace(expression, node=turned(expression.node, atom, value))}
                    )
    for number, given in enumerate(rule.given):
        if given.where is not None:
            for atom in atoms(given.where.node):
                for value in (True, False):
                    where = replace(given.where, node=turned(given.where.node, atom, value))
                    facts = (*rule.given[:number], replace(given, where=where), *rule.given[number + 1 :])
                    yield replace(rule, given=facts)


def atoms(node):
    return [part for part in walk(node) if isinstance(part, Compare | In | Has | IsNull)]


def check_outcomes(rule_id):
    """No outcome that a case of the rule has is called impossible; what is found comes out so in the whole engine, both evaluators."""
    bundle = library()
    rule = bundle.rule(rule_id)
    replay = Replay(Side(bundle, rule))
    seen = {replay.outcome(case) for case in rule.cases}
    for outcome in outcomes_of(rule):
        found = find_case([Side(bundle, rule)], [[(outcome,)]], seconds=10)
        assert not (isinstance(found, Nowhere) and outcome in seen), (rule_id, outcome)
        if isinstance(found, Found):
            again = run_case(rule, replace(found.case, expect=outcome), case_judge(bundle))
            assert again.passed or (outcome == "indeterminate" and rule.expect is not None), (
                rule_id,
                outcome,
                again,
            )


def check_differences(rule_id):
    """No difference that a case shows between a rule and a mutant of it is called impossible."""
    bundle = library()
    rule = bundle.rule(rule_id)
    own = Replay(Side(bundle, rule))
    came = [own.outcome(case) for case in rule.cases]
    for number, mutant in enumerate(mutants(rule)):
        other = Replay(Side(bundle, mutant), number + 1)
        pairs = {
            (one, now)
            for one, case in zip(came, rule.cases, strict=True)
            if (now := other.outcome(case)) != one
        }
        for one, now in sorted(pairs):
            found = find_case([Side(bundle, rule), Side(bundle, mutant)], [[(one,), (now,)]], seconds=10)
            assert not isinstance(found, Nowhere), (rule_id, number, one, now)


@pytest.mark.parametrize("rule_id", some())
def test_what_happens_is_never_called_impossible(rule_id):
    """Outcomes of the rules' own cases, of every sixtieth rule."""
    check_outcomes(rule_id)


@pytest.mark.parametrize("rule_id", ["rems-monitor-2h", "uspi-bp-40min", "csa-829a-45d"])
def test_a_difference_that_a_case_shows_is_never_called_impossible(rule_id):
    """Differences between rules and their mutants, of a few rules."""
    check_differences(rule_id)


@pytest.mark.soak
@pytest.mark.parametrize("rule_id", some(1))
def test_outcomes_of_all_rules(rule_id):
    """The same of every rule."""
    check_outcomes(rule_id)


@pytest.mark.soak
@pytest.mark.parametrize("rule_id", some(1))
def test_differences_of_all_rules(rule_id):
    """The same of every rule."""
    check_differences(rule_id)


def test_without_room_for_what_is_looked_for_the_impossible_happens(monkeypatch):
    """The mutant: a world with no room for a second event calls impossible what a case of the library shows."""
    real = room.room_of

    def narrow(sides, kind):
        found = real(sides, kind)
        return replace(found, events=dict.fromkeys(found.events, 1), lines=1)

    monkeypatch.setattr("compliance.workbench.symbolic.search.room_of", narrow)
    monkeypatch.setattr("compliance.workbench.symbolic.search.short_room", lambda found, _sides: found)
    bundle = library()
    rule = bundle.rule("s3-disp-reverse-59")
    assert isinstance(find_case([Side(bundle, rule)], [[("pass",)]]), Nowhere)
    monkeypatch.undo()
    assert isinstance(find_case([Side(bundle, rule)], [[("pass",)]]), Found)


def test_the_time_that_is_given_is_for_all_kinds_of_event_together():
    """Of a rule on any kind nothing is found out in no time: no kind takes some for itself."""
    rule = library().rule("er-authority-11")
    sides = [Side(library(), rule)]
    assert find_case(sides, [[("pass",)]], seconds=0) == Unknown("no answer in the time that was given")
    assert isinstance(find_case(sides, [[("pass",)]], seconds=10), Found)


def test_formulas_are_not_written_any_further_when_the_time_is_over():
    """Those of the longest rules take longer to write than a question may take; the search then gives no answer, and no fault."""
    side = Side(library(), library().rule("s3-inv-reconcile-38"))
    kind = "inventory_count"
    begun = {
        "room": room.room_of([side], kind), "concrete": False, "form": form_of(side.rule),
    }  # fmt: skip
    with pytest.raises(OutOfTime):
        outcomes(World(kind, **begun, end=monotonic()), side)
    assert set(outcomes(World(kind, **begun, end=monotonic() + 60), side)) <= set(outcomes_of(side.rule))


def test_what_the_engine_does_not_confirm_is_never_told(monkeypatch):
    """The guard: where the engine says otherwise of every case that the solver thinks of, nothing was found out."""
    bundle = library()
    question = [Side(bundle, bundle.rule("rems-monitor-2h"))], [[("fail",)]]
    assert isinstance(find_case(*question), Found)
    monkeypatch.setattr(Replay, "outcome", lambda self, case: "pass")
    assert isinstance(find_case(*question), Unknown)


def counted(rule_id, limit):
    """A rule that counts a patient's doses, as a bundle."""
    said = {
        "id": rule_id, "title": "t", "implements": ["X"], "cites": [{"source": "x", "read": "2026-11-22"}], "in_force": {"from": "2019-03-05"},
        "owner": "x", "review_by": "2099-01-01", "on": "administration", "given": {"year": {"count": "administration", "by": ["patient"]}},
        "require": limit, "otherwise": {"severity": "deny", "message": "m", "remedy": "r"},
        "cases": [{"name": "n", "event": {"kind": "administration"}, "expect": "pass"}],
    }  # fmt: skip
    rule, problems = read_rule(Document(f"{rule_id}.yaml", said, {}))
    assert not problems
    return replace(library(), rules=(rule,), sites={})


@pytest.mark.parametrize("turned_round", [False, True])
def test_a_count_that_one_side_holds_against_more_is_looked_at_by_both(turned_round):
    """Two rules count alike, one up to three, one up to thirty: that there are thirty-one is not called impossible, whichever is named first."""
    small, large = counted("few", "year <= 3"), counted("many", "year <= 3 || year > 30")
    sides = [Side(small, small.rules[0]), Side(large, large.rules[0])]
    wanted = [("fail",), ("pass",)]
    if turned_round:
        sides, wanted = sides[::-1], wanted[::-1]
    assert isinstance(find_case(sides, [wanted]), Found)
