"""Reports to a state's monitoring programme: what stands where, what is missing, what was reported before; read back by another reader."""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path

import pytest

from compliance.bundles import Bundles
from compliance.domain.time import format_instant
from compliance.errors import DatabaseError, InputError
from compliance.exports.asap import _control
from compliance.exports.asap_elements import ELEMENTS, NEVER, ORDER
from compliance.ledger.log import Head, Log
from compliance.persons import Acting, Wanted, enter_all
from tests.logs import ORIGIN, url
from tests.recording import body, correction, void
from tests.reports.pdmp import (
    JANE,
    ON,
    RX,
    dispensed,
    element,
    enter,
    prepare,
    registration,
    report,
    reported,
    segments,
)
from tests.vaults import lose, traces, vaulted_log


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    path = tmp_path_factory.mktemp("pdmp") / "clinic.db"
    with vaulted_log(path) as log:
        prepare(log)
    return path


@pytest.fixture
def log(prepared, tmp_path):
    for file in prepared.parent.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
        (tmp_path / file.name).chmod(0o600)
    (tmp_path / "out").mkdir()
    with Log.open(url(tmp_path / "clinic.db"), write=True) as opened:
        yield opened


@pytest.fixture
def file(tmp_path):
    return tmp_path / "out" / "pdmp.dat"


def gaps(file):
    return json.loads(file.with_name(file.name + ".gaps.json").read_text())


def read(file):
    found = segments(file.read_text())
    return found, {one[0]: one for one in found}


def test_a_dispense_is_a_record(log, file):
    """Each value where the standard has it."""
    enter(log, dispensed())
    made = report(log, file)
    found, by = read(file)
    assert [one[0] for one in found] == ["TH", "IS", "PHA", "PAT", "DSP", "PRE", "TP", "TT"] == list(ORDER)
    assert (by["TH"][1], by["TH"][3], by["TH"][7], by["TH"][9]) == ("4.2A", "01", "P", "~")
    assert by["PHA"][3] == "FC1234563"
    assert by["PAT"][7:21] == [
        "Quimby-Doe", "Jane", "Ann", "", "", "7 Elm Row, Apt 4", "", "Tulsa", "TX", "741011234", "9185550100", "19801225", "F", "01",
    ]  # fmt: skip
    assert by["DSP"][1:14] == [
        "00", "RX-1", "20260301", "2", "20260302", "0", "06", "99999999999", "4.5", "12", "01", "05", "00",
    ]  # fmt: skip
    assert element(by["DSP"], 17) == "20260302"
    assert (by["PRE"][2:4], by["PRE"][5:7]) == (["BV7654321", "A7"], ["Vontrapp", "Zacharias"])
    assert made.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def counted(found):
    """TP01 and TT02 as somebody counts who reads the file."""
    start = 0
    for idx, one in enumerate(found):
        if one[0] == "PHA":
            start = idx
        if one[0] == "TP":
            assert int(one[1]) == idx - start + 1
    assert found[-1] == ["TT", found[0][2], str(len(found))]


def test_counts_and_groups(log, file):
    """Every dispenser is a group with its own trailer; the file's trailer counts all."""
    enter(log, registration("REG-2", "FC0000000", holder_kind="own_site", holder="S1"), *(
        dispensed(id=f"d{number}", registration=f"REG-{number % 2 + 1}") for number in range(5)
    ))  # fmt: skip
    report(log, file)
    found, _ = read(file)
    counted(found)
    assert [one[3] for one in found if one[0] == "PHA"] == ["FC0000000", "FC1234563"]
    assert [one[0] for one in found].count("DSP") == 5


