"""Whether the index of look-up keys has the rows that the entries call for.

Every event must be found under its keys; otherwise a judgement would not see it. The rows are compared as a whole first, through a
sum of salted hashes that does not depend on their order; only where the sums differ is the first difference looked for, row by row.
Rows beyond those of the entry itself are right where the event was corrected: it is then found under its new keys, too.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from compliance.ledger.driver import Driver
from compliance.ledger.statements import Statements

KeysOf: TypeAlias = Callable[[Mapping[str, Any]], Iterable[int]]
"""The look-up keys of an entry, from its document."""

_MASK: Final = 2**64 - 1


class KeyRows:
    """The rows that the entries call for, taken one entry at a time, against the rows there are."""

    def __init__(self, driver: Driver, statements: Statements, keys_of: KeysOf) -> None:
        self._driver = driver
        self._statements = statements
        self.keys_of = keys_of
        # Without a salt, rows could be chosen so that the sums agree.
        self._salt = secrets.randbits(62)
        self._sum = 0

    def take(self, idx: int, occurred_us: int | None, document: Mapping[str, Any]) -> None:
        """Call for the rows of an entry."""
        salt, occurred_us = self._salt, occurred_us or 0
        for key in set(self.keys_of(document)):
            self._sum += hash((salt, key, occurred_us, idx))
        self._sum &= _MASK

    def agree(self) -> bool:
        """Whether the table has exactly the rows that were called for."""
        salt, total = self._salt, 0
        for row in self._driver.stream(self._statements.key_rows):
            total += hash((salt, *row))
        return total & _MASK == self._sum

    def missing(self, idx: int, occurred_us: int | None, document: Mapping[str, Any]) -> bool:
        """Whether a row that this entry calls for is not there."""
        return any(
            self._driver.execute(self._statements.key_row, (key, occurred_us or 0, idx)).fetchone() is None
            for key in self.keys_of(document)
        )

    def foreign(
        self, occurred_us: int | None, document: Mapping[str, Any], rows: Iterable[tuple[int, int]]
    ) -> bool:
        """Whether one of the rows (key, occurred_us) of an entry is none that it calls for."""
        called = {(key, occurred_us or 0) for key in self.keys_of(document)}
        return any(row not in called for row in rows)
