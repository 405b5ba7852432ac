"""The SM2 signer: SM3 digests, 64 bytes r and s, user id 1234567812345678."""

from gateway.signing import libcrypto
from gateway.signing.certificates import facts
from gateway.signing.signer import KeyAndCertificateDiffer, KeyUnreadable


class Sm2Signer:
    """A `Signer` with an SM2 key held by libcrypto."""

    suite = "sm2-sm3"

    def __init__(self, name: str, key_pem: bytes, certificate_der: bytes) -> None:
        self.name, self.certificate_der = name, certificate_der
        self.key_name = facts(certificate_der).serial
        try:
            self._key = libcrypto.private_key(key_pem)
        except libcrypto.Refused as trouble:
            raise KeyUnreadable(f"{name}: the private key is no unencrypted SM2 key in PEM") from trouble
        public = libcrypto.public_key(certificate_der)
        if public is None or not self._key.fits(public):
            raise KeyAndCertificateDiffer(name)

    def __repr__(self) -> str:
        return f"Sm2Signer({self.name!r})"

    def digest(self, octets: bytes) -> bytes:
        """Return the SM3 digest of octets."""
        return libcrypto.sm3(octets)

    def sign(self, octets: bytes) -> bytes:
        """Return r and s, 64 bytes, over octets."""
        return self._key.sign(octets)
