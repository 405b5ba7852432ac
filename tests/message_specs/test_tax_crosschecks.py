"""What the tax office holds together is held together on a declaration, whoever wrote it."""

from datetime import date
from decimal import Decimal

import pytest

from message_specs.tax.crosschecks import cross_check
from message_specs.tax.laws import shipped
from message_specs.tax.rebating import Law

HS = "0403100000"
RATES = (
    {"hs": HS, "valid_from": "2026-01-01", "valid_to": "2026-10-31", "rate": "9"},
    {"hs": HS, "valid_from": "2026-11-01", "valid_to": "", "rate": "13"},
    {"hs": "1901200000", "valid_from": "2026-01-01", "valid_to": "", "rate": "9|13"},
)
GLH = "20261200100000001"
EXPORT = {
    "glh": GLH, "ckhwbgdh": "290120260000012345001", "ckrq": "20261121", "ckspdm": HS, "ckspmc": "酸乳",
    "jldw": "007", "cksl": "100",
}  # fmt: skip
PURCHASE = {
    "glh": GLH, "sz": "V", "pzzl": "02", "jhpzh": "26332000000012340001", "pzhh": "1",
    "ghfsbh": "91330200MA2C5E6F70", "ckspdm": HS, "spmc": "酸乳",
    "jldw": "007", "sl": "100", "jsje": "600000.00", "zsl": "13", "tsl": "13", "ktse": "78000.00",
}  # fmt: skip
Texts = dict[str, str]


def said(*lines: Texts, today: date = date(2026, 12, 20), **head: str) -> list[tuple[str, str]]:
    """The code and place of everything that is wrong with these lines under a head that agrees with them."""
    bought = [one for one in lines if "ckrq" not in one]
    base, refund = (f"{sum(Decimal(one[name]) for one in bought):.2f}" for name in ("jsje", "ktse"))
    counts = {"exportCount": str(len(lines) - len(bought)), "purchaseCount": str(len(bought))}
    whole = {**counts, "baseTotal": base, "refundTotal": refund, **head}
    found = cross_check(whole, lines, Law(RATES, (), "", ""), shipped("windows"), today)
    return [(one.code, one.path) for one in found]


def test_the_worked_refund_of_the_fact_sheet_agrees_with_itself() -> None:
    assert said(EXPORT, PURCHASE) == []


@pytest.mark.parametrize(
    ("export", "purchase", "expected"),
    [
        ({"ckrq": "20261031"}, {}, [("X108", "PurchaseList[1]/tsl")]),
        ({"ckrq": "20261031"}, {"tsl": "9", "ktse": "54000.00"}, []),
        ({}, {"zsl": "3", "tsl": "3", "ktse": "18000.00"}, []),
        ({}, {"ktse": "78000.01"}, [("X106", "PurchaseList[1]/ktse")]),
        ({}, {"ghfsbh": "91330200MA2C5E6F71"}, [("X144", "PurchaseList[1]/ghfsbh")]),
        ({}, {"jhpzh": "2633200000001234000"}, [("X145", "PurchaseList[1]/jhpzh")]),
        ({}, {"jhpzh": "330020113012345678"}, []),
        ({}, {"sz": "W"}, [("X137", "PurchaseList[1]/sz")]),
        ({}, {"spmc": "奶粉"}, [("X102", "PurchaseList[1]/spmc")]),
        ({}, {"sl": "99"}, [("X104", GLH)]),
        ({}, {"jldw": "035"}, [("X117", GLH), ("X117", GLH)]),
        ({"ckspdm": "1901200000"}, {"ckspdm": "1901200000"}, []),
        ({"ckspdm": "1901200000"}, {"ckspdm": "1901200000", "tsl": "9", "ktse": "54000.00"}, []),
        ({"sbspdm": "1901200000"}, {"tsl": "9", "ktse": "54000.00"}, []),
        ({"ckspdm": "9999999999"}, {"ckspdm": "9999999999"}, [("X105", "PurchaseList[1]")]),
        ({"ckhwbgdh": "29012026000001234"}, {}, [("X119", "ExportList[1]/ckhwbgdh")]),
        ({"ckhwbgdh": "", "dlzm": "33010020260000012301"}, {}, []),
        ({"ckhwbgdh": "", "dlzm": "330100202600000123"}, {}, [("X119", "ExportList[1]/ckhwbgdh")]),
        ({"dlzm": "33010020260000012301"}, {}, [("X119", "ExportList[1]/ckhwbgdh")]),
    ],
)
def test_each_disagreement_is_told_at_its_place(
    export: Texts, purchase: Texts, expected: list[tuple[str, str]]
) -> None:
    assert said(EXPORT | export, PURCHASE | purchase) == expected


def test_consumption_tax_stands_beside_the_value_added_tax_and_covers_no_more() -> None:
    paid = PURCHASE | {
        "sz": "C",
        "pzzl": "11",
        "jhpzh": "C1",
        "jsje": "40000.00",
        "zsl": "15",
        "tsl": "15",
        "ktse": "6000.00",
    }
    assert said(EXPORT, PURCHASE, paid) == []
    assert said(EXPORT, PURCHASE, paid | {"sl": "80"}) == []
    assert said(EXPORT, PURCHASE, paid | {"sl": "101"}) == [("X104", GLH)]
    wrong = paid | {"tsl": "9", "ktse": "3600.00"}
    assert said(EXPORT, PURCHASE, wrong) == [("X108", "PurchaseList[2]/tsl")]


@pytest.mark.parametrize(
    ("today", "note", "codes"),
    [
        (date(2026, 11, 30), "", ["X109"]),
        (date(2026, 12, 1), "", []),
        (date(2027, 4, 30), "", []),
        (date(2027, 5, 1), "", ["X110"]),
        (date(2027, 5, 1), "海外仓预退", ["X110"]),
        (date(2027, 5, 1), "收汇 2027-03-02 990001", []),
        (date(2029, 11, 21), "收汇 2027-03-02 990001", []),
        (date(2029, 11, 22), "收汇 2027-03-02 990001", ["X131"]),
    ],
)
def test_the_filing_period_is_counted_from_the_day_of_export(today: date, note: str, codes: list[str]) -> None:
    assert [code for code, _ in said(EXPORT | {"bz": note}, PURCHASE, today=today)] == codes


def test_the_head_is_the_sum_of_the_lines_to_the_fen() -> None:
    assert said(EXPORT, PURCHASE, refundTotal="78000.01") == [("X120", "RefundHead/refundTotal")]
