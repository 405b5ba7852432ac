"""Customs' own opinion of a signature, reached without a line of the gateway's code.

What is believed: the signature is the last child of the root and the only one,
it covers the whole document, every algorithm is on the list, and the
certificate is one that the enterprise has left with customs.  The digest is
taken over lxml's canonical form; RSA is checked by libxmlsec, SM2 by GmSSL.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import xmlsec
from cryptography import x509
from lxml import etree

DS = "{http://www.w3.org/2000/09/xmldsig#}"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
DIGESTS = {
    "http://www.w3.org/2000/09/xmldsig#sha1": "sha1",
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.chinaport.gov.cn/2022/04/xmldsig#sm3": "sm3",
}
SM2 = "http://www.chinaport.gov.cn/2022/04/xmldsig#sm2-sm3"
RSA = {
    "http://www.w3.org/2000/09/xmldsig#rsa-sha1": xmlsec.constants.TransformRsaSha1,
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256": xmlsec.constants.TransformRsaSha256,
}
# SubjectPublicKeyInfo of a point on the SM2 curve, up to the 64 bytes of the point itself.
_SM2_KEY = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")


class NotBelieved(Exception):  # noqa: N818  it is an answer, and the text is told to the sender
    """The signature is not believed; the text says why"""


def believe(root: etree._Element, trusted: Sequence[bytes], at: datetime) -> None:
    """Return if the signature of `root` holds, else raise `NotBelieved`; the Signature is taken out of the tree."""
    signature = _the_signature(root)
    info = _child(signature, "SignedInfo")
    octets = _canonical_alone(info)
    method, digest_name, expected = _listed(info)
    value = _octets(_child(signature, "SignatureValue"))
    certificate = _certificate(signature, trusted, at)
    _take_out(signature)
    # Whole-document canonical form: on a subtree lxml writes false xmlns="" below a default namespace.
    canonical = etree.tostring(root.getroottree(), method="c14n", with_comments=False)
    if not hmac.compare_digest(hashlib.new(digest_name, canonical).digest(), expected):
        raise NotBelieved("报文摘要与签名中的摘要不符")
    if not _holds(method, octets, value, certificate):
        raise NotBelieved("签名值与证书不符")


def _the_signature(root: etree._Element) -> etree._Element:
    found = list(root.iter(DS + "Signature"))
    if len(found) != 1:
        raise NotBelieved(f"报文应有且仅有一个签名，实有 {len(found)} 个")
    if found[0].getparent() is not root or found[0].getnext() is not None:
        raise NotBelieved("签名不是报文的最后一个节点")
    if any(name.startswith("{http://www.w3.org/XML/1998/namespace}") for name in map(str, root.attrib)):
        raise NotBelieved("报文根节点带有 xml: 属性")
    return found[0]


def _listed(info: etree._Element) -> tuple[str, str, bytes]:
    """Return the method, the digest's name and the digest, if SignedInfo has exactly the form that is published."""
    if len(info) != 3:
        raise NotBelieved("签名应只有一个引用")
    canonical, method, reference = info
    algorithms = [_algorithm(canonical, "CanonicalizationMethod"), _algorithm(method, "SignatureMethod")]
    if algorithms[0] != C14N or (algorithms[1] != SM2 and algorithms[1] not in RSA):
        raise NotBelieved(f"算法不在允许之列: {algorithms}")
    if reference.tag != DS + "Reference" or reference.get("URI") != "":
        raise NotBelieved("签名应只引用整个报文 (URI 为空)")
    transforms = [_algorithm(step, "Transform") for step in _child(reference, "Transforms")]
    if transforms != [ENVELOPED]:
        raise NotBelieved(f"转换不在允许之列: {transforms}")
    digest = DIGESTS.get(_algorithm(_child(reference, "DigestMethod"), "DigestMethod"))
    if digest is None:
        raise NotBelieved("摘要算法不在允许之列")
    return algorithms[1], digest, _octets(_child(reference, "DigestValue"))


