"""What of an input a message may repeat."""

from __future__ import annotations

import pytest

from compliance.domain.making import make_event
from compliance.domain.reading import ECHO, echo

PROSE = "Ms Marker lives in Elm Street"


@pytest.mark.parametrize("text", ["", "x", "hom", "2026-03-02 10:00", "28.5 mg", "+1-5", "a" * ECHO])
def test_words_and_figures_are_quoted(text):
    """A slip of the pen is shown as it stands."""
    assert echo(text) == f"'{text}'"


@pytest.mark.parametrize("text", [PROSE, "Jo Li", "28 mg for Marker", "Jörg", "\x1b[31mx", "a" * (ECHO + 1)])
def test_what_may_be_prose_is_counted(text):
    """Sentences, names with spaces and control characters are not repeated."""
    assert echo(text) == f"text of {len(text)} characters"


@pytest.mark.parametrize(("character", "shown"), [("\u202e", "'\\u202e'"), ("\0", "'\\u0000'"), ("é", "'é'")])
def test_one_character_is_always_named(character, shown):
    """The character that may not stand in an id can be found."""
    assert echo(character) == shown


@pytest.mark.parametrize("field", ["kind", "occurred_at", "intent", "time_zone", "site", "state", PROSE])
def test_prose_in_the_wrong_field_stays_out_of_the_problems(field):
    """The problems of a rejected line stay in the log for good, where the line itself can be discarded."""
    body = {
        "id": "e1",
        "kind": "site_profile",
        "occurred_at": "2026-03-02T08:00:00-06:00",
        "site": "S1",
        "actor": "A",
    }
    problems = make_event({**body, field: PROSE}, source="day.ndjson")
    assert isinstance(problems, tuple)
    assert "Marker" not in repr(problems)
