"""What a row says besides its own entry: whose registration a handle names, what form and strength a drug has."""

from __future__ import annotations

from functools import lru_cache

from compliance.domain.drugs import DRUGS
from compliance.domain.lookup import EVERY, key_of
from compliance.ledger.entry import microseconds
from compliance.reports.binder.period import Period, Version


class Lookups:
    """What is looked up for many rows, and remembered."""

    def __init__(self, period: Period) -> None:
        self._period = period
        self._registrations = lru_cache(maxsize=512)(self._versions_of)
        self._strengths = self._from_products()

    def registration(self, handle: str | None, version: Version) -> Version | None:
        """A registration as it stood when the event of a version occurred, else as it was first on record; None where there is none."""
        if handle is None:
            return None
        at, found = microseconds(version.event["occurred_at"]), None
        for occurred, one in self._registrations(handle):
            if found is None or occurred <= at:
                found = one
        return found

    def drug(self, code: str | None) -> str:
        """Name, finished form and strength of a drug, as 21 CFR 1304.22(a)(2) wants them."""
        drug = DRUGS.get(code or "")
        if drug is None:
            return code or ""
        if drug.strength_mg_per_ml is not None:
            return f"{drug.generic}, {drug.form}, {drug.strength_mg_per_ml} mg/mL"
        strength = drug.strength_mg_per_unit or self._strengths.get(drug.code)
        if strength is not None:
            return f"{drug.generic}, {drug.form}, {strength} mg per {drug.stock_unit}"
        return f"{drug.generic}, {drug.form}, strength on the prescription"

    def _versions_of(self, handle: str) -> list[tuple[int, Version]]:
        """The versions that count of a registration, the oldest first."""
        period, found = self._period, []
        rows = period.log.key_scan(key_of("registration", "registration", handle))
        for idx in {idx for _, idx in rows if idx < period.size}:
            if period.log.entry(idx).kind == "registration":
                found += [
                    one
                    for one in period.performed(period.versions(idx))
                    if one.counts and one.event["registration"] == handle
                ]
        return sorted(
            ((microseconds(one.event["occurred_at"]), one) for one in found),
            key=lambda pair: (pair[0], pair[1].idx),
        )

    def _from_products(self) -> dict[str, str]:
        """Strengths that product entries give where the drug list has none: those of compounded units."""
        found: dict[str, str] = {}
        for _, idx in self._period.log.key_scan(key_of("product", EVERY, ""), self._period.ends - 1):
            if idx < self._period.size and self._period.log.entry(idx).kind == "product":
                for one in self._period.versions(idx):
                    if one.counts and "strength_mg_per_unit" in one.event:
                        found.setdefault(one.event["drug_code"], one.event["strength_mg_per_unit"])
        return found
