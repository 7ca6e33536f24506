"""Names and words: in a binder only where they were asked for, and then the log says so first; and what else the log says of a binder."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from compliance.bundles import Bundles
from compliance.errors import InputError, LogError
from compliance.ledger.checkpoint import checkpoint
from compliance.ledger.log import Log
from compliance.ledger.rotation import rotate
from compliance.night_entries import NIGHTLY, append
from compliance.persons import Acting, Wanted, enter_all
from compliance.reports.binder.made import make
from compliance.reports.binder.release import GROUNDS
from tests.logs import SIGNER, url, without_guards
from tests.recording import body, bundle, correction, put_in_force, record, rule
from tests.reports.binders import Binder, entries, in_print, rows, verified, wanted
from tests.vaults import lose, traces, vaulted_log

JANE, MOVED = (
    {"name": "Jane Quimby-Doe", "address": "7 Elm Row, Tulsa"},
    {"name": "Jane Quimby-Doe", "address": "1 New Street, Tulsa"},
)
NURSE = {"name": "Zacharias Vontrapp"}
WORDS = "dropped the syringe when Mrs Quimby fainted"
DOSES, WASTAGE = (
    "30-receipts-and-dispositions/administrations.csv",
    "30-receipts-and-dispositions/wastage.csv",
)
TO = {"identities": True, "recipient": "DEA field division, ADDR-7", "purpose": "inspection"}
DOSE = {"site": "S1", "actor": "A1", "observer": "N1", "drug": "ketamine_inj_10mg_ml", "registration": "R1", "quantity": "2", "quantity_unit": "ml"}  # fmt: skip


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A log with a vault, in which two patients and a nurse are known; a third patient is not, and one dose was spilled."""
    path = tmp_path_factory.mktemp("vaulted") / "clinic.db"
    with vaulted_log(path) as log:
        made = bundle(rule("any", "administration", "true"))
        put_in_force(log, made)
        judge = Bundles(log).active()
        acting = Acting("A1", "S1")
        enter_all(log, judge, acting, [
            Wanted("patient", JANE, "2020-01-01", "P1"), Wanted("patient", MOVED, "2026-03-03", "P1"),
            Wanted("patient", {"name": "Ann Thirdperson", "address": "9 Oak"}, "2020-01-01", "P2"), Wanted("staff", NURSE, "2020-01-01", "N1"),
        ])  # fmt: skip
        spilled = body(
            "wastage",
            "12:00",
            id="w1",
            narrative=WORDS,
            **{name: DOSE[name] for name in DOSE if name != "observer"},
        )
        record(
            log, judge, body("site_profile", "06:00", site="S1", time_zone="America/Chicago"),
            *(body("administration", at, id=name, patient=patient, session=name, **DOSE) for name, at, patient in (
                ("d1", "09:00", "P1"), ("d2", "2026-03-05T09:00:00-06:00", "P1"), ("d3", "10:00", "P2"), ("d4", "11:00", "P3"),
            )),
            spilled, correction(spilled, "fix", ("quantity", "2", "1.5"), site="S1", actor="A1"),
        )  # fmt: skip
    return path


@pytest.fixture
def log(prepared, tmp_path):
    """A copy of its folder."""
    for file in prepared.parent.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
        (tmp_path / file.name).chmod(0o600)
    with Log.open(url(tmp_path / "clinic.db"), write=True) as opened:
        yield opened


def made(log, tmp_path, **more):
    folder = tmp_path / "out" / "b"
    folder.parent.mkdir(exist_ok=True)
    asked = wanted(folder, "S1", "2026-03-01", "2026-03-31", actor="A1", **more)
    return Binder(folder, make(log, Bundles(log), SIGNER, asked))


def since(log, idx):
    return [entry.document()["event"] for entry in log.entries(idx) if entry.type == "event"]


def test_without_being_asked_no_name_and_no_word_is_in_anything(log, tmp_path):
    """In no file, in no spelling, nor in the zip; the pseudonyms are, and where words lie is said."""
    before = log.size
    binder = made(log, tmp_path)
    held = [one for person in (JANE, MOVED, NURSE, {"name": "Ann Thirdperson"}) for one in person.values()]
    assert list(traces(binder.folder.parent, [*held, WORDS])) == []
    assert not [one for one in (*held, WORDS) if one in in_print(binder.folder)]
    assert {row["What happened"] for row in rows(binder.folder, WASTAGE)} == {"(text in the vault)"}
    assert {one["Patient"] for one in rows(binder.folder, DOSES)} == {"P1", "P2", "P3"}
    assert "Patient's name" not in rows(binder.folder, DOSES)[0]
    assert [one["kind"] for one in since(log, before)] == ["record_access"]
    assert verified(binder.folder).returncode == 0


