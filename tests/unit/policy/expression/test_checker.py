"""Types: what is refused, in which words and where; and what the tree looks like."""

from __future__ import annotations

import pytest

from compliance.domain.vocabulary import KINDS
from compliance.policy.expression import ExpressionErrors, Names, event_type, to_plain, to_text, typed
from compliance.policy.expression.parser import MAX_DEPTH
from compliance.policy.expression.tree import (
    And,
    Arith,
    Compare,
    Const,
    Func,
    Has,
    In,
    IsNull,
    Node,
    Not,
    Ref,
    Type,
    scale_of,
)
from compliance.policy.expression.types import product_unit, same_unit

BOOL = Type("bool")
ROOTS = {
    "event": event_type(["discharge"]),
    "dose": event_type(["administration"]),
    "order": event_type(["order"]),
    "count": Type("number"),
    "now": Type("instant"),
    "param": Type(
        "record",
        fields=(
            ("minimum_observation", Type("duration")),
            ("max_mg_per_kg", Type("number", unit="mg/kg")),
            ("max_min", Type("number", unit="min")),
            ("weight", Type("number", unit="kg")),
            ("until_on", Type("date")),
            ("days", Type("number")),
        ),
    ),
}
NAMES = Names(ROOTS, {"discharge": "event"})
DUE = Names(ROOTS, {"discharge": "event"}, due=True)


def check(text: str, names: Names = NAMES, expected: Type | None = BOOL) -> Node:
    return typed(text, names, expected)


