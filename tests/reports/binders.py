"""Binders for the tests: what is asked for, what is read out of one, how one is checked, how somebody would change one."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pypdfium2 import PdfDocument

from compliance.domain.time import parse_date
from compliance.reports.binder.made import Made
from compliance.reports.binder.release import Wanted
from compliance.reports.binder.verify_cells import CONTINUES, MANIFEST, RELEASE

SITES = ("LAKE", "MESA")
DAY = "2026-03-16T"
FORMULA = '=HYPERLINK("http://x","y")'
AUDITOR = "P-3150"
"""The demonstration's administrator, who is also auditor and corrector."""

CORRECTED_WASTAGE, VOIDED_RECEIPT = "S-0303-2210.wastage", "MESA-0217.receipt.2"
VOIDED_DOSE = "S-0309-6139.administration.3"
PROPOSED = "S-0309-4821.asked.administration"

_AT_MESA = {"site": "MESA", "actor": "P-5218"}
_STOCK = {
    **_AT_MESA,
    "drug": "ketamine_inj_10mg_ml",
    "registration": "REG-MESA",
    "lot": "KX4471",
    "quantity_unit": "ml",
}
AMENDMENTS: tuple[dict[str, Any], ...] = (
    {
        **_AT_MESA, "id": "fix-1", "kind": "correction", "occurred_at": f"{DAY}10:00:00-07:00", "actor": "P-5203", "corrects": CORRECTED_WASTAGE,
        "reason": "read again", "reason_code": "wrong_quantity", "approved_by": "P-3150", "resign_required": False,
        "fields": [{"name": "quantity", "old": '"16.3"', "new": "16.10"}, {"name": "witness", "old": '"P-5226"', "new": "null"}],
    },
    {
        **_AT_MESA, "id": "void-1", "kind": "void", "occurred_at": f"{DAY}10:01:00-07:00", "actor": "P-5203", "corrects": VOIDED_RECEIPT,
        "reason": "entered twice", "reason_code": "duplicate", "approved_by": "P-3150",
    },
    {
        **_STOCK, "id": "destroyed-1", "kind": "destruction", "occurred_at": f"{DAY}10:02:00-07:00", "quantity": "20", "method": "incineration",
        "non_retrievable": True, "witness_1": "P-5218", "witness_2": "P-5226", "cause": "expired", "form41": "F41-1",
    },
    {
        **_STOCK, "id": "late-1", "kind": "wastage", "occurred_at": "2026-03-12T10:00:00-07:00", "entered_at": f"{DAY}10:00:00-07:00", "quantity": "0.5",
        "cause": "spillage", "narrative": FORMULA, "reason": "network was down",
    },
    {
        "id": "over-1", "kind": "override", "occurred_at": "2026-03-09T09:27:00-04:00", "site": "LAKE", "actor": "P-3107", "overrides_event": PROPOSED,
        "requirements": ["USPI-BP-140-90"], "justification": "waited and measured again", "approved_by": "P-3107", "emergency": False,
    },
    {
        "id": "fix-2", "kind": "correction", "occurred_at": "2026-02-10T09:00:00-05:00", "site": "LAKE", "actor": "P-3150", "corrects": "REG-DIST.registration",
        "reason": "from the certificate", "reason_code": "typing", "approved_by": "P-3107", "resign_required": False,
        "fields": [{"name": "state", "old": '"TN"', "new": '"KY"'}, {"name": "registered_address_ref", "old": '"ADDR-DIST-v1"', "new": '"ADDR-RIGHT"'}],
    },
)  # fmt: skip
"""What the demonstration does not have: a corrected quantity, a voided delivery, a destruction, a late entry whose text is a formula, an override, a registration that was corrected after goods came under it."""


@dataclass(frozen=True)
class Binder:
    """A binder that was made."""

    folder: Path
    made: Made

    @property
    def zipped(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.zip")


def wanted(
    folder: Path, site: str = "LAKE", first: str = "2026-02-01", last: str = "2026-03-31", **more: Any
) -> Wanted:
    """A binder of all that happened at a site, by the demonstration's auditor."""
    return Wanted(site, parse_date(first), parse_date(last), folder, more.pop("actor", AUDITOR), **more)


def raw(folder: Path, name: str) -> list[dict[str, str]]:
    """The rows of a table as they lie in the file, by the headings without their brackets."""
    with (folder / name).open(encoding="utf-8-sig", newline="") as file:
        heads, *found = csv.reader(file)
    short = [head.split(" [")[0] for head in heads]
    return [dict(zip(short, row, strict=True)) for row in found]


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    """The same as people mean them."""
    return [{head: cell.removeprefix("'") for head, cell in row.items()} for row in raw(folder, name)]


def entries(folder: Path) -> dict[int, dict[str, Any]]:
    """The entries in a binder, by index."""
    places = (folder / "90-proof/proofs.ndjson").read_text().splitlines()
    bodies = (folder / "90-proof/entries.ndjson").read_text().splitlines()
    return {json.loads(place)["index"]: json.loads(body) for place, body in zip(places, bodies, strict=True)}


def verified(folder: Path, *words: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    """What the folder's own script says: isolated, without site packages, in an empty environment."""
    return subprocess.run(
        [python, "-I", "-S", folder / "verify.py", *words], env={}, cwd="/", capture_output=True, text=True, timeout=60
    )  # fmt: skip


def relisted(folder: Path) -> None:
    """Make the manifest anew, as somebody would who changed a file and hopes that nobody looks further."""
    files = sorted(one for one in folder.rglob("*") if one.is_file())
    lines = [
        f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {name}\n"
        for one in files
        if (name := one.relative_to(folder).as_posix()) not in (MANIFEST, RELEASE, CONTINUES)
    ]
    (folder / MANIFEST).write_text("".join(lines))


def edited(folder: Path, name: str, change: Callable[[str], str]) -> None:
    """Change the text of a file; the change must be one."""
    path = folder / name
    before = path.read_bytes().decode()
    after = change(before)
    assert after != before
    path.write_bytes(after.encode())


def size_of(folder: Path) -> int:
    """The size of the log that a binder was made of."""
    return int((folder / "90-proof/checkpoint.txt").read_text().split("\n")[1])


def in_print(folder: Path) -> str:
    """The text of the PDF files of a binder, on one line."""
    found = []
    for path in sorted((folder / "00-in-print").glob("*.pdf")):
        with closing(PdfDocument(path)) as document:
            found += [page.get_textpage().get_text_bounded() for page in document]
    return " ".join(" ".join(found).split())
