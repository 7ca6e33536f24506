"""A damaged SQLite file never gives a traceback, and never a shorter log that passes for a good one."""

from __future__ import annotations

from hashlib import sha256
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.errors import ComplianceError
from compliance.ledger.log import Log
from compliance.ledger.verify import State, verify
from tests.logs import add, copy, empty_log, keys_of, url

LIVELY = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
NUMBERS = count()


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    with empty_log(folder / "log.db") as log:
        add(log, *range(260))
        add(log, *range(260, 300))
        return copy(log, folder / "copy.db").read_bytes()


def place(folder, content):
    """A database file of its own for each example: within one process SQLite shares what it knows of a file that is still open."""
    path = folder / f"log-{next(NUMBERS)}.db"
    path.write_bytes(content)
    return path


def answer_of(path):
    with Log.open(url(path)) as log:
        return verify(log, keys_of=keys_of, bundle_digest=lambda raw: "sha256:" + sha256(raw).hexdigest())


def answer_or_words(path):
    """The answer, or None where the file cannot even be opened and an error with its remedy says so."""
    try:
        return answer_of(path)
    except ComplianceError as problem:
        if problem.exit_code in {3, 4} and problem.remedy:
            return None
        raise


@LIVELY
@given(data=st.data())
def test_a_flipped_bit_in_the_file_never_gives_a_traceback(original, tmp_path, data):
    """Whatever byte of the file is changed, there is an answer or an error in words, and no changed entry passes for good."""
    at, bit = data.draw(st.tuples(st.integers(0, len(original) - 1), st.integers(0, 7)))
    path = place(tmp_path, original[:at] + bytes([original[at] ^ (1 << bit)]) + original[at + 1 :])
    answer = answer_or_words(path)
    if answer is not None and answer.good:
        # A byte that no row and no index holds: free space, or the header's counters. All rows must be what they were.
        before = tmp_path / "before.db"
        before.write_bytes(original)
        with Log.open(url(before)) as old, Log.open(url(path)) as new:
            assert [*old.entries()] == [*new.entries()]


@LIVELY
@given(data=st.data())
def test_a_stretch_of_zeroes_never_gives_a_traceback(original, tmp_path, data):
    """The same for a lost sector."""
    path = tmp_path / "log.db"
    sector = data.draw(st.integers(0, len(original) // 512 - 1)) * 512
    path.write_bytes(original[:sector] + bytes(512) + original[sector + 512 :])
    answer = answer_or_words(path)
    assert answer is None or answer.state in {State.TAMPERED, State.SELF_CONSISTENT}


@pytest.mark.parametrize("keep", [0, 1, 100, 4096, 50_000])
def test_a_file_cut_short(original, tmp_path, keep):
    """A truncated file is corrupt, never a shorter good log."""
    path = tmp_path / "log.db"
    path.write_bytes(original[:keep])
    with pytest.raises(ComplianceError) as refused:
        answer = answer_of(path)
        if answer.state is State.TAMPERED:
            raise ComplianceError(answer.reason, "found")
    assert refused.value.remedy
