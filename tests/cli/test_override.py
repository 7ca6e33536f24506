"""``compliance override``: a proposed act goes on against a denial, and nothing is rewritten."""

from __future__ import annotations

import shutil

import pytest

from tests.cli.conftest import DOSE, LEFT_EARLY, POLICIES, SITE, Clinic, lines

# An override is given now, and permits what is done after it: the acts of these tests lie far ahead.
GIVEN = {**DOSE, "occurred_at": "2099-03-02T09:00:00-06:00", "completed_at": "2099-03-02T09:05:00-06:00"}
ASKED = {**LEFT_EARLY, "id": "p1", "intent": "proposed", "occurred_at": "2099-03-02T10:05:00-06:00"}
DONE = {**ASKED, "id": "d1", "intent": "performed", "proposal": "p1"}
REASON = ("--reason", "the house is on fire", "--emergency")


@pytest.fixture(params=["with_reason"])
def clinic(request, tmp_path):
    """A clinic whose rule of two hours may be set aside, with a discharge that was proposed and denied."""
    return made(tmp_path, request.param)


def made(folder, override, administrator=None):
    policies = folder / "policies"
    shutil.copytree(POLICIES, policies)
    if administrator is not None:
        tables = policies / "bundle.yaml"
        tables.write_text(
            tables.read_text().replace(
                "  administrator: [access_change, policy_activation, site_profile]", administrator
            )
        )
    rule = policies / "stay-two-hours.yaml"
    rule.write_text(rule.read_text().replace("override: never", f"override: {override}"))
    clinic = Clinic(folder)
    assert clinic.run("init", "--policies", policies).exit_code == 0
    assert clinic.record(SITE, GIVEN, ASKED)[-1]["verdict"] == "denied"
    return clinic


def test_what_was_permitted_stands_as_overridden(clinic):
    """The override is an event with the requirement, the reason and the approver; the act is flagged, not a violation."""
    result = clinic.run("override", "p1", "--approved-by", "MD-2", *REASON, "--output", "json")
    assert result.exit_code == 0
    (written,) = lines(result)
    assert written["kind"] == "override"
    shown = lines(clinic.run("events", "show", written["event"], "--output", "json"))[0]["stands"]
    assert (shown["requirements"], shown["approved_by"], shown["emergency"]) == (
        ["REMS-MONITOR-2H"],
        "MD-2",
        True,
    )
    (done,) = clinic.record(DONE)
    finding = next(one for one in done["findings"] if one["rule"] == "stay-two-hours")
    assert (done["verdict"], finding["outcome"]) == ("flagged", "overridden")
    assert (
        lines(clinic.run("events", "list", "--output", "json", "--kind", "discharge"))[-1]["verdict"]
        == "denied"
    )
    assert clinic.run("log", "verify").exit_code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("p1", "--approved-by", "MD-2", "--reason", "x", "--requirement", "OFF-CSSRS"), "no denial of p1 is about OFF-CSSRS"),
        (("p1", "--approved-by", "MD-2", "--reason", "x", "--until", "2026-03-02T10:00:00-06:00"), "would have run out already"),
        (("e2", "--approved-by", "MD-2", "--reason", "x"), "e2 was not proposed, it was done"),
        (("e9", "--approved-by", "MD-2", "--reason", "x"), "the log has no event 'e9'"),
        (("p1", "--approved-by", "MD-2"), "Missing option '--reason'"),
    ],
)  # fmt: skip
def test_what_would_have_no_effect_is_refused_before_it_is_written(clinic, words, says):
    """With the reason; nothing is written."""
    before = len(lines(clinic.run("events", "list", "--output", "json")))
    result = clinic.run("override", *words)
    assert result.exit_code == 2
    assert says in result.stderr
    assert len(lines(clinic.run("events", "list", "--output", "json"))) == before


def test_what_may_never_be_set_aside(tmp_path):
    """A statute, the REMS: the rule says never, and so does the command."""
    clinic = made(tmp_path, "never")
    result = clinic.run("override", "p1", "--approved-by", "MD-2", *REASON)
    assert result.exit_code == 2
    assert "stay-two-hours may never be set aside" in result.stderr
    assert clinic.record(DONE)[0]["verdict"] == "violation"


def test_two_persons_where_two_are_wanted(tmp_path):
    """Neither who proposed the act nor who enters the override may approve it."""
    clinic = made(tmp_path, "two_person")
    result = clinic.run("override", "p1", "--approved-by", "MD-1", *REASON)
    assert result.exit_code == 2
    assert "wants a second person" in result.stderr
    assert clinic.run("override", "p1", "--approved-by", "MD-2", *REASON).exit_code == 0
    assert clinic.record(DONE)[0]["verdict"] == "flagged"


def test_a_void_proposal_permits_nothing(clinic):
    """And an act against which nothing is held needs no override."""
    assert (
        clinic.run("events", "void", "p1", "--reason", "twice", "--reason-code", "duplicate").exit_code == 0
    )
    assert "p1 is void" in clinic.run("override", "p1", "--approved-by", "MD-2", *REASON).stderr
    clinic.record({**ASKED, "id": "p2", "occurred_at": "2099-03-02T11:30:00-06:00"})
    assert (
        "nothing is held against p2" in clinic.run("override", "p2", "--approved-by", "MD-2", *REASON).stderr
    )


def test_who_may_not_override_is_refused(tmp_path):
    """Where roles say who may enter overrides, both who enters it and who approves it need such a role then."""
    folder = tmp_path / "policies"
    clinic = made(
        tmp_path, "with_reason", "  administrator: [access_change, policy_activation, site_profile, override]"
    )
    assert folder.is_dir()
    result = clinic.run("override", "p1", "--approved-by", "NOBODY", *REASON)
    assert result.exit_code == 2
    assert "NOBODY has no account whose role may approve an override" in result.stderr
    result = clinic.run("override", "p1", "--approved-by", "MD-1", *REASON, actor="RN-1")
    assert "RN-1 has no account whose role may enter an override" in result.stderr
    assert clinic.run("override", "p1", "--approved-by", "MD-1", *REASON).exit_code == 0
