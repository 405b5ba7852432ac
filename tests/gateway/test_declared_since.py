"""What became of what was declared is told: what came back, what was never paid for, and what the office approved."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.declared_since import since
from gateway.exemptions import draw as draw_exemption
from gateway.exemptions import uses_of as uses_of_records
from gateway.refunds import book
from gateway.tax_files import install
from message_specs import writing
from tests.gateway.border import Border
from tests.gateway.test_export_returns import back
from tests.gateway.test_refunds import BAGS, LATER, UNTIL, booked, carried, drawn, loads, sent, state
from tests.samples import guid
from tests.taxpayers import TAXPAYER, invoice, with_tax

SHIRTS = invoice(1, qty="120", base="6000", tax="780")
SOON = date(2027, 1, 10)


@pytest.fixture
def border(home: Path, tmp_path: Path) -> Iterator[Border]:
    """Two trades of flag A that customs has closed; it is the next January."""
    one = Border(with_tax(home), tmp_path / "customs")
    one.closes(1, 2, CEB603={"statisticsFlag": "A"})
    one.world.moment = LATER
    yield one
    one.close()


def told(border: Border, on: date = SOON) -> list[tuple[str, str]]:
    """What is to be known on that day besides the index of documents: the code and its place."""
    found = since(border.world.ledger, border.world.home, TAXPAYER, on)
    return [(one.code, one.path) for one in found if one.code != "X140"]


def declares(border: Border) -> None:
    loads(border, SHIRTS, BAGS)
    booked(border)
    sent(border)


def verdict(border: Border, refund: str, status: str = "3") -> None:
    """The office approves so much of batch 001, or says something else of it."""
    fields = {
        "guid": guid("T", 1), "taxpayerNo": TAXPAYER, "sbny": "202701", "sbpc": "001", "returnStatus": status,
        "returnTime": writing.return_time(border.world.moment), "refundTotal": refund, "returnInfo": "审核通过",
    }  # fmt: skip
    body = writing.receipt("TaxRefundReturnMessage", guid("V", 1), [("RefundReturn", fields)])
    border.world.drop("tax", f"verdict-{refund}-{status}.xml", body)
    border.world.take_in()


def receipts(border: Border, *rows: str) -> None:
    text = "declaration,received_on,currency,amount,voucher,reason\n" + "".join(f"{row}\n" for row in rows)
    install(border.world.home, "receipts", text.encode())


def test_what_stands_as_it_was_declared_needs_nothing_but_its_index(border: Border) -> None:
    declares(border)
    assert told(border) == []
    [index] = since(border.world.ledger, border.world.home, TAXPAYER, SOON)
    assert (index.code, index.zh) == ("X140", "202701-001 的备案单证目录须在 2027-01-25 前完成")
    assert since(border.world.ledger, border.world.home, TAXPAYER, date(2027, 1, 26)) == []


def test_what_came_back_after_it_was_declared_gives_back_its_share_of_the_refund(border: Border) -> None:
    declares(border)
    back(border)
    assert border.meets() == ["214 2", "214 120", "214 800"]
    number = border.number(1)
    [said] = [one for one in since(border.world.ledger, border.world.home, TAXPAYER, SOON) if one.code == "X128"]
    # Two of sixty shirts: 780.00 × 2 / 120.
    assert said.zh == f"出口 {number}001 已在 202701-001 申报，此后退回 2，须冲减退税约 13.00 元"
    assert drawn(border).forms.exports == ()


def test_what_was_cancelled_after_it_was_declared_gives_back_all_of_it(border: Border) -> None:
    declares(border)
    number = border.number(1)
    told_of = {"agentCode": "3301980Q3D", "copNo": "QD26110000007001", "invtNo": number}
    border.says("CEB604", "InventoryReturn", "700", **told_of)
    found = [one for one in since(border.world.ledger, border.world.home, TAXPAYER, SOON) if one.code == "X129"]
    # Twenty of forty bags of 180.00, sixty of 120 shirts of 780.00.
    assert [one.zh for one in found] == [
        f"出口 {number}002 已在 202701-001 申报，此后撤销或全部退回，须退回退税 90.00 元",
        f"出口 {number}001 已在 202701-001 申报，此后撤销或全部退回，须退回退税 390.00 元",
    ]  # fmt: skip


@pytest.mark.parametrize(("refund", "codes"), [("960.00", []), ("960", []), ("869.99", [("X138", "202701-001")])])
def test_another_refund_than_was_declared_is_told(border: Border, refund: str, codes: list[tuple[str, str]]) -> None:
    declares(border)
    carried(border)
    verdict(border, refund)
    assert (state(border), told(border)) == ([("closed", "3")], codes)
    # Read twice it says the same, and the refund is the declaration's still.
    verdict(border, refund)
    assert (state(border), told(border)) == ([("closed", "3")], codes)


def test_verdicts_that_contradict_each_other_are_told_to_the_operator(border: Border) -> None:
    declares(border)
    carried(border)
    verdict(border, "960.00", "4")
    booked(border)
    border.world.moment += timedelta(minutes=1)
    verdict(border, "960.00", "3")
    assert told(border) == [("X143", "202701-001")]
    [said] = [one for one in since(border.world.ledger, border.world.home, TAXPAYER, SOON) if one.code == "X143"]
    assert said.zh == "202701-001 的审核结果前后不一：先为 审核不通过，后为 审核通过"


def test_foreign_exchange_is_asked_after_and_missed_from_the_first_of_may(border: Border) -> None:
    declares(border)
    every = [f"{border.number(one)}00{item}" for item in (2, 1) for one in (1, 2)]
    days = (date(2027, 1, 29), date(2027, 1, 30), date(2027, 4, 30), date(2027, 5, 1))
    assert [told(border, on) for on in days] == [
        [], [("X132", one) for one in every], [("X132", one) for one in every], [("X133", one) for one in every],
    ]  # fmt: skip
    first, second = border.number(1), border.number(2)
    receipts(border, f"{first},2027-02-01,502,750,FX1,", f"{second}001,2027-02-01,USD,500,FX2,",
             f"{second}002,2027-02-01,USD,0,-,视同收汇")  # fmt: skip
    found = since(border.world.ledger, border.world.home, TAXPAYER, date(2027, 5, 1))
    assert [(one.code, one.zh) for one in found] == [
        ("X135", f"出口 {second}001 收汇 500.00 美元，少于离岸价 510.00 美元"),
    ]  # fmt: skip


def test_a_late_export_is_declared_with_its_foreign_exchange_beside_it_or_not_at_all(border: Border) -> None:
    loads(border, SHIRTS, BAGS)
    border.world.moment = LATER.replace(month=5, day=2)
    bare = drawn(border)
    assert ({one.code for one in bare.forms.findings}, bare.forms.exports) == ({"X130"}, ())
    receipts(border, f"{border.number(1)},2027-02-01,USD,750,FX1,")
    late = booked(border)
    assert [(row.export.number, row.export.note) for row in late.forms.exports] == [
        (f"{border.number(1)}002", "收汇 2027-02-01 FX1"), (f"{border.number(1)}001", "收汇 2027-02-01 FX1"),
    ]  # fmt: skip
    [answer] = sent(border)
    assert ([one["state"] for one in answer["documents"]], answer["findings"]) == (["ready"], [])
    border.world.moment = LATER.replace(year=2029, month=11, day=24)
    assert {one.code for one in drawn(border).forms.findings} == {"X131"}


def test_exports_of_the_running_month_wait_for_the_next(border: Border) -> None:
    loads(border, SHIRTS, BAGS)
    border.world.moment = LATER.replace(year=2026, month=11, day=28)
    early = drawn(border)
    assert ({one.code for one in early.forms.findings}, early.forms.exports) == ({"X109"}, ())


def test_what_came_back_after_it_was_registered_is_told(border: Border) -> None:
    world = border.world
    row = f"3301961A2B,{TAXPAYER},杭州云栖优选电子商务有限公司,exempt,杭州,2910,2026-01-01\n"
    install(world.home, "enterprises", ("code,taxpayer,name,scheme,zone,customs,since\n" + row).encode())
    shop = world.clerk.house.partner("shop")
    made = draw_exemption(world.ledger, world.home, shop, TAXPAYER, "202701", world.moment, UNTIL)
    book(world.ledger, made.declared, "shop", "exempt", uses_of_records(made.records))
    assert told(border) == []
    back(border)
    border.meets()
    [said] = since(world.ledger, world.home, TAXPAYER, SOON)
    assert (said.code, said.zh) == ("X208", f"已在 202701-001 登记的出口 {border.number(1)}001 此后退回或撤销 2")
