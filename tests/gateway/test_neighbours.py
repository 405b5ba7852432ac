"""Trades that share a payment, a waybill or an order number: what is said of one does not decide about the other."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.dossiers import found
from tests.crash.world import World
from tests.gateway.test_trades import SENDERS, come, inventory_said
from tests.homes import with_trades
from tests.samples import message, trade

NO = {number: trade(number)["payNo"] for number in (1, 2, 3)}


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    one = World(with_trades(home))
    yield one
    one.close()


def inventory(world: World) -> str:
    world.go_on()
    ((state,),) = world.rows("SELECT state FROM document WHERE spec = 'CEB621'")
    return str(state)


def broken(world: World) -> list[str]:
    (one,) = found(world.ledger, trade(1)["orderNo"])
    return [each["code"] for each in one["findings"]]


@pytest.mark.parametrize("late", [False, True])
def test_an_order_that_was_changed_to_another_payment_is_not_paid_by_the_first(world: World, *, late: bool) -> None:
    """One transaction pays two orders; the third named it by mistake."""
    both = f"{Decimal(trade(1)['paid']) + Decimal(trade(2)['paid'])}"
    come(world, "CEB311", number=1)
    for number in (2, 3):
        come(world, "CEB311", number=number, was=NO[number], becomes=NO[1])
    come(world, "CEB411", number=1, was=f">{trade(1)['paid']}<", becomes=f">{both}<")
    come(world, "CEB511", number=1)
    if late:
        come(world, "CEB621", number=1)
        assert inventory(world) == "filed"
        come(world, "CEB311", number=3, app_type="2")
    else:
        come(world, "CEB311", number=3, app_type="2")
        come(world, "CEB621", number=1)
    assert broken(world) == []
    assert inventory(world) == "ready"


def drop(world: World, spec: str, number: int, changes: dict[str, str], app_type: str = "1") -> Any:
    """The document of a trade comes with these elements changed; the acknowledgement is returned."""
    body = message(spec, 1, start=number, app_type=app_type).decode()
    for name, value in changes.items():
        body = re.sub(f"<ceb:{name}>[^<]*<", f"<ceb:{name}>{value}<", body)
    world.drop(SENDERS[spec], f"{spec}-{number}-{app_type}-{len(changes)}-{world.moment:%H%M%S%f}.xml", body.encode())
    (told,) = world.take_in().values()
    return told


def _parcel(world: World) -> dict[str, str]:
    """Two trades in one parcel are with customs; return what the second has of the first."""
    one = trade(1)
    whose = {"consignee": one["buyer"], "consigneeTelephone": one["phone"], "consigneeAddress": one["address"]}
    parcel = {"logisticsNo": one["logisticsNo"], "billNo": one["billNo"], "consigneeAddress": one["address"]}
    for number in (1, 2):
        drop(world, "CEB311", number, whose)
        drop(world, "CEB411", number, {})
    drop(world, "CEB511", 1, {"weight": "4.02", "freight": "16"})
    for number in (1, 2):
        drop(world, "CEB621", number, parcel)
    world.go_on()
    world.carry()
    return parcel


def test_what_customs_says_of_another_inventory_in_the_parcel_does_not_stop_a_correction(world: World) -> None:
    parcel = _parcel(world)
    inventory_said(world, "100")
    inventory_said(world, "120", 2)
    told = drop(world, "CEB621", 1, parcel, "2")
    assert [one["code"] for one in told["findings"]] == ["T301"]
    assert told["documents"][0]["state"] == "ready"


def test_an_order_of_another_platform_with_the_same_number_does_not_bind_this_one(world: World) -> None:
    other = {"ebpCode": "3301961A2C", "ebcCode": "3301961A2C", "payTransactionId": "OTHER"}
    come(world, "CEB311", number=1)
    drop(world, "CEB311", 1, {**other, "consignee": "x"})
    for spec in ("CEB411", "CEB511", "CEB621"):
        come(world, spec, number=1)
    world.carry()
    inventory_said(world, "800")
    drop(world, "CEB621", 1, {"ebpCode": "3301961A2C", "ebcCode": "3301961A2C", "copNo": "KA1", "logisticsNo": "OTHER"})
    told = drop(world, "CEB311", 1, {**other, "consignee": "y"}, "2")
    assert [one["code"] for one in told["findings"] if one["severity"] == "error"] == []
    assert told["documents"][0]["state"] == "ready"


@pytest.mark.parametrize("status", ["120", "800"])
def test_a_waybill_stays_bound_by_the_other_inventory_of_its_parcel(world: World, status: str) -> None:
    parcel = _parcel(world)
    inventory_said(world, "100")
    inventory_said(world, status, 2)
    told = drop(world, "CEB511", 1, {"weight": "4.02", "freight": "17"}, "2")
    assert [one["code"] for one in told["findings"]] == ["T515"]
    assert drop(world, "CEB621", 1, parcel, "2")["documents"][0]["state"] == "ready"
