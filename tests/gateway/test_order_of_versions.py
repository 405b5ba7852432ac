"""With `pace.order = "key"` the versions of a document leave one after the other, however they came to be sealed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config_authorities import Pace
from spool.number import Numbers
from tests import samples
from tests.crash.world import World
from tests.gateway.test_turnstile import customs, gate, tried
from tests.homes import demo_home

ORDERED = customs(pace=Pace(order="key"))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    one = World(demo_home(tmp_path))
    yield one
    one.close()


def order(number: int, *, app_type: str = "1", note: str = "") -> bytes:
    """An order; with a note its message may not leave together with those that have none."""
    body = samples.message("CEB311", 1, start=number, app_type=app_type)
    return body.replace(b"</ceb:dxpId>", f"</ceb:dxpId><ceb:note>{note}</ceb:note>".encode()) if note else body


def left(world: World) -> list[int]:
    """The messages that leave, each after the one before has."""
    turnstile = gate(world, ORDERED)
    rounds = [tried(world, turnstile) for _ in range(9)]
    return [number for one in rounds for number in one]


def versions(world: World) -> list[list[int]]:
    """In which messages the versions of each order are, in their order."""
    rows = world.rows("SELECT key, message FROM document ORDER BY key, version")
    return [[message for key, message in rows if key == one] for one in sorted({key for key, _ in rows})]


def test_two_versions_in_one_message_leave_with_it(world: World) -> None:
    for app_type in ("1", "2"):
        world.drop("shop", f"{app_type}.xml", order(1, app_type=app_type))
    world.take_in()
    (one,) = versions(world)
    assert one[0] == one[1]
    assert left(world) == [one[0]]


def test_what_holds_the_earlier_version_is_sealed_first(world: World) -> None:
    """1 and a change of 2 would leave together, and so would 2 and a change of 1: each would wait for the other."""
    files = [order(1), order(2, note="b"), order(1, app_type="2", note="b"), order(2, app_type="2")]
    for number, body in enumerate(files):
        world.drop("shop", f"{number}.xml", body)
    world.take_in()
    assert all(one == sorted(one) and len(one) == 2 for one in versions(world))
    assert left(world) == sorted({message for one in versions(world) for message in one})


def test_a_change_sealed_by_another_worker_in_the_same_second_has_the_greater_number(world: World) -> None:
    """The worker of the later range seals the order, that of the earlier range its change."""
    lane, second = world.lane, Numbers(world.now, first=506_000, width=6_000)
    world.clerk._numbers = second
    world.drop("shop", "1.xml", order(1))
    world.take_in()
    world.clerk._numbers = lane
    world.drop("shop", "2.xml", order(1, app_type="2"))
    world.drop("shop", "3.xml", order(3))
    world.take_in()
    (one, _) = versions(world)
    assert one[0] < one[1]
    assert left(world) == one
