"""The expression language against Google's own CEL (policy-language.md, "Expressions").

Everything that parses here parses there; and after decimals are rewritten as scaled integers and calendar functions as constants
it has the same value, where an error there is UNKNOWN here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cel_expr_python import cel
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.domain.values import SCALE, UNKNOWN
from compliance.engine.clause import Clause
from compliance.engine.exact import exact
from compliance.engine.reference import compile_clause, compile_value, undecided, values_used
from compliance.policy.expression import ExpressionErrors, Names, to_plain, to_text, typed
from compliance.policy.expression.printer import duration_text
from compliance.policy.expression.tree import (
    And,
    Arith,
    Compare,
    Conditional,
    Const,
    Func,
    Has,
    In,
    IsNull,
    ListOf,
    Macro,
    Node,
    Not,
    Or,
    Ref,
    Select,
    Type,
    scale_of,
)
from compliance.policy.model import Tables

BOOL, NUMBER, TEXT = Type("bool"), Type("number"), Type("text")
ENUM = Type("enum", values=("a", "b", "c"))
LINE = Type("record", fields=(("n", NUMBER), ("s", TEXT), ("b", BOOL)))
FIELDS: dict[str, Type] = {
    "n1": NUMBER, "n2": NUMBER, "t1": Type("instant"), "t2": Type("instant"), "d1": Type("duration"), "s1": TEXT, "s2": TEXT,
    "e1": ENUM, "b1": BOOL, "b2": BOOL, "on1": Type("date"), "ns": Type("list", element=NUMBER), "ss": Type("list", element=TEXT),
    "ls": Type("list", element=LINE), "r": LINE,
}  # fmt: skip
EVENT = Type("event", fields=tuple(FIELDS.items()))
NAMES = Names(
    {
        "event": EVENT,
        "dose": EVENT,
        "count": NUMBER,
        "param": Type("record", fields=(("p", NUMBER), ("pd", Type("duration")))),
    },
    {"discharge": "event"},
)
TABLES = Tables(
    drugs={"a": {"code": "a", "is_rems": True, "is_compounded": False, "strength_mg_per_ml": 10 * SCALE}},
    holidays=frozenset({738000}),
    states={"a": {"separate_csr": True}},
    state_defaults={"separate_csr": False, "retention_years": 2 * SCALE},
    permissions={"a": frozenset({"b"})},
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# ---- random expressions of each type, as text


def _mixed(*options: Any) -> Any:
    return st.one_of(*options)


def _text(pattern: str, **parts: Any) -> Any:
    names = list(parts)
    return st.tuples(*parts.values()).map(
        lambda values: pattern.format(**dict(zip(names, values, strict=True)))
    )


def _field(name: str) -> Any:
    return st.sampled_from([f"event.{name}", f"dose.{name}", f"discharge.{name}"])


numbers_written = st.sampled_from(["0", "1", "2", "0.5", "1.25", "0.000001", "3", "-1", "-2.5", "100"])
number_leaf = _mixed(
    numbers_written,
    _field("n1"),
    _field("n2"),
    st.sampled_from(["count", "param.p", "event.r.n", "dose.r.n"]),
)
text_leaf = _mixed(
    st.sampled_from(["'a'", "'b'", "'ab'", "''", "'é'", r"'a\'b'"]), _field("s1"), _field("s2")
)
instant_leaf = _mixed(
    _field("t1"), _field("t2"), st.sampled_from(["timestamp('2026-03-08T08:30:00Z')", "now()"])
)
duration_leaf = _mixed(
    _field("d1"), st.sampled_from(["duration('2h')", "duration('-90m')", "duration('0.5s')", "param.pd"])
)
date_leaf = _mixed(_field("on1"), st.just("today()"))
truth_leaf = _mixed(
    st.sampled_from(
        [
            "true",
            "false",
            "(dose == null)",
            "(dose != null)",
            "has(event.n1)",
            "has(dose.n1)",
            "has(event.r.n)",
            "!has(event.s1)",
        ]
    ),
    _field("b1"),
    _field("b2"),
)


def expressions(kind: str, depth: int) -> Any:
    """Text of an expression of a type; deeper ones are made of shallower ones."""
    leaf = {
        "number": number_leaf, "text": text_leaf, "instant": instant_leaf, "duration": duration_leaf, "date": date_leaf, "bool": truth_leaf,
    }[kind]  # fmt: skip
    if depth == 0:
        return leaf
    truth, number = expressions("bool", depth - 1), expressions("number", depth - 1)
    same = expressions(kind, depth - 1)
    choose = _text("({c} ? {x} : {y})", c=truth, x=same, y=same)
    instant, duration = (expressions(of, depth - 1) for of in ("instant", "duration"))
    if kind == "number":
        return _mixed(
            leaf,
            choose,
            _text("({x} {o} {y})", x=number, o=st.sampled_from("+-*"), y=number),
            _text("-({x})", x=number),
            _text("size({x})", x=expressions("text", depth - 1)),
            st.sampled_from(["size(event.ns)", "size(event.ss.filter(x, x == 'a'))", "sum(event.ns)", "sum(dose.ls.map(x, x.n * 2))",
                             "drug_info(event.s1).strength_mg_per_ml", "state_rule(event.s1, 'retention_years')"]),
            _text("{x}.{f}(zone)", x=instant, f=st.sampled_from(["getHours", "getMinutes", "getDayOfWeek", "getDate", "getMonth", "getFullYear"])),
            _text("{f}({x}, {y})", f=st.sampled_from(["min", "max"]), x=number, y=number),
            _text("abs({x})", x=number),
        )  # fmt: skip
    if kind == "instant":
        return _mixed(leaf, choose, _text("({x} {o} {y})", x=instant, o=st.sampled_from("+-"), y=duration))
    if kind == "duration":
        return _mixed(
            leaf, choose, _text("({x} - {y})", x=instant, y=instant), _text("({x} {o} {y})", x=duration, o=st.sampled_from("+-"), y=duration),
            _text("minutes({x})", x=number), _text("max({x}, {y})", x=duration, y=duration),
        )  # fmt: skip
    if kind == "date":
        period = _text(
            "{f}({n})",
            f=st.sampled_from(["days", "months", "years", "business_days"]),
            n=st.sampled_from(["0", "1", "-3", "count", "30"]),
        )
        return _mixed(
            leaf,
            choose,
            _text("local_date({x})", x=instant),
            _text("({x} {o} {y})", x=same, o=st.sampled_from("+-"), y=period),
        )
    if kind == "text":
        return _mixed(leaf, choose)
    ordered = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    equal = st.sampled_from(["==", "!="])
    v = st.just(f"x{depth}")  # an inner macro may not take the name of an outer one
    element = _mixed(
        _text("{v} {o} {y}", v=v, o=ordered, y=number),
        _text("{v} * 2 > {y} || {c}", v=v, y=number, c=truth),
        _text("{v} in [1, 2, 0.5]", v=v),
    )
    line = _mixed(
        _text("{v}.b", v=v),
        _text("!{v}.b && {v}.n > 1", v=v),
        _text("{v}.s == event.s1", v=v),
        _text("has({v}.n) && {v}.n < 2", v=v),
        _text("{c} && {v}.n > {y}", v=v, c=truth, y=number),
    )
    macro = st.sampled_from(["exists", "all", "exists_one"])
    return _mixed(
        leaf,
        choose,
        _text("!({x})", x=same),
        _text("{x} && {y}", x=same, y=same).map("({})".format),
        _text("{x} || {y}", x=same, y=same).map("({})".format),
        _text("({x} && {y} || {z} && {x})", x=truth_leaf, y=same, z=truth_leaf),
        *(
            _text("({x} {o} {y})", x=expressions(of, depth - 1), o=ordered, y=expressions(of, depth - 1))
            for of in ("number", "instant", "duration", "date")
        ),
        _text("({x} {o} {y})", x=expressions("text", depth - 1), o=equal, y=expressions("text", depth - 1)),
        _text("({x} {o} {y})", x=truth, o=equal, y=truth),
        _text("({x} in ['a', 'b', {y}])", x=expressions("text", 0), y=text_leaf),
        _text("({x} in {y})", x=number, y=st.sampled_from(["event.ns", "[1, 2, 3, 0.5, 4]", "[1, event.n1]", "dose.ls.map(z, z.n * z.n)"])),
        _text("{x}.matches('{p}')", x=text_leaf, p=st.sampled_from(["a", "^a?$", "[a-b]+", "^$", "(a|b)$"])),
        _text("event.ns.{m}({v}, {b})", v=v, m=macro, b=element),
        _text("{l}.ls.{m}({v}, {b})", v=v, l=st.sampled_from(["event", "dose"]), m=macro, b=line),
        st.sampled_from(["event.e1 in ['a', 'c']", "event.e1 != dose.e1", "dose.e1 == event.s1", "event.e1 == 'b'", "drug_info(dose.s1).is_rems", "state_rule(event.s1, 'separate_csr')", "permits(event.s1, event.s2)",
                         "event.ss == distinct(event.ss)", "event.ls.exists(u, event.ns.all(w, w < u.n))"]),
    )  # fmt: skip


instants = st.integers(1_600_000_000_000_000, 1_900_000_000_000_000)
scaled = st.sampled_from([0, SCALE, 2 * SCALE, SCALE // 2, -SCALE, 1, 3 * SCALE])
texts = st.sampled_from(["a", "b", "ab", "", "é"])
lines = st.fixed_dictionaries({}, optional={"n": scaled, "s": texts, "b": st.booleans()})
BY_TYPE = {
    "number": scaled, "instant": instants, "duration": st.sampled_from([0, 7_200_000_000, -1, 500_000]), "text": texts,
    "enum": st.sampled_from(ENUM.values), "bool": st.booleans(), "date": st.integers(737_900, 738_100), "record": lines,
}  # fmt: skip
lists = {
    "ns": st.lists(scaled, max_size=3),
    "ss": st.lists(texts, max_size=3),
    "ls": st.lists(lines, max_size=3),
}
events = st.fixed_dictionaries(
    {},
    optional={
        name: lists[name].map(tuple) if name in lists else BY_TYPE[kind.name] for name, kind in FIELDS.items()
    },
)
scopes = st.fixed_dictionaries(
    {
        "event": events,
        "dose": st.one_of(events, st.none(), st.just(UNKNOWN)),
        "count": st.one_of(scaled, st.just(UNKNOWN)),
        "param": st.fixed_dictionaries({}, optional={"p": scaled, "pd": BY_TYPE["duration"]}),
        "zone": st.sampled_from(["America/Chicago", "America/New_York", UNKNOWN]),
        "now": instants,
    }
)

# ---- the same expression for Google's CEL


ERROR = "(nothing.at_all)"
CALENDAR = frozenset(
    "local_date today now end_of_day end_of_day_after drug_info state_rule permits distinct sum minutes".split()
)


def to_cel(node: Node, scope: dict[str, Any], level: int | None = None) -> str:
    """The node in CEL's own types: numbers as integers of a power of ten (`level`, or the node's own), dates as ordinals, calendar
    functions and look-ups in tables as the constants that they come to."""
    own = scale_of(node)
    text = _to_cel(node, scope)
    numeric = node.type.name == "number" and level is not None and level != own
    return f"({text} * {10 ** (level - own)})" if numeric and level is not None else text


def _to_cel(node: Node, scope: dict[str, Any]) -> str:
    def below(part: Node, level: int | None = None) -> str:
        return to_cel(part, scope, level)

    match node:
        case Const():
            return _literal(node.value, node.type)
        case Ref():
            written = ".".join((node.root, *node.path))
            native = {"instant": "timestamp", "duration": "duration"}.get(node.type.name)
            return f"{native}({written})" if native else written
        case Has():
            return f"has({to_text(node.ref)})"
        case IsNull():
            return f"({node.root} == null)"
        case Not():
            return f"!({below(node.operand)})"
        case And():
            return f"({' && '.join(map(below, node.operands))})"
        case Or():
            return f"({' || '.join(map(below, node.operands))})"
        case Conditional():
            scale = scale_of(node)
            return f"({below(node.condition)} ? {below(node.then, scale)} : {below(node.otherwise, scale)})"
        case Compare():
            scale = max(scale_of(node.left), scale_of(node.right))
            return f"({below(node.left, scale)} {node.op} {below(node.right, scale)})"
        case In():
            element = node.items.type.element
            assert element is not None
            scale = max(scale_of(node.item), element.scale)
            items = below(node.items)
            if element.scale < scale:
                items = f"{items}.map(w, w * {10 ** (scale - element.scale)})"
            return f"({below(node.item, scale)} in {items})"
        case ListOf():
            scale = node.type.element.scale if node.type.element else 6
            return f"[{', '.join(below(item, scale) for item in node.items)}]"
        case Arith() if node.type.name == "date":
            return _constant(node, scope)
        case Arith() if node.op == "*":
            return f"({below(node.left)} * {below(node.right)})"
        case Arith():
            return f"({below(node.left, node.scale)} {node.op} {below(node.right, node.scale)})"
        case Macro():
            return f"{below(node.items)}.{node.name}({node.variable}, {below(node.body)})"
        case Select():
            return _constant(node, scope)
        case Func(name="size"):
            return f"(size({below(node.args[0])}) * 1000000)"
        case Func(name="matches"):
            return f"{below(node.args[0])}.matches({below(node.args[1])})"
        case Func(name="min" | "max"):
            x, y = (below(argument, scale_of(node)) for argument in node.args)
            return f"({x} {'<' if node.name == 'min' else '>'} {y} ? {x} : {y})"
        case Func(name="abs"):
            x = below(node.args[0])
            return f"({x} < 0 ? 0 - {x} : {x})"
        case Func() if node.name in CALENDAR:
            return _constant(node, scope)
        case Func():
            return f"({below(node.args[0])}.{node.name}({below(node.args[1])}) * 1000000)"
    raise TypeError(type(node).__name__)


def _constant(node: Node, scope: dict[str, Any]) -> str:
    value = exact(node, TABLES)(scope)
    return ERROR if value is UNKNOWN else _literal(value, node.type)


def _literal(value: Any, kind: Type) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_literal(item, kind.element or kind) for item in value)}]"
    if kind.name == "instant":
        return f"timestamp('{_instant(value).isoformat()}')"
    if kind.name == "duration":
        return f"duration('{duration_text(value)}')"
    if isinstance(value, bool):
        return "true" if value else "false"
    return to_text(Const(TEXT, None, value)) if isinstance(value, str) else f"({value})"  # type: ignore[arg-type]


def _instant(value: int) -> datetime:
    return EPOCH + timedelta(microseconds=value)


def _native(value: Any, kind: Type) -> Any:
    """An engine value as CEL's binding takes it."""
    if kind.name in ("event", "record"):
        return {name: _native(value[name], below) for name, below in kind.fields if name in value}
    if kind.name == "list" and kind.element is not None:
        return [_native(item, kind.element) for item in value]
    if kind.name == "instant":
        return _instant(value).isoformat()
    return duration_text(value) if kind.name == "duration" else value


