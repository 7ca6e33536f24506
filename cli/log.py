"""``compliance log``: entries, verification, export; `log_witness`, `log_proof`, `log_timestamp` and `log_key` hold the rest."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compliance.errors import InputError, LogError

from . import files, opening, output
from .application import Call, Command, Group, pass_call
from .progress import Progress

if TYPE_CHECKING:
    from compliance.ledger.cosignature import Cosigned
    from compliance.ledger.log import Log
    from compliance.ledger.timestamp import Stamped
    from compliance.ledger.verify import Verification

out_option = click.option(
    "--out", metavar="FILE", default="-", help="Write to a file, not to standard output."
)


@click.group(
    cls=Group,
    lazy={
        "show": ("log", "show"),
        "verify": ("log", "verify"),
        "checkpoint": ("log_witness", "checkpoint"),
        "cosign": ("log_witness", "cosign"),
        "timestamp": ("log_timestamp", "timestamp"),
        "prove": ("log_proof", "prove"),
        "check-proof": ("log_proof", "check_proof"),
        "export": ("log", "export"),
        "rotate-key": ("log_key", "rotate_key"),
    },
    examples=("compliance log verify --checkpoint last-week.txt",),
)
def log() -> None:
    """The audit log itself: entries, verification, checkpoints, proofs."""


@click.command(cls=Command, examples=("compliance log show 7", "compliance log show 7 --raw | sha256sum"))
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


@click.command(
    cls=Command,
    examples=(
        "compliance log verify",
        "compliance log verify --checkpoint january.txt --checkpoint from-other-clinic.txt",
        "compliance log verify --checkpoint cosigned.txt --witness other.example/log/witness+5e6f7a8b+BAb...",
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
@click.option(
    "--witness",
    "witnesses",
    multiple=True,
    metavar="KEY",
    help="The verifier key of a witness that must have cosigned every --checkpoint; may be repeated.",
)
@click.option(
    "--timestamp",
    "timestamps",
    multiple=True,
    metavar="FILE",
    help="A time stamp (RFC 3161) of a --checkpoint; may be repeated.",
)
@click.option(
    "--tsa",
    "certificates",
    multiple=True,
    metavar="FILE",
    help="The root certificate of the authority that made the time stamps; may be repeated.",
)
@pass_call
def verify(
    call: Call,
    checkpoints: tuple[str, ...],
    since: str | None,
    witnesses: tuple[str, ...],
    timestamps: tuple[str, ...],
    certificates: tuple[str, ...],
) -> int:
    """Verify the log: against itself, and against checkpoints that were kept elsewhere.

    Answers with exactly one of: self-consistent (no checkpoint was given), anchored, rolled back, forked, tampered. The last
    three exit 3.
    """
    from compliance.verifying import verify_log

    if (witnesses or timestamps) and not checkpoints:
        raise click.UsageError("--witness and --timestamp are about a --checkpoint; name one.")
    if bool(timestamps) != bool(certificates):
        raise click.UsageError("--timestamp and --tsa belong together.")
    notes = [note_of(name) for name in checkpoints]
    beside = _beside(notes, witnesses, timestamps, certificates)
    before = None if since is None else note_of(since)
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
    return _answer(call, str(found.state), found.reason, found, beside)


def note_of(name: str) -> bytes:
    """The checkpoint in a file; raises InputError, with the file's name, where it is none."""
    from compliance.ledger.checkpoint import unverified_checkpoint
    from compliance.ledger.note import NoteError

    note = files.read(name)
    try:
        unverified_checkpoint(note)
    except NoteError as problem:
        raise InputError(f"{name}: {problem.message}", problem.remedy) from None
    return note


@dataclass(frozen=True)
class _Beside:
    """What others say about a checkpoint."""

    cosigned: tuple[Cosigned, ...] = ()
    stamped: Stamped | None = None


def _beside(
    notes: list[bytes], witnesses: tuple[str, ...], timestamps: tuple[str, ...], certificates: tuple[str, ...]
) -> list[_Beside]:
    """Cosignatures, all that are asked for, and time stamps of each checkpoint."""
    from .log_timestamp import stamps_of

    if not witnesses and not timestamps:
        return [_Beside() for _ in notes]
    from compliance.ledger.cosignature import Witness, require_cosignatures

    required = [Witness.parse(one) for one in witnesses]
    stamps = stamps_of(notes, timestamps, certificates)
    return [_Beside(require_cosignatures(note, required), stamps.get(at)) for at, note in enumerate(notes)]


