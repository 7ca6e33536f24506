"""What ``compliance record --watch`` does not begin with, and leaves the files where they are."""

from __future__ import annotations

import sys

import pytest

from tests.cli.conftest import DOSE, SITE
from tests.dropping import drop, names, once
from tests.logs import put_guards_back, without_guards


@pytest.mark.parametrize(
    "words",
    [
        (), ("--once", "day.ndjson"), ("--every", "2s", "day.ndjson"), ("--watch", "incoming", "day.ndjson"),
        ("--watch", "incoming", "--strict"), ("--watch", "nowhere", "--once"),
    ],
)  # fmt: skip
def test_wrong_calls(clinic, words, monkeypatch):
    """What does not go together is told."""
    monkeypatch.chdir(clinic.folder)
    assert clinic.run("record", *words).exit_code == 2


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ("UPDATE entry SET leaf = zeroblob(32) WHERE idx = 0", True), ("UPDATE head SET root = zeroblob(32)", True),
        ("UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), 'S1', 'S2') AS BLOB) WHERE kind = 'site_profile'", False),
    ],
)  # fmt: skip
def test_what_a_watcher_sees_of_a_log_that_was_changed(clinic, incoming, change, seen):
    """A root that is not that of the hashes stops it before it takes a file; what an entry says is looked at by `log verify` alone."""
    clinic.record(SITE)
    connection = without_guards(clinic.database)
    assert connection.execute(change).rowcount > 0
    put_guards_back(connection)
    drop(incoming, "day.ndjson", DOSE)
    assert once(clinic).exit_code == (3 if seen else 0)
    assert names(incoming / "done") == ([] if seen else ["day.ndjson"])
    assert ("day.ndjson" in names(incoming)) == seen
    assert clinic.run("log", "verify").exit_code == 3


@pytest.mark.parametrize("option", ["--every", "--settle"])
@pytest.mark.parametrize(
    ("length", "wrong"),
    [
        ("0", "'0' is no time at all; write how long to wait, such as 2s, 5m or 1h"), ("0s", "'0s' is no time at all"),
        ("PT0S", "'PT0S' is no time at all"), ("-2s", "'-2s' is less than nothing"), ("99999999d", "'99999999d' is too long"),
        ("2", "'2' is not a duration; write 30s, 90m, 2h, 7d or PT2H"), ("often", "'often' is not a duration"),
    ],
)  # fmt: skip
def test_a_pause_is_longer_than_nothing(clinic, incoming, option, length, wrong):
    """It has a unit, seconds among them; what is no pause is refused in its own words."""
    done = clinic.run("record", "--watch", incoming, "--once", f"{option}={length}")
    assert done.exit_code == 2 and wrong in " ".join(done.stderr.split())
    assert list(incoming.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (("--format", "csv"), "--format csv is a table: say what its rows are"), (("--format", "xlsx"), "--format xlsx is a table"),
        (("--kind", "administratoin"), "there is no kind of event"), (("--format", "fhir"), "pip install 'compliance-engine[fhir]'"),
    ],
)  # fmt: skip
def test_what_no_file_could_be_read_by_stops_at_the_start(clinic, incoming, monkeypatch, words, wrong):
    """It is no fault of the files, which stay where they were dropped."""
    monkeypatch.setitem(sys.modules, "fhir.resources.R4B", None)
    drop(incoming, "day.ndjson", SITE)
    done = once(clinic, *words)
    assert done.exit_code == 2 and wrong in done.stderr
    assert [path.name for path in incoming.iterdir()] == ["day.ndjson"]
