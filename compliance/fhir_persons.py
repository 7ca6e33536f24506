"""Patients of FHIR resources as pseudonyms, through the identity vault.

A patient is known by the reference itself (``Patient/123``, which is kept as a record number), else by an identifier, or by name and birth date,
of the Patient resource in the input. A logical id that is already a pseudonym stands for itself. Whoever is not known is entered, but only
once an event is about them: patients who get no drug of ours do not get into the vault. A check enters nobody, and makes pseudonyms up for itself.

An identifier means something within its system only (FHIR R4, Identifier.system), so it is kept as ``system|value``; a medical record number (type
MR), and one without a system, besides as it is written, since people look it up so.

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

from compliance.domain.codes import Code
from compliance.engine.judging import Judge
from compliance.errors import Place
from compliance.intake.fhir.sketch import Resource
from compliance.intake.fhir.view import codes_of
from compliance.ledger.log import Log
from compliance.ledger.vault import Reach, Vault
from compliance.ledger.vault.persons import name_key, record_number_key
from compliance.persons import Acting, Wanted, enter_all, found_by, identity_of, required

AT_ONCE: Final = 500
"""Events that are mapped before those whom they are about are entered, together."""

V2_IDENTIFIER: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"

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

_CHANGED: Final = (
    "this id is that of a person of the identity vault with another birth date, or with another name and other identifiers",
    (
        "If something was corrected, enter that first: `compliance person add --pseudonym PSEUDONYM`; if the id was given to somebody else, send the "
        "patient under an id of its own."
    ),
)
_TWO: Final = (
    "a person of the identity vault has this name and birth date, and another identifier of the same system",
    (
        "If these are two persons, enter this one: `compliance person add --even-if-known --record-number Patient/ID`; if they are one, add this number "
        "to the one who is known: `compliance person add --pseudonym PSEUDONYM --record-number Patient/ID`."
    ),
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

    def same(self, one: str, other: str) -> bool:
        """Whether two references mean one patient; nobody is entered for the sake of the other."""
        first = None if one == other else self.pseudonym(one)
        if first is None:  # the same reference, or one of which it is told already what is wrong with it
            return True
        found = self._known.get(other) or self._found(other, entering=False)
        return found == first or ("#" in one and not isinstance(found, str))

    def _of(self, reference: str) -> str | tuple[str, str]:
        if reference.startswith("#"):  # contained: the same name means another patient in another resource
            return self._found(reference)
        found = self._known.get(reference)
        if found is None:
            found = self._known[reference] = self._found(reference)
        return found

    def _found(self, reference: str, *, entering: bool = True) -> str | tuple[str, str]:
        resource = self._resolve(reference)
        name = reference.partition("/")[0] if resource is None else resource["resourceType"]
        contained = "#" in reference
        if name != "Patient" or (contained and resource is None):
            return _NO_PATIENT
        vault = required(self._way)
        own = reference.rpartition("/")[2]
        clear = _identity(resource or {}, () if contained else (reference,))
        if not contained and vault.persons.known(own):
            return _CHANGED if self._contradicts(vault, own, clear, strictly=True) else own
        if not found_by(clear):
            return _NO_PATIENT
        return self._by_identity(vault, clear, None if contained else reference, entering=entering)

    def _by_identity(
        self, vault: Vault, clear: dict[str, Any], reference: str | None, *, entering: bool
    ) -> str | tuple[str, str]:
        by_itself = self._alike(vault, {"record_numbers": [reference]}) if reference is not None else set()
        alike = self._alike(vault, clear)
        if len(by_itself) == 1:
            (pseudonym,) = by_itself
            if self._contradicts(vault, pseudonym, clear):
                return _CHANGED
            latest = self._latest(vault, pseudonym)
            fresh = {} if "name" not in latest else latest
            if "name" in clear and not fresh and len(alike) > 1:
                return _SEVERAL
            if entering and (("name" in clear and not fresh) or self._has_more(vault, pseudonym, clear)):
                self._want(pseudonym, {**_together(latest, clear), **_told_apart(fresh)})
            return pseudonym
        if len(alike) > 1:
            return _SEVERAL
        if not alike:
            made = f"P-{secrets.token_hex(10)}"
            return self._want(made, clear) if entering else made
        (pseudonym,) = alike
        latest = self._latest(vault, pseudonym)
        if _differ(latest, clear, "birth_date"):
            return _ANOTHER
        numbers = self._numbers(vault, pseudonym)
        if numbers_apart(numbers, clear) and not _shared(numbers, clear):
            return _TWO
        if (
            entering and reference is not None
        ):  # so that a later file without the Patient finds the same person
            self._want(pseudonym, _together(latest, clear))
        return pseudonym

    def _contradicts(
        self, vault: Vault, pseudonym: str, clear: Mapping[str, Any], *, strictly: bool = False
    ) -> bool:
        """Whether an identity is not that of a person: born on another day, or of another name with other identifiers; strictly, of another name
        where no birth date says that it is the same person."""
        latest = self._latest(vault, pseudonym)
        if _differ(latest, clear, "birth_date"):
            return True
        if not _differ(latest, clear, "name"):
            return False
        numbers = self._numbers(vault, pseudonym)
        theirs, ours = _values(numbers), _values(clear.get("record_numbers", ()))
        if numbers_apart(numbers, clear) or (theirs and ours and theirs.isdisjoint(ours)):
            return True
        return strictly and ("birth_date" not in latest or "birth_date" not in clear)

    def _alike(self, vault: Vault, clear: Mapping[str, Any]) -> set[str]:
        """Who has a number, or name and birth date, in common. The index knows numbers without signs and systems; here they are compared as they are."""
        found: set[str] = set()
        for key in found_by({**clear, "record_numbers": []}):
            found |= self._led_to(vault, key)
        for number in clear.get("record_numbers", ()):
            for key in found_by({"record_numbers": [number]}):
                found |= {one for one in self._led_to(vault, key) if self._has(vault, one, number, clear)}
        return found

    def _led_to(self, vault: Vault, key: Key) -> set[str]:
        return {*vault.persons.found(*key), *self._made.get(key, ())}

    def _has(self, vault: Vault, pseudonym: str, number: str, clear: Mapping[str, Any]) -> bool:
        """Whether a person has a number: a reference or one with its system as it is written, a plain one unless it is told of other systems."""
        numbers = self._numbers(vault, pseudonym)
        if _is_reference(number) or "|" in number:
            return number in numbers
        theirs, ours = systems_of(number, numbers), systems_of(number, clear["record_numbers"])
        if theirs and ours and theirs.isdisjoint(ours):
            return False
        plain = {record_number_key(one) for one in numbers if "|" not in one and not _is_reference(one)}
        return record_number_key(number) in plain

    def _numbers(self, vault: Vault, pseudonym: str) -> set[str]:
        """All numbers by which a person was ever entered."""
        said = [one.clear for one in vault.persons.versions(pseudonym)]
        said += [self._waiting[pseudonym].clear] if pseudonym in self._waiting else []
        return {number for clear in said for number in clear.get("record_numbers", ())}

    def _has_more(self, vault: Vault, pseudonym: str, clear: Mapping[str, Any]) -> bool:
        """Whether an identifier with its system is new."""
        return not {one for one in clear["record_numbers"] if "|" in one} <= self._numbers(vault, pseudonym)

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
    said = [*numbers, *(number for one in resource.get("identifier", ()) for number in _numbers_of(one))]
    found = {name: kept for name, value in given.items() if value and (kept := _kept(name, value))}
    numbers_kept = [number for one in said for number in _kept("record_numbers", [one]) or ()]
    return {**found, "record_numbers": numbers_kept} if numbers_kept else found


def _numbers_of(identifier: Resource) -> Iterator[str]:
    """An identifier as record numbers: with its system, and plain where people look it up so."""
    system, value = identifier.get("system"), identifier.get("value")
    if not value:
        return
    if system:
        yield f"{system}|{value}"
    if not system or Code(V2_IDENTIFIER, "MR") in codes_of(identifier.get("type")):
        yield value


def _is_reference(number: str) -> bool:
    return number.startswith("Patient/")


def systems_of(value: str, numbers: Iterable[str]) -> set[str]:
    """The systems within which a value is among some numbers."""
    parts = (one.rpartition("|") for one in numbers)
    return {
        system for system, bar, said in parts if bar and record_number_key(said) == record_number_key(value)
    }


def numbers_apart(numbers: Iterable[str], clear: Mapping[str, Any]) -> bool:
    """Whether in some system both have identifiers, and none in common."""
    theirs, ours = _by_system(numbers), _by_system(clear.get("record_numbers", ()))
    return any(theirs[system].isdisjoint(ours[system]) for system in theirs.keys() & ours.keys())


def _by_system(numbers: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for number in numbers:
        system, bar, value = number.rpartition("|")
        if bar:
            found[system].add(record_number_key(value))
    return found


def _shared(numbers: set[str], clear: Mapping[str, Any]) -> bool:
    return any("|" in one and one in numbers for one in clear.get("record_numbers", ()))


def _values(numbers: Iterable[str]) -> set[str]:
    """What the numbers are without their systems; references are none."""
    return {record_number_key(one.rpartition("|")[2]) for one in numbers if not _is_reference(one)}


def _differ(one: Mapping[str, Any], other: Mapping[str, Any], name: str) -> bool:
    """Whether both have a name, or birth date, and not the same."""
    if name not in one or name not in other:
        return False
    return (
        one[name] != other[name] if name != "name" else name_key(one[name], "") != name_key(other[name], "")
    )


def _told_apart(latest: Mapping[str, Any]) -> dict[str, Any]:
    """What stays as it is where only numbers are added."""
    return {name: value for name, value in latest.items() if name != "record_numbers"}


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
