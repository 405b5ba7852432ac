"""Customs' caller in a box verifies what it is given strictly, by its own code, and books it before it answers."""

import base64
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.simulators.payment_data import main
from gateway.signing.keys import load_signer, new_key
from gateway.signing.rsa import RsaSigner
from message_specs.pay179.upload import Texts, form, texts
from tests import samples
from tests.adapters.simulators.payment_box import PaymentBox
from tests.homes import now

HEAD = {
    "guid": "9D55BA71-22DE-41F4-8B50-C36C83B3B530", "initalRequest": '<a>"/\\\n</a>', "initalResponse": "好",
    "ebpCode": samples.SHOP.code, "payCode": samples.PAY.code, "payTransactionId": "QC1", "totalAmount": "5.00",
    "currency": "142", "verDept": "3", "tradingTime": "20261122120000",
}  # fmt: skip
LISTS = [{"orderNo": "A1", "goodsInfo": [{"gname": "奶粉", "itemLink": "https://shop.example/1"}],
          "recpAccount": "OSA571", "recpName": "云栖优选"}]  # fmt: skip
PARTS = texts("S1", HEAD, LISTS, 1700000000000)
ACCEPTED = ("10000", "上传成功")


@pytest.fixture(params=["rsa", "sm2"])
def box(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[PaymentBox]:
    new_key(tmp_path / "keys", "one", request.param, "invented", 30, now=now() - timedelta(days=1), digest="sha1")
    new_key(tmp_path / "keys", "other", request.param, "invented", 30, now=now() - timedelta(days=1), digest="sha1")
    made = PaymentBox(tmp_path).start(certificate=tmp_path / "keys/one/cert.pem")
    yield made
    made.end()


def sent(
    box: PaymentBox, parts: Texts = PARTS, key: str = "one", change: Callable[[str], str] = str
) -> tuple[str, str]:
    signer = load_signer(box.place / "keys", key)
    value = base64.b64encode(signer.sign(parts.signed)).decode()
    told = box.post(form(change(parts.sealed(signer.key_name, value))))
    return told["code"], told["message"]


def test_an_upload_that_holds_is_accepted_and_booked(box: PaymentBox) -> None:
    assert sent(box) == ACCEPTED
    (one,) = box.book()
    assert {name: one[name] for name in ("session", "guid", "total", "orders", "code")} == {
        "session": "S1", "guid": HEAD["guid"], "total": "5.00", "orders": ["A1"], "code": "10000",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "about"),
    [
        (lambda text: text.replace('"5.00', '"6.00').replace(":5.00", ":6.00"), "签名值与证书不符"),
        (lambda text: text.replace(":5.00", ":5.0"), "签名值与证书不符"),
        (lambda text: text.replace('"serviceTime":"17', '"serviceTime":"18'), "签名值与证书不符"),
        (lambda text: text.replace('"sessionID":"S1",', ""), "字段次序不对：此处应为 sessionID"),
        (
            lambda text: text.replace('{"sessionID":"S1",', "{").replace("}]}", "}]}"),
            "字段次序不对：此处应为 sessionID",
        ),
        (lambda text: text.replace("payExchangeInfoLists", "payExchangeInfoList"), "此处应为 payExchangeInfoLists"),
        (
            lambda text: text.replace('"currency":"142","verDept":"3"', '"verDept":"3","currency":"142"'),
            "字段或次序不对",
        ),
        (lambda text: text.replace('"verDept":"3"', '"verDept":"4"'), "代码不对"),
        (lambda text: text.replace('"verDept"', ' "verDept"'), "JSON 中夹有空白"),
        (lambda text: text.replace("https://", "https:\\/\\/"), "JSON 中有不应有的转义"),
        (lambda text: text.replace("奶粉", "\\u5976\\u7c89"), "JSON 中有不应有的转义"),
        (lambda text: text.replace('"gname":"奶粉"', '"gname":""'), "gname不为空"),
        (lambda text: text.replace("9D55BA71", "9d55ba71"), "guid : 不是大写的 UUID"),
        (lambda text: text + " ", "payExInfoStr 不是 JSON 对象"),
        (lambda text: text[: text.index('"certNo"')] + '"certNo":"","signValue":""}', "certNo : certNo不为空;"),
    ],
)
def test_whatever_differs_from_the_notice_is_refused_with_its_reason(
    box: PaymentBox, change: Callable[[str], str], about: str
) -> None:
    code, message = sent(box, change=change)
    assert code == "20000"
    assert about in message
    assert box.book()[0]["message"] == message


def test_a_signature_of_another_key_or_digest_is_not_believed(box: PaymentBox) -> None:
    code, message = sent(box, key="other")
    assert (code, "不是该平台备案的证书" in message) == ("20000", True)
    signer = load_signer(box.place / "keys", "one")
    if isinstance(signer, RsaSigner):
        other: Any = RsaSigner("one", "rsa-sha256", signer.key_pem(), signer.certificate_der)
        value = base64.b64encode(other.sign(PARTS.signed)).decode()
        assert box.post(form(PARTS.sealed(signer.key_name, value)))["message"] == "签名值与证书不符"


def test_a_form_with_more_than_the_one_field_is_refused(box: PaymentBox) -> None:
    for body in (b"payExInfoStr=%7B%7D&more=1", b"", b"other=1", b"payExInfoStr=%7B"):
        assert box.post(body)["code"] == "20000"


def test_what_the_caller_does_not_know_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.toml").write_text('state = "s"\nplatforms = []\nmoon = 1\n', "utf-8")
    assert main(["--config", str(tmp_path / "a.toml")]) == 2
    (tmp_path / "a.toml").write_text('state = "s"\nplatforms = []\n', "utf-8")
    assert main(["--config", str(tmp_path / "a.toml"), "--behaviour", "sings"]) == 2
    said = capsys.readouterr().err
    assert "moon" in said
    assert "sings" in said
