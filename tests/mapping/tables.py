"""Tables of invented orders for the tests of maps: headings, rows, and the same as CSV or workbook."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime

import xlsxwriter

from mapping.apply import MappedFile, map_bytes
from mapping.judging import Judged, judge, transfer_of
from mapping.map_check import load_map
from mapping.reckoning import Facts
from mapping.table import Map, fetch_shipped
from mapping.tracing import placed_in_sheet
from message_specs.findings import Finding
from tests import samples

HEADINGS = (
    "订单编号", "电商平台代码", "电商平台名称", "电商企业代码", "电商企业名称", "运杂费", "非现金抵扣金额", "代扣税款",
    "订购人注册号", "订购人姓名", "订购人电话", "订购人证件号码", "收货人姓名", "收货人电话", "收货地址", "货号",
    "商品名称", "规格型号", "单位", "数量", "单价", "原产国",
)  # fmt: skip
FACTS = Facts(datetime(2026, 11, 21, 4, 5, 6, tzinfo=UTC))
TODAY = date(2026, 11, 21)


def row(order: int = 1, line: int = 1, **other: str) -> dict[str, str]:
    """A row of an invented order; `other` sets columns by heading."""
    shop = samples.SHOP
    values = (
        f"YX2026{order:08}", shop.code, "云栖优选", shop.code, shop.title, "10", "0", "5.50", f"M{order}", "苏知夏",
        "19900000001", samples.citizen(order), "苏知夏", "19900000001", f"杭州市栖云路{order}号", f"SKU{line}",
        "保湿面膜", "品牌:雪芷|规格:25毫升/片", "盒", str(line), "79.90", "韩国",
    )  # fmt: skip
    return dict(zip(HEADINGS, values, strict=True)) | other


def orders(count: int, lines: int = 2) -> list[dict[str, str]]:
    """So many orders of so many lines."""
    return [row(order, line) for order in range(1, count + 1) for line in range(1, lines + 1)]


def as_csv(rows: Iterable[Mapping[str, str]], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    """The rows as CSV, with the headings of the first."""
    listed = list(rows)
    told = io.StringIO()
    writer = csv.writer(told, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(listed[0])
    writer.writerows(one.values() for one in listed)
    return told.getvalue().encode(encoding)


def as_xlsx(sheets: Mapping[str, Sequence[Sequence[object]]]) -> bytes:
    """A workbook of these sheets."""
    told = io.BytesIO()
    with xlsxwriter.Workbook(told, {"in_memory": True}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, cells in enumerate(rows):
                sheet.write_row(number, 0, cells)
    return told.getvalue()


def grid(rows: Iterable[Mapping[str, str]]) -> list[list[object]]:
    """The rows with their headings above."""
    listed = list(rows)
    return [list(listed[0]), *(list(one.values()) for one in listed)]


def shipped(name: str = "orders-311") -> Map:
    """A map that comes with Kouan."""
    text = fetch_shipped(name)
    assert text is not None
    return own(text, name)


def own(text: str, name: str = "own") -> Map:
    """A map of this text, which must be right."""
    made, findings = load_map(name, text)
    assert made is not None, findings
    return made


def mapped(data: bytes, name: str = "ORDERS.csv", used: Map | None = None) -> tuple[MappedFile, list[Judged]]:
    """The file mapped and judged to its end."""
    run = map_bytes(data, name, used or shipped(), FACTS)
    judged = [judge(run, batch, transfer_of({}), today=TODAY) for batch in run.batches()]
    return run, judged


def findings_of(data: bytes, name: str = "ORDERS.csv", used: Map | None = None) -> list[Finding]:
    """Everything that is found in a file; no row of it is lost."""
    run, judged = mapped(data, name, used)
    assert run.tally.is_even, run.tally
    return [
        *(placed_in_sheet(run, found) for found in run.findings),
        *(found for one in judged for found in one.findings),
    ]


def codes(data: bytes, name: str = "ORDERS.csv", used: Map | None = None) -> set[str]:
    """The codes of what is found."""
    return {found.code for found in findings_of(data, name, used)}
