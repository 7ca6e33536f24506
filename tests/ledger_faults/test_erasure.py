"""After an erasure nothing of a person is in any file, byte by byte, free pages too, and every proof holds; with each guard's mutant."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

import pytest

from compliance import erasing, persons
from compliance.bundles import Bundles
from compliance.erasing import erase
from compliance.errors import DatabaseError, InputError
from compliance.ledger import vault as vaults
from compliance.ledger.checkpoint import checkpoint
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.ledger.proof import prove, verify_proof
from compliance.ledger.vault import reach
from compliance.ledger.vault.store import Store
from compliance.ledger.verify import State
from compliance.persons import Acting, Wanted, enter, look_up
from compliance.record import Recorded
from compliance.verifying import verify_log
from tests.logs import SIGNER, url
from tests.recording import body, correction, draft, drafts, fresh_log, put_in_force, record, rule
from tests.recording import bundle as bundle_of
from tests.vaults import traces

WHO = Acting("A1", "S1")
JANE = {
    "name": "Jane Quimby-Doe", "birth_date": "1961-04-05", "address": "12 Elm Street, Springfield", "phone": "+1 555 0142 9931",
    "email": "jane.quimby@example.org", "record_numbers": ["MRN-0041788", "LAB 99812345"],
}  # fmt: skip
TEXTS = (
    "Mrs Quimby let the vial slip",
    "typed from her paper chart",
    "she says a nurse pushed her",
    "as Jane wrote to us",
)
CLEAR = [value for one in JANE.values() for value in (one if isinstance(one, list) else [one])] + list(TEXTS)
OLD = "2011-03-02T"


@pytest.fixture
def log(tmp_path):
    with fresh_log(tmp_path, vault=True) as log:
        put_in_force(log, bundle_of(rule("any", "wastage", "true")))
        yield log


def judge(log):
    return Bundles(log).active()


def life(log: Log) -> list[Recorded]:
    """A person is entered, events with texts are recorded, one is corrected, one input is rejected, somebody looks."""
    pseudonym = enter(log, judge(log), WHO, Wanted("patient", JANE, "2011-01-01", "P-1")).pseudonym
    one = body(
        "wastage", f"{OLD}09:00:00-06:00", id="w1", patient=pseudonym, narrative=TEXTS[0], reason=TEXTS[1]
    )
    other = body(
        "wastage", f"{OLD}09:00:00-06:00", id="w2", patient="P-2", narrative="somebody else spilt it"
    )
    fixed = correction(one, "c1", ("narrative", TEXTS[0], TEXTS[2]), at=f"{OLD}10:00:00-06:00")
    wrong = {"id": "x", "kind": "wastage", "narrative": "DOE, Jane  Quimby: lost"}
    results = record(log, judge(log), draft(one), draft(other), draft(fixed), *drafts([wrong]))
    look_up(log, lambda: judge(log), lambda: WHO, pseudonym=pseudonym, purpose="treatment")
    return [result for result in results if isinstance(result, Recorded)]


def gone(log: Log, **more):
    return erase(log, Bundles(log), WHO, "P-1", request="R-1", reason=TEXTS[3], **more)


def wrapped_key(log: Log) -> bytes:
    with sqlite3.connect(f"{log.name}.vault") as connection:
        ((key,),) = connection.execute("SELECT wrapped FROM person WHERE pseudonym = 'P-1'").fetchall()
    connection.close()
    return key


def holding(folder, needle: bytes) -> list[str]:
    return [file.name for file in folder.iterdir() if needle in file.read_bytes()]


def test_nothing_clear_is_in_any_file_while_a_person_is_there(log, tmp_path):
    """Names and texts are encrypted in the vault and stand nowhere else."""
    life(log)
    assert list(traces(tmp_path, CLEAR)) == []


def test_the_search_finds_what_is_there(log, tmp_path):
    """Each spelling that is searched for is found in a file that holds it, so that finding nothing means something."""
    from tests.vaults import spellings

    for text in CLEAR:
        for spelling, needle in spellings(text).items():
            file = tmp_path / "leak"
            file.write_bytes(b"x" * 31 + needle + b"y")
            assert any(f"as {spelling}" in trace for trace in traces(tmp_path, [text])), (text, spelling)
    file.unlink()


def test_after_erasure_no_byte_is_left_and_every_proof_holds(log, tmp_path):
    """Key, salts, identity, texts, index rows and rejected input are gone from all files; checkpoints and proofs made before still verify."""
    recorded = life(log)
    note = checkpoint(log, SIGNER)
    proofs = [prove(log, result.idx, SIGNER) for result in recorded]
    key = wrapped_key(log)
    assert holding(tmp_path, key)
    with reach(log) as way:
        blind = way.vault.persons._site.blind("record_number", "MRN0041788")
    assert holding(tmp_path, blind)
    done = gone(log)
    assert not done.kept
    assert done.discarded
    assert not done.clear_entries
    assert list(traces(tmp_path, CLEAR)) == []
    assert holding(tmp_path, key) == holding(tmp_path, blind) == []
    assert verify_log(log).state is State.SELF_CONSISTENT
    assert verify_log(log, [note.encode()]).state is State.ANCHORED
    for proof in proofs:
        verify_proof(proof, [SIGNER.verifier])
    with reach(log) as way:
        vault = way.vault
        vault.persons.refresh()
        vault.texts.begin()
        assert [one.pseudonym for one in vault.persons.known()] == ["A1", "P-2"]
        assert vault.persons.found("record_number", "MRN0041788") == []
        assert vault.texts.of("w1") == vault.texts.of("c1") == []
        assert vault.texts.of("w2") == ["somebody else spilt it"]
    kinds = [result.draft.event.kind for result in done.results]
    assert kinds == ["patient_request", "system_event"]


def test_an_erased_event_is_still_the_same_when_it_comes_again(log):
    """Idempotency holds after erasure, by a keyed digest; another event under its id is still an error."""
    life(log)
    one = body("wastage", f"{OLD}09:00:00-06:00", id="w9", patient="P-1", narrative=TEXTS[0])
    (first,) = record(log, judge(log), one)
    gone(log)
    size = log.size
    (again,) = record(log, judge(log), one)
    assert (again.repeated, again.idx, log.size) == (True, first.idx, size)
    (other,) = record(log, judge(log), {**one, "narrative": "other"})
    assert other.problems[0].code == "duplicate-id"


def test_a_signature_that_comes_after_the_erasure_is_good(log):
    """What was signed is compared by a keyed digest that stays."""
    from compliance.domain.making import make_event
    from compliance.engine.judging import Judge
    from compliance.engine.signed import signable

    signed = Judge(
        bundle_of(rule("signed", "signature", "has(event.matches_target) && event.matches_target"))
    )
    life(log)
    one = body("wastage", f"{OLD}09:00:00-06:00", id="w9", patient="P-1", narrative=TEXTS[0])
    record(log, judge(log), one)
    gone(log)
    digest = signable(make_event(one).body)
    (good,) = record(log, signed, body("signature", target_event="w9", target_sha256=digest))
    (bad,) = record(log, signed, body("signature", target_event="w9", target_sha256=digest[::-1]))
    assert (str(good.decision.verdict), str(bad.decision.verdict)) == ("compliant", "violation")


def test_a_late_text_of_an_erased_person_is_taken_under_a_new_key(log, tmp_path):
    """An act that was performed is never refused; the person can be erased again."""
    life(log)
    gone(log)
    record(
        log,
        judge(log),
        body(
            "wastage", f"{OLD}11:00:00-06:00", id="w5", patient="P-1", narrative="found in a late fax of hers"
        ),
    )
    assert list(traces(tmp_path, ["found in a late fax of hers"])) == []
    assert not gone(log).kept


def test_corrections_by_others_and_moved_events_are_erased_too(log):
    """The texts of an event that was corrected to be this person's, and what a correction without a patient says of it, go as well."""
    life(log)
    one = body("wastage", f"{OLD}09:00:00-06:00", id="w7", patient="P-2", narrative="said of Jane by mistake")
    moved = correction(one, "c7", ("patient", "P-2", "P-1"), at=f"{OLD}12:00:00-06:00")
    record(log, judge(log), one, moved)
    assert LogHistory(log).stands("w7").body["patient"] == "P-1"
    gone(log)
    with reach(log) as way:
        way.vault.persons.refresh()
        way.vault.texts.begin()
        assert way.vault.texts.of("w7") == way.vault.texts.of("c7") == []


