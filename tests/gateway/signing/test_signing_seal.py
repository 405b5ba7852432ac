"""What Kouan seals, programs that share no code with it accept: xmlsec1, OpenSSL, libxmlsec, GmSSL."""

import base64
import hashlib

import gmssl_pyx
import pytest
import xmlsec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

from gateway.signing.seal import DECLARATION, seal, sign_message
from gateway.signing.signer import AlreadySigned, NotCanonical, NotSignable
from gateway.signing.verify import verify
from tests.gateway.signing.conftest import AT
from tests.programs import run

DS = "http://www.w3.org/2000/09/xmldsig#"
CEB = "http://www.chinaport.gov.cn/ceb"
RSA = ("rsa-sha1", "rsa-sha256")
SUITES = (*RSA, "sm2-sm3")
WAYS = {"seal": seal, "sign": sign_message}


def shapes(canonical: bytes) -> dict[str, bytes]:
    """The same message as other programs write it."""
    plain = canonical.replace(b"<ceb:", b"<").replace(b"</ceb:", b"</").replace(b"xmlns:ceb=", b"xmlns=")
    xsi = b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:a="urn:a" guid='
    return {
        "prefixed": canonical,
        "default namespace": plain,
        "declaration and BOM": b"\xef\xbb\xbf" + DECLARATION + plain,
        "xsi on the root": plain.replace(b" guid=", xsi, 1),
        "xml:lang on the root": canonical.replace(b" guid=", b' xml:lang="zh" guid=', 1),
        "ds on the root": canonical.replace(b" guid=", f' xmlns:ds="{DS}" guid='.encode(), 1),
        "white space": plain.replace(b"><", b">\n  <"),
        "CRLF": plain.replace(b"><", b">\r\n\t<"),
        "empty elements, comments and instructions": plain.replace(
            b"<BaseTransfer>", b"<?x y?><!-- z --><BaseTransfer>"
        ),
    }


SHAPES = tuple(shapes(b""))


def in_message(signed: bytes) -> tuple[bytes, bytes]:
    """SignedInfo's octets cut out of the canonical whole document, and the signature value."""
    tree = etree.fromstring(signed).getroottree()
    whole = etree.tostring(tree, method="c14n", with_comments=False).decode()
    start, end = whole.index("<ds:SignedInfo>"), whole.index("</ds:SignedInfo>") + len("</ds:SignedInfo>")
    root = tree.getroot()
    scope = {**{prefix or "": uri for prefix, uri in root.nsmap.items()}, "ds": DS}
    names = "".join(f' xmlns:{p}="{u}"' if p else f' xmlns="{u}"' for p, u in sorted(scope.items()))
    lang = ' xml:lang="zh"' if root.attrib.has_key("{http://www.w3.org/XML/1998/namespace}lang") else ""
    info = whole[start:end].replace("<ds:SignedInfo>", f"<ds:SignedInfo{names}{lang}>")
    return info.encode(), base64.b64decode(tree.findtext(f".//{{{DS}}}SignatureValue"))


@pytest.mark.parametrize("suite", SUITES)
def test_the_sealed_text_is_the_canonical_text_with_a_signature_before_its_end(canonical, signer_of, suite):
    sealed = seal(canonical, signer_of(suite))
    root = etree.fromstring(sealed)
    signature = root[-1]
    root.remove(signature)
    assert sealed.startswith(DECLARATION + canonical[:100])
    assert etree.tostring(root, method="c14n") == canonical
    assert signature.find(f"{{{DS}}}KeyInfo/{{{DS}}}KeyName").text == signer_of(suite).key_name


@pytest.mark.parametrize("suite", SUITES)
def test_the_signature_carries_the_algorithms_customs_names(canonical, signer_of, suite):
    root = etree.fromstring(seal(canonical, signer_of(suite)))
    found = [root.find(f".//{{{DS}}}{name}").get("Algorithm") for name in ("SignatureMethod", "DigestMethod")]
    chinaport = "http://www.chinaport.gov.cn/2022/04/xmldsig#"
    assert (
        found
        == {
            "rsa-sha1": [f"{DS}rsa-sha1", f"{DS}sha1"],
            "rsa-sha256": [
                "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
                "http://www.w3.org/2001/04/xmlenc#sha256",
            ],
            "sm2-sm3": [f"{chinaport}sm2-sm3", f"{chinaport}sm3"],
        }[suite]
    )


@pytest.fixture
def xmlsec1(key_folder, tmp_path):
    """xmlsec1's answer about a message and one of our certificates."""

    def judge(signed: bytes, name: str, trust: str = "--trusted-pem"):
        (tmp_path / "m.xml").write_bytes(signed)
        return run("xmlsec1", "--verify", trust, key_folder / name / "cert.pem", tmp_path / "m.xml")

    return judge


