"""A rule's coverage, with what can be said of each side of a condition that no case shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from compliance.policy.model import Bundle, Case
from compliance.workbench.covering import Coverage, Decided, coverage_of


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be said of a side that no case shows: a case that shows it, that it never decides, or (`reason`) why neither is known."""

    side: Decided
    status: Literal["case", "never", "unknown"]
    case: Case | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """A rule's coverage, with what can be said of each side that is lacking (nothing, where nobody asked the solver)."""

    coverage: Coverage
    offers: tuple[Offer, ...] = ()

    def offer_of(self, side: Decided) -> Offer | None:
        """What can be said of a side."""
        return next((one for one in self.offers if one.side.key == side.key), None)

    @property
    def open(self) -> tuple[Decided, ...]:
        """The sides that no case shows, though one could, for all that is known."""
        never = {one.side.key for one in self.offers if one.status == "never"}
        return tuple(side for side in self.coverage.lacking if side.key not in never)

    @property
    def covered(self) -> int:
        """How many conditions are shown to decide, both ways as far as they can."""
        return self.coverage.conditions - len({side.condition.key for side in self.open})


def percentage(outlooks: Sequence[Outlook]) -> float:
    """How many of a hundred conditions are covered; where there is no condition, all."""
    conditions = sum(one.coverage.conditions for one in outlooks)
    return 100.0 * sum(one.covered for one in outlooks) / conditions if conditions else 100.0


def outlook(bundle: Bundle, asked: tuple[str, bool]) -> Outlook:
    """The coverage of one rule, by its id; with offers, where that is asked for."""
    rule_id, offering = asked
    coverage = coverage_of(bundle.rule(rule_id), bundle)
    if not offering or not coverage.lacking:
        return Outlook(coverage)
    from compliance.workbench.offering import offers  # noqa: PLC0415 - without it no solver need be installed

    return Outlook(coverage, offers(coverage, bundle))
