"""A refund goes from released lists and purchase invoices to the tax office and back; nothing is declared twice."""

import sqlite3
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import python_calamine

from adapters.simulators.tax_law import Judged, Law, judge
from adapters.simulators.tax_rounds import Office, behaviour
from gateway.dispatch import Outgoing
from gateway.purchases import Loaded, load
from gateway.refunds import Declared, book, draw, free_refused, send_open, uses_of
from gateway.settling import iso
from gateway.submitting import Counter
from gateway.tax_forms import write_templates
from message_specs import writing
from spool.interchange import Claim
from tests.gateway.border import Border
from tests.samples import guid
from tests.taxpayers import BAG, HEADINGS, SHIRT, TAXPAYER, invoice, invoices, with_tax

UNTIL = date(2026, 12, 31)
LATER = datetime.fromisoformat("2027-01-10T10:00:00+08:00")
BAGS = invoice(2, BAG, "帆布手提包", "40", "2000", "260")


@pytest.fixture
def border(home: Path, tmp_path: Path) -> Iterator[Border]:
    """Two trades of flag A that customs has closed; it is the next January."""
    one = Border(with_tax(home), tmp_path / "customs")
    one.closes(1, 2, CEB603={"statisticsFlag": "A"})
    one.world.moment = LATER
    yield one
    one.close()


def loads(border: Border, *lines: str) -> Loaded:
    world = border.world
    file = invoices(world.home / "invoices.csv", *lines)
    shop = world.clerk.house.partner("shop")
    return load(world.ledger, world.home, "purchases", file, "", shop, TAXPAYER, world.moment)


def drawn(border: Border) -> Declared:
    world = border.world
    return draw(
        world.ledger, world.home, world.clerk.house.partner("shop"), TAXPAYER, "202701", world.moment, UNTIL
    )  # fmt: skip


def booked(border: Border) -> Declared:
    declared = drawn(border)
    book(border.world.ledger, declared, "shop", "refund", uses_of(declared.forms))
    return declared


def sent(border: Border) -> list[dict[str, Any]]:
    world = border.world
    with Counter(world.home, lambda: world.moment) as counter:
        return send_open(counter, world.moment)


def carried(border: Border) -> list[bytes]:
    """What leaves for the tax office."""
    from adapters.carriers.carrier import Carried

    world = border.world
    outgoing = Outgoing(world.ledger, world.clerk.store, world.clerk.house.authority("tax"))
    leaving = outgoing.due(world.now() + timedelta(seconds=1))
    outgoing.told(leaving, [Carried(one.parcel.number, ok=True, acknowledgement="OK") for one in leaving], world.now())
    return [one.parcel.body for one in leaving]


def verdict(border: Border, status: str, batch: str = "001", info: str = "审核") -> None:
    world = border.world
    world.moment += timedelta(seconds=5)
    fields = {
        "guid": guid("T", int(batch)), "taxpayerNo": TAXPAYER, "sbny": "202701", "sbpc": batch, "returnStatus": status,
        "returnTime": writing.return_time(world.moment), "returnInfo": info,
    }  # fmt: skip
    body = writing.receipt("TaxRefundReturnMessage", guid("V", 1), [("RefundReturn", fields)])
    world.drop("tax", f"verdict-{status}-{batch}.xml", body)
    world.take_in()


def state(border: Border) -> list[tuple[str, str]]:
    return border.world.rows("SELECT state, coalesce(status, '') FROM document WHERE spec = 'TAX101' ORDER BY number")


def test_released_lists_and_invoices_become_both_details_and_the_approved_refund_is_closed(border: Border) -> None:
    assert (loads(border, invoice(1, qty="120", base="6000", tax="780"), BAGS).findings) == ()
    declared = booked(border)
    numbers = [border.number(one) for one in (1, 2)]
    assert [(row.export.number, row.export.hs, row.amount, row.export.fob) for row in declared.forms.exports] == [
        *((f"{one}002", BAG, Decimal(20), Decimal("240.00")) for one in numbers),
        *((f"{one}001", SHIRT, Decimal(60), Decimal("510.00")) for one in numbers),
    ]
    assert [(row.link, row.base, row.refund_rate, row.refund) for row in declared.forms.purchases] == [
        ("20270100100000001", Decimal("2000.00"), Decimal(9), Decimal("180.00")),
        ("20270100100000002", Decimal("6000.00"), Decimal(13), Decimal("780.00")),
    ]
    [told] = sent(border)
    assert ([one["state"] for one in told["documents"]], told["findings"]) == (["ready"], [])
    [body] = carried(border)
    assert b"<tax:refundTotal>960.00<" in body
    assert b"Signature" not in body
    verdict(border, "2", info="疑点：换汇成本偏高")
    assert state(border) == [("sent", "2")]
    verdict(border, "3", info="审核通过")
    assert state(border) == [("closed", "3")]
    out = border.world.home / "spool/partners/shop/out"
    assert len(list(out.glob("*.TAX102.xml"))) == 2


