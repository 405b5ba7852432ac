"""Whatever bytes arrive, opening answers with findings: it never raises, and never lets a DOCTYPE in."""

import gzip
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from message_specs.catalog import catalog
from message_specs.limits import Limits
from message_specs.opening import Opened, open_message, open_receipt, parse
from tests import samples
from tests.message_specs.hostile import good, written

GOOD = written(good("CEB311Message", "202205", units=2, signed=False))
HEAD, BODY = GOOD.split(b"\n", 1)
RECEIPT = written(good("CEB312Message", "202205", units=2))


def answer(opened: Opened) -> tuple[list[str], str | None, bool]:
    return [finding.code for finding in opened.findings], opened.root_name, opened.fatal


FINE = ([], "CEB311Message", False)


@pytest.mark.parametrize(
    "data",
    [
        GOOD,
        BODY,
        b"\xef\xbb\xbf" + GOOD,
        b"\n" + BODY,
        HEAD.replace(b"?>", b' standalone="yes"?>') + BODY,
        HEAD.replace(b"UTF-8", b"utf-8") + BODY,
        GOOD.replace(b"><", b">\r\n<"),
        HEAD + b"<!-- <!DOCTYPE no --><?xml-stylesheet href='x'?>" + BODY + b"<!-- after -->",
        GOOD.replace(b"<p:appType>y<", b"<p:appType><!-- c -->y<?i n?><"),
        GOOD.replace(b"<p:appType>y<", b"<p:appType><![CDATA[y]]><"),
        GOOD.replace(b"<p:note>yyy<", b"<p:note><![CDATA[<!DOCTYPE x>]]><"),
    ],
    ids=range(11),
)
def test_what_xml_allows_is_accepted(data: bytes) -> None:
    assert answer(open_message(data)) == FINE


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", (["S008"], None, True)),
        (b" \r\n\t", (["S008"], None, True)),
        (b"\x00" * 4096, (["S009"], None, True)),
        (gzip.compress(GOOD), (["S009"], None, True)),
        (b"orderNo,goodsValue\n1,2\n", (["S009"], None, True)),
        (GOOD[: len(GOOD) // 2], (["S001"], "CEB311Message", True)),
        (GOOD + b"<more/>", (["S001"], "CEB311Message", True)),
        (GOOD.replace(b"</p:orderNo>", b"</p:orderno>", 1), (["S001"], "CEB311Message", True)),
        (GOOD.replace(b">yyy<", b">&undefined;<", 1), (["S001"], "CEB311Message", True)),
        (GOOD.replace(b">yyy<", b">\x01<", 1), (["S001"], "CEB311Message", True)),
        (GOOD.replace(b">yyy<", b">&#0;<", 1), (["S001"], "CEB311Message", True)),
        (HEAD + b"<!DOCTYPE p>" + BODY, (["S002"], "CEB311Message", True)),
        (
            HEAD + b"<!-- x --><?i n?>\n<!DOCTYPE p SYSTEM 'file:///etc/passwd'>" + BODY,
            (["S002"], "CEB311Message", True),
        ),
        (b"\xef\xbb\xbf<!DOCTYPE p>" + BODY, (["S002"], "CEB311Message", True)),
        (HEAD.replace(b"UTF-8", b"GBK") + BODY, (["S003"], "CEB311Message", True)),
        (HEAD.replace(b"UTF-8", b"UTF-7") + BODY, (["S003"], "CEB311Message", True)),
        (GOOD.replace(b">yyy<", ">名称<".encode("gbk"), 1), (["S003"], "CEB311Message", True)),
        (GOOD.replace(b">yyy<", b">\xed\xa0\x80<", 1), (["S003"], "CEB311Message", True)),
        (GOOD.decode().encode("utf-16"), (["S003"], None, True)),
        (GOOD.decode().encode("utf-16-be"), (["S003"], None, True)),
        (HEAD + b"<CEB311Message>" * 300, (["S005"], "CEB311Message", True)),
        (HEAD + b"<CEB999Message/>", (["S006"], "CEB999Message", True)),
        (HEAD + b"<html/>", (["S006"], "html", True)),
    ],
    ids=range(23),
)
def test_what_is_no_message_is_told_by_its_own_code(data: bytes, expected: tuple[list[str], str | None, bool]) -> None:
    opened = open_message(data)
    codes, name, fatal = answer(opened)
    assert codes == expected[0]
    assert fatal is expected[2]
    assert name == expected[1] or (expected[0] == ["S003"] and expected[1] is None)


