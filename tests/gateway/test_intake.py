"""What is not a plain file any more when it is claimed is set aside; what a partner plants is never followed."""

import os
from pathlib import Path

import pytest

from gateway.intake import Intake
from gateway.parting import GIVEN_BACK
from spool import aside
from spool.interchange import Batch, Claim
from spool.store import Store
from tests import samples
from tests.crash.world import World
from tests.homes import demo_home

NUMBER = 261121204432000001


def link(path: Path) -> None:
    secret = path.with_name("secret")
    secret.write_text("of the house")
    path.symlink_to(secret)


@pytest.mark.parametrize("make", [link, os.mkfifo, Path.mkdir], ids=["link", "pipe", "folder"])
def test_a_link_a_pipe_or_a_folder_is_set_aside_and_its_batch_goes_on(tmp_path: Path, make) -> None:
    inbox = tmp_path / "in"
    inbox.mkdir()
    (inbox / "good.xml").write_bytes(samples.order(1))
    make(inbox / "odd.xml")
    store = Store(tmp_path / "store")
    files = ("odd.xml", "good.xml")
    claims = tuple(Claim(NUMBER + n, "shop", "folder", file, f"{inbox}/{file}") for n, file in enumerate(files))
    arrivals = Intake(store, 1000_000).take(Batch(NUMBER, NUMBER + 1, NUMBER, claims))
    assert [one.claim.file for one in arrivals] == ["good.xml"]
    assert [path.name for path in (tmp_path / "leftovers").iterdir()] == [f"{NUMBER}~shop~odd.xml"]


def test_a_link_planted_under_the_aside_name_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / "planted").symlink_to(victim)
    aside.write(str(tmp_path / "planted"), b"an acknowledgement")
    assert (victim.read_text(), (tmp_path / "planted").read_bytes()) == ("untouched", b"an acknowledgement")


def test_what_is_huge_is_told_in_refused_and_not_copied_there(tmp_path: Path) -> None:
    world = World(demo_home(tmp_path))
    world.drop("shop", "huge.xml", samples.order(1))
    os.truncate(world.inboxes()["shop"] / "huge.xml", GIVEN_BACK + 1)
    (number,) = world.numbers.take(1)
    claim = Claim(number, "shop", "folder", "huge.xml", str(world.inboxes()["shop"] / "huge.xml"))
    world.clerk.take_in(Batch(number, number, number, (claim,)))
    refused = [path.name for path in (world.home / "spool/partners/shop/refused").iterdir()]
    assert refused == ["huge.xml.why.txt"]