def test_texts_that_came_in_the_clear_are_told(tmp_path):
    """What was recorded before the log had a vault cannot be taken out, and the answer names those entries."""
    with fresh_log(tmp_path) as log:
        put_in_force(log, bundle_of(rule("any", "wastage", "true")))
        (first,) = record(
            log, judge(log), body("wastage", f"{OLD}09:00:00-06:00", patient="P-1", narrative="in the clear")
        )
        persons.begin(log)
        enter(log, judge(log), WHO, Wanted("patient", JANE, "2011-01-01", "P-1"))
        assert gone(log).clear_entries == (first.idx,)


def test_nobody_is_erased_twice_and_nobody_who_is_not_there(log):
    """Both are told."""
    life(log)
    with pytest.raises(InputError, match="not in the vault"):
        erase(log, Bundles(log), WHO, "P-9", request="R", reason="r")
    gone(log)
    with pytest.raises(InputError, match="erased already"):
        gone(log)


# ---- interrupted


@pytest.mark.parametrize("at", ["discard_speaking_of", "destroy", "scrub"])
def test_who_is_interrupted_goes_on(log, tmp_path, monkeypatch, at):
    """Stopped after the event, before the rows go, or before the files are scrubbed: the same command again finishes, with one event."""
    life(log)

    class Stopped(Exception):
        pass

    def stop(*_, **__):
        raise Stopped

    with monkeypatch.context() as patched:
        if at == "discard_speaking_of":
            patched.setattr(erasing, at, stop)
        else:
            patched.setattr(vaults.Persons, at, stop)
        with pytest.raises(Stopped):
            gone(log)
    size = log.size
    done = gone(log)
    assert (done.kept, log.size) == ((), size)
    assert list(traces(tmp_path, CLEAR)) == []


