"""What a lint says of a rule: where it stands in the rule's document, in plain words, with a remedy and, where it helps, a case."""

from __future__ import annotations

from dataclasses import dataclass

from compliance.policy.expression.tree import Span
from compliance.policy.located import Path
from compliance.policy.model import Case


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to mend. `span` is a part of the text at `path`; `key` means the name of the field, not its value."""

    rule: str
    path: Path
    code: str
    message: str
    remedy: str
    span: Span | None = None
    key: bool = False
    case: Case | None = None


@dataclass(frozen=True, slots=True)
class NotFoundOut:
    """A question about a rule to which no answer was found, and why: it says neither that anything is wrong nor that all is well."""

    rule: str
    question: str
    reason: str


@dataclass(frozen=True, slots=True)
class Redundant:
    """Whenever `rule` finds something, `other` does, at least as gravely."""

    rule: str
    other: str
