"""What the log offers to whoever enters an event: handles that fit what was said, and no people."""

from __future__ import annotations

import pytest

from compliance.domain.vocabulary import KINDS
from compliance.ledger.history import LogHistory
from compliance.recent import MOST, OFFERED, known_ndcs, recent, sites, zone_of
from tests.logs import empty_log
from tests.recording import body, judge, record

ZONE = "America/Chicago"
ESKETAMINE = "esketamine_nasal_28mg"
KETAMINE = "ketamine_inj_10mg_ml"


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """A morning: two patients, three vials of which one is empty."""
    log = empty_log(tmp_path_factory.mktemp("recent") / "clinic.db")
    vial = {"kind": "container_status", "site": "S1", "drug": KETAMINE, "lot": "K1", "status": "opened"}
    record(
        log, judge("MONITORED"),
        body("site_profile", "07:00", site="S1", time_zone=ZONE),
        body("site_profile", "07:05", site="S2", time_zone="America/Denver"),
        body("administration", "09:00", id="d1", site="S1", patient="P1", session="T1", drug=ESKETAMINE, lot="E1", observer="Jane Doe"),
        body("administration", "09:10", id="d2", site="S1", patient="P2", session="T2", drug=ESKETAMINE, lot="E2"),
        body("administration", "09:20", id="d3", site="S2", patient="P3", session="T3", drug=ESKETAMINE, lot="E3"),
        body(at="08:00", container="V1", **vial), body(at="08:10", container="V2", **vial), body(at="08:20", container="V3", **vial),
        body(at="10:00", container="V2", **{**vial, "status": "empty"}),
        *(body("vital_signs", f"1{n}:30", site="S1", patient="P9", session=f"R{n}") for n in range(9)),
        body("product", "07:10", site="S1", drug_code=KETAMINE, ndc_raw="99990-010-01", ndc_format="5-3-2", ndc11="99990001001"),
        body("product", "07:11", site="S1", drug_code=KETAMINE, ndc_raw="99990-011-01", ndc_format="5-3-2"),
        body("product", "07:12", site="S1", drug_code=KETAMINE, ndc_raw="nonsense", ndc_format="5-3-2"),
    )  # fmt: skip
    with log:
        yield LogHistory(log)


@pytest.mark.parametrize(
    ("field", "said", "offered"),
    [
        ("session", {"kind": "discharge", "site": "S1", "patient": "P1"}, ["T1"]),
        (
            "session",
            {"kind": "vital_signs", "site": "S1", "patient": "P9"},
            [f"R{n}" for n in range(8, 2, -1)],
        ),
        ("session", {"kind": "discharge", "site": "S1", "patient": "P7"}, []),
        ("lot", {"kind": "wastage", "site": "S1"}, ["K1", "E2", "E1"]),
        ("lot", {"kind": "wastage", "site": "S1", "drug": ESKETAMINE}, ["E2", "E1"]),
        ("lot", {"kind": "wastage", "site": "S2"}, ["E3"]),
        ("container", {"kind": "wastage", "site": "S1"}, ["V3", "V1"]),
        ("container", {"kind": "wastage", "site": "S1", "lot": "K2"}, []),
        ("administration_event", {"kind": "wastage", "site": "S1"}, ["d2", "d1"]),
        ("administration_event", {"kind": "wastage", "site": "S1", "session": "T1"}, ["d1"]),
        ("explanation_event", {"kind": "discrepancy", "site": "S1"}, []),
        ("order", {"kind": "order", "site": "S1", "patient": "P1"}, []),
        ("observer", {"kind": "administration", "site": "S1", "patient": "P1"}, []),
        ("patient", {"kind": "administration", "site": "S1"}, []),
        ("lot", {"kind": "wastage"}, []),
    ],
)
def test_what_is_offered(history, field, said, offered):
    found = recent(history, field, said, ZONE)
    assert list(found) == offered
    assert len(found) <= MOST


def test_an_offer_says_which_event_named_it(history):
    said = {"kind": "discharge", "site": "S1", "patient": "P1"}
    assert recent(history, "session", said, ZONE) == {"T1": "administration, 2026-03-02 09:00"}


def test_people_are_never_offered():
    staff = {
        "patient",
        "observer",
        "witness",
        "person",
        "subject",
        "signer",
        "prescriber",
        "actor",
        "party",
        "counted_by",
    }
    assert not OFFERED & staff


def test_no_kind_has_a_closed_list_in_a_field_that_is_offered():
    """There, choices are shown instead."""
    offered = [spec for kind in KINDS.values() for name, spec in kind.fields.items() if name in OFFERED]
    assert {spec.type for spec in offered} == {"text", "id"}


def test_sites_and_their_zones(history):
    assert sites(history) == ["S2", "S1"]
    assert (zone_of(history, "S2"), zone_of(history, "S9")) == ("America/Denver", None)


def test_ndcs_of_the_drug_list_and_of_products(history):
    known = known_ndcs(history)
    assert known["50458002802"] == {ESKETAMINE}
    assert known["99990001001"] == known["99990001101"] == {KETAMINE}
    assert len(known) == 5
