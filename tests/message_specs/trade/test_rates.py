"""The rate table is dated, a home's rows lie over ours, and a file with a mistake is good for nothing."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_specs import trade
from message_specs.codes import table
from message_specs.findings import finding
from message_specs.trade.rate_file import read_rates
from message_specs.trade.rates import COLUMNS, Consumption, Rate, Rates, measures

DAY = date(2026, 11, 21)
HEAD = ",".join(COLUMNS)
GOOD = "9000000001,2026-01-01,2026-12-31,5,13,threshold,15,10,g,035,011,面霜,公告"


def read(*rows: str, head: str = HEAD) -> tuple[tuple[Rate, ...], tuple[object, ...]]:
    return read_rates("\n".join([head, *rows, ""]).encode())


def test_a_row_becomes_a_rate() -> None:
    rate = Rate(
        "9000000001", date(2026, 1, 1), date(2026, 12, 31), Decimal(5), Decimal(13), Consumption.THRESHOLD,
        Decimal(15), Decimal(10), "g", "035", "011", "面霜", "公告",
    )  # fmt: skip
    assert read(GOOD) == ((rate,), ())
    assert ",".join(rate.as_row().values()) == GOOD


def test_a_file_that_was_cut_in_a_row_is_good_for_nothing() -> None:
    whole = f"{HEAD}\n{GOOD}\n"
    for length in range(len(HEAD) + 2, whole.rindex(",") + 1):
        rates, found = read_rates(whole[:length].encode())
        assert (rates, len(found) > 0) == ((), True)
    cut = whole[: whole.index("15") + 1]
    assert read_rates(cut.encode()) == ((), (finding("T330", row=2, found="7", expected="13"),))


def test_a_file_from_a_spreadsheet_may_have_a_mark_comments_blanks_and_fewer_columns() -> None:
    data = "\ufeffvat,hs,valid_from,valid_to,duty,ct_type\r\n# ours\r\n,,,,,\r\n 9 ,9000000001,2026-01-01,,0,none\r\n"
    rate = Rate("9000000001", date(2026, 1, 1), None, Decimal(0), Decimal(9), Consumption.NONE)
    assert read_rates(data.encode()) == ((rate,), ())


def row(**changed: str) -> str:
    return ",".join((dict(zip(COLUMNS, GOOD.split(","), strict=True)) | changed).values())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"hs": "90000001"}, finding("T322", row=2, path="hs", value="90000001")),
        ({"hs": "９000000001"}, finding("T322", row=2, path="hs", value="９000000001")),
        ({"valid_from": ""}, finding("T323", row=2, path="valid_from", value="", name="valid_from")),
        ({"valid_from": "20260101"}, finding("T323", row=2, path="valid_from", value="20260101", name="valid_from")),
        ({"valid_to": "2026-02-30"}, finding("T323", row=2, path="valid_to", value="2026-02-30", name="valid_to")),
        ({"valid_to": "2025-12-31"}, finding("T323", row=2, path="valid_to", value="2025-12-31", name="valid_to")),
        ({"duty": "five"}, finding("T324", row=2, path="duty", value="five", name="duty")),
        ({"vat": "100"}, finding("T324", row=2, path="vat", value="100", name="vat")),
        ({"vat": "1e1"}, finding("T324", row=2, path="vat", value="1e1", name="vat")),
        ({"vat": "1_3"}, finding("T324", row=2, path="vat", value="1_3", name="vat")),
        ({"vat": "１３"}, finding("T324", row=2, path="vat", value="１３", name="vat")),
        ({"valid_to": "2026-W30-1"}, finding("T323", row=2, path="valid_to", value="2026-W30-1", name="valid_to")),
        ({"vat": "NaN"}, finding("T324", row=2, path="vat", value="NaN", name="vat")),
        ({"ct_rate": "-1"}, finding("T324", row=2, path="ct_rate", value="-1", name="ct_rate")),
        ({"ct_threshold": "x"}, finding("T324", row=2, path="ct_threshold", value="x", name="ct_threshold")),
        ({"ct_type": "some"}, finding("T325", row=2, path="ct_type", value="some", name="ct_type")),
        ({"ct_rate": ""}, finding("T325", row=2, path="ct_rate", value="", name="ct_rate")),
        ({"ct_per": ""}, finding("T325", row=2, path="ct_per", value="", name="ct_per")),
        ({"ct_per": "box"}, finding("T325", row=2, path="ct_per", value="box", name="ct_per")),
        ({"unit1": "kg"}, finding("T326", row=2, path="unit1", value="kg", name="unit1")),
        ({"source": "公告,1"}, finding("T330", row=2, found="14", expected="13")),
    ],
)
def test_every_mistake_of_a_row_is_told_with_its_line(changed: dict[str, str], said: object) -> None:
    assert read(row(**changed), row(hs="9000000002")) == ((), (said,))


def test_days_that_overlap_are_told_with_both_lines() -> None:
    rows = [
        row(valid_to="2027-12-31"), row(valid_from="2026-03-01", valid_to="2026-03-31"),
        row(valid_from="2027-12-31", valid_to=""), row(valid_from="2029-01-01", valid_to="2029-12-31"),
        row(hs="9000000002"),
    ]  # fmt: skip

    def overlap(line: int, first: int) -> object:
        return finding("T327", row=line, path="valid_from", value="9000000001", hs="9000000001", first=str(first))

    assert read(*rows) == ((), (overlap(3, 2), overlap(4, 2), overlap(5, 4)))


def test_a_file_that_is_no_rate_table_says_why() -> None:
    assert read_rates("hs,名称".encode("gb18030"))[1] == (finding("T320", place="3"),)
    assert read_rates(b'hs,"vat\n1')[1] == (finding("T321", row=2, reason="unexpected end of data"),)
    assert read(head="hs,valid_from,valid_to,duty,vat,vat,rate")[1] == (
        finding("T328", row=1, path="ct_type", name="ct_type"),
        finding("T329", row=1, value="vat", name="vat"),
        finding("T329", row=1, value="vat", name="vat"),
        finding("T329", row=1, value="rate", name="rate"),
    )
    assert [one.code for one in read_rates(b"")[1]] == ["T328"] * 6


@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    for text in (data, f"{HEAD}\n".encode() + data):
        rates, found = read_rates(text)
        assert not rates or not found


def test_the_rows_of_a_home_hold_on_their_days_and_ours_on_all_others() -> None:
    ours = Rates().on("4202210090", DAY)
    own = Rate("4202210090", date(2026, 11, 1), date(2026, 11, 30), Decimal(6), Decimal(9), Consumption.NONE)
    both = Rates((own,))
    assert [both.on("4202210090", day) for day in (date(2026, 10, 31), DAY, date(2026, 12, 1))] == [ours, own, ours]
    assert (both.is_own(own), ours is not None and both.is_own(ours)) == (True, False)
    assert list(both.all_on(DAY, "4202210090")) == [own]


def test_our_own_table_passes_its_own_reading_and_its_units_are_known() -> None:
    rates = list(Rates().all_on(DAY))
    assert read_rates(Path(trade.__file__).with_name("rates.csv").read_bytes()) == (tuple(rates), ())
    assert len(rates) == 11988
    assert {measure.unit for measure in measures()} <= set(table("unit"))
    assert {rate.ct_per for rate in rates} - {""} == {measure.per for measure in measures()}


@pytest.mark.parametrize(
    ("hs", "vat", "kind"),
    [
        ("1901101000", "13", "none"), ("3304990029", "13", "threshold"), ("3304990039", "13", "threshold"),
        ("2106909090", "13", "none"), ("4202210090", "13", "none"), ("2201101000", "13", "none"),
    ],
)  # fmt: skip
def test_the_sample_codes_of_the_trade_are_in_our_table(hs: str, vat: str, kind: str) -> None:
    rate = Rates().on(hs, DAY)
    assert rate is not None
    assert (rate.vat, rate.ct_type) == (Decimal(vat), kind)
