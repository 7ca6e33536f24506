"""JUnit reports fit the schema of Ant's JUnit task, whatever the names of cases hold."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from compliance.workbench.junit import Ran, document

SCHEMA = etree.XMLSchema(file=str(Path(__file__).parents[2] / "vectors" / "formats" / "JUnit.xsd"))
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TEXTS = st.text(st.characters(codec=None), max_size=20).map(lambda text: text or "x")
CASES = st.builds(
    Ran, suite=st.sampled_from(["a-rule", "b-rule"]), name=TEXTS, file=st.sampled_from(["a.yaml", "b&<.yaml"]),
    line=st.none() | st.integers(1, 9999), seconds=st.floats(0, 1e6), failure=TEXTS | st.just(""), decided=TEXTS | st.just(""),
)  # fmt: skip


def valid(report):
    """The report as a tree, which fits the schema."""
    tree = etree.fromstring(report)
    assert SCHEMA.validate(tree), SCHEMA.error_log
    return tree


@given(st.lists(CASES, max_size=12))
def test_every_report_fits_the_schema(ran):
    """Control characters, halves of surrogates, markup: all is escaped or shown as what cannot be shown; the sums are right."""
    tree = valid(document(ran, NOW))
    assert sum(int(suite.get("tests")) for suite in tree) == len(ran)
    assert sum(int(suite.get("failures")) for suite in tree) == sum(bool(one.failure) for one in ran)
    assert len(tree.findall("*/testcase/failure")) == sum(bool(one.failure) for one in ran)


def test_the_schema_refuses_what_is_no_report():
    """The validation above means something: a test without time is refused."""
    report = document([Ran("s", "n", "f", 1, 0.5, "", "")], NOW).replace(b'time="0.5000"', b"")
    assert not SCHEMA.validate(etree.fromstring(report))


def test_a_failure_says_where_what_and_why():
    """File and line, what was expected and what came out, what decided it; passes say what decided in the suite's output."""
    ran = [
        Ran("a-rule", "leaves <early> & alone", "p/a-rule.yaml", 7, 0.25, "pass expected, fail came out", "decided on: x is 1"),
        Ran("a-rule", "leaves late", "p/a-rule.yaml", 9, 0.5, "", "decided on: x is 2"),
    ]  # fmt: skip
    (suite,) = valid(document(ran, NOW))
    assert (suite.get("name"), suite.get("tests"), suite.get("failures"), suite.get("time")) == (
        "a-rule",
        "2",
        "1",
        "0.7500",
    )
    assert (suite.get("timestamp"), suite.get("hostname")) == ("2026-11-22T12:00:00", "localhost")
    assert suite.find("properties/property").attrib == {"name": "file", "value": "p/a-rule.yaml"}
    failed, passed = suite.findall("testcase")
    assert failed.attrib == {"name": "leaves <early> & alone", "classname": "a-rule", "time": "0.2500"}
    failure = failed.find("failure")
    assert failure.get("message") == "pass expected, fail came out"
    assert (
        failure.text
        == "p/a-rule.yaml:7: leaves <early> & alone: pass expected, fail came out\n  decided on: x is 1"
    )
    assert passed.find("failure") is None
    assert "p/a-rule.yaml:9: leaves late: as expected\n  decided on: x is 2" in suite.find("system-out").text


def test_rules_of_one_id_in_two_files_are_two_suites():
    """Numbered in the order in which they came."""
    ran = [Ran("a", "n", file, None, 0, "", "") for file in ("x/a.yaml", "y/a.yaml", "x/a.yaml")]
    tree = valid(document(ran, NOW))
    assert [(suite.get("id"), suite.get("tests")) for suite in tree] == [("0", "2"), ("1", "1")]


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\ud800", "\ufffe"])
def test_what_xml_cannot_hold_is_shown_as_such(character):
    """XML 1.0 has no way to write these, escaped or not."""
    tree = valid(document([Ran("s", f"a{character}b", "f", 1, 0, "", "")], NOW))
    assert tree.find("*/testcase").get("name") == "a\N{REPLACEMENT CHARACTER}b"
