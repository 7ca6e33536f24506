"""The first fortnight of a small practice, 2026-03-02 to 2026-03-14: two sites, seven patients, ten honest mistakes.

At the Lake (Florida) esketamine is given, two to four visits to a patient; at Mesa (Arizona) ketamine, as an infusion or an injection.
The clocks at the Lake go forward on Sunday 2026-03-08, those at Mesa do not. What went wrong, and which rule says so, is listed in
`compliance.demo.mistakes`; everything else is meant to be in order.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from compliance.demo.afterwards import missed, prescribed_for, vial_missing, written_to
from compliance.demo.cabinet import Cabinet, Lot, delivery
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
    consent,
    laboratory,
    take_on,
)
from compliance.demo.staff import (
    LAKE,
    LAKE_DOCTOR,
    LAKE_NURSE,
    LAKE_SECOND,
    MESA,
    MESA_DOCTOR,
    MESA_NURSE,
    MESA_SECOND,
)

KITS_OF_TWO, KITS_OF_THREE, KIT_FOR_SPRUCE = "25KB114", "25KC207", "25KC310"
VIALS_IV, VIALS_IM = "KX4471", "KX5120"
AT_LAKE, AT_MESA = (LAKE_NURSE, LAKE_SECOND), (MESA_NURSE, MESA_SECOND)


def events() -> list[dict[str, Any]]:
    """Every event, in the order in which it was typed in; the same list every time."""
    journal = Journal()
    lake, mesa = found(journal)
    _before_the_first_visits(journal)
    _first_week(journal, lake, mesa)
    _second_week(journal, lake, mesa)
    for day in range(1, 15):
        night(journal, f"03-{day:02}")
    week(journal, "03-02", "02-23", "03-01")
    week(journal, "03-09", "03-02", "03-08")
    return journal.events()


def _before_the_first_visits(journal: Journal) -> None:
    for patient, day, hour, start_on, doses in (
        (ALDER, "02-23", "09:00", "2026-03-02", 8), (LARCH, "02-23", "13:00", "2026-03-02", 8),
        (BIRCH, "02-24", "09:00", "2026-03-03", 8), (SPRUCE, "02-26", "09:00", "2026-03-06", 8),
        (AGAVE, "02-24", "10:00", "2026-03-03", 6), (YUCCA, "02-26", "10:00", "2026-03-05", 6), (CHOLLA, "02-26", "13:30", "2026-03-12", 6),
    ):  # fmt: skip
        take_on(journal, patient, day, hour, start_on, doses)
    for patient, day in ((AGAVE, "02-25"), (YUCCA, "02-27"), (CHOLLA, "02-27")):
        laboratory(journal, patient, day)
    prescribed_for(journal, SPRUCE, LAKE.at("02-27", "10:30"))


def _first_week(journal: Journal, lake: Cabinet, mesa: Cabinet) -> None:
    # Monday: the first two patients. At the second visit the REMS portal was down, and nobody looked again before the dose.
    monday = Day(journal, lake, "03-02", LAKE_DOCTOR, AT_LAKE)
    esketamine_session(monday, ALDER, LAKE_NURSE, "09:30", KITS_OF_TWO, first_treatment=True)
    esketamine_session(
        monday, LARCH, LAKE_SECOND, "11:00", KITS_OF_TWO, first_treatment=True, enrolment_checked=False
    )
    monday.close()

    # Tuesday: the form of this visit lies in the out-tray until Thursday of next week, its ninth day.
    tuesday = Day(journal, lake, "03-03", LAKE_DOCTOR, AT_LAKE)
    esketamine_session(
        tuesday, BIRCH, LAKE_SECOND, "10:15", KITS_OF_TWO, first_treatment=True, form_on="03-12"
    )
    tuesday.close()
    tuesday = Day(journal, mesa, "03-03", MESA_DOCTOR, AT_MESA)
    visit = infusion_session(tuesday, AGAVE, "10:00", VIALS_IV, mistyped_heart_rate=True)
    tuesday.close()
    written_to(journal, visit, call=True)

    # Wednesday: no visits; the parcel for one patient comes.
    wednesday = Day(journal, lake, "03-04", None, AT_LAKE, until="13:00")
    kits = Lot(
        KIT_FOR_SPRUCE,
        ESKETAMINE,
        Decimal(3),
        "device",
        "2027-10-31",
        patient=SPRUCE.name,
        prescription=f"RX-{SPRUCE.name}",
    )
    delivery(
        journal, lake, kits, 2, LAKE.at("03-04", "10:05"), LAKE_NURSE.name, "REG-PHARM", NDC_THREE, "SLIP-4410",
    )  # fmt: skip
    wednesday.close()

    # Thursday: one patient has a bus to catch, and is let go eight minutes early. Another is dosed at 152/96, and no decision is written.
    thursday = Day(journal, lake, "03-05", LAKE_DOCTOR, AT_LAKE)
    esketamine_session(thursday, ALDER, LAKE_NURSE, "09:30", KITS_OF_THREE, leaves_after=112)
    esketamine_session(thursday, LARCH, LAKE_SECOND, "11:00", KITS_OF_TWO, before=(152, 96))
    thursday.close()
    # At Mesa the second nurse is on the telephone when the rest of the first vial is wasted.
    thursday = Day(journal, mesa, "03-05", MESA_DOCTOR, AT_MESA)
    visits = [
        infusion_session(thursday, AGAVE, "09:30", VIALS_IV, witnessed=False),
        infusion_session(thursday, YUCCA, "13:00", VIALS_IV),
    ]
    thursday.close()
    for visit in visits:
        written_to(journal, visit, call=visit.patient is YUCCA)

    # Friday: the kit that came on Wednesday. In the other room the tablet is empty; one reading waits on paper until after the discharge.
    friday = Day(journal, lake, "03-06", LAKE_DOCTOR, AT_LAKE)
    esketamine_session(friday, SPRUCE, LAKE_NURSE, "09:30", KIT_FOR_SPRUCE, first_treatment=True)
    esketamine_session(
        friday, BIRCH, LAKE_SECOND, "11:00", KITS_OF_TWO, middle_typed_in="14:20", relieved_by=LAKE_NURSE
    )
    friday.close()


def _second_week(journal: Journal, lake: Cabinet, mesa: Cabinet) -> None:
    # Monday, the first day of summer time at the Lake: 158/98 after the stairs; the software is asked, says no, and is right to.
    monday = Day(journal, lake, "03-09", LAKE_DOCTOR, AT_LAKE)
    esketamine_session(monday, ALDER, LAKE_NURSE, "10:30", KITS_OF_THREE, before=(158, 98), asks_first=True)
    esketamine_session(monday, LARCH, LAKE_SECOND, "13:00", KITS_OF_TWO, saved_twice=True)
    monday.close()
    # The form with one line left blank was found on the way through the consents; it is gone through again before the first dose.
    consent(journal, CHOLLA, MESA.at("03-09", "15:00"), f"CONSENT-{CHOLLA.name}-2", ELEMENTS)

    # Tuesday: a patient does not come. At Mesa an infusion is broken off, and in the evening a vial is missing.
    tuesday = Day(journal, lake, "03-10", LAKE_DOCTOR, AT_LAKE)
    esketamine_session(tuesday, SPRUCE, LAKE_NURSE, "09:30", KIT_FOR_SPRUCE)
    missed(journal, BIRCH, LAKE.at("03-10", "11:30"))
    tuesday.close()
    tuesday = Day(journal, mesa, "03-10", MESA_DOCTOR, AT_MESA)
    visits = [
        infusion_session(tuesday, AGAVE, "09:30", VIALS_IV),
        infusion_session(tuesday, YUCCA, "13:00", VIALS_IV, stopped_after=24),
    ]
    mesa.lots[VIALS_IV].containers -= 1
    vial_missing(journal, tuesday.close(), mesa.lots[VIALS_IV])
    for visit in visits:
        written_to(journal, visit)

    # Thursday and Friday: the last visits.
    thursday = Day(journal, lake, "03-12", LAKE_DOCTOR, AT_LAKE)
    esketamine_session(thursday, ALDER, LAKE_NURSE, "09:30", KITS_OF_THREE)
    esketamine_session(thursday, LARCH, LAKE_SECOND, "11:00", KITS_OF_TWO)
    thursday.close()
    thursday = Day(journal, mesa, "03-12", MESA_DOCTOR, AT_MESA)
    visit = injection_session(thursday, CHOLLA, "10:00", VIALS_IM)
    thursday.close()
    written_to(journal, visit, call=True)
    friday = Day(journal, lake, "03-13", LAKE_DOCTOR, AT_LAKE)
    esketamine_session(friday, BIRCH, LAKE_SECOND, "10:15", KITS_OF_THREE)
    friday.close()
