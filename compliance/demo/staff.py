"""Two sites of one practice, and who works there. All are pseudonyms; numbers are invented, their check digits are right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from compliance.demo.journal import Site

# Florida changes its clocks on 2026-03-08, Arizona never does.
LAKE: Final = Site("LAKE", "FL", ZoneInfo("America/New_York"), "REG-LAKE", "ADDR-LAKE-v1", "CAB-LAKE")
MESA: Final = Site("MESA", "AZ", ZoneInfo("America/Phoenix"), "REG-MESA", "ADDR-MESA-v1", "CAB-MESA")

SERVICE: Final = "SVC-RECORDS"


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who works here. `routes` are those by which the licence lets them give drugs, `rights` what their account may do."""

    name: str
    site: Site
    role: str
    profession: str
    relation: str
    routes: tuple[str, ...]
    rights: tuple[str, ...]
    prescribes: bool = False
    life_support: bool = False


_NURSE: Final = ("clinician", "stock_handler", "witness")

LAKE_DOCTOR: Final = Person(
    "P-3107",
    LAKE,
    "prescriber",
    "physician",
    "owner",
    ("intranasal",),
    ("prescriber", "witness"),
    prescribes=True,
)
LAKE_NURSE: Final = Person("P-3121", LAKE, "nurse", "rn", "employee", ("intranasal",), _NURSE)
LAKE_SECOND: Final = Person("P-3134", LAKE, "nurse", "rn", "employee", ("intranasal",), _NURSE)
MANAGER: Final = Person(
    "P-3150",
    LAKE,
    "manager",
    "none",
    "employee",
    (),
    ("administrator", "corrector", "stock_handler", "auditor"),
)

_INJECTS: Final = ("iv_infusion", "im")
MESA_DOCTOR: Final = Person(
    "P-5203", MESA, "prescriber", "physician", "employee", ("iv_infusion", "iv_bolus", "im"), ("prescriber", "witness", "corrector"),
    prescribes=True, life_support=True,
)  # fmt: skip
MESA_NURSE: Final = Person("P-5218", MESA, "nurse", "rn", "employee", _INJECTS, _NURSE)
MESA_SECOND: Final = Person("P-5226", MESA, "nurse", "rn", "employee", _INJECTS, _NURSE, life_support=True)

STAFF: Final = (MANAGER, LAKE_DOCTOR, LAKE_NURSE, LAKE_SECOND, MESA_DOCTOR, MESA_NURSE, MESA_SECOND)
