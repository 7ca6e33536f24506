"""``compliance session``: a nurse and one treatment session, step by step.

All that is done is in the log, and the session is read out of it anew before each screen: it goes on after a crash, on another
machine, by another nurse, and takes in what came by file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import click

from compliance.errors import InputError

from . import asking, opening, output, session_screen
from .application import Call, Command, pass_call
from .types import as_of_option, by_clock

if TYPE_CHECKING:
    from compliance.bundles import Bundles
    from compliance.ledger.history import LogHistory
    from compliance.ledger.log import Log
    from compliance.session_standing import Standing, Stood
    from compliance.session_steps import Step

WAIT: Final = "wait"
STOP: Final = "stop"
LEAVE: Final = "leave"


@dataclass(slots=True)
class Clock:
    """What time it is: that of the log's clock, or, for a session entered as of a past time, an instant that goes on with what is entered."""

    standing: int | None = None

    def __call__(self) -> int:
        """Microseconds since the epoch."""
        from compliance.ledger.log import system_clock

        return system_clock() if self.standing is None else self.standing

    def reaches(self, at: int) -> None:
        """Something is entered that happened then."""
        if self.standing is not None:
            self.standing = max(self.standing, at)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which session the caller means, as far as they said."""

    patient: str | None
    session: str | None
    drug: str | None
    site: str | None


def _as_field(_: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """An option's value as the vocabulary takes it."""
    from compliance.domain.making import field_problems
    from compliance.domain.vocabulary import KINDS

    assert option.name is not None
    problems = () if value is None else field_problems(KINDS["administration"].fields[option.name], value)
    if problems:
        raise click.BadParameter(f"{problems[0].message}; {problems[0].remedy}")
    return value


@click.command(
    cls=Command,
    examples=(
        "compliance session",
        "compliance session --patient P1 --drug esketamine_nasal_28mg",
        "compliance session --patient P1 --session S-20260302-P1 --output json",
        "compliance session --patient P1 --as-of 2026-03-02T09:00:00-06:00",
    ),
)
@click.option("--patient", metavar="ID", callback=_as_field, help="Whose session; asked for, where left out.")
@click.option("--session", metavar="ID", callback=_as_field, help="Else the one going on, or a new one.")
@click.option(
    "--drug", metavar="CODE", callback=_as_field, help="Else that of the order or the doses on record."
)
@click.option(
    "--site", metavar="ID", callback=_as_field, help="Else that of the session, or the only one there is."
)
@as_of_option
@pass_call
def session(call: Call, /, as_of: int | None, **said: str | None) -> int:
    """Go through one treatment session in order: what is done, what is next, what is due when, and what would be denied.

    Starts a session, or goes on with it where it stands. At a terminal each step is asked for, judged, shown and confirmed before it is
    recorded; what was done is never refused. Elsewhere, and with --output json, it says where the session stands and asks nothing.
    With --as-of the clock stands at that time and goes on with the times that are entered.

    Exits 1 where something is denied, overdue or was done late.
    """
    asked, clock = Asked(**said), Clock(as_of)
    if call.json or not asking.may_ask():
        return _tell(call, asked, clock)
    actor = opening.acting(call)
    with opening.writing(call) as log, by_clock(clock), asking.leaving(_kept):
        return _Talk(call, log, asked, clock, actor).run()


def _kept() -> str:
    return "What was recorded is in the log; the same call goes on from there."


def _tell(call: Call, asked: Asked, clock: Clock) -> int:
    from compliance.bundles import Bundles
    from compliance.session_found import find_session
    from compliance.session_standing import standing

    if asked.patient is None:
        raise click.UsageError("Name the patient with --patient.")
    with opening.reading(call) as log, log.reading():
        at = clock()
        known = find_session(
            log, at, patient=asked.patient, session=asked.session, drug=asked.drug, site=asked.site
        )
        session_screen.say_new(known)
        if known.drug is None or known.site is None:
            name = "drug" if known.drug is None else "site"
            raise InputError(f"the {name} of this session is not on record", f"Name it with --{name}.")
        found = standing(
            log, Bundles(log, written=False), at, patient=asked.patient, session=known.session, drug=known.drug, site=known.site,
            actor=call.actor,
        )  # fmt: skip
    if call.json:
        output.echo_json(session_screen.standing_json(found))
    else:
        session_screen.show(found)
    return _exit_code(found)


def _exit_code(found: Standing) -> int:
    return int(any(row.objectionable for row in found.steps))


