"""The files of a nightly report: one in each form, every table by itself, and the checkpoint."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from compliance.errors import InputError

from . import files

if TYPE_CHECKING:
    from compliance.reports.nightly import Made


def newest_checkpoint(folder: Path) -> Iterator[str]:
    """The checkpoint of the newest report in a folder: what was printed there may be better kept than the database."""
    found = sorted(path for path in folder.glob("nightly-*.checkpoint") if path.is_file())
    if found:
        yield str(max(found, key=lambda path: (path.name[:18], path.stat().st_mtime)))


def _name(made: Made) -> str:
    """The name that all files of a report begin with: date, site, edition."""
    site = "" if made.site is None else f"-{_as_file_name(made.site)}"
    edition = "" if made.report.edition == 1 else f".edition-{made.report.edition}"
    # What is not the report that the log tells of never takes its place.
    other = ".not-verified" if not made.verified else "" if made.same else ".made-again"
    return f"nightly-{made.report.date}{site}{edition}{other}"


def _as_file_name(site: str) -> str:
    """A site's id as part of a file's name; where it has other letters, with a digest, so that two sites never share a file."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", site)[:40]
    return plain if plain == site else f"{plain}-{sha256(site.encode()).hexdigest()[:8]}"


def written(made: Made, folder: Path) -> list[Path]:
    """The report in all its forms, each file whole or not at all."""
    from compliance.reports.forms.html import html
    from compliance.reports.forms.json_form import json_form
    from compliance.reports.forms.pdf import pdf
    from compliance.reports.forms.sheets import csv_files, workbook
    from compliance.reports.forms.text import text

    report, name = made.report, _name(made)
    content = {
        f"{name}.html": html(report).encode(), f"{name}.pdf": pdf(report), f"{name}.xlsx": workbook(report),
        f"{name}.json": json_form(report), f"{name}.txt": text(report).encode(),
        **{f"{name}-tables/{table}": found for table, found in csv_files(report).items()},
    }  # fmt: skip
    if made.verified and made.same:
        # Last: who finds it, finds a whole report beside it. Of a log that does not verify none is kept.
        content[f"{name}.checkpoint"] = made.checkpoint.encode()
    with _readable(folder):
        (folder / f"{name}-tables").mkdir(parents=True, exist_ok=True)
    for file, found in content.items():
        files.write(str(folder / file), [found])
    return [folder / file for file in content]


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{folder} cannot be made: {error.strerror}", "Name another folder with --out."
        ) from error
