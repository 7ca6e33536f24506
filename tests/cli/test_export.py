"""`compliance export`: what it is asked, what it answers, what the log says of it, and who may have names."""

from __future__ import annotations

import csv
import json
import stat

import pytest

from .conftest import DOSE, SITE, lines

JANE = {
    "name": "Quimby-Doe, Jane",
    "birth_date": "1980-12-25",
    "address": "7 Elm Row, Tulsa, OK 74101",
    "sex": "F",
}
GRANT = {
    "id": "g1", "kind": "access_change", "occurred_at": "2026-03-02T07:00:00-06:00", "site": "S1", "actor": "MD-1", "subject": "MD-1",
    "subject_kind": "human", "action": "grant", "role": "administrator", "set_by": ["MD-1"], "approved_by": "MD-2",
    "starts_at": "2026-03-02T07:00:00-06:00",
}  # fmt: skip


@pytest.fixture
def day(clinic):
    clinic.record(SITE, GRANT, {**DOSE, "patient": "P1"})
    return clinic


def rows(folder, name):
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def size(clinic):
    return json.loads(clinic.run("log", "verify", "--output", "json").stdout)["size"]


def test_tables_with_pseudonyms_ask_nothing_and_write_nothing(day, tmp_path):
    """No actor is needed, no purpose, no entry; counts, digest, size and root are told."""
    before = size(day)
    done = day.run("export", "--format", "csv", "--out", tmp_path / "out", actor=None)
    assert done.exit_code == 0, done.output
    assert f"{before:,} entries, root" in done.stdout
    assert [row["id"] for row in rows(tmp_path / "out", "events-administration.csv")] == ["e2"]
    assert size(day) == before
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in (tmp_path / "out").iterdir()} == {0o600}


@pytest.mark.parametrize("form", ["csv", "parquet", "fhir"])
def test_json_for_programs(day, tmp_path, form):
    """One object; with a purpose the event that the log has of it, which names the manifest's digest."""
    done = day.run(
        "export",
        "--format",
        form,
        "--kind",
        "administration",
        "--purpose",
        "analytics",
        "--out",
        tmp_path / "out",
        "--output",
        "json",
    )
    (said,) = lines(done)
    assert (done.exit_code, said["exported"], said["format"]) == (0, 1, form)
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert {one["name"]: one["rows"] for one in manifest["files"]} == said["files"]
    (event,) = [one["event"] for one in said["events"]]
    assert manifest["recorded_as"] == event
    shown = json.loads(day.run("events", "show", event, "--output", "json").stdout)
    assert said["manifest_sha256"] in json.dumps(shown)
    assert "analytics" in json.dumps(shown)


def test_identities_are_read_after_the_log_says_so(day, tmp_path):
    """Two events: the look, and the export that holds them; names stand in one file."""
    day.file(json.dumps(JANE), name="jane.json")
    added = day.run("person", "add", "--pseudonym", "P1", "--file", day.folder / "jane.json")
    assert added.exit_code == 0, added.output
    done = day.run(
        "export", "--format", "csv", "--identities", "--purpose", "patient_request", "--out", tmp_path / "out"
    )
    assert done.stdout.count("recorded") == 2, done.output
    (person,) = rows(tmp_path / "out", "persons.csv")
    assert (person["pseudonym"], person["name"], person["birth_date"]) == (
        "P1",
        JANE["name"],
        JANE["birth_date"],
    )
    assert [one.name for one in (tmp_path / "out").iterdir() if b"Quimby" in one.read_bytes()] == [
        "persons.csv"
    ]
    fhir = day.run(
        "export",
        "--format",
        "fhir",
        "--identities",
        "--purpose",
        "patient_request",
        "--out",
        tmp_path / "fhir",
    )
    assert fhir.exit_code in (0, 1), fhir.output
    assert json.loads((tmp_path / "fhir/Patient.ndjson").read_text())["name"] == [{"text": JANE["name"]}]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "Say --format"),
        (["--format", "csv", "--asap"], "not both"),
        (["--format", "csv", "--since", "2026-03-03", "--until", "2026-03-02"], "ends before it begins"),
        (["--format", "csv", "--since", "03/04/2026"], "'03/04/2026' is not an RFC 3339 date;"),
        (["--format", "csv", "--identities"], "need --purpose"),
        (["--format", "csv", "--leaves-site"], "need --purpose"),
        (["--format", "csv", "--state", "TX"], "are about a report"),
        (["--format", "csv", "--test"], "are about a report"),
        (["--format", "csv", "--kind", "administratoin"], "there is no kind"),
        (["--format", "csv", "--site", "S7"], "no event of a site"),
        (["--asap"], "needs --purpose"),
        (["--asap", "--purpose", "operations", "--since", "2026-03-01"], "needs --purpose"),
        (["--asap", "--purpose", "operations", "--since", "2026-03-01", "--until", "2026-03-02", "--kind", "dispense"], "takes no --kind"),
        (["--asap", "--purpose", "operations", "--since", "2026-03-01", "--until", "2026-03-05"], "no registration of its own"),
    ],
)  # fmt: skip
def test_wrong_calls_make_nothing(day, tmp_path, words, says):
    """Exit 2, in words, and no file."""
    done = day.run("export", *words, "--out", tmp_path / "nothing")
    assert (done.exit_code, says in done.stderr) == (2, True), done.output
    assert not [one for one in tmp_path.iterdir() if "nothing" in one.name]


@pytest.mark.parametrize(
    ("words", "asked", "told"),
    [
        (["--site", "S1", "--since", "2026-03-02", "--until", "2026-03-02"], ("2026-03-02T06:00:00Z", "2026-03-03T05:59:59.999999Z"), "America/Chicago"),
        (["--site", "S1", "--since", "2026-03-08", "--until", "2026-03-08"], ("2026-03-08T06:00:00Z", "2026-03-09T04:59:59.999999Z"), "America/Chicago"),
        (["--since", "2026-03-02", "--until", "2026-03-02"], ("2026-03-02T00:00:00Z", "2026-03-02T23:59:59.999999Z"), "UTC"),
        (["--site", "S1", "--until", "2026-03-02T09:00:00-06:00"], (None, "2026-03-02T15:00:00Z"), None),
    ],
)  # fmt: skip
def test_a_date_is_all_of_that_day(day, tmp_path, words, asked, told):
    """Both ends included, by the site's clock where one is named; on 8 March 2026 clocks go forward, and the day has 23 hours."""
    done = day.run("export", "--format", "csv", *words, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "out/manifest.json").read_text())
    assert (found["asked"]["since"], found["asked"]["until"]) == asked
    assert (f"by the clock of {told}" in done.stdout) is (told is not None)
    assert found["events"] == (0 if "2026-03-08" in words else 3)


def test_a_file_without_a_name(day):
    """An empty name is none, and is not taken for this folder."""
    done = day.run("export", "--format", "csv", "--out", "")
    assert (done.exit_code, "it is empty" in done.stderr) == (2, True)


def test_events_list_says_what_was_typed(day):
    """The text that was wrong, not what was made of it."""
    done = day.run("events", "list", "--since", "03/04/2026")
    assert "'03/04/2026' is not" in done.stderr
    assert "T00:00" not in done.stderr