@pytest.mark.parametrize(
    "text,underlined,says,remedy",
    [
        (
            "event.ocurred_at > dose.occurred_at",
            "ocurred_at",
            "no field 'ocurred_at' in discharge",
            "occurred_at",
        ),
        (
            "dose.dose_mg > param.max_min",
            "dose.dose_mg > param.max_min",
            "in mg cannot be compared with one in min",
            "one unit",
        ),
        ("dose.dose_mg + param.max_min > 1", "dose.dose_mg + param.max_min", "cannot be added", "one unit"),
        ("dose.intent == 'perfomed'", "'perfomed'", "not one of the values", "performed"),
        ("dose.intent in ['performed', 'propose']", "'propose'", "not one of the values", "proposed"),
        ("'perfomed' != dose.intent", "'perfomed'", "not one of the values", "performed"),
        (
            "(event.id == 'x' ? 'performed' : 'propose') == dose.intent",
            "'propose'",
            "not one of the values",
            "proposed",
        ),
        (
            "dose.intent == dose.quantity_unit",
            "dose.intent == dose.quantity_unit",
            "never be equal",
            "fields are meant",
        ),
        ("dose.id.matches('(?=a)')", "'(?=a)'", "pattern cannot be used", "groups"),
        ("dose.id.matches(r'(a)\\1')", r"r'(a)\1'", "refers back", "write the text out"),
        ("dose.id.matches('[a')", "'[a'", "not closed", "add"),
        ("dose == 'x'", "dose", "only be compared with null", "Name one of its fields"),
        ("dose.lot == null", "dose.lot == null", "only an event can be null", "!has(...)"),
        ("dose.lot != null", "dose.lot != null", "only an event can be null", "has(...)"),
        ("count == null", "count == null", "only an event can be null", "looked up"),
        ("null", "null", "only be compared with an event", "has(dose.field)"),
        ("dose.dose_mg == '28'", "dose.dose_mg == '28'", "cannot be compared with a text", "without quotes"),
        ("dose", "dose", "condition (true or false) is needed", ""),
        ("dose && true", "dose", "needs a condition", "dose != null"),
        ("!dose.dose_mg", "dose.dose_mg", "needs a condition", "Compare"),
        ("1 < 2 < 3", "1 < 2 < 3", "cannot be compared", "a < b && b < c"),
        ("dose.id < event.id", "dose.id", "has no order", "matches"),
        ("occurred_at > now()", "occurred_at", "is a field", "event.occurred_at"),
        ("dose.quantity_unit == device", "device", "not known here", "'device'"),
        ("doze.lot == 'x'", "doze", "not known here", "dose"),
        ("param.max_mg > 1", "max_mg", "no parameter", "max_m"),
        ("dose.lot.x == 'y'", "x", "has no fields", ""),
        (
            "dose.occurred_at - event.occurred_at > 3",
            "dose.occurred_at - event.occurred_at > 3",
            "elapsed time cannot be compared with a number",
            "duration('2h')",
        ),
        ("dose.occurred_at + 3 < now()", "dose.occurred_at + 3", "cannot be added", "minutes(n)"),
        (
            "today() - param.until_on > days(3)",
            "today() - param.until_on",
            "cannot be subtracted",
            "a <= b + days(30)",
        ),
        ("dose.occurred_at + days(3) < now()", "dose.occurred_at + days(3)", "cannot be added", "local_date"),
        (
            "today() + duration('24h') < param.until_on",
            "today() + duration('24h')",
            "cannot be added",
            "days(n)",
        ),
        ("dose.occurred_at < today()", "dose.occurred_at < today()", "cannot be compared", "local_date"),
        (
            "dose.occurred_at > '2026-01-01'",
            "dose.occurred_at > '2026-01-01'",
            "cannot be compared",
            "timestamp(",
        ),
        ("today() > '2026-01-01'", "today() > '2026-01-01'", "cannot be compared", "parameter"),
        ("duration('7d') > duration('2h')", "'7d'", "days and weeks", "168h"),
        (
            "duration(param.minimum_observation) > duration('2h')",
            "param.minimum_observation",
            "takes a text",
            "Leave out duration( )",
        ),
        ("timestamp('2026-02-30T00:00:00Z') < now()", "'2026-02-30T00:00:00Z'", "no day", ""),
        ("timestamp('2026-02-03T00:00:00') < now()", "'2026-02-03T00:00:00'", "no offset", ""),
        ("days(1.5) == days(2)", "1.5", "whole number", "duration("),
        ("days(param.max_min) == days(2)", "param.max_min", "number of days", ""),
        ("now().getHours() > 3", "now().getHours()", "takes one value", "getHours(zone)"),
        ("now().getHours('Amerika/Chicago') > 3", "'Amerika/Chicago'", "no time zone", "zone"),
        ("getHours(now()) > 3", "getHours(now())", "asked of a point in time", "x.getHours(zone)"),
        ("dose.id.startsWith('x')", "startsWith", "not part of the policy language", "matches('^...')"),
        ("dose.id.contains('x')", "contains", "not part of the policy language", "matches"),
        ("drug_inf(dose.drug).is_rems", "drug_inf", "no function", "drug_info"),
        ("drug_info(dose.drug).is_remss", "is_remss", "no field", "is_rems"),
        ("state_rule(dose.site, 'seperate_csr')", "'seperate_csr'", "state table", "separate_csr"),
        ("has(dose)", "has(dose)", "one field", "dose != null"),
        ("has(drug_info(dose.drug).form)", "has(drug_info(dose.drug).form)", "computed row", "event"),
        ("dose.lot.exists(x, x == 'a')", "dose.lot", "goes over a list", ""),
        ("['a'].exists(dose, dose == 'a')", "dose", "already in use", "Choose another"),
        ("['a'].exists(f0, f0 == 'a')", "f0", "already in use", "Choose another"),
        ("['a'].exists(x)", "['a'].exists(x)", "a new name", "list.exists(x, condition on x)"),
        ("[1, 'a'].exists(x, x == 1)", "'a'", "values before it", "one type"),
        ("'a' in dose.lot", "dose.lot", "looks into a list", "=="),
        ("1 in ['a']", "1 in ['a']", "cannot be compared", "without quotes"),
        ("(true ? 1 : 'a') == 1", "true ? 1 : 'a'", "differ in type", "same type"),
        ("999999999 + 1 > count", "999999999 + 1", "too large", ""),
        (
            "duration('2h') * 2 > duration('1h')",
            "duration('2h')",
            "Only numbers can be multiplied",
            "minutes(n)",
        ),
        ("max(dose.dose_mg, param.max_min) > 1", "param.max_min", "one type", "mg"),
        ("max(1) > 1", "max(1)", "at least two values", ""),
    ],
)
def test_a_mistake_is_underlined_and_said_in_plain_english(
    text: str, underlined: str, says: str, remedy: str
) -> None:
    """One mistake, one message: where, what, and what to write instead."""
    with pytest.raises(ExpressionErrors) as refused:
        check(text)
    (error,) = refused.value.errors
    assert text[error.span.start : error.span.end] == underlined
    assert says in error.message
    assert remedy in error.remedy


