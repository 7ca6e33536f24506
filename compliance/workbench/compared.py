"""Two states of a folder of policies, read as far as they differ: which rules stand against which.

Files that say the same, byte for byte, need not be read where nothing that they rest on has changed, so that a change of one rule among hundreds
is compared in a moment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, TypeAlias

from compliance.engine.plan import walk
from compliance.errors import PolicyError, Problem
from compliance.policy.bundle import load_folder
from compliance.policy.documents import read_file
from compliance.policy.expression.functions import FUNCTIONS
from compliance.policy.expression.tree import Const, Func, Node
from compliance.policy.files import BUNDLE_FILE, REQUIREMENTS_FILE, SITES_FOLDER, policy_files
from compliance.policy.model import Bundle, Expect, Expression, Given, Rule, Tables
from compliance.policy.rules import read_rule
from compliance.policy.tables import read_tables

Meaning: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """Two bundles, of which only what differs (and what it is held against) need be there, and how many rules were not read at all."""

    old: Bundle
    new: Bundle
    unread: int = 0
    reworded: frozenset[str] = field(default_factory=frozenset)
    """Rules of which something else changed than their meaning: a title, a message, a citation, a case."""


def compared(old: Path, new: Path) -> Compared:
    """What is to be compared of two folders. Raises PolicyError where a file that matters cannot be used."""
    ours, theirs = _contents(old), _contents(new)
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


def _contents(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in policy_files(folder)}


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


def _whole(old: Path, new: Path) -> Compared:
    bundles = []
    for folder in (old, new):
        bundle, problems = load_folder(folder)
        if bundle is None:
            raise _unusable(folder, problems)
        bundles.append(bundle)
    first, second = bundles
    said = dict(first.documents["rules"])
    reworded = (name for name, document in second.documents["rules"].items() if said.get(name) != document)
    return Compared(first, second, 0, frozenset(reworded))


def _part(folder: Path, names: Iterable[str]) -> Bundle:
    """A bundle of some of a folder's rules."""
    problems: list[Problem] = []
    shared = read_file(folder / BUNDLE_FILE)
    tables, wrong = (None, shared) if isinstance(shared, tuple) else read_tables(shared)
    problems += wrong
    rules = []
    for name in sorted(names):
        read = read_file(folder / name)
        rule, found = (None, read) if isinstance(read, tuple) else read_rule(read)
        problems += found
        if rule is not None:
            rules.append(rule)
    if problems or tables is None:
        raise _unusable(folder, problems)
    name, version, read_in = tables
    return Bundle(
        name, version, "sha256:" + "0" * 64, tuple(sorted(rules, key=lambda rule: rule.id)), read_in, {}
    )


def _unusable(folder: Path, problems: Iterable[Problem]) -> PolicyError:
    return PolicyError(
        f"the policies in {folder} cannot be compared",
        "Mend them; `compliance policy check` shows the same.",
        problems,
    )


# ---- what a rule means


def meaning(rule: Rule, bundle: Bundle) -> Meaning:
    """All of a rule that decides how it comes out and what follows; its words are left out, and the tables that it does not read."""
    own = sorted((site, said[rule.id]) for site, said in bundle.sites.items() if rule.id in said)
    said = (
        rule.in_force, rule.on, rule.per, rule.severity, rule.override, frozenset(rule.implements), _node(rule.when), _node(rule.require), _expected(rule.expect),
        tuple(_fact(given) for given in rule.given),
        tuple((one.name, one.type, tuple((value.start, value.value) for value in one.values)) for one in rule.parameters),
        None if rule.each is None else (rule.each.kind, rule.each.by, _node(rule.each.where)),
        [(site, {name: [(v.start, v.end, v.value) for v in values] for name, values in parameters.items()}) for site, parameters in own],
    )  # fmt: skip
    return (*said, _tables_read(rule, bundle.tables))


def _node(expression: Expression | None) -> Node | None:
    return None if expression is None else expression.node


def _fact(given: Given) -> tuple[Any, ...]:
    values = (getattr(given, one.name) for one in fields(given) if one.name != "place")
    return tuple(_node(value) if isinstance(value, Expression) else value for value in values)


def _expected(expect: Expect | None) -> tuple[Any, ...] | None:
    if expect is None:
        return None
    closing = expect.closing
    own = (
        None
        if closing is None
        else (closing.kinds, closing.by, _node(closing.where), _node(closing.at), _node(closing.due))
    )
    return expect.form, own, tuple(_expected(part) for part in expect.parts)


_READS: Final = {"drug_info": "drugs", "permits": "permissions"}


def _tables_read(rule: Rule, tables: Tables) -> tuple[Any, ...]:
    """Of the bundle's tables those that a rule's functions read."""
    nodes = [node for expression in rule.expressions() for node in walk(expression.node)]
    names = {node.name for node in nodes if isinstance(node, Func)}
    read: list[Any] = [
        getattr(tables, table) for function, table in sorted(_READS.items()) if function in names
    ]
    if "state_rule" in names:
        wanted = {
            str(node.args[1].value)
            for node in nodes
            if isinstance(node, Func) and node.name == "state_rule" and isinstance(node.args[1], Const)
        }
        rows = {
            state: [(start, {name: row.get(name) for name in wanted}) for start, row in some]
            for state, some in tables.states.items()
        }
        read.append((rows, {name: tables.state_defaults.get(name) for name in wanted}))
    if "business_days" in names:
        read.append(tables.holidays)
    assert all(
        "tables" not in FUNCTIONS[name].needs or name in _KNOWN for name in names
    )  # a new table must be named here
    return tuple(read)


_KNOWN: Final = frozenset({*_READS, "state_rule", "end_of_day_after"})
