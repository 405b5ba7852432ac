"""Whatever is wrong with a table has its finding in its own cell, no row is lost, and any bytes end so."""

import io
import struct
import zipfile
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from message_specs.findings import wordings
from tests.mapping.books import open_document_of, packed
from tests.mapping.tables import HEADINGS, as_csv, as_xlsx, codes, findings_of, grid, mapped, orders, own, row

BASE = "path,column,verb,argument\n@from,,,orders-311\n"


def told(data: bytes, name: str = "ORDERS.csv") -> list[tuple[str, int | None, str | None]]:
    return [(found.code, found.row, found.cell) for found in findings_of(data, name)]


@pytest.mark.parametrize(
    ("change", "code", "cell"),
    [
        ({"数量": "1.2E+3"}, "M031", "T2"),
        ({"订单编号": "2.02611E+17"}, "M031", "A2"),
        ({"数量": "三"}, "M030", "T2"),
        ({"数量": "1,5"}, "M030", "T2"),
        ({"单位": "铜板"}, "M033", "S2"),
        ({"原产国": "东瀛"}, "M033", "V2"),
        ({"订购人姓名": "苏\ufffd夏"}, "M034", "J2"),
        ({"商品名称": "面\x00膜"}, "M034", "Q2"),
        ({"订购人姓名": ""}, "S020", "J2"),
        ({"商品名称": "长" * 251}, "S032", "Q2"),
        ({"数量": "0"}, "C131", "T2"),
        ({"运杂费": "-1"}, "C130", "F2"),
        ({"订购人证件号码": "330199195102020019"}, "C107", "L2"),
    ],
)
def test_a_bad_cell_is_named_by_its_column_letter(change: dict[str, str], code: str, cell: str) -> None:
    [found] = [one for one in findings_of(as_csv([row(1, 1) | change])) if one.code == code]
    heading = next(iter(change))
    assert (found.row, found.cell, found.column) == (2, cell, ord(cell[0]) - 64)
    assert f"“{heading}”" in found.zh
    assert found.path.startswith("/CEB311Message/Order[")
    assert found.document == 1


def test_a_bad_cell_of_the_second_line_names_the_second_row_and_line() -> None:
    [found] = findings_of(as_csv([row(), row(line=2, 数量="x")]))
    assert (found.code, found.cell, found.value) == ("M030", "T3", "x")
    assert found.path == "/CEB311Message/Order[orderNo='YX202600000001']/OrderList[2]/qty"


def test_a_row_that_cannot_be_placed_is_named_by_its_cell_or_its_text() -> None:
    [found] = findings_of(as_xlsx({"订单": grid([row(1), row(2, 订单编号="")])}), "a.xlsx")
    assert (found.code, found.row, found.cell, found.column) == ("M022", 3, "订单!A3", 1)
    line = as_csv([row(2)]).decode().splitlines()[1].replace("保湿", '"保"湿')
    [found] = findings_of(as_csv([row(1)]) + line.encode())
    assert (found.code, found.row, (found.value or "")[:14]) == ("M021", 3, "YX202600000002")


def test_a_ragged_row_refuses_its_document() -> None:
    data = as_csv(orders(2, 1)).decode()
    lines = data.splitlines()
    short = "\r\n".join([lines[0], lines[1].rpartition(",")[0], lines[2] + ",extra"])
    assert told(short.encode()) == [("M020", 2, "V2"), ("S020", 2, "V2"), ("M020", 3, "W3")]
    assert told((data.rstrip() + ",,,\r\n").encode()) == []


def test_a_bad_quote_costs_one_row() -> None:
    lines = as_csv(orders(3, 1)).decode().splitlines()
    lines[2] = lines[2].replace("保湿面膜", '"保湿"面膜')
    run, [one] = mapped("\n".join(lines).encode())
    assert [(found.code, found.row) for found in run.findings] == [("M021", 3)]
    assert len(one.documents) == 2
    assert run.tally.is_even