class _Talk:
    """The talk with one nurse about one session."""

    def __init__(self, call: Call, log: Log, asked: Asked, clock: Clock, actor: str) -> None:
        from compliance.bundles import Bundles

        self._call, self._log, self._clock, self._actor = call, log, clock, actor
        self._bundles: Bundles = Bundles(log)
        self._declined: dict[str, dict[str, Any]] = {}
        self._which = self._found(asked)

    def run(self) -> int:
        """Step after step, until the nurse leaves or nothing is left."""
        from compliance import session_steps

        while True:
            found = self._standing()
            session_screen.show(found)
            if found.finished:
                return _exit_code(found)
            wanted = self._wanted(found)
            if wanted == LEAVE:
                click.echo(_kept(), err=True)
                return _exit_code(found)
            if wanted == WAIT:
                self._wait()
            elif wanted == STOP:
                self._enter(session_steps.STOP, found)
            else:
                self._do(found.step(wanted), found)

    def _found(self, asked: Asked) -> dict[str, Any]:
        """Which session it is; what nobody said and no event says is asked."""
        from compliance.domain.vocabulary import KINDS
        from compliance.ledger.history import LogHistory
        from compliance.session_found import find_session
        from compliance.site_zones import site_zone

        fields = KINDS["administration"].fields
        patient = asked.patient or asking.ask(fields["patient"], zone="UTC")
        known = find_session(
            self._log, self._clock(), patient=patient, session=asked.session, drug=asked.drug, site=asked.site
        )
        session_screen.say_new(known)
        zone = site_zone(LogHistory(self._log), known.site, self._clock())
        site = known.site or asking.ask(fields["site"], zone=zone)
        drug = known.drug or asking.ask(fields["drug"], zone=zone)
        return {"patient": patient, "session": known.session, "drug": drug, "site": site}

    def _standing(self) -> Standing:
        from compliance.session_standing import standing

        return standing(self._log, self._bundles, self._clock(), actor=self._actor, **self._which)

    def _wanted(self, found: Standing) -> str:
        """What the nurse wants to do: a step, or to wait, stop or leave."""
        usual = WAIT if found.next is None else found.next.progress.step.name
        steps = [
            row.progress.step for row in found.steps if row.progress.open or not row.progress.step.number
        ]
        answer = asking.chosen(
            f"Enter for {usual}; another step, {WAIT}, {STOP}, {LEAVE} (? lists them)",
            [*(s.name for s in steps), WAIT, STOP, LEAVE],
        )
        return answer or usual

    def _wait(self) -> None:
        """By the log's clock time goes on by itself; a clock that stands is put on."""
        from compliance.domain.time import parse_instant
        from compliance.domain.vocabulary import KINDS

        if self._clock.standing is None:
            return
        spec = replace(KINDS["administration"].fields["occurred_at"], name="until", says="Wait until when")
        self._clock.reaches(parse_instant(asking.ask(spec, zone=self._zone)))

    def _asked(self, history: LogHistory, body: dict[str, Any], name: str, default: Any) -> Any:
        """One field of an event; where nothing is offered from the session itself, what the log knows is."""
        from compliance.domain.vocabulary import KINDS
        from compliance.recent import recent

        from .scanning import SCANNED, scanned

        known = recent(history, name, body, self._zone) if default is None else {}
        scan = partial(scanned, history, body, name) if name in SCANNED else None
        spec = KINDS[body["kind"]].fields[name]
        return asking.ask(
            spec, zone=self._zone, default=default, offered=tuple(known), notes=known, scan=scan
        )

    @property
    def _zone(self) -> str:
        from compliance.ledger.history import LogHistory
        from compliance.site_zones import site_zone

        return site_zone(LogHistory(self._log), self._which["site"], self._clock())

    def _do(self, row: Stood, found: Standing) -> None:
        """One step; out of its turn only after the nurse has seen why it is."""
        untimely = self._untimely(row, found)
        if untimely:
            asking.say(untimely)
            session_screen.show_ahead(row)
            if not asking.confirmed("Enter it all the same?", default=False):
                return
        self._enter(row.progress.step, found)

    def _untimely(self, row: Stood, found: Standing) -> str:
        from compliance.session_steps import State

        at = row.progress
        if at.not_before is not None and at.not_before > self._clock() and at.open:
            return f"{at.step.says}: {session_screen.when(row, self._clock(), self._zone)}."
        if at.state is State.WAITING and not at.step.again and found.next is not None:
            return f"{at.step.says} comes after: {found.next.progress.step.says}."
        return ""

    def _enter(self, step: Step, found: Standing) -> None:
        """Ask for a step's event, field by field; it is judged, shown, and recorded when the nurse agrees."""
        from compliance.domain.time import SECOND, parse_instant
        from compliance.ledger.history import LogHistory
        from compliance.session_offers import body_of

        from .entering import entered

        click.echo(f"\n{click.style(step.says, bold=True)}", err=True)
        at = self._clock()
        seen = replace(found.seen, now=at - at % SECOND)
        offered = body_of(step, found.about, seen, self._actor, f"{step.name}-{uuid4().hex[:12]}")
        offered |= self._declined.pop(step.name, {})
        body = {name: value for name, value in offered.items() if name not in step.asks}
        history = LogHistory(self._log)
        for name in step.asks:
            if name not in body:  # a scan may have said several
                value = self._asked(history, body, name, offered.get(name))
                body |= {} if value is None else {name: value}
        done = entered(self._call, self._log, body, sure=False, strict=False, bundles=self._bundles)
        if done.declined:  # what was typed is offered again
            self._declined[step.name] = {name: value for name, value in body.items() if name in step.asks}
        if done.recorded:
            for name in ("occurred_at", "completed_at"):
                if name in body:
                    self._clock.reaches(parse_instant(body[name]))
