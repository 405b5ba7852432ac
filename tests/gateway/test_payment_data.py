"""Payment data is gathered from the ledger, joined with what was filed, signed as the notice says, and kept."""

import base64
import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest

from adapters.doors.hall import Caller
from adapters.payment_data import Uploaded
from gateway.config import House, inspect_house, load_house
from gateway.payment_calls import Calls, platform_of
from gateway.payment_gathering import Paid, paid_with
from gateway.payment_reading import noted, session, sessions, waiting
from gateway.payment_sealing import Sealed, sealed
from gateway.payment_uploads import Uploads
from gateway.raw_payments import evidence, file
from gateway.signing.certificates import from_pem, verifies
from message_specs.findings import finding, wordings
from spool.ledger import Ledger
from tests import samples
from tests.adapters.simulators.payment_box import TOKEN
from tests.homes import demo_home, now, take_in, with_trades
from tests.payments import asked_home, raw, raws

SHOP = samples.SHOP.code
ORDERS = {number: samples.trade(number)["orderNo"] for number in range(1, 6)}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return asked_home(with_trades(demo_home(tmp_path)), "http://127.0.0.1:1/upload")


@pytest.fixture
def book(home: Path) -> Iterator[Ledger]:
    ledger = Ledger(home / "ledger.sqlite3")
    yield ledger
    ledger.close()


def trade(home: Path, number: int) -> None:
    for sender, spec in (("shop", "CEB311"), ("pay", "CEB411")):
        take_in(home, sender, f"{spec}-{number}.xml", samples.message(spec, 1, start=number))


def paid_by(number: int, payment: int) -> bytes:
    """The order of a trade, which names the payment of another one."""
    text = samples.message("CEB311", 1, start=number)
    return text.replace(samples.trade(number)["payNo"].encode(), samples.trade(payment)["payNo"].encode())


def call(order: str, name: str = "S1", moment: datetime | None = None) -> bytes:
    told = {"orderNo": order, "sessionID": name, "serviceTime": int((moment or now()).timestamp() * 1000)}
    return b"openReq=" + json.dumps(told).encode()


def calls(book: Ledger, house: House) -> Calls:
    return Calls(None, None, book, lambda: house, now)


def asks(book: Ledger, house: House, body: bytes) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(calls(book, house).answered(house.partner("shop"), "127.0.0.1", body, now()))
    return told


def with_settings(house: House, **values: Any) -> House:
    data = msgspec.structs.replace(house.kouan.payment_data, **values)
    return replace(house, kouan=msgspec.structs.replace(house.kouan, payment_data=data))


def test_every_order_of_the_payment_is_given_whichever_is_asked_for(home: Path, book: Ledger) -> None:
    trade(home, 1)
    trade(home, 4)
    for number in (2, 3):
        take_in(home, "shop", f"{number}.xml", paid_by(number, 1))
    found = [paid_with(book, SHOP, ORDERS[number]) for number in (1, 2, 3)]
    told = [(one.name, [order.head["orderNo"] for order in one.orders]) for one in found if isinstance(one, Paid)]
    name = f"{samples.PAY.code}|{samples.trade(1)['payNo']}"
    assert told == [(name, [ORDERS[1], ORDERS[2], ORDERS[3]])] * 3
    house = load_house(home)
    file(book, house.partner("pay"), raws(1), now(), 3)
    made = sealed(book, house, house.partner("shop"), "S1", ORDERS[2], now())
    assert isinstance(made, Sealed)
    assert made.orders == (ORDERS[1], ORDERS[2], ORDERS[3])
    assert [one.code for one in made.warnings] == ["D104"]


def test_what_is_lacking_is_told_one_after_the_other(home: Path, book: Ledger) -> None:
    house = load_house(home)
    shop = house.partner("shop")

    def lacking() -> list[str]:
        found = sealed(book, house, shop, "S1", ORDERS[1], now())
        return [] if isinstance(found, Sealed) else [one.code for one in found]

    assert lacking() == ["D101"]
    take_in(home, "shop", "order.xml", samples.message("CEB311", 1))
    assert lacking() == ["D102"]
    take_in(home, "pay", "payment.xml", samples.message("CEB411", 1))
    assert lacking() == ["D103"]
    file(book, house.partner("pay"), json.dumps(raw(1, verDept="")).encode(), now(), 3)
    assert lacking() == ["D105"]
    file(book, house.partner("pay"), raws(1), now(), 3)
    assert lacking() == []


