"""What disagrees is told to both sides, each as far as he may see it, whichever came first and whether or not it stops
anything; and the dossier says in plain words where each document stands.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway import dossiers, outstanding
from gateway.gathering import CHINA
from gateway.telling import tell
from tests import samples
from tests.crash.world import World
from tests.gateway.test_trades import SENDERS, states
from tests.homes import with_trades
from tests.samples import message, trade


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    one = World(with_trades(home))
    yield one
    one.close()


def body(spec: str, number: int = 1, app_type: str = "1", **changes: str) -> bytes:
    """The document of a trade with other texts in some of its fields."""
    text = message(spec, 1, start=number, app_type=app_type).decode()
    for name, value in changes.items():
        before, mark, rest = text.partition(f"<ceb:{name}>")
        assert mark, name
        text = f"{before}{mark}{value}{rest[rest.index('<') :]}"
    return text.encode()


def come(world: World, spec: str, number: int = 1, app_type: str = "1", **changes: str) -> dict[str, Any]:
    world.drop(SENDERS[spec], f"{spec}.xml", body(spec, number, app_type, **changes))
    (told,) = world.take_in().values()
    while world.go_on():
        pass
    return told


def notices(world: World, partner: str) -> list[tuple[str, str]]:
    """What a partner reads in his out/ besides acknowledgements and receipts: code and Chinese words."""
    files = (world.home / "spool/partners" / partner / "out").glob("*.notice.json")
    return sorted((one["code"], one["zh"]) for file in files for one in json.loads(file.read_bytes())["findings"])


def shown(world: World, partner: str | None = None, number: int = 1) -> Any:
    (found,) = dossiers.found(world.ledger, trade(number)["orderNo"], partner)
    return found


def codes(told: dict[str, Any]) -> list[str]:
    return [one["code"] for one in told["findings"]]


def is_said(world: World, status: str) -> None:
    """Customs says this of the inventory of trade 1."""
    fields = {
        "guid": samples.guid("R", 1), "customsCode": "2910", "ebpCode": samples.SHOP.code,
        "ebcCode": samples.SHOP.code, "agentCode": samples.AGENT.code, "copNo": trade(1)["copNo"],
        "preNo": "B20261121000000001", "invtNo": "", "returnStatus": status, "returnInfo": "-",
        "returnTime": f"20261121{120000 + int(status)}000",
    }  # fmt: skip
    world.answer(f"{status}.xml", "CEB622", "InventoryReturn", fields)
    world.take_in()


def test_what_stops_nothing_is_told_to_whoever_is_to_mend_it_too(world: World) -> None:
    come(world, "CEB311")
    come(world, "CEB411")
    waybill = come(world, "CEB511", orderNo="YX2026888888888888")
    inventory = come(world, "CEB621")
    assert states(world.ledger)["CEB621"] == "ready"
    words = (
        f"进口清单 {inventory['number']}.1的订单编号 {trade(1)['orderNo']} 与 物流运单 {waybill['number']}.1的订单编号 "
        "YX2026888888888888 不一致"
    )
    assert notices(world, "ship") == [("T113", words)]
    assert (notices(world, "shop"), notices(world, "pay")) == ([], [])


def test_what_an_inventory_is_refused_for_is_told_to_the_other_side_too(world: World) -> None:
    order = come(world, "CEB311")
    for spec in ("CEB411", "CEB511"):
        come(world, spec)
    inventory = come(world, "CEB621", gname="别的商品")
    assert (inventory["documents"][0]["state"], [code for code in codes(inventory) if code[0] == "T"][-1]) == (
        "refused", "T131",
    )  # fmt: skip
    words = (
        f"第 1 项：进口清单 {inventory['number']}.1的商品名称 别的商品 与 电子订单 {order['number']}.1的商品名称 "
        f"{trade(1)['name0']} 不一致"
    )
    assert notices(world, "shop") == [("T131", words)]
    assert (notices(world, "ship"), notices(world, "pay")) == ([], [])


def test_a_waybill_under_another_number_than_that_of_the_inventory_is_told_to_its_sender(world: World) -> None:
    come(world, "CEB311")
    come(world, "CEB411")
    waybill = come(world, "CEB511", logisticsNo="SD77777777777")
    told = come(world, "CEB621")
    words = (
        f"清单的运单编号为 {trade(1)['logisticsNo']}，而 {waybill['number']}.1 为同一订单报送的运单编号是 SD77777777777"
    )
    assert "T153" in codes(told)
    assert notices(world, "ship") == [("T153", words)]
    assert [one["zh"] for one in shown(world, "agent")["findings"]] == [words]
    assert shown(world, "shop")["findings"] == []


def test_a_waybill_of_another_enterprise_with_the_same_number_is_told_apart(world: World) -> None:
    come(world, "CEB311")
    come(world, "CEB411")
    waybill = come(world, "CEB511")
    told = come(world, "CEB621", logisticsCode="3301960L5X")
    (found,) = [one for one in told["findings"] if one["code"] == "T153"]
    number = trade(1)["logisticsNo"]
    assert found["zh"] == (
        f"清单的运单编号为 3301960L5X|{number}，而 {waybill['number']}.1 为同一订单报送的运单编号是 "
        f"{samples.SHIP.code}|{number}"
    )
    assert notices(world, "ship") == []  # whose the other number is is none of its business


def test_of_a_sum_all_orders_are_named(world: World) -> None:
    both = {"payTransactionId": "QC1"}
    orders = [come(world, "CEB311", number, **both)["number"] for number in (1, 2)]
    paid = sum(Decimal(trade(number)["paid"]) for number in (1, 2))
    told = come(world, "CEB411", 1, payTransactionId="QC1", amountPaid=str(paid + 5))
    (found,) = [one for one in told["findings"] if one["code"] == "T101"]
    assert found["zh"].startswith(f"电子订单 {orders[0]}.1（与 {orders[1]}.1 合计）的实付金额 {paid} 与 支付凭证 ")
    assert f"order {orders[0]}.1 (together with {orders[1]}.1)" in found["en"]


@pytest.mark.parametrize("app_type", ["2", "3"])
@pytest.mark.parametrize("spec", ["CEB311", "CEB411", "CEB511"])
def test_what_an_inventory_on_its_way_rests_on_stays(world: World, spec: str, app_type: str) -> None:
    for one in SENDERS:
        come(world, one)
    told = come(world, spec, 1, app_type)
    assert (told["documents"][0]["state"], codes(told)) == ("refused", ["T515"])
    assert "已发送，尚无回执" in told["findings"][0]["zh"]
    world.carry()
    is_said(world, "100")
    assert come(world, spec, 1, app_type)["documents"][0]["state"] == "ready"


def test_who_pays_an_order_a_second_time_hears_of_it(world: World) -> None:
    come(world, "CEB311", payTransactionId="QC0")
    first = come(world, "CEB411", payTransactionId="QC1")
    told = come(world, "CEB411", payTransactionId="QC2")
    (found,) = [one for one in told["findings"] if one["code"] == "T152"]
    assert found["zh"] == f"同一订单有 2 份支付单：{first['number']}.1、{told['number']}.1"


def test_what_nobody_mends_is_told_again_when_it_has_waited_too_long(world: World) -> None:
    come(world, "CEB311")
    come(world, "CEB411", amountPaid="1.00")
    come(world, "CEB511")
    come(world, "CEB621")
    assert [one[0] for one in notices(world, "agent")] == []
    for day in range(6):
        world.moment += timedelta(days=1)
        world.go_on()
        tell(world.home, world.ledger)
        today = world.moment.astimezone(CHINA).date()
        (waits,) = outstanding.trades(world.ledger, today, 9)
        assert (waits["waits_for"], waits["late"]) == (["T101"], day > 1)
    since = (world.moment - timedelta(days=6)).astimezone(CHINA).date().isoformat()
    words = f"单证不一致已满 3 天（自 {since} 起）仍未更正：T101，清单等待中"
    for partner in ("agent", "shop", "pay"):
        assert [zh for code, zh in notices(world, partner) if code == "T215"] == [words], partner
    assert notices(world, "ship") == []
    come(world, "CEB411", app_type="2")
    assert states(world.ledger)["CEB621"] == "ready"


def test_the_dossier_says_that_an_inventory_has_left(world: World) -> None:
    for one in SENDERS:
        come(world, one)
    assert shown(world)["customs"]["zh"] == "尚未申报"
    world.carry()
    assert [shown(world, who)["customs"]["zh"] for who in (None, "shop", "agent")] == ["已发送，尚无回执"] * 3
    is_said(world, "2")
    assert shown(world)["customs"]["zh"] == "申报中"


def test_the_dossier_shows_what_customs_returned_until_it_is_declared_anew(world: World) -> None:
    for one in SENDERS:
        come(world, one)
    world.carry()
    is_said(world, "2")
    is_said(world, "100")
    (customs, others) = (shown(world, who)["customs"] for who in ("agent", "shop"))
    assert (customs["status"], customs["zh"], customs["may_correct"]) == ("100", "已退单", True)
    assert (others["zh"], others["may_correct"]) == ("已退单", None)
    come(world, "CEB621", copNo="KANEW")
    assert shown(world)["customs"]["zh"] == "尚未申报"


def test_the_dossier_tells_changes_and_deletions(world: World) -> None:
    come(world, "CEB311")
    come(world, "CEB311", app_type="2", buyerTelephone="12600000009")
    come(world, "CEB311", app_type="3")
    assert [(one["version"], one["app_type"]) for one in shown(world, "shop")["documents"]] == [
        (1, "1"), (2, "2"), (3, "3"),
    ]  # fmt: skip
