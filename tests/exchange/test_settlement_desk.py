"""The desk `settlement` settles against released, unreturned trades, each once, and holds what does not fit."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from gateway.case import Case, Outcome
from gateway.desks import Records, released_key
from gateway.desks.settlement import decide, needs, used_key
from gateway.person_years import quota_key
from message_specs import writing
from message_specs.exchange import Grade, Tables, Worth
from message_specs.opening import open_message
from message_specs.trade.life import Said
from message_specs.trade.marking import mark_of
from message_specs.trade.papers import Paper, marks
from message_specs.trade.spent import noted, used
from spool.states import State

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
SECRET = b"a secret of the home"
FIRM, PERSON = "600037341", "360426199101010071"
ORDER = mark_of("order", "EBP1", "A1")
LIST = Grade(FIRM, "A", date(2026, 1, 1))
LISTED = Tables((LIST,))
YUAN = Worth("CNY", Decimal("0.14"), date(2026, 1, 1))
FIRM_HEAD = {
    "ACTIONTYPE": "A", "RPTNO": "3301000001012611220001", "CUSTYPE": "C", "CUSTCOD": FIRM, "CUSTNM": "甲公司",
    "FCYACC": "1", "LCYACC": "2", "FCYAMT": "100.00", "FCYCCY": "USD", "EXRATE": "7.1", "BUSCODE": "B1",
}  # fmt: skip
ORDER_OF = ("ACTIONTYPE", "RPTNO", "CUSTYPE", "IDCODE", "CUSTCOD", "CUSTNM", "FCYACC", "LCYACC", "FCYAMT", "FCYCCY",
            "EXRATE", "BUSCODE")  # fmt: skip


def settlement(*trades: tuple[str, str], partner: str = "bank", number: int = 261122120000000001, **head: str) -> Case:
    """A case of one JSHD that settles these orders with these amounts."""
    told = {**FIRM_HEAD, **head}
    record = "".join(f"<fx:{name}>{told[name]}</fx:{name}>" for name in ORDER_OF if told.get(name))
    lines = "".join(
        f"<fx:TradeList><fx:ebpCode>EBP1</fx:ebpCode><fx:orderNo>{order}</fx:orderNo><fx:amount>{amount}</fx:amount>"
        "</fx:TradeList>" for order, amount in trades
    )  # fmt: skip
    transfer = {"copCode": "1", "copName": "1", "dxpMode": "DXP", "dxpId": "1"}
    guid = "00000000-0000-0000-0000-000000000000"
    unit = f"<fx:JSHD><fx:REC>{record}</fx:REC>{lines}</fx:JSHD>".encode()
    opened = open_message(writing.message("JSHDMessage", guid, [unit], transfer, family="fx"))
    assert opened.findings == ()
    (document,) = opened.documents
    case = Case(number, 1, partner, document, document.key, state=State.CHECKED)
    case.marks = marks(document)
    return case


def paper(kind: str, spec: str, ordinal: int, **head: str) -> Paper:
    return Paper(7, ordinal, spec, kind, "shop", State.CLOSED, "1", 1, "", head, ())


TRADE = (
    paper("order", "CEB303", 1, ebpCode="EBP1", orderNo="A1", goodsValue="100.00", currency="502"),
    paper("inventory", "CEB603", 2, ebpCode="EBP1", orderNo="A1", invtNo="1"),
)
RETURN = paper("refund", "CEB213", 3, invtNo="1")


def records(*papers: Paper, status: str = "800", values: Mapping[str, str] = {}, tables: Tables = LISTED) -> Records:
    said = {(7, 2): [Said("2026-11-21T10:00:00", status, "CEB604", "9.1")]}
    return Records(NOW, SECRET, exchange=tables, by_mark={ORDER: list(papers)}, values=dict(values), said=said)


def codes(outcome: Outcome) -> tuple[State, list[str]]:
    return outcome.state, [one.code for one in outcome.findings]


def test_a_released_trade_is_settled_and_its_use_is_written_down() -> None:
    case = settlement(("A1", "100"))
    assert set(needs(case, records()).values) == {released_key(case.number, 1), used_key("JSHD", ORDER)}
    outcome = decide(case, records(*TRADE))
    assert codes(outcome) == (State.CHECKED, [])
    assert outcome.keeps == {used_key("JSHD", ORDER): json.dumps({"JSHD": case.key})}


@pytest.mark.parametrize(
    ("papers", "status", "code"),
    [
        ((), "800", "F132"), (TRADE, "399", "F133"), (TRADE[:1], "800", "F133"), ((*TRADE, RETURN), "800", "F134"),
    ],
)  # fmt: skip
def test_what_is_not_here_not_released_or_returned_is_held(papers: tuple[Paper, ...], status: str, code: str) -> None:
    outcome = decide(settlement(("A1", "100")), records(*papers, status=status))
    assert codes(outcome) == (State.HELD, [code])
    assert (outcome.why or "").startswith(code)
    assert outcome.keeps == {}


def test_a_trade_is_settled_once_and_by_its_own_record_again() -> None:
    case = settlement(("A1", "100"))
    mine = {used_key("JSHD", ORDER): json.dumps({"JSHD": case.key})}
    other = {used_key("JSHD", ORDER): json.dumps({"JSHD": "3301000001012611220002"})}
    assert codes(decide(case, records(*TRADE, values=mine))) == (State.CHECKED, [])
    assert codes(decide(case, records(*TRADE, values=other))) == (State.HELD, ["F135"])
    released = other | {released_key(case.number, 1): "F135"}
    assert codes(decide(case, records(*TRADE, values=released))) == (State.HELD, ["F135"])


@pytest.mark.parametrize(("app_type", "state", "is_free"), [
    ("1", State.REFUSED, True), ("1", State.SENT, False), ("3", State.CLOSED, True), ("3", State.SENT, False),
])  # fmt: skip
def test_a_refused_or_deleted_record_uses_a_trade_no_more(app_type: str, state: State, *, is_free: bool) -> None:
    case = settlement(("A1", "100"))
    (mark,) = case.marks["settled"]
    first = "3301000001012611220002"
    line = {"ebpCode": "EBP1", "orderNo": "A1"}
    one = Paper(8, 1, "JSHD", "fx_basic", "bank", State.CLOSED, "1", 1, "", {"RPTNO": first}, (line,))
    last = Paper(9, 1, "JSHD", "fx_basic", "bank", state, app_type, 2, "", {"RPTNO": first}, (line,))
    told = records(*TRADE, values={used_key("JSHD", ORDER): json.dumps({"JSHD": first})})
    told.by_mark[mark] = [one, last] if app_type == "3" else [last]
    assert codes(decide(case, told)) == ((State.CHECKED, []) if is_free else (State.HELD, ["F135"]))


def test_an_amount_needs_trades_that_come_to_it_and_a_trade_is_worth_no_more_than_its_order() -> None:
    assert codes(decide(settlement(), records(*TRADE))) == (State.HELD, ["F136"])
    assert codes(decide(settlement(("A1", "99")), records(*TRADE))) == (State.HELD, ["F136"])
    assert codes(decide(settlement(("A1", "101")), records(*TRADE))) == (State.HELD, ["F144"])


def test_an_order_in_yuan_is_held_against_dollars_by_the_rate_of_the_day() -> None:
    yuan = (paper("order", "CEB303", 1, ebpCode="EBP1", orderNo="A1", goodsValue="714.29", currency="142"), TRADE[1])
    assert codes(decide(settlement(("A1", "100")), records(*yuan))) == (State.HELD, ["F139"])
    tables = Tables((LIST,), (YUAN,))
    assert codes(decide(settlement(("A1", "100")), records(*yuan, tables=tables))) == (State.CHECKED, [])
    dear = settlement(("A1", "104"), FCYAMT="104.00")
    assert codes(decide(dear, records(*yuan, tables=tables))) == (State.HELD, ["F144"])


@pytest.mark.parametrize(("grade", "code"), [("B", "F137"), ("C", "F137"), ("", "F138")])
def test_a_firm_of_another_class_is_held_until_an_operator_releases_it(grade: str, code: str) -> None:
    tables = Tables((Grade(FIRM, grade, date(2026, 1, 1)),) if grade else ())
    case = settlement(("A1", "100"))
    assert codes(decide(case, records(*TRADE, tables=tables))) == (State.HELD, [code])
    released = {released_key(case.number, 1): code}
    assert codes(decide(case, records(*TRADE, tables=tables, values=released))) == (State.CHECKED, [])


def test_a_person_without_trades_uses_the_quota_of_his_year_and_with_trades_does_not() -> None:
    person = {"CUSTYPE": "D", "CUSTCOD": "", "IDCODE": PERSON}
    case = settlement(FCYAMT="9000.00", **person)
    key = quota_key("JSHD", case.document.head, SECRET) or ""
    assert PERSON not in key
    before = noted(None, "other", "1.1", Decimal(42000), str)
    assert codes(decide(case, records(values={key: before or ""}))) == (State.HELD, ["F131"])
    smaller = decide(settlement(FCYAMT="8000.00", **person), records(values={key: before or ""}))
    assert (codes(smaller), used(smaller.keeps[key], str)) == ((State.CHECKED, []), Decimal(50000))
    proven = decide(settlement(("A1", "100"), **person), records(*TRADE, values={key: before or ""}))
    assert (codes(proven), list(proven.keeps)) == ((State.CHECKED, []), [used_key("JSHD", ORDER)])


def test_a_payment_institution_settles_no_item_above_its_limit() -> None:
    tables = Tables((LIST,), institutions=frozenset({"pay"}))
    case = settlement(("A1", "50001"), partner="pay", FCYAMT="50000.01")
    assert decide(case, records(*TRADE, tables=tables)).state is State.REFUSED
    assert "F130" in codes(decide(case, records(*TRADE, tables=tables)))[1]
    bank = settlement(("A1", "50001"), FCYAMT="50000.01")
    assert "F130" not in codes(decide(bank, records(*TRADE, tables=tables)))[1]
