"""The channel desk lets 9710 and 9810 go by list inside the limit, on an order of their own type, and not else."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.case import Case, Outcome
from gateway.config import load_house
from gateway.config_shapes import Kouan
from gateway.desks import Needs, Records
from gateway.desks.channel import decide, needs
from message_specs.findings import Severity, finding
from message_specs.opening import open_message
from message_specs.trade.papers import Paper, marks
from spool.states import State
from tests.homes import with_trades

SAMPLES = Path(__file__).parents[2] / "message_specs/ceb/samples/good"
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
NUMBER = 261121160000000001
PLACE = "/CEB603Message/Inventory[copNo='QD26110000007001']/InventoryHead/tradeMode"


def listed(*prices: tuple[str, str], mode: str = "9710", app_type: str = "1") -> Case:
    """A case of one export list with these lines: total price and currency."""
    (document,) = open_message((SAMPLES / "CEB603_9710.xml").read_bytes()).documents
    document.head["tradeMode"] = mode
    document.head["appType"] = app_type
    document.lines[:] = [
        {"gnum": str(gnum), "totalPrice": price, "currency": currency}
        for gnum, (price, currency) in enumerate(prices, 1)
    ]
    case = Case(NUMBER, 1, "agent", document, document.key)
    case.marks = marks(document)
    return case


def records(case: Case, order_type: str = "", kouan: Kouan | None = None) -> Records:
    """What the clerk fetched: the list itself, and an order of this type where one is given."""
    told = Records(NOW, kouan=kouan or Kouan())
    head = {name: text for name, text in case.document.head.items() if text}
    papers = [Paper(NUMBER, 1, "CEB603", "inventory", "agent", "checked", "1", 1, "", head, ())]
    if order_type:
        own = {"ebpCode": head["ebpCode"], "ebcCode": head["ebcCode"], "orderNo": head["orderNo"]}
        papers.append(
            Paper(NUMBER - 9, 1, "CEB303", "order", "shop", "sent", "1", 1, "", own | {"orderType": order_type}, ())
        )
    told.by_mark = dict.fromkeys(needs(case, told).marks, papers)
    return told


def test_a_list_inside_the_limit_goes_on() -> None:
    case = listed(("4000", "142"), ("1000", "142"))
    assert decide(case, records(case, "B")) == Outcome(State.CHECKED)


@pytest.mark.parametrize(("mode", "order_type"), [("9710", "B"), ("9810", "W")])
def test_a_list_surely_above_the_limit_belongs_to_the_declaration(mode: str, order_type: str) -> None:
    case = listed(("500", "502"), ("3000", "142"), mode=mode)
    said = finding(
        "T331", document=1, path=PLACE, value=mode, mode=mode, found="6000", limit="5000",
        goods="500 美元、3000 人民币", goods_en="500 US Dollar + 3000 Yuan Renminbi",
    )  # fmt: skip
    assert decide(case, records(case, order_type)) == Outcome(State.REFUSED, (said,))


@pytest.mark.parametrize(
    ("line", "found"), [(("750", "502"), "4500–6000"), (("750", "999"), "0+ 999")], ids=["by the rate", "no bounds"]
)
def test_a_list_that_may_be_above_the_limit_goes_on_with_a_warning(line: tuple[str, str], found: str) -> None:
    case = listed(line)
    goods = {"502": ("750 美元", "750 US Dollar"), "999": ("750 999", "750 999")}[line[1]]
    said = finding(
        "T332", document=1, path=PLACE, value="9710", limit="5000", found=found, goods=goods[0], goods_en=goods[1]
    )  # fmt: skip
    assert decide(case, records(case)) == Outcome(State.CHECKED, (said,))


@pytest.mark.parametrize(("mode", "order_type"), [("9710", "W"), ("9810", "B"), ("9710", "E")])
def test_a_list_rests_on_an_order_of_its_own_type(mode: str, order_type: str) -> None:
    case = listed(("10", "142"), mode=mode)
    said = finding(
        "T333", document=1, path=PLACE, value=mode, mode=mode, names=f"{NUMBER - 9}.1", found=order_type
    )  # fmt: skip
    assert decide(case, records(case, order_type)) == Outcome(State.REFUSED, (said,))


def test_the_operator_may_let_it_go_all_the_same() -> None:
    case = listed(("9000", "142"))
    outcome = decide(case, records(case, "B", Kouan(severity={"T331": "warning"})))
    assert (outcome.state, [(one.code, one.severity) for one in outcome.findings]) == (
        State.CHECKED,
        [("T331", Severity.WARNING)],
    )


@pytest.mark.parametrize("case", [listed(("9000", "142"), mode="9610"), listed(("9000", "142"), app_type="3")])
def test_other_modes_and_deletions_are_not_asked(case: Case) -> None:
    assert needs(case, records(case)) == Needs()
    assert decide(case, records(case)) == Outcome(State.CHECKED)


def test_every_mode_is_a_row_of_the_journeys(home: Path) -> None:
    house = load_house(with_trades(home))
    assert {
        (spec, mode): house.journey(spec, mode)
        for spec, modes in (("CEB621", ("9610", "1210", "1239")), ("CEB603", ("9610", "1210", "1239", "9710", "9810")))
        for mode in modes
    } == {
        **dict.fromkeys((("CEB621", mode) for mode in ("9610", "1210", "1239")), ("check", "tax", "match", "identity")),
        **dict.fromkeys((("CEB603", mode) for mode in ("9610", "1210", "1239")), ("check", "match")),
        **dict.fromkeys((("CEB603", mode) for mode in ("9710", "9810")), ("check", "channel", "match")),
    }
    assert {row.mode for row in house.journeys if row.mode != "*"} == {"9610", "1210", "1239", "9710", "9810"}
