"""Late entries, corrections and voids: what is news on a day, how late it came, what it changed; and nothing that was entered in time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compliance.engine.judging import Judge
from compliance.reports.page import Level
from compliance.reports.sections.late import late
from tests.recording import body, bundle, correction, fresh_log, put_in_force, record, rule, void
from tests.reports.nights import night_of

HEART = rule("heart", "vital_signs", "has(event.heart_rate_bpm) && event.heart_rate_bpm > 40")
STOCK = rule(
    "s3-rec-current-25", "receipt", "event.noted_at - event.occurred_at <= param.max_delay",
    parameters={"max_delay": {"tighten": "down", "values": [{"from": "2000-01-01", "value": "12h", "cites": "test"}]}},
)  # fmt: skip
PROFILE = body("site_profile", "2025-10-01T09:00:00-06:00")
DAY = "2026-03-03"


def vitals(event_id, at, entered, rate=71, **fields):
    return body("vital_signs", at, id=event_id, entered_at=entered, heart_rate_bpm=rate, **fields)


def night_with(*events, rules=(HEART,), date=DAY, **changes):
    """The section on a day of a log with these events; `changes` are of the night."""
    made = bundle(*rules)
    with fresh_log() as log:
        put_in_force(log, made)
        record(log, Judge(made), PROFILE, *events)
        night = night_of(log, date, "S1")
        return late(replace(night, **{name: value(log) for name, value in changes.items()}))


ENTRIES = (
    # when it occurred, when it was entered, with a reason, late by
    ("2026-03-03T09:00:00-06:00", "2026-03-03T09:00:30-06:00", None, None),
    ("2026-03-03T09:00:00-06:00", "2026-03-03T18:00:00-06:00", None, None),
    ("2026-03-03T09:00:00-06:00", "2026-03-03T10:00:00-06:00", "typed in later", None),
    ("2026-03-03T09:00:00-06:00", "2026-03-03T10:00:01-06:00", "typed in later", "1 h 0 min 1 s"),
    ("2026-03-02T23:40:00-06:00", "2026-03-03T00:40:00-06:00", None, None),
    ("2026-03-02T23:30:00-06:00", "2026-03-03T00:30:01-06:00", None, "1 h 0 min 1 s"),
    ("2026-03-02T09:00:00-06:00", "2026-03-03T09:00:00-06:00", None, "1 d"),
    ("2026-02-02T09:00:00-06:00", "2026-03-03T10:00:00-06:00", "found on paper", "29 d 1 h"),
    ("2026-03-03T09:00:00-06:00", "2026-03-04T09:00:01-06:00", None, None),  # of the next day's report
)


@pytest.mark.parametrize(("at", "entered", "reason", "expected"), ENTRIES)
def test_an_entry_is_late_by_when_it_was_noted(at, entered, reason, expected):
    """After longer than a day; or after more than an hour, on a later day or with a reason. It is news on the day on which it was noted."""
    given = {} if reason is None else {"reason": reason}
    section = night_with(vitals("V", at, entered, **given))
    assert [item.values["late"] for item in section.items] == ([] if expected is None else [expected])
    assert reason is None or reason not in str(section), "free text stays where it is"
    if expected is not None:
        (row,) = section.tables[0].rows
        assert (row[2], row[7], row[8]) == ("V", expected, "not given" if reason is None else "given")


def test_who_is_too_late_without_a_reason_must_add_one():
    """Beyond what is allowed something is to be done; within it, or with a reason, it is only said."""
    beyond = vitals("beyond", "2026-03-02T09:00:00-06:00", "2026-03-03T10:00:00-06:00")
    excused = vitals("excused", "2026-03-02T09:00:00-06:00", "2026-03-03T10:00:00-06:00", reason="power cut")
    within = vitals("within", "2026-03-02T22:00:00-06:00", "2026-03-03T08:00:00-06:00")
    section = night_with(beyond, excused, within)
    assert [(item.event, item.level) for item in section.items] == [
        ("beyond", Level.ACTION), ("excused", Level.NOTICE), ("within", Level.NOTICE),
    ]  # fmt: skip
    assert section.items[0].title == "vital signs beyond was entered 1 d 1 h late by A1, without a reason."
    assert "Add as a correction why" in section.items[0].todo and not section.items[1].todo


def test_how_long_is_allowed_is_the_policies_to_say():
    """The parameter of the library's rule is taken for every kind of entry."""
    events = [vitals("V", "2026-03-02T19:00:00-06:00", "2026-03-03T08:00:00-06:00")]
    assert [item.level for item in night_with(*events).items] == [Level.NOTICE]
    strict = night_with(*events, rules=(HEART, STOCK))
    same_day = vitals("V", "2026-03-03T00:30:00-06:00", "2026-03-03T12:31:00-06:00")
    assert not night_with(same_day).items and night_with(same_day, rules=(HEART, STOCK)).items
    assert [(item.level, item.values["longest allowed"]) for item in strict.items] == [
        (Level.ACTION, "12 h 0 min")
    ]


