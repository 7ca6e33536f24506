"""Some rules of a folder of policies, read without the others: who works on one rule need not wait for all; and their files once more, for
places in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from compliance.errors import InputError, PolicyError, Problem
from compliance.policy.bundle import load_folder
from compliance.policy.documents import read_file
from compliance.policy.files import BUNDLE_FILE, policy_files
from compliance.policy.located import Document
from compliance.policy.model import Bundle, Rule
from compliance.policy.nearest import did_you_mean
from compliance.policy.rules import read_rule
from compliance.policy.tables import read_tables
from compliance.workbench.sources import PolicyFolder

_NOT_STORED = "sha256:" + "0" * 64


def chosen(folder: PolicyFolder, rules: Sequence[str] = ()) -> Bundle:
    """The bundle of a folder: of the rules with these ids alone, where any are named.

    Raises InputError where there is no such rule, PolicyError where a file cannot be used.
    """
    if not rules:
        bundle, problems = load_folder(folder.path, shown=folder.shown)
        if bundle is None:
            raise _unusable(folder, problems)
        return bundle
    files = _files(folder)
    missing = next((name for name in rules if name not in files), None)
    if missing is not None:
        raise InputError(
            f"there is no rule '{missing}' in {folder}",
            did_you_mean(missing, files) or "Name a rule by its id.",
        )
    shared = _read(folder, folder.path / BUNDLE_FILE)
    if isinstance(shared, tuple):
        raise _unusable(folder, shared)
    tables, problems = read_tables(shared)
    read = [_rule(_read(folder, files[name])) for name in dict.fromkeys(rules)]
    problems = (*problems, *(problem for _, wrong in read for problem in wrong))
    if tables is None or problems:
        raise _unusable(folder, problems)
    name, version, read_in = tables
    found = tuple(rule for rule, _ in read if rule is not None)
    return Bundle(name, version, _NOT_STORED, found, read_in, {})


def document_of(folder: PolicyFolder, rule_id: str) -> Document:
    """The file of a rule that was read from a folder. Raises InputError where it cannot be read any more."""
    file = _files(folder).get(rule_id)
    read = () if file is None else _read(folder, file)
    if isinstance(read, tuple):
        raise InputError(
            f"the rule '{rule_id}' of {folder} cannot be read any more", "Run the command again."
        )
    return read


def _files(folder: PolicyFolder) -> dict[str, Path]:
    """By what its name says, each file of a folder."""
    return {file.stem: file for file in policy_files(folder.path)}


def _read(folder: PolicyFolder, file: Path) -> Document | tuple[Problem, ...]:
    return read_file(file, folder.shown(file))


def _rule(document: Document | tuple[Problem, ...]) -> tuple[Rule | None, tuple[Problem, ...]]:
    return (None, document) if isinstance(document, tuple) else read_rule(document)


def _unusable(folder: PolicyFolder, problems: Sequence[Problem]) -> PolicyError:
    return PolicyError(
        f"the policies in {folder} cannot be used",
        "Mend them; `compliance policy check` shows the same.",
        problems,
    )
