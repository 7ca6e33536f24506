"""A rule document as a typed rule: facts, parameters, duties, messages, cases."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.domain.findings import Severity
from compliance.domain.time import parse_date
from compliance.domain.values import SCALE
from compliance.policy.documents import read_file, read_text
from compliance.policy.expression import to_text
from compliance.policy.expression.tree import Const, Type
from compliance.policy.model import Citation, Expression, Period
from compliance.policy.parameters import infer
from compliance.policy.rules import read_rule
from compliance.policy.scalars import Digits

VALID = Path(__file__).parents[2] / "policies" / "valid" / "rems-monitor-2h.yaml"
HOUR = 3_600_000_000
SKELETON = """
id: a
title: t
implements: [X-1]
cites: [{source: s, read: 2026-01-01}]
in_force: {from: 2020-01-01}
owner: o
review_by: 2027-01-01
on: KIND
REST
otherwise: {severity: warn, message: MESSAGE, remedy: r}
cases: [{name: n, event: {kind: CASE}, expect: pass}]
"""


def rule_of(rest, kind="discharge", message="m"):
    """The rule with these lines in it, and the messages of its problems."""
    first = re.findall(r"\w+", kind)[0]
    text = SKELETON.replace("KIND", kind).replace("REST", rest).replace("MESSAGE", message)
    document = read_text(text.replace("CASE", "discharge" if first == "any" else first), "a.yaml")
    assert not isinstance(document, tuple), document
    rule, problems = read_rule(document, {"X-1"})
    return rule, [f"{problem.place.field}: {problem.message}" for problem in problems]


def given_of(fact, kind="discharge"):
    """The one fact of a rule."""
    rule, problems = rule_of(f"given: {{f: {fact}}}\nrequire: true", kind)
    assert rule is not None, problems
    return rule.given[0]


def refusals(rest, kind="discharge", message="m"):
    """What is wrong with a rule that has these lines."""
    rule, problems = rule_of(rest, kind, message)
    assert rule is None
    return problems


def test_the_sample_of_the_language_is_read_whole():
    """The rule on the language's first page, field by field."""
    rule, problems = read_rule(read_file(VALID), {"REMS-MONITOR-2H"})
    assert not problems
    assert rule.id == "rems-monitor-2h"
    assert rule.title == "The patient is observed for two hours after the last device"
    assert rule.implements == ("REMS-MONITOR-2H",)
    assert rule.cites == (
        Citation("SPRAVATO REMS Document", "healthcare settings, after treatment", "2026-11-22"),
    )
    assert rule.in_force == Period(parse_date("2019-03-05"))
    assert (rule.owner, rule.review_by) == ("medical director", "2027-11-22")
    (parameter,) = rule.parameters
    assert (parameter.name, parameter.type, parameter.tighten) == (
        "minimum_observation",
        Type("duration"),
        "up",
    )
    assert parameter.at(parse_date("2026-01-01")) == 2 * HOUR
    assert parameter.at(parse_date("2019-03-04")) is None
    assert rule.on == ("discharge",)
    (dose,) = rule.given
    assert (dose.quantifier, dose.kinds, dose.by) == ("latest", ("administration",), ("session",))
    assert to_text(rule.when.node) == "dose != null && drug_info(dose.drug).is_rems"
    assert rule.require.node.type == Type("bool")
    assert rule.expect is None
    assert (rule.severity, rule.override) == (Severity.DENY, "never")
    assert [part if isinstance(part, str) else f"<{part.text}>" for part in rule.message.parts] == [
        "Left ",
        "<discharge.occurred_at - dose.completed_at>",
        " after the last device, ",
        "<param.minimum_observation>",
        " required.",
    ]
    (case,) = rule.cases
    assert (case.name, case.expect, case.now) == ("leaves after two hours and one minute", "pass", None)
    assert case.event == {"kind": "discharge", "session": "T1", "occurred_at": "2026-03-02T11:06:00-06:00"}
    assert case.history[0]["completed_at"] == "2026-03-02T09:05:00-06:00"
    assert (rule.require.place.line, rule.require.place.column) == (21, 10)


