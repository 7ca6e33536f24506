"""The policies in force in the period: when each came into force, and what they say, whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from compliance.policy.bundle import ARTIFACT, digested
from compliance.policy.model import Bundle
from compliance.reports.binder.pages import Page
from compliance.reports.binder.period import Period, Version
from compliance.reports.binder.registrations import current
from compliance.reports.binder.sheets import Column, Sheets, Table, Written
from compliance.reports.binder.verify_cells import DOCUMENTS, shown

_IN_FORCE: Final = "In force"

ACTIVATIONS: Final = Table(
    "60-policies/activations.csv", "Policies, tables, forms and software in force",
    "What was in force when the period began and what came into force in it: version, digest, who wrote and who approved it, with how many examples passed.",
    "21 CFR 11.10(a), (j) and (k)", "No activation of policies is on record.",
    (
        Column("What", "event.artifact"), Column("Kind", "event.artifact_type"), Column("Version", "event.version"), Column("From", "event.effective_at"),
        Column(_IN_FORCE), Column("Digest", "event.sha256"), Column(DOCUMENTS), Column("Author", "event.author"), Column("Approved by", "event.approved_by"),
        Column("Why", "event.change_reason"), Column("Examples passed", "event.tests_passed"), Column("Examples failed", "event.tests_failed"),
        Column("Next review", "event.next_review_on"),
    ),
)  # fmt: skip


def write(sheets: Sheets) -> None:
    """The table of activations, and for each bundle of policies its documents and a page; after the decisions, which say what they were made under."""
    period = sheets.period
    bundles = _in_force(period)
    for digest in sorted(sheets.bundles - bundles.keys()):
        bundles[digest] = "later, when events of the period were entered and decided on"
    with sheets.sheet(ACTIVATIONS) as sheet:
        for version in _activations(period, set(bundles)):
            digest = f"sha256:{version.event['sha256']}"
            given = {}
            if version.event["artifact"] == ARTIFACT and digest in bundles:
                given = {_IN_FORCE: bundles[digest], DOCUMENTS: _documents(digest)}
            sheet.row(version, given)
    for digest, when in bundles.items():
        bundle = period.bundles.bundle(digest)
        with sheets.folder.text(_documents(digest)) as file:
            file.write(digested(bundle.documents).decode())
        with sheets.folder.text(_page(digest)) as file:
            page = Page(file, f"Policies {bundle.name} {bundle.version}", f"{digest}; in force {when}")
            _write(page, bundle)
            page.close()
        sheets.written.append(
            Written(
                _documents(digest), f"The policies {bundle.name} {bundle.version}",
                f"In force {when}. The documents as the software keeps them (canonical JSON): their SHA-256 is the digest that decisions name.",
                "21 CFR 11.10(k)", page=_page(digest),
            )
        )  # fmt: skip


def _activations(period: Period, used: set[str]) -> Iterator[Version]:
    """What was in force when the period began, what came into force in it, and what its events were decided under though it came later.

    The engine's own policies are in force at every site of a log, anything else at the site that says so.
    """
    shown = set()
    for version in current(
        period,
        "policy_activation",
        ("artifact", "site"),
        lambda one: one.event["artifact"] == ARTIFACT or one.event["site"] == period.site,
    ):
        shown.add(version.idx)
        yield version
    for one in sorted(period.bundles.activations(), key=lambda one: one.idx):
        if one.idx < period.size and one.idx not in shown and one.digest in used:
            yield from period.versions(one.idx)


def _in_force(period: Period) -> dict[str, str]:
    """The bundles that were in force in the period, by digest, each with from when to when; of several, the one recorded last rules."""
    found: dict[str, str] = {}
    until = period.ends
    for one in period.bundles.activations():  # the one that was recorded last comes first
        if one.idx >= period.size or one.effective_at >= until:
            continue
        ends = "" if until == period.ends else f" until {period.instant(until)}"
        found.setdefault(one.digest, f"from {period.instant(one.effective_at)}{ends}")
        until = one.effective_at
        if until <= period.begins:
            break
    return found


def _documents(digest: str) -> str:
    return f"60-policies/bundle-{digest.removeprefix('sha256:')[:16]}.json"


def _page(digest: str) -> str:
    return _documents(digest).removesuffix(".json") + ".html"


def _write(page: Page, bundle: Bundle) -> None:
    """The rules as they are written; none is typed for it, which would take seconds."""
    rules: Mapping[str, Any] = bundle.documents["rules"]
    page.paragraph(
        f"{len(rules)} rules, in the words of their files. Values of parameters are dated, and a site may have stricter ones: the documents have them."
    )
    page.begin_table("Rules by id", ("Rule", "What it asks", "Written in", "In force", "Severity", "Owner"))
    for name, rule in sorted(rules.items()):
        otherwise, force = rule["otherwise"], rule["in_force"]
        page.row((
            name, "\n".join(_asked(rule)), "\n".join(", ".join(filter(None, (cite["source"], cite.get("at")))) for cite in rule["cites"]),
            f"from {force['from']}" + (f" to {force['to']}" if "to" in force else ""), f"{otherwise['severity']}; override {otherwise['override']}",
            f"{rule['owner']}, review by {rule['review_by']}",
        ))  # fmt: skip
    page.end_table()


def _asked(rule: Mapping[str, Any]) -> Iterator[str]:
    yield rule["title"]
    yield f"judged on: {shown(rule['on']) if 'on' in rule else 'every night'}"
    yield from (f"{word}: {shown(rule[word])}" for word in ("when", "require", "expect") if word in rule)
