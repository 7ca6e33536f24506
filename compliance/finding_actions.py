"""What a person does about a finding: give it to somebody, resolve it, reopen it (vocabulary, ``finding_action``).

Each is an event, judged and kept like any other. What cannot have an effect is refused here with its reason, before anything is written: a
finding that does not stand, one that is resolved already or was never resolved, a person nobody knows, words that say nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from compliance.bundles import Bundles
from compliance.domain.lookup import EVERY, key_of
from compliance.domain.time import end_of_local_day, format_date, format_instant, local_date
from compliance.engine.nights import zone_at
from compliance.errors import InputError
from compliance.intake.drafts import Draft
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log, system_clock
from compliance.ledger.vault import reach
from compliance.permissions import may_enter
from compliance.standing import StandingFinding, findings

SOURCE: Final = "<command line>"

SHORTEST: Final = 6
"""So many characters of an id are taken for it where no other finding's begins with them."""

NAMED: Final = 5
"""At most so many findings are named where an id is none."""

FARTHEST: Final = 3660
"""So many days ahead something may be due; a day that lies farther is a slip of the pen."""

_SECOND: Final = 1_000_000
_PEOPLE: Final = (
    ("access_change", "subject"),
    ("employment", "person"),
    ("training", "person"),
    ("presence", "person"),
)
"""Where a log says who works there."""


def find(log: Log, bundles: Bundles, name: str, as_of: int) -> StandingFinding:
    """The finding that stands as of an instant (microseconds) under an id, or under the beginning of one that no other has.

    Raises InputError where there is none or there are several, with those that may be meant.
    """
    wanted = name.strip().lower()
    every: list[StandingFinding] = []
    for one in findings(log, bundles, as_of):
        if one.id == wanted:
            return one
        every.append(one)
    begin = [one for one in every if one.id.startswith(wanted)] if len(wanted) >= SHORTEST else []
    if len(begin) == 1:
        return begin[0]
    if begin:
        raise InputError(
            f"the ids of {len(begin)} findings begin with {wanted}", f"Give more of it: {_named(begin)}."
        )
    raise InputError(*_unknown(log, wanted, every))


def assign(
    log: Log,
    bundles: Bundles,
    name: str,
    actor: str,
    person: str,
    *,
    due_on: int | None = None,
    note: str | None = None,
) -> Draft:
    """A finding is given to a person, to be seen to by the end of a day (an ordinal, a date at the finding's site).

    Raises InputError for a person of whom neither log nor vault knows, and for a day that is over.
    """
    at = system_clock()
    finding = find(log, bundles, name, at)
    if finding.state == "resolved":
        raise InputError(f"{finding.id} is resolved: there is nothing to be done", "Reopen it first.")
    if person != actor:
        _require_known(log, person)
    due_at = None if due_on is None else _end_of(log, bundles, finding, due_on, at)
    words = None if note is None else _words(note, "note")
    members = {"action": "assign", "assignee": person, "due_at": due_at, "justification": words}
    return _draft(log, bundles, finding, members, actor, at)


def resolve(log: Log, bundles: Bundles, name: str, actor: str, reason: str) -> Draft:
    """A finding is resolved: the reason says how. Raises InputError where it is already."""
    at = system_clock()
    finding = find(log, bundles, name, at)
    if finding.state == "resolved":
        raise InputError(
            f"{finding.id} is resolved already",
            f"`compliance findings show {finding.id}` says by whom; nothing was written.",
        )
    members = {"action": "resolve", "justification": _words(reason, "reason")}
    return _draft(log, bundles, finding, members, actor, at)


def reopen(log: Log, bundles: Bundles, name: str, actor: str, reason: str) -> Draft:
    """A finding that was resolved is open again. Raises InputError where it is not resolved."""
    at = system_clock()
    finding = find(log, bundles, name, at)
    if finding.state != "resolved":
        raise InputError(
            f"{finding.id} is not resolved, it is {finding.state}", "There is nothing to reopen."
        )
    members = {"action": "reopen", "justification": _words(reason, "reason")}
    return _draft(log, bundles, finding, members, actor, at)


def _draft(
    log: Log, bundles: Bundles, finding: StandingFinding, members: Mapping[str, Any], actor: str, at: int
) -> Draft:
    """The event; it is about the patient of the finding's event, under whose key its words come to lie."""
    if not may_enter(log, bundles.active().bundle, actor, "finding_action", at):
        raise InputError(
            f"{actor} has no account whose role may enter a finding_action",
            "Have it done by a person with that right (permissions in bundle.yaml; `access_change` gives roles).",
        )
    body = finding.event.body
    return Draft.of_command({
        "id": f"finding-{secrets.token_hex(8)}", "kind": "finding_action", "occurred_at": format_instant(at), "actor": actor,
        **{name: body[name] for name in ("site", "patient", "session") if name in body},
        "finding": finding.id, **{name: value for name, value in members.items() if value is not None},
    }, SOURCE)  # fmt: skip


def _words(text: str, what: str) -> str:
    if not text.strip():
        raise InputError(
            f"the {what} is empty", "Say what was done or found; whoever reads it later was not there."
        )
    return text.strip()


def _end_of(log: Log, bundles: Bundles, finding: StandingFinding, due_on: int, at: int) -> str:
    """The last second of a day at the finding's site."""
    zone = zone_at(bundles.active(), LogHistory(log), finding.event, at)
    today = local_date(at, zone)
    if due_on < today:
        raise InputError(f"{format_date(due_on)} is over", "Name today or a day that lies ahead.")
    if due_on > today + FARTHEST:
        raise InputError(f"{format_date(due_on)} is more than ten years ahead", "Name a day that is near.")
    return format_instant(end_of_local_day(due_on, zone) - _SECOND, zone)


def _require_known(log: Log, person: str) -> None:
    if any(next(log.key_scan(key_of(kind, field, person)), None) for kind, field in _PEOPLE):
        return
    with reach(log, write=False) as way:
        if way is not None and any(known.kind == "staff" for known in way.vault.persons.known(person)):
            return
    history = LogHistory(log)
    people = {
        str(event.values[field])
        for kind, field in _PEOPLE
        for event in history.newest_first(kind, EVERY, "", None, None)
    }
    near = get_close_matches(person, people, 1)
    raise InputError(
        f"nobody is known as {person!r}",
        f"Did you mean {near[0]}?" if near else "Name a staff id that has an account or was entered.",
    )


def _unknown(log: Log, name: str, every: list[StandingFinding]) -> tuple[str, str]:
    """What is wrong with an id that is no finding's, and what may be meant."""
    if len(name) < SHORTEST:
        return f"{name!r} is too short for an id", f"Give at least its first {SHORTEST} characters."
    if next(log.key_scan(key_of("finding_action", "finding", name)), None) is not None:
        return (
            f"the finding {name} does not stand any more",
            "A later judgement or another night found that it holds; there is nothing to be done about it.",
        )
    ids = [one.id for one in every]
    near = get_close_matches(name, ids, 1)
    if near:
        return f"there is no finding {name!r}", f"Did you mean {near[0]}?"
    opened = [one for one in every if one.state == "open"]
    return (
        f"there is no finding {name!r}",
        f"Open are: {_named(opened)}." if opened else "Nothing is open.",
    )


def _named(found: Iterable[StandingFinding]) -> str:
    each = [f"{one.id} ({one.explained.rule.id}, {one.event.id})" for one in found]
    more = f" and {len(each) - NAMED} more" if len(each) > NAMED else ""
    return ", ".join(each[:NAMED]) + more
