"""An export of a log into a new folder: its files, and a manifest that says what is in them and of which log (docs/exports.md)."""

from __future__ import annotations

import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal, Protocol, Self, TypeAlias

import orjson

from compliance.bundles import Bundles
from compliance.domain.time import format_instant
from compliance.exports import release
from compliance.exports.release import Purpose
from compliance.exports.walk import Asked, Judged, Other, Watch, walk
from compliance.ledger.log import Head, Log
from compliance.ledger.vault import Vault, reach
from compliance.new_folder import Folder, making
from compliance.persons import required
from compliance.record import Recorded
from compliance.standing import require_known
from compliance.verifying import verified_head

MANIFEST: Final = "manifest.json"
VERSION: Final = 1
"""Of the manifest."""

Form: TypeAlias = Literal["fhir", "csv", "parquet"]


@dataclass(slots=True)
class Written:
    """What an export holds so far: rows or resources by file, and the people that it is about."""

    rows: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    patients: set[str] = field(default_factory=set)
    events: int = 0


class Writer(Protocol):
    """A form of export while it is written."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def take(self, one: Judged | Other) -> None:
        """Write what comes of an entry."""
        ...

    def person(self, vault: Vault, pseudonym: str) -> None:
        """Write who somebody is."""
        ...

    def described(self) -> Mapping[str, Mapping[str, Any]]:
        """What the manifest says of each file, beside its digest and rows."""
        ...


Make: TypeAlias = Callable[[Folder, Log, Bundles, Written], Writer]


@dataclass(frozen=True, slots=True)
class Wanted:
    """An export that is asked for; identities need a purpose."""

    form: Form
    asked: Asked
    folder: Path
    purpose: Purpose | None = None
    identities: bool = False

    def __post_init__(self) -> None:
        assert self.purpose is not None or not self.identities

    @property
    def what(self) -> str:
        """The selection, in words."""
        asked = self.asked
        parts = [f"export as {self.form}"]
        parts += [f"site {', '.join(asked.sites)}"] if asked.sites else []
        parts += [f"kinds {', '.join(asked.kinds)}"] if asked.kinds else []
        parts += [f"since {format_instant(asked.since)}"] if asked.since is not None else []
        parts += [f"until {format_instant(asked.until)}"] if asked.until is not None else []
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class Made:
    """An export that was made: how many events, rows by file, entries that it has no form for by type, the manifest's digest, and of which state
    of the log; `results` are the events that say so, with what is held against them."""

    events: int
    rows: dict[str, int]
    left_out: dict[str, int]
    manifest: str
    head: Head
    results: tuple[Recorded, ...]


def make(log: Log, bundles: Bundles, wanted: Wanted, writer: Make, watch: Watch) -> Made:
    """Make an export. With a purpose the log must be open for writing.

    Raises InputError where the log knows no such site, something is there under the name, the person has no right to this, identities are asked for and the log has no vault, or
    an extra is not installed; LogError where the log does not verify. Nothing is left then.
    """
    started = time.monotonic_ns()
    purpose = wanted.purpose
    for site in wanted.asked.sites:
        require_known(log, bundles, site, None)
    if purpose is not None:
        release.require_permitted(log, bundles, purpose, identities=wanted.identities)
    results: list[Recorded] = []
    written = Written()
    with making(wanted.folder) as folder:
        with writer(folder, log, bundles, written) as writing:
            head = _take_all(log, wanted, writing, written, watch)
            if wanted.identities:
                assert purpose is not None
                results += release.record_look(log, bundles, purpose, wanted.what, len(written.patients))
                _name_all(log, writing, written)
        manifest = _manifest(log, head, wanted, written, writing.described())
        for entry in manifest["files"]:
            entry["sha256"] = folder.digest(entry["name"])
        content = orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        folder.bytes(MANIFEST, content)
        digest = sha256(content).hexdigest()
        if purpose is not None:
            took = (time.monotonic_ns() - started) // 1_000_000
            results += release.record_export(
                log, bundles, purpose, wanted.what, wanted.form, written.events, digest, took, wanted.asked
            )  # fmt: skip
    return Made(written.events, dict(written.rows), dict(written.left_out), digest, head, tuple(results))


def _take_all(log: Log, wanted: Wanted, writing: Writer, written: Written, watch: Watch) -> Head:
    """Write every entry that is asked for, as one fixed state of the log has and proves them; gives that state."""
    with log.reading():
        head = verified_head(log)
        for one in walk(log, head.size, wanted.asked, watch):
            if isinstance(one, Judged) and one.first:
                written.events += 1
                patient = one.event.values.get("patient")
                if patient is not None:
                    written.patients.add(patient)
            writing.take(one)
    return head


def _name_all(log: Log, writing: Writer, written: Written) -> None:
    with reach(log, write=False) as way:
        vault = required(way)
        vault.persons.refresh()
        for pseudonym in sorted(written.patients):
            writing.person(vault, pseudonym)


def _manifest(
    log: Log, head: Head, wanted: Wanted, written: Written, described: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    asked, purpose = wanted.asked, wanted.purpose
    return {
        "version": VERSION, "format": wanted.form, "log": {"origin": log.identity.origin, "size": head.size, "root": b64encode(head.root).decode()},
        "asked": {
            "sites": asked.sites, "kinds": asked.kinds, "since": None if asked.since is None else format_instant(asked.since),
            "until": None if asked.until is None else format_instant(asked.until),
        },
        "events": written.events, "identities": wanted.identities, "recorded_as": None if purpose is None else purpose.event_id,
        "left_out": dict(sorted(written.left_out.items())),
        "files": [{"name": name, "rows": written.rows[name], **described[name]} for name in sorted(described)],
    }  # fmt: skip
