"""What was changed and who signed: corrections, voids, signatures. Originals stay, and stand in their tables beside what replaced them."""

from __future__ import annotations

from typing import Final

from compliance.domain.corrections import takes_effect
from compliance.reports.binder.period import Period, Version
from compliance.reports.binder.sheets import Column, Sheets, Table
from compliance.reports.binder.verify_cells import NUMBER, SHOWN_IN

_EFFECT: Final = "Takes effect"

CORRECTIONS: Final = Table(
    SHOWN_IN["correction"][0], "Corrections", "Every correction that was made at this site in the period, a row for each field: what stood, what stands.",
    "21 CFR 11.10(e); 21 CFR 1304.21(d)", "Nothing was corrected at this site in the period.",
    (
        Column("Made", "event.occurred_at"), Column("Of event", "event.corrects"), Column(NUMBER), Column("Member", "event.fields.#.name"),
        Column("Stood", "event.fields.#.old"), Column("Stands", "event.fields.#.new"), Column(_EFFECT), Column("Why, in a word", "event.reason_code"),
        Column("Why", "event.reason"), Column("By", "event.actor"), Column("Approved by", "event.approved_by"),
        Column("Signature asked anew", "event.resign_required", page=False),
    ),
)  # fmt: skip
VOIDS: Final = Table(
    SHOWN_IN["void"][0], "Voids", "Every event that was declared not to have happened, at this site in the period. Its entry stays.",
    "21 CFR 11.10(e)", "Nothing was voided at this site in the period.",
    (
        Column("Made", "event.occurred_at"), Column("Of event", "event.corrects"), Column(_EFFECT), Column("Why, in a word", "event.reason_code"),
        Column("Why", "event.reason"), Column("By", "event.actor"), Column("Approved by", "event.approved_by"),
        Column("Entered instead", "event.replaced_by_event"),
    ),
)  # fmt: skip
SIGNATURES: Final = Table(
    SHOWN_IN["signature"][0], "Signatures", "Who signed what, when, with which meaning; the digest ties a signature to the record as it was then.",
    "21 CFR 11.50, 11.70; 21 CFR 1304.21(e)", "Nothing was signed at this site in the period.",
    (
        Column("Signed", "event.occurred_at"), Column("Event", "event.target_event"), Column("Digest of what was signed", "event.target_sha256", page=False),
        Column("Signer", "event.signer"), Column("Meaning", "event.meaning"), Column("With", "event.components"),
        Column("Printed name", "event.printed_name_ref"), Column("Login", "event.login", page=False),
    ),
)  # fmt: skip


def write(sheets: Sheets) -> None:
    """The tables of this part."""
    period = sheets.period
    with sheets.sheet(CORRECTIONS) as sheet:
        for version in period.of("correction"):
            for number in range(1, len(version.event["fields"]) + 1):
                sheet.row(version, {NUMBER: str(number), _EFFECT: _effect(period, version)}, number=number)
    with sheets.sheet(VOIDS) as sheet:
        for version in period.of("void"):
            sheet.row(version, {_EFFECT: _effect(period, version)})
    with sheets.sheet(SIGNATURES) as sheet:
        for version in period.of("signature"):
            sheet.row(version)


def _effect(period: Period, version: Version) -> str:
    """Whether a correction or void changes what it names, as things stand."""
    history = period.history
    now = history.stands(version.event["id"])
    if now is None or not version.counts:
        return "no"
    return "yes" if takes_effect(now, history.sent(now.values["corrects"]), history.amendments) else "no"
