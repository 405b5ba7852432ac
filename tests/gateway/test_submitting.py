"""What a command hands in is in store and ledger when it returns, under a number that nobody else gives."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.submitting import LANES, WIDTH, Counter, Lane, daemon_runs
from spool.errors import DiskNearlyFull
from spool.interchange import Claim
from spool.number import COMMAND_FIRST, SEQUENCE
from tests import homes, samples

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return homes.demo_home(tmp_path)


def claim(number: int) -> Claim:
    return Claim(0, "shop", "submit", "order.xml", body=samples.order(number))


def test_what_is_handed_in_is_sealed_and_answered_on_the_line(home: Path) -> None:
    with Counter(home) as counter:
        (told,) = counter.hand_in([claim(1)])
    assert [one["state"] for one in told["documents"]] == ["ready"]
    assert list((home / "spool/partners/shop/out").iterdir()) == []
    assert homes.carry(home) == 1


def test_numbers_stay_in_the_lane_of_commands(home: Path) -> None:
    with Counter(home) as counter:
        numbers = [int(one["number"]) for one in counter.hand_in([claim(1), claim(2), claim(3)])]
    book = homes.book(home)
    messages = [row["number"] for row in book.conn.execute("SELECT number FROM message")]
    book.close()
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]
    assert COMMAND_FIRST <= numbers[0] % SEQUENCE < COMMAND_FIRST + LANES * WIDTH
    assert all(number % SEQUENCE >= COMMAND_FIRST + 50_000 for number in messages)


def test_a_second_command_of_the_same_lane_goes_on_after_the_first(home: Path) -> None:
    clock = homes.now()
    with Counter(home, lambda: clock) as counter:
        (first,) = counter.hand_in([claim(1)])
    with Counter(home, lambda: clock) as counter:
        (second,) = counter.hand_in([claim(2)])
    assert int(second["number"]) == int(first["number"]) + 1


def test_a_lane_that_is_used_up_borrows_from_the_next_second() -> None:
    lane = Lane(lambda: NOW, first=COMMAND_FIRST)
    ranges = [lane.take(400) for _ in range(4)]
    offsets = [(one[0] % SEQUENCE, one[0] // SEQUENCE - ranges[0][0] // SEQUENCE) for one in ranges]
    assert offsets == [(900_000, 0), (900_400, 0), (900_000, 1), (900_400, 1)]


def test_commands_of_many_processes_never_share_a_lane(home: Path) -> None:
    hold = (
        "import sys; from pathlib import Path; from gateway.submitting import Counter;"
        f"c = Counter(Path({str(home)!r})); print(c._numbers._first, flush=True); sys.stdin.read()"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    lanes = {process.stdout.readline() for process in started if process.stdout}
    for process in started:
        process.communicate("")
    assert len(lanes) == 3


def test_a_name_is_given_to_what_has_none(home: Path) -> None:
    with Counter(home) as counter:
        (told,) = counter.hand_in([Claim(0, "shop", "submit", "", body=samples.order(1))])
    assert re.fullmatch(r"\d{18}\.xml", told["file"])


def test_nothing_is_taken_in_when_the_disk_is_nearly_full(home: Path) -> None:
    settings = home / "kouan.toml"
    text = settings.read_text("utf-8")
    settings.write_text(re.sub(r"(?m)^disk_free_bytes = .*$", f"disk_free_bytes = {2**60}", text), "utf-8")
    with Counter(home) as counter, pytest.raises(DiskNearlyFull):
        counter.hand_in([claim(1)])


def test_a_daemon_is_known_by_its_lock(home: Path) -> None:
    import fcntl

    assert not daemon_runs(home)
    file = os.open(home / "kouan.lock", os.O_RDWR | os.O_CREAT)
    assert not daemon_runs(home)
    fcntl.flock(file, fcntl.LOCK_EX)
    assert daemon_runs(home)
    os.close(file)
