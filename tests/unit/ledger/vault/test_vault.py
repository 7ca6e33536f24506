"""A vault as a file: made once, opened by its log with its key, bound row by row."""

from __future__ import annotations

import os
import stat

import pytest
from sqlalchemy import select, update

from compliance.errors import DatabaseError, InputError
from compliance.ledger.log import Log
from compliance.ledger.vault import Vault, mark, name_of, reach, unnamed
from compliance.ledger.vault.crypto import SealBroken
from compliance.ledger.vault.persons import name_key, record_number_key
from compliance.ledger.vault.site_key import VARIABLE, create_site_key, read_site_key
from compliance.ledger.vault.tables import METADATA, TEXT
from tests.logs import empty_log, url
from tests.vaults import vaulted, vaulted_log


@pytest.fixture
def log(home, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "site.key"))
    with vaulted(home.url) as log:
        yield log


@pytest.fixture
def in_a_file(tmp_path):
    with vaulted_log(tmp_path / "log.db") as log:
        yield log


@pytest.fixture
def vault(log):
    with reach(log) as way:
        way.vault.persons.refresh()
        yield way.vault


def entered(vault, pseudonym, clear, event="E"):
    version, salt = vault.persons.new_version(pseudonym, clear, "2026-03-02", 1, event)
    vault.commit(lambda: vault.persons.store(version, salt, "patient", [("record_number", "7")]))
    return version


def sql(vault, statement):
    return vault._store.sql(statement)


