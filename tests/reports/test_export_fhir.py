"""Exported FHIR: every decision an AuditEvent, every event a Provenance, which come back from fhir.resources as they were written."""

from __future__ import annotations

import hashlib
import json
import sys

import orjson
import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from fhir.resources.R4B.patient import Patient
from fhir.resources.R4B.provenance import Provenance
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.bundles import Bundles
from compliance.domain.canonical import encode
from compliance.domain.making import event_from_log, make_event
from compliance.domain.time import parse_instant
from compliance.domain.vocabulary import KINDS
from compliance.errors import InputError
from compliance.exports.fhir import Fhir, audit_event, instant, patient, provenance
from compliance.exports.fhir_codes import Identifiers, action_of, named_information, type_of
from compliance.exports.made import Wanted, Written, make
from compliance.exports.walk import Asked, Judged
from compliance.ledger.entry import Entry
from compliance.ledger.log import Log
from compliance.new_folder import Folder
from tests.logs import url
from tests.recording import PRESSURE, body, bundle, drafts, fresh_log, put_in_force, record, void
from tests.reports.binders import CORRECTED_WASTAGE, PROPOSED, VOIDED_RECEIPT
from tests.valid_events import INSTANTS, bodies

CLASSES = {"AuditEvent": AuditEvent, "Provenance": Provenance, "Patient": Patient}


def ignored(*_):
    pass


def exported(log, folder, **asked):
    made = make(log, Bundles(log), Wanted("fhir", Asked(**asked), folder), Fhir, ignored)
    return made, {
        file.stem: [json.loads(line) for line in file.read_text().splitlines()]
        for file in folder.glob("*.ndjson")
    }


@pytest.fixture(scope="module")
def log(amended_fortnight):
    with Log.open(url(amended_fortnight)) as opened:
        yield opened


@pytest.fixture(scope="module")
def resources(log, tmp_path_factory):
    return exported(log, tmp_path_factory.mktemp("fhir") / "out")[1]


def details(resource):
    return {one["type"]: one["valueString"] for one in resource["entity"][0]["detail"]}


def again(resource):
    """Read by fhir.resources and written by it."""
    return json.loads(
        CLASSES[resource["resourceType"]].model_validate_json(json.dumps(resource)).model_dump_json()
    )


def test_what_is_exported_comes_back_as_it_was_written(resources):
    """Every fortieth resource of the fortnight, and some of all that are unusual, without a loss."""
    for found in resources.values():
        for resource in found[::40]:
            assert again(resource) == resource
    unusual = [one for one in resources["AuditEvent"] if one["action"] != "C" or one["outcome"] != "0"]
    for resource in unusual[::10]:
        assert again(resource) == resource


def test_every_decision_is_there_in_order_with_its_leaf(log, resources):
    """Entry, leaf hash, digests: whoever has the log's proof finds the entry."""
    judged = [entry for entry in log.entries() if entry.type in ("event", "rejudgement")]
    assert [one["id"] for one in resources["AuditEvent"]] == [f"entry-{entry.idx}" for entry in judged]
    assert [one["id"] for one in resources["Provenance"]] == [
        f"entry-{entry.idx}" for entry in judged if entry.type == "event"
    ]
    for resource, entry in zip(resources["AuditEvent"], judged, strict=True):
        said, document = details(resource), entry.document()
        assert said["leaf-sha256"] == hashlib.sha256(b"\0" + entry.body).hexdigest()
        assert said["verdict"] == resource["outcomeDesc"] == document["decision"]["verdict"]
        assert parse_instant(resource["recorded"]) == entry.recorded_us
        assert [
            one["what"]["identifier"]["value"] for one in resource["entity"] if one["type"]["code"] == "4"
        ] == [finding["rule"] for finding in document["decision"]["findings"]]
        if entry.type == "event":
            assert said["event-sha256"] == hashlib.sha256(encode(document["event"])).hexdigest()
            assert resource["agent"][0]["who"]["identifier"]["value"] == document["event"]["actor"]
            assert resource["agent"][0]["requestor"] is True