@pytest.mark.parametrize(
    "event",
    [
        body("adverse_event", "2026-03-02T20:00:00-06:00", known_at="2026-03-03T09:00:00-06:00", entered_at="2026-03-03T09:05:00-06:00"),
        body("presence", "2026-03-02T22:00:00-06:00", arrived_at="2026-03-02T22:00:00-06:00", left_at="2026-03-03T06:00:00-06:00", entered_at="2026-03-03T06:01:00-06:00"),
        body("administration", "2026-03-02T23:00:00-06:00", completed_at="2026-03-03T00:20:00-06:00", entered_at="2026-03-03T00:21:00-06:00"),
        body("administration", "2026-03-02T22:30:00-06:00", completed_at="2026-03-02T23:59:30-06:00", entered_at="2026-03-03T00:00:30-06:00"),
        body("vital_signs", "2026-03-03T08:00:00-06:00", intent="proposed", entered_at="2026-03-03T12:00:00-06:00", reason="asked late"),
        body("session_stop", "2026-03-03T09:00:00-06:00", patient="PT1", reason="a child is ill", entered_at="2026-03-03T11:00:00-06:00"),
    ],
    ids=["known later", "a night shift", "over later", "over before midnight", "proposed", "a reason for something else"],
)  # fmt: skip
def test_nobody_is_late_who_could_not_have_been_earlier(event):
    """What took long, or came to be known later, counts from then."""
    assert night_with(event).items == ()


def test_what_was_taken_over_is_not_late():
    """An event from before the log began, without a claim of when it was entered, is an import; with one it is late by that."""
    taken = {"kind": "vital_signs", "at": "2026-01-02T09:00:00-06:00"}
    assert night_with(body(**taken), date="2026-03-02").items == ()
    assert (
        len(night_with(body(**taken, entered_at="2026-03-02T09:00:00-06:00"), date="2026-03-02").items) == 1
    )


def test_what_was_recorded_since_the_last_report_is_news():
    """An upload of entries that were noted days ago is told in the first report after it, the older ones too; where there was no report yet, only
    the day's own."""
    noted_long_ago = vitals("upload", "2026-02-20T09:00:00-06:00", "2026-02-22T09:00:00-06:00")
    from_paper = vitals("paper", "2025-02-20T09:00:00-06:00", "2026-02-22T09:00:00-06:00")
    on_the_day = vitals("own", "2026-03-01T09:00:00-06:00", "2026-03-03T09:00:00-06:00")
    events = [noted_long_ago, from_paper, on_the_day]

    def named(new_from):
        return {item.event for item in night_with(*events, new_from=new_from).items}

    assert named(lambda log: log.by_event_id("upload")) == {"upload", "paper", "own"}
    assert named(lambda log: log.by_event_id("paper")) == {"paper", "own"}
    assert named(lambda log: 0) == named(lambda log: log.size) == {"own"}


# ---- corrections and voids


def amended(*changes, kind="vital_signs", **fields):
    """The item on a correction of one event, and the section."""
    target = body(
        kind, "2026-03-03T09:00:00-06:00", id="target", entered_at="2026-03-03T09:01:00-06:00", **fields
    )
    made = correction(
        target,
        "C",
        *changes,
        at="2026-03-03T10:00:00-06:00",
        entered_at="2026-03-03T10:00:20-06:00",
        actor="N1",
        approved_by="M1",
    )
    section = night_with(target, made)
    return section.items[0], section


