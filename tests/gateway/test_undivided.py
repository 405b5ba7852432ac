"""A signed message leaves whole: where a desk refuses one of its documents, no other of them is declared either."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from spool.interchange import Batch, Claim
from tests.crash.world import World
from tests.gateway.test_resuming import signed
from tests.gateway.test_trades import SENDERS, used
from tests.homes import with_trades
from tests.samples import message, trade

FELLOWS = ("CEB311", "CEB411", "CEB511")


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    one = World(with_trades(home))
    yield one
    one.close()


def come(world: World, *numbers: int) -> None:
    for number in numbers:
        for spec in FELLOWS:
            world.drop(SENDERS[spec], f"{spec}-{number}.xml", message(spec, 1, start=number))
    world.take_in()
    world.carry()


def declares(world: World) -> list[str]:
    """Two inventories have come in one signed message, the second with a line that no order has; return their codes."""
    first, mark, last = message("CEB621", 2).rpartition(b"<ceb:gnum>3")
    world.drop("agent", "two.xml", signed(world.home, first + mark.replace(b"3", b"9") + last, "agent"))
    (told,) = world.take_in().values()
    return [one["code"] for one in told["findings"] if one["severity"] == "error"]


def stand(world: World) -> list[str]:
    return [state for (state,) in world.rows("SELECT state FROM document WHERE spec = 'CEB621' ORDER BY ordinal")]


def test_what_a_desk_refuses_is_not_declared_behind_the_signature_of_its_message(world: World) -> None:
    come(world, 1, 2)
    assert declares(world) == ["T130", "P304"]
    assert (stand(world), world.carry(), used(world)) == (["refused", "refused"], [], [])


def test_what_a_desk_refuses_after_a_wait_is_not_declared_either(world: World) -> None:
    assert declares(world) == []
    come(world, 1)
    world.go_on()
    assert stand(world) == ["checked", "filed"]
    come(world, 2)
    while world.go_on():
        pass
    assert (stand(world), world.carry()) == (["refused", "refused"], [])
    assert world.rows("SELECT count(*) FROM awaited WHERE ordinal > 0") == [(0,)]


@pytest.mark.parametrize("turn", [1, -1])
def test_no_inventory_rests_on_an_order_that_goes_back_with_its_message(world: World, turn: int) -> None:
    come(world, 1)
    world.drop("agent", "one.xml", message("CEB621", 1))
    world.take_in()
    world.carry()
    for spec in ("CEB411", "CEB511"):
        world.drop(SENDERS[spec], f"{spec}.xml", message(spec, 1, start=2))
    world.take_in()
    # A change of what the first inventory uses, and a new order, behind one signature.
    both = message("CEB311", 2).replace(b"<ceb:appType>1", b"<ceb:appType>2", 1)
    come_in = [("shop", signed(world.home, both, "shop")), ("agent", message("CEB621", 1, start=2))][::turn]
    first, second = world.numbers.take(2)
    claims = [Claim(one, sender, "http", f"{one}.xml", body=body)
              for one, (sender, body) in zip((first, second), come_in, strict=True)]  # fmt: skip
    world.clerk.take_in(Batch(first, second, first, tuple(claims)))
    told = world.rows("SELECT spec, state FROM document WHERE key LIKE ? ORDER BY spec", f"%{trade(2)['orderNo']}")
    assert told == [("CEB311", "refused"), ("CEB621", "filed")]
