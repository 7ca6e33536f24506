"""Persons: entered, looked up and shown through the identity vault, each time with an event in the log (audit-log.md, "Entry").

The event holds a pseudonym, a handle and a commitment, never a value; it is judged like any other, and it is on disk before anything clear is
shown. Pseudonyms are random and never derived from who somebody is (45 CFR 164.514(c)).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from compliance.domain.event import Event
from compliance.domain.events.checks import check_text
from compliance.domain.objections import did_you_mean
from compliance.domain.reading import Unreadable
from compliance.domain.time import format_instant, read_date
from compliance.engine.judging import Judge
from compliance.errors import DatabaseError, InputError, Place, Problem
from compliance.intake.drafts import Draft
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log, system_clock
from compliance.ledger.vault import Reach, Vault, mark, name_of, reach, unnamed
from compliance.ledger.vault.persons import Identity, Known, name_key, record_number_key
from compliance.record import Recorded, Recorder, Refused
from compliance.sealing import cleared

SOURCE: Final = "<command line>"
Kind = Literal["patient", "staff"]

FIELDS: Final[Mapping[str, str]] = {
    "name": "Full name",
    "birth_date": "Date of birth, YYYY-MM-DD",
    "sex": "As on the record",
    "address": "Postal address",
    "phone": "Telephone",
    "email": "E-mail",
    "record_numbers": "Numbers of records elsewhere, a list",
}
"""What an identity may hold; nothing else is taken, so that no clinical fact gets there."""

NO_VAULT: Final = ("this log has no identity vault", "Make one with `compliance person init`.")


@dataclass(frozen=True, slots=True)
class Acting:
    """Who does something, and at which site."""

    actor: str
    site: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A person to be entered. Without a pseudonym one is made up; `valid_from` is a date."""

    kind: Kind
    clear: Mapping[str, Any]
    valid_from: str
    pseudonym: str | None = None


@dataclass(frozen=True, slots=True)
class Entered:
    """A person that was entered: pseudonym and handle of the version, and the decision on the event that says so."""

    pseudonym: str
    version: str
    commitment: str
    results: tuple[Recorded, ...]


def required(way: Reach | None) -> Vault:
    """The log's vault; raises InputError where it has none."""
    if way is None:
        raise InputError(*NO_VAULT)
    return way.vault


def default_site(log: Log) -> str:
    """The site of the log's first event."""
    for entry in log.entries(1):
        if entry.site is not None:
            return entry.site
    raise InputError("the log has no event yet that names a site", "Name one with --site.")


def identity_of(values: Mapping[str, Any], place: Place) -> dict[str, Any] | tuple[Problem, ...]:
    """A checked identity from what was given, or all that is wrong with it; empty values are left out."""
    found: dict[str, Any] = {}
    problems: list[Problem] = []

    def wrong(name: str, message: str, remedy: str) -> None:
        problems.append(Problem(Place(place.source, place.line, place.column, name), message, remedy))

    for name, value in values.items():
        if value in (None, "", []):
            continue
        if name not in FIELDS:
            wrong(name, "no field of an identity", did_you_mean(name, FIELDS) or f"Use {', '.join(FIELDS)}.")
            continue
        items = value if name == "record_numbers" and isinstance(value, list) else [value]
        try:
            texts = [_text(item) for item in items]
            if name == "birth_date":
                _born(texts[0])
        except Unreadable as problem:
            wrong(name, problem.message, problem.remedy)
            continue
        found[name] = texts if name == "record_numbers" else texts[0]
    if "name" not in found and not any(problem.place.field == "name" for problem in problems):
        wrong("name", "the name is missing", "Give the full name.")
    return tuple(problems) or found


def _born(text: str) -> None:
    if read_date(text) > date.today():  # noqa: DTZ011 - a day is near enough to tell a slip of the pen
        raise Unreadable("a day in the future", "write the day of birth, such as 1980-12-25")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unreadable("not a text", "write it in quotes")
    return check_text(" ".join(value.split()))