def test_an_open_quote_does_not_swallow_the_rest() -> None:
    lines = as_csv(orders(5, 1)).decode().splitlines()
    lines[1] = lines[1].replace("保湿面膜", '"保湿面膜')
    run, [one] = mapped("\n".join(lines).encode())
    assert ([found.code for found in run.findings], len(one.documents)) == (["M021"], 4)


def test_headings_are_held_against_the_map() -> None:
    rows = [{**row(), "颜色": "红"}]
    assert told(as_csv(rows)) == [("M005", 1, "W1")]
    assert told(as_csv([{name: value for name, value in row().items() if name != "订购人姓名"}])) == [("M006", 1, None)]
    assert told(as_csv([{**row(), "原产地": "日本"}])) == [("M008", 1, "W1")]
    assert told(as_csv([{name: value for name, value in row().items() if name != "运杂费"}])) == [("M007", 1, None)]
    assert codes(b"a,b\n1,2\n") == {"M004"}


def test_a_row_without_its_key_refuses_the_document_whose_head_it_repeats() -> None:
    found = findings_of(as_csv([row(), row(line=2, 订单编号=""), row(2)]))
    assert [(one.code, one.row, one.document) for one in found] == [("M022", 3, None), ("M028", 3, 1)]


def test_rows_of_one_document_must_agree_about_its_head() -> None:
    [found] = findings_of(as_csv([row(), row(line=2, 收货地址="别处")]))
    assert (found.code, found.cell, found.value, found.document) == ("M024", "O3", "别处", 1)


def test_rows_too_far_apart_are_refused_and_told() -> None:
    rows = [row(), *(row(order, 1) for order in range(2, 10_003)), row(line=2)]
    run, judged = mapped(as_csv(rows))
    assert [(one.code, one.row) for one in run.findings] == [("M023", 2)]
    assert [one.head["orderNo"] for one in judged[0].documents][:2] == ["YX202600000002", "YX202600000003"]
    assert (run.tally.refused, run.tally.documents, run.tally.is_even) == (2, 10_001, True)


def unplaced(*lines: str, into: list[dict[str, str]] | None = None) -> tuple[list[tuple[str, int | None]], set[str]]:
    """What is told of a table of three orders of two lines with these lines at its end, and which orders are bad."""
    data = as_csv(into or orders(3)).decode() + "".join(f"{line}\r\n" for line in lines)
    run, judged = mapped(data.encode())
    assert run.tally.is_even
    bad = {one.head["orderNo"][-1] for each in judged for one in each.documents if one.ordinal in each.bad}
    return [(one.code, one.row) for one in run.findings], bad


def text_of(**change: str) -> str:
    return as_csv([row(**change)]).decode().splitlines()[1]


def test_a_row_that_cannot_be_read_refuses_the_documents_whose_key_stands_in_it_wherever_they_are() -> None:
    assert unplaced(text_of(order=2, line=3).replace("保湿", '"保"湿')) == ([("M021", 8)], {"2"})
    assert unplaced(text_of(order=9).replace("保湿", '"保"湿')) == ([("M021", 8)], set())


def test_a_separator_too_many_before_the_number_refuses_the_true_document_too() -> None:
    assert unplaced("x," + text_of(order=2, line=3)) == ([], {"2", "x"})


def test_a_row_that_says_nothing_of_its_document_might_be_missing_from_any() -> None:
    bare = ",".join(["" if n < 15 else cell for n, cell in enumerate(text_of(line=3).split(","))])
    assert unplaced(bare) == ([("M022", 8), ("M029", 8)], set())
    run, judged = mapped(as_csv(orders(3)) + f"{bare}\r\n".encode())
    assert (judged, run.is_refused, run.tally.refused) == ([], True, 7)


def test_a_line_of_totals_is_told_and_refuses_nothing() -> None:
    assert unplaced("," * 15 + "合计：" + ",,,,100,200,") == ([("M022", 8)], set())


def test_too_many_rows_that_nobody_can_place_refuse_the_file() -> None:
    wrong = text_of(order=9).replace("保湿", '"保"湿')
    told_, bad = unplaced(*[wrong] * 201)
    assert (len(told_), told_[-1], bad) == (202, ("M029", 208), set())


