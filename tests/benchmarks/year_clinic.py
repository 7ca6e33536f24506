"""A fortnight of the demonstration's clinic in which nobody makes a mistake, and both sites are open from Monday to Friday."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, TypeAlias

from compliance.demo.afterwards import prescribed_for, written_to
from compliance.demo.cabinet import Lot, delivery
from compliance.demo.clinic import (
    AT_LAKE,
    AT_MESA,
    KIT_FOR_SPRUCE,
    KITS_OF_THREE,
    KITS_OF_TWO,
    VIALS_IM,
    VIALS_IV,
)
from compliance.demo.days import Day, night, week
from compliance.demo.esketamine import esketamine_session
from compliance.demo.journal import Journal
from compliance.demo.ketamine import infusion_session, injection_session
from compliance.demo.opening import ESKETAMINE, NDC_THREE, found
from compliance.demo.patients import (
    AGAVE,
    ALDER,
    BIRCH,
    CHOLLA,
    ELEMENTS,
    LARCH,
    SPRUCE,
    YUCCA,
    Patient,
    laboratory,
    take_on,
)
from compliance.demo.staff import LAKE, LAKE_DOCTOR, LAKE_NURSE, LAKE_SECOND, MESA, MESA_DOCTOR

Body: TypeAlias = dict[str, Any]

MONDAY = date(2026, 3, 2)
"""The first day of both fortnights."""

LOTS = (KITS_OF_TWO, KITS_OF_THREE, VIALS_IV, VIALS_IM)
"""Lots that all patients share; they are delivered week by week."""

ALL_ELEMENTS = replace(CHOLLA, initialled=ELEMENTS)
PATIENTS = (ALDER, LARCH, BIRCH, SPRUCE, AGAVE, YUCCA, CHOLLA)
ZONES = {site.name: site.zone for site in (LAKE, MESA)}

VISITS = {
    "03-02": (ALDER, LARCH), "03-03": (BIRCH, AGAVE), "03-05": (ALDER, LARCH, AGAVE, YUCCA), "03-06": (SPRUCE, BIRCH),
    "03-09": (ALDER, LARCH), "03-10": (SPRUCE, AGAVE, YUCCA), "03-12": (ALDER, LARCH, ALL_ELEMENTS), "03-13": (BIRCH,),
}  # fmt: skip
OPEN = [f"03-{day:02}" for day in (2, 3, 4, 5, 6, 9, 10, 11, 12, 13)]
TAKEN_ON = (
    (ALDER, "02-23", "09:00", "2026-03-02", 8), (LARCH, "02-23", "13:00", "2026-03-02", 8), (BIRCH, "02-24", "09:00", "2026-03-03", 8),
    (SPRUCE, "02-26", "09:00", "2026-03-06", 8), (AGAVE, "02-24", "10:00", "2026-03-03", 6), (YUCCA, "02-26", "10:00", "2026-03-05", 6),
    (ALL_ELEMENTS, "02-26", "13:30", "2026-03-12", 6),
)  # fmt: skip


def clean() -> list[Body]:
    """A fortnight of the demonstration's clinic in which nobody makes a mistake; both sites are open from Monday to Friday."""
    journal = Journal()
    lake, mesa = found(journal)
    for patient, day, hour, start_on, doses in TAKEN_ON:
        take_on(journal, patient, day, hour, start_on, doses)
    for patient, day in ((AGAVE, "02-25"), (YUCCA, "02-27"), (ALL_ELEMENTS, "02-27")):
        laboratory(journal, patient, day)
    prescribed_for(journal, SPRUCE, LAKE.at("02-27", "10:30"))
    seen: set[Patient] = set()
    for date_ in OPEN:
        at_lake = Day(journal, lake, date_, LAKE_DOCTOR, AT_LAKE)
        at_mesa = Day(journal, mesa, date_, MESA_DOCTOR, AT_MESA)
        if date_ == "03-04":
            kits = Lot(
                KIT_FOR_SPRUCE, ESKETAMINE, at_lake.cabinet.lots[KITS_OF_THREE].each, "device", "2027-10-31", patient=SPRUCE.name,
                prescription=f"RX-{SPRUCE.name}",
            )  # fmt: skip
            delivery(
                journal,
                lake,
                kits,
                2,
                LAKE.at("03-04", "10:05"),
                LAKE_NURSE.name,
                "REG-PHARM",
                NDC_THREE,
                "SLIP-4410",
            )
        for number, patient in enumerate(VISITS.get(date_, ())):
            _visit(at_lake, at_mesa, patient, number, first=patient not in seen)
            seen.add(patient)
        at_lake.close()
        at_mesa.close()
    for number in range(1, 15):
        night(journal, f"03-{number:02}")
    week(journal, "03-02", "02-23", "03-01")
    return journal.events()


def _visit(at_lake: Day, at_mesa: Day, patient: Patient, number: int, *, first: bool) -> None:
    time = "09:30" if number % 2 == 0 else "11:00"
    if patient.esketamine:
        # as at the demonstration: two devices in the first week, three in the second; kits that were prescribed for one are his
        lot = (
            KIT_FOR_SPRUCE if patient is SPRUCE else KITS_OF_TWO if at_lake.date < "03-08" else KITS_OF_THREE
        )
        nurse = LAKE_NURSE if number % 2 == 0 else LAKE_SECOND
        esketamine_session(at_lake, patient, nurse, time, lot, first_treatment=first)
        return
    session = injection_session if patient.name == CHOLLA.name else infusion_session
    visit = session(at_mesa, patient, time, VIALS_IM if patient.name == CHOLLA.name else VIALS_IV)
    written_to(at_mesa.journal, visit, call=first)
