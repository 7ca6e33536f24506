"""``policy lint``: what is odd in rules that are in order otherwise, each with its place, its remedy and, where it helps, a case.

Some of it is plain to see (`oddities`); the rest is proved by the solver, of single rules (`reasoning`) and of pairs (`comparing`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from compliance.domain.time import format_date
from compliance.errors import Problem
from compliance.policy.documents import read_file
from compliance.policy.files import SITES_FOLDER
from compliance.policy.located import Document
from compliance.policy.model import Bundle, Case
from compliance.workbench.chosen import document_of
from compliance.workbench.crew import answers
from compliance.workbench.oddities import plain_remarks, site_gaps
from compliance.workbench.remarks import NotFoundOut, Redundant, Remark
from compliance.workbench.sources import PolicyFolder

Told: TypeAlias = Callable[[int, int], None]
"""Hears how many of how many questions are answered."""


@dataclass
class Linted:
    """What was found: problems, each with its case where it has one, in the order of the rules; and what was not found out."""

    problems: list[tuple[Problem, Case | None]] = field(default_factory=list)
    unknown: list[NotFoundOut] = field(default_factory=list)


def lint(
    bundle: Bundle,
    folder: PolicyFolder,
    rules: Collection[str] = (),
    *,
    solver: bool = True,
    told: Told = lambda _done, _all: None,
) -> Linted:
    """Everything that is odd in a bundle that was read from `folder`: in those of its `rules` that are named (all, where none is).

    Without the `solver` only what is plain to see.
    """
    wanted = set(rules) or {rule.id for rule in bundle.rules}
    remarks = [remark for remark in plain_remarks(bundle) if remark.rule in wanted]
    found = Linted()
    if solver:
        for one in _proved(bundle, wanted, told):
            if isinstance(one, NotFoundOut):
                found.unknown.append(one)
            elif one.rule in wanted:
                remarks.append(one)
    order = {rule.id: number for number, rule in enumerate(bundle.rules)}
    documents: dict[str, Document] = {}
    for remark in remarks:
        if remark.rule not in documents:
            documents[remark.rule] = document_of(folder, remark.rule)
    placed = [(_problem(remark, documents), remark) for remark in remarks]
    placed.sort(key=lambda one: (order[one[1].rule], one[0].place.line or 0, one[0].place.column or 0))
    found.problems = [(problem, remark.case) for problem, remark in placed]
    found.problems += [(problem, None) for problem in _of_sites(bundle, folder)] if not rules else []
    found.unknown.sort(key=lambda one: (order[one.rule], one.question))
    return found


def _problem(remark: Remark, documents: dict[str, Document]) -> Problem:
    document = documents[remark.rule]
    return document.problem(
        remark.path, remark.message, remark.remedy, remark.code, key=remark.key, span=remark.span
    )


def _proved(bundle: Bundle, wanted: set[str], told: Told) -> Iterator[Remark | NotFoundOut]:
    from compliance.workbench.comparing import pairs, redundancy  # noqa: PLC0415 - they need the solver

    questions: list[tuple[str, ...]] = [(rule.id,) for rule in bundle.rules if rule.id in wanted]
    questions += (pair for pair in pairs(bundle) if wanted & {*pair})
    redundant: list[Redundant] = []
    for done, (_, answer) in enumerate(answers(replace(bundle, documents={}), _answered, questions), 1):
        told(done, len(questions))
        for one in answer:
            if isinstance(one, Redundant):
                redundant.append(one)
            else:
                yield one
    yield from redundancy(redundant)


def _answered(bundle: Bundle, question: tuple[str, ...]) -> tuple[Remark | NotFoundOut | Redundant, ...]:
    """What is proved of a rule, or of a pair."""
    from compliance.workbench.comparing import compared  # noqa: PLC0415 - they need the solver
    from compliance.workbench.reasoning import proved_remarks  # noqa: PLC0415

    if len(question) == 1:
        return proved_remarks(bundle, question[0])
    return compared(bundle, (question[0], question[1]))


def _of_sites(bundle: Bundle, folder: PolicyFolder) -> Iterator[Problem]:
    """Days between two values of a site on which the library's holds again, in the files of the folder."""
    for file in sorted((folder.path / SITES_FOLDER).glob("*.yaml")):
        document = read_file(file, folder.shown(file))
        if not isinstance(document, Document):
            continue
        site = document.value.get("site")
        for rule_id, parameters in bundle.sites.get(site, {}).items():
            for name, values in parameters.items():
                for number, first, last in site_gaps(values):
                    yield document.problem(
                        ("parameters", rule_id, name, number, "from"),
                        f"from {format_date(first)} to {format_date(last)} {site} has no value of its own of '{name}', and the library's holds again",
                        f"let it begin on {format_date(first)}, if that is not meant",
                        "site-gap",
                    )
