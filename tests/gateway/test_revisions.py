"""The revision by which a message is read is decided by the day on which it came, whenever it is opened."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import samples
from tests.crash.world import World
from tests.homes import demo_home

# A text of 25 characters in itemNo: 2018 takes 30 of them in an inventory, 202205 takes 20.
LONG = samples.message("CEB621", 1, start=1).replace(b"<ceb:itemNo>", b"<ceb:itemNo>" + b"X" * 12, 1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    home = demo_home(tmp_path)
    world = World(home)
    switch = (world.moment + timedelta(days=2)).date()
    file = home / "authorities/customs.toml"
    lines = f'revision = [{{ code = "2018" }}, {{ code = "202205", since = {switch} }}]\n'
    file.write_text(lines + file.read_text("utf-8"), "utf-8")
    world.close()
    world = World(home)
    yield world
    world.close()


def told(world: World, file: str, body: bytes) -> dict[str, Any]:
    world.drop("agent", file, body)
    (answer,) = world.take_in().values()
    return answer


def test_a_message_is_read_by_the_revision_of_its_day(world: World) -> None:
    before = told(world, "a.xml", LONG)
    assert [one["state"] for one in before["documents"]] == ["ready"]
    world.moment += timedelta(days=3)
    after = told(world, "b.xml", LONG.replace(samples.trade(1)["orderNo"].encode(), b"YX-OTHER"))
    assert [one["code"] for one in after["findings"]] == ["S032"]
    assert [row for (row,) in world.rows("SELECT revision FROM interchange ORDER BY number")] == ["2018", "202205"]


def test_what_waited_over_the_day_goes_on_by_the_revision_of_the_day_it_came(world: World) -> None:
    (world.home / "keys/agent/key.pem").rename(world.home / "key.away")
    assert [one["state"] for one in told(world, "a.xml", LONG)["documents"]] == ["checked"]
    (world.home / "key.away").rename(world.home / "keys/agent/key.pem")
    world.moment += timedelta(days=3)
    assert world.go_on() == 1
    assert world.rows("SELECT state FROM document") == [("ready",)]
