"""``compliance person erase``."""

from __future__ import annotations

import click

from . import opening, output, person_words, results
from .application import Call, Command, pass_call


@click.command(
    cls=Command,
    examples=("compliance person erase P-7 --request REQ-12 --reason 'asked for by letter of 2033-04-02'",),
)
@click.argument("pseudonym")
@click.option("--request", required=True, metavar="HANDLE", help="The request behind it.")
@click.option("--reason", required=True, metavar="TEXT", help="Why.")
@person_words.site_option
@results.strict_option
@pass_call
def erase(call: Call, pseudonym: str, request: str, reason: str, site: str | None, strict: bool) -> int:
    """Destroy a person's key, identity and texts; the log and its proofs stay.

    Refused, with the reasons and their dates, while records must be kept or a legal hold stands. Input in quarantine that speaks of the person
    is discarded. Backups that were made before are out of reach. After an interruption, run it again.
    """
    from compliance.bundles import Bundles
    from compliance.erasing import BACKUPS
    from compliance.erasing import erase as erasing

    with opening.writing(call) as log:
        bundles = Bundles(log)
        done = erasing(
            log, bundles, person_words.acting(call, log, site), pseudonym, request=request, reason=reason
        )
        tally = person_words.tallied(done.results)
        if call.json:
            kept = [
                {"why": one.why, "until": None if one.until is None else one.until.isoformat()}
                for one in done.kept
            ]
            output.echo_json({
                "person": pseudonym, "erased": not kept, "kept": kept, "event": done.event or None, "discarded": list(done.discarded),
                "clear_entries": list(done.clear_entries), **person_words.events_json(done.results, bundles),
            })  # fmt: skip
        elif done.kept:
            click.echo(f"{pseudonym} is not erased:")
            for one in done.kept:
                click.echo(
                    output.paragraph(
                        one.why + ("" if one.until is None else f", until {one.until.isoformat()}"), 2, 4
                    )
                )
        else:
            click.echo(f"{pseudonym} is erased (event {done.event})")
            if done.discarded:
                click.echo(f"discarded     {output.counted(len(done.discarded), 'rejected input')}")
            if done.clear_entries:
                click.echo(output.paragraph(
                    f"These entries hold words in the clear, which nothing can take out: {', '.join(map(str, done.clear_entries))}", 0, 2,
                ))  # fmt: skip
            click.echo(output.paragraph(BACKUPS))
            person_words.tell(done.results, bundles)
    return 1 if done.kept else tally.exit_code(strict=strict)
