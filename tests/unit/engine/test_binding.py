"""Facts of the history, quantifier by quantifier (policy-language.md, "Facts")."""

from __future__ import annotations

import json
from typing import Any

import pytest

from compliance.domain.values import SCALE, UNKNOWN
from compliance.engine.history import MemoryHistory
from tests.rulebook import entry, fact, facts

VITALS = "vital_signs"


def dose(at: str, **fields: Any) -> dict[str, Any]:
    return entry("administration", at, **{"dose_mg": "28", **fields})


def vitals(at: str, **fields: Any) -> dict[str, Any]:
    return entry(VITALS, at, **{"session": "T1", **fields})


def leaving(at: str = "12:00", **fields: Any) -> dict[str, Any]:
    return entry("discharge", at, **{"id": "leaving", **fields})


def agreed(at: str, action: str = "given", **fields: Any) -> dict[str, Any]:
    return entry("consent", at, **{"consent": "C1", "action": action, **fields})


def corrected(target: str, name: str, old: Any, new: Any, **fields: Any) -> dict[str, Any]:
    change = {"name": name, "old": json.dumps(old), "new": json.dumps(new)}
    return entry(
        "correction",
        "20:00",
        **{"id": f"c-{target}", "corrects": target, "reason": "typed wrongly", "fields": [change], **fields},
    )


def voiding(target: str) -> dict[str, Any]:
    return entry("void", "20:00", id=f"v-{target}", corrects=target, reason="entered twice")


def which(found: Any) -> Any:
    """An event by its id; anything else as it is."""
    return found["id"] if isinstance(found, dict) else found


# ---- what each gives, and whether the judged event counts

DOSES = [dose("09:00", id="d1"), dose("09:10", id="d2"), dose("09:20", id="d3")]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"latest": "administration"}, "d2"),
        ({"latest": "administration", "self": True}, "d3"),
        ({"earliest": "administration"}, "d1"),
        ({"any": "administration", "where": "it.dose_mg == 28"}, "d2"),
        ({"any": "administration", "where": "it.id == 'd3'"}, None),
        ({"any": "administration", "where": "it.id == 'd3'", "self": True}, "d3"),
        ({"none": "administration"}, False),
        ({"none": "administration", "where": "it.id == 'd3'"}, True),
        ({"none": "administration", "where": "it.id == 'd3'", "self": True}, False),
        ({"count": "administration"}, 3 * SCALE),
        ({"count": "administration", "self": False}, 2 * SCALE),
        ({"sum": "administration.dose_mg"}, 84 * SCALE),
        ({"sum": "administration.dose_mg", "self": False}, 56 * SCALE),
        ({"sum": "administration.dose_mg", "where": "it.id != 'd3'"}, 56 * SCALE),
        ({"latest": "discharge"}, None),
        ({"none": "discharge"}, True),
        ({"count": "discharge"}, 0),
        ({"sum": "wastage.quantity"}, 0),
    ],
    ids=str,
)
def test_what_a_quantifier_gives(given: dict[str, Any], expected: Any) -> None:
    """Counts and sums include the judged event, the others leave it out unless told."""
    assert which(fact(given, DOSES)) == expected


def test_the_first_dose_of_the_session_may_be_this_one() -> None:
    """`earliest` with `self` is the judged event where nothing came before."""
    assert which(fact({"earliest": "administration", "self": True}, DOSES, "d1")) == "d1"
    assert fact({"earliest": "administration"}, DOSES, "d1") is None


def test_the_judged_event_must_meet_the_condition_to_count() -> None:
    """Inclusion of the judged event is by match, not by right."""
    assert fact({"count": "administration", "where": "it.dose_mg > 28"}, DOSES) == 0


# ---- order and ties


def test_at_the_same_instant_the_one_known_later_is_the_later_one() -> None:
    """Ties of occurred_at are broken by noted_at, whatever the log's order."""
    late = vitals("09:00", id="late", entered_at="09:30")
    early = vitals("09:00", id="early", entered_at="09:10")
    assert which(fact({"latest": VITALS}, [late, early, leaving()])) == "late"
    assert which(fact({"latest": VITALS}, [early, late, leaving()])) == "late"
    assert which(fact({"earliest": VITALS}, [late, early, leaving()])) == "early"


