"""Events from JSON: what is let in, and what is said of the rest."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from compliance.domain.canonical import encode
from compliance.domain.conversion import exact_body, values_of
from compliance.domain.event import Event
from compliance.domain.events.models import model_of, quick_model_of
from compliance.domain.making import _quickly, event_from_log, make_event, stamp
from compliance.domain.quantity import NumberText
from compliance.domain.time import format_instant, parse_instant
from compliance.domain.vocabulary import KINDS, FieldSpec
from compliance.errors import Problem
from tests.valid_events import bodies

ENVELOPE = {"id": "E-1", "site": "SITE-A", "actor": "RN-1", "occurred_at": "2026-03-02T09:00:00-06:00"}
PRESENCE = ENVELOPE | {
    "kind": "presence", "shift": "S-1", "person": "MD-1", "duty": "prescriber", "on_premises": True,
    "arrived_at": "2026-03-02T08:00:00-06:00",
}  # fmt: skip
DOSE = ENVELOPE | {
    "kind": "administration", "patient": "P-1", "session": "T-1", "drug": "esketamine_nasal_28mg", "encounter_class": "outpatient",
    "route": "intranasal", "dose_mg": "28", "quantity": "1", "quantity_unit": "device",
}  # fmt: skip
COUNT = ENVELOPE | {
    "kind": "inventory_count", "count": "C-1", "registration": "REG-A", "count_type": "cycle", "complete": True,
    "lines": [
        {"drug": "ketamine_inj_50mg_ml", "quantity_per_container": "10", "containers": 3, "quantity": "28.50", "quantity_unit": "ml", "count_method": "exact"},
    ],
}  # fmt: skip


def made(body: Mapping[str, Any]) -> Event:
    event = make_event(body)
    assert isinstance(event, Event), event
    return event


def problems(body: Any, **options: Any) -> tuple[Problem, ...]:
    found = make_event(body, **options)
    assert isinstance(found, tuple)
    return found


def the_problem(body: Any) -> Problem:
    (problem,) = problems(body)
    return problem


def test_a_valid_event_has_engine_values() -> None:
    """Numbers are scaled, instants are microseconds, intent is filled in; the body stays as it was sent."""
    event = made(COUNT)
    assert event.body == COUNT
    assert event.values["intent"] == "performed" and not event.proposed
    assert event.occurred_at == event.values["occurred_at"] == parse_instant("2026-03-02T15:00:00Z")
    (line,) = event.values["lines"]
    assert line["quantity"] == 28_500_000 and line["containers"] == 3_000_000
    assert "lot" not in line and "recorded_at" not in event.values


@given(bodies())
def test_every_valid_event_is_let_in_and_survives_the_log(body: dict[str, Any]) -> None:
    """What the vocabulary allows is an event; stored as JSON and read back, it has the same values."""
    before = copy.deepcopy(body)
    if len(encode(body)) > 32 * 1024:
        return
    event = made(body)
    assert body == before
    stored = json.loads(encode(event.body))
    assert event_from_log(stored, 5, 7) == stamp(event, 5, 7)
    assert make_event(stored) == event


@given(bodies())
def test_values_mean_what_the_body_says(body: dict[str, Any]) -> None:
    """Each value is the exact number, point in time or day that its text names."""
    kind = body["kind"]
    _same_meaning(KINDS[kind].fields, body, values_of(kind, body))


def _same_meaning(
    fields: Mapping[str, FieldSpec], body: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    assert set(values) - {"intent"} == set(body) - {"intent"}
    for name, sent in body.items():
        spec, value = fields[name], values[name]
        if spec.type in {"decimal", "integer"}:
            assert Fraction(value, 10**6) == Fraction(Decimal(sent))
        elif spec.type == "instant":
            assert value == parse_instant(sent)
        elif spec.type == "date":
            assert date.fromordinal(value).isoformat() == sent
        elif spec.fields is not None:
            _same_meaning(spec.fields, sent, value)
        elif spec.element is not None:
            assert isinstance(value, tuple) and len(value) == len(sent)
            for item, converted in zip(sent, value, strict=True):
                _same_meaning({"item": spec.element}, {"item": item}, {"item": converted})
        else:
            assert value == sent


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=70), st.lists(st.integers(), max_size=2),
    st.sampled_from(["28 ", "", " ", "\x7f", "e\u0301", "\ud800", "a\x00b", "x" * 4001, "2026-02-30T10:00:00Z", "2026-02-30", "1e3", "NaN",
                     "2026-03-02T10:00:00", "1000000000", "0.0000001", "a b", "\u00a0", 10**9, -(10**9), 1.5, {}, [None], [{}], NumberText("28.0")]),
)  # fmt: skip


@given(bodies(), st.data())
def test_the_quick_look_never_lets_in_what_the_model_refuses(
    body: dict[str, Any], data: st.DataObject
) -> None:
    """Whatever one field is replaced with, the quick path agrees with the full model, and no input raises."""
    name = data.draw(st.sampled_from(sorted(KINDS[body["kind"]].fields)))
    if name != "kind":
        body[name] = data.draw(JUNK)
    exact = exact_body(body["kind"], body)
    quick = _quickly(body["kind"], exact)
    try:
        model_of(body["kind"]).__pydantic_validator__.validate_python(exact)
    except ValidationError:
        assert quick is None
    found = make_event(body)
    if quick is not None:
        assert isinstance(found, Event)
    if isinstance(found, tuple):
        assert all(problem.message and problem.remedy and problem.code for problem in found)


def test_plain_events_take_the_quick_path() -> None:
    """The quick path is taken by what is plainly in order; without it every event would be checked twice as long."""
    for body in (PRESENCE, DOSE, COUNT):
        assert _quickly(body["kind"], dict(body)) is not None


@given(bodies())
def test_models_are_frozen_and_closed(body: dict[str, Any]) -> None:
    """A model cannot be written to, and knows no other field."""
    model = model_of(body["kind"])
    event = model.model_validate(exact_body(body["kind"], body))
    with pytest.raises(ValidationError):
        event.site = "B"  # type: ignore[attr-defined]
    for checked in (model, quick_model_of(body["kind"])):
        with pytest.raises(ValidationError):
            checked.model_validate(body | {"no_such_field": 1})


@pytest.mark.parametrize(
    "number, text",
    [(28, "28"), (NumberText("28.50"), "28.50"), (NumberText("2.85e1"), "28.5"), ("2.85e1", "28.5"), (Decimal("28.50"), "28.50"),
     ("28.50", "28.50"), (-3, "-3")],
)  # fmt: skip
def test_decimals_keep_their_digits(number: Any, text: str) -> None:
    """A number or a text becomes text with the same digits; exponents are expanded."""
    event = made(DOSE | {"dose_mg": number})
    assert event.body["dose_mg"] == text
    assert Decimal(event.values["dose_mg"]) == Decimal(text) * 10**6


TABLE = [
    # (field, value, code, words of the message, words of the remedy)
    ("kind", "administation", "unknown_kind", "'administation'", "did you mean `administration`?"),
    ("kind", 7, "wrong_type", "the number 7", "quotes"),
    ("kind", None, "wrong_type", "null", "quotes"),
    ("sesion", "T-1", "unknown_field", "sesion is not a field of administration", "did you mean `session`?"),
    ("recorded_at", "2026-03-02T09:00:00Z", "set_by_log", "set by the log", "entered_at"),
    ("noted_at", "2026-03-02T09:00:00Z", "set_by_log", "derived", "leave it out"),
    ("corrects", "E-0", "unknown_field", "correction and void only", "correction"),
    ("id", "", "bad_value", "empty id", "give"),
    ("id", "a b", "bad_value", "a space at position 2", "A-Z"),
    ("id", "E\n", "bad_value", "position 2", "A-Z"),
    ("id", "x" * 65, "bad_value", "65 characters", "shorten"),
    ("id", 12, "wrong_type", "the number 12", "quotes"),
    ("occurred_at", "2026-02-30T10:00:00Z", "bad_value", "no day 2026-02-30", "check"),
    ("occurred_at", "2026-03-02T10:00:00", "bad_value", "no offset", "offset"),
    ("occurred_at", "2026-03-02T10:00-06:00", "bad_value", "no seconds", ":00"),
    ("occurred_at", 1772468400, "wrong_type", "the number 1772468400", "quotes"),
    ("intent", "Performed", "not_listed", "'Performed'", "did you mean `performed`?"),
    ("route", "nasal", "not_listed", "'nasal' is not a value of route", "intranasal"),
    ("route", 1, "wrong_type", "the number 1", "quotes"),
    ("drug", "esketamine_nasal_28", "not_listed", "drug list", "did you mean `esketamine_nasal_28mg`?"),
    ("drug", "aspirin", "not_listed", "drug list", "ketamine_inj_10mg_ml"),
    ("device_number", "1", "wrong_type", "text of 1 character, where a whole number", "without quotes"),
    ("device_number", True, "wrong_type", "true, where a whole number", "whole number"),
    ("device_number", NumberText("1.0"), "wrong_type", "the number 1.0", "without a point"),
    ("device_number", NumberText("9" * 5000), "wrong_type", "the number 9", "10^9"),
    ("device_number", 10**9, "bad_value", "not below 10^9", "check"),
    ("device_number", 10**5000, "bad_value", "not below 10^9", "check"),
    ("dose_mg", True, "wrong_type", "true, where a decimal", "decimal"),
    ("dose_mg", 28.5, "wrong_type", "where a decimal", "binary float"),
    ("dose_mg", "NaN", "bad_value", "NaN is not a number", "leave"),
    ("dose_mg", "28,5", "bad_value", "not a decimal number", "point"),
    ("dose_mg", "0.0000001", "bad_value", "more than 6 digits", "rounded"),
    ("dose_mg", 10**9, "bad_value", "not below 10^9", "unit"),
    ("dose_mg", NumberText("1e999999"), "bad_value", "not below 10^9", "unit"),
    ("dose_mg", None, "wrong_type", "null, where a decimal", "fill it in"),
    ("lot", None, "wrong_type", "null, where text", "leave the field out"),
    ("lot", "", "bad_value", "blank", "leave the field out"),
    ("lot", "   ", "bad_value", "blank", "leave the field out"),
    ("lot", " \t ", "bad_value", "blank", "leave the field out"),
    ("lot", "x" * 4001, "bad_value", "4001 characters", "shorten"),
    ("lot", "a\x00b", "bad_value", "U+0000) at position 2 of 3", "take it out"),
    ("lot", "a\x7f", "bad_value", "U+007F) at position 2", "take it out"),
    ("lot", "Ame\u0301lie", "bad_value", "NFC, from position 3 of 7", "normalise"),
    ("lot", "a\ud83d", "bad_value", "surrogate", "again"),
    ("lot", NumberText("1.5"), "wrong_type", "the number 1.5, where text", "quotes"),
    ("lot", ["a"], "wrong_type", "a list of 1, where text", "text"),
    ("lot", {}, "wrong_type", "a record, where text", "text"),
]  # fmt: skip


@pytest.mark.parametrize(
    "field, value, code, message, remedy", TABLE, ids=[f"{i}-{row[0]}" for i, row in enumerate(TABLE)]
)
def test_each_mistake_has_its_place_and_its_words(
    field: str, value: Any, code: str, message: str, remedy: str
) -> None:
    """One wrong field gives one problem: which field, what was found, what to do."""
    problem = the_problem(DOSE | {field: value})
    assert (problem.place.field, problem.code) == (field, code)
    assert message in problem.message
    assert remedy in problem.remedy
    assert len(problem.message) < 300


def test_all_problems_are_told_at_once() -> None:
    """Every wrong field of an event is reported, nested ones with their whole path."""
    body = copy.deepcopy(COUNT) | {"site": "a b", "complete": "yes", "colour": "red"}
    body["lines"].append(
        {
            "drug": "ketamine",
            "quantity": "x",
            "quantity_unit": "l",
            "containers": 1,
            "count_method": "exact",
            "lott": "1",
        }
    )  # type: ignore[attr-defined]
    del body["registration"]
    found = {problem.place.field: problem.code for problem in problems(body)}
    assert found == {
        "site": "bad_value",
        "complete": "wrong_type",
        "colour": "unknown_field",
        "registration": "missing",
        "lines[1].drug": "not_listed",
        "lines[1].quantity": "bad_value",
        "lines[1].quantity_unit": "not_listed",
        "lines[1].quantity_per_container": "missing",
        "lines[1].lott": "unknown_field",
    }


def test_an_event_of_unknown_kind_is_still_checked_as_far_as_possible() -> None:
    """The envelope's mistakes are told together with that of the kind."""
    found = problems(
        {"kind": "vital_sings", "id": "E 1", "occurred_at": "today", "bogus": 1, "site": "S", "actor": "A"}
    )
    assert [problem.place.field for problem in found] == ["kind", "id", "occurred_at"]
    assert found[0].remedy == "did you mean `vital_signs`?"


