"""One row of a table to the JSON of an event, with everything that is wrong with its cells, each at its cell."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from compliance.domain.objections import path_text
from compliance.domain.quantity import NumberText
from compliance.domain.reading import Unreadable
from compliance.domain.time import read_instant
from compliance.domain.zone import zone_known
from compliance.errors import Place, Problem
from compliance.intake.sheets.cells import Fault, Row, Value
from compliance.intake.sheets.columns import Column, Part, Path, folded
from compliance.intake.sheets.moments import Moment, on_the_wall
from compliance.intake.sheets.values import PLAIN, Style, read_moment, read_value

Zone = Callable[[str, datetime], str | None]
"""The time zone of a site at a time of its own clock; None where nobody said it."""

_OFFSET: Final = re.compile(r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})\Z")
_NO_ZONE: Final = (
    "a time without an offset from UTC, and the log has no profile of the site that says its time zone",
    "record the site's profile first, or write the offset, such as 2026-03-04T14:05:00-06:00",
)
_NO_SITE: Final = (
    "a time without an offset from UTC, and the row says no site whose clock it could be of",
    "fill in the site, or write the offset, such as 2026-03-04T14:05:00-06:00",
)


@dataclass(frozen=True, slots=True)
class Table:
    """What a call says about a table: the kind of its rows, what stands in where a row does not say site or actor, how it writes dates and numbers.

    `noted` is told, in words for people, what was left out or decided for the file as a whole.
    """

    kind: str
    zone: Zone
    noted: Callable[[str], None]
    site: str | None = None
    actor: str | None = None
    style: Style = PLAIN


class Filling:
    """A row as it is read: `body` is what it says, `problems` all that its cells do not say."""

    def __init__(self, source: str, row: Row, columns: Iterable[Column], table: Table) -> None:
        self.body: dict[str, Any] = {}
        self.problems: list[Problem] = []
        self._source, self._row, self._table = source, row, table
        self._parts: dict[str, dict[str | int, Any]] = defaultdict(dict)
        self._moments: dict[Path, dict[Part, tuple[Column, Value]]] = defaultdict(dict)
        self._columns: dict[Path, Column] = {}
        self._failed: set[Path] = set()
        for column in columns:
            self._columns.setdefault(column.meaning.path, column)
            value = row.cells.get(column.number)
            if value is not None:
                self._take(column, value)
        self._steps = self._joined()
        if self.body.get("kind") is not None and folded(str(self.body["kind"])) != folded(table.kind):
            self._wrong(
                self._columns[("kind",)],
                f"the row is of another kind than {table.kind}",
                "record it with the rows of its own kind",
            )
        self.body["kind"] = table.kind
        if table.site is not None:
            self.body.setdefault("site", table.site)
        for path, said in self._moments.items():
            self._point_in_time(path, said)
        self._aside = {"id"} if "actor" in self.body else {"id", "actor"}
        if table.actor is not None:
            self.body.setdefault("actor", table.actor)

    def _take(self, column: Column, value: Value) -> None:
        meaning = column.meaning
        if meaning.spec.type == "instant":
            self._moments[meaning.path][meaning.part] = (column, value)
            return
        try:
            read = read_value(meaning.spec, value, self._table.style)
        except Unreadable as error:
            self._wrong(column, error.message, error.remedy, _code(value))
            if len(meaning.path) == 3:
                self._parts[str(meaning.path[0])].setdefault(meaning.path[1], {})
            return
        if len(meaning.path) == 1:
            self.body[str(meaning.path[0])] = read
        elif len(meaning.path) == 2:
            self._parts[str(meaning.path[0])][meaning.path[1]] = read
        else:
            self._parts[str(meaning.path[0])].setdefault(meaning.path[1], {})[meaning.path[2]] = read

    def _joined(self) -> dict[Path, int]:
        """Puts records and lists together; which item of its list, from 0, each numbered column became."""
        steps: dict[Path, int] = {}
        for name, parts in self._parts.items():
            if name in self.body:
                self._wrong(
                    self._columns[(name,)],
                    f"{name} is said in one cell and in columns of its own",
                    "keep one of them",
                )
            elif all(isinstance(step, int) for step in parts):
                self.body[name] = [parts[number] for number in sorted(parts)]
                steps |= {(name, number): index for index, number in enumerate(sorted(parts))}
            else:
                self.body[name] = parts
        return steps

    def _wrong(self, column: Column, message: str, remedy: str, code: str = "bad_cell") -> None:
        self._failed.add(column.meaning.path)
        self.problems.append(Problem(self._place(column), message, remedy, code))

    def _place(self, column: Column) -> Place:
        number = self._row.number
        named = ".".join(map(str, column.meaning.path))
        return Place(self._source, number, column.number, f"{named} ({column.cell(number)})")

    def _point_in_time(self, path: Path, said: Mapping[Part, tuple[Column, Value]]) -> None:
        at, value = next(iter(said.values()))
        try:
            if len(said) == 1 and isinstance(value, str) and (exact := _as_is(value)):
                self.body[str(path[0])] = exact
                return
            moment = Moment(None, None)
            for part, (column, value) in said.items():
                at = column
                moment = _with(moment, part, read_moment(value, self._table.style))
            self.body[str(path[0])] = self._instant(moment)
        except Unreadable as error:
            self._wrong(at, error.message, error.remedy, _code(value))

    def _instant(self, moment: Moment) -> str:
        """RFC 3339 for a day and a time of day; those of the site's clock where no offset is said."""
        if moment.day is None:
            raise Unreadable("a time without its date", "write both, such as 2026-03-04 14:05")
        if moment.clock is None:
            raise Unreadable(
                "a date without its time",
                "write both, such as 2026-03-04 14:05; a workbook's cell must show both",
            )
        local = datetime.combine(moment.day, moment.clock)
        if moment.offset:
            return (
                local.isoformat(timespec="microseconds" if local.microsecond else "seconds") + moment.offset
            )
        site = self.body.get("site")
        if self._table.kind == "site_profile":
            zone = self.body.get("time_zone")
            known = zone if isinstance(zone, str) and zone_known(zone) else None
        elif not isinstance(site, str):
            raise Unreadable(*_NO_SITE)
        else:
            known = self._table.zone(site, local)
        if known is None:
            raise Unreadable(*_NO_ZONE)
        return on_the_wall(local, known)

    def content(self) -> bytes:
        """What the row says, as 16 bytes: kind, site and every field, but neither its id nor an actor that it does not name."""
        said = {name: value for name, value in self.body.items() if name not in self._aside}
        return sha256(json.dumps(said, sort_keys=True, default=_digits).encode()).digest()[:16]

    def placed(self, problems: Iterable[Problem]) -> Iterable[Problem]:
        """What is wrong with the event, each at the cell that says the field; what follows from a cell told of already is left out."""
        columns = {
            path_text(_counted_from_0(path, self._steps)): column for path, column in self._columns.items()
        }
        failed = {path_text(_counted_from_0(path, self._steps)) for path in self._failed}
        for problem in problems:
            field = problem.place.field or ""
            if problem.code == "missing" and field in failed:
                continue
            column = columns.get(field) or columns.get(field.partition(".")[0].partition("[")[0])
            place = (
                self._place(column) if column else Place(self._source, self._row.number, field=field or None)
            )
            yield Problem(place, problem.message, problem.remedy, problem.code)


def _counted_from_0(path: Path, steps: Mapping[Path, int]) -> Path:
    return (path[0], steps[path[:2]], *path[2:]) if path[:2] in steps else path


def _code(value: Value) -> str:
    return value.code if isinstance(value, Fault) else "bad_value"


def _digits(number: Any) -> str:
    return number.text if isinstance(number, NumberText) else ""


def _as_is(text: str) -> str | None:
    """A text that is RFC 3339 already."""
    text = text.strip()
    if not _OFFSET.search(text):
        return None
    try:
        read_instant(text)
    except Unreadable:
        return None
    return text


def _with(known: Moment, part: Part, said: Moment) -> Moment:
    """What is known of a moment, and what one more cell says of it."""
    if (part == "date" and said.day is None) or (part == "time" and said.clock is None):
        raise Unreadable(f"the {part} is missing", f"write a {part} in the column of the {part}")
    if (known.day and said.day) or (known.clock and said.clock):
        raise Unreadable("the same point in time is said in two columns", "leave one of them empty")
    return Moment(known.day or said.day, known.clock or said.clock, known.offset or said.offset)