def test_at_the_same_instant_and_known_at_once_the_log_decides() -> None:
    """The last tie is broken by the order in the log."""
    first, second = vitals("09:00", id="first"), vitals("09:00", id="second")
    assert which(fact({"latest": VITALS}, [first, second, leaving()])) == "second"
    assert which(fact({"earliest": VITALS}, [first, second, leaving()])) == "first"


def test_an_event_sees_what_came_before_it_at_its_own_instant() -> None:
    """History is what has a smaller place in the order: of two doses at one instant the second sees the first only."""
    pair = [dose("09:00", id="d1"), dose("09:00", id="d2")]
    assert which(fact({"latest": "administration"}, pair, "d2")) == "d1"
    assert fact({"latest": "administration"}, pair, "d1") is None


def test_what_occurred_later_is_not_history() -> None:
    """A later event is not seen, however early it was entered."""
    assert fact({"count": VITALS}, [vitals("12:01", entered_at="08:00"), leaving()]) == 0


# ---- what stands


def test_a_voided_event_did_not_happen() -> None:
    """Voids take an event out of every look-up."""
    assert which(fact({"latest": "administration"}, [*DOSES, voiding("d2")], "d3")) == "d1"
    assert fact({"sum": "administration.dose_mg"}, [*DOSES, voiding("d1")], "d3") == 56 * SCALE


def test_a_corrected_value_is_the_value() -> None:
    """Look-ups see events as corrected."""
    assert (
        fact({"sum": "administration.dose_mg"}, [*DOSES, corrected("d1", "dose_mg", "28", "14")], "d3")
        == 70 * SCALE
    )


def test_a_corrected_instant_moves_the_event_in_the_order() -> None:
    """A dose corrected to an earlier time is the earliest; one corrected beyond the judged event is not seen."""
    first = corrected("d2", "occurred_at", DOSES[1]["occurred_at"], "2026-03-02T08:30:00-06:00")
    assert which(fact({"earliest": "administration"}, [*DOSES, first], "d3")) == "d2"
    assert which(fact({"latest": "administration"}, [*DOSES, first], "d3")) == "d1"
    assert fact({"count": "administration"}, [*DOSES, first], "d3") == 3 * SCALE
    beyond = corrected("d2", "occurred_at", DOSES[1]["occurred_at"], "2026-03-02T09:21:00-06:00")
    assert which(fact({"latest": "administration"}, [*DOSES, beyond], "d3")) == "d1"


@pytest.mark.parametrize("correction_first", [False, True])
def test_an_event_moved_to_another_patient_is_found_there_only(correction_first: bool) -> None:
    """A correction of the patient moves the event, even where the correction arrived first."""
    wrong, right = vitals("09:00", id="v1", patient="P2"), corrected("v1", "patient", "P2", "P1")
    bodies = [right, wrong] if correction_first else [wrong, right]
    assert which(fact({"latest": VITALS, "by": ["patient"]}, [*bodies, leaving(patient="P1")])) == "v1"
    assert fact({"latest": VITALS, "by": ["patient"]}, [*bodies, leaving(patient="P2")]) is None


def test_what_only_a_voided_correction_moved_is_found_where_it_then_stands() -> None:
    """Of two corrections the first is voided: the event keeps the second's patient and goes back to its own time."""
    wrong = vitals("09:00", id="v1", patient="P2")
    time = corrected("v1", "occurred_at", wrong["occurred_at"], "2026-03-02T09:30:00-06:00", id="c1")
    patient = corrected("v1", "patient", "P2", "P1", id="c2")
    found = fact(
        {"latest": VITALS, "by": ["patient"]}, [wrong, time, patient, voiding("c1"), leaving(patient="P1")]
    )
    assert which(found) == "v1"
    assert found["occurred_at"] < fact({"latest": VITALS}, [vitals("09:01"), leaving()])["occurred_at"]


def test_what_is_only_proposed_has_not_happened() -> None:
    """Proposals are no history."""
    asked = dose("09:15", id="asked", intent="proposed")
    assert fact({"count": "administration"}, [*DOSES[:2], asked, DOSES[2]]) == 3 * SCALE