@pytest.mark.parametrize(
    ("changes", "fields", "kind", "said"),
    [
        ([("heart_rate_bpm", 17, 71)], {"heart_rate_bpm": 17}, "vital_signs", "heart_rate_bpm from 17 to 71"),
        ([("spo2_percent", None, "97.50")], {}, "vital_signs", "spo2_percent from nothing to 97.50"),
        ([("symptoms", ["none"], ["seizure", "dyspnoea"])], {"symptoms": ["none"]}, "vital_signs", "symptoms from none to seizure, dyspnoea"),
        ([("acceptable", True, False)], {"acceptable": True}, "vital_signs", "acceptable from yes to no"),
        ([("reason", None, "Mrs Miller called")], {}, "vital_signs", "reason (text)"),
        ([("narrative", "spilt by Tom", "spilt")], {"narrative": "spilt by Tom"}, "wastage", "narrative (text)"),
        ([("witness", None, "N2"), ("lot", "L1", "L2")], {"lot": "L1"}, "wastage", "witness from nothing to N2; lot from L1 to L2"),
        ([("trials", None, [{"treatment": "Tom", "kind": "drug"}])], {}, "evaluation", "trials (text)"),
    ],
)  # fmt: skip
def test_a_correction_says_what_it_changed_and_never_a_text(changes, fields, kind, said):
    """Field by field with old and new value; of free text, and of records that may hold some, only that they changed."""
    item, section = amended(*changes, kind=kind, **fields)
    assert item.title == f"N1 corrected {kind.replace('_', ' ')} target: {said}."
    assert (item.values["entered by"], item.values["approved by"], item.values["reason"]) == (
        "N1",
        "M1",
        "given",
    )
    assert not {"Tom", "Miller", "typed wrongly"} & set(str(section).replace("'", " ").split())
    (row,) = section.tables[1].rows
    assert (row[2], row[4], row[5], row[10]) == ("C", "target", kind, said)


def test_a_changed_verdict_is_told_with_the_entry_that_says_so():
    """What was judged again because of a correction or void stands right behind it in the log."""
    target = vitals("target", "2026-03-03T09:00:00-06:00", "2026-03-03T09:01:00-06:00")
    worse = correction(
        target,
        "C1",
        ("heart_rate_bpm", 71, 17),
        at="2026-03-03T10:00:00-06:00",
        entered_at="2026-03-03T10:00:00-06:00",
    )
    better = correction(
        target,
        "C2",
        ("heart_rate_bpm", 17, 61),
        at="2026-03-03T11:00:00-06:00",
        entered_at="2026-03-03T11:00:00-06:00",
    )
    gone = void(target, "V", at="2026-03-03T12:00:00-06:00", entered_at="2026-03-03T12:00:00-06:00")
    section = night_with(target, worse, better, gone)
    assert [(item.level, item.values["judged again"]) for item in section.items] == [
        (Level.ACTION, "target: compliant to violation"),
        (Level.NOTICE, "target: violation to compliant"),
        (Level.NOTICE, "target: compliant to voided"),
    ]
    assert [len(item.entries) for item in section.items] == [3, 3, 3]
    assert section.items[2].title == "A1 voided vital signs target."
    assert section.summary == "2 corrections were made, 1 event was voided."


def test_what_a_late_entry_changed_is_told_too():
    """A reading that was missing makes another judgement of what came after it."""
    measured = rule(
        "measured",
        "discharge",
        "pressure != null",
        given={"pressure": {"latest": "vital_signs", "by": ["session"]}},
    )
    left = body("discharge", "2026-03-02T11:00:00-06:00", id="left", entered_at="2026-03-02T11:00:00-06:00")
    reading = vitals(
        "reading",
        "2026-03-02T10:00:00-06:00",
        "2026-03-03T11:30:00-06:00",
        session="T1",
        reason="waited on paper",
    )
    (item,) = night_with(left, reading, rules=(measured,)).items
    assert item.values["judged again"] == "left: violation to compliant"


def test_a_correction_of_what_is_not_there_is_told_as_it_is():
    """It names the id; of a field that no kind has, nothing is quoted."""
    at = "2026-03-03T10:00:00-06:00"
    stray = correction(
        {"id": "nobody"}, "C", ("lot", None, "L1"), ("nickname", None, "Tom"), at=at, entered_at=at
    )
    (item,) = night_with(stray).items
    assert item.title == "A1 corrected nobody: lot from nothing to L1; nickname (text)."


PLANTED = {
    "2026-03-03": ["S-0303-2210.correction"],
    "2026-03-05": [],
    "2026-03-06": ["S-0306-5077.vital_signs.2"],
    "2026-03-09": ["S-0309-6139.void"],
    "2026-03-12": [],
}


@pytest.mark.parametrize("date", PLANTED)
def test_each_late_entry_of_the_demonstration_is_told_on_its_day(clinic, date):
    """The correction, the reading that waited on paper and the void of the double entry; on other days nothing."""
    section = late(night_of(clinic, date))
    assert [item.event for item in section.items] == PLANTED[date]
    assert (section.level is Level.GOOD) == (not section.items)
