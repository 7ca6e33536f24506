"""``compliance findings``: one finding shown, assigned, resolved and reopened; the bare call still lists."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from compliance.domain.time import format_date, local_date
from compliance.ledger.log import system_clock
from tests.cli.conftest import DAY, POLICIES, Clinic, lines
from tests.recording import rule
from tests.vaults import traces

Body: TypeAlias = dict[str, Any]

TODAY = local_date(system_clock(), "America/Chicago")
SOON, PAST = format_date(TODAY + 3), format_date(TODAY - 1)
SECRET = "Jane Quimby was phoned"


ACTED = {"kind": "finding_action", "occurred_at": "2026-03-02T11:06-06:00"}
OPENED = {
    "kind": "site_profile",
    "site": "S1",
    "time_zone": "America/Chicago",
    "occurred_at": "2026-03-01T08:00:00-06:00",
}
COUNTED = {
    **{name: value for name, value in rule("counted", "site_profile", "last != null").items() if name != "on"},
    "every": "night", "per": {"each": "site_profile"}, "given": {"last": {"latest": "inventory_count", "by": ["site"], "within": "30d"}},
    "cases": [{"name": "never", "event": OPENED, "now": "2026-03-02T12:00:00-06:00", "expect": "fail"}],
}  # fmt: skip


def never(action: str, severity: str) -> Body:
    """A rule that objects to an action."""
    cases = [{"name": said, "event": {**ACTED, "action": said}, "expect": "fail" if said == action else "pass"}
             for said in ("note", action)]  # fmt: skip
    return rule(
        f"no-{action}",
        "finding_action",
        f"finding_action.action != '{action}'",
        severity=severity,
        cases=cases,
    )


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    """The day of one violation, recorded once. MD-1 may act on findings and RN-1 may not; reopening is a violation, assigning is flagged."""
    folder = tmp_path_factory.mktemp("recorded")
    shutil.copytree(POLICIES, folder / "policies")
    tables = folder / "policies" / "bundle.yaml"
    tables.write_text(tables.read_text().replace("site_profile]", "site_profile, finding_action]"))
    for one in (never("reopen", "deny"), never("assign", "warn"), COUNTED):
        (folder / "policies" / f"{one['id']}.yaml").write_text(json.dumps(one))
    clinic = Clinic(folder)
    made = clinic.run("init", "--policies", folder / "policies")
    assert made.exit_code == 0, made.output
    clinic.record(*DAY)
    return clinic


@pytest.fixture
def day(recorded: Clinic, tmp_path: Path) -> Clinic:
    """A copy of it for one test."""
    for file in recorded.folder.glob("clinic.db*"):
        shutil.copy2(file, tmp_path / file.name)
    return Clinic(tmp_path)


def left_early(clinic: Clinic, *words: str | Path) -> Body:
    """The one finding of an event, as it is listed; empty where it is not."""
    told = lines(clinic.run("findings", "--rule", "stay-two-hours", "--output", "json", *words))
    return told[0] if told else {}


def shown(clinic: Clinic, name: str) -> Body:
    (page,) = lines(clinic.run("findings", "show", name, "--output", "json"))
    return page


# ---- listing


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--site", "S1"],
        ["--all", "--severity", "deny"],
        ["--rule", "form-in-seven-days"],
        ["--as-of", "2026-03-05"],
        ["--site", "nosuch"],
        ["--as-of", "soon"],
        ["--output", "json", "--severity", "warn"],
    ],
)  # fmt: skip
def test_a_bare_call_is_the_list(recorded: Clinic, words: list[str]) -> None:
    """With every option, the same answer and the same exit code."""
    bare, listed = recorded.run("findings", *words), recorded.run("findings", "list", *words)
    assert (bare.exit_code, bare.stdout) == (listed.exit_code, listed.stdout)


def test_what_the_bare_call_takes_is_not_for_its_commands(recorded: Clinic) -> None:
    """An option before the command would be lost: it is refused, with the place where it belongs."""
    result = recorded.run("findings", "--site", "S1", "list")
    assert result.exit_code == 2
    assert "findings list --site" in result.stderr
    assert recorded.run("findings", "--output", "json", "list").exit_code == 1


# ---- showing


def test_one_finding_is_shown_with_all_that_is_known(day: Clinic) -> None:
    """Rule, citation, what decided it, event and entry, and who did what about it when; words stay in the vault."""
    name = left_early(day)["id"]
    assert day.run("findings", "assign", name, "MD-1", "--due", SOON, "--note", SECRET).exit_code == 0
    assert day.run("findings", "resolve", name, "--reason", SECRET).exit_code == 0
    page = shown(day, name[:8])
    listed = left_early(day, "--all")
    assert {name: page[name] for name in listed} == listed
    assert (page["state"], page["assigned_to"]) == ("resolved", "MD-1")
    (event,) = lines(day.run("events", "show", "e3", "--output", "json"))
    (found,) = event["last"]["findings"]
    assert {name: page[name] for name in found} == found
    assert found["because"]
    assert (page["kind"], page["event"], page["occurred_at"]) == ("discharge", "e3", DAY[2]["occurred_at"])
    assert page["entry"] == event["entry"]
    assert (page["first_night"], page["last_night"]) == (None, None)
    given, done = page["actions"]
    assert (given["action"], given["assignee"], given["actor"]) == ("assign", "MD-1", "MD-1")
    assert given["due_at"] == page["assigned_due_at"]
    assert (done["action"], done["assignee"], done["due_at"]) == ("resolve", None, None)
    assert done["at"] >= given["at"]
    assert done["justification"].startswith("vault:sha256:")
    text = day.run("findings", "show", name).stdout
    for word in (name, "stay-two-hours", "SPRAVATO REMS Document", "to do:", "decided by", f"entry {page['entry']}", "done about it",
                 f"assigned to MD-1, due {SOON}", "resolve, event finding-", "(text in the vault)"):  # fmt: skip
        assert word in text, word
    assert list(traces(day.folder, [SECRET])) == []


def test_a_standing_failure_is_shown_with_its_nights(recorded: Clinic) -> None:
    """The first that failed, and the last that was looked at; as of an earlier night, as it was then."""
    late = ("--as-of", "2026-03-06T03:00:00Z", "--output", "json")
    (listed,) = lines(recorded.run("findings", "--rule", "counted", *late))
    (page,) = lines(recorded.run("findings", "show", listed["id"], *late))
    assert (page["first_night"], page["last_night"]) == ("2026-03-02", "2026-03-05")
    text = recorded.run("findings", "show", listed["id"], "--as-of", "2026-03-04T12:00:00-06:00").stdout
    assert "nights: first 2026-03-02, last 2026-03-04" in text


# ---- acting


def test_the_list_says_who_is_to_see_to_it(day: Clinic) -> None:
    """And by when; the finding stays open."""
    name = left_early(day)["id"]
    result = day.run("findings", "assign", name[:6], "MD-1", "--due", SOON)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, f"assign finding {name}")
    assert "flagged" in result.stdout
    listed = left_early(day)
    assert (listed["state"], listed["assigned_to"]) == ("open", "MD-1")
    assert listed["assigned_due_at"].startswith(format_date(TODAY + 4))
    assert f", assigned to MD-1, due {SOON}\n" in day.run("findings").stdout


def test_resolved_and_reopened(day: Clinic) -> None:
    """Each is a finding_action of who acts, with its verdict; what is resolved is listed with --all."""
    name = left_early(day)["id"]
    (done,) = lines(day.run("findings", "resolve", name, "--reason", "phoned", "--output", "json"))
    assert (done["kind"], done["verdict"]) == ("finding_action", "compliant")
    assert left_early(day) == {}
    assert left_early(day, "--all")["state"] == "resolved"
    day.run("findings", "reopen", name, "--reason", "the number was wrong")
    assert left_early(day)["state"] == "open"
    body = lines(day.run("events", "show", done["event"], "--output", "json"))[0]["stands"]
    assert (body["actor"], body["finding"], body["action"], body["patient"]) == (
        "MD-1",
        name,
        "resolve",
        "P1",
    )
    assert day.run("log", "verify").exit_code == 0


@pytest.mark.parametrize(
    ("words", "code", "verdict"),
    [
        (["assign", "MD-1"], 0, "flagged"),
        (["assign", "MD-1", "--strict"], 1, "flagged"),
        (["resolve", "--reason", "x"], 0, "compliant"),
        (["resolve", "--reason", "x", "--strict"], 0, "compliant"),
        (["reopen", "--reason", "x"], 1, "violation"),
    ],
)
def test_the_exit_code_is_that_of_the_action(day: Clinic, words: list[str], code: int, verdict: str) -> None:
    """1 where the policies object to what the person did, not because the finding is one."""
    name = left_early(day)["id"]
    if words[0] == "reopen":
        day.run("findings", "resolve", name, "--reason", "x")
    result = day.run("findings", words[0], name, *words[1:], "--output", "json")
    assert (result.exit_code, lines(result)[0]["verdict"]) == (code, verdict)


@pytest.mark.parametrize(
    ("words", "actor", "says"),
    [
        (["assign", "ID", "RN-7"], "MD-1", "nobody is known as 'RN-7'"),
        (["assign", "ID", "MD-2"], "MD-1", "Did you mean MD-1?"),
        (["assign", "ID"], "MD-1", "Missing argument 'PERSON'"),
        (["assign", "ID", "MD-1", "--due", PAST], "MD-1", f"{PAST} is over"),
        (["assign", "ID", "MD-1", "--due", "9999-12-31"], "MD-1", "more than ten years ahead"),
        (["assign", "ID", "MD-1", "--due", "soon"], "MD-1", "is not an RFC 3339 date"),
        (["assign", "ID", "MD-1", "--note", " "], "MD-1", "the note is empty"),
        (["assign", "ID", "MD-1"], "RN-1", "RN-1 has no account whose role may enter a finding_action"),
        (["assign", "ID", "MD-1"], None, "who acts is not known"),
        (["resolve", "ID", "--reason", ""], "MD-1", "the reason is empty"),
        (["resolve", "ID"], "MD-1", "Missing option '--reason'"),
        (["resolve", "ID", "--reason", "x"], "RN-1", "RN-1 has no account"),
        (["resolve", "ID", "--reason", "x" * 5000], "MD-1", "this finding_action cannot be recorded"),
        (["resolve", "0000000", "--reason", "x"], "MD-1", "Open are: "),
        (["resolve", "abc", "--reason", "x"], "MD-1", "too short for an id"),
        (["reopen", "ID", "--reason", "x"], "MD-1", "is not resolved, it is open"),
        (["reopen", "ID"], "MD-1", "Missing option '--reason'"),
        (["show", "0000000"], None, "there is no finding '0000000'"),
        (["show"], None, "Missing argument 'ID'"),
        (["resolv", "ID", "--reason", "x"], "MD-1", "Did you mean 'resolve'?"),
    ],
)  # fmt: skip
def test_what_cannot_have_an_effect_is_refused_before_it_is_written(
    recorded: Clinic, words: list[str], actor: str | None, says: str
) -> None:
    """Exit 2, in words, and the log is as it was."""
    name, before = left_early(recorded)["id"], lines(recorded.run("log", "verify", "--output", "json"))[0]
    result = recorded.run("findings", *(name if word == "ID" else word for word in words), actor=actor)
    assert result.exit_code == 2, result.output
    assert says in result.stderr
    assert "Traceback" not in result.output
    assert lines(recorded.run("log", "verify", "--output", "json"))[0] == before


def test_what_is_resolved_cannot_be_resolved_or_given_away(day: Clinic) -> None:
    """It is reopened first."""
    name = left_early(day)["id"]
    day.run("findings", "resolve", name, "--reason", "x")
    assert f"{name} is resolved already" in day.run("findings", "resolve", name, "--reason", "x").stderr
    assert "Reopen it first" in day.run("findings", "assign", name, "MD-1").stderr
    assert day.run("findings", "resolve", name, "--reason", "x").exit_code == 2
