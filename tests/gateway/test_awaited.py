"""What a document waited for is awaited no more once it goes on or is refused, whatever it waited for on the way."""

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest

from tests.crash.world import World
from tests.gateway.test_trades import SENDERS, states
from tests.homes import with_trades
from tests.samples import message


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    one = World(with_trades(home))
    yield one
    one.close()


def come(world: World, spec: str, body: bytes | None = None) -> None:
    world.drop(SENDERS[spec], f"{spec}.xml", body or message(spec, 1))
    world.take_in()
    while world.go_on():
        pass


def awaited(world: World) -> int:
    ((count,),) = world.rows("SELECT count(*) FROM awaited WHERE ordinal > 0")
    return int(count)


@pytest.mark.parametrize("arrivals", [one for one in permutations(SENDERS) if one[-1] != "CEB621"], ids="-".join)
def test_nothing_is_awaited_when_the_inventory_has_gone_on(world: World, arrivals: tuple[str, ...]) -> None:
    for spec in arrivals:
        assert (awaited(world) > 0) == (states(world.ledger).get("CEB621") == "filed")
        come(world, spec)
    assert (states(world.ledger), awaited(world)) == (dict.fromkeys(SENDERS, "ready"), 0)


def test_nothing_is_awaited_when_the_inventory_was_refused_after_it_had_waited(world: World) -> None:
    come(world, "CEB621", message("CEB621", 1).replace(b"<ceb:gnum>1<", b"<ceb:gnum>9<"))
    assert awaited(world) > 0
    come(world, "CEB311")
    assert (states(world.ledger)["CEB621"], awaited(world)) == ("refused", 0)
