"""RFC 8785 vectors against the canonical serialiser and against the library that is its oracle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import rfc8785

from compliance.domain.canonical import CanonicalError, canonical, is_canonical

FOLDER = Path(__file__).parent / "jcs" / "testdata"
NAMES = sorted(path.stem for path in (FOLDER / "input").glob("*.json"))
OUTSIDE_THE_PROFILE = {
    "values": "floating-point",
    "structures": "floating-point",
    "french": "ASCII",
    "weird": "ASCII",
}


def vector(name):
    value = json.loads((FOLDER / "input" / f"{name}.json").read_text(encoding="utf-8"))
    return value, bytes.fromhex((FOLDER / "outhex" / f"{name}.txt").read_text())


def test_there_are_six_vectors():
    """No vector is lost without notice."""
    assert len(NAMES) == 6


@pytest.mark.parametrize("name", NAMES)
def test_the_oracle_agrees_with_the_standard(name):
    """rfc8785 gives the standard's bytes, so it may stand for the standard in the property tests."""
    value, expected = vector(name)
    assert rfc8785.dumps(value) == expected


@pytest.mark.parametrize("name", NAMES)
def test_bytes_are_the_standard_s_or_the_value_is_refused(name):
    """Within the profile the bytes are those of RFC 8785; what lies outside is refused with its reason."""
    value, expected = vector(name)
    if name in OUTSIDE_THE_PROFILE:
        with pytest.raises(CanonicalError, match=OUTSIDE_THE_PROFILE[name]):
            canonical(value)
        assert not is_canonical(expected, value)
    else:
        assert canonical(value) == expected
        assert is_canonical(expected, value)
