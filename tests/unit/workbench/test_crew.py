"""Many questions over the cores: the same answers, and no waiting for who is gone."""

from __future__ import annotations

import os
import time

import pytest

from compliance.errors import EngineFault, InputError
from compliance.workbench.crew import answers
from tests.rulebook import bundle, rule

SMALL = bundle(
    rule("a", on="discharge", require="event.devices_taken <= 3"), rule("b", on="discharge", require="true")
)


def named(judged, question):
    return f"{question} of {len(judged.rules)}"


def slowly(_judged, wait):
    time.sleep(wait)


def failing(judged, question):
    raise InputError(f"{question} cannot be answered")


def gone(judged, question):
    os._exit(7)


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    """However many there are."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})


@pytest.mark.parametrize("worth", [1, 100], ids=["over the cores", "here"])
def test_each_question_is_answered_once(worth):
    """Whoever answers."""
    found = dict(answers(SMALL, named, ["x", "y", "z"], worth=worth))
    assert found == {"x": "x of 2", "y": "y of 2", "z": "z of 2"}


@pytest.mark.parametrize("worth", [1, 100], ids=["over the cores", "here"])
def test_answers_come_in_order_if_that_is_asked(worth):
    """Also those that were done before one that took longer."""
    waits = [0.3, 0.0, 0.1, 0.0]
    assert [wait for wait, _ in answers(SMALL, slowly, waits, worth=worth, in_order=True)] == waits


@pytest.mark.parametrize("worth", [1, 100], ids=["over the cores", "here"])
def test_what_goes_wrong_is_told_as_it_is(worth):
    """An error of a process is that of the one who asked."""
    with pytest.raises(InputError, match="cannot be answered"):
        list(answers(SMALL, failing, ["x", "y"], worth=worth))


def test_a_process_that_is_gone_is_an_error():
    """Nobody waits for its answer, and none is made up."""
    with pytest.raises(EngineFault, match="ended before it was done"):
        list(answers(SMALL, gone, ["x", "y"], worth=1))
