"""What the tax office is told was exported: gathered lists by their declaration, declarations by their items."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.purchases import Loaded, load
from gateway.tax_exports import Exports, exports
from gateway.tax_files import table
from tests.gateway.border import Border, states
from tests.gateway.test_export_returns import back
from tests.gateway.test_refunds import LATER, UNTIL
from tests.taxpayers import BAG, SHIRT, TAXPAYER, with_tax

HEADINGS = (
    "报关单号,出口日期,境内发货人代码,发票号,成交方式,币制,运费,保费,状态,项号,商品编号,商品名称,数量,单位,"
    "法定数量,法定单位,总价\n"
)
ENTRY = "290120260000012345"


@pytest.fixture
def border(home: Path, tmp_path: Path) -> Iterator[Border]:
    one = Border(with_tax(home), tmp_path / "customs")
    yield one
    one.close()


def found(border: Border, until: date = UNTIL) -> Exports:
    home = border.world.home
    codes = frozenset({TAXPAYER, "3301961A2B"})
    return exports(border.world.ledger, TAXPAYER, codes, until, table(home, "dollars"))


def loads(border: Border, *lines: str) -> Loaded:
    world = border.world
    file = world.home / "declarations.csv"
    file.write_text(HEADINGS + "".join(lines), "utf-8")
    shop = world.clerk.house.partner("shop")
    return load(world.ledger, world.home, "exports", file, "", shop, TAXPAYER, LATER)


def item(
    number: int, value: str, terms: str = "CIF", state: str = "结关", currency: str = "502", hs: str = SHIRT
) -> str:
    return (
        f"{ENTRY},2026-11-20,3301961A2B,CK1,{terms},{currency},800,50,{state},{number},{hs},纯棉印花T恤,100,件,"
        f"21.5,千克,{value}\n"
    )


def test_a_gathered_list_stands_by_the_item_of_its_declaration_and_waits_for_it(border: Border) -> None:
    border.closes(1, 2)
    waits = found(border)
    assert ([said.code for said in waits.findings], waits.items) == (["X118", "X118"], [])
    border.gathers(1, 2)
    border.meets()
    entry = border.dossier()["aggregation"]["entry"]
    told = found(border)
    assert told.findings == []
    assert [(one.number, one.hs, one.in_unit("011"), one.fob) for one in told.items] == [
        (f"{entry}001", SHIRT, Decimal(120), Decimal("1020.00")), (f"{entry}002", BAG, Decimal(40), Decimal("480.00")),
    ]  # fmt: skip


def test_what_is_not_released_or_is_another_s_is_no_export_of_his(border: Border) -> None:
    border.trade(1, CEB603={"statisticsFlag": "A"})
    border.meets()
    assert found(border).items == []
    border.closes(2, CEB603={"statisticsFlag": "A", "ebcCode": "3301980Q3D", "ownerCode": "3301980Q3D"})
    assert {one.invoice_no for one in found(border).items} <= {"CK2026000000007001"}


def test_what_came_back_is_taken_off(border: Border) -> None:
    border.closes(1, CEB603={"statisticsFlag": "A"})
    assert states(back(border)) == ["ready"]
    assert border.meets() == ["214 2", "214 120", "214 800"]
    told = found(border)
    assert [said.code for said in told.findings] == ["X112"]
    assert [(one.hs, one.in_unit("011"), one.fob) for one in told.items] == [
        (SHIRT, Decimal(58), Decimal("493.00")), (BAG, Decimal(20), Decimal("240.00")),
    ]  # fmt: skip


def test_what_was_exported_later_is_not_yet_told(border: Border) -> None:
    border.closes(1, CEB603={"statisticsFlag": "A"})
    assert len(found(border).items) == 2
    assert found(border, date(2026, 11, 1)).items == []


def test_freight_and_insurance_are_spread_over_the_items_of_a_declaration(border: Border) -> None:
    assert loads(border, item(1, "9000"), item(2, "1000", hs=BAG)).findings == ()
    assert [(one.number, one.fob, one.amounts) for one in found(border).items] == [
        (f"{ENTRY}001", Decimal("8235.00"), (("011", Decimal(100)), ("035", Decimal("21.5")))),
        (f"{ENTRY}002", Decimal("915.00"), (("011", Decimal(100)), ("035", Decimal("21.5")))),
    ]  # fmt: skip


@pytest.mark.parametrize(("terms", "fob"), [("CIF", "9150.00"), ("C&F", "9200.00"), ("FOB", "10000.00")])
def test_a_value_is_free_on_board_by_the_terms_of_delivery(border: Border, terms: str, fob: str) -> None:
    loads(border, item(1, "10000", terms))
    assert [one.fob for one in found(border).items] == [Decimal(fob)]


def test_a_currency_without_a_rate_has_no_value_in_dollars_and_an_open_declaration_waits(border: Border) -> None:
    loads(border, item(1, "10000", currency="300"))
    assert [one.fob for one in found(border).items] == [None]


def test_a_declaration_counts_once_it_is_closed_and_no_more_once_it_is_deleted(border: Border) -> None:
    assert loads(border, item(1, "9000", state="放行"), item(2, "1000", hs=BAG, state="放行")).fresh == 2
    open_ones = found(border)
    assert ([one.code for one in open_ones.findings], open_ones.items) == (["X101", "X101"], [])
    closed = loads(border, item(1, "9000"), item(2, "1000", hs=BAG))
    assert ([one.code for one in closed.findings], closed.fresh, closed.is_refused) == (["X139", "X139"], 0, False)
    assert [one.number for one in found(border).items] == [f"{ENTRY}001", f"{ENTRY}002"]
    # Customs amended it: the second item is no more, and the first bears the whole freight.
    amended = loads(border, item(1, "10000"))
    assert [one.value for one in amended.findings] == [ENTRY, ENTRY]
    assert [(one.number, one.fob) for one in found(border).items] == [(f"{ENTRY}001", Decimal("9150.00"))]
    loads(border, item(1, "10000", state="删单"))
    assert found(border) == Exports([], [])


def test_the_same_item_twice_or_of_another_firm_is_refused_and_nothing_is_written(border: Border) -> None:
    world = border.world
    loads(border, item(1, "10000"))
    file = world.home / "declarations.csv"
    file.write_text(HEADINGS + item(1, "9000") + item(2, "1000"), "utf-8")
    shop = world.clerk.house.partner("shop")
    other = load(world.ledger, world.home, "exports", file, "", shop, "91330200MA2C5E6F70", LATER)
    assert ([one.code for one in other.findings], other.is_refused) == (["X114"], True)
    assert [(one.number, one.fob) for one in found(border).items] == [(f"{ENTRY}001", Decimal("9150.00"))]


def test_terms_of_delivery_that_nobody_knows_are_told_and_not_taken_for_others(border: Border) -> None:
    loads(border, item(1, "10000", "C&I"))
    assert [one.fob for one in found(border).items] == [Decimal("9950.00")]

    with border.world.ledger.writing() as ledger:
        row = ledger.one("export", ENTRY, 1)
        assert row is not None
        body = row["body"].replace('"transMode": "4"', '"transMode": "7"')
        ledger.run("amend_export", "2026-11-20", "x", body, ENTRY, 1)
    told = found(border)
    assert ([(one.code, one.value) for one in told.findings], told.items) == ([("X126", "7")], [])


def test_an_agent_s_export_stands_by_its_proof(border: Border) -> None:
    file = border.world.home / "declarations.csv"
    plain = item(1, "10000").rstrip("\n")
    head = HEADINGS.rstrip("\n") + ",代理证明号,监管方式\n"
    file.write_text(f"{head}{plain},330100202600000123,9810\n", "utf-8")
    shop = border.world.clerk.house.partner("shop")
    load(border.world.ledger, border.world.home, "exports", file, "", shop, TAXPAYER, LATER)
    assert [(one.number, one.agency, one.mode) for one in found(border).items] == [
        (f"{ENTRY}001", "33010020260000012301", "9810"),
    ]  # fmt: skip


def test_a_declaration_of_another_firm_needs_its_proof_of_agency(border: Border) -> None:
    other = loads(border, item(1, "10000").replace("3301961A2B", "3301980Q3D"))
    assert ([(one.code, one.value) for one in other.findings], other.is_refused) == ([("X142", "3301980Q3D")], True)


def test_a_list_that_is_released_and_not_closed_waits(border: Border) -> None:
    border.trade(1, CEB603={"statisticsFlag": "A"})
    border.meets()
    told_of = {"agentCode": "3301980Q3D", "copNo": "QD26110000007001", "invtNo": "29102026E000000777"}
    border.says("CEB604", "InventoryReturn", "800", **told_of)
    told = found(border)
    assert ([one.code for one in told.findings], told.items) == (["X101"], [])


def test_a_gathered_item_is_told_whole_or_not_at_all(border: Border) -> None:
    border.closes(1, CEB603={"ieDate": "20261121"})
    border.closes(2, CEB603={"ieDate": "20261203"})
    border.gathers(1, 2)
    border.meets()
    entry = border.dossier()["aggregation"]["entry"]
    early = found(border, date(2026, 11, 30))
    assert [(one.code, one.path) for one in early.findings] == [("X134", f"{entry}001"), ("X134", f"{entry}002")]
    assert (border.number(2) in early.findings[0].zh, early.items) == (True, [])
    later = found(border)
    assert [(one.number, one.in_unit("011"), one.exported_on) for one in later.items] == [
        (f"{entry}001", Decimal(120), date(2026, 12, 3)), (f"{entry}002", Decimal(40), date(2026, 12, 3)),
    ]  # fmt: skip


def test_of_days_of_another_scheme_nothing_is_told(border: Border) -> None:
    border.closes(1)
    arguments = border.world.ledger, TAXPAYER, frozenset({"3301961A2B"}), date(2026, 12, 31), ()
    assert [said.code for said in exports(*arguments).findings] == ["X118"]
    assert exports(*arguments, lambda day: day.year > 2026).findings == []
