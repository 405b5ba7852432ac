"""Code tables mean what they say on a day, and a receipt status is never thrown away."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import message_specs
from message_specs.codes import (
    Row,
    Status,
    codes_on,
    meaning,
    official_error,
    receipt_status,
    table,
    trade_modes_of,
)
from message_specs.opening import open_message

TODAY = date(2026, 11, 21)
SAMPLES = Path(message_specs.__file__).parent / "ceb/samples/good"
TABLES = sorted(
    file.stem for file in (Path(message_specs.__file__).parent / "codes").glob("*.csv") if file.stem != "receipt_status"
)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_one_meaning_a_day_and_no_blank_name(name: str) -> None:
    for code, rows in table(name).items():
        assert code == code.strip() != ""
        assert sum(row.holds(TODAY) for row in rows) <= 1
        assert all(row.zh == row.zh.strip() != "" for row in rows)


def test_a_code_means_nothing_before_its_day() -> None:
    assert meaning("trade_mode", "9610", date(2013, 1, 1)) is None
    found = meaning("trade_mode", "9610", TODAY)
    assert found is not None
    assert (found.zh, found.since) == ("跨境贸易电子商务", date(2014, 2, 10))


def test_a_row_holds_from_its_first_day_to_its_last() -> None:
    row = Row("1", "一", "one", date(2020, 1, 1), date(2020, 12, 31))
    days = (date(2019, 12, 31), date(2020, 1, 1), date(2020, 12, 31), date(2021, 1, 1))
    assert [row.holds(day) for day in days] == [False, True, True, False]


def test_old_numeric_countries_and_currencies_are_kept() -> None:
    assert {"116", "142", "502", "601", "609"} <= codes_on("country", TODAY)
    assert {"142", "502", "300"} <= codes_on("currency", TODAY)


@pytest.mark.parametrize("spec", ["CEB312", "CEB412", "CEB512"])
def test_orders_payments_and_waybills_end_with_120_or_399(spec: str) -> None:
    outcomes = [receipt_status(spec, status).outcome for status in ("2", "3", "4", "100", "120", "399", "-301010")]
    assert outcomes == ["interim", "interim", "interim", "refused", "final", "final", "refused"]


def test_an_inventory_ends_with_800_or_899() -> None:
    interim = ("1", "2", "3", "4", "120", "300", "399", "500", "501", "502", "503", "599", "700")
    assert {receipt_status("CEB622", status).outcome for status in interim} == {"interim"}
    assert {receipt_status("CEB622", status).outcome for status in ("800", "899")} == {"final"}
    assert {receipt_status("CEB622", status).outcome for status in ("100", "-621018", "-1")} == {"refused"}


def test_an_unknown_positive_status_is_kept_as_interim() -> None:
    assert receipt_status("CEB622", "600") == Status(
        "600", "未知回执状态 600", "unknown status 600", "interim", known=False
    )


@given(st.integers(max_value=-1))
def test_every_negative_status_refuses(number: int) -> None:
    status = receipt_status("CEB900", str(number))
    assert (status.status, status.outcome, status.known) == (str(number), "refused", True)


def test_the_orders_and_inventories_of_the_samples_agree_on_type_and_trade_mode() -> None:
    pairs = (("311", "621"), ("311_1210", "621_1210"), ("303", "603"), ("303", "603_1210"))
    pairs += (("303_platform_abroad", "603_9710"),)
    for order, inventory in pairs:
        kind = open_message((SAMPLES / f"CEB{order}.xml").read_bytes()).documents[0].head["orderType"]
        mode = open_message((SAMPLES / f"CEB{inventory}.xml").read_bytes()).documents[0].head["tradeMode"]
        assert mode in trade_modes_of(kind)
    assert "9810" in trade_modes_of("W")
    assert all(modes <= codes_on("trade_mode", TODAY) for modes in map(trade_modes_of, "IEBW"))


def test_the_export_receipts_end_where_the_specification_ends_them() -> None:
    ends = {
        ("CEB304", "120"), ("CEB404", "120"), ("CEB506", "399"), ("CEB508", "399"), ("CEB510", "399"),
        ("CEB604", "800"), ("CEB604", "899"), ("CEB606", "399"), ("CEB608", "120"), ("CEB702", "399"),
        ("CEB214", "800"), ("CEB216", "399"), ("CEB624", "399"), ("CEB626", "399"), ("CEB712", "399"),
    }  # fmt: skip
    assert {receipt_status(spec, status).outcome for spec, status in ends} == {"final"}
    on_the_way = {("CEB604", "120"), ("CEB604", "399"), ("CEB604", "500"), ("CEB624", "120"), ("CEB214", "600")}
    assert {receipt_status(spec, status).outcome for spec, status in on_the_way} == {"interim"}
    assert {receipt_status("CEB816", status).outcome for status in "123"} == {"interim"}
    assert receipt_status("CEB792", "1").zh == "报关单状态（1）"


def test_an_official_number_tells_what_is_wrong() -> None:
    error = official_error("-301002")
    assert error is not None
    assert (error.scope, error.zh) == ("CEB312", "订单商品序号重复")
    assert receipt_status("CEB312", "-301002").zh == error.zh
    assert official_error("-1") is None
