"""The second reader and libxml2 agree about every hostile twin, and the reader always finds its own words."""

import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from message_specs.catalog import catalog
from message_specs.check import check
from message_specs.findings import Severity, wordings
from message_specs.opening import open_message, parse
from message_specs.reader import plain, walk
from message_specs.schema import NAMESPACES, compiled
from message_specs.tables import Node, family, revisions_of, table
from message_specs.values import troubles
from tests.message_specs.hostile import good, placed, tangled, twins, written

ROOTS = [spec.root for spec in catalog().specs.values()]
PUBLISHED = [(root, revision) for root in ROOTS for revision in revisions_of(root)]


def outcome(message: str, revision: str, data: bytes, *, unsigned_allowed: bool = True) -> tuple[bool, list[str], str]:
    """The schema's verdict, the codes of the second reader, and libxml2's words for the report."""
    root = parse(data, instructions=False)
    schema = compiled(message, revision, unsigned_allowed=unsigned_allowed)
    verdict = schema.validate(root)
    spec = catalog().by_root(message)
    assert spec is not None
    namespace = NAMESPACES[family(message, revision)]
    found, _ = walk(root, table(message, revision), spec, namespace=namespace, unsigned_allowed=unsigned_allowed)
    return verdict, [finding.code for _, finding in found], "" if verdict else plain(schema)


@pytest.mark.parametrize(("message", "revision"), PUBLISHED)
def test_schema_and_reader_agree_on_every_twin(message: str, revision: str) -> None:
    apart = []
    for name, data in twins(message, revision):
        verdict, codes, words = outcome(message, revision, data)
        if verdict == bool(codes):
            apart.append((name, verdict, codes, words))
    assert apart == []


def test_every_structural_code_is_provoked_by_some_twin() -> None:
    # No published table has a least length beyond 1, where "empty" says it: "too short" waits for one.
    provoked = {code for code, _ in troubles(Node("n", "n", 1, 1, "xs:string", min_length=2), "x")}
    for message in ("CEB311Message", "CEB621Message", "DxpMsg", "DxpRep"):
        for _, data in twins(message, "202205"):
            provoked.update(outcome(message, "202205", data, unsigned_allowed=False)[1])
    assert {code for code in wordings() if "S020" <= code < "S090"} <= provoked
    assert {"S007", "S011"} <= provoked


@pytest.mark.parametrize("message", ROOTS)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_they_agree_when_several_things_are_wrong_at_once(message: str, seed: int) -> None:
    name, data = tangled(message, "202205", seed)
    verdict, codes, words = outcome(message, "202205", data)
    assert (name, verdict, words) == (name, not codes, words)


@pytest.mark.parametrize("message", ROOTS)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_a_document_called_good_is_good_to_the_schema_alone(message: str, seed: int) -> None:
    _, data = tangled(message, "202205", seed, units=4)
    opened = open_message(data)
    assert "S090" not in {finding.code for finding in opened.findings}
    if opened.fatal or opened.root is None:
        return
    for document in opened.documents:
        if document.ordinal in opened.bad:
            opened.root.remove(document.element)
    if len(opened.bad) < len(opened.documents):
        assert compiled(message, "202205", unsigned_allowed=True).validate(opened.root)


@pytest.mark.parametrize("message", ROOTS)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_what_a_glance_passes_is_passed_by_a_close_look_too(message: str, seed: int) -> None:
    _, data = tangled(message, "202205", seed)
    # A stranger in a group asks for a close look at each child of it.
    root = parse(data, instructions=False)
    for element, node in list(placed(root, table(message, "202205"))):
        if node.is_group and not (node.children and node.children[0].is_any):
            element.append(etree.Element("stranger"))
    close = [said for said in told(written(root)) if not said[2].endswith("/stranger")]
    assert close == told(data)


@pytest.mark.parametrize("unsigned_allowed", [True, False])
@pytest.mark.parametrize("message", ROOTS)
def test_a_missing_signature_matters_only_where_it_is_required(message: str, unsigned_allowed: bool) -> None:
    data = written(good(message, "202205", signed=False))
    required = any(node.name == "ds:Signature" and node.minimum for node in table(message, "202205").children)
    verdict, codes, _ = outcome(message, "202205", data, unsigned_allowed=unsigned_allowed)
    wrong = required and not unsigned_allowed
    assert (verdict, codes) == (not wrong, ["S012"] if wrong else [])


