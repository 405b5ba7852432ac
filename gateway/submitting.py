"""Submitting: bytes taken in by a command, beside a running daemon or without one.

A command is a clerk of its own for a moment.  `ledger.lock` gives the turns;
the numbers come from a lane that no other process has: a thousand a second.
What is handed in here is in the store and the ledger when the call returns.

Known limits: what a command writes into partners' folders belongs to whoever
ran it, so it is to be run as the daemon's user.
"""

import fcntl
import os
import shutil
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from gateway import mishap
from gateway.clerk import Clerk, clerk_at
from gateway.config import House, load_house
from gateway.recovering import at_work
from spool.errors import DiskNearlyFull, ForOperator, OurMistake, Told
from spool.interchange import Batch, Claim
from spool.ledger import Ledger
from spool.number import COMMAND_FIRST, SEQUENCE, Numbers

LANES: Final = 40
WIDTH: Final = 1000
MESSAGES_FIRST: Final = 950_000
_LOCK = "commands.lock"


class LedgerLocked(ForOperator):
    """So many commands act in this home that no numbers are left for another one; try again in a moment"""


class TooManyAtOnce(OurMistake):
    """More numbers were asked for at once than a lane has in a second"""


def now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)


class Lane(Numbers):
    """Numbers of one lane: a thousand of each second, then those of the next second."""

    def take(self, count: int) -> range:
        """Return the next `count` numbers in a row, none outside the lane.

        >>> lane = Lane(lambda: datetime(2026, 11, 21, tzinfo=UTC), first=900_000)
        >>> lane.take(600)[0], lane.take(600)[0]
        (261121080000900000, 261121080001900000)
        """
        if count > WIDTH:
            raise TooManyAtOnce(str(count))
        start = self.following
        if start % SEQUENCE + count > self._first + WIDTH:
            start = (start // SEQUENCE + 1) * SEQUENCE + self._first
        self._last = start + count - 1
        return range(start, start + count)


class Counter:
    """Where a command hands in: a clerk, a lane of numbers, and the law of the doors about room on the disk."""

    def __init__(self, home: Path, clock: Callable[[], datetime] = now) -> None:
        """The home's configuration is read, its ledger open and a lane is ours until `close`."""
        self.house: House = load_house(home)
        self.ledger = Ledger(clerk_at(home))
        self._file, lane = _reserved(home / _LOCK)
        self._numbers = self._lane("last_number_between", COMMAND_FIRST + lane * WIDTH, clock)
        messages = self._lane("last_message_between", MESSAGES_FIRST + lane * WIDTH, clock)
        self.clerk = Clerk(self.house, self.ledger, now=clock, numbers=messages)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """The ledger is closed and the lane is free for others."""
        self.ledger.close()
        os.close(self._file)

    def hand_in(self, claims: Sequence[Claim]) -> list[dict[str, Any]]:
        """The claims are taken in under fresh numbers; return their acknowledgements in order.

        DiskNearlyFull where the doors would refuse too.
        """
        self._see_that_there_is_room()
        numbers = self._numbers.take(len(claims))
        given = [
            msgspec.structs.replace(claim, number=number, file=claim.file or f"{number}.xml")
            for number, claim in zip(numbers, claims, strict=True)
        ]
        row = self.ledger.one("low_water")
        low_water = (row["low_water"] if row else None) or 0
        # A daemon that starts waits for us, so that it does not take our evidence for a crash's.
        busy = at_work(self.house.home)
        try:
            answers = self._taken_in(Batch(numbers[0], numbers[-1], low_water, tuple(given)))
        finally:
            os.close(busy)
        return [msgspec.json.decode(answers[number]) for number in numbers]

    def _taken_in(self, batch: Batch) -> dict[int, bytes]:
        try:
            return self.clerk.take_in(batch).answers
        except (OSError, Told):
            raise
        except Exception:  # noqa: BLE001  one poisonous file costs only itself; it is held with its traceback
            reason = traceback.format_exc(limit=-6)
        if self.ledger.one("batch", batch.first):
            return self.clerk.let_go(batch.first, batch.last).answers
        claims = list(mishap.claimed(batch, self.clerk.store))
        if len(claims) == 1:
            single = Batch(batch.first, batch.last, batch.low_water, tuple(claims))
            return mishap.hold(self.clerk, single, reason).answers
        answers: dict[int, bytes] = {}
        for claim in claims:
            answers |= self._taken_in(Batch(claim.number, claim.number, batch.low_water, (claim,)))
        return answers

    def _lane(self, query: str, first: int, clock: Callable[[], datetime]) -> Lane:
        following = Lane(clock, first=first).following
        row = self.ledger.one(query, following // SEQUENCE * SEQUENCE, first, first + WIDTH - 1)
        return Lane(clock, after=(row["number"] if row else None) or 0, first=first)

    def _see_that_there_is_room(self) -> None:
        limits = self.house.kouan.limits
        usage = shutil.disk_usage(self.house.home)
        if usage.free < limits.disk_free_bytes or usage.free < usage.total * limits.disk_free_percent / 100:
            raise DiskNearlyFull(str(self.house.home))


def _reserved(path: Path) -> tuple[int, int]:
    """Return an open lock file and the lane whose byte of it is ours; a process that ends gives it back."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    for step in range(LANES):
        lane = (os.getpid() + step) % LANES
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, lane)
        except BlockingIOError:
            continue
        return file, lane
    os.close(file)
    raise LedgerLocked


def daemon_runs(home: Path) -> bool:
    """Tell whether a daemon has this home open."""
    try:
        file = os.open(home / "kouan.lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
