"""Transaction codes: those of goods are known, all others by the operator's table and its days; and purchases."""

from pathlib import Path
from typing import Any

import pytest

from tests.exchange.house import House
from tests.exchange.office import BASIC, DECLARED, report, reporting
from tests.exchange.traded import TABLES
from tests.homes import demo_home, with_trades

CODES = "code,bill,since,until,note\n621011,N,2026-01-01,,\n929070,Y,2026-01-01,,\n21101,N,2026-01-01,2026-10-31,\n"
PURCHASE = {
    "主体类型": "居民个人", "个人身份证件号码": "360426199101010071", "客户名称": "苏知夏", "外汇账号": "1",
    "人民币账号": "2", "购汇金额": "1200.50", "购汇币种": "USD", "购汇汇率": "7.1", "银行业务编号": "B1",
}  # fmt: skip
MANAGED = {"结售汇项目编码": "31005", "填报人": "云栖", "填报人电话": "057100000000", "申报日期": "2026-11-22"}


@pytest.fixture
def house(tmp_path: Path) -> House:
    home = with_trades(reporting(demo_home(tmp_path)))
    for name, text in (TABLES | {"fx-codes.csv": CODES}).items():
        (home / name).write_text(text, "utf-8")
    house = House(home)
    whole = {"结汇或购汇金额": "", "人民币账号": "", "结汇或购汇汇率": "", "现汇金额": "10000"}
    house.drop("BOPA-1.csv", BASIC | whole | {"申报号码": report(1)})
    return house


def told(answer: dict[str, Any]) -> tuple[str, list[str]]:
    return answer["documents"][0]["state"], [one["code"] for one in answer["findings"]]


@pytest.mark.parametrize(("code", "bill", "state", "codes"), [
    ("122030", "", "ready", []),
    ("621011", "N/A", "ready", []),
    ("621011", "", "refused", ["F124"]),
    ("621012", "N/A", "refused", ["F115"]),
    ("929070", "", "refused", ["F124"]),
    ("929070", "3301-1", "ready", []),
    ("62101", "N/A", "refused", ["S033"]),
])  # fmt: skip
def test_a_code_is_in_force_by_the_house_or_by_its_operator(
    house: House, code: str, bill: str, state: str, codes: list[str]
) -> None:
    declared = DECLARED | {"申报号码": report(1), "申报日期": "2026-11-22", "交易编码1": code}
    declared |= {"外债或资本项目业务编号": bill} if bill else {}
    assert told(house.drop("BOPG-1.csv", declared)) == (state, codes)


def test_a_purchase_and_what_it_is_for_leave_together_and_are_answered_apart(house: House) -> None:
    number = "3301000001012611220001"
    assert told(house.drop("1-JSHE.csv", PURCHASE | {"申报号码": number})) == ("ready", [])
    assert told(house.drop("1-JSHG.csv", MANAGED | {"申报号码": number})) == ("ready", [])
    house.carry()
    house.meets()
    house.meets()
    assert house.states("JSHE") == house.states("JSHG") == [(number, "closed")]
    files = [name for (name,) in house.rows("SELECT name FROM fx_file WHERE batch LIKE 'JSH%' ORDER BY name")]
    assert [name[:4] for name in files] == ["JSHE", "JSHG"]
    out = {file.name.partition(".")[2] for file in (house.home / "spool/partners/bank/out").glob("*R.xml")}
    assert out == {"BOPAR.xml", "JSHER.xml", "JSHGR.xml"}


def test_a_code_of_settlement_says_nothing_of_a_purchase_and_none_that_has_ended(house: House) -> None:
    number = {"申报号码": "3301000001012611220001"}
    assert told(house.drop("1-JSHG.csv", MANAGED | number | {"结售汇项目编码": "11005"})) == ("refused", ["F127"])
    assert told(house.drop("1-JSHF.csv", MANAGED | number | {"结售汇项目编码": "21101"})) == ("refused", ["F123"])


def test_a_table_of_codes_that_says_nothing_is_told_with_its_line(tmp_path: Path) -> None:
    from gateway.config_files import Problem
    from gateway.exchange_tables import read_tables

    (tmp_path / "fx-codes.csv").write_text("code,bill,since,until,note\n6210,N,2026-01-01,,\n621011,X,2026-01-01,,\n")
    problems: list[Problem] = []
    assert read_tables(tmp_path, {}, problems).codes == ()
    assert [(one.file, one.line) for one in problems] == [("fx-codes.csv", 2), ("fx-codes.csv", 3)]
