"""Sealing: an unsigned message in, the signed one out, ready to go as it is.

`seal` is for canonical text that Kouan wrote itself: the digest is taken of the
very octets and SignedInfo is written as its canonical form, so that neither
C14N nor a tree is needed.  `sign_message` is for a message of any shape.
Both leave SignedInfo without white space, exactly as signed.
"""

import base64
import re

import xmlsec
from lxml import etree

from gateway.signing.canonical import Uncanonical, octets, signed_info_octets
from gateway.signing.rsa import RsaSigner
from gateway.signing.signer import AlreadySigned, NotCanonical, NotSignable, Signer
from gateway.signing.suites import C14N, CEB, DS, ENVELOPED, SUITES
from message_specs.limits import Limits
from message_specs.opening import Unreadable, parse

DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_ROOT = re.compile(rb'<ceb:(\w+) xmlns:ceb="%b"(?: (?!xmlns)\w+="[^"<]*")*>' % re.escape(CEB.encode()))


def seal(canonical: bytes, signer: Signer) -> bytes:
    """Return the declaration and the same text with ds:Signature as the root's last child.

    `canonical` is the canonical text of a message without signature whose root
    declares the prefix ceb and no other.
    """
    end = _end_of(canonical)
    info = _signed_info(signer, signer.digest(canonical))
    # In canonical form the inherited namespaces stand on SignedInfo, sorted by prefix.
    value = signer.sign(info.replace(b"<ds:SignedInfo>", _APEX, 1))
    return b"".join((DECLARATION, canonical[: -len(end)], _signature(info, value, signer), end))


def sign_message(data: bytes, signer: Signer) -> bytes:
    """Return an unsigned message of any shape signed; raise `ForOperator` when it is signed or no message."""
    root = _unsigned(data)
    try:
        if isinstance(signer, RsaSigner):
            _sign_by_xmlsec(root, signer)
        else:
            _sign_by_signer(root, signer)
    except (Uncanonical, xmlsec.Error) as trouble:
        raise NotSignable(str(trouble)) from trouble
    return DECLARATION + etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=False)


_APEX = f'<ds:SignedInfo xmlns:ceb="{CEB}" xmlns:ds="{DS}">'.encode()


def _end_of(canonical: bytes) -> bytes:
    """Return the root's end tag; raise `NotCanonical` for a text that is not what `seal` needs."""
    start = _ROOT.match(canonical)
    if start is None:
        raise NotCanonical("the root must be <ceb:…> with xmlns:ceb first")
    end = b"</ceb:%b>" % start[1]
    if not canonical.endswith(end):
        raise NotCanonical("the text must end with the root's end tag")
    if b"<ds:Signature" in canonical:
        raise NotCanonical("there is a signature already")
    return end


def _signed_info(signer: Signer, digest: bytes) -> bytes:
    suite = SUITES[signer.suite]
    return (
        f'<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{C14N}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{suite.signature}"></ds:SignatureMethod>'
        f'<ds:Reference URI=""><ds:Transforms><ds:Transform Algorithm="{ENVELOPED}"></ds:Transform></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{suite.digest}"></ds:DigestMethod>'
        f"<ds:DigestValue>{base64.b64encode(digest).decode()}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    ).encode()


def _signature(info: bytes, value: bytes, signer: Signer) -> bytes:
    return b"".join(
        (
            f'<ds:Signature xmlns:ds="{DS}">'.encode(),
            info,
            b"<ds:SignatureValue>",
            base64.b64encode(value),
            f"</ds:SignatureValue><ds:KeyInfo><ds:KeyName>{signer.key_name}</ds:KeyName>".encode(),
            b"<ds:X509Data><ds:X509Certificate>",
            base64.b64encode(signer.certificate_der),
            b"</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>",
        )
    )


def _unsigned(data: bytes) -> etree._Element:
    try:
        root = parse(data, Limits())
    except Unreadable as trouble:
        raise NotSignable(str(trouble)) from trouble
    if next(root.iter(f"{{{DS}}}Signature"), None) is not None:
        raise AlreadySigned(etree.QName(root).localname)
    return root


def _sign_by_signer(root: etree._Element, signer: Signer) -> None:
    """Append the signature: lxml canonicalises the document and SignedInfo, the signer does the rest."""
    digest = signer.digest(octets(root.getroottree()))
    signature = etree.fromstring(_signature(_signed_info(signer, digest), b"", signer))
    root.append(signature)
    value = signer.sign(signed_info_octets(signature[0]))
    signature[1].text = base64.b64encode(value).decode()


def _sign_by_xmlsec(root: etree._Element, signer: RsaSigner) -> None:
    """Append the signature: libxmlsec fills a template that has no white space."""
    signature = etree.fromstring(_signature(_signed_info(signer, b""), b"", signer))
    root.append(signature)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(signer.key_pem(), xmlsec.constants.KeyDataFormatPem)
    context.sign(signature)
