"""``compliance log``: entries, verification, checkpoints, proofs."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from compliance.errors import InputError, LogError

from . import files, opening, output
from .application import Call, Command, Group, pass_call
from .progress import Progress

if TYPE_CHECKING:
    from compliance.ledger.log import Log
    from compliance.ledger.note import Signer
    from compliance.ledger.verify import Verification

out_option = click.option(
    "--out", metavar="FILE", default="-", help="Write to a file, not to standard output."
)


@click.group(cls=Group, examples=("compliance log verify --checkpoint last-week.txt",))
def log() -> None:
    """The audit log itself: entries, verification, checkpoints, proofs."""


@log.command(cls=Command, examples=("compliance log show 7", "compliance log show 7 --raw | sha256sum"))
@click.argument("idx", type=click.IntRange(min=0))
@click.option("--raw", is_flag=True, help="The canonical bytes and nothing else.")
@pass_call
def show(call: Call, idx: int, raw: bool) -> None:
    """Show an entry by its index."""
    import orjson

    with opening.reading(call) as opened:
        if raw:
            click.echo(opened.body(idx), nl=False)
            return
        entry = opened.entry(idx)
    if call.json:
        output.echo_json({"idx": idx, "leaf": entry.leaf.hex(), "entry": entry.document()})
        return
    click.echo(f"entry {idx}, {entry.type}, recorded {output.instant(entry.recorded_us)}")
    click.echo(f"leaf sha256:{entry.leaf.hex()}, {output.counted(len(entry.body), 'byte')}")
    click.echo(orjson.dumps(entry.document(), option=orjson.OPT_INDENT_2), nl=True)


@log.command(
    cls=Command,
    examples=(
        "compliance log verify",
        "compliance log verify --checkpoint january.txt --checkpoint from-other-clinic.txt",
        "compliance log verify --since yesterday.txt",
    ),
)
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    metavar="FILE",
    help="A checkpoint that was kept elsewhere; may be repeated.",
)
@click.option(
    "--since",
    metavar="FILE",
    help="A checkpoint up to which the log was verified before; only what is new is recomputed.",
)
@pass_call
def verify(call: Call, checkpoints: tuple[str, ...], since: str | None) -> int:
    """Verify the log: against itself, and against checkpoints that were kept elsewhere.

    Answers with exactly one of: self-consistent (no checkpoint was given), anchored, rolled back, forked, tampered. The last
    three exit 3.
    """
    from compliance.verifying import verify_log

    notes = [files.read(name) for name in checkpoints]
    before = None if since is None else files.read(since)
    try:
        opened = opening.reading(call)
    except LogError as error:
        return _answer(call, "tampered", error.message)
    progress = Progress()
    try:
        with opened:
            found = verify_log(opened, notes, before, progress.walked)
    finally:
        progress.clear()
    return _answer(call, str(found.state), found.reason, found)


def _answer(call: Call, state: str, why: str, found: Verification | None = None) -> int:
    good = found is not None and found.good
    if call.json:
        anchors = () if found is None else found.anchors
        output.echo_json({
            "answer": state,
            "size": None if found is None else found.size,
            "root": None if found is None else found.root.hex(),
            "checkpoints": [
                {"origin": a.checkpoint.origin, "size": a.checkpoint.size, "root": a.checkpoint.root.hex(), "at": output.instant(a.recorded_us)}
                for a in anchors
            ],
            "first_bad": None if found is None else found.index,
            "why": why,
        })  # fmt: skip
        return 0 if good else LogError.exit_code
    click.echo(click.style(state, fg="green" if good else "red", bold=True))
    if found is not None:
        click.echo(f"{output.counted(found.size, 'entry', 'entries')}, root {found.root.hex()}")
        for anchor in found.anchors:
            click.echo(
                f"continues the checkpoint of size {anchor.checkpoint.size}, of {output.instant(anchor.recorded_us)}"
            )
        if found.index is not None:
            click.echo(f"at entry {found.index}")
    click.echo(output.paragraph(why))
    if not good:
        advice = "Stop writing and keep the file as it is; look for a copy that verifies against the newest checkpoint from elsewhere."
        click.echo(f"what to do: {advice}", err=True)
    return 0 if good else LogError.exit_code


@log.command(
    cls=Command,
    examples=("compliance log checkpoint --out 2026-03-02.checkpoint", "compliance log checkpoint | lp"),
)
@out_option
@pass_call
def checkpoint(call: Call, out: str) -> None:
    """Sign the log's present state. Keep a copy where the owner of this machine cannot change it."""
    from compliance.ledger.checkpoint import checkpoint as signed
    from compliance.ledger.checkpoint import unverified_checkpoint

    with opening.reading(call) as opened:
        note = signed(opened, _signer(call))
    says = unverified_checkpoint(note)
    if call.json:
        about: dict[str, Any] = {
            "origin": says.origin,
            "size": says.size,
            "root": says.root.hex(),
            "note": note,
        }
        if out != "-":
            files.write(out, [note.encode()])
        output.echo_json({**about, "out": None if out == "-" else out})
        return
    files.write(out, [note.encode()])
    if out != "-":
        click.echo(
            f"{out}: {output.counted(says.size, 'entry', 'entries')} of {says.origin}. Keep a copy of it elsewhere.",
            err=True,
        )


