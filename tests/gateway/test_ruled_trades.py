"""What an operator rules about an inventory holds for its trade: it knows what is held and rests on nothing refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import dossiers
from gateway.replaying import Ruling
from gateway.selecting import Selection
from gateway.submitting import Counter
from gateway.verbs import Verbs
from tests import samples
from tests.crash.world import World
from tests.gateway.test_trades import SENDERS, come, declared, inventory_said, phase, states, used
from tests.homes import with_trades


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    one = World(with_trades(home))
    yield one
    one.close()


def ruled(world: World, verb: str) -> None:
    """The operator has ruled about the inventory of trade 1."""
    ((number,),) = world.rows("SELECT number FROM document WHERE spec = 'CEB621'")
    with Counter(world.home, world.now) as counter:
        list(Verbs(counter, Ruling("not this one", "li")).carry_out(verb, Selection((f"{number}.1",))))


def test_an_inventory_that_was_refused_before_it_left_gives_the_buyers_year_back(world: World) -> None:
    for spec in SENDERS:
        come(world, spec)
    assert (phase(world), len(used(world)[0])) == ("declared", 1)
    ruled(world, "refuse")
    world.clerk.look()
    assert (phase(world), used(world)) == ("open", [[]])
    # What stands in its place counts once, and looking again takes nothing from it.
    told = come(world, "CEB621", was="<ceb:packNo>1", becomes="<ceb:packNo>01")
    assert told["documents"][0]["state"] == "ready"
    world.ledger.conn.execute("UPDATE dossier SET due_at = '2026-01-01T00:00:00.000Z'")
    world.clerk.look()
    assert (phase(world), used(world)) == ("declared", [["471.30"]])


def test_a_trade_knows_the_inventory_that_was_held_at_first_sight(home: Path) -> None:
    with_trades(home)
    config = home / "kouan.toml"
    text = config.read_text("utf-8")
    config.write_text(text.replace('on_other_payer = "refuse"', 'on_other_payer = "hold"'), "utf-8")
    world = World(home)
    for spec in ("CEB311", "CEB511"):
        come(world, spec)
    come(world, "CEB411", was=samples.trade(1)["id"], becomes=samples.trade(5)["id"])
    assert come(world, "CEB621")["documents"][0]["state"] == "held"
    ruled(world, "release")
    world.go_on()
    assert states(world.ledger)["CEB621"] == "ready"
    (trade,) = dossiers.found(world.ledger, "YX2026000000000001")
    assert [one["kind"] for one in trade["documents"]] == ["order", "waybill", "payment", "inventory"]
    world.close()


def test_a_trade_whose_record_another_worker_has_just_kept_is_looked_at_again(world: World) -> None:
    declared(world)
    inventory_said(world, "100")
    (before,) = used(world)
    # The record has another revision by the time it is written.
    world.ledger.conn.execute("CREATE TEMP TRIGGER kept BEFORE UPDATE ON record BEGIN SELECT RAISE(IGNORE); END")
    assert (world.clerk.look(), used(world)) == (0, [before])
    world.ledger.conn.execute("DROP TRIGGER kept")
    assert (world.clerk.look(), used(world)) == (1, [[]])
