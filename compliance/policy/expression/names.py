"""The names that an expression may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from compliance.policy.expression.tree import Type


@dataclass(frozen=True, slots=True)
class Names:
    """What stands for what: `roots` maps a name to its type (``event``, ``it``, ``param``, each given); `aliases` maps the
    judged event's kind to ``event``, so that a rule reads ``discharge.occurred_at``. ``zone`` is always known.

    Where `due` is set, a calendar period may be added to an instant and a date stands for the end of that day
    (policy-language.md, "Deadline").
    """

    roots: Mapping[str, Type]
    aliases: Mapping[str, str] = field(default_factory=dict)
    due: bool = False
