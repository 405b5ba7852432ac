"""Papers: what customs keeps of a document to judge the trade that it belongs to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec
from lxml import etree

CEB = "http://www.chinaport.gov.cn/ceb"
_NO_PLATFORM = "无"
FAILED = ("100", "void")
_BUYER = "buyerName buyerIdNumber buyerTelephone"
_BUSINESS = "copNo invtNo agentCode ebcCode"
_PART = "copNo billNo msgCount msgSeqNo"
_KEPT = {
    "CEB311": ((f"ebpCode ebcCode orderNo acturalPaid {_BUYER} payCode payTransactionId consignee consigneeTelephone "
               "consigneeAddress"), "gnum itemNo qty unit totalPrice"),
    "CEB411": ("payCode payTransactionId orderNo ebpCode payerIdNumber payerName amountPaid", ""),
    "CEB511": (("logisticsCode logisticsNo billNo orderNo freight insuredFee weight consignee consigneeAddress "
               "consigneeTelephone"), ""),
    "CEB621": ((f"orderNo ebpCode ebcCode logisticsNo logisticsCode copNo preNo invtNo assureCode customsCode {_BUYER} "
               "consigneeAddress agentCode tradeMode billNo freight insuredFee grossWeight"),
               "gnum itemNo gcode qty unit qty1 unit1 totalPrice"),
    "CEB623": (_BUSINESS, ""),
    "CEB625": (_BUSINESS, "gnum gcode qty"),
    "CEB303": ("orderNo ebpCode ebcCode orderType", "gnum itemNo qty price currency"),
    "CEB403": ("orderNo ebpCode ebcCode payNo", ""),
    "CEB505": ("logisticsCode logisticsNo grossWeight packNo ebcCode", ""),
    "CEB603": ((f"{_BUSINESS} ebpCode orderNo logisticsCode logisticsNo ownerCode statisticsFlag tradeMode trafMode "
               "portCode country billNo grossWeight netWeight packNo customsCode"),
               "gnum itemNo gcode qty price totalPrice currency country"),
    "CEB605": (_BUSINESS, ""),
    "CEB607": (f"agentCode logisticsCode {_PART}", "logisticsNo"),
    "CEB507": (f"operatorCode logisticsCode {_PART}", "logisticsNo"),
    "CEB509": (f"logisticsCode {_PART}", "logisticsNo"),
    "CEB701": (("customsCode copNo agentCode agentName ebcCode ebcName declAgentCode declAgentName startTime endTime "
               "msgCount msgSeqNo"), "invtNo"),
    "CEB213": ("agentCode ebpCode ebcCode coElNo invtNo", "gnum gcode qty"),
    "CEB215": ("operatorCode coElNo", ""),
}  # fmt: skip
# Who numbers the parts of a split document.
_WHOSE = {"CEB607": "agentCode", "CEB507": "operatorCode", "CEB509": "logisticsCode", "CEB701": "ebcCode"}
INVENTORIES = ("CEB621", "CEB603")
_ENCODER = msgspec.json.Encoder()
_PREFIX = len(CEB) + 2
Facts = tuple[Mapping[str, str], Sequence[Mapping[str, str]]]


@dataclass(slots=True)
class Paper:
    """One document under its key: the facts of it, and what customs has said of it and will say, each at its time."""

    spec: str
    key: str
    message: int
    ordinal: int
    head: Mapping[str, str]
    lines: Sequence[Mapping[str, str]]
    invt: str = ""
    said: list[list[Any]] = field(default_factory=list)  # [moment in ms, status]
    more: dict[str, Any] = field(default_factory=dict)
    app_type: str = "1"

    @property
    def trade(self) -> str:
        """Platform and order number, with the merchant where no platform is; of a part, whose and of which number."""
        if self.spec in _WHOSE:
            return f"{self.head.get(_WHOSE[self.spec], '')}|{self.head.get('copNo', '')}"
        order, platform = self.head.get("orderNo"), self.head.get("ebpCode", "")
        if platform == _NO_PLATFORM:
            platform += f"|{self.head.get('ebcCode', '')}"
        return f"{platform}|{order}" if order and self.spec not in ("CEB511", "CEB623") else ""

    @property
    def shares(self) -> str:
        """What several may share: the waybill of an inventory, the payment of an order."""
        if self.spec in INVENTORIES:
            return waybill_mark(self.head, self.head.get("logisticsNo", ""))
        return payment_mark(self.head) if self.spec == "CEB311" else ""

    @property
    def last(self) -> str:
        """The last status that is said or planned."""
        return str(self.said[-1][1]) if self.said else "2"

    @property
    def waits(self) -> bool:
        """Whether nothing has followed its acceptance yet."""
        return self.last == "2"

    def status(self, at: int) -> str:
        """Return the status that it has at this moment; what is planned for later is not said yet."""
        return next((str(status) for moment, status in reversed(self.said) if moment <= at), "2")

    def moment(self, *statuses: str) -> int:
        """Return when one of these statuses was reached first, 0 if none was."""
        return next((int(moment) for moment, status in self.said if status in statuses), 0)


def written(value: object) -> str:
    """Return a value as JSON, as it stands in the book.

    >>> written({1: ["订单"]})
    '{"1":["订单"]}'
    """
    return _ENCODER.encode(value).decode()


def waybill_mark(head: Mapping[str, str], number: str) -> str:
    """Return by what a waybill is known: its logistics enterprise and its number."""
    return f"{head.get('logisticsCode', '')}|{number}"


def payment_mark(head: Mapping[str, str]) -> str:
    """Return by what a payment is known, "" where none is named: its payment enterprise and its transaction.

    >>> payment_mark({"payCode": "P", "payTransactionId": "7"}), payment_mark({"payCode": "P"})
    ('P|7', '')
    """
    enterprise, transaction = head.get("payCode"), head.get("payTransactionId")
    return f"{enterprise}|{transaction}" if enterprise and transaction else ""


def is_trade(spec: str) -> bool:
    """Whether documents of this kind belong to trades, and are answered as their trade goes on."""
    return spec in _KEPT


def facts(element: etree._Element, spec: str) -> Facts:
    """Return the values of one document that the law of trades needs."""
    head_tags, line_tags = _tags(spec)
    groups = [child for child in element if len(child)]
    head = groups[0] if groups else element
    lines = groups[1:] if line_tags else ()
    return _values(head, head_tags), [_values(line, line_tags) for line in lines]


def _values(group: etree._Element, tags: Iterable[str]) -> dict[str, str]:
    return {str(leaf.tag)[_PREFIX:]: leaf.text for leaf in group.iterchildren(*tags) if leaf.text}


@cache
def _tags(spec: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    head, lines = _KEPT[spec]
    return tuple(f"{{{CEB}}}{name}" for name in head.split()), tuple(f"{{{CEB}}}{name}" for name in lines.split())
