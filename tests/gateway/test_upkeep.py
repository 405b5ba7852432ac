"""The clockwork of the hall goes on whatever happens in one second, and tells each trouble once."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from gateway.clerk import clerk_at
from gateway.config import House, load_house
from gateway.frames import Answer
from gateway.upkeep import Upkeep
from spool.interchange import Batch
from spool.ledger import Ledger
from tests.homes import demo_home

LOW_WATER = 261121204432000000


class AtOnce:
    """A pool whose thread is the caller's own."""

    def callInThreadWithCallback(
        self, told: Callable[[bool, Any], None], work: Callable[..., Any], *values: Any, **named: Any
    ) -> None:
        from twisted.python.failure import Failure

        try:
            result = work(*values, **named)
        except Exception:  # noqa: BLE001  a thread tells of whatever it was
            told(False, Failure())
        else:
            told(True, result)


class Time(Clock):
    """A reactor that has a clock and no threads."""

    def callFromThread(self, work: Callable[..., Any], *values: Any) -> None:
        work(*values)


class Street:
    """Workers, reception, enquiries and departures on paper."""

    def __init__(self) -> None:
        self.jobs: list[tuple[str, Batch | None, Deferred[Answer]]] = []
        self.free = 1
        self.low_water = LOW_WATER
        self.crew = self
        self.room = True
        self.woken = 0
        self.wake_fails = False

    def do(self, kind: str, batch: Batch | None = None) -> "Deferred[Answer]":
        done: Deferred[Answer] = Deferred()
        self.jobs.append((kind, batch, done))
        return done

    def wake(self) -> None:
        self.woken += 1
        if self.wake_fails:
            raise ZeroDivisionError


class World:
    """The upkeep of a home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.time = Time()
        self.ledger = Ledger(clerk_at(home))
        self.street: Any = Street()
        self.reloads = 0
        self.news: list[str] = []
        self.house: House = load_house(home)
        self.upkeep = Upkeep(
            self.time, AtOnce(), self.ledger, self.street, self.street, self.street,
            house=lambda: self.house, reload=self.reload, news=self.told,
        )  # fmt: skip
        self.upkeep.start()

    def told(self, partners: Iterable[str]) -> None:
        self.news.extend(partners)

    def reload(self) -> "Deferred[None]":
        self.reloads += 1
        return succeed(None)

    def open_batch(self, number: int) -> None:
        with self.ledger.writing() as ledger:
            ledger.run("add_batch", number, number, number)

    def seconds(self, count: int) -> None:
        for _ in range(count):
            self.time.advance(1)

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, *_ in self.street.jobs]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(demo_home(tmp_path))


def test_a_batch_that_could_not_be_let_go_is_tried_again_every_ten_seconds(world: World) -> None:
    world.open_batch(LOW_WATER - 60_000_000)
    world.seconds(1)
    ((kind, bounds, done),) = world.street.jobs
    assert (kind, bounds) == ("let_go_late", Batch(0, 0, LOW_WATER - 10_000_000, ()))
    world.seconds(5)
    assert len(world.street.jobs) == 1
    with capture_logs() as logs:
        done.callback(Answer(untold=("out/ is away",), news=("shop",)))
        world.seconds(9)
        assert (len(world.street.jobs), world.news) == (1, ["shop"])
        world.seconds(1)
        world.street.jobs[1][2].callback(Answer(untold=("out/ is away",)))
    assert [(one["event"], one["trouble"]) for one in logs] == [("letting_go.trouble", "out/ is away")]


def test_more_open_batches_than_fit_a_job_are_let_go_one_job_after_the_other(world: World) -> None:
    world.open_batch(LOW_WATER - 60_000_000)
    world.seconds(1)
    world.street.jobs[0][2].callback(Answer(count=17))
    assert [batch.first for _, batch, _ in world.street.jobs] == [0, 17]


def test_a_batch_that_is_in_flight_or_fresh_is_left_alone(world: World) -> None:
    for number in (LOW_WATER, LOW_WATER + 1, LOW_WATER - 1):
        world.open_batch(number)
    world.seconds(30)
    assert world.kinds == []


def test_due_documents_whose_going_on_fails_wait_half_a_minute(world: World) -> None:
    with world.ledger.writing() as ledger:
        ledger.conn.execute(
            "INSERT INTO document (number, ordinal, spec, partner, state, due_at)"
            " VALUES (1, 1, 'CEB311', 'shop', 'received', '2026-01-01T00:00:00Z')"
        )
    world.seconds(1)
    with capture_logs() as logs:
        world.street.jobs[0][2].callback(Answer(trouble="workers die of the job resume"))
        world.seconds(29)
        assert world.kinds == ["resume"]
        world.seconds(1)
    assert (world.kinds, [one["event"] for one in logs]) == (["resume", "resume"], ["resuming.trouble"])


def test_a_second_that_fails_is_told_once_and_the_next_one_comes(world: World) -> None:
    world.street.wake_fails = True
    with capture_logs() as logs:
        world.seconds(5)
    assert world.street.woken == 5
    assert [one["event"] for one in logs] == ["upkeep.failed"]


def test_a_ledger_that_cannot_be_asked_for_a_while_stops_nothing(world: World) -> None:
    world.ledger.conn.execute("ALTER TABLE batch RENAME TO away")
    with capture_logs() as logs:
        world.seconds(3)
    assert [one["event"] for one in logs] == ["upkeep.failed"]
    world.ledger.conn.execute("ALTER TABLE away RENAME TO batch")
    world.open_batch(LOW_WATER - 60_000_000)
    world.seconds(1)
    assert world.kinds == ["let_go_late"]


def test_a_changed_configuration_is_read_once_for_each_change(world: World) -> None:
    world.seconds(3)
    for turn in range(1, 3):
        os.utime(world.home / "partners/shop.toml", (turn, turn))
        world.seconds(3)
        assert world.reloads == turn


def test_nothing_is_begun_after_the_stop(world: World) -> None:
    world.open_batch(LOW_WATER - 60_000_000)
    world.upkeep.stop()
    world.seconds(20)
    assert (world.kinds, world.street.woken) == ([], 0)
