"""What names an expression of a rule may use, and which names a rule may not take for its own facts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from compliance.policy.expression import Names, event_type
from compliance.policy.expression.tree import Type
from compliance.policy.expression.types import ERROR
from compliance.policy.model import Parameter

IDENTIFIER: Final = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
RULE_ID: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*\Z")
RESERVED: Final = frozenset(
    {"event", "it", "param", "now", "zone", "true", "false", "null", "in", "has", "key", "log"}
)  # fmt: skip

BOOL: Final = Type("bool")
DURATION: Final = Type("duration")
INSTANT: Final = Type("instant")


class Known:
    """The names known so far in a rule: the judged event, its parameters, and each given after it was read.

    Parameters that were `written` but could not be read have the type of what is already reported, and go with everything.
    """

    def __init__(
        self, on: tuple[str, ...], parameters: Iterable[Parameter], written: Iterable[str] = ()
    ) -> None:
        self.on = on
        types = {
            **dict.fromkeys(written, ERROR),
            **{parameter.name: parameter.type for parameter in parameters},
        }
        self.roots: dict[str, Type] = {
            "event": event_of(on),
            "param": Type("record", fields=tuple(types.items())),
            "now": INSTANT,
            "zone": Type("text"),
        }
        self.aliases = {kind: "event" for kind in on if kind != "any"}

    def add(self, name: str, type_: Type) -> None:
        """Makes a given visible to what follows."""
        self.roots[name] = type_

    def names(self, it: tuple[str, ...] = (), *, due: bool = False) -> Names:
        """For an expression; `it` are the kinds of the candidate where there is one, `due` allows calendar periods on instants."""
        roots = {**self.roots, "it": event_of(it)} if it else dict(self.roots)
        return Names(roots, dict(self.aliases), due)


@lru_cache(maxsize=512)
def event_of(kinds: tuple[str, ...]) -> Type:
    """The type of an event of one of these kinds; made once for each set of kinds, since every case asks for it."""
    return event_type(kinds)


@lru_cache(maxsize=512)
def field_types(kind: str) -> Mapping[str, Type]:
    """The fields of a kind, those of the envelope among them."""
    return MappingProxyType(dict(event_of((kind,)).fields))
