"""Customs' own verification agrees with the published algorithms and with libxmlsec, and believes nothing else."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import xmlsec
from lxml import etree

from adapters.simulators.verify import NotBelieved, believe
from gateway.signing import keys
from gateway.signing.seal import DECLARATION, seal
from gateway.signing.signer import Signer
from tests import samples

DS = "{http://www.w3.org/2000/09/xmldsig#}"
PLAIN = samples.message("CEB311", 2)
SUITES = {"rsa-sha1": ("rsa", "sha1"), "rsa-sha256": ("rsa", "sha256"), "sm2-sm3": ("sm2", "sha256")}


@pytest.fixture(scope="module")
def signers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Signer]:
    place = tmp_path_factory.mktemp("keys")
    for name, (suite, digest) in SUITES.items():
        keys.new_key(place, name, suite, "CN=test", 30, now=datetime.now(UTC), digest=digest)
    return {name: keys.load_signer(place, name) for name in SUITES}


def reasons(data: bytes, *trusted: bytes) -> str:
    """Why the message is not believed, empty when it is."""
    try:
        believe(etree.fromstring(data), trusted, datetime.now(UTC))
    except NotBelieved as reason:
        return str(reason)
    return ""


@pytest.mark.parametrize("suite", SUITES)
def test_each_published_suite_is_believed(signers: dict[str, Signer], suite: str) -> None:
    assert reasons(seal(PLAIN[len(DECLARATION) :], signers[suite]), signers[suite].certificate_der) == ""


@pytest.mark.parametrize("suite", SUITES)
def test_a_certificate_that_was_not_left_with_customs_is_not_believed(signers: dict[str, Signer], suite: str) -> None:
    others = [signer.certificate_der for name, signer in signers.items() if name != suite]
    assert "备案" in reasons(seal(PLAIN[len(DECLARATION) :], signers[suite]), *others)
    assert "备案" in reasons(seal(PLAIN[len(DECLARATION) :], signers[suite]))


def by_xmlsec(place: Path, data: bytes, *, prefix: str | None) -> tuple[bytes, bytes]:
    """The message signed by libxmlsec's own template, and the certificate."""
    keys.new_key(place, "key", "rsa", "CN=test", 30, now=datetime.now(UTC))
    root = etree.fromstring(data)
    signature = xmlsec.template.create(
        root, xmlsec.constants.TransformInclC14N, xmlsec.constants.TransformRsaSha1, ns=prefix
    )
    root.append(signature)
    reference = xmlsec.template.add_reference(signature, xmlsec.constants.TransformSha1, uri="")
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformEnveloped)
    about = xmlsec.template.ensure_key_info(signature)
    xmlsec.template.add_key_name(about, "0001")
    xmlsec.template.x509_data_add_certificate(xmlsec.template.add_x509_data(about))
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_file(str(place / "key/key.pem"), xmlsec.constants.KeyDataFormatPem)
    context.key.load_cert_from_file(str(place / "key/cert.pem"), xmlsec.constants.KeyDataFormatCertPem)
    context.key.name = "0001"
    context.sign(signature)
    return etree.tostring(root), keys.load_signer(place, "key").certificate_der


@pytest.mark.parametrize("prefix", [None, "ds"])
@pytest.mark.parametrize(
    "shape",
    [
        PLAIN,
        PLAIN.replace(b"ceb:", b"").replace(b"xmlns:ceb", b"xmlns"),
        PLAIN.replace(b" guid=", b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"\n guid=', 1),
        PLAIN.replace(b"><", b">\n  <").replace(b"<ceb:BaseTransfer>", b"<!-- noted --><ceb:BaseTransfer>\r\n"),
    ],
    ids=["as ours", "default namespace", "more namespaces", "white space and comments"],
)
def test_what_libxmlsec_signed_is_believed_in_every_shape(tmp_path: Path, shape: bytes, prefix: str | None) -> None:
    data, certificate = by_xmlsec(tmp_path, shape, prefix=prefix)
    assert reasons(data, certificate) == ""
    assert "摘要" in reasons(data.replace(b"20261121093000", b"20261121093001", 1), certificate)


def moved_into_a_document(root: etree._Element) -> None:
    root[0].append(root[-1])


def wrapped_in_an_extension(root: etree._Element) -> None:
    original = etree.fromstring(etree.tostring(root))
    root[0][0][6].text = "9999"
    etree.SubElement(root, "{http://www.chinaport.gov.cn/ceb}ExtendMessage").append(original)


def signed_twice(root: etree._Element) -> None:
    root.append(etree.fromstring(etree.tostring(root[-1])))


def pointed_elsewhere(root: etree._Element) -> None:
    root.find(f".//{DS}Reference").set("URI", "#part")  # type: ignore[union-attr]


def transformed_away(root: etree._Element) -> None:
    transforms = root.find(f".//{DS}Transforms")
    assert transforms is not None
    etree.SubElement(transforms, f"{DS}Transform", Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116")


def weakly_digested(root: etree._Element) -> None:
    root.find(f".//{DS}DigestMethod").set("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#md5")  # type: ignore[union-attr]


def signed_by_hmac(root: etree._Element) -> None:
    root.find(f".//{DS}SignatureMethod").set("Algorithm", "http://www.w3.org/2000/09/xmldsig#hmac-sha1")  # type: ignore[union-attr]


def without_certificate(root: etree._Element) -> None:
    told = root.find(f".//{DS}X509Data")
    assert told is not None
    told.getparent().remove(told)  # type: ignore[union-attr]


def with_another_value(root: etree._Element) -> None:
    value = root.find(f".//{DS}SignatureValue")
    assert value is not None
    value.text = "AAAA" + (value.text or "")[4:]


def without_signature(root: etree._Element) -> None:
    root.remove(root[-1])


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(
    "attack",
    [moved_into_a_document, wrapped_in_an_extension, signed_twice, pointed_elsewhere, transformed_away, weakly_digested,
     signed_by_hmac, without_certificate, with_another_value, without_signature],
    ids=lambda attack: attack.__name__,
)  # fmt: skip
def test_no_known_trick_is_believed(signers: dict[str, Signer], suite: str, attack: object) -> None:
    root = etree.fromstring(seal(PLAIN[len(DECLARATION) :], signers[suite]))
    attack(root)  # type: ignore[operator]
    assert reasons(etree.tostring(root), signers[suite].certificate_der) != ""