def test_a_reader_that_stays_is_told_and_nothing_is_claimed(log, tmp_path, monkeypatch):
    """While another program reads the vault its write-ahead log cannot be emptied: exit with a remedy, and done when it has finished."""
    monkeypatch.setattr("compliance.ledger.on_sqlite.BUSY_SECONDS", 0.5)
    life(log)
    key = wrapped_key(log)
    reader = sqlite3.connect(f"{log.name}.vault", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM person").fetchall()
    with pytest.raises(DatabaseError):
        gone(log)
    reader.execute("COMMIT")
    reader.close()
    gone(log)
    assert holding(tmp_path, key) == []


# ---- mutants


def test_without_scrubbing_the_wrapped_key_is_still_there(log, tmp_path, monkeypatch):
    """The mutant: neither overwritten pages nor an emptied write-ahead log, and the destroyed key's bytes are found."""
    life(log)
    key = wrapped_key(log)
    monkeypatch.setattr(
        Store,
        "_prepare",
        lambda self: self._connection.exec_driver_sql("PRAGMA secure_delete = OFF").fetchall(),
    )
    monkeypatch.setattr(Store, "scrub", lambda self: None)
    gone(log)
    assert holding(tmp_path, key)


def test_without_discarding_the_rejected_input_names_her(log, tmp_path, monkeypatch):
    """The mutant: input in quarantine holds her name after the erasure."""
    life(log)
    monkeypatch.setattr(erasing, "discard_speaking_of", lambda *_: [])
    gone(log)
    assert b"Jane" in b"".join(raw for (raw,) in log.driver.execute("SELECT raw FROM quarantine").fetchall())


def test_discarding_without_scrubbing_leaves_it_in_the_file(log, tmp_path):
    """The mutant: an ordinary delete leaves the bytes in the log's file or its write-ahead log."""
    life(log)
    ((idx, raw),) = log.driver.execute("SELECT idx, raw FROM quarantine").fetchall()
    log.discard_quarantined(idx)
    assert holding(tmp_path, raw)


def test_without_commitments_the_text_is_in_the_log(log, tmp_path, monkeypatch):
    """The mutant: what seals an event does nothing, and the words are in the log's file."""
    from compliance.sealing import Sealing

    monkeypatch.setattr(Sealing, "seal", lambda self, draft, **_: draft.event)
    life(log)
    assert list(traces(tmp_path, [TEXTS[0]]))


def failing(*_: object, **__: object) -> None:
    raise DatabaseError("the disk is full")


@pytest.mark.parametrize("recorded_first", [True, False])
def test_the_look_is_recorded_before_anything_is_shown(log, monkeypatch, recorded_first):
    """Where the event cannot be committed nobody sees a value; the mutant, which shows first, has read it by then."""
    life(log)
    read: list[str] = []
    real: Callable = vaults.Persons.versions
    monkeypatch.setattr(vaults.Persons, "versions", lambda self, who: read.append(who) or real(self, who))
    monkeypatch.setattr(persons, "recorded", failing)
    with pytest.raises(DatabaseError):
        if recorded_first:
            look_up(log, lambda: judge(log), lambda: WHO, pseudonym="P-1", purpose="treatment")
        else:
            shown_first(log)
    assert bool(read) is not recorded_first


def shown_first(log: Log) -> None:
    """What look_up would be the other way round."""
    with reach(log) as way:
        way.vault.persons.refresh()
        json.dumps([version.clear for version in way.vault.persons.versions("P-1")])
    persons.recorded(log, judge(log), [])


def test_the_log_can_be_opened_and_goes_on_afterwards(log):
    """Rewriting the log's file changes nothing that the log says."""
    life(log)
    before = [entry.leaf for entry in log.entries()]
    gone(log)
    with Log.open(url(log.name), write=True) as again:
        assert [entry.leaf for entry in again.entries()][: len(before)] == before
        record(again, judge(again), body("wastage", narrative="more"))
        assert verify_log(again).state is State.SELF_CONSISTENT
