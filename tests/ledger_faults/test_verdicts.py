"""What `compliance log verify` answers after each kind of trouble, every kind really done to a log that was really recorded, in both databases."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from cli.main import application
from compliance.domain.canonical import canonical
from compliance.ledger.batch import TILE_WIDTH
from compliance.ledger.checkpoint import checkpoint
from compliance.ledger.entry import columns_of, new_entry
from compliance.ledger.note import Signer
from compliance.ledger.tables import ENTRY
from compliance.ledger.tree import Frontier, leaf_hash
from compliance.ledger.verify import State
from compliance.verifying import verify_log
from tests.homes import Home, unguarded
from tests.logs import BEGAN, ORIGIN, SIGNER
from tests.recording import MONITORED, body, bundle, draft, drafts, judge, put_in_force, record

JUDGE = judge("MONITORED")
COLUMNS = ", ".join(ENTRY.columns.keys())
A_WORD_FOR_PROGRAMMERS = re.compile(
    r"\b(None|null|Error|Exception|SELECT|sqlite|psycopg|0x[0-9a-f]+)\b|[0-9a-f]{16}|_us\b"
)


@dataclass(frozen=True)
class Original:
    """A log that nobody touched, and a checkpoint of it that somebody else holds. Entry 2 holds a violation."""

    home: Home
    size: int
    note: bytes


@pytest.fixture(scope="module")
def recorded(kept_home):
    with kept_home.empty_log() as log:
        put_in_force(log, bundle(MONITORED))
        left_early = body("discharge", "09:30", session="T0")
        record(
            log, JUDGE, left_early, *(body("administration", session=f"T{number}") for number in range(280))
        )
        record(log, JUDGE, *drafts([{"kind": "nonsense", "patient": "P1"}]))
        record(log, JUDGE, body("administration", id="the-last"))
        assert log.entry(2).verdict == "violation"
        assert log.size > TILE_WIDTH
        original = Original(kept_home, log.size, checkpoint(log, SIGNER).encode())
    kept_home.save("whole")
    return original


@pytest.fixture
def original(recorded):
    recorded.home.restore("whole")
    return recorded


def answer(original, *notes: str | bytes):
    """The answer, with a reason that anybody understands."""
    with original.home.open() as log:
        found = verify_log(log, [note if isinstance(note, bytes) else note.encode() for note in notes])
    assert len(found.reason.split()) >= 6
    assert not A_WORD_FOR_PROGRAMMERS.search(
        re.sub("sha256:[0-9a-f]{64}", "(the name of a bundle)", found.reason)
    )
    return found


def by_command(original, tmp_path, *notes: bytes):
    """Exit code and answer of the command."""
    words = ["--database", original.home.url, "log", "verify", "--output", "json"]
    for number, note in enumerate(notes):
        (tmp_path / f"{number}.checkpoint").write_bytes(note)
        words += ["--checkpoint", str(tmp_path / f"{number}.checkpoint")]
    result = CliRunner().invoke(application, words)
    return result.exit_code, json.loads(result.stdout)["answer"]


def test_an_untouched_log(original, tmp_path):
    """Self-consistent by itself, anchored to the checkpoint."""
    assert (answer(original).state, answer(original).size) == (State.SELF_CONSISTENT, original.size)
    assert answer(original, original.note).state is State.ANCHORED
    assert by_command(original, tmp_path) == (0, "self-consistent")
    assert by_command(original, tmp_path, original.note) == (0, "anchored")


def test_a_restored_backup(original, tmp_path):
    """Rolled back: the checkpoint of what came after the backup says how much is missing."""
    with original.home.open(write=True) as log:
        record(log, JUDGE, *(body("administration") for _ in range(3)))
        newer = checkpoint(log, SIGNER).encode()
    original.home.restore("whole")
    found = answer(original, original.note, newer)
    assert (found.state, found.index) == (State.ROLLED_BACK, original.size)
    assert "3 at its end are missing" in found.reason
    assert by_command(original, tmp_path, newer) == (3, "rolled back")
    assert by_command(original, tmp_path, original.note) == (0, "anchored"), "an older checkpoint cannot know"


@pytest.mark.parametrize("more", [3, 9], ids=["as long", "longer"])
def test_a_restored_backup_that_went_on(original, tmp_path, more):
    """Forked, whether the log has grown past the checkpoint or just to it."""
    with original.home.open(write=True) as log:
        record(log, JUDGE, *(body("administration") for _ in range(3)))
        newer = checkpoint(log, SIGNER).encode()
    original.home.restore("whole")
    with original.home.open(write=True) as log:
        record(log, JUDGE, *(body("discharge", "12:00", session=f"T{n}") for n in range(more)))
    assert answer(original).state is State.SELF_CONSISTENT, "nothing in the database shows it"
    found = answer(original, newer)
    assert (found.state, found.index) == (State.FORKED, original.size + 3)
    assert "restored from a backup and went on differently" in found.reason
    assert by_command(original, tmp_path, newer) == (3, "forked")


def flip(connection, table, column, where, at=7):
    """One bit of one stored value."""
    (value,) = connection.execute(f"SELECT {column} FROM {table} WHERE {where}").fetchone()
    value = bytes(value)
    value = value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]
    connection.execute(f"UPDATE {table} SET {column} = %s WHERE {where}", (value,))


def swap_bodies(connection):
    rows = dict(connection.execute("SELECT idx, body FROM entry WHERE idx IN (20, 21)").fetchall())
    for idx in (20, 21):
        connection.execute("UPDATE entry SET body = %s WHERE idx = %s", (bytes(rows[41 - idx]), idx))


def swap_entries(connection):
    for old, new in ((20, -1), (21, 20), (-1, 21)):
        connection.execute("UPDATE entry SET idx = %s WHERE idx = %s", (new, old))
    # Whoever does this carefully does it in the index of look-up keys as well.
    rows = [
        tuple(row)
        for row in connection.execute("SELECT key, occurred_us, idx FROM event_key WHERE idx IN (20, 21)")
    ]
    connection.execute("DELETE FROM event_key WHERE idx IN (20, 21)")
    for key, occurred_us, idx in rows:
        connection.execute("INSERT INTO event_key VALUES (%s, %s, %s)", (key, occurred_us, 41 - idx))


def another_tile(connection):
    (hashes,) = connection.execute("SELECT hashes FROM tile").fetchone()
    hashes = bytes(hashes)
    connection.execute("UPDATE tile SET hashes = %s", (hashes[32:] + hashes[:32],))


def add_behind_the_head(connection):
    """An entry in every way like those of this software, but no head seals it."""
    (size,) = connection.execute("SELECT max(idx) + 1 FROM entry").fetchone()
    document, columns = new_entry("other", BEGAN + 10**12, {"digest": "sha256:0"})
    written = canonical(document)
    places = ", ".join(["%s"] * len(ENTRY.columns))
    connection.execute(
        f"INSERT INTO entry ({COLUMNS}) VALUES ({places})", (size, *columns, leaf_hash(written), written)
    )


def run(*statements: str):
    """A change by plain SQL; {last} is the index of the last entry."""

    def change(connection):
        (last,) = connection.execute("SELECT max(idx) FROM entry").fetchone()
        for statement in statements:
            connection.execute(statement.format(last=last))

    return change


LAST = -1
TROUBLE = {
    "a flipped bit of the bytes": (lambda c: flip(c, "entry", "body", "idx = 40"), 40, "entry 40 was changed"),
    "a flipped bit of a leaf hash": (lambda c: flip(c, "entry", "leaf", "idx = 40"), 40, "entry 40 was changed"),
    "a deleted row": (run("DELETE FROM entry WHERE idx = 40"), 40, "entry 40 is missing"),
    "bodies that changed places": (swap_bodies, 20, "entry 20 was changed"),
    "entries that changed places": (swap_entries, 21, "entries changed places"),
    "another tile": (another_tile, 0, "stored hashes of the entries 0 to 255"),
    "no tile": (run("DELETE FROM tile"), 0, "are missing"),
    "an edited head": (lambda c: flip(c, "head", "root", "size = (SELECT max(size) FROM head)"), LAST, "does not agree with the entries up to it"),
    "the last entry deleted": (run("DELETE FROM entry WHERE idx = {last}"), LAST, "heads say"),
    "the last entry deleted with its head": (
        run("DELETE FROM entry WHERE idx = {last}", "DELETE FROM head WHERE size = {last} + 1"), None, "which is not there",
    ),
    "the last head deleted": (run("DELETE FROM head WHERE size = {last} + 1"), LAST, "have no head"),
    "another look-up column": (run("UPDATE entry SET patient = 'PT2' WHERE idx = 40"), 40, "look-up columns"),
    "a hidden verdict": (run("UPDATE entry SET verdict = 'compliant' WHERE idx = 2"), 2, "look-up columns"),
    "a deleted key row": (run("DELETE FROM event_key WHERE idx = 40"), 40, "cannot be found"),
    "another bundle": (lambda c: c.execute("UPDATE bundle SET documents = %s", (b"{}",)), None, "stored policies"),
    "a deleted bundle": (run("DELETE FROM bundle"), 1, "are not there: they were removed"),
    "another text in quarantine": (lambda c: c.execute("UPDATE quarantine SET raw = %s", (b"{}",)), None, "quarantined input"),
}  # fmt: skip


@pytest.mark.parametrize("trouble", TROUBLE)
def test_tampered(original, trouble):
    """Whatever is changed within, the first bad index is named and why, with a checkpoint and without."""
    change, expected, words = TROUBLE[trouble]
    with unguarded(original.home) as connection:
        change(connection)
    for notes in ((), (original.note,)):
        found = answer(original, *notes)
        index = original.size - 1 if expected == LAST else expected
        assert (found.state, found.index) == (State.TAMPERED, index), found.reason
        assert words in found.reason


def test_a_row_behind_the_last_head(original):
    """An entry that no head seals was not written by this software, however right it is otherwise."""
    with unguarded(original.home) as connection:
        add_behind_the_head(connection)
    found = answer(original, original.note)
    assert (found.state, found.index) == (State.TAMPERED, original.size)
    assert "not written by this software" in found.reason


def test_a_head_of_an_absurd_size(original):
    """Somebody else's number is not what memory is asked for by."""
    with unguarded(original.home) as connection:
        connection.execute("UPDATE head SET size = 1099511627776 WHERE size = %s", (original.size,))
    found = answer(original)
    assert found.state is State.TAMPERED
    assert "heads say 1099511627776" in found.reason


