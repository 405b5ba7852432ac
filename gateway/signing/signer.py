"""What a signer is, and what an operator is told when a key cannot sign.

A signer holds one private key and its certificate and never shows the key.
A card, an encryptor or a remote bridge fits behind the same five members.
"""

from typing import Protocol

from spool.errors import ForOperator, OurMistake


class Signer(Protocol):
    """One key of one suite, ready to sign."""

    @property
    def suite(self) -> str:
        """The suite's name: rsa-sha1, rsa-sha256 or sm2-sm3."""

    @property
    def name(self) -> str:
        """The name of the key's folder."""

    @property
    def key_name(self) -> str:
        """The text of ds:KeyName: the certificate's serial number in hexadecimal."""

    @property
    def certificate_der(self) -> bytes:
        """The certificate that goes into ds:X509Certificate."""

    def digest(self, octets: bytes) -> bytes:
        """Return the digest of octets by the suite's digest method."""

    def sign(self, octets: bytes) -> bytes:
        """Return the signature value: PKCS#1 v1.5 for RSA, 64 bytes r and s for SM2."""


class KeyMissing(ForOperator):
    """No such signing key stands in keys/"""


class KeyExists(ForOperator):
    """A signing key of this name stands in keys/ already"""


class KeyUnreadable(ForOperator):
    """The signing key or its certificate cannot be read"""


class KeyExpired(ForOperator):
    """The certificate of this signing key has expired"""


class KeyNotYetValid(ForOperator):
    """The certificate of this signing key is not yet valid"""


class KeyAndCertificateDiffer(ForOperator):
    """The private key and the certificate are not a pair"""


class LibcryptoMissing(ForOperator):
    """OpenSSL 3 (libcrypto.so.3) is needed for SM2 and cannot be loaded; on Debian: apt install libssl3"""


class AlreadySigned(ForOperator):
    """The message carries a signature already and is not signed twice"""


class NotSignable(ForOperator):
    """The file is no message that could be signed"""


class NotCanonical(OurMistake):
    """The text handed to the seal is not the canonical text of an unsigned message"""
