"""A cancel or a return names its list by customs' number; a cancelled trade has nothing to be returned any more."""

import re
from datetime import date, timedelta
from typing import Any

import pytest

from gateway import dossiers
from gateway.gathering import CHINA
from tests import samples
from tests.crash.world import World
from tests.gateway.test_bills import INVT, TRADE, afterwards, drop, inventory_is
from tests.gateway.test_bills import world as world  # noqa: PLC0414  the fixture: a trade that is with customs
from tests.samples import message, trade

ANEW = "29102026I000009901"


def shown(world: World) -> Any:
    today = world.moment.astimezone(CHINA).date()
    (found,) = dossiers.found(world.ledger, trade(TRADE)["orderNo"], on=today)
    return found


def test_a_cancelled_trade_shows_no_windows(world: World) -> None:
    inventory_is(world, "120")
    drop(world, "CEB623")
    world.carry()
    inventory_is(world, "800")
    assert [(one["name"], one["open"]) for one in shown(world)["windows"]] == [
        ("refund_apply", True),
        ("refund_back", True),
    ]
    afterwards(world, "CEB624", "InvtCancelReturn", "399")
    assert (shown(world)["phase"], shown(world)["returns"], shown(world)["windows"]) == ("void", None, [])


def test_a_trade_is_found_by_every_number_that_people_have_of_it(world: World) -> None:
    inventory_is(world, "120")
    drop(world, "CEB623")
    world.carry()
    for text in (trade(TRADE)["copNo"], "KC2600000000008801", INVT, "B20261121000000001"):
        assert len(dossiers.found(world.ledger, text, "agent")) == 1, text
    assert dossiers.found(world.ledger, samples.AGENT.code) == []


def test_goods_may_come_back_until_the_last_day(world: World) -> None:
    inventory_is(world, "800")
    (window, _) = shown(world)["windows"]
    (last,) = dossiers.found(world.ledger, trade(TRADE)["orderNo"], on=date.fromisoformat(window["until"]))
    after = date.fromisoformat(window["until"]) + timedelta(days=1)
    (late,) = dossiers.found(world.ledger, trade(TRADE)["orderNo"], on=after)
    assert (last["customs"]["may_refund"], late["customs"]["may_refund"]) == (True, False)


@pytest.mark.parametrize(("spec", "status"), [("CEB623", "120"), ("CEB625", "800")])
def test_the_pre_entry_number_is_no_number_of_a_list(world: World, spec: str, status: str) -> None:
    lines = {1: 1} if spec == "CEB625" else None
    inventory_is(world, status)
    told = drop(world, spec, lines=lines, number="B20261121000000001")
    (name,) = [one["number"] for one in shown(world)["documents"] if one["kind"] == "inventory"]
    assert told["documents"][0]["state"] == "refused"
    (found,) = [one for one in told["findings"] if one["severity"] == "error"]
    assert (found["code"], found["zh"]) == ("T518", f"海关给清单 {name} 的编号是 {INVT}，不是 B20261121000000001")
    assert drop(world, spec, lines=lines, cop="again")["documents"][0]["state"] == "ready"


def test_a_cancel_before_customs_gave_a_number_is_refused_for_the_state_alone(world: World) -> None:
    told = drop(world, "CEB623", number="B20261121000000001")
    assert [one["code"] for one in told["findings"]] == ["C117", "T502"]


def test_what_is_declared_anew_after_a_cancel_is_cancelled_too(world: World) -> None:
    inventory_is(world, "120")
    assert shown(world)["customs"]["may_cancel"]
    drop(world, "CEB623")
    assert not shown(world)["customs"]["may_cancel"]  # though customs has not said a word of it
    world.carry()
    afterwards(world, "CEB624", "InvtCancelReturn", "399")
    body = message("CEB621", 1, start=TRADE).replace(trade(TRADE)["copNo"].encode(), b"KANEW")
    world.drop("agent", "again.xml", body)
    assert [one["documents"][0]["state"] for one in world.take_in().values()] == ["ready"]
    world.carry()
    inventory_is(world, "120", copNo="KANEW", invtNo=ANEW)
    assert (shown(world)["phase"], shown(world)["customs"]["may_cancel"]) == ("declared", True)
    again = drop(world, "CEB623", cop="again", number=ANEW)
    assert (again["documents"][0]["state"], [one["zh"] for one in again["findings"]]) == ("ready", [])


def test_a_list_that_was_refused_here_does_not_take_the_cancel_of_another_for_its_own(world: World) -> None:
    """Some other order's list names the same waybill, and the number that customs gave the first."""
    inventory_is(world, "120")
    other = TRADE + 1
    world.drop("shop", "other-order.xml", message("CEB311", 1, start=other))
    body = message("CEB621", 1, start=other).decode().replace("<ceb:gnum>3<", "<ceb:gnum>4<")
    body = body.replace(trade(other)["logisticsNo"], trade(TRADE)["logisticsNo"])
    body = re.sub("(?=<ceb:ieFlag>)", f"<ceb:invtNo>{INVT}</ceb:invtNo>", body)
    world.drop("agent", "other-list.xml", body.encode())
    told = [one for answer in world.take_in().values() for one in answer["documents"] if one["spec"] == "CEB621"]
    assert [one["state"] for one in told] == ["refused"]
    assert len(world.rows("SELECT 1 FROM paper WHERE kind = 'inventory'")) == 2
    drop(world, "CEB623")
    world.carry()
    afterwards(world, "CEB624", "InvtCancelReturn", "399")
    world.drop("ship", "waybill-2.xml", message("CEB511", 1, start=TRADE, app_type="2"))
    (changed,) = world.take_in().values()
    assert [one["state"] for one in changed["documents"]] == ["ready"], changed["findings"]