def test_a_message_cut_anywhere_is_refused_and_its_root_is_known_once_it_was_there() -> None:
    start = GOOD.index(b"<p:Order>")
    for cut in range(0, len(GOOD) - 1, 7):
        opened = open_message(GOOD[:cut])
        assert opened.fatal
        assert {f.code for f in opened.findings} <= {"S001", "S008", "S009"}
        if cut >= start:
            assert (opened.root_name, opened.spec) == ("CEB311Message", catalog().by_code("CEB311"))


def test_where_the_file_breaks_is_told_with_line_and_column() -> None:
    [found] = open_message(HEAD + b"\n<CEB311Message>\n  <a></b>").findings
    assert (found.code, found.line) == ("S001", 3)
    assert found.column is not None
    assert "mismatch" in found.en


def test_entities_are_never_expanded() -> None:
    bomb = b"<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'>" + b"".join(
        b"<!ENTITY a%d '%s'>" % (n, b"&a%d;" % (n - 1) * 10 if n else b"&a;" * 10) for n in range(12)
    )
    [found] = open_message(b"<?xml version='1.0'?>" + bomb + b"]><CEB311Message>&a11;</CEB311Message>").findings
    assert found.code == "S002"


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(message_bytes=100), "S004"),
        (Limits(documents=1), "S011"),
        (Limits(text_bytes=2), "S005"),
        (Limits(tags=10), "S005"),
        (Limits(depth=2), "S005"),
    ],
)
def test_the_limits_of_the_configuration_are_kept(limits: Limits, code: str) -> None:
    opened = open_message(GOOD, limits=limits)
    assert ([f.code for f in opened.findings], opened.fatal, opened.root_name) == ([code], True, "CEB311Message")


def test_an_extension_may_not_be_deeper_than_the_limit() -> None:
    deep = GOOD.replace(b"<free/>", b"<a>" * 40 + b"</a>" * 40)
    assert answer(open_message(deep)) == (["S005"], "CEB311Message", True)
    assert answer(open_message(deep, limits=Limits(depth=50))) == FINE


def test_a_flood_of_findings_ends_at_the_limit_and_stops_the_message() -> None:
    flood = GOOD.replace(b"<p:BaseTransfer>", b"<x/>" * 50 + b"<p:BaseTransfer>")
    opened = open_message(flood, limits=Limits(findings=20))
    assert ([f.code for f in opened.findings], opened.fatal) == (["S021"] * 20 + ["S091"], True)


def test_a_tag_with_a_flood_of_attributes_is_answered_at_once() -> None:
    flood = b" ".join(b"a%d=''" % number for number in range(100_000))
    opened = open_message(HEAD + b"<CEB311Message " + flood + b"/>")
    assert opened.fatal
    assert len(opened.findings) < 300


def test_another_kind_of_message_than_was_stated_is_a_finding() -> None:
    assert answer(open_message(GOOD, spec="CEB411")) == (["S010"], "CEB311Message", True)
    assert answer(open_message(GOOD, spec="CEB311")) == FINE


def test_an_opened_message_says_who_sent_it_and_what_it_holds() -> None:
    opened = open_message(GOOD)
    assert (opened.guid, opened.signed, opened.namespace) == ("y" * 36, False, "http://www.chinaport.gov.cn/ceb")
    assert opened.transfer == {"copCode": "y", "copName": "yyy", "dxpMode": "yyy", "dxpId": "yyy", "note": "yyy"}
    assert [document.ordinal for document in opened.documents] == [1, 2]


