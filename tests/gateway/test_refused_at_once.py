"""An inventory that a desk refused as soon as it came is known to its trade, and moves nothing in it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import dossiers
from message_specs.trade.papers import marks_of
from tests.crash.world import World
from tests.gateway.border import Border, states
from tests.gateway.test_years_of_buyers import SENDERS, says
from tests.homes import with_trades
from tests.samples import AGENT, SHOP, citizen, message, trade


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    """A trade that is with customs."""
    one = World(with_trades(home))
    for spec, sender in SENDERS.items():
        one.drop(sender, f"{spec}.xml", message(spec, 1))
    one.take_in()
    one.carry()
    yield one
    one.close()


@pytest.fixture
def border(home: Path, tmp_path: Path) -> Iterator[Border]:
    one = Border(home, tmp_path / "customs")
    yield one
    one.close()


def is_refused(world: World, body: bytes, sender: str = "agent") -> None:
    world.drop(sender, "refused.xml", body)
    (told,) = world.take_in().values()
    assert [one["state"] for one in told["documents"]] == ["refused"], told
    while world.look():
        pass


def years(world: World) -> list[list[str]]:
    rows = world.rows("SELECT value FROM record WHERE key LIKE 'quota|%' ORDER BY key")
    return [sorted(json.loads(value)["used"]) for (value,) in rows if value]


def shown(world: World, partner: str | None = None) -> Any:
    (told,) = dossiers.found(world.ledger, trade(1)["orderNo"], partner, house=world.clerk.house)
    return told


def test_its_buyer_is_not_the_one_whose_year_is_given_back(world: World) -> None:
    says(world, 1, "120")
    order = str(marks_of("order", "CEB621", {"ebpCode": SHOP.code, "orderNo": trade(1)["orderNo"]})[0])
    assert years(world) == [[order]]
    is_refused(world, message("CEB621", 1, app_type="2").replace(citizen(1).encode(), citizen(2).encode()))
    assert years(world) == [[order]]
    says(world, 1, "100")
    assert years(world) == []


def test_its_sender_is_not_told_what_customs_said_to_another(border: Border) -> None:
    file = border.world.home / "partners/shop.toml"
    file.write_text(file.read_text("utf-8").replace("\nspecs = [", '\nspecs = ["CEB603", ', 1), "utf-8")
    border.world.reload()
    border.trade()
    border.says("CEB604", "InventoryReturn", "100", agentCode=AGENT.code, copNo="QD26110000007001")
    told = border.comes("CEB603", sender="shop", copNo="QD26110000099001", tradeMode="9710", agentCode=SHOP.code)
    assert states(told) == ["refused"], told
    for partner, may in (("shop", None), ("agent", True)):
        (seen,) = dossiers.found(border.world.ledger, "CK2026000000007001", partner)
        assert (seen["customs"]["status"], seen["customs"]["may_correct"]) == ("100", may)
