"""A trade is settled in its own direction, by those whose trade it is, and bought for once."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from gateway.case import Case, Outcome
from gateway.desks import Records, released_key
from gateway.desks.settlement import decide, used_key
from message_specs.exchange import organisations
from message_specs.opening import open_message
from message_specs.trade.life import Said
from message_specs.trade.papers import Paper, marks
from message_specs.trade.settled import by_order
from spool.states import State
from tests.exchange.test_settlement_desk import LISTED, NOW, SECRET, YUAN, codes, paper
from tests.exchange.traded import FIRM, exchange, income, line, number
from tests.samples import SHOP

OWN, OTHER = f"91330100{FIRM}1"[:17] + "Q", "91330100MA00000023"
_ANSWERS = {"CEB621": "CEB622", "CEB603": "CEB604"}
NAMED = {"ebpCode": SHOP.code, "ebcCode": "3301961B7T", "orderNo": "CK2026000000007001"}
IMPORT = (
    paper("order", "CEB311", 1, **NAMED, acturalPaid="750", currency="502", payCode="3301960P7K"),
    paper("inventory", "CEB621", 2, **NAMED, invtNo="1"),
)
EXPORT = (
    paper("order", "CEB303", 1, **NAMED, goodsValue="750", currency="502"),
    paper("inventory", "CEB603", 2, **NAMED),
)


def case_of(body: bytes, partner: str = "bank") -> Case:
    """The case of the only record in a message."""
    (document,) = open_message(body).documents
    case = Case(261122120000000001, 1, partner, document, document.key, state=State.CHECKED)
    case.marks = marks(document)
    return case


def settled(
    case: Case, *papers: Paper, values: Mapping[str, str] = {}, registered: Mapping[str, set[str]] = {}
) -> Outcome:
    """What the desk says where these papers share every mark of the case."""
    asked = [*by_order(case.document.lines), *case.marks.get("settled", ()), *case.marks["report"]]
    bearers = {code: organisations(ones) for ones in registered.values() for code in ones}
    known = Records(
        NOW, SECRET, exchange=replace(LISTED, worths=(YUAN,), organisations=bearers),
        by_mark={mark: list(papers) for mark in asked}, values=dict(values),
        said={(7, 2): [Said("2026-11-21T10:00:00", "800", _ANSWERS[papers[1].spec], "9.1")]},
        codes={name: frozenset(ones) for name, ones in registered.items()},
    )  # fmt: skip
    return decide(case, known)


def test_exports_bring_income_and_imports_are_paid_for() -> None:
    sells, buys = exchange(1, "700.00", line((1, "700"))), exchange(1, "700.00", line((1, "700")), spec="JSHE")
    pays = income(1, 700, 0, line((1, "700")), spec="BOPB", letter="A")
    assert codes(settled(case_of(sells), *EXPORT)) == (State.CHECKED, [])
    assert codes(settled(case_of(sells), *IMPORT)) == (State.HELD, ["F146"])
    for body in (buys, pays):
        assert codes(settled(case_of(body), *IMPORT)) == (State.CHECKED, [])
        assert codes(settled(case_of(body), *EXPORT)) == (State.HELD, ["F146"])
    released = {released_key(261122120000000001, 1): "F146"}
    outcome = settled(case_of(sells), *IMPORT, values=released)
    assert codes(outcome) == (State.CHECKED, [])
    (order,) = by_order(case_of(sells).document.lines)
    assert outcome.keeps == {used_key("JSHD", order): json.dumps({"JSHD": number(1)})}


def remitted(amount: str, yuan: str) -> Paper:
    """A remittance of this ledger for the same order, of which a part was bought."""
    head = {"RPTNO": "330100000101261122A001", "TXCCY": "USD", "TXAMT": amount, "LCYAMT": yuan}
    told = {"ebpCode": SHOP.code, "orderNo": "CK2026000000007001", "amount": amount}
    return Paper(8, 1, "BOPB", "fx_basic", "bank", State.CLOSED, "1", 1, "", head, (told,))


def test_what_was_bought_for_a_remittance_is_not_bought_again() -> None:
    def buys(amount: str, *papers: Paper, currency: str = "USD") -> tuple[State, list[str]]:
        body = exchange(1, f"{amount}.00", line((1, amount)), spec="JSHE")
        case = case_of(body.replace(b"USD", currency.encode()))
        (order,) = by_order(case.document.lines)
        used = {used_key("BOPB", order): json.dumps({"BOPB": "330100000101261122A001"})}
        return codes(settled(case, *IMPORT, *papers, values=used))

    assert buys("401", remitted("700", "350")) == (State.HELD, ["F145"])
    assert buys("400", remitted("700", "350")) == (State.CHECKED, [])
    assert buys("750", remitted("750", "")) == (State.CHECKED, [])
    # In another currency both are held against the order in dollars: 5,000 yuan are 700 of them.
    assert buys("5000", remitted("700", "350"), currency="CNY") == (State.HELD, ["F145"])
    assert buys("2000", remitted("700", "350"), currency="CNY") == (State.CHECKED, [])
    # Its use is known and it is not: nothing may be bought beside it.
    assert buys("1") == (State.HELD, ["F145"])


@pytest.mark.parametrize(("registered", "partner", "told"), [
    ({}, "bank", []),
    ({"shop": {"3301961B7T", OWN}}, "bank", []),
    ({"shop": {"3301961B7T", OTHER}}, "bank", ["F147"]),
    ({"shop": {"3301961B7T", OTHER}, "platform": {SHOP.code, OWN}}, "bank", []),
    ({"shop": {"3301961B7T", OTHER}, "pay": {"3301960P7K", OWN}}, "bank", []),
    ({"shop": {"3301961B7T", OTHER}, "house": {OWN}}, "house", []),
])  # fmt: skip
def test_a_firm_settles_its_own_trades_or_those_it_sold_or_was_paid_for(
    registered: Mapping[str, set[str]], partner: str, told: list[str]
) -> None:
    case = case_of(exchange(1, "700.00", line((1, "700")), spec="JSHE"), partner)
    outcome = settled(case, *IMPORT, registered=registered)
    assert codes(outcome) == (State.HELD if told else State.CHECKED, told)
    assert case.key == number(1)