def test_nothing_clinical_leaves(log, resources):
    """No value of an event but who, where, when and which: not a dose, not a text, not a message."""
    told = {
        "id",
        "kind",
        "intent",
        "occurred_at",
        "site",
        "actor",
        "patient",
        "corrects",
        "overrides_event",
        "proposal",
    }
    written = orjson.dumps(resources)
    for entry in log.entries():
        if entry.kind in ("wastage", "adverse_event", "vital_signs", "security_incident"):
            event = entry.document()["event"]
            texts = [
                value
                for name, value in event.items()
                if name not in told and isinstance(value, str) and " " in value
            ]
            assert not [text for text in texts if text.encode() in written]
    assert b'"text"' not in written
    assert b"dose_mg" not in written
    assert b"systolic" not in written


@pytest.mark.parametrize(
    ("kind", "action", "activity", "role"),
    [
        ("correction", "U", "UPDATE", "revision"),
        ("void", "D", "NULLIFY", "removal"),
        ("override", "C", "CREATE", "source"),
    ],
)
def test_what_amends_says_what_it_goes_back_to(resources, kind, action, activity, role):
    """A correction revises, a void nullifies, an override goes back to what was asked."""
    events = {
        one["id"]: one
        for one in resources["AuditEvent"]
        if one["subtype"][0]["code"] == kind and len(one["subtype"]) == 1
    }
    assert {one["action"] for one in events.values()} == {action}
    made = [one for one in resources["Provenance"] if one["id"] in events]
    assert {one["activity"]["coding"][0]["code"] for one in made} == {activity}
    named = {
        entity["what"]["identifier"]["value"]
        for one in made
        for entity in one["entity"]
        if entity["role"] == role
    }
    assert {"correction": CORRECTED_WASTAGE, "void": VOIDED_RECEIPT, "override": PROPOSED}[kind] in named


@pytest.mark.parametrize(
    ("kind", "fields", "type_", "action"),
    [
        ("record_access", {"mode": "view"}, "entry", "R"),
        ("record_access", {"mode": "search"}, "110112", "E"),
        ("record_access", {"mode": "export"}, "110106", "R"),
        ("record_access", {"mode": "log_review"}, "110101", "R"),
        ("access_change", {}, "110113", "E"),
        ("security_incident", {}, "110113", "E"),
        ("order", {}, "110109", "C"),
        ("correction", {}, "entry", "U"),
        ("void", {}, "entry", "D"),
        ("administration", {"patient": "P1"}, "110110", "C"),
        ("wastage", {}, "entry", "C"),
    ],
)
def test_the_action_is_what_was_done(kind, fields, type_, action):
    """Who looked at records created none; DICOM PS3.15 A.5.3.2, .4, .10, .11 and .13 for the types that are DICOM's."""
    assert (type_of(kind, fields)["code"], action_of(kind, fields)) == (type_, action)


def test_every_way_of_access_has_an_action(resources):
    """Each mode of the vocabulary; and an export says it in its resources."""
    assert {
        action_of("record_access", {"mode": mode}) for mode in KINDS["record_access"].fields["mode"].values
    } == {"R", "E"}
    looked = [
        one
        for one in resources["AuditEvent"]
        if one["subtype"][0]["code"] == "record_access" and len(one["subtype"]) == 1
    ]
    assert looked
    assert {one["action"] for one in looked} <= {"R", "E"}


def test_types_and_outcomes(resources):
    """The coding system's own words where it has one; an outcome of 4 for what must not be."""
    of = {one["subtype"][0]["code"]: one["type"]["code"] for one in resources["AuditEvent"]}
    assert (of["order"], of["prescription"], of["access_change"]) == (
        "110109",
        "110109",
        "110113",
    )
    assert (of["administration"], of["wastage"]) == ("110110", "entry")
    for one in resources["AuditEvent"]:
        assert (one["outcome"] == "4") is (one["outcomeDesc"] in ("violation", "denied"))


