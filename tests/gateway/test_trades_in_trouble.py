"""What stops a document of a trade, and what lets it go again, never makes its trade forget it."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.dossiers import found
from gateway.replaying import Ruling, replay
from gateway.selecting import Selection
from gateway.signing.keys import load_signer
from gateway.signing.seal import sign_message
from gateway.submitting import Counter
from gateway.verbs import Verbs
from tests.crash.world import World
from tests.gateway.test_trades import SENDERS, come, declared, inventory_said, notices, phase, states, used
from tests.homes import with_trades
from tests.samples import message

RULING = Ruling("why not", "eve")
FELLOWS = ("CEB311", "CEB411", "CEB511")
KIND = {"CEB311": "order", "CEB411": "payment", "CEB511": "waybill"}


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    one = World(with_trades(home))
    yield one
    one.close()


def decide(world: World, verb: str, spec: str) -> list[str]:
    """An operator has decided about every document of this spec; where each stands is returned."""
    world.moment += timedelta(seconds=60)
    with Counter(world.home, world.now) as counter:
        return [one.after for one in Verbs(counter, RULING).carry_out(verb, Selection(spec=spec))]


@pytest.mark.parametrize("spec", FELLOWS)
def test_a_fellow_that_is_released_wakes_the_inventory_that_waits_for_it(world: World, spec: str) -> None:
    come(world, spec)
    assert decide(world, "hold", spec) == ["held"]
    for other in SENDERS:
        if other != spec:
            come(world, other)
    assert states(world.ledger)["CEB621"] == "filed"
    [(order,)] = world.rows("SELECT order_no FROM dossier")
    (trade,) = found(world.ledger, order)
    assert [(one["kind"], one["code"]) for one in trade["lacking"]] == [(KIND[spec], "T211")]
    assert decide(world, "release", spec) == ["ready"]
    world.moment += timedelta(seconds=60)
    world.go_on()
    assert states(world.ledger)["CEB621"] == "ready"


@pytest.mark.parametrize("spec", FELLOWS)
def test_what_was_held_when_it_came_belongs_to_its_trade_when_it_is_released(world: World, spec: str) -> None:
    routes = world.home / "routes.csv"
    text = routes.read_text("utf-8")
    head = text.splitlines()[0]
    routes.write_text(f"{head}\n", "utf-8")
    world.close()
    world = World(world.home)
    come(world, spec)
    assert states(world.ledger) == {spec: "held"}
    routes.write_text(text, "utf-8")
    world.close()
    world = World(world.home, moment=world.moment)
    assert decide(world, "release", spec) == ["checked"]
    world.moment += timedelta(seconds=60)
    world.go_on()
    assert states(world.ledger) == {spec: "ready"}
    for other in SENDERS:
        if other != spec:
            come(world, other)
    world.go_on()
    assert states(world.ledger) == dict.fromkeys(SENDERS, "ready")
    world.close()


def test_a_payment_for_another_order_wakes_the_inventories_of_all_that_it_pays(world: World) -> None:
    second = {"QC202600000000000002": "QC202600000000000001"}
    ((was, becomes),) = second.items()
    come(world, "CEB311", number=1)
    come(world, "CEB311", number=2, was=was, becomes=becomes)
    come(world, "CEB511", number=2)
    told = come(world, "CEB621", number=2)
    assert told["documents"][0]["state"] == "filed"
    come(world, "CEB411", number=1)
    ((due, why),) = world.rows("SELECT due_at, why FROM document WHERE spec = 'CEB621'")
    assert world.go_on() == 1, (due, why)


def signed(world: World, count: int) -> None:
    body = sign_message(message("CEB621", count), load_signer(world.home / "keys", "agent"))
    world.drop("agent", "signed.xml", body)
    world.take_in()


def inventories(world: World) -> list[str]:
    return [state for (state,) in world.rows("SELECT state FROM document WHERE spec = 'CEB621' ORDER BY ordinal")]


@pytest.mark.parametrize("late", [1, 2, 3])
@pytest.mark.parametrize("spec", FELLOWS)
def test_a_signed_message_goes_whole_when_the_last_fellow_of_its_last_inventory_comes(
    world: World, late: int, spec: str
) -> None:
    for number in (1, 2, 3):
        for one in FELLOWS:
            if (number, one) != (late, spec):
                come(world, one, number=number)
    signed(world, 3)
    assert inventories(world) == ["filed" if number == late else "checked" for number in (1, 2, 3)]
    come(world, spec, number=late)
    world.go_on()
    assert inventories(world) == ["ready"] * 3
    assert world.rows("SELECT documents FROM message WHERE spec = 'CEB621' AND suite = 'as received'") != []


def test_a_signed_message_of_which_one_is_held_waits_until_it_is_released(world: World) -> None:
    for spec in FELLOWS:
        come(world, spec, number=1)
    signed(world, 2)
    assert decide(world, "hold", "CEB621") == ["held", "held"]
    for spec in FELLOWS:
        come(world, spec, number=2)
    world.go_on()
    assert inventories(world) == ["held", "held"]
    assert decide(world, "release", "CEB621") == ["checked", "filed"]
    world.moment += timedelta(seconds=60)
    world.go_on()
    assert inventories(world) == ["ready", "ready"]


def test_what_a_desk_holds_waits_for_an_operator_with_its_reason(world: World) -> None:
    kouan = world.home / "kouan.toml"
    kouan.write_text(kouan.read_text("utf-8").replace('on_other_payer = "refuse"', 'on_other_payer = "hold"'), "utf-8")
    assert 'on_other_payer = "hold"' in kouan.read_text("utf-8")
    world.close()
    world = World(world.home)
    come(world, "CEB311")
    come(world, "CEB411", was="<ceb:payerName>", becomes="<ceb:payerName>某")
    come(world, "CEB511")
    come(world, "CEB621")
    rows = world.rows("SELECT state, due_at, substr(why, 1, 4) FROM document WHERE spec = 'CEB621'")
    assert rows == [("held", "9999-12-31T23:59:59Z", "T402")]
    world.close()


def test_an_inventory_that_an_operator_refuses_gives_the_buyers_year_back(world: World) -> None:
    for spec in SENDERS:
        come(world, spec)
    assert [len(one) for one in used(world)] == [1]
    assert decide(world, "refuse", "CEB621") == ["refused"]
    world.look()
    assert used(world) == [[]]
    assert phase(world) == "open"
    come(world, "CEB621")
    assert phase(world) == "declared"
    assert [len(one) for one in used(world)] == [1]


def test_a_late_word_about_a_returned_inventory_says_nothing_of_its_successor(world: World) -> None:
    declared(world)
    inventory_said(world, "120")
    world.moment += timedelta(seconds=10)
    inventory_said(world, "100")
    world.look()
    world.moment += timedelta(seconds=10)
    come(world, "CEB621", was="<ceb:packNo>1", becomes="<ceb:packNo>01")
    world.carry()
    assert phase(world) == "declared"
    before = world.moment
    world.moment -= timedelta(seconds=15)
    inventory_said(world, "300")
    world.moment = before + timedelta(seconds=30)
    world.look()
    assert phase(world) == "declared"
    assert [len(one) for one in used(world)] == [1]


def test_a_box_that_cannot_be_written_keeps_no_notice_of_others_and_tells_nobody_twice(world: World) -> None:
    come(world, "CEB311")
    come(world, "CEB621")
    world.moment += timedelta(days=4)
    (world.home / "spool/partners/shop/out").rename(world.home / "away")
    (world.home / "spool/partners/shop/out").write_bytes(b"")
    world.go_on()
    assert len(notices(world, "agent")) == 1
    for file in (world.home / "spool/partners/agent/out").glob("*.notice.json"):
        file.unlink()
    world.tell()
    assert notices(world, "agent") == []
    os.unlink(world.home / "spool/partners/shop/out")
    (world.home / "away").rename(world.home / "spool/partners/shop/out")
    world.tell()
    assert len(notices(world, "shop")) == 1


def test_a_replay_of_what_is_filed_is_a_duplicate_and_goes_once(world: World) -> None:
    come(world, "CEB311")
    come(world, "CEB621")
    row = world.ledger.one("interchange", world.rows("SELECT max(number) FROM interchange")[0][0])
    with Counter(world.home, world.now) as counter:
        (told,) = replay(counter, [row], RULING)
    assert told.told is not None
    assert told.told["duplicate_of"] == str(row["number"])
    come(world, "CEB411")
    come(world, "CEB511")
    world.go_on()
    assert inventories(world) == ["ready"]
    assert len(world.rows("SELECT 1 FROM message WHERE spec = 'CEB621'")) == 1
