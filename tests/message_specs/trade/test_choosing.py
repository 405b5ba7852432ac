"""Of all papers that share a mark those are chosen that belong together, and what is not clear is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from message_specs.trade.choosing import Chosen, choose
from message_specs.trade.papers import Paper
from tests.message_specs.trade.papers_of import changed, exported, imported

TRADE = imported()
ORDER, PAYMENT, WAYBILL, INVENTORY = (TRADE[kind] for kind in ("order", "payment", "waybill", "inventory"))
ELSEWHERE = replace(
    changed(ORDER, ebpCode="OTHER", consignee="别人", consigneeTelephone="1", consigneeAddress="别处"), number=9
)


def codes(chosen: Chosen) -> list[str]:
    return [one.code for one in chosen.findings]


@pytest.mark.parametrize("kind", [None, "order", "payment", "waybill", "inventory"])
def test_from_any_of_the_four_the_others_are_found(kind: str | None) -> None:
    assert choose(TRADE.values(), TRADE[kind] if kind else None) == Chosen(ORDER, PAYMENT, WAYBILL, INVENTORY)


@pytest.mark.parametrize("kind", ["order", "payment", "waybill"])
def test_without_an_inventory_the_three_find_one_another(kind: str) -> None:
    assert choose([ORDER, PAYMENT, WAYBILL], TRADE[kind]) == Chosen(ORDER, PAYMENT, WAYBILL)


def test_nothing_is_made_of_nothing() -> None:
    assert choose([]) == Chosen()
    assert choose([INVENTORY], INVENTORY) == Chosen(inventory=INVENTORY)


def test_the_same_order_number_on_two_platforms_is_told_apart_by_the_consignee() -> None:
    papers = [ELSEWHERE, ORDER, PAYMENT, WAYBILL]
    assert choose(papers, ORDER) == choose(papers, WAYBILL) == choose(papers, PAYMENT)
    assert choose(papers, ORDER) == replace(Chosen(ORDER, PAYMENT, WAYBILL), paid_together=(ELSEWHERE,))
    assert choose(papers, ELSEWHERE).waybill is None
    twin = replace(changed(ORDER, ebpCode="OTHER", payTransactionId="T2"), number=9)
    unclear = choose([twin, ORDER, WAYBILL], ORDER)
    assert (unclear.order, unclear.waybill, codes(unclear)) == (ORDER, None, ["T151"])
    unclear = choose([twin, ORDER, WAYBILL], WAYBILL)
    assert (unclear.order, codes(unclear)) == (None, ["T151"])
    named = choose([twin, ORDER, WAYBILL, INVENTORY], INVENTORY)
    assert (named.order, named.waybill, codes(named)) == (ORDER, WAYBILL, [])


def test_without_an_anchor_two_orders_are_told_and_none_is_taken() -> None:
    unclear = choose([ORDER, ELSEWHERE])
    assert (unclear.order, codes(unclear)) == (None, ["T151"])


def test_of_versions_the_last_good_one_counts_and_a_deletion_ends_it() -> None:
    second = replace(changed(ORDER, note="2"), number=8, version=2, app_type="2")
    third = replace(second, number=9, version=3, state="refused")
    assert choose([second, ORDER, third, INVENTORY], INVENTORY).order == second
    deleted = replace(ORDER, number=10, version=4, app_type="3")
    assert choose([second, deleted, ORDER, INVENTORY], INVENTORY).order is None
    assert choose([second, replace(deleted, state="refused"), INVENTORY], INVENTORY).order == second


def test_of_two_payments_the_one_that_the_order_names_counts() -> None:
    again = replace(changed(PAYMENT, payTransactionId="AGAIN"), number=1)
    assert choose([again, *TRADE.values()], INVENTORY) == Chosen(ORDER, PAYMENT, WAYBILL, INVENTORY)
    unnamed = changed(ORDER, payTransactionId="", payCode="")
    one = choose([again, unnamed, PAYMENT, INVENTORY], INVENTORY)
    other = choose([PAYMENT, unnamed, INVENTORY, again], INVENTORY)
    assert one == other
    assert (one.payment, codes(one)) == (again, ["T152"])
    wrong = changed(again, amountPaid="1")
    assert choose([wrong, unnamed, PAYMENT, INVENTORY], INVENTORY).payment == PAYMENT


def test_a_waybill_of_the_same_order_under_another_number_is_told_and_not_taken() -> None:
    other = changed(WAYBILL, logisticsNo="OTHER")
    chosen = choose([ORDER, other, INVENTORY], INVENTORY)
    assert (chosen.waybill, codes(chosen)) == (None, ["T153"])
    assert chosen.findings[0].zh == (
        f"清单的运单编号为 {INVENTORY.head['logisticsNo']}，而 3.1 为同一订单报送的运单编号是 OTHER"
    )


def test_two_inventories_and_two_waybills_of_one_order_are_told() -> None:
    export = exported()
    second = replace(changed(export["inventory"], copNo="C2", logisticsNo="W2"), number=9)
    both = choose([export["order"], second, export["inventory"]], export["order"])
    assert (both.inventory, codes(both)) == (export["inventory"], ["T154"])
    two = choose([ORDER, WAYBILL, replace(changed(WAYBILL, logisticsNo="W2"), number=9)], ORDER)
    assert codes(two) == ["T155"]


def test_an_export_trade_is_found_by_its_merchant_where_the_platform_is_not_named() -> None:
    export = exported()
    export["order"] = changed(export["order"], ebpCode="无")
    chosen = choose(export.values(), export["inventory"])
    assert chosen == Chosen(export["order"], export["payment"], export["waybill"], export["inventory"])


PAPERS = [*TRADE.values(), ELSEWHERE, replace(changed(PAYMENT, payTransactionId="X"), number=12), *imported(9).values()]


@given(st.permutations(PAPERS), st.sampled_from([None, *PAPERS]))
def test_the_choice_knows_no_order_of_arrival(papers: list[Paper], anchor: Paper | None) -> None:
    assert choose(papers, anchor) == choose(PAPERS, anchor)
