"""``compliance policy check`` and ``test``: what is named, what is answered, in which form."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
from lxml import etree

from tests.cli.conftest import POLICIES, ROOT, command, lines
from tests.repositories import QUIET, WHERE, Repository

FORMATS = ROOT / "tests" / "vectors" / "formats"
RULE = "stay-two-hours.yaml"
TIMELINES = """
version: 1
cases:
  - name: left after an hour
    events:
      - {kind: administration, session: T1, drug: esketamine_nasal_28mg, occurred_at: '2026-03-02T09:00-06:00', completed_at: '2026-03-02T09:05-06:00'}
      - {id: left, kind: discharge, session: T1, departure_mode: escort, occurred_at: '2026-03-02T10:05-06:00'}
    findings: [REMS-MONITOR-2H]
  - name: left after an hour, and that was well
    events:
      - {kind: administration, session: T1, drug: esketamine_nasal_28mg, occurred_at: '2026-03-02T09:00-06:00', completed_at: '2026-03-02T09:05-06:00'}
      - {id: left, kind: discharge, session: T1, departure_mode: escort, occurred_at: '2026-03-02T10:05-06:00'}
    clear: [REMS-MONITOR-2H]
"""


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A clinic's repository, in which this process stands: a library in order in `v1`, a rule that fails in HEAD and here."""
    for name in WHERE:
        monkeypatch.delenv(name, raising=False)
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    made = Repository.made(tmp_path / "clinic")
    shutil.copytree(POLICIES, made.path / "policies")
    made.commit()
    made.git("tag", "v1")
    change(made.path / "policies" / RULE, "expect: fail", "expect: pass")
    made.commit()
    monkeypatch.chdir(made.path)
    return made


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_folders_files_and_revisions_are_checked_together(clinic, repository):
    """Each is told by its name, messages by the names that git gives; 1 where anything is wrong."""
    result = clinic.run("policy", "check", "v1", "policies/escort-home.yaml", "HEAD~1:policies")
    assert result.exit_code == 0, result.output
    assert [line.split("; ")[0] for line in result.stdout.splitlines()] == [
        "v1:policies: in order", "policies/escort-home.yaml: in order", "HEAD~1:policies: in order",
    ]  # fmt: skip
    result = clinic.run("policy", "check", "HEAD", "v1")
    assert result.exit_code == 1
    assert f"HEAD:policies/{RULE}:" in result.stdout
    assert "HEAD:policies: 1 problem; 3 rules, 5 of 6 cases as they say" in result.stdout
    assert "v1:policies: in order; 3 rules, 6 of 6 cases as they say" in result.stdout


@pytest.mark.parametrize("words", [["check"], ["test"], ["show", "stay-two-hours", "--policies"]])
def test_what_is_no_policy_is_a_wrong_call(clinic, repository, words):
    """Nothing of that name; a word that git would take for an option."""
    for name in ("nowhere", "HEAD:nowhere", "HEAD~99"):
        result = clinic.run("policy", *words, name)
        assert result.exit_code == 2
        assert f"there is no file, folder or git revision {name}" in result.stderr or (
            "at HEAD there are no policies in nowhere" in result.stderr
        )
    assert clinic.run("policy", *words, "--upload-pack=x").exit_code == 2


def test_json_has_an_object_for_each_problem_and_nothing_else(clinic, repository):
    """Nothing is printed where there is nothing wrong: the exit code says it, and what reads lines reads none."""
    assert (clinic.run("policy", "check", "v1", "--output", "json").stdout) == ""
    result = clinic.run("policy", "check", "HEAD", "--output", "json")
    assert result.exit_code == 1
    (told,) = lines(result)
    assert list(told) == ["file", "line", "column", "field", "code", "message", "remedy"]
    assert (told["file"], told["field"], told["code"]) == (f"HEAD:policies/{RULE}", "cases[2].expect", "case")


@pytest.mark.parametrize(("named", "count"), [("v1", 0), ("policies", 1), ("HEAD", 1)])
def test_sarif_is_one_log_whatever_was_found(clinic, repository, named, count):
    """It fits the public schema; a file of a revision is named by its path, as code hosts want it."""
    result = clinic.run("policy", "check", named, "--output", "sarif")
    assert result.exit_code == int(bool(count))
    told = json.loads(result.stdout)
    jsonschema.Draft4Validator(json.loads((FORMATS / "sarif-schema-2.1.0.json").read_text())).validate(told)
    places = [
        one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for one in told["runs"][0]["results"]
    ]
    assert places == [f"policies/{RULE}"] * count
    assert str(repository.path) not in result.stdout


def test_sarif_is_for_commands_that_find_things_in_files(clinic):
    """Others say that they have no such form."""
    assert clinic.run("policy", "show", "x", "--output", "sarif").exit_code == 2
    assert clinic.run("--output", "sarif", "findings").exit_code == 2


def test_the_cache_can_be_done_without(clinic, repository):
    """--no-cache looks at everything; without it the second check looks at nothing that has not changed."""
    clinic.run("policy", "check", "v1")
    assert "(3 unchanged since the last check)" in clinic.run("policy", "check", "v1").stdout
    assert "unchanged" not in clinic.run("policy", "check", "v1", "--no-cache").stdout


