"""What stands: findings and duties as of an instant, and the policies of a log (engine.md, "Findings")."""

from __future__ import annotations

import pytest

from compliance.bundles import Bundles, activation, store
from compliance.domain.time import parse_instant
from compliance.domain.vocabulary import KINDS
from compliance.engine.duties import DutyState
from compliance.engine.explained import NEVER_QUOTED
from compliance.engine.judging import Judge
from compliance.errors import InputError, LogError
from compliance.ledger.log import Log
from compliance.standing import findings, last_decision, obligations
from tests.homes import unguarded
from tests.recording import (
    CONSENTED,
    DAY,
    MONITORED,
    PHONED,
    PRESSURE,
    Where,
    body,
    bundle,
    correction,
    drafts,
    fresh_log,
    put_in_force,
    record,
    rule,
    void,
)

pytestmark = pytest.mark.usefixtures("on_each_database")
RULES = bundle(MONITORED, PRESSURE, CONSENTED, PHONED)
LATE = parse_instant("2026-03-09T00:00:00Z")


@pytest.fixture
def log():
    with fresh_log() as made:
        put_in_force(made, RULES)
        yield made


def open_findings(log, as_of=LATE):
    """(rule, event, state) of all that stands."""
    return [(f.explained.rule.id, f.event.id, f.state) for f in findings(log, Bundles(log), as_of)]


def duties(log, as_of=LATE):
    return [(d.rule.id, d.opened_by.id, str(d.state)) for d in obligations(log, Bundles(log), as_of)]


def say(log, *bodies):
    return record(log, Bundles(log).active(), *bodies)


def test_findings_are_those_of_the_last_judgement(log):
    """Found, cleared by a late pressure, found again after its void."""
    given, taken = body("administration"), body("vital_signs", "08:50", session="T1", systolic_mmhg=120)
    both = [("consented", given["id"], "open"), ("pressure-first", given["id"], "open")]
    say(log, given)
    assert open_findings(log) == both
    say(log, taken)
    assert open_findings(log) == both[:1]
    say(log, void(taken, "V-1"))
    assert open_findings(log) == both


def test_a_finding_that_came_with_a_later_judgement_stands(log):
    """An event that was compliant at first is found through its rejudgement."""
    taken = body("vital_signs", "08:50", session="T1", systolic_mmhg=120)
    given = body("administration")
    say(log, body("consent", "08:00", consent="C1", action="given"), taken, given)
    assert open_findings(log) == []
    say(log, correction(taken, "C-2", ("systolic_mmhg", 120, 180)))
    assert open_findings(log) == [("pressure-first", given["id"], "open")]


def test_findings_of_a_void_event_are_gone(log):
    """Nothing is held against what did not happen."""
    given = body("administration")
    say(log, given, void(given, "V-1"))
    assert open_findings(log) == []


def test_a_finding_shows_the_event_as_it_stands_and_is_worded_by_its_bundle(log):
    """The event with its corrected fields; the message with the values that decided when it was last found to differ."""
    left = body("discharge", "10:00")
    say(log, body("administration", completed_at=f"{DAY}09:05:00-06:00"), left)
    say(log, correction(left, "C-1", ("occurred_at", left["occurred_at"], f"{DAY}10:30:00-06:00")))
    (found,) = [f for f in findings(log, Bundles(log), LATE) if f.explained.rule.id == "monitored"]
    assert found.explained.message == "Left 55 min after the dose."
    assert found.at == found.event.occurred_at == parse_instant("2026-03-02T10:30:00-06:00")
    assert (found.explained.severity, found.explained.outcome) == ("deny", "fail")


def test_findings_and_duties_are_as_of_an_instant(log):
    """What had not occurred by then is not there."""
    given = body("administration")
    say(log, given)
    assert open_findings(log, parse_instant("2026-03-02T14:59:59Z")) == []
    assert len(open_findings(log, parse_instant("2026-03-02T15:00:00Z"))) == 2


def test_an_overridden_finding_stands_as_overridden(log):
    """It is not lost, and says so."""
    asked = body("administration", "08:30", id="P-1", intent="proposed")
    allowed = body(
        "override",
        "08:40",
        overrides_event="P-1",
        requirements=["CONSENT"],
        justification="life at risk",
        approved_by="A9",
        emergency=True,
    )
    taken = body("vital_signs", "08:50", session="T1", systolic_mmhg=120)
    say(log, asked, allowed, taken, body("administration", id="D-1", proposal="P-1"))
    assert ("consented", "D-1", "overridden") in open_findings(log)
    found = next(f for f in findings(log, Bundles(log), LATE) if f.event.id == "D-1")
    assert found.explained.outcome == "overridden"


