"""A report of dispensing for a state's prescription monitoring programme, in ASAP's segments, and beside it what could not be said.

``FILE`` holds the records that are complete, or a zero report where nothing was dispensed in the period; ``FILE.gaps.json`` the records that are
not written with what they lack, what is never filled, and what was spelt otherwise. Who reads the names and for what is in the log before one is
read; the digest of the file before it stands under its name. That it was sent is another event (`external_report`), which a person enters.
"""

from __future__ import annotations

import os
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import orjson

from compliance.bundles import Bundles
from compliance.domain.event import Event
from compliance.domain.lookup import EVERY
from compliance.domain.time import format_date, format_instant, local_date
from compliance.errors import InputError
from compliance.exports import release
from compliance.exports.asap_dispenses import Found, dispenses, own_registrations
from compliance.exports.asap_elements import NEVER, TERMINATOR, VERSION, segment
from compliance.exports.asap_facts import Facts, Gatherer
from compliance.exports.asap_texts import plain
from compliance.exports.release import Purpose
from compliance.exports.walk import Asked
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Head, Log
from compliance.ledger.vault import reach
from compliance.new_folder import Folder, sync, waiting_beside
from compliance.persons import required
from compliance.record import Recorded
from compliance.verifying import verified_head

GAPS: Final = ".gaps.json"
GAPS_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """A report that is asked for; `asked` has both ends of the period, `state` where it goes, else that of the sites. `test` marks the file as one.

    `sender` and `sender_name` are who sends it, as the clearing house knows them; without them the site stands there, or the log, and the gaps say it.
    """

    asked: Asked
    file: Path
    purpose: Purpose
    state: str | None = None
    test: bool = False
    sender: str | None = None
    sender_name: str | None = None

    def __post_init__(self) -> None:
        for option, said in (("--sender", self.sender), ("--sender-name", self.sender_name)):
            if said is not None and plain(said) != said:
                raise InputError(
                    f"{option} holds what no element can hold, or nothing",
                    "Write it in letters, digits and marks of ASCII, without * and ~.",
                )

    @property
    def stand_ins(self) -> Mapping[str, str]:
        """Elements that have something else in their place, each with what would mend it."""
        said = {
            "IS01": (self.sender, "Name the id that the clearing house gave you with --sender."),
            "IS02": (self.sender_name, "Name the sender with --sender-name, as the clearing house knows it."),
        }
        return {ref: remedy for ref, (value, remedy) in said.items() if value is None}


@dataclass(frozen=True, slots=True)
class Made:
    """What came of it: the control number and digest of the file (None where there is nothing to send), the records in it, those that are not with
    what they lack, how many were left out and why, and of which state of the log."""

    control: str | None
    sha256: str | None
    written: tuple[Facts, ...]
    lacking: tuple[Facts, ...]
    left_out: Mapping[str, int]
    zero: bool
    state: str
    head: Head
    results: tuple[Recorded, ...]


@dataclass(frozen=True, slots=True)
class _Sites:
    """The sites that a report is about: zone by site, and their state."""

    zones: Mapping[str, str]
    state: str


@dataclass(frozen=True, slots=True)
class _Gathered:
    """What the log has and proves for a report, in one fixed state: nobody is named yet. `own` are the registrations of a zero report."""

    head: Head
    sites: _Sites
    asked: Asked
    found: Found
    gatherer: Gatherer
    facts: tuple[Facts, ...]
    own: tuple[Event, ...]

    @property
    def zero(self) -> bool:
        """Whether nothing was dispensed in the period."""
        return not self.found.dispensed and not self.found.any_in_period


