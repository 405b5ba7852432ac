"""Exports and purchases are linked first in, first out, each once; what cannot be declared is told and left out."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_specs.tax.forms import Export, Purchase, refund_of
from message_specs.tax.linking import link
from message_specs.tax.rebating import Law

MILK, TEA = "0403100000", "0902209000"
LAW = Law(
    (
        {"hs": MILK, "valid_from": "2026-01-01", "valid_to": "2026-10-31", "rate": "9"},
        {"hs": MILK, "valid_from": "2026-11-01", "valid_to": "", "rate": "13"},
        {"hs": TEA, "valid_from": "2026-01-01", "valid_to": "", "rate": "9"},
    ),
    (),
    "202612",
    "001",
)


def export(number: int, qty: str = "1", hs: str = MILK, on: date = date(2026, 11, 21)) -> Export:
    return Export(f"290120260000012345{number:03d}", on, hs, "酸乳", (("007", Decimal(qty)),), Decimal(10))


def purchase(number: int, qty: str = "100", base: str = "600000", hs: str = MILK, rate: str = "13") -> Purchase:
    issued, amounts = date(2026, 10, number), (Decimal(qty), Decimal(base), Decimal(rate))
    return Purchase(f"V{number}", 1, "02", issued, "S", hs, "酸乳", "007", *amounts)


def test_what_the_fact_sheet_works_out_is_worked_out_here() -> None:
    forms = link([export(1, "60"), export(2, "40")], [purchase(1)], LAW)
    assert (forms.base, forms.refund, forms.findings) == (Decimal("600000.00"), Decimal("78000.00"), ())
    assert [(row.link, row.amount) for row in forms.exports] == [
        ("20261200100000001", Decimal(60)), ("20261200100000001", Decimal(40)),
    ]  # fmt: skip
    assert refund_of(Decimal(600000), Decimal(9)) == Decimal("54000.00")


def test_purchases_are_used_in_their_order_and_one_may_be_used_in_part() -> None:
    forms = link([export(1, "150")], [purchase(2), purchase(1)], LAW)
    assert [(row.purchase.voucher, row.amount, row.base) for row in forms.purchases] == [
        ("V1", Decimal(100), Decimal("600000.00")), ("V2", Decimal(50), Decimal("300000.00")),
    ]  # fmt: skip


def test_the_rate_is_that_of_the_day_of_export_and_never_above_the_tax_paid() -> None:
    early, late = export(1, on=date(2026, 10, 31)), export(2, on=date(2026, 11, 1))
    forms = link([late, early], [purchase(1, rate="13"), replace(purchase(2), tax_rate=Decimal(3))], LAW)
    assert [(row.link[-1], row.refund_rate) for row in forms.purchases] == [("1", Decimal(9)), ("2", Decimal(13))]
    cheap = link([late], [purchase(1, rate="3")], LAW)
    assert [row.refund_rate for row in cheap.purchases] == [Decimal(3)]


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (replace(export(1), fob=None), "X111"),
        (replace(export(1), hs="9999999999"), "X105"),
        (replace(export(1), amounts=(("035", Decimal(1)),)), "X103"),
        (export(1, "101"), "X121"),
    ],
)
def test_what_cannot_be_declared_is_left_out_with_its_reason(one: Export, code: str) -> None:
    forms = link([one], [purchase(1)], LAW)
    assert ([said.code for said in forms.findings], forms.exports, forms.purchases) == ([code], (), ())


def test_goods_without_refund_are_left_out() -> None:
    law = replace(LAW, excluded=({"hs": "0403", "since": "2026-11-01", "until": ""},))
    assert [said.code for said in link([export(1)], [purchase(1)], law).findings] == ["X116"]
    assert link([export(1, on=date(2026, 10, 31))], [purchase(1)], law).findings == ()


def test_what_is_not_refunded_goes_to_the_cost_as_the_fact_sheet_works_it_out() -> None:
    nine = replace(LAW, rebates=({"hs": MILK, "valid_from": "2026-01-01", "valid_to": "", "rate": "9"},))
    forms = link([export(1, "100")], [purchase(1)], nine)
    assert (forms.refund, forms.cost) == (Decimal("54000.00"), Decimal("24000.00"))
    assert link([export(1, "100")], [purchase(1)], LAW).cost == 0


def test_a_code_of_several_rates_or_of_none_is_left_out_and_never_guessed() -> None:
    several = replace(LAW, rebates=({"hs": MILK, "valid_from": "2019-07-01", "valid_to": "", "rate": "9|13"},))
    said = link([export(1)], [purchase(1)], several).findings
    assert [(one.code, one.zh) for one in said] == [
        ("X124", f"商品 {MILK} 在 2026-11-21 有多个退税率 9 / 13（290120260000012345001），本批不申报"),
    ]  # fmt: skip
    nothing = replace(LAW, rebates=({"hs": MILK, "valid_from": "2019-07-01", "valid_to": "", "rate": "0"},))
    assert [one.code for one in link([export(1)], [purchase(1)], nothing).findings] == ["X125"]


def test_purchases_of_the_same_name_come_first_however_late_they_are() -> None:
    dear, cheap = replace(purchase(1), name="奶粉"), replace(purchase(2), base=Decimal(1000))
    forms = link([export(1, "60")], [dear, cheap], LAW)
    assert [(row.purchase.voucher, row.amount, row.base) for row in forms.purchases] == [
        ("V2", Decimal(60), Decimal("600.00")),
    ]  # fmt: skip
    assert forms.findings == ()
    # What its own name does not cover takes the others, and is told.
    more = link([export(1, "60"), export(2, "60")], [dear, cheap], LAW)
    assert [(row.link[-1], row.purchase.voucher, row.amount) for row in more.purchases] == [
        ("1", "V2", Decimal(60)), ("2", "V1", Decimal(60)),
    ]  # fmt: skip
    assert [one.code for one in more.findings] == ["X102"]


def test_goods_to_an_overseas_warehouse_stand_by_themselves_and_say_so() -> None:
    forms = link([export(1, "60"), replace(export(2, "40"), mode="9810")], [purchase(1)], LAW)
    assert [(row.link[-1], row.export.number[-1], row.export.remark) for row in forms.exports] == [
        ("1", "1", ""), ("2", "2", "海外仓预退"),
    ]  # fmt: skip
    assert [(row.link[-1], row.amount, row.refund) for row in forms.purchases] == [
        ("1", Decimal(60), Decimal("46800.00")), ("2", Decimal(40), Decimal("31200.00")),
    ]  # fmt: skip


def test_consumption_tax_is_refunded_as_it_was_paid_and_for_no_more_goods() -> None:
    paid = replace(purchase(3, "80", "40000", rate="15"), tax="C", kind="11")
    forms = link([export(1, "60")], [purchase(1), paid], LAW)
    assert [(row.purchase.tax, row.amount, row.base, row.refund_rate, row.refund) for row in forms.purchases] == [
        ("V", Decimal(60), Decimal("360000.00"), Decimal(13), Decimal("46800.00")),
        ("C", Decimal(60), Decimal("30000.00"), Decimal(15), Decimal("4500.00")),
    ]  # fmt: skip
    assert forms.findings == ()
    short = link([export(1, "100")], [purchase(1), paid], LAW)
    assert [row.amount for row in short.purchases] == [Decimal(100), Decimal(80)]
    assert [(one.code, one.value) for one in short.findings] == [("X136", "80")]
    # Without the value added tax there is nothing beside which it could stand.
    assert [one.code for one in link([export(1)], [paid], LAW).findings] == ["X103"]


def test_another_name_on_the_invoice_is_a_warning() -> None:
    forms = link([export(1)], [replace(purchase(1), name="奶")], LAW)
    assert [(said.code, str(said.severity)) for said in forms.findings] == [("X102", "warning")]
    assert len(forms.exports) == 1


@given(
    st.lists(st.tuples(st.integers(1, 50), st.sampled_from([MILK, TEA])), max_size=12),
    st.lists(st.tuples(st.integers(1, 90), st.sampled_from([MILK, TEA]), st.integers(1, 10**6)), max_size=8),
)
def test_nothing_is_used_twice_and_both_details_have_the_same_quantities(
    sold: list[tuple[int, str]], bought: list[tuple[int, str, int]]
) -> None:
    exports = [export(place, str(qty), hs) for place, (qty, hs) in enumerate(sold)]
    purchases = [purchase(place + 1, str(qty), f"{fen / 100:.2f}", hs) for place, (qty, hs, fen) in enumerate(bought)]
    forms = link(exports, purchases, LAW)
    by_link: dict[str, Decimal] = {}
    for row in forms.exports:
        by_link[row.link] = by_link.get(row.link, Decimal(0)) + row.amount
    for taken in forms.purchases:
        by_link[taken.link] -= taken.amount
        assert taken.refund == refund_of(taken.base, taken.refund_rate)
    assert set(by_link.values()) <= {Decimal(0)}
    used: dict[str, list[tuple[Decimal, Decimal]]] = {}
    for taken in forms.purchases:
        used.setdefault(taken.purchase.voucher, []).append((taken.amount, taken.base))
    for one in purchases:
        parts = used.get(one.voucher, [])
        assert sum((qty for qty, _ in parts), Decimal(0)) <= one.whole
        if sum((qty for qty, _ in parts), Decimal(0)) == one.whole:
            assert sum((base for _, base in parts), Decimal(0)) == one.base
    declared = [row.export.number for row in forms.exports]
    assert len(declared) == len(set(declared))
