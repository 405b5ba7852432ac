"""Before a door opens, what a crash left is in order: claims are taken in, what was promised to nobody is set aside."""

import fcntl
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest

from gateway.clerk import clerk_at
from gateway.recovering import Left, at_work, recover
from spool.interchange import Claim
from spool.ledger import Ledger
from spool.number import SEQUENCE
from spool.store import Store
from tests import samples
from tests.crash.daemon import ROOT
from tests.crash.world import World
from tests.homes import demo_home

NUMBER = 261121204432000017
RECOVER = """
import sys
from pathlib import Path
from gateway.clerk import clerk_at
from gateway.recovering import recover
from spool.ledger import Ledger
home = Path(sys.argv[1])
print("begun", flush=True)
print(len(recover(home, Ledger(clerk_at(home))).claims))
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return demo_home(tmp_path)


def stored(home: Path, number: int, sender: str, file: str) -> str:
    store = Store(home / "spool/store")
    place = store.place(number, sender, file)
    store.write(place, samples.order(1))
    return place


def test_a_quiet_home_has_nothing_left(home: Path) -> None:
    assert recover(home, Ledger(clerk_at(home))) == Left((), (), 0, 0)


def test_a_claim_without_a_row_is_to_be_taken_in_under_its_number(home: Path) -> None:
    place = stored(home, NUMBER, "shop", "a~b.xml")
    left = recover(home, Ledger(clerk_at(home)))
    claim = Claim(NUMBER, "shop", "folder", "a~b.xml", place=place)
    assert left == Left((claim,), (), 0, (NUMBER // SEQUENCE + 1) * SEQUENCE - 1)
    assert recover(home, Ledger(clerk_at(home))) == left


def test_a_request_and_an_envelope_without_a_row_are_set_aside_and_kept(home: Path) -> None:
    for number, sender in ((NUMBER, "+shop"), (NUMBER + 1, "^customs")):
        stored(home, number, sender, "x.xml")
    left = recover(home, Ledger(clerk_at(home)))
    assert (left.claims, left.set_aside) == ((), 2)
    kept = {file.name: file.read_bytes() for file in (home / "spool/leftovers").iterdir()}
    assert kept == {
        f"{NUMBER}~+shop~x.xml": samples.order(1), f"{NUMBER + 1}~^customs~x.xml": samples.order(1),
    }  # fmt: skip
    assert recover(home, Ledger(clerk_at(home))).set_aside == 0


def test_what_has_a_row_stays_where_it_is(home: Path) -> None:
    world = World(home)
    world.drop("shop", "a.xml", samples.order(1))
    world.take_in()
    world.close()
    left = recover(home, Ledger(clerk_at(home)))
    assert (left.claims, left.set_aside) == ((), 0)


def test_half_written_files_in_partners_folders_are_gone_and_his_own_are_not(home: Path) -> None:
    box = home / "spool/partners/shop"
    for path in ("out/.0.4711.writing", "refused/.3.4711.writing", "in/.mine.writing", "out/kept.xml", "in/.hidden"):
        (box / path).write_bytes(b"half")
    recover(home, Ledger(clerk_at(home)))
    assert sorted(str(f.relative_to(box)) for f in box.rglob("*") if f.is_file()) == [
        "in/.hidden", "in/.mine.writing", "out/kept.xml",
    ]  # fmt: skip


def test_what_lies_below_the_low_water_of_recent_batches_is_not_looked_at(home: Path) -> None:
    stored(home, NUMBER, "shop", "old.xml")
    ledger = Ledger(clerk_at(home))
    with ledger.writing():
        ledger.run("add_batch", NUMBER + 10, NUMBER + 20, NUMBER + 5)
    stored(home, NUMBER + 7, "shop", "new.xml")
    assert [claim.file for claim in recover(home, ledger).claims] == ["new.xml"]


def test_it_waits_for_whoever_still_writes(home: Path) -> None:
    lock = at_work(home)
    waiting = subprocess.Popen([sys.executable, "-c", RECOVER, home], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert waiting.stdout is not None
    assert waiting.stdout.readline() == "begun\n"
    stored(home, NUMBER, "shop", "a.xml")
    assert waiting.poll() is None
    os.close(lock)
    assert waiting.communicate(timeout=20)[0] == "1\n"


def test_several_workers_are_at_work_at_once(home: Path) -> None:
    first, second = at_work(home), at_work(home)
    probe = os.open(home / "workers.lock", os.O_RDWR)
    with pytest.raises(BlockingIOError):
        fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
    for descriptor in (first, second, probe):
        os.close(descriptor)


class Watched(Ledger):
    """A ledger that notes, whenever it is asked, whether a command could begin to write at that moment."""

    def one(self, name: str, *values: object) -> sqlite3.Row | None:
        probe = os.open(self.path.with_name("workers.lock"), os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            self.free.append(False)
        else:
            self.free.append(True)
        finally:
            os.close(probe)
        return super().one(name, *values)

    free: ClassVar[list[bool]] = []


def test_nobody_begins_to_write_before_it_has_seen_everything(home: Path) -> None:
    stored(home, NUMBER, "+shop", "a.xml")
    assert recover(home, Watched(clerk_at(home))).set_aside == 1
    assert len(Watched.free) > 2
    assert set(Watched.free) == {False}
    os.close(at_work(home))


def test_a_copy_of_our_own_that_a_crash_cut_is_gone_and_its_evidence_is_claimed_once(home: Path) -> None:
    place = stored(home, NUMBER, "shop", "a.xml")
    (home / "spool/store" / f"{place}.own").write_bytes(b"<half")
    left = recover(home, Ledger(clerk_at(home)))
    assert [claim.place for claim in left.claims] == [place]
    assert not (home / "spool/store" / f"{place}.own").exists()
