"""An envelope is numbered, lies in the store under that number, and is named by the ledger or forgotten."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from spool.number import SEQUENCE
from tests import samples
from tests.crash.world import PowerCut, Stop, World
from tests.homes import demo_home


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(demo_home(tmp_path))
    yield world
    world.close()


def envelopes(world: World) -> list[str]:
    return sorted(str(file.relative_to(world.clerk.store.root)) for file in world.clerk.store.root.rglob("*^*"))


def test_what_the_ledger_says_of_an_envelope_is_what_lies_in_the_store(world: World) -> None:
    world.drop("shop", "a.xml", samples.message("CEB311", 3, start=1))
    world.drop("pay", "b.xml", samples.message("CEB411", 1))
    world.take_in()
    rows = world.rows("SELECT number, evidence, size, sha256, documents, partner FROM message ORDER BY number")
    assert sorted(place for _, place, *_ in rows) == envelopes(world)
    for number, place, size, digest, documents, partner in rows:
        body = world.clerk.store.read(place)
        assert (len(body), hashlib.sha256(body).digest()) == (size, digest)
        assert f"/{number}~^customs~CEB" in place
        assert len(documents.split()) == (3 if partner == "shop" else 1)
        assert number % SEQUENCE >= 500_000
    assert world.rows("SELECT count(*) FROM outbox WHERE state = 'waiting'") == [(2,)]


def test_a_document_knows_its_message_and_a_message_its_documents(world: World) -> None:
    world.drop("shop", "a.xml", samples.message("CEB311", 3, start=1))
    world.take_in()
    ((number, documents),) = world.rows("SELECT number, documents FROM message")
    assert world.rows("SELECT number || '.' || ordinal, message FROM document") == [
        (name, number) for name in documents.split()
    ]


def test_an_envelope_of_a_batch_that_was_not_written_is_set_aside_and_the_next_start_seals_anew(world: World) -> None:
    world.clerk._pulse = Stop("synced")
    world.drop("shop", "a.xml", samples.order(1))
    with pytest.raises(PowerCut):
        world.take_in()
    (orphan,) = envelopes(world)
    again = World(world.home, moment=world.moment)
    (kept,) = envelopes(again)
    assert kept == again.rows("SELECT evidence FROM message")[0][0]
    assert (world.home / "spool/leftovers" / Path(orphan).name).exists()
    assert again.set_aside == 1


def test_what_waits_for_a_key_has_no_envelope(world: World) -> None:
    (world.home / "keys/shop/key.pem").unlink()
    world.drop("shop", "a.xml", samples.order(1))
    world.take_in()
    assert (envelopes(world), world.rows("SELECT count(*) FROM outbox")) == ([], [(0,)])


def test_nothing_is_sealed_for_what_is_refused_or_known(world: World) -> None:
    world.drop("shop", "a.xml", samples.order(1))
    world.take_in()
    before = envelopes(world)
    world.drop("shop", "b.xml", samples.order(1))
    world.drop("shop", "c.xml", samples.order(2).replace(b"<ceb:discount>5<", b"<ceb:discount>6<"))
    world.take_in()
    assert envelopes(world) == before
