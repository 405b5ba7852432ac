"""Only the one shape of signature, by a certificate we were told to trust, is good; every trick is refused by name."""

import base64
import copy
import re
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.signing.canonical import document_octets
from gateway.signing.seal import seal, sign_message
from gateway.signing.suites import LISTED
from gateway.signing.verify import Verdict, verify
from message_specs.findings import wordings
from message_specs.opening import parse
from tests.gateway.signing.conftest import AT, MADE

DS = "http://www.w3.org/2000/09/xmldsig#"
SUITES = ("rsa-sha1", "rsa-sha256", "sm2-sm3")
C14N = b"http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
SIGNATURE = re.compile(rb"<ds:Signature .*</ds:Signature>", re.DOTALL)
INFO = re.compile(rb"<ds:SignedInfo>.*</ds:SignedInfo>", re.DOTALL)
KEY_INFO = re.compile(rb"<ds:KeyInfo>.*</ds:KeyInfo>", re.DOTALL)


SEALED: dict[str, bytes] = {}


@pytest.fixture(params=SUITES)
def signer(request, signer_of):
    return signer_of(request.param)


@pytest.fixture
def sealed(canonical, signer):
    return seal(canonical, signer)


def judged(message, signer) -> Verdict:
    return verify(message, [signer.certificate_der], AT)


def test_a_good_signature_names_its_certificate(sealed, signer):
    assert judged(sealed, signer) == Verdict(
        valid=True,
        code=None,
        suite=signer.suite,
        key_name=signer.key_name,
        certificate_der=signer.certificate_der,
        certificate_subject=f"CN=云栖优选 {signer.suite},O=Invented",
        not_after=MADE + timedelta(days=36500),
        reason_zh="",
        reason_en="",
    )


def test_a_parsed_message_stays_as_it_is(sealed, signer):
    root = etree.fromstring(
        sealed.replace(b"<ds:Signature ", b"\n<ds:Signature ").replace(b"</ceb:CEB", b"\r\n</ceb:CEB")
    )
    before = etree.tostring(root.getroottree())
    for trusted in (signer.certificate_der, b""):
        verify(root, [trusted], AT)
        assert etree.tostring(root.getroottree()) == before


def moved_first(text: bytes) -> bytes:
    found = SIGNATURE.search(text)[0]
    return re.sub(rb"(<ceb:CEB311Message[^>]*>)", lambda root: root[1] + found, text.replace(found, b""), count=1)


def moved_into_a_document(text: bytes) -> bytes:
    found = SIGNATURE.search(text)[0]
    return text.replace(found, b"").replace(b"</ceb:Order>", found + b"</ceb:Order>", 1)


def before_the_transfer(text: bytes) -> bytes:
    found = SIGNATURE.search(text)[0]
    return text.replace(found, b"").replace(b"<ceb:BaseTransfer>", found + b"<ceb:BaseTransfer>", 1)


def whole_in_an_object(text: bytes) -> bytes:
    """The old message hidden in ds:Object, another one around it."""
    body = text[text.index(b"<ceb:CEB") :]
    found = SIGNATURE.search(body)[0]
    evil = body.replace(b"DXPENT", b"DXPEVI")
    hidden = found.replace(
        b"</ds:Signature>", b'<ds:Object Id="o">' + body.replace(found, b"") + b"</ds:Object></ds:Signature>"
    )
    return evil.replace(SIGNATURE.search(evil)[0], hidden)


def wrapped_in_a_root(text: bytes) -> bytes:
    body = text[text.index(b"<ceb:CEB") :]
    start = re.match(rb"<ceb:CEB311Message[^>]*>", body)[0]
    return start + body + b"</ceb:CEB311Message>"


def reference_to_a_copy(text: bytes) -> bytes:
    first = re.search(rb"<ceb:Order>.*?</ceb:Order>", text, re.DOTALL)[0]
    with_id = first.replace(b"<ceb:Order>", b'<ceb:Order Id="good">', 1)
    evil = text.replace(first, first.replace(b"<ceb:goodsValue>", b"<ceb:goodsValue>9", 1) + with_id, 1)
    return evil.replace(b'URI=""', b'URI="#good"')


def with_(old: bytes, new: bytes):
    return lambda text: text.replace(old, new, 1)


