"""``compliance events add``: one event, typed at the keyboard or given as fields."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from compliance.errors import InputError

from . import asking, opening, output, results
from .application import Call, Command, pass_call
from .entering import DECLINED, SOURCE, entered
from .scanning import SCANNED, scanned, take_scan
from .types import KIND, assigned, now

if TYPE_CHECKING:
    from compliance.domain.vocabulary import FieldSpec
    from compliance.errors import Problem
    from compliance.ledger.log import Log

_OWN_COMMANDS: Final = {"correction": "events correct", "void": "events void", "override": "override"}
_SAID_OTHERWISE: Final = {"kind": "Name it first, before the fields.", "actor": "Say who acts with --actor."}
_SAID_FIRST: Final = ("id", "kind", "site", "actor", "occurred_at")


@click.command(
    name="add",
    cls=Command,
    examples=(
        "compliance events add vital_signs",
        "compliance events add wastage cause=residue lot=L1",
        "compliance events add container_status --scan '(01)00350458028027(17)270131(10)AB123(21)SN1'",
        "compliance events add discharge patient=P-1 session=V-1 disposition=home departure_mode=escort devices_taken=0 --yes",
    ),
)
@click.argument("kind", type=KIND)
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@click.option(
    "--scan",
    "symbol",
    metavar="STRING",
    help="What a scanner read off the package: NDC, lot, expiry, serial number.",
)
@click.option("--yes", "sure", is_flag=True, help="Ask nothing, and record.")
@results.strict_option
@pass_call
def add(call: Call, kind: str, fields: tuple[str, ...], symbol: str | None, sure: bool, strict: bool) -> int:
    """Enter one event.

    On a terminal what is missing is asked, the verdict is shown, and nothing is written before you agree; who does not agree may change
    what was said. Elsewhere nothing is asked. Lists and records are written as JSON. The id, the time (now) and the site (the log's first) need not be given.
    """
    if kind in _OWN_COMMANDS:
        raise InputError(
            f"{kind} has a command of its own",
            f"Use `compliance {_OWN_COMMANDS[kind]}`; it finds what it is about.",
        )
    actor, words = opening.acting(call), assigned(fields)
    _not_said_otherwise(words)
    with opening.writing(call) as log:
        form = _Form(log, kind, actor, words)
        if sure or not asking.may_ask():
            made_up = form.made_up(symbol)
            _not_taken(log, made_up)
            return entered(call, log, made_up, sure=sure, strict=strict).exit_code
        with asking.leaving():
            body: dict[str, Any] | None = form.filled(symbol)
        code = DECLINED
        while body is not None:
            _not_taken(log, body)
            outcome = entered(call, log, body, sure=sure, strict=strict)
            if not outcome.declined:
                return outcome.exit_code
            code = outcome.exit_code
            with asking.leaving():
                body = form.changed()
        return code


def _not_said_otherwise(words: Mapping[str, str]) -> None:
    """Raises InputError for a field that the call says in another way."""
    for name, remedy in _SAID_OTHERWISE.items():
        if name in words:
            raise InputError(f"{name} is not said as a field", remedy)


def _not_taken(log: Log, body: Mapping[str, Any]) -> None:
    """Raises InputError where the log has another event of this id: what was typed is then a mistake, and no line to be kept."""
    from compliance.bundles import Bundles
    from compliance.checking import Checker
    from compliance.intake.drafts import Draft
    from compliance.ledger.history import LogHistory
    from compliance.record import Refused

    recorded = LogHistory(log).sent(str(body["id"]))
    if recorded is None:
        return
    # Whether it is the same event is for the check to say: of texts that are sealed the log has digests.
    for batch in Checker(log, Bundles(log).active()).submit([Draft.of_command(body, SOURCE)]):
        if any(isinstance(result, Refused) for result in batch):
            raise InputError(
                f"id {recorded.id} is already recorded with other content: entry {recorded.position}, {recorded.kind}",
                f"Change what is recorded with `compliance events correct {recorded.id}`, or give this event another id; nothing was written.",
            )


def _given(kind: str, words: Mapping[str, str], zone: str) -> tuple[dict[str, Any], list[Problem]]:
    """The fields that the call names, as JSON values, read as an answer at the keyboard is; and all that is wrong with them."""
    from compliance.domain.making import make_event
    from compliance.domain.reading import Unreadable
    from compliance.domain.vocabulary import KINDS
    from compliance.errors import Place, Problem

    known = KINDS[kind].fields
    body: dict[str, Any] = {}
    wrong: list[Problem] = []
    for name, text in words.items():
        try:
            value = _value(known[name], text, zone) if name in known else text
        except (Unreadable, InputError) as error:
            message = error.message.removeprefix(f"{name}: ")
            wrong.append(Problem(Place(SOURCE, field=name), message, error.remedy, "bad_value"))
            continue
        if value is not None:
            body[name] = value
    made = make_event({**body, "kind": kind}, source=SOURCE)
    if isinstance(made, tuple):
        wrong += [problem for problem in made if problem.code != "missing" or problem.place.field in body]
    return body, wrong


def _value(spec: FieldSpec, text: str, zone: str) -> Any:
    """The JSON value of ``FIELD=VALUE``; None where the field is left out. Raises `Unreadable` and InputError."""
    from compliance.amending import json_text
    from compliance.intake.answers import read_answer

    if not text.strip() or spec.element is not None or spec.fields is not None or spec.derived:
        return json.loads(json_text(spec.name, spec, text.strip()))
    return read_answer(spec, text, zone_name=zone, now=now())


class _Form:
    """An event while it is filled in."""

    def __init__(self, log: Log, kind: str, actor: str, words: Mapping[str, str]) -> None:
        from compliance.domain.vocabulary import KINDS
        from compliance.ledger.history import LogHistory
        from compliance.persons import default_site
        from compliance.site_zones import site_zone

        self._history = LogHistory(log)
        self._kind = KINDS[kind]
        self._site = words.get("site") or default_site(log)
        given, self._wrong = _given(kind, words, site_zone(self._history, self._site, now()))
        self._body = {"id": f"{kind}-{secrets.token_hex(8)}", "actor": actor, **given, "kind": kind}

    @property
    def _zone(self) -> str:
        from compliance.site_zones import site_zone

        return site_zone(self._history, self._body["site"], now())

    def made_up(self, symbol: str | None) -> dict[str, Any]:
        """The event as it is, with site and time where nobody said them. Raises InputError with all that is wrong with what was said."""
        from compliance.domain.time import format_instant

        if self._wrong:
            raise InputError(
                f"this {self._kind.name} cannot be recorded",
                "Mend what the command was given; nothing was written.",
                self._wrong,
            )
        self._body = {"occurred_at": format_instant(now()), "site": self._site, **self._body}
        self._take(symbol)
        if self._unknown_site():
            click.echo(output.paragraph(f"note: {self._no_profile()}", 0, 2), err=True)
        return self._body

    def filled(self, symbol: str | None) -> dict[str, Any]:
        """Ask for the site where there are several, for the time, for what is required, for what else there is; show it all."""
        asking.say(f"{self._kind.name}: {self._kind.says}. ? says more, Ctrl-C leaves.")
        again = self._told_wrong()
        while "site" not in self._body or (
            self._unknown_site()
            and not asking.confirmed(f"{self._no_profile()}. Is it meant?", default=False)
        ):
            self._body["site"] = self._asked_site()
        self._take(symbol)
        required = [name for name, spec in self._kind.fields.items() if spec.required]
        for name in ("occurred_at", *required, *again):
            if name not in self._body and name != "kind":
                self._ask(name, self._likely(name))
        optional = [name for name in self._fields() if name not in required and name not in self._body]
        click.echo(err=True)
        asking.say("What else can be said:")
        asking.tell_choices(optional, self._notes)
        self._ask_named("Add which (? lists them, empty ends)", optional)
        self._show()
        return self._body

    def _told_wrong(self) -> list[str]:
        """Say what is wrong with what the call said, and take it back; gives the fields to ask for again."""
        names: dict[str, None] = {}
        for problem in self._wrong:
            name = re.split(r"[.\[]", problem.place.field or "")[0]
            asking.say(f"{name}: {problem.message}; {problem.remedy}", 2)
            self._body.pop(name, None)
            names[name] = None
        if "id" in names:
            self._body["id"] = f"{self._kind.name}-{secrets.token_hex(8)}"
        return [name for name in names if name in self._fields()]

    def _unknown_site(self) -> bool:
        """Whether the site has no profile in a log that has profiles: it may be misspelt."""
        from compliance.recent import sites

        known = sites(self._history)
        return self._kind.name != "site_profile" and bool(known) and self._body["site"] not in known

    def _no_profile(self) -> str:
        return f"the log has no profile of a site {self._body['site']}"

    def changed(self) -> dict[str, Any] | None:
        """The event after changes to what was said; None where the person wants none."""
        click.echo(err=True)
        if not self._ask_named("Change which (? lists them, empty leaves)", self._fields()):
            return None
        self._show()
        return self._body

    def _fields(self) -> list[str]:
        """The fields that a person says: the kind's own, then what every event may say."""
        from compliance.domain.vocabulary import ENVELOPE

        said = [
            name
            for name, spec in self._kind.fields.items()
            if not spec.derived and name not in ("id", "kind", "actor", "intent")
        ]
        return sorted(said, key=lambda name: name in ENVELOPE)

    def _take(self, symbol: str | None) -> None:
        from compliance.domain.reading import Unreadable

        try:
            if symbol is not None:
                take_scan(self._history, symbol, self._body)
        except Unreadable as wrong:
            raise InputError(wrong.message, f"{wrong.remedy}; nothing was written") from None

    def _asked_site(self) -> str:
        from compliance.recent import sites

        known = sites(self._history)
        if known in ([], [self._site]):
            return self._site
        standing = self._site if self._site in known else None
        asked: str = asking.ask(self._kind.fields["site"], zone="UTC", default=standing, offered=known)
        return asked

    def _ask(self, name: str, standing: Any = None) -> None:
        """Ask for one field; an empty answer means the value that is `standing`."""
        from compliance.recent import recent

        offered = recent(self._history, name, self._body, self._zone)
        value = asking.ask(
            self._kind.fields[name],
            zone=self._zone,
            default=standing,
            offered=tuple(offered),
            notes=offered,
            scan=partial(scanned, self._history, self._body, name) if name in SCANNED else None,
        )
        if value is None:
            self._body.pop(name, None)
        else:
            self._body[name] = value

    def _likely(self, name: str) -> str | None:
        """What a required field will often be: the time now, the unit in which the drug is counted."""
        from compliance.domain.drugs import DRUGS
        from compliance.domain.time import SECOND, format_instant

        if name == "occurred_at":
            return format_instant(now() // SECOND * SECOND, self._zone)
        if name == "quantity_unit" and "drug" in self._body:
            return DRUGS[self._body["drug"]].stock_unit
        return None

    @property
    def _notes(self) -> dict[str, str]:
        return {name: spec.says for name, spec in self._kind.fields.items()}

    def _ask_named(self, question: str, names: Sequence[str]) -> bool:
        """Ask for fields by name until the person has no more to say; gives whether there was any."""
        said = False
        while name := asking.chosen(question, names, self._notes):
            self._ask(name, self._body.get(name))
            said = True
            click.echo(err=True)
        return said

    def _show(self) -> None:
        from compliance.intake.answers import shown

        click.echo(err=True)
        wide = max(map(len, self._body))
        asking.say(f"{'kind'.ljust(wide)}  {self._kind.name}")
        for name in (*_SAID_FIRST, *(name for name in self._body if name not in _SAID_FIRST)):
            if name != "kind":
                text = shown(self._kind.fields[name], self._body[name], self._zone)
                asking.say(f"{name.ljust(wide)}  {text}", hanging=wide + 2)
