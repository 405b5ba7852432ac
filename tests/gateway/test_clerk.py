"""A batch is taken in whole: each file its row and its acknowledgement, nothing read that is too big, no key twice."""

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.clerk import Clerk, KeysAlwaysTaken, clerk_at
from spool.interchange import Batch, Claim
from spool.ledger import Ledger
from spool.number import Numbers
from tests import samples
from tests.crash.world import Stop, World
from tests.homes import demo_home

STEPS = ["claimed", "judged", "sealed", "synced", "writing", "written", "let go"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(demo_home(tmp_path))
    yield world
    world.close()


def test_a_batch_goes_through_its_steps_in_order(tmp_path: Path) -> None:
    steps = Stop()
    world = World(demo_home(tmp_path), pulse=steps)
    world.drop("shop", "a.xml", samples.order(1))
    world.take_in()
    assert steps.seen == STEPS


def test_the_acknowledgement_says_what_became_of_the_file(world: World) -> None:
    body = samples.message("CEB311", 2, start=1)
    world.drop("shop", "ORDERS.xml", body)
    ((number, told),) = world.take_in().items()
    assert told == {
        "number": str(number), "file": "ORDERS.xml", "partner": "shop", "sha256": hashlib.sha256(body).hexdigest(),
        "received_at": told["received_at"], "duplicate_of": None, "findings": [],
        "documents": [
            {"number": f"{number}.{n}", "spec": "CEB311", "key": f"3301961A2B|YX202600000000000{n}", "state": "ready"}
            for n in (1, 2)
        ],
    }  # fmt: skip
    assert world.clerk.store.read(world.rows("SELECT evidence FROM interchange")[0][0]) == body


def test_a_file_that_is_gone_meanwhile_is_left_out(world: World) -> None:
    world.drop("shop", "a.xml", samples.order(1))
    box = world.inboxes()["shop"]
    numbers = world.numbers.take(2)
    claims = tuple(
        Claim(number, "shop", "folder", file, f"{box}/{file}")
        for number, file in zip(numbers, ("a.xml", "b.xml"), strict=True)
    )
    parting = world.clerk.take_in(Batch(numbers[0], numbers[1], numbers[0], claims))
    assert list(parting.answers) == [numbers[0]]


def test_a_batch_of_which_nothing_is_left_writes_nothing(world: World) -> None:
    (number,) = world.numbers.take(1)
    assert world.clerk.take_in(Batch(number, number, number, ())).answers == {}
    assert world.rows("SELECT first FROM batch") == []


def test_two_clerks_that_judged_the_same_order_at_once_declare_it_once(tmp_path: Path) -> None:
    home = demo_home(tmp_path)
    world = World(home)
    second = World(home)
    second.clerk._numbers = Numbers(second.now, first=506_000, width=6_000)
    world.drop("shop", "first.xml", samples.order(1))
    world.drop("shop", "second.xml", samples.order(1) + b"\n")
    ran = []

    def meanwhile(step: str) -> None:
        if step == "synced" and not ran:
            ran.append(step)
            second.numbers.go_on_after(number)
            second.take_in()

    (number,) = world.numbers.take(1)
    world.clerk._pulse = meanwhile
    (home / "spool/partners/shop/in/first.xml").rename(tmp_path / "first.xml")
    claim = Claim(number, "shop", "folder", "first.xml", str(tmp_path / "first.xml"))
    parting = world.clerk.take_in(Batch(number, number, number, (claim,)))
    assert ran == ["synced"]
    assert world.rows("SELECT version, count(*) FROM document GROUP BY 1") == [(1, 1)]
    assert world.rows("SELECT count(*) FROM message") == [(1,)]
    assert b'"P301"' in parting.answers[number]
    stored = [file.name for file in (home / "spool/store").rglob("*^customs*")]
    assert len(stored) == 1


def test_who_always_comes_second_gives_up_aloud(tmp_path: Path) -> None:
    class Crowded(Ledger):
        """A book in which another has always just written."""

        def run_many(self, *_: object) -> None:
            raise sqlite3.IntegrityError("UNIQUE constraint failed: document.key")

    world = World(demo_home(tmp_path))
    clerk = Clerk(
        world.clerk.house, Crowded(clerk_at(world.home)), now=world.now, numbers=Numbers(world.now, first=500_000)
    )
    world.drop("shop", "a.xml", samples.order(1))
    path = str(world.inboxes()["shop"] / "a.xml")
    (number,) = world.numbers.take(1)
    with pytest.raises((KeysAlwaysTaken, sqlite3.IntegrityError)):
        clerk.take_in(Batch(number, number, number, (Claim(number, "shop", "folder", "a.xml", path),)))
    world.close()
    assert World(world.home, moment=world.moment).rows("SELECT state FROM document") == [("ready",)]


def test_what_is_too_big_is_kept_and_refused_without_being_read_whole(tmp_path: Path) -> None:
    home = demo_home(tmp_path)
    settings = (home / "kouan.toml").read_text("utf-8")
    (home / "kouan.toml").write_text(settings.replace("message_bytes = 20_971_520", "message_bytes = 5000"), "utf-8")
    world = World(home)
    body = samples.order(1)[:-20] + b" " * 3_000_000 + samples.order(1)[-20:]
    world.drop("shop", "big.xml", body)
    ((_, told),) = world.take_in().items()
    assert [finding["code"] for finding in told["findings"]] == ["S004"]
    assert told["sha256"] == hashlib.sha256(body).hexdigest()
    assert (home / "spool/partners/shop/refused/big.xml").read_bytes() == body


def test_letting_go_again_changes_nothing_that_was_let_go(world: World) -> None:
    world.drop("shop", "good.xml", samples.order(1))
    world.drop("shop", "bad.xml", b"<a></a>")
    world.drop(
        "shop", "partly.xml", samples.message("CEB311", 2, start=5).replace(b"<ceb:discount>5", b"<ceb:discount>6", 1)
    )
    world.take_in()
    before = world.files()
    world.ledger.conn.execute("UPDATE batch SET let_go_at = NULL")
    for path in before:
        (world.home / "spool/partners" / path).unlink()
    world.clerk.let_go_again()
    assert world.files() == before


def test_a_full_folder_keeps_the_batch_open_until_it_can_be_let_go(world: World) -> None:
    out = world.home / "spool/partners/shop/out"
    out.rename(world.home / "out")
    world.drop("shop", "a.xml", samples.order(1))
    world.take_in()
    assert world.rows("SELECT count(*) FROM batch WHERE let_go_at IS NULL") == [(1,)]
    (world.home / "out").rename(out)
    world.clerk.let_go_again()
    assert world.rows("SELECT count(*) FROM batch WHERE let_go_at IS NULL") == [(0,)]
    assert len(list(out.glob("a.xml.*.ack.json"))) == 1
