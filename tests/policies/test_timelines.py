"""Whole days against the shipped library: what stands at the end (policy-language.md, "Case files")."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pytest

from compliance.engine.cases import TimelineResult, run_timeline
from compliance.engine.judging import Judge
from compliance.policy.bundle import bundle_from_documents, load_requirements
from compliance.policy.case_files import Timeline, load_cases
from compliance.settings import shipped_folder
from tests.rulebook import shipped as library

FOLDER = Path(__file__).parent / "timelines"
REQUIREMENTS = frozenset(one.id for one in load_requirements(shipped_folder("policies"))[0])
TIMELINES, PROBLEMS = load_cases(FOLDER, REQUIREMENTS)
NAMED = {f"{Path(one.place.source).stem}: {one.name}": one for one in TIMELINES}


@lru_cache(maxsize=2)
def shipped(*, both: bool = True) -> Judge:
    """One judge for all, of the bundle as a log keeps it: with both evaluators, or with the reference alone."""
    return Judge(bundle_from_documents(library().documents), written=both)


ONE_IN = 8
"""So many timelines are judged by both evaluators in every run, the others by the reference alone; that the two agree on every rule is shown by
the rules' own cases, and on every timeline in the long runs."""


def told(result: TimelineResult) -> str:
    return f"missing {result.missing}, unwanted {result.unwanted}, verdict {result.verdict}, problems {result.problems}"


def test_the_files_can_be_read() -> None:
    """Every case file is valid, and names requirements that there are."""
    assert PROBLEMS == ()
    assert len(TIMELINES) > 10


@pytest.mark.parametrize("name", NAMED)
def test_what_stands_at_the_end_of(name: str) -> None:
    """The findings that are expected are there, the others are not, and the verdict on the last event is the one named."""
    result = run_timeline(NAMED[name], shipped(both=list(NAMED).index(name) % ONE_IN == 0))
    assert result.passed, told(result)


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMED)
def test_both_evaluators_find_the_same_at_the_end_of(name: str) -> None:
    """The decision is that of durable_rules, held against the reference; a timeline passes by both."""
    assert run_timeline(NAMED[name], shipped()) == run_timeline(NAMED[name], shipped(both=False))


def test_a_good_session_has_no_findings_at_all() -> None:
    """From the opening of the clinic to the form a week later: no rule of the library objects."""
    assert run_timeline(NAMED["esketamine: a good session"], shipped()).findings == ()


def without(timeline: Timeline, event_id: str) -> set[str]:
    """The requirements that are found where an event of the good session is left out."""
    assert any(event.body.get("id") == event_id for event in timeline.events)
    rest = tuple(event for event in timeline.events if event.body.get("id") != event_id)
    return {found.requirement for found in run_timeline(replace(timeline, events=rest), shipped()).findings}


@pytest.mark.parametrize(
    ("left_out", "requirement"),
    [
        ("shift-dr", "REMS-PRESCRIBER-ONSITE"),
        ("verified", "REMS-ENROLL-VERIFY"),
        ("asked", "USPI-CONTRA"),
        ("told", "REMS-COUNSEL"),
        ("before", "USPI-BP-PRE"),
        ("watch", "REMS-DIRECT-OBSERVATION"),
        ("mid", "USPI-BP-40MIN"),
        ("clear", "REMS-MONITOR-RESOLUTION"),
        ("form", "REMS-PMF-7D"),
        ("oximeter", "REMS-HCP-PULSEOX-ONSITE"),
        ("opening-count", "S3-INV-INITIAL-32"),
    ],
)
def test_each_step_left_out_of_the_good_session_is_found(left_out: str, requirement: str) -> None:
    """Nothing in the good session is there for nothing."""
    assert requirement in without(NAMED["esketamine: a good session"], left_out)


def test_a_timeline_with_an_invalid_event_does_not_pass() -> None:
    """An event that is not valid makes the case fail with its problem, whatever else is expected."""
    timeline = NAMED["midnight: and today's for the device before it"]
    broken = replace(timeline.events[-1], body={**timeline.events[-1].body, "dose_mg": "a lot"})
    result = run_timeline(replace(timeline, events=(*timeline.events[:-1], broken)), shipped())
    assert not result.passed
    assert result.problems