def test_mixed_and_unknown_encodings_are_refused() -> None:
    text = as_csv(orders(1, 1))
    assert codes(text + as_csv([row(2)], "gb18030").split(b"\r\n")[1]) == {"M002"}
    assert codes(text + b"\xff\xff\xff\n") <= {"M001", "M002"}
    assert codes(b"") == codes(b"\n\n") == {"M003"}
    assert codes(b"x" * 5_000_000) == {"M018"}


def test_kinds_of_files_that_are_none() -> None:
    assert codes(b"abc", "a.pdf") == {"M012"}
    assert codes(b"abc", "a.xlsx") == {"M009"}
    assert codes(b"PK\x03\x04abc", "a.xlsx") == {"M009"}


def book_of(change: str) -> bytes:
    """A workbook of one order with something odd in it."""
    told = io.BytesIO()
    with xlsxwriter.Workbook(told, {"in_memory": True}) as book:
        sheet = book.add_worksheet("订单")
        for number, cells in enumerate(grid(orders(1, 3))):
            sheet.write_row(number, 0, cells)
        if change == "formula":
            sheet.write_formula("T2", "=1+1", None, 2)
        if change == "error":
            sheet.write_formula("T2", "=1/0", None, "#DIV/0!")
        if change == "merged":
            sheet.merge_range("A2:A4", "YX202600000001")
        if change == "number":
            sheet.write_number("A2", 2026112100000012345)
        if change == "sheet":
            book.add_worksheet("说明").write(0, 0, "请看")
    return told.getvalue()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("none", []),
        ("formula", [("M014", 2, "订单!T2")]),
        ("sheet", [("M016", None, None)]),
        ("number", [("M031", 2, "订单!A2")]),
    ],
)
def test_what_is_odd_in_a_workbook_is_told(change: str, expected: list[tuple[str, int | None, str | None]]) -> None:
    assert told(book_of(change), "a.xlsx")[: len(expected)] == expected
    assert bool(told(book_of(change), "a.xlsx")) == bool(expected)


def test_merged_and_error_cells_refuse_their_documents() -> None:
    found = findings_of(book_of("merged"), "a.xlsx")
    assert {(one.code, one.document) for one in found} == {("M015", 1)}
    found = findings_of(book_of("error"), "a.xlsx")
    assert ("M037", 2, "订单!T2", 1) in {(one.code, one.row, one.cell, one.document) for one in found}


def changed(data: bytes, part: str, old: bytes, new: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new, 1)
    return packed(parts)


def test_a_bomb_is_never_opened() -> None:
    bomb = packed({"xl/worksheets/sheet1.xml": b"<" * (450 << 20)})
    assert len(bomb) < 1 << 20
    assert codes(bomb, "a.xlsx") == {"M010"}
    lying = bytearray(packed({"xl/worksheets/sheet1.xml": b"<a>" + b" " * (450 << 20)}))
    place = lying.rindex(b"PK\x01\x02")
    lying[place + 24 : place + 28] = struct.pack("<I", 100)
    assert codes(bytes(lying), "a.xlsx") == {"M010"}


def test_two_cells_at_the_ends_of_a_sheet_are_a_bomb_too() -> None:
    far = changed(book_of("none"), "xl/worksheets/sheet1.xml", b'<c r="V4"', b'<c r="XFD1048576"')
    assert codes(far, "a.xlsx") == {"M010"}


def test_a_table_of_nothing_but_mistakes_is_told_up_to_a_limit() -> None:
    found = findings_of(as_csv([row(order, 数量="x") for order in range(1, 6_000)]))
    assert found[0].code == "M013"
    assert 5_000 <= len(found) < 5_200


