"""``compliance log prove`` and ``compliance log check-proof``."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import click

from compliance.errors import InputError, LogError

from . import files, opening, output
from .application import Call, Command, pass_call

if TYPE_CHECKING:
    from compliance.ledger.cosignature import Cosigned
    from compliance.ledger.log import Log


@click.command(
    cls=Command,
    examples=(
        "compliance log prove e3 --out e3.proof",
        "compliance log prove 7 --checkpoint cosigned.txt --out 7.proof",
    ),
)
@click.argument("entry", metavar="IDX|EVENT_ID")
@click.option(
    "--checkpoint",
    metavar="FILE",
    help="Prove it for this checkpoint of the log, such as a cosigned one; else one is signed now.",
)
@click.option("--out", metavar="FILE", required=True, help="Where the proof goes; - is standard output.")
@pass_call
def prove(call: Call, entry: str, checkpoint: str | None, out: str) -> None:
    """Write a proof that an entry is in the log, for a stranger to check with other software (C2SP tlog-proof)."""
    from compliance.ledger.proof import prove as proven
    from compliance.ledger.proof import prove_at
    from compliance.ledger.rotation import key_history

    from .log_key import signer

    kept = None if checkpoint is None else files.text(checkpoint)
    with opening.reading(call) as log, log.reading():
        idx = index_of(log, entry)
        proof = proven(log, idx, signer(call, log)) if kept is None else prove_at(log, idx, kept)
        vkey = str(key_history(log).at(proof.size))
    files.write(out, [proof.text.encode()])
    if out == "-":
        return
    if call.json:
        output.echo_json({"idx": idx, "out": out, "vkey": vkey, "size": proof.size})
        return
    click.echo(f"{out}: proof of entry {idx}. Whoever checks it needs the log's verifier key:")
    click.echo(f"  {vkey}")


def index_of(log: Log, entry: str) -> int:
    """The index that a person meant, by number or by the event's id; raises InputError where there is neither."""
    if entry.isascii() and entry.isdigit() and len(entry) < 19 and int(entry) < log.size:
        return int(entry)
    idx = log.by_event_id(entry)
    if idx is None:
        raise InputError(
            f"the log has no entry and no event {entry!r}",
            f"It has the entries 0 to {log.size - 1}; `compliance events list` shows events.",
        )
    return idx


@click.command(
    name="check-proof",
    cls=Command,
    examples=(
        "compliance log check-proof e3.proof --vkey clinic.example/log+1a2b3c4d+AbC...",
        "compliance log check-proof e3.proof --vkey ... --witness other.example/log/witness+5e6f7a8b+BAb... --quiet",
    ),
)
@click.argument("proof", metavar="FILE")
@click.option(
    "--vkey", metavar="KEY", required=True, help="The log's verifier key, from a source that you trust."
)
@click.option(
    "--witness",
    "witnesses",
    multiple=True,
    metavar="KEY",
    help="The verifier key of a witness that must have cosigned; may be repeated.",
)
@click.option(
    "--entry", metavar="FILE", help="The entry's canonical bytes, where the proof does not carry them."
)
@click.option("--quiet", is_flag=True, help="Do not print the entry; the exit code says it: 0 good, 3 not.")
@pass_call
def check_proof(
    call: Call, proof: str, vkey: str, witnesses: tuple[str, ...], entry: str | None, quiet: bool
) -> None:
    """Check a proof file, without any database, and print the entry that it proves.

    The key must come from somewhere else than the proof does. Exit code 0 means that the entry is in the log whose key this is; 3 that
    the file does not show it.
    """
    from compliance.ledger.cosignature import Witness, require_cosignatures
    from compliance.ledger.note import NoteError, Verifier
    from compliance.ledger.proof import read_proof, verify_proof

    verifier, required = Verifier.parse(vkey), [Witness.parse(one) for one in witnesses]
    content, given = files.read(proof), None if entry is None else files.read(entry)
    try:
        found = read_proof(content.decode())
        signed = verify_proof(found, [verifier], given)
        cosigned = require_cosignatures(found.note, required)
    except UnicodeDecodeError:
        raise LogError(f"{proof} is no proof: it is not UTF-8 text", _AGAIN) from None
    except NoteError as problem:
        raise LogError(f"{proof} proves nothing: {problem.message}", problem.remedy) from problem
    if quiet:
        return
    shown = given if given is not None else found.entry or b""
    if call.json:
        output.echo_json({
            "index": found.index, "origin": signed.origin, "size": signed.size, "root": signed.root.hex(),
            "witnesses": witnesses_json(cosigned), "entry": _document(shown), "bytes": b64encode(shown).decode(),
        })  # fmt: skip
        return
    click.echo(
        f"entry {found.index} of {signed.origin}, in the log of {output.counted(signed.size, 'entry', 'entries')} "
        f"with root {signed.root.hex()}"
    )
    click.echo(f"signed by {verifier}")
    for line in witnesses_text(cosigned):
        click.echo(line)
    click.echo(_printable(shown))


_AGAIN = "Get the file again from where it came."


def witnesses_json(cosigned: tuple[Cosigned, ...]) -> list[dict[str, Any]]:
    """Cosignatures for programs."""
    return [
        {"name": one.witness.name, "vkey": str(one.witness), "at": output.instant(one.seconds * 1_000_000)}
        for one in cosigned
    ]


def witnesses_text(cosigned: tuple[Cosigned, ...]) -> list[str]:
    """Cosignatures for people, a line each."""
    return [
        f"cosigned by {one.witness.name} at {output.instant(one.seconds * 1_000_000)}" for one in cosigned
    ]


def _document(entry: bytes) -> Any:
    """The entry as JSON; None where it is of a log that keeps something else."""
    import orjson

    try:
        return orjson.loads(entry)
    except orjson.JSONDecodeError:
        return None


def _printable(entry: bytes) -> str:
    import orjson

    document = _document(entry)
    if document is not None:
        return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
    return "".join(
        one if one.isprintable() or one == "\n" else repr(one)[1:-1]
        for one in entry.decode(errors="backslashreplace")
    )
