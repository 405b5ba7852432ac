"""Workbooks of Excel 97 and of OpenDocument are told of like xlsx: formulas, error values, merged cells, passwords."""

import datetime as dt
import io
import struct

import msoffcrypto.format.ooxml
import pytest
import xlwt

from tests.mapping.books import old_book, open_cell, open_document, open_document_of, saved
from tests.mapping.tables import as_csv, as_xlsx, codes, findings_of, grid, mapped, orders, own, row

TIMED = "path,column,verb,argument\n@from,,,orders-311\nOrderHead/appTime,报送时间,date,\n"
ROWS = grid(orders(1, 3))
NOT_AVAILABLE = 0x2A
ODS_ERROR = (
    '<table:table-cell table:formula="of:=NA()" office:value-type="string" office:string-value=""'
    ' calcext:value-type="error"><text:p>#N/A</text:p></table:table-cell>'
)


def old_orders(change: str) -> bytes:
    """Three lines of an order in a workbook of Excel 97, with something odd in it."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("订单")
    spared = {"formula": (1, 19), "error": (1, 19), "number": (1, 0)}.get(change)
    merged = {(1, 0), (2, 0), (3, 0)} if change == "merged" else set()
    for number, cells in enumerate(ROWS):
        for column, cell in enumerate(cells):
            if (number, column) != spared and (number, column) not in merged:
                sheet.write(number, column, cell)
    if change == "formula":
        sheet.write(1, 19, xlwt.Formula("1+1"))
    if change == "error":
        sheet.row(1).set_cell_error(19, NOT_AVAILABLE)
    if change == "number":
        sheet.write(1, 0, 2026112100000012345)
    if change == "merged":
        sheet.write_merge(1, 3, 0, 0, "YX202600000001")
    if change == "sheet":
        book.add_sheet("说明").write(0, 0, "请看")
    return saved(book)


def open_orders(change: str) -> bytes:
    """Three lines of an order in an OpenDocument workbook, with something odd in it."""
    cells = [[open_cell(cell) for cell in one] for one in ROWS]
    if change == "formula":
        cells[1][19] = (
            '<table:table-cell table:formula="of:=1+1" office:value-type="float" office:value="2">'
            "<text:p>2</text:p></table:table-cell>"
        )
    if change == "error":
        cells[1][19] = ODS_ERROR
    if change == "number":
        cells[1][0] = '<table:table-cell office:value-type="float" office:value="2026112100000012345"/>'
    if change == "merged":
        cells[1][0] = open_cell("YX202600000001", ' table:number-rows-spanned="3" table:number-columns-spanned="1"')
        cells[2][0] = cells[3][0] = "<table:covered-table-cell/>"
    rows = "".join(f"<table:table-row>{''.join(one)}</table:table-row>" for one in cells)
    sheets = {"订单": rows}
    if change == "sheet":
        sheets["说明"] = f"<table:table-row>{open_cell('请看')}</table:table-row>"
    return open_document_of(sheets)


@pytest.mark.parametrize(("made", "name"), [(old_orders, "a.xls"), (open_orders, "a.ods")])
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("none", None),
        ("formula", ("M014", 2, "订单!T2", None)),
        ("error", ("M037", 2, "订单!T2", 1)),
        ("number", ("M031", 2, "订单!A2", 1)),
        ("merged", ("M015", 3, "订单!A3", 1)),
        ("sheet", ("M016", None, None, None)),
    ],
)
def test_what_is_odd_in_other_workbooks_is_told_too(made, name, change, expected) -> None:  # type: ignore[no-untyped-def]
    found = [(one.code, one.row, one.cell, one.document) for one in findings_of(made(change), name)]
    assert (expected in found) == bool(found) == (expected is not None), found


@pytest.mark.parametrize("made", [as_xlsx, old_book, open_document])
def test_every_kind_of_workbook_gives_the_documents_of_the_text(made) -> None:  # type: ignore[no-untyped-def]
    _, [text] = mapped(as_csv(orders(3)))
    _, [book] = mapped(made({"订单": grid(orders(3))}), "a.xlsx")
    assert [one.canonical() for one in book.documents] == [one.canonical() for one in text.documents]


def test_times_of_old_workbooks_are_read() -> None:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("订单")
    [headings, cells] = grid([row(1, 1) | {"报送时间": ""}])
    style = xlwt.easyxf(num_format_str="yyyy/mm/dd hh:mm")
    for column, (heading, cell) in enumerate(zip(headings, cells, strict=True)):
        sheet.write(0, column, heading)
        if heading == "报送时间":
            sheet.write(1, column, dt.datetime(2026, 11, 20, 10, 30, 5), style)  # noqa: DTZ001  Excel knows no zones
        else:
            sheet.write(1, column, cell)
    _, [one] = mapped(saved(book), "a.xls", own(TIMED))
    assert one.documents[0].head["appTime"] == "20261120103005"


def test_a_workbook_with_a_password_is_told() -> None:
    locked = io.BytesIO()
    office = msoffcrypto.format.ooxml.OOXMLFile(io.BytesIO(as_xlsx({"订单": ROWS})))
    office.encrypt("kouan", locked)
    assert codes(locked.getvalue(), "a.xlsx") == {"M017"}
    assert codes(locked.getvalue(), "a.xls") == {"M017"}


def test_an_old_workbook_with_a_password_is_told() -> None:
    data = bytearray(old_orders("none"))
    # The record of the code page gives way to that of a password, as long as it.
    place = data.index(struct.pack("<HHH", 0x42, 2, 1200))
    data[place : place + 2] = struct.pack("<H", 0x2F)
    assert codes(bytes(data), "a.xls") == {"M017"}
    locked = bytearray(as_xlsx({"订单": ROWS}))
    locked[locked.rindex(b"PK\x01\x02") + 8] |= 1
    assert codes(bytes(locked), "a.xlsx") == {"M009"}
