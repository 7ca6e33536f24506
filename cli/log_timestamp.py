"""``compliance log timestamp``: time stamps of checkpoints by an authority (RFC 3161), as files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from compliance.errors import InputError, LogError

from . import files, output
from .application import Call, Command, Group, pass_call

if TYPE_CHECKING:
    from compliance.ledger.timestamp import Stamped


@click.group(
    cls=Group, examples=("compliance log timestamp verify march.txt march.tsr --certificate authority.pem",)
)
def timestamp() -> None:
    """Time stamps of checkpoints by an authority (RFC 3161); nothing is sent anywhere."""


@timestamp.command(
    cls=Command,
    examples=("compliance log timestamp request march.txt --out march.tsq",),
)
@click.argument("checkpoint", metavar="CHECKPOINT")
@click.option("--out", metavar="FILE", required=True, help="Where the request goes; - is standard output.")
@pass_call
def request(call: Call, checkpoint: str, out: str) -> None:
    """Write a request for a time stamp of a checkpoint, for you to send. It holds the file's digest and nothing of what it says.

    To send it: curl -H 'Content-Type: application/timestamp-query' --data-binary @FILE URL > march.tsr
    """
    from compliance.ledger.checkpoint import unverified_checkpoint
    from compliance.ledger.timestamp import timestamp_request

    content = files.read(checkpoint)
    says = unverified_checkpoint(content)
    files.write(out, [timestamp_request(content)])
    if out == "-":
        return
    if call.json:
        output.echo_json({"out": out, "origin": says.origin, "size": says.size})
    else:
        click.echo(
            f"{out}: request for a time stamp of {checkpoint}. Send it to the authority, and keep what comes back beside the checkpoint.",
            err=True,
        )


@timestamp.command(
    cls=Command, examples=("compliance log timestamp verify march.txt march.tsr --certificate authority.pem",)
)
@click.argument("checkpoint", metavar="CHECKPOINT")
@click.argument("token", metavar="TOKEN")
@click.option(
    "--certificate",
    "certificates",
    multiple=True,
    required=True,
    metavar="FILE",
    help="The authority's root certificate, and intermediate ones where the token lacks them; may be repeated.",
)
@pass_call
def verify(call: Call, checkpoint: str, token: str, certificates: tuple[str, ...]) -> None:
    """Say when an authority saw a checkpoint. Exits 3 where the time stamp does not verify.

    This says nothing about the log: `compliance log verify --checkpoint FILE --timestamp TOKEN --tsa FILE` does both.
    """
    from compliance.ledger.checkpoint import unverified_checkpoint
    from compliance.ledger.timestamp import TimestampError, verify_timestamp

    content = files.read(checkpoint)
    says = unverified_checkpoint(content)
    try:
        stamped = verify_timestamp(content, files.read(token), [files.read(one) for one in certificates])
    except TimestampError as problem:
        raise LogError(f"{token}: {problem.message}", problem.remedy) from problem
    if call.json:
        output.echo_json(
            {"origin": says.origin, "size": says.size, "root": says.root.hex(), **stamp_json(stamped)}
        )
        return
    click.echo(f"{checkpoint} existed at {stamp_text(stamped)}")


def stamps_of(
    notes: list[bytes], tokens: tuple[str, ...], certificates: tuple[str, ...]
) -> dict[int, Stamped]:
    """The time stamps among the files, each by the position of the checkpoint that it is of.

    Raises InputError where one is of none of them, or does not verify.
    """
    from compliance.ledger.timestamp import TimestampError, verify_timestamp

    trusted = [files.read(one) for one in certificates]
    found: dict[int, Stamped] = {}
    for token in tokens:
        content, why = files.read(token), ""
        for position, note in enumerate(notes):
            try:
                stamped = verify_timestamp(note, content, trusted)
            except TimestampError as problem:
                why = problem.message
                continue
            if position not in found or stamped.at_us < found[position].at_us:
                found[position] = stamped
            break
        else:
            raise InputError(
                f"{token} is no time stamp of a checkpoint that was given: {why}",
                "Give the checkpoint's file as it was when it was stamped; a cosignature that was added later makes it another file.",
            )
    return found


def stamp_json(stamped: Stamped) -> dict[str, Any]:
    """A time stamp for programs."""
    accuracy = stamped.accuracy_us
    return {
        "at": output.instant(stamped.at_us),
        "accuracy_seconds": None if accuracy is None else accuracy / 1_000_000,
        "authority": stamped.authority,
    }


def stamp_text(stamped: Stamped) -> str:
    """A time stamp for people."""
    accuracy = stamped.accuracy_us
    within = "" if not accuracy else f" (within {accuracy / 1_000_000:g} s)"
    return f"{output.instant(stamped.at_us)}{within}, says {stamped.authority}"