def test_events_are_not_compared() -> None:
    """Two events of one kind are not compared either."""
    with pytest.raises(ExpressionErrors, match="An event cannot be compared"):
        check("dose == dose")


def test_all_mistakes_are_found_at_once() -> None:
    """Independent mistakes are all reported, in the order of the text."""
    with pytest.raises(ExpressionErrors) as refused:
        check("event.ocurred_at > now() && dose.intent == 'x' || foo == 3")
    assert [error.span.start for error in refused.value.errors] == [6, 43, 50]


@pytest.mark.parametrize(
    "text",
    [
        "event.a.b.c > 1",
        "foo + 1 > 2 * foo.bar",
        "-foo > 1",
        "foo.exists(x, x > 1)",
        "[foo, 1].all(x, x.y)",
        "max(foo, 'a') > 1",
    ],
)
def test_one_mistake_is_one_message(text: str) -> None:
    """What is made of something wrong is not itself called wrong: each unknown name is one message and nothing more."""
    with pytest.raises(ExpressionErrors) as refused:
        check(text)
    assert len(refused.value.errors) == text.count("foo") + text.count("event.a")


def test_the_tree_of_the_example_rule() -> None:
    """The rule of policy-language.md types to the tree that evaluators expect."""
    node = check("discharge.occurred_at - dose.completed_at >= param.minimum_observation")
    assert isinstance(node, Compare)
    assert isinstance(node.left, Arith)
    assert node.left.type == Type("duration")
    assert node.left.left == Ref(Type("instant"), node.span, "event", ("occurred_at",))
    assert node.right == Ref(Type("duration"), node.span, "param", ("minimum_observation",))
    assert (node.span.start, node.span.end) == (0, 70)


def test_null_and_has() -> None:
    """Null tests and has() have nodes of their own."""
    node = check("dose != null && dose == null && has(dose.lot)")
    assert isinstance(node, And)
    first, second, third = node.operands
    assert isinstance(first, Not)
    assert isinstance(first.operand, IsNull)
    assert isinstance(second, IsNull)
    assert isinstance(third, Has)
    assert third.ref.path == ("lot",)


def test_constants_are_folded() -> None:
    """Evaluators never meet a text to parse: times, signs and sums of literals are constants."""
    for text, value in [
        ("duration('1h30m')", 5_400_000_000),
        ("duration('-0.5s')", -500_000),
        ("duration('1h') + duration('1ms')", 3_600_001_000),
        ("timestamp('1970-01-01T00:00:01Z') + duration('1s')", 2_000_000),
        ("-1.5", -1_500_000),
        ("2 * 0.25 + 1", 1_500_000),
        ("minutes(90)", 5_400_000_000),
    ]:
        node = check(text, expected=None)
        assert isinstance(node, Const)
        assert node.value == value
    inexact = check("0.001 * 0.0001", expected=None)
    assert isinstance(inexact, Arith)
    assert scale_of(inexact) == 12


def test_scales_are_known_to_the_type() -> None:
    """A product has the digits of both factors, and what is made of it knows so."""
    for text, scale in [
        ("dose.dose_mg * 2", 12),
        ("dose.dose_mg * 2 * 3", 18),
        ("dose.dose_mg * 2 + 1", 12),
        ("max(dose.dose_mg * 2, 1)", 12),
        ("true ? dose.dose_mg * 2 : 1", 12),
        ("sum([dose.dose_mg * 2, 1])", 12),
        ("abs(dose.dose_mg)", 6),
    ]:
        assert scale_of(check(text, expected=None)) == scale


def test_enum_texts_become_enum_values() -> None:
    """A literal beside an enum is of the enum's type, alone and in a list."""
    node = check("dose.intent in ['performed'] && 'proposed' == dose.intent")
    assert isinstance(node, And)
    inside, equal = node.operands
    assert isinstance(inside, In)
    assert inside.items.type.element == inside.item.type
    assert isinstance(equal, Compare)
    assert equal.left.type == equal.right.type


@pytest.mark.parametrize(
    "one,other,product",
    [
        ("mg/kg", "kg", "mg"),
        ("mg", "kg", "kg*mg"),
        ("mL/h", "h", "mL"),
        ("mg/mL", "mL/h", "mg/h"),
        ("mg/kg", "kg/mg", None),
        (None, "mg", None),
        ("%", None, None),
    ],
)
def test_units_multiply(one: str | None, other: str | None, product: str | None) -> None:
    """mg/kg times kg is mg; what is unknown stays unknown."""
    assert product_unit(one, other) == product


