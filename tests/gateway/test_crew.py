"""Jobs go to whoever is free; a worker that dies is replaced, and what it had in hand goes on in ever smaller parts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from twisted.internet.error import ProcessTerminated
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from gateway.crew import Crew
from gateway.frames import Answer, Job
from spool.interchange import Batch, Claim


class Paper:
    """A worker process on paper: it has read jobs, and answers or dies when the test says so."""

    def __init__(self, hand: Any, pid: int) -> None:
        self.hand, self.pid = hand, pid
        self.jobs: list[Job] = []
        self.closed = False
        self.signals: list[str] = []
        hand.makeConnection(self)

    def write(self, data: bytes) -> None:
        assert int.from_bytes(data[:4], "big") == len(data) - 4
        self.jobs.append(msgspec.msgpack.decode(data[4:], type=Job))

    def closeStdin(self) -> None:
        self.closed = True

    def connectionLost(self, *_: object) -> None:
        return

    def signalProcess(self, name: str) -> None:
        self.signals.append(name)
        self.die()

    def answer(self, **told: Any) -> None:
        body = msgspec.msgpack.encode(Answer(job=self.jobs[-1].id if self.jobs else 0, **told))
        for byte in len(body).to_bytes(4, "big") + body:
            self.hand.outReceived(bytes([byte]))

    def die(self) -> None:
        self.hand.processEnded(Failure(ProcessTerminated(signal=9)))


class Street(Clock):
    """A reactor whose processes are on paper."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[Paper] = []

    def spawnProcess(self, hand: Any, *_: object, **__: object) -> Paper:
        self.started.append(Paper(hand, 1000 + len(self.started)))
        return self.started[-1]


@pytest.fixture
def street() -> Street:
    return Street()


def opened(street: Street, count: int, idle: Callable[[], None] = lambda: None) -> Crew:
    crew = Crew(street, Path("/home"), count, idle, {})
    crew.start()
    for worker in list(street.started):
        worker.answer()
    return crew


def batch(count: int = 1) -> Batch:
    return Batch(
        1, count, 1, tuple(Claim(n, "shop", "folder", f"{n}.xml", f"/in/{n}.xml") for n in range(1, count + 1))
    )


def kinds(worker: Paper) -> list[str]:
    return [job.kind for job in worker.jobs]


def replacement(street: Street) -> Paper:
    street.advance(1)
    street.started[-1].answer()
    return street.started[-1]


def test_a_job_waits_until_a_worker_has_said_that_it_is_ready(street: Street) -> None:
    crew = Crew(street, Path("/home"), 1, lambda: None, {})
    crew.start()
    told: list[Answer] = []
    crew.do("take_in", batch()).addCallback(told.append)
    (worker,) = street.started
    assert (worker.jobs, crew.free) == ([], -1)
    worker.answer()
    assert worker.jobs == [Job(1, "take_in", batch())]
    worker.answer(count=7)
    assert told == [Answer(job=1, count=7)]
    assert crew.free == 1


def test_each_worker_has_one_job_at_a_time_and_whoever_is_free_gets_the_next(street: Street) -> None:
    crew = opened(street, 2)
    for _ in range(3):
        crew.do("resume")
    first, second = street.started
    assert (len(first.jobs), len(second.jobs), crew.free) == (1, 1, -1)
    second.answer()
    assert (len(first.jobs), len(second.jobs), crew.free) == (1, 2, 0)


def test_who_is_free_says_so(street: Street) -> None:
    idle: list[str] = []
    crew = opened(street, 1, lambda: idle.append("free"))
    idle.clear()
    crew.do("resume")
    assert idle == []
    street.started[0].answer()
    assert idle == ["free"]


def test_a_new_configuration_is_read_by_everyone_before_anything_else(street: Street) -> None:
    crew = opened(street, 2)
    crew.do("resume")
    crew.do("resume")
    crew.do("resume")
    crew.everyone("reload")
    for worker in street.started:
        worker.answer()
        worker.answer(trouble="partners/shop.toml is wrong")
    assert [kinds(worker) for worker in street.started] == [["resume", "reload", "resume"], ["resume", "reload"]]


def test_a_batch_of_a_worker_that_died_is_taken_again_by_another(street: Street) -> None:
    crew = opened(street, 1)
    told: list[Answer] = []
    crew.do("take_in", batch(3)).addCallback(told.append)
    street.started[0].die()
    other = replacement(street)
    assert other.jobs == [Job(1, "take_again", batch(3))]
    other.answer(news=("shop",))
    assert told == [Answer(job=1, news=("shop",))]


def test_a_batch_that_killed_twice_is_taken_apart_and_a_file_that_kills_alone_is_held(street: Street) -> None:
    crew = opened(street, 1)
    told: list[Answer] = []
    crew.do("take_in", batch(2)).addCallback(told.append)
    street.started[0].die()
    replacement(street).die()
    worker = replacement(street)
    assert [(job.kind, job.batch.claims) for job in worker.jobs] == [("take_again", batch(2).claims[:1])]
    worker.answer(answers={1: b"one"})
    assert worker.jobs[-1].batch.claims == batch(2).claims[1:]
    worker.die()
    last = replacement(street)
    assert [(job.kind, job.batch.first, job.batch.last) for job in last.jobs] == [("hold", 2, 2)]
    assert told == []
    last.answer(answers={2: b"held"}, news=("shop",))
    assert told == [Answer(answers={1: b"one", 2: b"held"}, news=("shop",))]


