"""What every shipped rule must show by its own examples (policy-language.md, `cases`)."""

from __future__ import annotations

import pytest

from compliance.domain.time import parse_date
from compliance.policy.model import Case, Rule
from tests.rulebook import shipped

RULES = {rule.id: rule for rule in shipped().rules}
HOLDS = frozenset({"pass", "met"})
FAILS = frozenset({"fail", "missed", "met_late"})
OTHERWISE = frozenset({"not_applicable", "indeterminate", "open", "cancelled"})


def day_of(rule: Rule, case: Case) -> int:
    """The date by which the example is judged, as it is written."""
    at = case.event.get("occurred_at", "2026-03-02") if rule.each is None else case.now or "2026-03-02"
    return parse_date(at[:10])


@pytest.mark.parametrize("name", RULES)
def test_a_rule_shows_what_passes_what_fails_and_what_is_neither(name):
    """An example of each, so that nobody has to guess."""
    shown = {case.expect for case in RULES[name].cases}
    assert shown & HOLDS, "no example holds"
    assert shown & FAILS, "no example fails"
    assert shown & OTHERWISE, "no example lies outside of it or cannot be decided"


@pytest.mark.parametrize("name", RULES)
def test_a_rule_shows_both_sides_of_each_date_on_which_it_changes(name):
    """Before it came into force, and before and after each later value of a parameter."""
    rule = RULES[name]
    days = [day_of(rule, case) for case in rule.cases]
    dates = {rule.in_force.start, *(value.start for one in rule.parameters for value in one.values[1:])}
    for date in dates:
        assert any(day < date for day in days), date
        assert any(day >= date for day in days), date


@pytest.mark.parametrize("name", RULES)
def test_a_lawyers_question_has_an_answer(name):
    """Which text, read when; in force since when; who reviews it next, and when (after the last reading)."""
    rule = RULES[name]
    assert rule.cites
    assert all(cite.source and cite.read for cite in rule.cites)
    assert rule.in_force.start > 0
    assert rule.owner
    assert rule.review_by > max(cite.read for cite in rule.cites)
    assert all(value.cites for one in rule.parameters for value in one.values)


@pytest.mark.parametrize("name", RULES)
def test_messages_are_for_people(name):
    """Whole sentences that end, with no field's name where a value is meant, and a remedy that says what to do."""
    rule = RULES[name]
    for text in (rule.message.text, rule.remedy.text):
        words = "".join(part for part in rule_parts(rule, text) if isinstance(part, str))
        assert text[0].isupper() or text[0] in "{'\"0123456789", text
        assert text.rstrip()[-1] in ".?!", text
        assert "_" not in words, text


def rule_parts(rule: Rule, text: str) -> tuple[object, ...]:
    """The pieces of the message or remedy that has this text."""
    return rule.message.parts if text == rule.message.text else rule.remedy.parts
