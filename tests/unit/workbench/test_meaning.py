"""When two rules mean the same: what decides is compared, what people read is not."""

from __future__ import annotations

import json

import pytest

from compliance.policy.expression.functions import FUNCTIONS
from compliance.workbench.meaning import READ_BY, judged_kinds, meanings
from tests.recording import CONSENTED, MONITORED, NO_TABLES, PHONED

DOCUMENTS = {
    "bundle": {**NO_TABLES, "states": {"defaults": {}, "rows": {}}},
    "rules": {
        "monitored": {**MONITORED, "parameters": {"least": {"tighten": "up", "values": [{"from": "2019-03-05", "value": "2h"}]}}},
        "consented": {**CONSENTED, "when": "drug_info(administration.drug).is_rems"},
        "phoned": PHONED,
    },
    "sites": {"S1": {"site": "S1", "parameters": {"monitored": {"least": [{"from": "2026-03-01", "value": "3h"}]}}}},
}  # fmt: skip


def changed(*path, to):
    """The documents with one member changed, and the rules whose meaning is another then."""
    documents = json.loads(json.dumps(DOCUMENTS))
    inner = documents
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = to
    before, after = meanings(DOCUMENTS), meanings(documents)
    return {name for name in before if before[name] != after.get(name)}


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("title",), "Other"),
        (("cites",), []),
        (("owner",), "nobody"),
        (("review_by",), "2031-01-01"),
        (("cases",), []),
        (("otherwise", "message"), "Other words."),
        (("otherwise", "remedy"), "Other words."),
    ],
)
def test_what_people_read_decides_nothing(path, to):
    """Words, citations, examples, who answers for it."""
    assert changed("rules", "monitored", *path, to=to) == set()


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("require",), "true"),
        (("when",), "false"),
        (("given", "dose", "by"), ["patient"]),
        (("in_force", "from"), "2001-01-01"),
        (("parameters", "least", "values"), []),
        (("on",), "administration"),
        (("implements",), ["OTHER"]),
        (("otherwise", "severity"), "warn"),
        (("otherwise", "override"), "with_reason"),
    ],
)
def test_what_decides_is_the_meaning(path, to):
    """Conditions, facts, dates, parameters, severity, whether it may be set aside and under which name."""
    assert changed("rules", "monitored", *path, to=to) == {"monitored"}


def test_a_sites_own_values_belong_to_the_rule_that_they_are_of():
    """Another value of one site is another meaning of that rule alone."""
    own = ("sites", "S1", "parameters")
    assert changed(*own, "monitored", "least", to=[]) == {"monitored"}
    assert changed(*own, to={}) == {"monitored"}
    assert changed("sites", to={}) == {"monitored"}


def test_a_table_belongs_to_the_rules_that_read_it():
    """The drug list where a rule asks for a drug; the others stay as they are."""
    assert changed("bundle", "drugs", to=[{"code": "x"}]) == {"consented"}
    assert changed("bundle", "states", to={}) == set()
    assert changed("bundle", "version", to="2") == set()


def test_every_function_that_reads_a_table_is_known():
    """A function that is added and reads a table must be named among them; days are counted by the holidays only where business days are asked for."""
    reading = {one.name for one in FUNCTIONS.values() if "tables" in one.needs and one.form != "internal"}
    assert reading | {"business_days"} == set(READ_BY)
    assert set(READ_BY.values()) <= {"drugs", "states", "holidays", "permissions"}


def test_kinds_are_those_of_rules_judged_on_events():
    """A deadline is judged on no event."""
    assert sorted(judged_kinds(DOCUMENTS, ["monitored", "consented", "phoned", "unknown"])) == [
        "administration",
        "discharge",
    ]
