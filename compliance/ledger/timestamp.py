"""Time stamps: an authority that both sides trust says that a checkpoint existed at a time (RFC 3161).

The stamp is over the bytes of the checkpoint's file as they are, so that ``openssl ts -verify -data CHECKPOINT`` checks it as well; a
cosignature that is added later makes another file. Nothing here uses the network: a request goes out and a token comes back as files.

``rfc3161-client`` does the work (the extra ``timestamp``): the token's signature, the chain to a given root at the time of the stamp,
the certificate's purpose, and the digest.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from compliance.domain.time import microseconds
from compliance.errors import InputError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_NO_STAMP: Final = "Ask the authority for a time stamp of this very file again."


class TimestampError(InputError):
    """A time stamp that does not show what it should; the message says why."""


@dataclass(frozen=True, slots=True)
class Stamped:
    """What a verified time stamp says: when (microseconds since the epoch), how exactly (microseconds, or None), and by whom."""

    at_us: int
    accuracy_us: int | None
    authority: str


def timestamp_request(content: bytes) -> bytes:
    """A request for a time stamp of a file, as DER; it holds the file's SHA-256 digest and a nonce, nothing of its content."""
    client = _client()
    request = client.TimestampRequestBuilder(data=content, hash_algorithm=client.HashAlgorithm.SHA256).build()
    der: bytes = request.as_bytes()
    return der


def verify_timestamp(content: bytes, token: bytes, certificates: Sequence[bytes]) -> Stamped:
    """What a token (a DER time-stamp response) says about a file; `certificates` are files (PEM or DER) with the root that is trusted, and
    intermediate ones where the token does not carry them.

    Raises TimestampError where the token does not verify, InputError where a file holds no certificate or the extra is not installed.
    """
    client = _client()
    roots, others = _certificates(certificates)
    leaves = [one for one in others if not _signs_others(one)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a damaged certificate looks like to `cryptography`
        try:
            response = client.decode_timestamp_response(token)
            builder = client.VerifierBuilder(
                roots=roots, intermediates=[one for one in others if _signs_others(one)]
            )
            if len(leaves) == 1:
                builder = builder.tsa_certificate(leaves[0])
            builder.build().verify_message(response, content)
            info = response.tst_info
            return Stamped(
                microseconds(info.gen_time), _accuracy(info.accuracy), _authority(response, leaves)
            )
        except client.VerificationError as problem:
            raise TimestampError(f"the time stamp does not verify: {problem}", _NO_STAMP) from problem
        except TimestampError:
            raise
        except Exception as problem:  # decoders of foreign bytes raise what they like
            if "InvalidSetOrdering" in str(problem):
                raise TimestampError(
                    "the certificates in the time stamp do not stand in the order that DER asks for (X.690, 11.6), so it cannot be read here",
                    "Ask the authority for a time stamp without its chain of certificates, and give those with --certificate.",
                ) from problem
            raise TimestampError(
                f"this is no time stamp, or a damaged one: {str(problem)[:200]}", _NO_STAMP
            ) from problem


def _client() -> Any:
    try:
        import rfc3161_client  # noqa: PLC0415 - an optional extra
    except ImportError as problem:
        raise InputError(
            "time stamps need the package rfc3161-client, which is not installed",
            "Install it: pip install 'compliance-engine[timestamp]'.",
        ) from problem
    return rfc3161_client


def _certificates(files: Sequence[bytes]) -> tuple[list[Certificate], list[Certificate]]:
    """The roots, which are those that signed themselves, and the others."""
    from cryptography import x509  # noqa: PLC0415

    roots: list[Certificate] = []
    others: list[Certificate] = []
    for content in files:
        try:
            if b"-----BEGIN" in content:
                found = x509.load_pem_x509_certificates(content)
            else:
                found = [x509.load_der_x509_certificate(content)]
        except ValueError as problem:
            raise InputError(
                "a file that should hold the authority's certificates holds none",
                "Give certificates as the authority publishes them, in PEM or DER form.",
            ) from problem
        for one in found:
            kind = roots if one.subject == one.issuer else others
            if one not in kind:
                kind.append(one)
    if not roots:
        raise InputError(
            "none of the given certificates is a root: each was signed by another one",
            "Add the authority's root certificate, which it publishes; compare its fingerprint with the published one.",
        )
    return roots, others


def _signs_others(certificate: Certificate) -> bool:
    from cryptography import x509  # noqa: PLC0415

    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False


def _accuracy(accuracy: Any) -> int | None:
    if accuracy is None:
        return None
    return int((accuracy.seconds or 0) * 1_000_000 + (accuracy.millis or 0) * 1000 + (accuracy.micros or 0))


def _authority(response: Any, given: Sequence[Certificate]) -> str:
    """The subject of the certificate that signed."""
    from cryptography import x509  # noqa: PLC0415

    (signer,) = response.signed_data.signer_infos
    embedded = [x509.load_der_x509_certificate(one) for one in response.signed_data.certificates]
    for one in (*embedded, *given):
        if one.issuer == signer.issuer and one.serial_number == signer.serial_number:
            return str(one.subject.rfc4514_string())
    raise TimestampError("the time stamp does not say which certificate signed it", _NO_STAMP)
