"""``compliance record`` and ``compliance check``."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import DAY, DOSE, DROVE_AWAY, LEFT_EARLY, LEFT_IN_TIME, SITE, lines

KEYS = ["event", "kind", "entry", "verdict", "findings", "bundle"]
FINDING_KEYS = [
    "rule",
    "implements",
    "severity",
    "outcome",
    "message",
    "remedy",
    "because",
    "policy",
    "cites",
]


def test_each_event_is_answered_with_the_documented_keys(clinic):
    """One JSON object per event, with exactly the documented keys, in the order of the file."""
    result = clinic.run("record", "--output", "json", clinic.file(*DAY))
    told = lines(result)
    assert result.exit_code == 1
    assert [list(line) for line in told] == [KEYS] * 3
    assert [(line["event"], line["verdict"]) for line in told] == [
        ("e1", "compliant"),
        ("e2", "compliant"),
        ("e3", "violation"),
    ]
    (finding,) = told[2]["findings"]
    assert list(finding) == FINDING_KEYS
    assert finding["rule"] == "stay-two-hours"
    assert finding["implements"] == ["REMS-MONITOR-2H"]
    assert (finding["severity"], finding["outcome"]) == ("deny", "fail")
    assert finding["message"] == "Left 1 h 0 min after the last device, 2 h 0 min required."
    assert finding["policy"] == {"file": "stay-two-hours.yaml", "line": 1}
    assert finding["cites"] == [
        {
            "source": "SPRAVATO REMS Document",
            "at": "healthcare settings, after treatment",
            "read": "2026-11-22",
        }
    ]
    assert told[0]["bundle"].startswith("sha256:")


def test_a_person_sees_the_finding_its_citation_and_what_to_do(clinic):
    """Text output names verdict, event, rule, citation, message and remedy, and closes with a summary."""
    text = clinic.run("record", clinic.file(*DAY)).stdout
    for word in (
        "violation",
        "e3",
        "discharge",
        "stay-two-hours",
        "SPRAVATO REMS Document",
        "Left 1 h 0 min",
        "Keep the patient",
        "3 events recorded",
    ):
        assert word in text


def test_a_second_run_writes_nothing(clinic):
    """The same file again gives the first receipts, marked as repeated, and no entry more."""
    file = clinic.file(*DAY)
    first = lines(clinic.run("record", "--output", "json", file))
    size = clinic.run("log", "verify", "--output", "json").stdout
    second = clinic.run("record", "--output", "json", file)
    assert lines(second) == [{**line, "repeated": True} for line in first]
    assert second.exit_code == 1
    assert clinic.run("log", "verify", "--output", "json").stdout == size
    assert "nothing new was written" in clinic.run("record", file).stdout


def test_a_bad_line_stops_nothing_and_is_kept(clinic):
    """Good events beside a bad line are recorded; the bad one is told with its place and kept as an entry, once."""
    file = clinic.file(SITE, '{"id": "x", "kind": "vital_sings"', {**DOSE, "dose_mg": "a lot"}, DOSE)
    result = clinic.run("record", "--output", "json", file)
    told = lines(result)
    assert result.exit_code == 1
    assert [next(iter(line)) for line in told] == ["event", "rejected", "rejected", "event"]
    assert told[1]["rejected"]["line"] == 2
    (problem,) = told[2]["rejected"]["problems"]
    assert list(problem) == ["place", "field", "message", "remedy"]
    assert problem["field"] == "dose_mg"
    assert problem["place"] == f"{file}:3"
    assert told[1]["entry"] + 1 == told[2]["entry"]
    again = lines(clinic.run("record", "--output", "json", file))
    assert [line["repeated"] for line in again] == [True] * 4


def test_an_id_that_is_taken_is_an_error_that_names_both(clinic):
    """The same id with other content is rejected, with both digests."""
    clinic.record(*DAY)
    result = clinic.run("record", "--output", "json", clinic.file({**DOSE, "lot": "L2"}))
    (line,) = lines(result)
    assert result.exit_code == 1
    assert line["rejected"]["problems"][0]["message"].count("sha256:") == 2


def test_warnings_count_only_when_strict(clinic):
    """A flagged event exits 0, and 1 with --strict."""
    clinic.record(SITE, DOSE)
    file = clinic.file(DROVE_AWAY)
    assert lines(clinic.run("check", "--output", "json", file))[0]["verdict"] == "flagged"
    assert clinic.run("check", file).exit_code == 0
    assert clinic.run("check", "--strict", file).exit_code == 1
    assert clinic.run("record", "--strict", file).exit_code == 1
    assert clinic.run("record", file).exit_code == 0


def test_a_late_entry_tells_what_was_judged_again(clinic):
    """A dose that comes after the discharge changes the discharge's verdict, which is told apart by its key."""
    clinic.record(SITE, LEFT_EARLY)
    result = clinic.run("record", "--output", "json", clinic.file(DOSE))
    recorded, again = lines(result)
    assert recorded["verdict"] == "compliant"
    assert list(again) == ["rejudged", "entry"]
    assert again["rejudged"]["event"] == "e3"
    assert again["rejudged"]["verdict"] == "violation"
    assert again["rejudged"]["cause"] == "e2"
    assert result.exit_code == 1