def make(log: Log, bundles: Bundles, wanted: Wanted) -> Made:
    """Make a report; the log must be open for writing.

    Raises InputError where something is there under the name, the person has no right to this, the sites lie in several states and none is named, or
    the log has no vault; LogError where the log does not verify. Nothing is left then.
    """
    started = time.monotonic_ns()
    with log.reading():
        gathered = _gathered(log, wanted)
    sites, asked, found, zero = gathered.sites, gathered.asked, gathered.found, gathered.zero
    head = gathered.head
    release.require_permitted(log, bundles, wanted.purpose, identities=bool(found.dispensed))
    if not found.dispensed and not zero:
        return Made(None, None, (), (), found.left_out, zero, sites.state, head, ())
    gaps = wanted.file.with_name(wanted.file.name + GAPS)
    what = f"PDMP report to {sites.state}, {format_instant(asked.since or 0)} to {format_instant(asked.until or 0)}"
    results: tuple[Recorded, ...] = ()
    with waiting_beside(wanted.file, gaps) as waiting:
        if found.dispensed:
            people = len({one.event.values["patient"] for one in found.dispensed})
            results = release.record_look(log, bundles, wanted.purpose, what, people)
            _name_all(log, gathered)
        written = tuple(one for one in gathered.facts if not one.missing)
        lacking = tuple(one for one in gathered.facts if one.missing)
        control = _control(log.identity.origin, head, what)
        content = "".join(_file(log, wanted, gathered, written, control)) if written or zero else None
        digest = None if content is None else sha256(content.encode()).hexdigest()
        made = Made(
            control if content else None,
            digest,
            written,
            lacking,
            found.left_out,
            zero,
            sites.state,
            head,
            results,
        )
        folder = Folder(waiting)
        folder.bytes("gaps", _gaps(wanted, made))
        if content is not None:
            folder.bytes("file", content.encode())
            took = (time.monotonic_ns() - started) // 1_000_000
            results += release.record_export(
                log, bundles, wanted.purpose, what, "asap", len(written), digest or "", took, asked
            )  # fmt: skip
        sync(waiting)
        os.link(waiting / "gaps", gaps)  # unlike a renaming, this never replaces anything
        if content is not None:
            try:
                os.link(waiting / "file", wanted.file)
            except BaseException:
                gaps.unlink()
                raise
    return replace(made, results=results)


def _gathered(log: Log, wanted: Wanted) -> _Gathered:
    """What the log knows; raises LogError where it does not verify."""
    head = verified_head(log)
    sites = _sites(log, wanted)
    asked = Asked((*sites.zones,), (), wanted.asked.since, wanted.asked.until)
    found = dispenses(log, asked)
    gatherer = Gatherer(LogHistory(log), sites.zones)
    facts = tuple(gatherer.facts(one) for one in found.dispensed)
    own = tuple(own_registrations(log, asked, sites.state, asked.until or 0))
    return _Gathered(head, sites, asked, found, gatherer, facts, own)


def _sites(log: Log, wanted: Wanted) -> _Sites:
    """The sites whose dispensing goes to one state."""
    profiles: dict[str, Event] = {}
    for one in LogHistory(log).newest_first("site_profile", EVERY, "", wanted.asked.until, None):
        if not wanted.asked.sites or one.values["site"] in wanted.asked.sites:
            profiles.setdefault(one.values["site"], one)
    unknown = set(wanted.asked.sites) - profiles.keys()
    if unknown or not profiles:
        raise InputError(
            f"the log has no profile of {', '.join(sorted(unknown)) or 'any site'} by the end of the period",
            "Enter a `site_profile`: it says the state and the time zone.",
        )
    states = sorted({one.values["state"] for one in profiles.values()})
    if wanted.state is None and len(states) > 1:
        raise InputError(f"the sites lie in {' and '.join(states)}", "Name one of them with --state.")
    state = wanted.state or states[0]
    if state not in states:
        raise InputError(f"no site lies in {state}", f"They lie in {', '.join(states)}.")
    here = {site: one.values["time_zone"] for site, one in profiles.items() if one.values["state"] == state}
    return _Sites(here, state)


def _name_all(log: Log, gathered: _Gathered) -> None:
    """Who the people of every record are."""
    with reach(log, write=False) as way:
        vault = required(way)
        vault.persons.refresh()
        known = lru_cache(maxsize=4096)(vault.persons.versions)
        for one in gathered.facts:
            gathered.gatherer.name(one, known)


def _control(origin: str, head: Head, what: str) -> str:
    """Twelve digits that are the same for the same state of the same log and the same question, and hardly ever for another."""
    digest = sha256(f"{origin}\n{head.size}\n{head.root.hex()}\n{what}".encode()).digest()
    return f"{int.from_bytes(digest) % 10**12:012d}"


