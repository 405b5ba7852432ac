"""The signature suites: which algorithm names may stand in a message, and in which pairs.

A pair that is not in `LISTED` is refused by the verifier, whatever it means
elsewhere.  The 2018-113 revision names RSA with SHA-1 or SHA-256; 202205
(notice of 2022-05-17) prefers SM2 with SM3 under addresses of its own.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from gateway.signing import libcrypto

CEB = "http://www.chinaport.gov.cn/ceb"
DS = "http://www.w3.org/2000/09/xmldsig#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = f"{DS}enveloped-signature"
_CHINAPORT = "http://www.chinaport.gov.cn/2022/04/xmldsig#"

SHA1 = f"{DS}sha1"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
SM3 = f"{_CHINAPORT}sm3"


def sha1(octets: bytes) -> bytes:
    """Return the SHA-1 digest, which the 2018 revision prescribes."""
    return hashlib.sha1(octets).digest()


def sha256(octets: bytes) -> bytes:
    """Return the SHA-256 digest."""
    return hashlib.sha256(octets).digest()


DIGESTS: dict[str, Callable[[bytes], bytes]] = {SHA1: sha1, SHA256: sha256, SM3: libcrypto.sm3}


@dataclass(frozen=True, slots=True)
class Suite:
    """One allowed pair of algorithms; `name` is what keys and verdicts call it."""

    name: str
    kind: str
    signature: str
    digest: str

    def digest_of(self, octets: bytes) -> bytes:
        """Return the digest of octets by the suite's digest method."""
        return DIGESTS[self.digest](octets)


RSA_SHA1 = Suite("rsa-sha1", "rsa", f"{DS}rsa-sha1", SHA1)
RSA_SHA256 = Suite("rsa-sha256", "rsa", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", SHA256)
SM2_SM3 = Suite("sm2-sm3", "sm2", f"{_CHINAPORT}sm2-sm3", SM3)

# Written by cards of 2022/23 (Haikou): the SM2 name under the W3C's address, its digest SHA-1.
_FIELD_SM2 = f"{DS}sm2-sm3"

SUITES: dict[str, Suite] = {suite.name: suite for suite in (RSA_SHA1, RSA_SHA256, SM2_SM3)}

LISTED: dict[tuple[str, str], Suite] = {
    (suite.signature, suite.digest): suite
    for suite in (
        *SUITES.values(),
        Suite("sm2-sm3", "sm2", _FIELD_SM2, SHA1),
        Suite("sm2-sm3", "sm2", _FIELD_SM2, SM3),
    )
}
