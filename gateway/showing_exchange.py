"""Showing an exchange office: a bank drops tables, they leave in batches of files, and feedback comes for each record.

Income that stays in foreign currency and a person's settlement rest on nothing.  A remittance to a supplier abroad
names trades of this very day, so it waits until customs has released them.  One record changes another that the office
does not know, and is refused with its reason.
"""

import csv
import io
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from gateway import drill
from gateway.home import add_partner, filled, maps_of
from gateway.showing import Homecoming, answered, counts
from message_specs.opening import open_message
from spool.aside import put
from spool.ledger import Ledger

BANK: Final = "bank"
_INSTITUTION: Final = "330100000101"
_FIRM: Final = "600037341"
_SPECS: Final = ("BOPA", "BOPB", "BOPG", "BOPH", "JSHD", "JSHF")
_GATHERS: Final = 0.0
_INCOMES: Final = 3
_REMITTED: Final = "20"
_PERSON: Final = {"主体类型": "居民个人", "个人身份证件号码": "360426199101010071", "客户名称": "苏知夏"}
_COMPANY: Final = {"主体类型": "对公", "组织机构代码": _FIRM, "客户名称": "杭州云栖优选电子商务有限公司"}
_ABROAD: Final = "(JW)SILK ROAD TRADING LTD"
_DECLARED: Final = {
    "对方国家地区": "USA", "收付款类型": "O", "交易编码1": "122030", "相应金额1": "10000", "交易附言1": "跨境电商货款",
    "填报人": "云栖", "填报人电话": "057100000000",
}  # fmt: skip


class ExchangeAct:
    """The exchange office and the bank that reports to it."""

    authority = "safe"
    box = "fx"

    def __init__(self, home: Path, now: datetime, trades: Sequence[int]) -> None:
        """`trades` are those that the remittance pays, each a number of the drill."""
        self._home = home
        self._today = now.astimezone(ZoneInfo("Asia/Shanghai")).date()
        self._trades = trades
        self._handed_in = 0

    def prepare(self) -> None:
        """The bank has a mailbox, the firm stands in the directory, and the office plays in a box."""
        add_partner(self._home, BANK, {
            "title": "示例商业银行杭州分行", "code": "91330100MA00000015", "dxp_id": "DXPENT0000030009",
            "roles": ["bank"], "specs": list(_SPECS),
            "maps": maps_of(_SPECS),
        })  # fmt: skip
        since = date(self._today.year, 1, 1).isoformat()
        put(self._home / "fx-directory.csv", f"code,grade,since,until,note\n{_FIRM},A,{since},,\n".encode())
        put(self._home / "fx-rates.csv", f"currency,usd,since,until,note\nCNY,0.14,{since},,\n".encode())
        office = self._home / "authorities/safe.toml"
        text = filled(office.read_text("utf-8"), {"simulate": True})
        put(office, re.sub(r"(?m)^gather_seconds = .*", f"gather_seconds = {_GATHERS}", text).encode())

    def begin(self) -> Iterator[str]:
        """Income and a settlement are dropped."""
        incomes = [self._income(serial) for serial in range(1, _INCOMES + 1)]
        # The office never had it, so it refuses to change it.
        incomes.append(self._income(_INCOMES + 1) | {"操作类型": "修改", "修改或删除原因": "更正账号"})
        self._drop("BOPA", incomes)
        settled = {"申报号码": self._report("0001"), **_PERSON, "外汇账号": "6222000000000003"}
        settled |= {"人民币账号": "6222000000000004", "交易对方名称": _ABROAD, "结汇金额": "1000.00"}
        self._drop("JSHD", [settled | {"结汇币种": "USD", "结汇汇率": "7.10000000", "银行业务编号": "BANK0101"}])
        yield f"{_INCOMES} incomes, a change of an unknown one and a person's settlement, as a bank's tables: by folder"

    def go_on(self) -> Iterator[str]:
        """The incomes are declared, and a remittance pays for released trades."""
        day = {"申报日期": self._today.isoformat()}
        self._drop(
            "BOPG", [{"申报号码": self._report(f"N{n:03d}"), **_DECLARED, **day} for n in range(1, _INCOMES + 1)]
        )
        total = str(int(_REMITTED) * len(self._trades))
        paid = {"申报号码": self._report("A901"), **_COMPANY, "对方名称": _ABROAD, "收付款币种": "USD"}
        paid |= {"收付款金额": total, "现汇金额": total, "外汇账号": "6222000000000002", "银行业务编号": "BANK0901"}
        self._drop("BOPB", [paid | order for order in map(_order, self._trades)], documents=1)
        yield f"the incomes' declarations, and a remittance of {total} US dollars for released trades: by folder"

    def end(self) -> None:
        """The daemon ends the office."""

    def told(self, ledger: Ledger) -> Homecoming:
        """Return how the records stand, with their files and what was said of one record of each kind."""
        documents = answered(ledger, self._home, "safe")
        of_each_kind = {(one.spec, one.state): one for one in reversed(documents)}
        where = (f"spool/partners/{BANK}/out/*R.xml", "spool/authorities/safe/read")
        return Homecoming(
            "safe", "外汇 exchange office", BANK, "folder", self._handed_in, *counts(documents), where,
            (*_files(ledger), *(str(of_each_kind[kind]) for kind in sorted(of_each_kind))),
        )  # fmt: skip

    def entry(self, line: dict[str, Any]) -> str:
        """Return the record that a line of the office's book is about."""
        return f"{line['kind']}|{line['report']}"

    def _income(self, serial: int) -> dict[str, str]:
        return {
            "申报号码": self._report(f"N{serial:03d}"), **_COMPANY, "对方名称": _ABROAD, "收付款币种": "USD",
            "收付款金额": "10000", "现汇金额": "10000", "外汇账号": "6222000000000002",
            "银行业务编号": f"BANK{serial:04d}",
        }  # fmt: skip

    def _report(self, serial: str) -> str:
        """The number of a report of the bank of this day."""
        return f"{_INSTITUTION}{self._today:%y%m%d}{serial}"

    def _drop(self, spec: str, rows: Sequence[Mapping[str, str]], documents: int = 0) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, list(dict.fromkeys(itertools.chain(*rows))), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        put(self._home / f"spool/partners/{BANK}/in/{spec}-1.csv", text.getvalue().encode())
        self._handed_in += documents or len(rows)


def _order(trade: int) -> dict[str, str]:
    """What a remittance says of the order of a trade."""
    head = open_message(drill.message("CEB311", trade)).documents[0].head
    return {"电商平台代码": head["ebpCode"], "订单编号": head["orderNo"], "订单金额": _REMITTED}


def _files(ledger: Ledger) -> Iterator[str]:
    for row in ledger.all("fx_files", "safe"):
        if row["answer"]:
            taken = row["records"] - row["refused"]
            yield f"{row['batch']}/{row['name']} → {taken} of {row['records']} records taken"