def _certificate(signature: etree._Element, trusted: Sequence[bytes], at: datetime) -> bytes:
    named = signature.findtext(f"{DS}KeyInfo/{DS}KeyName")
    told = signature.find(f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate")
    if not named or told is None:
        raise NotBelieved("签名缺少 KeyName 或 X509Certificate")
    der = _octets(told)
    if der not in trusted:
        raise NotBelieved("证书不是该企业备案的证书")
    since, until = validity(der)
    if not since <= at <= until:
        raise NotBelieved("证书不在有效期内")
    return der


def _holds(method: str, octets: bytes, value: bytes, certificate: bytes) -> bool:
    if method == SM2:
        return sm2_holds(octets, value, certificate)
    context = xmlsec.SignatureContext()
    try:
        context.key = _rsa_key(certificate)
        context.verify_binary(octets, RSA[method], value)
    except xmlsec.Error:
        return False
    return True


def sm2_holds(octets: bytes, value: bytes, certificate: bytes) -> bool:
    """Whether the 64 bytes are the signature of octets by the SM2 key of this certificate (DER)."""
    try:
        import gmssl_pyx
    except ImportError as error:
        raise NotBelieved("此处没有安装 gmssl-pyx，无法验证 SM2 签名") from error
    point = _sm2_point(certificate)
    return point is not None and len(value) == 64 and gmssl_pyx.sm2_verify(point, octets, _as_der(value)) is True


def _canonical_alone(element: etree._Element) -> bytes:
    """Inclusive canonical form of a subtree: written with all namespaces in scope, read again as its own document."""
    alone = etree.fromstring(etree.tostring(element, with_tail=False))
    return etree.tostring(alone.getroottree(), method="c14n", with_comments=False)


def _take_out(signature: etree._Element) -> None:
    """Remove the Signature and leave the white space behind it, which was signed."""
    root, before = signature.getparent(), signature.getprevious()
    assert root is not None
    if signature.tail and before is not None:
        before.tail = (before.tail or "") + signature.tail
    elif signature.tail:
        root.text = (root.text or "") + signature.tail
    root.remove(signature)


def _child(parent: etree._Element, name: str) -> etree._Element:
    found = parent.findall(DS + name)
    if len(found) != 1:
        raise NotBelieved(f"签名中应有一个 {name}")
    return found[0]


def _algorithm(element: etree._Element, name: str) -> str:
    if element.tag != DS + name or len(element):
        raise NotBelieved(f"签名中 {name} 的写法不在允许之列")
    return element.get("Algorithm") or ""


def _octets(element: etree._Element) -> bytes:
    if len(element):
        raise NotBelieved(f"{etree.QName(element).localname} 中夹有其他节点")
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotBelieved(f"{etree.QName(element).localname} 不是 base64") from error


def _as_der(raw: bytes) -> bytes:
    """Signature value r||s as the SEQUENCE of two INTEGERs that GmSSL reads."""
    parts = b"".join(_integer(half) for half in (raw[:32], raw[32:]))
    return b"\x30" + bytes([len(parts)]) + parts


def _integer(octets: bytes) -> bytes:
    short = octets.lstrip(b"\0") or b"\0"
    short = (b"\0" if short[0] & 0x80 else b"") + short
    return b"\x02" + bytes([len(short)]) + short


@lru_cache(maxsize=256)
def validity(der: bytes) -> tuple[datetime, datetime]:
    """From when until when this certificate (DER) is valid."""
    certificate = x509.load_der_x509_certificate(der)
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc


@lru_cache(maxsize=256)
def _sm2_point(der: bytes) -> bytes | None:
    _, found, rest = x509.load_der_x509_certificate(der).tbs_certificate_bytes.partition(_SM2_KEY)
    return rest[:64] if found and len(rest) >= 64 else None


def _rsa_key(der: bytes) -> Any:
    return xmlsec.Key.from_memory(der, xmlsec.constants.KeyDataFormatCertDer)
