"""Why a signature is good or not, told to the person who has to mend the signing program.

Everything is shown that a signature is made of, and the first thing that
differs is named.  Where no trusted certificate is given the one inside the
message is used, and that is said aloud: such a check proves only that the
message was not changed, not who signed it.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from gateway.signing import certificates, mistakes
from gateway.signing.anatomy import Refused
from gateway.signing.canonical import Uncanonical, document_octets, octets, signed_info_octets
from gateway.signing.mistakes import Mistake
from gateway.signing.suites import C14N, DIGESTS, DS, LISTED
from gateway.signing.verify import parsed, same_serial, verify
from message_specs.findings import Finding

_SHOWN = 160


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that can be told of one message's signature; `difference` is None when the signature is good."""

    document: bytes
    signed_info: bytes
    algorithms: dict[str, str]
    digest_in_file: str
    digest_computed: str
    signature_good: bool
    certificate: certificates.Facts | None
    trusted: bool
    key_name: str
    key_name_is_serial: bool
    difference: Finding | None
    mistakes: tuple[Mistake, ...]

    def as_dict(self, *, full: bool = False) -> dict[str, Any]:
        """Return everything as JSON values; the canonical octets whole only when asked for."""
        facts = self.certificate
        return {
            "valid": self.difference is None,
            "difference": self.difference.as_dict() if self.difference else None,
            "mistakes": [{"name": one.name, "zh": one.zh, "en": one.en} for one in self.mistakes],
            "document": _shown(self.document, full=full),
            "signed_info": _shown(self.signed_info, full=full),
            "algorithms": self.algorithms,
            "digest_in_file": self.digest_in_file,
            "digest_computed": self.digest_computed,
            "signature_good": self.signature_good,
            "certificate": None
            if facts is None
            else {
                "serial": facts.serial,
                "subject": facts.subject,
                "issuer": facts.issuer,
                "key": f"{facts.kind}-{facts.bits}",
                "not_before": facts.not_before.isoformat(),
                "not_after": facts.not_after.isoformat(),
            },
            "trusted": self.trusted,
            "key_name": self.key_name,
            "key_name_is_serial": self.key_name_is_serial,
        }

    def as_text(self, *, full: bool = False) -> str:
        """Return the same for a reader, Chinese and English side by side."""
        return "\n".join(_lines(self, full=full))


def explain(data: bytes, trusted: Sequence[bytes] = (), at: datetime | None = None) -> Explanation:
    """Return what a message's signature is made of and the first thing that differs from a good one."""
    moment = at or datetime.now(UTC)
    try:
        root = parsed(data)
        whole = octets(root.getroottree())
    except Refused as refused:
        return _nothing(b"", refused.finding)
    except Uncanonical as trouble:
        return _nothing(b"", Refused("G014", zh="无法规范化", en=str(trouble)).finding)
    signature = next(root.iter(f"{{{DS}}}Signature"), None)
    if signature is None or signature.getparent() is None:
        return _nothing(whole, verify(root, trusted, moment).finding)
    return _explained(data, root, signature, trusted, moment)


def _nothing(document: bytes, finding: Finding | None) -> Explanation:
    """Return the explanation of a message without a signature that could be taken apart."""
    return Explanation(document, b"", {}, "", "", False, None, False, "", False, finding, ())


def _explained(
    data: bytes, root: etree._Element, signature: etree._Element, trusted: Sequence[bytes], at: datetime
) -> Explanation:
    info = signature.find(f"{{{DS}}}SignedInfo")
    ids = _algorithms(signature)
    key_name = (signature.findtext(f".//{{{DS}}}KeyName") or "").strip()
    certificate = _certificate(signature, key_name, trusted)
    facts = certificates.facts(certificate) if certificate else None
    document, wanted = document_octets(signature), _octets(signature, "DigestValue")
    digest = DIGESTS.get(ids["digest"])
    computed = digest(document) if digest else b""
    value, hashed = _octets(signature, "SignatureValue"), _hashed(ids)
    signed = b"" if info is None else signed_info_octets(info)
    good = bool(certificate) and _good(certificate or b"", value, signed, hashed)
    found: tuple[Mistake, ...] = ()
    if computed != wanted:
        found += mistakes.of_digest(data, signature, ids["digest"], wanted)
    if not good and certificate:
        found += mistakes.of_signature(data, signature, certificate=certificate, value=value, hashed=hashed)
    return Explanation(
        document=document,
        signed_info=signed,
        algorithms=ids,
        digest_in_file=wanted.hex(),
        digest_computed=computed.hex(),
        signature_good=good,
        certificate=facts,
        trusted=certificate in trusted,
        key_name=key_name,
        key_name_is_serial=facts is not None and same_serial(facts.serial, key_name),
        difference=_difference(root, certificate, trusted, at),
        mistakes=tuple(dict.fromkeys(found)),
    )


