"""One event judged (engine.md, "How a decision is made")."""

from __future__ import annotations

import json
from typing import Any

import pytest

from compliance.domain.findings import Decision, Finding, Outcome, Severity, Verdict, decision_json
from compliance.engine.history import MemoryHistory
from compliance.engine.judging import Judge
from tests.rulebook import SITE, bundle, entry, judged, recorded, rule

DOSE = entry("administration", "09:00", id="d1", dose_mg="56")


def lone(
    document: dict[str, Any], *bodies: dict[str, Any], which: str | None = None
) -> tuple[str, tuple[Finding, ...]]:
    """The outcome of the one rule on the last event, and the findings."""
    judgement = judged(bundle(document), [SITE, *bodies], which)
    return str(judgement.outcomes.get(document["id"], "no such rule")), judgement.decision.findings


LOW = rule(on="administration", when="event.route == 'intranasal'", require="event.dose_mg <= 56")


# ---- outcomes


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"route": "intranasal", "dose_mg": "56"}, "pass"),
        ({"route": "intranasal", "dose_mg": "56.000001"}, "fail"),
        ({"route": "im", "dose_mg": "84"}, "not_applicable"),
    ],
)
def test_pass_fail_and_not_applicable(fields: dict[str, Any], outcome: str) -> None:
    """A rule applies where `when` holds, and then `require` decides; only a failure is a finding."""
    got, findings = lone(LOW, {**DOSE, **fields})
    assert (got, bool(findings)) == (outcome, outcome == "fail")


OBSERVED = rule(on="administration", require="event.observer == 'N1'")
ASKED = rule(on="administration", when="event.observer == 'N1'", require="event.dose_mg > 100")


@pytest.mark.parametrize("document", [OBSERVED, ASKED])
def test_what_cannot_be_decided_is_a_finding_that_says_what_would_decide_it(document: dict[str, Any]) -> None:
    """An indeterminate `require`, or an indeterminate `when`, is a finding at the rule's severity that names the missing field."""
    got, (finding,) = lone(document, DOSE)
    assert (got, finding.outcome, finding.severity) == ("indeterminate", Outcome.INDETERMINATE, Severity.DENY)
    assert finding.because["event.observer"] == "missing"


def test_an_undecided_when_is_a_finding_even_where_the_requirement_holds() -> None:
    """No rule passes for want of data."""
    assert (
        lone(rule(on="administration", when="event.observer == 'N1'", require="event.dose_mg > 1"), DOSE)[0]
        == "indeterminate"
    )


def test_a_missing_event_is_named_as_such() -> None:
    """A null fact stands in `because` as missing."""
    _, (finding,) = lone(
        rule(on="administration", given={"check": {"latest": "vital_signs"}}, require="check != null"), DOSE
    )
    assert finding.because == {"check": "missing"}


# ---- what is in force, and where


SHORT_DAY = {"from": "2026-03-02", "to": "2026-03-03"}
NEW = rule(on="administration", in_force=SHORT_DAY, require="event.dose_mg < 1")


@pytest.mark.parametrize(
    ("zone", "at", "applies"),
    [
        ("America/Chicago", "2026-03-01T23:30:00-06:00", False),
        ("America/Chicago", "2026-03-02T00:00:00-06:00", True),
        ("America/Chicago", "2026-03-02T23:59:59-06:00", True),
        ("America/Chicago", "2026-03-03T00:00:00-06:00", False),
        ("America/Chicago", "2026-03-02T05:30:00Z", False),
        ("America/New_York", "2026-03-02T05:30:00Z", True),
        ("America/New_York", "2026-03-01T23:30:00-05:00", False),
        ("America/New_York", "2026-03-03T05:00:00Z", False),
    ],
)
def test_a_rule_is_in_force_on_local_days(zone: str, at: str, applies: bool) -> None:
    """`from` is inclusive and `to` exclusive, by the date on the site's wall when the event occurred."""
    judgement = judged(bundle(NEW), [{**SITE, "time_zone": zone}, entry("administration", at)])
    assert (judgement.outcomes == {"a-rule": Outcome.FAIL}) is applies


LIMIT = rule(
    on="administration", require="event.dose_mg <= param.most",
    parameters={"most": {"tighten": "down", "values": [
        {"from": "2000-01-01", "value": 84, "cites": "none"}, {"from": "2026-03-02", "value": 28, "cites": "none"},
    ]}},
)  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "at", "outcome"),
    [
        ("America/Chicago", "2026-03-01T23:30:00-06:00", "pass"),
        ("America/Chicago", "2026-03-02T00:00:00-06:00", "fail"),
        ("America/Chicago", "2026-03-02T05:30:00Z", "pass"),
        ("America/New_York", "2026-03-02T05:30:00Z", "fail"),
    ],
)
def test_the_parameter_in_force_on_the_local_day_counts(zone: str, at: str, outcome: str) -> None:
    """A new value holds from local midnight on."""
    judgement = judged(
        bundle(LIMIT), [{**SITE, "time_zone": zone}, entry("administration", at, dose_mg="56")]
    )
    assert str(judgement.outcomes["a-rule"]) == outcome