def test_a_missing_kind_is_named() -> None:
    """Without a kind nothing else can be known."""
    assert problems({})[0].message == "the kind of event is missing"


@pytest.mark.parametrize("value", [None, [], "text", 3, True])
def test_what_is_no_object_is_no_event(value: Any) -> None:
    """Only a JSON object can be an event."""
    assert the_problem(value).code == "wrong_type"


def test_a_kind_that_is_about_no_drug_takes_none() -> None:
    """`drug` is refused where the kind is not about one drug."""
    assert (
        the_problem(PRESENCE | {"drug": "ketamine_inj_10mg_ml"}).message == "presence is not about one drug"
    )


def test_kinds_need_what_the_envelope_use_says() -> None:
    """Patient, session and drug of an administration, corrects and reason of a void, cannot be left out."""
    for name in ("patient", "session", "drug"):
        assert the_problem({n: v for n, v in DOSE.items() if n != name}).place.field == name
    void = ENVELOPE | {"kind": "void", "reason_code": "duplicate"}
    assert {problem.place.field for problem in problems(void)} == {"corrects", "reason"}
    assert made(void | {"corrects": "E-0", "reason": "typed twice"})


def test_the_site_zone_must_be_one() -> None:
    """Without a known zone nobody could say which day it is at the site."""
    site = ENVELOPE | {
        "kind": "site_profile",
        "address_ref": "A",
        "state": "TX",
        "holds_stock": True,
        "time_zone": "America/Chicgo",
    }
    assert the_problem(site).remedy == "did you mean `America/Chicago`?"
    assert made(site | {"time_zone": "America/Chicago"})


