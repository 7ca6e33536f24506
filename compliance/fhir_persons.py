"""Patients of FHIR resources as pseudonyms, through the identity vault.

A patient is known by the reference itself (``Patient/123``, which is kept as a record number), else by an identifier, or by name and birth date,
of the Patient resource in the input. A logical id that is already a pseudonym stands for itself. Whoever is not known is entered, but only
once an event is about them: patients who get no drug of ours do not get into the vault. A check enters nobody, and makes pseudonyms up for itself.

No name, birth date or record number is put into a message.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, TypeAlias, TypeVar

from compliance.engine.judging import Judge
from compliance.errors import Place
from compliance.intake.fhir.sketch import Resource
from compliance.ledger.log import Log
from compliance.ledger.vault import Reach, Vault
from compliance.persons import Acting, Wanted, enter_all, found_by, identity_of, required

AT_ONCE: Final = 500
"""Events that are mapped before those whom they are about are entered, together."""

Key: TypeAlias = tuple[str, str]
T = TypeVar("T")

_NO_PATIENT: Final = (
    "this names no Patient",
    "Only a Patient can be told apart in the log; send the reference to one, with the Patient if it is contained.",
)
_SEVERAL: Final = (
    "this patient has a record number, or name and birth date, in common with several persons of the identity vault",
    "Enter the patient with `compliance person add --even-if-known --record-number Patient/ID`, the ID of the resource, and send it again.",
)
_ANOTHER: Final = (
    "this patient has a record number in common with a person of the identity vault who was born on another day",
    "Mend what is wrong; if these are two persons, enter this one as such: `compliance person add --even-if-known --record-number Patient/ID`.",
)


@dataclass(frozen=True, slots=True)
class Entering:
    """What is needed to enter persons: who judges the events of that, and who acts where."""

    judge: Callable[[], Judge]
    acting: Callable[[], Acting]


class Patients:
    """The pseudonyms of one run. Without `entering`, nobody is entered."""

    def __init__(
        self,
        log: Log,
        way: Reach | None,
        resolve: Callable[[str], Resource | None],
        entering: Entering | None,
    ) -> None:
        self._log = log
        self._way = way
        self._resolve = resolve
        self._entering = entering
        self._known: dict[str, str | tuple[str, str]] = {}
        self._made: dict[Key, set[str]] = defaultdict(
            set
        )  # what those who were made up in this run are found by
        self._waiting: dict[str, Wanted] = {}

    def pseudonym(self, reference: str) -> str | None:
        """Who a patient is in the log; None where that cannot be told. Raises InputError where the log has no vault."""
        found = self._of(reference)
        return found if isinstance(found, str) else None

    def trouble(self, reference: str) -> tuple[str, str] | None:
        """Why it cannot be told who this is: message and remedy."""
        found = self._of(reference)
        return None if isinstance(found, str) else found

    def settled(self, items: Iterable[T]) -> Iterator[T]:
        """The same items, each only after those whom it is about were entered."""
        remaining = iter(items)
        while some := list(islice(remaining, AT_ONCE)):
            self._enter()
            yield from some

    def _of(self, reference: str) -> str | tuple[str, str]:
        if reference.startswith("#"):  # contained: the same name means another patient in another resource
            return self._found(reference)
        found = self._known.get(reference)
        if found is None:
            found = self._known[reference] = self._found(reference)
        return found

    def _found(self, reference: str) -> str | tuple[str, str]:
        resource = self._resolve(reference)
        name = reference.partition("/")[0] if resource is None else resource["resourceType"]
        contained = "#" in reference
        if name != "Patient" or (contained and resource is None):
            return _NO_PATIENT
        vault = required(self._way)
        own = reference.rpartition("/")[2]
        if not contained and vault.persons.known(own):
            return own
        clear = _identity(resource or {}, () if contained else (reference,))
        if not found_by(clear):
            return _NO_PATIENT
        return self._by_identity(vault, clear, None if contained else reference)

    def _by_identity(
        self, vault: Vault, clear: dict[str, Any], reference: str | None
    ) -> str | tuple[str, str]:
        by_itself = self._alike(vault, {"record_numbers": [reference]}) if reference is not None else set()
        alike = self._alike(vault, clear)
        if len(by_itself) == 1:
            (pseudonym,) = by_itself
            latest = self._latest(vault, pseudonym)
            if "name" in clear and "name" not in latest:
                if len(alike) > 1:
                    return _SEVERAL
                self._want(pseudonym, _together(latest, clear))
            return pseudonym
        if len(alike) > 1:
            return _SEVERAL
        if not alike:
            return self._want(f"P-{secrets.token_hex(10)}", clear)
        (pseudonym,) = alike
        latest = self._latest(vault, pseudonym)
        born = latest.get("birth_date")
        if born is not None and clear.get("birth_date", born) != born:
            return _ANOTHER
        if reference is not None:  # so that a later file without the Patient finds the same person
            self._want(pseudonym, _together(latest, clear))
        return pseudonym

    def _alike(self, vault: Vault, clear: Mapping[str, Any]) -> set[str]:
        return {
            pseudonym
            for key in found_by(clear)
            for pseudonym in (*vault.persons.found(*key), *self._made.get(key, ()))
        }

    def _latest(self, vault: Vault, pseudonym: str) -> Mapping[str, Any]:
        """What is known of a person last; it is compared, and shown to nobody."""
        if pseudonym in self._waiting:
            return self._waiting[pseudonym].clear
        versions = vault.persons.versions(pseudonym)
        return versions[-1].clear if versions else {}

    def _want(self, pseudonym: str, clear: dict[str, Any]) -> str:
        self._waiting[pseudonym] = Wanted("patient", clear, f"{datetime.now(UTC):%Y-%m-%d}", pseudonym)
        for key in found_by(clear):
            self._made[key].add(pseudonym)
        return pseudonym

    def _enter(self) -> None:
        entering = self._entering
        if entering is None or not self._waiting:
            return
        enter_all(self._log, entering.judge(), entering.acting(), list(self._waiting.values()))
        self._waiting.clear()
        if self._way is not None:
            self._way.vault.persons.refresh()


def _identity(resource: Resource, numbers: Iterable[str]) -> dict[str, Any]:
    """The identity that a Patient resource gives, without what cannot be kept."""
    given = {
        "name": _name(resource),
        "birth_date": resource.get("birthDate"),
        "sex": resource.get("gender"),
        "address": _address(resource),
        "phone": _contact(resource, "phone"),
        "email": _contact(resource, "email"),
    }
    said = [*numbers, *(one.get("value") for one in resource.get("identifier", ()))]
    found = {name: kept for name, value in given.items() if value and (kept := _kept(name, value))}
    numbers_kept = [number for one in said for number in _kept("record_numbers", [one]) or ()]
    return {**found, "record_numbers": numbers_kept} if numbers_kept else found


def _kept(name: str, value: Any) -> Any:
    """A value as an identity may hold it; None where it may not, such as a birth date that is only a year."""
    checked = identity_of({"name": "-", name: value}, Place(""))
    return None if isinstance(checked, tuple) else checked.get(name)


def _name(resource: Resource) -> str | None:
    """The name that is used: the official one, else the usual one, else the first."""
    names = resource.get("name", ())
    for use in ("official", "usual", None):
        for one in names:
            if use is None or one.get("use") == use:
                said = " ".join(
                    [*(given for given in one.get("given", ()) if given), one.get("family") or ""]
                ).strip()
                return said or one.get("text")
    return None


def _address(resource: Resource) -> str | None:
    for one in resource.get("address", ()):
        parts = [
            *(line for line in one.get("line", ()) if line),
            one.get("city"),
            one.get("state"),
            one.get("postalCode"),
        ]
        return one.get("text") or ", ".join(part for part in parts if part) or None
    return None


def _contact(resource: Resource, system: str) -> str | None:
    return next(
        (one.get("value") for one in resource.get("telecom", ()) if one.get("system") == system), None
    )


def _together(before: Mapping[str, Any], clear: Mapping[str, Any]) -> dict[str, Any]:
    """An identity with what is new, and every record number."""
    numbers = dict.fromkeys([*before.get("record_numbers", ()), *clear.get("record_numbers", ())])
    return {**before, **clear, "record_numbers": list(numbers)}
