"""Problems of policy files as SARIF 2.1.0, for code hosts that show them beside the lines they are about (OASIS, 2020).

Files are named from the repository's top (the folder that this process stands in, where there is no repository), so that a report says
nothing of the machine that made it. A file of a git revision is named by its path; one outside of the repository by its bare name.

    document(problems, KINDS)       # KINDS: what each code of a problem means
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import quote

from compliance.errors import Place, Problem

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_TOP: Final = "SRCROOT"


@dataclass(frozen=True, slots=True)
class Kind:
    """What the problems of one code have in common: a title, what to do about them, how grave they are."""

    code: str
    title: str
    help: str
    level: Literal["error", "warning", "note"] = "error"


OF_FILES: Final = (
    Kind("yaml", "The file is no YAML that policies may use", "Mend the file at the place that is underlined; nothing in it could be read. Policies use plain YAML 1.2: no tabs, anchors, tags or second documents."),
    Kind("policy", "A policy says what cannot be", "Mend the field that is named: what it may say is in docs/policy-authors.md, and editors complete it by the schema in the file's first line."),
    Kind("case", "A case does not come out as it says", "Either the rule or the case is wrong. `compliance policy test -k RULE` shows what decided."),
    Kind("review", "A rule is overdue for review", "Its owner reads its sources again, and then sets `read:` of each citation and `review_by:`.", "warning"),
)  # fmt: skip
"""The problems that a check of policies finds."""

OF_LINT: Final = (
    Kind("literal-named", "A literal that a parameter names", "Where the parameter is changed, the literal stays behind: write the parameter.", "warning"),
    Kind("unused-parameter", "A parameter that nothing uses", "Name it where it is meant, or delete it.", "warning"),
    Kind("unused-fact", "A fact that nothing uses", "Name it where it is meant, or delete it: it is looked up for nothing.", "warning"),
    Kind("date-gap", "Days on which neither of two rules that follow one another is in force", "Let the second begin on the day on which the first ends, if that is not meant.", "warning"),
    Kind("date-overlap", "Days on which both of two rules that follow one another are in force", "Let the first end on the day on which the second begins, if that is not meant.", "warning"),
    Kind("site-gap", "Days on which a site's own value gives way to the library's", "Let the site's next value begin where the last one ends, if that is not meant.", "warning"),
    Kind("never-applies", "A rule that never applies", "Its condition holds on no event and no history: mend it, or delete the rule."),
    Kind("never-fails", "A rule that can never fail", "It finds nothing, whatever happens: mend its condition, or delete it."),
    Kind("always-fails", "A rule that nobody can keep", "It fails wherever it applies: mend its condition."),
    Kind("never-decides", "A condition that never decides", "All would come out the same without it: delete it, or mend what it was to say.", "warning"),
    Kind("redundant", "A rule that another makes redundant", "The other keeps all requirements of this one and finds all that this finds: delete it, or say what it adds.", "warning"),
    Kind("conflict", "Two rules that no event can satisfy together", "See which of the two is meant, and say in its `when` where it does not apply."),
)  # fmt: skip
"""What a lint of policies finds."""


def document(problems: Iterable[Problem], kinds: Sequence[Kind] = OF_FILES) -> dict[str, Any]:
    """One run of the policy workbench: `kinds` are the codes that its problems may have."""
    top = _repository()
    known = {kind.code: (index, kind) for index, kind in enumerate(kinds)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "compliance policy", "version": _version(), "rules": [_rule(kind) for kind in kinds]}},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {_TOP: {"description": {"text": "The top of the repository."}}},
                "results": [_result(problem, *known[problem.code], top) for problem in problems],
            }
        ],
    }  # fmt: skip


def _rule(kind: Kind) -> dict[str, Any]:
    return {
        "id": kind.code,
        "shortDescription": {"text": f"{kind.title}."},
        "help": {"text": kind.help},
        "defaultConfiguration": {"level": kind.level},
    }


def _result(problem: Problem, index: int, kind: Kind, top: Path) -> dict[str, Any]:
    place = problem.place
    about: dict[str, Any] = {"artifactLocation": _artifact(place.source, top)}
    if place.line is not None:
        about["region"] = _region(place, problem.excerpt)
    location: dict[str, Any] = {"physicalLocation": about}
    if place.field:
        location["logicalLocations"] = [{"fullyQualifiedName": place.field, "kind": "member"}]
    said = f"{problem.message}\nRemedy: {problem.remedy}" if problem.remedy else problem.message
    return {
        "ruleId": kind.code,
        "ruleIndex": index,
        "level": kind.level,
        "message": {"text": said},
        "locations": [location],
    }


def _region(place: Place, excerpt: str) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": place.line}
    if place.column is not None:
        region["startColumn"] = place.column
        if underline := excerpt.rpartition("\n")[2].lstrip(" |"):
            region["endColumn"] = place.column + len(underline)
    return region


def _artifact(source: str, top: Path) -> dict[str, Any]:
    """A file as SARIF names it."""
    path = Path(source)
    if not path.exists() and ":" in source:  # of a revision; git counts from the top as well
        return {"uri": quote(source.rpartition(":")[2]), "uriBaseId": _TOP}
    inside = path.resolve()
    if inside.is_relative_to(top):
        return {"uri": quote(inside.relative_to(top).as_posix()), "uriBaseId": _TOP}
    return {"uri": quote(path.name)}


def _repository() -> Path:
    """The top of the repository that this process stands in, else where it stands."""
    here = Path.cwd().resolve()
    return next((above for above in (here, *here.parents) if (above / ".git").exists()), here)


def _version() -> str:
    try:
        return version("compliance-engine")
    except PackageNotFoundError:  # run from a source tree that was not installed
        return "0"
