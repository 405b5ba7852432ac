"""A monthly statement can be checked line by line, and tells what is due when."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.statements import open_dues, statement
from spool.number import CHINA
from tests import samples
from tests.crash.world import World
from tests.gateway.test_bills import INVT, TAX, bill, inventory_is, said, when
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
        "predicted": "42.89", "billed": "42.99", "difference": "0.10", "tax_no": [TAX],
        "duty_no": ["291020261000000017"], "state": "billed",
        "due_from": (released + timedelta(days=31)).isoformat(),
        "due_until": (released + timedelta(days=45)).isoformat(), "occupied": "42.99",
    }  # fmt: skip
    assert [one["code"] for one in line["findings"]] == ["T310", "T311"]
    assert told["totals"] == {
        "inventories": 1, "predicted": "42.89", "billed": "42.99", "difference": "0.10", "occupied": "42.99",
        "unknown": 0, "unbilled": 0, "duty_no": {"291020261000000017": "42.99"},
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


def test_the_window_of_a_release_with_another_last_day_moves_to_a_working_day() -> None:
    from message_specs.tax.securing import due

    row = {"since": "", "until": "", "day_zero": "release", "first": "31", "alarm": "40", "last": "45"}
    plain, moved = (due(date(2026, 11, 17), [row | {"shift": shift}]).last for shift in ("none", "next_working"))
    assert (plain, moved) == (date(2027, 1, 1), date(2027, 1, 4))
