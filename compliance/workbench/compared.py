"""Two states of a folder of policies, read as far as they differ: which rules stand against which.

Files that say the same, byte for byte, need not be read where nothing that they rest on has changed, so that a change of one rule among hundreds
is compared in a moment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from compliance.errors import PolicyError, Problem
from compliance.policy.bundle import load_folder
from compliance.policy.documents import read_file
from compliance.policy.files import BUNDLE_FILE, REQUIREMENTS_FILE, SITES_FOLDER
from compliance.policy.located import Document, as_json
from compliance.policy.model import Bundle, Rule
from compliance.policy.rules import read_rule
from compliance.policy.tables import read_tables
from compliance.workbench.sources import PolicyFolder
from compliance.workbench.unlike import contents

_NO_DIGEST: Final = "sha256:" + "0" * 64
"""Of some of a folder's rules: they are no bundle that could be put into force."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Two bundles, of which only what differs (and what it is held against) need be there, and how many rules were not read at all."""

    old: Bundle
    new: Bundle
    unread: int = 0
    reworded: frozenset[str] = field(default_factory=frozenset)
    """Rules of which something else changed than their meaning: a title, a message, a citation, a case."""


def compared(old: PolicyFolder, new: PolicyFolder) -> Compared:
    """What is to be compared of two folders. Raises PolicyError where a file that matters cannot be used."""
    ours, theirs = contents(old.path), contents(new.path)
    shared = {
        BUNDLE_FILE,
        REQUIREMENTS_FILE,
        *(name for name in (*ours, *theirs) if name.startswith(f"{SITES_FOLDER}/")),
    }
    if any(ours.get(name) != theirs.get(name) for name in shared) or len(shared) > 2:
        return _whole(old, new)
    changed = {name for name in (*ours, *theirs) if ours.get(name) != theirs.get(name)}
    wanted = changed | _beside(changed, ours, theirs)
    reworded = frozenset(Path(name).stem for name in changed)
    unread = len((set(ours) | set(theirs)) - wanted - shared)
    return Compared(_part(old, wanted & set(ours)), _part(new, wanted & set(theirs)), unread, reworded)


def _beside(changed: Collection[str], ours: Mapping[str, bytes], theirs: Mapping[str, bytes]) -> set[str]:
    """Files that speak of a requirement of which a changed file speaks: what one rule no longer finds, another may."""
    words = {
        word for name in changed for side in (ours, theirs) for word in _implemented(side.get(name, b""))
    }
    return {
        name
        for name in {*ours, *theirs}
        if words & (_implemented(ours.get(name, b"")) | _implemented(theirs.get(name, b"")))
    }


def _implemented(content: bytes) -> set[bytes]:
    """The requirements on a file's ``implements`` line or lines, as words; one too many costs only time."""
    at = content.find(b"\nimplements:")
    if at < 0:
        return set()
    end = content.find(b"\ncites:", at)
    return set(
        content[at + 12 : end if end > 0 else at + 2000]
        .replace(b"[", b" ")
        .replace(b"]", b" ")
        .replace(b",", b" ")
        .split()
    ) - {b"-"}


def _whole(old: PolicyFolder, new: PolicyFolder) -> Compared:
    bundles = []
    for folder in (old, new):
        bundle, problems = load_folder(folder.path, None, folder.shown)
        if bundle is None:
            raise _unusable(folder, problems)
        bundles.append(bundle)
    first, second = bundles
    said = dict(first.documents["rules"])
    reworded = (name for name, document in second.documents["rules"].items() if said.get(name) != document)
    return Compared(first, second, 0, frozenset(reworded))


def _part(folder: PolicyFolder, names: Iterable[str]) -> Bundle:
    """A bundle of some of a folder's rules."""
    problems: list[Problem] = []
    shared = _read(folder, BUNDLE_FILE)
    tables, wrong = (None, shared) if isinstance(shared, tuple) else read_tables(shared)
    problems += wrong
    rules: list[Rule] = []
    said: dict[str, Any] = {}
    for name in sorted(names):
        read = _read(folder, name)
        rule, found = (None, read) if isinstance(read, tuple) else read_rule(read)
        problems += found
        if rule is not None and not isinstance(read, tuple):
            rules.append(rule)
            said[rule.id] = as_json(read.value)
    if problems or tables is None:
        raise _unusable(folder, problems)
    assert not isinstance(shared, tuple)  # else there were problems
    name, version, read_in = tables
    form = {"bundle": as_json(shared.value), "rules": said}
    return Bundle(name, version, _NO_DIGEST, tuple(sorted(rules, key=lambda rule: rule.id)), read_in, form)


def _read(folder: PolicyFolder, name: str) -> Document | tuple[Problem, ...]:
    return read_file(folder.path / name, folder.shown(folder.path / name))


def _unusable(folder: PolicyFolder, problems: Iterable[Problem]) -> PolicyError:
    return PolicyError(
        f"the policies in {folder} cannot be compared",
        "Mend them; `compliance policy check` shows the same.",
        problems,
    )
