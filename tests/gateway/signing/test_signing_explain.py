"""An explanation shows what a signature is made of, names the first difference, and the mistake that made it."""

import base64
import json
import re
import subprocess
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.signing.canonical import document_octets, signed_info_octets
from gateway.signing.explain import explain
from gateway.signing.seal import seal
from gateway.signing.suites import DIGESTS, DS, SHA1, SHA256, SM3
from gateway.signing.verify import verify
from tests.gateway.signing.conftest import AT
from tests.programs import needs

BOM = b"\xef\xbb\xbf"
SMALL = (
    b'<ceb:CEB311Message xmlns:ceb="http://www.chinaport.gov.cn/ceb" guid="g" version="1.0">'
    b"<ceb:a>1</ceb:a></ceb:CEB311Message>"
)
INFO = re.compile(rb"<ds:SignedInfo>.*</ds:SignedInfo>", re.DOTALL)
XSI = b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
DS_ = f'"{DS}"'.encode()
VALUE = re.compile(rb"(<ds:SignatureValue>)[^<]*")
DIGEST = re.compile(rb"(<ds:DigestValue>)[^<]*")


@pytest.fixture(params=["rsa-sha1", "rsa-sha256", "sm2-sm3"])
def signer(request, signer_of):
    return signer_of(request.param)


def with_value(text: bytes, value: bytes) -> bytes:
    return VALUE.sub(lambda found: found[1] + base64.b64encode(value), text)


def with_digest(text: bytes, digest: bytes, signer) -> bytes:
    """The message with another digest, and SignedInfo signed as it should be."""
    changed = DIGEST.sub(lambda found: found[1] + base64.b64encode(digest), text)
    return with_value(changed, signer.sign(signed_info_octets(etree.fromstring(changed)[-1][0])))


def names(data: bytes, signer) -> list[str]:
    told = explain(data, [signer.certificate_der], AT)
    assert told.difference is not None
    return [mistake.name for mistake in told.mistakes]


def test_a_good_signature_is_explained_whole(canonical, signer):
    sealed = seal(canonical, signer)
    told = explain(sealed, [signer.certificate_der], AT)
    assert (told.difference, told.mistakes, told.signature_good, told.trusted) == (None, (), True, True)
    assert told.document == canonical
    assert told.signed_info.startswith(b'<ds:SignedInfo xmlns:ceb="http://www.chinaport.gov.cn/ceb" xmlns:ds=')
    assert told.digest_in_file == told.digest_computed == signer.digest(canonical).hex()
    assert told.key_name_is_serial
    assert "签名有效 the signature is good" in told.as_text()


def test_without_trusted_certificates_the_one_inside_is_used_and_that_is_said(canonical, signer):
    told = explain(seal(canonical, signer), at=AT)
    assert (told.difference, told.trusted) == (None, False)
    assert "not trusted" in told.as_text()


def test_a_certificate_we_do_not_know_is_the_first_difference(canonical, signer, signer_of):
    told = explain(seal(canonical, signer), [signer_of("other-rsa").certificate_der], AT)
    assert (told.difference.code, told.signature_good) == ("G009", True)


def test_the_explanation_is_json_and_shows_all_octets_only_when_asked(canonical, signer):
    told = explain(seal(canonical, signer), at=AT)
    short, full = (json.loads(json.dumps(told.as_dict(full=full))) for full in (False, True))
    assert full["document"] == {"length": len(canonical), "text": canonical.decode()}
    assert sorted(short["document"]) == ["begins", "ends", "length"]
    assert canonical.decode() in told.as_text(full=True)
    assert canonical.decode() not in told.as_text()


def test_ends_cut_inside_a_character_are_still_shown(signer):
    text = '<ceb:CEB311Message xmlns:ceb="http://www.chinaport.gov.cn/ceb" guid="g" version="1.0">'
    for shift in range(3):
        told = explain(seal(f"{text}{'x' * shift}{'口岸' * 200}</ceb:CEB311Message>".encode(), signer), at=AT)
        assert told.as_dict()["document"]["length"] == len(told.document)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "G014"),
        (b"<!DOCTYPE a><a/>", "G014"),
        (b"<a xmlns='relative'/>", "G014"),
        (b"<a/>", "G001"),
        (f'<Signature xmlns="{DS}"/>'.encode(), "G003"),
        (f'<a><Signature xmlns="{DS}"/></a>'.encode(), "G004"),
        (
            f'<a><Signature xmlns="{DS}"><SignedInfo/><SignatureValue>*</SignatureValue></Signature></a>'.encode(),
            "G004",
        ),
    ],
)
def test_what_is_no_signed_message_is_explained_too(data, code):
    told = explain(data, at=AT)
    assert told.difference.code == code
    assert code in told.as_text()
    assert json.dumps(told.as_dict())