@pytest.mark.parametrize(("key", "suite", "length"), [("shop", "rsa-sha1", 344), ("agent", "sm2-sm3", 88)])
def test_the_upload_is_signed_by_the_key_of_the_platform(
    home: Path, book: Ledger, key: str, suite: str, length: int
) -> None:
    partner = home / "partners/shop.toml"
    partner.write_text(partner.read_text("utf-8").replace('\n[[keys]]\nname = "shop"', f'\n[[keys]]\nname = "{key}"'))
    trade(home, 1)
    house = load_house(home)
    file(book, house.partner("pay"), raws(1), now(), 3)
    made = sealed(book, house, house.partner("shop"), "S1", ORDERS[1], now())
    assert isinstance(made, Sealed)
    told = json.loads(dict(parse_qsl(made.body.decode()))["payExInfoStr"])
    assert (made.suite, len(told["signValue"]), told["certNo"]) == (suite, length, made.cert_no)
    der = from_pem((home / f"keys/{key}/cert.pem").read_bytes())
    assert verifies(der, suite, base64.b64decode(told["signValue"]), made.signed)
    wanted = samples.trade(1)
    goods = told["payExchangeInfoLists"][0]["goodsInfo"]
    assert goods[0] == {
        "gname": wanted["name0"],
        "itemLink": f"https://shop.example/item/{wanted['itemNo0']}?order={wanted['orderNo']}",
    }
    assert {name: told["payExchangeInfoHead"][name] for name in ("ebpCode", "payCode", "payTransactionId")} == {
        "ebpCode": SHOP, "payCode": samples.PAY.code, "payTransactionId": wanted["payNo"],
    }  # fmt: skip


def test_of_the_raw_request_the_firm_is_believed_and_of_the_goods_the_platform(home: Path, book: Ledger) -> None:
    house = load_house(home)
    mine = {"orderNo": ORDERS[1], "goodsInfo": [{"gname": "奶粉", "itemLink": "https://shop.example/1"}]}
    platform = raw(1, initalRequest="platform's", note="n", recpAccount="P1", orders=[mine])
    for sender, what in (("pay", raw(1, recpAccount="F1", recpName="firm")), ("shop", platform)):
        told = file(book, house.partner(sender), json.dumps(what).encode(), now(), 3)
        assert told is not None
        assert [one["filed"] for one in told["payments"]] == [True]
    found = evidence(book, house, house.partner("shop"), samples.PAY.code, samples.trade(1)["payNo"])
    assert dict(found.head) == {
        name: raw(1)[name] for name in ("initalRequest", "initalResponse", "verDept", "payType")
    } | {"note": "n"}
    assert dict(found.payee) == {"recpAccount": "P1", "recpCode": SHOP, "recpName": "firm"}
    assert [msgspec.structs.asdict(one) for one in found.orders[ORDERS[1]].goodsInfo] == mine["goodsInfo"]


def test_nobody_files_for_another_firm_and_what_is_no_filing_is_told(home: Path, book: Ledger) -> None:
    house = load_house(home)
    told = file(book, house.partner("ship"), raws(1), now(), 3)
    assert told is not None
    assert [one["code"] for one in told["payments"][0]["findings"]] == ["D141"]
    other = file(book, house.partner("pay"), json.dumps([raw(1, payCode="3301960P7X"), raw(1, x=1), raw(2)]).encode(),
                 now(), 3)  # fmt: skip
    assert other is not None
    assert [[each["code"] for each in one["findings"]] for one in other["payments"]] == [["D141"], ["D140"], []]
    unfit = raw(1, verDept="9", initalRequest="x" * 8001, orders=[{"orderNo": "O1", "recpCode": "1" * 19}])
    refused = file(book, house.partner("pay"), json.dumps(unfit).encode(), now(), 3)
    assert refused is not None
    assert [(one["code"], one["path"]) for one in refused["payments"][0]["findings"]] == [
        ("D107", "initalRequest"), ("D108", "verDept"), ("D107", "orders[O1]/recpCode"),
    ]  # fmt: skip
    for body in (b"no", b"[]", b"[1]", b'"text"', b"[" * 100_000):
        assert file(book, house.partner("pay"), body, now(), 3) is None
    assert book.conn.execute("SELECT count(*) FROM payment_data").fetchone()[0] == 1