def test_vault_and_key_are_for_their_owner_alone(tmp_path, in_a_file):
    """Both files may be read by nobody else; the vault is a STRICT, write-ahead database that overwrites what it deletes."""
    for name in ("log.db.vault", "log.db.vault.key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    with reach(in_a_file) as way:
        assert sql(way.vault, "PRAGMA journal_mode") == [("wal",)]
        strict = {name: flag for _, name, _, _, _, flag in sql(way.vault, "PRAGMA table_list")}
        assert all(strict[table] == 1 for table in METADATA.tables)
        assert sql(way.vault, "PRAGMA secure_delete") == [(1,)]
        assert sql(way.vault, "PRAGMA synchronous") == [(2,)]


def test_a_vault_is_never_overwritten(log):
    """A second one at the same place is refused, and so is one whose key file is there; nothing is left behind then."""
    with pytest.raises(InputError, match="has an identity vault"):
        Vault.create(log.url)


def test_a_key_that_is_there_is_kept(tmp_path):
    """Making a vault fails where its key's file exists, and takes its own file away again."""
    (tmp_path / "log.db.vault.key").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        Vault.create(url(tmp_path / "log.db"))
    assert [file.name for file in tmp_path.iterdir()] == ["log.db.vault.key"]
    assert (tmp_path / "log.db.vault.key").read_text() == "mine"


def test_a_key_that_did_not_reach_the_disk_is_taken_away(tmp_path, monkeypatch):
    """Where the disk fails while a site key is written, no part of one is left to be taken for a key."""

    def failing(descriptor):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(DatabaseError, match="disk failed"):
        create_site_key(tmp_path / "site.key")
    assert not list(tmp_path.iterdir())


def test_a_missing_key_is_told_with_its_remedy(tmp_path, log):
    """The key's own file is named."""
    (tmp_path / "site.key").unlink()
    with reach(log) as way, pytest.raises(DatabaseError, match=r"site\.key.*is not there"):
        _ = way.vault


@pytest.mark.parametrize(
    "text", ["", "compliance-vault-key-v1 00", "x " + "0" * 64, "compliance-vault-key-v1 " + "g" * 64]
)
def test_a_damaged_key_is_told(tmp_path, log, text):
    """What is no key is not taken for one."""
    (tmp_path / "site.key").write_text(text)
    with reach(log) as way, pytest.raises(DatabaseError, match="no site key"):
        _ = way.vault


def test_a_key_that_everybody_may_read_is_refused(tmp_path, log):
    """The permissions are looked at before the key is used."""
    (tmp_path / "site.key").chmod(0o644)
    with reach(log) as way, pytest.raises(DatabaseError, match="everybody") as told:
        _ = way.vault
    assert "chmod 600" in told.value.remedy


def test_the_key_may_lie_elsewhere(tmp_path, monkeypatch):
    """COMPLIANCE_VAULT_KEY names its file."""
    elsewhere = tmp_path / "usb" / "site.key"
    elsewhere.parent.mkdir()
    monkeypatch.setenv(VARIABLE, str(elsewhere))
    with vaulted_log(tmp_path / "log.db") as log, reach(log) as way:
        assert way.vault.name == name_of(log)
    assert len(read_site_key(elsewhere)) == 32
    assert not (tmp_path / "log.db.vault.key").exists()


def test_another_sites_key_does_not_open_it(tmp_path, log):
    """A wrong key is found when the vault is opened, before anything is written."""
    (tmp_path / "site.key").unlink()
    create_site_key(tmp_path / "site.key")
    with reach(log) as way, pytest.raises(SealBroken):
        _ = way.vault


def test_another_logs_vault_is_not_taken(tmp_path, in_a_file):
    """Vault and key of another log fit each other, and not this one."""
    other = tmp_path / "other"
    other.mkdir()
    vaulted_log(other / "log.db").close()
    for name in ("log.db.vault", "log.db.vault.key"):
        (other / name).rename(tmp_path / name)
    with reach(in_a_file) as way, pytest.raises(DatabaseError, match="another log"):
        _ = way.vault


def test_a_vault_of_another_version_is_refused(tmp_path, log, vault):
    """It says which version it is."""
    sql(vault, "UPDATE state SET version = 2")
    with reach(log) as way, pytest.raises(DatabaseError, match="version 2"):
        _ = way.vault


def test_a_log_without_a_vault_has_none(tmp_path):
    """Nothing is looked for on disk then."""
    with empty_log(tmp_path / "log.db") as log, reach(log) as way:
        assert way is None


def test_a_log_that_gets_a_vault_later_names_it(tmp_path):
    """The entry is found by its key, and a vault that nobody named yet is found on disk."""
    with empty_log(tmp_path / "log.db") as log:
        assert unnamed(log.url) is None
        made = Vault.create(log.url)
        made.close()
        found = unnamed(log.url)
        assert found.name == made.name
        with log.writing() as batch:
            mark(batch, found)
        found.close()
        assert name_of(log) == made.name
    with Log.open(url(tmp_path / "log.db")) as log:
        assert name_of(log) == made.name


def test_persons_are_found_by_what_nobody_can_read(vault):
    """A record number leads to its person through a keyed digest."""
    version = entered(vault, "P-1", {"name": "Jane Quimby"})
    assert vault.persons.found("record_number", "7") == ["P-1"]
    assert vault.persons.found("record_number", "8") == []
    assert vault.persons.found("name", "7") == []
    (read,) = vault.persons.versions("P-1")
    assert (read.clear, read.commitment, read.handle) == (version.clear, version.commitment, version.handle)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE version SET pseudonym = 'P-2' WHERE pseudonym = 'P-1'",
        "UPDATE version SET handle = 'ID-x' WHERE pseudonym = 'P-1'",
        "UPDATE version SET valid_from = '1999-01-01' WHERE pseudonym = 'P-1'",
        "UPDATE version SET sealed = (SELECT sealed FROM version WHERE pseudonym = 'P-2') WHERE pseudonym = 'P-1'",
        "UPDATE person SET wrapped = (SELECT wrapped FROM person WHERE pseudonym = 'P-2') WHERE pseudonym = 'P-1'",
        "UPDATE version SET sealed = (SELECT wrapped FROM person WHERE pseudonym = 'P-1') WHERE pseudonym = 'P-1'",
    ],
)
def test_an_identity_copied_to_another_row_is_refused(log, vault, change):
    """Whoever may write to the file cannot give one person the name of another."""
    entered(vault, "P-1", {"name": "Jane Quimby"})
    entered(vault, "P-2", {"name": "John Other"}, "F")
    sql(vault, change)
    with reach(log) as way, pytest.raises(SealBroken):
        way.vault.persons.refresh()
        way.vault.persons.versions("P-1")
        way.vault.persons.versions("P-2")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE text SET owner = 'P-2' WHERE event = 'E1'",
        "UPDATE text SET sealed = (SELECT sealed FROM text WHERE event = 'E2') WHERE event = 'E1'",
        "UPDATE text SET sealed = (SELECT sealed FROM version) WHERE event = 'E1'",
    ],
)
def test_a_text_copied_to_another_row_is_refused(log, vault, change):
    """Texts are bound to their event and their person."""
    entered(vault, "P-1", {"name": "Jane Quimby"})
    vault.texts.begin()
    vault.texts.commit("E1", "P-1", "reason", "one")
    vault.texts.commit("E2", "P-2", "reason", "two")
    vault.commit()
    sql(vault, change)
    with reach(log) as way, pytest.raises(SealBroken):
        way.vault.persons.refresh()
        way.vault.texts.begin()
        way.vault.texts.of("E1")


