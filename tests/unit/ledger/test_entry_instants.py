"""Instants of entries: the quick way reads what the slow way reads, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compliance.domain.time import parse_instant
from compliance.ledger.entry import microseconds, rfc3339


@given(st.integers(-2_000_000_000_000_000, 200_000_000_000_000_000))
@example(-1)
@example(0)
def test_what_is_written_is_read(instant):
    """Writing and reading an instant is a round trip, as the general reader has it too."""
    assert microseconds(rfc3339(instant)) == instant == parse_instant(rfc3339(instant))


@pytest.mark.parametrize(
    "text",
    [
        "20260302T090000.123.123456Z", "2026-03-02T09:00:00. 12345Z", "2026-03-02T09:00:00.12_456Z", "2026-03-02T09:00:00.+12345Z",
        "2026-03-02T09:00:00.１２３４５６Z", "2026-13-02T09:00:00.123456Z", "2026-03-02T24:00:00.123456Z",
    ],
)  # fmt: skip
def test_what_only_looks_like_an_instant_is_refused(text):
    """Text of the length that entries have, with something in it that is no digit or no time, is no instant."""
    with pytest.raises(ValueError):
        microseconds(text)
