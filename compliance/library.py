"""A folder of policies, checked: everything that is wrong with its files, and every case of every rule run as it says.

This is what a bundle must pass before `compliance init` puts it into force. ``compliance policy check`` finds the same file by file
(`compliance.workbench.examining`), so that what was found in order need not be looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from compliance.engine.cases import CaseResult, own_offset, run_case
from compliance.engine.judging import Judge
from compliance.errors import Place, PolicyError, Problem
from compliance.policy.bundle import load_folder
from compliance.policy.model import Bundle, Rule


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
    rule whose review is overdue is a problem. Nothing is taken from an earlier check."""
    bundle, problems = load_folder(folder, sites)
    if bundle is None:
        return Checked(None, problems, ())
    overdue = () if today is None else tuple(_overdue(bundle.rules, today))
    return Checked(bundle, (*problems, *overdue), run_cases(bundle, bundle.rules))


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
    remedy = "mend the rule, or what the case expects"
    return Problem(
        result.case.place, message, f"{remedy}; decided on: {decided}" if decided else remedy, "case"
    )


def overdue_review(rule_id: str, owner: str, review_by: str, place: Place) -> Problem:
    """A rule that ought to have been read again by a day that has passed."""
    message = f"the review of '{rule_id}' was due on {review_by}"
    remedy = f"let its owner ({owner}) read its sources again, then set read: and review_by:"
    return Problem(place, message, remedy, "review")


def _overdue(rules: Iterable[Rule], today: str) -> Iterable[Problem]:
    for rule in rules:
        if rule.review_by and rule.review_by < today:
            yield overdue_review(rule.id, rule.owner, rule.review_by, rule.place)
