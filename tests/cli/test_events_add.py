"""``compliance events add``: at a terminal what is missing is asked, the verdict comes first, and nothing is written unasked."""

from __future__ import annotations

import pytest

from tests.cli.conftest import command
from tests.terminal import terminal


def at_terminal(clinic, *words, columns=60, **environment):
    return terminal(
        command(*words), {**clinic.environment(), **environment}, folder=str(clinic.folder), columns=columns
    )


def test_a_terminal(day):
    with at_terminal(day, "events", "add", "discharge", "patient=P1") as at:
        at.answers(
            ("occurred_at", "2026-03-02 10:10"),
            ("session", "T1"),
            ("disposition: ", "9"),
            ("disposition: ", "ho"),
            ("departure_mode: ", "?"),
            ("departure_mode: ", "1"),
            ("devices_taken: ", "none"),
            ("devices_taken: ", "0"),
            ("Add which", ""),
            ("Record this? [y/N]", "y"),
        )
        code = at.ends()
        print(at.screen)
    assert 0, code
