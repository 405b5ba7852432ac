"""A home as `kouan init` makes it declares to the tax office and the exchange office; nothing is written by hand."""

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from spool.aside import put
from tests.crash.daemon import KOUAN, ROOT, ask, running, until

BANK = ("--title", "示例商业银行杭州分行", "--code", "91330100MA00000015", "--dxp-id", "DXPENT0000030009")
FIRM = ("--title", "杭州云栖优选电子商务有限公司", "--code", "3301961A2B", "--dxp-id", "DXPENT0000030001")
PERSON = (
    "申报号码,主体类型,个人身份证件号码,客户名称,外汇账号,人民币账号,交易对方名称,结汇金额,结汇币种,结汇汇率,银行业务编号\n"
    "3301000001012611220001,居民个人,360426199101010071,苏知夏,62220001,62220002,(JW)SILK ROAD TRADING LTD,1000.00,USD,"
    "7.10000000,BANK0001\n"
)
SHUT = {"KOUAN_SFTP__LISTEN": "", "KOUAN_HTTP__LISTEN": ""}


def kouan(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "gateway.cli", *arguments, "--home", str(home)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A fresh home with a trading firm and a bank."""
    place = tmp_path / "home"
    subprocess.run([*KOUAN, "init", str(place)], cwd=ROOT, capture_output=True, check=True)
    kouan(place, "partner", "new", "acme", *FIRM, "--role", "merchant")
    kouan(place, "partner", "new", "bank", *BANK, "--role", "bank", "--maps")
    return place


def states(home: Path, spec: str) -> list[tuple[Any, ...]]:
    return ask(home, f"SELECT state, status FROM document WHERE spec = '{spec}'")


def book(home: Path, office: str) -> list[dict[str, Any]]:
    told = kouan(home, "simulate", office, "--book", "--json").stdout
    return [json.loads(line) for line in told.splitlines()]


def test_a_registration_is_answered_by_the_tax_office_in_a_box(home: Path) -> None:
    sample = files("message_specs").joinpath("tax", "samples", "good", "TAX201.xml").read_bytes()
    with running(home, "simulate", "tax"), running(home, "run", **SHUT):
        put(home / "spool/partners/acme/in/registration.xml", sample)
        until(lambda: len(list((home / "spool/partners/acme/out").glob("*.TAX202.xml"))) == 2, 40)
    assert states(home, "TAX201") == [("closed", "3")]
    [line] = book(home, "tax")
    assert (line["spec"], line["status"]) == ("TAX201", "3")


def test_a_settlement_is_answered_by_the_exchange_office_in_a_box(home: Path) -> None:
    with running(home, "simulate", "fx"), running(home, "run", **SHUT):
        put(home / "spool/partners/bank/in/JSHD-1.csv", PERSON.encode())
        until(lambda: len(list((home / "spool/partners/bank/out").glob("*.JSHDR.xml"))) == 1, 40)
    assert states(home, "JSHD") == [("closed", "0")]
    [line] = book(home, "fx")
    assert (line["report"], line["good"]) == ("3301000001012611220001", True)
