"""``compliance export``: what the log holds, in the field's own formats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from . import export_asap, opening, output, person_words, results
from .application import Call, Command, pass_call
from .events import require_kinds
from .period import Period, Said, period
from .progress import Progress
from .types import DAY_OR_INSTANT, NEW_PATH

if TYPE_CHECKING:
    from compliance.bundles import Bundles
    from compliance.exports.made import Form, Made, Make, Wanted
    from compliance.ledger.log import Log

FORMATS: Final = ("fhir", "csv", "parquet")
PURPOSES: Final = (*person_words.PURPOSES, "analytics")


@click.command(
    cls=Command,
    examples=(
        "compliance export --format csv --out fortnight",
        "compliance export --format parquet --kind administration --since 2026-03-01 --out doses --purpose analytics",
        "compliance export --format fhir --site S1 --identities --purpose patient_request --out records",
        "compliance export --asap --site S1 --since 2026-03-01 --until 2026-03-01 --purpose operations --out pdmp.dat",
    ),
)
@click.option("--format", "form", type=click.Choice(FORMATS), help="FHIR R4B as NDJSON, or tables.")
@click.option("--asap", is_flag=True, help="A report of dispensing for a state's PDMP, in ASAP's segments.")
@click.option(
    "--out",
    required=True,
    metavar="PATH",
    type=NEW_PATH,
    help="The folder to be made; with --asap the file. Never overwritten.",
)
@click.option("--site", "sites", metavar="ID", multiple=True, help="Of this site; may be repeated.")
@click.option("--kind", "kinds", metavar="KIND", multiple=True, help="May be repeated.")
@click.option(
    "--since",
    type=DAY_OR_INSTANT,
    metavar="TIME",
    help="Occurred then or later: RFC 3339, or a date, all of it (by the clock of the one --site, else UTC).",
)
@click.option(
    "--until", type=DAY_OR_INSTANT, metavar="TIME", help="Occurred then or earlier; a date, all of it."
)
@click.option(
    "--state", metavar="ST", help="With --asap: the state that is reported to; the sites' own, unless named."
)
@click.option("--sender", metavar="ID", help="With --asap: the id that the clearing house knows you by.")
@click.option("--sender-name", metavar="NAME", help="With --asap: the name that it knows you by.")
@click.option("--test", is_flag=True, help="With --asap: mark the file as a test.")
@click.option(
    "--identities",
    is_flag=True,
    help="With names and addresses of patients, out of the vault. Needs --purpose.",
)
@click.option(
    "--purpose", type=click.Choice(PURPOSES), help="What it is for; then the log says that it was made."
)
@click.option("--leaves-site", is_flag=True, help="It goes outside the clinic; for the log, with --purpose.")
@results.strict_option
@pass_call
def export(
    call: Call, form: Form | None, asap: bool, out: Path, sites: tuple[str, ...], kinds: tuple[str, ...], since: Said, until: Said,
    state: str | None, sender: str | None, sender_name: str | None, test: bool, identities: bool, purpose: str | None, leaves_site: bool, strict: bool,
) -> int:  # fmt: skip
    """Write events and decisions as FHIR (AuditEvent, Provenance), CSV or Parquet; or dispensing as a state PDMP asks for it.

    Each event once, as it now stands, in the order of the log, with a manifest: columns, digests, size and root of the log. Patients are
    pseudonyms unless --identities is given; then, and wherever a purpose is named, the log says who made the export and what for.
    """
    if form is None and not asap:
        raise click.UsageError("Say --format fhir, csv or parquet, or --asap.")
    if form is not None and asap:
        raise click.UsageError("Say --format or --asap, not both: a report with --asap has its own form.")
    require_kinds(kinds)
    if form is None:
        if purpose is None or since is None or until is None or kinds or identities:
            raise click.UsageError(
                "--asap needs --purpose, --since and --until, and takes no --kind: it is about dispensing, with names."
            )
    else:
        if test or any(one is not None for one in (state, sender, sender_name)):
            raise click.UsageError(
                "--state, --sender, --sender-name and --test are about a report with --asap."
            )
        if (identities or leaves_site) and purpose is None:
            raise click.UsageError(
                "--identities and --leaves-site need --purpose: who looks at names does so for something."
            )
    from compliance.exports.asap import Wanted as Report
    from compliance.exports.made import Wanted
    from compliance.exports.walk import Asked

    with opening.reading(call) if purpose is None else opening.writing(call) as log:
        within = period(log, sites, since, until)
        asked = Asked(sites, kinds, within.since, within.until)
        why = None
        if purpose is not None:
            why = export_asap.stated(call, log, sites, purpose, leaves_site=leaves_site)
        if form is not None:
            return _export(call, log, Wanted(form, asked, out, why, identities), within, strict=strict)
        assert why is not None
        report = Report(asked, out, why, state, test, sender, sender_name)
        return export_asap.report(call, log, report, within, strict=strict)


def _export(call: Call, log: Log, wanted: Wanted, within: Period, *, strict: bool) -> int:
    from compliance.bundles import Bundles
    from compliance.exports.made import make

    progress, bundles = Progress(), Bundles(log)
    made = make(
        log, bundles, wanted, _writer(wanted.form), lambda done, of: progress.walked(done, of, "exported")
    )
    progress.clear()
    _answer(call, wanted, within, made, bundles)
    return person_words.tallied(made.results).exit_code(strict=strict)


def _writer(form: str) -> Make:
    """What writes a form."""
    if form == "fhir":
        from compliance.exports.fhir import Fhir

        return Fhir
    from compliance.exports.tables import Tables

    if form == "csv":
        from compliance.exports.csv_tables import CsvTables

        return Tables.into(CsvTables)
    from compliance.exports.parquet_tables import ParquetTables

    return Tables.into(ParquetTables)


def _answer(call: Call, wanted: Wanted, within: Period, made: Made, bundles: Bundles) -> None:
    from base64 import b64encode

    root = b64encode(made.head.root).decode()
    if call.json:
        output.echo_json({
            "folder": str(wanted.folder), "format": wanted.form, "exported": made.events, "files": made.rows, "left_out": made.left_out,
            "manifest_sha256": made.manifest, "log_size": made.head.size, "log_root": root, **person_words.events_json(made.results, bundles),
        })  # fmt: skip
        return
    click.echo(f"export        {wanted.folder}, for its owner's eyes only")
    click.echo(
        f"in it         {output.counted(made.events, 'event')}, {output.counted(len(made.rows), 'file')}, {output.counted(sum(made.rows.values()), 'row')}"
    )
    within.tell()
    if made.left_out:
        said = ", ".join(f"{count:,} {name}" for name, count in sorted(made.left_out.items()))
        click.echo(f"not in it     entries that this format has no place for: {said}")
    click.echo(f"of the log    {made.head.size:,} entries, root {root}")
    click.echo(f"manifest      SHA-256 {made.manifest}")
    person_words.tell(made.results, bundles)