def test_a_trouble_of_one_part_is_the_trouble_of_the_whole(street: Street) -> None:
    crew = opened(street, 1)
    told: list[Answer] = []
    crew.do("take_in", batch(2)).addCallback(told.append)
    street.started[0].die()
    replacement(street).die()
    worker = replacement(street)
    worker.answer(trouble="no space", disk=True)
    worker.answer(answers={2: b"two"})
    assert [(one.trouble, one.disk) for one in told] == [("no space", True)]


def test_a_job_without_a_batch_is_done_by_the_next(street: Street) -> None:
    crew = opened(street, 1)
    crew.do("resume")
    street.started[0].die()
    assert kinds(replacement(street)) == ["resume"]


def test_an_idle_worker_that_dies_is_replaced_and_waits(street: Street) -> None:
    crew = opened(street, 2)
    street.started[0].die()
    assert crew.free == 1
    assert len(crew.pids) == 1
    assert replacement(street).jobs == []
    assert crew.free == 2


def test_a_batch_of_a_dead_worker_goes_to_one_that_is_idle(street: Street) -> None:
    crew = opened(street, 2)
    crew.do("take_in", batch())
    street.started[0].die()
    assert kinds(street.started[1]) == ["take_again"]


def test_stopping_lets_every_worker_finish_and_replaces_none(street: Street) -> None:
    crew = opened(street, 2)
    crew.do("resume")
    gone: list[None] = []
    crew.stop().addCallback(gone.append)
    assert [worker.closed for worker in street.started] == [True, True]
    for worker in list(street.started):
        assert gone == []
        worker.die()
    street.advance(10)
    assert (gone, len(street.started)) == ([None], 2)


def test_a_job_without_a_batch_that_kills_every_worker_is_given_up(street: Street) -> None:
    crew = opened(street, 1)
    told: list[Answer] = []
    crew.do("resume").addCallback(told.append)
    street.started[0].die()
    replacement(street).die()
    assert [one.trouble for one in told] == ["workers die of the job resume"]
    assert replacement(street).jobs == []


def test_bounds_without_claims_are_given_up_like_a_job_without_a_batch(street: Street) -> None:
    crew = opened(street, 1)
    told: list[Answer] = []
    crew.do("let_go_again", Batch(0, 0, 9, ())).addCallback(told.append)
    street.started[0].die()
    last = replacement(street)
    assert kinds(last) == ["let_go_again"]
    last.die()
    assert [one.trouble for one in told] == ["workers die of the job let_go_again"]


def test_a_file_that_kills_also_when_it_is_held_is_given_up_and_who_waits_is_told(street: Street) -> None:
    crew = opened(street, 1)
    told: list[Answer] = []
    crew.do("take_in", batch()).addCallback(told.append)
    street.started[0].die()
    for kind in ("take_again", "hold", "hold"):
        assert told == []
        worker = replacement(street)
        assert kinds(worker) == [kind]
        worker.die()
    assert [one.trouble for one in told] == ["workers die of 1 and of holding it"]
    assert replacement(street).jobs == []


def test_a_worker_that_died_just_before_the_stop_is_not_replaced_and_the_stop_ends(street: Street) -> None:
    crew = opened(street, 2)
    street.started[0].die()
    gone: list[None] = []
    crew.stop().addCallback(gone.append)
    street.advance(1)
    street.started[1].die()
    assert (gone, len(street.started)) == ([None], 2)


def test_a_stop_without_any_worker_ends_at_once(street: Street) -> None:
    crew = opened(street, 1)
    street.started[0].die()
    gone: list[None] = []
    crew.stop().addCallback(gone.append)
    assert gone == [None]
    street.advance(60)
    assert len(street.started) == 1


def test_a_worker_that_does_not_end_is_killed_and_its_job_is_told_of_it(street: Street) -> None:
    crew = opened(street, 1)
    told: list[Answer] = []
    crew.do("take_in", batch()).addCallback(told.append)
    crew.do("resume").addCallback(told.append)
    gone: list[None] = []
    crew.stop().addCallback(gone.append)
    street.advance(29)
    assert (street.started[0].signals, gone) == ([], [])
    street.advance(2)
    assert (street.started[0].signals, gone) == (["KILL"], [None])
    assert [one.trouble for one in told] == ["the daemon stops", "the daemon stops"]


def test_a_long_table_goes_on_with_the_worker_that_has_it_and_with_any_other_when_that_one_dies(street: Street) -> None:
    crew = opened(street, 2)
    told: list[Answer] = []
    crew.do("take_in", batch()).addCallback(told.append)
    first, second = street.started
    first.answer(more=(1,))
    assert [(one.more, one.slot) for one in told] == [((1,), 0)]
    crew.do("take_in", batch())
    crew.do("go_on", batch(), 0)
    assert (crew.free, [job.kind for job in second.jobs]) == (1, [])
    first.answer()
    assert [job.kind for job in first.jobs] == ["take_in", "take_in", "go_on"]
    crew.do("go_on", batch(), 0)
    first.die()
    assert [job.kind for job in second.jobs] == ["take_again"]
    second.answer()
    assert [job.kind for job in second.jobs] == ["take_again", "go_on"]


def test_a_long_table_whose_worker_is_gone_goes_on_with_whoever_is_free(street: Street) -> None:
    crew = opened(street, 1)
    crew.do("go_on", batch(), 5)
    assert [job.kind for job in street.started[0].jobs] == ["go_on"]
