"""``compliance events add``: one event, typed at the keyboard or given as fields."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from compliance.errors import InputError

from . import asking, opening, results
from .application import Call, Command, pass_call
from .entering import DECLINED, SOURCE, entered
from .scanning import SCANNED, scanned, take_scan
from .types import KIND, assigned, now

if TYPE_CHECKING:
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
@click.option("--yes", "sure", is_flag=True, help="Record without asking whether to.")
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
    actor = opening.acting(call)
    given = {"actor": actor, **_given(kind, assigned(fields)), "kind": kind}
    with opening.writing(call) as log:
        form = _Form(log, given)
        if not asking.may_ask():
            return entered(call, log, form.made_up(symbol), sure=sure, strict=strict).exit_code
        with asking.leaving():
            body: dict[str, Any] | None = form.filled(symbol)
        code = DECLINED
        while body is not None:
            outcome = entered(call, log, body, sure=sure, strict=strict)
            if not outcome.declined:
                return outcome.exit_code
            code = outcome.exit_code
            with asking.leaving():
                body = form.changed()
        return code


def _given(kind: str, words: Mapping[str, str]) -> dict[str, Any]:
    """The fields that the call names, as JSON values; raises InputError with all that is wrong with them."""
    from compliance.amending import json_text
    from compliance.domain.making import make_event
    from compliance.domain.vocabulary import KINDS

    for name, remedy in _SAID_OTHERWISE.items():
        if name in words:
            raise InputError(f"{name} is not said as a field", remedy)
    known = KINDS[kind].fields
    values = {
        name: json.loads(json_text(name, known[name], text)) if name in known else text
        for name, text in words.items()
    }
    body = {name: value for name, value in values.items() if value is not None}
    made = make_event({**body, "kind": kind}, source=SOURCE)
    wrong = (
        [p for p in made if p.code != "missing" or p.place.field in body] if isinstance(made, tuple) else []
    )
    if wrong:
        raise InputError(
            f"this {kind} cannot be recorded", "Mend what the command was given; nothing was written.", wrong
        )
    return body


class _Form:
    """An event while it is filled in."""

    def __init__(self, log: Log, given: Mapping[str, Any]) -> None:
        from compliance.domain.vocabulary import KINDS
        from compliance.ledger.history import LogHistory
        from compliance.persons import default_site

        self._history = LogHistory(log)
        self._body = {"id": f"{given['kind']}-{secrets.token_hex(8)}", **given}
        self._kind = KINDS[given["kind"]]
        self._site = given.get("site") or default_site(log)

    @property
    def _zone(self) -> str:
        from compliance.recent import zone_of

        return zone_of(self._history, self._body["site"]) or "UTC"

    def made_up(self, symbol: str | None) -> dict[str, Any]:
        """The event as it is, with site and time where nobody said them."""
        from compliance.domain.time import format_instant

        self._body = {"occurred_at": format_instant(now()), "site": self._site, **self._body}
        self._take(symbol)
        return self._body

    def filled(self, symbol: str | None) -> dict[str, Any]:
        """Ask for the site where there are several, for the time, for what is required, for what else there is; show it all."""
        asking.say(f"{self._kind.name}: {self._kind.says}. ? says more, Ctrl-C leaves.")
        if "site" not in self._body:
            self._body["site"] = self._asked_site()
        self._take(symbol)
        required = [name for name, spec in self._kind.fields.items() if spec.required]
        for name in ("occurred_at", *required):
            if name not in self._body and name != "kind":
                self._ask(name, self._likely(name))
        optional = [name for name in self._fields() if name not in required and name not in self._body]
        click.echo(err=True)
        asking.say("What else can be said:")
        asking.tell_choices(optional, self._notes)
        self._ask_named("Add which (? lists them, empty ends)", optional)
        self._show()
        return self._body

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
