"""``log prove``, ``log check-proof``, ``log rotate-key``, ``log export --tiles``: what an outsider needs, and what they can check with it."""

from __future__ import annotations

import json

import pytest

from compliance.ledger.note import Signer
from tests.cli.conftest import LEFT_IN_TIME, Clinic, lines
from tests.cli.test_log_commands import checkpoint, tamper, verified
from tests.tile_reader import Client, from_folder


def prove(clinic: Clinic, *words: object) -> tuple[str, str]:
    """A proof of the third event, and the key that checks it."""
    out = clinic.folder / "e3.proof"
    (told,) = lines(clinic.run("log", "prove", "e3", "--out", out, "--output", "json", *words))
    return str(out), told["vkey"]


def outsider(tmp_path_factory) -> Clinic:
    """Somebody in an empty folder."""
    return Clinic(tmp_path_factory.mktemp("outsider"))


def test_an_outsider_checks_a_proof_without_a_database(day, tmp_path_factory):
    """The file and the key are enough: the entry is printed, in words, as JSON, or not at all; as a real process, too."""
    proof, key = prove(day)
    person = outsider(tmp_path_factory)
    shown = person.run("log", "check-proof", proof, "--vkey", key)
    assert shown.exit_code == 0
    assert shown.stdout.startswith("entry 5 of compliance/S1/")
    assert '"e3"' in shown.stdout
    (told,) = lines(person.run("log", "check-proof", proof, "--vkey", key, "--output", "json"))
    assert (told["index"], told["size"], told["entry"]["event"]["id"]) == (5, 6, "e3")
    quiet = person.run("log", "check-proof", proof, "--vkey", key, "--quiet")
    assert (quiet.exit_code, quiet.output) == (0, "")
    assert person.process("log", "check-proof", proof, "--vkey", key).returncode == 0
    assert list(person.folder.iterdir()) == []