def test_bad_documents_leave_the_good_ones_alone() -> None:
    opened = open_message(GOOD.replace(b"<p:goodsValue>7", b"<p:goodsValue>?", 1))
    assert (opened.bad, opened.fatal, opened.message_findings) == ({1}, False, ())
    assert [f.code for f in opened.findings_of(1)] == ["S035"]
    assert opened.findings_of(2) == ()


def test_instructions_stay_in_the_tree_that_is_verified_and_out_of_what_is_read() -> None:
    opened = open_message(GOOD.replace(b"<p:orderNo>y<", b"<p:orderNo>A<?x y?>B<", 1))
    assert opened.documents[0].text("OrderHead/orderNo") == "AB"
    assert opened.root is not None
    assert [node.target for node in opened.root.iter() if not isinstance(node.tag, str)] == ["x"]


@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    assert open_message(data).fatal
    assert open_receipt(data).fatal


@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=6), st.integers(0, 40))
@settings(max_examples=300, deadline=None)
def test_no_damage_to_a_good_message_raises(place: int, put: bytes, cut: int) -> None:
    damaged = GOOD[:place] + put + GOOD[place + cut :]
    opened = open_message(damaged)
    assert opened.fatal or opened.root_name == "CEB311Message"
    assert open_receipt(damaged).root_name in {opened.root_name, None} | {"CEB311Message"}


def receipt(data: bytes) -> tuple[list[tuple[str, int | None, str]], list[tuple[str, str | None]]]:
    opened = open_receipt(data)
    keys = [(document.reply_key, document.text("returnStatus")) for document in opened.documents]
    return [(f.code, f.document, f.path) for f in opened.findings], keys


FIELDS = (
    b"<ebpCode>E</ebpCode><orderNo>1</orderNo><returnStatus>2</returnStatus><returnTime>20261121101010</returnTime>"
)
UNIT = b"<OrderReturn>" + FIELDS + b"</OrderReturn>"


@pytest.mark.parametrize(
    "data",
    [
        b"<CEB312Message>" + UNIT + b"</CEB312Message>",
        b"<CEB312Message xmlns='http://www.chinaport.gov.cn/ceb' guid='a'>" + UNIT + b"</CEB312Message>",
        re.sub(rb"<(/?)", rb"<\1q:", b"<CEB312Message>" + UNIT + b"</CEB312Message>").replace(
            b">", b" xmlns:q='urn:any'>", 1
        ),
        b"<CEB312Message><x/><OrderReturn><extra>1</extra>" + FIELDS + b"</OrderReturn>words<y/></CEB312Message>",
    ],
    ids=["no namespace", "default namespace", "prefix", "extra elements"],
)  # fmt: skip
def test_a_receipt_is_read_however_customs_writes_it(data: bytes) -> None:
    assert receipt(data) == ([], [("E|1", "2")])


def test_a_receipt_needs_its_root_its_unit_its_echo_and_its_status() -> None:
    lacking = UNIT.replace(b"<returnStatus>2</returnStatus>", b"").replace(b"<orderNo>1<", b"<orderNo><")
    unit = "/CEB312Message/OrderReturn"
    assert receipt(b"<CEB312Message>" + UNIT + lacking + b"</CEB312Message>") == (
        [("S014", 2, f"{unit}[2]/orderNo"), ("S014", 2, f"{unit}[2]/returnStatus")],
        [("E|1", "2"), ("E|", None)],
    )
    assert receipt(b"<CEB312Message/>") == ([("S014", None, unit)], [])
    assert receipt(b"<other/>") == ([("S006", None, "/other")], [])
    assert receipt(RECEIPT[:100])[0] == [("S001", None, "")]


def test_the_parser_refuses_a_doctype_for_everyone() -> None:
    with pytest.raises(ValueError, match="DOCTYPE"):
        parse(b"<!DOCTYPE a><a/>")


def test_hundreds_of_thousands_of_documents_are_refused_by_their_number() -> None:
    body = samples.order(1)
    place = body.index(b"<ceb:BaseTransfer>")
    opened = open_message(body[:place] + b"<ceb:Order/>" * 20_000 + body[place:])
    assert ([one.code for one in opened.findings], opened.fatal, opened.documents) == (["S011"], True, ())
