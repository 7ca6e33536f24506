"""Canonical JSON: the bytes of RFC 8785 under a narrower profile."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from hashlib import sha256

import orjson
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from compliance.domain.canonical import CanonicalError, canonical, digest, digest_of, encode, is_canonical

NAMES = st.text(st.characters(max_codepoint=127), max_size=8)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-999_999_999, 999_999_999),
    st.text(st.characters(exclude_categories=("Cs",))),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=30,
)


class Colour(StrEnum):
    RED = "red"


@given(VALUES)
def test_bytes_are_those_of_rfc_8785(value):
    """Under the profile, the quick serialiser writes what the standard's library writes."""
    assert canonical(value) == rfc8785.dumps(value)


@given(VALUES)
def test_reading_back_gives_the_value_and_canonical_bytes(value):
    """Canonical bytes are recognised, and read as the value they were written from."""
    encoded = canonical(value)
    assert orjson.loads(encoded) == value
    assert is_canonical(encoded, orjson.loads(encoded))


@given(VALUES)
def test_other_spellings_are_not_canonical(value):
    """The same value with white space is recognised as another spelling."""
    spelled = orjson.dumps(value, option=orjson.OPT_INDENT_2) + b" "
    assert not is_canonical(spelled, orjson.loads(spelled))


@pytest.mark.parametrize(
    "value, words",
    [
        ({"a": [1, {"b": 1.5}]}, r"\$\.a\[1\]\.b: a floating-point number"),
        ({"a": 1e300}, "floating-point"),
        ({"a": float("nan")}, "floating-point"),
        ([1_000_000_000], r"\$\[0\]: integers"),
        ({"n": -1_000_000_000}, r"\$\.n: integers"),
        ({"dosé": 1}, "member names are ASCII"),
        ({"a": [{"b": {"é": "x"}}]}, "member names are ASCII"),
        ({1: "a"}, "JSON"),
        ({"a": date(2026, 3, 2)}, r"\$\.a: date is not a JSON value"),
        ({"a": Colour.RED}, r"\$\.a: Colour is not a JSON value"),
        ({"a": b"x"}, "bytes"),
        ({"a": "\ud800"}, "JSON"),
        ({"a": "x" * 65_536}, "bytes"),
    ],
)
def test_what_the_profile_does_not_allow_is_refused_with_its_place(value, words):
    """A value outside the profile is refused, and the message says where and why."""
    with pytest.raises(CanonicalError, match=words) as refused:
        canonical(value)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    "encoded",
    [
        b'{"a":1.0}',
        b'{"a":1e2}',
        b"[10000000000]",
        b"[1.5]",
        b"[true,1.5]",
        b'{"a":-1.5}',
        b'{"a":12345678901}',
        '{"\u00e9":1}'.encode(),
        b'{"a":1,"a":1}',
    ],
)
def test_bytes_outside_the_profile_are_not_canonical(encoded):
    """Bytes that other software could have written, but this profile does not allow, are recognised."""
    assert not is_canonical(encoded, orjson.loads(encoded))


def test_the_longest_value_is_65535_bytes():
    """The limit is inclusive: an entry bundle's length has two bytes."""
    assert len(canonical("x" * 65_533)) == 65_535
    with pytest.raises(CanonicalError, match="65,536 bytes"):
        canonical("x" * 65_534)


def test_digest_is_that_of_the_bytes():
    """The digest names its algorithm and is the SHA-256 of the canonical bytes."""
    value = {"b": 1, "a": "é"}
    assert digest(value) == "sha256:" + sha256(canonical(value)).hexdigest() == digest_of(canonical(value))


@given(VALUES)
def test_unchecked_bytes_are_the_same(value):
    """The unchecked form differs in nothing but the checks."""
    assert encode(value) == canonical(value)