@pytest.mark.parametrize("trust", ["--trusted-pem", "--pubkey-cert-pem"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("suite", RSA)
def test_xmlsec1_accepts_rsa(xmlsec1, canonical, signer_of, suite, way, trust):
    answer = xmlsec1(WAYS[way](canonical, signer_of(suite)), suite, trust)
    assert (answer.returncode, "SignedInfo References (ok/all): 1/1" in answer.stderr) == (0, True)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("suite", RSA)
def test_xmlsec1_accepts_rsa_over_every_shape(xmlsec1, canonical, signer_of, suite, shape):
    answer = xmlsec1(sign_message(shapes(canonical)[shape], signer_of(suite)), suite)
    assert answer.returncode == 0, answer.stderr


def test_xmlsec1_refuses_what_was_changed(xmlsec1, canonical, signer_of):
    changed = seal(canonical, signer_of("rsa-sha256")).replace(b"DXPENT", b"DXPENX", 1)
    assert xmlsec1(changed, "rsa-sha256").returncode != 0


@pytest.mark.parametrize("suite", RSA)
def test_python_xmlsec_accepts_rsa(canonical, signer_of, suite):
    root = etree.fromstring(seal(canonical, signer_of(suite)))
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(signer_of(suite).certificate_der, xmlsec.constants.KeyDataFormatCertDer)
    context.verify(root[-1])


@pytest.mark.parametrize("shape", ["sealed", *SHAPES])
def test_openssl_accepts_sm2_over_every_shape(canonical, signer_of, key_folder, tmp_path, shape):
    signer = signer_of("sm2-sm3")
    signed = seal(canonical, signer) if shape == "sealed" else sign_message(shapes(canonical)[shape], signer)
    info, value = in_message(signed)
    r, s = (int.from_bytes(half, "big") for half in (value[:32], value[32:]))
    (tmp_path / "info").write_bytes(info)
    (tmp_path / "value").write_bytes(encode_dss_signature(r, s))
    key = run("openssl", "x509", "-in", key_folder / "sm2-sm3" / "cert.pem", "-pubkey", "-noout").stdout
    (tmp_path / "key").write_text(key)
    identity = "distid:1234567812345678"
    raw = run(
        "openssl", "pkeyutl", "-verify", "-pubin", "-inkey", tmp_path / "key", "-rawin", "-digest", "sm3",
        "-pkeyopt", identity, "-in", tmp_path / "info", "-sigfile", tmp_path / "value",
    )  # fmt: skip
    digest = run(
        "openssl", "dgst", "-sm3", "-sigopt", identity, "-verify", tmp_path / "key",
        "-signature", tmp_path / "value", tmp_path / "info",
    )  # fmt: skip
    assert (raw.stdout, digest.stdout) == ("Signature Verified Successfully\n", "Verified OK\n")


def test_gmssl_accepts_sm2(canonical, signer_of):
    signer = signer_of("sm2-sm3")
    info, value = in_message(seal(canonical, signer))
    r, s = (int.from_bytes(half, "big") for half in (value[:32], value[32:]))
    at = signer.certificate_der.index(b"\x03\x42\x00\x04") + 4
    point = signer.certificate_der[at : at + 64]
    assert gmssl_pyx.sm2_verify(point, info, encode_dss_signature(r, s), b"1234567812345678")


def test_the_sm3_digest_is_the_one_hashlib_computes(canonical, signer_of):
    digest = etree.fromstring(seal(canonical, signer_of("sm2-sm3"))).findtext(f".//{{{DS}}}DigestValue")
    assert base64.b64decode(digest) == hashlib.new("sm3", canonical).digest()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("suite", SUITES)
def test_every_shape_signed_here_is_verified_here(canonical, signer_of, suite, shape):
    signer = signer_of(suite)
    signed = sign_message(shapes(canonical)[shape], signer)
    assert verify(signed, [signer.certificate_der], AT).valid
    info = signed[signed.index(b"<ds:SignedInfo") : signed.index(b"</ds:SignedInfo>")]
    assert not [gap for gap in (b"\n", b"> <", b">\t<") if gap in info]


def test_sealing_and_signing_agree_on_canonical_text(canonical, signer_of):
    signer = signer_of("rsa-sha256")
    sealed, signed = (etree.fromstring(way(canonical, signer)) for way in (seal, sign_message))
    values = [
        ["".join(root.findtext(f".//{{{DS}}}{name}").split()) for name in ("DigestValue", "SignatureValue")]
        for root in (sealed, signed)
    ]
    assert values[0] == values[1]


def test_a_signed_message_is_not_signed_twice(canonical, signer_of):
    signer = signer_of("sm2-sm3")
    sealed = seal(canonical, signer)
    with pytest.raises(AlreadySigned):
        sign_message(sealed, signer)
    with pytest.raises(NotCanonical):
        seal(sealed.removeprefix(DECLARATION), signer)


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(
    "data", [b'<a xmlns="relative"/>', b"", b"PK\x03\x04", b"<a", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>']
)
def test_what_is_no_message_is_not_signed(signer_of, suite, data):
    with pytest.raises(NotSignable):
        sign_message(data, signer_of(suite))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: DECLARATION + text,
        lambda text: text + b"\n",
        lambda text: text.replace(b"ceb:", b""),
        lambda text: text.replace(b" guid=", b' xmlns:xsi="urn:x" guid=', 1),
        lambda text: text.replace(b" guid=", b' xmlns="urn:x" guid=', 1),
    ],
)
def test_the_seal_takes_canonical_text_only(canonical, signer_of, spoil):
    with pytest.raises(NotCanonical):
        seal(spoil(canonical), signer_of("sm2-sm3"))
