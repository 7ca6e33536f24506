"""``compliance policy coverage --requirements``: none is left out, and what is missing is said."""

from __future__ import annotations

import shutil

import pytest

from tests.cli.conftest import POLICIES, lines

ROW = "  - {{id: {0}, tier: {1}, form: rule, area: a, title: Title of {0}}}\n"
PROVED = "properties:\n  - {requirement: X-LOG, says: Nothing is lost., tests: ['tests/a.py::test_b']}\n"


@pytest.fixture
def policies(tmp_path):
    """The small policies with a list of requirements that they keep."""
    folder = tmp_path / "policies"
    shutil.copytree(POLICIES, folder)
    listed(folder, "REMS-MONITOR-2H", "USPI-NO-DRIVE", "REMS-PMF-7D", "X-LOG")
    return folder


def listed(folder, *ids):
    rows = "".join(ROW.format(name, 1 + at % 3) for at, name in enumerate(ids))
    (folder / "requirements.yaml").write_text(
        f"version: 1\nrequirements:\n{rows}{PROVED if 'X-LOG' in ids else ''}"
    )


def test_each_requirement_is_shown_with_what_keeps_it(clinic, policies):
    """Rules by form and severity, properties of the software, and the numbers at the end."""
    result = clinic.run("policy", "coverage", "--requirements", policies)
    assert result.exit_code == 0
    for words in (
        "REMS-MONITOR-2H  tier 1", "rule stay-two-hours, deny, 2 cases", "deadline form-in-seven-days", "software: Nothing is lost. (1 test)",
        "4 requirements, 4 kept by 3 rules and 1 property of the software", "2 rule, 1 deadline", "1 in tier 1, 1 in tier 2, 1 in tier 3",
    ):  # fmt: skip
        assert words in result.stdout


def test_json_has_an_object_for_each(clinic, policies):
    """With stable keys."""
    told = lines(clinic.run("policy", "coverage", "--requirements", policies, "--output", "json"))
    assert [(one["requirement"], one["kept"]) for one in told] == [
        ("REMS-MONITOR-2H", True), ("USPI-NO-DRIVE", True), ("REMS-PMF-7D", True), ("X-LOG", True),
    ]  # fmt: skip
    assert told[0]["rules"] == [{"rule": "stay-two-hours", "form": "rule", "severity": "deny", "cases": 2}]
    assert told[3]["properties"] == [{"says": "Nothing is lost.", "tests": ["tests/a.py::test_b"]}]


def test_what_nothing_keeps_is_named_and_exits_1(clinic, policies):
    """In the table, below it, and in the exit code."""
    listed(policies, "REMS-MONITOR-2H", "USPI-NO-DRIVE", "REMS-PMF-7D", "X-FORGOTTEN")
    result = clinic.run("policy", "coverage", "--requirements", policies)
    assert result.exit_code == 1
    assert "nothing keeps X-FORGOTTEN" in result.stdout
    assert "none  X-FORGOTTEN" in result.stdout


def test_a_rule_that_names_no_requirement_of_the_list_exits_1(clinic, policies):
    """With its place, and the likely name."""
    listed(policies, "REMS-MONITOR-2HR", "USPI-NO-DRIVE", "REMS-PMF-7D")
    for words in ([], ["--output", "json"]):
        result = clinic.run("policy", "coverage", "--requirements", policies, *words)
        assert result.exit_code == 1
        assert "there is no requirement 'REMS-MONITOR-2H'" in result.stdout
        assert "REMS-MONITOR-2HR" in result.stdout


def test_wrong_calls(clinic, policies):
    """Of some rules only, of a folder without list, with a property of nothing."""
    for words in (["stay-two-hours"], ["--no-offer"], ["--fail-under", "50"]):
        assert clinic.run("policy", "coverage", policies, "--requirements", *words).exit_code == 2
    (policies / "requirements.yaml").unlink()
    assert (
        "has no list of requirements" in clinic.run("policy", "coverage", "--requirements", policies).stderr
    )
    listed(policies, "REMS-MONITOR-2H", "USPI-NO-DRIVE", "REMS-PMF-7D", "X-LOG")
    file = policies / "requirements.yaml"
    file.write_text(file.read_text().replace("requirement: X-LOG", "requirement: X-LOK"))
    result = clinic.run("policy", "coverage", "--requirements", policies)
    assert result.exit_code == 1
    assert "there is no requirement 'X-LOK'" in result.stdout


def test_the_book_of_all_rules_answers_for_each(clinic, policies):
    """By requirement: which text, since when, what it asks, who reviews it next and when; text of a policy is text of the page."""
    file = policies / "stay-two-hours.yaml"
    file.write_text(
        file.read_text().replace("title: The patient is", "title: The <b>patient</b> | is _not_ [x](y)")
    )
    result = clinic.run("policy", "show", "--all", "--policies", policies)
    assert result.exit_code == 0
    for words in (
        "### REMS-MONITOR-2H", "#### `stay-two-hours`", "written in SPRAVATO REMS Document, healthcare settings, after treatment (read 2026-11-22)",
        "in force from 2019-03-05; owner medical director; review by 2099-11-22; 2 examples", "minimum_observation`, a site may raise it: from 2019-03-05: 2 h 0 min",
        r"The \<b\>patient\</b\> \| is \_not\_ \[x\](y)", "Kept by the software: Nothing is lost.", "| a | 4 | 2 | 1 |",
    ):  # fmt: skip
        assert words in result.stdout
    told = lines(clinic.run("policy", "show", "--all", "--policies", policies, "--output", "json"))
    assert [one["rule"] for one in told] == ["stay-two-hours", "escort-home", "form-in-seven-days"]
    assert clinic.run("policy", "show").exit_code == 2
    assert clinic.run("policy", "show", "stay-two-hours", "--all").exit_code == 2
