"""The tax on a retail import comes out as the notices reckon it, with every figure on the way."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_specs.findings import finding
from message_specs.trade.limits import Limits, NoLimits, Standing, limits_on
from message_specs.trade.rates import Consumption, Rate, Rates
from message_specs.trade.sharing import Rounding, money, shares
from message_specs.trade.taxing import LineTax, Prediction, Purchase, Taxes, Terms, measure, predict

DAY = date(2026, 11, 21)
LIMITS = Limits(single=Decimal(5000), yearly=Decimal(26000), factor=Decimal("0.7"))
ROUNDING = Rounding()


def rate(hs: str, vat: str = "13", ct: str = "0", duty: str = "0") -> Rate:
    kind = Consumption.AD_VALOREM if ct != "0" else Consumption.NONE
    return Rate(hs, date(2019, 1, 1), None, Decimal(duty), Decimal(vat), kind, Decimal(ct) if ct != "0" else None)


PLAIN, MADE_UP, BOOK = rate("9000000001"), rate("9000000002", ct="15", duty="5"), rate("9000000003", vat="9")
DUTIABLE = rate("9000000004", duty="10")
TERMS = Terms(DAY, Rates((PLAIN, MADE_UP, BOOK, DUTIABLE)), LIMITS, ROUNDING)


def line(hs: str, total: str, qty: str = "1", gnum: int = 1, **more: str) -> dict[str, str]:
    return {"gnum": str(gnum), "gcode": hs, "qty": qty, "totalPrice": total, **more}


def taxes(duty: str, consumption: str, vat: str) -> Taxes:
    return Taxes(Decimal(duty), Decimal(consumption), Decimal(vat))


def to_six(told: Taxes) -> Taxes:
    return told.rounded(Rounding(places=6))


@pytest.mark.parametrize(
    ("rate", "price", "statutory", "payable", "total"),
    [
        (PLAIN, "200.00", ("0", "0", "26"), ("0.00", "0.00", "18.20"), "18.20"),
        (MADE_UP, "1000.00", ("0", "176.470588", "152.941176"), ("0.00", "123.53", "107.06"), "230.59"),
        (BOOK, "100.00", ("0", "0", "9"), ("0.00", "0.00", "6.30"), "6.30"),
        (DUTIABLE, "6000.00", ("600", "0", "858"), ("600.00", "0.00", "858.00"), "1458.00"),
        (MADE_UP, "6000.00", ("300", "1111.764706", "963.529412"), ("300.00", "1111.76", "963.53"), "2375.29"),
    ],
)
def test_the_worked_examples_come_out(
    rate: Rate, price: str, statutory: tuple[str, str, str], payable: tuple[str, str, str], total: str
) -> None:
    told = predict({}, [line(rate.hs, price)], TERMS)
    (one,) = told.lines
    assert one.statutory is not None
    assert told.payable is not None
    assert to_six(one.statutory) == taxes(*statutory)
    assert (told.payable, one.shown) == (taxes(*payable), taxes(*payable))
    assert (told.payable.total, told.findings) == (Decimal(total), ())


def test_a_prediction_shows_every_figure() -> None:
    head = {"freight": "8", "insuredFee": "1.00"}
    lines = [line(PLAIN.hs, "159.80", "2"), line(BOOK.hs, "135.00", "3", 2), line(PLAIN.hs, "168.50", "1", 3)]
    told = predict(head, lines, TERMS)
    zero = Decimal(0)

    def one(gnum: int, rate: Rate, goods: str, freight: str, insurance: str, value: str, vat: str) -> LineTax:
        exact = Decimal(value) * rate.vat / 100
        return LineTax(
            gnum, rate.hs, Decimal(goods), Decimal(freight), Decimal(insurance), Decimal(value), rate, None, zero,
            Taxes(zero, zero, exact), Taxes(zero, zero, exact * Decimal("0.7")), taxes("0.00", "0.00", vat),
        )  # fmt: skip

    assert told == Prediction(
        DAY,
        Purchase(
            Decimal("463.30"), Decimal(8), Decimal("1.00"), Decimal("472.30"), Decimal(6), Standing.INSIDE,
        ),
        LIMITS, Decimal("0.7"), ROUNDING,
        (
            one(1, PLAIN, "159.80", "2.75", "0.34", "162.89", "14.82"),
            one(2, BOOK, "135.00", "2.33", "0.29", "137.62", "8.67"),
            one(3, PLAIN, "168.50", "2.92", "0.37", "171.79", "15.63"),
        ),
        taxes("0.00", "0.00", "39.13"),
    )  # fmt: skip
    shown = told.as_dict()
    assert (shown["on"], shown["purchase"]["standing"], shown["payable"]) == (
        "2026-11-21", "inside", {"duty": "0.00", "consumption": "0.00", "vat": "39.13"},
    )  # fmt: skip
    assert shown["lines"][1]["freight"] == "2.33"


def test_rounding_of_each_line_makes_another_total_than_rounding_of_the_bill() -> None:
    lines = [line(PLAIN.hs, "10.07", gnum=gnum) for gnum in (1, 2, 3)]
    ways = {
        (mode, at): predict({}, lines, Terms(DAY, TERMS.rates, LIMITS, Rounding(mode, 2, at))).payable
        for mode in ("half_up", "down")
        for at in ("bill", "line")
    }
    # 10.07 · 13 % · 0.7 = 0.91637
    assert {way: told and told.vat for way, told in ways.items()} == {
        ("half_up", "bill"): Decimal("2.75"),
        ("half_up", "line"): Decimal("2.76"),
        ("down", "bill"): Decimal("2.74"),
        ("down", "line"): Decimal("2.73"),
    }


@pytest.mark.parametrize(
    ("price", "unit_price", "levied", "vat"),
    [("480.00", "9.6", "0", "43.68"), ("500.00", "10", "15", "53.53"), ("520.00", "10.4", "15", "55.67")],
)
def test_a_cream_is_taxed_as_a_luxury_from_ten_yuan_a_gram(price: str, unit_price: str, levied: str, vat: str) -> None:
    cream = line("3304990029", price, qty1="0.05", unit1="035", qty2="1", unit2="011")
    (one,) = predict({}, [cream], Terms(DAY, Rates(), LIMITS)).lines
    assert one.shown is not None
    assert (one.unit_price, one.consumption_rate, one.shown.vat) == (Decimal(unit_price), Decimal(levied), Decimal(vat))


@pytest.mark.parametrize(
    ("hs", "quantities", "price"),
    [
        ("3304990029", {"qty1": "50", "unit1": "036"}, "10.4"),
        ("3304990039", {"qty1": "0.05", "unit1": "095"}, "10.4"),
        ("3304990039", {"qty1": "0.26", "unit1": "035", "qty2": "50", "unit2": "096"}, "10.4"),
        ("3304990039", {"qty1": "0.05", "unit1": "035"}, "10.4"),
        ("3304990049", {"qty1": "0.26", "unit1": "035", "qty2": "20", "unit2": "020"}, "26"),
        ("9101210090", {"qty1": "1", "unit1": "008"}, "520"),
    ],
)
def test_the_price_of_a_unit_is_read_from_the_statutory_quantity_that_measures_it(
    hs: str, quantities: dict[str, str], price: str
) -> None:
    (one,) = predict({}, [line(hs, "520.00", **quantities)], Terms(DAY, Rates(), LIMITS)).lines
    assert one.unit_price == Decimal(price)


@pytest.mark.parametrize(
    ("hs", "quantities", "said"),
    [
        ("1901101090", {}, finding("T301", path="InventoryList[2]/gcode", value="1901101090", hs="1901101090",
                                   day="2026-11-21")),
        ("2203000000", {"qty1": "1", "unit1": "095"},
         finding("T302", path="InventoryList[2]/gcode", value="2203000000", hs="2203000000")),
        ("2208300000", {"qty1": "1", "unit1": "095"},
         finding("T302", path="InventoryList[2]/gcode", value="2208300000", hs="2208300000")),
        ("3304990049", {"qty1": "0.05", "unit1": "035"},
         finding("T303", path="InventoryList[2]/gcode", value="3304990049", hs="3304990049")),
        ("3304990029", {"qty1": "0", "unit1": "035"},
         finding("T303", path="InventoryList[2]/gcode", value="3304990029", hs="3304990029")),
        ("3304990099", {"qty1": "0.05", "unit1": "035"},
         finding("T303", path="InventoryList[2]/gcode", value="3304990099", hs="3304990099")),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_said_and_never_guessed(hs: str, quantities: dict[str, str], said: object) -> None:
    lines = [line("4202210090", "200.00"), line(hs, "100.00", gnum=7, **quantities)]
    told = predict({}, lines, Terms(DAY, Rates(), LIMITS))
    first, second = told.lines
    assert (first.shown, second.shown, told.payable) == (taxes("0.00", "0.00", "18.20"), None, None)
    assert (second.gnum, second.value, told.findings) == (7, Decimal(100), (said,))


@pytest.mark.parametrize(
    ("prices", "qty", "stands", "factor"),
    [
        (["5000.00"], "3", Standing.INSIDE, "0.7"),
        (["5600.00"], "1", Standing.ONE_ITEM, "1"),
        (["5000.01"], "2", Standing.OVER, "1"),
        (["2800.00", "2800.00"], "1", Standing.OVER, "1"),
    ],
)
def test_over_the_single_limit_one_item_is_taxed_in_full_and_several_are_too_many(
    prices: list[str], qty: str, stands: Standing, factor: str
) -> None:
    told = predict({}, [line(DUTIABLE.hs, price, qty, gnum) for gnum, price in enumerate(prices, 1)], TERMS)
    assert (told.purchase.standing, told.factor) == (stands, Decimal(factor))


def test_freight_and_insurance_count_to_the_limit() -> None:
    told = predict({"freight": "10", "insuredFee": "0.01"}, [line(PLAIN.hs, "4990.00")], TERMS)
    assert (told.purchase.value, told.purchase.standing) == (Decimal("5000.01"), Standing.ONE_ITEM)


def test_limits_hold_from_their_day() -> None:
    older = Limits(single=Decimal(2000), yearly=Decimal(20000), factor=Decimal("0.7"))
    assert [limits_on(day) for day in (date(2016, 4, 8), date(2018, 12, 31), date(2019, 1, 1), DAY)] == [
        older, older, LIMITS, LIMITS,
    ]  # fmt: skip
    with pytest.raises(NoLimits, match="2016-04-07"):
        limits_on(date(2016, 4, 7))


def test_a_rate_changes_on_its_day() -> None:
    until = Rate("9000000009", date(2019, 1, 1), date(2026, 12, 31), Decimal(0), Decimal(13), Consumption.NONE)
    since = Rate("9000000009", date(2027, 1, 1), None, Decimal(0), Decimal(9), Consumption.NONE)
    table = Rates((until, since))

    def vat(on: date) -> Decimal | None:
        payable = predict({}, [line("9000000009", "100")], Terms(on, table, LIMITS)).payable
        return payable and payable.vat

    days = (date(2018, 12, 31), date(2026, 12, 31), date(2027, 1, 1))
    assert [vat(day) for day in days] == [None, Decimal("9.10"), Decimal("6.30")]


def test_an_inventory_without_lines_or_amounts_comes_to_nothing() -> None:
    told = predict({"freight": "NaN"}, [], TERMS)
    assert (told.purchase.value, told.lines, told.payable) == (Decimal(0), (), taxes("0.00", "0.00", "0.00"))
    assert measure("g", {"qty1": "much", "unit1": "035"}) is None
    assert measure("", {"qty1": "1", "unit1": "035"}) is None
    assert money("Infinity") == 0


AMOUNTS = st.decimals(min_value=0, max_value=10**6, places=2)


@given(AMOUNTS, st.lists(AMOUNTS, min_size=1, max_size=99))
def test_the_shares_make_the_whole_and_none_is_below_nothing(whole: Decimal, values: list[Decimal]) -> None:
    parts = shares(whole, values)
    assert (len(parts), sum(parts)) == (len(values), whole)
    assert min(parts) >= 0


@given(st.lists(AMOUNTS, min_size=1, max_size=20), AMOUNTS)
def test_a_dearer_purchase_inside_the_limits_is_never_taxed_less(prices: list[Decimal], more: Decimal) -> None:
    wide = Terms(DAY, TERMS.rates, Limits(single=Decimal(10**9), yearly=Decimal(10**9), factor=Decimal("0.7")))

    def total(values: list[Decimal]) -> Decimal:
        lines = [line(MADE_UP.hs, str(value), gnum=gnum) for gnum, value in enumerate(values, 1)]
        payable = predict({}, lines, wide).payable
        assert payable is not None
        return payable.total

    assert total(prices) <= total([prices[0] + more, *prices[1:]])


@given(AMOUNTS)
def test_inside_the_limits_the_tax_is_the_combined_rate_of_the_price(price: Decimal) -> None:
    wide = Terms(DAY, TERMS.rates, Limits(single=Decimal(10**9), yearly=Decimal(10**9), factor=Decimal("0.7")))
    (one,) = predict({}, [line(MADE_UP.hs, str(price))], wide).lines
    assert one.payable is not None
    # 0.7 · (c + v) / (1 − c)
    combined = price * Decimal("0.7") * (Decimal("0.15") + Decimal("0.13")) / Decimal("0.85")
    assert abs(one.payable.total - combined) < Decimal("1e-18")
