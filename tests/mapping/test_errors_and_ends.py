"""Error values that stand as text are no values; what lies beyond the end of a reading is counted, not looked at."""

import io
import time
from array import array

import pytest

from mapping.apply import Most, map_file
from mapping.headings import take_headings, text_sheet
from mapping.nearby import Nearby, mark_of, recurring
from mapping.plan import make_plan
from mapping.survey import Survey, look_again, surveyed
from mapping.tidying import Tidied, tidied
from message_specs.findings import Finding
from tests.mapping.tables import FACTS, as_csv, as_xlsx, findings_of, grid, mapped, orders, row, shipped

ERRORS = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#n/a", "########")


def wrong(rows: list[dict[str, str]], *, as_book: bool = False) -> list[tuple[str, int | None, str | None, int | None]]:
    data = as_xlsx({"订单": grid(rows)}) if as_book else as_csv(rows)
    found = findings_of(data, "a.xlsx" if as_book else "a.csv")
    return [(one.code, one.row, one.cell, one.document) for one in found]


@pytest.mark.parametrize("text", ERRORS)
@pytest.mark.parametrize(("heading", "letter"), [("订购人姓名", "J"), ("商品名称", "Q"), ("单位", "S"), ("数量", "T")])
def test_an_error_value_in_text_is_told_at_its_cell_and_nothing_else(text: str, heading: str, letter: str) -> None:
    assert wrong([row(1), row(2, **{heading: text})]) == [("M037", 3, f"{letter}3", 2)]
    assert wrong([row(1), row(2, **{heading: text})], as_book=True) == [("M037", 3, f"订单!{letter}3", 2)]


def test_an_order_number_that_is_an_error_value_is_none() -> None:
    # The other cells of its head are those of the order above, so it may be a line of it.
    rows = [row(1), row(1, 2, 订单编号="#REF!"), row(2)]
    assert wrong(rows) == [("M037", 3, "A3", None), ("M028", 3, None, 1)]
    [found] = [one for one in findings_of(as_csv(rows)) if one.code == "M037"]
    assert (found.value, "“订单编号”" in found.zh, found.column) == ("#REF!", True, 1)


def test_a_hash_that_begins_a_name_is_no_error() -> None:
    assert wrong([row(1, 商品名称="#1 桂花糕 #N/A 款", 规格型号="##")]) == []


def test_an_error_value_among_the_heads_leaves_the_lines_without_one() -> None:
    whole = orders(2, 1)
    heads = [{name: one[name] for name in list(one)[:15]} for one in whole]
    lines = [{name: one[name] for name in ("订单编号", *list(one)[15:])} for one in whole]
    heads[1]["订单编号"] = "#N/A"
    found = findings_of(as_xlsx({"订单": grid(heads), "商品": grid(lines)}), "a.xlsx")
    assert [(one.code, one.row, one.cell) for one in found] == [("M037", 3, "订单!A3"), ("M025", 3, None)]


def test_a_heading_that_is_unknown_is_told_on_its_own_sheet() -> None:
    whole = orders(1, 1)
    heads = [{name: one[name] for name in list(one)[:15]} | {"备用": "x"} for one in whole]
    lines = [{name: one[name] for name in ("订单编号", *list(one)[15:])} | {"甲": "", "乙": "x"} for one in whole]
    found = findings_of(as_xlsx({"订单": grid(heads), "商品": grid(lines)}), "a.xlsx")
    assert {(one.code, one.cell, one.value) for one in found} == {
        ("M005", "订单!P1", "备用"), ("M005", "商品!I1", "甲"), ("M005", "商品!J1", "乙"),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["orders-311", "payments-411"])
def test_after_too_many_findings_rows_are_only_counted(name: str) -> None:
    used = shipped(name)
    headings = ",".join(dict.fromkeys(line.columns[0] for line in used.lines if line.columns))
    count = 900_000
    data = headings.encode() + b"\r\n" + b"a\r\n" * count + b"\r\n,,\r\n"
    begun = time.process_time()
    run = map_file(io.BytesIO(data), "a.csv", used, FACTS, "202205", Most(None, 5_000))
    for _ in run.batches():
        pass
    # Grouping every row took 12 microseconds a row; counting takes one.
    assert time.process_time() - begun < 5
    tally = run.tally
    assert (tally.is_even, tally.rows - tally.blank, tally.mapped + tally.refused) == (True, count, count)
    assert run.findings[-1].code == ("M029" if name == "orders-311" else "M013")


def test_the_rows_of_orders_in_hand_are_counted_where_a_reading_ends() -> None:
    # Two orders are open when the third is the one finding too many.
    rows = [row(1), row(2), row(3, 数量="x"), row(1, 2), row(2, 2), row(4)]
    run = map_file(io.BytesIO(as_csv(rows)), "a.csv", shipped(), FACTS, "202205", Most(None, 0))
    assert [one.ordinal for batch in run.batches() for one in batch] == [1, 2, 3]
    run = map_file(
        io.BytesIO(as_csv([rows[2], *rows[:2], *rows[3:]])), "a.csv", shipped(), FACTS, "202205", Most(None, 0)
    )
    assert [one.ordinal for batch in run.batches() for one in batch] == [1]
    tally = run.tally
    assert (tally.rows, tally.mapped, tally.refused, tally.is_even) == (6, 1, 5, True)
    assert [(one.code, one.row) for one in run.findings] == [("M013", 2)]


def planned(data: bytes) -> tuple[Survey, list[Tidied], list[int]]:
    """The survey of a table looked at again as if every mark recurred, its rows, and what `lasts` was before."""
    used = shipped()

    def rows():  # type: ignore[no-untyped-def]  # the plan and the rows below its headings
        taken = take_headings(text_sheet(io.BytesIO(data), "utf-8", ","), used)
        assert not isinstance(taken, Finding)
        return make_plan(used, taken[0], taken[1], "202205"), taken[2].rows

    plan, first = rows()
    told = surveyed(plan, first, window=5)
    before = list(told.lasts)
    all_rows = list(tidied(*rows()))
    told.recurring = frozenset(mark_of(one.key) for one in all_rows)
    look_again(told, *rows())
    return told, all_rows, before


def test_only_what_truly_begins_twice_is_refused_when_it_is_looked_at_again() -> None:
    told, _, before = planned(as_csv([row(1), *(row(order) for order in range(2, 9)), row(1, 2), row(9)]))
    assert before == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    assert list(told.lasts) == [0, 3, 4, 5, 6, 7, 8, 9, 0, 11]


def test_an_order_far_below_another_of_its_number_refuses_both() -> None:
    rows = [row(1), *(row(order) for order in range(2, 10_100)), row(1, 2), row(1, 3)]
    run, judged = mapped(as_csv(rows))
    assert [(one.code, one.row) for one in run.findings] == [("M023", 2)]
    assert (run.tally.refused, run.tally.documents, run.tally.is_even) == (3, 10_098, True)
    assert not any(each.bad for each in judged)


def test_marks_that_recur_are_found_across_parts() -> None:
    marks = array("Q", range(1 << 17))
    assert recurring(marks) == frozenset()
    marks.extend([5, 1 << 40, 70_000])
    assert recurring(marks) == {5, 70_000}


def test_what_is_nearby_is_one_window_of_keys() -> None:
    near = Nearby(3)
    places = [near.place((key,), number) for number, key in enumerate("abacbda", 1)]
    assert places == [0, 1, 0, 2, 3, 4, 5]
    assert near.count == 6
