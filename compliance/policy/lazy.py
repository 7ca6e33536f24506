"""The rules of a stored bundle, each typed when it is first asked for.

A command that records one event needs the rules of one kind, not those of all; a stored bundle was checked, and its cases were run, when it was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

from compliance.errors import PolicyError
from compliance.policy.located import Document, from_json
from compliance.policy.model import Rule
from compliance.policy.rules import read_rule


class LazyRules(Sequence[Rule]):
    """The rules of a bundle's plain JSON form, in the order of their ids."""

    def __init__(self, documents: Mapping[str, Any]) -> None:
        self._documents: Mapping[str, Any] = documents["rules"]
        self._places: Mapping[str, Any] = documents.get("places", {})
        self._ids = sorted(self._documents)
        self._made: dict[str, Rule] = {}

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, index: int) -> Rule: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Rule, ...]: ...

    def __getitem__(self, index: int | slice) -> Rule | tuple[Rule, ...]:
        if isinstance(index, slice):
            return tuple(self.named(rule_id) for rule_id in self._ids[index])
        return self.named(self._ids[index])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self._ids))

    def judging(self, kind: str) -> Iterator[Rule]:
        """The rules on events of a kind; the others are not typed."""
        return (self.named(rule_id) for rule_id in self._ids if self._asks(rule_id, kind))

    def duties(self) -> Iterator[Rule]:
        """The rules that open duties; the others are not typed."""
        return (
            self.named(rule_id) for rule_id in self._ids if self._documents[rule_id].get("expect") is not None
        )

    def standing(self) -> Iterator[Rule]:
        """The rules that are judged every night; the others are not typed."""
        return (
            self.named(rule_id) for rule_id in self._ids if self._documents[rule_id].get("every") is not None
        )

    def named(self, rule_id: str) -> Rule:
        """The rule with this id; KeyError where there is none, PolicyError where this version cannot read it."""
        rule = self._made.get(rule_id)
        if rule is None:
            rule = self._made[rule_id] = self._make(rule_id)
        return rule

    def _asks(self, rule_id: str, kind: str) -> bool:
        on = self._documents[rule_id].get("on")
        kinds = on if isinstance(on, list) else [on]
        return kind in kinds or "any" in kinds

    def _make(self, rule_id: str) -> Rule:
        place = self._places.get(rule_id, {})
        said = {name: from_json(value) for name, value in self._documents[rule_id].items() if name != "cases"}
        document = Document(place.get("file", rule_id), said, {}, line=place.get("line"))
        rule, problems = read_rule(document, stored=True)
        if rule is None:
            raise PolicyError(
                f"rule {rule_id} of this bundle cannot be read by this version of the software",
                "load its policies anew",
                problems,
            )
        return rule