def test_a_flipped_byte_of_any_sealed_value_is_found(log, vault):
    """Each byte of keys, identities and texts counts."""
    entered(vault, "P-1", {"name": "J"})
    vault.texts.begin()
    vault.texts.commit("E1", "P-1", "reason", "one")
    vault.commit()
    for table, column in (
        ("person", "wrapped"),
        ("version", "sealed"),
        ("text", "sealed"),
        ("state", "sealed"),
    ):
        changed = METADATA.tables[table]
        good = bytes(vault._store.row(select(changed.c[column]))[0])
        for at in range(0, len(good), 7):
            bad = good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1 :]
            vault._store.run(update(changed).values({column: bad}))
            with reach(log) as way, pytest.raises(SealBroken):
                way.vault.persons.refresh()
                way.vault.persons.versions("P-1")
                way.vault.texts.begin()
                way.vault.texts.of("E1")
        vault._store.run(update(changed).values({column: good}))


def test_what_was_not_committed_is_forgotten(log, vault):
    """Keys and texts that wait are gone with the batch."""
    vault.texts.begin()
    vault.texts.commit("E1", "P-1", "reason", "one")
    vault.texts.begin()
    vault.persons.refresh()
    vault.commit()
    assert vault._store.rows(select(TEXT)) == []
    assert vault.persons.known() == []


def test_a_batch_reads_its_rows_at_once(vault):
    """More rows than one query takes are found, and none is mistaken for another."""
    names = [f"E{number}" for number in range(1203)]
    vault.texts.begin(names)
    commitments = {name: vault.texts.commit(name, "P-1", "reason", f"said {name}") for name in names}
    vault.commit()
    vault.texts.begin(names)
    assert all(vault.texts.clear(name, commitments[name]) == f"said {name}" for name in names)
    assert len(set(commitments.values())) == len(names)


@pytest.mark.parametrize(("one", "other"), [("MRN 00-417", "mrn00417"), ("ＭＲＮ１", "mrn1"), (" 7 ", "7")])
def test_record_numbers_are_found_however_they_are_written(one, other):
    """Case, spaces, hyphens and full-width forms do not matter."""
    assert record_number_key(one) == record_number_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Jane Quimby-Doe", "QUIMBY DOE, Jane"), ("José Núñez", "jose nunez"), ("A  B", "B A")]
)
def test_names_are_found_however_they_are_written(one, other):
    """Order, case and marks do not matter; the birth date does."""
    assert name_key(one, "1961-04-05") == name_key(other, "1961-04-05")
    assert name_key(one, "1961-04-05") != name_key(one, "1961-04-06")
