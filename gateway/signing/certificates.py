"""What a certificate says, and whether its key made a signature.

Facts are read by `cryptography`, for SM2 certificates too; the SM2 key itself
is known to libcrypto only.  Whether a certificate is trusted is never decided
here: a chain is not followed, the caller names the certificates he trusts.
"""

import functools
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.signing import libcrypto


class NoCertificate(ValueError):  # noqa: N818  named for what is true
    """These bytes are no X.509 certificate"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a certificate says of itself; `kind` is rsa, sm2 or other."""

    kind: str
    bits: int
    serial: str
    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime


def serial_text(number: int) -> str:
    """Return a serial number as customs prints it: whole bytes in lower-case hexadecimal.

    >>> serial_text(0x1251197)
    '01251197'
    """
    length = max(1, (number.bit_length() + 7) // 8)
    return number.to_bytes(length, "big").hex()


@functools.lru_cache(maxsize=1024)
def _parsed(der: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion) as trouble:
        raise NoCertificate(str(trouble)) from trouble


@functools.lru_cache(maxsize=1024)
def rsa_key(der: bytes) -> rsa.RSAPublicKey | None:
    """Return the RSA key of a certificate, or None when it holds another kind."""
    try:
        key = _parsed(der).public_key()
    except (UnsupportedAlgorithm, ValueError):
        return None
    return key if isinstance(key, rsa.RSAPublicKey) else None


def _kind(der: bytes) -> tuple[str, int]:
    key = rsa_key(der)
    if key is not None:
        return "rsa", key.key_size
    if _parsed(der).public_key_algorithm_oid.dotted_string != "1.2.840.10045.2.1":
        return "other", 0
    return ("sm2", 256) if libcrypto.public_key(der) is not None else ("other", 0)


@functools.lru_cache(maxsize=1024)
def facts(der: bytes) -> Facts:
    """Return what the certificate says; raise `NoCertificate` when it is none."""
    parsed = _parsed(der)
    try:
        kind, bits = _kind(der)
        return Facts(
            kind=kind,
            bits=bits,
            serial=serial_text(parsed.serial_number),
            subject=parsed.subject.rfc4514_string(),
            issuer=parsed.issuer.rfc4514_string(),
            not_before=parsed.not_valid_before_utc,
            not_after=parsed.not_valid_after_utc,
        )
    except (ValueError, OverflowError) as trouble:
        raise NoCertificate(str(trouble)) from trouble


def from_pem(text: bytes) -> bytes:
    """Return the DER form of the first certificate in a PEM text; raise `NoCertificate` when there is none."""
    try:
        return x509.load_pem_x509_certificate(text).public_bytes(Encoding.DER)
    except ValueError as trouble:
        raise NoCertificate(str(trouble)) from trouble


def to_pem(der: bytes) -> bytes:
    """Return the PEM form of a DER certificate."""
    return _parsed(der).public_bytes(Encoding.PEM)


def rsa_verifies(der: bytes, signature: bytes, octets: bytes, digest: str) -> bool:
    """Return whether the certificate's RSA key signed octets with PKCS#1 v1.5 and the digest sha1 or sha256."""
    key = rsa_key(der)
    algorithms: dict[str, Any] = {"sha1": hashes.SHA1, "sha256": hashes.SHA256}
    if key is None:
        return False
    try:
        key.verify(signature, octets, padding.PKCS1v15(), algorithms[digest]())
    except InvalidSignature:
        return False
    return True


def sm2_verifies(der: bytes, signature: bytes, octets: bytes) -> bool:
    """Return whether the certificate's SM2 key made these 64 bytes over octets, under the usual user id."""
    key = libcrypto.public_key(der)
    return key is not None and key.verify(signature, octets)


def verifies(der: bytes, suite: str, signature: bytes, octets: bytes) -> bool:
    """Return whether the certificate's key made the signature by the suite."""
    if suite == "sm2-sm3":
        return sm2_verifies(der, signature, octets)
    return rsa_verifies(der, signature, octets, suite.removeprefix("rsa-"))
