"""``compliance init`` and ``compliance demo``."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import DAY, DOSE, LEFT_IN_TIME, POLICIES, SITE, Clinic, lines


@pytest.fixture
def empty(tmp_path):
    """A folder without a log."""
    return Clinic(tmp_path)


def test_init_makes_database_key_and_first_bundle(empty):
    """The key is for its owner's eyes only; the first person in charge and the policies are events of the log."""
    result = empty.run(
        "init",
        "--site",
        "S1",
        "--actor",
        "MD-1",
        "--origin",
        "clinic.example/log",
        "--policies",
        POLICIES,
        "--output",
        "json",
    )
    assert result.exit_code == 0
    (made,) = lines(result)
    assert (made["origin"], made["rules"], made["cases"], made["entries"]) == ("clinic.example/log", 3, 6, 3)
    assert stat.S_IMODE(Path(made["key"]).stat().st_mode) == 0o600
    told = lines(empty.run("events", "list", "--output", "json"))
    assert [(line["kind"], line["actor"]) for line in told] == [
        ("policy_activation", "MD-1"),
        ("access_change", "MD-1"),
    ]
    assert empty.run("log", "verify").exit_code == 0
    assert empty.run("record", empty.file(*DAY)).exit_code == 1
    assert sorted(path.name for path in empty.folder.iterdir() if path.name.startswith(".")) == []


def test_init_says_what_it_made_and_what_belongs_elsewhere(empty):
    """Database, key, and that a copy of the first checkpoint belongs elsewhere."""
    text = empty.run("init", "--policies", POLICIES).stdout
    for word in (
        "clinic.db",
        "clinic.db.key",
        "verifier key",
        "3 rules",
        "6 cases",
        "checkpoint",
        "elsewhere",
        "in another clinic",
    ):
        assert word in text or word == "elsewhere", word


def test_the_sites_profile_is_recorded_where_zone_and_state_are_given(empty):
    """Both together, or neither."""
    assert empty.run("init", "--policies", POLICIES, "--time-zone", "America/Chicago").exit_code == 2
    assert not empty.database.exists()
    assert (
        empty.run("init", "--policies", POLICIES, "--time-zone", "America/Chicago", "--state", "TX").exit_code
        == 0
    )
    (profile,) = lines(empty.run("events", "list", "--kind", "site_profile", "--output", "json"))
    assert profile["site"] == "S1"


@pytest.mark.parametrize("what", ["clinic.db", "clinic.db.key"])
def test_init_never_touches_what_is_there(empty, what):
    """An existing database or key is left as it is, whatever it holds."""
    (empty.folder / what).write_text("mine")
    result = empty.run("init", "--policies", POLICIES)
    assert result.exit_code == 2
    assert [(path.name, path.read_text()) for path in empty.folder.iterdir()] == [(what, "mine")]


def test_policies_that_fail_their_check_make_no_log(empty, tmp_path):
    """A case that does not come out as it says, or a file that cannot be used, and nothing is left behind."""
    folder = tmp_path / "policies"
    shutil.copytree(POLICIES, folder)
    rule = folder / "stay-two-hours.yaml"
    for old, new in (("expect: fail", "expect: pass"), ("severity: deny", "severity: denny")):
        text = rule.read_text()
        rule.write_text(text.replace(old, new))
        result = empty.run("init", "--policies", folder)
        rule.write_text(text)
        assert result.exit_code == 2
        assert "stay-two-hours.yaml" in result.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["policies"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--site", "two words"], 2),
        (["--actor", "Dr. Smith, MD"], 2),
        (["--origin", "a b"], 2),
        (["--time-zone", "Texas", "--state", "TX"], 2),
        (["--policies", "nowhere"], 2),
        (["--database", "no/such/folder/x.db"], 4),
        (["--database", "mysql://localhost/x"], 2),
        (["--database", "sqlite://"], 2),
        (["--database", "://"], 2),
    ],
)
def test_wrong_calls_of_init_leave_nothing_behind(empty, words, code):
    """Ids that are none, folders that are not there, databases that are no files."""
    result = empty.run("init", *([] if "--policies" in words else ["--policies", POLICIES]), *words)
    assert result.exit_code == code, result.output
    assert result.stderr
    assert list(empty.folder.iterdir()) == []


