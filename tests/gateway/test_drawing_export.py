"""An export inventory is drawn up too, though its waybill has no field for the order."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from gateway import dossiers
from gateway.sources import sources_of
from message_specs import writing
from message_specs.document import escaped
from message_specs.trade.joining import cop_no
from tests.crash.world import World
from tests.gateway.test_drawing import HEAD, inventories
from tests.homes import with_trades
from tests.samples import AGENT, SHIP, SHOP, Party
from tests.stories.trades.documents import asked, made

ARRANGEMENT = """
[[draws]]
spec = "CEB603"
mode = "9610"
[draws.values]
customsCode = "2910"
portCode = "2910"
statisticsFlag = "A"
trafMode = "5"
country = "502"
POD = "USA"
wrapType = "2"
ieDate = "20261122"
"""
START = {"guid": "0" * 36, "appType": "1", "appTime": "20261121093000", "appStatus": "2"}
SHOPS = {"ebpCode": SHOP.code, "ebpName": SHOP.title, "ebcCode": SHOP.code, "ebcName": SHOP.title}
ORDER = {
    **START, "orderType": "E", "orderNo": "EX1", **SHOPS, "goodsValue": "90", "freight": "0", "currency": "142",
}  # fmt: skip
LINE = {
    "gnum": "1", "itemNo": "S1", "itemName": "丝巾", "unit": "007", "currency": "142", "qty": "3", "price": "30",
    "totalPrice": "90",
}  # fmt: skip
WAYBILL = {
    **START, "logisticsCode": SHIP.code, "logisticsName": SHIP.title, "logisticsNo": "W1", "freight": "5.5",
    "insuredFee": "0", "currency": "142", "grossWeight": "0.5", "packNo": "1", "goodsInfo": "丝巾",
    "ebcCode": SHOP.code, "note": "EX1",
}  # fmt: skip
GOODS = f"{SHOP.code},S1,6214100000,真丝围巾,蚕丝100%,007,007,1,035,0.12,,,,2026-01-01,\n"
INVENTORY = {
    "appType": "1", "appStatus": "2", "customsCode": "2910", **SHOPS, "orderNo": "EX1", "logisticsCode": SHIP.code,
    "logisticsName": SHIP.title, "logisticsNo": "W1", "copNo": cop_no(SHOP.code, SHOP.code, "EX1"), "ieFlag": "E",
    "portCode": "2910", "ieDate": "20261122", "statisticsFlag": "A", "agentCode": AGENT.code,
    "agentName": AGENT.title, "ownerCode": SHOP.code, "ownerName": SHOP.title, "tradeMode": "9610", "trafMode": "5",
    "country": "502", "POD": "USA", "freight": "5.5", "fCurrency": "142", "fFlag": "3", "insuredFee": "0",
    "iCurrency": "142", "iFlag": "3", "wrapType": "2", "packNo": "1", "grossWeight": "0.5", "netWeight": "0.36",
}  # fmt: skip
INVENTORY_LINE = {
    "gnum": "1", "itemNo": "S1", "itemName": "丝巾", "gcode": "6214100000", "gname": "真丝围巾",
    "gmodel": "蚕丝100%", "barCode": "无", "country": "502", "currency": "142", "qty": "3", "qty1": "3",
    "qty2": "0.36", "unit": "007", "unit1": "007", "unit2": "035", "price": "30", "totalPrice": "90",
}  # fmt: skip


def element(name: str, fields: dict[str, Any]) -> str:
    leaves = (
        element(key, value) if isinstance(value, dict) else f"<ceb:{key}>{escaped(value)}</ceb:{key}>"
        for key, value in fields.items()
    )
    return f"<ceb:{name}>{''.join(leaves)}</ceb:{name}>"


def sent(root: str, unit: str, fields: dict[str, Any], who: Party) -> bytes:
    transfer = {"copCode": who.code, "copName": who.title, "dxpMode": "DXP", "dxpId": who.dxp_id}
    return writing.message(root, "0" * 36, [element(unit, fields).encode()], transfer)


def arranged(home: Path) -> World:
    with_trades(home)
    for name, spec in (("shop", "CEB303"), ("ship", "CEB505"), ("agent", "CEB603")):
        file = home / f"partners/{name}.toml"
        text = file.read_text("utf-8").replace("\nspecs = [", f'\nspecs = ["{spec}", ', 1)
        file.write_text(text + (ARRANGEMENT if name == "agent" else ""), "utf-8")
    (home / "goods").mkdir()
    (home / "goods/agent.csv").write_text(HEAD + GOODS, "utf-8")
    return World(home)


def come(world: World, sender: str, file: str, body: bytes) -> None:
    world.drop(sender, file, body)
    (told,) = world.take_in().values()
    assert [one["state"] for one in told["documents"]] == ["ready"], told
    world.moment += timedelta(seconds=1)
    world.look()


def test_an_export_inventory_is_drawn_up_from_order_waybill_and_goods(home: Path) -> None:
    world = arranged(home)
    come(world, "ship", "w.xml", sent("CEB505Message", "Logistics", WAYBILL, SHIP))
    strange = {**WAYBILL, "logisticsNo": "W2", "note": "小心轻放"}
    come(world, "ship", "x.xml", sent("CEB505Message", "Logistics", strange, SHIP))
    assert inventories(world) == []
    come(world, "shop", "o.xml", sent("CEB303Message", "Order", {"OrderHead": ORDER, "OrderList": LINE}, SHOP))
    assert inventories(world) == [(f"{AGENT.code}|{INVENTORY['copNo']}", "ready", "drawing")]
    (row,) = world.rows("SELECT number, ordinal FROM document WHERE spec = 'CEB603'")
    told = {one.path: one.value for one in sources_of(world.clerk.house, world.ledger, f"{row[0]}.{row[1]}")}
    for name in ("guid", "appTime"):
        told.pop(f"InventoryHead/{name}")
    assert told == {
        **{f"InventoryHead/{name}": text for name, text in INVENTORY.items()},
        **{f"InventoryList[1]/{name}": text for name, text in INVENTORY_LINE.items()},
    }
    world.close()


def test_the_waybill_may_come_last(home: Path) -> None:
    world = arranged(home)
    come(world, "shop", "o.xml", sent("CEB303Message", "Order", {"OrderHead": ORDER, "OrderList": LINE}, SHOP))
    assert inventories(world) == []
    come(world, "ship", "w.xml", sent("CEB505Message", "Logistics", WAYBILL, SHIP))
    assert [state for _, state, _ in inventories(world)] == ["ready"]
    assert len(world.carry()) == 3
    world.close()


def test_a_waybill_that_names_the_order_in_its_remark_is_of_the_trade_before_any_list_is(home: Path) -> None:
    world = arranged(home)
    (world.home / "goods/agent.csv").write_text(HEAD, "utf-8")
    world.reload()
    come(world, "ship", "w.xml", sent("CEB505Message", "Logistics", WAYBILL, SHIP))
    come(world, "shop", "o.xml", sent("CEB303Message", "Order", {"OrderHead": ORDER, "OrderList": LINE}, SHOP))
    (told,) = dossiers.found(world.ledger, "EX1", house=world.clerk.house)
    assert [one["kind"] for one in told["documents"]] == ["waybill", "order"]
    assert [(one["kind"], one["code"]) for one in told["lacking"]] == [("inventory", "T701")]
    (seen,) = dossiers.found(world.ledger, "EX1", "ship", house=world.clerk.house)
    assert [(one["kind"], one["code"]) for one in seen["lacking"]] == [("inventory", "T204")]
    world.close()


def test_a_booking_is_not_declared_as_a_retail_export(home: Path) -> None:
    world = arranged(home)
    booking = {**ORDER, "orderType": "W"}
    come(world, "ship", "w.xml", sent("CEB505Message", "Logistics", WAYBILL, SHIP))
    come(world, "shop", "o.xml", sent("CEB303Message", "Order", {"OrderHead": booking, "OrderList": LINE}, SHOP))
    assert inventories(world) == []
    (told,) = dossiers.found(world.ledger, "EX1", house=world.clerk.house)
    assert [(one["kind"], one["code"]) for one in told["lacking"]] == [("inventory", "T204")]
    world.close()


def test_a_remark_that_many_waybills_share_joins_no_trades(home: Path) -> None:
    world = World(with_trades(home))
    for number in (1, 2):
        for line in ("shop order {} of=CEB303", "ship waybill {} of=CEB505 +note=小心轻放", "agent list {} of=CEB603"):
            one = asked(line.format(number).split())
            world.drop(one.partner, f"{one.told}.xml", made(one))
            world.take_in()
    (told,) = dossiers.found(world.ledger, "CK2026000000007001", house=world.clerk.house)
    assert [one["kind"] for one in told["documents"]] == ["order", "waybill", "inventory"]
    world.close()


def test_a_waybill_that_only_a_refused_list_names_is_no_ground_for_a_declaration(home: Path) -> None:
    world = arranged(home)
    come(world, "shop", "o.xml", sent("CEB303Message", "Order", {"OrderHead": ORDER, "OrderList": LINE}, SHOP))
    unnamed = {**WAYBILL, "note": "小心轻放"}
    come(world, "ship", "w.xml", sent("CEB505Message", "Logistics", unnamed, SHIP))
    own = {**START, **INVENTORY, "copNo": "KOWN", "tradeMode": "9710"}
    merchant = {name: own.pop(name) for name in ("ebcCode", "ebcName")}
    before = list(own).index("ownerCode")
    head = dict([*list(own.items())[:before], *merchant.items(), *list(own.items())[before:]])
    body = sent("CEB603Message", "Inventory", {"InventoryHead": head, "InventoryList": INVENTORY_LINE}, AGENT)
    world.drop("agent", "own.xml", body)
    (told,) = world.take_in().values()
    assert [one["code"] for one in told["findings"] if one["severity"] == "error"] == ["T333"], told
    world.moment += timedelta(days=1)
    world.look()
    assert inventories(world) == [(f"{AGENT.code}|KOWN", "refused", "folder")]
    (seen,) = dossiers.found(world.ledger, "EX1", house=world.clerk.house)
    assert [(one["kind"], one["code"]) for one in seen["lacking"]] == [("waybill", "T203"), ("inventory", "T707")]
    world.close()
