"""Two clinics that witness each other through files: ``log checkpoint --since``, ``log cosign``, ``log verify --witness``."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import LEFT_IN_TIME, Clinic, command, lines


@pytest.fixture
def other(initialised, tmp_path_factory):
    """The other clinic, whose log has another origin."""
    folder = tmp_path_factory.mktemp("other")
    clinic = Clinic(folder)
    policies = Path(__file__).parent / "policies"
    result = clinic.run("init", "--site", "S9", "--origin", "other.example/log", "--policies", policies)
    assert result.exit_code == 0, result.output
    return clinic


def vkey(clinic: Clinic) -> str:
    """The verifier key that the log names now."""
    (told,) = lines(clinic.run("log", "prove", "0", "--out", clinic.folder / "any.proof", "--output", "json"))
    key: str = told["vkey"]
    return key


def requested(clinic: Clinic, since: object, name: str = "request.txt") -> Path:
    path = clinic.folder / name
    result = clinic.run("log", "checkpoint", "--since", since, "--out", path)
    assert result.exit_code == 0, result.output
    return path


def cosign(witness: Clinic, request: Path, key: str, *words: object):
    return witness.run(
        "log", "cosign", request, "--vkey", key, "--out", witness.folder / "cosigned.txt", *words
    )


def test_two_clinics_witness_each_other(day, other):
    """Request, cosignature, verification with the witness named, and the next request from there on."""
    result = cosign(other, requested(day, 0), vkey(day), "--first", "--output", "json")
    (told,) = lines(result)
    assert (result.exit_code, told["answer"], told["size"], told["before"]) == (0, "cosigned", 6, None)
    assert told["witness"].startswith("other.example/log/witness+")
    cosigned = other.folder / "cosigned.txt"
    words = ("log", "verify", "--checkpoint", cosigned, "--witness", told["witness"])
    shown = day.run(*words)
    assert shown.exit_code == 0
    assert f"cosigned by other.example/log/witness at {told['at']}" in shown.stdout
    (answer,) = lines(day.run(*words, "--output", "json"))
    assert answer["answer"] == "anchored"
    assert answer["checkpoints"][0]["witnesses"] == [
        {"name": "other.example/log/witness", "vkey": told["witness"], "at": told["at"]}
    ]
    day.record(LEFT_IN_TIME)
    (again,) = lines(cosign(other, requested(day, cosigned), vkey(day), "--output", "json"))
    assert (again["size"], again["before"]["size"], again["key_changed"]) == (7, 6, False)
    assert cosign(day, requested(other, 0), vkey(other), "--first").exit_code == 0


def test_what_the_witness_did_and_did_not_check_is_said(day, other):
    """On trust the first time, the same again, what came after: each in words, with what no witness can know."""
    key = vkey(day)
    first = cosign(other, requested(day, 0), key, "--first").stdout
    assert "taken on trust" in first
    assert "not checked: what the entries say" in first
    same = cosign(other, requested(day, 6), key).stdout
    assert "it says the same as the one cosigned here last" in same
    day.record(LEFT_IN_TIME)
    after = cosign(other, requested(day, 6), key).stdout
    assert "its first 6 entries are those that were cosigned here last" in after
    printed = other.run("log", "cosign", requested(day, 7), "--vkey", key, "--out", "-")
    assert printed.stdout.startswith(day.run("log", "checkpoint").stdout.split("\n")[0])
    assert "not checked" in printed.stderr


def test_the_first_time_needs_a_word(day, other):
    """Without --first an unknown log is not cosigned, and no file is written."""
    result = cosign(other, requested(day, 0), vkey(day))
    assert result.exit_code == 2
    assert "--first" in result.stderr
    assert not (other.folder / "cosigned.txt").exists()


def test_a_fork_is_refused_with_evidence(day, other):
    """Two histories of one log: exit 3, nothing cosigned, both signed notes in a file that others can check."""
    copy = day.folder / "copy.db"
    shutil.copy2(day.database, copy)
    shutil.copy2(day.folder / "clinic.db.key", day.folder / "copy.db.key")
    key = vkey(day)
    day.record(LEFT_IN_TIME)
    assert cosign(other, requested(day, 0), key, "--first").exit_code == 0
    (other.folder / "cosigned.txt").unlink()
    file = day.file({**LEFT_IN_TIME, "id": "other"}, name="fork.ndjson")
    day.run("--database", copy, "record", file)
    fork = day.folder / "fork.txt"
    day.run("--database", copy, "log", "checkpoint", "--since", 7, "--out", fork)
    result = cosign(other, fork, key)
    assert result.exit_code == 3
    assert "evidence of a fork" in result.stderr
    assert not (other.folder / "cosigned.txt").exists()
    evidence = other.folder / "cosigned.txt.refused.txt"
    assert evidence.name in result.stderr
    text = evidence.read_text()
    assert text.count("\n7\n") == 2
    again = cosign(other, fork, key, "--first", "--output", "json")
    (told,) = lines(again)
    assert (again.exit_code, told["answer"], told["kept"]["size"]) == (3, "refused", 7)
    assert told["evidence"].endswith("cosigned.txt.refused.2.txt"), "evidence never replaces evidence"
    for note in (told["kept"]["note"], told["note"]):
        assert note in text
        path = day.folder / "note"
        path.write_text(note)
        codes = {
            day.run("log", "verify", "--checkpoint", path).exit_code,
            day.run("--database", copy, "log", "verify", "--checkpoint", path).exit_code,
        }
        assert codes == {0, 3}, "each note anchors one of the two histories and shows the other to be a fork"


def test_an_older_checkpoint_is_refused(day, other):
    """A copy from before what was cosigned exits 3, and says that it may be an old file."""
    key, old = vkey(day), requested(day, 0, "old.txt")
    day.record(LEFT_IN_TIME)
    assert cosign(other, requested(day, 0), key, "--first").exit_code == 0
    result = cosign(other, old, key)
    assert result.exit_code == 3
    assert "an old file" in result.stderr


def test_two_cosign_commands_at_once(day, other):
    """Real processes: of two forks that are sent at the same moment, exactly one is cosigned."""
    copy = day.folder / "copy.db"
    shutil.copy2(day.database, copy)
    shutil.copy2(day.folder / "clinic.db.key", day.folder / "copy.db.key")
    key = vkey(day)
    day.record(LEFT_IN_TIME)
    day.run("--database", copy, "record", day.file({**LEFT_IN_TIME, "id": "other"}, name="fork.ndjson"))
    ours, theirs = requested(day, 0, "a.txt"), day.folder / "b.txt"
    day.run("--database", copy, "log", "checkpoint", "--since", 0, "--out", theirs)
    running = [
        subprocess.Popen(
            command("log", "cosign", path, "--vkey", key, "--first", "--out", other.folder / f"{path.name}.cosigned"),
            cwd=other.folder, env=other.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for path in (ours, theirs)
    ]  # fmt: skip
    for process in running:
        process.communicate(timeout=120)
    assert sorted(process.returncode for process in running) == [0, 3]
    assert len(list(other.folder.glob("*.cosigned"))) == 1
    assert len(list(other.folder.glob("*.witness.key"))) == 1


def test_a_witness_that_did_not_cosign(day, other):
    """A checkpoint without the cosignature that is asked for is a wrong call, and says whose is missing; a log's own key is no witness's."""
    (told,) = lines(cosign(other, requested(day, 0), vkey(day), "--first", "--output", "json"))
    bare = day.folder / "bare.txt"
    day.run("log", "checkpoint", "--out", bare)
    cosigned = other.folder / "cosigned.txt"
    for words in (
        ("--checkpoint", bare, "--witness", told["witness"]),
        ("--checkpoint", cosigned, "--checkpoint", bare, "--witness", told["witness"]),
        ("--checkpoint", cosigned, "--witness", vkey(day)),
        ("--checkpoint", cosigned, "--witness", "nonsense"),
        ("--witness", told["witness"]),
    ):
        result = day.run("log", "verify", *words)
        assert result.exit_code == 2, words
        assert result.stderr
        assert result.stdout == ""


@pytest.mark.parametrize("content", [b"", b"old 0\n", b"hello\n", b"\xff\xfe", b"old 0\n\nno checkpoint\n"])
def test_a_file_that_is_no_request(day, other, content):
    """Anything else is a wrong call in words."""
    path = other.folder / "wrong"
    path.write_bytes(content)
    result = cosign(other, path, vkey(day), "--first")
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_wrong_calls_of_cosign_and_since(day, other):
    """Another log's key, a key that is none, a missing file, a missing folder, sizes beyond the log: exit 2; a foreign checkpoint, too."""
    request, key = requested(day, 0), vkey(day)
    theirs = other.folder / "theirs.txt"
    other.run("log", "checkpoint", "--out", theirs)
    for words in (
        ("cosign", request, "--vkey", vkey(other), "--first", "--out", "x"),
        ("cosign", request, "--vkey", "nonsense", "--first", "--out", "x"),
        ("cosign", request, "--vkey", key[:-4] + "AAAA", "--first", "--out", "x"),
        ("cosign", "nowhere", "--vkey", key, "--first", "--out", "x"),
        ("cosign", request, "--vkey", key, "--first", "--out", "no/such/folder/x"),
        ("cosign", request, "--vkey", key),
        ("checkpoint", "--since", "99"),
        ("checkpoint", "--since", "nowhere"),
        ("checkpoint", "--since", theirs),
    ):
        clinic = day if words[0] == "checkpoint" else other
        result = clinic.run("log", *words)
        assert result.exit_code == 2, (words, result.output)
        assert result.stderr
    result = other.run("log", "cosign", request, "--vkey", key, "--first", "--out", "-")
    assert result.exit_code == 0, "nothing of all that was kept"


def test_the_checkpoint_as_json_has_the_request(day):
    """Programs get note and request as text."""
    (told,) = lines(day.run("log", "checkpoint", "--since", 3, "--output", "json"))
    assert told["since"] == 3
    assert told["request"].startswith("old 3\n")
    assert told["request"].endswith(told["note"])
    assert "request" not in lines(day.run("log", "checkpoint", "--output", "json"))[0]
