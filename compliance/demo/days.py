"""An ordinary day around the visits: who comes and goes, what is checked in the morning, what is counted in the evening."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from compliance.demo.cabinet import Cabinet, count
from compliance.demo.journal import Journal, Site, minutes
from compliance.demo.staff import LAKE, MANAGER, MESA, SERVICE, Person

_EVERY_SITE = (("pulse_oximeter", "OXI"), ("blood_pressure_monitor", "BPM"))
_FOR_INFUSIONS = (
    ("oxygen", "O2"), ("positive_pressure_device", "BVM"), ("suction", "SUC"), ("airway_adjuncts", "AIR"), ("defibrillator", "AED"),
    ("emergency_drugs", "KIT"), ("infusion_pump", "PUMP"),
)  # fmt: skip


class Day:
    """One open day at one site: people come, check what must be checked, and at the end count the cabinet and go home.

    The doctor is there as prescriber, the first nurse watches patients; where ketamine is given the second is there for emergencies.
    """

    def __init__(
        self,
        journal: Journal,
        cabinet: Cabinet,
        date: str,
        doctor: Person | None,
        nurses: tuple[Person, Person],
        until: str = "17:30",
    ) -> None:
        self.journal, self.cabinet, self.date, self.nurses = journal, cabinet, date, nurses
        self.site: Site = cabinet.site
        self._until = until
        duties = ("monitoring_provider", "acls_responder" if self.site is MESA else "monitoring_provider")
        self._here = ([(doctor, "prescriber")] if doctor else []) + list(zip(nurses, duties, strict=True))
        for number, (person, duty) in enumerate(self._here):
            self._presence(person, duty, "07:40", number, arrived=True)
        self._checks()

    def at(self, time: str) -> datetime:
        """A time of this day, such as ``09:30``."""
        return self.site.at(self.date, time)

    def close(self) -> str:
        """Count the cabinet, and go home; gives the count."""
        counter, second = self.nurses
        counted = count(
            self.journal, self.cabinet, self.at(self._until) - minutes(20), counter.name, second.name
        )
        for number, (person, duty) in enumerate(self._here):
            self._presence(person, duty, self._until, number, arrived=False)
        return counted

    def _presence(self, person: Person, duty: str, time: str, number: int, *, arrived: bool) -> None:
        came = self.at("07:40") + minutes(2 * number)
        at = came if arrived else self.at(time) + minutes(2 * number)
        self.journal.note(
            self.site, "presence", at, person.name, shift=f"SHIFT-{self.date}-{person.name}", person=person.name, duty=duty, on_premises=True,
            arrived_at=came, left_at=None if arrived else at,
        )  # fmt: skip

    def _checks(self) -> None:
        site, nurse = self.site, self.nurses[0].name
        at = self.at("07:50")
        items = _EVERY_SITE + (_FOR_INFUSIONS if site is MESA else ())

        def check(number: int, item: str, equipment: str, **fields: Any) -> None:
            self.journal.note(
                site,
                "equipment_check",
                at + minutes(number),
                nurse,
                equipment=f"{equipment}-{site.name}",
                item=item,
                passed=True,
                **fields,
            )

        for number, (item, equipment) in enumerate(items):
            check(
                number,
                item,
                equipment,
                in_service_count=2 if equipment == "OXI" else 1,
                calibrated_until_on="2026-12-31",
                expires_on="2026-11-30",
            )
        read = self.journal.luck.randint(203, 218)
        low, high = f"{(read - 4) / 10:.1f}", f"{(read + 5) / 10:.1f}"
        check(
            len(items),
            "storage_temperature",
            "THERMO",
            temp_c=f"{read / 10:.1f}",
            temp_min_c=low,
            temp_max_c=high,
        )


def night(journal: Journal, day: str) -> None:
    """What the software does by itself every night: a copy, a checkpoint that is kept elsewhere, and a look at its clock."""
    for number, activity in enumerate(("backup", "chain_check", "checkpoint", "clock_check")):
        at = LAKE.at(day, "23:10") + minutes(5 * number)
        journal.note(
            LAKE, "system_event", at, SERVICE, under=f"{activity}-{day.replace('-', '')}", activity=activity, succeeded=True,
            ended_at=at + minutes(1), stored_outside=True if activity in ("backup", "checkpoint") else None, entered=at + minutes(2),
            clock_offset_ms=3 if activity == "clock_check" else None,
        )  # fmt: skip


def week(journal: Journal, day: str, before: str, until: str) -> None:
    """On Monday morning the manager looks through who looked at what in the week before, from `before` until `until`."""
    for site in (LAKE, MESA):
        at = site.at(day, "08:40")
        journal.note(
            site, "record_access", at, MANAGER.name, under=f"{site.name}-{day.replace('-', '')}", mode="log_review", purpose="operations",
            filter=f"views, exports and failed logins at {site.name}", row_count=41, expected_rows=41, formats=["screen"], leaves_site=False,
            period_from_on=f"2026-{before}", period_until_on=f"2026-{until}", findings="Nothing unusual.", entered=at + minutes(1),
        )  # fmt: skip