def test_a_finding_is_resolved_and_reopened_by_a_person(log):
    """The last action counts; assigning and noting change nothing; another finding stays as it is."""
    say(log, body("administration"))
    first, second = findings(log, Bundles(log), LATE)
    for at, action, state in (
        ("10:00", "assign", "open"), ("10:01", "resolve", "resolved"), ("10:02", "note", "resolved"), ("10:03", "reopen", "open"),
        ("10:04", "resolve", "resolved"),
    ):  # fmt: skip
        say(log, body("finding_action", at, finding=first.id, action=action))
        now = {f.id: f.state for f in findings(log, Bundles(log), LATE)}
        assert now == {first.id: state, second.id: "open"}, action
    before = parse_instant("2026-03-02T16:03:30Z")
    assert {f.id: f.state for f in findings(log, Bundles(log), before)}[first.id] == "open"


def test_a_finding_keeps_its_id_through_judgements(log):
    """So that what a person did with it stays with it."""
    taken = body("vital_signs", "08:50", session="T1", systolic_mmhg=120)
    say(log, body("administration"))
    before = {f.explained.rule.id: f.id for f in findings(log, Bundles(log), LATE)}
    say(log, taken, void(taken, "V-1"))
    assert {f.explained.rule.id: f.id for f in findings(log, Bundles(log), LATE)} == before


def test_duties_follow_the_events(log):
    """Open, missed, met late, and gone with the void of what opened it; a missed one is a finding."""
    left = body("discharge", "12:00", id="L-1")
    say(log, body("administration", completed_at=f"{DAY}09:05:00-06:00"), left)
    noon = parse_instant("2026-03-03T12:00:00-06:00")
    assert duties(log, noon) == [("phoned", "L-1", "open")]
    assert duties(log) == [("phoned", "L-1", "missed")]
    assert ("phoned", "L-1", "open") in open_findings(log)
    call = body("follow_up", "2026-03-04T09:00:00-06:00")
    say(log, call)
    assert duties(log) == [("phoned", "L-1", "met_late")]
    assert ("phoned", "L-1", "open") in open_findings(log)
    say(
        log,
        correction(
            call,
            "C-1",
            ("occurred_at", call["occurred_at"], "2026-03-03T09:00:00-06:00"),
            at="2026-03-04T10:00:00-06:00",
        ),
    )
    assert duties(log) == [("phoned", "L-1", "met")]
    assert not [f for f in open_findings(log) if f[0] == "phoned"]
    say(log, void(left, "V-1", at="2026-03-04T11:00:00-06:00"))
    assert duties(log) == []


def test_obligations_come_the_earliest_due_first(log):
    """Whatever the order in which they were opened."""
    for at, name in (("13:00", "L-2"), ("12:00", "L-1"), ("14:00", "L-3")):
        say(log, body("discharge", at, id=name, patient=name))
    found = obligations(log, Bundles(log), LATE)
    assert [d.opened_by.id for d in found] == ["L-1", "L-2", "L-3"]
    assert {d.state for d in found} == {DutyState.MISSED}


# ---- the policies of a log


def test_the_last_activation_is_in_force_and_old_decisions_keep_their_bundle(log):
    """Nothing is judged again by activating; each finding is worded by the bundle that its decision names."""
    given = body("administration")
    say(log, given)
    newer = bundle({**PRESSURE, "otherwise": {**PRESSURE["otherwise"], "message": "Newer words."}})
    put_in_force(log, newer)
    bundles = Bundles(log)
    assert bundles.active().bundle.digest == newer.digest
    assert last_decision(log, log.by_event_id(given["id"])).bundle == RULES.digest
    assert [f.explained.message for f in findings(log, bundles, LATE)] == ["no", "no"]


def test_a_bundle_comes_back_as_it_was_stored(log):
    """By digest; another digest is not there."""
    assert Bundles(log).bundle(RULES.digest).digest == RULES.digest
    with pytest.raises(InputError):
        Bundles(log).bundle("sha256:" + "0" * 64)


