"""A workbook is read whole, so how much may come out of it is counted in cells before it is opened."""

import io
from collections.abc import Callable
from datetime import date

import pytest

from mapping.apply import Most, map_file
from mapping.judging import judge, transfer_of
from message_specs.findings import Severity
from tests.mapping.books import old_book, open_document, open_document_of
from tests.mapping.tables import FACTS, HEADINGS, as_csv, as_xlsx, grid, mapped, orders, own, row, shipped

COLUMNS = len(HEADINGS)
ROWS = grid(orders(3))
CELLS = COLUMNS * 7


def told(data: bytes, most_cells: int) -> list[tuple[str, str]]:
    run = map_file(io.BytesIO(data), "a.xlsx", shipped(), FACTS, "202205", Most(cells=most_cells))
    return [(one.code, one.en) for one in run.findings]


def refused(most: int) -> list[tuple[str, str]]:
    return [("M039", f"the workbook is too big: more than {most} cells, a long text counting as several")]


def inline(text: str, count: int) -> bytes:
    """A workbook whose cells hold their texts themselves, as some programs write it."""
    from tests.fuzz.targets import with_part

    book = as_xlsx({"订单": ROWS})
    cells = "".join(f'<c r="A{n}" t="inlineStr"><is><t>{text}</t></is></c>' for n in range(1, 2))
    rows = "".join(f'<row r="{n}">{cells.replace("A1", f"A{n}")}</row>' for n in range(1, count + 1))
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'
    return with_part(book, "xl/worksheets/sheet1.xml", sheet.encode())


@pytest.mark.parametrize("made", [lambda rows: as_xlsx({"订单": rows}), lambda rows: old_book({"订单": rows}),
                                  lambda rows: open_document({"订单": rows})])  # fmt: skip
def test_more_cells_than_the_house_takes_refuse_the_workbook(made: Callable[[list[list[object]]], bytes]) -> None:
    # The texts of three orders are some hundred cells more.
    assert told(made(ROWS), CELLS // 2) == refused(CELLS // 2)
    assert told(made(ROWS), CELLS * 20) == []


def test_all_sheets_of_a_workbook_count() -> None:
    book = as_xlsx({"订单": ROWS, "备份": ROWS})
    assert told(book, CELLS + 1) == refused(CELLS + 1)


def test_long_texts_count_as_cells_wherever_they_stand() -> None:
    long = [*ROWS, *[["长" * 30_000] for _ in range(400)]]
    assert told(as_xlsx({"订单": long}), 400_000) == refused(400_000)
    assert told(old_book({"订单": long}), 400_000) == refused(400_000)
    assert told(inline("x" * 30_000, 1_000), 400_000) == refused(400_000)
    assert told(inline("x", 1_000), 400_000)[0][0] == "M004"
    words = "<table:table-row>" + f"<table:table-cell><text:p>{'x' * 40_000}</text:p></table:table-cell>" * 800
    assert told(open_document_of({"a": words + "</table:table-row>"}), 400_000) == refused(400_000)


def test_texts_that_no_cell_shows_are_counted_too() -> None:
    from tests.fuzz.targets import with_part

    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    shared = f'<sst xmlns="{space}">{"<si/>" * 50_000}</sst>'.encode()
    assert told(with_part(as_xlsx({"订单": ROWS}), "xl/sharedStrings.xml", shared), 40_000) == refused(40_000)


def judged(data: bytes, severities: dict[str, Severity]) -> tuple[bool, list[tuple[str, str, int | None]], int]:
    run = map_file(io.BytesIO(data), "a.csv", shipped(), FACTS, "202205", severities=severities)
    whole = [
        judge(run, batch, transfer_of({}), today=date(2026, 11, 21), severities=severities) for batch in run.batches()
    ]
    found = [*run.findings, *(one for each in whole for one in each.findings)]
    assert run.tally.is_even
    return run.is_refused, [(one.code, str(one.severity), one.document) for one in found], run.tally.bad


def test_what_warns_of_a_file_refuses_it_where_the_operator_wants_it() -> None:
    data = as_csv([row() | {"备用": "x"}])
    assert judged(data, {}) == (False, [("M005", "warning", None)], 0)
    assert judged(data, {"M005": Severity.ERROR}) == (True, [("M005", "error", None)], 0)


def test_what_refuses_a_document_only_warns_where_the_operator_wants_it() -> None:
    data = as_csv([row(运杂费="10"), row(1, 2, 运杂费="10.00")])
    assert judged(data, {}) == (False, [("M024", "error", 1)], 1)
    assert judged(data, {"M024": Severity.WARNING}) == (False, [("M024", "warning", 1)], 0)


def test_what_keeps_a_row_or_a_file_from_being_read_stays_an_error() -> None:
    bare = "," * 15 + "合计：" + ",,,,100,200,\r\n"
    data = as_csv([row()]) + bare.encode()
    assert judged(data, {"M022": Severity.WARNING})[1] == [("M022", "error", None)]
    short = as_csv([{name: value for name, value in row().items() if name != "订单编号"}])
    assert judged(short, {"M006": Severity.WARNING})[:2] == (True, [("M006", "error", None)])


def test_a_workbook_within_the_limit_is_mapped_as_ever() -> None:
    run, whole = mapped(as_xlsx({"订单": ROWS}), "a.xlsx", own("path,column,verb,argument\n@from,,,orders-311\n"))
    assert (run.findings, [len(each.documents) for each in whole]) == ([], [3])