def test_nothing_dispensed_is_a_zero_report(log, file):
    """For each registration of the clinic's own; who is on record is not read, and the log says that it was made."""
    size = log.size
    made = report(log, file)
    found, by = read(file)
    counted(found)
    assert made.zero
    assert (by["IS"][3], by["PHA"][3], by["PAT"][7:9], by["DSP"][5]) == (
        "#20260302#-#20260302#",
        "FC1234563",
        ["REPORT", "ZERO"],
        "20260302",
    )
    (told,) = [entry.document()["event"] for entry in log.entries(size)]
    assert (told["kind"], told["mode"], told["row_count"], told["sha256"]) == (
        "record_access",
        "export",
        0,
        made.sha256,
    )


def test_a_dose_at_the_site_is_no_dispense(log, file):
    """Nor is what was only proposed."""
    enter(log, body("administration", "09:00", patient="P1", **ON), dispensed(id="asked", intent="proposed"))
    assert report(log, file).zero


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"registration": None}, {"PHA03"}),
        ({"registration": "REG-X"}, {"PHA03"}),
        ({"days_supply": None}, {"DSP10"}),
        ({"patient": "P9"}, {"PAT07", "PAT08", "PAT12", "PAT14", "PAT15", "PAT16", "PAT18", "PAT19", "DSP03", "DSP04", "PRE02", "PRE05", "PRE06"}),
        ({"prescription": "RX-2"}, {"DSP03", "DSP04", "PRE02", "PRE05", "PRE06"}),
        ({"drug": "ketamine_inj_50mg_ml", "quantity_unit": "ml"}, {"DSP08"}),
    ],
)  # fmt: skip
def test_a_record_that_lacks_something_is_listed_and_not_written(log, file, change, missing):
    """With what would mend it; the good one beside it goes on."""
    enter(log, dispensed(id="good"), dispensed(id="bad", **change))
    made = report(log, file)
    assert [one.dispensed.event.id for one in made.written] == ["good"]
    (lacking,) = gaps(file)["not_written"]
    assert lacking["event"] == "bad"
    assert {one["element"] for one in lacking["missing"]} == missing
    assert all(one["remedy"] for one in lacking["missing"])
    assert b"bad" not in file.read_bytes()


def test_no_record_that_is_complete_makes_no_file(log, file):
    """Only the list; a report without records would say that nothing was dispensed."""
    enter(log, dispensed(days_supply=None))
    made = report(log, file)
    assert (made.sha256, made.control, file.exists()) == (None, None, False)
    assert len(gaps(file)["not_written"]) == 1


def test_the_ndc_is_that_of_the_lot(log, file):
    """Two products of a drug: the receipt of the lot says which."""
    vial = {"drug": "ketamine_inj_50mg_ml", "quantity_unit": "ml"}
    products = [
        body("product", "06:30", id=f"p{code}", drug_code=vial["drug"], ndc11=code, **ON)
        for code in ("11111111111", "22222222222")
    ]
    came = body(
        "receipt",
        "06:40",
        id="came",
        lot="L1",
        ndc11="22222222222",
        quantity="10",
        accepted=True,
        **vial,
        **ON,
    )
    enter(
        log,
        *products,
        came,
        dispensed(id="with", lot="L1", **vial),
        dispensed(id="without", lot="L2", **vial),
    )
    report(log, file)
    _, by = read(file)
    assert by["DSP"][7:9] == ["01", "22222222222"]
    assert by["DSP"][11] == "02"
    assert [one["element"] for one in gaps(file)["not_written"][0]["missing"]] == ["DSP08"]


