"""What an examination of one file rests on, and what it finds: plain values that go between processes and into the memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from compliance.errors import Place, Problem


@dataclass(frozen=True, slots=True)
class Basis:
    """What all rules of a folder rest on: the text of a bundle.yaml that is in order, and the ids that `implements` may name.

    Without a bundle no case is run; without a list of requirements every id may be named. `digest` stands for all that a rule can
    see of both.
    """

    bundle: bytes | None
    requirements: frozenset[str] | None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in one rule's file, and what must be known of it to look at the files together."""

    problems: tuple[Problem, ...]
    rule_id: str = ""
    place: Place | None = None  # of the id
    owner: str = ""
    review_by: str = ""  # empty: nothing is known of a review
    cases: int = 0
    passed: int = 0

    @property
    def is_rule(self) -> bool:
        """Whether it can be read as a rule, whatever its cases say."""
        return bool(self.review_by)

    def with_cases(self, cases: int, failed: tuple[Problem, ...]) -> Found:
        """The same after its cases were run."""
        return replace(self, problems=failed, cases=cases, passed=cases - len(failed))

    def answer(self) -> list[Any]:
        """What the memory keeps of a rule in order; its id is the name of its file."""
        assert not self.problems
        assert self.place is not None
        return [self.owner, self.review_by, self.cases, self.place.line, self.place.column]

    @classmethod
    def remembered(cls, answer: list[Any], rule_id: str, source: str) -> Found:
        """The inverse of `answer`."""
        owner, review_by, cases, line, column = answer
        return cls((), rule_id, Place(source, line, column, "id"), owner, review_by, cases, cases)
