"""What must agree in a trade does, what does not is told with both documents, and nobody sees another's person."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from message_specs.findings import Severity, wordings
from message_specs.trade.agreement import VERBS
from message_specs.trade.comparing import Chosen, choose, compare, view_for
from message_specs.trade.marking import mark_of
from message_specs.trade.matching import Rule, rules
from message_specs.trade.papers import Paper, kinds, marks_of
from message_specs.trade.paths import fields
from tests.message_specs.trade.papers_of import changed, exported, imported, paper

TODAY = date(2026, 11, 21)


def trade(side: str, mode: str) -> dict[str, Paper]:
    found = imported(7, mode) if side == "import" else exported()
    if side == "export":
        found["inventory"] = changed(found["inventory"], tradeMode=mode)
    head = found["inventory"].head
    found["cancel"] = paper("CEB623" if side == "import" else "CEB605", head)
    found["refund"] = paper("CEB625" if side == "import" else "CEB213", head)
    return found


def chosen(papers: dict[str, Paper]) -> Chosen:
    return Chosen(**papers)


ALL = [(rule, side) for rule in rules() for side in ("import", "export") if rule.holds(side, "9610", TODAY)]


def spoilt(rule: Rule, papers: dict[str, Paper]) -> dict[str, Paper]:
    """The trade with another value where the rule looks."""
    name = rule.right.names[0]
    value = {"amount": "77", "mode_of_type": "B", "lines_one_to_one": "9", "telephone": "13900000000"}.get(
        rule.how, "别的"
    )
    if rule.right.in_lines:
        return papers | {rule.right.kind: changed(papers[rule.right.kind], {name: value})}
    return papers | {rule.right.kind: changed(papers[rule.right.kind], **{name: value})}


@pytest.mark.parametrize(("side", "mode"), [("import", "9610"), ("import", "1210"), ("export", "9610")])
def test_a_trade_in_order_disagrees_in_nothing(side: str, mode: str) -> None:
    assert compare(chosen(trade(side, mode)), mode, TODAY) == []


@pytest.mark.parametrize(("rule", "side"), ALL, ids=[f"{rule.code}-{side}-{rule.left.kind}" for rule, side in ALL])
def test_every_rule_is_broken_by_one_other_value_and_says_both_with_their_places(rule: Rule, side: str) -> None:
    papers = spoilt(rule, trade(side, "9610"))
    found = [one for one in compare(chosen(papers), "9610", TODAY) if one.code == rule.code]
    [one] = [one for one in found if one.right.paper.kind == rule.right.kind and one.left.paper.kind == rule.left.kind]
    assert (one.severity, one.mends, one.left.paper, one.right.paper) == (
        rule.severity, rule.mends, papers[rule.left.kind], papers[rule.right.kind],
    )  # fmt: skip
    assert one.left.value != one.right.value
    for said, spot in ((one.left, rule.left), (one.right, rule.right)):
        assert said.path.rpartition("/")[2] in spot.names
        assert ("List[1]/" in said.path) == spot.in_lines
    told = one.finding
    assert told.code == rule.code
    assert one.left.paper.name in told.zh
    assert one.right.paper.name in told.zh
    assert "{" not in told.zh + told.en + told.hint


def test_the_rows_of_the_table_name_verbs_wordings_and_fields_that_exist() -> None:
    for rule in rules():
        assert rule.how in {*VERBS, "lines_one_to_one"}
        assert rule.mends in {"left", "right", "both"}
        assert rule.code in wordings()
        for spot in (rule.left, rule.right):
            specs = [spec for spec, kind in kinds().items() if kind.kind == spot.kind]
            for name in spot.names:
                assert [spec for spec in specs if name in fields(spec)[spot.in_lines]], (rule.code, name)


def test_severity_is_as_sure_as_the_fact() -> None:
    import csv
    from pathlib import Path

    import message_specs

    with (Path(message_specs.__file__).parent / "ceb" / "match.csv").open(encoding="utf-8") as source:
        for row in csv.DictReader(source):
            assert (row["confidence"] == "high") == (row["severity"] == "error"), row
            assert row["note"], row


def test_a_disagreement_of_amounts_is_shown_to_both_in_full() -> None:
    papers = imported()
    paid = papers["order"].head["acturalPaid"]
    papers["payment"] = changed(papers["payment"], amountPaid="1")
    [one] = compare(choose(papers.values(), papers["inventory"]), "9610", TODAY)
    shop, pay = view_for(one, "shop"), view_for(one, "pay")
    number = papers["order"].head["orderNo"]
    assert shop.zh == pay.zh == f"电子订单 1.1的实付金额 {paid} 与 支付凭证 2.1的支付金额 1 不一致"
    assert shop.hint == "请核对后更正：电子订单 1.1、支付凭证 2.1。 To be mended: order 1.1 or payment 2.1."
    assert (shop.path, shop.value, shop.severity) == (
        f"/CEB311Message/Order[orderNo='{number}']/OrderHead/acturalPaid", paid, Severity.ERROR,
    )  # fmt: skip
    assert (pay.path.rpartition("/")[2], pay.value, pay.document) == ("amountPaid", "1", 1)


@pytest.mark.parametrize(
    ("kind", "name", "value", "seen"),
    [
        ("payment", "payerName", "欧阳修远", "欧*"),
        ("payment", "payerIdNumber", "110101199003072316", "**************2316"),
        ("waybill", "consigneeTelephone", "13912345678", "*******5678"),
        ("waybill", "consigneeAddress", "江苏省苏州市工业园区星湖街328号", "江苏省苏州市***"),
        ("waybill", "consignee", "欧阳修远", "欧*"),
    ],
)
def test_a_partner_sees_his_own_person_in_full_and_anothers_masked(kind: str, name: str, value: str, seen: str) -> None:
    papers = imported()
    papers[kind] = changed(papers[kind], **{name: value})
    [one] = compare(choose(papers.values(), papers["inventory"]), "9610", TODAY)
    mine, shop, stranger = (view_for(one, who) for who in (papers[kind].partner, "shop", "agent"))
    of_shop = one.left.value
    assert value in mine.zh
    assert of_shop not in mine.zh + mine.en + str(mine.value)
    assert of_shop in shop.zh
    assert value not in shop.zh + shop.en + str(shop.value)
    assert seen in shop.zh
    assert (stranger.path, stranger.value) == ("", None)
    for text in (stranger.zh, stranger.en, one.finding.zh, str(one.finding.as_dict())):
        assert value not in text
        assert of_shop not in text
    assert "***" in stranger.zh


def test_one_who_sent_both_documents_sees_both() -> None:
    papers = {kind: replace(one, partner="shop") for kind, one in imported().items()}
    papers["waybill"] = changed(papers["waybill"], consignee="欧阳修远")
    [one] = compare(chosen(papers), "9610", TODAY)
    assert "欧阳修远" in view_for(one, "shop").zh
    assert one.left.value in view_for(one, "shop").zh


def test_the_same_person_written_in_other_ways_agrees() -> None:
    papers = imported()
    order = papers["order"].head
    papers["waybill"] = changed(
        papers["waybill"],
        consigneeTelephone=f"+86 {order['consigneeTelephone'][:3]}-{order['consigneeTelephone'][3:]}",
        consigneeAddress=order["consigneeAddress"].replace("市", "市 ") + "。",
        consignee=f" {order['consignee']} ",
    )
    assert compare(chosen(papers), "9610", TODAY) == []


def test_lines_are_paired_by_gnum_whatever_their_order() -> None:
    papers = imported()
    papers["inventory"] = replace(papers["inventory"], lines=papers["inventory"].lines[::-1])
    assert compare(chosen(papers), "9610", TODAY) == []
    papers["inventory"] = replace(papers["inventory"], lines=papers["inventory"].lines[:2])
    [one] = compare(chosen(papers), "9610", TODAY)
    assert (one.code, one.left.value, one.right.value) == ("T130", "2 3", "1 2 3")
    qty = changed(imported()["order"], {"qty": "99"})
    [two] = compare(chosen(imported() | {"order": qty}), "9610", TODAY)
    assert (two.code, two.gnum, two.right.path.rpartition("/")[0][-12:]) == ("T133", "1", "OrderList[1]")
    assert two.finding.zh.startswith("第 1 项：进口清单 4.1的数量")


def test_a_long_item_number_of_an_export_order_meets_its_first_twenty_characters() -> None:
    papers = exported()
    papers["order"] = changed(papers["order"], {"itemNo": "A" * 20 + "-LONG"})
    papers["inventory"] = changed(papers["inventory"], {"itemNo": "A" * 20})
    assert compare(chosen(papers), "9610", TODAY) == []


def test_the_declared_name_of_goods_is_that_of_the_order_whatever_the_sales_name_says() -> None:
    papers = imported()
    papers["inventory"] = changed(papers["inventory"], {"gname": "洗面奶"})
    [told] = compare(chosen(papers), "9610", TODAY)
    assert (told.code, told.severity, told.left.value) == ("T131", Severity.ERROR, "洗面奶")
    papers["inventory"] = changed(imported()["inventory"], {"itemName": "洗面奶"})
    assert compare(chosen(papers), "9610", TODAY) == []


def test_export_freight_is_compared_only_as_a_total_in_one_currency() -> None:
    papers = exported()
    papers["waybill"] = changed(papers["waybill"], freight="9")
    assert [one.code for one in compare(chosen(papers), "9610", TODAY)] == ["T144"]
    for other in ({"fFlag": "1"}, {"fCurrency": "502"}):
        rated = papers | {"inventory": changed(papers["inventory"], **other)}
        assert compare(chosen(rated), "9610", TODAY) == []


def test_an_order_between_enterprises_is_not_declared_as_retail() -> None:
    papers = exported()
    papers["order"] = changed(papers["order"], orderType="B")
    assert [one.code for one in compare(chosen(papers), "9610", TODAY)] == ["T126"]
    papers["inventory"] = changed(papers["inventory"], tradeMode="9710")
    assert compare(chosen(papers), "9710", TODAY) == []


def test_one_payment_for_two_orders_agrees_with_their_sum_and_with_no_other() -> None:
    one, two = imported(), changed(imported()["order"], orderNo="SECOND", acturalPaid="10")
    two = replace(two, number=9)
    total = float(one["order"].head["acturalPaid"]) + 10
    payment = changed(one["payment"], amountPaid=f"{total:.2f}")
    papers = [*(one | {"payment": payment}).values(), two]
    whole = choose(papers, one["inventory"])
    assert (whole.payment, whole.paid_together) == (payment, (two,))
    assert compare(whole, "9610", TODAY) == []
    second = choose(papers, two)
    assert (second.order, second.payment) == (two, payment)
    assert compare(second, "9610", TODAY) == []
    short = changed(payment, amountPaid="11")
    [told] = compare(choose([*(one | {"payment": short}).values(), two], one["inventory"]), "9610", TODAY)
    assert (told.code, float(told.left.value)) == ("T101", total)


def test_one_waybill_for_two_orders_weighs_what_both_inventories_weigh() -> None:
    one = imported()
    other = replace(changed(one["inventory"], orderNo="SECOND", copNo="C2", grossWeight="1"), number=8)
    weight = f"{float(one['waybill'].head['weight']) + 1:.2f}"
    waybill = changed(one["waybill"], weight=weight, packNo="2", freight="16")
    whole = choose([*(one | {"waybill": waybill}).values(), other], one["inventory"])
    assert whole.carried_together == (other,)
    assert compare(whole, "9610", TODAY) == []


@given(
    st.permutations([*imported(7).values(), replace(imported(23)["order"], number=11)]),
    st.permutations(range(20, 25)),
)
def test_any_order_of_arrival_ends_in_the_same_trade_and_the_same_disagreements(
    papers: list[Paper], numbers: list[int]
) -> None:
    arrived = [replace(one, number=number) for one, number in zip(papers, numbers, strict=True)]
    arrived = [changed(one, amountPaid="1", payerName="别人") if one.kind == "payment" else one for one in arrived]
    whole = choose(arrived, next(one for one in arrived if one.kind == "inventory"))
    assert [getattr(whole, kind).head for kind in ("order", "waybill", "inventory")] == [
        imported()[kind].head for kind in ("order", "waybill", "inventory")
    ]
    found = compare(whole, "9610", TODAY)
    assert [(one.code, one.left.value, one.right.value) for one in found] == [
        ("T101", imported()["order"].head["acturalPaid"], "1"),
        ("T104", imported()["order"].head["buyerName"], "别人"),
    ]


def test_the_marks_of_a_paper_are_those_of_its_document() -> None:
    head = imported()["order"].head
    assert marks_of("order", "CEB311", head) == (mark_of("order", head["ebpCode"], head["orderNo"]),)


PERSONS = sorted({
    (spot.kind, name)
    for rule in rules() if rule.shown != "full"
    for spot in (rule.left, rule.right) for name in spot.names
})  # fmt: skip
# Of letters that stand in no sentence of ours, so that whatever is found of them was told.
TEXTS = st.text("甲乙丙丁戊己庚辛ÄÖÜ", min_size=5, max_size=30)


@given(st.lists(TEXTS, min_size=len(PERSONS), max_size=len(PERSONS)))
def test_no_view_holds_a_person_of_another_whatever_he_is_called(texts: list[str]) -> None:
    papers = imported()
    for (kind, name), text in zip(PERSONS, texts, strict=True):
        papers[kind] = changed(papers[kind], **{name: text})
    for one in compare(chosen(papers), "9610", TODAY):
        shown = next(rule.shown for rule in rules() if rule.code == one.code)
        if shown == "full":
            continue
        for partner in ("shop", "pay", "ship", "agent", "stranger"):
            view = view_for(one, partner)
            for said, other in ((one.left, one.right), (one.right, one.left)):
                text = said.value.strip()
                if said.paper.partner != partner and text not in other.value:
                    assert text not in str(view.as_dict())
                    assert text not in str(one.finding.as_dict())


@given(
    st.dictionaries(st.sampled_from(["orderNo", "ebpCode", "logisticsNo", "payTransactionId", "acturalPaid", "gnum"]),
                    st.sampled_from(["", " ", "A", "0", "1E5", "无", "-1"])),
    st.sampled_from(["order", "payment", "waybill", "inventory"]),
)  # fmt: skip
def test_whatever_a_document_leaves_out_is_compared_without_a_mishap(texts: dict[str, str], kind: str) -> None:
    papers = imported()
    gnum = {"gnum": texts["gnum"]} if "gnum" in texts else None
    papers[kind] = changed(papers[kind], gnum, **{name: text for name, text in texts.items() if name != "gnum"})
    for mode in ("9610", "1210", "", "9999"):
        whole = choose(papers.values(), papers["inventory"])
        for one in compare(whole, mode, TODAY):
            assert one.finding.zh
    bare = Chosen(**{name: replace(one, head={}, lines=()) for name, one in papers.items()})
    for one in compare(bare, "9610", TODAY):
        assert view_for(one, "shop").zh
