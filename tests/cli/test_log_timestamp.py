"""``compliance log timestamp``, and time stamps in ``compliance log verify``; the authority is ``openssl ts``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.authority import Authority
from tests.cli.conftest import LEFT_IN_TIME, lines


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority") / "a")


@pytest.fixture
def stamped(day, authority):
    """A checkpoint, its time stamp, and the clinic."""
    note, request, token = (day.folder / name for name in ("note", "note.tsq", "note.tsr"))
    assert day.run("log", "checkpoint", "--out", note).exit_code == 0
    assert day.run("log", "timestamp", "request", note, "--out", request).exit_code == 0
    return note, authority.stamp(request, token)


def test_the_time_that_an_authority_gave(day, authority, stamped):
    """A request goes to the authority, its answer verifies here and with openssl, and says when and by whom."""
    note, token = stamped
    assert authority.verifies(note, token)
    result = day.run("log", "timestamp", "verify", note, token, "--certificate", authority.root)
    assert result.exit_code == 0
    assert "CN=Test Authority" in result.stdout
    (told,) = lines(
        day.run(
            "log", "timestamp", "verify", note, token, "--certificate", authority.root, "--output", "json"
        )
    )
    assert (told["size"], told["authority"], told["accuracy_seconds"]) == (6, "CN=Test Authority", 1.0)
    at = datetime.fromisoformat(told["at"])
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=5)
    assert told["at"] in result.stdout


def test_verify_tells_the_proven_time_with_the_anchor(day, authority, stamped):
    """log verify names the time beside the checkpoint that it is of, in text and JSON."""
    note, token = stamped
    day.record(LEFT_IN_TIME)
    later = day.folder / "later"
    day.run("log", "checkpoint", "--out", later)
    words = (
        "log",
        "verify",
        "--checkpoint",
        later,
        "--checkpoint",
        note,
        "--timestamp",
        token,
        "--tsa",
        authority.root,
    )
    result = day.run(*words)
    assert result.exit_code == 0
    assert result.stdout.startswith("anchored")
    assert "existed at 20" in result.stdout
    (answer,) = lines(day.run(*words, "--output", "json"))
    assert [one["timestamp"] is not None for one in answer["checkpoints"]] == [False, True]
    assert answer["checkpoints"][1]["timestamp"]["authority"] == "CN=Test Authority"


def test_a_time_stamp_that_does_not_verify(day, authority, stamped, tmp_path):
    """Another file, a flipped bit, another root: exit 3 from timestamp verify; log verify takes it for a wrong call."""
    note, token = stamped
    other = tmp_path / "other-note"
    other.write_bytes(note.read_bytes() + "— someone.else AAAAAAAA\n".encode())
    flipped = tmp_path / "flipped.tsr"
    content = bytearray(token.read_bytes())
    content[len(content) // 2] ^= 1
    flipped.write_bytes(content)
    stranger = Authority(tmp_path / "stranger").root
    for checkpoint, stamp, root in (
        (other, token, authority.root),
        (note, flipped, authority.root),
        (note, token, stranger),
    ):
        result = day.run("log", "timestamp", "verify", checkpoint, stamp, "--certificate", root)
        assert result.exit_code == 3
        assert result.stdout == ""
        result = day.run("log", "verify", "--checkpoint", checkpoint, "--timestamp", stamp, "--tsa", root)
        assert result.exit_code == 2
        assert "time stamp" in result.stderr


def test_wrong_calls_of_timestamp(day, authority, stamped):
    """Files that are missing or are something else, and options that belong together, exit 2 in words."""
    note, token = stamped
    for words in (
        ("timestamp", "request", "nowhere", "--out", "x"),
        ("timestamp", "request", token, "--out", "x"),
        ("timestamp", "verify", note, "nowhere", "--certificate", authority.root),
        ("timestamp", "verify", note, token, "--certificate", note),
        ("timestamp", "verify", note, token),
        ("verify", "--timestamp", token, "--tsa", authority.root),
        ("verify", "--checkpoint", note, "--timestamp", token),
        ("verify", "--checkpoint", note, "--tsa", authority.root),
    ):
        result = day.run("log", *words)
        assert result.exit_code == 2, words
        assert result.stderr
        assert "Traceback" not in result.output


def test_without_the_extra_it_says_what_to_install(day, stamped, authority, monkeypatch):
    """Where rfc3161-client is not installed, the remedy is a pip command, and everything else works."""
    note, token = stamped
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    for words in (
        ("timestamp", "request", note, "--out", "x"),
        ("timestamp", "verify", note, token, "--certificate", authority.root),
        ("verify", "--checkpoint", note, "--timestamp", token, "--tsa", authority.root),
    ):
        result = day.run("log", *words)
        assert result.exit_code == 2
        assert "pip install 'compliance-engine[timestamp]'" in result.stderr
    assert day.run("log", "verify", "--checkpoint", note).exit_code == 0


def test_a_request_tells_nothing_of_the_log(day, stamped):
    """The request holds the digest, the nonce and no text of the checkpoint; two requests differ."""
    note, _ = stamped
    first = (day.folder / "note.tsq").read_bytes()
    day.run("log", "timestamp", "request", note, "--out", day.folder / "again")
    assert first != (day.folder / "again").read_bytes()
    assert note.read_text().split("\n")[0].encode() not in first
