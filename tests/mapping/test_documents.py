"""A table becomes the documents that it says, value for value, whatever kind of file it is."""

import io
import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from message_specs.catalog import REVISIONS, catalog
from message_specs.tables import NoTable, table
from tests.mapping.tables import HEADINGS, as_csv, as_xlsx, codes, findings_of, grid, mapped, orders, own, row, shipped

SMALL = """path,column,verb,argument
@from,,,orders-311
OrderList/itemName,商品名称,text,
"""


def test_a_table_of_orders_is_good_and_every_row_is_in_a_document() -> None:
    run, judged = mapped(as_csv(orders(250)))
    assert (run.tally.rows, run.tally.mapped, run.tally.documents) == (500, 500, 250)
    assert [len(one.documents) for one in judged] == [100, 100, 50]
    assert [found.code for one in judged for found in one.findings] == []
    assert [document.ordinal for one in judged for document in one.documents] == list(range(1, 251))


def test_what_a_row_does_not_say_is_reckoned() -> None:
    _, [one] = mapped(as_csv(orders(1)))
    [document] = one.documents
    assert {name: document.head[name] for name in ("goodsValue", "acturalPaid", "currency", "appType", "appTime")} == {
        "goodsValue": "239.70", "acturalPaid": "255.20", "currency": "142", "appType": "1", "appTime": "20261121120506",
    }  # fmt: skip
    assert [(line["gnum"], line["unit"], line["totalPrice"], line["country"]) for line in document.lines] == [
        ("1", "140", "79.90", "133"),
        ("2", "140", "159.80", "133"),
    ]


def test_a_price_that_is_left_out_comes_from_the_total() -> None:
    rows = [{**row(), "总价": "100", "数量": "3"}]
    del rows[0]["单价"]
    _, [one] = mapped(as_csv(rows))
    assert one.documents[0].lines[0]["price"] == "33.33333"


def test_the_same_rows_have_the_same_guid_and_others_another() -> None:
    guids = [
        one.documents[0].head["guid"]
        for data in (orders(1), orders(1), orders(1, 3))
        for one in mapped(as_csv(data))[1]
    ]
    assert guids[0] == guids[1] != guids[2]


def test_rows_of_a_document_need_not_follow_each_other() -> None:
    rows = [row(order, line) for line in (1, 2) for order in (1, 2, 3)]
    run, [one] = mapped(as_csv(rows))
    assert [len(document.lines) for document in one.documents] == [2, 2, 2]
    assert one.findings == ()
    assert run.tally.is_even


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_every_encoding_and_delimiter_gives_the_same_documents(encoding: str, delimiter: str) -> None:
    rows = [{**one, "规格型号": "25毫升"} for one in orders(2)]
    _, [one] = mapped(as_csv(rows, encoding, delimiter))
    _, [other] = mapped(as_csv(rows))
    assert [document.canonical() for document in one.documents] == [
        document.canonical() for document in other.documents
    ]


def test_a_workbook_gives_the_same_documents_as_a_text() -> None:
    _, [text] = mapped(as_csv(orders(3)))
    _, [book] = mapped(as_xlsx({"订单": grid(orders(3))}), "ORDERS.xlsx")
    assert [one.canonical() for one in book.documents] == [one.canonical() for one in text.documents]


def test_numbers_and_full_width_digits_are_read() -> None:
    odd = row(运杂费="1,234.50", 数量="２", 单位="001", 代扣税款="1559.555559")
    _, [one] = mapped(as_csv([odd]))
    document = one.documents[0]
    assert (document.head["freight"], document.head["taxTotal"]) == ("1234.50", "1559.55556")
    assert (document.lines[0]["qty"], document.lines[0]["unit"]) == ("2", "001")


def test_head_and_list_sheets_are_joined_by_the_key() -> None:
    heads = [{name: value for name, value in row(order).items() if name in HEADINGS[:15]} for order in (1, 2)]
    lines = [
        {"订单编号": row(order)["订单编号"], **{name: row(order, line)[name] for name in HEADINGS[15:]}}
        for order in (2, 1)
        for line in (1, 2)
    ]
    run, [one] = mapped(as_xlsx({"订单": grid(heads), "订单表体": grid(lines)}), "ORDERS.xlsx")
    assert [(document.head["orderNo"], len(document.lines)) for document in one.documents] == [
        ("YX202600000002", 2),
        ("YX202600000001", 2),
    ]
    assert one.findings == ()
    assert run.tally.is_even


