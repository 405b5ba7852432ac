"""Notice 179 as data: how a question is read, what is signed letter by letter, what an answer means."""

import json
from urllib.parse import parse_qs, quote_plus

import pytest

from message_specs.pay179.asked import Asked, NotAsked, asked
from message_specs.pay179.said import Said, said
from message_specs.pay179.upload import Texts, form, texts, wrong

PLAIN = '{"orderNo":"订单/1","sessionID":"fe2374-8fnejf97-55616242","serviceTime":1544519952469}'
MEANT = Asked("订单/1", "fe2374-8fnejf97-55616242", 1544519952469)
HEAD = {
    "note": "",
    "guid": "9D55BA71-22DE-41F4-8B50-C36C83B3B530",
    "initalRequest": '<xml><![CDATA[{"a":"/"}]]></xml>',
    "initalResponse": "ok",
    "ebpCode": "3301961A2B",
    "payCode": "3301960P7K",
    "payTransactionId": "2018121222001354081010726129",
    "totalAmount": "100.50",
    "currency": "142",
    "verDept": "3",
    "payType": "1",
    "tradingTime": "20181212041803",
}
LIST = {
    "goodsInfo": [{"itemLink": "https://shop.example/1", "gname": "奶粉"}],
    "orderNo": "SO1710301150602574003",
    "recpName": "云栖优选",
    "recpAccount": "OSA571",
}


@pytest.mark.parametrize(
    "value",
    [
        PLAIN,
        json.dumps(json.loads(PLAIN)),
        PLAIN.replace('"', "&quot;"),
        PLAIN.replace('"', "&amp;quot;"),
        PLAIN.replace('"', '\\"'),
        json.dumps(PLAIN),
        PLAIN.replace('"', "\\&quot;"),
        PLAIN.replace(":1544519952469", ':"1544519952469"'),
        f" {PLAIN}\n",
    ],
)
def test_a_question_is_understood_however_it_is_escaped(value: str) -> None:
    assert asked(f"openReq={quote_plus(value)}".encode()) == MEANT
    assert asked(f"a=1&openReq={quote_plus(value)}&b=".encode()) == MEANT


@pytest.mark.parametrize("value", [PLAIN, PLAIN.replace('"', "&quot;")])
def test_a_question_is_understood_where_the_form_was_not_encoded(value: str) -> None:
    assert asked(f"openReq={value}".encode()) == MEANT


@pytest.mark.parametrize(
    ("body", "about"),
    [
        (b"", "openReq"),
        (b"\xff\xfe", "openReq"),
        (b"other=1", "openReq"),
        (b"openReq=[1]", "openReq"),
        (b"openReq={}&openReq={}", "openReq"),
        (b"openReq=" + b"[" * 30000, "openReq"),
        (b'openReq={"sessionID":"S","serviceTime":1}', "orderNo"),
        (b'openReq={"orderNo":" ","sessionID":"S","serviceTime":1}', "orderNo"),
        (b'openReq={"orderNo":"A","serviceTime":1}', "sessionID"),
        (b'openReq={"orderNo":"A","sessionID":"S\\"","serviceTime":1}', "sessionID"),
        (b'openReq={"orderNo":"A","sessionID":"S"}', "serviceTime"),
        (b'openReq={"orderNo":"A","sessionID":"S","serviceTime":true}', "serviceTime"),
        (b'openReq={"orderNo":"A","sessionID":"S","serviceTime":1.5}', "serviceTime"),
    ],
)
def test_what_is_no_question_names_the_first_thing_that_is_wrong(body: bytes, about: str) -> None:
    with pytest.raises(NotAsked, match=f"^{about}$"):
        asked(body)


def test_the_signed_text_of_the_published_shape() -> None:
    assert Texts("S1", '{"guid":"G"}', '[{"orderNo":"O1"}]', "1700000000000").signed == (
        b'"sessionID":"S1"||"payExchangeInfoHead":"{"guid":"G"}"'
        b'||"payExchangeInfoLists":"[{"orderNo":"O1"}]"||"serviceTime":"1700000000000"'
    )


