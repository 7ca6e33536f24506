"""The values of one record of a report to a state: from the dispense, its prescription, registrations, products, and the vault.

What is not on record is missing, with what would mend it; nothing is taken from elsewhere. What is told of it never repeats a name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from compliance.domain.drugs import DRUGS
from compliance.domain.event import Event
from compliance.domain.time import format_date, local_date
from compliance.exports.asap_dispenses import Dispensed
from compliance.exports.asap_elements import ELEMENTS, MISSED_WITHOUT
from compliance.exports.asap_texts import address_of, digits_of_phone, gender_of, name_of, plain
from compliance.ledger.history import LogHistory
from compliance.ledger.vault.persons import Identity

COMPOUND: Final = "99999999999"
"""What guides have for a compound's product id; from general knowledge (`Element.recalled`)."""

_UNITS: Final = {"device": "01", "unit": "01", "ml": "02"}
_SENT: Final = {"written": "01", "oral": "02", "fax": "04", "electronic": "05"}

Known = Callable[[str], list[Identity]]
"""The versions of a person's identity, by pseudonym."""


@dataclass(slots=True)
class Facts:
    """The values of a record by element, what is missing of it and how that is mended, and what was spelt otherwise than it is on record.

    `prescriber` is the pseudonym of who prescribed, where the prescription is on record; `later` are elements from a version of an identity that
    began to hold only after the day, since none held on it.
    """

    dispensed: Dispensed
    values: dict[str, str] = field(default_factory=dict)
    remedies: dict[str, str] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    prescriber: str | None = None
    later: list[str] = field(default_factory=list)

    def give(self, ref: str, value: Any, remedy: str = "") -> None:
        """Set an element; where there is no value, or none that ASAP can hold, it stays empty."""
        text = None if value is None else plain(str(value))
        if text is None:
            self.remedies[ref] = remedy or f"It comes from {ELEMENTS[ref].comes_from}."
            return
        self.values[ref] = text
        if text != str(value):
            self.changed.append(ref)

    @property
    def missing(self) -> dict[str, str]:
        """Elements that the record cannot be written without, each with what would mend it."""
        wanted = (
            ref for ref in ELEMENTS if ref in MISSED_WITHOUT and ref[:3] in ("PHA", "PAT", "DSP", "PRE")
        )
        return {
            ref: self.remedies.get(ref, "It is not on record.") for ref in wanted if ref not in self.values
        }