def test_several_files_are_merged_by_when_things_occurred(clinic):
    """One file is taken in its own order, several by occurred_at."""
    late, early = clinic.file(LEFT_EARLY, name="late.ndjson"), clinic.file(SITE, DOSE, name="early.ndjson")
    told = lines(clinic.run("record", "--output", "json", late, early))
    assert [line["event"] for line in told] == ["e1", "e2", "e3"]


def test_ties_between_files_go_by_file_and_line(clinic):
    """Events of one instant keep the order in which the files were named."""
    one = clinic.file({**SITE, "id": "a1"}, {**SITE, "id": "a2"}, name="one.ndjson")
    two = clinic.file({**SITE, "id": "b1"}, name="two.ndjson")
    told = lines(clinic.run("check", "--output", "json", two, one))
    assert [line["event"] for line in told] == ["b1", "a1", "a2"]


@pytest.mark.parametrize("layout", ["lines", "list", "object"])
def test_json_comes_as_lines_as_a_list_or_as_one_object(clinic, layout):
    """NDJSON, an array and a single object are all read, from standard input too."""
    text = {
        "lines": "\n".join(map(json.dumps, DAY[:2])),
        "list": json.dumps(DAY[:2], indent=1),
        "object": json.dumps(SITE, indent=1),
    }[layout]
    result = clinic.run("record", "--output", "json", "-", stdin=text)
    assert result.exit_code == 0, result.output
    assert len(lines(result)) == (1 if layout == "object" else 2)


def test_check_says_what_record_would_and_writes_nothing(clinic):
    """Checking gives the same answers as recording, except the entries, and leaves the database as it was."""
    file = clinic.file(SITE, LEFT_EARLY, "{", DOSE, {**DOSE, "lot": "L9"})
    before = clinic.database.read_bytes()
    checked = clinic.run("check", "--output", "json", file)
    assert clinic.database.read_bytes() == before
    recorded = clinic.run("record", "--output", "json", file)
    assert checked.exit_code == recorded.exit_code == 1
    assert [{**line, "entry": None} for line in lines(recorded)] == lines(checked)


def test_check_needs_a_readers_rights_only(clinic):
    """A database that cannot be written to can be checked against."""
    clinic.database.chmod(0o444)
    assert clinic.run("check", clinic.file(SITE)).exit_code == 0


def test_the_events_of_a_check_see_each_other_and_the_log(clinic):
    """A dose in the log and a discharge in the input make the violation."""
    clinic.record(SITE, DOSE)
    (line,) = lines(clinic.run("check", "--output", "json", clinic.file(LEFT_EARLY)))
    assert line["verdict"] == "violation"
    assert line["entry"] is None


def test_a_proposal_that_is_denied_exits_1(clinic):
    """A denial is something to object to."""
    clinic.record(SITE, DOSE)
    result = clinic.run("check", "--output", "json", clinic.file({**LEFT_EARLY, "intent": "proposed"}))
    assert lines(result)[0]["verdict"] == "denied"
    assert result.exit_code == 1


def test_nothing_to_object_to_exits_0(clinic):
    """A day in order exits 0 and says how much was recorded."""
    result = clinic.run("record", clinic.file(SITE, DOSE, LEFT_IN_TIME))
    assert result.exit_code == 0
    assert "3 events recorded" in result.stdout


BAD = {
    "breaks off": b'{"id": "x"',
    "no object": b"[1, 2]\n",
    "a NUL byte": b'{"id": "x\0"}\n',
    "not UTF-8": b'{"id": "\xff"}\n',
    "a huge line": b'{"id": "' + b"x" * 2_000_000 + b'"}\n',
    "an unknown kind": b'{"id": "x", "kind": "launch", "occurred_at": "2026-03-02T08:00:00Z", "site": "S1", "actor": "A"}\n',
    "deeply nested": b"[" * 100_000,
    "empty": b"",
    "blank": b" \n\n\t\n",
    "a text": b"Dear Sir or Madam,\n",
}


@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize("name", ["record", "check"])
def test_input_without_a_valid_event_exits_2(clinic, name, what):
    """Whatever stands in a file, the answer is words and exit code 2, never a traceback."""
    path = clinic.folder / "bad"
    path.write_bytes(BAD[what])
    result = clinic.run(name, path)
    assert result.exit_code == 2, result.output
    assert "no valid event" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["record", "nowhere.ndjson"], "there is no file nowhere.ndjson"),
        (["record", "."], "is a folder"),
        (["record", "-", "-"], "named twice"),
        (["record"], "Missing argument"),
        (["record", "--no-such-option", "x"], "No such option"),
        (["check", "nowhere.ndjson"], "there is no file"),
    ],
)
def test_a_wrong_call_exits_2(clinic, words, says):
    """A file that cannot be read and a misspelt option are told in words."""
    result = clinic.run(*words)
    assert result.exit_code == 2
    assert says in result.stderr


def test_one_missing_file_stops_the_call_before_anything_is_written(clinic):
    """Files are opened before the first event is recorded."""
    before = clinic.database.read_bytes()
    assert clinic.run("record", clinic.file(*DAY), "nowhere").exit_code == 2
    assert clinic.database.read_bytes() == before
