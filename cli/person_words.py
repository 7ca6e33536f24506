"""What the commands of ``compliance person`` share: what they are given, and how they answer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from compliance.errors import InputError

from . import opening, output, results
from .application import Call

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from compliance.bundles import Bundles
    from compliance.ledger.log import Log
    from compliance.ledger.vault.persons import Identity
    from compliance.persons import Acting
    from compliance.record import Recorded


PURPOSES: Final = (
    "treatment",
    "payment",
    "operations",
    "inspection",
    "patient_request",
    "drill",
    "support",
    "legal",
)

site_option: Final = click.option(
    "--site", metavar="ID", help="The site where it is done; else the log's first."
)
purpose_option: Final = click.option(
    "--purpose", type=click.Choice(PURPOSES), help="Why the clear text is looked at."
)


def acting(call: Call, log: Log, site: str | None) -> Acting:
    """Who acts, and where."""
    from compliance.persons import Acting, default_site

    return Acting(opening.acting(call), site or default_site(log))


def version_json(one: Identity, *, clear: bool) -> dict[str, Any]:
    """A version of an identity; with its values only where they were asked for."""
    found = {
        "version": one.handle,
        "valid_from": one.valid_from,
        "entered_at": output.instant(one.made_us),
        "event": one.event,
        "sha256": one.commitment,
    }
    return {**found, "identity": dict(one.clear)} if clear else found


def tallied(recorded: Iterable[Recorded]) -> results.Tally:
    """What events that a command recorded amount to."""
    tally = results.Tally()
    for one in recorded:
        tally.take(one)
    return tally


def events_json(recorded: Iterable[Recorded], bundles: Bundles) -> Mapping[str, Any]:
    """The events that a command recorded, with what is held against them."""
    return {"events": [results.result_json(one, bundles, written=True) for one in recorded]}


def tell(recorded: Iterable[Recorded], bundles: Bundles) -> None:
    """What the policies object to; where they do not, that it was recorded."""
    for one in recorded:
        found = results.explained_all(one.decision, bundles)
        click.echo(
            f"recorded      {one.draft.event.kind} {one.draft.event.id}, entry {one.idx}: {output.colored(str(one.decision.verdict))}"
        )
        for finding in found:
            click.echo(results.finding_text(finding))


def given(source: str | None) -> dict[str, Any]:
    """The fields in a JSON file."""
    if source is None:
        return {}
    import json

    try:
        given = json.loads(read_text(source), object_pairs_hook=_each_once)
    except ValueError:
        raise InputError(
            f"{source} is not JSON in which each name stands once",
            'Write one object: {"name": "...", "birth_date": "..."}.',
        ) from None
    if not isinstance(given, dict):
        raise InputError(f"{source} is no JSON object", 'Write {"name": "...", "birth_date": "..."}.')
    return given


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; raises ValueError where a name stands twice: which of them is meant?"""
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def read_text(source: str) -> str:
    """A file or standard input as text."""
    try:
        return (
            sys.stdin.buffer.read().decode("utf-8-sig")
            if source == "-"
            else path_of(source).read_text("utf-8-sig")
        )
    except UnicodeDecodeError:
        raise InputError(f"{source} is not UTF-8", "Save it as UTF-8.") from None


def path_of(source: str) -> Path:
    """The file of a name."""
    path = Path(source)
    if not path.is_file():
        raise InputError(f"there is no file {source}", "Check the name; nothing was read.")
    return path


def date_of(text: str | None) -> str:
    """A date as it is kept; today without one."""
    from compliance.domain.reading import Unreadable
    from compliance.domain.time import read_date

    if text is None:
        from datetime import datetime

        return datetime.now().astimezone().date().isoformat()
    try:
        return read_date(text).isoformat()
    except Unreadable as problem:
        raise InputError(f"--valid-from: {problem.message}", problem.remedy) from None
