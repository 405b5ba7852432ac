"""Exports without invoices are registered once from released lists, and income is assessed on their receipts."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.declared_since import since
from gateway.exemptions import Drawn, draw, report, uses_of
from gateway.refunds import book
from gateway.refunds import draw as draw_refund
from gateway.tax_files import install
from gateway.taxpayers import NotATaxpayer
from message_specs import writing
from tests.gateway.border import Border
from tests.gateway.test_refunds import LATER, UNTIL, carried, sent
from tests.gateway.test_tax_exports import back
from tests.samples import guid
from tests.taxpayers import BAG, SHIRT, TAXPAYER, with_tax


@pytest.fixture
def border(home: Path, tmp_path: Path) -> Iterator[Border]:
    """Two trades that customs has closed; it is the next January."""
    one = Border(with_tax(home, scheme="exempt"), tmp_path / "customs")
    one.closes(1, 2, CEB603={"statisticsFlag": "A"})
    one.world.moment = LATER
    yield one
    one.close()


def drawn(border: Border) -> Drawn:
    world = border.world
    shop = world.clerk.house.partner("shop")
    return draw(world.ledger, world.home, shop, TAXPAYER, "202701", world.moment, UNTIL)


def test_every_line_of_a_released_list_is_registered_once(border: Border) -> None:
    first = drawn(border)
    numbers = [border.number(one) for one in (1, 2)]
    assert [(one.invt_no, one.gnum, one.hs, one.quantity, one.amount) for one in first.records] == [
        (number, *line) for number in numbers
        for line in ((1, SHIRT, Decimal(60), Decimal("510.00")), (2, BAG, Decimal(20), Decimal("240.00")))
    ]  # fmt: skip
    assert (first.findings, first.declared.head["amountTotal"], first.declared.head["recordCount"]) == (
        (), "1500.00", "4",
    )  # fmt: skip
    book(border.world.ledger, first.declared, "shop", "exempt", uses_of(first.records))
    [told] = sent(border)
    assert ([one["state"] for one in told["documents"]], told["findings"]) == (["ready"], [])
    assert len(carried(border)) == 1
    assert (drawn(border).records, drawn(border).declared.key[-3:]) == ((), "002")


def test_who_is_filed_for_the_exemption_gets_no_refund(border: Border) -> None:
    world = border.world
    with pytest.raises(NotATaxpayer):
        draw_refund(
            world.ledger, world.home, world.clerk.house.partner("shop"), TAXPAYER, "202701", world.moment, UNTIL
        )


def test_other_customs_and_excluded_goods_are_told_and_left_out(border: Border) -> None:
    head = "code,taxpayer,name,scheme,zone,customs,since\n"
    row = f"3301961A2B,{TAXPAYER},杭州云栖优选电子商务有限公司,exempt,广州,5100,2026-01-01\n"
    install(border.world.home, "enterprises", (head + row).encode())
    assert ({said.code for said in drawn(border).findings}, drawn(border).records) == ({"X202"}, ())
    install(border.world.home, "enterprises", (head + row.replace("5100", "2910")).encode())
    install(border.world.home, "excluded", f"hs\n{BAG[:4]}\n".encode())
    left = drawn(border)
    assert ({said.code for said in left.findings}, {one.hs for one in left.records}) == ({"X203"}, {SHIRT})


def test_the_report_of_a_period_assesses_income_on_receipts_in_yuan(border: Border) -> None:
    world, first = border.world, date(2026, 11, 1)
    bare = report(world.ledger, world.home, TAXPAYER, first, UNTIL)
    assert (bare["amounts"], bare["receipts"], [one["code"] for one in bare["findings"]]) == (
        {"502": "1500.00"}, "0.00", ["X207"],
    )  # fmt: skip
    install(world.home, "dollars", b"currency,since,rate\n142,2026-01-01,0.125\n")
    told = report(world.ledger, world.home, TAXPAYER, first, UNTIL)
    assert {name: told[name] for name in ("lists", "records", "receipts", "income", "tax", "preferred_tax")} == {
        "lists": 2, "records": 4, "receipts": "12000.00", "income": "480.00", "tax": "120.00", "preferred_tax": "24.00",
    }  # fmt: skip
    assert (told["registered"], told["unregistered"]) == (0, 4)
    made = drawn(border)
    book(world.ledger, made.declared, "shop", "exempt", uses_of(made.records))
    after = report(world.ledger, world.home, TAXPAYER, first, UNTIL)
    assert (after["registered"], after["unregistered"], after["receipts"]) == (4, 0, "12000.00")
    assert report(world.ledger, world.home, TAXPAYER, UNTIL, UNTIL)["records"] == 0


def test_what_the_office_refused_counts_as_registered_no_more_before_anybody_declares_again(border: Border) -> None:
    world = border.world
    made = drawn(border)
    book(world.ledger, made.declared, "shop", "exempt", uses_of(made.records))
    sent(border)
    carried(border)
    world.moment += timedelta(seconds=5)
    fields = {
        "guid": guid("T", 1), "taxpayerNo": TAXPAYER, "sbny": "202701", "sbpc": "001", "returnStatus": "4",
        "returnTime": writing.return_time(world.moment), "returnInfo": "抽查不予通过",
    }  # fmt: skip
    body = writing.receipt("TaxExemptReturnMessage", guid("V", 1), [("ExemptionReturn", fields)])
    world.drop("tax", "refused.xml", body)
    world.take_in()
    back(border)
    border.meets()
    told = report(world.ledger, world.home, TAXPAYER, date(2026, 11, 1), UNTIL)
    assert (told["registered"], told["unregistered"]) == (0, 4)
    assert since(world.ledger, world.home, TAXPAYER, UNTIL) == []
