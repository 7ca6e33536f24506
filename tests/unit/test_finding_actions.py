"""What a person does about a finding: what is refused, what the event says, and how long a resolution holds (engine.md, "Findings")."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any, TypeAlias

import pytest

from compliance.bundles import Bundles
from compliance.domain.time import format_date, local_date, parse_instant
from compliance.engine.duties import finding_id
from compliance.errors import InputError
from compliance.finding_actions import SHORTEST, assign, find, reopen, resolve
from compliance.intake.drafts import Draft
from compliance.ledger.log import Log, system_clock
from compliance.ledger.vault import reach
from compliance.policy.model import Bundle
from compliance.record import Recorded, Result
from compliance.standing import findings
from tests.recording import (
    CONSENTED,
    DAY,
    PHONED,
    PRESSURE,
    body,
    bundle,
    correction,
    fresh_log,
    put_in_force,
    record,
    rule,
    void,
)

Body: TypeAlias = dict[str, Any]
Make: TypeAlias = Callable[[Log, Bundles], Draft]

RULES = bundle(CONSENTED, PRESSURE, PHONED)
ZONE = "America/Chicago"
GIVEN = {"id": "D-1", "patient": "P1", "session": "T1"}
NAME = finding_id("consented", "D-1", "event")
OTHER = finding_id("pressure-first", "D-1", "event")
TODAY = local_date(system_clock(), ZONE)
GRANTED = {"subject": "RN-1", "subject_kind": "human", "action": "grant", "role": "prescriber", "set_by": ["A9"], "approved_by": "A9",
           "starts_at": f"{DAY}08:00:00-06:00"}  # fmt: skip


@contextmanager
def clinic(*bodies: Body, vault: bool = False, rules: Bundle = RULES) -> Iterator[Log]:
    """A log with a dose to which two rules object."""
    with fresh_log(vault=vault) as log:
        put_in_force(log, rules)
        profile = body("site_profile", "07:00", time_zone=ZONE)
        say(log, profile, body("access_change", "08:00", **GRANTED), body("administration", **GIVEN), *bodies)
        yield log


@pytest.fixture(scope="module")
def dosed() -> Iterator[Log]:
    """Such a log, to which nothing is written; one finding is resolved, one that once was is gone."""
    with clinic() as log:
        settle(log, OTHER)
        say(log, body("administration", "10:00", id="D-0"))
        gone = finding_id("consented", "D-0", "event")
        say(log, body("finding_action", "11:00", finding=gone, action="note"), void({"id": "D-0"}, "V-0"))
        yield log


def say(log: Log, *bodies: Body) -> list[Result]:
    return record(log, Bundles(log).active(), *bodies)


def settle(log: Log, name: str, action: str = "resolve", at: str = "2026-03-03T09:00:00-06:00") -> Body:
    """A person did that, at another time than now."""
    (made,) = say(log, body("finding_action", at, finding=name, action=action))
    assert isinstance(made, Recorded)
    return dict(made.draft.event.body)


def states(log: Log, as_of: str = "2026-04-01T00:00:00Z") -> dict[tuple[str, str], str]:
    """(rule, event) of what stands, with its state."""
    found = findings(log, Bundles(log), parse_instant(as_of))
    return {(one.explained.rule.id, one.event.id): one.state for one in found}


# ---- what the events say


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda log, b: assign(log, b, NAME, "A9", "RN-1"), {"action": "assign", "assignee": "RN-1"}),
        (lambda log, b: assign(log, b, NAME, "NEW-1", "NEW-1"), {"action": "assign", "assignee": "NEW-1"}),
        (lambda log, b: assign(log, b, NAME, "A9", "RN-1", note=" phone first "),
         {"action": "assign", "assignee": "RN-1", "justification": "phone first"}),
        (lambda log, b: resolve(log, b, NAME, "A9", "consent was on paper"),
         {"action": "resolve", "justification": "consent was on paper"}),
        (lambda log, b: reopen(log, b, OTHER, "A9", "it was not"),
         {"finding": OTHER, "action": "reopen", "justification": "it was not"}),
        (lambda log, b: resolve(log, b, NAME[:SHORTEST].upper(), "A9", "x"), {"action": "resolve", "justification": "x"}),
    ],
    ids=["assign", "assign to oneself", "with a note", "resolve", "reopen", "by the beginning of the id"],
)  # fmt: skip
def test_an_action_is_an_event_about_the_finding_and_its_patient(
    dosed: Log, make: Make, says: Mapping[str, Any]
) -> None:
    """With the finding's whole id, and under the site, patient and visit of the event that it is about."""
    made = make(dosed, Bundles(dosed)).event.body
    about = {"finding": NAME, "kind": "finding_action", "site": "S1", "patient": "P1", "session": "T1"}
    actor = "NEW-1" if says.get("assignee") == "NEW-1" else "A9"
    given = {name: value for name, value in made.items() if name not in ("id", "occurred_at")}
    assert given == {**about, "actor": actor, **says}
    assert system_clock() - parse_instant(made["occurred_at"]) < 60_000_000


