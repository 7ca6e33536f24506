"""The first page of a binder, as HTML and as plain text: what is in it, what each file answers, how to check it, what is missing and why."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from compliance.reports.binder.folder import Folder
from compliance.reports.binder.in_print import FOLDER, Printer
from compliance.reports.binder.pages import Page
from compliance.reports.binder.period import Period
from compliance.reports.binder.release import Wanted
from compliance.reports.binder.script import digest
from compliance.reports.binder.sheets import Written
from compliance.reports.binder.verify_cells import (
    CHECKPOINT,
    CONTINUES,
    ENTRIES,
    KEY,
    MANIFEST,
    NOT_ON_RECORD,
    PERIOD,
    PROOFS,
    RELEASE,
    SINCE,
)

_WIDE: Final = 110
_IN_PRINT: Final = "The tables that can be read on pages, to be printed and searched. Decisions, as many as events, are in the data alone."
_PARTS: Final = {
    FOLDER: "In print",
    "10-registrations": "Registrations, credentials, employment",
    "20-inventories": "Inventories",
    "30-receipts-and-dispositions": "Receipts and dispositions, by drug",
    "40-losses-and-destruction": "Thefts, losses, destruction: DEA Forms 106 and 41",
    "50-rems": "REMS: certification, enrolments, monitoring forms",
    "60-policies": "Policies in force",
    "70-decisions": "Decisions and overrides",
    "80-changes": "Corrections, voids, late entries, signatures",
    "90-proof": "Proofs",
    "99-seal": "The seal",
    "": "About the binder itself",
}
"""The folders of a binder, in their order."""


@dataclass(frozen=True, slots=True)
class About:
    """What the index says besides the tables: who asked for what, the event by which the log says so, when that was (microseconds), the signed state,
    the key, how many entries are proved, the log's name, whether it has a vault, and the size of the earlier checkpoint that it is proved to continue."""

    wanted: Wanted
    event_id: str
    made_us: int
    checkpoint: str
    vkey: str
    entries: int
    origin: str
    vaulted: bool
    since: int | None


def write(folder: Folder, printer: Printer, period: Period, about: About, written: Sequence[Written]) -> None:
    """``README.txt``, ``index.html``, and the index in print."""
    parts = {
        "What this is": tuple(_what(period, about)),
        "How to check it": tuple(_how(about)),
        "What is missing, and why": tuple(_missing(period, about, written)),
    }
    printer.index(parts, about.checkpoint)
    files = (*_printed(printer), *written, *_proof_files(about))
    with folder.text("index.html") as file:
        _html(
            Page(file, f"Records of {period.site}, {period.words}", _subtitle(about), index=None),
            period,
            about,
            files,
        )
    with folder.text("README.txt") as file:
        file.write(_text(period, about, files))


def _subtitle(about: About) -> str:
    return f"From the log {about.origin}. Purpose: {about.wanted.purpose}."


def _printed(printer: Printer) -> Iterator[Written]:
    *parts, first = printer.files
    for name in (first, *parts):
        which = name.rpartition("/")[2].removesuffix(".pdf").replace("-", " ").capitalize()
        yield Written(
            name,
            f"{which}, in print",
            "This index." if name == first else _IN_PRINT,
            "21 CFR 11.10(b); 21 CFR 1304.04(a)",
        )


def _proof_files(about: About) -> Iterator[Written]:
    """The files that prove the others."""
    yield Written(
        CHECKPOINT,
        "Checkpoint",
        "The log's signed state at the size to which everything here is proved.",
        "C2SP tlog-checkpoint",
    )
    yield Written(
        KEY,
        "Verifier key",
        "The key that signs for the log. Compare it with the one you have from somewhere else.",
        "C2SP signed-note",
    )
    yield Written(
        ENTRIES,
        "Entries",
        "Every entry of the log that a table names, byte for byte: events whole, with their decisions.",
        "21 CFR 11.10(b)",
        about.entries,
    )
    yield Written(
        PROOFS,
        "Proofs",
        "For each of those entries, in the same order, the proof that it is in the log.",
        "RFC 9162, 2.1.3",
        about.entries,
    )
    yield Written(
        PERIOD,
        "Period",
        "The site, and from when to when: every entry in it must stand among the decisions.",
        "",
    )
    if about.since is not None:
        yield Written(
            SINCE,
            "Earlier checkpoint",
            "An earlier checkpoint, and the proof that the log continues it.",
            "RFC 9162, 2.1.4",
        )
    yield Written(MANIFEST, "Manifest", "Every file with its SHA-256; `sha256sum -c` reads it.", "")
    yield Written(
        RELEASE,
        "Seal",
        "The log's own entry that names the digest of the manifest, with its proof.",
        "C2SP tlog-proof",
    )
    yield Written(
        CONTINUES,
        "Seal: continuation",
        "The proof that the log of the seal continues that of the checkpoint.",
        "RFC 9162, 2.1.4",
    )
    yield Written(
        "verify.py", "Verifier", f"Checks all of this with Python alone. Its SHA-256 is {digest()}.", ""
    )