NAUGHTY = (  # beside the big list of naughty strings: what comes from keyboards and broken conversions here
    "undefined", "NULL", "nil", "-1.0E+02", "0x0", "١٢٣", "１２３", "NaN", "Infinity", "1/0", "--", ";DROP TABLE x",
    "<script>alert(1)</script>", "<!DOCTYPE x [<!ENTITY a 'b'>]>&a;", "]]>", "&lt;", "&#0;", "{}", "{0}", "%s%n",
    "=cmd|'/C calc'!A0", "@SUM(1)", "ﷺ", "Ω≈ç√∫", "田中さんにあげて下さい", "👩‍👩‍👧‍👦", "﻿bom", "a\u202eb", "a\u200bb",
    "🏴", "\u0000", "\x1b[31m", "\x85", "\u2028", "\uffff", "𠮷野家", "㐀", "\U0010ffff", "'", '"',
    "''''", "\\", "../../etc/passwd",
    "C:\\con", "ＬＯＲＥＭ", "Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮",
)  # fmt: skip


@pytest.mark.parametrize("text", NAUGHTY, ids=range(len(NAUGHTY)))
@pytest.mark.parametrize("heading", ["商品名称", "订单编号", "数量", "单位", "收货地址"])
def test_naughty_texts_end_in_a_document_or_a_finding(text: str, heading: str) -> None:
    run, judged = mapped(as_csv([row(1, 1, **{heading: text})]))
    assert run.tally.is_even
    found = [*run.findings, *(one for each in judged for one in each.findings)]
    if not any(one.severity == "error" for one in found) and heading in ("商品名称", "收货地址"):
        [document] = judged[0].documents
        name = {"商品名称": "itemName", "收货地址": "consigneeAddress"}[heading]
        assert (document.lines[0] | document.head)[name] == text.strip()


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=400), st.sampled_from(["csv", "tsv", "xlsx", "xls", "ods"]))
@example(b"PK\x05\x06" + b"\0" * 18, "xlsx")
@example(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 600, "xls")
def test_any_bytes_end_in_findings(data: bytes, kind: str) -> None:
    assert findings_of(data, f"a.{kind}")


GOOD_CSV = as_csv(orders(2))
GOOD_BOOK = as_xlsx({"订单": grid(orders(1))})


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_table_with_any_bytes_put_in_ends_in_documents_or_findings(data: st.DataObject) -> None:
    good, name = data.draw(st.sampled_from([(GOOD_CSV, "a.csv"), (GOOD_BOOK, "a.xlsx")]))
    place = data.draw(st.integers(0, len(good)))
    cut = data.draw(st.integers(0, 40))
    bad = good[:place] + data.draw(st.binary(max_size=12)) + good[place + cut :]
    run, judged = mapped(bad, name)
    assert run.tally.is_even
    assert judged or run.findings


MAPS = {
    "M050": "path,column,verb\n",
    "M051": BASE + "OrderHead/note,备注,txet,\n",
    "M052": BASE + "OrderHead/nota,备注,text,\n",
    "M053": BASE + "OrderHead/note,,text,\n",
    "M054": BASE + "OrderHead/acturalPaid,,sum,a b\n",
    "M055": "path,column,verb,argument\n@spec,,,CEB411\n",
    "M056": BASE + "OrderHead/currency,,constant,RMB\n",
    "M057": BASE + "OrderHead/freight,,same,OrderHead/discount\nOrderHead/discount,,same,OrderHead/freight\n",
    "M058": BASE + "@colour,,,red\n",
    "M059": BASE + "OrderHead/freight,,constant,0\nOrderHead/freight,运费,number,\n",
}


@pytest.mark.parametrize("code", MAPS)
def test_a_map_is_held_against_its_spec_line_by_line(code: str) -> None:
    from mapping.map_check import load_map

    _, findings = load_map("own", MAPS[code])
    [found, *_] = [one for one in findings if one.code == code]
    assert found.line is not None or code == "M055"
    assert "{" not in found.zh + found.en


def test_a_map_that_takes_over_itself_is_refused() -> None:
    from mapping.map_check import load_map

    assert [one.code for one in load_map("own", BASE.replace("orders-311", "own"))[1]][:1] == ["M058"]


