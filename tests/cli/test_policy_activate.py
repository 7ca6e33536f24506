"""``compliance policy activate``: checked policies come into force, as an entry of the log."""

from __future__ import annotations

import shutil

import pytest

from tests.cli.conftest import LEFT_IN_TIME, POLICIES, lines

WHY = ("--reason", "longer stay")
IN_2099 = ("--from", "2099-01-01T00:00:00Z")


@pytest.fixture
def library(tmp_path):
    """A copy of the small library, in which a patient stays for three hours."""
    folder = tmp_path / "new"
    shutil.copytree(POLICIES, folder)
    tables = folder / "bundle.yaml"
    tables.write_text(tables.read_text().replace("version: '1'", "version: '2'"))
    rule = folder / "stay-two-hours.yaml"
    text = rule.read_text().replace("value: 2h", "value: 3h")
    rule.write_text(text[: text.index("cases:")] + CASES)
    return folder


CASES = """\
cases:
  - name: leaves after three hours
    history:
      - {kind: administration, session: T1, occurred_at: '2026-03-02T09:00:00-06:00', completed_at: '2026-03-02T09:05:00-06:00', drug: esketamine_nasal_28mg}
    event: {kind: discharge, session: T1, occurred_at: '2026-03-02T12:06:00-06:00'}
    expect: pass
  - name: leaves after two hours
    history:
      - {kind: administration, session: T1, occurred_at: '2026-03-02T09:00:00-06:00', completed_at: '2026-03-02T09:05:00-06:00', drug: esketamine_nasal_28mg}
    event: {kind: discharge, session: T1, occurred_at: '2026-03-02T11:06:00-06:00'}
    expect: fail
"""


@pytest.fixture
def admin(day):
    """The clinic, whose first administrator acts."""
    return lambda *words, actor="MD-1": day.run("policy", "activate", *words, actor=actor)


def test_checked_policies_come_into_force(day, admin, library):
    """What is recorded from then on is judged by them; what was decided stays."""
    result = admin(library, *WHY)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "small-library 2, 3 rules: in force from" in result.stdout
    (decided,) = day.record(LEFT_IN_TIME)
    assert (decided["verdict"], decided["findings"][0]["rule"]) == ("violation", "stay-two-hours")
    assert decided["bundle"] in result.stdout
    assert admin(library, *WHY).stdout.startswith("small-library 2, 3 rules: in force from")


def test_the_answer_for_programs_is_that_of_record(day, admin, library):
    """One object with event, entry, verdict and findings; given again where they are in force already."""
    (first,) = lines(admin(library, *WHY, "--output", "json"))
    assert (first["kind"], first["verdict"], first["findings"]) == ("policy_activation", "compliant", [])
    (again,) = lines(admin(library, *WHY, "--output", "json"))
    assert again == {**first, "repeated": True}


def test_what_is_to_come_judges_nothing_yet(day, admin, library):
    """The answer says from when; a second one for now is refused with what to do."""
    result = admin(library, *WHY, *IN_2099)
    assert (result.exit_code, "from 2099-01-01T00:00:00Z on" in result.stdout) == (0, True)
    assert day.record(LEFT_IN_TIME)[0]["verdict"] == "compliant"
    tables = library / "bundle.yaml"
    tables.write_text(tables.read_text().replace("version: '2'", "version: '3'"))
    refused = admin(library, *WHY)
    assert (refused.exit_code, "compliance events void policies-" in refused.stderr) == (2, True)


def test_every_problem_is_shown_and_nothing_is_written(day, admin, library):
    """A case that fails and a file that cannot be read: exit 1, each with its place, as `policy check` shows them."""
    entries = day.run("log", "verify", "--output", "json").stdout
    rule = library / "stay-two-hours.yaml"
    rule.write_text(rule.read_text().replace("value: 3h", "value: 4h"))
    result = admin(library, *WHY)
    assert result.exit_code == 1
    assert f"{rule}:" in result.stdout and "pass expected, fail came out" in result.stdout
    assert "1 problem; these policies were not put into force" in result.stderr
    (library / "escort-home.yaml").write_text("id: [")
    (problem,) = lines(admin(library, *WHY, "--output", "json"))
    assert problem["file"].endswith("escort-home.yaml")
    assert day.run("log", "verify", "--output", "json").stdout == entries


def test_who_acts_must_be_known_and_may(admin, library):
    """Without --actor, and by somebody without the right: exit 2, in words."""
    assert "who acts is not known" in admin(library, *WHY, actor=None).stderr
    refused = admin(library, *WHY, actor="RN-1")
    assert (refused.exit_code, "no account whose role may put policies into force" in refused.stderr) == (
        2,
        True,
    )


def test_an_instant_that_has_passed_is_refused(admin, library):
    """It says why, and what tells of the past."""
    refused = admin(library, *WHY, "--from", "2026-01-01")
    assert refused.exit_code == 2
    assert "policy impact" in refused.stderr
