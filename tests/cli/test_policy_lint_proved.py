"""``compliance policy lint``: what the solver proves of one rule and of two; what only looks like it is not told."""

from __future__ import annotations

import pytest

from tests.cli.conftest import lines
from tests.lint_rules import CASES, NOBODY, ON, Rules, told


@pytest.fixture
def rules(tmp_path):
    """An empty folder of policies."""
    folder = tmp_path / "policies"
    folder.mkdir()
    return Rules(folder)


# ---- proved


def test_a_condition_that_never_holds(clinic, rules):
    """The rule never applies, and nothing else need be said of it; a condition that a single event meets is in order."""
    file = rules.rule(
        "r",
        ON + "when: event.devices_taken < 2 && event.devices_taken > 1\nrequire: event.devices_taken == 4\n",
        cases=CASES.replace("fail", "not_applicable"),
    )
    codes, text = told(clinic, rules)
    assert codes == ["never-applies"]
    assert text == (
        f"{file}:11:7: when: this never holds: there is no event and no history to which the rule applies\n"
        "   11 | when: event.devices_taken < 2 && event.devices_taken > 1\n"
        "      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "  remedy: mend the condition, or delete the rule\n\n"
        "1 thing to mend\n"
    )
    rules.rule(
        "r",
        ON
        + "when: event.devices_taken < 3 && event.devices_taken > 1\nrequire: event.departure_mode == 'escort'\n",
        cases=CASES.replace("fail", "not_applicable"),
    )
    assert told(clinic, rules)[0] == []


@pytest.mark.parametrize(
    ("require", "code", "says"),
    [
        ("event.devices_taken <= 5 || event.devices_taken > 4", "never-fails", "this always holds where the rule applies: the rule can never fail"),
        ("event.devices_taken < 3 && event.devices_taken > 5", "always-fails", "this never holds where the rule applies: the rule always fails"),
        ("event.devices_taken <= 5 || event.devices_taken > 6", None, "nothing odd"),
    ],
)  # fmt: skip
def test_rules_that_can_never_fail_or_never_pass(clinic, rules, require, code, says):
    """A single number between is enough to be in order."""
    rules.rule(
        "r",
        ON + f"require: {require}\n",
        cases=CASES.replace("fail", "pass") if code != "always-fails" else CASES,
    )
    codes, text = told(clinic, rules)
    assert codes == ([] if code is None else [code])
    assert says in text


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("event.devices_taken > 3 && event.devices_taken > 1", "it never decides anything that this does not hold: all would come out the same if it always did"),
        ("event.devices_taken > 3 || event.devices_taken > 7", "it never decides anything that this holds: all would come out the same if it never did"),
        ("event.devices_taken > 3 && event.devices_taken < 7", None),
    ],
)  # fmt: skip
def test_conditions_that_never_decide(clinic, rules, when, says):
    """Only the one that adds nothing is underlined."""
    rules.rule(
        "r",
        ON + f"when: {when}\nrequire: event.departure_mode == 'escort'\n",
        cases=CASES.replace("4", "5").replace("fail", "pass"),
    )
    codes, text = told(clinic, rules)
    assert codes == ([] if says is None else ["never-decides"])
    if says is not None:
        assert f"r.yaml:11:34: when: {says}\n" in text
        assert "^" * 23 + "\n  remedy: delete it, or mend what it was to say\n" in text


def test_a_guard_that_decides_nothing_is_good_style(clinic, rules):
    """An event without the field would be passed over in any case; it is asked for all the same."""
    guarded = "on: discharge\nexpect:\n  event: assessment\n  by: [session]\n  where: {where}\n  due: event.occurred_at + duration('1h')\n"
    cases = CASES.replace("expect: fail", "now: '2026-03-02T12:06-06:00'\n    expect: open")
    where = "has(it.total) && it.total >= 9"
    rules.rule("r", guarded.replace("{where}", where), cases=cases)
    assert told(clinic, rules)[0] == []
    rules.rule("r", guarded.replace("{where}", f"{where} && it.total >= 8"), cases=cases)
    assert told(clinic, rules)[0] == ["never-decides"]


@pytest.mark.parametrize(
    ("where", "codes"),
    [
        ("event.disposition == 'home' && it.total >= 9", []),
        ("it.total >= 8 && it.total >= 9", ["never-decides"]),
    ],
)
def test_a_condition_that_spares_a_look_up_is_good_style(clinic, rules, where, codes):
    """What `require` asks anyway, asked before anything is looked up."""
    body = (
        f"on: discharge\ngiven:\n  form: {{any: assessment, by: [session], where: has(it.total) && {where}}}\n"
        "require: event.disposition != 'home' || form != null\n"
    )
    rules.rule("r", body)
    assert told(clinic, rules)[0] == codes


def test_what_follows_from_the_tables_of_the_day_is_not_told(clinic, rules):
    """Every drug of the small list is under the REMS; tomorrow another may be listed."""
    rules.rule(
        "r",
        "on: administration\nwhen: drug_info(event.drug).is_rems\nrequire: event.route == 'intranasal'\n",
        cases=CASES.replace(
            "discharge, devices_taken: 4", "administration, drug: esketamine_nasal_28mg, route: im"
        ),
    )
    assert told(clinic, rules)[0] == []


