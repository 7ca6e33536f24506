"""What is sealed opens at its own place and nowhere else; commitments hide and bind."""

from __future__ import annotations

import hmac
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from compliance.domain.canonical import canonical
from compliance.ledger.vault.crypto import (
    SealBroken,
    SiteKeys,
    _derived,
    aes_gcm,
    identity_commitment,
    opened,
    seal,
    text_commitment,
)

KEYS = st.binary(min_size=32, max_size=32)
PLACES = st.lists(st.text(max_size=8), min_size=2, max_size=4).map(tuple)


@given(KEYS, st.binary(max_size=200), PLACES)
def test_what_is_sealed_opens_again(key, clear, place):
    """Round trip, with a fresh nonce each time."""
    one, other = (seal(aes_gcm(key), clear, *place) for _ in range(2))
    assert one != other
    assert opened(aes_gcm(key), one, *place) == clear


@given(KEYS, st.binary(max_size=40), PLACES, PLACES)
def test_a_row_moved_to_another_place_does_not_open(key, clear, place, other):
    """Person, table, row and field are bound, however their parts are divided."""
    sealed = seal(aes_gcm(key), clear, *place)
    if place != other:
        with pytest.raises(SealBroken):
            opened(aes_gcm(key), sealed, *other)


@given(KEYS, KEYS, st.binary(max_size=40))
def test_another_key_does_not_open_it(key, other, clear):
    """One person's key opens nothing of another."""
    if key != other:
        with pytest.raises(SealBroken):
            opened(aes_gcm(other), seal(aes_gcm(key), clear, "a", "b"), "a", "b")


@given(KEYS, st.binary(max_size=20))
def test_every_flipped_byte_and_every_cut_is_found(key, clear):
    """No byte of what is stored can change, from the nonce to the tag."""
    sealed = seal(aes_gcm(key), clear, "a", "b")
    broken = [sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in range(len(sealed))]
    broken += [sealed[:at] for at in range(len(sealed))]
    for one in broken:
        with pytest.raises(SealBroken):
            opened(aes_gcm(key), one, "a", "b")


@given(KEYS, st.binary(min_size=1, max_size=30))
def test_keys_are_derived_as_hkdf_says(key, purpose):
    """HKDF-SHA-256 without salt (RFC 5869), against the library's own."""
    assert _derived(key, purpose) == HKDF(SHA256(), 32, None, purpose).derive(key)


def test_the_keys_of_a_site_differ_by_purpose():
    """What wraps keys, looks up, and digests are three keys; another site's are others."""
    one, other = SiteKeys(bytes(32)), SiteKeys(bytes(31) + b"\1")
    found = (
        {keys.blind("record_number", "7") for keys in (one, other)}
        | {keys.sent("record_number", "7", "") for keys in (one, other)}
        | {one.blind("name", "7")}
    )
    assert len(found) == 5
    with pytest.raises(SealBroken):
        other.opens_name(one.seal_name("v"), "v")
    with pytest.raises(SealBroken):
        other.unwrapped(one.wrap(bytes(32), "P-1"), "P-1")
    with pytest.raises(SealBroken):
        one.unwrapped(one.wrap(bytes(32), "P-1"), "P-2")


@given(KEYS, st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_a_commitment_is_of_one_text_at_one_place(secret, path, text, other):
    """The same text there gives the same commitment; another text another. It is what its definition says."""
    salt = hmac.digest(secret, path.encode() + b"\0" + text.encode(), sha256)
    expected = sha256(b"compliance vault text v1\0" + salt + text.encode()).digest()
    assert text_commitment(secret, path, text) == expected
    assert (text_commitment(secret, path, other) == expected) == (text == other)
    assert text_commitment(bytes(b ^ 1 for b in secret), path, text) != expected
    assert text_commitment(secret, path + "x", text) != expected


def test_an_identity_is_committed_to_with_its_salt():
    """SHA-256 over purpose, salt and canonical JSON."""
    clear = {"name": "A", "birth_date": "1961-04-05"}
    expected = sha256(b"compliance vault identity v1\0" + bytes(32) + canonical(clear)).digest()
    assert identity_commitment(bytes(32), canonical(clear)) == expected
    assert identity_commitment(b"\1" * 32, canonical(clear)) != expected


def test_a_site_key_has_32_bytes():
    """Another length is a fault of the program."""
    with pytest.raises(ValueError, match="32"):
        SiteKeys(bytes(31))
