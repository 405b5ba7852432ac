"""The usual ways in which a signature goes wrong, each tried until one would verify.

Nothing here accepts a message.  It answers the question that customs' 验签失败
leaves open: what did the signing program do instead of what the rule says?

**Known limits**: a document that was indented by another program after signing
is recognised only where the signed form had no white space between elements.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import product

from lxml import etree

from gateway.signing import certificates, libcrypto
from gateway.signing.canonical import in_context, octets, without
from gateway.signing.suites import CEB, DIGESTS, DS, SHA1, SHA256, SM3

BOM = b"\xef\xbb\xbf"
_XSI = b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_SIGNATURE = re.compile(rb"<(?:\w+:)?Signature[ >].*?</(?:\w+:)?Signature>", re.DOTALL)
_SIGNED_INFO = re.compile(rb"<(?:\w+:)?SignedInfo[ >].*?</(?:\w+:)?SignedInfo>", re.DOTALL)
_TEXTS = {
    "exclusive": ("用了 exclusive C14N 而非 inclusive C14N 1.0", "exclusive C14N was used, not inclusive C14N 1.0"),
    "comments": ("规范化时保留了注释", "comments were kept when canonicalising"),
    "bom": ("把 BOM（EF BB BF）也算了进去", "the byte order mark (EF BB BF) was taken in"),
    "crlf": ("用了 CRLF 换行；XML 解析后只有 LF", "line ends were CRLF; after XML parsing there is only LF"),
    "cr-escaped": ("文本里的 CR 被写成 &#xD;", "carriage returns were kept in the tree and written as &#xD;"),
    "gap": ("没有算进签名前的空白", "the white space before the signature was left out"),
    "compact": ("对去掉空白的文本计算，文件却排了版", "white space was left out when signing, but stands in the file"),
    "declaration": ("把 XML 声明也算了进去", "the XML declaration was taken in"),
    "raw": ("对文件原文计算，没有做规范化", "the bytes of the file were taken without canonicalising"),
    "prefix": ("命名空间写法（默认或前缀）与签名时不同", "default namespace and prefix were exchanged after signing"),
    "xsi": ("根元素的 xmlns:xsi 与签名时不同", "xmlns:xsi on the root was added or removed after signing"),
    "document": ("对报文本身签名，而不是对 SignedInfo", "the document was signed instead of SignedInfo"),
    "digest-text": ("对摘要的 base64 文本签名，而不是对 SignedInfo", "the digest's base64 was signed, not SignedInfo"),
    "digest": ("对摘要值签名，而不是对 SignedInfo", "the digest was signed instead of SignedInfo"),
    "hex": ("值写成十六进制后又做了 base64", "the value was written in hexadecimal before base64"),
    "der": ("SM2 签名值是 DER 编码，应为 64 字节 r‖s", "the SM2 signature is in DER form instead of 64 bytes r and s"),
    "sha1": ("实际用的是 SHA-1", "SHA-1 was used in fact"),
    "sha256": ("实际用的是 SHA-256", "SHA-256 was used in fact"),
    "sm3": ("实际用的是 SM3", "SM3 was used in fact"),
    "no-id": ("SM2 签名没有用户标识（应为 1234567812345678）", "no SM2 user id was used (it is 1234567812345678)"),
    "empty-id": ("SM2 用户标识为空（应为 1234567812345678）", "the SM2 user id was empty (it is 1234567812345678)"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing the signing program did differently."""

    name: str
    zh: str
    en: str


def _told(names: Iterable[str]) -> tuple[Mistake, ...]:
    return tuple(Mistake(name, *_TEXTS[name]) for name in names if name)


def of_digest(data: bytes, signature: etree._Element, method: str, value: bytes) -> tuple[Mistake, ...]:
    """Return what was done differently when the digest was made; empty when nothing known fits."""
    algorithms = (("sha1", SHA1), ("sha256", SHA256), ("sm3", SM3))
    for form, text in _documents(data, signature):
        for name, uri in algorithms:
            digest = DIGESTS[uri](text)
            another = "" if uri == method else name
            if digest == value:
                return _told((form, another))
            if digest.hex().encode() == value.lower():
                return _told((form, another, "hex"))
    return ()


def of_signature(
    data: bytes, signature: etree._Element, *, certificate: bytes, value: bytes, hashed: str
) -> tuple[Mistake, ...]:
    """Return what was done differently when SignedInfo was signed; `hashed` is sha1, sha256 or sm3 as named."""
    texts = list(dict.fromkeys(_signed(data, signature)))
    for (form, written), way in product(_values(value), ("", "no-id", "empty-id", "sha1", "sha256")):
        for text_name, text in texts:
            if way != hashed and _fits(certificate, written, text, way or hashed):
                return _told((text_name, form, way))
    return ()


