"""One rule, or the values of one site, examined by itself: all that can be said of a file without the others beside it.

It is done on bytes that were read once, so that what is remembered is of the very text that was examined, and so that it can be done in
another process. A folder's worth of rules is spread over the cores.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, TypeAlias

from compliance.domain.canonical import encode
from compliance.engine.cases import CaseResult, prepared
from compliance.errors import EngineFault, Place, Problem
from compliance.library import as_problem, run_cases
from compliance.policy.bundle import load_requirements
from compliance.policy.documents import read_bytes, read_file
from compliance.policy.files import BUNDLE_FILE, folder_around
from compliance.policy.located import Document, Path, as_json
from compliance.policy.model import Bundle, Case, Rule, Tables
from compliance.policy.rules import read_rule
from compliance.policy.site_codes import other_meanings
from compliance.policy.sites import read_site
from compliance.policy.tables import read_requirements, read_tables
from compliance.settings import shipped_folder
from compliance.workbench.crew import answers
from compliance.workbench.found import Basis, Found
from compliance.workbench.sources import PolicyFolder

Text: TypeAlias = tuple[bytes, str]
"""What stands in a file, and how the file is called in messages."""

WORTH_A_PROCESS: Final = 30
"""So many rules take longer than a process takes to begin: a second."""


def read_bundle(bundle: Text) -> tuple[str, tuple[Problem, ...]]:
    """A digest over what rules may see of a bundle.yaml (its name and version they may not), and what is wrong with it."""
    document = read_bytes(*bundle)
    if isinstance(document, tuple):
        return "", document
    tables, problems = read_tables(document)
    if tables is None:
        return "", problems
    seen = {name: value for name, value in document.value.items() if name not in {"name", "version"}}
    return sha256(encode(as_json(seen))).hexdigest(), problems


def read_ids(requirements: Text) -> tuple[list[str], tuple[Problem, ...]]:
    """The ids of a list of requirements, and what is wrong with it."""
    document = read_bytes(*requirements)
    if isinstance(document, tuple):
        return [], document
    found, problems = read_requirements(document)
    return sorted({one.id for one in found}), problems


def examine_rule(text: Text, basis: Basis) -> Found:
    """Everything that is wrong with a rule by itself; its cases are run where the basis is in order."""
    document = read_bytes(*text)
    if isinstance(document, tuple):
        return Found(document)
    rule, problems = read_rule(document, basis.requirements)
    if rule is None:
        said, place = said_id(text) or ("", None)
        return Found(problems, said, place)
    found = Found((), rule.id, rule.place, rule.owner, rule.review_by)
    tables = _tables(basis.bundle) if basis.bundle is not None else None
    if tables is None:
        return found
    results = run_cases(_alone(rule, tables), [rule])
    failed = tuple(_failed(document, at, one) for at, one in enumerate(results) if not one.passed)
    return found.with_cases(len(results), failed)


def _failed(document: Document, at: int, result: CaseResult) -> Problem:
    """A case that does not come out as it says, with what it expects underlined, or what is not valid in its events."""
    problem = as_problem(result)
    path = _invalid(result.case, result.problems[0]) if result.problems else ("expect",)
    return document.problem(("cases", at, *path), problem.message, problem.remedy, problem.code)


def _invalid(case: Case, problem: Problem) -> Path:
    """Where in a case the event stands that has this problem."""
    for number, body in enumerate([*case.history, case.event]):
        if any(one.message == problem.message for one in prepared([body])[1]):
            event: Path = ("history", number) if number < len(case.history) else ("event",)
            name = problem.place.field or ""
            return (*event, name) if name in body else event
    return ()


@lru_cache(maxsize=2)
def _tables(bundle: bytes) -> Tables | None:
    document = read_bytes(bundle, "bundle.yaml")
    read = None if isinstance(document, tuple) else read_tables(document)[0]
    return None if read is None else read[2]


def examine_rules(texts: Sequence[Text], basis: Basis) -> Iterator[Found]:
    """The same for many, in their order, in as many processes as there are cores where that is quicker."""
    done = 0
    try:
        for _, found in answers(basis, _examine, texts, worth=WORTH_A_PROCESS, in_order=True):
            done += 1
            yield found
    except EngineFault:  # a process was killed, perhaps for want of memory: what is left is done here
        pass
    for text in texts[done:]:
        yield examine_rule(text, basis)


def _examine(basis: Basis, text: Text) -> Found:
    return examine_rule(text, basis)


def rule_alone(named: PolicyFolder) -> tuple[Bundle | None, tuple[Problem, ...]]:
    """One rule's file as a bundle of its own, on the tables of the folder around it, else on the shipped ones; or what is wrong."""
    folder = folder_around(named.path) or shipped_folder("policies")
    shared = read_file(folder / BUNDLE_FILE, named.shown(folder / BUNDLE_FILE))
    tables, problems = (None, shared) if isinstance(shared, tuple) else read_tables(shared)
    if tables is None:
        return None, problems
    requirements, _ = load_requirements(folder)
    document = read_file(named.path, str(named))
    if isinstance(document, tuple):
        return None, document
    rule, problems = read_rule(document, {one.id for one in requirements} or None)
    if rule is None:
        return None, problems
    return _alone(rule, tables[2]), ()


def _alone(rule: Rule, tables: Tables) -> Bundle:
    return Bundle("", "", "sha256:" + "0" * 64, (rule,), tables, {})


def examine_site(text: Text, rules: Mapping[str, Text], others: Iterable[Text]) -> tuple[Problem, ...]:
    """What is wrong with the values and codes of a site. `rules` are all of the folder by id; only those that it names are read, as long
    as nothing is wrong. `others` are the files of other sites, whose codes mean the same."""
    document = read_bytes(*text)
    if isinstance(document, tuple):
        return document
    beside = (read_bytes(*other) for other in others)
    meanings = other_meanings(document, [other for other in beside if isinstance(other, Document)])
    named: Any = document.value.get("parameters") if isinstance(document.value, dict) else None
    few = [rules[name] for name in named if name in rules] if isinstance(named, dict) else []
    read, unreadable = _read(few)
    if not unreadable and not read_site(document, read)[2]:
        return meanings
    read, unreadable = _read(rules.values())
    return unreadable or (*read_site(document, read)[2], *meanings)


def _read(texts: Iterable[Text]) -> tuple[list[Rule], tuple[Problem, ...]]:
    """Rules without their cases, and what keeps one from being read."""
    rules: list[Rule] = []
    wrong: list[Problem] = []
    for text in texts:
        document = read_bytes(*text)
        rule, problems = (
            read_rule(document, stored=True) if isinstance(document, Document) else (None, document)
        )
        wrong += problems
        rules += [] if rule is None else [rule]
    return rules, tuple(wrong)


def said_id(text: Text) -> tuple[str, Place] | None:
    """The id that a file says it has, and where; None where it says none."""
    document = read_bytes(*text)
    said = (
        document.value.get("id")
        if isinstance(document, Document) and isinstance(document.value, dict)
        else None
    )
    return (
        (said, document.place(("id",))) if isinstance(document, Document) and isinstance(said, str) else None
    )


def taken(text: Text, rule_id: str, first: Place) -> Problem:
    """Two files say that they are the same rule; this is what is wrong with the second."""
    document = read_bytes(*text)
    assert isinstance(document, Document)  # it said the id
    message = f"the id '{rule_id}' is taken: it stands in {first.source}, line {first.line}, too"
    return document.problem(("id",), message, "give one of the two another id and file name")