def test_input_that_was_no_event_is_told_by_its_digest_alone(tmp_path):
    """A rejected line: its problems by code, nothing of what it held. A later judgement names what caused it."""
    with fresh_log(tmp_path) as log:
        made = bundle(PRESSURE)
        put_in_force(log, made)
        judge = Bundles(log).active()
        dose, late = (
            body("administration", "10:00", id="d1"),
            body("vital_signs", "09:55", id="v1", session="T1", systolic_mmhg=120),
        )
        record(
            log,
            judge,
            dose,
            *drafts([{"id": "bad", "kind": "administration", "dose_mg": "Mrs Quimby"}]),
            late,
            void(dose, "x1"),
        )
        done, found = exported(log, tmp_path / "out")
        _, some = exported(log, tmp_path / "some", kinds=("administration",))
    (refused,) = [one for one in found["AuditEvent"] if one["outcomeDesc"] == "rejected"]
    assert again(refused) == refused
    assert (refused["type"]["code"], refused["outcome"], refused["agent"][0]["requestor"]) == (
        "110107",
        "4",
        False,
    )
    assert "Quimby" not in json.dumps(found)
    assert "dose_mg" not in json.dumps(found)
    judged = [one for one in found["AuditEvent"] if one["action"] == "E"]
    assert [details(one)["cause"] for one in judged] == ["v1", "x1"]
    assert {one["entity"][0]["what"]["identifier"]["value"] for one in judged} == {"d1"}
    assert done.left_out == {"key": 1}
    assert [one["subtype"][0]["code"] for one in some["AuditEvent"]] == ["administration"] * 3


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_any_valid_event_is_lossless(data):
    """Of whatever kind, at whatever instant and offset, whatever its ids."""
    kind = data.draw(st.sampled_from(sorted(KINDS)))
    made = make_event(data.draw(bodies(kind)))
    if isinstance(made, tuple):
        return
    event = event_from_log(made.body, data.draw(st.integers(0, 2**52)), 7)
    judge = draft_decision()
    raw = encode(dict(event.body))
    entry = Entry(
        7,
        "event",
        event.recorded_at,
        event.id,
        kind,
        "S",
        None,
        None,
        event.occurred_at,
        "flagged",
        None,
        hashlib.sha256(raw).digest(),
        bytes(32),
        raw,
    )
    one = Judged(event, "as_sent", entry, judge, 7, judge)
    ids = Identifiers("clinic.example/a log")
    for resource in (audit_event(one, ids, {"r": ("A", "B")}), provenance(one, ids)):
        assert again(resource) == resource


def draft_decision():
    from compliance.domain.findings import Decision, Finding, Outcome, Severity, Verdict

    return Decision(
        Verdict.FLAGGED,
        (Finding("r", Outcome.FAIL, Severity.WARN, {}),),
        "sha256:" + "ab" * 32,
        "sha256:" + "cd" * 32,
        "durable",
    )


@given(INSTANTS)
def test_an_instant_stays_the_instant_that_it_is(text):
    """To the microsecond; and its offset stays where FHIR knows it."""
    written = instant(text)
    assert parse_instant(written) == parse_instant(text)
    assert instant(written) == written
    offset = text[-6:].upper()
    if offset[0] in "+-" and int(offset[1:3]) < 14 and offset[1:] != "00:00":
        assert written.endswith(offset)


def test_a_patient_says_what_the_vault_says():
    """Lossless, too; what has no code is left out."""
    clear = {
        "name": "Jane Doe",
        "birth_date": "1980-12-25",
        "sex": "Female",
        "address": "7 Elm Row",
        "phone": "555",
        "email": "j@x.example",
        "record_numbers": ["MRN 1"],
    }
    made = patient("P_1:x", clear, Identifiers("clinic.example/log"))
    assert again(made) == made
    assert (made["id"], made["gender"], made["identifier"][1]) == (
        "P.5f.1.3a.x",
        "female",
        {"value": "MRN 1"},
    )
    assert "gender" not in patient("P1", {"name": "x", "sex": "as on record"}, Identifiers("o"))


def test_a_digest_is_a_uri_of_rfc_6920():
    """The example of its section 8.1: the hash of "Hello World!"."""
    digest = "sha256:" + hashlib.sha256(b"Hello World!").hexdigest()
    assert named_information(digest) == "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk"


def test_a_resource_that_is_none_is_never_written(tmp_path, log):
    """The classes look at it first."""
    with Fhir(Folder(tmp_path), log, Bundles(log), Written()) as writing, pytest.raises(ValueError):
        writing._write({"resourceType": "AuditEvent", "id": "entry-1"})
    assert list(tmp_path.iterdir()) == []


def test_without_fhir_resources_the_extra_is_named(tmp_path, log, monkeypatch):
    """In words, and nothing is left."""
    monkeypatch.setitem(sys.modules, "fhir.resources.R4B.auditevent", None)
    with pytest.raises(InputError) as refused:
        exported(log, tmp_path / "out")
    assert "compliance-engine[fhir]" in refused.value.remedy
    assert list(tmp_path.iterdir()) == []
