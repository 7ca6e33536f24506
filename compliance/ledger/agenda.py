"""The agenda's tables: what became of each duty up to the last night, so that the next one looks only at what may have changed.

Everything in them follows from the log and the policies; `compliance.reports.agenda` brings them forward, and without them finds out the same
from the log alone. A row stands for a rule and a subject. Beside it stand the look-up keys that were asked for it, each with the last instant at
which an event under that key would have mattered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

from compliance.ledger.database import translated
from compliance.ledger.log import Log
from compliance.ledger.tables import AGENDA, DUTY, DUTY_KEY, UNSETTLED

NONE: Final = "none"
"""The state of a subject to which the rule does not apply: it may, after a late entry."""


class Reached(NamedTuple):
    """How far the agenda was brought, by the run of that number: the day (an ordinal date), the first instant at which it was over at a site (microseconds), the log's size
    and root then, and the policies. Where it is not `whole`, that work was not finished, and rows may be further. `seal` says that whoever holds the log's key made all rows."""

    run: int
    day: int
    ends_us: int
    size: int
    root: bytes
    bundle: str
    whole: bool
    seal: bytes = b""


class DutyRow(NamedTuple):
    """A rule and a subject: `opening` is the id of the last event that opens the duty, `state` the duty's, or `NONE`."""

    id: int
    rule: str
    opening: str
    state: str


class AgendaTables:
    """The tables in one log. What is written is written within `Log.writing`."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._mark = "?" if log.driver.dialect == "sqlite" else "%s"

    def reached(self) -> Reached | None:
        """How far the agenda was brought, or None."""
        rows = self._rows(f"SELECT number, day, ends_us, size, root, bundle, whole, seal FROM {AGENDA.name}")
        for run, day, ends_us, size, root, bundle, whole, seal in rows:
            return Reached(run, day, ends_us, size, bytes(root), bundle, bool(whole), bytes(seal))
        return None

    def reach(self, reached: Reached) -> None:
        """Say how far it is brought."""
        with translated(self._log.name):
            self._log.driver.execute(f"DELETE FROM {AGENDA.name}")
            self._log.driver.add(AGENDA, [(*reached[:-2], int(reached.whole), reached.seal)])

    def digest(self, reached: Reached) -> bytes:
        """SHA-256 over how far it was brought and all rows, in the order of their keys."""
        found = sha256(repr((*reached[:-2],)).encode())
        for table, columns in ((DUTY, "id, rule, opening, state"), (DUTY_KEY, "duty, key, until_us")):
            key = ", ".join(column.name for column in table.primary_key)
            with translated(self._log.name):
                for row in self._log.driver.stream(f"SELECT {columns} FROM {table.name} ORDER BY {key}"):
                    found.update(repr(tuple(row)).encode())
        return found.digest()

    def clear(self) -> None:
        """Forget everything."""
        with translated(self._log.name):
            for table in (AGENDA, DUTY_KEY, DUTY):
                self._log.driver.execute(f"DELETE FROM {table.name}")

    def put(self, rows: Sequence[DutyRow], keys: Iterable[tuple[int, int, int]]) -> None:
        """Rows in place of those with the same id, and all their keys (duty, key, until_us); one that nothing opens any more goes."""
        with translated(self._log.name):
            self._delete(DUTY.name, "id", [row.id for row in rows])
            self._delete(DUTY_KEY.name, "duty", [row.id for row in rows])
            self._log.driver.add(DUTY, [row for row in rows if row.opening])
            self._log.driver.add(DUTY_KEY, list(keys))

    def _delete(self, table: str, column: str, ids: Sequence[int]) -> None:
        for one in ids:
            self._log.driver.execute(f"DELETE FROM {table} WHERE {column} = {self._mark}", (one,))

    def unsettled(self) -> Iterator[DutyRow]:
        """The duties that are open or were missed."""
        return self._duties(f"SELECT id, rule, opening, state FROM {DUTY.name} WHERE {UNSETTLED} ORDER BY id")

    def row(self, id_: int) -> DutyRow | None:
        """A row by its id, or None."""
        return next(
            self._duties(f"SELECT id, rule, opening, state FROM {DUTY.name} WHERE id = {self._mark}", id_),
            None,
        )

    def asking(self, key: int, occurred_us: int) -> Iterator[int]:
        """The ids of duties for which a key was looked at up to an instant or later."""
        asked = f"SELECT duty FROM {DUTY_KEY.name} WHERE key = {self._mark} AND until_us >= {self._mark}"
        return (duty for (duty,) in self._rows(asked, key, occurred_us))

    def _duties(self, sql: str, *values: object) -> Iterator[DutyRow]:
        return (DutyRow(*row) for row in self._rows(sql, *values))

    def _rows(self, sql: str, *values: object) -> Iterator[Any]:
        with translated(self._log.name):
            return iter(self._log.driver.execute(sql, values).fetchall())