def _answer(
    call: Call, state: str, why: str, found: Verification | None = None, beside: Sequence[_Beside] = ()
) -> int:
    from .log_proof import witnesses_json, witnesses_text
    from .log_timestamp import stamp_json, stamp_text

    good = found is not None and found.good
    anchors = () if found is None else found.anchors
    told = list(
        zip(anchors, chain(beside, repeat(_Beside())), strict=False)
    )  # `--since` comes last, and alone
    if call.json:
        output.echo_json({
            "answer": state,
            "size": None if found is None else found.size,
            "root": None if found is None else found.root.hex(),
            "checkpoints": [
                {
                    "origin": a.checkpoint.origin, "size": a.checkpoint.size, "root": a.checkpoint.root.hex(), "at": output.instant(a.recorded_us),
                    "witnesses": witnesses_json(by.cosigned), "timestamp": None if by.stamped is None else stamp_json(by.stamped),
                }
                for a, by in told
            ],
            "first_bad": None if found is None else found.index,
            "why": why,
        })  # fmt: skip
        return 0 if good else LogError.exit_code
    click.echo(click.style(state, fg="green" if good else "red", bold=True))
    if found is not None:
        click.echo(f"{output.counted(found.size, 'entry', 'entries')}, root {found.root.hex()}")
        for anchor, by in told:
            click.echo(
                f"continues the checkpoint of size {anchor.checkpoint.size}, of {output.instant(anchor.recorded_us)}"
            )
            for line in witnesses_text(by.cosigned):
                click.echo(f"  {line}")
            if by.stamped is not None:
                click.echo(f"  existed at {stamp_text(by.stamped)}")
        if found.index is not None:
            click.echo(f"at entry {found.index}")
    click.echo(output.paragraph(why))
    if not good:
        advice = "Stop writing and keep the file as it is; look for a copy that verifies against the newest checkpoint from elsewhere."
        click.echo(f"what to do: {advice}", err=True)
    return 0 if good else LogError.exit_code


@click.command(
    cls=Command,
    examples=(
        "compliance log export --out log.ndjson",
        "compliance log export | gzip > log.ndjson.gz",
        "compliance log export --tiles /var/www/log",
    ),
)
@out_option
@click.option(
    "--tiles",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write the log as static files for a web server (C2SP tlog-tiles), or bring them up to date.",
)
@pass_call
def export(call: Call, out: str, tiles: Path | None) -> None:
    """Write the entries as NDJSON: line n, counted from 0, is the canonical bytes of entry n.

    With --tiles: a folder with the signed checkpoint, the hashes and the entries, from which other people's software can verify the
    log. It holds everything that the log does, so serve it only to those who may read the log.
    """
    if tiles is not None:
        if out != "-":
            raise click.UsageError("--out and --tiles are two kinds of export; name one.")
        _export_tiles(call, tiles)
        return
    with opening.reading(call) as opened:
        with closing(_chunks(opened)) as chunks:
            files.write(out, chunks)
        size = opened.size
    if out != "-":
        if call.json:
            output.echo_json({"out": out, "entries": size})
        else:
            click.echo(f"{out}: {output.counted(size, 'entry', 'entries')}", err=True)


def _export_tiles(call: Call, folder: Path) -> None:
    from compliance.ledger.tile_files import export_tiles

    from .log_key import signer

    with opening.reading(call) as opened, opened.reading():
        done = export_tiles(opened, folder, signer(call, opened))
    if call.json:
        output.echo_json({
            "tiles": str(folder), "origin": done.origin, "size": done.size, "root": done.root.hex(), "before": done.before,
            "hash_tiles_written": done.tiles, "entry_bundles_written": done.bundles,
        })  # fmt: skip
        return
    click.echo(
        f"{folder}: {output.counted(done.size, 'entry', 'entries')} of {done.origin}, {done.size - done.before:,} of them new; "
        f"wrote {output.counted(done.tiles, 'tile')} of hashes and {output.counted(done.bundles, 'bundle')} of entries",
        err=True,
    )


def _chunks(opened: Log) -> Generator[bytes, None, None]:
    """The lines, many at once."""
    from itertools import islice

    from compliance.ledger.export import entries

    lines = entries(opened)
    while some := b"".join(islice(lines, 500)):
        yield some
