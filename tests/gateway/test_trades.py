"""A trade: three documents and an inventory come in any order, and the inventory goes on when all agree."""

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from gateway import dossiers
from gateway.config import load_house
from gateway.telling import tell
from spool.ledger import Ledger
from spool.number import CHINA
from tests.crash.world import World
from tests.homes import with_trades
from tests.samples import AGENT, SHOP, message, trade

SAMPLES = Path(__file__).parents[2] / "message_specs/ceb/samples/good"
SENDERS = {"CEB311": "shop", "CEB411": "pay", "CEB511": "ship", "CEB621": "agent"}


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    one = World(with_trades(home))
    yield one
    one.close()


def come(world: World, spec: str, *, number: int = 1, was: str = "", becomes: str = "", app_type: str = "1") -> Any:
    """The document of trade `number` comes, with a text in it changed; the acknowledgement is returned."""
    body = message(spec, 1, start=number, app_type=app_type)
    if was:
        assert was.encode() in body
        body = body.replace(was.encode(), becomes.encode())
    world.drop(SENDERS[spec], f"{spec}-{number}-{len(becomes)}{app_type}.xml", body)
    (told,) = world.take_in().values()
    return told


def states(ledger: Ledger) -> dict[str, str]:
    return {row["spec"]: row["state"] for row in ledger.conn.execute("SELECT spec, state FROM document")}


@pytest.mark.parametrize("order", list(permutations(SENDERS)), ids="-".join)
def test_whatever_comes_first_the_inventory_goes_when_all_are_there(world: World, order: tuple[str, ...]) -> None:
    for spec in order[:-1]:
        come(world, spec)
        assert states(world.ledger).get("CEB621") in (None, "filed")
    come(world, order[-1])
    world.go_on()
    assert states(world.ledger) == dict.fromkeys(SENDERS, "ready")
    (found,) = dossiers.found(world.ledger, "YX2026000000000001")
    assert (found["phase"], found["mode"]) == ("declared", "9610")
    assert [one["kind"] for one in found["documents"]] == [
        {"CEB311": "order", "CEB411": "payment", "CEB511": "waybill", "CEB621": "inventory"}[spec] for spec in order
    ]


def test_an_inventory_says_for_what_it_waits(world: World) -> None:
    come(world, "CEB411")
    told = come(world, "CEB621")
    assert [(one["code"], one["severity"]) for one in told["findings"]] == [
        ("T301", "warning"), ("T201", "warning"), ("T203", "warning"),
    ]  # fmt: skip
    assert told["documents"][0]["state"] == "filed"
    (row,) = world.ledger.all("due_documents", "9998", 10)
    assert row["state"] == "filed"


def test_of_several_inventories_in_a_file_each_says_for_what_it_waits(world: World) -> None:
    come(world, "CEB311", number=2)
    world.drop("agent", "two.xml", message("CEB621", 2))
    (told,) = world.take_in().values()
    waits = [(one["document"], one["code"], one["path"]) for one in told["findings"] if one["code"].startswith("T20")]
    first, second = (f"/CEB621Message/Inventory[orderNo='{trade(number)['orderNo']}']" for number in (1, 2))
    assert waits == [
        (1, "T201", first), (1, "T203", first), (1, "T202", first), (2, "T203", second), (2, "T202", second),
    ]  # fmt: skip


def notices(world: World, partner: str) -> list[Any]:
    out = world.home / "spool/partners" / partner / "out"
    return [json.loads(file.read_bytes()) for file in sorted(out.glob("*.notice.json"))]


def test_both_partners_hear_of_a_mismatch_each_in_his_own_words(world: World) -> None:
    come(world, "CEB311")
    told = come(world, "CEB411", was="<ceb:amountPaid>", becomes="<ceb:amountPaid>1")
    assert told["documents"][0]["state"] == "ready"
    assert [(one["code"], one["severity"]) for one in told["findings"]] == [("T101", "warning")]
    (notice,) = notices(world, "shop")
    assert notice["spec"] == "CEB311"
    assert [one["code"] for one in notice["findings"]] == ["T101"]
    come(world, "CEB511")
    told = come(world, "CEB621")
    assert told["documents"][0]["state"] == "filed"
    # The payment enterprise mends it with a change; then the inventory goes by itself.
    come(world, "CEB411", app_type="2")
    world.go_on()
    assert states(world.ledger)["CEB621"] == "ready"


