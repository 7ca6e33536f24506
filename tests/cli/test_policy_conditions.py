"""``compliance policy coverage``: what is not covered is underlined, and a case for it can be accepted."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import POLICIES, ROOT, lines
from tests.repositories import QUIET, WHERE, Repository

NULL_DOSE = "stay-two-hours.yaml:19:7: when: no case shows what comes of it where this does not hold\n"


@pytest.fixture
def policies(tmp_path):
    """A copy of the small policies, to be added to."""
    folder = tmp_path / "policies"
    shutil.copytree(POLICIES, folder)
    return folder


def test_each_condition_that_is_not_covered_is_underlined(clinic, policies):
    """Per rule that lacks something, with the place; then the numbers of all."""
    result = clinic.run("policy", "coverage", policies, "--fail-under", "0")
    assert result.exit_code == 0
    assert "stay-two-hours  1 of 3 conditions, 33 %\n" in result.stdout
    assert NULL_DOSE in result.stdout
    assert (
        "   19 | when: dose != null && drug_info(dose.drug).is_rems\n      |       ^^^^^^^^^^^^\n"
        in result.stdout
    )
    assert "form-in-seven-days  1 of 3 conditions, 33 %\n" in result.stdout
    assert "escort-home" not in result.stdout
    assert result.stdout.endswith(
        "3 rules, 1 covered wholly; 3 of 7 conditions (42.9 %) shown to decide both ways by 6 cases\n"
    )


@pytest.mark.parametrize(
    ("words", "code"), [([], 1), (["--fail-under", "43"], 1), (["--fail-under", "42.8"], 0)]
)
def test_below_the_threshold_the_exit_code_is_1(clinic, policies, words, code):
    """75 % unless another is given; what was asked for is said."""
    result = clinic.run("policy", "coverage", policies, *words)
    assert result.exit_code == code
    assert result.stderr == ("" if code == 0 else f"below {words[1] if words else 75} %\n")


def test_the_rules_that_are_named_get_a_case_for_each_condition(clinic, policies):
    """In the style of the file, with what the engine says; who decides whether that is right is said too."""
    result = clinic.run("policy", "coverage", policies, "stay-two-hours")
    assert result.exit_code == 1
    assert f"\n  to accept or reject, for {policies / 'stay-two-hours.yaml'}:\n  - name: " in result.stdout
    assert "    event: {kind: discharge, " in result.stdout
    assert "    expect: not_applicable\n" in result.stdout
    assert "for a person to decide" in result.stdout
    assert (
        "for a person to decide"
        not in clinic.run("policy", "coverage", policies, "stay-two-hours", "--no-offer").stdout
    )


def test_json_has_an_object_for_each_rule_and_one_for_all(clinic, policies):
    """With stable keys; a case that is offered shows what it is offered for, and can be run."""
    *rules, total = lines(clinic.run("policy", "coverage", policies, "--offer", "--output", "json"))
    assert [(one["rule"], one["conditions"], one["covered"]) for one in rules] == [
        ("escort-home", 1, 1), ("form-in-seven-days", 3, 2), ("stay-two-hours", 3, 2),
    ]  # fmt: skip
    assert set(rules[2]) == {"rule", "file", "conditions", "covered", "uncovered"}
    null = rules[2]["uncovered"][0]
    case = null.pop("case")
    assert null == {"where": "when", "text": "dose != null", "line": 19, "column": 7, "value": False}
    assert set(case) == {"name", "history", "event", "expect"}
    assert (case["event"]["kind"], case["expect"], case["history"]) == ("discharge", "not_applicable", [])
    assert total == {
        "rules": 3, "cases": 6, "conditions": 7, "covered": 5, "percent": 71.43, "fail_under": 75.0, "never": 2, "unknown": 0,
    }  # fmt: skip
    never, form = rules[1]["uncovered"]
    assert never["never"] is True  # every drug in the small library's list is under the REMS
    assert "now" in form["case"]


def test_a_side_that_can_decide_nothing_does_not_count(clinic, policies):
    """It is told as that, and lint tells of it too."""
    result = clinic.run("policy", "coverage", policies, "stay-two-hours")
    assert "stay-two-hours  2 of 3 conditions, 67 %" in result.stdout
    assert (
        "stay-two-hours.yaml:19:23: when: it never decides anything that this does not hold\n"
        "   19 | when: dose != null && drug_info(dose.drug).is_rems\n"
        "      |                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "  remedy: no case can show it with the tables of this bundle as they are\n"
    ) in result.stdout
    assert result.stdout.endswith("by 2 cases; 1 side never decides\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["stay-2-hours"], "did you mean 'stay-two-hours'?"),
        (["--fail-under", "101"], "101"),
        (["nowhere/at-all"], "there is no rule 'nowhere/at-all'"),
    ],
)
def test_wrong_calls(clinic, policies, words, says):
    """A rule that there is not, a percentage that there cannot be."""
    result = clinic.run("policy", "coverage", policies, *words)
    assert result.exit_code == 2
    assert says in result.stderr


def test_policies_that_cannot_be_used_exit_2(clinic, policies):
    """With what is wrong, as the check tells it."""
    file = policies / "escort-home.yaml"
    file.write_text(file.read_text().replace("departure_mode !=", "departure_mod !="))
    for words in ([], ["escort-home"]):
        result = clinic.run("policy", "coverage", policies, *words)
        assert result.exit_code == 2
        assert "did you mean 'departure_mode'?" in result.stderr


def on_a_terminal(clinic, words, answers):
    """What a person sees who answers; the process's exit code."""
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", "from cli.main import main; main()", *map(str, words)],
        stdin=follower, stdout=follower, stderr=follower, cwd=ROOT, env={**clinic.environment(), "NO_COLOR": "1", "COLUMNS": "200"},
    ) as process:  # fmt: skip
        os.close(follower)
        seen, asked = "", 0
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                seen += os.read(leader, 4096).decode()
            except OSError:
                break
            if seen.count("a accept, r reject:") > asked:
                os.write(leader, f"{answers[asked]}\n".encode())
                asked += 1
        code = process.wait(10)
    os.close(leader)
    return seen.replace("\r\n", "\n"), code


