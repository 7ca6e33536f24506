"""``compliance export --asap``: a report of dispensing for a state's prescription monitoring programme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import output, person_words
from .application import Call
from .period import Period

if TYPE_CHECKING:
    from compliance.bundles import Bundles
    from compliance.exports.asap import Made, Wanted
    from compliance.exports.asap_facts import Facts
    from compliance.exports.release import Purpose
    from compliance.ledger.log import Log


def stated(call: Call, log: Log, sites: tuple[str, ...], purpose: str, *, leaves_site: bool) -> Purpose:
    """Who makes an export, and for what."""
    from compliance.exports.release import Purpose

    acting = person_words.acting(call, log, sites[0] if sites else None)
    return Purpose.new(acting, purpose, leaves_site=leaves_site)


def report(call: Call, log: Log, wanted: Wanted, within: Period, *, strict: bool) -> int:
    """Make the report; 1 where a dispense is not in it for want of something."""
    from compliance.bundles import Bundles
    from compliance.exports.asap import make

    bundles = Bundles(log)
    made = make(log, bundles, wanted)
    if call.json:
        output.echo_json(_as_json(wanted, made, bundles))
    else:
        _tell(wanted, made)
        within.tell()
        person_words.tell(made.results, bundles)
    return person_words.tallied(made.results).exit_code(strict=strict) or int(bool(made.lacking))


def _as_json(wanted: Wanted, made: Made, bundles: Bundles) -> dict[str, Any]:
    return {
        "file": None if made.sha256 is None else str(wanted.file), "sha256": made.sha256, "control": made.control, "state": made.state, "zero_report": made.zero,
        "written": [{"event": one.dispensed.event.id, "status": one.dispensed.status} for one in made.written],
        "not_written": [{"event": one.dispensed.event.id, "missing": sorted(one.missing)} for one in made.lacking],
        "left_out": dict(made.left_out), "stand_ins": sorted(wanted.stand_ins),
        "from_a_later_identity": {one.dispensed.event.id: one.later for one in made.written if one.later}, "log_size": made.head.size, **person_words.events_json(made.results, bundles),
    }  # fmt: skip


def _tell(wanted: Wanted, made: Made) -> None:
    from compliance.exports.asap import GAPS

    out = wanted.file
    if made.sha256 is None and not made.lacking:
        click.echo(f"nothing to send to {made.state}: no file was made")
    elif made.sha256 is None:
        click.echo(f"no record is complete: no file was made; {out}{GAPS} says what is missing")
    else:
        what = "nothing was dispensed" if made.zero else output.counted(len(made.written), "record")
        click.echo(f"report        {out}, for its owner's eyes only: {what} for {made.state}")
        click.echo(f"control no.   {made.control}")
        click.echo(f"SHA-256       {made.sha256}")
        click.echo(f"gaps          {out}{GAPS}")
        for ref, remedy in wanted.stand_ins.items():
            click.echo(output.paragraph(f"{ref} has the site in its place, or the log. {remedy}", 2, 2))
    for one in made.written:
        if one.later:
            click.echo(f"later identity  {one.dispensed.event.id}: {', '.join(one.later)}")
    for one in made.lacking:
        _tell_lacking(one)
    for why, count in sorted(made.left_out.items()):
        click.echo(f"left out      {output.counted(count, 'dispense')} {why}")
    click.echo(f"of the log    {made.head.size:,} entries")
    if made.sha256 is not None:
        click.echo(
            "Not checked by any clearing house. What was sent is entered as an external_report.", err=True
        )


def _tell_lacking(one: Facts) -> None:
    from compliance.exports.asap_elements import ELEMENTS

    click.echo(f"not written   {one.dispensed.event.id}")
    for ref, remedy in one.missing.items():
        click.echo(output.paragraph(f"{ref} {ELEMENTS[ref].says}: {remedy}", 2, 2))