@pytest.mark.parametrize("days", [0, 1, 400])
def test_a_day_by_which_something_is_due_ends_at_the_site(dosed: Log, days: int) -> None:
    """Its last second, by the clock of the site; today is still to come."""
    made = assign(dosed, Bundles(dosed), NAME, "A9", "RN-1", due_on=TODAY + days).event.body
    assert made["due_at"].startswith(f"{format_date(TODAY + days)}T23:59:59-0")


# ---- what is refused


@pytest.mark.parametrize(
    ("make", "message", "remedy"),
    [
        (lambda log, b: resolve(log, b, OTHER, "A9", "x"), f"{OTHER} is resolved already", f"findings show {OTHER}"),
        (lambda log, b: reopen(log, b, NAME, "A9", "x"), f"{NAME} is not resolved, it is open", "nothing to reopen"),
        (lambda log, b: assign(log, b, OTHER, "A9", "RN-1"), f"{OTHER} is resolved: there is nothing to be done", "Reopen it"),
        (lambda log, b: resolve(log, b, NAME, "A9", " \n"), "the reason is empty", "Say what was done"),
        (lambda log, b: reopen(log, b, OTHER, "A9", ""), "the reason is empty", "Say what was done"),
        (lambda log, b: assign(log, b, NAME, "A9", "RN-1", note=""), "the note is empty", "Say what was done"),
        (lambda log, b: assign(log, b, NAME, "A9", "RN-7"), "nobody is known as 'RN-7'", "Did you mean RN-1?"),
        (lambda log, b: assign(log, b, NAME, "A9", "S1"), "nobody is known as 'S1'", "Name a staff id"),
        (lambda log, b: assign(log, b, NAME, "A9", "RN-1", due_on=TODAY - 1), f"{format_date(TODAY - 1)} is over", "Name today"),
        (lambda log, b: assign(log, b, NAME, "A9", "RN-1", due_on=TODAY + 4000), "more than ten years ahead", "is near"),
        (lambda log, b: resolve(log, b, "0" * 16, "A9", "x"), f"there is no finding '{'0' * 16}'", f"Open are: {NAME} (consented, D-1)."),
        (lambda log, b: resolve(log, b, NAME[:-1] + "-", "A9", "x"), "there is no finding", f"Did you mean {NAME}?"),
        (lambda log, b: resolve(log, b, NAME[: SHORTEST - 1], "A9", "x"), "is too short for an id", "at least its first 6 characters"),
        (lambda log, b: resolve(log, b, "", "A9", "x"), "is too short for an id", "at least its first 6 characters"),
        (lambda log, b: reopen(log, b, finding_id("consented", "D-0", "event"), "A9", "x"), "does not stand any more", "it holds"),
        (lambda log, b: resolve(log, b, NAME, "A 9", "x"), "this finding_action cannot be recorded", "nothing was written"),
    ],
)  # fmt: skip
def test_what_cannot_have_an_effect_is_refused(dosed: Log, make: Make, message: str, remedy: str) -> None:
    """With its reason and what may be meant; nothing is written."""
    size = dosed.size
    with pytest.raises(InputError) as refused:
        make(dosed, Bundles(dosed))
    assert message in refused.value.message
    assert remedy in refused.value.remedy
    assert dosed.size == size


