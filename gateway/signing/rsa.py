"""The RSA signer: PKCS#1 v1.5 with SHA-1 or SHA-256."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric import rsa as rsa_keys

from gateway.signing.certificates import facts, rsa_key
from gateway.signing.signer import KeyAndCertificateDiffer, KeyUnreadable
from gateway.signing.suites import SUITES


class RsaSigner:
    """A `Signer` with an RSA key; its suite is rsa-sha1 or rsa-sha256."""

    def __init__(self, name: str, suite: str, key_pem: bytes, certificate_der: bytes) -> None:
        self.name, self.suite, self.certificate_der = name, suite, certificate_der
        self.key_name = facts(certificate_der).serial
        self._ids = SUITES[suite]
        self._pem = key_pem
        self._key = _read(name, key_pem)
        # The 2018 revision prescribes SHA-1 for the older cards, and customs still takes it.
        self._hash: hashes.HashAlgorithm = hashes.SHA1() if suite == "rsa-sha1" else hashes.SHA256()  # noqa: S303
        if rsa_key(certificate_der) != self._key.public_key():
            raise KeyAndCertificateDiffer(name)

    def __repr__(self) -> str:
        return f"RsaSigner({self.name!r}, {self.suite!r})"

    def digest(self, octets: bytes) -> bytes:
        """Return the digest of octets by the suite's digest method."""
        return self._ids.digest_of(octets)

    def sign(self, octets: bytes) -> bytes:
        """Return the PKCS#1 v1.5 signature of octets."""
        return self._key.sign(octets, padding.PKCS1v15(), self._hash)

    def key_pem(self) -> bytes:
        """Return the private key for xmlsec, which signs inside this process; it is never printed."""
        return self._pem


def _read(name: str, pem: bytes) -> rsa_keys.RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as trouble:
        raise KeyUnreadable(f"{name}: the private key is no unencrypted RSA key in PEM") from trouble
    if not isinstance(key, rsa_keys.RSAPrivateKey):
        raise KeyUnreadable(f"{name}: the private key is no RSA key")
    return key
