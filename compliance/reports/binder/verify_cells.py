"""What the files of a binder are called, and how a value stands in a cell of a table: for those who write it and for ``verify.py`` (see `script`)."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

MANIFEST, CHECKPOINT, KEY = "MANIFEST.sha256", "90-proof/checkpoint.txt", "90-proof/verifier-key.txt"
ENTRIES, PROOFS, SINCE = "90-proof/entries.ndjson", "90-proof/proofs.ndjson", "90-proof/since.json"
PERIOD = "90-proof/period.json"
RELEASE, CONTINUES = "99-seal/release.tlog-proof", "99-seal/continues.json"
DECISIONS, FINDINGS = "70-decisions/decisions.csv", "70-decisions/findings.csv"
DISPOSITIONS = "30-receipts-and-dispositions/"
TOTALS = DISPOSITIONS + "by-drug.csv"

NOT_ON_RECORD, IN_THE_VAULT = "not on record", "(text in the vault)"
STANDS, REPLACED, CORRECTED, VOID = "stands", "corrected since", "as corrected", "void"
LOG_ENTRY, EVENT_ID, STANDING, AMENDED = "Log entry", "Event id [event.id]", "Standing", "Amended by entries"
LAST_JUDGED, DOCUMENTS, NUMBER = "Last judged in entry", "Documents", "No."
FIELD, MEMBER = "Field", "Member"

_MOVED = ("event.occurred_at", "event.drug", "event.quantity", "event.quantity_unit", "event.registration")
SHOWN_IN = {
    "receipt": (DISPOSITIONS + "receipts.csv", (*_MOVED, "event.containers", "event.source_registration", "event.accepted")),
    "administration": (DISPOSITIONS + "administrations.csv", (*_MOVED, "event.patient", "event.actor", "event.observer")),
    "dispense": (DISPOSITIONS + "dispensed.csv", (*_MOVED, "event.patient", "event.actor", "event.prescription")),
    "wastage": (DISPOSITIONS + "wastage.csv", (*_MOVED, "event.witness", "event.cause", "event.actor")),
    "transfer_out": (DISPOSITIONS + "transfers.csv", (*_MOVED, "event.recipient_registration", "event.manner")),
    "destruction": (DISPOSITIONS + "destruction.csv", (*_MOVED, "event.witness_1", "event.witness_2", "event.method")),
    "inventory_count": ("20-inventories/inventories.csv", ("event.occurred_at", "event.registration", "event.count_type", "event.complete")),
    "monitoring_form": ("50-rems/monitoring-forms.csv", ("event.patient", "event.treatment_on", "event.dose_mg", "event.status")),
    "override": ("70-decisions/overrides.csv", ("event.overrides_event", "event.approved_by", "event.requirements")),
    "correction": ("80-changes/corrections.csv", ("event.corrects", "event.fields.#.name", "event.fields.#.old", "event.fields.#.new")),
    "void": ("80-changes/voids.csv", ("event.corrects", "event.reason_code")),
    "signature": ("80-changes/signatures.csv", ("event.target_event", "event.target_sha256", "event.signer")),
}  # fmt: skip
"""By kind of event: the table in which every one of the period stands, and the columns that must repeat its entry word for word."""

TOTALED = dict(
    zip(
        ("Received", "Administered", "Dispensed", "Wasted", "Transferred", "Destroyed"),
        (one for one, _ in SHOWN_IN.values()),
    )
)
"""By column of the totals, the table whose quantities it adds up."""

REQUIRED = {
    **{table: (EVENT_ID, *members) for table, members in SHOWN_IN.values()},
    DECISIONS: (
        EVENT_ID,
        "event.kind",
        "event.occurred_at",
        "decision.verdict",
        "decision.verdict of " + LAST_JUDGED,
    ),
    FINDINGS: ("about", "findings.#.rule", "findings.#.severity", "findings.#.outcome"),
}


# ---- what stands in a cell

HEADING = re.compile(r"(.*) \[((?:event|decision|findings|recorded_at|about)[a-z0-9_.#]*|@)(?: of (.+))?\]")
_COMMITMENT = re.compile(r"vault:sha256:[0-9a-f]{64}")
_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "'", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_INSTANT = re.compile(r"(.{10}T.{8})(?:\.([0-9]{1,6}))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def cell_text(text: str) -> str:
    """A text as it stands in a cell: what a spreadsheet would take for a formula has an apostrophe before it."""
    return "'" + text if text.startswith(_ACTIVE) and not _NUMBER.fullmatch(text) else text


def shown(value: Any) -> str:
    """A JSON value as tables show it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and not any(isinstance(one, (list, dict)) for one in value):
        return "; ".join(map(shown, value))
    if isinstance(value, (list, dict)):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return IN_THE_VAULT if isinstance(value, str) and _COMMITMENT.search(value) else str(value)


def member_of(document: Any, member: str, number: int = 0) -> Any:
    """The value at a path of an entry, such as event.lines.#.quantity; # is the row's number in its list, from 1.

    `about` is the event that the entry holds or judges again, or the entry that it continues.
    """
    value = document
    if member == "about":
        named = (document.get("event") or {}).get("id") or document.get("target")
        return named or f"entry {document.get('of')}"
    for part in member.split("."):
        if part == "findings" and value is document:  # those of a decision may go on in entries of their own
            value = document.get("findings") or document.get("decision", {}).get("findings")
        elif part == "#":
            value = value[number - 1] if isinstance(value, list) and 0 < number <= len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


def instant_of(text: str) -> int:
    """An RFC 3339 instant in microseconds; older Pythons read only some of them."""
    match = _INSTANT.fullmatch(text.upper())
    if match is None:
        raise ValueError(f"{text!r} is no instant")
    moment, fraction, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    since = datetime.fromisoformat(moment) - offset - datetime(1970, 1, 1)  # noqa: DTZ001 - both are UTC
    return (since.days * 86_400 + since.seconds) * 1_000_000 + int((fraction or "").ljust(6, "0"))
