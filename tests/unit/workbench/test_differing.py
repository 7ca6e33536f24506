"""What a change of meaning is called, and that each case it names really decides differently (policy-language.md, `diff`)."""

from __future__ import annotations

import pytest

from compliance.engine.cases import run_case
from compliance.library import case_judge
from compliance.workbench import differing
from compliance.workbench.symbolic import FINDINGS, Found
from tests.edits import EDITS, EQUIVALENT, bundle, changed


def replayed(answer, old, new):
    """A witness judged by the whole engine, both evaluators, under both bundles."""
    outcomes = []
    for side in (old, new):
        rule = side.rules[0]
        result = run_case(rule, answer.case, case_judge(side))
        assert not result.problems
        outcomes.append(result.got)
    return outcomes


def graver(one, two, old, new):
    """Whether the second outcome is a finding where the first is none, or a graver one."""
    before, after = (
        differing.consequence(side.rules[0]) if outcome in FINDINGS else 0
        for side, outcome in ((old, one), (new, two))
    )
    return after > before


@pytest.mark.parametrize(
    ("rule_id", "edits", "expected"), [row[1:] for row in EDITS], ids=[row[0] for row in EDITS]
)
def test_an_edit_is_called_what_it_is(rule_id, edits, expected):
    """Thresholds, conditions, dates, quantifiers; and as many rewrites that change nothing. Every witness decides differently in the engine."""
    old, new = bundle(rule_id), bundle(rule_id, *edits)
    found = changed(rule_id, edits)
    assert (EQUIVALENT if found is None else found.change) is expected
    if found is None:
        return
    if isinstance(found.stricter, Found):
        assert graver(*replayed(found.stricter, old, new), old, new)
    if isinstance(found.looser, Found):
        assert graver(*reversed(replayed(found.looser, old, new)), new, old)


def test_there_are_as_many_edits_as_promised():
    """Thirty at least, and about half of them change nothing."""
    same = sum(row[3] is EQUIVALENT for row in EDITS)
    assert len(EDITS) >= 30
    assert len(EDITS) * 0.4 <= same <= len(EDITS) * 0.6