def test_nothing_open_is_said() -> None:
    """Where there is nothing, nothing is meant."""
    with clinic() as log:
        say(log, void({"id": "D-1"}, "V-1"))
        with pytest.raises(InputError) as refused:
            find(log, Bundles(log), "0" * 16, system_clock())
        assert refused.value.remedy == "Nothing is open."


def test_several_findings_that_begin_alike_are_named() -> None:
    """The beginning of two ids is neither's; one character more is one's."""
    seen: dict[str, str] = {}
    for number in count():
        event = f"A-{number}"
        name = finding_id("consented", event, "event")
        if name[:SHORTEST] in seen:
            break
        seen[name[:SHORTEST]] = event
    twin = seen[name[:SHORTEST]]
    with clinic(body("administration", "11:00", id=event), body("administration", "12:00", id=twin)) as log:
        with pytest.raises(InputError) as refused:
            resolve(log, Bundles(log), name[:SHORTEST], "A9", "x")
        assert f"the ids of 2 findings begin with {name[:SHORTEST]}" in refused.value.message
        assert event in refused.value.remedy
        assert twin in refused.value.remedy
        whole = finding_id("consented", twin, "event")
        assert find(log, Bundles(log), whole, system_clock()).event.id == twin


def test_whom_the_log_or_the_vault_knows_is_known() -> None:
    """By an account, employment, training or presence; by the vault where that person is staff, not a patient."""
    known = (
        body("employment", person="WORKS"), body("training", person="LEARNT"), body("presence", person="WAS-THERE"),
    )  # fmt: skip
    with clinic(*known, vault=True) as log:
        with reach(log) as way:
            assert way is not None
            way.vault.persons.refresh()
            for pseudonym, kind in (("IN-VAULT", "staff"), ("P9", "patient")):
                version, salt = way.vault.persons.new_version(pseudonym, {"name": "X"}, "2026-01-01", 0, "E")
                way.vault.persons.store(version, salt, kind, ())
            way.vault.commit(None)
        for person in ("RN-1", "WORKS", "LEARNT", "WAS-THERE", "IN-VAULT"):
            assert assign(log, Bundles(log), NAME, "A9", person).event.values["assignee"] == person
        for person in ("P9", "P1", "NOBODY"):
            with pytest.raises(InputError, match="nobody is known as"):
                assign(log, Bundles(log), NAME, "A9", person)


# ---- how long it holds


PRESSED = body("vital_signs", "08:50", id="B-1", session="T1", systolic_mmhg=120)
HIGH = correction(PRESSED, "C-1", ("systolic_mmhg", 120, 180))


@pytest.mark.parametrize(
    ("before", "after", "state"),
    [
        ([], [], "resolved"),
        ([], [PRESSED, void(PRESSED, "V-1")], "open"),
        ([], [PRESSED, HIGH], "open"),
        ([PRESSED, HIGH], [], "resolved"),
        ([PRESSED, HIGH], [body("consent", "08:00", consent="C1", action="given")], "resolved"),
        ([PRESSED, HIGH], [void(HIGH, "V-2")], None),
        ([PRESSED, HIGH], [void(HIGH, "V-2"), void(PRESSED, "V-3")], "open"),
        ([], [correction({"id": "D-1"}, "C-9", ("lot", None, "L9"))], "resolved"),
    ],
    ids=["nothing comes", "cleared, found again", "cleared, found high", "found high before", "another rule is content", "cleared",
         "cleared, found again without it", "judged the same"],
)  # fmt: skip
def test_a_resolution_covers_what_was_seen(before: list[Body], after: list[Body], state: str | None) -> None:
    """As long as every judgement of the event finds the same by the rule; the id stays, so what was done before is still told."""
    with clinic(*before) as log:
        say(log, body("finding_action", "2026-03-02T21:00:00-06:00", finding=OTHER, action="resolve"))
        assert states(log)["pressure-first", "D-1"] == "resolved"
        say(log, *after)
        assert states(log).get(("pressure-first", "D-1")) == state
        if state is not None:
            found = find(log, Bundles(log), OTHER, system_clock())
            assert [one.values["action"] for one in found.actions] == ["resolve"]
            if state == "open":
                settle(log, OTHER)
                assert states(log)["pressure-first", "D-1"] == "resolved"