def test_the_command_says_tampered_with_exit_3(original, tmp_path):
    """A program that calls the command sees it as well."""
    with unguarded(original.home) as connection:
        flip(connection, "entry", "body", "idx = 40")
    assert by_command(original, tmp_path) == (3, "tampered")


def test_a_dropped_guard(original, tmp_path):
    """Nothing has changed yet, but somebody made room for it."""
    original.home.without_guards().close()
    found = answer(original)
    assert (found.state, found.index) == (State.TAMPERED, None)
    assert "which keep the log append-only" in found.reason
    assert by_command(original, tmp_path) == (3, "tampered")


def test_the_last_batch_deleted_with_every_trace(original):
    """Who removes a whole batch with head and look-up rows leaves a shorter log that agrees with itself: rolled back, for who has a checkpoint."""
    with unguarded(original.home) as connection:
        run("DELETE FROM entry WHERE idx = {last}")(connection)
        for statement in ("DELETE FROM head WHERE size = %s + 1", "DELETE FROM event_key WHERE idx = %s"):
            connection.execute(statement, (original.size - 1,))
    assert answer(original).state is State.SELF_CONSISTENT
    found = answer(original, original.note)
    assert (found.state, found.index) == (State.ROLLED_BACK, original.size - 1)


def test_a_checkpoint_signed_by_another_key(original, tmp_path):
    """Forked: the log's first entry names its key, and this is not it."""
    other = Signer(ORIGIN, bytes(32))
    with original.home.open() as log:
        note = checkpoint(log, other)
    found = answer(original, note)
    assert (found.state, found.index) == (State.FORKED, 0)
    assert "signed by another key" in found.reason
    assert by_command(original, tmp_path, note.encode()) == (3, "forked")