@pytest.mark.parametrize(
    "asked",
    [(), ("doubts", "duplicate"), ("out-of-order",), ("half",), ("nonsense",), ("half", "nonsense", "duplicate")],
)
def test_with_the_tax_office_in_a_box_however_it_behaves(border: Border, asked: tuple[str, ...]) -> None:
    loads(border, invoice(1, qty="120", base="6000", tax="780"), BAGS)
    booked(border)
    sent(border)
    folder = border.world.home / "spool/authorities/tax"
    office = Office(border.world.home / "office", folder / "out", folder / "in", Law({SHIRT: "13"}), behaviour(asked))
    office.open()
    for place, body in enumerate(carried(border)):
        (folder / "out" / f"{place}.xml").write_bytes(body)
    for moment in range(3):
        office.look(moment)
        border.world.moment += timedelta(seconds=30)
        border.world.take_in()
    assert [line["status"] for line in office.told()] == ["3"]
    assert state(border) == [("closed", "3")]
    held = border.world.rows("SELECT count(*) FROM document WHERE spec = 'TAX102' AND state = 'held'")
    assert held == [(int("nonsense" in asked),)]


def test_a_declaration_that_disagrees_with_itself_never_reaches_the_office(border: Border) -> None:
    loads(border, invoice(1, qty="120", base="6000", tax="780"), BAGS)
    declared = drawn(border)
    wrong = declared.body.replace(b"<tax:tsl>9<", b"<tax:tsl>13<").replace(b"<tax:ktse>180.00<", b"<tax:ktse>260.00<")
    with Counter(border.world.home, lambda: border.world.moment) as counter:
        [told] = counter.hand_in([Claim(0, "shop", "folder", "own.xml", body=wrong)])
    assert [one["code"] for one in told["findings"]] == ["X108", "X120"]
    assert (state(border), carried(border)) == ([("refused", "")], [])


def test_nothing_is_declared_twice_and_the_ledger_itself_refuses_it(border: Border) -> None:
    loads(border, invoice(1, qty="120", base="6000", tax="780"), BAGS)
    first = booked(border)
    again = drawn(border)
    assert (again.forms.exports, again.forms.purchases, again.key[-3:]) == ((), (), "002")
    copy = Declared(again.key, first.forms, first.body, again.head)
    with pytest.raises(sqlite3.IntegrityError, match="more of this is used than there is"):
        book(border.world.ledger, copy, "shop", "refund", uses_of(copy.forms))
    assert border.world.rows("SELECT count(*) FROM tax_drawn") == [(1,)]


def test_a_refused_declaration_frees_what_it_used_and_an_approved_one_never(border: Border) -> None:
    loads(border, invoice(1, qty="120", base="6000", tax="780"), BAGS)
    booked(border)
    sent(border)
    carried(border)
    verdict(border, "4", info="单证不齐")
    assert state(border) == [("refused", "4")]
    assert free_refused(border.world.ledger, iso(border.world.moment)) == [f"refund|{TAXPAYER}|202701|001"]
    second = booked(border)
    assert (second.key[-3:], len(second.forms.exports)) == ("002", 4)
    sent(border)
    carried(border)
    verdict(border, "3", "002")
    assert free_refused(border.world.ledger, iso(border.world.moment)) == []
    assert drawn(border).forms.exports == ()


def test_a_crash_between_booking_and_handing_in_sends_the_very_bytes_and_once(border: Border) -> None:
    loads(border, invoice(1, qty="120", base="6000", tax="780"), BAGS)
    declared = booked(border)
    border.restarts()
    [told] = sent(border)
    # Handed in and not noted: the same bytes are a duplicate.
    with border.world.ledger.writing() as ledger:
        ledger.run("drawn_handed_in", None, declared.key)
    border.restarts()
    [again] = sent(border)
    assert (again["duplicate_of"], told["duplicate_of"]) == (told["number"], None)
    assert border.world.rows("SELECT number FROM tax_drawn") == [(int(told["number"]),)]
    assert len(carried(border)) == 1
    assert sent(border) == []


def test_what_is_not_covered_waits_for_more_invoices_and_the_rest_of_a_purchase_stays(border: Border) -> None:
    loads(border, invoice(1, qty="100", base="5000", tax="650"))
    first = booked(border)
    assert [row.amount for row in first.forms.exports] == [Decimal(60)]
    assert sorted(one.code for one in first.forms.findings) == ["X103", "X103", "X121"]
    loads(border, invoice(3, qty="20", base="1000.01", tax="130"))
    second = booked(border)
    assert [(row.purchase.voucher[-1], row.amount, row.base) for row in second.forms.purchases] == [
        ("1", Decimal(40), Decimal("2000.00")), ("3", Decimal(20), Decimal("1000.01")),
    ]  # fmt: skip


