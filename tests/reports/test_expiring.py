"""What has expired and is still in use, and what will: each case a holder of its own in one log, looked at on the night of 2026-03-05."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compliance.engine.judging import Judge
from compliance.reports.page import Level
from compliance.reports.sections.expiring import expiring
from tests.recording import body, bundle, correction, fresh_log, put_in_force, record, rule, void
from tests.reports.nights import night_of

ANY = rule(
    "s3-disp-prompt-60",
    "administration",
    "true",
    cites=[{"source": "21 CFR 1317.05(a)", "at": "(b)", "read": "2026-11-22"}],
)
NIGHT = "2026-03-05"
EARLY = "2026-01-05T09:00:00-06:00"
LATER = "2026-02-05T09:00:00-06:00"


def credential(person, until=None, at=EARLY, **fields):
    dated = {} if until is None else {"valid_until_on": until}
    return body("credential", at, person=person, number=f"N-{person}", **dated, **fields)


def works(person, ended=None, at=EARLY, **fields):
    end = {} if ended is None else {"ended_at": ended}
    return body("employment", at, person=person, registration=f"R-{person}", **end, **fields)


def registration(handle, until="2026-03-04", at=EARLY, **fields):
    return body(
        "registration",
        at,
        registration=f"R-{handle}",
        holder=handle,
        dea_number=f"D-{handle}",
        expires_on=until,
        **fields,
    )


def access(person, at=EARLY, **fields):
    return body("access_change", at, subject=person, **fields)


def check(equipment, at=LATER, **fields):
    return body("equipment_check", at, equipment=equipment, item="emergency_drugs", **fields)


def dose(patient, at=LATER, **fields):
    return body("administration", at, patient=patient, session=f"T-{patient}", **fields)


def va(patient, until, at=EARLY, **fields):
    return body("patient_enrollment", at, patient=patient, program="va_care", valid_until_on=until, **fields)


WRONG = credential("wrong-date", "2026-03-01", id="wrong-date")
MISTAKEN = credential("not-renewed", "2028-03-01", LATER, id="not-renewed")

# Holder, what the log says, and how it is named: level and the end of the title; None where it is not.
CASES = (
    ("expired-yesterday", [credential("expired-yesterday", "2026-03-04")], (Level.ALARM, "expired on 2026-03-04, 1 day ago.")),
    ("last-day", [credential("last-day", "2026-03-05")], (Level.ACTION, "expires on 2026-03-05, today.")),
    ("thirty", [credential("thirty", "2026-04-04")], (Level.ACTION, "expires on 2026-04-04, in 30 days.")),
    ("thirty-one", [credential("thirty-one", "2026-04-05")], (Level.NOTICE, "expires on 2026-04-05, in 31 days.")),
    ("ninety", [credential("ninety", "2026-06-03")], (Level.NOTICE, "expires on 2026-06-03, in 90 days.")),
    ("ninety-one", [credential("ninety-one", "2026-06-04")], None),
    ("no-end", [credential("no-end")], None),
    ("renewed", [credential("renewed", "2026-03-01"), credential("renewed", "2028-03-01", LATER)], None),
    ("not-yet-known", [credential("not-yet-known", "2026-03-01"), credential("not-yet-known", "2028-03-01", "2026-03-06T00:00:00-06:00")], (Level.ALARM, "4 days ago.")),
    ("wrong-date", [WRONG, correction(WRONG, "C-wrong", ("valid_until_on", "2026-03-01", "2028-03-01"))], None),
    ("not-renewed", [credential("not-renewed", "2026-03-01"), MISTAKEN, void(MISTAKEN, "V-mistaken")], (Level.ALARM, "4 days ago.")),
    ("suspended", [credential("suspended", "2028-03-01"), credential("suspended", "2028-03-01", LATER, status="suspended")], (Level.ALARM, "is suspended since 2026-02-05T09:00:00-06:00.")),
    ("revoked", [credential("revoked", status="revoked")], (Level.ALARM, "is revoked since 2026-01-05T09:00:00-06:00.")),
    ("withdrawn", [credential("withdrawn", "2026-03-01", status="withdrawn")], None),
    ("has-left", [works("has-left", "2026-02-27T18:00:00-06:00"), credential("has-left", "2026-03-01")], None),
    ("left-and-back", [works("left-and-back", "2026-01-27T18:00:00-06:00"), works("left-and-back", at=LATER), credential("left-and-back", "2026-03-01")], (Level.ALARM, "4 days ago.")),
    ("leaves-today", [works("leaves-today", "2026-03-05T18:00:00-06:00"), credential("leaves-today", "2026-03-01")], (Level.ALARM, "4 days ago.")),
    ("two-cards", [credential("two-cards", "2026-03-01", credential_type="acls", jurisdiction="AHA"), credential("two-cards", "2027-03-01", credential_type="acls", jurisdiction="ARC")], None),
    ("card-revoked", [credential("card-revoked", "2026-09-01", credential_type="acls", jurisdiction="AHA", status="revoked"), credential("card-revoked", "2027-03-01", credential_type="acls", jurisdiction="ARC")], (Level.ALARM, "is revoked since 2026-01-05T09:00:00-06:00.")),
    ("two-states", [credential("two-states", "2026-03-01", jurisdiction="TX"), credential("two-states", "2027-03-01", jurisdiction="AZ")], (Level.ALARM, "4 days ago.")),
    ("paper", [credential("paper", "2026-03-01", credential_type="mate_attestation")], (Level.ACTION, "MATE attestation N-paper expired on 2026-03-01, 4 days ago.")),
    ("clinic", [registration("clinic")], (Level.ALARM, "clinic: DEA registration D-clinic expired on 2026-03-04, 1 day ago.")),
    ("filed", [registration("filed", renewal_filed_at="2026-03-04T23:00:00-06:00")], (Level.NOTICE, "1 day ago.")),
    ("filed-late", [registration("filed-late", renewal_filed_at="2026-03-05T00:30:00-06:00")], (Level.ALARM, "1 day ago.")),
    ("surrendered", [registration("surrendered", "2028-01-01", status="surrendered")], (Level.ALARM, "is surrendered since 2026-01-05T09:00:00-06:00.")),
    ("ended", [registration("ended", status="ended")], None),
    ("his-own", [registration("his-own", holder_kind="own_practitioner"), works("his-own", "2026-02-27T18:00:00-06:00")], None),
    ("supplier", [registration("supplier", holder_kind="distributor"), body("receipt", LATER, source_registration="R-supplier")], (Level.ACTION, "1 day ago.")),
    ("old-supplier", [registration("old-supplier", holder_kind="distributor"), body("receipt", "2025-08-05T09:00:00-05:00", source_registration="R-old-supplier")], None),
    ("S1", [body("site_certification", EARLY, party="S1", status="suspended", rems_number="RS-1")], (Level.ALARM, "S1: REMS certification RS-1 is suspended since 2026-01-05T09:00:00-06:00.") ),
    ("pharmacy", [body("site_certification", EARLY, party="pharmacy", party_type="pharmacy", status="withdrawn")], (Level.ACTION, "is withdrawn since 2026-01-05T09:00:00-06:00.")),
    ("long-gone", [body("site_certification", "2025-10-05T09:00:00-05:00", party="long-gone", party_type="pharmacy", status="withdrawn")], None),
    ("applying", [body("site_certification", EARLY, party="applying", party_type="pharmacy")], None),
    ("still-in", [works("still-in", "2026-02-27T18:00:00-06:00"), access("still-in")], (Level.ALARM, "still-in left on 2026-02-27 and still has access as clinician.")),
    ("shut-out", [works("shut-out", "2026-02-27T18:00:00-06:00"), access("shut-out"), access("shut-out", LATER, action="revoke")], None),
    ("ran-out", [works("ran-out", "2026-02-27T18:00:00-06:00"), access("ran-out", ends_at="2026-02-27T18:00:00-06:00")], None),
    ("until-spring", [access("until-spring", ends_at="2026-03-20T00:00:00-05:00")], (Level.ACTION, "until-spring: access as clinician expires on 2026-03-19, in 14 days.")),
    ("software", [access("software", app_certified_until_on="2026-03-01", role="prescriber")], (Level.ALARM, "4 days ago.")),
    ("vault", [body("attestation", EARLY, subject="vault", valid_until_on="2026-03-01")], (Level.ACTION, "4 days ago.")),
    ("not-so", [body("attestation", EARLY, subject="not-so", valid_until_on="2026-03-01", holds_true=False)], None),
    ("kit", [check("kit", expires_on="2026-03-04")], (Level.ALARM, "kit: emergency drugs expired on 2026-03-04, 1 day ago.")),
    ("scale", [check("scale", calibrated_until_on="2026-03-10")], (Level.ACTION, "scale: calibration of emergency drugs expires on 2026-03-10, in 5 days.")),
    ("failed", [check("failed", expires_on="2026-03-04", passed=False)], None),
    ("refilled", [check("refilled", expires_on="2026-03-04"), check("refilled", "2026-03-05T09:00:00-06:00", expires_on="2027-03-04")], None),
    ("cupboard", [check("cupboard", "2025-11-05T09:00:00-06:00", expires_on="2026-03-04")], None),
    ("PT-treated", [va("PT-treated", "2026-03-01", program_patient_ref="VA-1"), dose("PT-treated")], (Level.ALARM, "authorisation by the VA VA-1 expired on 2026-03-01, 4 days ago.")),
    ("PT-finished", [va("PT-finished", "2026-03-01"), dose("PT-finished", "2025-11-05T09:00:00-06:00")], None),
    ("PT-withdrawn", [va("PT-withdrawn", "2026-03-01", step="withdrawn"), dose("PT-withdrawn")], None),
    ("PT-suspended", [body("patient_enrollment", LATER, patient="PT-suspended", program="spravato_rems", step="suspended"), dose("PT-suspended")], (Level.ALARM, "is suspended since 2026-02-05T09:00:00-06:00.")),
    ("PT-verified", [body("patient_enrollment", EARLY, patient="PT-verified", program="spravato_rems", step="suspended"), body("patient_enrollment", LATER, patient="PT-verified", program="spravato_rems", step="verified"), dose("PT-verified")], None),
    ("elsewhere", [credential("elsewhere", "2026-03-01", site="S2")], None),
    ("over-there", [credential("over-there", "2026-03-01", site="S2"), credential("over-there", "2028-03-01", "2026-03-06T01:00:00Z", site="S2")], None),
)  # fmt: skip


@pytest.fixture(scope="module")
def log():
    made = bundle(ANY)
    with fresh_log() as log:
        put_in_force(log, made)
        profile = body("site_profile", "2024-01-05T09:00:00-06:00")
        record(log, Judge(made), profile, *(one for _, events, _ in CASES for one in events), *GOODS)
        yield log


@pytest.fixture(scope="module")
def told(log):
    return expiring(night_of(log, NIGHT, "S1"))


@pytest.mark.parametrize(("holder", "events", "expected"), CASES, ids=[case[0] for case in CASES])
def test_what_has_a_last_day_is_named_as_it_should_be(log, told, holder, events, expected):
    """By level and words, with the entry behind it; what was renewed, given up or is not in use is not named."""
    named = [item for item in told.items if item.values["whose"] == holder]
    if expected is None:
        assert named == []
        return
    (item,) = named
    level, words = expected
    assert item.level is level
    assert item.title.startswith(holder) and item.title.endswith(words)
    assert set(item.entries) <= {log.by_event_id(event["id"]) for event in events}
    assert item.todo and item.event in {event["id"] for event in events}


# ---- goods: what was counted on 1 February, and what came since

REGISTERED = {"registration": "REG", "drug": "ketamine_inj_50mg_ml"}


def came(lot, until="2026-03-04", at="2026-01-10T09:00:00-06:00", quantity="20", containers=2, **fields):
    return body(
        "receipt", at, lot=lot, expires_on=until, quantity=quantity, containers=containers, quantity_unit="ml", **REGISTERED | fields
    )  # fmt: skip


def vial(lot, number, status, at=LATER, **fields):
    return body(
        "container_status", at, container=f"{lot}-{number}", lot=lot, status=status, **REGISTERED, **fields
    )


def given(lot, quantity, at=LATER):
    return body(
        "administration", at, lot=lot, quantity=quantity, patient="PT-goods", session="T-goods", **REGISTERED
    )


def line(lot, quantity="20"):
    return {
        "drug": REGISTERED["drug"],
        "lot": lot,
        "quantity": quantity,
        "quantity_unit": "ml",
        "quantity_per_container": "10",
        "containers": 2,
        "count_method": "exact",
    }


LOTS = {
    "tracked": ([came("tracked"), vial("tracked", 1, "empty"), vial("tracked", 2, "in_stock")], "1 container in usable stock: tracked-2"),
    "all-empty": ([came("all-empty"), vial("all-empty", 1, "in_stock", EARLY), vial("all-empty", 1, "empty"), vial("all-empty", 2, "empty")], None),
    "sent-back": ([came("sent-back"), vial("sent-back", 1, "transferred"), vial("sent-back", 2, "empty")], None),
    "set-aside": ([came("set-aside"), vial("set-aside", 1, "quarantined", quantity_left="10"), vial("set-aside", 2, "empty")], None),
    "untracked": ([came("untracked"), given("untracked", "5")], "15 ml left by the books"),
    "used-up": ([came("used-up"), given("used-up", "20")], None),
    "half-aside": ([came("half-aside"), vial("half-aside", 1, "quarantined", quantity_left="10")], "10 ml left by the books"),
    "rest-aside": ([came("rest-aside"), vial("rest-aside", 1, "quarantined", quantity_left="10"), given("rest-aside", "10")], None),
    "not-counted": ([came("not-counted")], None),
    "fresh": ([came("fresh", at=LATER)], "20 ml left by the books"),
    "refused": ([came("refused", at=LATER, accepted=False)], None),
    "good": ([came("good", "2026-06-04")], None),
}  # fmt: skip
COUNTED = (
    "tracked",
    "all-empty",
    "sent-back",
    "set-aside",
    "untracked",
    "used-up",
    "half-aside",
    "rest-aside",
    "good",
)
OPENED = {
    "past": ([vial("past", 1, "opened", beyond_use_at="2026-03-05T00:00:00-06:00")], (Level.ALARM, "1 day ago.")),
    "soon": ([vial("soon", 1, "opened", beyond_use_at="2026-03-08T12:00:00-06:00")], (Level.ACTION, "in 3 days.")),
    "later": ([vial("later", 1, "opened", beyond_use_at="2026-03-09T12:00:00-06:00")], None),
    "emptied": ([vial("emptied", 1, "opened", beyond_use_at="2026-03-01T12:00:00-06:00"), vial("emptied", 1, "empty", "2026-02-06T09:00:00-06:00")], None),
}  # fmt: skip
GOODS = (
    body("registration", EARLY, registration="REG", holder="S1", expires_on="2028-01-01"),
    body(
        "inventory_count",
        "2026-02-01T09:00:00-06:00",
        registration="REG",
        lines=[line(lot) for lot in COUNTED],
    ),
    # a count of a part says nothing of the rest
    body("inventory_count", "2026-02-04T09:00:00-06:00", registration="REG", complete=False, lines=[]),
    *(event for events, _ in (*LOTS.values(), *OPENED.values()) for event in events),
)


@pytest.mark.parametrize("lot", LOTS)
def test_a_lot_is_named_where_some_of_it_is_left_to_use(told, lot):
    """By its containers where the log follows them, else by the books; what is empty, gone, set aside or was not counted is not."""
    named = [item for item in told.items if item.values["whose"] == lot]
    _, expected = LOTS[lot]
    if expected is None:
        assert named == []
        return
    (item,) = named
    assert (item.level, item.where) == (Level.ALARM, expected)
    assert item.title == f"{lot}: lot of ketamine_inj_50mg_ml expired on 2026-03-04, 1 day ago."
    assert item.cites == "21 CFR 1317.05(a), (b)"


@pytest.mark.parametrize("lot", OPENED)
def test_an_opened_container_is_named_when_its_use_by_is_near(told, lot):
    """Three days before, since it is good for days or weeks only; an empty one is not."""
    named = [
        item for item in told.items if item.values["whose"] == f"{lot}-1" and "opened" in item.values["what"]
    ]
    _, expected = OPENED[lot]
    assert [(item.level, item.title.endswith(words)) for item in named for _, words in [expected]] == (
        [] if expected is None else [(expected[0], True)]
    )


def test_without_a_count_all_that_came_may_be_in_stock(log):
    """A log that has no complete count goes by deliveries, whatever they are booked under."""
    made = bundle(ANY)
    with fresh_log() as log:
        put_in_force(log, made)
        booked = came("uncounted", at=EARLY)
        record(log, Judge(made), {name: value for name, value in booked.items() if name != "registration"})
        section = expiring(night_of(log, NIGHT, "S1"))
    assert [item.values["whose"] for item in section.items] == ["uncounted"]


def test_the_most_urgent_stands_first_and_the_table_says_the_same(told):
    """Alarms before actions before notices, the longest expired first; the section is as urgent as its first item."""
    levels = [list(Level).index(item.level) for item in told.items]
    assert levels == sorted(levels) and told.level is Level.ALARM
    (table,) = told.tables
    assert [row[0] for row in table.rows] == [item.values["whose"] for item in told.items]
    days = {row[0]: (row[5], row[6]) for row in table.rows}
    assert (days["expired-yesterday"], days["last-day"], days["suspended"]) == (
        (-1, "expired"),
        (0, "in force"),
        (727, "suspended"),
    )


def test_nothing_is_named_of_another_site(log):
    """A night of the other site names its own, and who supplies them all."""
    section = expiring(night_of(log, NIGHT, "S2"))
    assert [item.values["whose"] for item in section.items] == ["elsewhere", "over-there", "pharmacy"]


def test_what_is_tomorrow_at_a_site_is_not_there_yet(log):
    """Where there is no profile the day is that of UTC; it is over while that of Chicago goes on."""
    section = expiring(night_of(log, NIGHT, "S1", "S2"))
    assert "over-there" in {item.values["whose"] for item in section.items}


def test_what_was_recorded_later_is_not_known(log):
    """The night as the log knew it when it was empty but for its policies."""
    night = replace(night_of(log, NIGHT, "S1"), size=3)
    assert expiring(night).items == ()


@pytest.mark.parametrize("date", ["2026-02-20", "2026-03-13"])
def test_the_orderly_clinic_has_nothing_that_expires(clinic, date):
    """In the demonstration everything was renewed or taken on this year."""
    section = expiring(night_of(clinic, date))
    assert (section.level, section.items) == (Level.GOOD, ())
    assert section.summary == "Nothing in use has expired, and nothing will within 90 days."