# ---- present state


def test_a_withdrawn_consent_is_withdrawn() -> None:
    """`latest`, `any` and `none` look at the present state of a key first, and apply `where` then."""
    history = [agreed("08:00"), agreed("08:30", "withdrawn"), leaving()]
    where = "it.action == 'given'"
    assert fact({"latest": "consent", "where": where}, history) is None
    assert fact({"any": "consent", "where": where}, history) is None
    assert fact({"none": "consent", "where": where}, history) is True


def test_states_all_sees_what_was_once_so() -> None:
    """`states: all` opts out, and `earliest`, `count` and `sum` see every event anyway."""
    history = [agreed("08:00"), agreed("08:30", "withdrawn"), leaving()]
    where = "it.action == 'given'"
    assert which(fact({"any": "consent", "where": where, "states": "all"}, history)) == "consent-08:00"
    assert fact({"none": "consent", "where": where, "states": "all"}, history) is False
    assert which(fact({"earliest": "consent", "where": where}, history)) == "consent-08:00"
    assert fact({"count": "consent", "where": where}, history) == SCALE


def test_the_present_state_is_each_patients_own() -> None:
    """For kinds about a patient, the same handle of another patient is another thing."""
    history = [agreed("08:00", patient="P1"), agreed("08:30", "withdrawn", patient="P2"), leaving()]
    assert which(fact({"latest": "consent", "where": "it.action == 'given'"}, history)) == "consent-08:00"


def test_the_judged_event_is_the_present_state_of_its_own_subject() -> None:
    """With `self`, a withdrawal that is judged hides what it withdraws; without, what was so before it is looked at."""
    history = [agreed("08:00"), agreed("08:30", "withdrawn")]
    given = {"any": "consent", "where": "it.action == 'given'"}
    assert fact({**given, "self": True}, history) is None
    assert which(fact(given, history)) == "consent-08:00"


def test_the_present_state_is_found_outside_the_shared_keys() -> None:
    """A consent that was withdrawn at another site is withdrawn, though `by: [site]` does not find the withdrawal."""
    history = [agreed("08:00", site="S1"), agreed("08:30", "withdrawn", site="S2"), leaving(site="S1")]
    assert fact({"any": "consent", "by": ["site"], "where": "it.action == 'given'"}, history) is None


def test_the_present_state_is_that_at_the_judged_event() -> None:
    """A later withdrawal does not change what was so before."""
    history = [agreed("08:00"), leaving(), agreed("12:30", "withdrawn")]
    assert (
        which(fact({"any": "consent", "where": "it.action == 'given'"}, history, "leaving"))
        == "consent-08:00"
    )


# ---- shared keys


def test_a_judged_event_without_the_key_makes_the_fact_unknown() -> None:
    """`by` a field that the judged event lacks: nobody can say."""
    for given in (
        {"latest": "administration"},
        {"none": "administration"},
        {"count": "administration"},
        {"sum": "administration.dose_mg"},
    ):
        assert (
            fact({**given, "by": ["session"]}, [*DOSES, entry("adverse_event", "12:00", patient="PT1")])
            is UNKNOWN
        )


def test_a_candidate_without_the_key_does_not_share_it() -> None:
    """`by` a field that the candidate lacks is no match."""
    assert (
        fact({"latest": VITALS, "by": ["session"]}, [entry(VITALS, "09:00", patient="PT1"), leaving()])
        is None
    )


# ---- windows


@pytest.mark.parametrize(
    ("at", "seen"), [("09:59", False), ("10:00", True), ("11:00", True), ("12:00", True), ("12:01", False)]
)
def test_within_looks_so_far_back_and_no_further(at: str, seen: bool) -> None:
    """A window before the judged event has both its ends in it."""
    assert (fact({"any": VITALS, "within": "2h"}, [vitals(at), leaving()], "leaving") is not None) is seen


@pytest.mark.parametrize(
    ("at", "seen"), [("11:59", False), ("12:01", True), ("14:00", True), ("14:01", False)]
)
def test_after_looks_behind_the_judged_event(at: str, seen: bool) -> None:
    """A window behind the judged event ends where it says."""
    assert (fact({"any": VITALS, "after": "2h"}, [leaving(), vitals(at)], "leaving") is not None) is seen


