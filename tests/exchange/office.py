"""A home that reports foreign exchange, an exchange office in a box beside it, and records as a bank writes them."""

import contextlib
import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.home import add_partner, change_partner
from tests.crash.daemon import ROOT

NAME = "杭州云栖优选电子商务有限公司"
BASIC = {
    "申报号码": "", "主体类型": "对公", "组织机构代码": "600037341", "客户名称": NAME,
    "对方名称": "(JW)SILK ROAD TRADING LTD", "收付款币种": "USD", "收付款金额": "10000",
    "结汇或购汇汇率": "7.10000000", "结汇或购汇金额": "6000", "人民币账号": "6222000000000001",
    "现汇金额": "4000", "外汇账号": "6222000000000002", "银行业务编号": "BANK0001",
}  # fmt: skip
DECLARED = {
    "申报号码": "", "对方国家地区": "USA", "收付款类型": "O", "交易编码1": "122030", "相应金额1": "10000",
    "交易附言1": "跨境电商货款", "填报人": "云栖", "填报人电话": "057100000000", "申报日期": "2026-11-23",
}  # fmt: skip


def report(serial: int, letter: str = "N", day: str = "261122") -> str:
    """The number of a report of the sample bank."""
    return f"330100000101{day}{letter}{serial:03d}"


def table(*rows: Mapping[str, str]) -> bytes:
    """A CSV with these rows."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def reporting(home: Path, *, gather: float = 0, records: int = 20_000) -> Path:
    """The home has a partner `bank` who sends tables of every kind, and nobody waits to gather."""
    add_partner(home, "bank", {
        "title": "示例商业银行杭州分行", "code": "91330100MA00000015", "dxp_id": "DXPENT0000030009", "roles": ["bank"],
    })  # fmt: skip
    specs = ["BOPA", "BOPB", "BOPG", "BOPH", "JSHD", "JSHE", "JSHF", "JSHG"]
    maps = ["income-bopa", "remittance-bopb", "income-bopg", "remittance-boph", "settlement-jshd",
            "purchase-jshe", "settlement-jshf", "purchase-jshg"]  # fmt: skip
    change_partner(home, "bank", {
        "specs": specs, "maps": [{"map": one, "files": f"*{one[-4:].upper()}*"} for one in maps],
    })  # fmt: skip
    file = home / "authorities/safe.toml"
    text = file.read_text("utf-8").replace("gather_seconds = 900.0", f"gather_seconds = {float(gather)}")
    file.write_text(text.replace("records = 20_000", f"records = {records}"), "utf-8")
    (home / "simulators/safe.toml").write_text(
        'state = "../spool/simulators/safe"\n[folder]\ninbox = "../spool/authorities/safe/send"\n'
        'answers = "../spool/authorities/safe/receive"\nscan_seconds = 0.05\n', "utf-8",
    )  # fmt: skip
    return home


@contextlib.contextmanager
def office(home: Path, *behaviours: str) -> Iterator[None]:
    """An exchange office in a box is open for this home."""
    command = [sys.executable, "-m", "adapters.simulators.fx", "--config", str(home / "simulators/safe.toml")]
    for one in behaviours:
        command += ["--behaviour", one]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["event"] == "ready"
        yield
    finally:
        process.terminate()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def told(home: Path) -> Sequence[dict[str, Any]]:
    """The office's own book: every record that was told to it."""
    file = home / "spool/simulators/safe/book.jsonl"
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    return [one for one in map(json.loads, lines) if "report" in one]