def _fits(certificate: bytes, value: bytes, text: bytes, way: str) -> bool:
    if way in {"sha1", "sha256"}:
        return certificates.rsa_verifies(certificate, value, text, way)
    key = libcrypto.public_key(certificate) if certificates.facts(certificate).kind == "sm2" else None
    if key is None:
        return False
    if way == "no-id":
        return key.verify_digest(value, libcrypto.sm3(text))
    return key.verify(value, text, b"" if way == "empty-id" else libcrypto.USER_ID)


def _values(value: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the signature value as it stands and as it may have been meant."""
    yield "", value
    with suppress(ValueError, OverflowError):
        yield "der", libcrypto.raw(value)
    with suppress(ValueError):
        yield "hex", bytes.fromhex(value.decode("ascii"))


def _documents(data: bytes, signature: etree._Element) -> Iterator[tuple[str, bytes]]:
    """Yield the right text under an empty name, then the document as it is often taken by mistake."""
    with without(signature) as tree:
        right, exclusive = octets(tree), octets(tree, exclusive=True)
    yield from (("", right), ("exclusive", exclusive))
    with suppress(etree.XMLSyntaxError):
        yield "comments", octets(_tree(_SIGNATURE.sub(b"", data, count=1)), comments=True)
    yield from (
        ("bom", BOM + right),
        ("crlf", right.replace(b"\n", b"\r\n")),
        ("cr-escaped", right.replace(b"\n", b"&#xD;\n")),
        ("gap", re.sub(rb"\s+(</[^<]+)\Z", rb"\1", right)),
        ("compact", _compact(right)),
    )
    for gap in (b"", b"\n", b"\r\n"):
        yield "declaration", b'<?xml version="1.0" encoding="UTF-8"?>' + gap + right
    bare = _SIGNATURE.sub(b"", data, count=1)
    yield from (("raw", bare), ("raw", bare.removeprefix(BOM)), ("raw", re.sub(rb"\A.*?\?>\s*", b"", bare)))
    for name, text in (("", right), *_other_namespaces(right)):
        yield name, text
        yield name or "compact", _compact(text)


def _signed(data: bytes, signature: etree._Element) -> Iterator[tuple[str, bytes]]:
    """Yield SignedInfo as it should be signed under an empty name, then what is often signed by mistake."""
    signed_info = signature.find(f"{{{DS}}}SignedInfo")
    if signed_info is None:
        return
    tree = in_context(signed_info)
    right = octets(tree)
    yield from (("", right), ("compact", _compact(right)), ("exclusive", octets(tree, exclusive=True)))
    yield "bom", BOM + right
    for text in (right, _compact(right)):
        yield from _other_namespaces(text)
    found = _SIGNED_INFO.search(data)
    if found:
        yield "raw", found[0]
    with without(signature) as document:
        whole = octets(document)
    yield "document", whole
    digest = signed_info.findtext(f".//{{{DS}}}DigestValue") or ""
    yield "digest-text", digest.strip().encode()
    yield from (("digest", DIGESTS[uri](whole)) for uri in (SM3, SHA1, SHA256))


def _tree(text: bytes) -> etree._ElementTree:
    """Return a tree of text that the hardened parser has let in already, comments kept."""
    return etree.fromstring(text, etree.XMLParser(resolve_entities=False, no_network=True)).getroottree()


def _compact(text: bytes) -> bytes:
    """Return a canonical text without the texts that are white space only."""
    tree = _tree(text)
    for element in tree.iter():
        element.text = element.text if (element.text or "").strip() else None
        element.tail = element.tail if (element.tail or "").strip() else None
    return octets(tree)


def _other_namespaces(text: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield a canonical text with prefix and default namespace exchanged, and with xmlns:xsi put in or left out."""
    for prefix, address in ((b"ceb", CEB.encode()), (b"ds", DS.encode())):
        named, plain = b' xmlns:%b="%b"' % (prefix, address), b' xmlns="%b"' % address
        if b"<%b:" % prefix in text:
            swapped = re.sub(rb"<(/?)%b:" % prefix, rb"<\1", text).replace(named, plain, 1)
            yield from _well_formed("prefix", swapped)
        elif plain in text:
            swapped = re.sub(rb"<(/?)(?=\w+[ />])", rb"<\1%b:" % prefix, text).replace(plain, named, 1)
            yield from _well_formed("prefix", swapped)
    yield from _well_formed("xsi", text.replace(_XSI, b"", 1) if _XSI in text else text.replace(b">", _XSI + b">", 1))


def _well_formed(name: str, text: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the canonical form of a rewritten text, if it is still XML."""
    with suppress(etree.XMLSyntaxError):
        yield name, octets(_tree(text))