def test_an_undecided_finding_that_turns_out_to_fail_is_open_again() -> None:
    """Who resolved what nobody could decide has not seen the failure; once it is resolved as it stands, it stays so."""
    sized = rule("sized", "administration", "administration.device_number < 3", severity="warn")
    name = finding_id("sized", "D-1", "event")
    with clinic(rules=bundle(sized)) as log:
        assert find(log, Bundles(log), name, system_clock()).explained.outcome == "indeterminate"
        settle(log, name)
        assert states(log)["sized", "D-1"] == "resolved"
        say(log, correction({"id": "D-1"}, "C-1", ("device_number", None, 3)))
        assert states(log)["sized", "D-1"] == "open"
        settle(log, name)
        assert states(log)["sized", "D-1"] == "resolved"


def test_another_rule_that_objects_later_is_open() -> None:
    """A resolution is of one finding; what a later judgement finds besides has its own id."""
    with clinic(PRESSED) as log:
        settle(log, NAME)
        say(log, HIGH)
        assert states(log) == {("consented", "D-1"): "resolved", ("pressure-first", "D-1"): "open"}


def test_a_void_takes_an_action_back() -> None:
    """A resolution that never happened resolves nothing."""
    with clinic() as log:
        done = settle(log, NAME)
        say(log, void(done, "V-9", at="2026-03-04T09:00:00-06:00"))
        assert states(log)["consented", "D-1"] == "open"


def test_a_duty_is_one_finding_through_its_states() -> None:
    """Missed and resolved, then met late: the same finding, and it stays resolved."""
    left = body("discharge", "12:00", id="L-1", patient="P2")
    with clinic(left) as log:
        name = finding_id("phoned", "L-1", "duty")
        settle(log, name, at="2026-03-04T09:00:00-06:00")
        assert states(log)["phoned", "L-1"] == "resolved"
        say(log, body("follow_up", "2026-03-05T09:00:00-06:00", patient="P2"))
        assert states(log)["phoned", "L-1"] == "resolved"


COUNTED = {
    **{key: value for key, value in rule("counted", "registration", "last != null").items() if key != "on"},
    "every": "night", "per": {"each": "registration"}, "given": {"last": {"latest": "inventory_count", "by": ["registration"], "within": "3d"}},
}  # fmt: skip


def test_a_night_that_holds_ends_the_episode() -> None:
    """A standing rule that fails again after that is another finding, with its own id, and open."""
    with fresh_log() as log:
        put_in_force(log, bundle(COUNTED))
        say(log, body("registration", "2026-03-01T08:00:00-06:00", id="R-1", registration="R1"))
        (first,) = findings(log, Bundles(log), parse_instant("2026-03-02T12:00:00Z"))
        settle(log, first.id, at="2026-03-02T13:00:00Z")
        say(log, body("inventory_count", "2026-03-03T09:00:00-06:00", registration="R1", complete=True))
        assert states(log, "2026-03-02T23:00:00Z") == {("counted", "R-1"): "resolved"}
        assert states(log, "2026-03-04T12:00:00Z") == {}
        (second,) = findings(log, Bundles(log), parse_instant("2026-03-09T12:00:00Z"))
        assert (second.state, second.actions) == ("open", ())
        assert second.id != first.id
        begun = [format_date(one.since) for one in (first, second) if one.since is not None]
        assert begun == ["2026-03-01", "2026-03-06"]


def test_the_latest_assignment_counts() -> None:
    """Who is assigned last has it, with what was then said of when; reopening changes nothing about that."""
    with clinic() as log:
        for at, who in (("09:00", "RN-1"), ("10:00", "RN-2")):
            say(
                log,
                body(
                    "finding_action", f"2026-03-03T{at}:00-06:00", finding=NAME, action="assign", assignee=who
                ),
            )
        settle(log, NAME, at="2026-03-03T11:00:00-06:00")
        settle(log, NAME, "reopen", at="2026-03-03T12:00:00-06:00")
        one = find(log, Bundles(log), NAME, system_clock())
        assert (one.assigned_to, one.state) == ("RN-2", "open")
        assert [a.values["action"] for a in one.actions] == ["assign", "assign", "resolve", "reopen"]
        say(log, body("finding_action", "2026-03-03T13:00:00-06:00", finding=NAME, action="assign"))
        assert find(log, Bundles(log), NAME, system_clock()).assigned_to is None