MISSING = ("Key not found in map", "No value with name", "Applying SELECT to non-message type")
"""The errors that stand for something missing; any other error would be a fault of this test."""


ENV = cel.NewEnv(variables={name: cel.Type.DYN for name in (*NAMES.roots, "zone", "now", "nothing")})


def google(node: Node, scope: dict[str, Any]) -> Any:
    """The value that Google's CEL gives, as an engine value; UNKNOWN for an error."""
    roots = {**NAMES.roots, "zone": TEXT}
    given_values = {
        root: None if scope[root] is None else _native(scope[root], kind)
        for root, kind in roots.items()
        if scope[root] is not UNKNOWN
    }
    value = ENV.compile(to_cel(node, scope)).eval(data=given_values)
    if value.type() != cel.Type.ERROR:
        return value.plain_value()
    assert any(words in str(value.plain_value()) for words in MISSING), value.plain_value()
    return UNKNOWN


truths = expressions("bool", 2)


@settings(max_examples=1_500, deadline=None)
@given(truths, scopes)
def test_a_condition_has_the_value_that_cel_gives(text: str, scope: dict[str, Any]) -> None:
    """Random conditions on random cases with holes come out as in Google's CEL; an error there is unknown here."""
    node = typed(text, NAMES, BOOL)
    assert compile_value(node, TABLES)(scope) is google(node, scope)


