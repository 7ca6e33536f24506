"""The expression language against Google's own CEL (policy-language.md, "Expressions").

Everything that parses here parses there; and after decimals are rewritten as scaled integers and calendar functions as constants
it has the same value, where an error there is UNKNOWN here.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.domain.values import SCALE, UNKNOWN
from compliance.engine.clause import Clause
from compliance.engine.exact import exact
from compliance.engine.reference import compile_clause, compile_value, undecided, values_used
from compliance.policy.expression import ExpressionErrors, to_plain, to_text, typed
from tests.properties.google_cel import ENV, google
from tests.properties.random_expressions import BOOL, NAMES, NUMBER, TABLES, expressions, mixed, scopes

truths = expressions("bool", 2)


@settings(max_examples=800, deadline=None)
@given(truths, scopes)
def test_a_condition_has_the_value_that_cel_gives(text: str, scope: dict[str, Any]) -> None:
    """Random conditions on random cases with holes come out as in Google's CEL; an error there is unknown here."""
    node = typed(text, NAMES, BOOL)
    assert compile_value(node, TABLES)(scope) is google(node, scope)


@settings(max_examples=300, deadline=None)
@given(expressions("number", 2), scopes)
def test_a_number_has_the_value_that_cel_gives(text: str, scope: dict[str, Any]) -> None:
    """Random arithmetic is exact: the same integer at the same scale as in Google's CEL."""
    node = typed(text, NAMES, NUMBER)
    assert compile_value(node, TABLES)(scope) == google(node, scope)


@settings(max_examples=200, deadline=None)
@given(mixed(truths, *(expressions(kind, 2) for kind in ("number", "instant", "duration", "date", "text"))))
def test_what_parses_here_parses_as_cel(text: str) -> None:
    """Every expression of the language, as written and as printed, is CEL."""
    node = typed(text, NAMES)
    ENV.compile(text, disable_check=True)
    ENV.compile(to_text(node), disable_check=True)


@settings(max_examples=300, deadline=None)
@given(mixed(truths, *(expressions(kind, 2) for kind in ("number", "instant", "duration", "date", "text"))))
def test_printing_loses_nothing(text: str) -> None:
    """What `to_text` prints types to an equal tree, and every tree can be said in words."""
    node = typed(text, NAMES)
    assert typed(to_text(node), NAMES) == node
    assert to_plain(node)


@settings(max_examples=300, deadline=None)
@given(truths, truths, scopes)
def test_generated_code_means_what_the_closures_mean(when: str, require: str, scope: dict[str, Any]) -> None:
    """The fast form of a value and of a rule never differs from the three-valued meaning."""
    applies, holds = (typed(text, NAMES, BOOL) for text in (when, require))
    for node in (applies, holds):
        assert compile_value(node, TABLES)(scope) is exact(node, TABLES)(scope)
    w, r = exact(applies, TABLES)(scope), exact(holds, TABLES)(scope)
    expected = (
        "not_applicable" if w is False else "indeterminate" if UNKNOWN in (w, r) else "pass" if r else "fail"
    )
    assert compile_clause(Clause("r", applies, holds), TABLES)(scope) == expected


@settings(max_examples=200, deadline=None)
@given(truths, scopes)
def test_an_indeterminate_condition_names_what_would_decide_it(text: str, scope: dict[str, Any]) -> None:
    """What would decide is named exactly where something is undecided, and what was used never raises."""
    node = typed(text, NAMES, BOOL)
    assert bool(undecided(node, scope, TABLES)) == (exact(node, TABLES)(scope) is UNKNOWN)
    assert all(isinstance(value, str) for value in values_used(node, scope, TABLES).values())


