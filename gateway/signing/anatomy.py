"""The one shape of signature that is listened to, and everything read out of it.

Exactly one ds:Signature in the whole tree, the last child of the document's
root, covering the whole document by an empty URI and one enveloped transform.
Whatever else XML-DSig can say (objects, ids, XPath, further references) is
refused, for each of them has carried a wrapping attack somewhere.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from lxml import etree

from gateway.signing.suites import C14N, DS, ENVELOPED, LISTED, Suite
from message_specs.findings import Finding, finding

_DS = f"{{{DS}}}"
_SIGNATURE = f"{_DS}Signature"
_REFERENCE_ATTRIBUTES = {"URI", "Id", "Type"}


class Refused(Exception):  # noqa: N818  answered as a finding, never raised further
    """This signature is not accepted; `finding` says why"""

    def __init__(self, code: str, **words: Any) -> None:
        super().__init__(code)
        self.finding: Finding = finding(code, **words)


@dataclass(frozen=True, slots=True)
class Parts:
    """A signature taken apart; its values are decoded, its certificate is only what the message says."""

    signature: etree._Element
    signed_info: etree._Element
    suite: Suite
    digest_value: bytes
    signature_value: bytes
    key_name: str
    certificate: bytes | None


def the_signature(root: etree._Element) -> etree._Element:
    """Return the one signature of a document when it stands where it must; raise `Refused` otherwise."""
    found = list(root.iter(_SIGNATURE))
    if not found:
        raise Refused("G001")
    if len(found) > 1:
        raise Refused("G002", count=str(len(found)))
    signature = found[0]
    at_root = root.getparent() is None and signature.getparent() is root
    if not at_root or next(signature.itersiblings(etree.Element), None) is not None:
        raise Refused("G003")
    return signature


def read(root: etree._Element) -> Parts:
    """Return the parts of the document's signature; raise `Refused` for any shape but the one."""
    signature = the_signature(root)
    _no_split_values(root)
    signed_info, value, key_info = _children(signature, "SignedInfo", "SignatureValue", "KeyInfo")
    method, algorithm, reference = _children(signed_info, "CanonicalizationMethod", "SignatureMethod", "Reference")
    if _algorithm(method) != C14N:
        raise Refused("G005", algorithm=_algorithm(method))
    _whole_document(reference)
    transforms, digest_method, digest_value = _children(reference, "Transforms", "DigestMethod", "DigestValue")
    _enveloped_only(transforms)
    pair = (_algorithm(algorithm), _algorithm(digest_method))
    if pair not in LISTED:
        raise Refused("G005", algorithm=" + ".join(pair))
    key_name, certificate = _key_info(key_info)
    return Parts(
        signature,
        signed_info,
        LISTED[pair],
        decoded(digest_value),
        decoded(value),
        key_name,
        certificate,
    )


def decoded(element: etree._Element) -> bytes:
    """Return the octets of an element's base64 text, white space aside; raise `Refused` when it is broken."""
    text = "".join((element.text or "").split())
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as trouble:
        raise Refused("G012", place=_local(element)) from trouble
    if not octets or len(element):
        raise Refused("G012", place=_local(element))
    return octets


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _form(zh: str, en: str) -> Refused:
    return Refused("G004", zh=zh, en=en)


def _inside(element: etree._Element) -> list[etree._Element]:
    """Return the child elements; refuse comments, instructions and stray text between them."""
    texts = [element.text, *(child.tail for child in element)]
    if any(text and text.strip() for text in texts) or any(not isinstance(child.tag, str) for child in element):
        raise _form(f"{_local(element)} 内有多余的文字或注释", f"{_local(element)} holds stray text or a comment")
    return list(element)


def _children(element: etree._Element, *names: str) -> list[etree._Element]:
    """Return the children when they are exactly these, in this order."""
    children = _inside(element)
    if [child.tag for child in children] != [_DS + name for name in names]:
        wanted = ", ".join(names)
        raise _form(f"{_local(element)} 应依次含 {wanted}", f"{_local(element)} must hold exactly {wanted}")
    return children


def _algorithm(element: etree._Element) -> str:
    """Return the algorithm a method names; refuse parameters, which no listed algorithm has."""
    if _inside(element) or dict(element.attrib).keys() != {"Algorithm"}:
        raise _form(f"{_local(element)} 不得带参数", f"{_local(element)} must carry Algorithm and nothing else")
    return str(element.get("Algorithm"))


def _whole_document(reference: etree._Element) -> None:
    """Refuse a reference to anything but the document it stands in."""
    if reference.get("URI") != "" or not set(reference.attrib) <= _REFERENCE_ATTRIBUTES:
        raise Refused("G006", uri=str(reference.get("URI", "-")))


def _enveloped_only(transforms: etree._Element) -> None:
    """Refuse transforms but the enveloped one; the canonicalisation that follows anyway may be named after it."""
    named = [_algorithm(child) for child in _inside(transforms)]
    if any(child.tag != f"{_DS}Transform" for child in transforms):
        raise _form("Transforms 内只能有 Transform", "Transforms must hold Transform and nothing else")
    if named not in ([ENVELOPED], [ENVELOPED, C14N]):
        raise Refused("G005", algorithm=", ".join(named) or "-")


def _key_info(key_info: etree._Element) -> tuple[str, bytes | None]:
    """Return the key name and the certificate; at most one of each, and not neither."""
    _inside(key_info)
    names, certificates = key_info.findall(f"{_DS}KeyName"), list(key_info.iter(f"{_DS}X509Certificate"))
    if len(names) > 1 or len(certificates) > 1 or not (names or certificates):
        raise _form("KeyInfo 须含一个 KeyName 或一张证书", "KeyInfo must hold one KeyName or one certificate")
    for element in key_info.iter(etree.Comment, etree.ProcessingInstruction):
        raise _form("KeyInfo 内有注释", f"KeyInfo holds a comment: {element.text}")
    name = (names[0].text or "").strip() if names else ""
    return name, decoded(certificates[0]) if certificates else None


def _no_split_values(root: etree._Element) -> None:
    """Refuse a comment or an instruction in the middle of a text.

    C14N leaves comments out, so one can be put into a signed value afterwards;
    a reader who takes the text up to it then sees another value than was signed.
    Our own parser drops comments, so this speaks of trees that others parsed.
    """
    for note in root.iter(etree.Comment, etree.ProcessingInstruction):
        parent = note.getparent()
        if parent is None:
            continue
        texts = [parent.text, *(child.tail for child in parent)]
        if any(text and text.strip() for text in texts):
            raise Refused("G013", name=_local(parent))
