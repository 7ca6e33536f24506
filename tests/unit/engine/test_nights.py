"""Standing rules: what the night finds, for whom, and since when (policy-language.md, "Standing"; engine.md, "Findings")."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.domain.findings import Severity
from compliance.domain.time import parse_date
from compliance.engine.durable import DurableRules
from compliance.engine.history import MemoryHistory
from compliance.engine.judging import Judge
from compliance.engine.nights import Standing, standing
from tests.rulebook import SITE, bundle, entry, recorded, rule, us

COUNTED = {"latest": "inventory_count", "by": ["registration"], "where": "it.complete"}


def nightly(each: str = "registration", require: str = "last != null", **differs: Any) -> dict[str, Any]:
    """Every night, for each registration unless said otherwise: there is a count."""
    per = {"each": each, **differs.pop("per", {})}
    given = differs.pop("given", {"last": COUNTED})
    cases = [{"name": "any", "event": {"kind": each}, "expect": "fail"}]
    made = {"on": each, "every": "night", "per": per, "given": given, "require": require, "cases": cases}
    document = rule(**made, **differs)
    del document["on"]
    return document


def registration(at: str = "2026-02-02T08:00:00-06:00", **fields: Any) -> dict[str, Any]:
    return entry("registration", at, **{"registration": "R1", "holder_kind": "own_site", **fields})


def count(at: str, **fields: Any) -> dict[str, Any]:
    return entry("inventory_count", at, **{"registration": "R1", "complete": True, **fields})


def found(document: dict[str, Any], bodies: list[dict[str, Any]], now: str) -> list[Standing]:
    history = MemoryHistory(recorded([SITE, *bodies]))
    return list(standing(Judge(bundle(document)), history, us(now)))


def outcomes(document: dict[str, Any], bodies: list[dict[str, Any]], now: str) -> list[tuple[str, str]]:
    return [(one.subject.id, str(one.outcome)) for one in found(document, bodies, now)]


def test_a_subject_of_which_there_is_no_evidence_at_all_is_found():
    """A registration that never counted fails; one that did passes; each is a subject of its own."""
    bodies = [registration(id="r1"), registration(id="r2", registration="R2"), count("09:00")]
    assert outcomes(nightly(), bodies, "10:00") == [("r1", "pass"), ("r2", "fail")]


def test_what_had_not_occurred_by_then_does_not_count():
    """As of an instant before the count the registration fails; before the registration there is no subject."""
    bodies = [registration(id="r1"), count("09:00")]
    assert outcomes(nightly(), bodies, "08:59") == [("r1", "fail")]
    assert outcomes(nightly(), bodies, "09:00") == [("r1", "pass")]
    assert outcomes(nightly(), bodies, "2026-02-02T07:59:00-06:00") == []


def test_the_present_state_decides_who_is_a_subject():
    """A registration that ended is none any more, where the rule asks for active ones."""
    ended = registration("2026-02-20T08:00:00-06:00", id="r1-ended", status="ended")
    document = nightly(per={"where": "it.status == 'active'"})
    assert outcomes(document, [registration(id="r1"), ended], "2026-02-19T08:00:00-06:00") == [("r1", "fail")]
    assert outcomes(document, [registration(id="r1"), ended], "10:00") == []


def test_a_condition_on_the_subject_that_nobody_can_decide_is_a_finding():
    """Never out of sight for want of data, be the rest in order or not."""
    document = nightly(per={"where": "it.is_institution"})
    bodies = [registration(id="r1"), count("09:00")]
    assert outcomes(document, bodies, "10:00") == [("r1", "indeterminate")]


def test_subjects_of_a_kind_without_key_are_told_apart_by_fields():
    """One for each lot; its newest event speaks for it, an older one where the newest is not meant."""
    document = nightly(
        "receipt", "gone > 0", per={"by": ["lot"], "where": "it.accepted"},
        given={"gone": {"count": "wastage", "by": ["lot"]}},
    )  # fmt: skip
    bodies = [
        entry("receipt", "08:00", id="a1", lot="A", accepted=True),
        entry("receipt", "08:30", id="a2", lot="A", accepted=False),
        entry("receipt", "08:40", id="b1", lot="B", accepted=True),
        entry("receipt", "08:50", id="b2", lot="B", accepted=True),
        entry("wastage", "09:00", lot="B"),
    ]
    assert outcomes(document, bodies, "10:00") == [("a1", "fail"), ("b2", "pass")]


def test_several_keyed_things_of_one_person_are_one_subject():
    """With `by`, of the present states that are meant; what a course was once is not looked at."""
    document = nightly(
        "treatment_plan", "seen > 0", per={"by": ["patient"], "where": "it.phase == 'maintenance'"},
        given={"seen": {"count": "assessment", "by": ["patient"]}},
    )  # fmt: skip
    plan = {"patient": "P1", "phase": "maintenance"}
    bodies = [
        entry("treatment_plan", "08:00", id="c1", course="C1", **plan),
        entry("treatment_plan", "08:10", id="c2", course="C2", **plan),
    ]
    assert outcomes(document, bodies, "10:00") == [("c2", "fail")]
    ended = entry("treatment_plan", "08:20", id="c2-booster", course="C2", patient="P1", phase="booster")
    assert outcomes(document, [*bodies, ended], "10:00") == [("c1", "fail")]
    assert outcomes(document, [*bodies, ended], "08:15") == [("c2", "fail")]


def test_the_subjects_own_event_is_seen():
    """A sum over receipts includes the receipt that defines the subject, once."""
    document = nightly(
        "receipt", "came == 5.0", per={"by": ["lot"]}, given={"came": {"sum": "receipt.quantity", "by": ["lot"]}}
    )  # fmt: skip
    bodies = [
        entry("receipt", "08:00", id="a1", lot="A", quantity="2"),
        entry("receipt", "08:30", id="a2", lot="A", quantity="3"),
    ]
    assert outcomes(document, bodies, "10:00") == [("a2", "pass")]


def test_book_stock_at_night_sees_the_count():
    """What was counted is what there is; what went afterwards is less."""
    document = nightly(
        "inventory_count", "left == 4.0", per={"by": ["registration"]},
        given={"left": {"balance": "stock", "by": ["registration"]}},
    )  # fmt: skip
    line = {"drug": "ketamine_inj_50mg_ml", "lot": "L", "quantity": "5", "quantity_unit": "ml"}
    gone = entry("wastage", "09:00", registration="R1", quantity="1")
    bodies = [count("08:00", id="c", lines=[line])]
    assert outcomes(document, bodies, "10:00") == [("c", "fail")]
    assert outcomes(document, [*bodies, gone], "10:00") == [("c", "pass")]


def test_today_is_the_date_at_the_site():
    """At 23:30 in Chicago the day is not over, whatever the clock in Greenwich says."""
    day = {"tighten": "fixed", "values": [{"from": "2000-01-01", "value": "2026-03-02", "cites": "tests"}]}
    document = nightly("site_profile", "today() == param.day", given={}, parameters={"day": day})
    assert [str(one.outcome) for one in found(document, [], "2026-03-02T23:30:00-06:00")] == ["pass"]
    assert [str(one.outcome) for one in found(document, [], "2026-03-03T00:00:00-06:00")] == ["fail"]


def test_one_finding_from_the_first_night_it_fails_until_it_passes():
    """Its id is the same on all nights of the row; after a night that passed another row begins."""
    document = nightly(given={"last": {**COUNTED, "within": "7d"}})
    bodies = [registration(id="r1"), count("2026-02-05T09:00:00-06:00"), count("2026-02-20T09:00:00-06:00")]

    def at(day: int) -> Standing:
        (one,) = found(document, bodies, f"2026-02-{day:02}T12:00:00-06:00")
        return one

    first = [at(day) for day in (2, 3, 4)]
    assert {one.since for one in first} == {parse_date("2026-02-02")}
    assert len({one.id for one in first}) == 1
    assert (at(5).since, at(6).failing) == (None, False)
    second = [at(day) for day in (13, 14, 19)]
    assert {one.since for one in second} == {parse_date("2026-02-12")}
    assert len({one.id for one in [*first, *second]}) == 2
    assert at(20).failing is False
    assert at(28).since == parse_date("2026-02-27")


def test_a_rule_says_nothing_before_it_is_in_force():
    """The row of nights begins with the law."""
    document = nightly(in_force={"from": "2026-02-10"})
    (one,) = found(document, [registration()], "10:00")
    assert one.since == parse_date("2026-02-10")
    assert found(document, [registration()], "2026-02-09T12:00:00-06:00")[0].failing is False


@pytest.mark.parametrize(
    ("now", "since"),
    [
        ("2026-03-08T12:00:00-05:00", "2026-03-08"),  # clocks went forward at two in the morning
        ("2026-11-01T12:00:00-06:00", "2026-11-01"),  # and back
    ],
)
def test_a_night_ends_with_the_local_day_when_clocks_change(now, since):
    """What ends 24 hours earlier is not yet missing the night before."""
    document = nightly("site_profile", f"now() < timestamp('{since}T00:00:00-06:00')", given={})
    if since == "2026-11-01":
        document = nightly("site_profile", f"now() < timestamp('{since}T00:00:00-05:00')", given={})
    (one,) = found(document, [], now)
    assert one.since == parse_date(since)


def test_evaluators_at_odds_are_a_denial(monkeypatch):
    """What nobody could judge is not passed, whatever the rule's severity."""
    monkeypatch.setattr(DurableRules, "evaluate", lambda _self, _scope: ["neither"])
    (one,) = found(nightly(severity="report"), [registration(), count("09:00")], "10:00")
    assert (str(one.outcome), one.severity) == ("indeterminate", Severity.DENY)