@settings(max_examples=500, deadline=None)
@given(expressions("number", 2), scopes)
def test_a_number_has_the_value_that_cel_gives(text: str, scope: dict[str, Any]) -> None:
    """Random arithmetic is exact: the same integer at the same scale as in Google's CEL."""
    node = typed(text, NAMES, NUMBER)
    assert compile_value(node, TABLES)(scope) == google(node, scope)


@settings(max_examples=200, deadline=None)
@given(_mixed(truths, *(expressions(kind, 2) for kind in ("number", "instant", "duration", "date", "text"))))
def test_what_parses_here_parses_as_cel(text: str) -> None:
    """Every expression of the language, as written and as printed, is CEL."""
    node = typed(text, NAMES)
    ENV.compile(text, disable_check=True)
    ENV.compile(to_text(node), disable_check=True)


@settings(max_examples=300, deadline=None)
@given(_mixed(truths, *(expressions(kind, 2) for kind in ("number", "instant", "duration", "date", "text"))))
def test_printing_loses_nothing(text: str) -> None:
    """What `to_text` prints types to an equal tree, and every tree can be said in words."""
    node = typed(text, NAMES)
    assert typed(to_text(node), NAMES) == node
    assert to_plain(node)


@settings(max_examples=500, deadline=None)
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
    "dose": None, "count": UNKNOWN, "param": {}, "zone": "America/Chicago", "now": 0,
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


@settings(max_examples=400, deadline=None)
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
