"""What other policies would have decided on what is in the log (policy-language.md, "The workbench"): nothing is written.

How each event stands (its last judgement) is compared with what the new policies say of it, on the history as it stands now: corrected, voided, with what came late. Duties
and standing rules, which are derived afresh whenever they are asked for, are compared under the policies in force and under the new ones, as of one instant. The log is
cut into stretches of entries, which processes judge side by side; what is found does not depend on how many there are. Memory does not grow
with the log, but for duties: one rule's are held at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import orjson

from compliance.bundles import Bundles
from compliance.errors import DatabaseError
from compliance.ledger.log import Log
from compliance.policy.model import Bundle
from compliance.processes import Processes, processors
from compliance.workbench.judging_again import (
    EVERY_KIND,
    Asked,
    Difference,
    Form,
    Found,
    OfRule,
    Orders,
    Part,
    Stretch,
    Worker,
)
from compliance.workbench.meaning import judged_kinds, meanings

STRETCH: Final = 1_000
"""Entries that are judged in one go: what was read of the indexes is kept as long."""
ALONE: Final = 4_000
"""A log of fewer entries is judged by one process: others would take longer to start."""
AHEAD: Final = 8
"""Parts that may be done while the oldest is not: what was found in them waits."""

DERIVED: Final[Mapping[Form, str]] = {"duty": "expect", "night": "every"}
"""The forms of rules of which no decision is kept, and the member of a rule's document by which they are known."""

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many parts are done, of how many."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked: which events, by which rules (all, where none is named), as of which instant (microseconds) for duties and standing rules; `every_rule`
    judges also those that mean the same, which can only differ where the software that judged them did."""

    asked: Asked
    as_of: int
    rules: frozenset[str] = frozenset()
    every_rule: bool = False


@dataclass
class Tally:
    """What an impact amounts to: how many were judged again and how many differ, by form (``event``, ``duty``, ``night``), and by rule, site and week how
    often a rule objects now, lets go, or objects otherwise."""

    judged: Counter[str] = field(default_factory=Counter)
    differ: Counter[str] = field(default_factory=Counter)
    by: dict[tuple[str, str, str], Counter[str]] = field(default_factory=dict)

    def take(self, one: Difference) -> None:
        """Count one difference."""
        self.differ[one.form] += 1
        for change in one.changes:
            self.by.setdefault((change.rule, one.site, one.week), Counter())[change.direction] += 1


class Impact:
    """The new policies held against a log. `changed` are the rules that differ in meaning from those in force."""

    def __init__(self, log: Log, bundles: Bundles, new: Bundle, scope: Scope) -> None:
        active = bundles.active().bundle
        self.tally = Tally()
        self.size = log.size
        self._scope = scope
        theirs, before = meanings(new.documents), meanings(active.documents)
        self.changed = _differing([before, theirs])
        judged, kinds, same = _not_the_same(log, new, theirs)
        if scope.every_rule:
            judged, kinds = frozenset().union(judged, theirs, before), frozenset({EVERY_KIND})
        forms = [active.documents, new.documents]
        again = self.changed if not scope.every_rule else frozenset(theirs) | frozenset(before)
        self._rules = [
            OfRule(form, rule)
            for form, says in DERIVED.items()
            for rule in sorted(again)
            if any(one["rules"].get(rule, {}).get(says) is not None for one in forms)
        ]
        self._orders = Orders(
            log.url, self.size, orjson.dumps(new.documents), active.digest, judged, kinds, same, scope.asked, scope.as_of
        )  # fmt: skip

    def differences(
        self, processes: int | None = None, progress: Progress = lambda *_: None
    ) -> Generator[Difference, None, None]:
        """What differs: events in the order of the log, then duties and standing rules by the ids of their rules."""
        parts: list[Part] = []
        if self._orders.kinds:
            parts += [Stretch(at, min(at + STRETCH, self.size)) for at in range(0, self.size, STRETCH)]
        parts += [one for one in self._rules if not self._scope.rules or one.rule in self._scope.rules]
        count = processors() if processes is None else processes
        if not parts or (processes is None and self.size < ALONE):
            count = 1
        for done, (part, found) in enumerate(_in_order(self._orders, parts, count), 1):
            form = "event" if isinstance(part, Stretch) else part.form
            self.tally.judged[form] += found.judged
            progress(done, len(parts))
            for one in found.differences:
                named = self._named(one)
                if named is not None:
                    self.tally.take(named)
                    yield named

    def _named(self, one: Difference) -> Difference | None:
        """The difference with what the rules that are asked about say, if any of them has a part in it."""
        if not self._scope.rules:
            return one
        changes = tuple(change for change in one.changes if change.rule in self._scope.rules)
        return replace(one, changes=changes) if changes else None


def _in_order(orders: Orders, parts: list[Part], count: int) -> Iterator[tuple[Part, Found]]:
    """What was found in each part, in their order."""
    with closing(Worker(orders)) as here:
        if count < 2:
            yield from ((part, here.found(part)) for part in parts)
            return
        with Processes[Part, "Found | None"](
            count, Worker, orders, doing="judged a part of the log", ended=DatabaseError
        ) as pool:
            for part, found in pool.in_order(parts, AHEAD * count):
                yield part, here.found(part) if found is None else found


def _not_the_same(
    log: Log, new: Bundle, theirs: dict[str, str]
) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The rules that do not mean the same in the new policies and in all that the log holds, the kinds of events on which they are judged, and the digests
    of all that it holds.

    All, and not only those that the last decisions name: a later one under which an event was judged again and stood as before left no decision.
    """
    held: list[tuple[str, dict[str, Any]]] = [
        (digest, orjson.loads(documents)) for digest, documents in log.driver.stream(log.statements.bundles)
    ]
    judged = _differing([theirs, *(meanings(documents) for _, documents in held)])
    kinds: set[str] = set()
    for documents in (new.documents, *(documents for _, documents in held)):
        kinds.update(judged_kinds(documents, judged))
    return judged, frozenset(kinds), frozenset(digest for digest, _ in held)


def _differing(every: Iterable[dict[str, str]]) -> frozenset[str]:
    """The rules that are not in all, or do not mean the same in all."""
    every = list(every)
    rules = frozenset().union(*every)
    return frozenset(rule for rule in rules if len({one.get(rule) for one in every}) > 1)
