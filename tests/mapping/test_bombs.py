"""A few bytes that would make gigabytes are refused before anything is made of them, each with its finding.

What opens workbooks would fill the memory or go on for ever, and no finding could be told any more.
"""

import io
import struct
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mapping import compound
from tests.fuzz.targets import with_part
from tests.mapping.books import old_book, open_document, open_document_of, packed
from tests.mapping.tables import HEADINGS, as_xlsx, codes, findings_of, grid, orders

ROWS = grid(orders(1))
SHEET = "xl/worksheets/sheet1.xml"
CELL = '<table:table-cell office:value-type="string"{}><text:p>{}</text:p></table:table-cell>'
FINDS = Path(__file__).parents[1] / "fuzz/finds"


@pytest.fixture(autouse=True)
def at_once() -> Iterator[None]:
    """None of these takes longer than it takes to count it."""
    begun = time.process_time()
    yield
    assert time.process_time() - begun < 5


def changed(part: str, old: bytes, new: bytes) -> bytes:
    book = as_xlsx({"订单": ROWS})
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        body = archive.read(part)
    assert old in body
    return with_part(book, part, body.replace(old, new, 1))


def cells_without_places() -> bytes:
    row = b'<row r="9000">' + b"<c><v>1</v></c>" * 20_000 + b"</row></sheetData>"
    return changed(SHEET, b"</sheetData>", row)


def a_long_text_shown_often() -> bytes:
    # The first shared string is the first heading.
    often = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (n, n) for n in range(10, 1010))
    book = changed(SHEET, b"</sheetData>", often + b"</sheetData>")
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        shared = archive.read("xl/sharedStrings.xml")
    return with_part(book, "xl/sharedStrings.xml", shared.replace(b"<t>", b"<t>" + b"x" * (1 << 20), 1))


def a_sheet_that_lies_elsewhere() -> bytes:
    book = changed(SHEET, b'r="A1"', b'r="XFD1048576"')
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/elsewhere.xml"] = parts.pop(SHEET)
    relations = "xl/_rels/workbook.xml.rels"
    parts[relations] = parts[relations].replace(b"worksheets/sheet1.xml", b"xl/elsewhere.xml")
    return packed(parts)


def far_cells_in_an_old_workbook() -> bytes:
    book = bytearray(compound.streams(old_book({"订单": ROWS}), ["Workbook"])["Workbook"])
    place = book.index(struct.pack("<HHHH", 0xFD, 10, 1, 0))
    book[place + 4 : place + 8] = struct.pack("<HH", 65535, 65535)
    return compound.packed("Workbook", bytes(book))


def repeated_cells(columns: int, text: str, rows: int = 1) -> bytes:
    """A cell of an OpenDocument sheet that stands for many; what is in a comment does not count."""
    cell = CELL.format(f' x=">" table:number-columns-repeated="{columns}"', text)
    row = f'<table:table-row table:number-rows-repeated="{rows}"><!-- <table:table> -->{cell}</table:table-row>'
    return open_document_of({"a": row})


def a_long_text_shown_often_in_an_old_workbook() -> bytes:
    return old_book({"订单": [*ROWS, *([["长" * 32_000] * 100] * 150)]})


@pytest.mark.parametrize(
    "made",
    [
        lambda: changed(SHEET, b'r="A1"', b'r="xfd1048576"'),
        lambda: changed(SHEET, b'r="A1"', b'r="A99999999999999999999"'),
        cells_without_places,
        a_long_text_shown_often,
        a_sheet_that_lies_elsewhere,
        far_cells_in_an_old_workbook,
        a_long_text_shown_often_in_an_old_workbook,
        lambda: repeated_cells(9000, "x" * 100_000),
        lambda: repeated_cells(99_000, "x", rows=99),
    ],
)  # fmt: skip
def test_what_would_fill_the_memory_is_too_big(made: Callable[[], bytes]) -> None:
    assert codes(made(), "a.xlsx") == {"M010"}


def test_a_merge_over_the_whole_sheet_is_told_for_the_rows_there_are() -> None:
    data = changed(SHEET, b"</sheetData>", b'</sheetData><mergeCells><mergeCell ref="A2:XFD1048576"/></mergeCells>')
    assert [(one.code, one.row) for one in findings_of(data, "a.xlsx") if one.code == "M015"] == [
        ("M015", 2),
        ("M015", 3),
    ]


def test_endless_merges_are_too_big() -> None:
    rows = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (n, n) for n in range(10, 5000))
    merged = b'<mergeCell ref="A1:B5000"/>' * 50
    data = changed(SHEET, b"</sheetData>", rows + b"</sheetData><mergeCells>" + merged + b"</mergeCells>")
    assert codes(data, "a.xlsx") == {"M010"}


def test_an_old_workbook_may_not_say_itself_how_big_it_is() -> None:
    book = bytearray(compound.streams(old_book({"订单": ROWS}), ["Workbook"])["Workbook"])
    place = book.index(struct.pack("<HH", 0x200, 14))
    book[place + 4 : place + 16] = struct.pack("<IIHH", 0, 0xFFFFFFF0, 0, 0xFFF0)
    assert codes(compound.packed("Workbook", bytes(book)), "a.xls") == set()


@pytest.mark.parametrize(
    "made",
    [
        (FINDS / "book/endless-chain.xls").read_bytes,
        lambda: with_part(
            open_document({"a": ROWS}), "content.xml", (FINDS / "content/breaks-off.xml").read_bytes()
        ),
        lambda: packed({"xl/workbook.xml": b"<a/>", "XL/workbook.xml": b"<b/>"}),
    ],
)  # fmt: skip
def test_what_would_never_end_cannot_be_opened(made: Callable[[], bytes]) -> None:
    assert codes(made(), "a.xlsx") == {"M009"}


def test_a_row_of_endless_headings_is_told() -> None:
    # Every row in hand would be made as wide: ten thousand rows of a million cells.
    data = ",".join([*HEADINGS, *map(str, range(200_000))]) + "\r\nYX1,a\r\n" * 20_000
    assert [(one.code, one.row) for one in findings_of(data.encode(), "a.csv")] == [("M038", 1)]
