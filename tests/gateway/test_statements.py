"""A monthly statement can be checked line by line, and tells what is due when."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.guarantees import pay
from gateway.settling import iso
from gateway.statements import open_dues, statement
from gateway.tax_files import NoTaxLaw
from spool.number import CHINA
from tests import samples
from tests.crash.world import World
from tests.gateway.test_bills import INVT, TAX, bill, inventory_is, said, status, when
from tests.gateway.test_guarantees import looks, with_customs


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    """A trade that is with customs."""
    one = with_customs(home)
    yield one
    one.close()


def account(world: World) -> str:
    ((found,),) = world.rows("SELECT DISTINCT account FROM guarantee_entry")
    return str(found)


def test_a_statement_shows_prediction_bill_difference_and_due_dates_and_sums_them(world: World) -> None:
    inventory_is(world, "800")
    bill(world, valueAddedTax="12.60")
    said(world, "CEB818", "Tax", {"TaxHeadStatus": {
        "guid": samples.guid("U", 1), "returnTime": when(world), "invtNo": INVT, "taxNo": TAX, "status": "2",
        "entDutyNo": "291020261000000017",
    }})  # fmt: skip
    looks(world)
    released = world.moment.astimezone(CHINA).date()
    house = world.clerk.house.kouan.tax
    told = statement(world.ledger, account(world), f"{released:%Y-%m}", (), released, house)
    [line] = told["lines"]
    assert {name: line[name] for name in line if name not in ("number", "findings")} == {
        "invt_no": INVT, "order_no": samples.trade(8801)["orderNo"], "released_on": released.isoformat(),
        "collected": "42.16", "predicted": "42.89", "billed": "42.99", "difference": "0.10", "tax_no": [TAX],
        "duty_no": {"291020261000000017": "42.99"}, "paid": "0.00", "open": "42.99", "state": "billed",
        "due_from": (released + timedelta(days=31)).isoformat(),
        "due_until": (released + timedelta(days=45)).isoformat(), "occupied": "42.99",
    }  # fmt: skip
    assert [one["code"] for one in line["findings"]] == ["T310", "T311", "X308"]
    assert line["findings"][-1]["zh"] == f"清单 {INVT} 向购买人代收 42.16 元，税单为 42.99 元"
    assert told["totals"] == {
        "inventories": 1, "collected": "42.16", "predicted": "42.89", "billed": "42.99", "difference": "0.10",
        "paid": "0.00", "open": "42.99", "occupied": "42.99", "unknown": 0, "unbilled": 0,
        "duty_no": {"291020261000000017": "42.99"},
    }  # fmt: skip
    other = statement(world.ledger, account(world), "2001-01", (), released, house)
    assert (other["lines"], other["totals"]["billed"]) == ([], "0.00")


@pytest.mark.parametrize(("days", "codes"), [(39, []), (40, ["X304"]), (45, ["X304"]), (46, ["X305"])])
def test_what_is_due_is_told_from_day_40_and_is_overdue_after_day_45(world: World, days: int, codes: list[str]) -> None:
    inventory_is(world, "800")
    looks(world)
    today = world.moment.astimezone(CHINA).date() + timedelta(days=days)
    rows = open_dues(world.ledger, None, (), today, world.clerk.house.kouan.tax)
    assert [one["code"] for row in rows for one in row["findings"]] == codes


def test_what_is_paid_is_due_no_more_though_its_bill_was_another_than_expected(world: World) -> None:
    inventory_is(world, "800")
    bill(world, valueAddedTax="20.00")
    collected(world, TAX, "291020261000000017")
    looks(world)
    later = world.moment.astimezone(CHINA).date() + timedelta(days=46)

    def due_codes() -> list[str]:
        rows = open_dues(world.ledger, None, (), later, world.clerk.house.kouan.tax)
        return [one["code"] for row in rows for one in row["findings"]]

    assert due_codes() == ["X305"]
    assert pay(world.ledger, "291020261000000017", later, iso(world.moment), "shop")
    assert due_codes() == []


def test_a_home_of_another_calendar_has_other_days(world: World) -> None:
    inventory_is(world, "800")
    looks(world)
    row = {"since": "", "until": "", "day_zero": "day_after", "first": "1", "alarm": "2", "last": "3", "shift": "none"}
    released = world.moment.astimezone(CHINA).date()
    [line] = statement(world.ledger, account(world), f"{released:%Y-%m}", [row], released, world.clerk.house.kouan.tax)[
        "lines"
    ]
    assert (line["due_from"], line["due_until"]) == tuple(
        (released + timedelta(days=days)).isoformat() for days in (2, 4)
    )


def test_a_day_without_a_law_is_told_and_never_guessed(world: World) -> None:
    inventory_is(world, "800")
    looks(world)
    row = {"since": "2099-01-01", "until": "", "day_zero": "release", "first": "31", "alarm": "40", "last": "45"}
    with pytest.raises(NoTaxLaw, match="due 2026-11"):
        open_dues(world.ledger, None, [row], date(2027, 1, 1), world.clerk.house.kouan.tax)


def test_the_window_of_a_release_with_another_last_day_moves_to_a_working_day() -> None:
    from message_specs.tax.securing import due

    row = {"since": "", "until": "", "day_zero": "release", "first": "31", "alarm": "40", "last": "45"}
    plain, moved = (due(date(2026, 11, 17), [row | {"shift": shift}]).last for shift in ("none", "next_working"))
    assert (plain, moved) == (date(2027, 1, 1), date(2027, 1, 4))


def collected(world: World, tax_no: str, duty_no: str) -> None:
    """Customs put a bill under a pay-in document."""
    said(world, "CEB818", "Tax", {"TaxHeadStatus": {
        "guid": samples.guid("U", int(duty_no[-2:])), "returnTime": when(world), "invtNo": INVT, "taxNo": tax_no,
        "status": "2", "entDutyNo": duty_no,
    }})  # fmt: skip


def test_two_bills_of_one_inventory_add_up_under_their_own_pay_in_documents(world: World) -> None:
    first, second = "291020261000000017", "291020261000000025"
    inventory_is(world, "800")
    bill(world, lines=(1, 2))
    bill(world, lines=(3,), tax_no=f"{TAX}2")
    collected(world, TAX, first)
    collected(world, f"{TAX}2", second)
    assert pay(world.ledger, first, date(2027, 1, 4), iso(world.moment), "shop")
    looks(world)
    released = world.moment.astimezone(CHINA).date()
    told = statement(
        world.ledger, account(world), f"{released:%Y-%m}", (), released, world.clerk.house.kouan.tax
    )  # fmt: skip
    [line] = told["lines"]
    names = ("predicted", "billed", "difference", "duty_no", "paid", "open", "occupied", "state")
    assert {name: line[name] for name in names} == {
        "predicted": "42.89", "billed": "42.89", "difference": "0.00", "duty_no": {first: "28.10", second: "14.79"},
        "paid": "28.10", "open": "14.79", "occupied": "14.79", "state": "billed",
    }  # fmt: skip
    totals = told["totals"]
    assert (totals["duty_no"], totals["billed"]) == ({first: "28.10", second: "14.79"}, "42.89")
    assert (totals["paid"], totals["open"], totals["occupied"]) == ("28.10", "14.79", "14.79")


def test_what_customs_took_back_is_in_no_sum(world: World) -> None:
    inventory_is(world, "800")
    looks(world)
    inventory_is(world, "700")
    looks(world)
    released = world.moment.astimezone(CHINA).date()
    told = statement(
        world.ledger, account(world), f"{released:%Y-%m}", (), released, world.clerk.house.kouan.tax
    )  # fmt: skip
    names = ("collected", "predicted", "billed", "open", "occupied", "unbilled")
    assert {name: told["totals"][name] for name in names} == {
        "collected": "0.00", "predicted": "0.00", "billed": "0.00", "open": "0.00", "occupied": "0.00", "unbilled": 0,
    }  # fmt: skip


def test_what_was_released_and_billed_in_vain_before_it_was_looked_at_stands_in_the_statement(world: World) -> None:
    inventory_is(world, "800")
    bill(world)
    status(world, "3")
    looks(world)
    released = world.moment.astimezone(CHINA).date()
    assert world.rows("SELECT count(*) FROM guarantee_entry") == [(0,)]
    told = statement(world.ledger, "3301961A2B", f"{released:%Y-%m}", (), released, world.clerk.house.kouan.tax)
    assert [(one["invt_no"], one["state"], one["open"], one["occupied"]) for one in told["lines"]] == [
        (INVT, "void", "0.00", "0.00")
    ]
    bill(world, tax_no=f"{INVT}_2", valueAddedTax="20.00")
    looks(world)
    again = statement(world.ledger, "3301961A2B", f"{released:%Y-%m}", (), released, world.clerk.house.kouan.tax)
    assert [(one["state"], one["open"], one["occupied"]) for one in again["lines"]] == [("billed", "50.39", "50.39")]


def test_of_what_customs_ordered_back_nobody_says_what_its_buyer_paid(world: World) -> None:
    inventory_is(world, "800")
    bill(world, valueAddedTax="20.00")
    looks(world)
    inventory_is(world, "700")
    looks(world)
    today = world.moment.astimezone(CHINA).date()
    [line] = statement(world.ledger, account(world), f"{today:%Y-%m}", (), today, world.clerk.house.kouan.tax)["lines"]
    assert (line["billed"], line["state"], "X308" in {one["code"] for one in line["findings"]}) == (
        "50.39", "void", False,
    )  # fmt: skip
