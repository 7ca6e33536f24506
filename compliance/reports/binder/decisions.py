"""Every event of the period with how it was decided on, every finding, every override, and what was entered late."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from compliance.domain.findings import Finding, Outcome, Severity
from compliance.domain.time import DAY, format_duration
from compliance.ledger.entry import microseconds
from compliance.reports.binder.period import Period, Version, noted_us
from compliance.reports.binder.sheets import Column, Sheet, Sheets, Table
from compliance.reports.binder.verify_cells import (
    DECISIONS,
    FINDINGS,
    LAST_JUDGED,
    LOG_ENTRY,
    NUMBER,
    SHOWN_IN,
)
from compliance.standing import explained

LATE: Final = DAY
"""Entered so much later than it happened, an event stands in the list of late entries: the clinic's own rule (s3-rec-current-25) for stock."""

DECIDED: Final = Table(
    DECISIONS, "Decisions", "Every event of the period, whatever it is about, with the verdict when it was entered and the last one since.",
    "21 CFR 11.10(e); 45 CFR 164.312(b)", "Nothing was recorded at this site in the period.",
    (
        Column("Occurred", "event.occurred_at"), Column("Kind", "event.kind"), Column("Intent", "event.intent"), Column("Done by", "event.actor"),
        Column("Patient", "event.patient"), Column("Session", "event.session"), Column("Verdict at first", "decision.verdict"),
        Column("Verdict now", "decision.verdict", of=LAST_JUDGED), Column("Findings now"), Column("Rules"), Column(LAST_JUDGED),
        Column("Policies", "decision.bundle"),
    ),
    page=False,
)  # fmt: skip
FOUND: Final = Table(
    FINDINGS, "Findings", "What the policies object to, at first and at the last judgement, in the words of the policies that were in force.",
    "21 CFR 11.10(e)", "The policies objected to nothing in the period.",
    (
        Column("About event", "about"), Column("Judgement"), Column(NUMBER, page=False), Column("Rule", "findings.#.rule"), Column("Severity", "findings.#.severity"),
        Column("Outcome", "findings.#.outcome"), Column("Set aside by override", "findings.#.overridden_by", page=False), Column("What it says"), Column("What to do"),
        Column("Where it is written"), Column("Recorded at", "recorded_at", page=False), Column(LOG_ENTRY),
    ),
    tail=(),
)  # fmt: skip
OVERRIDES: Final = Table(
    SHOWN_IN["override"][0], "Overrides", "Where an authorised person let a proposed act go on against a denial, with who approved it and why.",
    "21 CFR 11.10(f) and (g)", "Nobody overrode a denial in the period.",
    (
        Column("Given", "event.occurred_at"), Column("For event", "event.overrides_event"), Column("Requirements set aside", "event.requirements"),
        Column("By", "event.actor"), Column("Approved by", "event.approved_by"), Column("Emergency", "event.emergency"),
        Column("Until", "event.expires_at"), Column("Why", "event.justification"), Column("Reviewed by", "event.reviewed_by"),
    ),
)  # fmt: skip
LATE_ENTRIES: Final = Table(
    "80-changes/late-entries.csv", "Late entries", "Events that were entered more than 24 hours after they happened. The date of the record is the true one.",
    "21 USC 827(a)(3); 21 CFR 1304.21(a) and (d)", "No event of the period was entered more than 24 hours after it happened.",
    (
        Column("Occurred", "event.occurred_at"), Column("Entered", "event.entered_at"), Column("Later by"), Column("Kind", "event.kind"),
        Column("Entered by", "event.actor"), Column("Reason", "event.reason", law=True), Column("Source", "event.source"),
    ),
)  # fmt: skip


def write(sheets: Sheets) -> None:
    """The tables of this part, in one walk over the events of the period in the order of the log."""
    period = sheets.period
    with sheets.sheet(DECIDED) as decided, sheets.sheet(FOUND) as found, sheets.sheet(LATE_ENTRIES) as late:
        for idx in period.marks:
            versions = period.versions(idx)
            _decision(period, versions[0], decided, found)
            for version in versions:
                delay = noted_us(version) - microseconds(version.event["occurred_at"])
                if delay > LATE and version.event.get("intent") != "proposed":
                    late.row(version, {"Later by": format_duration(delay)})
    with sheets.sheet(OVERRIDES) as sheet:
        for version in period.of("override"):
            sheet.row(version)


def _decision(period: Period, version: Version, decided: Sheet, found: Sheet) -> None:
    """An event with its first and its last decision, and the findings of both."""
    again = [idx for idx in period.naming(version.event["id"]) if period.log.entry(idx).type == "rejudgement"]
    last = version if not again else Version(again[-1], period.log.entry(again[-1]).document())
    rules: list[str] = []
    for judged in dict.fromkeys((version.idx, last.idx)):
        one = version if judged == version.idx else last
        found.sheets.bundles.add(one.document["decision"]["bundle"])
        findings = list(_findings(period, one))
        for number, part, finding in findings:
            _finding(period, version, one, number, part, finding, found)
        rules = [str(finding["rule"]) for _, _, finding in findings]
    given = {"Findings now": str(len(rules)), "Rules": "; ".join(sorted(set(rules)))}
    decided.row(version, given, {LAST_JUDGED: last})


def _findings(period: Period, judged: Version) -> Iterator[tuple[int, Version, Mapping[str, Any]]]:
    """The findings of a decision: each with its place in the list of the entry that holds it, which is another where they did not fit into one."""
    decision = judged.document["decision"]
    for number, finding in enumerate(decision["findings"], 1):
        yield number, judged, finding
    left, at = decision.get("continued", 0), judged.idx
    while left > 0:
        at += 1
        more = Version(at, period.log.entry(at).document())
        for number, finding in enumerate(more.document["findings"], 1):
            yield number, more, finding
        left -= len(more.document["findings"])


def _finding(
    period: Period, about: Version, judged: Version, number: int, part: Version, finding: Mapping[str, Any], found: Sheet
) -> None:  # fmt: skip
    bundle = period.bundles.bundle(judged.document["decision"]["bundle"])
    told = explained(
        Finding(finding["rule"], Outcome(finding["outcome"]), Severity(finding["severity"]), finding["because"], finding.get("overridden_by")), bundle
    )  # fmt: skip
    given = {
        "Judgement": "at first" if judged.idx == about.idx else "since", NUMBER: str(number),
        "What it says": told.message, "What to do": told.remedy,
        "Where it is written": "; ".join(f"{cite.source}{f', {cite.at}' if cite.at else ''}" for cite in told.rule.cites),
    }  # fmt: skip
    found.row(part, given, number=number)
