"""``compliance report nightly``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import files, opening, output
from .application import Call, Command, pass_call
from .log_key import signer
from .progress import Progress
from .report_files import newest_checkpoint, written
from .types import DAY

if TYPE_CHECKING:
    from compliance.reports.nightly import Made


@click.command(
    cls=Command,
    examples=(
        "compliance report nightly --out reports",
        "compliance report nightly --date 2026-03-05 --site S1 --output json",
        "compliance report nightly --date 2026-03-05 --refresh",
    ),
)
@click.option(
    "--date",
    "day",
    type=DAY,
    metavar="DATE",
    help="The day it is about, such as 2026-03-05 or yesterday; the last one that is over at every site, unless named.",
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
    call: Call, day: int | None, site: str | None, folder: Path, refresh: bool, checkpoints: tuple[str, ...]
) -> int:
    """Verify the log, look at what must hold every night and at what is due, judge some past decisions again, and write the report.

    In DIR: HTML, PDF, a workbook, every table as CSV, JSON, plain text, and the checkpoint by itself. On standard output a summary that can be
    mailed. The first run for a day says what the log held; every later one gives the same report, unless a new edition is asked for. Nights that
    were missed since the last report are caught up first.

    Exits 1 where there is something to act on today, 3 where the log does not verify.
    """
    from compliance.reports.nightly import Nightly

    kept = [files.read(name) for name in (*checkpoints, *newest_checkpoint(folder))]
    progress = Progress()
    codes: list[int] = []
    with opening.writing(call) as log:
        nights = Nightly(
            log, signer(call, log), kept, lambda done, of: progress.walked(done, of, "looked at")
        )
        for made in nights.run(day, site, refresh=refresh):
            progress.clear()
            paths = written(made, folder)
            codes.append(_code(made))
            if call.json:
                output.echo_json(_as_json(made, paths))
            if not made.same:
                click.echo(
                    f"warning: the report of {made.report.date} does not come out as it did: its digest is not the one in entry {made.entry}. This "
                    f"software changed since, perhaps. It is beside the first one, as {paths[0].name}; `--refresh` makes a new edition.",
                    err=True,
                )
    if not call.json:
        _tell(made, paths, len(codes) - 1)
    return max(codes)


def _code(made: Made) -> int:
    from compliance.reports.page import Level

    return int(made.report.level is Level.ALARM) if made.verified else 3


def _tell(made: Made, paths: list[Path], caught_up: int) -> None:
    """The summary of the report that was asked for, and how many nights were caught up before it."""
    from compliance.reports.forms.text import summary

    click.echo(summary(made.report))
    click.echo(f"{'report' if made.verified else 'report (not in the log)'}: {paths[0]}")
    if caught_up:
        click.echo(
            f"{output.counted(caught_up, 'night')} before it, which nobody had reported: in {paths[0].parent}, too"
        )


def _as_json(made: Made, paths: list[Path]) -> dict[str, Any]:
    report = made.report
    return {
        "date": report.date, "site": made.site, "sites": list(report.sites), "edition": report.edition, "entry": made.entry,
        "new": made.now, "size": report.size, "root": report.root, "level": str(report.level), "headline": report.headline,
        "verified": made.verified, "same": made.same, "files": [str(path) for path in paths],
        "sections": {section.id: {"level": str(section.level), "summary": section.summary} for section in report.sections},
    }  # fmt: skip