def repeated(part: bytes):
    """The part of the signature twice."""
    pattern = re.compile(rb"<ds:%b[ >].*</ds:%b>" % (part, part), re.DOTALL)
    return lambda text: pattern.sub(lambda found: found[0] * 2, text, count=1)


# ruff: noqa: E501  one trick a line
TRICKS = {
    "no signature": ("G001", lambda text: SIGNATURE.sub(b"", text)),
    "a signature in another namespace": ("G001", with_(b'ds="http://www.w3.org/2000/09/', b'ds="http://www.w3.org/2001/09/')),
    "two signatures": ("G002", lambda text: SIGNATURE.sub(lambda found: found[0] * 2, text)),
    "a second signature in a document": ("G002", with_(b"</ceb:Order>", f'<ds:Signature xmlns:ds="{DS}"/></ceb:Order>'.encode())),
    "an empty signature in an Object": ("G002", with_(b"</ds:Signature>", b"<ds:Object><ds:Signature/></ds:Object></ds:Signature>")),
    "signature first": ("G003", moved_first),
    "signature in a document": ("G003", moved_into_a_document),
    "signature before BaseTransfer": ("G003", before_the_transfer),
    "another element after it": ("G003", with_(b"</ds:Signature>", b"</ds:Signature><ceb:Order></ceb:Order>")),
    "a root around the root": ("G003", wrapped_in_a_root),
    "the old message in an Object": ("G004", whole_in_an_object),
    "an empty Object": ("G004", with_(b"</ds:Signature>", b"<ds:Object/></ds:Signature>")),
    "two SignedInfo": ("G004", repeated(b"SignedInfo")),
    "two values": ("G004", repeated(b"SignatureValue")),
    "two references": ("G004", repeated(b"Reference")),
    "two digests": ("G004", repeated(b"DigestValue")),
    "two certificates": ("G004", repeated(b"X509Certificate")),
    "two key names": ("G004", repeated(b"KeyName")),
    "no KeyInfo": ("G004", lambda text: KEY_INFO.sub(b"", text)),
    "an empty KeyInfo": ("G004", lambda text: KEY_INFO.sub(b"<ds:KeyInfo/>", text)),
    "an instruction in the digest": ("G013", with_(b"<ds:DigestValue>", b"<ds:DigestValue>AAAA<?x?>")),
    "an instruction in SignedInfo": ("G004", with_(b"<ds:SignedInfo>", b"<ds:SignedInfo><?x?>")),
    "an instruction in KeyInfo": ("G004", with_(b"<ds:KeyInfo>", b"<ds:KeyInfo><?x?>")),
    "text in SignedInfo": ("G004", with_(b"<ds:SignedInfo>", b"<ds:SignedInfo>x")),
    "a parameter of the method": ("G004", with_(b"</ds:SignatureMethod>", b"<ds:HMACOutputLength>1</ds:HMACOutputLength></ds:SignatureMethod>")),
    "another canonicalisation": ("G005", with_(C14N, b"http://www.w3.org/2001/10/xml-exc-c14n#")),
    "canonicalisation with comments": ("G005", with_(C14N, C14N + b"#WithComments")),
    "no transform": ("G005", lambda text: re.sub(rb"<ds:Transforms>.*</ds:Transforms>", b"<ds:Transforms/>", text)),
    "an XPath transform": ("G005", with_(b"xmldsig#enveloped-signature", b"xmldsig#xpath")),
    "an XSLT transform beside it": ("G005", with_(b"</ds:Transforms>", b'<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/></ds:Transforms>')),
    "enveloped twice": ("G005", repeated(b"Transform")),
    "something else than a transform": ("G004", with_(b"</ds:Transforms>", b'<ds:Manifest Algorithm="x"/></ds:Transforms>')),
    "HMAC": ("G005", lambda text: re.sub(rb'SignatureMethod Algorithm="[^"]*"', f'SignatureMethod Algorithm="{DS}hmac-sha1"'.encode(), text)),
    "MD5": ("G005", lambda text: re.sub(rb'DigestMethod Algorithm="[^"]*"', b'DigestMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#md5"', text)),
    "reference to a copy by Id": ("G006", reference_to_a_copy),
    "no URI": ("G006", with_(b' URI=""', b"")),
    "an XPointer": ("G006", with_(b'URI=""', b'URI="#xpointer(/)"')),
    "a foreign address": ("G006", with_(b'URI=""', b'URI="http://x.invalid/"')),
    "a value changed": ("G007", with_(b"<ceb:goodsValue>", b"<ceb:goodsValue>9")),
    "an attribute changed": ("G007", with_(b' guid="', b' guid="x')),
    "a document doubled": ("G007", lambda text: re.sub(rb"(<ceb:Order>.*?</ceb:Order>)", rb"\1\1", text, count=1, flags=re.DOTALL)),
    "a document left out": ("G007", lambda text: re.sub(rb"<ceb:Order>.*?</ceb:Order>", b"", text, count=1, flags=re.DOTALL)),
    "a line break after the declaration's documents": ("G007", with_(b"<ceb:BaseTransfer>", b"\n<ceb:BaseTransfer>")),
    "an instruction beside the root": ("G007", lambda text: text + b"<?x y?>"),
    "another namespace declared": ("G007", with_(b" guid=", b' xmlns:x="urn:x" guid=')),
    "SignedInfo indented afterwards": ("G008", with_(b"<ds:SignedInfo>", b"<ds:SignedInfo>\n  ")),
    "base64 broken": ("G012", with_(b"<ds:SignatureValue>", b"<ds:SignatureValue>*")),
    "no digest": ("G012", lambda text: re.sub(rb"(<ds:DigestValue>)[^<]*", rb"\1", text)),
    "no certificate but text": ("G012", lambda text: re.sub(rb"(<ds:X509Certificate>)[^<]*", rb"\1AAAA", text)),
    "PEM lines in the certificate": ("G012", with_(b"<ds:X509Certificate>", b"<ds:X509Certificate>-----BEGIN CERTIFICATE-----")),
    "an instruction in a value": ("G013", with_(b"<ceb:goodsValue>", b"<ceb:goodsValue>1<?x?>")),
    "DOCTYPE": ("G014", lambda text: text.replace(b"?>\n", b"?>\n<!DOCTYPE x>", 1)),
    "an entity": ("G014", lambda text: text.replace(b"?>\n", b'?>\n<!DOCTYPE x [<!ENTITY e "1">]>', 1).replace(b"<ceb:goodsValue>", b"<ceb:goodsValue>&e;")),
    "a namespace that C14N cannot write": ("G014", with_(b" guid=", b' xmlns:x="relative" guid=')),
    "half a message": ("G014", lambda text: text[: len(text) // 2]),
}  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_is_refused_by_name(sealed, signer, trick):
    code, play = TRICKS[trick]
    changed = play(sealed)
    assert changed != sealed
    verdict = judged(changed, signer)
    assert (verdict.valid, verdict.code) == (False, code), verdict.reason_en
    assert all((verdict.reason_zh, verdict.reason_en, verdict.finding.hint))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_one_byte_changed_anywhere_is_refused_or_changes_nothing_that_was_signed(canonical, signer, data):
    if signer.suite not in SEALED:
        SEALED[signer.suite] = seal(canonical, signer)
    sealed = SEALED[signer.suite]
    start = data.draw(st.sampled_from([0, sealed.index(b"<ds:Signature"), sealed.index(b"<ds:X509Certificate>")]))
    changed = bytearray(sealed)
    changed[data.draw(st.integers(start, len(sealed) - 1))] = data.draw(st.integers(0, 255))
    if judged(bytes(changed), signer).valid:
        assert document_octets(parse(bytes(changed))[-1]) == canonical


def test_every_signature_finding_is_provoked_here():
    others = {"G009", "G010", "G011", "G015"}
    assert {code for code, _ in TRICKS.values()} | others == {code for code in wordings() if code.startswith("G")}


def test_no_certificate_is_trusted_by_being_in_the_message(sealed):
    assert verify(sealed, [], AT).code == "G009"


def test_a_certificate_with_the_same_serial_but_other_bytes_is_not_trusted(sealed, signer, signer_of):
    der = bytearray(signer.certificate_der)
    der[-1] ^= 1
    assert verify(sealed, [bytes(der), signer_of("other-rsa").certificate_der], AT).code == "G009"


def test_the_key_of_another_does_not_pass_under_a_trusted_certificate(canonical, signer_of):
    for ours, theirs in (("rsa-sha256", "other-rsa"), ("sm2-sm3", "other-sm2")):
        trusted = signer_of(ours).certificate_der
        forged = seal(canonical, signer_of(theirs))
        told = base64.b64encode(signer_of(theirs).certificate_der)
        assert verify(forged.replace(told, base64.b64encode(trusted)), [trusted], AT).code == "G008"


def test_a_certificate_counts_only_between_its_dates(sealed, signer):
    def at(moment):
        return verify(sealed, [signer.certificate_der], moment).code

    end = MADE + timedelta(days=36500)
    found = [at(MADE - timedelta(seconds=1)), at(MADE), at(end), at(end + timedelta(seconds=1))]
    assert found == ["G011", None, None, "G010"]


def test_an_algorithm_must_fit_the_key(canonical, signer_of):
    rsa, sm2 = signer_of("rsa-sha1"), signer_of("sm2-sm3")
    swapped = seal(canonical, rsa).replace(base64.b64encode(rsa.certificate_der), base64.b64encode(sm2.certificate_der))
    assert judged(swapped, sm2).code == "G015"


def test_a_key_name_alone_means_the_one_trusted_certificate_of_that_serial(sealed, signer, signer_of):
    by_name = KEY_INFO.sub(f"<ds:KeyInfo><ds:KeyName>{signer.key_name}</ds:KeyName></ds:KeyInfo>".encode(), sealed)
    others = [signer_of(name).certificate_der for name in ("other-rsa", "other-sm2")]
    mine = signer.certificate_der
    assert verify(by_name, [*others, mine, mine], AT).valid
    assert verify(by_name.replace(signer.key_name.encode(), signer.key_name.upper().encode()), [mine], AT).valid
    assert verify(by_name, others, AT).code == "G009"
    assert verify(by_name.replace(signer.key_name.encode(), b"0001"), [mine], AT).code == "G009"
    twin = bytearray(mine)
    twin[-1] ^= 1
    assert verify(by_name, [mine, bytes(twin)], AT).code == "G009"


def test_a_comment_cannot_cut_a_signed_value_short(sealed, signer):
    """C14N drops comments, so the signature still holds; a reader of the first text would see 1 for 168.50."""
    cut = re.sub(rb"<ceb:goodsValue>(\d)", rb"<ceb:goodsValue>\1<!-- -->", sealed, count=1)
    foreign_tree = etree.fromstring(cut)
    assert judged(foreign_tree, signer).code == "G013"
    assert judged(cut, signer).valid, "our own parser drops comments, so the value read is the value signed"


def test_a_comment_between_elements_does_no_harm(sealed, signer):
    assert judged(etree.fromstring(sealed.replace(b"<ceb:Order>", b"<!-- x --><ceb:Order>")), signer).valid


def test_a_message_inside_another_tree_is_not_the_document(sealed, signer):
    outer = etree.Element("outer")
    outer.append(etree.fromstring(sealed))
    assert judged(outer[0], signer).code == "G003"


def _resigned(sealed: bytes, signer, **swap: str) -> bytes:
    """The same message with SignedInfo rewritten and signed again as it then stands."""
    root = etree.fromstring(sealed)
    text = INFO.search(sealed)[0]
    for old, new in swap.items():
        text = text.replace(old.encode(), new.encode())
    changed = INFO.sub(lambda _: text, sealed)
    scope = f'<ds:SignedInfo xmlns:ceb="{root.nsmap["ceb"]}" xmlns:ds="{DS}">'.encode()
    value = base64.b64encode(signer.sign(text.replace(b"<ds:SignedInfo>", scope)))
    return re.sub(rb"(<ds:SignatureValue>)[^<]*", lambda found: found[1] + value, changed)


def test_the_canonicalisation_may_be_named_after_the_enveloped_transform(sealed, signer):
    named = f'</ds:Transform><ds:Transform Algorithm="{C14N.decode()}"></ds:Transform>'
    assert judged(_resigned(sealed, signer, **{"</ds:Transform>": named}), signer).valid
    before = f'<ds:Transform Algorithm="{C14N.decode()}"></ds:Transform><ds:Transform A'
    assert judged(_resigned(sealed, signer, **{"<ds:Transform A": before}), signer).code == "G005"


def test_the_sm2_name_seen_in_the_field_is_understood_with_both_digests(canonical, signer_of):
    signer = signer_of("sm2-sm3")
    official = "http://www.chinaport.gov.cn/2022/04/xmldsig#"
    sealed = _resigned(seal(canonical, signer), signer, **{official + "sm2-sm3": DS + "sm2-sm3"})
    assert judged(sealed, signer).valid
    digests = {
        uri: base64.b64encode(suite.digest_of(canonical)).decode()
        for (name, uri), suite in LISTED.items()
        if name == DS + "sm2-sm3"
    }
    sha1 = _resigned(sealed, signer, **{official + "sm3": DS + "sha1", digests[official + "sm3"]: digests[DS + "sha1"]})
    assert judged(sha1, signer).valid


def test_an_sm2_value_is_64_raw_bytes_and_nothing_else(canonical, signer_of):
    signer = signer_of("sm2-sm3")
    sealed = seal(canonical, signer)
    value = re.search(rb"<ds:SignatureValue>([^<]*)", sealed)[1]
    raw = base64.b64decode(value)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    for other in (der, raw[:63], raw + b"\0", bytes(64), b"\xff" * 64):
        assert judged(sealed.replace(value, base64.b64encode(other)), signer).code == "G008"


ENDS = {
    "as sealed": (lambda text: text, True),
    "a BOM put before it": (lambda text: b"\xef\xbb\xbf" + text, True),
    "a line break after the root": (lambda text: text + b"\n", True),
    "the declaration left out": (lambda text: text.split(b"\n", 1)[1], True),
    "base64 folded": (lambda text: re.sub(rb"(<ds:X509Certificate>.{64})", rb"\1\r\n", text), True),
    "a line break put before the signature": (lambda text: text.replace(b"<ds:Sig", b"\n<ds:Sig", 1), False),
    "a line break put before the root's end": (lambda text: text.replace(b"</ceb:CEB", b"\n</ceb:CEB"), False),
    "indented": (lambda text: text.replace(b"><ceb:", b">\n<ceb:"), False),
}


@pytest.mark.parametrize("ends", ENDS)
def test_outside_the_root_white_space_is_free_and_inside_it_is_signed(sealed, signer, ends):
    change, holds = ENDS[ends]
    assert judged(change(sealed), signer).valid is holds


def test_line_ends_may_change_between_lf_and_crlf_after_signing(canonical, signer):
    """XML parsing makes every line end LF before anything is digested, so a transfer in text mode does no harm."""
    for line_end in (b"\n", b"\r\n", b"\r"):
        signed = sign_message(canonical.replace(b"><ceb:", b">" + line_end + b"<ceb:"), signer)
        unix = signed.replace(b"\r\n", b"\n")
        for text in (unix, unix.replace(b"\n", b"\r\n"), unix.replace(b"\n", b"\r")):
            assert judged(text, signer).valid


def test_a_carriage_return_written_as_a_reference_is_a_character_and_is_signed(canonical, signer):
    text = canonical.replace(b"<ceb:note>", b"<ceb:note>1&#13;&#10;")
    assert text != canonical
    signed = sign_message(text, signer)
    assert judged(signed, signer).valid
    assert judged(signed.replace(b"&#13;", b""), signer).code == "G007"


def test_a_signature_in_the_default_namespace_is_as_good(canonical, signer_of):
    """Hangzhou 2019 and many cards write <Signature xmlns=…> without a prefix."""
    import xmlsec

    signer = signer_of("rsa-sha1")
    root = etree.fromstring(seal(canonical, signer).replace(b"ds:", b"").replace(b"xmlns:ds=", b"xmlns="))
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(signer.key_pem(), xmlsec.constants.KeyDataFormatPem)
    context.sign(root[-1])
    again = copy.deepcopy(root)
    assert judged(etree.tostring(root), signer).valid
    again.find(f".//{{{DS}}}SignatureValue").text = base64.b64encode(bytes(256)).decode()
    assert judged(again, signer).code == "G008"
