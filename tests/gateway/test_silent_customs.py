"""Customs has an inventory and says nothing: whoever declared it is told once a period, the operator sees it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway import dossiers, outstanding
from gateway.gathering import CHINA
from tests.crash.world import World
from tests.gateway.test_trades import come, declared, inventory_said, notices
from tests.homes import with_trades


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    one = World(with_trades(home))
    yield one
    one.close()


def days(world: World, count: int) -> None:
    """So many days pass, and each day what is due is looked at."""
    for _ in range(count):
        world.moment += timedelta(days=1)
        while world.look() + world.go_on():
            pass


def silences(world: World) -> list[str]:
    """What the declaring partner has been told, in its order, without the day from which it counts."""
    told = [one["findings"][0] for one in notices(world, "agent")]
    return sorted(one["en"].partition(" (since")[0] + one["en"].partition(")")[2] for one in told)


def waiting(world: World) -> list[tuple[str, list[str], bool]]:
    today = world.moment.astimezone(CHINA).date()
    return [(one["partner"], one["waits_for"], one["late"]) for one in outstanding.trades(world.ledger, today, 10)]


def of_trade(world: World, partner: str | None = None) -> Any:
    today = world.moment.astimezone(CHINA).date()
    (found,) = dossiers.found(world.ledger, "YX2026000000000001", partner, on=today)
    return found


def test_no_answer_at_all_is_told_each_day_until_one_comes(world: World) -> None:
    declared(world)
    assert (silences(world), waiting(world), of_trade(world)["silences"]) == ([], [], [])
    days(world, 1)
    first = "customs has said nothing new for 1 days or more; the inventory stands at: sent, and no receipt at all"
    assert silences(world) == [first]
    assert waiting(world) == [("agent", ["customs"], True)]
    assert outstanding.count(world.ledger) == 1
    days(world, 1)
    assert silences(world) == [first, first.replace("1 days", "2 days")]
    inventory_said(world, "2")
    while world.look():
        pass
    assert (waiting(world), outstanding.count(world.ledger), of_trade(world)["why"]) == ([], 0, None)
    assert len(silences(world)) == 2


def test_an_inventory_that_stands_still_is_told_once_a_period(world: World) -> None:
    declared(world)
    inventory_said(world, "2")
    inventory_said(world, "120")
    days(world, 2)
    assert silences(world) == []
    days(world, 3)
    told = "customs has said nothing new for 3 days or more; the inventory stands at: taken in by customs"
    assert silences(world) == [told]
    days(world, 1)
    assert silences(world) == [told, told.replace("3 days", "6 days")]
    inventory_said(world, "800")
    days(world, 9)
    assert len(silences(world)) == 2
    assert (of_trade(world)["phase"], of_trade(world)["due_at"]) == ("released", None)


def test_only_who_declared_it_and_the_operator_see_the_silence(world: World) -> None:
    declared(world)
    days(world, 1)
    assert {name: notices(world, name) for name in ("shop", "pay", "ship")} == {"shop": [], "pay": [], "ship": []}
    assert [of_trade(world, name)["silences"] for name in ("shop", "pay", "ship")] == [[], [], []]
    since = (world.moment - timedelta(days=1)).astimezone(CHINA).date().isoformat()
    for whose in (None, "agent"):
        (told,) = of_trade(world, whose)["silences"]
        assert (told["code"], told["since"], told["status"]) == ("T212", since, None)
    assert of_trade(world)["why"] == f"T212 - {since}"


def test_what_has_not_left_is_no_silence_of_customs(world: World) -> None:
    for spec in ("CEB311", "CEB411", "CEB511", "CEB621"):
        come(world, spec)
    days(world, 3)
    assert (silences(world), waiting(world)) == ([], [])
    world.carry()
    days(world, 2)
    assert len(silences(world)) == 2


def test_what_customs_returned_is_no_silence(world: World) -> None:
    declared(world)
    inventory_said(world, "120")
    inventory_said(world, "100")
    days(world, 6)
    assert silences(world) == []
