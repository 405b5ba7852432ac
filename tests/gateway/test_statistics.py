"""Figures for people: what came and became of it, and which trades wait for what, oldest first."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway import outstanding, statistics
from gateway.gathering import CHINA
from tests.crash.world import World
from tests.gateway.test_trades import come, declared, inventory_said
from tests.homes import with_trades


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    one = World(with_trades(home))
    yield one
    one.close()


def figures(world: World, by: Any = "") -> dict[str, dict[str, Any]]:
    day = world.moment.astimezone(CHINA).date()
    return {one["name"]: one for one in statistics.counted(world.ledger, day - timedelta(1), day, by=by)}


def test_a_day_is_counted_in_all_and_by_mode_partner_and_day(world: World) -> None:
    opened = world.moment
    declared(world)
    come(world, "CEB311", number=2)
    come(world, "CEB411", number=2, was="<ceb:amountPaid>", becomes="<ceb:amountPaid>1")
    world.moment += timedelta(hours=2)
    inventory_said(world, "800")
    all_of_it = figures(world)[""]
    assert {(one["kind"], one["state"], one["count"]) for one in all_of_it["documents"]} == {
        ("order", "sent", 1), ("order", "ready", 1), ("payment", "sent", 1), ("payment", "ready", 1),
        ("waybill", "sent", 1), ("inventory", "closed", 1),
    }  # fmt: skip
    assert all_of_it["trades"] == {"open": 1, "declared": 0, "released": 1, "closed": 0, "void": 0}
    assert (all_of_it["refused"], all_of_it["mismatches"], all_of_it["released"]) == (0, {"T101": 1}, 1)
    assert 7100 < all_of_it["median_seconds"] < 7300
    by_partner = figures(world, "partner")
    assert by_partner["pay"]["mismatches"] == {"T101": 1}
    assert (by_partner["agent"]["trades"]["released"], by_partner[""]["trades"]["open"]) == (1, 1)
    by_mode = figures(world, "mode")
    assert (by_mode["9610"]["released"], by_mode["9610"]["trades"]["released"]) == (1, 1)
    assert set(figures(world, "day")) <= {f"{day.astimezone(CHINA):%Y-%m-%d}" for day in (opened, world.moment)}


def test_the_oldest_trades_are_told_with_what_they_wait_for(world: World) -> None:
    come(world, "CEB311", number=1)
    world.moment += timedelta(minutes=1)
    come(world, "CEB311", number=2)
    come(world, "CEB621", number=2)
    world.moment += timedelta(days=4)
    today = world.moment.astimezone(CHINA).date()
    told = list(outstanding.trades(world.ledger, today, 10))
    assert [(one["partner"], one["waits_for"], one["late"], one["state"]) for one in told] == [
        ("shop", ["inventory"], False, None),
        ("agent", ["waybill", "payment"], True, "filed"),
    ]
    assert [(one["partner"], one["trades"], one["late"]) for one in outstanding.groups(told)] == [
        ("shop", 1, 0), ("agent", 1, 1),
    ]  # fmt: skip
    assert (outstanding.count(world.ledger), len(list(outstanding.trades(world.ledger, today, 1)))) == (2, 1)


def test_a_trade_that_disagrees_waits_to_be_mended(world: World) -> None:
    come(world, "CEB311")
    come(world, "CEB411", was="<ceb:amountPaid>", becomes="<ceb:amountPaid>1")
    for spec in ("CEB511", "CEB621"):
        come(world, spec)
    (told,) = outstanding.trades(world.ledger, world.moment.astimezone(CHINA).date(), 10)
    assert (told["waits_for"], told["state"]) == (["T101"], "filed")
