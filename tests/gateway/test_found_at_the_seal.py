"""What can be known of a document before its trade is asked is asked first: no inventory goes along with an order that
is then held, and none that is refused uses its buyer's year.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.signing.keys import load_signer
from gateway.signing.seal import sign_message
from tests.crash.world import World
from tests.gateway.test_trades import SENDERS, phase, states, used
from tests.gateway.test_trades_in_trouble import decide
from tests.homes import with_trades
from tests.samples import message

NO_ORDERS = "spec,area,authority,note\nCEB411,*,customs,\nCEB511,*,customs,\nCEB621,*,customs,\n"
EVERYTHING = "spec,area,authority,note\n*,*,customs,\n"


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    one = World(with_trades(home))
    yield one
    one.close()


def change(world: World, file: str, text: str) -> None:
    """The configuration says this from now on."""
    (world.home / file).write_text(text, "utf-8")
    world.reload()


def all_at_once(world: World) -> dict[str, list[Any]]:
    """All four documents of trade 1 come in one batch; the codes that each of the senders hears are returned."""
    for spec, sender in SENDERS.items():
        world.drop(sender, f"{spec}.xml", message(spec, 1))
    told = world.take_in().values()
    return {one["documents"][0]["spec"]: [found["code"] for found in one["findings"]] for one in told}


def test_an_inventory_waits_for_an_order_of_its_batch_that_no_authority_takes(world: World) -> None:
    change(world, "routes.csv", NO_ORDERS)
    heard = all_at_once(world)
    assert states(world.ledger) == {"CEB311": "held", "CEB411": "ready", "CEB511": "ready", "CEB621": "filed"}
    assert "T211" in heard["CEB621"]
    assert (phase(world), used(world)) == ("open", [])
    change(world, "routes.csv", EVERYTHING)
    assert decide(world, "release", "CEB311") == ["checked"]
    world.go_on()
    assert states(world.ledger) == dict.fromkeys(SENDERS, "ready")
    assert (phase(world), [len(one) for one in used(world)]) == ("declared", [1])


def test_an_inventory_that_no_authority_takes_uses_no_year_while_it_is_held(world: World) -> None:
    change(world, "routes.csv", EVERYTHING.replace("*,*,", "CEB311,*,"))
    all_at_once(world)
    assert states(world.ledger) == dict.fromkeys(SENDERS, "held") | {"CEB311": "ready"}
    assert (phase(world), used(world)) == ("open", [])
    change(world, "routes.csv", EVERYTHING)
    for spec in ("CEB621", "CEB411", "CEB511"):
        decide(world, "release", spec)
    world.go_on()
    assert states(world.ledger) == dict.fromkeys(SENDERS, "ready")
    assert (phase(world), [len(one) for one in used(world)]) == ("declared", [1])


def test_an_inventory_that_nobody_may_sign_uses_no_year(world: World) -> None:
    agent = world.home / "partners/agent.toml"
    text = agent.read_text("utf-8")
    assert "[[keys]]" in text or "[[key]]" in text
    change(world, "partners/agent.toml", text[: text.index("[[key")])
    heard = all_at_once(world)
    assert states(world.ledger) == dict.fromkeys(SENDERS, "ready") | {"CEB621": "refused"}
    assert heard["CEB621"] == ["P201"]
    assert (phase(world), used(world)) == ("open", [])


def test_a_signed_message_for_two_authorities_uses_no_year(world: World) -> None:
    customs = (world.home / "authorities/customs.toml").read_text("utf-8")
    change(
        world,
        "authorities/north.toml",
        customs.replace('name = "customs"', 'name = "north"').replace("simulate = true", "simulate = false"),
    )
    change(world, "routes.csv", EVERYTHING + "*,0100,north,\n")
    both = message("CEB621", 2).replace(b"<ceb:customsCode>2910<", b"<ceb:customsCode>0100<", 1)
    assert b"<ceb:customsCode>0100<" in both
    for spec, sender in SENDERS.items():
        if spec != "CEB621":
            world.drop(sender, f"{spec}.xml", message(spec, 2))
    world.drop("agent", "CEB621.xml", sign_message(both, load_signer(world.home / "keys", "agent")))
    told = list(world.take_in().values())[-1]
    assert [one["state"] for one in told["documents"]] == ["refused", "refused"]
    assert used(world) == []