def test_an_invoice_loaded_again_changes_nothing_and_another_under_its_number_is_refused(border: Border) -> None:
    assert (loads(border, BAGS).lines, loads(border, BAGS).fresh) == (1, 0)
    # Until it is declared it may be corrected.
    shirts = invoice(1, qty="120", base="6000", tax="780")
    mended = loads(border, invoice(2, BAG, "帆布手提包", "41", "2000", "260"), shirts)
    assert ([one.code for one in mended.findings], mended.fresh) == (["X139"], 1)
    booked(border)
    other = loads(border, BAGS, invoice(9))
    assert ([one.code for one in other.findings], other.fresh) == (["X114"], 0)
    wrong = loads(border, BAGS.replace(TAXPAYER, "91330200MA2C5E6F70").replace("0002,", "0005,"), invoice(4, tax="651"))
    assert sorted(one.code for one in wrong.findings) == ["X113", "X122"]
    assert border.world.rows("SELECT count(*) FROM purchase_line") == [(2,)]


@pytest.mark.parametrize("changes", [{"qty": "-100"}, {"base": "-5000"}, {"qty": "0"}])
def test_a_red_letter_invoice_is_no_purchase(border: Border, changes: dict[str, str]) -> None:
    assert [one.code for one in loads(border, invoice(1, **changes)).findings] == ["X127"]


def test_consumption_tax_is_loaded_and_declared_beside_the_value_added_tax(border: Border) -> None:
    world = border.world
    file = world.home / "invoices.csv"
    head = HEADINGS.rstrip("\n") + ",税种,凭证种类\n"
    paid = invoice(7, qty="120", base="6000", tax="900").rstrip("\n").replace(",13,900", ",15,900")
    vat = invoice(1, qty="120", base="6000", tax="780").rstrip("\n")
    file.write_text(f"{head}{vat},增值税,02\n{paid},消费税,11\n", "utf-8")
    shop = world.clerk.house.partner("shop")
    assert load(world.ledger, world.home, "purchases", file, "", shop, TAXPAYER, world.moment).findings == ()
    declared = booked(border)
    assert [(row.purchase.tax, row.purchase.kind, row.refund) for row in declared.forms.purchases] == [
        ("V", "02", Decimal("780.00")), ("C", "11", Decimal("900.00")),
    ]  # fmt: skip
    assert declared.head["refundTotal"] == "1680.00"
    [told] = sent(border)
    assert ([one["state"] for one in told["documents"]], told["findings"]) == (["ready"], [])
    assert drawn(border).forms.purchases == ()
    # The office by its own law finds the same.
    [body] = carried(border)
    assert judge(body, Law({SHIRT: "13"}), {}) == Judged(
        "TAX101", (TAXPAYER, "202701", "001"), (), tuple(f"{border.number(one)}001" for one in (1, 2)), "1680.00"
    )


def test_an_invoice_written_in_another_way_is_the_same_invoice(border: Border) -> None:
    assert loads(border, invoice(1)).fresh == 1
    again = loads(border, invoice(1).replace("26332000000012340001", "2633-2000-0000-1234-0001"))
    assert (again.fresh, again.findings) == (0, ())
    assert border.world.rows("SELECT invoice FROM purchase_line") == [("26332000000012340001",)]


def test_the_import_templates_hold_both_details_from_row_nine_on(border: Border, tmp_path: Path) -> None:
    loads(border, invoice(1, qty="120", base="6000", tax="780"), BAGS)
    declared = drawn(border)
    files = write_templates(tmp_path / "forms", declared.head, declared.forms)
    rows = [python_calamine.load_workbook(file).get_sheet_by_index(0).to_python() for file in files]
    assert [(len(one), one[7][0], one[8][0], one[8][1]) for one in rows] == [
        (12, "申报年月", "202701", "001"), (10, "申报年月", "202701", "001"), (12, "申报年月", "202701", "001"),
    ]  # fmt: skip
    assert files[2].name == f"备案单证目录-{TAXPAYER}-202701001.xlsx"
    assert [line[8] for line in rows[2][8:]] == ["26332000000012340002"] * 2 + ["26332000000012340001"] * 2
    assert rows[1][9][-6:-1] == ["120", "6000.00", "13", "13", "780.00"]
    assert files[1].name == f"外贸企业出口退税进货明细申报表导入模板-{TAXPAYER}-202701001.xlsx"
