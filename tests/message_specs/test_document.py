"""A document is read by path, and written in canonical form exactly as Canonical XML 1.0 writes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from message_specs.catalog import catalog
from message_specs.document import Document
from message_specs.opening import open_message, open_receipt
from tests.message_specs.hostile import good, written

CEB = "http://www.chinaport.gov.cn/ceb"


def order(texts: dict[str, str]) -> Document:
    root = good("CEB311Message", "202205", signed=False)
    for path, text in texts.items():
        leaf = root.find("/".join("{*}" + step for step in f"Order/{path}".split("/")))
        assert leaf is not None
        leaf.text = text
    return open_message(written(root)).documents[0]


def test_texts_are_given_as_they_stand() -> None:
    document = order({"OrderHead/note": " 备注 ", "OrderHead/payCode": ""})
    assert document.text("OrderHead/note") == " 备注 "
    assert document.text("OrderHead/payCode") == ""
    assert document.text("OrderHead/nothing") is None
    assert document.text("OrderList[1]/gnum") == "7"
    assert document.text("OrderList[2]/gnum") is None


def test_head_and_lines_are_the_leaves_of_their_groups() -> None:
    document = order({"OrderHead/orderNo": "A1"})
    assert document.head["orderNo"] == "A1"
    assert list(document.head)[:3] == ["guid", "appType", "appTime"]
    assert [line["gnum"] for line in document.lines] == ["7"]


def test_the_head_of_a_receipt_is_the_unit_itself() -> None:
    document = open_receipt(written(good("CEB312Message", "202205"))).documents[0]
    assert document.head["returnStatus"] == "y"
    assert document.lines == []


def test_keys_are_joined_by_a_bar_and_the_kind_of_declaration_defaults_to_new() -> None:
    document = order({"OrderHead/ebpCode": "E", "OrderHead/orderNo": "A1", "OrderHead/appType": "2"})
    assert (document.key, document.reply_key, document.app_type) == ("E|A1", "E|A1", "2")
    bare = Document(document.spec, 1, etree.fromstring("<Order><OrderHead><x>1</x></OrderHead></Order>"))
    assert (bare.key, bare.app_type) == ("|", "1")


BLANKS = st.sampled_from(["", "\t", "\r", "\n", "\r\n", "&", "<", ">", "]]>", '"', "\u00a0", "\u2028", "😀"])
TEXTS = st.lists(BLANKS | st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cn", "Cc"])), max_size=8)


@given(TEXTS)
def test_the_canonical_form_is_its_own_canonical_form_and_keeps_every_text(parts: list[str]) -> None:
    document = order({"OrderHead/note": "".join(parts)})
    canonical = document.canonical()
    opening, closing = f'<ceb:r xmlns:ceb="{CEB}">'.encode(), b"</ceb:r>"
    again = etree.fromstring(opening + canonical + closing)
    assert etree.tostring(again, method="c14n") == opening + canonical + closing
    copy = Document(document.spec, 1, again[0])
    assert (copy.head, copy.lines) == (document.head, document.lines)


def test_blanks_between_elements_comments_and_instructions_are_left_out() -> None:
    plain = written(good("CEB411Message", "202205", signed=False))
    loose = plain.replace(b"><p:", b">\r\n <!-- c --><?i n?>\t<p:")
    assert open_message(loose).documents[0].canonical() == open_message(plain).documents[0].canonical()


@pytest.mark.parametrize("code", [code for code, spec in catalog().specs.items() if spec.family == "ceb"])
def test_every_document_written_canonically_is_still_good(code: str) -> None:
    spec = catalog().specs[code]
    root = good(spec.root, "202205", units=2, signed=False)
    texts = [document.canonical() for document in open_message(written(root)).documents]
    for unit, text in zip(root.findall("{*}" + spec.document), texts, strict=True):
        root.replace(unit, etree.fromstring(f'<ceb:r xmlns:ceb="{CEB}">'.encode() + text + b"</ceb:r>")[0])
    opened = open_message(written(root))
    assert (opened.findings, [document.canonical() for document in opened.documents]) == ((), texts)
