"""No partner reads in a trade what only another's document says, beyond what the rule of a mismatch shows."""

import json
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from adapters.doors.http_api import OPENAPI
from gateway import dossiers
from gateway.config import load_house
from tests.crash.world import World
from tests.homes import with_trades
from tests.samples import citizen, message, trade

SENDERS = {"CEB311": "shop", "CEB411": "pay", "CEB511": "ship", "CEB621": "agent"}
ORDER = trade(1)["orderNo"]
PERSONS = {
    "CEB311": ("订甲乙丙", citizen(11), "12611110001", "浙江省杭州市云栖新区订单路1号101室"),
    "CEB411": ("付丁戊己", citizen(12), "12611110002", ""),
    "CEB511": ("收庚辛壬", "", "12611110003", "浙江省杭州市云栖新区运单路3号303室"),
    "CEB621": ("清癸子丑", citizen(14), "12611110004", "浙江省杭州市云栖新区清单路4号404室"),
}
"""Four documents that name four different persons: everything that can disagree does."""
NAMES = ("buyer", "id", "phone", "address")
WHOLE = {"number", "key", "version", "partner", "why", "due_at", "received_at", "stamps", "receipts", "app_type"}
OTHERS = {"kind", "spec", "state", "status", "status_zh", "status_en"}


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    one = World(with_trades(home))
    yield one
    one.close()


def body(spec: str) -> bytes:
    """The document of trade 1 as it names its own person; a payment of its own amount."""
    text = message(spec, 1)
    for name, told in zip(NAMES, PERSONS[spec], strict=True):
        if told:
            text = text.replace(trade(1)[name].encode(), told.encode())
    if spec == "CEB411":
        text = text.replace(f"<ceb:amountPaid>{trade(1)['paid']}".encode(), b"<ceb:amountPaid>7531.97")
    if spec == "CEB511":
        text = text.replace(b"<ceb:insuredFee>0", b"<ceb:insuredFee>8642.31")
    return text


def seen(world: World, partner: str, name: str = ORDER) -> list[dict[str, Any]]:
    return dossiers.found(world.ledger, name, partner, house=load_house(world.home))


@pytest.mark.parametrize("arrivals", list(permutations(SENDERS))[::5], ids="-".join)
def test_no_partner_sees_anothers_persons_or_amounts(world: World, arrivals: tuple[str, ...]) -> None:
    for spec in arrivals:
        world.drop(SENDERS[spec], f"{spec}.xml", body(spec))
        world.take_in()
    for mine, partner in SENDERS.items():
        (told,) = seen(world, partner)
        text = json.dumps(told, ensure_ascii=False)
        secrets = {one for spec, said in PERSONS.items() if spec != mine for one in said if one}
        assert {one for one in secrets if one in text} == set(), partner
        assert told["findings"], partner
        # Who pays and who ordered agree upon the amount; of the insurance the agent's list and the waybill do.
        assert ("7531.97" in text) == (partner in ("shop", "pay")), partner
        assert ("8642.31" in text) == (partner in ("ship", "agent")), partner


def test_of_the_others_documents_only_kind_and_state_are_told(world: World) -> None:
    for spec, sender in SENDERS.items():
        world.drop(sender, f"{spec}.xml", body(spec))
    world.take_in()
    for partner in SENDERS.values():
        (told,) = seen(world, partner)
        keys = [set(one) for one in told["documents"]]
        assert sorted(map(len, keys)) == [len(OTHERS)] * 3 + [len(OTHERS | WHOLE)]
        assert {one["partner"] for one in told["documents"] if "partner" in one} == {partner}
        menders = {one["partner"] for broken in told["findings"] for one in broken["mends"]}
        assert menders <= {None, partner}
        assert (told["tax"] is None) == (partner != "agent")


def test_who_has_no_document_in_a_trade_does_not_see_it_by_any_name(world: World) -> None:
    world.drop("shop", "o.xml", body("CEB311"))
    (told,) = world.take_in().values()
    for name in (ORDER, f"3301961A2B|{ORDER}", told["number"], f"{told['number']}.1", " ", ""):
        assert seen(world, "pay", name) == []


def test_what_is_told_is_as_the_description_of_the_door_has_it(world: World) -> None:
    for spec, sender in SENDERS.items():
        world.drop(sender, f"{spec}.xml", body(spec))
    world.take_in()
    schema = json.loads(OPENAPI.read_text("utf-8"))["components"]["schemas"]["Dossier"]
    (told,) = seen(world, "agent")
    assert set(told) == set(schema["required"]) == set(schema["properties"])
