"""A table made to do harm, or too large, is refused in the hall with its reason, and the hall goes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.world import World
from tests.fuzz.targets import FINDS, good_document, with_part
from tests.gateway.test_tables import take_in, with_maps
from tests.homes import demo_home
from tests.mapping.tables import as_csv, orders


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(with_maps(demo_home(tmp_path), 'maps = ["orders-311"]'))
    yield world
    world.close()


def test_what_would_end_a_worker_is_refused_and_the_next_file_goes_its_way(world: World) -> None:
    breaking_off = (FINDS / "content/breaks-off.xml").read_bytes()
    world.drop("shop", "A.xls", (FINDS / "book/endless-chain.xls").read_bytes())
    world.drop("shop", "B.ods", with_part(good_document(), "content.xml", breaking_off))
    world.drop("shop", "C.csv", as_csv(orders(1)))
    told = list(take_in(world).values())
    assert sorted([found["code"] for found in one["findings"]] for one in told) == [[], ["M009"], ["M009"]]
    assert [document["state"] for one in told for document in one["documents"]] == ["ready"]
    why = (world.home / "spool/partners/shop/refused/A.xls.why.txt").read_text("utf-8")
    assert "M009" in why


def test_a_table_of_too_many_documents_is_refused_whole(tmp_path: Path) -> None:
    home = with_maps(demo_home(tmp_path), 'maps = ["orders-311"]')
    settings = (home / "kouan.toml").read_text("utf-8")
    assert "table_documents = 500_000" in settings
    (home / "kouan.toml").write_text(settings.replace("table_documents = 500_000", "table_documents = 20"), "utf-8")
    world = World(home)
    world.drop("shop", "ORDERS.csv", as_csv(orders(21, 1)))
    [told] = take_in(world).values()
    world.close()
    assert "M027" in {found["code"] for found in told["findings"]}
    assert {document["state"] for document in told["documents"]} <= {"refused"}
