"""A tax bill is held against the prediction line by line, and its status goes forward only, in any order of arrival."""

from datetime import date
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import pytest

import message_specs
from message_specs.document import Document
from message_specs.findings import finding
from message_specs.opening import open_message, open_receipt
from message_specs.trade.bills import Bill, after, compare, read_bill
from message_specs.trade.expected import Expected, expected, read_expected, remaining, shares_back
from message_specs.trade.limits import limits_on
from message_specs.trade.rates import Consumption, Rate, Rates
from message_specs.trade.sharing import Rounding
from message_specs.trade.taxing import Taxes, Terms, predict

DAY = date(2026, 11, 21)
SAMPLES = Path(message_specs.__file__).parent / "ceb/samples/good"
TOLERANCE = Decimal("0.05")
FORMULA = Rate("1901101000", date(2022, 1, 1), None, Decimal(15), Decimal(13), Consumption.NONE)


def bills(name: str) -> tuple[Document, ...]:
    return tuple(open_receipt((SAMPLES / name).read_bytes()).documents)


def inventory(*lines: tuple[str, str, str]) -> Expected:
    texts = [
        {"gnum": str(gnum), "gcode": hs, "qty": "1", "totalPrice": price, "qty1": qty, "unit1": "035"}
        for gnum, (hs, price, qty) in enumerate(lines, 1)
    ]
    return expected(predict({}, texts, Terms(DAY, Rates((FORMULA,)), limits_on(DAY))))


OURS = inventory(("2101110000", "159.80", "1"), ("1901101000", "135.00", "0.8"), ("3304990039", "238.60", "0.26"))


def test_the_sample_bill_agrees_with_the_prediction() -> None:
    bill = bills("CEB816.xml")[0]
    assert OURS.payable == Taxes(Decimal("0.00"), Decimal("0.00"), Decimal("48.54"))
    assert compare(OURS, bill.head, bill.lines, TOLERANCE) == ()


def test_every_difference_beyond_the_tolerance_is_shown_with_both_figures() -> None:
    bill = bills("CEB816.xml")[0]
    lines = [dict(line) for line in bill.lines]
    lines[0] |= {"valueAddedTax": "14.60", "taxPrice": "159.85"}
    lines[1] |= {"gcode": "1901109000", "customsTax": "none"}
    lines[2] |= {"gnum": "4"}
    head = bill.head | {"valueAddedTax": "48.60"}
    assert compare(OURS, head, lines, TOLERANCE) == (
        finding("T310", path="TaxListRd[1]/valueAddedTax", value="14.60", gnum="1", name="valueAddedTax",
                found="14.60", expected="14.54", difference="+0.06"),
        finding("T314", path="TaxListRd[2]/gcode", value="1901109000", gnum="2", found="1901109000",
                expected="1901101000"),
        finding("T316", path="TaxListRd[2]/customsTax", value="none", name="customsTax"),
        finding("T313", path="TaxListRd[3]/gnum", value="4", gnum="4"),
        finding("T312", path="TaxListRd", gnum="3"),
        finding("T311", path="TaxHeadRd/valueAddedTax", value="48.60", name="valueAddedTax",
                found="48.60", expected="48.54", difference="+0.06"),
    )  # fmt: skip


def test_a_line_that_was_not_predicted_is_compared_by_its_value_alone_and_the_totals_not_at_all() -> None:
    ours = inventory(("2203000000", "100.00", "1"))
    assert ours.payable is None
    told = {"gnum": "1", "gcode": "2203000000", "taxPrice": "90.00", "valueAddedTax": "99"}
    assert compare(ours, {"valueAddedTax": "99"}, [told], TOLERANCE) == (
        finding("T310", path="TaxListRd[1]/taxPrice", value="90.00", gnum="1", name="taxPrice",
                found="90.00", expected="100.00", difference="-10.00"),
    )  # fmt: skip