TABLE = [
    # (expression, what CEL and we say), on event {n1: 1, s1: 'ab', ns: [1, 2], ls: [{n: 1}, {s: 'x'}]}, dose null, count unknown
    ("false && event.n2 == 1", False),
    ("event.n2 == 1 && false", False),
    ("true || event.n2 == 1", True),
    ("event.n2 == 1 || true", True),
    ("event.n2 == 1 || false", UNKNOWN),
    ("event.n2 == 1 ? true : true", UNKNOWN),
    ("event.n1 == 1 ? true : event.b1", True),
    ("has(event.n2)", False),
    ("has(event.r.n)", UNKNOWN),
    ("has(dose.n1)", UNKNOWN),
    ("dose == null", True),
    ("dose != null && dose.n1 > 1", False),
    ("dose.n1 > 1", UNKNOWN),
    ("count > 1 || event.n1 == 1", True),
    ("count == 1", UNKNOWN),
    ("count != 1", UNKNOWN),
    ("event.ns.exists(x, x == event.n2 || x == 2)", True),
    ("event.ns.all(x, x == event.n2)", UNKNOWN),
    ("event.ns.all(x, x == event.n2 && x == 2)", False),
    ("event.ls.exists(x, x.n == 1)", True),
    ("event.ls.exists_one(x, x.n == 1)", UNKNOWN),
    ("event.ls.exists(x, x.n == 2)", UNKNOWN),
    ("size(event.ls.filter(x, has(x.n))) == 1", True),
    ("size(event.ls.filter(x, x.n == 1)) == 1", UNKNOWN),
    ("1 in [1, event.n2]", UNKNOWN),
    ("[1, event.n2].exists(x, x == 1)", UNKNOWN),
    ("event.n1 * 0.5 == 0.5", True),
    ("0.1 + 0.2 == 0.3", True),
    ("event.n1 * 0.1 * 0.1 == 0.01", True),
    ("2 + 3 * 4 == 14 && 10 - 3 - 2 == 5", True),
    ("1 < 2 == true", True),
    ("'a' in ['a'] == true", True),
    ("event.s1.matches('b')", True),
    ("event.s1.matches('^b')", False),
    ("size('héllo') == 5", True),
    ("timestamp('2026-03-08T08:30:00Z').getHours('America/Chicago') == 3", True),
    (
        "timestamp('2026-03-08T01:30:00-06:00') + duration('1h') == timestamp('2026-03-08T03:30:00-05:00')",
        True,
    ),
    ("timestamp('2026-03-08T12:00:00Z').getDayOfWeek('America/Chicago') == 0", True),
    ("timestamp('2026-03-08T12:00:00Z').getMonth(zone) == 2", True),
]
SCOPE = {
    "event": {"n1": SCALE, "s1": "ab", "ns": (SCALE, 2 * SCALE), "ls": ({"n": SCALE}, {"s": "x"})},
    "dose": None, "count": UNKNOWN, "param": {}, "zone": "America/Chicago", "now": 0, "day": 739_677,
}  # fmt: skip


@pytest.mark.parametrize("text,expected", TABLE)
def test_missing_is_neither_true_nor_false(text: str, expected: Any) -> None:
    """The table of CEL's absorption, strictness, precedence and exactness holds here and there."""
    node = typed(text, NAMES, BOOL)
    assert compile_value(node, TABLES)(SCOPE) is expected
    assert exact(node, TABLES)(SCOPE) is expected
    assert google(node, SCOPE) is expected


@pytest.mark.parametrize(
    "text", ["!-event.n1 == 1", "true ? false ? true : false : true", "event.in", "'\\q' == 'q'", "1. == 1"]
)
def test_what_cel_cannot_parse_is_refused_here_too(text: str) -> None:
    """The grammar is not wider than CEL's."""
    with pytest.raises(RuntimeError):
        ENV.compile(text, disable_check=True)
    with pytest.raises(ExpressionErrors):
        typed(text, NAMES)


alphabet = st.sampled_from(["event", "dose", ".", "n1", "b1", "(", ")", "[", "]", ",", "!", "-", "+", "*", "&&", "||", "?", ":", "==", "<", " in ",
                            "1", "0.5", "'a'", "true", "null", "has(", ".exists(x, ", "x", "size(", "duration('2h')", "/", "%", "{", "u"])  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(st.lists(alphabet, max_size=12).map("".join))
def test_any_text_is_either_cel_or_refused_with_a_remedy(text: str) -> None:
    """Whatever is typed, it is accepted (then CEL accepts it) or refused with places inside the text and words."""
    try:
        typed(text, NAMES)
    except ExpressionErrors as refused:
        for error in refused.errors:
            assert 0 <= error.span.start <= error.span.end <= len(text)
            assert error.message
    else:
        ENV.compile(text, disable_check=True)
