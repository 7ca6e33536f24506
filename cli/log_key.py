"""``compliance log rotate-key``, and the key that signs for the other commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import opening, output
from .application import Call, Command, pass_call

if TYPE_CHECKING:
    from compliance.ledger.log import Log
    from compliance.ledger.note import Signer


def signer(call: Call, log: Log) -> Signer:
    """The key that the log names; warns where others may read it."""
    from compliance.ledger.keys import exposed, key_path, signer_of

    found, path = signer_of(key_path(call.database), log.identity.vkey)
    if exposed(path):
        click.echo(f"warning: {path} can be read by its group; run `chmod 600 {path}`", err=True)
    return found


@click.command(
    name="rotate-key",
    cls=Command,
    examples=(
        "compliance log rotate-key --reason 'every two years'",
        "compliance log rotate-key --reason 'a copy was on a stolen laptop' --destroy-old",
    ),
)
@click.option("--reason", metavar="TEXT", help="Why, for the log. It stays for ever: no names.")
@click.option(
    "--destroy-old", is_flag=True, help="Delete the old private key; else its file is kept, renamed."
)
@pass_call
def rotate_key(call: Call, reason: str | None, destroy_old: bool) -> None:
    """Give the log a new signing key, in an entry that the old and the new key sign.

    Checkpoints that the old key signed stay good. From the entry on, only the new key's are checkpoints of this log.
    """
    from compliance.ledger.keys import key_path
    from compliance.ledger.rotation import rotate

    with opening.writing(call) as log:
        done = rotate(log, key_path(call.database), reason=reason, destroy_old=destroy_old)
    if call.json:
        output.echo_json({
            "entry": done.idx, "vkey": str(done.new), "replaces": str(done.old), "key": str(done.key),
            "retired": None if done.retired is None else str(done.retired),
        })  # fmt: skip
        return
    click.echo(f"entry         {done.idx}")
    click.echo(f"verifier key  {done.new}")
    click.echo(f"replaces      {done.old}")
    click.echo(f"signing key   {done.key} (make a copy where only its owner can read it)")
    click.echo(
        f"old key       {'destroyed here; delete its copies' if done.retired is None else done.retired}"
    )
    click.echo(
        output.paragraph(
            "\nGive the new verifier key to everybody who checks this log. Sign a checkpoint now and have it cosigned: until one by the new key "
            "is kept elsewhere, nobody outside can tell that the old key no longer signs."
        )
    )