def test_a_void_bill_is_not_compared_and_owes_nothing() -> None:
    void = bills("CEB816.xml")[1]
    assert compare(OURS, void.head, void.lines, TOLERANCE) == (
        finding("T315", path="TaxHeadRd/status", value="3", tax="29102026I000008801002"),
    )
    assert after(None, void.head) == Bill(
        "29102026I000008801", "29102026I000008801002", "3", "", AMOUNTS, totals(void.head)
    )
    assert after(None, void.head).owed == Taxes()


def totals(head: dict[str, str]) -> dict[str, str]:
    return {name: head[name] for name in ("customsTax", "valueAddedTax", "consumptionTax")}


MADE = bills("CEB816.xml")[0].head
COLLECTED = {**bills("CEB818.xml")[0].head, "invtNo": MADE["invtNo"], "taxNo": MADE["taxNo"], "entDutyNo": "D1"}
VOIDED = bills("CEB818_void.xml")[0].head
AMOUNTS = Taxes(Decimal(0), Decimal(0), Decimal("48.54"))


@pytest.mark.parametrize("heads", list(permutations([MADE, {**COLLECTED, "status": "2"}, VOIDED])))
def test_bill_and_statuses_join_in_any_order_and_a_void_reverses(heads: tuple[dict[str, str], ...]) -> None:
    bill: Bill | None = None
    for head in heads:
        bill = after(bill, head)
        assert read_bill(bill.written()) == bill
    assert bill == Bill("29102026I000008801", "29102026I000008801001", "3", "D1", AMOUNTS, totals(MADE))
    assert bill.owed == Taxes()


def test_a_status_before_its_bill_waits_for_the_amounts() -> None:
    first = after(None, {**COLLECTED, "status": "2"})
    assert (first.status, first.owed) == ("2", None)
    assert after(first, MADE) == Bill(MADE["invtNo"], MADE["taxNo"], "2", "D1", AMOUNTS, totals(MADE))


def test_an_inventory_is_told_of_amounts_once_of_other_amounts_again_and_of_the_end_once() -> None:
    bill = bills("CEB816.xml")[0]
    made = after(None, bill.head, bill.lines)
    assert (made.is_news, made.told().is_news) == (True, False)
    assert read_bill(made.told().written()) == made.told()
    collected = after(made.told(), {**bill.head, "status": "2"}, bill.lines)
    assert collected.is_news is False
    assert after(collected, {**bill.head, "valueAddedTax": "1"}, bill.lines).is_news is True
    void = after(collected, VOIDED)
    assert (void.is_news, after(void.told(), {**bill.head, "valueAddedTax": "1"}, bill.lines).is_news) == (True, False)


def test_what_is_kept_of_a_prediction_says_the_same_of_a_bill() -> None:
    assert read_expected(OURS.written()) == OURS


def test_goods_that_came_back_are_not_expected_to_be_taxed() -> None:
    lines = [{"gnum": "1", "qty": "2"}, {"gnum": "2", "qty": "1"}, {"gnum": "3", "qty": "1"}]
    shares = shares_back(lines, [[{"gnum": "1", "qty": "1"}], [{"gnum": "2", "qty": "1"}]])
    stays = remaining(OURS, shares, Rounding())
    assert [(one.gnum, one.value, one.shown and one.shown.vat) for one in stays.lines] == [
        (1, Decimal("79.90"), Decimal("7.27")), (3, Decimal("238.60"), Decimal("21.71")),
    ]  # fmt: skip
    assert stays.payable == Taxes(Decimal(0), Decimal(0), Decimal("28.98"))


def test_an_unknown_status_changes_nothing() -> None:
    assert after(after(None, MADE), {"status": "7"}) == after(None, MADE)


def test_a_good_inventory_is_predicted_from_its_document() -> None:
    (document,) = open_message((SAMPLES / "CEB621_1210.xml").read_bytes()).documents
    told = predict(document.head, document.lines, Terms(DAY, Rates((FORMULA,)), limits_on(DAY)))
    assert (told.purchase.value, told.payable) == (
        Decimal("471.30"), Taxes(Decimal("0.00"), Decimal("0.00"), Decimal("42.89")),
    )  # fmt: skip
