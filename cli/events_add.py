"""``compliance events add``: one event, typed at the keyboard or given as fields."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from compliance.errors import InputError

from . import asking, opening, results
from .application import Call, Command, pass_call
from .entering import SOURCE, entered
from .scanning import SCANNED, scanned, take_scan
from .types import KIND, assigned, now

if TYPE_CHECKING:
    from compliance.ledger.history import LogHistory
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

    On a terminal what is missing is asked, the verdict is shown, and nothing is written before you agree. Elsewhere nothing is asked.
    Lists and records are written as JSON. The id, the time (now) and the site (the log's first) need not be given.
    """
    if kind in _OWN_COMMANDS:
        raise InputError(
            f"{kind} has a command of its own",
            f"Use `compliance {_OWN_COMMANDS[kind]}`; it finds what it is about.",
        )
    actor = opening.acting(call)
    given = _given(kind, assigned(fields))
    with opening.writing(call) as log:
        body = _completed(log, {"actor": actor, **given, "kind": kind}, symbol, ask=asking.may_ask())
        return entered(call, log, body, sure=sure, strict=strict).exit_code


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


def _completed(log: Log, given: Mapping[str, Any], symbol: str | None, *, ask: bool) -> dict[str, Any]:
    """The body with what was scanned, what can be made up, and what the person answers."""
    from compliance.ledger.history import LogHistory
    from compliance.persons import default_site

    body = {"id": f"{given['kind']}-{secrets.token_hex(8)}", **given}
    form = _Form(LogHistory(log), body, given.get("site") or default_site(log))
    if not ask:
        return form.made_up(symbol)
    with asking.leaving():
        return form.filled(symbol)


class _Form:
    """An event while it is filled in."""

    def __init__(self, history: LogHistory, body: dict[str, Any], site: str) -> None:
        from compliance.domain.vocabulary import KINDS

        self._history = history
        self._body = body
        self._kind = KINDS[body["kind"]]
        self._site = site
        self._zone = "UTC"

    def made_up(self, symbol: str | None) -> dict[str, Any]:
        """The event as it is, with site and time where nobody said them."""
        from compliance.domain.time import format_instant

        self._body = {"occurred_at": format_instant(now()), "site": self._site, **self._body}
        self._take(symbol)
        return self._body

    def filled(self, symbol: str | None) -> dict[str, Any]:
        """Ask for the site where there are several, for the time, for what is required, for what else there is; show it all."""
        from compliance.recent import zone_of

        asking.say(f"{self._kind.name}: {self._kind.says}. ? says more, Ctrl-C leaves.")
        if "site" not in self._body:
            self._body["site"] = self._asked_site()
        zone = zone_of(self._history, self._body["site"])
        if zone is None:
            asking.say(f"The log does not know the time zone of {self._body['site']}; times are in UTC.")
        self._zone = zone or "UTC"
        self._take(symbol)
        self._ask("occurred_at", default="now")
        for name, spec in self._kind.fields.items():
            if spec.required:
                self._ask(name)
        self._ask_further()
        self._show()
        return self._body

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
        asked: str = asking.ask(self._kind.fields["site"], zone="UTC", default=self._site, offered=known)
        return asked

    def _ask(self, name: str, default: str | None = None) -> None:
        """Ask for one field, unless it is there."""
        from compliance.intake.answers import read_answer
        from compliance.recent import recent

        if name in self._body or name == "kind":
            return
        spec = self._kind.fields[name]
        standing = None if default is None else read_answer(spec, default, zone_name=self._zone, now=now())
        offered = recent(self._history, name, self._body, self._zone)
        value = asking.ask(
            spec,
            zone=self._zone,
            default=standing,
            offered=tuple(offered),
            notes=offered,
            scan=partial(scanned, self._history, self._body, name) if name in SCANNED else None,
        )
        if value is not None:
            self._body[name] = value

    def _ask_further(self) -> None:
        """Offer the optional fields by name until the person has no more to say."""
        while True:
            left = [
                name
                for name, spec in self._kind.fields.items()
                if name not in self._body and not spec.required and not spec.derived and name != "intent"
            ]
            if not left:
                return
            click.echo(err=True)
            asking.say("What else can be said:")
            asking.tell_choices(left, {name: self._kind.fields[name].says for name in left})
            name = asking.chosen("Add which (empty ends)", left)
            if name is None:
                return
            self._ask(name)

    def _show(self) -> None:
        from compliance.intake.answers import shown

        fields = self._kind.fields
        click.echo(err=True)
        wide = max(map(len, self._body))
        for name in (*_SAID_FIRST, *(name for name in self._body if name not in _SAID_FIRST)):
            text = self._body[name] if name == "kind" else shown(fields[name], self._body[name], self._zone)
            unit = fields[name].unit if name != "kind" else None
            asking.say(
                f"{name.ljust(wide)}  {text}{f' {unit}' if unit and 'quantity_unit' not in unit else ''}"
            )