class Gatherer:
    """Gathers what the records of one report say: first what the log knows, then who the people are."""

    def __init__(self, history: LogHistory, zones: Mapping[str, str]) -> None:
        self._history = history
        self._zones = zones

    def facts(self, dispensed: Dispensed) -> Facts:
        """The values of one record, but for its people."""
        found = Facts(dispensed)
        event = dispensed.event
        prescription = self._newest("prescription", "prescription", event.values["prescription"], event)
        self._dispenser(found, event)
        self._dispense(found, event, prescription)
        self._prescriber(found, event, prescription)
        return found

    def name(self, found: Facts, known: Known) -> None:
        """Say who patient and prescriber are."""
        event = found.dispensed.event
        day = format_date(local_date(event.occurred_at, self._zones[event.values["site"]]))
        patient = _held(known(event.values["patient"]), day, event.values.get("patient_identity_ref"))
        prescriber = None if found.prescriber is None else _held(known(found.prescriber), day)
        before = found.values.keys() | {"PAT20"}
        self._patient(found, {} if patient is None else patient.clear)
        if patient is not None and patient.valid_from > day:
            found.later += sorted(found.values.keys() - before)
        before = set(found.values)
        self._name(found, {} if prescriber is None else prescriber.clear, ("PRE05", "PRE06", None))
        if prescriber is not None and prescriber.valid_from > day:
            found.later += sorted(found.values.keys() - before)

    def day(self, instant: int, site: str) -> str:
        """The day by the site's clock, as ASAP writes it."""
        return format_date(local_date(instant, self._zones[site])).replace("-", "")

    def _newest(self, kind: str, field_: str, value: str, event: Event) -> Event | None:
        found = self._history.newest_first(kind, field_, value, event.occurred_at, None)
        return next(
            (one for one in found if one.values.get("patient") in (None, event.values["patient"])), None
        )

    def _registration(self, name: str | None, event: Event) -> Event | None:
        return None if name is None else self._newest("registration", "registration", name, event)

    def _dispenser(self, found: Facts, event: Event) -> None:
        registration = self._registration(event.values.get("registration"), event)
        number = None if registration is None else registration.body["dea_number"]
        found.give("PHA03", number, "Name the registration on the dispense, and enter its `registration`.")

    def _patient(self, found: Facts, identity: Mapping[str, Any]) -> None:
        self._name(found, identity, ("PAT07", "PAT08", "PAT09"))
        address = address_of(identity["address"]) if "address" in identity else None
        remedy = "Give the address in the vault as `Street, City, ST 12345`."
        for ref, name in (("PAT12", "street"), ("PAT14", "city"), ("PAT15", "state"), ("PAT16", "zip")):
            found.give(ref, None if address is None else getattr(address, name), remedy)
        phone = digits_of_phone(identity.get("phone", ""))
        if phone:
            found.values["PAT17"] = phone
        born = identity.get("birth_date")
        found.give(
            "PAT18", None if born is None else born.replace("-", ""), "Enter the date of birth in the vault."
        )
        if identity:
            found.values["PAT19"] = gender_of(identity.get("sex"))
        found.values["PAT20"] = "01"

    def _dispense(self, found: Facts, event: Event, prescription: Event | None) -> None:
        body, day = event.body, self.day(event.occurred_at, event.values["site"])
        written = {} if prescription is None else prescription.body
        remedy = "Enter the `prescription` that the dispense names."
        found.values["DSP01"] = found.dispensed.status
        found.give("DSP02", body["prescription"])
        issued = written.get("issued_on")
        found.give("DSP03", None if issued is None else issued.replace("-", ""), remedy)
        found.give("DSP04", written.get("refills"), remedy)
        found.values["DSP05"] = found.values["DSP17"] = day
        found.give("DSP06", body["fill_number"])
        self._product(found, event)
        found.give("DSP09", body["quantity"])
        found.give("DSP10", body.get("days_supply"), "Say on the dispense for how many days it is.")
        found.values["DSP11"] = _UNITS[body["quantity_unit"]]
        if "transmission" in written:
            found.values["DSP12"] = _SENT[written["transmission"]]
        if body.get("is_partial") is False:
            found.values["DSP13"] = "00"

    def _product(self, found: Facts, event: Event) -> None:
        drug = DRUGS[event.body["drug"]]
        if drug.is_compounded:
            found.values["DSP07"], found.values["DSP08"] = "06", COMPOUND
            return
        found.values["DSP07"] = "01"
        codes = self._of_lot(event) or {
            one.values["ndc11"]
            for one in self._history.newest_first("product", "drug_code", drug.code, event.occurred_at, None)
            if "ndc11" in one.values
        }
        one = codes.pop() if len(codes) == 1 else None
        found.give(
            "DSP08",
            one,
            "Name the lot on the dispense, and the NDC on its receipt: the drug has several products, or none.",
        )

    def _of_lot(self, event: Event) -> set[str]:
        """The NDCs under which the lot came in."""
        lot = event.values.get("lot")
        if lot is None:
            return set()
        received = self._history.newest_first("receipt", "lot", lot, event.occurred_at, None)
        return {
            one.values["ndc11"]
            for one in received
            if one.values["drug"] == event.values["drug"] and "ndc11" in one.values
        }

    def _prescriber(self, found: Facts, event: Event, prescription: Event | None) -> None:
        said = {} if prescription is None else prescription.values
        registration = self._registration(said.get("registration"), event)
        body = {} if registration is None else registration.body
        found.give(
            "PRE02",
            body.get("dea_number"),
            "Name the prescriber's registration on the prescription, and enter it.",
        )
        if "dea_suffix" in body:
            found.give("PRE03", body["dea_suffix"])
        found.prescriber = said.get("prescriber")

    def _name(self, found: Facts, identity: Mapping[str, Any], refs: tuple[str, str, str | None]) -> None:
        name = name_of(identity["name"]) if "name" in identity else None
        remedy = (
            "Write the name in the vault as `Last, First Middle`: it cannot be told apart."
            if "name" in identity
            else "Enter the person in the vault: `compliance person add`."
        )
        last, first, middle = refs
        found.give(last, None if name is None else name.last, remedy)
        found.give(first, None if name is None else name.first, remedy)
        if middle is not None and name is not None and name.middle:
            found.give(middle, name.middle)


def _held(versions: list[Identity], day: str, handle: str | None = None) -> Identity | None:
    """Who somebody was on a day: the version that the event names, else the last that held then, else the first later one."""
    named = [one for one in versions if one.handle == handle]
    held = named or [one for one in versions if one.valid_from <= day] or versions[:1]
    return held[-1] if held else None
