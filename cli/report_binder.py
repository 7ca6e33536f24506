"""``compliance report binder``: a folder that can be handed to an inspector."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from . import files, opening, output, person_words, results
from .application import Call, Command, pass_call
from .types import DAY

if TYPE_CHECKING:
    from compliance.bundles import Bundles
    from compliance.reports.binder.made import Made

PURPOSES: Final = ("inspection", "legal", "drill", "operations")
GROUNDS: Final = (
    "required_by_law",
    "health_oversight",
    "public_health",
    "legal_process",
    "authorization",
    "treatment",
    "payment",
    "operations",
    "other",
)


@click.command(
    cls=Command,
    examples=(
        "compliance report binder --from 2026-01-01 --to 2026-03-31 --site S1 --out binder-q1",
        "compliance report binder --from 2026-01-01 --to 2026-03-31 --site S1 --out dea --identities --purpose inspection --recipient 'DEA, ADDR-7'",
        "compliance report binder --from 2024-04-01 --to 2026-03-31 --site S1 --out drill --purpose drill",
    ),
)
@click.option(
    "--from", "first", type=DAY, metavar="DATE", required=True, help="The first day, by the site's clock."
)
@click.option(
    "--to", "last", type=DAY, metavar="DATE", required=True, help="The last day; it is in the binder."
)
@click.option("--site", metavar="ID", required=True, help="The site whose records they are.")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    required=True,
    help="The folder to be made, and DIR.zip. Never overwritten.",
)
@click.option("--purpose", type=click.Choice(PURPOSES), help="What it is for.  [default: inspection]")
@click.option(
    "--recipient",
    metavar="TEXT",
    help="To whom it goes: the office, with an address handle. Logged as a disclosure.",
)
@click.option(
    "--ground",
    type=click.Choice(GROUNDS),
    help="On what ground patients' data go there; else by the purpose.",
)
@click.option(
    "--identities",
    is_flag=True,
    help="With names and addresses of patients and the words of texts. Needs --purpose and --recipient.",
)
@click.option(
    "--since-checkpoint", metavar="FILE", help="An earlier checkpoint, which the log is proved to continue."
)
@results.strict_option
@pass_call
def binder(
    call: Call, first: int, last: int, site: str, out: Path, purpose: str | None, recipient: str | None, ground: str | None,
    identities: bool, since_checkpoint: str | None, strict: bool,
) -> int:  # fmt: skip
    """Make a folder, and a zip of it, that an inspector can be handed.

    Registrations, inventories, receipts and dispositions by drug, losses, DEA Form 106 and 41 data, REMS records, policies, decisions,
    corrections; each row with its log entry, all entries with proofs, and a script that checks all of it with Python alone.

    Without --identities patients are pseudonyms. That the binder was made, and to whom it goes, is an event of the log.
    """
    from compliance.bundles import Bundles
    from compliance.reports.binder.made import make
    from compliance.reports.binder.release import Wanted

    from .log_key import signer

    if identities and (purpose is None or recipient is None):
        raise click.UsageError(
            "--identities needs --purpose and --recipient: names go to somebody, for something."
        )
    if ground is not None and recipient is None:
        raise click.UsageError("--ground is about what goes to a --recipient.")
    since = None if since_checkpoint is None else files.read(since_checkpoint)
    wanted = Wanted(
        site,
        first,
        last,
        out,
        opening.acting(call),
        purpose or "inspection",
        recipient,
        ground,
        identities,
        since,
    )
    with opening.writing(call) as log:
        bundles = Bundles(log)
        made = make(log, bundles, signer(call, log), wanted)
        tally = person_words.tallied(made.results)
        _answer(call, out, made, bundles)
    return tally.exit_code(strict=strict)


def _answer(call: Call, out: Path, made: Made, bundles: Bundles) -> None:
    zipped = f"{out}.zip"
    if call.json:
        output.echo_json({
            "folder": str(out), "zip": zipped, "event": made.event_id, "manifest_sha256": made.manifest, "entries": made.entries,
            "events_in_period": made.events, "vkey": made.vkey, "checkpoint": made.checkpoint,
            "files": [
                {"name": one.name, "rows": one.rows, "page": one.page or None, "missing": dict(one.missing)} for one in made.written
            ],
            **person_words.events_json(made.results, bundles),
        })  # fmt: skip
        return
    missing = sum(count for one in made.written for count in one.missing.values())
    click.echo(f"binder        {out} and {zipped}, for their owner's eyes only")
    click.echo(
        f"in it         {output.counted(made.events, 'event')} of the period, {output.counted(made.entries, 'entry', 'entries')} with proofs"
    )
    click.echo(
        f"not on record {output.counted(missing, 'value')} that the law asks for; index.html says which"
    )
    click.echo(f"verifier key  {made.vkey}")
    click.echo("check it      python3 verify.py, in the folder, on any machine with Python")
    person_words.tell(made.results, bundles)
