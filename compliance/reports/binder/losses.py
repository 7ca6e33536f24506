"""Thefts and losses, and the data of DEA Forms 106 and 41 as far as the log has them; what it does not have is listed as not on record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from compliance.domain.drugs import DRUGS
from compliance.domain.lookup import key_of
from compliance.domain.time import add_months, local_date, parse_instant
from compliance.ledger.entry import microseconds
from compliance.reports.binder.lookups import Lookups
from compliance.reports.binder.period import Period, Version
from compliance.reports.binder.sheets import Column, Sheet, Sheets, Table
from compliance.reports.binder.verify_cells import FIELD, MEMBER, member_of

DISCREPANCIES: Final = Table(
    "40-losses-and-destruction/discrepancies.csv", "Discrepancies, losses and thefts",
    "Every shortage or overage of the period with what was found out about it. The law has each theft and significant loss reported; which loss is "
    "significant is decided by the registrant on six factors.",
    "21 CFR 1301.76(b)(1) to (6)", "No discrepancy, loss or theft was recorded at this site in the period.",
    (
        Column("Discrepancy", "event.discrepancy"), Column("Discovered", "event.discovered_at", law=True), Column("Said on", "event.occurred_at"),
        Column("Drug", "event.drug", law=True), Column("Lot", "event.lot"), Column("Container", "event.container", page=False),
        Column("Short or over", "event.direction"), Column("Quantity", "event.quantity", law=True), Column("Unit", "event.quantity_unit"),
        Column("Conclusion", "event.finding", law=True), Column("Factors weighed", "event.factors"), Column("Decided by", "event.decided_by"),
        Column("Decided", "event.decided_at"), Column("Explained by event", "event.explanation_event", page=False), Column("Custody", "event.custody"),
        Column("What was found", "event.narrative"), Column("Registration", "event.registration", law=True),
    ),
)  # fmt: skip
REPORTS: Final = Table(
    "40-losses-and-destruction/reports-sent.csv", "Reports and notices sent",
    "What went from this site to an authority, a programme or a maker in the period: loss notices, Form 106, monitoring programmes, adverse events.",
    "21 CFR 1301.76(b); 45 CFR 164.528", "No report or notice was recorded at this site in the period.",
    (
        Column("Sent", "event.occurred_at", law=True), Column("What", "event.form", law=True), Column("To", "event.recipient", law=True),
        Column("How", "event.channel"), Column("Proof", "event.confirmation"), Column("Accepted", "event.accepted"),
        Column("Discrepancy", "event.discrepancy"), Column("Concerns event", "event.concerns_event", page=False),
        Column("Amends", "event.amends_event", page=False), Column("Digest of the copy", "event.document_sha256", page=False),
    ),
)  # fmt: skip

_REPORTABLE: Final = ("theft", "significant_loss")
_ABOUT_LOSS: Final = ("dea_106", "dea_theft_loss_notice")
_FORM: Final = (
    Column("Form for"),
    Column("Item"),
    Column(FIELD),
    Column("Value", "@", law=True),
    Column(MEMBER, page=False),
)
FORM_106: Final = Table(
    "40-losses-and-destruction/dea-106.csv", "Data of DEA Form 106, report of theft or loss",
    "One form for each theft or significant loss that was found, judged or reported in the period, item by item as the form numbers them. It is filed online; the numbers here are those "
    "of the printed form. An item that the log does not hold is to be filled in from elsewhere.",
    "21 CFR 1301.76(b)", "No theft or significant loss was found, judged or reported in the period, so there is nothing to report on Form 106.", _FORM,
)  # fmt: skip
FORM_41: Final = Table(
    "40-losses-and-destruction/dea-41.csv", "Data of DEA Form 41, record of controlled substances destroyed",
    "One form for each destruction on site in the period. The form is kept for two years, and sent only if DEA asks. Wastage after a dose does not "
    "belong on it.",
    "21 CFR 1304.21(e), 1317.95(d)", "Nothing was destroyed on site in the period, so there is no Form 41.", _FORM,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Item:
    """An item of a form: its number, its name, and where it comes from: a member of an entry, or what is `said` where there is none. Said of `{...}` is
    worked out for each form."""

    number: str
    name: str
    source: str = ""
    member: str = ""
    said: str = ""


_ITEMS_106: Final = (
    _Item("1", "Name of registrant", "registration", "event.holder"),
    _Item("1", "Address of registrant", "registration", "event.registered_address_ref"),
    _Item("2", "Telephone"),
    _Item("3", "DEA registration number", "registration", "event.dea_number"),
    _Item("4", "Date of theft or loss, or of its discovery", "loss", "event.discovered_at"),
    _Item("5", "Principal business of registrant", "registration", "event.business_activity"),
    _Item("6", "County"),
    _Item("7", "Was it reported to the police"),
    _Item("8", "Police department, telephone, report number"),
    _Item(
        "9",
        "Thefts and losses in the past 24 months, with this one, as far as this log reaches",
        said="{count}",
    ),
    _Item("10", "Type of theft or loss", "loss", "event.finding"),
    _Item("12", "Purchase value of what was taken"),
    _Item("13", "Other pharmaceuticals or merchandise taken"),
    _Item("14", "If lost in transit: the delivery", "loss", "event.receipt_event", "no delivery is named"),
    _Item("15", "In whose custody it was", "loss", "event.custody"),
    _Item("16", "Marks, symbols or price codes on the labels"),
    _Item("17", "DEA Form 222 numbers taken", said="none: Schedule III is not ordered on Form 222"),
    _Item("18", "Measures taken to prevent more"),
    _Item("List", "Name, form and strength", said="{drug}"),
    _Item("List", "DEA controlled substance code", said="{code}"),
    _Item("List", "NDC, as the delivery of the lot has it", "delivery", "event.ndc11"),
    _Item("List", "Quantity lost", "loss", "event.quantity"),
    _Item("List", "Unit", "loss", "event.quantity_unit"),
    _Item("List", "Lot", "loss", "event.lot"),
    _Item("", "Written notice to the field division sent", "notice", "event.occurred_at"),
    _Item("", "Form 106 submitted", "filed", "event.occurred_at"),
    _Item("", "Confirmation of the submission", "filed", "event.confirmation"),
)
_ITEMS_41: Final = (
    _Item("A", "Registered name", "registration", "event.holder"),
    _Item("A", "DEA registration number", "registration", "event.dea_number"),
    _Item("A", "Registered address", "registration", "event.registered_address_ref"),
    _Item("A", "Telephone"),
    _Item("B(1)", "Name, form and strength", said="{drug}"),
    _Item("B(1)", "DEA controlled substance code", said="{code}"),
    _Item("B(1)", "NDC", "destruction", "event.ndc11"),
    _Item("B(1)", "Batch or lot number", "destruction", "event.lot"),
    _Item("B(1)", "Number of full packages", "destruction", "event.containers_full"),
    _Item("B(1)", "Content of a package"),
    _Item("B(1)", "Partial package count"),
    _Item("B(1)", "Total destroyed", "destruction", "event.quantity"),
    _Item("B(1)", "Unit", "destruction", "event.quantity_unit"),
    _Item("B(2)", "Collected substances", said="none: the site is no collector"),
    _Item("C", "Date of destruction", "destruction", "event.occurred_at"),
    _Item("C", "Method of destruction", "destruction", "event.method"),
    _Item("C", "Made non-retrievable", "destruction", "event.non_retrievable"),
    _Item("C", "Location", "destruction", "event.place"),
    _Item("D", "First authorized employee witness", "destruction", "event.witness_1"),
    _Item("D", "Signature of the first witness, date", "signed_1", "event.occurred_at"),
    _Item("D", "Second authorized employee witness", "destruction", "event.witness_2"),
    _Item("D", "Signature of the second witness, date", "signed_2", "event.occurred_at"),
)


def write(sheets: Sheets, lookups: Lookups) -> None:
    """The tables of this part."""
    period = sheets.period
    with sheets.sheet(DISCREPANCIES) as sheet:
        for version in period.of("discrepancy"):
            sheet.row(version)
    with sheets.sheet(REPORTS) as sheet:
        for version in period.of("external_report"):
            sheet.row(version)
    with sheets.sheet(FORM_106) as sheet:
        for loss in _losses(period):
            worked_out = {**_drug(lookups, loss), "{count}": str(_lost_before(period, loss))}
            _form(
                sheet, loss.event["discrepancy"], _ITEMS_106, _about_loss(period, lookups, loss), worked_out
            )
    with sheets.sheet(FORM_41) as sheet:
        for version in period.of("destruction"):
            if version.counts:
                sources = _about_destruction(period, lookups, version)
                name = version.event.get("form41", version.event["id"])
                _form(sheet, name, _ITEMS_41, sources, _drug(lookups, version))


def _form(
    sheet: Sheet,
    name: str,
    items: tuple[_Item, ...],
    sources: Mapping[str, Version | None],
    worked_out: Mapping[str, str],
) -> None:
    own = next(one for one in sources.values() if one is not None)
    for item in items:
        source = sources.get(item.source)
        given = {"Form for": name, "Item": item.number, FIELD: item.name}
        if source is not None and (member_of(source.document, item.member) is not None or not item.said):
            sheet.row(source, {**given, MEMBER: item.member})
        else:
            sheet.row(own, {**given, "Value": worked_out.get(item.said, item.said)})


def _losses(period: Period) -> Iterator[Version]:
    """The last word on each theft and significant loss that was found, judged or reported in the period."""
    handles = [version.event["discrepancy"] for version in period.of("discrepancy")]
    handles += [
        one.event["discrepancy"]
        for one in period.of("external_report")
        if one.event["form"] in _ABOUT_LOSS and "discrepancy" in one.event
    ]
    for handle in dict.fromkeys(handles):
        said = [one for one in _found(period, "discrepancy", "discrepancy", handle) if _us(one) < period.ends]
        last = max(said, key=lambda one: (_us(one), one.idx), default=None)
        if last is not None and last.event["finding"] in _REPORTABLE:
            yield last


def _us(version: Version) -> int:
    return microseconds(version.event["occurred_at"])


def _about_loss(period: Period, lookups: Lookups, loss: Version) -> dict[str, Version | None]:
    handle = loss.event["discrepancy"]
    sent = [
        one
        for one in _found(period, "external_report", "discrepancy", handle)
        if one.event.get("accepted") is not False
    ]
    return {
        "loss": loss,
        "registration": lookups.registration(loss.event["registration"], loss),
        "delivery": _delivery(period, loss),
        "notice": next((one for one in sent if one.event["form"] == "dea_theft_loss_notice"), None),
        "filed": next((one for one in sent if one.event["form"] == "dea_106"), None),
    }


def _delivery(period: Period, loss: Version) -> Version | None:
    """The delivery of the lot that is missing; a discrepancy itself names no NDC."""
    lot = loss.event.get("lot")
    came = () if lot is None else _found(period, "receipt", "lot", lot)
    return next((one for one in came if one.event["drug"] == loss.event.get("drug")), None)


def _lost_before(period: Period, loss: Version) -> int:
    """Thefts and significant losses that were discovered at the site within 24 months, this one among them."""
    day = local_date(parse_instant(loss.event["discovered_at"]), period.zone)
    since = add_months(day, -24) or day
    last = {
        version.event["discrepancy"]: version for version in period.until("discrepancy") if version.counts
    }
    return sum(
        since <= local_date(parse_instant(one.event["discovered_at"]), period.zone) <= day
        for one in last.values()
        if one.event["finding"] in _REPORTABLE
    )


def _drug(lookups: Lookups, version: Version) -> dict[str, str]:
    code = version.event.get("drug")
    drug = DRUGS.get(code or "")
    return {"{drug}": lookups.drug(code), "{code}": "" if drug is None else drug.dea_code}


def _about_destruction(period: Period, lookups: Lookups, version: Version) -> dict[str, Version | None]:
    event = version.event
    signed = [
        one
        for one in _found(period, "signature", "target_event", event["id"])
        if one.event.get("meaning") in (None, "witness")
    ]
    by = {one.event["signer"]: one for one in signed}
    return {
        "destruction": version,
        "registration": lookups.registration(event["registration"], version),
        "signed_1": by.get(event.get("witness_1", "")),
        "signed_2": by.get(event.get("witness_2", "")),
    }


def _found(period: Period, kind: str, field: str, value: str) -> Iterator[Version]:
    """The versions that count of a kind whose field has a value, the oldest first, whenever they came."""
    rows = {idx for _, idx in period.log.key_scan(key_of(kind, field, value)) if idx < period.size}
    for idx in sorted(rows):
        if period.log.entry(idx).kind == kind:
            yield from (
                one
                for one in period.performed(period.versions(idx))
                if one.counts and one.event.get(field) == value
            )