def test_a_wrong_check_digit_is_recordable() -> None:
    """A DEA number is judged by a rule; the event is let in."""
    body = ENVELOPE | {
        "kind": "registration", "registration": "R", "dea_number": "AP5836728", "holder_kind": "own_site", "business_activity": "hospital_clinic",
        "schedules": ["3N"], "status": "active", "effective_on": "2025-01-01", "expires_on": "2028-01-01", "state": "TX",
    }  # fmt: skip
    assert made(body)


@pytest.mark.parametrize("field", ["lot", "patient", "narrative", "drug_note"])
def test_free_text_is_never_repeated(field: str) -> None:
    """Names slip into any text field; no message about texts or ids shows their words."""
    secret = "Erika Mustermann\x01 " * 300
    for problem in problems(DOSE | {field: secret}):
        assert "Erika" not in str(problem)


def test_long_inputs_are_cut_in_messages() -> None:
    """What may be repeated is cut at 60 characters, and an endless list of mistakes at 50."""
    body = (
        DOSE | {"route": "r" * 100_000, "occurred_at": "2" * 100_000} | {f"field_{n}": n for n in range(500)}
    )
    found = problems(body)
    assert len(found) == 51
    assert found[-1].message.endswith("more problems")
    assert all(len(str(problem)) < 500 for problem in found)