def rewrite(connection) -> None:
    """What the owner of the machine can do: hide the violation of entry 2, and make every hash, tile and head new."""
    entries = connection.execute(f"SELECT {COLUMNS} FROM entry ORDER BY idx").fetchall()
    heads = dict(connection.execute("SELECT size, recorded_us FROM head").fetchall())
    connection.execute("DELETE FROM tile")
    frontier, leaves = Frontier(), []
    for idx, *_, written in entries:
        document: dict[str, Any] = orjson.loads(bytes(written))
        if idx == 2:
            document["decision"] |= {"verdict": "compliant", "findings": []}
            written = canonical(document)
            columns = dict(zip(list(ENTRY.columns.keys())[1:12], columns_of(document), strict=True))
            connection.execute(
                "UPDATE entry SET body = %s, leaf = %s, verdict = %s WHERE idx = 2",
                (written, leaf_hash(written), columns["verdict"]),
            )
        leaves.append(leaf_hash(bytes(written)))
        frontier.append(leaves[-1])
        for _, root in frontier.completed:
            connection.execute("INSERT INTO tile VALUES (0, 0, %s, %s)", (root, b"".join(leaves)))
        frontier.completed.clear()
        if idx + 1 in heads:
            connection.execute(
                "UPDATE head SET root = %s, frontier = %s WHERE size = %s",
                (frontier.root(), frontier.to_bytes(), idx + 1),
            )


def test_a_whole_log_rewritten(original, tmp_path):
    """Nothing within shows it, which is why the answer is no more than self-consistent; a checkpoint from before says forked."""
    with unguarded(original.home) as connection:
        rewrite(connection)
    found = answer(original)
    assert found.state is State.SELF_CONSISTENT
    assert "compare it with a checkpoint that was kept elsewhere" in found.reason
    with original.home.open() as log:
        assert log.entry(2).verdict == "compliant"
    found = answer(original, original.note)
    assert (found.state, found.index) == (State.FORKED, original.size)
    assert "changed, removed or replaced after it was signed" in found.reason
    assert by_command(original, tmp_path, original.note) == (3, "forked")


def test_the_sentences_are_checked():
    """The look at the reasons would notice a program's words in them."""
    assert A_WORD_FOR_PROGRAMMERS.search("sqlite said None")
    assert A_WORD_FOR_PROGRAMMERS.search(sha256(b"").hexdigest())
    assert draft(body("administration")).event.kind == "administration"