def test_a_duty_that_is_always_or_never_met(clinic, rules):
    """Deadlines are asked about as what they are."""
    body = (
        "on: discharge\nexpect:\n  event: assessment\n  by: [session]\n  where: it.occurred_at > event.occurred_at + duration('2h')\n"
        "  due: event.occurred_at + duration('{due}')\n"
    )
    cases = CASES.replace("expect: fail", "now: '2026-03-02T12:00-06:00'\n    expect: open")
    rules.rule("r", body.replace("{due}", "1h"), cases=cases)
    codes, text = told(clinic, rules)
    assert "always-fails" in codes
    assert "this duty is never met in time, whatever is done" in text
    rules.rule("r", body.replace("{due}", "3h"), cases=cases)
    assert "always-fails" not in told(clinic, rules)[0]


def test_a_rule_that_another_makes_redundant(clinic, rules):
    """Named at the weaker one; where the stricter one is less grave, neither is redundant."""
    file = rules.rule("a", ON + "require: event.devices_taken <= 3\n")
    rules.rule("b", ON + "require: event.devices_taken <= 2\n")
    codes, text = told(clinic, rules)
    assert codes == ["redundant"]
    assert text == (
        f"{file}:1:5: id: whenever this rule finds something, so does 'b', at least as gravely\n"
        "    1 | id: a\n      |     ^\n"
        "  remedy: delete it, or say what it adds: in its 'when', its severity or its dates\n\n"
        "1 thing to mend\n"
    )
    rules.rule("b", ON + "require: event.devices_taken <= 2\n", severity="warn")
    assert told(clinic, rules)[0] == []
    rules.rule("b", ON + "require: event.devices_taken <= 2\n", start="2020-01-01")
    assert told(clinic, rules)[0] == []


@pytest.mark.parametrize(("mine", "codes"), [("X-TEST", ["redundant"]), ("X-OWN", []), ("X-TEST, X-OWN", [])])
def test_a_rule_that_keeps_a_requirement_of_its_own_is_not_redundant(clinic, rules, mine, codes):
    """It is the only place where that requirement is kept and cited, whatever else objects to the same event."""
    rules.rule("a", ON + "require: event.devices_taken <= 3\n", keeps=mine)
    rules.rule("b", ON + "require: event.devices_taken <= 2\n", keeps="X-TEST, X-MORE")
    assert told(clinic, rules)[0] == codes


def test_rules_that_say_the_same_are_named_once(clinic, rules):
    """At the second."""
    rules.rule("a", ON + "require: event.devices_taken <= 3\n")
    rules.rule("b", ON + "require: '!(event.devices_taken > 3)'\n")
    codes, text = told(clinic, rules)
    assert codes == ["redundant"]
    assert "b.yaml:1:5: id: this rule and 'a' find the same: on every event both, or neither\n" in text


def test_two_denies_that_no_event_can_satisfy_together(clinic, rules):
    """With an event that both deny; rules that never apply to the same event are in order."""
    rules.rule("a", ON + "require: event.devices_taken >= 3\n", cases=CASES.replace("fail", "pass"))
    body = "require: event.devices_taken <= 2\n"
    rules.rule("b", ON + body)
    codes, text = told(clinic, rules)
    assert codes == ["conflict"]
    assert (
        "a.yaml:11:1: require: no event can satisfy this and 'b' together, and there are events to which both apply: each of these is denied\n"
        in text
    )
    assert "  for example:\n    - name: " in text
    assert "event: {kind: discharge, " in text
    (one,) = lines(clinic.run("policy", "lint", rules.folder, "--output", "json"))
    assert set(one) == {"file", "line", "column", "field", "code", "message", "remedy", "case"}
    assert one["case"]["event"]["kind"] == "discharge"
    rules.rule("b", ON + body, severity="warn")
    assert told(clinic, rules)[0] == []
    rules.rule(
        "a",
        ON + "when: event.disposition == 'home'\nrequire: event.devices_taken >= 3\n",
        cases=CASES.replace("fail", "not_applicable"),
    )
    rules.rule(
        "b",
        ON + "when: event.disposition == 'admitted'\n" + body,
        cases=CASES.replace("fail", "not_applicable"),
    )
    assert told(clinic, rules)[0] == []


def test_what_one_forbids_outright_another_may_set_conditions_for(clinic, rules):
    """Nobody is asked for two things at once; where each can be kept where the other applies, somebody is."""
    rules.rule("a", ON + "require: event.disposition != 'home'\n", cases=NOBODY)
    rules.rule(
        "b", ON + "when: event.disposition == 'home'\nrequire: event.devices_taken <= 2\n", cases=NOBODY
    )
    assert told(clinic, rules)[0] == []
    rules.rule("a", ON + "require: event.disposition != 'home' || event.devices_taken >= 3\n", cases=NOBODY)
    assert told(clinic, rules)[0] == ["conflict"]
