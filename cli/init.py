"""``compliance init``."""

from __future__ import annotations

from pathlib import Path

import click

from . import output
from .application import Call, Command, pass_call

DEFAULT_SITE = "S1"
DEFAULT_ACTOR = "administrator"


@click.command(
    cls=Command,
    examples=(
        "compliance init --site S1 --actor MD-1 --time-zone America/Chicago --state TX",
        "compliance --database clinic.db init --policies my-policies",
        "compliance init --site S1 --actor MD-1 --sites my-sites",
    ),
)
@click.option("--site", default=DEFAULT_SITE, metavar="ID", show_default=True, help="The first site.")
@click.option(
    "--origin",
    metavar="NAME",
    help="The name of the log in its checkpoints; one is made up if none is given.",
)
@click.option(
    "--policies",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="A folder of policies; else those that ship with this software.",
)
@click.option(
    "--sites",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with what single sites ask beyond the policies: a file for each, SITE.yaml.",
)
@click.option(
    "--time-zone",
    metavar="ZONE",
    help="The site's zone, such as America/Chicago; records its profile, with --state.",
)
@click.option("--state", metavar="ST", help="The site's state, two letters.")
@pass_call
def init(
    call: Call,
    site: str,
    origin: str | None,
    policies: Path | None,
    sites: Path | None,
    time_zone: str | None,
    state: str | None,
) -> int:
    """Make a database, the log's key, an identity vault, and put the first policies into force.

    Every file of the policies is checked and every case of every rule is run first. An existing database is never touched.
    Who acts (--actor) becomes the first administrator.
    """
    from compliance.settings import shipped_folder
    from compliance.setup import Wanted, default_origin, initialise

    if (time_zone is None) != (state is None):
        raise click.UsageError("--time-zone and --state belong together: the site's profile needs both.")
    actor = call.actor or DEFAULT_ACTOR
    folder = shipped_folder("policies") if policies is None else policies
    made = initialise(
        call.database, Wanted(site, actor, origin or default_origin(site), folder, time_zone, state, sites)
    )
    if call.json:
        output.echo_json({
            "database": str(made.database), "key": str(made.key), "vault": made.vault, "vault_key": str(made.vault_key), "origin": made.origin, "vkey": made.vkey,
            "bundle": made.bundle.digest, "rules": len(made.bundle.rules), "cases": made.cases, "entries": len(made.results) + 1,
            "site": site, "actor": actor,
        })  # fmt: skip
        return 0
    click.echo(f"database      {made.database}")
    click.echo(f"log           {made.origin}, {output.counted(len(made.results) + 1, 'entry', 'entries')}")
    click.echo(f"signing key   {made.key} (keep a copy where only its owner can read it)")
    click.echo(f"verifier key  {made.vkey}")
    click.echo(f"vault         {made.vault}: names and free texts, each person under a key of its own")
    click.echo(f"vault's key   {made.vault_key} (keep a copy apart from the vault's)")
    click.echo(
        f"policies      {made.bundle.name} {made.bundle.version}: {output.counted(len(made.bundle.rules), 'rule')}, "
        f"all {output.counted(made.cases, 'case')} as they say"
    )
    click.echo(f"              {made.bundle.digest}")
    click.echo(f"in charge     {actor} (administrator) at {site}")
    click.echo(
        output.paragraph(
            "\nNow write the first checkpoint, and keep a copy of it where the owner of this machine cannot change it, on paper or in another "
            "clinic: only that can show later that nothing was rewritten."
        )
    )
    click.echo("  compliance log checkpoint --out checkpoint.txt\n  compliance record FILE")
    return 0
