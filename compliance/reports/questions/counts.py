"""Counts that are too good: somebody whose counts always agree with the books, though the counts of others do not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Final

from compliance.reports.night import Night
from compliance.reports.page import Item
from compliance.reports.questions.asking import question
from compliance.reports.questions.peers import percent
from compliance.reports.window import Seen

REQUIREMENT: Final = "S3-REC-BALANCE-26"
"""A count differs where a rule that keeps this requirement objects to it."""

LEAST_COUNTS: Final = 20
"""By the person, and by the others together: with fewer, all may well agree by chance."""

LEAST_DIFFERENCES: Final = 3
"""Found by the others: one bad week of one person is no measure of what counts usually find."""

BY_CHANCE: Final = Fraction(1, 100)
"""So unlikely it must be that somebody who finds differences as often as the others has found none."""


class Counts:
    """By person: the counts made (entries), and which of them did not agree with the books."""

    kinds = frozenset({"inventory_count", "discrepancy"})

    def __init__(self, night: Night) -> None:
        rules = night.judge.bundle.judging("inventory_count")
        self._rules = frozenset(rule.id for rule in rules if REQUIREMENT in rule.implements)
        self.made: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(dict)
        """Entries of counts, by site and person, and by id."""
        self._differed: set[str] = set()

    def take(self, seen: Seen) -> None:
        """Keep who counted; a discrepancy that names a count says that it differed."""
        event, values = seen.event, seen.event.values
        if event.proposed:
            return
        if event.kind == "discrepancy":
            self._differed.add(values.get("count_event", ""))
            return
        self.made[values["site"], values.get("counted_by", values["actor"])][event.id] = event.position
        if any(finding["rule"] in self._rules for finding in seen.findings):
            self._differed.add(event.id)

    def differed(self, made: Iterable[str]) -> int:
        """How many of some counts (ids) did not agree."""
        return len(self._differed.intersection(made))

    def of_person(self, person: str) -> list[str]:
        """The ids of all counts that somebody made."""
        return [one for (_, who), made in self.made.items() if who == person for one in made]


def asked(counts: Counts) -> Iterator[Item]:
    """Who has never found a difference, where that can hardly be chance; places differ, so others are those who count at the same site."""
    by_site: Counter[str] = Counter()
    differing: Counter[str] = Counter()
    for (site, _), made in counts.made.items():
        by_site[site] += len(made)
        differing[site] += counts.differed(made)
    for (site, person), mine in sorted(counts.made.items()):
        others, differed = by_site[site] - len(mine), differing[site]
        if (
            counts.differed(mine)
            or len(mine) < LEAST_COUNTS
            or others < LEAST_COUNTS
            or differed < LEAST_DIFFERENCES
        ):
            continue
        if (1 - Fraction(differed, others)) ** len(mine) < BY_CHANCE:
            yield question(
                f"Why did none of {len(mine)} counts by {person} differ from the books, against {differed} of {others} by others at {site}?",
                f"others' counts differ in {percent(differed, others)} of cases",
                "counts of a part where little is taken out, or at times when nothing is open",
                {"person": person, "counts": str(len(mine)), "differed": "0", "others' counts": str(others), "others' that differed": str(differed)},
                mine.values(), site,
            )  # fmt: skip
