"""No inventory goes to customs while its order, payment or waybill is kept here by a key that cannot be used."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway import dossiers
from tests.crash.world import World
from tests.gateway.test_trades import SENDERS, phase, states, used
from tests.homes import with_trades
from tests.samples import message, trade

CALM = {"CEB311": "checked", "CEB411": "ready", "CEB511": "ready", "CEB621": "filed"}


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    one = World(with_trades(home))
    (one.home / "keys/shop/key.pem").rename(one.home / "key.pem")
    yield one
    one.close()


def comes(world: World, *specs: str) -> list[dict[str, Any]]:
    for spec in specs:
        world.drop(SENDERS[spec], f"{spec}.xml", message(spec, 1))
    return list(world.take_in().values())


def is_mended(world: World) -> None:
    """The key is there again, and what is due has been looked at as often as it takes."""
    (world.home / "key.pem").rename(world.home / "keys/shop/key.pem")
    world.moment += timedelta(seconds=31)
    while world.go_on():
        pass


@pytest.mark.parametrize("rounds", [(tuple(SENDERS),), (("CEB311", "CEB411", "CEB511"), ("CEB621",)),
                                    (("CEB621",), ("CEB411", "CEB511"), ("CEB311",))])  # fmt: skip
def test_an_inventory_waits_for_an_order_whose_key_is_in_trouble(world: World, rounds: tuple[tuple[str, ...]]) -> None:
    for specs in rounds:
        comes(world, *specs)
    world.go_on()
    assert (states(world.ledger), phase(world), used(world)) == (CALM, "open", [])
    for partner in (None, *SENDERS.values()):
        (told,) = dossiers.found(world.ledger, trade(1)["orderNo"], partner)
        assert [(one["kind"], one["code"]) for one in told["lacking"]] == [("order", "T214")], partner
    is_mended(world)
    assert states(world.ledger) == dict.fromkeys(SENDERS, "ready")
    assert (phase(world), [len(one) for one in used(world)]) == ("declared", [1])


def test_the_inventory_is_told_why_it_waits(world: World) -> None:
    order, _, _, inventory = comes(world, *SENDERS)
    (found,) = [one for one in inventory["findings"] if one["code"].startswith("T2")]
    name = f"{order['number']}.1"
    assert (found["code"], found["zh"]) == ("T214", f"{name} 的签名密钥不可用，尚未发出，清单等待中")


def test_an_order_that_is_to_leave_unsigned_instead_is_waited_for_no_longer(world: World) -> None:
    comes(world, *SENDERS)
    file = world.home / "partners/shop.toml"
    text = file.read_text("utf-8")
    file.write_text(text[: text.index("[[key")], "utf-8")
    world.reload()
    world.moment += timedelta(seconds=31)
    while world.go_on():
        pass
    assert states(world.ledger) == dict.fromkeys(SENDERS, "ready")


class Mending(World):
    """A house whose key is mended when somebody looks at the clock for the nth time."""

    looks = 0

    def now(self) -> datetime:
        """Return the time."""
        self.looks -= 1
        if self.looks == 0:
            (self.home / "key.pem").rename(self.home / "keys/shop/key.pem")
        return super().now()


@pytest.mark.parametrize("looks", range(1, 9))
def test_a_key_that_is_mended_while_a_batch_is_filed_parts_no_trade(home: Path, looks: int) -> None:
    world = Mending(with_trades(home))
    (world.home / "keys/shop/key.pem").rename(world.home / "key.pem")
    world.looks = looks
    comes(world, *SENDERS)
    assert states(world.ledger) in (CALM, dict.fromkeys(SENDERS, "ready"))
    world.moment += timedelta(seconds=31)
    while world.go_on():
        pass
    assert states(world.ledger) == dict.fromkeys(SENDERS, "ready")
    world.close()
