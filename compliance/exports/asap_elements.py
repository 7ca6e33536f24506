"""The elements of ASAP's standard for prescription monitoring programmes (version 4.2A) that an export writes or leaves empty.

Where each element stands and what it means: the routines PSOASAP and PSOASAP0 of VistA (Department of Veterans Affairs, in the public domain),
which write the same segments for all states; DSP01 besides from the Minnesota Prescription Monitoring Program, "File Submission", the segment IS
(IS01 and IS02 required) from the schemas of the library parafill/asap. Marked
`recalled` is what neither says, from general knowledge of dispenser guides: check it against the guide of the state that is reported to. The
standard itself is sold by the American Society for Automation in Pharmacy and was not at hand; nothing was tried with a clearing house.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

VERSION: Final = "4.2A"
SEPARATOR: Final = "*"
TERMINATOR: Final = "~"


@dataclass(frozen=True, slots=True)
class Element:
    """An element: its reference, what it means, whether a record without it is not written, and where its value comes from (empty: nothing that the
    log or the vault knows). Required is what dispenser guides ask of every record; that it is required is `recalled` throughout."""

    ref: str
    says: str
    comes_from: str = ""
    required: bool = False
    recalled: bool = False


_TABLE: Final = (
    Element("TH01", "Version of the standard", f"constant {VERSION}", required=True),
    Element("TH02", "Transaction control number", "digest of the log's state and of what was asked", required=True),
    Element("TH03", "Transaction type", "constant 01, send", required=True),
    Element("TH04", "Response id"),
    Element("TH05", "Creation date", "the log's clock, at the site", required=True),
    Element("TH06", "Creation time", "the log's clock, at the site", required=True),
    Element("TH07", "File type", "P, production; T with --test", required=True),
    Element("TH08", "Routing number"),
    Element("TH09", "Segment terminator", f"constant {TERMINATOR}", required=True),
    Element("IS01", "Unique id of the information source", "--sender; without it the site, else the log's origin", required=True),
    Element("IS02", "Name of the information source", "--sender-name; without it as IS01 without --sender", required=True),
    Element("IS03", "Message; in a zero report the days that it is about", "the period, #YYYYMMDD#-#YYYYMMDD#", recalled=True),
    Element("PHA01", "NPI of the dispenser"),
    Element("PHA02", "NCPDP id of the dispenser"),
    Element("PHA03", "DEA number of the dispenser", "registration.dea_number", required=True),
    Element("PAT01", "Jurisdiction of the patient's identifier"),
    Element("PAT02", "Kind of the patient's identifier"),
    Element("PAT03", "The patient's identifier"),
    Element("PAT04", "Jurisdiction of another identifier"),
    Element("PAT05", "Kind of another identifier"),
    Element("PAT06", "Another identifier"),
    Element("PAT07", "Last name", "vault: name", required=True),
    Element("PAT08", "First name", "vault: name", required=True),
    Element("PAT09", "Middle name", "vault: name"),
    Element("PAT10", "Name prefix"),
    Element("PAT11", "Name suffix"),
    Element("PAT12", "Address, line 1", "vault: address", required=True),
    Element("PAT13", "Address, line 2"),
    Element("PAT14", "City", "vault: address", required=True),
    Element("PAT15", "State", "vault: address", required=True),
    Element("PAT16", "ZIP code, digits", "vault: address", required=True),
    Element("PAT17", "Telephone, digits", "vault: phone"),
    Element("PAT18", "Date of birth", "vault: birth_date", required=True),
    Element("PAT19", "Gender: F, M, U", "vault: sex; U where it says neither", required=True),
    Element("PAT20", "Species", "constant 01, human"),
    Element("DSP01", "00 new, 01 revise, 02 void", "reports of the dispense in the log", required=True),
    Element("DSP02", "Prescription number", "dispense.prescription", required=True),
    Element("DSP03", "Date written", "prescription.issued_on", required=True),
    Element("DSP04", "Refills authorised", "prescription.refills", required=True),
    Element("DSP05", "Date filled", "dispense.occurred_at, at the site", required=True),
    Element("DSP06", "Refill number", "dispense.fill_number", required=True),
    Element("DSP07", "Product id qualifier: 01 NDC, 06 compound", "drug list", required=True, recalled=True),
    Element("DSP08", "Product id", "receipt.ndc11 of the lot, else the one product.ndc11; 99999999999 for a compound", required=True, recalled=True),
    Element("DSP09", "Quantity", "dispense.quantity", required=True),
    Element("DSP10", "Days supply", "dispense.days_supply", required=True),
    Element("DSP11", "Units: 01 each, 02 mL, 03 g", "dispense.quantity_unit", required=True),
    Element("DSP12", "How it was prescribed: 01 written, 02 telephone, 04 fax, 05 electronic", "prescription.transmission", recalled=True),
    Element("DSP13", "00 not a partial fill, else its number", "dispense.is_partial; its number is not on record"),
    Element("DSP14", "NPI of the pharmacist"),
    Element("DSP15", "State licence of the pharmacist"),
    Element("DSP16", "How it was paid"),
    Element("DSP17", "Date sold", "dispense.occurred_at, at the site"),
    Element("PRE01", "NPI of the prescriber"),
    Element("PRE02", "DEA number of the prescriber", "registration.dea_number of prescription.registration", required=True),
    Element("PRE03", "Suffix of the DEA number", "registration.dea_suffix"),
    Element("PRE04", "State licence of the prescriber"),
    Element("PRE05", "Last name of the prescriber", "vault: name of prescription.prescriber", required=True),
    Element("PRE06", "First name of the prescriber", "vault: name of prescription.prescriber", required=True),
    Element("CDI03", "Ingredients of a compound: the whole segment is left out, since no NDC of an ingredient is on record"),
    Element("AIR", "Serial number of a prescription form, who fetched it: the whole segment is left out"),
    Element("TP01", "Segments from PHA to TP, both counted", "counted", required=True, recalled=True),
    Element("TT01", "Transaction control number", "as TH02", required=True),
    Element("TT02", "Segments in all, TH and TT counted", "counted", required=True, recalled=True),
)  # fmt: skip

ELEMENTS: Final = MappingProxyType({element.ref: element for element in _TABLE})
"""All elements by reference, in the order of the file."""

ORDER: Final = ("TH", "IS", "PHA", "PAT", "DSP", "PRE", "TP", "TT")
"""The segments that are written, in their order."""

NEVER: Final = tuple(element for element in _TABLE if not element.comes_from)
"""Elements that nothing on record can fill."""

MISSED_WITHOUT: Final = frozenset(ref for ref, element in ELEMENTS.items() if element.required)
"""A record without one of these is not written."""


def segment(name: str, values: dict[str, str]) -> str:
    """A segment from the values of its elements by reference; empty elements at its end are left out."""
    refs = [ref for ref in ELEMENTS if ref.startswith(name) and ref[len(name) :].isdigit()]
    parts = [values.get(ref, "") for ref in refs]
    while parts and not parts[-1]:
        parts.pop()
    return SEPARATOR.join([name, *parts]) + TERMINATOR
