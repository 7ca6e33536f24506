"""FHIR input, first pass: every resource of all files is cut out, classed and put into a temporary database, so that what it refers to can be found.

A stream holds one resource, a Bundle of any type, bulk export (NDJSON) or an array, each element of which may again be a Bundle. What is no
resource is kept as well, so that it is told of in its place. The database is SQLite's own temporary file: it goes to the disk as it grows, has
no name there, and is gone when the call ends.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any, BinaryIO, Final, NamedTuple, Self, TypeAlias

import orjson

from compliance.errors import Place
from compliance.intake.drafts import KEPT
from compliance.intake.fhir.beginning import beginning_with_json
from compliance.intake.fhir.servers import marks, named_at
from compliance.intake.fhir.view import instant_of
from compliance.intake.json_lines import ExactReader, digits
from compliance.intake.pieces import Piece, elements, pieces

ENTRY: Final = "entry"
BROKEN: Final = ""
"""The type of what is no resource."""
IN_ERROR: Final = "entered-in-error"
EMPTY: Final = "Bundle.entry"
"""The type of an entry of a Bundle that holds no resource, such as a deletion."""

_BEFORE_ALL: Final = -(2**63)
_AT_ONCE: Final = 500
_CACHE_KIB: Final = 8 * 1024
_TYPE: Final = re.compile(r"[A-Z][A-Za-z]{1,63}", re.ASCII)
_ID: Final = re.compile(r"[A-Za-z0-9.\-]{1,64}", re.ASCII)
_REST: Final = re.compile(
    r"(?:.*/)?([A-Z][A-Za-z]{1,63}/[A-Za-z0-9.\-]{1,64})(?:/_history/[^/#]*)?", re.ASCII
)
_UUID: Final = "urn:uuid:"

WHEN: Final[dict[str, tuple[str, ...]]] = {
    "AdverseEvent": ("date", "detected", "recordedDate"),
    "Consent": ("dateTime",),
    "Encounter": ("period",),
    "MedicationAdministration": ("effectiveDateTime", "effectivePeriod"),
    "MedicationDispense": ("whenHandedOver", "whenPrepared"),
    "MedicationRequest": ("authoredOn",),
    "Observation": ("effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued"),
}
"""The elements that say when something happened, the first that is given."""

_COLUMNS: Final = {
    "seq": "INTEGER PRIMARY KEY", "file": "INTEGER", "line": "INTEGER", "at": "INTEGER", "rank": "INTEGER", "type": "TEXT", "key": "TEXT",
    "url": "TEXT", "version": "TEXT", "updated": "INTEGER", "visit": "TEXT", "inner": "INTEGER", "entry": "INTEGER", "versions": "INTEGER", "in_error": "INTEGER",
    "raw": "BLOB", "digest": "TEXT",
}  # fmt: skip
_INDICES: Final = (
    "CREATE INDEX by_key ON resource (key, rank, seq) WHERE key IS NOT NULL",
    "CREATE INDEX by_url ON resource (url, rank, seq) WHERE url IS NOT NULL",
    "CREATE INDEX by_visit ON resource (visit, at, rank, seq) WHERE visit IS NOT NULL",
    "CREATE INDEX by_mark ON mark (what, value)",
)
_Row: TypeAlias = tuple[Any, ...]


class Kept(NamedTuple):
    """A piece of the input: its file and line, type, ``Type/id``, version, instant of last change (microseconds), which of how many versions of
    it in the input this is, whether it was entered in error, its position in a Bundle, and its bytes; `digest` where those are only the beginning of what was too long."""

    seq: int
    file: int
    line: int
    at: int
    type: str
    key: str | None
    url: str | None
    version: str | None
    updated: int | None
    rank: int
    versions: int
    in_error: bool
    inner: bool
    entry: int | None
    raw: bytes
    digest: str | None


class Gathered:
    """All pieces of some files; use it in a ``with``."""

    def __init__(self, files: Sequence[tuple[str, BinaryIO]]) -> None:
        self.sources = [name for name, _ in files]
        self._database = sqlite3.connect("", isolation_level=None)
        for pragma in (f"cache_size = -{_CACHE_KIB}", "journal_mode = OFF", "synchronous = OFF"):
            self._database.execute(f"PRAGMA {pragma}")
        columns = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
        self._database.execute(f"CREATE TABLE resource ({columns})")
        self._database.execute("CREATE TABLE mark (what TEXT, value TEXT, seq INTEGER)")
        self._reader = ExactReader()
        self._waiting: list[_Row] = []
        self._marks: list[tuple[str, str, int]] = []
        self._at = _BEFORE_ALL
        self._seq = 0
        self._has_urls = False
        self._base: str | None = None
        self.mixed = False
        """Whether servers of several addresses are named."""
        try:
            self._database.execute("BEGIN")
            for number, (_, stream) in enumerate(files):
                self._at = _BEFORE_ALL
                self._take(number, stream)
            self._store()
            for statement in _INDICES:
                self._database.execute(statement)
            self._put_in_order()
            if self.mixed:
                self._tell_apart()
            self._database.execute("COMMIT")
        except BaseException:
            self._database.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    # ---- first pass

    def _take(self, file: int, stream: BinaryIO) -> None:
        first: int | None = None  # of the elements that were cut out of what is now read
        for piece in pieces(beginning_with_json(self.sources[file], stream), ENTRY):
            if piece.element is not None:
                first = self._seq if first is None else first
                self._entry(file, piece, piece.element)
                continue
            if piece.without:
                self._around(file, piece, first)
            else:
                self._resource(file, piece)
            first = None

    def _around(self, file: int, piece: Piece, first: int | None) -> None:
        """What is left of an object whose elements were cut out: they are entries if it is a Bundle, and it is kept if something is wrong with it."""
        value, problems = (None, ()) if piece.too_long else self._reader.parsed(piece.content, Place(""))
        if isinstance(value, dict) and value.get("resourceType") == "Bundle":
            if problems:
                self._row(file, piece.line, BROKEN, piece.content)
            return
        if isinstance(value, dict):  # such as a List, whose entries are references
            self._store()
            for table in ("resource", "mark"):
                self._database.execute(f"DELETE FROM {table} WHERE seq >= ?", (first,))
        self._add(file, piece, value, piece.content)

    def _resource(self, file: int, piece: Piece) -> None:
        value = self._value(piece)
        if not isinstance(value, dict) or value.get("resourceType") != "Bundle":
            self._add(file, piece, value, piece.content)
            return
        first = self._seq
        for one in elements(piece, ENTRY):
            if one.element is not None:
                self._entry(file, one, one.element)
            elif one.without:
                self._around(file, one, first)
        if self._seq == first and value.get(ENTRY):  # written so that they could not be cut out
            self._nested(file, piece, value)
        elif self._seq == first:
            self._add(file, piece, value, piece.content)

    def _entry(self, file: int, piece: Piece, number: int) -> None:
        value = self._value(piece)
        inside = value.get("resource") if isinstance(value, dict) else None
        if isinstance(inside, dict) and inside.get("resourceType") == "Bundle" and inside.get(ENTRY):
            self._nested(file, piece, inside)
            return
        url = value.get("fullUrl") if isinstance(value, dict) else None
        if isinstance(value, dict) and inside is None:
            self._row(file, piece.line, EMPTY, piece.content, entry=number)
        else:
            self._add(file, piece, inside, piece.content, url=url, entry=number)

    def _nested(self, file: int, piece: Piece, bundle: Any) -> None:
        """The entries of a Bundle that is itself an entry; it is short, and its numbers keep their digits."""
        exact, _ = self._reader.parsed(piece.content, Place(""))
        if isinstance(exact, dict):
            bundle = exact if exact.get("resourceType") == "Bundle" else exact["resource"]
        entries = bundle[ENTRY] if isinstance(bundle[ENTRY], list) else [bundle[ENTRY]]
        for number, one in enumerate(entries):
            try:
                content = orjson.dumps(one, default=digits)
            except TypeError:
                self._row(file, piece.line, BROKEN, piece.content, entry=number)
                continue
            self._entry(file, Piece(piece.line, content, sha256(content).hexdigest()), number)

    def _value(self, piece: Piece) -> Any:
        """What a piece says, to class it; how exactly it is written matters only where it is mapped."""
        if piece.too_long:
            return None
        try:
            return orjson.loads(piece.content)
        except ValueError:
            value, _ = self._reader.parsed(piece.content, Place(""))
            return value

    def _add(
        self, file: int, piece: Piece, value: Any, raw: bytes, *, url: Any = None, entry: int | None = None
    ) -> None:
        name = value.get("resourceType") if isinstance(value, dict) else None
        if not isinstance(name, str) or (name not in WHEN and not _TYPE.fullmatch(name)):
            digest = piece.sha256 if piece.too_long else None
            self._row(file, piece.line, BROKEN, raw[:KEPT] if piece.too_long else raw, entry, digest)
            return
        said = value.get("id")
        meta = value.get("meta")
        version = updated = None
        if isinstance(meta, dict):
            version, updated = meta.get("versionId"), instant_of(meta.get("lastUpdated"))
        url = url if isinstance(url, str) and url.isascii() else None  # as every URI is (RFC 3986, section 2)
        self._has_urls |= url is not None
        own = said if isinstance(said, str) and _ID.fullmatch(said) else own_id(url)
        if not self.mixed:
            self._see_bases(url, raw)
        self._at = _when(name, value, self._at)
        if name == "MedicationAdministration":
            self._marks += [(what, said, self._seq) for what, said in marks(value)]
        self._row(
            file, piece.line, name, raw, entry, None, None if own is None else f"{name}/{own}", url,
            version if isinstance(version, str) and _ID.fullmatch(version) else None, updated,
            _visit(value) if name == "MedicationAdministration" else None, value.get("status") == IN_ERROR,
        )  # fmt: skip

    def _row(
        self, file: int, line: int, name: str, raw: bytes, entry: int | None = None, digest: str | None = None, key: str | None = None,
        url: str | None = None, version: str | None = None, updated: int | None = None, visit: str | None = None, in_error: bool = False,
    ) -> None:  # fmt: skip
        self._waiting.append((
            self._seq, file, line, self._at, 0, name, key, url, version, updated, visit, entry is not None, entry, 1, in_error, raw, digest,
        ))  # fmt: skip
        self._seq += 1
        if len(self._waiting) >= _AT_ONCE:
            self._store()

    def _store(self) -> None:
        self._database.executemany(
            f"INSERT INTO resource VALUES ({', '.join('?' * len(_COLUMNS))})", self._waiting
        )
        self._waiting.clear()
        self._database.executemany("INSERT INTO mark VALUES (?, ?, ?)", self._marks)
        self._marks.clear()

    def _put_in_order(self) -> None:
        """Several versions of one resource are read in their order, none before the one that it follows."""
        several = "SELECT key FROM resource WHERE key IS NOT NULL GROUP BY key HAVING count(*) > 1"
        for (key,) in self._database.execute(several).fetchall():
            rows = self._database.execute(
                "SELECT seq, at, version, updated FROM resource WHERE key = ?", (key,)
            ).fetchall()
            rows.sort(key=lambda row: (row[3] is not None, row[3] or 0, number_of(row[2]), row[0]))
            at = _BEFORE_ALL
            for rank, (seq, own, _, _) in enumerate(rows):
                at = max(at, own)
                self._database.execute(
                    "UPDATE resource SET at = ?, rank = ?, versions = ? WHERE seq = ?",
                    (at, rank, len(rows), seq),
                )
        self._database.execute("CREATE INDEX by_time ON resource (at, rank, seq)")

    # ---- servers

    def _see_bases(self, url: str | None, raw: bytes) -> None:
        for base, _ in named_at(url, raw):
            self._base = self._base or base
            self.mixed |= base != self._base

    def _tell_apart(self) -> None:
        """Note of what is named at several servers under one type and id."""
        self._database.execute(
            "CREATE TABLE named (key TEXT, base TEXT, PRIMARY KEY (key, base)) WITHOUT ROWID"
        )
        for url, raw in self._database.execute("SELECT url, raw FROM resource WHERE type <> ''"):
            pairs = [(key, base) for base, key in named_at(url, raw)]
            self._database.executemany("INSERT OR IGNORE INTO named VALUES (?, ?)", pairs)

    def ambiguous(self, key: str) -> bool:
        """Whether the input shows that ``Type/id`` is another resource at another server."""
        if not self.mixed:
            return False
        (bases,) = self._database.execute("SELECT count(*) FROM named WHERE key = ?", (key,)).fetchone()
        return int(bases) > 1

    # ---- second pass

    def in_order(self) -> Iterator[Kept]:
        """Every piece, by when it occurred; what does not say when comes after what stands before it in its file."""
        return self._some("ORDER BY at, rank, seq")

    def named(self, reference: str) -> int | None:
        """The `seq` of the resource that a reference names, in its last version; None where the input does not hold it."""
        by_url = [("url", reference)] if self._has_urls else []
        for column, value in (*by_url, ("key", relative(reference))):
            row = self._database.execute(
                f"SELECT seq FROM resource WHERE {column} = ? ORDER BY rank DESC, seq DESC LIMIT 1", (value,)
            ).fetchone()
            if row is not None:
                return int(row[0])
        return None

    def kept(self, seq: int) -> Kept:
        """One piece."""
        return next(self._some("WHERE seq = ?", seq))

    def doses(self, visits: Iterable[str]) -> Iterator[Kept]:
        """The administrations that name a visit by one of these texts, as they occurred."""
        wanted = tuple(visits)
        marks = ", ".join("?" * len(wanted))
        return self._some(f"WHERE visit IN ({marks}) ORDER BY at, rank, seq", *wanted)

    def marked(self, what: str, values: Iterable[str]) -> Iterator[Kept]:
        """The administrations that were marked with one of some values (`servers.marks`), as they occurred."""
        wanted = tuple(values)
        marked = f"SELECT seq FROM mark WHERE what = ? AND value IN ({', '.join('?' * len(wanted))})"
        return self._some(f"WHERE seq IN ({marked}) ORDER BY at, rank, seq", what, *wanted)

    def _some(self, which: str, *values: object) -> Iterator[Kept]:
        columns = "seq, file, line, at, type, key, url, version, updated, rank, versions, in_error, inner, entry, raw, digest"
        yield from map(Kept._make, self._database.execute(f"SELECT {columns} FROM resource {which}", values))


def relative(reference: str) -> str:
    """``Type/id`` of a reference, whatever server and version it names; other references as they are."""
    match = _REST.fullmatch(reference)
    return reference if match is None else match.group(1)


def own_id(url: str | None) -> str | None:
    """The logical id that a resource without one has by the ``fullUrl`` of its entry."""
    if url is None:
        return None
    if url.startswith(_UUID) and _ID.fullmatch(url[len(_UUID) :]):
        return url[len(_UUID) :]
    match = _REST.fullmatch(url)
    return None if match is None else match.group(1).partition("/")[2]


def number_of(version: str | None) -> int:
    """A ``versionId`` as a number, where it is one: FHIR leaves its form open, and nearly all servers count."""
    return int(version) if version is not None and version.isdecimal() and len(version) < 19 else -1


def _when(name: str, value: Any, before: int) -> int:
    for element in WHEN.get(name, ()):
        said = value.get(element)
        found = instant_of(said.get("start") if isinstance(said, dict) else said)
        if found is not None:
            return found
    return before


def _visit(value: Any) -> str | None:
    context = value.get("context")
    said = context.get("reference") if isinstance(context, dict) else None
    return relative(said) if isinstance(said, str) and said.isascii() else None