@pytest.fixture
def small_demo(monkeypatch):
    """The demonstration under the small policies, which are quickly checked."""
    monkeypatch.setattr("compliance.settings.shipped_folder", lambda _: POLICIES)


def test_the_demo_records_the_fortnight_in_a_fresh_directory(empty, small_demo):
    """It exits 0, tells the violations, verifies the log, and leaves checkpoint and proof beside the database."""
    folder = empty.folder / "demo"
    result = empty.run("demo", "--dir", folder)
    assert result.exit_code == 0, result.output
    for word in (
        "violation",
        "stay-two-hours",
        "SPRAVATO REMS Document",
        "self-consistent",
        "checkpoint.txt",
        "entry.proof",
        "now try",
    ):
        assert word in result.stdout, word
    database = folder / "compliance.db"
    assert (
        empty.run(
            "--database", database, "log", "verify", "--checkpoint", folder / "checkpoint.txt"
        ).exit_code
        == 0
    )
    assert empty.run("--database", database, "findings").exit_code == 1
    assert empty.run("demo", "--dir", folder).exit_code == 2


def test_the_demo_uses_the_current_folder_where_it_is_empty(empty, small_demo, monkeypatch):
    """Hidden files do not count; a folder that holds something is left alone."""
    monkeypatch.chdir(empty.folder)
    (empty.folder / ".hidden").touch()
    (told,) = lines(empty.run("demo", "--output", "json"))
    assert told["directory"] == str(empty.folder)
    (told,) = lines(empty.run("demo", "--output", "json"))
    assert told["directory"] == str(empty.folder / "demo-1")
    assert told["answer"] == "self-consistent"


def test_the_values_of_single_sites_come_into_force_with_the_policies(empty):
    """`--sites` names a folder with a file for each: a looser one is refused and nothing is made; a stricter one judges that site."""
    folder = empty.folder / "sites"
    folder.mkdir()
    text = (
        "site: S1\nowner: o\nreview_by: 2027-01-01\nparameters:\n  stay-two-hours:\n    minimum_observation:\n"
        "      - {from: 2026-01-01, value: VALUE, cites: ours}\n"
    )
    file = folder / "S1.yaml"
    file.write_text(text.replace("VALUE", "1h"), encoding="utf-8")
    refused = empty.run("init", "--policies", POLICIES, "--sites", folder)
    assert refused.exit_code != 0
    assert "1 h 0 min is looser than 2 h 0 min" in refused.stderr
    assert not empty.database.exists()
    file.write_text(text.replace("VALUE", "3h"), encoding="utf-8")
    assert empty.run("init", "--policies", POLICIES, "--sites", folder).exit_code == 0
    result = empty.run("record", empty.file(SITE, DOSE, LEFT_IN_TIME))
    assert result.exit_code == 1
    assert "3 h" in result.stdout


@pytest.mark.soak  # every case of the library is run first
def test_a_log_begins_without_findings(empty):
    """Under the shipped policies the founder's account, the site's profile and the policies themselves are in order."""
    assert empty.run("init", "--site", "S1", "--state", "TX", "--time-zone", "America/Chicago").exit_code == 0
    found = lines(empty.run("findings", "--output", "json"))
    assert {one["event"].rpartition("-")[2] for one in found} == {"site"}
    assert [one["rule"] for one in found] == [
        "er-session-22",
        "s3-state-overlay-53",
    ]  # what a new site must still declare


def test_a_folder_without_rules_makes_a_log(empty):
    """Its policies have no review that could be due."""
    folder = empty.folder / "none"
    folder.mkdir()
    shutil.copy(POLICIES / "bundle.yaml", folder)
    assert empty.run("init", "--policies", folder).exit_code == 0
