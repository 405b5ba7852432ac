"""A worker may die at any step, or outlive its daemon: its batch is done once, and a file that kills is held."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.clerk import clerk_at
from gateway.frames import Answer, Job, read_frame, write_frame
from gateway.recovering import recover
from gateway.worker import Worker
from message_specs.dxp.envelope import unwrap
from message_specs.limits import Limits
from message_specs.opening import open_message
from spool.interchange import Batch, Claim
from spool.ledger import Ledger
from tests import samples
from tests.crash.daemon import ROOT, alive, ask, children, quiet_home, running, until
from tests.crash.world import PowerCut
from tests.homes import demo_home

FIRST = 261121204432000000


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return quiet_home(demo_home(tmp_path))


def drop(home: Path, numbers: range, count: int = 1) -> None:
    folder = home / "spool/partners/shop/in"
    for number in numbers:
        (folder / f".{number}").write_bytes(samples.message("CEB311", count, start=number * count))
        os.rename(folder / f".{number}", folder / f"{number}.xml")


def acks(home: Path) -> dict[str, dict[str, Any]]:
    out = home / "spool/partners/shop/out"
    names = [name for name in os.listdir(out) if name.endswith(".ack.json")]
    told = {name.split(".")[0]: json.loads((out / name).read_bytes()) for name in names}
    assert len(told) == len(names)
    return told


def left(home: Path) -> Counter[str]:
    """How often each order has left for customs."""
    keys: Counter[str] = Counter()
    for file in (home / "spool/authorities/customs/out").glob("*.xml"):
        envelope = unwrap(file.read_bytes(), Limits())
        assert envelope is not None
        keys.update(document.key for document in open_message(envelope.data).documents)
    return keys


@pytest.mark.parametrize("step", ["claimed", "synced", "written", "let go"])
def test_workers_that_die_at_every_second_batch_lose_and_repeat_nothing(home: Path, step: str) -> None:
    quiet_home(home, workers=1)
    with running(home, "run", KOUAN_STOP_AT=f"{step}:2") as daemon:
        for wave in range(3):
            drop(home, range(wave * 20 + 1, wave * 20 + 21))
            until(lambda wave=wave: len(acks(home)) == wave * 20 + 20, 15, lambda: daemon.words.read_text()[-2000:])
        until(lambda: len(left(home)) == 60, 30)
    assert "worker.died" in daemon.words.read_text()
    assert set(left(home).values()) == {1}
    # The file lies with customs a moment before the ledger says so.
    sent = "SELECT version, state, count(*) FROM document GROUP BY 1, 2"
    until(lambda: ask(home, sent) == [(1, "sent", 60)], 30)
    assert {tuple(one["state"] for one in ack["documents"]) for ack in acks(home).values()} <= {("ready",), ("sent",)}


def test_a_file_that_kills_every_worker_is_held_and_the_hall_stays_open(home: Path) -> None:
    with running(home, "run", KOUAN_STOP_AT="judged:1") as daemon:
        drop(home, range(1, 4))
        until(lambda: len(acks(home)) == 3, 30, lambda: daemon.words.read_text()[-2000:])
        until(lambda: len(children(daemon.pid)) == 2, 10)
    told = acks(home)
    assert {ack["documents"][0]["state"] for ack in told.values()} == {"held"}
    assert {ack["findings"][0]["code"] for ack in told.values()} == {"K105"}
    assert left(home) == {}
    evidence = ask(home, "SELECT evidence, size FROM interchange")
    assert {(home / "spool/store" / place).stat().st_size == size for place, size in evidence} == {True}


def test_a_stop_lets_the_batch_in_hand_end_and_leaves_no_process(home: Path) -> None:
    with running(home, "run") as daemon:
        workers = children(daemon.pid)
        drop(home, range(1, 200))
        until(lambda: bool(acks(home)), 10)
        assert daemon.stop() == 0
        until(lambda: not any(map(alive, workers)), 5)
    taken = {row[0].split(".")[0] for row in ask(home, "SELECT file FROM interchange")}
    waiting = {name.split(".")[0] for name in os.listdir(home / "spool/partners/shop/in")}
    assert taken | waiting == {str(number) for number in range(1, 200)}
    assert taken.isdisjoint(waiting)
    assert set(acks(home)) == taken
    assert ask(home, "SELECT count(*) FROM batch WHERE let_go_at IS NULL") == [(0,)]


def test_a_second_daemon_does_not_start_beside_the_first(home: Path) -> None:
    with running(home, "run"):
        second = subprocess.run(
            [sys.executable, "-m", "gateway.cli", "run", "--home", home], cwd=ROOT, capture_output=True, check=False
        )
    assert second.returncode == 5


def test_recovering_waits_for_a_worker_that_outlived_its_daemon(home: Path) -> None:
    drop(home, range(1, 61), count=50)
    folder = home / "spool/partners/shop/in"
    claims = tuple(
        Claim(FIRST + number, "shop", "folder", f"{number}.xml", f"{folder}/{number}.xml") for number in range(1, 61)
    )
    ledger = Ledger(clerk_at(home))
    worker = subprocess.Popen(
        [sys.executable, "-m", "gateway.worker", str(home), "0"], cwd=ROOT, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert worker.stdin is not None
    assert worker.stdout is not None
    assert read_frame(worker.stdout) is not None
    job = Job(1, "take_in", Batch(FIRST + 1, FIRST + 60, FIRST + 1, claims))
    write_frame(worker.stdin, msgspec.msgpack.encode(job))
    worker.stdin.flush()
    until(lambda: not os.listdir(folder), 10)
    assert ledger.one("last_number")["number"] is None
    worker.stdin.close()
    worker.stdout.close()
    found = recover(home, ledger)
    assert (found.claims, found.set_aside) == ((), 0)
    assert ledger.conn.execute("SELECT count(*) FROM document WHERE state = 'ready'").fetchone()[0] == 3000
    worker.wait(10)


def test_a_batch_that_was_cut_while_it_was_taken_apart_is_finished(home: Path) -> None:
    drop(home, range(1, 6))
    folder = home / "spool/partners/shop/in"
    claims = tuple(
        Claim(FIRST + number, "shop", "folder", f"{number}.xml", f"{folder}/{number}.xml") for number in range(1, 6)
    )
    batch = Batch(FIRST + 1, FIRST + 5, FIRST + 1, claims)
    steps = iter(["whole", "one", "two", "cut"])

    def pulse(step: str) -> None:
        if step == "claimed":
            match next(steps, ""):
                case "whole":
                    raise ValueError("one of them is poisonous")
                case "cut":
                    raise PowerCut

    with pytest.raises(PowerCut):
        Worker(home, 0, pulse).take_in(batch)
    answer = Worker(home, 0).take_again(batch)
    assert sorted(answer.answers) == [claim.number for claim in claims]
    assert ask(home, "SELECT state, count(*) FROM document GROUP BY 1") == [("ready", 5)]
    assert len(acks(home)) == 5


def test_one_poisonous_file_costs_only_itself(home: Path) -> None:
    drop(home, range(1, 4))
    folder = home / "spool/partners/shop/in"
    claims = tuple(
        Claim(FIRST + number, "shop", "folder", f"{number}.xml", f"{folder}/{number}.xml") for number in range(1, 4)
    )
    turns = iter([True, False, True, False])

    def pulse(step: str) -> None:
        if step == "judged" and next(turns):
            raise ValueError("no such thing")

    answer = Worker(home, 0, pulse).take_in(Batch(FIRST + 1, FIRST + 3, FIRST + 1, claims))
    states = [msgspec.json.decode(answer.answers[claim.number])["documents"][0]["state"] for claim in claims]
    assert states == ["ready", "held", "ready"]
    ((why,),) = ask(home, "SELECT why FROM document WHERE state = 'held'")
    assert "ValueError: no such thing" in why


def test_a_poisonous_file_that_was_not_even_claimed_is_held_with_its_bytes(home: Path) -> None:
    drop(home, range(1, 2))
    path = home / "spool/partners/shop/in/1.xml"
    body = path.read_bytes()
    claim = Claim(FIRST + 1, "shop", "folder", "1.xml", str(path))
    Worker(home, 0).hold(Batch(FIRST + 1, FIRST + 1, FIRST + 1, (claim,)))
    ((place, size),) = ask(home, "SELECT evidence, size FROM interchange")
    assert (home / "spool/store" / place).read_bytes() == body
    assert (size, path.exists()) == (len(body), False)
    assert acks(home)["1"]["documents"][0]["state"] == "held"


def test_a_worker_ends_when_nobody_speaks_to_it_any_more(home: Path) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-m", "gateway.worker", str(home), "0"], cwd=ROOT, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert worker.stdin is not None
    assert worker.stdout is not None
    frame = read_frame(worker.stdout)
    assert frame is not None
    assert msgspec.msgpack.decode(frame, type=Answer) == Answer()
    worker.stdin.close()
    started = time.monotonic()
    assert worker.wait(10) == 0
    assert time.monotonic() - started < 5
    worker.stdout.close()