def test_an_inventory_that_must_be_mended_itself_is_refused(world: World) -> None:
    for spec in ("CEB311", "CEB411", "CEB511"):
        come(world, spec)
    told = come(world, "CEB621", was="<ceb:gnum>3<", becomes="<ceb:gnum>4<")
    assert told["documents"][0]["state"] == "refused"
    told = come(world, "CEB621")
    assert told["documents"][0]["state"] == "ready"


def test_what_waits_too_long_is_told_once(world: World) -> None:
    come(world, "CEB311")
    come(world, "CEB621")
    world.moment += timedelta(days=4)
    world.go_on()
    tell(world.home, world.ledger)
    assert [one["findings"][-1]["code"] for one in notices(world, "agent")] == ["T210"]
    assert [one["findings"][-1]["code"] for one in notices(world, "shop")] == ["T210"]
    world.moment += timedelta(days=1)
    world.go_on()
    tell(world.home, world.ledger)
    assert states(world.ledger)["CEB621"] == "filed"
    come(world, "CEB411")
    come(world, "CEB511")
    world.go_on()
    assert states(world.ledger)["CEB621"] == "ready"


def test_orders_without_an_inventory_are_told_too(world: World) -> None:
    come(world, "CEB311")
    world.moment += timedelta(days=8)
    assert world.clerk.look() == 1
    tell(world.home, world.ledger)
    assert [one["findings"][0]["code"] for one in notices(world, "shop")] == ["T210"]
    assert world.clerk.look() == 0


def test_the_same_order_number_on_two_platforms_is_two_trades(world: World) -> None:
    come(world, "CEB311")
    come(world, "CEB311", number=1, was="<ceb:ebpCode>3301961A2B", becomes="<ceb:ebpCode>3301961A2C")
    assert len(dossiers.found(world.ledger, "YX2026000000000001")) == 2


def said(world: World, spec: str, unit: str, status: str, **units: str) -> None:
    """Customs has answered with one unit, a second later than before."""
    world.moment += timedelta(seconds=1)
    when = f"{world.moment.astimezone(CHINA):%Y%m%d%H%M%S}000"
    fields = {"guid": "0" * 36, **units, "returnStatus": status, "returnInfo": "-", "returnTime": when}
    world.answer(f"{spec}-{status}-{when}.xml", spec, unit, fields)
    world.take_in()


def inventory_said(world: World, status: str, number: int = 1) -> None:
    """Customs has answered about the inventory of this trade."""
    codes = {"customsCode": "2900", "ebpCode": SHOP.code, "ebcCode": SHOP.code, "agentCode": AGENT.code}
    numbers = {"copNo": f"KA{2600000000000000 + number}", "preNo": "B20261121000000001", "invtNo": "29002026I000000001"}
    said(world, "CEB622", "InventoryReturn", status, **codes, **numbers)


def declared(world: World) -> None:
    """Trade 1 is with customs."""
    for spec in SENDERS:
        come(world, spec)
    world.carry()


def phase(world: World) -> str:
    (found,) = dossiers.found(world.ledger, "YX2026000000000001")
    return str(found["phase"])


def test_the_trade_stands_where_customs_says(world: World) -> None:
    declared(world)
    seen = []
    for status in ("2", "120", "399", "500", "800", "899"):
        inventory_said(world, status)
        seen.append(phase(world))
    assert seen == ["declared", "declared", "declared", "declared", "released", "closed"]


def test_an_inventory_that_customs_returned_may_be_declared_again(world: World) -> None:
    declared(world)
    inventory_said(world, "100")
    assert phase(world) == "open"
    told = come(world, "CEB621", was="<ceb:packNo>1", becomes="<ceb:packNo>01")
    assert told["documents"][0]["state"] == "ready"
    assert phase(world) == "declared"


def test_an_order_may_not_change_while_an_inventory_uses_it(world: World) -> None:
    declared(world)
    inventory_said(world, "120")
    told = come(world, "CEB311", app_type="2", was="<ceb:buyerTelephone>126", becomes="<ceb:buyerTelephone>125")
    assert (told["documents"][0]["state"], told["findings"][0]["code"]) == ("refused", "T515")