def test_asked_for_names_and_addresses_are_those_of_the_day(log, tmp_path):
    """Of patients and of who gave the dose; words stand where the log has commitments; the script still finds it good, and says what it cannot show."""
    binder = made(log, tmp_path, **TO)
    named = {one["Event id"]: one for one in rows(binder.folder, DOSES)}
    assert (named["d1"]["Patient's name"], named["d1"]["Patient's address"]) == (
        JANE["name"],
        JANE["address"],
    )
    assert named["d2"]["Patient's address"] == MOVED["address"]
    assert named["d4"]["Patient's name"] == "not on record"
    assert named["d1"]["Name of who gave or watched it"] == NURSE["name"]
    assert named["d1"]["Patient"] == "P1"
    first, now = rows(binder.folder, WASTAGE)
    assert (first["Quantity"], now["Quantity"], now["Standing"]) == ("2", "1.5", "as corrected")
    assert first["What happened"] == now["What happened"] == WORDS
    assert "vault:sha256:" in json.dumps(entries(binder.folder)[int(now["Log entry"])])
    (why,) = rows(binder.folder, "80-changes/corrections.csv")
    assert why["Why"] == "typed wrongly"
    assert JANE["name"] in (binder.folder / DOSES.replace(".csv", ".html")).read_text()
    assert JANE["name"] in in_print(binder.folder)
    done = verified(binder.folder)
    assert done.returncode == 0, done.stdout
    assert "3 cells hold words from the clinic's vault" in done.stdout


def test_a_release_of_names_is_logged_as_a_disclosure_of_each_patient(log, tmp_path):
    """The look before anything is read, then the export with its digest, and to whom each patient's data went, on what ground."""
    before = log.size
    binder = made(log, tmp_path, **TO)
    look, export, *disclosures = since(log, before)
    assert (look["kind"], look["mode"], look["purpose"], look["row_count"]) == (
        "record_access",
        "view",
        "inspection",
        3,
    )
    assert (export["id"], export["sha256"], export["leaves_site"]) == (
        binder.made.event_id,
        binder.made.manifest,
        True,
    )
    assert sorted(one["patient"] for one in disclosures) == ["P1", "P2", "P3"]
    for one in disclosures:
        assert (one["kind"], one["recipient"], one["legal_ground"]) == (
            "disclosure",
            TO["recipient"],
            "health_oversight",
        )
        assert (one["concerns_event"], one["accountable"]) == (export["id"], True)


def test_a_copy_without_names_that_leaves_is_logged_too(log, tmp_path):
    """Once, with the export behind it; what is for the clinic itself counts in no accounting."""
    before = log.size
    made(log, tmp_path, recipient="REMS administrator, ADDR-R", ground="public_health")
    export, disclosure = since(log, before)
    assert (disclosure["concerns_event"], disclosure["legal_ground"], disclosure["accountable"]) == (
        export["id"],
        "public_health",
        True,
    )
    assert "patient" not in disclosure
    assert set(GROUNDS.values()) == {"health_oversight", "legal_process", "operations"}


def test_nothing_is_read_where_the_look_cannot_be_recorded(log, tmp_path):
    """Where the vault is lost nothing is made, and nothing is said to have been looked at; without names a binder can be made."""
    lose(log)
    before = log.size
    with pytest.raises(Exception, match="vault"):
        made(log, tmp_path, **TO)
    assert log.size == before
    assert list((tmp_path / "out").iterdir()) == []
    made(log, tmp_path)


def test_identities_of_a_log_without_a_vault(own_clinic, tmp_path):
    """There are none to be had, and it says how to get a vault."""
    with pytest.raises(InputError, match="no identity vault"):
        make(own_clinic, Bundles(own_clinic), SIGNER, wanted(tmp_path / "b", **TO))
    assert not (tmp_path / "b").exists()


def test_who_may_not_enter_it_may_not_make_it(own_clinic, tmp_path):
    """P-5226 handles stock and is a clinician; a witness who is nothing else may neither look nor disclose. Nothing is written then."""
    before = own_clinic.size
    for actor in ("SOMEBODY", "P-0000"):
        with pytest.raises(InputError, match="no account whose role may enter a record_access"):
            make(own_clinic, Bundles(own_clinic), SIGNER, wanted(tmp_path / "b", actor=actor))
    with pytest.raises(InputError, match="no account whose role may enter a disclosure"):
        make(
            own_clinic,
            Bundles(own_clinic),
            SIGNER,
            wanted(tmp_path / "b", actor="SVC-RECORDS", recipient="DEA"),
        )
    assert own_clinic.size == before
    assert not list(tmp_path.glob("*b.*ing")) + list(tmp_path.glob("b"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"site": "NOWHERE"}, "no event of a site"),
        ({"first": 800_000, "last": 799_999}, "before it begins"),
        ({"recipient": " "}, "cannot be recorded"),
        ({"since": b"hello"}, "the note does not end"),
    ],
)
def test_what_cannot_be_made_is_refused_and_nothing_is_left(own_clinic, tmp_path, change, says):
    """An unknown site, a period that runs backwards, a recipient that is none, what is no checkpoint."""
    asked = replace(wanted(tmp_path / "b", "MESA"), **change)
    before = own_clinic.size
    with pytest.raises(InputError, match=says):
        make(own_clinic, Bundles(own_clinic), SIGNER, asked)
    assert not list(tmp_path.glob("*b.*")) + list(tmp_path.glob("b"))
    assert own_clinic.size == before


