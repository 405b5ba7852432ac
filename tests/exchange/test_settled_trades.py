"""Settlements meet real trades of the ledger; declarations wait for their basic information, whichever came first."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import ended
from message_specs import writing
from tests.exchange.house import House
from tests.exchange.office import BASIC, DECLARED, report, reporting
from tests.gateway.border import Border
from tests.homes import demo_home, with_trades
from tests.samples import SHOP

PERSON = "360426199101010071"
TRANSFER = {
    "copCode": "91330100MA00000015", "copName": "示例商业银行杭州分行", "dxpMode": "DXP",
    "dxpId": "DXPENT0000030009",
}  # fmt: skip
RATES = "currency,usd,since,until,note\nCNY,0.14,2026-01-01,,\n"
LIST = "code,grade,since,until,note\n600037341,A,2026-01-01,,示例\n"


def jshd(serial: int, *, order: str = "", amount: str = "100.00", person: bool = False) -> bytes:
    """A message of one settlement."""
    who = f"<fx:CUSTYPE>D</fx:CUSTYPE><fx:IDCODE>{PERSON}</fx:IDCODE>" if person else (
        "<fx:CUSTYPE>C</fx:CUSTYPE><fx:CUSTCOD>600037341</fx:CUSTCOD>")  # fmt: skip
    line = (f"<fx:TradeList><fx:ebpCode>{SHOP.code}</fx:ebpCode><fx:orderNo>{order}</fx:orderNo>"
            f"<fx:amount>{amount}</fx:amount></fx:TradeList>") if order else ""  # fmt: skip
    unit = (
        f"<fx:JSHD><fx:REC><fx:ACTIONTYPE>A</fx:ACTIONTYPE><fx:RPTNO>330100000101261122{serial:04d}</fx:RPTNO>{who}"
        f"<fx:CUSTNM>甲</fx:CUSTNM><fx:FCYACC>1</fx:FCYACC><fx:LCYACC>2</fx:LCYACC><fx:FCYAMT>{amount}</fx:FCYAMT>"
        f"<fx:FCYCCY>CNY</fx:FCYCCY><fx:EXRATE>1</fx:EXRATE><fx:BUSCODE>B{serial}</fx:BUSCODE></fx:REC>{line}</fx:JSHD>"
    )
    guid = f"00000000-0000-0000-0000-{serial:012d}"
    return writing.message("JSHDMessage", guid, [unit.encode()], TRANSFER, family="fx")


def state(told: dict[str, Any]) -> tuple[str, list[str]]:
    return told["documents"][0]["state"], [one["code"] for one in told["findings"]]


def test_a_released_trade_is_settled_once(tmp_path: Path) -> None:
    home = reporting(demo_home(tmp_path))
    (home / "fx-directory.csv").write_text(LIST, "utf-8")
    (home / "fx-rates.csv").write_text(RATES, "utf-8")
    border = Border(home, tmp_path / "customs")
    border.trade()

    def settle(serial: int) -> tuple[str, list[str]]:
        body = jshd(serial, order="CK2026000000007001", amount="1.00")
        return state(json.loads(border.world.post("bank", body) or b""))

    before = settle(1)
    border.meets()
    for spec in ("CEB607", "CEB507", "CEB509"):
        border.comes(spec)
        border.meets()
    closed = settle(2)
    again = settle(3)
    border.close()
    assert before == ("held", ["F133"])
    assert closed == ("ready", [])
    assert again == ("held", ["F135"])


def test_a_declaration_waits_for_its_basic_information_and_goes_after_it(tmp_path: Path) -> None:
    home = with_trades(reporting(demo_home(tmp_path)))
    (home / "fx-directory.csv").write_text(LIST, "utf-8")
    house = House(home)
    told = house.drop("BOPG-1.csv", DECLARED | {"申报号码": report(1), "申报日期": "2026-11-22"})
    assert state(told) == ("filed", ["F140"])
    fields = {"结汇或购汇金额": "", "人民币账号": "", "结汇或购汇汇率": "", "现汇金额": "10000"}
    house.drop("BOPA-1.csv", BASIC | fields | {"申报号码": report(1)})
    house.resume(timedelta(seconds=61))
    assert house.states("BOPG") == [(report(1), "ready")]
    house.carry()
    house.meets()
    assert house.states("BOPA") == house.states("BOPG") == [(report(1), "closed")]


def test_a_declaration_whose_basic_information_does_not_come_is_refused_with_that_reason(tmp_path: Path) -> None:
    home = with_trades(reporting(demo_home(tmp_path)))
    house = House(home)
    house.drop("BOPG-1.csv", DECLARED | {"申报号码": report(1), "申报日期": "2026-11-22"})
    house.resume(timedelta(days=3, minutes=1))
    assert house.states("BOPG") == [(report(1), "refused")]


def test_amounts_of_codes_that_are_not_the_amount_are_refused(tmp_path: Path) -> None:
    home = with_trades(reporting(demo_home(tmp_path)))
    (home / "fx-directory.csv").write_text(LIST, "utf-8")
    house = House(home)
    fields = {"结汇或购汇金额": "", "人民币账号": "", "结汇或购汇汇率": ""}
    house.drop("BOPA-1.csv", BASIC | fields | {"申报号码": report(1)})
    told = house.drop("BOPG-1.csv", DECLARED | {"申报号码": report(1), "申报日期": "2026-11-22", "相应金额1": "9000"})
    assert state(told) == ("refused", ["F142"])


def test_a_number_of_a_day_to_come_uses_no_year_to_come(tmp_path: Path) -> None:
    home = with_trades(reporting(demo_home(tmp_path)))
    (home / "fx-rates.csv").write_text(RATES, "utf-8")
    house = House(home)
    body = jshd(1, amount="100.00", person=True).replace(b"2611220001", b"2701010001")
    assert state(house.take("bank", "1.xml", body=body)) == ("held", ["F148"])


def test_a_refused_settlement_gives_the_quota_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = with_trades(reporting(demo_home(tmp_path)))
    (home / "fx-rates.csv").write_text(RATES, "utf-8")
    house = House(home, "reject-some=2")
    for serial in (1, 2):
        told = house.take("bank", f"{serial}.xml", body=jshd(serial, amount="50000.00", person=True))
        assert state(told) == ("ready", [])

    def used() -> dict[str, Any]:
        capsys.readouterr()
        assert ended(["fx", "quota", PERSON, "--year", "2026", "--json", "--home", str(home)]) == 0
        return dict(json.loads(capsys.readouterr().out))

    assert used() == {"year": 2026, "used": "14000", "limit": "50000", "left": "36000"}
    house.carry()
    house.meets()
    assert house.states("JSHD") == [("3301000001012611220001", "closed"), ("3301000001012611220002", "refused")]
    assert used() == {"year": 2026, "used": "7000", "limit": "50000", "left": "43000"}


def test_files_are_listed_with_what_came_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    house = House(reporting(demo_home(tmp_path)), "reject-some=2")
    house.drop("BOPA-1.csv", *(BASIC | {"申报号码": report(n)} for n in (1, 2)))
    house.carry()

    def files() -> list[dict[str, Any]]:
        capsys.readouterr()
        assert ended(["fx", "files", "--json", "--home", str(house.home)]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    name = "BOPA33010000010126112201.XML"
    told = {"authority": "safe", "batch": "BOPT33010000010126112201", "file": name, "records": 2}
    (sent,) = files()
    assert {key: sent[key] for key in told} | {"state": sent["state"]} == told | {"state": "gone"}
    house.meets()
    (answered,) = files()
    assert (answered["state"], answered["refused"]) == ("answered", 1)