def test_an_unusable_cache_is_only_told_to_who_asks(clinic, repository):
    """It is no matter of the check's; -vv says why nothing is remembered."""
    environment = {**clinic.environment(), "COMPLIANCE_CACHE": os.devnull}
    for words, told in (([], False), (["-vv"], True)):
        done = subprocess.run(
            command("policy", "check", "v1", *words),
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert ("memory of checks" in done.stderr) is told
        assert "in order" in done.stdout


def test_other_files_are_passed_over_where_that_is_asked_for(clinic, repository, tmp_path):
    """As the hook does; without being asked for it, a file that is named is a policy."""
    other = tmp_path / "firewall.yaml"
    other.write_text("kind: NetworkPolicy\n")
    assert clinic.run("policy", "check", other).exit_code == 1
    result = clinic.run("policy", "check", other, "--policies-only")
    assert (result.exit_code, result.stdout) == (0, "")
    assert clinic.run("policy", "check", f"policies/{RULE}", other, "--policies-only").exit_code == 1


def test_hundreds_of_files_are_one_answer(clinic, repository):
    """As pre-commit names them: one line for their folder."""
    files = sorted(str(file) for file in Path("policies").glob("*-*.yaml"))
    result = clinic.run("policy", "check", *files * 100)
    assert result.stdout.splitlines()[-1].startswith("policies: 1 problem; 3 rules, 5 of 6 cases")


def junit(path):
    tree = etree.parse(path).getroot()
    schema = etree.XMLSchema(file=str(FORMATS / "JUnit.xsd"))
    assert schema.validate(tree), schema.error_log
    return tree


def test_the_cases_of_what_is_named_are_run(clinic, repository):
    """A file's own, a revision's, a folder's; what decided is told for those that pass, too."""
    result = clinic.run("policy", "test", f"v1:policies/{RULE}")
    assert result.exit_code == 0
    assert "2 passed, none failed" in result.stdout
    assert result.stdout.count("decided on: ") == 2
    result = clinic.run("policy", "test", "policies", "v1")
    assert result.exit_code == 1
    assert f"pass expected, fail came out; policies/{RULE}:" in result.stdout
    assert "11 passed, 1 failed" in result.stdout


def test_junit_is_written_beside_the_answer(clinic, repository):
    """A suite for each rule, a test for each case that -k leaves; a failure says where and why."""
    result = clinic.run("policy", "test", "policies", "--junit", "cases.xml", "--output", "json")
    assert result.exit_code == 1
    assert len(lines(result)) == 6
    tree = junit("cases.xml")
    assert {suite.get("name"): suite.get("failures") for suite in tree} == {
        "escort-home": "0", "form-in-seven-days": "0", "stay-two-hours": "1",
    }  # fmt: skip
    (failure,) = tree.findall("*/testcase/failure")
    assert failure.get("message") == "pass expected, fail came out"
    assert failure.text.startswith(f"policies/{RULE}:34: leaves after an hour: ")
    assert "discharge.occurred_at - dose.completed_at is 1 h 0 min" in failure.text
    clinic.run("policy", "test", "policies", "-k", "and one minute", "--junit", "cases.xml")
    assert [case.get("name") for case in junit("cases.xml").iter("testcase")] == [
        "leaves after two hours and one minute"
    ]


def test_timelines_words_and_junit_go_together(clinic, repository):
    """--cases with -k and --junit, under the policies of a revision."""
    Path("days.yaml").write_text(TIMELINES)
    words = ["policy", "test", "v1", "--cases", "days.yaml", "--junit", "days.xml"]
    assert clinic.run(*words).exit_code == 1
    (suite,) = junit("days.xml")
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("days", "2", "1")
    assert "found and not wanted: REMS-MONITOR-2H by stay-two-hours on left" in suite.find("*/failure").get(
        "message"
    )
    assert "found REMS-MONITOR-2H by stay-two-hours" in suite.find("system-out").text
    assert clinic.run(*words, "-k", "that was well").exit_code == 1
    assert [case.get("name") for case in junit("days.xml").iter("testcase")] == [
        "left after an hour, and that was well"
    ]


def test_a_report_that_cannot_be_written_is_said(clinic, repository):
    """With the place, as a wrong call."""
    result = clinic.process(
        "policy", "test", ROOT / "tests" / "cli" / "policies", "--junit", "no/such/folder/x.xml"
    )
    assert result.returncode == 2
    assert "no/such/folder/x.xml" in result.stderr


def test_a_rule_is_shown_as_it_was(clinic, repository):
    """At a revision, with its file's name there."""
    change(Path("policies") / RULE, "owner: medical director", "owner: clinical lead")
    now = clinic.run("policy", "show", "stay-two-hours", "--policies", "policies").stdout
    then = clinic.run("policy", "show", "stay-two-hours", "--policies", "v1").stdout
    assert "owner         clinical lead" in now
    assert "owner         medical director" in then
    assert f"v1:policies/{RULE}:1" in then
    result = clinic.run("policy", "show", "--all", "--policies", "v1")
    assert (result.exit_code, "v1:policies has no list of requirements" in result.stderr) == (2, True)
