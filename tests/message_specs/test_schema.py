"""The schema written from the tables gives the verdicts of the published one where these are known."""

import pytest
from lxml import etree

from message_specs.catalog import catalog
from message_specs.opening import open_message
from message_specs.schema import compiled, signature_schema, xsd_text
from message_specs.tables import revisions_of
from tests.message_specs.hostile import good, signature, written

PUBLISHED = [(spec.root, revision) for spec in catalog().specs.values() for revision in revisions_of(spec.root)]


@pytest.mark.parametrize(("message", "revision"), PUBLISHED)
@pytest.mark.parametrize("full", [True, False])
def test_a_message_written_from_its_table_is_good(message: str, revision: str, full: bool) -> None:
    assert compiled(message, revision).validate(good(message, revision, full=full))


def verdict(path: str, text: str) -> bool:
    root = good("CEB311Message", "202205")
    leaf = root.find("/".join("{*}" + step for step in path.split("/")))
    assert leaf is not None
    leaf.text = text or None
    return compiled("CEB311Message", "202205").validate(root)


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("Order/OrderHead/currency", "", True),
        ("Order/OrderHead/currency", "142", True),
        ("Order/OrderHead/currency", "502", False),
        ("Order/OrderHead/goodsValue", "12345678901234.12345", True),
        ("Order/OrderHead/goodsValue", "0.123456", False),
        ("Order/OrderHead/goodsValue", "12345678901234567890", False),
        ("Order/OrderHead/orderNo", "", False),
        ("Order/OrderHead/orderNo", "单" * 60, True),
        ("Order/OrderHead/orderNo", "单" * 61, False),
        ("Order/OrderHead/consigneeDistrict", "", False),
        ("Order/OrderHead/note", "", True),
        ("Order/OrderList/gnum", "1.0", False),
    ],
)
def test_known_verdicts_stand(path: str, text: str, expected: bool) -> None:
    assert verdict(path, text) is expected


@pytest.mark.parametrize(("units", "expected"), [(1, True), (100, True), (101, False)])
def test_a_message_holds_one_to_a_hundred_documents(units: int, expected: bool) -> None:
    root = good("CEB411Message", "2018", units=units)
    assert compiled("CEB411Message", "2018").validate(root) is expected


def test_the_printed_schema_is_a_schema_and_names_the_fields_in_chinese() -> None:
    text = xsd_text("CEB621Message", "202205")
    assert etree.fromstring(text.encode()).tag.endswith("schema")
    assert "<xs:documentation>商品总价" in text or "电商平台代码" in text


def test_the_signature_may_be_left_out_only_in_the_schema_of_our_door() -> None:
    unsigned = good("CEB621Message", "202205", signed=False)
    assert not compiled("CEB621Message", "202205").validate(unsigned)
    assert compiled("CEB621Message", "202205", unsigned_allowed=True).validate(unsigned)


def test_the_signature_schema_follows_the_recommendation() -> None:
    assert signature_schema().validate(signature())
    for broken in ("SignedInfo", "SignatureValue"):
        root = signature()
        root.remove(root.find("{*}" + broken))
        assert not signature_schema().validate(root)


def test_a_broken_signature_is_told_at_the_signature_and_stops_the_message() -> None:
    root = good("CEB621Message", "202205")
    block = root.find("{*}Signature")
    block.remove(block.find("{*}SignatureValue"))
    opened = open_message(written(root))
    assert [(f.code, f.path, f.document) for f in opened.findings] == [("S013", "/CEB621Message/ds:Signature", None)]
    assert (opened.fatal, opened.signed) == (True, True)