@pytest.mark.parametrize(
    "fact,present,include_self",
    [
        ("{latest: consent}", True, False),
        ("{earliest: consent}", False, False),
        ("{any: consent}", True, False),
        ("{none: consent}", True, False),
        ("{latest: consent, states: all}", False, False),
        ("{none: consent, states: all}", False, False),
        ("{latest: administration}", False, False),
        ("{count: consent}", False, True),
        ("{sum: administration.dose_mg}", False, True),
        ("{count: consent, self: false}", False, False),
        ("{earliest: administration, self: true}", False, True),
        ("{any: [consent, administration]}", True, False),
    ],
)
def test_present_state_and_self_follow_the_quantifier(fact, present, include_self):
    """Keyed kinds are seen in their present state by latest, any, none; count and sum see the judged event."""
    read = given_of(fact)
    assert (read.present, read.include_self) == (present, include_self)


@pytest.mark.parametrize(
    "fact,condition",
    [
        ("{latest: administration}", "f != null && f.dose_mg <= 84"),
        ("{earliest: [administration, wastage]}", "f != null && f.kind == 'wastage'"),
        ("{any: consent}", "f == null"),
        ("{none: consent}", "f"),
        ("{count: consent}", "f >= 2"),
        ("{sum: administration.dose_mg}", "f <= discharge_limit.dose_mg"),
        ("{sum: [administration.dose_mg, order.dose_mg]}", "f <= 10"),
        ("{uncovered: presence, from: event.occurred_at, to: event.occurred_at}", "f <= duration('5m')"),
        ("{largest_gap: vital_signs, from: event.occurred_at, to: event.occurred_at}", "f <= duration('5m')"),
    ],
)
def test_a_fact_has_the_type_of_its_quantifier(fact, condition):
    """An event or null, a truth value, a number with the field's unit, an elapsed time."""
    rest = f'given:\n  discharge_limit: {{latest: order}}\n  f: {fact}\nrequire: "{condition}"'
    rule, problems = rule_of(rest)
    assert not problems
    assert rule.given[1].name == "f"


def test_a_sum_has_the_unit_of_its_field():
    """Milligrams that were added up are still milligrams."""
    assert refusals(
        "given: {f: {sum: administration.dose_mg}, o: {latest: order}}\nrequire: f <= o.planned_min"
    ) == ["require: A number in mg cannot be compared with one in min."]


def test_earlier_facts_are_visible_in_later_ones_and_not_the_other_way():
    """Facts are bound in the order in which they stand."""
    rest = "given:\n  o: {latest: order}\n  d: {any: administration, where: it.order == o.order}\nrequire: d != null"
    assert rule_of(rest)[1] == []
    rest = "given:\n  d: {any: administration, where: it.order == o.order}\n  o: {latest: order}\nrequire: d != null"
    assert refusals(rest) == ["given.d.where: 'o' is not known here."]


@pytest.mark.parametrize("name", ["event", "it", "param", "now", "zone", "discharge"])
def test_a_fact_cannot_take_a_name_that_means_something_else(name):
    """Otherwise an expression would read differently than it looks."""
    assert refusals(f"given: {{{name}: {{latest: order}}}}\nrequire: true") == [
        f"given.{name}: '{name}' already means something in every expression"
    ]


@pytest.mark.parametrize(
    "written,seconds", [("24h", 86_400), ("90m", 5_400), ("7d", 604_800), ("PT2H", 7_200)]
)
def test_a_window_may_be_written_short(written, seconds):
    """``within: 24h`` is the constant duration."""
    within = given_of(f"{{latest: order, within: {written}}}").within
    assert within is not None
    assert isinstance(within.node, Const)
    assert within.node.value == seconds * 1_000_000


