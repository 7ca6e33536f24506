"""Cases that were run, as lines: those of rules and those of case files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final, Protocol

from compliance.errors import InputError, PolicyError, Problem

from . import output

if TYPE_CHECKING:
    from compliance.engine.cases import CaseResult, TimelineResult
    from compliance.policy.model import Bundle
    from compliance.workbench.junit import Ran as Reported
    from compliance.workbench.sources import PolicyFolder


OBJECTIONS: Final = ("fail", "indeterminate", "missed", "met_late")
"""Outcomes that are findings."""


class Ran(Protocol):
    """A case that was run."""

    @property
    def passed(self) -> bool:
        """Whether it came out as it says."""

    def matches(self, word: str) -> bool:
        """Whether a person who names this word means it."""

    def as_json(self) -> dict[str, Any]:
        """The case as a JSON object."""

    def as_text(self) -> str:
        """The case for a person."""

    def as_junit(self, seconds: float) -> Reported:
        """The case for a report of tests, with how long it took."""


@dataclass(frozen=True)
class RuleCase:
    """A case of a rule."""

    result: CaseResult

    @property
    def passed(self) -> bool:
        """See `Ran`."""
        return self.result.passed

    def matches(self, word: str) -> bool:
        """See `Ran`."""
        return word in self.result.case.name or word in self.result.rule.id

    def as_json(self) -> dict[str, Any]:
        """The keys of case files: what the rule keeps is found, or missing, or not wanted."""
        result = self.result
        about = {
            "rule": result.rule.id,
            "event": self._event_id(),
            "outcome": result.got,
            "severity": str(result.rule.severity),
        }
        found, expected = (outcome in OBJECTIONS for outcome in (result.got, result.case.expect))
        return {
            "name": result.case.name,
            "file": result.case.place.source,
            "passed": result.passed,
            "missing": list(result.rule.implements) if expected and not found else [],
            "unwanted": list(result.rule.implements) if found and not expected else [],
            "findings": [{"requirement": name, **about} for name in result.rule.implements] if found else [],
        }

    def _event_id(self) -> str:
        case = self.result.case
        return str(case.event.get("id", f"case-{len(case.history):05d}"))

    def as_text(self) -> str:
        """See `Ran`."""
        result = self.result
        head = f"{_word(result.passed)}  {result.rule.id}: {result.case.name}"
        if result.passed:
            head += f"  ({result.got})"
        lines = [head]
        if not result.passed:
            lines.append(f"      {self._differs()}; {result.case.place.source}:{result.case.place.line}")
            lines += _problem_lines(result.problems)
        if result.because:
            lines.append(output.paragraph(self._decided(), 6, 2))
        return "\n".join(lines)

    def as_junit(self, seconds: float) -> Reported:
        """See `Ran`."""
        from compliance.workbench.junit import Ran as Reported

        case, place = self.result.case, self.result.case.place
        decided = [line.strip() for line in _problem_lines(self.result.problems)]
        decided += [self._decided()] if self.result.because else []
        failure = "" if self.passed else self._differs()
        return Reported(
            self.result.rule.id, case.name, place.source, place.line, seconds, failure, "\n".join(decided)
        )

    def _differs(self) -> str:
        return f"{self.result.case.expect} expected, {self.result.got} came out"

    def _decided(self) -> str:
        return f"decided on: {', '.join(f'{name} is {value}' for name, value in self.result.because.items())}"


@dataclass(frozen=True)
class TimelineCase:
    """A timeline of a case file."""

    result: TimelineResult

    @property
    def passed(self) -> bool:
        """See `Ran`."""
        return self.result.passed

    def matches(self, word: str) -> bool:
        """See `Ran`."""
        return word in self.result.timeline.name

    def as_json(self) -> dict[str, Any]:
        """The keys that are documented."""
        result = self.result
        findings = [
            {"requirement": f.requirement, "rule": f.rule, "event": f.event, "outcome": f.outcome, "severity": f.severity}
            for f in result.findings
        ]  # fmt: skip
        return {
            "name": result.timeline.name,
            "file": result.timeline.place.source,
            "passed": result.passed,
            "missing": list(result.missing),
            "unwanted": list(dict.fromkeys(found.requirement for found in result.unwanted)),
            "findings": findings,
        }

    def as_text(self) -> str:
        """See `Ran`."""
        result = self.result
        lines = [f"{_word(result.passed)}  {result.timeline.name}"]
        if not result.passed:
            lines.append(f"      {result.timeline.place.source}:{result.timeline.place.line}")
            return "\n".join([*lines, *(f"      {line}" for line in self._differs())])
        return "\n".join([*lines, *(output.paragraph(text, 6, 2) for text in self._found())])

    def as_junit(self, seconds: float) -> Reported:
        """See `Ran`."""
        from compliance.workbench.junit import Ran as Reported

        timeline, place = self.result.timeline, self.result.timeline.place
        failure = "" if self.passed else "; ".join(self._differs())
        return Reported(
            PurePath(place.source).stem, timeline.name, place.source, place.line, seconds, failure, "\n".join(self._found())
        )  # fmt: skip

    def _found(self) -> list[str]:
        """What was expected and found, and by which rule."""
        result = self.result
        return list(
            dict.fromkeys(
                f"found {found.requirement} by {found.rule}"
                for found in result.findings
                if found.requirement in result.timeline.findings
            )
        )

    def _differs(self) -> list[str]:
        """In what it came out otherwise than it says."""
        result = self.result
        lines = [f"expected and not found: {name}" for name in result.missing]
        lines += [
            f"found and not wanted: {found.requirement} by {found.rule} on {found.event} ({found.outcome})"
            for found in result.unwanted
        ]
        wanted = result.timeline.verdict
        if wanted is not None and wanted != result.verdict:
            lines.append(f"the last event is {result.verdict}, {wanted} expected")
        return [*lines, *(line.strip() for line in _problem_lines(result.problems))]


def _word(passed: bool) -> str:
    import click

    return click.style("ok  ", fg="green") if passed else click.style("FAIL", fg="red", bold=True)


def _problem_lines(problems: Sequence[Problem]) -> list[str]:
    return [f"      {problem.place.field or 'event'}: {problem.message}" for problem in problems]


def rule_cases(named: PolicyFolder, word: str | None) -> Iterator[Ran]:
    """The cases of every rule that was named, each run when it is asked for; those that a word leaves out are not run."""
    from compliance.engine.cases import run_case
    from compliance.library import case_judge
    from compliance.workbench.rule_check import rule_alone

    bundle = _usable(rule_alone(named), named) if named.path.is_file() else _loaded(named)
    judge = case_judge(bundle)
    for rule in bundle.rules:
        for case in rule.cases:
            if word is None or word in case.name or word in rule.id:
                yield RuleCase(run_case(rule, case, judge))


def timelines(named: PolicyFolder, files: Sequence[Path]) -> Iterator[Ran]:
    """The cases of case files under the policies of a folder; raises PolicyError where a file cannot be read."""
    from compliance.engine.cases import run_timeline
    from compliance.engine.judging import Judge
    from compliance.policy.bundle import load_requirements
    from compliance.policy.case_files import load_cases

    for file in files:
        if not file.exists():
            raise InputError(f"there is no file or folder {file}", "Name a case file, or a folder of them.")
    bundle = _loaded(named)
    requirements, _ = load_requirements(named.path)
    known = {one.id for one in requirements} or None
    judge = Judge(bundle)
    for file in files:
        cases, problems = load_cases(file, known)
        if problems:
            raise PolicyError(f"{file} cannot be used", "Mend it.", problems)
        for case in cases:
            yield TimelineCase(run_timeline(case, judge))


def _loaded(named: PolicyFolder) -> Bundle:
    from compliance.policy.bundle import load_folder

    return _usable(load_folder(named.path, shown=named.shown), named)


def _usable(read: tuple[Bundle | None, tuple[Problem, ...]], named: PolicyFolder) -> Bundle:
    bundle, problems = read
    if bundle is None:
        raise PolicyError(
            f"the policies in {named} cannot be used",
            "Mend them; `compliance policy check` shows the same.",
            problems,
        )
    return bundle