def test_without_a_profile_of_the_site_calendar_questions_are_undecided() -> None:
    """Nobody can say what day it was there; a rule that does not ask is decided."""
    document = rule(
        on="administration",
        require="event.dose_mg > 1 && local_date(event.occurred_at) == local_date(event.occurred_at)",
    )
    assert str(judged(bundle(document), [DOSE]).outcomes["a-rule"]) == "indeterminate"
    assert str(judged(bundle(document), [SITE, DOSE]).outcomes["a-rule"]) == "pass"
    assert str(judged(bundle(document), [{**SITE, "site": "S2"}, DOSE]).outcomes["a-rule"]) == "indeterminate"
    assert str(judged(bundle(LOW), [{**DOSE, "route": "intranasal"}]).outcomes["a-rule"]) == "pass"


def zone_of(*bodies: dict[str, Any]) -> Any:
    zone = judged(bundle(LOW), bodies, "d1").case.scope["zone"]
    return zone if isinstance(zone, str) else None


def profile(at: str, zone: str) -> dict[str, Any]:
    return entry("site_profile", at, time_zone=zone)


def test_the_zone_is_that_of_the_profile_in_force_else_of_the_earliest_known() -> None:
    """The newest profile before the event; where there is none yet, the first that came after; where there is none, unknown."""
    east, west = profile("08:00", "America/New_York"), profile("08:30", "America/Denver")
    later, last = profile("10:00", "America/Phoenix"), profile("11:00", "America/Anchorage")
    assert zone_of(east, west, later, DOSE) == "America/Denver"
    assert zone_of(last, later, DOSE) == "America/Phoenix"
    assert zone_of(DOSE) is None


# ---- verdicts


def graded(*severities: str) -> Any:
    return bundle(
        *(
            rule(f"r-{n}", on="administration", require="event.dose_mg < 1", severity=s)
            for n, s in enumerate(severities)
        )
    )


@pytest.mark.parametrize(
    ("severities", "performed", "proposed"),
    [
        ((), Verdict.COMPLIANT, Verdict.PERMITTED),
        (("report",), Verdict.FLAGGED, Verdict.PERMITTED_WITH_WARNINGS),
        (("warn",), Verdict.FLAGGED, Verdict.PERMITTED_WITH_WARNINGS),
        (("deny",), Verdict.VIOLATION, Verdict.DENIED),
        (("report", "warn"), Verdict.FLAGGED, Verdict.PERMITTED_WITH_WARNINGS),
        (("report", "deny", "warn"), Verdict.VIOLATION, Verdict.DENIED),
    ],
)
def test_the_verdict(severities: tuple[str, ...], performed: Verdict, proposed: Verdict) -> None:
    """What happened is compliant, flagged or a violation; what is asked is permitted, with warnings, or denied."""
    assert judged(graded(*severities), [SITE, DOSE]).decision.verdict is performed
    assert judged(graded(*severities), [SITE, {**DOSE, "intent": "proposed"}]).decision.verdict is proposed


@pytest.mark.parametrize("severity", ["deny", "warn", "report"])
def test_an_undecided_rule_weighs_as_much_as_a_broken_one(severity: str) -> None:
    """Indeterminate is a finding at the rule's own severity."""
    (finding,) = judged(
        bundle({**OBSERVED, "otherwise": {**OBSERVED["otherwise"], "severity": severity}}), [SITE, DOSE]
    ).decision.findings
    assert finding.severity is Severity(severity)


# ---- the case and its digest

PAIR = bundle(
    rule("one", on="administration", require="event.dose_mg > 1", override="with_reason"),
    rule("two", on="administration", require="event.dose_mg < 1", severity="warn"),
)

PLENTY = rule(
    on="administration",
    given={"check": {"latest": "vital_signs", "by": ["session"]}, "seen": {"count": "vital_signs", "where": "it.systolic_mmhg > 100"}},
    parameters={"most": {"tighten": "down", "values": [{"from": "2000-01-01", "value": 84, "cites": "none"}, {"from": "2026-03-03", "value": 83, "cites": "none"}]}},
    require="check != null && seen > 0 && event.dose_mg <= param.most",
)  # fmt: skip
CHECK = entry("vital_signs", "08:30", session="T1", systolic_mmhg=120)