@pytest.mark.parametrize(
    ("after", "status", "left_out"),
    [
        ([], "00", {}),
        (["report"], None, {"reported already": 1}),
        (["refused"], "00", {}),
        (["correct"], "00", {}),
        (["report", "correct"], "01", {}),
        (["correct", "report"], None, {"reported already": 1}),
        (["report", "correct", "report"], None, {"reported already": 1}),
        (["report", "void"], "02", {}),
        (["report", "correct", "void"], "02", {}),
        (["report", "void", "report"], None, {"reported already": 1}),
        (["void"], None, {"void, and never reported": 1}),
    ],
)  # fmt: skip
def test_what_was_reported_before_decides_what_is_reported_now(log, file, after, status, left_out):
    """New, revised, void, or nothing: as the log tells what the state has."""
    first = dispensed()
    enter(log, first)
    for number, what in enumerate(after):
        at = f"1{number}:00"
        if what == "correct":
            entry = correction(first, f"c{number}", ("days_supply", 12, 10), at=at, **ON)
        elif what == "void":
            entry = void(first, f"v{number}", at=at, **ON)
        else:
            entry = reported("disp1", at, accepted=what == "report")
        enter(log, entry)
    made = report(log, file)
    if status is None:
        assert (dict(made.left_out), made.written) == (left_out, ())
        assert made.zero is ("void" in after)
        return
    _, by = read(file)
    assert by["DSP"][1] == status
    # The state finds a record that is void by what was reported; a revised one has what stands.
    assert by["DSP"][10] == ("10" if "correct" in after and status != "02" else "12")


def test_what_is_mended_after_its_day_is_reported_by_when_it_was_mended(log, file, tmp_path):
    """The day of the correction has the revision; another day has nothing of it."""
    first = dispensed()
    now = log.now()
    enter(log, first, reported("disp1"), correction(first, "c1", ("days_supply", 12, 10), at="20:00", **ON))
    assert report(log, file, "2026-04-01T00:00:00Z", "2026-04-02T00:00:00Z").zero
    made = report(log, tmp_path / "late.dat", format_instant(now), "2027-01-01T00:00:00Z")
    assert [one.dispensed.status for one in made.written] == ["01"]


def test_the_look_is_in_the_log_before_and_the_file_after(log, file):
    """Who read the names and for what; then the digest of the file, which leaves."""
    enter(log, dispensed())
    size = log.size
    made = report(log, file)
    look, done = (entry.document()["event"] for entry in log.entries(size))
    assert (look["mode"], look["row_count"], look["purpose"], look["leaves_site"]) == (
        "view",
        1,
        "operations",
        True,
    )
    assert (done["mode"], done["row_count"], done["sha256"]) == ("export", 1, made.sha256)
    assert list(traces(file.parent, [JANE["address"], "Quimby"], leave_out=[file])) == []
    assert "Quimby" not in json.dumps([entry.document() for entry in log.entries()])


def test_without_the_vault_nothing_is_made(log, file):
    """Names come from nowhere else, and nobody is said to have looked."""
    enter(log, dispensed())
    lose(log)
    size = log.size
    with pytest.raises(DatabaseError, match="vault"):
        report(log, file)
    assert (list(file.parent.iterdir()), log.size) == ([], size)


def test_never_over_another_file(log, file):
    """Neither the report nor its list; nobody looked at a name for it."""
    enter(log, dispensed())
    report(log, file)
    before, size = file.read_bytes(), log.size
    with pytest.raises(InputError, match="exists already"):
        report(log, file)
    file.rename(file.with_name("kept"))
    with pytest.raises(InputError, match=r"gaps\.json exists already"):
        report(log, file)
    assert (file.with_name("kept").read_bytes(), log.size) == (before, size)


def test_the_control_number_is_the_logs(log, tmp_path):
    """The same state and question: the same number; another state: another."""
    enter(log, dispensed())
    out = tmp_path / "out"
    assert (
        _control("o", Head(1, b"r", 0), "w")
        == _control("o", Head(1, b"r", 9), "w")
        != _control("o", Head(2, b"r", 0), "w")
    )
    first, second = report(log, out / "a"), report(log, out / "b")
    assert first.control != second.control
    assert (len(first.control), first.control.isdigit()) == (12, True)


