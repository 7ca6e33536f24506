"""engine/normal_form.py: three senses, of which exactly one holds, in few branches, whatever the condition."""

from __future__ import annotations

from itertools import product
from operator import eq, ge, gt, le, lt, ne
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.domain.findings import Outcome
from compliance.engine.normal_form import (
    FALSE,
    LIMIT,
    OPPOSITE,
    TRUE,
    Branches,
    Choice,
    Code,
    Every,
    Leaf,
    Missing,
    NormalForm,
    Opposite,
    Some,
    Sum,
    Test,
    TooManyBranches,
    both,
    code,
    either,
)

Test.__test__ = False  # a literal, not a test

HOLDS = {"==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
CODES, VALUES = 4, 3  # fields 0-3 are codes, 4-6 are values


def comparison(field: int, op: Any, right: Any) -> Leaf:
    true, false = Test(field, op, right), Test(field, OPPOSITE[op], right)
    missing = tuple(frozenset([Missing(name)]) for name in dict.fromkeys((field, *true.needs)))
    return Leaf((frozenset([true]),), (frozenset([false]),), missing)


def holds(branches: Branches, fact: dict[int, int]) -> bool:
    return any(all(literal_holds(literal, fact) for literal in branch) for branch in branches)


def literal_holds(literal: Any, fact: dict[int, int]) -> bool:
    if isinstance(literal, Missing):
        return literal.field not in fact
    if isinstance(literal, Code):
        return fact[literal.field] in literal.allowed
    if literal.field not in fact or any(name not in fact for name in literal.needs):
        return False
    right = literal.right
    if isinstance(right, Sum):
        right = right.constant + sum(sign * fact[name] for sign, name in right.terms)
    return HOLDS[literal.op](fact[literal.field], right)


def meaning(condition: Any, fact: dict[int, int]) -> bool | None:
    """Kleene's logic, as plainly as it can be written; None is unknown."""
    match condition:
        case Leaf(true, false, _):
            return True if holds(true, fact) else False if holds(false, fact) else None
        case Opposite(operand):
            value = meaning(operand, fact)
            return None if value is None else not value
        case Every(operands):
            values = [meaning(each, fact) for each in operands]
            return False if False in values else None if None in values else True
        case Some(operands):
            values = [meaning(each, fact) for each in operands]
            return True if True in values else None if None in values else False
        case Choice(which, then, otherwise):
            value = meaning(which, fact)
            return None if value is None else meaning(then if value else otherwise, fact)


def sense(leaf: Leaf, fact: dict[int, int]) -> bool | None:
    """The one sense that holds; an assertion fails where it is not exactly one."""
    found = [
        value
        for value, branches in ((True, leaf.true), (False, leaf.false), (None, leaf.unknown))
        if holds(branches, fact)
    ]
    assert len(found) == 1
    return found[0]


def answered(forms: NormalForm, fact: dict[int, int]) -> dict[int, int]:
    """The fact with the answers of all steps, layer by layer."""
    fact = dict(fact)
    for step in sorted(forms.steps, key=lambda step: step.layer):
        fact[step.field] = {False: 0, None: 1, True: 2}[sense(step.senses, fact)]
    return fact


leaves = st.one_of(
    st.sampled_from([TRUE, FALSE]),
    st.builds(code, st.integers(0, CODES - 1)),
    st.builds(
        comparison,
        st.integers(CODES, CODES + VALUES - 1),
        st.sampled_from(list(HOLDS)),
        st.integers(0, 2)
        | st.builds(
            lambda name, more: Sum(((1, name),), more),
            st.integers(CODES, CODES + VALUES - 1),
            st.integers(0, 1),
        ),
    ),
)
conditions = st.recursive(
    leaves,
    lambda below: st.one_of(
        st.builds(Opposite, below),
        st.builds(Every, st.lists(below, min_size=1, max_size=8).map(tuple)),
        st.builds(Some, st.lists(below, min_size=1, max_size=8).map(tuple)),
        st.builds(Choice, below, below, below),
    ),
    max_leaves=20,
)
facts = st.builds(
    lambda codes, values: dict(enumerate(codes)) | {CODES + n: value for n, value in enumerate(values) if value is not None},
    st.tuples(*[st.integers(0, 2)] * CODES),
    st.tuples(*[st.none() | st.integers(0, 2)] * VALUES),
)  # fmt: skip


def forms() -> NormalForm:
    numbers = iter(range(100, 10_000))
    return NormalForm(lambda: next(numbers))


@settings(max_examples=150, deadline=None)
@given(conditions, st.lists(facts, min_size=1, max_size=20))
def test_exactly_the_sense_holds_that_the_condition_means(condition, many):
    """In the normal form, with its steps, exactly one sense holds for every fact: the one that Kleene's logic gives."""
    form = forms()
    fitted = form.fit(condition)
    for each in (fitted, *(step.senses for step in form.steps)):
        assert sum(map(len, (each.true, each.false, each.unknown))) <= LIMIT
    for fact in many:
        assert sense(fitted, answered(form, fact)) is meaning(condition, fact)


@settings(max_examples=120, deadline=None)
@given(conditions, conditions, st.lists(facts, min_size=1, max_size=20))
def test_exactly_one_outcome_of_a_clause_holds(when, require, many):
    """Of the four outcomes of a clause exactly the right one holds, in at most `LIMIT` branches together."""
    form = forms()
    found, layer = form.outcomes(when, require)
    assert sum(map(len, found.values())) <= LIMIT
    read = {literal.field for branches in found.values() for branch in branches for literal in branch}
    assert all(step.layer < layer for step in form.steps if step.field in read)
    for fact in many:
        applies, passes = meaning(when, fact), meaning(require, fact)
        expected = Outcome.NOT_APPLICABLE
        if applies is not False:
            expected = {True: Outcome.PASS, False: Outcome.FAIL, None: Outcome.INDETERMINATE}[
                passes if applies else None
            ]
        full = answered(form, fact)
        assert [outcome for outcome, branches in found.items() if holds(branches, full)] == [expected]


@pytest.mark.parametrize("wide", [4, 12, 40, 200])
def test_wide_conditions_become_few_branches(wide):
    """The unknown sense of `wide` comparisons has 2^wide branches; in steps each has at most `LIMIT`."""
    form = forms()
    form.fit(Every(tuple(comparison(1000 + n, "<", 5) for n in range(wide))))
    assert all(len(step.senses.unknown) <= LIMIT for step in form.steps)
    assert wide < 5 or form.steps


def test_the_same_part_is_one_step():
    """A part that two clauses share is judged once."""
    form = forms()
    part = Every(tuple(comparison(1000 + n, "<", 5) for n in range(12)))
    form.outcomes(TRUE, part)
    before = len(form.steps)
    form.outcomes(TRUE, part)
    assert len(form.steps) == before


def test_contradictions_are_left_out():
    """What cannot hold is no branch: a missing field compared, two values at once, a comparison and its opposite, no code."""
    field = comparison(CODES, "==", 1)
    assert both(field.true, field.unknown) == both(field.true, field.false) == ()
    assert both(field.true, comparison(CODES, "==", 2).true) == ()
    assert both(code(0).true, code(0).false) == ()


def test_codes_unite():
    """Not false is one literal, and all three senses together are always."""
    one = code(0)
    assert either(one.true, one.unknown) == (frozenset([Code(0, frozenset([1, 2]))]),)
    assert either(one.true, one.unknown, one.false) == (frozenset(),)


def test_an_explosion_is_given_up():
    """A product of more than some hundred branches is refused before it is worked out."""
    many = tuple(comparison(1000 + n, "==", n).true[0] for n in range(12))
    with pytest.raises(TooManyBranches):
        both(many, many, many)


def test_every_code_combination_is_kept_apart():
    """On codes alone the senses of && and || are Kleene's tables."""
    form = forms()
    conjunction, disjunction = form.fit(Every((code(0), code(1)))), form.fit(Some((code(0), code(1))))
    for one, other in product(range(3), repeat=2):
        fact = {0: one, 1: other}
        assert {False: 0, None: 1, True: 2}[sense(conjunction, fact)] == min(one, other)
        assert {False: 0, None: 1, True: 2}[sense(disjunction, fact)] == max(one, other)
