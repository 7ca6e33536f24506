"""Every mistake that a person makes in a policy file has a fixture, and its message says what, where and what to do."""

from pathlib import Path

import pytest

from compliance.policy.bundle import load_requirements
from compliance.policy.documents import read_file
from compliance.policy.rules import read_rule

BROKEN = Path(__file__).parents[2] / "policies" / "broken"
SHIPPED = Path(__file__).parents[3] / "policies"
REQUIREMENTS = {requirement.id for requirement in load_requirements(SHIPPED)[0]}

# line:column: field: message, one for each problem of the file, in the order in which they are reported
EXPECTED = {
    "bad-regular-expression": [
        "20:27: require: This pattern cannot be used: a bracket [ is not closed.",
    ],
    "brace-first": [
        "25:56: text goes on behind a closing bracket or quote",
    ],
    "broken-parameter": [
        "14:35: parameters.minimum_observation.values[1].value: a parameter cannot be a group of fields",
    ],
    "case-expects-nonsense": [
        "33:13: cases[1].expect: 'expect' cannot be 'passes'",
    ],
    "case-of-another-kind": [
        "32:12: cases[1].event: this event is of kind 'observation', but the rule judges discharge",
    ],
    "case-without-offset": [
        "32:56: cases[1].event.occurred_at: '2026-03-02T11:06:00' has no offset from UTC, so it names no point in time",
    ],
    "citation-unread": [
        "5:5: cites[1]: a citation has no 'read'",
    ],
    "closing-without-due": [
        "20:1: expect: 'expect' has no 'due'",
    ],
    "date-in-words": [
        "5:88: cites[1].read: 'read' is no date: text of 13 characters is not an RFC 3339 date",
    ],
    "deep-expression": [
        "20:74: require: The expression is nested more than 64 levels deep.",
    ],
    "deep-nesting": [
        "6:60: this is nested more than 50 levels deep",
    ],
    "division": [
        "20:23: require: There is no division (and no comment) in a policy expression, because a quotient cannot be kept exact.",
    ],
    "duplicate-key": [
        "8:1: 'owner' is written twice; it stands on line 7 already",
    ],
    "empty-cases": [
        "28:8: cases: there are no cases",
    ],
    "exploding-anchors": [
        "1:4: anchors are not allowed",
    ],
    "fact-without-kind": [
        "18:3: given.dose: fact 'dose' has no 'latest'",
    ],
    "gap-before-parameter": [
        "13:5: parameters.minimum_observation.values: from 2019-03-05 to 2020-03-05 the rule is in force, but 'minimum_observation' has no value",
    ],
    "group-in-hole": [
        "25:85: otherwise.message: This is an event, not a value.",
    ],
    "id-differs-from-file": [
        "1:5: id: the id is 'rems-monitor-3h', but the file is called 'id-differs-from-file'",
    ],
    "impossible-date": [
        "8:12: review_by: 'review_by' is no date: '2027-11-31': there is no such day",
    ],
    "in-force-backwards": [
        "6:34: in_force.to: the rule would end on 2018-01-01, before it begins on 2019-03-05",
    ],
    "key-not-shared": [
        "18:39: given.dose.by[1]: discharge has no field 'order' to share",
    ],
    "limit-of-another-form": [
        "13:12: parameters.minimum_observation.limit: the limit must be a duration, like the values",
    ],
    "limit-stricter-than-the-value": [
        "13:12: parameters.minimum_observation.limit: a value of the parameter lies beyond its own limit",
    ],
    "lost-zeros": [
        "31:164: 0042 would be read as a number and lose its leading zeros",
    ],
    "milligrams-and-minutes": [
        "17:10: require: A number in mg cannot be compared with one in min.",
    ],
    "missing-citation": [
        "1:1: a rule has no 'cites'",
    ],
    "missing-parenthesis": [
        "19:23: when: A parenthesis is not closed.",
    ],
    "misspelt-field": [
        "22:1: otherwize: a rule has no field 'otherwize'",
        "1:1: a rule has no 'otherwise'",
    ],
    "misspelt-hole": [
        "25:28: otherwise.message: There is no field 'occured_at' in discharge.",
    ],
    "misspelt-nested-field": [
        "24:3: otherwise.overide: 'otherwise' has no field 'overide'",
    ],
    "no-cases": [
        "1:1: a rule has no 'cases'",
    ],
    "no-quantifier": [
        "18:3: given.dose: fact 'dose' does not say what to look for",
    ],
    "no-require": [
        "1:1: a rule has no 'require'",
    ],
    "not-a-condition": [
        "20:10: require: A condition (true or false) is needed here, but this is an elapsed time.",
    ],
    "not-utf8": [
        "2:11: this byte is not UTF-8 text",
    ],
    "null-field": [
        "19:7: when: This is a point in time; only an event can be null.",
    ],
    "number-in-quotes": [
        "31:50: cases[1].history[1].lot: this is a number, where a text is needed",
    ],
    "overlapping-dates": [
        "15:16: parameters.minimum_observation.values[2].from: these dates overlap: 2019-03-05 stands after 2021-01-01",
    ],
    "parameter-of-two-types": [
        "15:35: parameters.minimum_observation.values[2].value: this value is a number, the first value of 'minimum_observation' is a duration",
    ],
    "period-is-no-duration": [
        "18:57: given.dose.within: An elapsed time is needed here, but this is a calendar period.",
    ],
    "present-state-of-nothing": [
        "18:57: given.dose.states: administration has no present state: each event stands alone",
    ],
    "quote-never-closed": [
        "2:8: a quote that is opened here is never closed",
    ],
    "recorded-at-in-case": [
        "32:30: cases[1].event.recorded_at: 'recorded_at' is set by the log",
    ],
    "regular-expression-not-re2": [
        "20:27: require: This pattern cannot be used: '(?' starts something that policy expressions do not have (looking ahead or behind, flags, comments).",
    ],
    "require-and-expect": [
        "21:1: expect: a rule has 'require' or 'expect', not both",
    ],
    "same-date-twice": [
        "15:16: parameters.minimum_observation.values[2].from: two values hold from 2019-03-05",
    ],
    "several-mistakes": [
        "3:14: implements[1]: there is no requirement 'REMS-MONITOR-2HR'",
        "1:1: a rule has no 'owner'",
        "19:61: require: The rule has no parameter 'minimum_observaton'.",
        "22:13: otherwise.severity: 'severity' cannot be 'refuse'",
        "32:13: cases[1].expect: 'expect' cannot be 'passes'",
    ],
    "shadowing-name": [
        "18:3: given.event: 'event' already means something in every expression",
    ],
    "standing-and-judged": [
        "17:1: on: a rule for every night has no 'on'",
    ],
    "standing-by-nothing": [
        "17:31: per.by: site_profile has no field 'lot'",
        "17:49: per.where: There is no field 'holds_stok' in site_profile.",
    ],
    "standing-every-week": [
        "16:8: every: a standing rule is judged every night",
    ],
    "standing-of-an-unknown-kind": [
        "17:13: per.each: there is no kind of event 'site_profil'",
    ],
    "standing-without-subjects": [
        "1:1: a rule has no 'per'",
    ],
    "stray-brace": [
        "25:60: otherwise.message: this } closes nothing",
    ],
    "sum-without-field": [
        "18:15: given.dose.sum: a sum needs the field that is added up",
    ],
    "tab": [
        "12:1: a tab is used for indentation",
    ],
    "text-tightened": [
        "12:14: parameters.minimum_observation.tighten: text cannot be raised or lowered",
        "20:10: require: An elapsed time cannot be compared with a text.",
    ],
    "two-cases-one-name": [
        "34:11: cases[2].name: two cases are called 'leaves after two hours and one minute'",
    ],
    "two-quantifiers": [
        "18:3: given.dose: fact 'dose' asks for both latest and any",
    ],
    "unclosed-hole": [
        "25:84: otherwise.message: this { is not closed",
    ],
    "unclosed-quote": [
        "5:5: a group that was opened with { is not closed",
    ],
    "unknown-field-in-case": [
        "32:43: cases[1].event.ocurred_at: discharge has no field 'ocurred_at'",
    ],
    "unknown-field-in-expression": [
        "20:39: require: There is no field 'complete_at' in administration.",
    ],
    "unknown-kind-judged": [
        "16:5: on: there is no kind of event 'discharged'",
    ],
    "unknown-kind": [
        "18:18: given.dose.latest: there is no kind of event 'adminstration'",
    ],
    "unknown-parameter": [
        "20:61: require: The rule has no parameter 'minimum_observaton'.",
    ],
    "unknown-requirement": [
        "3:14: implements[1]: there is no requirement 'REMS-MONITOR-2HR'",
    ],
    "unquoted-colon": [
        "2:14: a colon stands where no value may begin",
    ],
    "unquoted-exclamation": [
        "19:7: tags are not allowed",
    ],
    "wrong-enum-value": [
        "20:24: require: 'intranassal' is not one of the values here.",
    ],
    "wrong-indent": [
        "19:2: this line is not indented like the lines it belongs to",
    ],
    "wrong-severity": [
        "23:13: otherwise.severity: 'severity' cannot be 'refuse'",
    ],
    "wrong-unit": [
        "20:32: require: An elapsed time cannot be compared with a number in mg.",
    ],
    "wrong-word-in-case": [
        "31:166: cases[1].history[1].route: 'nasal' is not one of its values",
    ],
}


def problems_of(name):
    document = read_file(BROKEN / f"{name}.yaml", f"{name}.yaml")
    return document if isinstance(document, tuple) else read_rule(document, REQUIREMENTS)[1]


@pytest.mark.parametrize("name", EXPECTED)
def test_each_mistake_has_its_exact_message_and_place(name):
    """What is wrong is said once, with line, column and field."""
    said = [f"{problem.place}: {problem.message}" for problem in problems_of(name)]
    assert said == [f"{name}.yaml:{expected}" for expected in EXPECTED[name]]


@pytest.mark.parametrize("name", EXPECTED)
def test_each_problem_has_a_remedy_and_shows_the_line(name):
    """A person is told what to do, and sees the text with the place underlined (where it is text at all)."""
    for problem in problems_of(name):
        assert problem.remedy
        assert name == "not-utf8" or problem.excerpt.endswith("^")


def test_every_fixture_is_in_the_table():
    """A fixture without an expectation would test nothing."""
    assert {path.stem for path in BROKEN.glob("*.yaml")} == set(EXPECTED)