def _file(
    log: Log, wanted: Wanted, gathered: _Gathered, written: tuple[Facts, ...], control: str
) -> Iterator[str]:
    """The segments, a line each."""
    asked, zero = gathered.asked, gathered.zero
    zone = min(gathered.sites.zones.items())[1]
    now = format_instant(log.now(), zone)
    days = [format_date(local_date(at or 0, zone)).replace("-", "") for at in (asked.since, asked.until)]
    source = wanted.asked.sites[0] if len(wanted.asked.sites) == 1 else log.identity.origin
    stand_in = plain(source) or "compliance log"
    period = {"IS03": f"#{days[0]}#-#{days[1]}#"} if zero else {}
    segments = [
        segment("TH", {
            "TH01": VERSION, "TH02": control, "TH03": "01", "TH05": now[:10].replace("-", ""), "TH06": now[11:19].replace(":", ""),
            "TH07": "T" if wanted.test else "P", "TH09": TERMINATOR,
        }),
        segment("IS", {"IS01": wanted.sender or stand_in, "IS02": wanted.sender_name or stand_in, **period}),
    ]  # fmt: skip
    groups = _zero_groups(gathered, days[1]) if zero else _groups(written)
    for group in groups:
        segments += [*group, segment("TP", {"TP01": str(len(group) + 1)})]
    segments.append(segment("TT", {"TT01": control, "TT02": str(len(segments) + 1)}))
    return (f"{one}\n" for one in segments)


def _groups(written: tuple[Facts, ...]) -> Iterator[list[str]]:
    """The records of each dispenser, from PHA on."""
    by_number = sorted(written, key=lambda one: one.values["PHA03"])
    for _, records in groupby(by_number, key=lambda one: one.values["PHA03"]):
        facts = list(records)
        yield [
            segment("PHA", facts[0].values),
            *(segment(name, one.values) for one in facts for name in ("PAT", "DSP", "PRE")),
        ]


def _zero_groups(gathered: _Gathered, day: str) -> Iterator[list[str]]:
    """That nothing was dispensed, for each of the clinic's own registrations in the state; raises InputError where there is none."""
    if not gathered.own:
        raise InputError(
            f"the clinic has no registration of its own in {gathered.sites.state}, so nobody can report that nothing was dispensed",
            "Enter the `registration` of the site (holder_kind own_site).",
        )
    for one in gathered.own:
        yield [
            segment("PHA", {"PHA03": plain(one.body["dea_number"]) or ""}),
            segment("PAT", {"PAT07": "REPORT", "PAT08": "ZERO"}),
            segment("DSP", {"DSP05": day}),
            *(segment(name, {}) for name in ("PRE", "CDI", "AIR")),
        ]


def _gaps(wanted: Wanted, made: Made) -> bytes:
    """What the file does not say: elements and remedies, never a name."""
    content: dict[str, Any] = {
        "version": GAPS_VERSION, "file": wanted.file.name if made.sha256 else None, "sha256": made.sha256, "control": made.control, "state": made.state,
        "zero_report": made.zero, "log": {"size": made.head.size, "root": b64encode(made.head.root).decode()},
        "written": [_record(one) for one in made.written], "not_written": [_record(one) for one in made.lacking], "left_out": dict(made.left_out),
        "stand_ins": [{"element": ref, "remedy": remedy} for ref, remedy in wanted.stand_ins.items()],
        "never_filled": [{"element": one.ref, "says": one.says} for one in NEVER],
    }  # fmt: skip
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _record(one: Facts) -> dict[str, Any]:
    event = one.dispensed.event
    empty = {ref: remedy for ref, remedy in one.remedies.items() if ref not in one.missing}
    return {
        "event": event.id, "entry": event.position, "status": one.dispensed.status,
        "missing": [{"element": ref, "remedy": remedy} for ref, remedy in one.missing.items()],
        "empty": sorted(empty), "spelt_otherwise": one.changed, "from_a_later_identity": one.later,
    }  # fmt: skip
