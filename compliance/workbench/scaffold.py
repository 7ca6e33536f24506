"""A new rule from a requirement: a file with everything that can be known already, and a mark where a person has to say what the law asks.

What is known: the title, what other rules of the folder that keep the requirement cite and since when they hold, who owns them, the
form that the requirement has. What is not is marked `TO_WRITE`, which no reader of policies accepts: the file is refused until it is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compliance.domain.time import format_date
from compliance.domain.vocabulary import KINDS
from compliance.errors import InputError
from compliance.policy.bundle import load_requirements
from compliance.policy.documents import read_file
from compliance.policy.file_kinds import RULE
from compliance.policy.files import BUNDLE_FILE, REQUIREMENTS_FILE
from compliance.policy.fill import OCCURRED_AT
from compliance.policy.layout import formatted
from compliance.policy.located import Document
from compliance.policy.model import Citation, Requirement, Rule
from compliance.policy.names import RULE_ID
from compliance.policy.nearest import did_you_mean
from compliance.policy.rules import TO_WRITE, read_rule
from compliance.policy.scalar_text import inline
from compliance.workbench.formatting import schema_address

FORMS: Final = ("rule", "deadline", "standing")
OUTCOMES_OF: Final = {
    "rule": ("pass", "fail", "indeterminate", "not_applicable"),
    "deadline": ("met", "met_late", "missed", "open", "not_applicable"),
    "standing": ("pass", "fail", "indeterminate", "not_applicable"),
}
"""What a case of each form can show."""
REVIEWED_AFTER: Final = 365
"""Days."""
NIGHT: Final = "2026-03-12T00:00:00-05:00"


@dataclass(frozen=True, slots=True)
class Scaffold:
    """The file of a new rule: where it belongs, its text, and how many marks in it wait to be replaced."""

    path: Path
    rule: str
    implements: str
    text: str
    to_write: int


def library_of(folder: Path) -> Path:
    """The folder above, or this one, that holds ``bundle.yaml``; raises InputError where none does."""
    here = folder.absolute()
    for above in (here, *here.parents):
        if (above / BUNDLE_FILE).is_file():
            return above
    raise InputError(
        f"{folder} is in no folder of policies",
        "Name a folder that holds bundle.yaml, or one below it.",
    )


def scaffold(
    rule: str, requirement: str, folder: Path, today: int, *, on: str | None = None, form: str | None = None
) -> Scaffold:
    """The file of a rule that keeps a requirement, for a folder of a library.

    `on` is the kind of event that is judged, that opens a duty, or that defines the subjects; `form` one of `FORMS`, else the
    requirement's own; `today` an ordinal. Raises InputError for an id that cannot be one, or is taken; for an unknown requirement or kind.
    """
    library = library_of(folder)
    if not RULE_ID.match(rule):
        raise InputError(
            f"'{rule}' cannot be a rule's id",
            "Use small letters, digits and -, beginning with a letter: clinic-monitor-3h.",
        )
    if on is not None and on not in KINDS:
        raise InputError(f"there is no kind of event '{on}'", did_you_mean(on, KINDS))
    files = [file for file in sorted(library.rglob("*.yaml")) if file.is_file()]
    taken = next((file for file in files if file.stem == rule), None)
    if taken is not None:
        raise InputError(f"there is a rule '{rule}' already: {taken}", "Give the new one another id.")
    known = _requirement(requirement, library)
    form = form or (known.form if known is not None and known.form in FORMS else FORMS[0])
    like = list(_rules(files, requirement))
    path = folder / f"{rule}.yaml"
    known_title = known.title if known is not None else f"{TO_WRITE} what must hold, in one sentence"
    lines = [
        f"id: {rule}",
        f"title: {inline(known_title)}",
        f"implements: [{inline(requirement, flow=True)}]",
        *_sources(like, today),
        *_asked(on or _likely_kind(like), form),
        "otherwise:",
        "  severity: report",
        "  override: never",
        f"  message: {TO_WRITE} what was found",
        f"  remedy: {TO_WRITE} what the person should do now",
        *_cases(on or _likely_kind(like), form),
    ]
    text = formatted("\n".join(lines).encode(), str(path), lambda _: schema_address(path, RULE))
    assert isinstance(text, str)  # every line is written here, and every value as the layout writes it
    return Scaffold(path, rule, requirement, text, text.count(TO_WRITE))


def _requirement(requirement: str, library: Path) -> Requirement | None:
    """The requirement; None where the library has no list, so that its rules may name any."""
    requirements, problems = load_requirements(library)
    if problems:
        raise InputError(f"{library / REQUIREMENTS_FILE} cannot be read", "Mend it first.", problems)
    named = {one.id: one for one in requirements}
    if named and requirement not in named:
        near = did_you_mean(requirement, named)
        raise InputError(
            f"there is no requirement '{requirement}'", near[:1].upper() + near[1:] or "Add it to requirements.yaml."
        )  # fmt: skip
    return named.get(requirement)


def _rules(files: Iterable[Path], requirement: str) -> Iterator[Rule]:
    """The rules that keep a requirement, as far as they can be read; one that cannot has nothing to say here."""
    for file in files:
        if requirement.encode() in file.read_bytes():
            document = read_file(file)
            rule = read_rule(document, stored=True)[0] if isinstance(document, Document) else None
            if rule is not None and requirement in rule.implements:
                yield rule


def _likely_kind(like: list[Rule]) -> str:
    """The kind that the rules of the same requirement look at most."""
    kinds = Counter(kind for rule in like for kind in (rule.on or (rule.each.kind if rule.each else "",)))
    return next((kind for kind, _ in kinds.most_common() if kind in KINDS), f"{TO_WRITE} the kind of event")


def _sources(like: list[Rule], today: int) -> list[str]:
    """Where it is written, since when, who answers for it: as the rules of the same requirement say."""
    cites = list(dict.fromkeys(cite for rule in like for cite in rule.cites))
    owners = Counter(rule.owner for rule in like).most_common(1)
    since = min((rule.in_force.start for rule in like), default=None)
    owner = owners[0][0] if owners else f"{TO_WRITE} who answers for this rule"
    return [
        "cites:",
        *(f"  - {_citation(cite)}" for cite in cites),
        *([] if cites else [f"  - {_citation(Citation(f'{TO_WRITE} where it is written', '', format_date(today)))}"]),
        f"in_force: {{from: {format_date(since) if since is not None else f'{TO_WRITE} the date of the law'}}}",
        f"owner: {inline(owner)}",
        f"review_by: {format_date(today + REVIEWED_AFTER)}",
    ]  # fmt: skip


def _citation(cite: Citation) -> str:
    place = f", at: {inline(cite.at, flow=True)}" if cite.at else ""
    return f"{{source: {inline(cite.source, flow=True)}{place}, read: {cite.read}}}"


def _asked(kind: str, form: str) -> list[str]:
    """What is judged, and the marks of what it asks."""
    require = f"require: {TO_WRITE} what must hold, such as event.dose_mg <= 84"
    if form == "standing":
        return ["every: night", f"per: {{each: {kind}}}", require]
    if form == "deadline":
        return [
            f"on: {kind}",
            "expect:",
            f"  event: {TO_WRITE} the kind of event that closes the duty",
            f"  due: {TO_WRITE} by when, such as event.occurred_at + days(7)",
        ]
    return [f"on: {kind}", require]


def _cases(kind: str, form: str) -> list[str]:
    """A case for each outcome, to be filled."""
    now = [f"    now: '{NIGHT}'"] if form != "rule" else []
    return [
        "cases:",
        *(
            line
            for outcome in OUTCOMES_OF[form]
            for line in (
                f"  - name: {TO_WRITE} a case in which it comes out as {outcome}",
                "    history: []",
                f"    event: {{kind: {kind}, occurred_at: '{OCCURRED_AT}'}}",
                *now,
                f"    expect: {outcome}",
            )
        ),
    ]