def _difference(
    root: etree._Element, certificate: bytes | None, trusted: Sequence[bytes], at: datetime
) -> Finding | None:
    """Return what is wrong with the signature itself, or else with its certificate's dates or trust."""
    if certificate is not None:
        alone = verify(root, (certificate,), certificates.facts(certificate).not_before).finding
        if alone is not None:
            return alone
    return verify(root, trusted or ((certificate,) if certificate else ()), at).finding


def _certificate(signature: etree._Element, key_name: str, trusted: Sequence[bytes]) -> bytes | None:
    """Return the certificate inside, or the trusted one the KeyName means, or None."""
    inside = _octets(signature, "X509Certificate")
    try:
        certificates.facts(inside)
    except certificates.NoCertificate:
        named = [der for der in trusted if same_serial(certificates.facts(der).serial, key_name)]
        return named[0] if named else None
    return inside


def _octets(signature: etree._Element, name: str) -> bytes:
    """Return the octets of the first base64 text of that name, empty when it is broken or absent."""
    try:
        return base64.b64decode("".join((signature.findtext(f".//{{{DS}}}{name}") or "").split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _algorithms(signature: etree._Element) -> dict[str, str]:
    def named(name: str) -> str:
        return " ".join(str(one.get("Algorithm", "")) for one in signature.iter(f"{{{DS}}}{name}"))

    return {
        "canonicalization": named("CanonicalizationMethod"),
        "signature": named("SignatureMethod"),
        "digest": named("DigestMethod"),
        "transforms": named("Transform"),
    }


def _hashed(ids: dict[str, str]) -> str:
    """Return which digest the signature algorithm names: sha1, sha256 or sm3."""
    suites = [suite.name for (signature, _), suite in LISTED.items() if signature == ids["signature"]]
    return suites[0].rpartition("-")[2] if suites else "sm3"


def _good(certificate: bytes, value: bytes, signed: bytes, hashed: str) -> bool:
    suite = "sm2-sm3" if hashed == "sm3" else f"rsa-{hashed}"
    return certificates.verifies(certificate, suite, value, signed)


def _shown(text: bytes, *, full: bool) -> dict[str, Any]:
    """Return the length of a canonical text, and its ends or the whole."""
    if full or len(text) <= 2 * _SHOWN:
        return {"length": len(text), "text": text.decode()}
    return {
        "length": len(text),
        "begins": text[:_SHOWN].decode(errors="ignore"),
        "ends": text[-_SHOWN:].decode(errors="ignore"),
    }


def _yes(value: object) -> str:
    return "是 yes" if value else "否 no"


def _lines(explanation: Explanation, *, full: bool) -> list[str]:
    told, facts = explanation, explanation.certificate
    lines = [*_octet_lines("报文规范化 canonical document", told.document, full=full)]
    lines += _octet_lines("SignedInfo 规范化 canonical SignedInfo", told.signed_info, full=full)
    lines += [f"算法 algorithm, {name}: {value or '-'}" for name, value in told.algorithms.items()]
    if told.algorithms and told.algorithms["canonicalization"] != C14N:
        lines.append(f"  应为 must be: {C14N}")
    if told.algorithms:
        lines += [
            f"摘要，报文所载 digest in the file: {told.digest_in_file or '-'}",
            f"摘要，计算所得 digest computed:    {told.digest_computed or '-'}",
            f"签名值成立 signature value good: {_yes(told.signature_good)}",
        ]
    if facts is not None:
        trust = "已登记 trusted" if told.trusted else "报文自带，未登记，不作信任 from the message itself, not trusted"
        lines += [
            f"证书 certificate: {facts.serial} {facts.subject} ({facts.kind.upper()} {facts.bits}), {trust}",
            f"  有效期 valid: {facts.not_before:%Y-%m-%d} … {facts.not_after:%Y-%m-%d}",
            f"KeyName {told.key_name or '-'} 即证书序列号 is the serial number: {_yes(told.key_name_is_serial)}",
        ]
    if told.difference is None:
        return [*lines, "结论 verdict: 签名有效 the signature is good"]
    lines.append(f"首个差别 first difference: {told.difference.code} {told.difference.zh}")
    lines += [f"  {told.difference.en}", f"  {told.difference.hint}"]
    return lines + [f"很可能的原因 most likely: {one.zh}\n  {one.en}" for one in told.mistakes]


def _octet_lines(title: str, text: bytes, *, full: bool) -> list[str]:
    if not text:
        return [f"{title}: -"]
    shown = _shown(text, full=full)
    ends = [shown["text"]] if "text" in shown else [shown["begins"] + " …", "… " + shown["ends"]]
    if not full:
        ends = [end.replace("\r", "\\r").replace("\n", "\\n") for end in ends]
    return [f"{title}: {len(text)} 字节 bytes", *(f"  {end}" for end in ends)]