def test_a_window_behind_does_not_hold_the_judged_event_itself() -> None:
    """Looking ahead from an event, it is not its own follow-up, unless told."""
    given = {"count": VITALS, "after": "2h"}
    assert fact({**given, "self": False}, [vitals("12:00"), vitals("12:30")], f"{VITALS}-12:00") == SCALE
    assert fact(given, [vitals("12:00"), vitals("12:30")], f"{VITALS}-12:00") == 2 * SCALE


def test_a_window_of_unknown_length_makes_the_fact_unknown() -> None:
    """Where the length depends on something missing, nobody can say."""
    within = "first.completed_at - first.occurred_at"
    givens = {"first": {"earliest": "administration"}, "seen": {"none": VITALS, "within": within}}
    assert facts(givens, [dose("09:00"), leaving()])["seen"] is UNKNOWN
    assert facts(givens, [dose("09:00", completed_at="09:05"), leaving()])["seen"] is True


# ---- references and chains


@pytest.mark.parametrize("at", ["08:00", "09:00", "23:00"])
def test_what_names_the_judged_event_is_seen_whenever_it_comes(at: str) -> None:
    """A witness' signature on this dose counts though it came afterwards; one on another dose does not."""
    signed = {"count": "signature", "where": "it.target_event == event.id"}
    signature = entry("signature", at, id="s1", target_event="d1")
    assert fact(signed, [DOSES[0], signature], "d1") == SCALE
    assert fact({"count": "signature"}, [DOSES[0], DOSES[1], signature], "d2") == (
        SCALE if at < "09:10" else 0
    )


def test_look_ups_may_build_on_one_another() -> None:
    """A later fact may name an earlier one; where that is null or unknown, so is what hangs on it."""
    givens = {
        "last": {"latest": "administration", "by": ["session"]},
        "watch": {"any": "presence", "where": "it.person == last.observer"},
    }
    here = entry("presence", "08:00", person="N1", arrived_at="08:00")
    assert which(facts(givens, [here, dose("09:00", observer="N1"), leaving()])["watch"]) == "presence-08:00"
    assert facts(givens, [here, dose("09:00", observer="N2"), leaving()])["watch"] is None
    assert facts(givens, [here, dose("09:00"), leaving()])["watch"] is UNKNOWN
    assert facts(givens, [here, leaving()])["watch"] is UNKNOWN
    assert facts(givens, [leaving()])["watch"] is None


def test_several_kinds_are_one_timeline() -> None:
    """Candidates of several kinds come in one order."""
    score = entry("assessment", "09:05", session="T1", instrument="recovery")
    given = {"latest": [VITALS, "assessment"], "by": ["session"]}
    assert which(fact(given, [vitals("09:00", id="v"), score, leaving()])) == "assessment-09:05"
    assert which(fact(given, [vitals("09:10", id="v"), score, leaving()])) == "v"


def test_beside_a_keyed_kind_the_events_of_another_still_stand_alone() -> None:
    """Only a kind with a key has a present state; two doses are two, though consents are asked for with them."""
    given = {"any": ["administration", "consent"], "where": "it.id == 'd1'"}
    assert which(fact(given, [dose("09:00", id="d1"), dose("09:10", id="d2"), leaving()])) == "d1"


def test_a_look_up_whose_guard_is_false_looks_at_nothing(monkeypatch):
    """Where a condition without the candidate is false already, no event is fetched: a missing prescriber never walks all credentials."""
    walked = []
    newest_first = MemoryHistory.newest_first

    def counted(self, kind, *rest):
        walked.append(kind)
        return newest_first(self, kind, *rest)

    monkeypatch.setattr(MemoryHistory, "newest_first", counted)
    found = facts(
        {
            "dose": {"latest": "administration", "by": ["session"]},
            "held": {"any": "credential", "where": "dose != null && it.person == dose.observer"},
        },
        [entry("credential", "08:00", person="N1"), leaving(session="T9")],
    )
    assert found == {"dose": None, "held": None}
    assert "credential" not in walked