def told(data: bytes) -> list[tuple[str, int | None, str, str | None]]:
    return [(f.code, f.document, f.path, f.value) for f in open_message(data).findings]


def message(*orders: bytes) -> bytes:
    whole = written(good("CEB311Message", "202205", units=len(orders), signed=False))
    for order in orders:
        whole = whole.replace(b"<p:orderNo>y</p:orderNo>", b"<p:orderNo>%s</p:orderNo>" % order, 1)
    return whole


def test_all_findings_of_a_file_are_told_at_once_each_with_its_document_and_key() -> None:
    data = message(b"A1", b"A2", b"A3")
    data = data.replace(b"<p:goodsValue>7", b"<p:goodsValue>7,0", 1)
    data = data.replace(b"<p:freight>7</p:freight>", b"", 1)
    last = data.rindex(b"<p:currency>142")
    data = data[:last] + b"<p:currency>USD" + data[last + 15 :]
    assert told(data) == [
        ("S020", 1, "/CEB311Message/Order[orderNo='A1']/OrderHead/freight", None),
        ("S035", 1, "/CEB311Message/Order[orderNo='A1']/OrderHead/goodsValue", "7,0"),
        ("S038", 3, "/CEB311Message/Order[orderNo='A3']/OrderList[1]/currency", "USD"),
    ]
    assert not open_message(data).fatal


def test_a_document_without_its_key_is_named_by_its_position() -> None:
    data = message(b"A1", b"A2").replace(b"<p:orderNo>A2</p:orderNo>", b"")
    assert told(data) == [("S020", 2, "/CEB311Message/Order[2]/OrderHead/orderNo", None)]


def test_line_and_column_are_those_of_the_start_tag() -> None:
    data = message("单1".encode()).replace(b"<p:goodsValue>7", "\r\n单\t<p:goodsValue>x".encode())
    found = [(f.code, f.line, f.column) for f in open_message(data).findings if f.code == "S035"]
    assert found == [("S035", 3, 3)]


def test_lengths_count_characters() -> None:
    within = message(b"A1").replace(b"<p:note>yyy", b"<p:note>" + "字😀".encode() * 500, 1)
    beyond = within.replace("字".encode(), "字字".encode(), 1)
    assert told(within) == []
    assert [(code, len(value or "")) for code, _, _, value in told(beyond)] == [("S032", 200)]


def test_trouble_outside_the_documents_stops_the_message() -> None:
    data = message(b"A1").replace(b"<p:dxpMode>yyy", b"<p:dxpMode>DX", 1)
    opened = open_message(data)
    assert (told(data), opened.fatal) == ([("S033", None, "/CEB311Message/BaseTransfer/dxpMode", "DX")], True)


def test_an_element_out_of_order_is_the_only_one_told() -> None:
    data = message(b"A1").replace(b"<p:appType>y</p:appType>", b"", 1)
    data = data.replace(b"</p:OrderHead>", b"<p:appType>y</p:appType></p:OrderHead>")
    assert told(data) == [("S022", 1, "/CEB311Message/Order[orderNo='A1']/OrderHead/appType", None)]


def test_a_wrong_namespace_is_told_once() -> None:
    data = message(b"A1").replace(b"http://www.chinaport.gov.cn/ceb", b"http://www.chinaport.gov.cn/CEB")
    assert told(data) == [("S007", None, "/CEB311Message", "http://www.chinaport.gov.cn/CEB")]


def test_structural_findings_keep_their_severity() -> None:
    opened = open_message(message(b"A1").replace(b"<p:goodsValue>7", b"<p:goodsValue>x"))
    found = check(opened, severities={"S035": Severity.WARNING}, today=date(2026, 11, 21))
    assert [(f.code, f.severity) for f in found if f.code[0] == "S"] == [("S035", Severity.ERROR)]


@pytest.mark.parametrize(
    "inside",
    ["<![CDATA[]]>", "<!--c-->", "<?i n?>", "<!--c--> ", "1<!--c-->42", "1<?i n?>42", "<![CDATA[142]]>", "&#32;"],
)
@pytest.mark.parametrize("leaf", ["currency", "goodsValue", "note", "orderNo"])
def test_they_agree_about_what_else_xml_can_write_into_a_value(leaf: str, inside: str) -> None:
    data = re.sub(rf"<p:{leaf}>[^<]*<".encode(), f"<p:{leaf}>{inside}<".encode(), message(b"A1"), count=1)
    verdict, codes, _ = outcome("CEB311Message", "202205", data)
    assert verdict == (not codes)
