"""``compliance log checkpoint`` and ``compliance log cosign``: what goes to another site, and what comes back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compliance.errors import InputError, LogError

from . import files, opening, output
from .application import Call, Command, pass_call

if TYPE_CHECKING:
    from compliance.ledger.log import Log
    from compliance.ledger.witness import Refused, Witnessed


@click.command(
    cls=Command,
    examples=(
        "compliance log checkpoint --out 2026-03-02.checkpoint",
        "compliance log checkpoint | lp",
        "compliance log checkpoint --since last-cosigned.txt --out request.txt",
    ),
)
@click.option("--out", metavar="FILE", default="-", help="Write to a file, not to standard output.")
@click.option(
    "--since",
    metavar="FILE|SIZE",
    help="Write a request for a witness that has seen this checkpoint, or this many entries (0: none yet).",
)
@pass_call
def checkpoint(call: Call, out: str, since: str | None) -> None:
    """Sign the log's present state. Keep a copy where the owner of this machine cannot change it.

    With --since it becomes a request for another site to cosign: the checkpoint, and the proof that it continues what that site has
    seen (C2SP tlog-witness).
    """
    from compliance.ledger.checkpoint import checkpoint as signed
    from compliance.ledger.checkpoint import unverified_checkpoint
    from compliance.ledger.witness import request

    from .log_key import signer

    with opening.reading(call) as log, log.reading():
        note = signed(log, signer(call, log))
        old = None if since is None else _size_seen(log, since)
        content = note if old is None else request(log, note, old).text
    says = unverified_checkpoint(note)
    if call.json:
        about: dict[str, Any] = {
            "origin": says.origin,
            "size": says.size,
            "root": says.root.hex(),
            "note": note,
        }
        if out != "-":
            files.write(out, [content.encode()])
        about["out"] = None if out == "-" else out
        if old is not None:
            about |= {"since": old, "request": content}
        output.echo_json(about)
        return
    files.write(out, [content.encode()])
    if out == "-":
        return
    counted = output.counted(says.size, "entry", "entries")
    if old is None:
        click.echo(f"{out}: {counted} of {says.origin}. Keep a copy of it elsewhere.", err=True)
    else:
        seen = output.counted(old, "entry", "entries") if old else "nothing"
        click.echo(
            f"{out}: {counted} of {says.origin}, for a witness that has seen {seen}. Send it there; "
            "`compliance log cosign` gives the cosigned checkpoint that comes back.",
            err=True,
        )


def _size_seen(log: Log, since: str) -> int:
    from compliance.ledger.witness import size_of_own

    if since.isascii() and since.isdigit() and len(since) < 19:
        return int(since)
    return size_of_own(log, files.read(since))


@click.command(
    cls=Command,
    examples=(
        "compliance log cosign request.txt --vkey other.example/log+1a2b3c4d+AbC... --first --out cosigned.txt",
        "compliance log cosign request.txt --vkey other.example/log+1a2b3c4d+AbC... --out cosigned.txt",
    ),
)
@click.argument("request", metavar="REQUEST")
@click.option("--vkey", metavar="KEY", required=True, help="The other log's verifier key, from its owner.")
@click.option(
    "--out", metavar="FILE", required=True, help="Where the cosigned checkpoint goes; - is standard output."
)
@click.option(
    "--first",
    is_flag=True,
    help="No checkpoint of that log was seen here before: sign this one on trust, after comparing size and root with its owner.",
)
@pass_call
def cosign(call: Call, request: str, vkey: str, out: str, first: bool) -> int:
    """Witness another log's checkpoint, for its owner to show (C2SP tlog-cosignature).

    REQUEST is what `compliance log checkpoint --since` wrote there. Signed is only what continues the checkpoint that was cosigned here
    last; what contradicts it exits 3, and both signed notes are written to a file as evidence.
    """
    from compliance.ledger.note import Verifier
    from compliance.ledger.witness import Refused, read_request, witness, witness_key_path

    verifier, content = Verifier.parse(vkey), files.read(request)
    asked = read_request(content)
    _require_writable(out)
    with opening.writing(call) as log:
        try:
            done = witness(log, asked, [verifier], witness_key_path(call.database), first=first)
        except Refused as refused:
            return _refuse(call, refused, out)
    if out != "-" or not call.json:
        files.write(out, [done.note.encode()])
    if call.json:
        output.echo_json(_as_json(done, out))
    else:
        for line in _in_words(done):
            click.echo(output.paragraph(line), err=out == "-")
    return 0


def _as_json(done: Witnessed, out: str) -> dict[str, Any]:
    before = done.before
    return {
        "answer": "cosigned", "origin": done.checkpoint.origin, "size": done.checkpoint.size, "root": done.checkpoint.root.hex(),
        "at": output.instant(done.seconds * 1_000_000), "witness": str(done.witness),
        "before": None if before is None else {"size": before.size, "root": before.root.hex()},
        "key_changed": done.key_changed, "note": done.note, "out": None if out == "-" else out,
    }  # fmt: skip


def _in_words(done: Witnessed) -> list[str]:
    """What was and what was not checked."""
    checkpoint, before = done.checkpoint, done.before
    lines = [
        f"cosigned {checkpoint.origin}, {output.counted(checkpoint.size, 'entry', 'entries')}, root {checkpoint.root.hex()}",
        f"as {done.witness} at {output.instant(done.seconds * 1_000_000)}",
    ]
    if before is None:
        lines.append(
            "checked: that log's key signed it. This was the first checkpoint of that log seen here, so it was taken on trust."
        )
    elif before.size == checkpoint.size:
        lines.append("checked: that log's key signed it, and it says the same as the one cosigned here last.")
    else:
        lines.append(
            f"checked: that log's key signed it, and its first {output.counted(before.size, 'entry', 'entries')} are those that were "
            "cosigned here last, unchanged and in their order."
        )
    lines.append(
        "not checked: what the entries say, whether it is true, and whether other people are shown the same log; "
        "no entry was seen here. Whoever compares cosigned checkpoints finds that out."
    )
    if done.key_changed:
        lines.append(
            "note: another key signed the one before. Ask that log's owner, by telephone or in person, whether they changed it."
        )
    return lines


def _refuse(call: Call, refused: Refused, out: str) -> int:
    """Write the evidence; exits 3."""
    evidence = _evidence(out, refused.evidence)
    if call.json:
        output.echo_json({
            "answer": "refused", "why": refused.message, "evidence": evidence,
            "kept": {"size": refused.kept.size, "root": refused.kept.root.hex(), "note": refused.kept.note}, "note": refused.note,
        })  # fmt: skip
        return LogError.exit_code
    raise LogError(refused.message, f"{refused.remedy} They are in {evidence}.")


def _evidence(out: str, content: str) -> str:
    """A new file beside the wanted one; never in place of another."""
    stem = "refused" if out == "-" else f"{out}.refused"
    for number in range(1, 10_000):
        name = f"{stem}.txt" if number == 1 else f"{stem}.{number}.txt"
        if not Path(name).exists():
            files.write(name, [content.encode()])
            return name
    raise InputError(f"{stem}.txt and thousands like it exist already", "Move them to another folder.")


def _require_writable(out: str) -> None:
    """A folder that is not there is told before anything is kept."""
    if out != "-" and not Path(out).parent.is_dir():
        raise InputError(
            f"{out} cannot be written: the folder is not there", "Make it first, or name another one."
        )