def test_an_event_is_at_most_32_kib() -> None:
    """The limit counts the bytes of the canonical JSON."""
    wastage = ENVELOPE | {
        "kind": "wastage", "drug": "ketamine_inj_10mg_ml", "cause": "residue", "quantity": "1", "quantity_unit": "ml", "narrative": "🙂" * 4000,
    }  # fmt: skip
    room = 32 * 1024 - len(encode(wastage | {"reason": "", "source": "", "method": "other"}))
    fits = wastage | {"method": "other", "reason": "🙂" * 3900, "source": "x" * (room - 3900 * 4)}
    assert len(encode(fits)) == 32 * 1024
    assert made(fits)
    problem = the_problem(fits | {"source": fits["source"] + "x"})
    assert (problem.code, problem.place.field) == ("too_large", None)
    assert "32769 bytes" in problem.message


def test_plain_events_have_the_same_limit() -> None:
    """An event of plain ASCII, which is looked at quickly, is as long at most."""
    lines = COUNT["lines"]
    assert isinstance(lines, list)
    most = (32 * 1024 - len(encode(COUNT))) // (len(encode(lines[0])) + 1) + 1
    assert made(COUNT | {"lines": lines * most})
    assert the_problem(COUNT | {"lines": lines * (most + 1)}).code == "too_large"


def test_narratives_may_have_lines() -> None:
    """Tab and line ends are layout, not control characters."""
    assert made(PRESENCE | {"reason": "first\r\nsecond\tcolumn"})


def test_case_files_may_say_when_the_log_took_it() -> None:
    """There, and only there, recorded_at may be given and instants may leave out :00."""
    body = PRESENCE | {"recorded_at": "2026-03-02T10:00-06:00", "arrived_at": "2026-03-02T08:00-06:00"}
    assert {problem.place.field for problem in problems(body)} == {"recorded_at", "arrived_at"}
    event = make_event(body, recorded_at_allowed=True)
    assert isinstance(event, Event)
    assert format_instant(event.recorded_at or 0) == "2026-03-02T16:00:00Z"
    assert event.noted_at == event.recorded_at
    assert "recorded_at" not in event.body and event.body["arrived_at"] == PRESENCE["arrived_at"]
    (problem,) = problems(body | {"recorded_at": "soon"}, recorded_at_allowed=True)
    assert problem.place.field == "recorded_at"


def test_noted_at_is_entered_at_or_else_recorded_at() -> None:
    """Lateness is judged by when the source system took it, as it claims."""
    taken = parse_instant("2026-03-03T00:00:00Z")
    assert stamp(made(PRESENCE), taken, 3).noted_at == taken
    entered = stamp(made(PRESENCE | {"entered_at": "2026-03-02T15:01:00Z"}), taken, 3)
    assert entered.noted_at == parse_instant("2026-03-02T15:01:00Z")
    assert (entered.recorded_at, entered.position, entered.values["recorded_at"]) == (taken, 3, taken)


def test_problems_carry_source_and_line() -> None:
    """The caller's file and line stand in every place."""
    (problem,) = problems(DOSE | {"route": "x"}, source="day.ndjson", line=17)
    assert str(problem.place) == "day.ndjson:17: route"
