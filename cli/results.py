"""What recording or checking gave, as JSON and as text. The keys of the JSON are those of the documentation, and stable.

Four kinds of line, told apart by their keys: a decision has ``event``, input that is no event has ``rejected``, an earlier event that was
judged again has ``rejudged``, a piece of input that is not about what the log keeps has ``passed_over``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import click

from . import output

if TYPE_CHECKING:
    from compliance.bundles import Bundles
    from compliance.domain.event import Event
    from compliance.domain.findings import Decision
    from compliance.intake.drafts import PassedOver
    from compliance.record import Recorded, Refused, Rejudged, Result
    from compliance.standing import Explained

OBJECTIONS: Final = frozenset({"violation", "denied"})
WARNINGS: Final = frozenset({"flagged", "permitted_with_warnings"})


strict_option: Final = click.option("--strict", is_flag=True, help="Exit 1 for warnings, too.")


@dataclass
class Tally:
    """What a run amounts to: how many of each, and whether there is something."""

    recorded: int = 0
    repeated: int = 0
    rejected: int = 0
    rejected_again: int = 0
    rejudged: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    objections: int = 0
    warnings: int = 0

    def take(self, result: Result) -> None:
        """Count one result."""
        from compliance.record import Recorded, Refused

        if isinstance(result, Refused):
            self.rejected_again += result.repeated
            self.rejected += not result.repeated
            return
        verdict = str(result.decision.verdict)
        self.objections += verdict in OBJECTIONS
        self.warnings += verdict in WARNINGS
        if isinstance(result, Recorded):
            self.repeated += result.repeated
            self.recorded += not result.repeated
            self.verdicts[verdict] += 1
        else:
            self.rejudged += 1

    def exit_code(self, *, strict: bool) -> int:
        """1 where there is something."""
        return int(
            bool(self.objections or self.rejected or self.rejected_again or (strict and self.warnings))
        )


def finding_json(explained: Explained) -> dict[str, Any]:
    """One finding of a decision."""
    return {
        "rule": explained.rule.id,
        "implements": list(explained.implements),
        "severity": explained.severity,
        "outcome": explained.outcome,
        "message": explained.message,
        "remedy": explained.remedy,
        "because": dict(explained.because),
        "policy": {"file": explained.rule.place.source, "line": explained.rule.place.line},
        "cites": [cite_json(cite) for cite in explained.rule.cites],
    }


def cite_json(cite: Any) -> dict[str, str]:
    """A citation: the source, the place in it, when it was last read."""
    return {
        name: text for name, text in (("source", cite.source), ("at", cite.at), ("read", cite.read)) if text
    }


def explained_all(decision: Decision, bundles: Bundles) -> list[Explained]:
    """The findings of a decision in words."""
    from compliance.standing import explained

    if not decision.findings:
        return []
    bundle = bundles.bundle(decision.bundle)
    return [explained(finding, bundle) for finding in decision.findings]


def result_json(result: Result, bundles: Bundles, *, written: bool) -> dict[str, Any]:
    """One result; `written` is false where the events are only checked, and new ones have no entry."""
    from compliance.record import Recorded, Refused

    if isinstance(result, Refused):
        return _refused_json(result, written=written)
    findings = [finding_json(one) for one in explained_all(result.decision, bundles)]
    if isinstance(result, Recorded):
        return _recorded_json(result, findings, written=written)
    return _rejudged_json(result, findings, written=written)


def _recorded_json(result: Recorded, findings: list[dict[str, Any]], *, written: bool) -> dict[str, Any]:
    event = result.draft.event
    line: dict[str, Any] = {
        "event": event.id, "kind": event.kind, "entry": result.idx if written or result.repeated else None,
        "verdict": str(result.decision.verdict), "findings": findings, "bundle": result.decision.bundle,
    }  # fmt: skip
    return {**line, "repeated": True} if result.repeated else line


def _rejudged_json(result: Rejudged, findings: list[dict[str, Any]], *, written: bool) -> dict[str, Any]:
    again = {
        "event": result.event.id, "kind": result.event.kind, "verdict": str(result.decision.verdict), "findings": findings,
        "bundle": result.decision.bundle, "cause": result.cause,
    }  # fmt: skip
    return {"rejudged": again, "entry": result.idx if written else None}


def _refused_json(result: Refused, *, written: bool) -> dict[str, Any]:
    from compliance.errors import Place

    problems = [
        {
            "place": str(Place(p.place.source, p.place.line, p.place.column)), "field": p.place.field,
            "message": p.message, "remedy": p.remedy,
        }
        for p in result.problems
    ]  # fmt: skip
    about = {"source": result.source, "line": result.line, "problems": problems}
    line = {"rejected": about, "entry": result.idx if written or result.repeated else None}
    return {**line, "repeated": True} if result.repeated else line


def result_text(result: Result, bundles: Bundles) -> str:
    """What a person must see of one result; nothing where there is nothing to object to."""
    from compliance.record import Recorded, Refused

    if isinstance(result, Refused):
        again = " (was kept before)" if result.repeated else ""
        head = output.headline("rejected", f"{result.source}:{result.line}{again}")
        return "\n".join([head, *(_problem_text(problem) for problem in result.problems)])
    found = explained_all(result.decision, bundles)
    if isinstance(result, Recorded):
        if not found:
            return ""
        repeated = ", already recorded" if result.repeated else ""
        return event_text(result.draft.event, str(result.decision.verdict), found, repeated)
    return event_text(
        result.event, str(result.decision.verdict), found, f", judged again because of {result.cause}"
    )


def _problem_text(problem: Any) -> str:
    where = f"{problem.place.field}: " if problem.place.field else ""
    text = output.paragraph(f"{where}{problem.message}", 2, 2)
    return f"{text}\n{output.paragraph(f'to do: {problem.remedy}', 4, 2)}" if problem.remedy else text


def event_text(event: Event, verdict: str, found: list[Explained], more: str = "") -> str:
    """An event with its verdict, and each finding below it."""
    head = output.headline(
        verdict, f"{event.id}  {event.kind}, {event.body['occurred_at']}, site {event.body['site']}{more}"
    )
    return "\n".join([head, *(finding_text(one) for one in found)])


def finding_text(explained: Explained) -> str:
    """One finding: severity, rule, where it is written; what was found; what to do."""
    undecided = " (cannot be decided)" if explained.outcome == "indeterminate" else ""
    overridden = " (overridden)" if explained.outcome == "overridden" else ""
    lines = [
        output.paragraph(
            f"{explained.severity}  {explained.rule.id}{undecided}{overridden}  [{explained.rule.cited()}]",
            2,
            4,
        ),
        output.paragraph(explained.message, 6),
    ]
    if explained.remedy:
        lines.append(output.paragraph(f"to do: {explained.remedy}", 6))
    return "\n".join(lines)


def passed_json(piece: PassedOver) -> dict[str, Any]:
    """A piece that was passed over."""
    return {
        "passed_over": {
            "source": piece.source, "line": piece.line, "what": piece.what, "reason": piece.reason,
            **({} if piece.codes is None else {"codes": list(piece.codes)}),
        }
    }  # fmt: skip


class Passed(Counter[str]):
    """How many pieces were passed over for which reason, and of those that were for their drug, with which code."""

    def __init__(self) -> None:
        super().__init__()
        self.codes: dict[str, Counter[str]] = {}

    def take(self, piece: PassedOver) -> None:
        """Count one."""
        self[piece.reason] += 1
        if piece.codes is None:
            return
        codes = self.codes.setdefault(piece.reason, Counter())
        for code in piece.codes or (NO_CODE,):
            codes[code if code in codes or len(codes) < CODES else MORE] += 1

    def lines(self) -> list[str]:
        """A line for each reason, the most frequent first, and under it the codes by how often they came."""
        return [line for reason, count in _by_number(self) for line in self._lines(reason, count)]

    def _lines(self, reason: str, count: int) -> list[str]:
        codes = _by_number(self.codes.get(reason, Counter()))
        said = [output.paragraph(f"{count:,} {reason}", 2, 4)]
        said += [f"      {number:,}  {code}" for code, number in codes[:LISTED]]
        if len(codes) > LISTED:
            said.append(f"      and {output.counted(len(codes) - LISTED, 'code')} more: see --output json")
        return said


CODES: Final = 10_000
"""So many different codes are counted each by itself."""
LISTED: Final = 30
"""So many of them are listed."""
NO_CODE: Final = "(words only, no code)"
MORE: Final = "(other codes)"


def _by_number(counted: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda row: (-row[1], row[0]))


def summary(tally: Tally, *, written: bool, passed: Passed | None = None) -> str:
    """What a run amounts to, in a few lines; `passed` says how many pieces were passed over for which reason."""
    done = "recorded" if written else "would be recorded"
    parts = [f"{output.counted(tally.recorded, 'event')} {done}"]
    if tally.repeated:
        parts.append(f"{tally.repeated:,} already recorded")
    if tally.rejected:
        kept = " and kept" if written else ""
        parts.append(f"{output.counted(tally.rejected, 'line')} rejected{kept}")
    if tally.rejected_again:
        parts.append(f"{output.counted(tally.rejected_again, 'line')} rejected as before")
    if tally.rejudged:
        again = "judged again" if written else "would be judged again"
        parts.append(f"{output.counted(tally.rejudged, 'earlier event')} {again}")
    lines = [", ".join(parts)]
    if tally.verdicts:
        lines.append(
            ", ".join(
                f"{count:,} {output.colored(verdict)}" for verdict, count in tally.verdicts.most_common()
            )
        )
    if passed:
        lines.append(f"{sum(passed.values()):,} passed over: not about what this log keeps")
        lines += passed.lines()
    if written and not tally.recorded and not tally.rejected:
        lines.append("nothing new was written")
    if not written:
        lines.append("nothing was written")
    return "\n".join(lines)


def echo_results(results: tuple[Result, ...], bundles: Bundles, *, as_json: bool, written: bool) -> None:
    """Print the results of one batch and flush them."""
    if as_json:
        output.echo_json(*(result_json(result, bundles, written=written) for result in results))
        return
    if text := results_text(results, bundles):
        click.echo(text)


def results_text(results: tuple[Result, ...], bundles: Bundles) -> str:
    """What a person must see of several results, with an empty line after each; nothing where there is nothing to object to."""
    return "".join(
        f"{text}\n\n" for result in results if (text := result_text(result, bundles))
    ).removesuffix("\n")