def case_digest(*bodies: dict[str, Any], document: dict[str, Any] = PLENTY) -> str:
    return judged(bundle(document), bodies, "d1").decision.case


def test_the_digest_changes_with_whatever_is_bound() -> None:
    """Every fact, null, missing or there, the event, the parameters in force and the zone give another case."""
    other_law = json.loads(json.dumps(PLENTY).replace('"value": 84', '"value": 85'))
    digests = [
        case_digest(SITE, CHECK, DOSE),
        case_digest(SITE, DOSE),
        case_digest(SITE, {**CHECK, "systolic_mmhg": 121}, DOSE),
        case_digest(SITE, {k: v for k, v in CHECK.items() if k != "systolic_mmhg"}, DOSE),
        case_digest(SITE, {**CHECK, "session": "T2"}, DOSE),
        case_digest(SITE, CHECK, {**DOSE, "dose_mg": "28"}),
        case_digest(SITE, CHECK, {**DOSE, "entered_at": "2026-03-02T09:10:00-06:00"}),
        case_digest({**SITE, "time_zone": "America/Denver"}, CHECK, DOSE),
        case_digest(CHECK, DOSE),
        case_digest(SITE, CHECK, DOSE, document=other_law),
        case_digest(SITE, CHECK, DOSE, document={**PLENTY, "id": "b-rule"}),
    ]
    assert len(set(digests)) == len(digests)


def test_no_such_event_is_another_case_than_nobody_can_say() -> None:
    """A fact that is null and one that is unknown are told apart."""
    document = rule(
        on="administration",
        given={"high": {"any": "vital_signs", "where": "it.systolic_mmhg > 100"}},
        require="high == null",
    )
    unread = {name: value for name, value in CHECK.items() if name != "systolic_mmhg"}
    digests = {case_digest(SITE, DOSE, document=document), case_digest(SITE, unread, DOSE, document=document)}
    assert len(digests) == 2


def test_the_digest_changes_with_nothing_else() -> None:
    """Events that no fact binds, and values of parameters that are not in force, leave the case as it is."""
    same = case_digest(SITE, CHECK, DOSE)
    assert case_digest(SITE, CHECK, entry("discharge", "08:45"), DOSE) == same
    assert (
        case_digest(SITE, CHECK, entry("vital_signs", "08:00", id="v0", patient="P9", session="T9"), DOSE)
        != same
    )
    assert (
        case_digest(
            entry("site_profile", "2026-01-01T08:00:00-06:00", time_zone="America/Denver"), SITE, CHECK, DOSE
        )
        == same
    )
    later = json.loads(json.dumps(PLENTY).replace('"value": 83', '"value": 82'))
    assert case_digest(SITE, CHECK, DOSE, document=later) == same
    assert case_digest(SITE, CHECK, DOSE, document={**PLENTY, "title": "Another title"}) == same


def test_the_same_case_gives_the_same_decision_byte_for_byte() -> None:
    """In one process or another, whatever was judged before: the ids of look-ups depend on that, the decision must not."""
    vitals = rule(
        "vitals",
        on="vital_signs",
        given={"last": {"latest": "administration"}, "n": {"count": "vital_signs"}},
        require="n > 5 && last != null",
    )
    rules = bundle(
        PLENTY,
        vitals,
        rule(
            "z",
            on="administration",
            given={"m": {"count": "discharge"}, "n": {"count": "vital_signs"}},
            require="n > 5 + m",
        ),
    )
    events = recorded([SITE, CHECK, DOSE])
    history = MemoryHistory(events)

    def decided(*order: int) -> bytes:
        judge = Judge(rules)
        kept = [json.dumps(decision_json(judge.judge(events[i], history).decision)) for i in order]
        return kept[-1].encode()

    assert decided(2) == decided(2) == decided(1, 2) == decided(2, 2) == decided(1, 2, 1, 2)


def test_a_look_up_that_only_a_rule_without_application_needs_is_not_made() -> None:
    """What `when` rules out is not asked: the case stays what it depends on."""
    document = rule(
        on="administration",
        given={"check": {"latest": "vital_signs"}},
        when="event.dose_mg > 100",
        require="check != null",
    )
    judgement = judged(bundle(document), [SITE, CHECK, DOSE])
    assert {asked.kind for asked in judgement.asked} == {"site_profile"}
    assert judgement.case.digest == judged(bundle(document), [SITE, DOSE]).case.digest


def test_a_decision_names_its_bundle_and_its_case() -> None:
    """What is written says what it was made under and on."""
    judgement = judged(PAIR, [SITE, DOSE])
    assert isinstance(judgement.decision, Decision)
    assert (judgement.decision.bundle, judgement.decision.case) == (PAIR.digest, judgement.case.digest)
