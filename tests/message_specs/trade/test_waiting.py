"""What an inventory waits for is a table with dates, and a wait that is too long is told."""

from datetime import date

import pytest
from msgspec.structs import replace

from message_specs.trade.choosing import Chosen
from message_specs.trade.waiting import due, fellows, missing, too_long, why_waiting
from tests.message_specs.trade.papers_of import exported, imported

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("side", "mode", "required"),
    [
        ("import", "9610", ["order", "waybill", "payment", "inventory"]),
        ("import", "1210", ["order", "waybill", "inventory"]),
        ("import", "1239", ["order", "waybill", "inventory"]),
        ("export", "9610", ["order", "waybill", "inventory"]),
        ("export", "9810", ["order", "waybill", "inventory"]),
        ("import", "9999", ["inventory"]),
    ],
)
def test_each_mode_has_its_fellows(side: str, mode: str, required: list[str]) -> None:
    assert [wanted.kind for wanted in fellows(side, mode, TODAY) if wanted.required] == required


def test_what_is_not_there_or_held_is_missing() -> None:
    papers = imported()
    assert missing(Chosen(**papers), "9610", TODAY) == ()
    assert missing(Chosen(inventory=papers["inventory"]), "9610", TODAY) == ("order", "waybill", "payment")
    assert missing(Chosen(inventory=papers["inventory"]), "1210", TODAY) == ("order", "waybill")
    assert missing(Chosen(order=papers["order"]), "9610", TODAY, inventory=True) == ("waybill", "payment", "inventory")
    held = Chosen(**papers | {"order": replace(papers["order"], state="held")})
    assert missing(held, "9610", TODAY) == ("order",)
    assert [(one.code, one.zh) for one in why_waiting(held, "9610", TODAY)] == [("T211", "1.1 被搁置，交易不能继续")]
    assert [one.code for one in why_waiting(Chosen(waybill=papers["waybill"]), "9610", TODAY)] == ["T201", "T202"]


def test_whatever_is_missing_has_its_own_sentence() -> None:
    waits = why_waiting(Chosen(payment=imported()["payment"]), "9610", TODAY, inventory=True)
    assert [(one.code, one.zh) for one in waits] == [
        ("T201", "尚缺订单，清单等待中"),
        ("T203", "尚缺运单，清单等待中"),
        ("T204", "尚缺清单，三单等待中"),
    ]


def test_an_export_list_waits_for_no_receipt_of_payment() -> None:
    papers = exported()
    papers.pop("payment")
    assert missing(Chosen(**papers), "9610", TODAY) == ()


def test_a_wait_is_too_long_on_the_day_of_its_shortest_limit() -> None:
    chosen = Chosen(order=imported()["order"], inventory=imported()["inventory"])
    assert too_long(chosen, "9610", TODAY, date(2026, 11, 23)) is None
    told = too_long(chosen, "9610", TODAY, date(2026, 11, 24))
    assert told is not None
    assert (told.code, told.zh) == ("T210", "已等待满 3 天（自 2026-11-21 起），仍缺：运单、支付单")
    assert too_long(Chosen(**imported()), "9610", TODAY, date(2027, 1, 1)) is None
    assert due((), TODAY, "import", "9610", TODAY) is None
    # A clock that runs backwards makes nobody late.
    assert too_long(chosen, "9610", TODAY, date(2026, 11, 1)) is None