def test_every_wording_of_maps_is_provoked_here_or_in_the_hall() -> None:
    hall = (Path(__file__).parents[1] / "gateway").glob("test_*tables.py")
    tested = "".join(file.read_text("utf-8") for file in (*Path(__file__).parent.glob("test_*.py"), *hall))
    assert {code for code in wordings() if code.startswith("M") and f'"{code}"' not in tested} == set()


def test_the_rest_of_the_wordings() -> None:
    quotient = own(
        BASE + "OrderList/price,,quotient,OrderList/totalPrice / OrderList/qty\nOrderList/totalPrice,总价,number,\n"
    )
    rows = [{**row(数量="0"), "总价": "5"}]
    assert "M036" in codes(as_csv(rows), used=quotient)
    assert "M035" in codes(as_csv([{**row(), "报送类型": "作废"}]))
    assert "M032" in codes(as_csv([{**row(), "报送时间": "21/11/2026"}]))
    heads = [{name: row()[name] for name in HEADINGS[:15]}] * 2
    lines = [{"订单编号": row()["订单编号"], **{name: row()[name] for name in HEADINGS[15:]}}]
    assert "M026" in codes(as_xlsx({"订单": grid(heads), "订单表体": grid(lines)}), "a.xlsx")
    assert codes(as_xlsx({"甲": grid(heads), "乙": grid(lines)}), "a.xlsx") == {"M011"}


CELL = '<table:table-cell office:value-type="string"{}><text:p>{}</text:p></table:table-cell>'
MANY = ' table:number-columns-repeated="9000"'


@pytest.mark.parametrize(
    "rows",
    [
        f'<table:table-row table:number-rows-repeated="1048575">{CELL.format("", "x") * 9}</table:table-row>',
        f'<table:table-row table:number-rows-repeated="900">{CELL.format(MANY, "x")}</table:table-row>',
        (
            f'<table:table-row table:number-rows-repeated="1000000"><table:table-cell{MANY}/></table:table-row>'
            f"<table:table-row><table:table-cell{MANY}/>{CELL.format('', 'x')}</table:table-row>"
        ),
    ],
)
def test_what_an_open_document_repeats_is_counted_before_it_is_opened(rows: str) -> None:
    assert codes(open_document_of({"a": rows}), "a.ods") == {"M010"}


def test_an_open_document_with_endless_empty_rows_is_read() -> None:
    rows = "".join(
        "<table:table-row>" + "".join(CELL.format("", cell) for cell in cells) + "</table:table-row>"
        for cells in grid(orders(2))
    )
    empty = f'<table:table-row table:number-rows-repeated="1048000"><table:table-cell{MANY}/></table:table-row>'
    run, [one] = mapped(open_document_of({"a": rows + empty}), "a.ods")
    assert ([found.code for found in one.findings], len(one.documents), run.tally.rows) == ([], 2, 4)


def test_rows_between_two_rows_of_headings_are_not_passed_over() -> None:
    wider = {**row(2), "备注": "x"}
    rows = [list(HEADINGS), list(row().values()), list(wider), list(wider.values())]
    run, judged = mapped("\r\n".join(",".join(cells) for cells in rows).encode())
    assert (run.plan and run.plan.heading_row, run.tally.rows, run.tally.mapped) == (1, 3, 3)
    assert {found.row for one in judged for found in one.findings if found.code == "M020"} == {3, 4}


def test_a_missing_column_with_a_fixed_amount_cannot_hide_a_total_that_disagrees() -> None:
    rows = [{**row(), "实际支付金额": "95.40"}]
    del rows[0]["运杂费"]
    assert told(as_csv(rows)) == [("M007", 1, None), ("C210", 2, "V2")]


def test_a_formula_without_a_value_refuses_where_the_field_is_required() -> None:
    book = changed(book_of("formula"), "xl/worksheets/sheet1.xml", b"<f>1+1</f><v>2</v>", b"<f>1+1</f>")
    assert {("M014", 2, "订单!T2"), ("S020", 2, "订单!T2")} <= set(told(book, "a.xlsx"))