def test_an_earlier_checkpoint_is_proved_to_be_continued(log, tmp_path):
    """By the same key, and across a change of it, of which the script tells."""
    old = checkpoint(log, SIGNER).encode()
    assert "continues the earlier checkpoint" in verified(made(log, tmp_path, since=old).folder).stdout
    key = tmp_path / "clinic.key"
    key.write_text(SIGNER.private_text())
    key.chmod(0o600)
    rotate(log, key)
    from compliance.ledger.keys import read_key

    folder = tmp_path / "out" / "later"
    asked = wanted(folder, "S1", "2026-03-01", "2026-03-31", actor="A1", since=old)
    make(log, Bundles(log), read_key(key), asked)
    done = verified(folder)
    assert done.returncode == 0
    assert "signed by an earlier key" in done.stdout


def test_the_last_nightly_report_s_checkpoint_is_continued(log, tmp_path):
    """Without a checkpoint being named: it was printed, so somebody may hold it."""
    size = log.size
    with log.writing() as batch:
        members = {
            "date": "2026-03-05",
            "edition": 1,
            "size": size,
            "root": log.root.hex(),
            "bundle": "sha256:",
            "new_from": 0,
            "report": "",
        }
        append(batch, NIGHTLY, {**members, "checkpoint": checkpoint(log, SIGNER)})
    done = verified(made(log, tmp_path).folder)
    assert f"The log continues the earlier checkpoint of {size} entries." in done.stdout
    assert done.returncode == 0


def test_a_checkpoint_of_a_fork_is_refused(log, tmp_path):
    """The log does not continue it: exit 3, nothing made."""
    from compliance.ledger.checkpoint import Checkpoint

    fork = SIGNER.sign(Checkpoint(SIGNER.name, 3, bytes(32)).text).encode()
    with pytest.raises(LogError, match="forked"):
        made(log, tmp_path, since=fork)
    assert list((tmp_path / "out").iterdir()) == []


def test_an_index_that_hides_an_event_is_found(log, tmp_path):
    """Rows of the index taken out: the entries say what is missing, and no binder is made without it."""
    path = tmp_path / "clinic.db"
    connection = without_guards(path)
    connection.execute("DELETE FROM event_key WHERE idx = ?", (log.by_event_id("d3"),))
    connection.close()
    with Log.open(url(path), write=True) as changed, pytest.raises(LogError, match="index"):
        made(changed, tmp_path)


def test_an_entry_that_was_changed_is_found(log, tmp_path):
    """Its hash is not that of the log, so that no proof is made for it."""
    path = tmp_path / "clinic.db"
    connection = without_guards(path)
    idx = log.by_event_id("d3")
    (content,) = connection.execute("SELECT body FROM entry WHERE idx = ?", (idx,)).fetchone()
    connection.execute(
        "UPDATE entry SET body = ? WHERE idx = ?",
        (bytes(content).replace(b'"quantity":"2"', b'"quantity":"3"'), idx),
    )
    connection.close()
    with Log.open(url(path), write=True) as changed, pytest.raises(LogError, match=f"entry {idx}"):
        made(changed, tmp_path)


def test_days_are_those_of_the_site(log, tmp_path):
    """A dose at 23:30 and one at 00:30 by the clock on the wall belong to two days, whatever offset they were sent with."""
    judge = Bundles(log).active()
    for name, at in (("late", "2026-03-11T04:30:00Z"), ("early", "2026-03-11T05:30:00Z")):
        record(log, judge, body("administration", at, id=name, patient="P1", session=name, **DOSE))
    folder = tmp_path / "out" / "day"
    folder.parent.mkdir()
    make(log, Bundles(log), SIGNER, wanted(folder, "S1", "2026-03-10", "2026-03-10", actor="A1"))
    assert [one["Event id"] for one in rows(folder, DOSES)] == ["late"]


def test_what_is_recorded_meanwhile_is_in_the_next(log, tmp_path):
    """The binder is of one size of the log: its own record is not in it, and is what seals it."""
    size = log.size
    binder = made(log, tmp_path)
    assert size - 1 <= max(entries(binder.folder)) < size
    assert log.by_event_id(binder.made.event_id) == size
