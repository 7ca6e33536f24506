"""``compliance person``: who the pseudonyms are."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import Any, Final

import click

from compliance.errors import InputError

from . import opening, output, person_words, results
from .application import Call, Command, Group, pass_call

BATCH: Final = 500


@click.group(
    cls=Group,
    lazy={
        "init": ("person", "init"),
        "add": ("person", "add"),
        "import": ("person", "import_"),
        "show": ("person", "show"),
        "list": ("person", "list_persons"),
        "erase": ("person_erase", "erase"),
    },
    examples=(
        "compliance person add --file jane.json",
        "compliance person show P-7 --clear --purpose treatment",
    ),
)
def person() -> None:
    """Names and record numbers behind the pseudonyms, in the identity vault.

    Every look at clear values is an event of the log, recorded before anything is shown.
    """


@click.command(cls=Command, examples=("compliance person init",))
@pass_call
def init(call: Call) -> None:
    """Give a log that began without one its identity vault. From then on free texts go there."""
    from compliance.ledger.vault.store import key_file
    from compliance.persons import begin

    with opening.writing(call) as log:
        vault = begin(log)
        key = key_file(log.url)
    if call.json:
        output.echo_json({"vault": vault.place, "vault_key": str(key)})
        return
    click.echo(f"vault         {vault.place}: names and free texts, each person under a key of its own")
    click.echo(f"vault's key   {key} (keep a copy apart from the vault's)")


@click.command(
    cls=Command,
    examples=(
        "compliance person add --file jane.json",
        "compliance person add --kind staff --pseudonym RN-4 --file - < nurse.json",
        "compliance person add --pseudonym P-7 --valid-from 2026-05-01 --file married.json",
    ),
)
@click.option("--kind", type=click.Choice(["patient", "staff"]), default="patient", show_default=True)
@click.option("--pseudonym", metavar="ID", help="The id that events use already; else a random one.")
@click.option("--valid-from", metavar="DATE", help="From when this holds; else from today.")
@click.option("--file", "source", metavar="FILE", help="JSON with the fields below; - is standard input.")
@click.option("--name", metavar="TEXT")
@click.option("--birth-date", metavar="DATE")
@click.option("--sex", metavar="TEXT")
@click.option("--address", metavar="TEXT")
@click.option("--phone", metavar="TEXT")
@click.option("--email", metavar="TEXT")
@click.option("--record-number", "record_numbers", multiple=True, metavar="NUMBER", help="May be repeated.")
@click.option(
    "--even-if-known", is_flag=True, help="Another person has the same record number, or name and birth date."
)
@person_words.site_option
@results.strict_option
@pass_call
def add(
    call: Call, /, kind: str, pseudonym: str | None, valid_from: str | None, source: str | None, even_if_known: bool, site: str | None,
    strict: bool, **values: Any,
) -> int:  # fmt: skip
    """Enter a person, or a new version of who a person is.

    What is typed as an option stays in the shell's history, and other users of the machine may see it: rather give --file. The JSON
    has name, birth_date, sex, address, phone, email, record_numbers.
    """
    from compliance.bundles import Bundles
    from compliance.errors import Place
    from compliance.persons import Wanted, enter, identity_of

    given = person_words.given(source) | {
        name: list(value) if isinstance(value, tuple) else value for name, value in values.items() if value
    }
    place = Place(source or "<command line>")
    clear = identity_of(given, place)
    if isinstance(clear, tuple):
        raise InputError("this person cannot be entered", "Mend it; nothing was written.", clear)
    when = person_words.date_of(valid_from)
    with opening.writing(call) as log:
        bundles = Bundles(log)
        wanted = Wanted("staff" if kind == "staff" else "patient", clear, when, pseudonym)
        made = enter(
            log, bundles.active(), person_words.acting(call, log, site), wanted, even_if_known=even_if_known
        )
        tally = person_words.tallied(made.results)
        if call.json:
            output.echo_json(
                {
                    "person": made.pseudonym,
                    "version": made.version,
                    "sha256": made.commitment,
                    **person_words.events_json(made.results, bundles),
                }
            )
        else:
            click.echo(f"person        {made.pseudonym}")
            click.echo(f"version       {made.version}, valid from {when}")
            person_words.tell(made.results, bundles)
    return tally.exit_code(strict=strict)


@click.command(name="import", cls=Command, examples=("compliance person import patients.csv",))
@click.argument("source", metavar="FILE.csv")
@person_words.site_option
@results.strict_option
@pass_call
def import_(call: Call, source: str, site: str | None, strict: bool) -> int:
    """Enter the persons of a table, a row each.

    Columns: name (or first name, last name), birth date, sex, address, phone, email, record number, kind, pseudonym, valid from, under
    these or like names. Every problem is told with its row and column; good rows are entered all the same, and who is there already is
    passed over.
    """
    from compliance.bundles import Bundles
    from compliance.ledger.vault import reach
    from compliance.person_files import read_table
    from compliance.persons import enter_all, required

    with ExitStack() as stack:
        stream = (
            sys.stdin.buffer
            if source == "-"
            else stack.enter_context(person_words.path_of(source).open("rb"))
        )
        log = stack.enter_context(opening.writing(call))
        bundles = Bundles(log)
        acting = person_words.acting(call, log, site)
        with reach(log) as way:
            table = read_table(
                "<stdin>" if source == "-" else source, stream, required(way), person_words.date_of(None)
            )
        made = [
            one
            for start in range(0, len(table.wanted), BATCH)
            for one in enter_all(log, bundles.active(), acting, table.wanted[start : start + BATCH])
        ]
    tally = person_words.tallied(result for one in made for result in one.results)
    for one in made:
        if call.json:
            output.echo_json({"person": one.pseudonym, "version": one.version, "sha256": one.commitment})
        else:
            click.echo(f"entered       {one.pseudonym}  {one.version}")
    for problem in table.problems:
        if call.json:
            where = problem.place
            output.echo_json({
                "rejected": {"line": where.line, "column": where.column, "field": where.field, "message": problem.message, "remedy": problem.remedy}
            })  # fmt: skip
        else:
            click.echo(f"rejected      {problem}")
    if not call.json:
        click.echo(
            f"\n{output.counted(len(made), 'person')} entered, {table.known} there already, "
            f"{len({problem.place.line for problem in table.problems})} rejected"
        )
    return 1 if table.problems else tally.exit_code(strict=strict)


@click.command(
    cls=Command,
    examples=(
        "compliance person show P-7",
        "compliance person show P-7 --clear --purpose treatment",
        "compliance person show --record-number-file - < number.txt",
    ),
)
@click.argument("pseudonym", required=False)
@click.option("--record-number", metavar="NUMBER", help="Find by it; it stays in the shell's history.")
@click.option("--record-number-file", metavar="FILE", help="The number is in a file; - is standard input.")
@click.option("--clear", is_flag=True, help="Show the values; recorded first, with the purpose.")
@person_words.purpose_option
@person_words.site_option
@results.strict_option
@pass_call
def show(
    call: Call, pseudonym: str | None, record_number: str | None, record_number_file: str | None, clear: bool, purpose: str | None,
    site: str | None, strict: bool,
) -> int:  # fmt: skip
    """A person by pseudonym, or by record number: which versions there are, and with --clear what they say."""
    from compliance.bundles import Bundles
    from compliance.persons import look_up

    if record_number_file is not None:
        record_number = person_words.read_text(record_number_file).strip()
    if (pseudonym is None) == (record_number is None):
        raise click.UsageError("Name a pseudonym or a record number.")
    if clear != (purpose is not None):
        raise click.UsageError("--clear and --purpose belong together: every look has a purpose.")
    recording = clear or record_number is not None
    with opening.writing(call) if recording else opening.reading(call) as log:
        bundles = Bundles(log)
        found = look_up(
            log, bundles.active, lambda: person_words.acting(call, log, site), pseudonym=pseudonym, record_number=record_number,
            purpose=purpose, output="json" if call.json else "screen",
        )  # fmt: skip
        tally = person_words.tallied(found.results)
        versions = [person_words.version_json(one, clear=clear) for one in found.versions]
        if call.json:
            output.echo_json(
                {
                    "person": found.known.pseudonym,
                    "kind": found.known.kind,
                    "versions": versions,
                    **person_words.events_json(found.results, bundles),
                }
            )
        else:
            click.echo(
                f"{found.known.pseudonym}  {found.known.kind}, {output.counted(len(versions), 'version')}"
            )
            for one in versions:
                click.echo(f"  {one['version']}  valid from {one['valid_from']}, entered {one['entered_at']}")
                for name, value in one.get("identity", {}).items():
                    click.echo(f"    {name}: {', '.join(value) if isinstance(value, list) else value}")
            person_words.tell(found.results, bundles)
    return tally.exit_code(strict=strict)


@click.command(name="list", cls=Command, examples=("compliance person list",))
@pass_call
def list_persons(call: Call) -> None:
    """All pseudonyms with an identity in the vault, and nothing else of anybody."""
    from compliance.ledger.vault import reach
    from compliance.persons import required

    with opening.reading(call) as log, reach(log, write=False) as way:
        found = [one for one in required(way).persons.known() if one.versions]
    if call.json:
        for one in found:
            output.echo_json(
                {
                    "person": one.pseudonym,
                    "kind": one.kind,
                    "versions": one.versions,
                    "entered_at": output.instant(one.made_us),
                }
            )
        return
    output.table(
        ("person", "kind", "versions", "entered"),
        [(one.pseudonym, one.kind, str(one.versions), output.instant(one.made_us)) for one in found],
    )
    if not found:
        click.echo("Nobody is in the vault.", err=True)