@log.command(
    cls=Command, examples=("compliance log prove e3 --out e3.proof", "compliance log prove 7 --out -")
)
@click.argument("entry", metavar="IDX|EVENT_ID")
@click.option("--out", metavar="FILE", required=True, help="Where the proof goes; - is standard output.")
@pass_call
def prove(call: Call, entry: str, out: str) -> None:
    """Write a proof that an entry is in the log, for a stranger to check with other software (C2SP tlog-proof)."""
    from compliance.ledger.proof import prove as proven

    with opening.reading(call) as opened:
        idx = index_of(opened, entry)
        proof = proven(opened, idx, _signer(call))
        vkey = opened.identity.vkey
    files.write(out, [proof.text.encode()])
    if out == "-":
        return
    if call.json:
        output.echo_json({"idx": idx, "out": out, "vkey": vkey})
        return
    click.echo(f"{out}: proof of entry {idx}. Whoever checks it needs the log's verifier key:")
    click.echo(f"  {vkey}")


def index_of(opened: Log, entry: str) -> int:
    """The index that a person meant, by number or by the event's id; raises InputError where there is neither."""
    if entry.isascii() and entry.isdigit() and len(entry) < 19 and int(entry) < opened.size:
        return int(entry)
    idx = opened.by_event_id(entry)
    if idx is None:
        raise InputError(
            f"the log has no entry and no event {entry!r}",
            f"It has the entries 0 to {opened.size - 1}; `compliance events list` shows events.",
        )
    return idx


def _signer(call: Call) -> Signer:
    from compliance.ledger.keys import exposed, key_path, read_key

    path = key_path(call.database)
    signer = read_key(path)
    if exposed(path):
        click.echo(f"warning: {path} can be read by its group; run `chmod 600 {path}`", err=True)
    return signer


@log.command(
    cls=Command,
    examples=("compliance log export --out log.ndjson", "compliance log export | gzip > log.ndjson.gz"),
)
@out_option
@pass_call
def export(call: Call, out: str) -> None:
    """Write the entries as NDJSON: line n, counted from 0, is the canonical bytes of entry n."""
    with opening.reading(call) as opened:
        with closing(_chunks(opened)) as chunks:
            files.write(out, chunks)
        size = opened.size
    if out != "-":
        if call.json:
            output.echo_json({"out": out, "entries": size})
        else:
            click.echo(f"{out}: {output.counted(size, 'entry', 'entries')}", err=True)


def _chunks(opened: Log) -> Generator[bytes, None, None]:
    """The lines, many at once."""
    from itertools import islice

    from compliance.ledger.export import entries

    lines = entries(opened)
    while some := b"".join(islice(lines, 500)):
        yield some
