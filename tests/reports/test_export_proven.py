"""What a log does not prove is not exported: forged values, entries that are gone or hidden, in every form."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from compliance.bundles import Bundles
from compliance.errors import LogError
from compliance.exports.csv_tables import CsvTables
from compliance.exports.fhir import Fhir
from compliance.exports.made import Wanted, make
from compliance.exports.parquet_tables import ParquetTables
from compliance.exports.release import Purpose
from compliance.exports.tables import Tables
from compliance.exports.walk import Asked
from compliance.ledger.log import Log
from compliance.persons import Acting
from tests.logs import put_guards_back, url, without_guards
from tests.recording import body
from tests.reports.pdmp import ON, dispensed, enter, prepare, report
from tests.vaults import vaulted_log

FORMS = {"csv": Tables.into(CsvTables), "parquet": Tables.into(ParquetTables), "fhir": Fhir}
WHERE = "WHERE event_id = 'disp1'"
ASKED = Asked(kinds=("vital_signs",), since=1_772_000_000_000_000)


def forged(connection, *, leaf=False):
    """The quantity of a dispense, one digit for another; with `leaf` the hash of the entry as well."""
    (raw,) = connection.execute(f"SELECT body FROM entry {WHERE}").fetchone()
    raw = raw.replace(b'"quantity":"4.5"', b'"quantity":"9.5"')
    connection.execute(f"UPDATE entry SET body = ? {WHERE}", (raw,))
    if leaf:
        connection.execute(f"UPDATE entry SET leaf = ? {WHERE}", (sha256(b"\0" + raw).digest(),))


def forged_with_its_leaf(connection):
    forged(connection, leaf=True)


def dropped(connection):
    connection.execute(f"DELETE FROM entry {WHERE}")


def hidden(connection):
    """The bytes are right; whoever looks for a dispense does not find it."""
    connection.execute(f"UPDATE entry SET kind = 'discharge' {WHERE}")


def moved(connection):
    connection.execute(f"UPDATE entry SET site = 'S2' {WHERE}")


def not_found_by_key(connection):
    connection.execute(f"DELETE FROM event_key WHERE idx = (SELECT idx FROM entry {WHERE})")


TAMPERED: list[tuple[str, Callable[..., None]]] = [
    *((form, one) for form in ("csv", "asap") for one in (forged, dropped, not_found_by_key)),
    *(("csv", one) for one in (forged_with_its_leaf, hidden, moved)),
    ("parquet", forged),
    ("fhir", forged),
]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    path = tmp_path_factory.mktemp("proven") / "clinic.db"
    with vaulted_log(path) as log:
        prepare(log)
        enter(log, dispensed(), body("vital_signs", "09:30", patient="P1", systolic_mmhg=120, **ON))
    return path


@pytest.fixture
def path(prepared, tmp_path):
    for file in prepared.parent.iterdir():
        shutil.copy2(file, tmp_path / file.name)
    (tmp_path / "out").mkdir()
    return tmp_path / "clinic.db"


def exported(log, form, purpose=None):
    out = Path(log.name).parent / "out"
    if form == "asap":
        return report(log, out / "pdmp.dat")
    wanted = Wanted(form, ASKED, out / "new", purpose)
    return make(log, Bundles(log), wanted, FORMS[form], lambda *_: None)


def refused(path, form, purpose=None):
    """The log does not verify, and nothing is left behind: no file, and no entry in the log."""
    with Log.open(url(path), write=True) as log:
        size = log.size
        with pytest.raises(LogError, match="does not verify") as problem:
            exported(log, form, purpose)
        assert (list((path.parent / "out").iterdir()), log.size) == ([], size)
    assert "compliance log verify" in problem.value.remedy


@pytest.mark.parametrize(("form", "tamper"), TAMPERED)
def test_what_the_log_does_not_prove_is_not_handed_out(path, form, tamper):
    """Even where something else is asked for; the refusal has the exit code of `log verify`, and nothing is left."""
    connection = without_guards(path)
    tamper(connection)
    put_guards_back(connection)
    refused(path, form)


@pytest.mark.parametrize("form", ["csv", "asap"])
def test_what_it_proves_is(path, form):
    """The same log untouched: the guard does not refuse all."""
    with Log.open(url(path), write=True) as log:
        size = log.size
        assert exported(log, form).head.size == size


def test_nobody_is_said_to_have_exported_it(path):
    """With a purpose: the log that does not verify is not written to."""
    connection = without_guards(path)
    forged(connection)
    put_guards_back(connection)
    refused(path, "csv", Purpose.new(Acting("A1", "S1"), "operations", leaves_site=True))
