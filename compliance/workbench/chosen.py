"""Some rules of a folder of policies, read without the others: who works on one rule need not wait for all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from compliance.errors import InputError, PolicyError, Problem
from compliance.policy.bundle import load_folder
from compliance.policy.documents import read_file
from compliance.policy.files import BUNDLE_FILE
from compliance.policy.model import Bundle, Rule
from compliance.policy.nearest import did_you_mean
from compliance.policy.rules import read_rule
from compliance.policy.tables import read_tables

_NOT_STORED = "sha256:" + "0" * 64


def chosen(folder: Path, rules: Sequence[str] = ()) -> Bundle:
    """The bundle of a folder: of the rules with these ids alone, where any are named.

    Raises InputError where there is no such rule, PolicyError where a file cannot be used.
    """
    if not rules:
        bundle, problems = load_folder(folder)
        if bundle is None:
            raise _unusable(folder, problems)
        return bundle
    files = {file.stem: file for file in sorted(folder.rglob("*.yaml"))}
    missing = next((name for name in rules if name not in files), None)
    if missing is not None:
        raise InputError(
            f"there is no rule '{missing}' in {folder}",
            did_you_mean(missing, files) or "Name a rule by its id.",
        )
    shared = read_file(folder / BUNDLE_FILE)
    if isinstance(shared, tuple):
        raise _unusable(folder, shared)
    tables, problems = read_tables(shared)
    read = [_rule(files[name]) for name in dict.fromkeys(rules)]
    problems = (*problems, *(problem for _, wrong in read for problem in wrong))
    if tables is None or problems:
        raise _unusable(folder, problems)
    name, version, read_in = tables
    found = tuple(rule for rule, _ in read if rule is not None)
    return Bundle(name, version, _NOT_STORED, found, read_in, {})


def _rule(file: Path) -> tuple[Rule | None, tuple[Problem, ...]]:
    document = read_file(file)
    return (None, document) if isinstance(document, tuple) else read_rule(document)


def _unusable(folder: Path, problems: Sequence[Problem]) -> PolicyError:
    return PolicyError(
        f"the policies in {folder} cannot be used",
        "Mend them; `compliance policy check` shows the same.",
        problems,
    )