def test_another_canonicalisation_is_named(canonical, signer):
    sealed = seal(canonical, signer).replace(b"TR/2001/REC-xml-c14n-20010315", b"2001/10/xml-exc-c14n#")
    told = explain(sealed, at=AT)
    assert told.difference.code == "G005"
    assert "应为 must be: http://www.w3.org/TR/2001/REC-xml-c14n-20010315" in told.as_text()


# What other programs digest instead of the document: the text, out of the tree, its octets and the file.
WRONG_DOCUMENTS = {
    "exclusive": lambda it: etree.tostring(it.root, method="c14n", exclusive=True),
    "bom": lambda it: BOM + it.right,
    "declaration": lambda it: b'<?xml version="1.0" encoding="UTF-8"?>' + it.right,
    "crlf": lambda it: it.right.replace(b"\n", b"\r\n"),
    "cr-escaped": lambda it: it.right.replace(b"\n", b"&#xD;\n"),
    "gap": lambda it: re.sub(rb"\s+(</ceb:CEB)", rb"\1", it.right),
    "compact": lambda it: it.right.replace(b"\n", b""),
    "prefix": lambda it: it.right.replace(b"<ceb:", b"<").replace(b"</ceb:", b"</").replace(b":ceb=", b"="),
    "raw": lambda it: re.sub(rb"<ds:Signature .*</ds:Signature>", b"", it.data, flags=re.DOTALL),
}


@pytest.mark.parametrize("mistake", WRONG_DOCUMENTS)
def test_a_digest_made_wrongly_is_explained_by_the_mistake(signer, mistake):
    """The message has an unused prefix, an attribute in single quotes and line ends, so that every form differs."""
    ceb = "http://www.chinaport.gov.cn/ceb"
    text = f"<ceb:CEB311Message xmlns:ceb=\"{ceb}\" guid='g'>\n<ceb:a>1</ceb:a>\n<b/>\n</ceb:CEB311Message>"
    if mistake == "exclusive":
        text = text.replace(" guid", ' xmlns:u="urn:u" guid')
    if mistake == "gap":
        text = text.replace("\n</ceb:CEB", "</ceb:CEB")
    plain = f'<ceb:CEB311Message xmlns:ceb="{ceb}" guid="g"></ceb:CEB311Message>'.encode()
    signature = re.search(rb"<ds:Signature .*</ds:Signature>", seal(plain, signer))[0]
    data = text.replace("</ceb:CEB311Message>", f"\n{signature.decode()}</ceb:CEB311Message>").encode()
    root = etree.fromstring(data)
    right = document_octets(root[-1])
    unsigned = etree.fromstring(right)
    wrong = WRONG_DOCUMENTS[mistake](SimpleNamespace(root=unsigned, right=right, data=data))
    assert wrong != right
    assert names(with_digest(data, signer.digest(wrong), signer), signer) == [mistake]


def test_a_message_changed_after_signing_is_blamed_on_no_mistake(canonical, signer):
    assert names(seal(canonical, signer).replace(b"DXPENT", b"DXPENX", 1), signer) == []


def test_a_digest_by_another_method_is_named(canonical, signer):
    for name, uri in (("sha1", SHA1), ("sha256", SHA256), ("sm3", SM3)):
        digest = DIGESTS[uri](canonical)
        if digest != signer.digest(canonical):
            assert names(with_digest(seal(canonical, signer), digest, signer), signer) == [name]


def test_a_digest_in_hexadecimal_is_named(canonical, signer):
    digest = signer.digest(canonical).hex().upper().encode()
    assert names(with_digest(seal(canonical, signer), digest, signer), signer) == ["hex"]


