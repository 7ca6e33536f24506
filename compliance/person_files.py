"""A table of persons (CSV) to be entered: columns under the names that people give them, every problem with its row and column.

Good rows are entered, bad ones reported. Who is there already as he or she stands is passed over, so that a second import writes nothing.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from compliance.errors import InputError, Place, Problem
from compliance.ledger.vault import Vault
from compliance.persons import FIELDS, Wanted, alike, found_by, identity_of

_ALSO: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("full name", "patient name", "patient", "staff name"),
    "first_name": ("given name", "first", "forename"),
    "last_name": ("family name", "last", "surname"),
    "birth_date": ("dob", "date of birth", "birthday", "born", "birthdate"),
    "sex": ("gender",),
    "address": ("street address", "home address", "postal address"),
    "phone": ("telephone", "phone number", "mobile", "cell"),
    "email": ("e mail", "email address", "mail"),
    "record_numbers": ("mrn", "record number", "chart number", "medical record number", "record no", "patient id"),
    "pseudonym": ("patient pseudonym", "study id"),
    "kind": ("type", "role"),
    "valid_from": ("since", "from"),
}  # fmt: skip
_SEPARATORS: Final = re.compile(r"[;|]")
_SLASHES: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_PSEUDONYM: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")


@dataclass(frozen=True, slots=True)
class Table:
    """What was read: persons to enter, how many are there already, and what is wrong with the other rows."""

    wanted: tuple[Wanted, ...]
    known: int
    problems: tuple[Problem, ...]


def read_table(source: str, stream: BinaryIO, vault: Vault, today: str) -> Table:
    """Read a CSV file with a header row; raises InputError where it is none, or has no column for a name."""
    try:
        text = stream.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{source} is not UTF-8, from byte {error.start + 1}", "Save it as CSV in UTF-8."
        ) from None
    rows = csv.reader(io.StringIO(text, newline=""), dialect=_dialect(text), strict=True)
    try:
        numbered = [(rows.line_num, row) for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InputError(
            f"{source}:{rows.line_num}: not a table: {error}", "Save it as CSV with one header row."
        ) from None
    if not numbered:
        raise InputError(f"{source} is empty", "Give a table with a header row.")
    columns = _columns(source, numbered[0][1])
    wanted: list[Wanted] = []
    problems: list[Problem] = []
    known = 0
    taken: dict[tuple[str, str], int] = {}
    for line, row in numbered[1:]:
        place = Place(source, line)
        one = _person(row, columns, place, today)
        if isinstance(one, tuple):
            problems += one
            continue
        twice = next((taken[key] for key in found_by(one.clear) if key in taken), None)
        if twice is not None:
            problems.append(
                _problem(place, f"the same person as in line {twice}", "Keep one of the two rows.")
            )
            continue
        taken.update((key, line) for key in found_by(one.clear))
        state = _there(vault, one)
        if state == "same":
            known += 1
        elif state:
            problems.append(_problem(place, state, "Add a version with `compliance person add --pseudonym`."))
        else:
            wanted.append(one)
    return Table(tuple(wanted), known, tuple(problems))


def _there(vault: Vault, one: Wanted) -> str:
    """``same`` where the vault holds this person just so, words where it holds another identity, nothing where it holds none."""
    names = alike(vault, one.clear)
    if one.pseudonym is not None and any(vault.persons.known(one.pseudonym)) and one.pseudonym not in names:
        if vault.persons.versions(one.pseudonym):
            return f"{one.pseudonym} is there with another identity"
        return ""
    if not names:
        return ""
    for name in names:
        versions = vault.persons.versions(name)
        if versions and versions[-1].clear == one.clear and one.pseudonym in (None, name):
            return "same"
    return f"{', '.join(names)} has a record number, or name and birth date, in common with this person"


def _dialect(text: str) -> type[csv.Dialect]:
    first = text.partition("\n")[0]

    class Found(csv.excel):
        delimiter = max(",;\t", key=first.count)

    return Found


def _columns(source: str, header: list[str]) -> dict[int, str]:
    names = {_plain(name): field for field, others in _ALSO.items() for name in (field, *others)}
    found: dict[int, str] = {}
    problems = []
    for number, cell in enumerate(header):
        field = names.get(_plain(cell))
        if field is None or field in found.values():
            word = "twice" if field in found.values() else "no column of this table"
            problems.append(
                Problem(
                    Place(source, 1, number + 1),
                    f"column {number + 1}: {word}",
                    f"Use {', '.join([*FIELDS, 'kind', 'pseudonym', 'valid_from'])}.",
                )
            )
        else:
            found[number] = field
    if problems:
        raise InputError(
            f"{source}: the header cannot be read", "Mend the header; nothing was entered.", problems
        )
    if "name" not in found.values() and not {"first_name", "last_name"} <= set(found.values()):
        raise InputError(
            f"{source} has no column for the name", "Add `name`, or `first name` and `last name`."
        )
    return found


def _plain(name: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", name.casefold()))


def _person(
    row: list[str], columns: Mapping[int, str], place: Place, today: str
) -> Wanted | tuple[Problem, ...]:
    cells = {field: " ".join(row[number].split()) for number, field in columns.items() if number < len(row)}
    at = {field: number + 1 for number, field in columns.items()}
    problems = list(_too_long(row, columns, place))
    kind = cells.pop("kind", "").casefold() or "patient"
    if kind not in ("patient", "staff"):
        problems.append(
            _problem(
                place, "the kind is neither patient nor staff", "Write patient or staff.", at["kind"], "kind"
            )
        )
    pseudonym = cells.pop("pseudonym", "") or None
    if pseudonym is not None and not _PSEUDONYM.fullmatch(pseudonym):
        problems.append(
            _problem(
                place,
                "this cannot be a pseudonym",
                "Use letters, digits and . _ : -",
                at["pseudonym"],
                "pseudonym",
            )
        )
    valid_from = cells.pop("valid_from", "") or today
    values = dict(_values(cells))
    clear = identity_of(values, place)
    dated = identity_of({"name": "x", "birth_date": _iso(valid_from)}, place)
    if isinstance(dated, tuple):
        problems += [
            _problem(place, one.message, one.remedy, at["valid_from"], "valid_from") for one in dated
        ]
    if isinstance(clear, tuple):
        problems += [_placed(one, at, place) for one in clear]
        return tuple(problems)
    if problems:
        return tuple(problems)
    return Wanted("staff" if kind == "staff" else "patient", clear, _iso(valid_from), pseudonym)


def _values(cells: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for field, text in cells.items():
        if field == "record_numbers":
            yield field, [part.strip() for part in _SEPARATORS.split(text) if part.strip()]
        elif field == "birth_date":
            yield field, _iso(text)
        elif field not in ("first_name", "last_name"):
            yield field, text
    if cells.get("first_name") or cells.get("last_name"):
        yield "name", f"{cells.get('first_name', '')} {cells.get('last_name', '')}".strip()


def _iso(text: str) -> str:
    """A date as it is kept. With slashes it is taken only where it can mean one day: 25/12/1980 or 12/25/1980, not 03/04/1980."""
    match = _SLASHES.fullmatch(text)
    if match is None:
        return text
    first, second = int(match[1]), int(match[2])
    if first != second and first <= 12 and second <= 12:
        return text
    month, day = (second, first) if first > 12 else (first, second)
    return f"{match[3]}-{month:02}-{day:02}"


def _too_long(row: list[str], columns: Mapping[int, str], place: Place) -> Iterator[Problem]:
    for number, cell in enumerate(row, 1):
        if cell.strip() and number - 1 not in columns:
            yield _problem(
                place,
                "a value beyond the last column",
                "Put quotes around a value that holds a comma.",
                number,
            )


def _placed(problem: Problem, at: Mapping[str, int], place: Place) -> Problem:
    field = problem.place.field or ""
    return _problem(place, problem.message, problem.remedy, at.get(field, at.get("last_name")), field)


def _problem(
    place: Place, message: str, remedy: str, column: int | None = None, field: str | None = None
) -> Problem:
    return Problem(Place(place.source, place.line, column, field), message, remedy, "person")