def test_a_head_without_lines_is_refused_at_its_row() -> None:
    heads = [{name: value for name, value in row(order).items() if name in HEADINGS[:15]} for order in (1, 2)]
    lines = [{"订单编号": row()["订单编号"], **{name: row()[name] for name in HEADINGS[15:]}}]
    stray = [{**lines[0], "订单编号": "NOBODY"}]
    found = findings_of(as_xlsx({"订单": grid(heads), "订单表体": grid(lines + stray)}), "ORDERS.xlsx")
    assert {(one.code, one.row, one.path) for one in found if one.code != "S020"} == {("M025", 3, "")}
    assert {one.path.rpartition("/")[2] for one in found if one.code == "S020"} == {"goodsValue", "OrderList"}


def test_a_partner_overrides_single_lines() -> None:
    text = "path,column,verb,argument\n@from,,,orders-311\nOrderList/itemName,宝贝标题,text,\n"
    rows = [{("宝贝标题" if name == "商品名称" else name): value for name, value in row().items()}]
    _, [one] = mapped(as_csv(rows), used=own(text))
    assert (one.documents[0].lines[0]["itemName"], one.findings) == ("保湿面膜", ())


def test_a_title_above_the_headings_is_passed_over() -> None:
    data = "十一月订单汇总,,\r\n\r\n".encode() + as_csv(orders(1))
    run, [one] = mapped(data)
    assert (run.plan and run.plan.heading_row, len(one.documents), one.findings) == (3, 1, ())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.text(
            st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=60
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_text_comes_out_as_it_went_in(names: list[str]) -> None:
    rows = [row(1, line, 商品名称=name) for line, name in enumerate(names, 1)]
    run, judged = mapped(as_csv(rows), used=own(SMALL))
    bad = {found.row for one in judged for found in one.findings if found.code in ("M034", "M031")}
    told = [line["itemName"] for one in judged for document in one.documents for line in document.lines]
    assert [one for number, one in enumerate(told, 2) if number not in bad] == [
        name.strip() for number, name in enumerate(names, 2) if number not in bad
    ]
    assert run.tally.is_even


def table_maps() -> tuple[str, ...]:
    """The names of the maps that come with Kouan: one for each spec that enterprises send as tables."""
    from mapping.table import shipped as names

    found = tuple(name for name in names() if not name.startswith("draw-"))
    assert len(found) == 21
    return found


def declarations() -> Iterator[tuple[str, str]]:
    """Yield every declaration in each revision that has it."""
    for code, spec in catalog().specs.items():
        for revision in REVISIONS:
            try:
                table(spec.root, revision)
            except NoTable:
                continue
            if spec.receipt:
                yield code, revision


@pytest.mark.parametrize("name", table_maps())
def test_every_map_of_ours_covers_its_spec(name: str) -> None:
    from mapping.map_check import coverage

    assert [one["path"] for one in coverage(shipped(name)) if not one["covered"]] == []


@pytest.mark.parametrize("name", ["draw-603", "draw-621"])
def test_a_map_that_draws_leaves_out_what_customs_gives_and_what_nobody_tells(name: str) -> None:
    from mapping.map_check import coverage

    left = [one["path"] for one in coverage(shipped(name)) if not one["covered"]]
    assert left == ["InventoryHead/preNo", "InventoryHead/invtNo", "InventoryList/note"]


@pytest.mark.parametrize(("code", "revision"), sorted(declarations()))
def test_a_new_map_of_any_declaration_is_right(code: str, revision: str) -> None:
    from mapping.map_check import load_map
    from mapping.templates import excel_template, new_map

    used, findings = load_map(code, new_map(catalog().specs[code], revision), revision=revision)
    assert used is not None, json.dumps([found.as_dict() for found in findings], ensure_ascii=False)
    assert excel_template(used, revision).startswith(b"PK")


def test_a_filled_template_is_a_good_table() -> None:
    import python_calamine

    from mapping.templates import excel_template

    sheets = python_calamine.load_workbook(io.BytesIO(excel_template(shipped()))).sheet_names
    assert sheets == ["订单", "代码表"]
    assert codes(excel_template(shipped()), "t.xlsx") == set()
