"""A cancel or return is of whoever declared or sold the inventory: by his partner's file, not by what he writes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.simulators.port import changed, sample
from tests.crash.world import World
from tests.gateway.test_trades import inventory_said
from tests.homes import with_trades
from tests.samples import AGENT, SHIP, SHOP, message, trade

SENDERS = {"CEB311": "shop", "CEB411": "pay", "CEB511": "ship", "CEB621": "agent"}
NUMBER = "29002026I000000001"
GIVEN_BACK = pytest.mark.parametrize(("spec", "status"), [("CEB623", "120"), ("CEB625", "800")])


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    with_trades(home)
    for name, role in (("ship", "logistics"), ("shop", "merchant")):
        file = home / "partners" / f"{name}.toml"
        text = file.read_text("utf-8").replace(f'"{role}"', f'"{role}", "agent"', 1)
        file.write_text(text.replace("specs = [", 'specs = ["CEB621", "CEB623", "CEB625", ', 1), "utf-8")
    one = World(home)
    yield one
    one.close()


def comes(world: World, sender: str, body: bytes) -> tuple[str, list[str]]:
    """The document has come; return its state and what is wrong with it."""
    world.drop(sender, f"{len(world.rows('SELECT 1 FROM interchange'))}.xml", body)
    (told,) = world.take_in().values()
    wrong = [one["code"] for one in told["findings"] if one["severity"] == "error"]
    return (told["documents"] or [{"state": ""}])[0]["state"], wrong


def declared(world: World, number: int, by: str = "agent", claims: str = "") -> None:
    """The inventory of this trade is with customs, in the name of this partner; it may claim a number of customs."""
    for spec, sender in SENDERS.items():
        body = transmitted(message(spec, 1, start=number), spec, by)
        if claims and spec == "CEB621":
            body = body.replace(b"<ceb:ieFlag>", f"<ceb:invtNo>{claims}</ceb:invtNo><ceb:ieFlag>".encode())
        assert comes(world, by if spec == "CEB621" else sender, body) == ("ready", [])
    world.go_on()
    world.carry()


def transmitted(body: bytes, spec: str, by: str) -> bytes:
    """The message as this partner transmits it; an inventory is declared in his name."""
    whose = {"agent": AGENT, "ship": SHIP, "shop": SHOP}[by]
    if spec in ("CEB311", "CEB411", "CEB511"):
        return body
    body = changed(body, copCode=whose.code, copName=whose.title, dxpId=whose.dxp_id)
    return changed(body, agentCode=whose.code) if spec == "CEB621" else body


def given_back(spec: str, by: str, number: int = 1, **fields: str) -> bytes:
    """A cancel or return of what customs calls NUMBER, transmitted by this partner, in the names of the fields."""
    names = {"invtNo": NUMBER, "orderNo": trade(number)["orderNo"], "agentCode": AGENT.code, "ebcCode": SHOP.code}
    body = changed(sample(spec), **(names | fields))
    if spec == "CEB625":
        line = {"gnum": "2", "gcode": trade(number)["gcode1"], "qty": "1"}
        first, end = body.index(b"</ceb:InvtRefundList>"), body.rindex(b"</ceb:InvtRefund>")
        body = changed(body[: first + len(b"</ceb:InvtRefundList>")] + body[end:], **line)
    return transmitted(body, spec, by)


@GIVEN_BACK
def test_the_codes_of_others_in_a_document_give_no_right_to_their_inventory(
    world: World, spec: str, status: str
) -> None:
    declared(world, 1)
    inventory_said(world, status)
    assert comes(world, "ship", given_back(spec, "ship")) == ("refused", ["T510"])
    assert comes(world, "ship", given_back(spec, "ship", agentCode=SHIP.code)) == ("refused", ["T510"])


@GIVEN_BACK
@pytest.mark.parametrize("own", [1, 2])
def test_an_order_of_ones_own_gives_no_right_to_the_inventory_of_another(
    world: World, spec: str, status: str, own: int
) -> None:
    other = 3 - own
    declared(world, own, "ship")
    declared(world, other)
    inventory_said(world, status, other)
    body = given_back(spec, "ship", own, agentCode=SHIP.code)
    assert comes(world, "ship", body) == ("refused", ["T510"])


@GIVEN_BACK
def test_claiming_its_number_gives_no_right_to_an_inventory(world: World, spec: str, status: str) -> None:
    declared(world, 2)
    inventory_said(world, status, 2)
    declared(world, 1, "ship", NUMBER)
    assert comes(world, "ship", given_back(spec, "ship", 2, agentCode=SHIP.code)) == ("refused", ["T510"])


@GIVEN_BACK
@pytest.mark.parametrize("by", ["agent", "shop"])
def test_whoever_declared_or_sold_it_may(world: World, spec: str, status: str, by: str) -> None:
    declared(world, 1)
    inventory_said(world, status)
    assert comes(world, by, given_back(spec, by)) == ("ready", [])


@pytest.mark.parametrize(("spec", "why"), [("CEB623", "T502"), ("CEB625", "T503")])
def test_what_customs_has_returned_is_neither_cancelled_nor_sent_back(world: World, spec: str, why: str) -> None:
    declared(world, 1)
    inventory_said(world, "120")
    inventory_said(world, "100")
    assert comes(world, "agent", given_back(spec, "agent")) == ("refused", [why])
    assert comes(world, "ship", given_back(spec, "ship")) == ("refused", ["T510"])


@GIVEN_BACK
def test_who_claims_the_number_of_an_inventory_does_not_stand_in_the_way_of_its_own(
    world: World, spec: str, status: str
) -> None:
    declared(world, 2)
    inventory_said(world, status, 2)
    declared(world, 1, "ship", NUMBER)
    inventory_said(world, "100", 1)
    assert comes(world, "agent", given_back(spec, "agent", 2)) == ("ready", [])


def test_where_the_operator_only_warns_of_strangers_the_rest_of_the_law_holds(world: World) -> None:
    file = world.home / "kouan.toml"
    file.write_text(file.read_text("utf-8").replace("[severity]\n", '[severity]\nT510 = "warning"\n'), "utf-8")
    world.reload()
    declared(world, 1)
    inventory_said(world, "800")
    assert comes(world, "ship", given_back("CEB623", "ship")) == ("refused", ["T502"])
    assert comes(world, "ship", given_back("CEB625", "ship")) == ("ready", [])


@GIVEN_BACK
@pytest.mark.parametrize("known", [False, True])
def test_a_merchant_transmits_under_his_credit_code_and_is_known_by_his_other_one(
    world: World, spec: str, status: str, known: bool
) -> None:
    credit = "91330199MA2E7001XB"
    file = world.home / "partners/shop.toml"
    text = file.read_text("utf-8").replace(f'code = "{SHOP.code}"', f'code = "{credit}"', 1)
    file.write_text(text.replace("also_codes = []", f'also_codes = ["{SHOP.code}"]' if known else "also_codes = []"))
    declared(world, 1)
    inventory_said(world, status)
    world.reload()
    body = changed(given_back(spec, "shop"), copCode=credit)
    assert comes(world, "shop", body) == (("ready", []) if known else ("refused", ["T510"]))