def test_a_stored_bundle_that_was_changed_is_not_used(log):
    """Its name is its digest."""
    with unguarded(Where.home) as connection:
        ((documents,),) = connection.execute("SELECT documents FROM bundle").fetchall()
        connection.execute("UPDATE bundle SET documents = %s", (bytes(documents).replace(b"140", b"240"),))
    with Log.open(log.url) as changed, pytest.raises(LogError) as refused:
        Bundles(changed).active()
    assert "changed" in refused.value.message
    assert refused.value.exit_code == 3


def test_a_log_without_policies_says_so():
    """In words, with what to do."""
    with fresh_log() as empty, pytest.raises(InputError) as refused:
        Bundles(empty).active()
    assert "init" in refused.value.remedy


def test_an_activation_of_another_artifact_puts_no_policies_into_force(log):
    """Forms and software versions are activated by the same kind of event."""
    other = bundle(PRESSURE)
    with log.writing() as batch:
        store(batch, other)
    about = activation(
        other, event_id="A-2", at=f"{DAY}10:00:00-06:00", site="S1", actor="A1", reason="x", cases=(0, 0)
    )
    say(log, {**about, "artifact": "consent-form"})
    assert Bundles(log).active().bundle.digest == RULES.digest


# ---- no free text in a leaf's findings

MARKERS = {"Schmidt": "one word", "Jane Doe, 4 Elm St": "a sentence"}


def text_fields(kind):
    return [
        name
        for name, spec in KINDS[kind].fields.items()
        if name != "kind" and spec.type == "text" and not spec.values and not spec.listed
    ]


def nosy(kind):
    """A rule that names every text of a kind in its condition, its message and its remedy."""
    names = text_fields(kind)
    named = " && ".join(f"event.{name} == 'x'" for name in names)
    holes = " ".join(f"{{event.{name}}}" for name in names)
    longer = " ".join(f"{{event.{name} == 'x' ? 'x' : event.{name}}}" for name in names)
    return rule(f"nosy-{kind}".replace("_", "-"), kind, named, message=holes, remedy=longer)


@pytest.mark.parametrize("marker", MARKERS, ids=MARKERS.values())
def test_findings_never_hold_free_text(marker):
    """A rule may read what people wrote, and a finding never quotes it: not a sentence, and not one word that may be a name."""
    free = [kind for kind in KINDS if NEVER_QUOTED & set(text_fields(kind))]
    assert {"correction", "void", "override", "clinical_decision"} <= set(free)
    own = Judge(bundle(*(nosy(kind) for kind in free)))
    with fresh_log() as log:
        for kind in free:
            private = {name: marker for name in text_fields(kind) if name in NEVER_QUOTED}
            (item,) = drafts(
                [
                    body(
                        kind,
                        **{**private, **({"corrects": "E-0"} if "corrects" in KINDS[kind].fields else {})},
                    )
                ]
            )
            (recorded,) = record(log, own, item)
            assert recorded.decision.findings, kind
            decision = log.entry(recorded.idx).document()["decision"]
            assert marker not in str(decision) and marker.partition(" ")[0] not in str(decision), kind
            assert f"text of {len(marker)} characters" in str(decision)


COUNTED = {
    **{key: value for key, value in rule("counted", "registration", "last != null").items() if key != "on"},
    "every": "night", "per": {"each": "registration", "where": "it.holder_kind == 'own_site'"},
    "given": {"last": {"latest": "inventory_count", "by": ["registration"], "within": "30d"}},
}  # fmt: skip


def test_what_the_night_finds_stands_until_it_holds():
    """One finding from the first night on, that a person may resolve; a count that is entered late clears it; both histories say the same."""
    with fresh_log() as log:
        put_in_force(log, bundle(COUNTED))
        ours = body("registration", "2026-03-01T08:00:00-06:00", registration="R1", holder_kind="own_site")
        say(log, ours, body("registration", registration="R2", holder_kind="distributor"))
        (found,) = findings(log, Bundles(log), LATE)
        assert (found.explained.rule.id, found.event.id, found.state) == ("counted", ours["id"], "open")
        (again,) = findings(log, Bundles(log), LATE - 3 * 86_400_000_000)
        assert (again.id, again.at) == (found.id, found.at)
        say(log, body("finding_action", "21:00", finding=found.id, action="resolve"))
        assert [one.state for one in findings(log, Bundles(log), LATE)] == ["resolved"]
        say(log, body("inventory_count", "2026-03-01T09:00:00-06:00", registration="R1", complete=True))
        assert list(findings(log, Bundles(log), LATE)) == []
        after = parse_instant("2026-04-02T00:00:00Z")
        assert [one.state for one in findings(log, Bundles(log), after)] == ["open"]
