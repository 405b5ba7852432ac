"""What the exchange office in a box holds records to: the specification, and which records it has by now.

It shares nothing with the gateway but the specification; each record is put into a message of its kind and read as
strictly as that allows.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from xml.etree import ElementTree as ET

from message_specs.catalog import catalog
from message_specs.check import check
from message_specs.codes import codes_on
from message_specs.opening import open_message
from message_specs.schema import NAMESPACES

_TRANSFER = (
    "<BaseTransfer><copCode>0000000000</copCode><copName>-</copName><dxpMode>DXP</dxpMode>"
    "<dxpId>DXPENT0000000000</dxpId></BaseTransfer>"
)
_GUID = "00000000-0000-0000-0000-000000000000"
_BASIC = {"BOPG": "BOPA", "BOPH": "BOPB", "JSHF": "JSHD", "JSHG": "JSHE"}
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Error:
    """One thing wrong with a record."""

    field: str
    zh: str


@dataclass(slots=True)
class Known:
    """Which records the office has, by the kind of file and their number: "taken", "refused" or "deleted"."""

    records: dict[tuple[str, str], str] = field(default_factory=dict)

    def judge(self, kind: str, record: Mapping[str, str]) -> list[Error]:
        """Return why a well-made record cannot be taken now."""
        action, report = record.get("ACTIONTYPE", ""), record.get("RPTNO", "")
        standing = self.records.get((kind, report), "")
        if action == "A" and standing == "taken":
            return [Error("RPTNO", "申报号码已存在")]
        if action in ("C", "D") and standing != "taken":
            return [Error("RPTNO", "申报号码不存在，不能修改或删除")]
        if action == "R" and standing != "refused":
            return [Error("ACTIONTYPE", "没有退回的记录可以重报")]
        basic = _BASIC.get(kind)
        if basic and action != "D" and self.records.get((basic, report)) != "taken":
            return [Error("RPTNO", "没有对应的基础信息")]
        return []

    def note(self, kind: str, report: str, action: str, *, good: bool) -> None:
        """The record stands as the office has answered."""
        before = self.records.get((kind, report), "")
        if good:
            self.records[kind, report] = "deleted" if action == "D" else "taken"
        elif before != "taken":
            self.records[kind, report] = "refused"


def structure(kind: str, records: Iterable[str], today: date) -> list[list[Error]]:
    """Return for each record, given as the text of its REC, what the specification finds wrong with it."""
    texts = list(records)
    found: list[list[Error]] = []
    for start in range(0, len(texts), _AT_ONCE):
        found += _some(kind, texts[start : start + _AT_ONCE], today)
    return found


def _some(kind: str, texts: list[str], today: date) -> list[list[Error]]:
    if kind not in catalog().specs:
        return [[Error("CURRENTFILE", f"未知的文件类型 {kind}")] for _ in texts]
    units = "".join(f"<{kind}>{text}</{kind}>" for text in texts)
    root = f'<{kind}Message xmlns="{NAMESPACES["fx"]}" guid="{_GUID}" version="1.0">'
    opened = open_message(f"{root}{units}{_TRANSFER}</{kind}Message>".encode())
    found: list[list[Error]] = [[] for _ in texts]
    for said in check(opened, today=today):
        error = Error(re.sub(r"\[.*?\]", "", said.path).rpartition("/")[2], said.zh)
        for place in range(len(texts)) if said.document is None else (said.document - 1,):
            if str(said.severity) == "error":
                found[place].append(error)
    for place, text in enumerate(texts):
        found[place] += _codes(kind, leaves(ET.fromstring(text)), today)  # noqa: S314  our own gateway wrote it
    return found


def _codes(kind: str, record: Mapping[str, str], today: date) -> Iterable[Error]:
    """Yield the codes of trade in goods that no list has; of the others this office knows no list."""
    name = {"BOPG": "bop_transaction", "BOPH": "bop_transaction"}.get(kind)
    for field_name in ("TXCODE", "TXCODE2") if name else ():
        code = record.get(field_name, "")
        if name and code.startswith("1") and code not in codes_on(name, today):
            yield Error(field_name, f"交易编码 {code} 无效")


def leaves(record: ET.Element) -> dict[str, str]:
    """Return the texts of a record."""
    return {child.tag: (child.text or "").strip() for child in record}