def test_a_proof_that_shows_nothing_exits_3(day, tmp_path_factory):
    """Changed in any part, by another log's key, cut off, or no proof at all: exit 3 and nothing on standard output."""
    proof, key = prove(day)
    person = outsider(tmp_path_factory)
    content = (day.folder / "e3.proof").read_bytes()
    stranger = str(Signer("stranger.example/log", bytes(32)).verifier)
    for changed in (
        content.replace(b"index 5", b"index 4"), content.replace(b"extra ey", b"extra ez"), content[:-2], content[: len(content) // 2], b"",
        b"\xff\xfe", b"hello\n", content.replace(b"\n6\n", b"\n7\n"),
    ):  # fmt: skip
        path = person.folder / "changed"
        path.write_bytes(changed)
        result = person.run("log", "check-proof", path, "--vkey", key)
        assert result.exit_code == 3, changed[:40]
        assert result.stdout == ""
        assert result.stderr
    assert person.run("log", "check-proof", proof, "--vkey", stranger).exit_code == 3
    assert person.run("log", "check-proof", "nowhere", "--vkey", key).exit_code == 2
    assert person.run("log", "check-proof", proof, "--vkey", "nonsense").exit_code == 2
    assert person.run("log", "check-proof", proof, "--vkey", key, "--witness", key).exit_code == 2


def test_a_proof_without_its_entry_takes_it_from_a_file(day, tmp_path_factory):
    """Other software writes proofs without the entry; its bytes then stand in a file of their own."""
    proof, key = prove(day)
    person = outsider(tmp_path_factory)
    content = (day.folder / "e3.proof").read_text()
    bare, raw = person.folder / "bare", person.folder / "raw"
    bare.write_text("\n".join(line for line in content.split("\n") if not line.startswith("extra ")))
    raw.write_bytes(day.run("log", "show", "5", "--raw").stdout_bytes)
    assert person.run("log", "check-proof", bare, "--vkey", key).exit_code == 3
    assert person.run("log", "check-proof", bare, "--vkey", key, "--entry", raw, "--quiet").exit_code == 0
    raw.write_bytes(raw.read_bytes() + b" ")
    assert person.run("log", "check-proof", bare, "--vkey", key, "--entry", raw).exit_code == 3
    assert person.run("log", "check-proof", proof, "--vkey", key, "--entry", raw).exit_code == 3


def test_a_proof_for_a_checkpoint_that_was_kept(day):
    """The proof is for the kept size, whatever came after; for entries after it, and for other files, there is none."""
    kept = checkpoint(day)
    day.record(LEFT_IN_TIME)
    proof, key = prove(day, "--checkpoint", kept)
    (told,) = lines(day.run("log", "check-proof", proof, "--vkey", key, "--output", "json"))
    assert told["size"] == 6
    assert (day.folder / "e3.proof").read_text().endswith(kept.read_text())
    assert day.run("log", "prove", "6", "--checkpoint", kept, "--out", "-").exit_code == 2
    assert day.run("log", "prove", "5", "--checkpoint", "nowhere", "--out", "-").exit_code == 2
    assert day.run("log", "prove", "5", "--checkpoint", day.folder / "e3.proof", "--out", "-").exit_code == 2
    kept.write_bytes(b"\xff")
    assert day.run("log", "prove", "5", "--checkpoint", kept, "--out", "-").exit_code == 2


def test_the_key_is_changed_and_everything_goes_on(day, tmp_path_factory):
    """Old checkpoints stay good, new ones are by the new key, proofs name the right key, the whole log verifies."""
    before, (old_proof, old_key) = checkpoint(day, "before.txt"), prove(day)
    (done,) = lines(day.run("log", "rotate-key", "--reason", "every two years", "--output", "json"))
    assert (done["entry"], done["replaces"]) == (6, old_key)
    after = checkpoint(day, "after.txt")
    code, answer = verified(day, "--checkpoint", before, "--checkpoint", after)
    assert (code, answer["answer"], answer["size"]) == (0, "anchored", 7)
    person = outsider(tmp_path_factory)
    assert person.run("log", "check-proof", old_proof, "--vkey", old_key, "--quiet").exit_code == 0
    new_proof, new_key = prove(day)
    assert new_key == done["vkey"] != old_key
    assert person.run("log", "check-proof", new_proof, "--vkey", new_key, "--quiet").exit_code == 0
    assert person.run("log", "check-proof", new_proof, "--vkey", old_key, "--quiet").exit_code == 3
    day.record(LEFT_IN_TIME)
    assert verified(day, "--since", before)[0] == 0
    assert (day.folder / f"clinic.db.key.{old_key.split('+')[1]}.retired").exists()
    assert "every two years" in day.run("log", "show", "6").stdout


def test_a_retired_key_signs_no_more(day):
    """A checkpoint of today by the old key is a fork, with the reason; one by nobody's key, too."""
    (done,) = lines(day.run("log", "rotate-key", "--output", "json"))
    retired = day.folder / done["retired"]
    note = checkpoint(day, "after.txt").read_text()
    path = day.folder / "false.txt"
    path.write_text(Signer.parse(retired.read_text().strip()).sign(note.split("\n\n")[0] + "\n"))
    code, answer = verified(day, "--checkpoint", path)
    assert (code, answer["answer"]) == (3, "forked")
    assert "retired key" in answer["why"]


def test_a_rebuilt_index_still_knows_the_key(day):
    """The index by which the newest key is found is made anew like the rest of it."""
    (done,) = lines(day.run("log", "rotate-key", "--output", "json"))
    assert day.run("db", "rebuild").exit_code == 0
    assert prove(day)[1] == done["vkey"]
    assert verified(day)[0] == 0


def test_an_entry_that_pretends_to_change_the_key_is_tampered(day):
    """Whoever changes the entry, even with all columns in order, is found at its index."""
    day.run("log", "rotate-key")
    tamper(
        day,
        "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), 'rotation v1', 'rotation v2') AS BLOB) WHERE idx = 6",
    )
    code, answer = verified(day)
    assert (code, answer["answer"], answer["first_bad"]) == (3, "tampered", 6)


def test_without_the_old_key_nobody_changes_it(day):
    """A missing key exits 2 and writes nothing; a destroyed one is gone."""
    key = day.folder / "clinic.db.key"
    text = key.read_text()
    key.unlink()
    assert day.run("log", "rotate-key").exit_code == 2
    assert verified(day)[1]["size"] == 6
    key.write_text(text)
    key.chmod(0o600)
    (done,) = lines(day.run("log", "rotate-key", "--destroy-old", "--output", "json"))
    assert done["retired"] is None
    assert [path.name for path in day.folder.glob("clinic.db.key*")] == ["clinic.db.key"]
    assert "destroyed" in day.run("log", "rotate-key", "--destroy-old").stdout


def test_the_log_as_tiles(day):
    """Any client of tiled logs reads the folder; later it is brought up to date; --out belongs to the other kind of export."""
    folder = day.folder / "web"
    (done,) = lines(day.run("log", "export", "--tiles", folder, "--output", "json"))
    assert (done["size"], done["before"], done["hash_tiles_written"], done["entry_bundles_written"]) == (
        6,
        0,
        1,
        1,
    )
    key = prove(day)[1]
    entries = Client(from_folder(folder), key).entries()
    assert json.loads(entries[5])["event"]["id"] == "e3"
    day.record(LEFT_IN_TIME)
    result = day.run("log", "export", "--tiles", folder)
    assert result.exit_code == 0
    assert "1 of them new" in result.stderr
    client = Client(from_folder(folder), key)
    assert len(client.entries()) == 7
    client.check_continues(6, bytes.fromhex(done["root"]))
    assert day.run("log", "export", "--tiles", folder, "--out", "x").exit_code == 2
    assert day.run("log", "verify", "--checkpoint", folder / "checkpoint").exit_code == 0


@pytest.mark.parametrize("change", ["\n7\n", "\n5\n"])
def test_tiles_of_something_else_are_left_alone(day, clinic, change):
    """A folder with a letter in it, and one whose checkpoint was changed, exit 2."""
    folder = day.folder / "web"
    folder.mkdir()
    (folder / "letter.txt").write_text("Dear")
    assert day.run("log", "export", "--tiles", folder).exit_code == 2
    (folder / "letter.txt").unlink()
    assert day.run("log", "export", "--tiles", folder).exit_code == 0
    note = folder / "checkpoint"
    note.write_text(note.read_text().replace("\n6\n", change))
    assert day.run("log", "export", "--tiles", folder).exit_code == 2
