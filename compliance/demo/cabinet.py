"""What stands in a site's locked cabinet, lot by lot, as someone who counts it finds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from compliance.demo.journal import Journal, Site, minutes, paper


@dataclass(slots=True)
class Lot:
    """Unopened containers of one lot: how many, and what each holds in the drug's stock unit."""

    lot: str
    drug: str
    each: Decimal
    unit: str
    expires_on: str
    containers: int = 0
    patient: str | None = None
    prescription: str | None = None


@dataclass(slots=True)
class Cabinet:
    """A site's stock. Whoever needs a dose takes whole containers; nothing that was opened goes back."""

    site: Site
    lots: dict[str, Lot] = field(default_factory=dict)
    taken: int = 0

    def take(self, lot: str) -> tuple[Lot, list[str]]:
        """One container of a lot leaves; gives the handles of what is in it: each device of a kit, or the vial."""
        stock = self.lots[lot]
        stock.containers -= 1
        self.taken += 1
        inside = int(stock.each) if stock.unit == "device" else 1
        return stock, [f"{lot}-{self.taken:03}{'ABC'[n] if inside > 1 else ''}" for n in range(inside)]

    def lines(self) -> list[dict[str, Any]]:
        """The lines of a count."""
        return [
            {
                "drug": lot.drug, "lot": lot.lot, "quantity_per_container": str(lot.each), "containers": lot.containers, "opened_containers": 0,
                "quantity": str(lot.each * lot.containers), "quantity_unit": lot.unit, "count_method": "exact",
                "state": "patient_specific" if lot.patient else "in_stock",
            }
            for lot in self.lots.values()
            if lot.containers
        ]  # fmt: skip


def delivery(
    journal: Journal,
    cabinet: Cabinet,
    lot: Lot,
    containers: int,
    at: datetime,
    taker: str,
    source: str,
    ndc11: str,
    invoice: str,
) -> str:
    """A parcel comes, is counted against its invoice, and goes into the cabinet."""
    site = cabinet.site
    lot.containers = containers
    cabinet.lots[lot.lot] = lot
    return journal.note(
        site, "receipt", at, taker, patient=lot.patient, under=f"{site.name}-{at:%m%d}", drug=lot.drug, registration=site.registration,
        stock_type="patient_specific" if lot.patient else "office", source_type="pharmacy" if lot.patient else "distributor",
        source_registration=source, prescription=lot.prescription, order_document="packing_slip" if lot.patient else "invoice",
        invoice_no=invoice, document_sha256=paper(invoice), containers=containers, invoiced_containers=containers,
        quantity_per_container=str(lot.each), quantity=str(lot.each * containers), quantity_unit=lot.unit, lot=lot.lot,
        expires_on=lot.expires_on, ndc11=ndc11, accepted=True, delivered_to_address_ref=site.address,
    )  # fmt: skip


def count(
    journal: Journal,
    cabinet: Cabinet,
    at: datetime,
    counter: str,
    second: str,
    count_type: str = "cycle",
    point: str = "close",
) -> str:
    """Two people count the cabinet; the second signs within minutes."""
    site, lines = cabinet.site, cabinet.lines()
    counted = journal.note(
        site, "inventory_count", at, counter, count=f"COUNT-{site.name}-{at:%m%d}", registration=site.registration, count_type=count_type,
        complete=True, business_point=point, medium="electronic", counted_by=counter, verified_by=second, lines=lines,
        nothing_on_hand=None if lines else True,
    )  # fmt: skip
    journal.sign(site, counted, at + minutes(5), second, "verify")
    return counted
