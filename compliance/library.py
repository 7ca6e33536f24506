"""A folder of policies, checked: everything that is wrong with its files, and every case of every rule run as it says.

This is what ``compliance policy check`` reports, and what a bundle must pass before `compliance init` puts it into force.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from compliance.engine.cases import CaseResult, own_offset, run_case
from compliance.engine.judging import Judge
from compliance.errors import PolicyError, Problem
from compliance.policy.bundle import BUNDLE_FILE, REQUIREMENTS_FILE, load_folder, load_requirements
from compliance.policy.documents import read_file
from compliance.policy.model import Bundle, Rule
from compliance.policy.rules import read_rule
from compliance.policy.sites import FOLDER as SITES_FOLDER
from compliance.policy.sites import read_site
from compliance.policy.tables import read_tables
from compliance.settings import shipped_folder


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of policies found. `bundle` is None where a file cannot be used; `results` has each case that was run."""

    bundle: Bundle | None
    problems: tuple[Problem, ...]
    results: tuple[CaseResult, ...]

    @property
    def passed(self) -> int:
        """How many cases came out as they say."""
        return sum(result.passed for result in self.results)

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        """The cases that did not."""
        return tuple(result for result in self.results if not result.passed)


def check_folder(folder: Path, today: str | None = None, sites: Path | None = None) -> Checked:
    """Load a folder (with the values of single sites in the folder `sites`) and run every case. With `today` (an RFC 3339 date) a
    rule whose review is overdue is a problem."""
    bundle, problems = load_folder(folder, sites)
    if bundle is None:
        return Checked(None, problems, ())
    overdue = () if today is None else tuple(_overdue(bundle.rules, today))
    return Checked(bundle, (*problems, *overdue), run_cases(bundle, bundle.rules))


def check_file(file: Path, today: str | None = None) -> Checked:
    """Check one rule's file among those of its folder: the nearest one above with a bundle.yaml, else the shipped one's tables.

    A file in a folder ``sites`` holds the values of a site, and is held against all rules.
    """
    folder = next((above for above in file.resolve().parents if (above / BUNDLE_FILE).is_file()), None)
    shared = shipped_folder("policies") if folder is None else folder
    read = read_file(file)
    if isinstance(read, tuple):
        return Checked(None, read, ())
    if file.resolve().parent.name == SITES_FOLDER:
        bundle, problems = load_folder(shared)
        site_problems = read_site(read, bundle.rules)[2] if bundle is not None else problems
        return Checked(bundle, site_problems, ())
    tables_document = read_file(shared / BUNDLE_FILE)
    if isinstance(tables_document, tuple):
        return Checked(None, tables_document, ())
    tables, problems = read_tables(tables_document)
    if tables is None or file.name in (BUNDLE_FILE, REQUIREMENTS_FILE):
        return Checked(None, problems, ())
    requirements, wrong = load_requirements(shared)
    rule, found = read_rule(read, {one.id for one in requirements} or None)
    if rule is None or found:
        return Checked(None, (*wrong, *found), ())
    name, version, read_in = tables
    bundle = Bundle(name, version, "sha256:" + "0" * 64, (rule,), read_in, {})
    overdue = () if today is None else tuple(_overdue([rule], today))
    return Checked(bundle, (*wrong, *overdue), run_cases(bundle, [rule]))


def run_cases(bundle: Bundle, rules: Iterable[Rule]) -> tuple[CaseResult, ...]:
    """Every case of some rules of a bundle; what decided it is found out for those that do not come out as they say."""
    judge = case_judge(bundle)
    results = (run_case(rule, case, judge, told=False) for rule in rules for case in rule.cases)
    return tuple(one if one.passed else run_case(one.rule, one.case, judge) for one in results)


def case_judge(bundle: Bundle) -> Judge:
    """A judge for examples, which may leave the site's profile out, and show the library's own values."""
    return Judge(replace(bundle, sites={}), own_offset)


def usable(checked: Checked) -> Bundle:
    """The bundle; raises PolicyError where anything in it is wrong or a case does not come out as it says."""
    if checked.bundle is None or checked.problems:
        count = len(checked.problems)
        raise PolicyError(
            f"these policies cannot be used: {count} problem{'' if count == 1 else 's'}",
            "Mend them; `compliance policy check` shows each with its place.",
            checked.problems,
        )
    if checked.failed:
        raise PolicyError(
            f"{len(checked.failed)} of {len(checked.results)} cases of these policies do not come out as they say",
            "Mend the rule or the case; `compliance policy check` shows what decided.",
            (as_problem(result) for result in checked.failed),
        )
    return checked.bundle


def as_problem(result: CaseResult) -> Problem:
    """A case that did not come out as it says, with its place."""
    if result.problems:
        first = result.problems[0]
        where = f" {first.place.field}:" if first.place.field else ""
        message = f"case '{result.case.name}': its events are not valid:{where} {first.message}"
        return Problem(result.case.place, message, first.remedy, "case")
    message = f"case '{result.case.name}': {result.case.expect} expected, {result.got} came out"
    decided = ", ".join(f"{name} is {value}" for name, value in result.because.items())
    return Problem(result.case.place, message, f"It was decided on: {decided}" if decided else "", "case")


def _overdue(rules: Iterable[Rule], today: str) -> Iterable[Problem]:
    for rule in rules:
        if rule.review_by and rule.review_by < today:
            message = f"the review of '{rule.id}' was due on {rule.review_by}"
            remedy = f"let its owner ({rule.owner}) read its sources again, then set read: and review_by:"
            yield Problem(rule.place, message, remedy, "review")
