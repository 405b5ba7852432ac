"""Rules are data: a verb, a code, a place; each finds its trouble, only its trouble, and cheaply."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from message_specs.catalog import catalog
from message_specs.document import Document
from message_specs.findings import Severity
from message_specs.rules import VERBS, apply, compiled
from message_specs.spec import Rule, Spec

TODAY = date(2026, 11, 21)
AMOUNTS = st.decimals(min_value=0, max_value=10**13, places=5)


def document(xml: str, *rules: Rule) -> Document:
    spec = Spec("T", "ceb", "", "", "CEB311Message", "Order", key=("OrderHead/orderNo",), rules=rules)
    return Document(spec, 1, etree.fromstring(xml))


def head(**leaves: object) -> str:
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in leaves.items())
    return f"<Order><OrderHead><orderNo>1</orderNo>{inner}</OrderHead></Order>"


def said(xml: str, rule: Rule) -> list[tuple[str, str | None]]:
    unit = document(xml, rule)
    return [(finding.path, finding.value) for finding in apply(unit.spec.rules, unit, TODAY)]


FORMULA = "OrderHead/goodsValue + OrderHead/freight - OrderHead/discount"
PAID = Rule("sum", "C210", {"that": "OrderHead/acturalPaid", "is": FORMULA})


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_a_sum_is_exact_to_the_last_decimal(goods: Decimal, freight: Decimal, discount: Decimal) -> None:
    paid = goods + freight - discount
    right = head(goodsValue=goods, freight=freight, discount=discount, acturalPaid=f"{paid:f}")
    wrong = head(goodsValue=goods, freight=freight, discount=discount, acturalPaid=f"{paid + Decimal('0.00001'):f}")
    assert said(right, PAID) == []
    assert [path for path, _ in said(wrong, PAID)] == ["OrderHead/acturalPaid"]


def test_a_sum_tells_the_formula_and_what_it_comes_to() -> None:
    unit = document(head(goodsValue="100.00", freight="8", discount="5", acturalPaid="100"), PAID)
    [finding] = apply(unit.spec.rules, unit, TODAY)
    assert (finding.code, finding.severity, finding.value) == ("C210", Severity.ERROR, "100")
    assert finding.zh == "acturalPaid（实际支付金额）应为 goodsValue + freight - discount = 103，实为 100"
    assert finding.en == "acturalPaid should be goodsValue + freight - discount = 103, it is 100"


@given(AMOUNTS, AMOUNTS)
def test_a_product_of_the_widest_amounts_is_not_rounded(price: Decimal, quantity: Decimal) -> None:
    rule = Rule("product", "C211", {"that": "OrderList/totalPrice", "is": "OrderList/price * OrderList/qty"})
    line = f"<price>{price:f}</price><qty>{quantity:f}</qty><totalPrice>{exact(price, quantity)}</totalPrice>"
    assert said(f"<Order><OrderHead><orderNo>1</orderNo></OrderHead><OrderList>{line}</OrderList></Order>", rule) == []


def exact(price: Decimal, quantity: Decimal) -> str:
    digits = int(price.scaleb(5)) * int(quantity.scaleb(5))
    return f"{digits // 10**10}.{digits % 10**10:010}"


def test_a_rule_with_when_is_silent_about_other_documents() -> None:
    rule = Rule("required_when", "C230", {"that": "OrderHead/billNo", "when": "OrderHead/mode", "has": ["9610"]})
    assert said(head(mode="1210"), rule) == []
    assert said(head(), rule) == []
    assert said(head(mode="9610"), rule) == [("OrderHead/billNo", None)]
    assert said(head(mode="9610", billNo=""), rule) == [("OrderHead/billNo", "")]


def test_an_absent_optional_field_breaks_no_rule_about_its_form() -> None:
    for use, word, value in (
        ("format", "like", "YYYYMMDD"),
        ("code", "table", "unit"),
        ("check_digit", "kind", "party"),
    ):
        rule = Rule(use, "C103", {"that": "OrderHead/ieDate", word: value})
        assert said(head(), rule) == []
        assert said(head(ieDate=""), rule) == []
        assert said(head(ieDate="x"), rule) == [("OrderHead/ieDate", "x")]


def test_a_code_is_judged_by_the_day() -> None:
    rule = Rule("code", "C124", {"that": "OrderHead/trafMode", "table": "transport_mode"})
    unit = document(head(trafMode="G"), rule)
    assert list(apply(unit.spec.rules, unit, date(2026, 11, 21))) == []
    assert [finding.value for finding in apply(unit.spec.rules, unit, date(2017, 1, 1))] == ["G"]


def test_a_citizen_number_is_masked_where_many_eyes_read() -> None:
    rule = Rule("check_digit", "C107", {"that": "OrderHead/id", "kind": "citizen"})
    assert said(head(id="330199195102020019"), rule) == [("OrderHead/id", "330199********0019")]


def test_the_finding_names_the_line_it_is_about() -> None:
    rule = Rule("positive", "C131", {"that": "OrderList/qty"})
    lines = "".join(f"<OrderList><qty>{quantity}</qty></OrderList>" for quantity in ("1", "0", "-1"))
    assert said(f"<Order><OrderHead><orderNo>1</orderNo></OrderHead>{lines}</Order>", rule) == [
        ("OrderList[2]/qty", "0"),
        ("OrderList[3]/qty", "-1"),
    ]


def test_a_rule_with_an_unknown_verb_says_so_at_once() -> None:
    with pytest.raises(ValueError, match="no verb is called sniff"):
        compiled(Rule("sniff", "C999"))


def test_every_rule_of_the_catalog_can_be_compiled_and_every_verb_is_used() -> None:
    rules = [rule for spec in catalog().specs.values() for rule in spec.rules]
    for rule in rules:
        compiled(rule)
    assert {rule.use for rule in rules} == set(VERBS)