def test_units_of_products_are_checked() -> None:
    """The document's example has one unit on both sides; without the weight it has not."""
    assert check("dose.dose_mg <= param.max_mg_per_kg * param.weight")
    assert not same_unit("mg", "mg/kg")
    with pytest.raises(ExpressionErrors, match="in mg cannot be compared with one in mg/kg"):
        check("dose.dose_mg <= param.max_mg_per_kg")
    with pytest.raises(ExpressionErrors, match="kg"):
        check("dose.dose_mg <= param.max_mg_per_kg * param.weight * param.weight")


def test_due_adds_periods_to_instants_and_ends_days() -> None:
    """Only in due: is an instant plus a period the end of a local day, and a date the end of that day."""
    instant = Type("instant")
    node = typed("dose.completed_at + days(7)", DUE, instant)
    assert isinstance(node, Func)
    assert (node.name, node.type) == ("end_of_day_after", instant)
    assert to_text(node) == "dose.completed_at + days(7)"
    day = typed("local_date(dose.completed_at) + business_days(1)", DUE, instant)
    assert isinstance(day, Func)
    assert day.name == "end_of_day"
    assert typed(to_text(day), DUE, instant) == day
    assert typed("has(dose.lot) ? dose.completed_at + duration('7h') : today()", DUE, instant).type == instant
    with pytest.raises(ExpressionErrors):
        typed("dose.completed_at + days(7)", NAMES, instant)
    with pytest.raises(ExpressionErrors, match="point in time is needed"):
        typed("today()", NAMES, instant)


def test_an_event_of_several_kinds_has_the_fields_of_each() -> None:
    """Fields of any kind can be named, enum values are united, and the kind itself is one of those listed."""
    several = event_type(["discharge", "administration"])
    fields = dict(several.fields)
    assert {*KINDS["discharge"].fields, *KINDS["administration"].fields} >= set(fields)
    assert fields["kind"].values == ("discharge", "administration")
    names = Names({"event": several})
    assert typed("event.kind == 'discharge' || event.dose_mg > 1", names, BOOL)
    with pytest.raises(ExpressionErrors, match="not one of the values"):
        typed("event.kind == 'order'", names, BOOL)


def test_an_event_of_any_kind_can_be_named() -> None:
    """Every envelope field of every kind is there, whatever kind it is."""
    fields = dict(event_type(["any"]).fields)
    assert {
        "id",
        "kind",
        "intent",
        "occurred_at",
        "recorded_at",
        "noted_at",
        "entered_at",
        "site",
        "actor",
    } <= set(fields)
    assert set(fields["kind"].values) == set(KINDS)


def test_the_deepest_expression_goes_all_the_way() -> None:
    """What the parser just allows can be typed, printed and read again."""
    text = "!(" * (MAX_DEPTH // 2 - 1) + "event.id == 'x'" + ")" * (MAX_DEPTH // 2 - 1)
    node = check(text)
    assert check(to_text(node)) == node
    assert to_plain(node)


@pytest.mark.parametrize(
    "text,plain",
    [
        ("discharge.occurred_at - dose.completed_at >= param.minimum_observation",
         "the event's occurred_at minus the dose's completed_at is at least the limit minimum_observation"),
        ("dose != null && drug_info(dose.drug).is_rems", "dose was found and the drug list's row of the dose's drug: is_rems"),
        ("!has(dose.lot) || dose.intent in ['performed', 'proposed']",
         "the dose's lot is not recorded or the dose's intent is one of 'performed', 'proposed'"),
        ("dose.occurred_at < now()", "the dose's occurred_at is before now"),
        ("dose.dose_mg * 2 <= 56.5", "the dose's dose_mg times 2 is at most 56.5"),
    ],
)  # fmt: skip
def test_officers_can_read_a_rule(text: str, plain: str) -> None:
    """A condition in words."""
    assert to_plain(check(text)) == plain


def test_only_fields_that_mean_different_things_are_left_out_of_any() -> None:
    """A field that is, say, a text in one kind and a list in another cannot be used on an event of any kind."""
    every = {name for kind in KINDS.values() for name in kind.fields}
    left_out = every - set(dict(event_type(["any"]).fields))
    for name in left_out:
        assert len({spec.fields[name].type for spec in KINDS.values() if name in spec.fields}) > 1