def _what(period: Period, about: About) -> Iterator[str]:
    """What this is, in sentences."""
    wanted = about.wanted
    zone = period.zone if period.zone_known else "UTC, since the site has no profile on record"
    yield f"Records of the site {period.site} from {period.words}, both days in it, by the site's clock ({zone})."
    yield f"It holds what the log knew at {period.size:,} entries, on {period.instant(about.made_us)}. The log is append-only; what was corrected or voided stands beside what replaced it."
    if wanted.recipient is not None:
        yield f"Made for {wanted.recipient}; ground: {wanted.legal_ground}. That is logged as a disclosure."
    else:
        yield "No recipient was named. Before it goes to anybody outside, make it again with --recipient, so that the disclosure is logged."
    if wanted.identities:
        yield "It holds NAMES AND ADDRESSES of patients and the words of free texts. Keep it locked up, and destroy it when it has served."
    else:
        yield "It holds no name out of the identity vault: patients and staff are pseudonyms. It is still about patients: keep it locked up."
    if not about.vaulted:
        yield "This log has no identity vault: what people typed as reasons and narratives stands in its entries, and so it stands here."
    elif not wanted.identities:
        yield "What people typed as reasons and narratives lies in the vault, and is not here; what was typed before the log had a vault stands in its entries."
    if about.since is not None:
        yield f"The log is proved to continue an earlier checkpoint, of {about.since:,} entries."
    yield f"The log records that it was made as event {about.event_id}, with the digest of its manifest."


def _how(about: About) -> Iterator[str]:
    """How to check it."""
    yield "Run `python3 verify.py` in this folder (Python 3.8 or newer, nothing else, no network). It says GOOD or lists every fault."
    yield f"The verifier key is {about.vkey}. Compare it with the one you have from somewhere else: a printed report, another site, the registrant. Then run `python3 verify.py . --key KEY` with that one."
    yield "A table's columns with brackets repeat a member of the log's entry word for word, and verify.py compares them. Columns without are worked out."
    yield "An apostrophe at the beginning of a cell keeps a spreadsheet from taking the text for a formula; it is no part of the text."


def _missing(period: Period, about: About, files: Sequence[Written]) -> Iterator[str]:
    """What is not here, and why."""
    for one in files:
        if one.empty:
            yield f"{one.title}: {one.empty}"
        if one.missing:
            lacks = ", ".join(f"{heading} ({count})" for heading, count in one.missing.items())
            yield f"{one.title}: the law asks for these, and the log does not have them in so many of {one.rows:,} rows, where they are marked {NOT_ON_RECORD!r}: {lacks}."
    yield "Names and addresses of the site, of registrants and of suppliers: the log holds handles for them; the certificates and invoices have the words."
    if not about.wanted.identities:
        yield "Names and addresses of patients, and the words of free texts: not asked for (--identities). They lie in the clinic's identity vault, where it has one."
    yield "DEA Forms 222: none is needed, since they are for Schedules I and II (21 CFR 1305.03), and the clinic's drugs are in Schedule III."
    yield "Duties that were missed and findings that stand every night: they are in the nightly reports."
    if about.since is None:
        yield "A proof that the log continues an earlier checkpoint: none was given (--since-checkpoint), and no nightly report was printed before."
    if period.ends > about.made_us:
        yield f"What happens after {period.instant(about.made_us)}: the period ends later than the binder was made."


def _html(page: Page, period: Period, about: About, files: Sequence[Written]) -> None:
    for text in _what(period, about):
        page.paragraph(text)
    page.heading("What is in this folder")
    for folder, part in _PARTS.items():
        these = [one for one in files if _folder(one) == folder]
        if not these:
            continue
        page.begin_table(part, ("Records", "What it answers", "Asked for by", "Rows", "Data"))
        for one in these:
            links = [(4, one.name), *([(0, one.page)] if one.page else [])]
            page.row((one.title, one.answers, one.law, _rows(one), one.name.rpartition("/")[2]), links=links)
        page.end_table()
    page.heading("How to check it")
    page.items(_how(about))
    page.heading("What is missing, and why")
    page.items(_missing(period, about, files))
    page.heading("The log's signed state")
    page.paragraph(
        "Everything here is proved against this checkpoint. Keep a copy: it shows later whether anything before it was changed."
    )
    page.verbatim(about.checkpoint)
    page.close()


def _folder(one: Written) -> str:
    return one.name.rpartition("/")[0]


def _rows(one: Written) -> str:
    if one.rows is None:
        return ""
    return f"{one.rows:,}" if one.rows else "none"


def _text(period: Period, about: About, files: Sequence[Written]) -> str:
    lines = [f"RECORDS OF {period.site}, {period.words}", _subtitle(about), ""]
    for text in _what(period, about):
        lines += [*_filled(text), ""]
    lines.append("WHAT IS IN THIS FOLDER (index.html says the same)")
    for folder, part in _PARTS.items():
        these = [one for one in files if _folder(one) == folder]
        lines += ["", f"{folder}: {part}" if folder else part] if these else []
        for one in these:
            law = f" [{one.law}]" if one.law else ""
            rows = "" if one.rows is None else f" Rows: {_rows(one)}."
            lines += ["", f"  {one.name}{f' (readable: {one.page})' if one.page else ''}"]
            lines += _filled(f"{one.title}. {one.answers}{rows}{law}", "    ")
    lines += ["", "HOW TO CHECK IT", ""]
    for text in _how(about):
        lines += _filled(text, "  ", "- ")
    lines += ["", "WHAT IS MISSING, AND WHY", ""]
    for text in _missing(period, about, files):
        lines += _filled(text, "  ", "- ")
    return "\n".join((*lines, "", "THE LOG'S SIGNED STATE", "", about.checkpoint))


def _filled(text: str, indent: str = "", bullet: str = "") -> list[str]:
    return textwrap.wrap(
        text, _WIDE, initial_indent=bullet or indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )  # fmt: skip
