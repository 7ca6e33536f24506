"""Policies come into force at their instant, whole or not at all, by whoever may (policy-language.md, "What a bundle is")."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from threading import Barrier, Thread

import pytest

from compliance.bundles import Bundles
from compliance.domain.time import format_instant
from compliance.errors import InputError, PolicyError
from compliance.ledger.log import Log
from compliance.library import check_folder
from compliance.record import Recorder
from compliance.standing import last_decision
from compliance.workbench.activating import Wanted, activate
from tests.cli.conftest import POLICIES
from tests.logs import BEGAN
from tests.recording import body, draft, put_in_force, record, void

HOUR = 3_600_000_000
THREE_HOURS = ("value: 2h", "value: 3h")


@dataclass
class Clinic:
    """A log with the small library in force since it began, a clock that tests turn, and A1 who may change the policies."""

    log: Log
    bundles: Bundles
    folder: object
    hands: list[int] = field(default_factory=lambda: [BEGAN])

    def library(self, version="2", *changes):
        """The small library with changes, checked."""
        folder = self.folder / f"library-{version}"
        shutil.copytree(POLICIES, folder)
        for file in folder.iterdir():
            text = file.read_text()
            for old, new in (("version: '1'", f"version: '{version}'"), *changes):
                text = text.replace(old, new)
            file.write_text(text)
        return check_folder(folder)

    def activate(self, checked, **wanted):
        return activate(
            self.log, self.bundles, checked, Wanted(**{"actor": "A1", "reason": "tests", **wanted})
        )

    def in_force(self, at):
        self.hands[0] = at
        return self.bundles.active().bundle.version


@pytest.fixture
def clinic(home, tmp_path):
    hands = [BEGAN]
    home.empty_log().close()
    with Log.open(home.url, write=True, clock=lambda: hands[0]) as log:
        library = check_folder(POLICIES).bundle
        put_in_force(log, library)
        bundles = Bundles(log)
        granted = body(
            "access_change", "07:00", subject="A1", subject_kind="human", action="grant", role="administrator", starts_at="2026-03-02T00:00:00Z"
        )  # fmt: skip
        record(log, bundles.active(), granted)
        yield Clinic(log, bundles, tmp_path, hands)


def test_an_activation_is_an_event_with_who_why_and_from_when(clinic):
    """It names the bundle, its author and approver, the cases that were run, and is judged like any other event."""
    done = clinic.activate(clinic.library(), approved_by="A1", reason="label read again")
    said = clinic.log.entry(done.results[0].idx).document()["event"]
    assert f"sha256:{said['sha256']}" == done.bundle.digest == clinic.bundles.active().bundle.digest
    assert (said["change_reason"], said["actor"], said["author"], said["approved_by"], said["site"]) == (
        "label read again", "A1", "A1", "A1", "S1",
    )  # fmt: skip
    assert (said["tests_failed"], said["tests_passed"] > 0, said["untested_rules"]) == (0, True, 0)
    assert done.effective_at >= BEGAN and not done.repeated
    assert str(done.results[0].decision.verdict) == "compliant"


def test_an_activation_to_come_judges_nothing_before_its_instant(clinic):
    """A process that records all the while judges by the new policies from then on, and by the old ones before."""
    clinic.activate(clinic.library(), start=BEGAN + HOUR)
    recorder = Recorder(clinic.log, clinic.bundles.active)

    def judged_by(at):
        clinic.hands[0] = at
        event = draft(body("presence", format_instant(at)))
        list(recorder.submit([event]))
        decision = last_decision(clinic.log, clinic.log.by_event_id(event.event.id))
        return clinic.bundles.bundle(decision.bundle).version

    assert judged_by(BEGAN + HOUR - 1) == "1"
    assert judged_by(BEGAN + HOUR) == "2"


def test_of_several_to_come_each_judges_in_its_turn(clinic):
    """What is in force at an instant is what was recorded last among those whose instant has come."""
    clinic.activate(clinic.library("2"), start=BEGAN + HOUR)
    clinic.activate(clinic.library("3"), start=BEGAN + 2 * HOUR)
    times = (BEGAN, BEGAN + HOUR, BEGAN + 2 * HOUR - 1, BEGAN + 2 * HOUR, BEGAN + 3 * HOUR)
    assert [clinic.in_force(at) for at in times] == ["1", "2", "2", "3", "3"]


def test_what_is_named_for_the_same_instant_later_takes_the_place(clinic):
    """The one recorded last judges; the other never does."""
    clinic.activate(clinic.library("2"), start=BEGAN + HOUR)
    clinic.activate(clinic.library("3"), start=BEGAN + HOUR)
    assert [clinic.in_force(at) for at in (BEGAN, BEGAN + HOUR)] == ["1", "3"]


def test_what_is_voided_before_it_comes_into_force_never_does(clinic):
    """It is withdrawn; one that was in force stays, since decisions name it."""
    done = clinic.activate(clinic.library("2"), start=BEGAN + HOUR)
    record(clinic.log, clinic.bundles.active(), void(done.results[0].draft.event.body, "v1"))
    assert clinic.in_force(BEGAN + HOUR) == "1"
    late = clinic.activate(clinic.library("3"))
    record(clinic.log, clinic.bundles.active(), void(late.results[0].draft.event.body, "v2"))
    assert clinic.in_force(BEGAN + 3 * HOUR) == "3"


def test_what_is_only_proposed_puts_nothing_into_force(clinic):
    """An activation that asks for permission has not happened."""
    done = clinic.activate(clinic.library("2"), start=BEGAN + HOUR)
    asked = {
        **done.results[0].draft.event.body,
        "id": "asked",
        "intent": "proposed",
        "effective_at": format_instant(BEGAN),
    }
    record(clinic.log, clinic.bundles.active(), asked)
    assert clinic.in_force(BEGAN) == "1"


def test_a_clock_that_goes_back_takes_no_policies_out_of_force(clinic):
    """The log's time never goes back: what has judged goes on judging."""
    clinic.hands[0] = BEGAN + HOUR
    clinic.activate(clinic.library("2"))
    assert clinic.in_force(BEGAN) == "2"


