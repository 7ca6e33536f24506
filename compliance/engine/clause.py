"""What an evaluator is given: the clauses of the applicable rules, and one case to judge them on.

Both evaluators take the same clauses and the same scope and must return the same outcomes (engine.md, "Evaluators").

In a clause, names are those of the *case*, not of the rule: a given is renamed to the id of its look-up (``f0``, ``f1`` ...), so that a
look-up shared by several rules is one fact; a parameter is ``param`` with the path (rule id, name).

The scope maps a root to its value: ``event`` to a dict of engine values; a look-up to a dict, a scalar, None (no such event)
or UNKNOWN; ``param`` to ``{rule id: {name: value}}``; ``now`` to an instant; ``zone`` to an IANA name or UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from compliance.policy.expression.tree import Node

Scope: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Clause:
    """The conditions of one rule: it applies where `when` holds (always, where None) and then `require` must hold."""

    rule: str
    when: Node | None
    require: Node
