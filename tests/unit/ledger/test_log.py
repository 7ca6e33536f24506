"""The log: create, open, append in batches, look up."""

from __future__ import annotations

from hashlib import sha256

import orjson
import pytest

from compliance.domain.canonical import CanonicalError, canonical
from compliance.errors import DatabaseError, InputError, LogError
from compliance.ledger.batch import TILE_WIDTH
from compliance.ledger.entry import columns_of, microseconds, rfc3339
from compliance.ledger.export import entries as exported
from compliance.ledger.export import entry_bundle
from compliance.ledger.log import Log
from compliance.ledger.tree import (
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from tests.homes import unguarded
from tests.logs import BEGAN, ORIGIN, SIGNER, add, clock, decision, event


@pytest.fixture
def log(home):
    with home.empty_log() as made:
        yield made


def test_the_first_entry_names_the_log(log):
    """A new log has one entry, of type key, with its origin and verifier key."""
    assert log.size == 1
    assert log.entry(0).document() == {
        "v": 1, "type": "key", "recorded_at": rfc3339(BEGAN), "origin": ORIGIN, "vkey": str(SIGNER.verifier),
    }  # fmt: skip
    assert (log.identity.origin, log.identity.vkey) == (ORIGIN, str(SIGNER.verifier))


def test_entry_holds_event_and_decision_in_canonical_bytes(log):
    """What is stored is the canonical JSON of version, type, instant, event and decision; its leaf hash follows from the bytes."""
    with log.writing() as batch:
        at = batch.next_recorded_at()
        idx = batch.append("event", {"event": event(1), "decision": decision("violation")}, recorded_us=at)
    entry = log.entry(idx)
    assert (
        entry.body
        == log.body(idx)
        == canonical(
            {
                "v": 1,
                "type": "event",
                "recorded_at": rfc3339(at),
                "event": event(1),
                "decision": decision("violation"),
            }
        )
    )
    assert entry.leaf == leaf_hash(entry.body)
    assert entry[1:12] == columns_of(entry.document())
    assert (entry.event_id, entry.kind, entry.site, entry.patient, entry.session, entry.verdict) == (
        "e-1", "administration", "site-1", "p-1", "t-1", "violation",
    )  # fmt: skip
    assert entry.digest == sha256(canonical(event(1))).digest()
    assert entry.occurred_us == microseconds("2026-03-02T15:00:01Z")


@pytest.mark.parametrize(
    "type_, members, target",
    [
        ("event", {"event": event(1, kind="void", corrects="e-9"), "decision": decision()}, "e-9"),
        ("event", {"event": event(1, kind="override", overrides_event="e-8"), "decision": decision()}, "e-8"),
        ("rejudgement", {"target": "e-7", "decision": decision()}, "e-7"),
        ("nightly", {"digest": "sha256:0"}, None),
    ],
)
def test_target_is_what_an_entry_names(log, type_, members, target):
    """Corrections, voids, overrides and rejudgements are found by the event that they name."""
    with log.writing() as batch:
        idx = batch.append(type_, members)
    assert log.entry(idx).target == target
    if target:
        assert log.naming(target) == [idx]


def test_entries_that_a_later_one_names_are_told_apart(log):
    """Many entries are read at once, each with whether a correction, void, override or rejudgement names its event; an open batch is seen."""
    add(log, 1, 2, 3)
    with log.writing() as batch:
        batch.append("event", {"event": event(4, kind="correction", corrects="e-1"), "decision": decision()})
        batch.append("rejudgement", {"target": "e-3", "decision": decision()})
        within = log.entries_named(1, 9)
    found = log.entries_named(1, 9)
    assert [(entry.event_id, named) for entry, named in found] == [
        ("e-1", True), ("e-2", False), ("e-3", True), ("e-4", False), (None, False),
    ]  # fmt: skip
    assert found == within
    assert [entry for entry, _ in log.entries_named(2, 4)] == list(log.entries(2, 4))


def test_instants_never_stand_still(log):
    """Where the clock stands still or goes back, the log counts on by a microsecond."""
    add(log, 1, 2)
    add(log, 3)
    recorded = [entry.recorded_us for entry in log.entries()]
    assert recorded == [BEGAN, BEGAN + 1, BEGAN + 2, BEGAN + 3]
    assert log.head.recorded_us == BEGAN + 3


def test_the_clock_s_jump_back_is_bridged(home):
    """After a clock that ran fast, later entries are still later."""
    home.empty_log().close()
    with Log.open(home.url, write=True, clock=lambda: BEGAN - 10**9) as log:
        add(log, 1)
        assert log.entry(1).recorded_us == BEGAN + 1


def test_only_the_log_s_own_instants_are_taken(log):
    """An instant that the log did not give, or gave to another entry, is a programming error."""
    with pytest.raises(ValueError, match="next_recorded_at"), log.writing() as batch:
        batch.append("nightly", {}, recorded_us=BEGAN + 5_000)
    with pytest.raises(ValueError, match="next_recorded_at"), log.writing() as batch:
        at = batch.next_recorded_at()
        batch.append("nightly", {}, recorded_us=at)
        batch.append("nightly", {}, recorded_us=at)
    assert log.size == 1


def test_a_batch_that_raises_leaves_nothing(log):
    """Either the whole batch is in the log with its head, or none of it."""
    before = log.head
    with pytest.raises(RuntimeError), log.writing() as batch:
        batch.append("event", {"event": event(1), "decision": decision()}, keys=[5])
        batch.insert_waiting()
        raise RuntimeError
    assert log.head == before
    assert log.by_event_id("e-1") is None
    assert list(log.key_scan(5)) == []
    add(log, 2)
    assert log.size == 2


def test_a_value_outside_the_profile_is_refused_before_anything_is_written(log):
    """A floating-point number never reaches the log."""
    with pytest.raises(CanonicalError), log.writing() as batch:
        batch.append("event", {"event": event(1, dose_mg=56.0), "decision": decision()})
    assert log.size == 1


def test_the_same_event_id_is_appended_once(log):
    """The database refuses a second entry for an event id, even where nobody asked for a receipt first."""
    add(log, 1)
    with pytest.raises(LogError, match="refused a write"):
        add(log, 1)
    assert log.size == 2


def test_look_ups_see_the_open_batch(log):
    """Within a batch, look-ups find what the batch has appended."""
    with log.writing() as batch:
        idx = batch.append(
            "event", {"event": event(1), "decision": decision("denied")}, keys=[7], asked=[(8, 50)]
        )
        assert batch.size == idx + 1
        assert list(log.key_scan(7)) == [(log.entry(idx).occurred_us, idx)]
        second = batch.append("event", {"event": event(2), "decision": decision()}, keys=[7], asked=[(8, 60)])
        assert sorted(log.asked_scan(8, 50)) == [idx, second]
        assert log.by_event_id("e-2") == second
        third = batch.append("rejudgement", {"target": "e-2", "decision": decision("denied")})
        assert log.last_judgement("e-2") == third
        assert orjson.loads(log.body(third))["type"] == "rejudgement"
        assert log.with_findings() == [idx, second]
        assert log.size == 1, "the head is what is committed"
    assert log.size == 4


def test_key_scan_is_newest_first_within_its_bounds(log):
    """A scan gives (occurred_at, idx) descending, both bounds included."""
    add(log, 5, 3, 4, 1)
    found = list(log.key_scan(1000))
    assert found == sorted(found, reverse=True)
    assert len(found) == 4
    until, since = found[1][0], found[2][0]
    assert list(log.key_scan(1000, until, since)) == found[1:3]
    assert list(log.key_scan(999)) == []


def test_asked_scan_gives_judgements_that_looked_so_far(log):
    """Only judgements that looked up to the instant or later are candidates."""
    with log.writing() as batch:
        for number, until in ((1, 10), (2, 20), (3, 30)):
            batch.append("event", {"event": event(number), "decision": decision()}, asked=[(5, until)])
    assert sorted(log.asked_scan(5, 20)) == [2, 3]


def test_rows_of_an_amended_event_are_added_once(log):
    """An event that was corrected is found under its new keys, too; adding a row that is there changes nothing."""
    add(log, 1)
    with log.writing() as batch:
        batch.add_keys([(77, 5, 1), (77, 5, 1)])
        batch.add_asked([(78, 5, 1)])
        batch.add_asked([(78, 5, 1)])
    assert list(log.key_scan(77)) == [(5, 1)]
    assert list(log.asked_scan(78, 0)) == [1]


def test_bundles_are_stored_once(log):
    """The documents of a bundle are kept under their digest; storing them again changes nothing."""
    with log.writing() as batch:
        batch.put_bundle("sha256:1", b"[]")
        batch.put_bundle("sha256:1", b"[]")
    assert log.bundle("sha256:1") == b"[]"
    with pytest.raises(InputError, match="no bundle"):
        log.bundle("sha256:2")


def test_quarantined_input_can_be_discarded(log):
    """The bytes of a rejected input may go; its entry stays."""
    with log.writing() as batch:
        idx = batch.append("rejected", {"kept_sha256": sha256(b"raw").hexdigest()})
        batch.quarantine(idx, b"raw", "file.json")
    assert log.quarantined(idx) == (b"raw", "file.json")
    log.discard_quarantined(idx)
    assert log.quarantined(idx) is None
    assert log.size == 2


def test_the_last_checkpoint_seen_of_another_log(log):
    """A witness remembers the largest one of each origin, and takes no older one."""
    assert log.last_witnessed("other.example/log") is None
    for size in (5, 9):
        with log.writing() as batch:
            batch.witness("other.example/log", size, bytes(32), f"note of {size}")
    assert log.last_witnessed("other.example/log") == (9, bytes(32), "note of 9")
    assert log.last_witnessed("third.example/log") is None
    with pytest.raises(LogError, match="only goes forward"), log.writing() as batch:
        batch.witness("other.example/log", 7, bytes(32), "an older one")


def test_unknown_entry(log):
    """An index past the end names what there is."""
    with pytest.raises(InputError, match="no entry 5") as unknown:
        log.entry(5)
    assert "0 to 0" in unknown.value.remedy
    with pytest.raises(InputError):
        log.body(5)


@pytest.mark.parametrize("batches", [[700], [1] * 5 + [250, 1, 300], [255, 1, 255, 1, 1]])
def test_tree_and_tiles_do_not_depend_on_batches(log, batches):
    """However entries are batched, root, tiles and proofs are those of the entries."""
    number = 0
    for count in batches:
        add(log, *range(number, number + count))
        number += count
    frontier = Frontier()
    roots = [frontier.root()]
    leaves = [entry.leaf for entry in log.entries()]
    for leaf in leaves:
        frontier.append(leaf)
        roots.append(frontier.root())
    assert log.root == roots[-1]
    tiles = log.driver.execute("SELECT hashes FROM tile WHERE level = 0 ORDER BY n").fetchall()
    assert [tile for (tile,) in tiles] == [
        b"".join(leaves[at : at + TILE_WIDTH])
        for at in range(0, len(leaves) - len(leaves) % TILE_WIDTH, TILE_WIDTH)
    ]
    size = log.size
    for index in (0, 1, 255, 256, size - 1):
        if index < size:
            verify_inclusion(
                index, size, leaves[index], inclusion_proof(log.subtrees, index, size), roots[size]
            )
    for old in (1, 2, 255, 256, 257, size - 1, size):
        if old <= size:
            verify_consistency(old, size, roots[old], roots[size], consistency_proof(log.subtrees, old, size))


def test_a_missing_hash_is_named(home):
    """A proof from a damaged log fails with the place, not with a wrong proof."""
    with home.empty_log() as log:
        add(log, *range(10))
    with unguarded(home) as connection:
        connection.execute("DELETE FROM entry WHERE idx = 4")
    with home.open() as log, pytest.raises(LogError, match="hash 4 of level 0"):
        inclusion_proof(log.subtrees, 1, 11)


def test_appending_to_a_log_whose_head_disagrees_is_refused(home):
    """A writer looks at the head first, and never builds on a wrong one."""
    with home.empty_log() as log:
        add(log, 1, 2)
    with unguarded(home) as connection:
        connection.execute("DELETE FROM entry WHERE idx = 2")
    with home.open(write=True) as log, pytest.raises(LogError, match="3 entries, but there are 2"):
        add(log, 9)


def test_a_reader_cannot_write(home):
    """A log that was opened for reading refuses to append, and says why."""
    home.empty_log().close()
    with home.open() as log, pytest.raises(DatabaseError, match="cannot be written"):
        add(log, 1)


def test_a_second_writer_waits_and_then_says_so(home, monkeypatch):
    """While one batch is open nobody else can begin one; the error names the lock, and the second writer goes on when it is free."""
    monkeypatch.setattr("compliance.ledger.on_sqlite.BUSY_SECONDS", 0.05)
    monkeypatch.setattr("compliance.ledger.on_postgresql.BUSY_SECONDS", 0.05)
    with home.empty_log() as one, home.open(write=True) as two:
        with one.writing() as batch:
            batch.append("nightly", {})
            with pytest.raises(DatabaseError, match="locked"), two.writing():
                pass
            assert two.size == 1, "reading goes on"
        add(two, 1)
        assert one.size == 3


def test_a_reader_sees_one_state(home):
    """Within `reading`, what others append meanwhile is not seen; afterwards it is."""
    with home.empty_log() as writer, home.open() as reader:
        with reader.reading():
            assert reader.size == 1
            add(writer, 1)
            assert reader.size == 1
        assert reader.size == 2


def test_batches_do_not_nest(log):
    """A batch within a batch is a programming error, and the outer one is lost with it."""
    with pytest.raises(ValueError, match="open already"), log.writing(), log.writing():
        pass
    assert log.size == 1


def test_export_is_one_line_per_entry(log):
    """Each line is the canonical bytes of its entry; a bundle holds the same with lengths."""
    add(log, *range(300))
    lines = list(exported(log))
    assert [leaf_hash(line[:-1]) for line in lines] == [entry.leaf for entry in log.entries()]
    assert [orjson.loads(line)["type"] for line in lines[:2]] == ["key", "event"]
    assert list(exported(log, 300)) == lines[300:]
    first = entry_bundle(log, 0)
    assert first.startswith(len(lines[0][:-1]).to_bytes(2, "big") + lines[0][:-1])
    assert len(first) + len(entry_bundle(log, 1)) == sum(len(line) + 1 for line in lines)
    assert entry_bundle(log, 2) == b""


def test_instants_are_written_as_they_sort():
    """Six digits always; before the epoch too."""
    assert rfc3339(0) == "1970-01-01T00:00:00.000000Z"
    assert rfc3339(-1) == "1969-12-31T23:59:59.999999Z"
    assert microseconds("2026-03-02t09:00:00z") == microseconds("2026-03-02T03:00:00-06:00")
    with pytest.raises(ValueError, match="offset"):
        microseconds("2026-03-02T09:00:00")


def test_clock_is_the_one_given():
    """The tests' clock stands still."""
    assert clock() == BEGAN
