"""A trade that was cancelled has nothing to be returned, and no day until which it could be."""

from typing import Any

from gateway import dossiers
from gateway.gathering import CHINA
from tests.crash.world import World
from tests.gateway.test_bills import TRADE, afterwards, drop, inventory_is
from tests.gateway.test_bills import world as world  # noqa: PLC0414  the fixture: a trade that is with customs
from tests.samples import trade


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
