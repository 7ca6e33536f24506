"""Case files: timelines of whole days that name requirements, not rules (policy-language.md, "Case files").

A file has `preludes` (named lists of events) and `cases`. The runner records a case's prelude events and its own in order, and looks at the
findings that stand at the end.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from compliance.domain.findings import Verdict
from compliance.errors import Place, Problem
from compliance.policy.cases import events, instant
from compliance.policy.documents import read_file
from compliance.policy.fields import Fields, Reading, kind_of
from compliance.policy.located import Document
from compliance.policy.nearest import did_you_mean

FILE_FIELDS: Final = ("version", "preludes", "cases")
CASE_FIELDS: Final = ("name", "prelude", "events", "now", "findings", "clear", "verdict")
VERDICTS: Final = tuple(str(verdict) for verdict in Verdict)


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One event of a timeline as JSON, and where it stands. `recorded_at` (RFC 3339) is there only where the file gives it."""

    body: Mapping[str, Any]
    recorded_at: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class Timeline:
    """One case: the events in the order in which they are recorded (those of its preludes first), the instant as of which duties are
    judged (None: the latest recorded_at), and what must and must not be found at the end."""

    name: str
    events: tuple[CaseEvent, ...]
    now: str | None
    findings: tuple[str, ...]
    clear: tuple[str, ...]
    verdict: str | None
    place: Place


def load_cases(
    path: Path, requirements: Collection[str] | None = None
) -> tuple[tuple[Timeline, ...], tuple[Problem, ...]]:
    """The cases of a file, or of all ``*.yaml`` files below a folder, with every problem found.

    `requirements` are the ids that `findings` and `clear` may name; None allows every id.
    """
    files = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
    cases: list[Timeline] = []
    problems: list[Problem] = []
    if not files:
        problems.append(
            Problem(Place(str(path)), "this folder has no case files", "case files end in .yaml", "cases")
        )
    for file in files:
        read = read_file(file)
        if isinstance(read, tuple):
            problems.extend(read)
            continue
        found, wrong = read_cases_file(read, requirements)
        cases.extend(found)
        problems.extend(wrong)
    return tuple(cases), tuple(problems)


def read_cases_file(
    document: Document, requirements: Collection[str] | None = None
) -> tuple[tuple[Timeline, ...], tuple[Problem, ...]]:
    """The cases of one parsed file; none where anything in it is wrong."""
    reading = Reading(document, [])
    fields = reading.fields((), FILE_FIELDS, "a case file")
    if fields is None:
        return (), tuple(reading.problems)
    if fields.required("version", "write version: 1") and fields.value["version"] != 1:
        fields.wrong("version", "this version of case files is not known", "write version: 1")
    preludes = _preludes(fields)
    cases: list[Timeline] = []
    if fields.required("cases", "write cases: and a list of cases"):
        written = fields.value["cases"]
        if not isinstance(written, list) or not written:
            fields.wrong(
                "cases",
                f"'cases' must be a list of cases, not {kind_of(written) if written != [] else 'empty'}",
                "begin each case with '- name:'",
            )
            written = []
        for i in range(len(written)):
            one = reading.fields((*fields.at("cases"), i), CASE_FIELDS, "a case")
            if one is not None:
                cases.append(_case(one, preludes, requirements))
    names: set[str] = set()
    for case in cases:
        if case.name in names:
            reading.problems.append(
                Problem(case.place, f"two cases are called '{case.name}'", "give each its own name", "cases")
            )
        names.add(case.name)
    return (() if reading.problems else tuple(cases)), tuple(reading.problems)


def _preludes(fields: Fields) -> dict[str, tuple[CaseEvent, ...]]:
    if not fields.has("preludes"):
        return {}
    written = fields.value["preludes"]
    if not isinstance(written, dict):
        fields.wrong(
            "preludes",
            f"'preludes' must be a group of named lists, not {kind_of(written)}",
            "write each list of events below its name",
        )
        return {}
    below = Fields(fields.reading, fields.at("preludes"), written, "'preludes'")
    return {name: _events(below, name) for name in written}


def _events(fields: Fields, name: str) -> tuple[CaseEvent, ...]:
    found = []
    for i, event in enumerate(events(fields, name, recorded_at=True)):
        path = (*fields.at(name), i)
        recorded_at = event.get("recorded_at")
        if event and "occurred_at" not in event:
            fields.reading.wrong(
                path,
                "this event has no 'occurred_at'",
                "write when it happened: occurred_at: '2026-03-02T09:05:00-06:00'",
            )
        body = {field: value for field, value in event.items() if field != "recorded_at"}
        found.append(
            CaseEvent(body, recorded_at if isinstance(recorded_at, str) else None, fields.reading.place(path))
        )
    return tuple(found)


def _case(
    fields: Fields, preludes: Mapping[str, tuple[CaseEvent, ...]], requirements: Collection[str] | None
) -> Timeline:
    name = fields.text("name", "say in a few words what the case shows")
    before: list[CaseEvent] = []
    for prelude in fields.names("prelude", "name a prelude of this file", required=False):
        if prelude not in preludes:
            fields.wrong(
                "prelude", f"there is no prelude '{prelude}' in this file", did_you_mean(prelude, preludes)
            )
        before.extend(preludes.get(prelude, ()))
    own = _events(fields, "events")
    if not before and not own:
        fields.lacks("events", "write the events of the case, in the order in which they are recorded")
    findings, clear = (
        _requirements(fields, "findings", requirements),
        _requirements(fields, "clear", requirements),
    )
    for both in sorted(set(findings) & set(clear)):
        fields.wrong(
            "clear", f"'{both}' is named under 'findings', too", "a requirement is either found or clear"
        )
    verdict = fields.one_of("verdict", VERDICTS, "") if fields.has("verdict") else None
    if not findings and not clear and verdict is None:
        fields.lacks(
            "findings",
            "say what must be found (findings), what must not (clear), or the verdict on the last event",
        )
    return Timeline(
        name,
        (*before, *own),
        instant(fields, "now"),
        findings,
        clear,
        verdict,
        fields.reading.place(fields.path),
    )


def _requirements(fields: Fields, name: str, known: Collection[str] | None) -> tuple[str, ...]:
    if fields.value.get(name) == []:
        return ()
    found = fields.names(name, "name requirements, such as [REMS-MONITOR-2H]", required=False)
    for i, requirement in enumerate(found if known is not None else ()):
        if requirement not in (known or ()):
            path = (*fields.at(name), i) if isinstance(fields.value[name], list) else fields.at(name)
            fields.reading.wrong(
                path, f"there is no requirement '{requirement}'", did_you_mean(requirement, known or ())
            )
    return found