def test_shared_keys_exist_on_both_sides():
    """A key that one side lacks would never match."""
    assert given_of("{latest: order, by: [patient, site]}").by == ("patient", "site")
    assert refusals("given: {f: {latest: order, by: [order]}}\nrequire: true") == [
        "given.f.by[1]: discharge has no field 'order' to share"
    ]


def test_a_balance_is_of_stock_by_keys_of_the_event_or_its_lines():
    """One number, or with for_each one for each line, beside the line's own fields."""
    fact = "{balance: stock, by: [registration, drug, lot]}"
    assert rule_of(f"given: {{book: {fact}}}\nrequire: book >= 0", "administration")[1] == []
    lines = "{balance: stock, by: [registration, drug, lot], for_each: event.lines}"
    rest = f"given: {{book: {lines}}}\nrequire: book.all(l, l.quantity == l.balance)"
    rule, problems = rule_of(rest, "inventory_count")
    assert problems == []
    assert rule.given[0].for_each.text == "event.lines"
    assert refusals(f"given: {{book: {fact}}}\nrequire: book >= 0", "inventory_count") == [
        "given.book.by[2]: inventory_count has no field 'drug' to share",
        "given.book.by[3]: inventory_count has no field 'lot' to share",
    ]


def test_a_duty_says_what_closes_it_and_by_when():
    """`expect` with its shared keys, condition, counted instant and due date."""
    rest = (
        "expect: {event: monitoring_form, by: [session], where: it.status == 'submitted', at: it.submitted_at, "
        "due: event.occurred_at + days(7)}\nper: session"
    )
    rule, problems = rule_of(rest)
    assert problems == []
    assert rule.require is None
    assert rule.per == ("session",)
    closing = rule.expect.closing
    assert (closing.kinds, closing.by) == (("monitoring_form",), ("session",))
    assert closing.where.text == "it.status == 'submitted'"
    assert closing.at.text == "it.submitted_at"
    assert closing.due.node.type == Type("instant")


def test_duties_may_be_closed_by_any_or_all_of_several():
    """`any_of` and `all_of` take lists of closings, each with its own due date."""
    one = "{event: follow_up, by: [patient], due: event.occurred_at + days(1)}"
    rule, problems = rule_of(f"expect: {{any_of: [{one}, {{all_of: [{one}, {one}]}}]}}")
    assert problems == []
    assert rule.expect.form == "any_of"
    assert [part.form for part in rule.expect.parts] == ["event", "all_of"]
    assert refusals(f"expect: {{any_of: [{one}], by: [patient]}}") == [
        "expect.any_of: 'any_of' must stand alone"
    ]


def test_per_belongs_to_duties_and_names_fields_of_the_opening_kind():
    """A rule judged on an event has no subjects."""
    assert refusals("require: true\nper: session") == [
        "per: 'per' belongs to a duty; this rule has no 'expect'"
    ]
    due = "expect: {event: follow_up, due: event.occurred_at + days(1)}"
    assert refusals(f"{due}\nper: sessoin") == ["per: discharge has no field 'sessoin'"]


def test_duty_states_are_outcomes_of_duties_only():
    """`missed` can be expected of a deadline rule and of no other."""
    rest = "expect: {event: follow_up, due: event.occurred_at + days(1)}"
    text = (
        SKELETON.replace("KIND", "discharge")
        .replace("CASE", "discharge")
        .replace("expect: pass", "expect: missed")
    )
    duty = read_text(text.replace("REST", rest), "a.yaml")
    judged = read_text(text.replace("REST", "require: true"), "a.yaml")
    assert read_rule(duty)[1] == ()
    assert [problem.message for problem in read_rule(judged)[1]] == ["'expect' cannot be 'missed'"]


