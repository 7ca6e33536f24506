"""``compliance report nightly``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compliance.errors import InputError

from . import files, opening, output
from .application import Call, Command, pass_call
from .log_key import signer
from .progress import Progress
from .types import DAY

if TYPE_CHECKING:
    from compliance.reports.nightly import Made


@click.command(
    cls=Command,
    examples=(
        "compliance report nightly --date yesterday --out reports",
        "compliance report nightly --date 2026-03-05 --site S1 --output json",
        "compliance report nightly --date 2026-03-05 --refresh",
    ),
)
@click.option(
    "--date",
    "day",
    type=DAY,
    metavar="DATE",
    default="yesterday",
    show_default=True,
    help="The day it is about, such as 2026-03-05, yesterday, or today; it must be over at every site.",
)
@click.option("--site", metavar="ID", help="Of one site; else of all.")
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    default=Path("reports"),
    show_default=True,
    help="The folder in which the files are written; it is made if it is not there.",
)
@click.option("--refresh", is_flag=True, help="A new edition, of what the log holds now.")
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    metavar="FILE",
    help="A checkpoint that was kept elsewhere, to verify the log against; may be repeated. The newest one in DIR is always taken.",
)
@pass_call
def nightly(
    call: Call, day: int, site: str | None, folder: Path, refresh: bool, checkpoints: tuple[str, ...]
) -> int:
    """Verify the log, look at what must hold every night and at what is due, judge some past decisions again, and write the report.

    In DIR: HTML, PDF, a workbook, every table as CSV, JSON, plain text, and the checkpoint by itself. On standard output a summary that can be
    mailed. The first run for a day says what the log held; every later one gives the same report, unless a new edition is asked for. Nights that
    were missed since the last report are caught up first.

    Exits 1 where there is something to act on today, 3 where the log does not verify.
    """
    from compliance.reports.nightly import Nightly

    kept = [files.read(name) for name in (*checkpoints, *_newest_checkpoint(folder))]
    progress = Progress()
    code = 0
    with opening.writing(call) as log:
        nights = Nightly(
            log, signer(call, log), kept, lambda done, of: progress.walked(done, of, "looked at")
        )
        for made in nights.run(day, site, refresh=refresh):
            progress.clear()
            code = max(code, _told(call, made, _written(made, folder)))
    return code


def _newest_checkpoint(folder: Path) -> Iterator[str]:
    """The checkpoint of the newest report in a folder: what was printed there may be better kept than the database."""
    found = sorted(path for path in folder.glob("nightly-*.checkpoint") if path.is_file())
    if found:
        yield str(max(found, key=lambda path: (path.name[:18], path.stat().st_mtime)))


def _name(made: Made) -> str:
    """The name that all files of a report begin with: date, site, edition."""
    site = "" if made.site is None else f"-{_as_file_name(made.site)}"
    edition = "" if made.report.edition == 1 else f".edition-{made.report.edition}"
    return f"nightly-{made.report.date}{site}{edition}"


def _as_file_name(site: str) -> str:
    """A site's id as part of a file's name; where it has other letters, with a digest, so that two sites never share a file."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", site)[:40]
    return plain if plain == site else f"{plain}-{sha256(site.encode()).hexdigest()[:8]}"


def _written(made: Made, folder: Path) -> list[Path]:
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
    if made.entry is not None:
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


def _told(call: Call, made: Made, written: list[Path]) -> int:
    """Say what was made; returns the exit code."""
    from compliance.reports.forms.text import summary
    from compliance.reports.page import Level

    report = made.report
    urgent = report.level is Level.ALARM
    if not made.same:
        click.echo(
            f"warning: the report of {report.date} does not come out as it did: its digest is not the one in entry {made.entry}. "
            "This software, or its look-up rows, changed since; `--refresh` makes a new edition.",
            err=True,
        )
    if call.json:
        output.echo_json(_as_json(made, written))
    else:
        click.echo(summary(report))
        click.echo(f"{'report' if made.verified else 'report (not in the log)'}: {written[0]}")
    return 3 if not made.verified else int(urgent)


def _as_json(made: Made, written: list[Path]) -> dict[str, Any]:
    report = made.report
    return {
        "date": report.date, "site": made.site, "sites": list(report.sites), "edition": report.edition, "entry": made.entry,
        "new": made.now, "size": report.size, "root": report.root, "level": str(report.level), "headline": report.headline,
        "verified": made.verified, "same": made.same, "files": [str(path) for path in written],
        "sections": {section.id: {"level": str(section.level), "summary": section.summary} for section in report.sections},
    }  # fmt: skip
