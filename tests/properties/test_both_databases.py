"""One log, two databases: the same entries at the same instants give the same rows, heads, tiles, proofs and checkpoints, byte for byte."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.ledger import schema
from compliance.ledger.checkpoint import checkpoint
from compliance.ledger.database import connect, driver_of
from compliance.ledger.log import Log
from compliance.ledger.proof import prove
from compliance.ledger.roles import Role
from compliance.ledger.transfer import TABLES, transfer
from compliance.ledger.tree import consistency_proof
from compliance.ledger.verify import State, verify
from tests.homes import Home, PostgresHome, SqliteHome
from tests.logs import BEGAN, SIGNER, decision, event, keys_of

Batch = Sequence[tuple[int, dict[str, Any]]]

RAW = "é\x00".encode()
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
EVENTS = st.fixed_dictionaries(
    {}, optional={"narrative": TEXTS, "session": st.sampled_from(["é", "Z", "a", "ß", "T-1", "t_1"]), "corrects": st.sampled_from(["e-1", "é"])}
)  # fmt: skip


@st.composite
def batches(draw: st.DrawFn) -> list[Batch]:
    """Batches of events; one is sometimes long enough to fill a tile."""
    sizes = draw(
        st.lists(st.one_of(st.integers(0, 5), st.sampled_from([255, 256, 300])), min_size=1, max_size=4)
    )
    numbers = iter(range(sum(sizes)))
    fields = draw(st.lists(EVENTS, min_size=1, max_size=5))
    return [
        [(number, fields[number % len(fields)]) for number, _ in zip(numbers, range(size), strict=False)]
        for size in sizes
    ]


def append(log: Log, made: Sequence[Batch]) -> None:
    """The batches, with look-up rows, a bundle, quarantined input, a foreign checkpoint, and one that is given up."""
    for batch_number, events in enumerate(made):
        with log.writing() as batch:
            for number, fields in events:
                document = {"event": event(number, **fields), "decision": decision()}
                batch.append("event", document, keys=keys_of(document), asked=[(1000, BEGAN + number)])
            if batch_number == 0:
                batch.put_bundle("sha256:1", b"[]")
                batch.witness("other.example/log", 7, bytes(32), "a note")
                batch.quarantine(
                    batch.append("rejected", {"kept_sha256": sha256(RAW).hexdigest()}), RAW, "file.json"
                )
        with suppress(ZeroDivisionError), log.writing() as batch:
            batch.append("nightly", {"given up": 1 // 0})


def all_of(log: Log, sizes: Sequence[int]) -> dict[str, Any]:
    """Every row of every table, what look-ups give, the checkpoint, and proofs."""
    with log.reading():
        found: dict[str, Any] = {
            table.name: sorted(tuple(row) for row in log.driver.execute(f"SELECT * FROM {table.name}").fetchall()) for table in TABLES
        }  # fmt: skip
        size = log.size
        found["checkpoint"] = checkpoint(log, SIGNER)
        found["proofs"] = [prove(log, idx, SIGNER) for idx in {0, size // 2, size - 1}]
        found["consistency"] = [consistency_proof(log.subtrees, old, size) for old in sizes]
        found["looked up"] = (
            [list(log.key_scan(key)) for key in (0, 1, 1000)],
            list(log.asked_scan(1000, BEGAN + 3)),
        )
        found["naming"] = log.naming("é"), log.by_event_id("e-1"), log.last_witnessed("other.example/log")
        assert verify(log, [found["checkpoint"]], keys_of=keys_of).state is State.ANCHORED
    return found


@contextmanager
def homes() -> Iterator[tuple[Home, Home]]:
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresHome()
        try:
            yield SqliteHome(Path(folder)), server
        finally:
            server.remove()


def copied(source: Home, target: Home) -> None:
    schema.upgrade(target.url, create=target.dialect == "sqlite")
    connection = connect(target.url, Role.OWNER)
    into = driver_of(connection)
    told: list[int] = []
    with source.open() as log, log.reading():
        into.begin_writing()
        transfer(log.driver, into, told.append)
        into.commit()
        assert told == sorted(told)
        assert told[-1] == log.size
    connection.close()


@settings(max_examples=7)
@given(batches())
def test_both_databases_hold_the_same_log(made: list[Batch]) -> None:
    """Appended to both, and then transferred from each to the other kind: four times the same."""
    found = []
    with homes() as first, homes() as second:
        for home, other in zip(first, reversed(second), strict=True):
            sizes = [1]
            with home.empty_log() as log:
                append(log, made)
                sizes += [
                    row[0] for row in log.driver.execute("SELECT size FROM head ORDER BY size").fetchall()
                ]
                found.append(all_of(log, sizes))
            copied(home, other)
            with other.open() as log:
                found.append(all_of(log, sizes))
            assert schema.status(other.url).broken_guards == ()
    for one in found[1:]:
        assert one == found[0]