@pytest.mark.parametrize(
    "written,type_name,value",
    [
        (2, "number", 2 * SCALE),
        (Digits("2.5"), "number", 2_500_000),
        ("2h", "duration", 2 * HOUR),
        ("90m", "duration", 90 * 60_000_000),
        ("7d", "duration", 168 * HOUR),
        ("2026-11-22", "date", parse_date("2026-11-22")),
        (True, "bool", True),
        ("invoice", "text", "invoice"),
        (["a", "b"], "list", ("a", "b")),
        ([1, Digits("2.5")], "list", (SCALE, 2_500_000)),
        ([], "list", ()),
    ],
)
def test_the_type_of_a_parameter_is_seen_from_its_value(written, type_name, value):
    """Engine values: scaled numbers, microseconds, ordinals."""
    type_, read = infer(written)
    assert (type_.name, read) == (type_name, value)


@pytest.mark.parametrize("written", [None, "", {}, [1, "a"], [[1]], {"a": 1}])
def test_what_is_no_value_is_no_parameter(written):
    """Groups, mixed lists and nothing are refused."""
    assert infer(written) is None


def test_a_parameter_changes_on_its_dates():
    """The value in force on a local date is the last that began by then."""
    values = "[{from: 2019-01-01, value: 10, cites: a}, {from: 2024-06-01, value: 5, cites: b}]"
    rule, problems = rule_of(
        f"parameters: {{p: {{tighten: down, unit: mg, values: {values}}}}}\nrequire: true"
    )
    assert problems == []
    (parameter,) = rule.parameters
    assert parameter.type == Type("number", unit="mg")
    assert parameter.at(parse_date("2024-05-31")) == 10 * SCALE
    assert parameter.at(parse_date("2024-06-01")) == 5 * SCALE


def test_braces_in_messages_are_doubled():
    """``{{`` is a brace; a brace inside a quoted text does not end a hole."""
    rule, problems = rule_of("require: true", message="\"{{x}} {event.id == '}'} y\"")
    assert problems == []
    first, hole, last = rule.message.parts
    assert (first, last) == ("{x} ", " y")
    assert isinstance(hole, Expression)
    assert hole.text == "event.id == '}'"


@given(st.text("abc {}", max_size=30))
def test_doubled_braces_always_give_the_text_back(text):
    """Law: doubling the braces of any text makes a message that says that text."""
    written = "m" + text.replace("{", "{{").replace("}", "}}")
    rule, problems = rule_of("require: true", message=f"'{written}'")
    assert problems == []
    assert "".join(rule.message.parts) == "m" + text


def test_any_kind_may_be_judged():
    """``on: any`` judges every event; the envelope is what it can name."""
    rule, problems = rule_of("require: event.site == 'S1'", "any")
    assert problems == []
    assert rule.on == ("any",)


def test_several_kinds_may_be_judged_and_named():
    """Each kind's name stands for the event."""
    rule, problems = rule_of("require: administration.site == wastage.site", "[administration, wastage]")
    assert problems == []
    assert rule.on == ("administration", "wastage")


def test_a_standing_rule_is_judged_on_no_event():
    """It has subjects, which ``per`` names, and expressions call by their kind."""
    text = SKELETON.replace("on: KIND", "every: night\nper: {each: site_profile, where: it.holds_stock}")
    text = text.replace("CASE", "site_profile").replace("REST", "require: site_profile.state == 'TX'")
    rule, problems = read_rule(read_text(text.replace("MESSAGE", "m"), "a.yaml"))
    assert problems == ()
    assert rule.on == ()
    assert (rule.each.kind, rule.each.by, rule.each.where.text) == ("site_profile", (), "it.holds_stock")


def test_instants_in_cases_may_leave_their_seconds_out():
    """``2026-03-02T09:05-06:00`` means ``:00``, in cases only."""
    text = (
        SKELETON.replace("KIND", "discharge")
        .replace("REST", "require: true")
        .replace("{kind: CASE}", "{kind: discharge, occurred_at: '2026-03-02T09:05-06:00'}")
    )
    rule, problems = read_rule(read_text(text, "a.yaml"))
    assert problems == ()
    assert rule.cases[0].event["occurred_at"] == "2026-03-02T09:05:00-06:00"
