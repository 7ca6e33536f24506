"""Random typed expressions, as text, and random cases with holes to judge them on."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from compliance.domain.values import SCALE, UNKNOWN
from compliance.policy.expression import Names
from compliance.policy.expression.tree import Type
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
    states={"a": ((0, {"separate_csr": True}),)},
    state_defaults={"separate_csr": False, "retention_years": 2 * SCALE},
    permissions={"a": frozenset({"b"})},
)

# ---- random expressions of each type, as text


def mixed(*options: Any) -> Any:
    return st.one_of(*options)


def _text(pattern: str, **parts: Any) -> Any:
    names = list(parts)
    return st.tuples(*parts.values()).map(
        lambda values: pattern.format(**dict(zip(names, values, strict=True)))
    )


def _field(name: str) -> Any:
    return st.sampled_from([f"event.{name}", f"dose.{name}", f"discharge.{name}"])


numbers_written = st.sampled_from(["0", "1", "2", "0.5", "1.25", "0.000001", "3", "-1", "-2.5", "100"])
number_leaf = mixed(
    numbers_written,
    _field("n1"),
    _field("n2"),
    st.sampled_from(["count", "param.p", "event.r.n", "dose.r.n"]),
)
text_leaf = mixed(st.sampled_from(["'a'", "'b'", "'ab'", "''", "'é'", r"'a\'b'"]), _field("s1"), _field("s2"))
instant_leaf = mixed(
    _field("t1"), _field("t2"), st.sampled_from(["timestamp('2026-03-08T08:30:00Z')", "now()"])
)
duration_leaf = mixed(
    _field("d1"), st.sampled_from(["duration('2h')", "duration('-90m')", "duration('0.5s')", "param.pd"])
)
date_leaf = mixed(_field("on1"), st.just("today()"))
truth_leaf = mixed(
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
        return mixed(
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
        return mixed(leaf, choose, _text("({x} {o} {y})", x=instant, o=st.sampled_from("+-"), y=duration))
    if kind == "duration":
        return mixed(
            leaf, choose, _text("({x} - {y})", x=instant, y=instant), _text("({x} {o} {y})", x=duration, o=st.sampled_from("+-"), y=duration),
            _text("minutes({x})", x=number_leaf), _text("max({x}, {y})", x=duration, y=duration),
        )  # fmt: skip
    if kind == "date":
        period = _text(
            "{f}({n})",
            f=st.sampled_from(["days", "months", "years", "business_days"]),
            n=st.sampled_from(["0", "1", "-3", "count", "30"]),
        )
        return mixed(
            leaf,
            choose,
            _text("local_date({x})", x=instant),
            _text("({x} {o} {y})", x=same, o=st.sampled_from("+-"), y=period),
        )
    if kind == "text":
        return mixed(leaf, choose)
    ordered = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    equal = st.sampled_from(["==", "!="])
    v = st.just(f"x{depth}")  # an inner macro may not take the name of an outer one
    element = mixed(
        _text("{v} {o} {y}", v=v, o=ordered, y=number),
        _text("{v} * 2 > {y} || {c}", v=v, y=number, c=truth),
        _text("{v} in [1, 2, 0.5]", v=v),
    )
    line = mixed(
        _text("{v}.b", v=v),
        _text("!{v}.b && {v}.n > 1", v=v),
        _text("{v}.s == event.s1", v=v),
        _text("has({v}.n) && {v}.n < 2", v=v),
        _text("{c} && {v}.n > {y}", v=v, c=truth, y=number),
    )
    macro = st.sampled_from(["exists", "all", "exists_one"])
    return mixed(
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
        st.sampled_from(["(event.e1 in ['a', 'c'])", "(event.e1 != dose.e1)", "(dose.e1 == event.s1)", "(event.e1 == 'b')", "drug_info(dose.s1).is_rems", "state_rule(event.s1, 'separate_csr')", "permits(event.s1, event.s2)",
                         "(event.ss == distinct(event.ss))", "event.ls.exists(u, event.ns.all(w, w < u.n))"]),
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
        "day": st.integers(739_000, 740_000),
        "now": instants,
    }
)
