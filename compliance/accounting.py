"""Every requirement, and what keeps it: rules of a library, properties of the software, attestations.

This is what ``compliance policy coverage --requirements`` shows, and what must leave none out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from compliance.policy.model import Requirement, Rule, SoftwareProperty

Form = Literal["rule", "deadline", "standing", "attestation"]


@dataclass(frozen=True, slots=True)
class Account:
    """A requirement with the rules that implement it and the properties of the software that keep it."""

    requirement: Requirement
    rules: tuple[Rule, ...]

    @property
    def properties(self) -> tuple[SoftwareProperty, ...]:
        """What the software does of itself."""
        return self.requirement.properties

    @property
    def kept(self) -> bool:
        """Whether anything keeps it."""
        return bool(self.rules or self.properties)

    @property
    def cases(self) -> int:
        """How many examples its rules show."""
        return sum(len(rule.cases) for rule in self.rules)


def accounts(requirements: Iterable[Requirement], rules: Iterable[Rule]) -> tuple[Account, ...]:
    """Each requirement with what keeps it, in the order of the list."""
    keeping: dict[str, list[Rule]] = {}
    for rule in rules:
        for name in rule.implements:
            keeping.setdefault(name, []).append(rule)
    return tuple(Account(one, tuple(keeping.get(one.id, ()))) for one in requirements)


def form_of(rule: Rule) -> Form:
    """How a rule is judged; a standing rule that looks for a declaration of a person is an attestation."""
    if rule.expect is not None:
        return "deadline"
    if rule.each is None:
        return "rule"
    return "attestation" if any("attestation" in given.kinds for given in rule.given) else "standing"