def test_head_and_lists_stand_in_the_order_of_the_notice_and_are_written_once() -> None:
    parts = texts("S1", HEAD, [LIST], 1544519952469)
    assert parts.head == (
        '{"guid":"9D55BA71-22DE-41F4-8B50-C36C83B3B530","initalRequest":"<xml><![CDATA[{\\"a\\":\\"/\\"}]]></xml>",'
        '"initalResponse":"ok","ebpCode":"3301961A2B","payCode":"3301960P7K",'
        '"payTransactionId":"2018121222001354081010726129","totalAmount":100.50,"currency":"142","verDept":"3",'
        '"payType":"1","tradingTime":"20181212041803"}'
    )
    assert parts.lists == (
        '[{"orderNo":"SO1710301150602574003","goodsInfo":[{"gname":"奶粉","itemLink":"https://shop.example/1"}],'
        '"recpAccount":"OSA571","recpName":"云栖优选"}]'
    )
    sealed = parts.sealed("03000000000cde6f", "c2lnbg==")
    assert sealed == (
        f'{{"sessionID":"S1","payExchangeInfoHead":{parts.head},"payExchangeInfoLists":{parts.lists},'
        '"serviceTime":"1544519952469","certNo":"03000000000cde6f","signValue":"c2lnbg=="}'
    )
    assert parse_qs(form(sealed).decode("ascii"), strict_parsing=True) == {"payExInfoStr": [sealed]}
    assert parts.signed.decode().count("||") == 3


@pytest.mark.parametrize(
    ("changed", "codes"),
    [
        ({}, []),
        ({"initalRequest": ""}, ["D105"]),
        ({"initalRequest": "x" * 8001}, ["D107"]),
        ({"verDept": "9"}, ["D108"]),
        ({"verDept": "33"}, ["D107", "D108"]),
        ({"currency": "110"}, ["D108"]),
        ({"totalAmount": "much"}, ["D106"]),
        ({"totalAmount": "-1"}, ["D106"]),
        ({"totalAmount": "1.000001"}, ["D106"]),
        ({"totalAmount": "NaN"}, ["D106"]),
        ({"payCode": None, "tradingTime": ""}, ["D105", "D105"]),
    ],
)
def test_what_cannot_be_uploaded_is_told_all_at_once(changed: dict[str, str | None], codes: list[str]) -> None:
    assert [one.code for one in wrong("head", HEAD | changed)] == codes


def test_every_article_of_a_list_has_a_name_and_a_link() -> None:
    told = wrong("list", LIST | {"goodsInfo": [{"gname": "奶粉"}, {"itemLink": "https://shop.example/2"}]})
    assert [(one.code, one.path) for one in told] == [("D105", "goodsInfo[1]/itemLink"), ("D105", "goodsInfo[2]/gname")]
    assert [(one.code, one.path) for one in wrong("list", LIST | {"goodsInfo": []})] == [("D105", "goodsInfo")]


@pytest.mark.parametrize(
    ("body", "meant"),
    [
        ('{"code":"20000","message":"certNo : certNo不为空; "}', Said("20000", "certNo : certNo不为空; ")),
        ('"{\\"code\\":\\"10000\\"}"', Said("10000", "")),
        ('{"code":"ok"}', None),
        ("[]", None),
        ("", None),
    ],
)
def test_an_answer_is_a_code_and_a_message_or_nothing(body: str, meant: Said | None) -> None:
    assert said(body.encode()) == meant


def test_only_20000_is_worth_a_repeat() -> None:
    ends = {code: (Said(code, "").is_done, Said(code, "").is_worth_a_repeat) for code in ("10000", "20000", "20001")}
    assert ends == {"10000": (True, False), "20000": (False, True), "20001": (False, False)}