def test_an_accepted_case_goes_into_the_file_and_a_rejected_one_does_not(clinic, policies):
    """Behind the last case, all else as it was; then the condition is covered and the check in order."""
    file = policies / "stay-two-hours.yaml"
    before = file.read_text()
    offered = lines(clinic.run("policy", "coverage", policies, "stay-two-hours", "--output", "json"))[0][
        "uncovered"
    ]
    names = list(dict.fromkeys(one["case"]["name"] for one in offered if "case" in one))
    assert len(names) == 1
    words = ["policy", "coverage", policies, "stay-two-hours", "--offer"]
    seen, code = on_a_terminal(clinic, words, ["r"])
    assert (code, file.read_text()) == (1, before), seen
    seen, code = on_a_terminal(clinic, words, ["a"])
    assert code == 0, seen
    assert f"added to {file}" in seen
    after = file.read_text()
    assert after.startswith(before)
    assert after.count("- name:") == before.count("- name:") + 1
    assert clinic.run("policy", "check", policies, "--no-cache").exit_code == 0
    left = lines(clinic.run("policy", "coverage", policies, "stay-two-hours", "--output", "json"))[0]
    assert left["covered"] == 3
    assert all(one["text"] != "dose != null" for one in left["uncovered"])


def test_nobody_is_asked_where_nobody_looks(clinic, policies):
    """Piped, --offer prints the cases and changes nothing."""
    before = (policies / "stay-two-hours.yaml").read_text()
    result = clinic.run("policy", "coverage", policies, "stay-two-hours", "--offer", stdin="a\na\na\n")
    assert "accept, r reject:" not in result.output
    assert (policies / "stay-two-hours.yaml").read_text() == before


def test_a_revision_is_looked_at_and_never_written_into(clinic, policies, monkeypatch):
    """Its places bear the names that git gives; what is asked and written is refused, what is printed is not."""
    for name in WHERE:
        monkeypatch.delenv(name, raising=False)
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    repository = Repository.made(policies.parent)
    repository.commit()
    repository.git("tag", "v1")
    shutil.rmtree(policies)
    monkeypatch.chdir(repository.path)
    for named in ("v1:policies", "HEAD:policies"):
        result = clinic.run("policy", "coverage", named, "--fail-under", "0")
        assert result.exit_code == 0, result.output
        assert f"{named}/{NULL_DOSE}" in result.stdout
    one = clinic.run("policy", "coverage", "HEAD:policies", "stay-two-hours", "--offer")
    assert "to accept or reject, for HEAD:policies/stay-two-hours.yaml:" in one.stdout
    monkeypatch.setattr("cli.policy_conditions.may_ask", lambda: True)
    asked = clinic.run("policy", "coverage", "HEAD:policies", "stay-two-hours", "--offer")
    assert asked.exit_code == 2
    assert "HEAD:policies is a revision: nothing can be written into it" in asked.stderr
    assert clinic.run("policy", "coverage", "HEAD:policies/stay-two-hours.yaml").exit_code == 2
    assert "there is no rule 'v2'" in clinic.run("policy", "coverage", "v2").stderr


def test_the_shipped_library_is_not_written_into(clinic, monkeypatch):
    """Offered cases are accepted into one's own folder; for the shipped policies that is refused before anything is asked."""
    monkeypatch.setattr("cli.policy_conditions.may_ask", lambda: True)
    done = clinic.run("policy", "coverage", "rems-monitor-2h", "--offer")
    assert done.exit_code == 2
    assert "not written into" in done.stderr