def test_policies_do_not_reach_back(clinic):
    """An instant that lies back is refused, since decisions name what they were decided under; the present minute is now."""
    clinic.hands[0] = BEGAN + HOUR
    size = clinic.log.size
    with pytest.raises(InputError) as refused:
        clinic.activate(clinic.library("2"), start=BEGAN)
    assert "has passed" in refused.value.message and clinic.log.size == size
    done = clinic.activate(clinic.library("3"), start=BEGAN + HOUR - 30_000_000)
    assert done.effective_at == BEGAN + HOUR


def test_what_is_to_come_is_not_passed_over(clinic):
    """An instant before the last activation's is refused, with how to withdraw that one; from then on it may be replaced."""
    waiting = clinic.activate(clinic.library("2"), start=BEGAN + HOUR)
    with pytest.raises(InputError) as refused:
        clinic.activate(clinic.library("3"))
    assert f"events void {waiting.results[0].draft.event.id}" in refused.value.remedy


def test_what_is_in_force_already_is_left_as_it_is(clinic):
    """Nothing is written, and the first receipt is given again; the same for what will be in force by then."""
    first = clinic.activate(clinic.library("2"), start=BEGAN + HOUR)
    size = clinic.log.size
    again = clinic.activate(check_folder(clinic.folder / "library-2"), start=BEGAN + 2 * HOUR)
    assert again.repeated and again.results[0].idx == first.results[0].idx and clinic.log.size == size
    assert again.effective_at == BEGAN + HOUR


@pytest.mark.parametrize("wanted", [{"actor": "N1"}, {"approved_by": "N1"}], ids=["enters", "approves"])
def test_only_a_role_with_the_right_may(clinic, wanted):
    """Both who enters it and who approves it; the permissions are those in force."""
    checked = clinic.library(
        "2",
        (
            "administrator: [access_change, policy_activation, site_profile]",
            "policy_approver: [policy_activation]",
        ),
    )
    with pytest.raises(InputError) as refused:
        clinic.activate(checked, **wanted)
    assert refused.value.message.startswith("N1 has no account")
    clinic.activate(checked)
    with pytest.raises(InputError):
        clinic.activate(clinic.library("3"))


def test_policies_that_do_not_pass_their_check_stay_out(clinic):
    """A case that does not come out as it says is enough."""
    checked = clinic.library("2", THREE_HOURS)
    assert checked.failed
    with pytest.raises(PolicyError):
        clinic.activate(checked)
    assert clinic.bundles.active().bundle.version == "1"


@pytest.mark.parametrize(
    "wanted", [{"reason": "x" * 40_000}, {"site": "S9"}], ids=["too long", "unknown site"]
)
def test_nothing_is_left_of_an_activation_that_fails(clinic, wanted):
    """The bundle is stored with its event or not at all."""
    checked = clinic.library("2")
    size = clinic.log.size
    with pytest.raises(InputError):
        clinic.activate(checked, **wanted)
    assert clinic.log.size == size and not clinic.log.has_bundle(checked.bundle.digest)


def test_an_interruption_leaves_nothing_half_done(clinic, monkeypatch):
    """Ctrl-C when the bundle is stored and its event is about to be written."""

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    checked = clinic.library("2")
    monkeypatch.setattr("compliance.workbench.activating.activation", interrupted)
    with pytest.raises(KeyboardInterrupt):
        clinic.activate(checked)
    assert not clinic.log.has_bundle(checked.bundle.digest)
    monkeypatch.undo()
    assert not clinic.activate(checked).repeated


def test_of_two_at_once_the_second_sees_the_first(clinic):
    """The same policies are put into force once; different ones one after the other."""

    def at_once(*libraries):
        start, done, failed = Barrier(len(libraries)), [], []

        def run(checked):
            try:
                with Log.open(clinic.log.url, write=True, clock=lambda: BEGAN + HOUR) as log:
                    start.wait()
                    done.append(activate(log, Bundles(log), checked, Wanted("A1", "tests")))
            except BaseException as error:  # noqa: BLE001 - told to the test
                failed.append(error)

        threads = [Thread(target=run, args=(checked,)) for checked in libraries]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed
        return done

    same = clinic.library("2")
    assert sorted(one.repeated for one in at_once(same, same)) == [False, True]
    assert not any(one.repeated for one in at_once(clinic.library("3"), clinic.library("4")))
    found = list(clinic.bundles.activations())
    assert [one.idx for one in found] == sorted((one.idx for one in found), reverse=True)
    assert len(found) == 4 and found[0].effective_at >= found[1].effective_at
