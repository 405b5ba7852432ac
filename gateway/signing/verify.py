"""Whether a message was signed by a certificate we were told to trust, and if not, why not.

Everything is refused that is not plainly good: the shape by `anatomy`, the
algorithms by `suites.LISTED`, the certificate by being byte for byte one of
the trusted, the mathematics by libxmlsec for RSA and by libcrypto for SM2.
The key never comes from the message.

**Known limits**: no chain, no revocation list; a certificate is trusted when
the caller says so and while its dates hold.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import xmlsec
from lxml import etree

from gateway.signing import certificates
from gateway.signing.anatomy import Parts, Refused, read
from gateway.signing.canonical import Uncanonical, document_octets, signed_info_octets
from message_specs.findings import Finding
from message_specs.limits import Limits
from message_specs.opening import Unreadable, parse


@dataclass(frozen=True, slots=True)
class Verdict:
    """The whole answer about one signature; code and reasons are those of the finding, which is None when valid."""

    valid: bool
    code: str | None
    suite: str | None
    key_name: str | None
    certificate_der: bytes | None
    certificate_subject: str | None
    not_after: datetime | None
    reason_zh: str
    reason_en: str
    finding: Finding | None = None


def verify(message: etree._Element | bytes, trusted: Sequence[bytes], at: datetime) -> Verdict:
    """Return the verdict at a time; `trusted` are DER certificates, and a parsed message stays as it is."""
    parts, certificate = None, None
    try:
        root = parsed(message) if isinstance(message, bytes) else message
        parts = read(root)
        certificate = entrusted(parts, trusted)
        in_force(certificate, at)
        fitting(certificate, parts)
        signed(parts, certificate)
    except Refused as refused:
        return _verdict(parts, certificate, refused.finding)
    return _verdict(parts, certificate, None)


def parsed(data: bytes) -> etree._Element:
    """Return the root of a message; raise `Refused` when it is no safe XML."""
    try:
        return parse(data, Limits())
    except Unreadable as trouble:
        raise Refused("G014", zh=trouble.finding.zh, en=trouble.finding.en) from trouble


def entrusted(parts: Parts, trusted: Sequence[bytes]) -> bytes:
    """Return the trusted certificate the message means: the same bytes, or the only one of its serial number."""
    if parts.certificate is not None:
        meant = [der for der in trusted if der == parts.certificate]
        told = _told(parts.certificate)
    else:
        meant = [der for der in dict.fromkeys(trusted) if same_serial(certificates.facts(der).serial, parts.key_name)]
        told = parts.key_name
    if not meant or (parts.certificate is None and len(meant) > 1):
        raise Refused("G009", serial=told)
    return meant[0]


def _told(der: bytes) -> str:
    """Return the serial number and subject of a certificate in a message; refuse bytes that are none."""
    try:
        facts = certificates.facts(der)
    except certificates.NoCertificate as trouble:
        raise Refused("G012", place="X509Certificate") from trouble
    return f"{facts.serial} {facts.subject}"


def same_serial(serial: str, key_name: str) -> bool:
    """Return whether a KeyName writes this serial number, whatever its letter case, colons and leading zeros.

    >>> same_serial("01251197", "01:25:11:97"), same_serial("01251197", "0001"), same_serial("00", "")
    (True, False, False)
    """
    plain = "".join(key_name.split()).replace(":", "").lower()
    return bool(plain) and plain.lstrip("0") == serial.lstrip("0")


def in_force(certificate: bytes, at: datetime) -> None:
    """Refuse a certificate outside its dates."""
    facts = certificates.facts(certificate)
    if at > facts.not_after:
        raise Refused("G010", serial=facts.serial, date=f"{facts.not_after:%Y-%m-%d %H:%M}")
    if at < facts.not_before:
        raise Refused("G011", serial=facts.serial, date=f"{facts.not_before:%Y-%m-%d %H:%M}")


def fitting(certificate: bytes, parts: Parts) -> None:
    """Refuse an algorithm that the certificate's key cannot have used."""
    kind = certificates.facts(certificate).kind
    if kind != parts.suite.kind:
        raise Refused("G015", algorithm=parts.suite.signature, kind=kind.upper())


def signed(parts: Parts, certificate: bytes) -> None:
    """Refuse a message whose digest or signature value is not right."""
    if parts.suite.kind == "rsa" and _xmlsec_agrees(parts.signature, certificate):
        return
    try:
        document, octets = document_octets(parts.signature), signed_info_octets(parts.signed_info)
    except Uncanonical as trouble:
        raise Refused("G014", zh="无法规范化", en=str(trouble)) from trouble
    found = parts.suite.digest_of(document)
    if found != parts.digest_value:
        raise Refused("G007", expected=parts.digest_value.hex(), found=found.hex())
    # For RSA libxmlsec has said no already and nothing here overrules it.
    if parts.suite.kind == "rsa" or not certificates.sm2_verifies(certificate, parts.signature_value, octets):
        raise Refused("G008")


@functools.lru_cache(maxsize=1024)
def _xmlsec_key(certificate: bytes) -> Any:
    return xmlsec.Key.from_memory(certificate, xmlsec.constants.KeyDataFormatCertDer)


def _xmlsec_agrees(signature: etree._Element, certificate: bytes) -> bool:
    context = xmlsec.SignatureContext()
    context.key = _xmlsec_key(certificate)
    try:
        context.verify(signature)
    except xmlsec.Error:
        return False
    return True


def _verdict(parts: Parts | None, certificate: bytes | None, finding: Finding | None) -> Verdict:
    facts = certificates.facts(certificate) if certificate else None
    return Verdict(
        valid=finding is None,
        code=finding.code if finding else None,
        suite=parts.suite.name if parts else None,
        key_name=parts.key_name if parts else None,
        certificate_der=certificate,
        certificate_subject=facts.subject if facts else None,
        not_after=facts.not_after if facts else None,
        reason_zh=finding.zh if finding else "",
        reason_en=finding.en if finding else "",
        finding=finding,
    )