def test_sites_of_several_states(log, file):
    """A report goes to one state, with its sites alone."""
    enter(
        log,
        body(
            "site_profile",
            "05:00",
            id="profile-2",
            site="S2",
            actor="A1",
            state="AZ",
            time_zone="America/Phoenix",
        ),
        dispensed(),
        dispensed(id="there", site="S2"),
    )
    with pytest.raises(InputError, match="AZ and TX"):
        report(log, file)
    with pytest.raises(InputError, match="no site lies in NY"):
        report(log, file, state="NY")
    with pytest.raises(InputError, match="no profile of S7"):
        report(log, file, sites=("S7",))
    made = report(log, file, state="TX", test=True)
    assert [one.dispensed.event.id for one in made.written] == ["disp1"]
    assert read(file)[1]["TH"][7] == "T"


def test_what_is_never_filled_is_told(log, file):
    """Every element that nothing on record can fill stands in the list."""
    enter(log, dispensed())
    report(log, file)
    assert [one["element"] for one in gaps(file)["never_filled"]] == [one.ref for one in NEVER]
    assert {"PHA01", "DSP14", "PRE01", "CDI03", "AIR"} <= {one.ref for one in NEVER}
    found, _ = read(file)
    for one in found:
        assert not [
            ref
            for ref in (f"{one[0]}{number:02}" for number in range(1, len(one)) if one[number])
            if ref not in ELEMENTS or ELEMENTS[ref] in NEVER
        ]


def test_the_documentation_has_every_element():
    """docs/exports.md, with what it means, whether a record needs it, and where it comes from."""
    said = (Path(__file__).parents[2] / "docs/exports.md").read_text()
    for one in ELEMENTS.values():
        marks = f"{'yes' if one.required else ''} | {'recalled' if one.recalled else ''}"
        assert f"| {one.ref} | {one.says} | {one.comes_from or 'nothing on record'} | {marks} |" in said


def test_who_sends_it(log, file, tmp_path):
    """As it was said; else the site stands there, and the gaps say so. What no element can hold is refused."""
    enter(log, dispensed())
    report(log, file)
    assert read(file)[1]["IS"][1:3] == [ORIGIN, ORIGIN]
    assert [one["element"] for one in gaps(file)["stand_ins"]] == ["IS01", "IS02"]
    said = tmp_path / "out" / "said.dat"
    report(log, said, sender="SND-7", sender_name="Lakeside Clinic")
    assert read(said)[1]["IS"][1:3] == ["SND-7", "Lakeside Clinic"]
    assert gaps(said)["stand_ins"] == []
    for wrong in ({"sender": "a*b"}, {"sender": ""}, {"sender_name": "x~"}):
        with pytest.raises(InputError, match="no element can hold"):
            report(log, tmp_path / "out" / "wrong.dat", **wrong)


@pytest.mark.parametrize(
    ("since", "last_name", "later"),
    [
        (("2026-03-02", "2026-06-01"), "First", False),
        (("2020-01-01", "2026-03-02"), "Second", False),
        (("2026-03-03", "2026-06-01"), "First", True),
    ],
)
def test_who_the_patient_was_on_the_day(log, file, since, last_name, later):
    """The version that held then; a later one only where none did, and then the gaps list what comes from it."""
    judge = Bundles(log).active()
    for name, day in zip(("First", "Second"), since, strict=True):
        enter_all(
            log, judge, Acting("A1", "S1"), [Wanted("patient", {**JANE, "name": f"{name}, Jane"}, day, "P3")]
        )
    enter(log, body("prescription", "07:00", **{**RX, "id": "rx3", "prescription": "RX-3", "patient": "P3"}))
    enter(log, dispensed(patient="P3", prescription="RX-3"))
    report(log, file)
    assert read(file)[1]["PAT"][7] == last_name
    (record,) = gaps(file)["written"]
    named = ["PAT07", "PAT08", "PAT12", "PAT14", "PAT15", "PAT16", "PAT17", "PAT18", "PAT19"]
    assert record["from_a_later_identity"] == (named if later else [])