def test_what_was_filed_is_kept_until_its_date_and_never_changed(home: Path, book: Ledger) -> None:
    house = load_house(home)
    file(book, house.partner("pay"), raws(1), now(), 3)
    for wrong in ("DELETE FROM payment_data", "UPDATE payment_data SET partner = 'shop'"):
        with pytest.raises(sqlite3.IntegrityError):
            book.conn.execute(wrong)
    file(book, house.partner("pay"), raws(2), now() - timedelta(days=3 * 366 + 1), 3)
    gone = book.conn.execute("DELETE FROM payment_data WHERE filed_at < ?", ((now() - timedelta(days=1)).isoformat(),))
    assert gone.rowcount == 1


def test_an_unknown_order_is_answered_as_the_configuration_says(home: Path, book: Ledger) -> None:
    house = load_house(home)
    assert asks(book, house, call("A1", "S1"))["code"] == "10000"
    refused = asks(book, with_settings(house, unknown_order="20000"), call("A1", "S2"))
    assert (refused["code"], refused["message"]) == ("20000", f"台账中没有海关所问的订单：A1（平台 {SHOP}）")
    assert [(one["session"], one["state"]) for one in sessions(book, only_open=True)] in (
        [("S2", "held"), ("S1", "asked")], [("S1", "asked"), ("S2", "held")],
    )  # fmt: skip
    strict = with_settings(house, unknown_order="20000")
    assert [asks(book, strict, call(ORDERS[1], "S3"))["code"] for _ in range(2)] == ["20000", "20000"]
    trade(home, 1)
    assert [asks(book, strict, call(ORDERS[1], name))["code"] for name in ("S3", "S4")] == ["10000", "10000"]
    assert [session(book, name)["state"] for name in ("S3", "S4")] == ["asked", "asked"]


def test_a_call_that_cannot_be_understood_is_kept_and_told(home: Path, book: Ledger) -> None:
    told = asks(book, load_house(home), b'openReq={"orderNo":"A1"}')
    assert (told["code"], told["message"]) == ("20000", finding("D131", name="sessionID").zh)
    assert book.conn.execute("SELECT session, body FROM payment_call").fetchall()[0][:] == (
        None, b'openReq={"orderNo":"A1"}',
    )  # fmt: skip


def test_clocks_that_are_apart_are_noted_and_the_rest_goes_on(home: Path, book: Ledger) -> None:
    house = load_house(home)
    assert asks(book, house, call("A1", "S1", now() - timedelta(seconds=400)))["code"] == "10000"
    asks(book, house, call("A1", "S2", now() + timedelta(seconds=200)))
    assert noted(book, now() - timedelta(hours=1), "D113") == ["S1"]
    assert [one["code"] for one in session(book, "S1")["notes"]] == ["D113"]


def test_a_certificate_that_is_not_yet_valid_or_has_expired_waits_for_a_better_one(home: Path, book: Ledger) -> None:
    trade(home, 1)
    house = load_house(home)
    file(book, house.partner("pay"), raws(1), now(), 3)
    for day, code in ((timedelta(days=-9), "D111"), (timedelta(days=4000), "D110")):
        found = sealed(book, house, house.partner("shop"), "S1", ORDERS[1], now() + day)
        assert not isinstance(found, Sealed)
        assert [one.code for one in found] == [code]
    keyless = replace(
        house, partners={**house.partners, "shop": msgspec.structs.replace(house.partner("shop"), keys=())}
    )
    found = sealed(book, keyless, keyless.partner("shop"), "S1", ORDERS[1], now())
    assert not isinstance(found, Sealed)
    assert [one.code for one in found] == ["D112"]


def test_what_is_lacking_has_a_date_and_in_the_end_is_held(home: Path, book: Ledger) -> None:
    house = with_settings(load_house(home), attempts=2, first_seconds=100.0, most_seconds=100.0)
    asks(book, house, call("A1"))
    uploads = Uploads(book, house)
    assert uploads.due(now()) == []
    (first,) = waiting(book)
    assert (first["state"], first["code"], first["sessions"]) == ("asked", "D101", 1)
    assert first["next_try"] > now().isoformat()
    assert uploads.due(now() + timedelta(seconds=200)) == []
    (second,) = waiting(book)
    assert (second["state"], second["next_try"]) == ("held", None)
    assert waiting(book, held=False) == []