def used(world: World) -> list[Any]:
    """What the records of years hold, by amounts alone."""
    rows = world.rows("SELECT value FROM record WHERE key LIKE 'quota|%'")
    return [sorted(json.loads(value)["used"].values()) if value else [] for (value,) in rows]


@pytest.mark.parametrize("status", ["100", "-621005"])
def test_what_customs_returned_gives_the_buyers_year_back(world: World, status: str) -> None:
    declared(world)
    (before,) = used(world)
    assert len(before) == 1
    inventory_said(world, "120")
    inventory_said(world, status)
    assert world.clerk.look() == 1
    assert used(world) == [[]]
    assert world.clerk.look() == 0


def test_every_name_of_a_trade_finds_it_once(world: World) -> None:
    numbers = {spec: come(world, spec)["number"] for spec in SENDERS}
    world.carry()
    inventory_said(world, "120")
    names = [
        "YX2026000000000001", f"{SHOP.code}|YX2026000000000001", trade(1)["logisticsNo"], trade(1)["payNo"],
        "KA2600000000000001", "29002026I000000001", *numbers.values(), *(f"{one}.1" for one in numbers.values()),
    ]  # fmt: skip
    assert {name: len(dossiers.found(world.ledger, name)) for name in names} == dict.fromkeys(names, 1)
    assert dossiers.found(world.ledger, "nothing") == []


def test_what_broke_is_compared_anew_with_both_values_and_who_mends_it(world: World) -> None:
    come(world, "CEB311")
    paid = come(world, "CEB411", was="<ceb:amountPaid>", becomes="<ceb:amountPaid>1")
    (found,) = dossiers.found(world.ledger, "YX2026000000000001")
    (broken,) = found["findings"]
    assert broken["code"] == "T101"
    assert trade(1)["paid"] in broken["zh"]
    assert f"1{trade(1)['paid']}" in broken["zh"]
    assert [one["kind"] for one in broken["mends"]] == ["order", "payment"]
    assert broken["right"]["number"] == f"{paid['number']}.1"
    come(world, "CEB411", app_type="2")
    (found,) = dossiers.found(world.ledger, "YX2026000000000001")
    assert found["findings"] == []


def test_a_waybill_that_names_an_order_alone_is_of_the_trade(world: World) -> None:
    for spec in ("CEB311", "CEB511"):
        come(world, spec)
    (found,) = dossiers.found(world.ledger, trade(1)["logisticsNo"])
    assert [one["kind"] for one in found["documents"]] == ["order", "waybill"]
    assert [(one["kind"], one["code"]) for one in found["lacking"]] == [("inventory", "T204")]


def test_the_whole_trade_is_told_with_tax_bill_returns_and_windows(world: World) -> None:
    declared(world)
    for status in ("120", "800"):
        inventory_said(world, status)
    house = load_house(world.home)
    (found,) = dossiers.found(world.ledger, "29002026I000000001", house=house)
    assert found["customs"]["invt_no"] == "29002026I000000001"
    assert (found["customs"]["zh"], found["customs"]["may_refund"]) == ("已放行", True)
    assert found["tax"]["predicted"] is None or Decimal(found["tax"]["predicted"]["total"]) > 0
    assert [one["name"] for one in found["windows"]] == ["refund_apply", "refund_back"]
    assert sorted(found["returns"]["left"]) == ["1", "2", "3"]


def test_the_bill_of_customs_is_held_against_the_prediction(world: World) -> None:
    declared(world)
    inventory_said(world, "800")
    bill = (SAMPLES / "CEB816.xml").read_bytes().replace(b"29102026I000008801", b"29002026I000000001")
    world.drop("customs", "816.xml", bill)
    world.take_in()
    (found,) = dossiers.found(world.ledger, "YX2026000000000001", house=load_house(world.home))
    assert [(one["tax_no"], one["status_zh"], one["taxes"]["vat"]) for one in found["tax"]["bills"]] == [
        ("29002026I000000001001", "税单已生成", "48.54"), ("29002026I000000001002", "税单已作废", "48.54"),
    ]  # fmt: skip
    assert "T315" in [one["code"] for one in found["tax"]["bills"][1]["differences"]]
