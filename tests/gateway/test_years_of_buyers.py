"""A purchase counts in one year of its buyer, and is given back from that one, whatever is said after New Year."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from message_specs.trade.papers import marks_of
from spool.number import CHINA
from tests.crash.world import World
from tests.homes import with_trades
from tests.samples import AGENT, SHOP, citizen, guid, message, trade

SENDERS = {"CEB311": "shop", "CEB411": "pay", "CEB511": "ship", "CEB621": "agent"}
EVE = datetime(2026, 12, 31, 23, 30, tzinfo=CHINA)
NEW_YEAR = datetime(2027, 1, 1, 0, 1, tzinfo=CHINA)


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    one = World(with_trades(home), moment=EVE)
    yield one
    one.close()


def declares(world: World, number: int, *specs: str) -> None:
    """Documents of this trade come, of the one buyer of all trades here, and leave where they are ready."""
    for spec in specs or SENDERS:
        body = message(spec, 1, start=number).replace(citizen(number).encode(), citizen(1).encode())
        name, own = (trade(one)["buyer"].encode() for one in (number, 1))
        world.drop(SENDERS[spec], f"{spec}-{number}.xml", body.replace(name, own))
    world.take_in()
    world.go_on()
    world.carry()


def says(world: World, number: int, status: str) -> None:
    """Customs says this of the inventory of this trade."""
    world.moment += timedelta(seconds=2)
    codes = {"customsCode": "2910", "ebpCode": SHOP.code, "ebcCode": SHOP.code, "agentCode": AGENT.code}
    fields = {
        "guid": guid("R", number), **codes, "copNo": trade(number)["copNo"], "preNo": f"B2026112100000000{number}",
        "invtNo": f"29102026I00000000{number}", "returnStatus": status, "returnInfo": "-",
        "returnTime": f"{world.moment.astimezone(CHINA):%Y%m%d%H%M%S}000",
    }  # fmt: skip
    world.answer(f"CEB622-{number}-{status}.xml", "CEB622", "InventoryReturn", fields)
    world.take_in()
    while world.look():
        pass


def years(world: World) -> dict[str, list[int]]:
    """Which trades count in each year of the buyer."""
    heads = {one: {"ebpCode": SHOP.code, "orderNo": trade(one)["orderNo"]} for one in (1, 2)}
    trades = {str(marks_of("order", "CEB621", head)[0]): one for one, head in heads.items()}
    rows = world.rows("SELECT key, value FROM record WHERE key LIKE 'quota|%' ORDER BY key")
    used = {key[-4:]: json.loads(value)["used"] if value else {} for key, value in rows}
    return {year: sorted(trades[name] for name in names) for year, names in used.items()}


def test_what_was_bought_in_the_old_year_is_not_counted_in_the_new_one_when_customs_closes_it(world: World) -> None:
    declares(world, 1)
    says(world, 1, "800")
    world.moment = NEW_YEAR
    declares(world, 2)
    assert years(world) == {"2026": [1], "2027": [2]}
    says(world, 1, "899")
    says(world, 2, "800")
    assert years(world) == {"2026": [1], "2027": [2]}


def test_an_inventory_that_waited_over_new_year_counts_in_the_new_one_alone(world: World) -> None:
    declares(world, 1)
    declares(world, 2, "CEB621")
    world.moment = NEW_YEAR
    declares(world, 2, "CEB311", "CEB411", "CEB511")
    says(world, 2, "800")
    assert years(world) == {"2026": [1], "2027": [2]}


def test_what_customs_returned_after_new_year_is_given_back_from_the_old_one(world: World) -> None:
    declares(world, 1)
    world.moment = NEW_YEAR
    declares(world, 2)
    says(world, 1, "100")
    assert years(world) == {"2026": [], "2027": [2]}


def test_what_customs_returned_and_released_all_the_same_is_counted_again_in_its_year(world: World) -> None:
    declares(world, 1)
    world.moment = NEW_YEAR
    declares(world, 2)
    says(world, 1, "100")
    says(world, 1, "800")
    assert years(world) == {"2026": [1], "2027": [2]}


def test_what_could_not_be_sent_and_then_was_taken_in_is_counted_again_at_once(world: World) -> None:
    declares(world, 1)
    declares(world, 2)
    says(world, 1, "4")
    assert years(world) == {"2026": [2]}
    says(world, 1, "120")
    assert years(world) == {"2026": [1, 2]}


def test_what_a_clock_that_was_a_year_behind_has_counted_is_given_back(world: World) -> None:
    declares(world, 1)
    declares(world, 2, "CEB311", "CEB411", "CEB511")
    world.moment = EVE.replace(year=2025)
    declares(world, 2, "CEB621")
    assert years(world) == {"2025": [2], "2026": [1]}
    # The keys of this home were not valid yet: it goes on when the clock is right again.
    world.moment = EVE + timedelta(minutes=5)
    world.go_on()
    world.carry()
    says(world, 2, "800")
    assert years(world) == {"2025": [], "2026": [1, 2]}


def test_an_inventory_whose_fellows_wait_for_their_keys_counts_nothing(world: World) -> None:
    world.moment = EVE.replace(year=2025)
    declares(world, 2)
    assert years(world) == {}
    world.moment = EVE + timedelta(minutes=5)
    while world.go_on():
        pass
    assert years(world) == {"2026": [2]}