@pytest.mark.parametrize(
    ("came", "state", "codes"),
    [
        (Uploaded(200, b'{"code":"10000","message":"ok"}'), "answered", []),
        (Uploaded(200, b'{"code":"20000","message":"no"}'), "sealed", ["D120"]),
        (Uploaded(200, b'{"code":"20013","message":"no"}'), "held", ["D121"]),
        (Uploaded(503, b"<html>", "customs answered 503"), "sealed", ["D122"]),
        (Uploaded(None, b"", "customs: no connection"), "sealed", ["D122"]),
        (Uploaded(200, b"<html>\xff"), "sealed", ["D123"]),
    ],
)
def test_every_answer_is_kept_and_says_what_follows(
    home: Path, book: Ledger, came: Uploaded, state: str, codes: list[str]
) -> None:
    trade(home, 1)
    house = load_house(home)
    file(book, house.partner("pay"), raws(1), now(), 3)
    asks(book, house, call(ORDERS[1]))
    uploads = Uploads(book, house)
    leaving = uploads.due(now())
    uploads.told(leaving, [came], now())
    told = session(book, "S1")
    assert (told["state"], [one["code"] for one in told["findings"]]) == (state, codes)
    assert [(one["status"], one["trouble"]) for one in told["answers"]] == [(came.status, came.trouble or None)]
    again = uploads.due(now() + timedelta(hours=2))
    assert [one.body for one in again] == ([leaving[0].body] if state == "sealed" else [])


def test_every_code_of_payment_data_is_told_in_these_tests() -> None:
    files = ["gateway/test_payment_data.py", "message_specs/test_pay179.py", "crash/test_payment_data.py"]
    text = "".join((Path(__file__).parents[1] / name).read_text("utf-8") for name in files)
    assert {code for code in wordings() if code[0] == "D"} - set(re.findall(r"D\d{3}", text)) == set()


def test_only_whom_the_configuration_admits_may_ask(home: Path, book: Ledger) -> None:
    house = load_house(home)

    def refused(peer: str = "203.0.113.9", token: str = "", forwarded: str = "", proof: str = "", **values: Any) -> str:
        caller = Caller("shop", peer, forwarded, token, {"X-Verified": proof}.get)  # type: ignore[arg-type]
        return calls(book, with_settings(house, **values)).admits(caller)

    assert refused(upload_to="") == "closed"
    assert refused() == "token"
    assert refused(token=TOKEN) == ""
    here = {"token_sha256": "", "callers": ("203.0.113.0/24",)}
    assert refused(**here) == ""
    assert refused(peer="::ffff:203.0.113.9", **here) == ""
    assert refused(peer="198.51.100.1", **here) == "caller"
    assert refused(peer="198.51.100.1", forwarded="203.0.113.9", **here) == "caller"
    assert refused(peer="127.0.0.1", forwarded="203.0.113.9", proxies=("127.0.0.1",), **here) == ""
    proxy = {"token_sha256": "", "proxies": ("127.0.0.1",), "proxy_header": "X-Verified: SUCCESS"}
    assert refused(peer="127.0.0.1", proof="SUCCESS", **proxy) == ""
    assert refused(peer="127.0.0.1", proof="FAILED", **proxy) == "header"
    assert refused(peer="203.0.113.9", proof="SUCCESS", **proxy) == "header"


def test_an_address_without_a_name_means_the_only_platform_there_is(home: Path) -> None:
    house = load_house(home)
    names = [one.name if (one := platform_of(house, name)) else None for name in ("", "shop", "pay", "nobody")]
    assert names == ["shop", "shop", None, None]
    two = replace(house, partners={**house.partners, "more": msgspec.structs.replace(house.partner("shop"), name="m")})
    assert platform_of(two, "") is None


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("upload_to", '"ftp://x"', "the upload has no url"),
        ("token_sha256", '""', "anybody could ask for payment data"),
        ("token_sha256", '"abc"', "this is no SHA-256 of a token"),
        ("authority", '"moon"', 'no file names "moon"'),
        ("callers", '["everywhere"]', '"everywhere" is no address'),
        ("proxy_header", '"X-Verified: SUCCESS"', "this header proves nothing"),
        ("keep_years", "2", "2 is out of range"),
    ],
)
def test_a_configuration_under_which_nobody_could_be_answered_is_refused(
    home: Path, key: str, value: str, what: str
) -> None:
    text = (home / "kouan.toml").read_text("utf-8")
    head, section, rest = text.partition("[payment_data]")
    rest = re.sub(rf"(?m)^{key} = .*", f"{key} = {value}", rest, count=1)
    (home / "kouan.toml").write_text(head + section + rest, "utf-8")
    house, problems = inspect_house(home, {})
    assert house is None
    assert what in [one.what for one in problems]
