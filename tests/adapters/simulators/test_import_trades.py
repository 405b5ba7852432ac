"""Customs' own law of the import trade: what waits, what matches, what is taxed, and what comes after it."""

from decimal import Decimal
from itertools import permutations
from pathlib import Path

import pytest

from tests import samples
from tests.adapters.simulators.port import DAY, Port, changed, sample

ORDER, PAYMENT, WAYBILL, INVENTORY = "CEB311", "CEB411", "CEB511", "CEB621"
GOOD = ["312 120", "412 120", "512 120", "622 120", "622 399", "622 800", "816 1", "818 2"]
DRAWN = (ORDER, PAYMENT, WAYBILL, INVENTORY)


def trade(number: int = 1, **changed_of: dict[str, str]) -> list[bytes]:
    return [changed(samples.message(spec, 1, number), **changed_of.get(spec, {})) for spec in DRAWN]


def told(port: Port, text: str) -> list[str]:
    return [part.findtext("{*}returnInfo") or "" for code, *_, part in port.units() if code.startswith(text)]


def released(place: Path, *asked: str) -> tuple[Port, str]:
    port = Port(place, *asked).tell(*trade())
    port.heard()
    return port, str(port.trades()[0]["invtNo"])


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_four_documents_in_any_order_wait_for_the_last_and_then_go_on_together(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    port, bodies = Port(tmp_path), trade()
    for place in order[:3]:
        port.tell(bodies[place])
    assert sorted(port.statuses()) == sorted(f"{DRAWN[place][3:5]}2 2" for place in order[:3])
    last = f"{DRAWN[order[3]][3:5]}2 2"
    assert sorted(port.tell(bodies[order[3]]).statuses()) == sorted([last, *GOOD])


def test_order_payment_and_waybill_alone_stay_at_their_acceptance(tmp_path: Path) -> None:
    port = Port(tmp_path).tell(*trade()[:3])
    assert port.statuses() == ["312 2", "412 2", "512 2"]
    assert port.trades() == [
        {"order": f"{samples.SHOP.code}|{samples.trade(1)['orderNo']}", "inventory": None, "state": "2",
         "invtNo": None, "tax": None, "refunds": []}
    ]  # fmt: skip


def test_an_inventory_without_payment_is_warned_and_waits(tmp_path: Path) -> None:
    order, payment, waybill, inventory = trade()
    port = Port(tmp_path).tell(order, waybill).tell(inventory)
    number = samples.trade(1)["orderNo"]
    assert told(port, "CEB622") == [
        (
            f"清单新增申报成功[电商企业编码：3301961A2B订单编号：{number}]; "
            f"对应电商平台为[3301961A2B]订单号为[{number}]支付信息不存在"
        )
    ]
    assert sorted(port.tell(payment).statuses()) == sorted(["412 2", *GOOD])


@pytest.mark.parametrize(
    ("spec", "change", "said"),
    [
        (PAYMENT, {"amountPaid": "1.00"},
         "[Code:1332;Desc:支付单金额与订单实际支付金额不符];订单：508.46;支付单：1.00"),
        (PAYMENT, {"payerName": "苏知夏夏"},
         "[Code:1327;Desc:订单的订购人与支付单的支付人不一致],订单号：YX2026000000000001"),
        (PAYMENT, {"payTransactionId": "QC9"}, "[Code:13035;Desc:支付企业不一致]"),
        (INVENTORY, {"buyerName": "苏知夏夏"}, "[Code:13127;Desc:清单与订单的订购人不一致],订单号：YX2026000000000001"),
        (INVENTORY, {"buyerTelephone": "12600000009"},
         "[Code:130126;Desc:清单与订单的订购人电话不一致],订单号：YX2026000000000001"),
        (INVENTORY, {"qty": "9"}, "[Code:1322;Desc:订单与清单的商品不符],商品序号：1"),
        (WAYBILL, {"weight": "9.9"}, "[Code:1300;Desc:人工退单],毛重不一致：2.01/9.9"),
        (WAYBILL, {"billNo": "999-1"}, "[Code:1300;Desc:人工退单],提运单号不一致：999-10000001/999-1"),
        (WAYBILL, {"consignee": "他人"}, "[Code:1300;Desc:人工退单],运单收件人不一致"),
    ],
)  # fmt: skip
def test_what_differs_returns_the_inventory_with_its_code_and_leaves_the_others_at_their_acceptance(
    tmp_path: Path, spec: str, change: dict[str, str], said: str
) -> None:
    port = Port(tmp_path).tell(*trade(**{spec: change}))
    assert told(port, "CEB622")[1:] == [said]
    assert port.trades()[0]["state"] == "100"


def test_of_a_message_only_the_documents_that_differ_are_returned(tmp_path: Path) -> None:
    bodies = [samples.message(spec, 3) for spec in DRAWN]
    bodies[1] = bodies[1].replace(samples.trade(2)["id"].encode(), samples.citizen(9).encode())
    port = Port(tmp_path).tell(*bodies)
    heard = [said for said in port.heard() if said[:6] in ("CEB412", "CEB622")]
    pay, order = (samples.trade(2)[name] for name in ("payNo", "copNo"))
    assert [said for said in heard if pay in said or order in said] == [
        f"CEB412 {pay} 2", f"CEB622 {order} 2", f"CEB622 {order} 100",
    ]  # fmt: skip
    assert [one["state"] for one in port.trades()] == ["800", "100", "800"]


def test_what_no_trade_can_be_worth_breaks_nothing(tmp_path: Path) -> None:
    for number, price in enumerate(("-9999999999999.99999", "9999999999999.99999", "0"), 1):
        port = Port(tmp_path / str(number))
        port.tell(*trade(**{spec: {"totalPrice": price} for spec in (ORDER, INVENTORY)}))
        assert port.statuses()[:1] == ["312 2"]


def test_a_missing_line_is_told_by_its_number(tmp_path: Path) -> None:
    bodies = trade()
    start, end = bodies[3].rindex(b"<ceb:InventoryList>"), bodies[3].rindex(b"</ceb:Inventory>")
    port = Port(tmp_path).tell(*bodies[:3], bodies[3][:start] + bodies[3][end:])
    assert told(port, "CEB622")[1:] == ["[Code:1320;Desc:清单与订单的商品项数不同];清单：2;订单：3"]


def test_an_inventory_that_was_returned_may_be_declared_anew_and_gets_another_number(tmp_path: Path) -> None:
    port = Port(tmp_path).tell(*trade(**{INVENTORY: {"buyerName": "苏知夏夏"}}))
    port.heard()
    first = port.trades()[0]["invtNo"]
    assert port.tell(trade()[3]).statuses() == ["622 2", *GOOD]
    assert port.trades()[0]["invtNo"] != first


def test_a_wrong_order_is_mended_by_a_change_while_it_waits(tmp_path: Path) -> None:
    order, payment, waybill, inventory = trade(**{ORDER: {"buyerTelephone": "12600000009"}})
    port = Port(tmp_path).tell(order, payment, waybill)
    port.tell(samples.message(ORDER, 1, app_type="2")).tell(inventory)
    assert port.statuses().count("622 800") == 1


def test_the_same_key_is_refused_unless_the_former_failed_and_a_used_document_cannot_be_changed(tmp_path: Path) -> None:
    port = Port(tmp_path).tell(*trade())
    port.heard()
    again = changed(trade()[3], guid="62100009-7A31-4C52-9E10-000000000001")
    changes = [samples.message(spec, 1, app_type="2") for spec in DRAWN]
    assert port.tell(again, *changes).statuses() == [
        "622 -621004", "312 -301011", "412 -401008", "512 -504016", "622 -621012",
    ]  # fmt: skip


def test_the_tax_of_the_bill_is_that_of_the_law(tmp_path: Path) -> None:
    port = Port(tmp_path).tell(sample(ORDER), sample(PAYMENT), sample(WAYBILL), sample(INVENTORY))
    [bill] = [part for code, *_, part in port.units() if code == "CEB816Message"]
    [trade] = port.trades()
    lines = [[part.findtext(f"{{*}}{name}") for name in ("gnum", "taxPrice", "valueAddedTax", "consumptionTax")]
             for part in bill.iterfind("{*}TaxListRd")]  # fmt: skip
    assert lines == [
        ["1", "137.33", "12.50", "0.00"],
        ["2", "171.41", "15.60", "0.00"],
        ["3", "162.56", "14.79", "0.00"],
    ]
    assert sum(Decimal(line[1] or "") for line in lines) == Decimal("471.30")
    assert trade["tax"] == {
        "taxNo": f"{trade['invtNo']}_1", "customsTax": "0.00", "valueAddedTax": "42.89", "consumptionTax": "0.00",
        "status": "2",
    }  # fmt: skip


def test_above_the_single_limit_several_things_are_turned_away_and_one_pays_in_full(tmp_path: Path) -> None:
    bodies = trade(**{INVENTORY: {"totalPrice": "5000.00"}})
    assert Port(tmp_path).tell(*bodies).statuses()[-1] == "622 -621005"


def test_the_limit_of_a_year_holds_for_a_person_and_a_cancel_gives_it_back(tmp_path: Path) -> None:
    port = Port(tmp_path, "silent-after=399")
    dear = {INVENTORY: {"totalPrice": "4400.00"}, ORDER: {"totalPrice": "4400.00"}}
    person = {"buyerIdNumber": samples.citizen(1), "buyerName": "苏知夏"}
    payer = {"payerIdNumber": samples.citizen(1), "payerName": "苏知夏"}
    for number in range(1, 7):
        parts = {ORDER: dear[ORDER] | person, PAYMENT: payer, INVENTORY: dear[INVENTORY] | person}
        port.tell(*trade(number, **parts))
    assert [one["state"] for one in port.trades()] == ["399"] * 5 + ["100"]
    assert told(port, "CEB622")[-1] == "[Code:1313;Desc:订购人超过年度限值],[limitPrice:26000]"
    port.tell(sample("CEB623", invtNo=str(port.trades()[0]["invtNo"]))).tell(
        changed(trade(6, **parts)[3], guid="62100009-7A31-4C52-9E10-000000000001")
    )
    assert [one["state"] for one in port.trades()] == ["void"] + ["399"] * 5


def test_what_is_found_not_to_match_uses_nothing_of_the_year(tmp_path: Path) -> None:
    port = Port(tmp_path, "mismatch")
    person = {"buyerIdNumber": samples.citizen(1), "buyerName": "苏知夏"}
    payer = {"payerIdNumber": samples.citizen(1), "payerName": "苏知夏"}
    dear = {"totalPrice": "4400.00"} | person
    for number in range(1, 8):
        port.tell(*trade(number, **{ORDER: dear, PAYMENT: payer, INVENTORY: dear}))
    assert {one["state"] for one in port.trades()} == {"100"}
    well = Port(tmp_path)
    well.at = port.at
    well.tell(*trade(8, **{ORDER: dear, PAYMENT: payer, INVENTORY: dear}))
    assert well.trades()[-1]["state"] != "100"


def test_a_cancel_before_release_withdraws_what_was_still_to_be_said(tmp_path: Path) -> None:
    port = Port(tmp_path, "silent-after=120").tell(*trade())
    assert port.statuses()[-1] == "622 120"
    number = str(port.trades()[0]["invtNo"])
    assert port.tell(sample("CEB623", invtNo=number)).statuses() == ["624 2", "624 120", "624 399"]
    assert port.trades()[0]["state"] == "void"
    assert port.tell(changed(trade()[3], copNo="KA9")).statuses() == ["622 2", "622 120"]


def test_a_cancel_after_release_makes_the_tax_bill_void(tmp_path: Path) -> None:
    port, number = released(tmp_path)
    assert port.tell(sample("CEB623", invtNo=number)).statuses() == ["624 2", "624 120", "624 399", "818 3"]
    [trade] = port.trades()
    assert (trade["state"], trade["tax"]["status"]) == ("void", "3")


def test_what_is_planned_and_not_yet_said_is_not_said_after_a_cancel(tmp_path: Path) -> None:
    port = Port(tmp_path).tell(*trade())
    assert port.statuses(until=port.at + 3_500)[-1] == "622 399"
    number = str(port.trades()[0]["invtNo"])
    port.at -= 56_500
    assert port.tell(sample("CEB623", invtNo=number)).statuses() == ["624 2", "624 120", "624 399"]
    assert port.trades() == [port.trades()[0] | {"state": "void", "tax": None}]


@pytest.mark.parametrize(
    ("asked", "change", "days", "said"),
    [
        ((), {"agentCode": "3301980Q3X"}, 0, "申报企业与原清单不符"),
        ((), {}, 31, "已超过撤销期限"),
        (("window=0",), {}, 0, "已超过撤销期限"),
        (("closes",), {}, 0, "清单状态不允许撤销"),
        (("mismatch",), {}, 0, "清单状态不允许撤销"),
    ],
)
def test_a_cancel_that_may_not_be_is_returned_and_changes_nothing(
    tmp_path: Path, asked: tuple[str, ...], change: dict[str, str], days: int, said: str
) -> None:
    port, number = released(tmp_path, *asked)
    before = port.trades()
    port.at += days * DAY
    port.tell(sample("CEB623", invtNo=number, **change))
    assert told(port, "CEB624")[1:] == [f"[Code:1300;Desc:人工退单],{said}"]
    assert port.trades() == before


def test_a_cancel_of_nothing_is_turned_away_and_an_accepted_one_is_not_repeated(tmp_path: Path) -> None:
    port, number = released(tmp_path)
    assert port.tell(sample("CEB623")).statuses() == ["624 -623003"]
    port.tell(sample("CEB623", invtNo=number)).heard()
    assert port.tell(sample("CEB623", invtNo=number, copNo="KC9")).statuses() == ["624 -623009"]


def refund(number: str, copNo: str, qty: str, gnum: str = "2", gcode: str = "2101110000") -> bytes:
    body = sample("CEB625", invtNo=number, copNo=copNo, qty=qty, gnum=gnum, gcode=gcode)
    start, end = body.rindex(b"<ceb:InvtRefundList>"), body.rindex(b"</ceb:InvtRefund>")
    return body[:start] + body[end:]


def test_goods_come_back_in_parts_until_nothing_is_left(tmp_path: Path) -> None:
    port, number = released(tmp_path)
    assert port.tell(refund(number, "KT1", "2")).statuses() == ["626 2", "626 120", "626 399"]
    assert port.tell(refund(number, "KT2", "1")).statuses() == ["626 2", "626 120", "626 399"]
    port.tell(refund(number, "KT3", "1"))
    assert told(port, "CEB626")[1:] == ["[Code:1300;Desc:人工退单],退货数量超过原清单数量：2"]
    assert port.trades()[0]["refunds"] == [{"copNo": "KT1", "lines": {"2": "2"}}, {"copNo": "KT2", "lines": {"2": "1"}}]


@pytest.mark.parametrize(
    ("asked", "gnum", "days", "said"),
    [
        ((), "9", 0, "原清单没有此商品序号与商品编码的表体：9"),
        ((), "1", 0, "原清单没有此商品序号与商品编码的表体：1"),
        ((), "2", 31, "已超过退货期限"),
        (("silent-after=399",), "2", 0, "清单状态不允许退货"),
    ],
)
def test_a_refund_that_may_not_be_is_returned(
    tmp_path: Path, asked: tuple[str, ...], gnum: str, days: int, said: str
) -> None:
    port, number = released(tmp_path, *asked)
    port.at += days * DAY
    port.tell(refund(number, "KT1", "1", gnum))
    assert told(port, "CEB626")[1:] == [f"[Code:1300;Desc:人工退单],{said}"]
    assert port.trades()[0]["refunds"] == []


def test_when_everything_has_come_back_the_tax_bill_is_void(tmp_path: Path) -> None:
    port, number = released(tmp_path)
    values = samples.trade(1)
    for step in range(3):
        port.tell(refund(number, f"KT{step}", values[f"qty{step}"], str(step + 1), values[f"gcode{step}"]))
    assert port.statuses()[-1] == "818 3"
    assert port.trades()[0]["tax"]["status"] == "3"


def test_a_deletion_is_closed_by_itself_and_the_key_is_free_again(tmp_path: Path) -> None:
    port = Port(tmp_path).tell(*trade()[:3])
    port.heard()
    assert port.tell(samples.message(ORDER, 1, app_type="3")).statuses() == ["312 2", "312 120"]
    assert port.tell(trade()[3]).statuses() == ["622 2"]
    assert port.tell(changed(trade()[0], note="x")).statuses()[-1] == "818 2"


@pytest.mark.parametrize(("spec", "said"), [("CEB623", "624"), ("CEB625", "626")])
def test_a_cancel_or_refund_of_a_returned_inventory_is_returned_though_the_key_is_declared_anew_beside_it(
    tmp_path: Path, spec: str, said: str
) -> None:
    port = Port(tmp_path, "mismatch").tell(*trade())
    port.heard()
    back = sample(spec, invtNo=str(port.trades()[0]["invtNo"]))
    anew = changed(trade()[3], guid=samples.guid("A", 1))
    heard = port.tell(back, anew).statuses()
    assert sorted(one for one in heard if one[:3] == said) == [f"{said} 100", f"{said} 2"]
    assert sorted(one for one in heard if one[:3] == "622") == ["622 100", "622 2"]
