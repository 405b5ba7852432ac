"""A release occupies the guarantor's guarantee, and what customs or the collector says of the tax gives it back."""

import sqlite3
from collections.abc import Iterator
from datetime import date
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from gateway import guarantees
from gateway.rates import install
from gateway.settling import iso
from tests import samples
from tests.crash.world import World
from tests.gateway.test_bills import (
    SENDERS,
    TAX,
    TRADE,
    afterwards,
    bill,
    drop,
    inventory_is,
    rates,
    said,
    status,
    when,
)
from tests.homes import with_trades


def with_customs(home: Path, *, rated: bool = True) -> World:
    """A trade that is with customs; a line of it has no rate where the home has none of its own."""
    with_trades(home)
    if rated:
        install(home, rates("13"))
    one = World(home)
    for spec, sender in SENDERS.items():
        one.drop(sender, f"{spec}.xml", samples.message(spec, 1, start=TRADE))
    one.take_in()
    one.carry()
    return one


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    """A trade that is with customs."""
    one = with_customs(home)
    yield one
    one.close()


def looks(world: World) -> None:
    while world.clerk.look():
        pass


def booked(world: World) -> list[tuple[str, str, str]]:
    looks(world)
    rows = world.rows("SELECT what, reason, amount FROM guarantee_entry ORDER BY sequence")
    return [(what, reason, guarantees.yuan(amount)) for what, reason, amount in rows]


def occupied(world: World) -> str:
    looks(world)
    ((amount,),) = world.rows("SELECT coalesce(sum(amount), 0) FROM guarantee_entry")
    return guarantees.yuan(amount)


def test_a_release_occupies_what_is_expected_and_looking_again_books_nothing(world: World) -> None:
    inventory_is(world, "120")
    assert booked(world) == []
    inventory_is(world, "800")
    assert booked(world) == [("occupy", "released", "42.89")]
    inventory_is(world, "899")
    bill(world)
    assert booked(world) == [("occupy", "released", "42.89")]


def test_a_bill_of_another_amount_corrects_it(world: World) -> None:
    inventory_is(world, "800")
    looks(world)
    bill(world, valueAddedTax="20.00")
    assert booked(world) == [("occupy", "released", "42.89"), ("occupy", "billed", "7.50")]


@pytest.mark.parametrize("order", list(permutations(("released", "billed", "void"))))
def test_a_void_bill_leaves_nothing_occupied_in_any_order(world: World, order: tuple[str, ...]) -> None:
    told: dict[str, Any] = {
        "released": lambda: inventory_is(world, "800"),
        "billed": lambda: bill(world),
        "void": lambda: status(world, "3"),
    }
    for one in order:
        told[one]()
        looks(world)
    assert occupied(world) == "0.00"


def test_what_customs_takes_back_is_given_back(world: World) -> None:
    inventory_is(world, "800")
    looks(world)
    inventory_is(world, "700")
    assert booked(world) == [("occupy", "released", "42.89"), ("release", "void", "-42.89")]


def test_a_pay_in_document_that_is_paid_gives_back_all_of_its_bills_and_is_told_once(world: World) -> None:
    inventory_is(world, "800")
    bill(world)
    said(world, "CEB818", "Tax", {"TaxHeadStatus": {
        "guid": samples.guid("U", 1), "returnTime": when(world), "invtNo": TAX[:18], "taxNo": TAX, "status": "2",
        "entDutyNo": "291020261000000017",
    }})  # fmt: skip
    assert occupied(world) == "42.89"
    paid = [guarantees.pay(world.ledger, "291020261000000017", date(2027, 1, 4), iso(world.moment), "shop")] * 1
    paid.append(guarantees.pay(world.ledger, "291020261000000017", date(2027, 1, 5), iso(world.moment), "shop"))
    assert paid == [True, False]
    assert booked(world)[-1] == ("release", "paid", "-42.89")
    assert occupied(world) == "0.00"


def test_the_book_of_a_guarantee_refuses_what_never_was_occupied(world: World) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="more than was occupied"), world.ledger.writing() as ledger:
        ledger.run("add_guarantee", 1, 1, 1, "A", "2026-11-21", "x", "release", "void", -1)


def test_an_account_tells_its_use_and_what_its_holder_is_to_know(world: World) -> None:
    inventory_is(world, "800")
    looks(world)
    [(account,)] = world.rows("SELECT DISTINCT account FROM guarantee_entry")
    limits = [{"account": account, "amount": "50", "since": "2026-01-01", "until": ""}]
    [told] = guarantees.accounts(world.ledger, limits, date(2026, 11, 21))
    assert (told["limit"], told["occupied"], told["free"]) == ("50", "42.89", "7.11")
    assert [one["code"] for one in told["findings"]] == ["X301"]
    [bare] = guarantees.accounts(world.ledger, [], date(2026, 11, 21))
    assert [one["code"] for one in bare["findings"]] == ["X303"]


def test_goods_that_come_back_give_back_their_share_and_all_of_them_all(world: World) -> None:
    inventory_is(world, "800")
    looks(world)
    drop(world, "CEB625", lines={3: 1})
    world.carry()
    looks(world)
    assert occupied(world) == "42.89"
    afterwards(world, "CEB626", "InvtRefundReturn", "399")
    assert booked(world)[-1] == ("release", "returned", "-7.39")
    # A bill of the whole is owed but for what came back.
    bill(world, valueAddedTax="12.51", lines=(1, 2, 3), consumptionTax="0")
    assert occupied(world) == "35.51"


def test_what_could_not_be_told_is_occupied_by_its_bill_and_given_back_by_its_lines(home: Path) -> None:
    world = with_customs(home, rated=False)
    inventory_is(world, "800")
    assert booked(world) == []
    bill(world)
    assert booked(world) == [("occupy", "billed", "42.89")]
    drop(world, "CEB625", lines={3: 1})
    world.carry()
    looks(world)
    afterwards(world, "CEB626", "InvtRefundReturn", "399")
    # Half of 14.79 of the third line.
    assert booked(world)[1:] == [("release", "returned", "-7.39")]
    assert occupied(world) == "35.50"
    world.close()