def test_an_xsi_declaration_lost_after_signing_is_named(canonical, signer):
    sealed = seal(canonical, signer)
    longer = canonical.replace(b" guid=", b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" guid=', 1)
    assert names(with_digest(sealed, signer.digest(longer), signer), signer) == ["xsi"]


def test_comments_kept_when_canonicalising_are_named(canonical, signer):
    noted = canonical.replace(b"<ceb:BaseTransfer>", b"<!-- x --><ceb:BaseTransfer>")
    sealed = seal(canonical, signer).replace(b"<ceb:BaseTransfer>", b"<!-- x --><ceb:BaseTransfer>")
    assert names(with_digest(sealed, signer.digest(noted), signer), signer) == ["comments"]


# What other programs sign instead of SignedInfo: out of its right octets, the document's and the digest.
WRONG_INFO = {
    "exclusive": lambda it: it.right.replace(b' xmlns:ceb="http://www.chinaport.gov.cn/ceb"', b""),
    "bom": lambda it: BOM + it.right,
    "raw": lambda it: re.sub(rb" xmlns:\w+=\"[^\"]*\"", b"", it.right),
    "xsi": lambda it: it.right.replace(b">", XSI, 1),
    "prefix": lambda it: (
        it.right.replace(b" xmlns:ds=" + DS_, b"")
        .replace(b"ds:", b"")
        .replace(b"<SignedInfo", b"<SignedInfo xmlns=" + DS_, 1)
    ),
    "document": lambda it: it.document,
    "digest": lambda it: it.digest,
    "digest-text": lambda it: base64.b64encode(it.digest),
}  # fmt: skip


@pytest.mark.parametrize("mistake", WRONG_INFO)
def test_a_value_over_something_else_is_explained_by_the_mistake(canonical, signer, mistake):
    sealed = seal(canonical, signer)
    right = signed_info_octets(etree.fromstring(sealed)[-1][0])
    wrong = WRONG_INFO[mistake](SimpleNamespace(right=right, document=canonical, digest=signer.digest(canonical)))
    assert wrong != right
    assert names(with_value(sealed, signer.sign(wrong)), signer) == [mistake]


def test_signed_without_white_space_but_written_with_it_is_named(canonical, signer):
    """Haikou 2023: SignedInfo is indented in the file, the value is over the text without white space."""
    sealed = INFO.sub(lambda found: found[0].replace(b"><", b">\n    <"), seal(canonical, signer))
    told = explain(sealed, [signer.certificate_der], AT)
    assert (told.difference.code, [mistake.name for mistake in told.mistakes]) == ("G008", ["compact"])


def test_an_sm2_value_in_der_form_or_hexadecimal_is_named(canonical, signer_of):
    signer = signer_of("sm2-sm3")
    sealed = seal(canonical, signer)
    raw = base64.b64decode(VALUE.search(sealed)[0].split(b">")[1])
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    assert names(with_value(sealed, der), signer) == ["der"]
    assert names(with_value(sealed, raw.hex().encode()), signer) == ["hex"]


def test_an_sm2_value_without_user_id_is_named(canonical, signer_of, key_folder, tmp_path):
    signer = signer_of("sm2-sm3")
    sealed = seal(canonical, signer)
    info = signed_info_octets(etree.fromstring(sealed)[-1][0])
    key = key_folder / "sm2-sm3" / "key.pem"
    command = [needs("openssl"), "pkeyutl", "-sign", "-inkey", key]
    bare = subprocess.run(command, input=DIGESTS[SM3](info), capture_output=True, check=True).stdout
    assert names(with_value(sealed, bare), signer) == ["der", "no-id"]
    (tmp_path / "info").write_bytes(info)
    command += ["-rawin", "-digest", "sm3", "-pkeyopt", "distid:", "-in", str(tmp_path / "info")]
    empty = subprocess.run(command, capture_output=True, check=True).stdout
    assert names(with_value(sealed, empty), signer) == ["der", "empty-id"]


def test_rsa_with_the_other_digest_is_named(canonical, signer_of, key_folder):
    signer = signer_of("rsa-sha256")
    sealed = seal(canonical, signer)
    key = load_pem_private_key((key_folder / "rsa-sha256" / "key.pem").read_bytes(), None)
    value = key.sign(signed_info_octets(etree.fromstring(sealed)[-1][0]), padding.PKCS1v15(), hashes.SHA1())
    assert names(with_value(sealed, value), signer) == ["sha1"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_is_broken_is_explained_and_never_raises(signer, data):
    sealed = seal(SMALL, signer)
    start = data.draw(st.sampled_from([0, sealed.index(b"<ds:Signature"), sealed.index(b"<ds:X509Certificate>")]))
    changed = bytearray(sealed)
    changed[data.draw(st.integers(start, len(sealed) - 1))] = data.draw(st.integers(0, 255))
    told = explain(bytes(changed), [signer.certificate_der], AT)
    assert (told.difference is None) == verify(bytes(changed), [signer.certificate_der], AT).valid
    assert all((json.dumps(told.as_dict()), told.as_text()))


def test_a_mistake_found_never_makes_a_signature_good(canonical, signer):
    sealed = with_value(seal(canonical, signer), signer.sign(canonical))
    assert not verify(sealed, [signer.certificate_der], AT).valid
    text = explain(sealed, [signer.certificate_der], AT).as_text()
    assert "the document was signed instead of SignedInfo" in text
