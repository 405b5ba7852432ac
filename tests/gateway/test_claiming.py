"""What somebody writes to while it is claimed is looked at again or kept as it was read: evidence never changes."""

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.doors.folder import is_written
from gateway.intake import Intake
from spool.interchange import Batch, Claim
from tests import samples
from tests.crash.daemon import ROOT
from tests.crash.world import World
from tests.homes import demo_home

NUMBER = 261121204432000000


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(demo_home(tmp_path))


def shops(world: World) -> Path:
    return world.inboxes()["shop"]


def taken(world: World, path: Path) -> dict[int, bytes]:
    claim = Claim(NUMBER, "shop", "folder", path.name, str(path))
    return world.clerk.take_in(Batch(NUMBER, NUMBER, NUMBER, (claim,))).answers


def digests(world: World) -> list[tuple[bytes, bytes]]:
    """Each evidence's digest in the ledger, and as its bytes say."""
    rows = world.rows("SELECT sha256, evidence FROM interchange")
    return [(told, hashlib.sha256((world.home / "spool/store" / place).read_bytes()).digest()) for told, place in rows]


def test_a_file_opened_for_writing_between_look_and_claim_is_taken_when_it_is_whole(world: World) -> None:
    world.drop("shop", "a.xml", samples.order(1))
    path = shops(world) / "a.xml"
    (found,) = world.door.look(1.0, 10)
    with path.open("r+b") as writer:
        writer.truncate(0)
        writer.write(samples.order(2)[:500])
        writer.flush()
        assert taken(world, path) == {}
        world.door.taken("shop", found.file)
        assert (path.stat().st_size, world.door.look(2.0, 10)) == (500, [])
        writer.write(samples.order(2)[500:])
    assert world.rows("SELECT number FROM interchange") == []
    (told,) = world.take_in().values()
    assert told["sha256"] == hashlib.sha256(samples.order(2)).hexdigest()
    assert os.listdir(shops(world)) == []


def test_a_file_written_to_is_not_given_back_over_another_of_its_name(world: World) -> None:
    (path := shops(world) / "a.xml").write_bytes(samples.order(1))
    with path.open("r+b"):
        place = world.clerk.store.place(NUMBER, "shop", "a.xml")
        path.rename(world.clerk.store.path(place))
        path.write_bytes(samples.order(2))
        claim = Claim(NUMBER, "shop", "folder", "a.xml", str(path), place=place)
        world.clerk.take_in(Batch(NUMBER, NUMBER, NUMBER, (claim,)))
    assert path.read_bytes() == samples.order(2)
    assert [told == found for told, found in digests(world)] == [True]


def test_a_file_whose_done_file_stands_is_taken_though_its_writer_keeps_it_open(world: World) -> None:
    (path := shops(world) / "a.xml").write_bytes(samples.order(1))
    path.with_name("a.xml.done").touch()
    with path.open("r+b") as writer:
        assert list(taken(world, path)) == [NUMBER]
        writer.write(b"CHANGED")
    assert [told == found for told, found in digests(world)] == [True]


def test_one_who_writes_and_closes_while_we_read_changes_no_evidence(world: World) -> None:
    path = shops(world) / "a.xml"
    path.write_bytes(samples.order(1))
    writer = path.open("r+b")

    def in_between(descriptor: int) -> bool | None:
        answer = is_written(descriptor)
        writer.write(b"CHANGED")
        writer.close()
        return answer

    path.with_name("a.xml.done").touch()
    world.clerk._intake = Intake(world.clerk.store, 1_000_000, in_between)
    taken(world, path)
    assert [told == found for told, found in digests(world)] == [True]


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that others can reach; those of pytest are shut."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


SOMEBODY_ELSE = """
import os, sys
from pathlib import Path
from adapters.doors.folder import is_written
from spool.interchange import Batch, Claim
from tests.homes import clerk
home, path, NUMBER = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
one = clerk(home)
one.ledger.close()
for file in (home, *home.rglob("*")):
    if file != path:
        os.chown(file, 65534, 65534)
path.chmod(0o666)
os.setgid(65534)
os.setuid(65534)
assert is_written(os.open(path, os.O_RDONLY)) is None
claim = Claim(NUMBER, "shop", "folder", "a.xml", str(path))
assert clerk(home).take_in(Batch(NUMBER, NUMBER, NUMBER, (claim,))).answers
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file another owner")
def test_where_nobody_can_tell_who_writes_the_evidence_is_a_copy_of_our_own(open_path: Path) -> None:
    home = demo_home(open_path)
    path = home / "spool/partners/shop/in/a.xml"
    path.write_bytes(samples.order(1))
    with path.open("r+b") as writer:
        subprocess.run(
            [sys.executable, "-c", SOMEBODY_ELSE, home, path, str(NUMBER)],
            cwd=ROOT, check=True,
        )  # fmt: skip
        writer.write(b"CHANGED")
    assert [told == found for told, found in digests(World(home))] == [True]
