"""Time stamps that real authorities made (RFC 3161)."""

from __future__ import annotations

from pathlib import Path

import pytest

from compliance.domain.time import format_instant
from compliance.errors import InputError
from compliance.ledger.timestamp import TimestampError, verify_timestamp

FOLDER = Path(__file__).parent / "rfc3161" / "fixtures"
PAYLOAD = (FOLDER / "sigstore.mock" / "payload").read_bytes()
GOOD = [
    ("identrust/issue-104.tsr", b"hello", "2025-03-11T08:52:08Z"),
    ("sigstage/response-no-embedded-cert.tsr", b"hello", "2025-06-18T08:13:02Z"),
    ("sigstage/response-sha256.tsr", b"hello", "2025-05-09T11:58:55Z"),
    ("sigstage/response-sha384.tsr", b"hello", "2025-05-09T11:58:55Z"),
    ("sigstage/response-sha512.tsr", b"hello", "2025-05-09T11:58:56Z"),
    ("sigstore.mock/response-expired.tsr", PAYLOAD, "2023-02-01T00:00:00Z"),
    ("test_tsa/response.tsr", b"hello", "2024-10-08T15:40:32Z"),
]


def verified(token: str, message: bytes, chain: str | None = None):
    path = FOLDER / token
    certificates = (path.parent if chain is None else FOLDER / chain) / "ts_chain.pem"
    return verify_timestamp(message, path.read_bytes(), [certificates.read_bytes()])


@pytest.mark.parametrize("token, message, at", GOOD)
def test_a_good_time_stamp_says_when(token, message, at):
    """The instant is that which the authority gave; a certificate that has expired since then is no objection."""
    assert format_instant(verified(token, message).at_us) == at


@pytest.mark.parametrize("token, message, _", GOOD)
def test_a_good_time_stamp_of_another_file(token, message, _):
    """The same token over anything else proves nothing."""
    with pytest.raises(TimestampError, match="Mismatch between messages"):
        verified(token, message + b"\n")


@pytest.mark.parametrize("token, message, _", GOOD)
def test_a_good_time_stamp_of_an_authority_that_is_not_trusted(token, message, _):
    """Another authority's root does not verify it."""
    other = "test_tsa" if not token.startswith("test_tsa") else "sigstage"
    with pytest.raises(TimestampError):
        verified(token, message, other)


@pytest.mark.parametrize("token", ["sigstage/response-invalid-signature.tsr", "test_tsa/other_response.tsr"])
def test_a_false_time_stamp(token):
    """A damaged signature, and a token by another authority of the same name."""
    with pytest.raises(TimestampError, match="does not verify"):
        verified(token, b"hello")


def test_injected_certificates_do_not_change_who_signed():
    """Certificates that somebody added to the token, unsigned, are not taken for the signer's."""
    assert verified("test_tsa/response-injected-certs.tsr", b"hello") == verified(
        "test_tsa/response.tsr", b"hello"
    )


UNSIGNED = {34, 757, *range(1147, 1156)}
"""Bytes of test_tsa/response.tsr that no signature covers (RFC 5652, 5.4): two version numbers and the name of the signature's algorithm."""


@pytest.mark.parametrize("bits", ["one in each byte", pytest.param("every one", marks=pytest.mark.soak)])
def test_every_flipped_bit_of_a_token_is_refused(bits):
    """Any bit but those that CMS leaves unsigned makes the token worthless; those leave what it says as it was."""
    path = FOLDER / "test_tsa" / "response.tsr"
    token, chain = path.read_bytes(), (path.parent / "ts_chain.pem").read_bytes()
    said = verify_timestamp(b"hello", token, [chain])
    for bit in range(len(token) * 8):
        if bits != "every one" and bit % 8 != bit // 8 % 8 and bit // 8 not in UNSIGNED:
            continue
        changed = bytearray(token)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            found = verify_timestamp(b"hello", bytes(changed), [chain])
        except TimestampError:
            continue
        assert bit // 8 in UNSIGNED, f"bit {bit} was flipped and the token still verifies"
        assert found == said


@pytest.mark.parametrize("token", [b"", b"hello", b"\x30\x03\x02\x01\x00", b"0" * 5000])
def test_what_is_no_token(token):
    """Whatever the bytes are, the answer is in words."""
    chain = (FOLDER / "test_tsa" / "ts_chain.pem").read_bytes()
    with pytest.raises(TimestampError):
        verify_timestamp(b"hello", token, [chain])


def test_what_is_no_root():
    """A file without certificates, and one with none that signed itself, are told apart from a bad token."""
    path = FOLDER / "test_tsa"
    token, chain = (path / "response.tsr").read_bytes(), (path / "ts_chain.pem").read_bytes()
    first = chain[: chain.index(b"-----END CERTIFICATE-----") + 26]
    for certificates, words in (
        ([b"nothing"], "holds none"),
        ([b"-----BEGIN nothing"], "holds none"),
        ([first], "is a root"),
    ):
        with pytest.raises(InputError, match=words):
            verify_timestamp(b"hello", token, certificates)
