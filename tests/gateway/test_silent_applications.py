"""Customs has a cancel or a return and says nothing: whoever applied is told once a period, nobody else."""

from datetime import timedelta
from typing import Any

import pytest

from gateway import dossiers, outstanding
from gateway.gathering import CHINA
from gateway.telling import tell
from tests.crash.world import World
from tests.gateway.test_bills import TRADE, afterwards, drop, inventory_is, notices
from tests.gateway.test_bills import world as world  # noqa: PLC0414  the fixture: a trade that is with customs
from tests.samples import trade


def days(world: World, count: int) -> None:
    """So many days pass, and each day what is due is looked at."""
    for _ in range(count):
        world.moment += timedelta(days=1)
        while world.look() + world.go_on():
            pass
    tell(world.home, world.ledger)


def told(world: World, partner: str = "agent") -> list[str]:
    """What a partner has been told of applications, without the day from which it counts."""
    found = [one["findings"][0] for one in notices(world, partner) if one["findings"][0]["code"] == "T213"]
    return sorted(one["en"].partition(" (since")[0] + one["en"].partition(")")[2] for one in found)


def shown(world: World, partner: str | None = None) -> Any:
    today = world.moment.astimezone(CHINA).date()
    (found,) = dossiers.found(world.ledger, trade(TRADE)["orderNo"], partner, on=today)
    return found


def silent(world: World, partner: str | None = None) -> list[tuple[str, str, str]]:
    """Of what customs is silent in the dossier: the kind of document, what is told, and at which status it stands."""
    return [(one["kind"], one["code"], one["status"]) for one in shown(world, partner)["silences"]]


CANCEL = "customs has said nothing new for {} days or more; the cancel application stands at: {}"
RETURN = "customs has said nothing new for {} days or more; the refund application stands at: {}"
NOTHING = "sent, and no receipt at all"


def test_a_cancel_without_an_answer_is_told_until_one_comes(world: World) -> None:
    inventory_is(world, "120")
    drop(world, "CEB623")
    world.carry()
    assert (told(world), shown(world)["silences"]) == ([], [])
    days(world, 1)
    assert told(world) == [CANCEL.format(1, NOTHING)]
    # Of its list customs has said nothing new either, and not for long enough.
    assert (silent(world), silent(world, "agent")) == ([("cancel", "T213", None)], [("cancel", "T213", None)])
    assert ([told(world, name) for name in ("shop", "pay", "ship")], silent(world, "shop")) == ([[]] * 3, [])
    days(world, 1)
    assert told(world) == [CANCEL.format(one, NOTHING) for one in (1, 2)]
    afterwards(world, "CEB624", "InvtCancelReturn", "2")
    days(world, 2)
    assert told(world) == sorted([*(CANCEL.format(one, NOTHING) for one in (1, 2)), CANCEL.format(2, "being declared")])
    afterwards(world, "CEB624", "InvtCancelReturn", "399")
    days(world, 9)
    assert (len(told(world)), shown(world)["phase"], shown(world)["silences"]) == (3, "void", [])


@pytest.mark.parametrize("ends", ["399", "100"])
def test_a_return_without_an_answer_is_told_though_the_trade_is_released(world: World, ends: str) -> None:
    inventory_is(world, "800")
    drop(world, "CEB625", lines={1: 1})
    days(world, 2)
    assert told(world) == []  # it has not left
    world.carry()
    days(world, 2)
    assert told(world) == [RETURN.format(one, NOTHING) for one in (1, 2)]
    afterwards(world, "CEB626", "InvtRefundReturn", ends)
    days(world, 9)
    assert (len(told(world)), shown(world)["phase"], shown(world)["silences"]) == (2, "released", [])
    assert shown(world)["due_at"] is None


def test_a_list_and_its_cancel_of_which_customs_is_silent_are_both_shown(world: World) -> None:
    inventory_is(world, "120")
    drop(world, "CEB623")
    world.carry()
    days(world, 3)
    both = [("inventory", "T212", "120"), ("cancel", "T213", None)]
    assert (silent(world), silent(world, "agent"), silent(world, "shop")) == (both, both, [])
    names = [one["number"] for one in shown(world)["documents"] if one["kind"] in ("inventory", "cancel")]
    assert [one["number"] for one in shown(world)["silences"]] == names


def test_a_cancel_that_decides_nothing_any_more_is_waited_for_no_longer(world: World) -> None:
    inventory_is(world, "120")
    drop(world, "CEB623")
    world.carry()
    inventory_is(world, "800")
    days(world, 9)
    assert (told(world), shown(world)["silences"], shown(world)["due_at"]) == ([], [], None)


def test_a_silent_cancel_does_not_stand_among_the_trades_whose_inventory_waits(world: World) -> None:
    inventory_is(world, "120")
    drop(world, "CEB623")
    world.carry()
    days(world, 2)
    today = world.moment.astimezone(CHINA).date()
    assert (len(told(world)), outstanding.count(world.ledger), list(outstanding.trades(world.ledger, today, 9))) == (
        2, 0, [],
    )  # fmt: skip


def test_a_return_that_left_before_the_upgrade_is_told_too(world: World) -> None:
    inventory_is(world, "800")
    drop(world, "CEB625", lines={1: 1})
    world.carry()
    world.ledger.conn.execute("UPDATE dossier SET due_at = NULL")
    world.ledger.conn.execute("DELETE FROM _sqlite_migrations WHERE name = '0013_silent_applications'")
    world.ledger.close()
    again = World(world.home, moment=world.moment)
    days(again, 1)
    assert told(again) == [RETURN.format(1, NOTHING)]
    again.close()
