"""Every case of every shipped rule comes out as it says (policy-language.md: a rule shows by example what passes and what does not)."""

from __future__ import annotations

from functools import lru_cache

import pytest

from compliance.engine.cases import run_case
from compliance.engine.judging import Judge
from compliance.library import as_problem, case_judge
from compliance.settings import shipped_folder
from tests.rulebook import shipped as library

FOLDER = shipped_folder("policies")
RULES = sorted(file.stem for file in FOLDER.rglob("*.yaml") if file.parent != FOLDER)


@lru_cache(maxsize=1)
def shipped() -> Judge:
    """One judge for all: what is prepared for a kind of event is prepared once."""
    return case_judge(library())


@pytest.mark.parametrize("name", RULES)
def test_the_cases_of(name: str) -> None:
    """Each case of the rule gives the outcome that it expects."""
    judge = shipped()
    rule = judge.bundle.rule(name)
    results = [run_case(rule, case, judge) for case in rule.cases]
    assert results
    assert [str(as_problem(result)) for result in results if not result.passed] == []


def test_every_rule_is_among_them() -> None:
    """No rule of the bundle goes without its cases being run."""
    assert [rule.id for rule in shipped().bundle.rules] == RULES


def test_a_case_that_expects_something_else_fails() -> None:
    """The runner does not agree with everything: with its expectation turned round, no case passes."""
    judge = shipped()
    rule = judge.bundle.rule("rems-monitor-2h")
    for case in rule.cases:
        for other in {"pass", "fail", "indeterminate", "not_applicable"} - {case.expect}:
            turned = type(case)(case.name, case.history, case.event, other, case.now, case.place)
            assert not run_case(rule, turned, judge).passed
