"""The policies that somebody names to compare with those in force: a folder or git revision, or one rule's file, which is taken among the rules
in force."""

from __future__ import annotations

from pathlib import Path

from compliance.errors import InputError, PolicyError, Problem
from compliance.policy.bundle import bundle_from_documents, load_folder
from compliance.policy.documents import read_file
from compliance.policy.files import BUNDLE_FILE, REQUIREMENTS_FILE
from compliance.policy.located import as_json
from compliance.policy.model import Bundle
from compliance.policy.rules import read_rule
from compliance.workbench.sources import policies_of


def named_bundle(named: str, active: Bundle, sites: Path | None = None) -> Bundle:
    """The bundle that is named. `sites` is a folder with the values of single sites.

    Raises InputError where there is nothing of that name, PolicyError with all that is wrong where it cannot be read.
    """
    with policies_of(named) as found:
        if found.path.is_file():
            return _among(found.path, active)
        bundle, problems = load_folder(found.path, sites)
    return _whole(bundle, problems)


def _among(file: Path, active: Bundle) -> Bundle:
    """The rules in force, with the one of a file in the place of its namesake, or beside them."""
    if file.name in (BUNDLE_FILE, REQUIREMENTS_FILE):
        raise InputError(f"{file} is no rule", "Name the folder in which it lies.")
    read = read_file(file)
    if isinstance(read, tuple):
        return _whole(None, read)
    rule, problems = read_rule(read)
    if rule is None or problems:
        return _whole(None, problems)
    documents = dict(active.documents)
    documents["rules"] = {**documents["rules"], rule.id: as_json(read.value)}
    documents["places"] = {
        **documents.get("places", {}),
        rule.id: {"file": str(file), "line": rule.place.line},
    }
    return bundle_from_documents(documents)


def _whole(bundle: Bundle | None, problems: tuple[Problem, ...]) -> Bundle:
    if bundle is None:
        count = len(problems)
        raise PolicyError(
            f"these policies cannot be used: {count} problem{'' if count == 1 else 's'}",
            "Mend them; `compliance policy check` shows each with its place.",
            problems,
        )
    return bundle