def found_by(clear: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a person is found by: each record number, and name with birth date."""
    keys = [
        ("record_number", key)
        for number in clear.get("record_numbers", ())
        if (key := record_number_key(number))
    ]
    if "birth_date" in clear and "name" in clear:  # of whom only a number is known, there is no name
        keys.append(("name", name_key(clear["name"], clear["birth_date"])))
    return keys


def alike(vault: Vault, clear: Mapping[str, Any]) -> list[str]:
    """Pseudonyms of persons that have a record number, or name and birth date, in common with an identity."""
    return sorted({name for what, value in found_by(clear) for name in vault.persons.found(what, value)})


def enter(log: Log, judge: Judge, acting: Acting, wanted: Wanted, *, even_if_known: bool = False) -> Entered:
    """Enter a person, or a new version of one; the log gets its commitment.

    Raises InputError where somebody with a record number, or name and birth date, in common is there under another pseudonym.
    """
    with reach(log) as way:
        vault = required(way)
        others = [name for name in alike(vault, wanted.clear) if name != wanted.pseudonym]
    if others and not even_if_known:
        raise InputError(
            f"{', '.join(others)} has a record number, or name and birth date, in common with this person",
            f"Add a version with --pseudonym {others[0]}, or say --even-if-known if these are two persons.",
        )
    return enter_all(log, judge, acting, [wanted])[0]


def enter_all(log: Log, judge: Judge, acting: Acting, wanted: Iterable[Wanted]) -> list[Entered]:
    """Enter persons in one batch."""
    at = system_clock()
    made: list[tuple[Wanted, Identity, bytes, Draft]] = []
    with reach(log) as way:
        vault = required(way)
        for one in wanted:
            pseudonym = one.pseudonym or f"P-{secrets.token_hex(10)}"
            event_id = f"person-{secrets.token_hex(8)}"
            version, salt = vault.persons.new_version(pseudonym, one.clear, one.valid_from, at, event_id)
            access = {
                "mode": "view", "purpose": "operations", "filter": f"identity {version.handle} of {pseudonym} entered",
                "row_count": 1, "formats": ["screen"], "leaves_site": False, "sha256": version.commitment,
            }  # fmt: skip
            draft = access_event(acting, access, event_id, pseudonym if one.kind == "patient" else None)
            made.append((one, version, salt, draft))

    def store(vault: Vault) -> None:
        vault.persons.refresh()
        for one, version, salt, _ in made:
            vault.persons.store(version, salt, one.kind, found_by(one.clear))

    results = recorded(log, judge, [draft for *_, draft in made], store)
    return [
        Entered(version.pseudonym, version.handle, version.commitment, (result,))
        for (_, version, _, _), result in zip(made, results, strict=True)
    ]


def recorded(
    log: Log, judge: Judge, drafts: list[Draft], beside: Callable[[Vault], None] | None = None
) -> tuple[Recorded, ...]:
    """Record events that a command made, with what is to be stored in the vault beside them.

    Raises InputError where one was refused: nobody is shown anything of which the log does not tell.
    """
    results = [result for batch in Recorder(log, judge).submit(drafts, beside) for result in batch]
    for result in results:
        if isinstance(result, Refused):
            raise InputError(
                "what was to be done could not be recorded, so it was not done",
                "Mend it and call again.",
                result.problems,
            )
    return tuple(result for result in results if isinstance(result, Recorded))


def access_event(
    acting: Acting, members: Mapping[str, Any], event_id: str | None = None, patient: str | None = None
) -> Draft:
    """A record_access by whoever acts, now."""
    about = {} if patient is None else {"patient": patient}
    return Draft.of_command({
        "id": event_id or f"access-{secrets.token_hex(8)}", "kind": "record_access", "occurred_at": format_instant(system_clock()),
        "site": acting.site, "actor": acting.actor, **about, **members,
    }, SOURCE)  # fmt: skip


# ---- looking up


@dataclass(frozen=True, slots=True)
class Words:
    """An event's bodies with their words; None where a body holds none."""

    sent: Mapping[str, Any] | None
    stands: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A person looked up. `versions` hold clear values only where they were asked for, and `results` what recording that gave."""

    known: Known
    versions: list[Identity]
    results: tuple[Recorded, ...]


def look_up(
    log: Log,
    judge: Callable[[], Judge],
    acting: Callable[[], Acting],
    *,
    pseudonym: str | None = None,
    record_number: str | None = None,
    purpose: str | None = None,
    output: str = "screen",
) -> Shown:
    """A person by pseudonym or record number. With a `purpose` the clear values are meant to be shown: the event of that is on disk before
    this returns. Looking somebody up by a record number says who somebody is, so it is recorded, too.

    Raises InputError where there is nobody, or where several have the number.
    """
    with reach(log) as way:
        vault = required(way)
        if record_number is not None:
            pseudonym = _one(vault.persons.found("record_number", record_number_key(record_number)))
        known = next(iter(vault.persons.known(pseudonym)), None)
        if pseudonym is None or known is None:
            gone = None if pseudonym is None else vault.persons.erased(pseudonym)
            raise InputError(
                "nobody is known under this" if gone is None else f"{pseudonym} was erased (event {gone[0]})",
                "`compliance person list` lists the pseudonyms.",
            )
        vault.persons.refresh()
    results: tuple[Recorded, ...] = ()
    if purpose is not None or record_number is not None:
        clear = purpose is not None
        access = {
            "mode": "view" if clear else "search", "purpose": purpose or "operations",
            "filter": f"identity of {known.pseudonym}" if clear else f"pseudonym by record number: {known.pseudonym}",
            "row_count": known.versions if clear else 1, "formats": [output], "leaves_site": False,
        }  # fmt: skip
        patient = known.pseudonym if known.kind == "patient" else None
        results = recorded(log, judge(), [access_event(acting(), access, patient=patient)])
    with reach(log, write=False) as way:
        vault = required(way)
        vault.persons.refresh()
        return Shown(known, vault.persons.versions(known.pseudonym), results)


def words_of(
    log: Log, judge: Callable[[], Judge], acting: Acting, event_id: str, *, purpose: str, output: str
) -> Words:
    """The body of an event as sent, and as it stands, with the words that lie in the vault; recorded before this returns.

    Texts that were erased stay commitments. Raises InputError where the log has no vault.
    """
    history = LogHistory(log)
    sent = history.sent(event_id)
    with reach(log, write=False) as way:
        required(way)
    access = {
        "mode": "view", "purpose": purpose, "filter": f"texts of the event {event_id}", "row_count": 1, "formats": [output], "leaves_site": False,
    }  # fmt: skip
    recorded(
        log,
        judge(),
        [access_event(acting, access, patient=None if sent is None else sent.values.get("patient"))],
    )
    with reach(log, write=False) as way:
        vault = required(way)
        vault.persons.refresh()
        vault.texts.begin()

        def corrects(name: str) -> str | None:
            named = history.sent(name)
            return None if named is None else named.values.get("corrects")

        def spoken(event: Event | None) -> Mapping[str, Any] | None:
            return None if event is None else cleared(vault.texts, event, corrects, partly=True)

        return Words(spoken(sent), spoken(history.stands(event_id)))


def _one(pseudonyms: list[str]) -> str | None:
    if len(pseudonyms) > 1:
        raise InputError(
            f"several persons have this number: {', '.join(pseudonyms)}", "Name one by pseudonym."
        )
    return pseudonyms[0] if pseudonyms else None


def begin(log: Log) -> Vault:
    """Give a log that has none its vault. Raises InputError where it has one.

    A vault that was made and not yet named by the log, since the computer stopped in between, is taken.
    """
    if name_of(log) is not None:
        raise InputError("this log has an identity vault already", "Go on with `compliance person add`.")
    vault = unnamed(log.url) or Vault.create(log.url)
    try:
        with log.writing() as batch:
            if name_of(log) is not None:
                raise DatabaseError("another program has just made a vault for this log", "Run it again.")
            mark(batch, vault)
    finally:
        vault.close()
    return vault
