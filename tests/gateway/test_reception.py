"""Between doors and workers: numbers in order, batches in turns, every line hears, and trouble loses no file."""

from typing import Any

import msgspec
import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from adapters.doors.hall import DiskNearlyFull, Full, OnceConflict
from gateway.config import Workers
from gateway.frames import Answer
from gateway.reception import NotTakenIn, Reception, Waiting
from spool.interchange import Batch, Claim
from spool.number import Numbers
from tests.homes import now


class Desk:
    """Workers on paper: they take what they are given and answer when the test says so."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.given: list[tuple[str, Batch, Deferred[Answer]]] = []
        self.pids = [1]
        self.slots: list[int | None] = []

    @property
    def free(self) -> int:
        return self.count - sum(1 for *_, done in self.given if not done.called)

    def do(self, kind: str, batch: Batch, slot: int | None = None) -> "Deferred[Answer]":
        done: Deferred[Answer] = Deferred()
        self.slots.append(slot)
        self.given.append((kind, batch, done))
        return done


class House:
    """A reception with workers on paper."""

    def __init__(self, workers: int = 1, **settings: Any) -> None:
        self.clock = Clock()
        self.clock.advance(100)
        self.news: list[str] = []
        self.reception = Reception(self.clock, Workers(**settings), Numbers(now), self.news.extend)
        self.desk = Desk(workers)
        self.reception.crew = self.desk

    def feed(self) -> None:
        """Batches keep a distance; so much time goes by that every free worker has one."""
        for _ in range(self.desk.count + 1):
            self.reception.feed()
            self.clock.advance(1)

    def drop(self, sender: str, file: str, size: int = 10) -> None:
        self.reception.hand_in(Waiting(sender, "folder", file, path=f"/in/{file}"), size)

    def answer(self, turn: int = -1, **told: Any) -> None:
        self.desk.given[turn][2].callback(Answer(**told))
        self.feed()

    def files(self, turn: int = -1) -> list[str]:
        return [claim.file for claim in self.desk.given[turn][1].claims]


def heard(done: "Deferred[bytes]") -> Any:
    result: list[Any] = []

    def keep(told: Any) -> Any:
        result.append(told)
        return None if isinstance(told, Failure) else told

    done.addBoth(keep)
    return (result[0].value if isinstance(result[0], Failure) else result[0]) if result else None


def test_the_first_file_goes_at_once_and_the_next_ones_together_when_a_worker_is_free() -> None:
    house = House()
    for name in "abc":
        house.drop("shop", name)
    assert [house.files(turn) for turn in range(len(house.desk.given))] == [["a"]]
    house.answer()
    assert house.files() == ["b", "c"]
    assert (house.reception.batches, house.reception.taken_in, house.reception.in_flight) == (1, 1, 1)


def test_a_hundred_thousand_files_of_one_do_not_delay_anothers_one() -> None:
    house = House()
    for number in range(100_000):
        house.drop("big", f"{number}")
    house.drop("small", "one")
    house.answer()
    assert "one" in house.files()[:2]
    assert len(house.files()) == Workers().group_files


def test_free_workers_share_what_waits() -> None:
    house = House(workers=2)
    house.desk.count = 0
    for number in range(10):
        house.drop("shop", f"{number}")
    house.desk.count = 2
    house.feed()
    assert [len(house.files(turn)) for turn in range(2)] == [5, 5]


def test_a_batch_holds_no_more_than_its_files_and_bytes() -> None:
    house = House(group_files=3, group_bytes=100)
    house.desk.count = 0
    for number, size in enumerate([10, 10, 10, 10, 60, 60, 200]):
        house.drop("shop", f"{number}", size)
    house.desk.count = 1
    house.feed()
    for _ in range(3):
        house.answer()
    assert [house.files(turn) for turn in range(4)] == [["0", "1", "2"], ["3", "4"], ["5"], ["6"]]


def test_numbers_grow_from_batch_to_batch_and_nothing_below_low_water_is_open() -> None:
    house = House(workers=2)
    for name in "ab":
        house.drop("shop", name)
        house.feed()
    first, second = (batch for _, batch, _ in house.desk.given)
    assert first.first == first.last < second.first
    assert (first.low_water, second.low_water) == (first.first, first.first)
    house.answer(1)
    house.drop("shop", "c")
    house.feed()
    assert house.desk.given[-1][1].low_water == first.first
    house.answer(0)
    house.drop("shop", "d")
    house.feed()
    assert house.desk.given[-1][1].low_water == house.desk.given[2][1].first


def test_who_waits_on_a_line_hears_his_acknowledgement() -> None:
    house = House()
    done = house.reception.receive("shop", "http", "a.xml", b"<a/>", None)
    assert heard(done) is None
    number = house.desk.given[0][1].first
    house.answer(answers={number: b"{}"}, news=("shop",))
    assert heard(done) == b"{}"
    assert house.news == ["shop"]


def test_a_request_without_a_name_is_called_by_its_number() -> None:
    house = House()
    house.reception.receive("shop", "http", "", b"<a/>", "key")
    ((claim,),) = (batch.claims for _, batch, _ in house.desk.given)
    assert claim == Claim(claim.number, "shop", "http", f"{claim.number}.xml", body=b"<a/>", once="key")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"answers": {0: b""}}, OnceConflict), ({"answers": {}}, NotTakenIn), ({"trouble": "no space", "disk": True},
        DiskNearlyFull), ({"trouble": "a key is missing"}, NotTakenIn),
    ],
)  # fmt: skip
def test_who_waits_on_a_line_hears_of_every_trouble(answer: dict[str, Any], error: type[Exception]) -> None:
    house = House()
    done = house.reception.receive("shop", "http", "a.xml", b"<a/>", None)
    number = house.desk.given[0][1].first
    if "answers" in answer:
        answer["answers"] = dict.fromkeys((number for _ in answer["answers"]), b"")
    house.answer(**answer)
    assert isinstance(heard(done), error)


def test_files_of_a_troubled_batch_are_taken_again_until_they_are_in() -> None:
    house = House()
    claimed: list[str] = []
    house.reception.hand_in(Waiting("shop", "folder", "a", path="/in/a", claimed=lambda: claimed.append("a")), 1)
    for turn in range(3):
        house.desk.given[-1][2].callback(Answer(trouble="no space", disk=True))
        house.clock.advance(4.9)
        assert len(house.desk.given) == turn + 1
        house.clock.advance(0.2)
    kinds = [kind for kind, *_ in house.desk.given]
    assert kinds == ["take_in", "take_again", "take_again", "take_again"]
    assert len({batch.claims for _, batch, _ in house.desk.given}) == 1
    assert (claimed, house.reception.troubles) == ([], 3)
    house.answer()
    assert claimed == ["a"]
    assert house.reception.in_flight == 0


def test_while_a_troubled_batch_waits_its_files_stay_above_low_water() -> None:
    house = House()
    house.drop("shop", "a")
    first = house.desk.given[0][1].first
    house.answer(trouble="no space", disk=True)
    house.drop("shop", "b")
    house.feed()
    assert house.desk.given[-1][1].low_water == first


def test_what_a_crash_left_stays_above_low_water_though_its_batch_is_in_trouble() -> None:
    house = House()
    left = [Claim(100 + n, "shop", "folder", f"{n}", place=f"{n}") for n in range(4)]
    house.reception.recover(left[:2])
    house.answer(trouble="no space", disk=True)
    house.reception.recover(left[2:])
    assert house.desk.given[-1][1].low_water == 100


def test_too_much_waiting_is_refused_at_the_door() -> None:
    house = House()
    house.desk.count = 0
    lines = [house.reception.receive("shop", "http", "", b"x" * 2**20, None) for _ in range(66)]
    assert [isinstance(heard(line), Full) for line in lines] == [False] * 64 + [True] * 2
    house.desk.count = 1
    house.feed()
    while house.reception.in_flight:
        house.answer()
    assert heard(house.reception.receive("shop", "http", "", b"x", None)) is None


def test_a_claim_crosses_the_pipe_unchanged() -> None:
    claim = Claim(7, "shop", "http", "订单.xml", body=b"\x00\xff", once="k")
    batch = Batch(7, 7, 7, (claim,))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(batch), type=Batch) == batch


def test_a_clock_that_is_set_back_keeps_no_file_waiting() -> None:
    house = House()
    house.drop("shop", "a")
    house.desk.count = 2
    house.clock.rightNow -= 3600
    house.drop("shop", "b")
    assert [house.files(turn) for turn in range(2)] == [["a"], ["b"]]


def test_of_a_batch_in_trouble_what_has_an_answer_is_in_and_only_the_rest_is_tried_again() -> None:
    house = House()
    house.desk.count = 0
    for name in "ab":
        house.drop("shop", name)
    line = house.reception.receive("shop", "http", "c", b"<c/>", None)
    house.desk.count = 1
    house.feed()
    a, b, c = (claim.number for claim in house.desk.given[0][1].claims)
    house.desk.given[0][2].callback(
        Answer(answers={a: b"one", c: b"three"}, trouble="workers die of it", news=("shop",))
    )
    house.clock.advance(20)
    assert [claim.number for claim in house.desk.given[-1][1].claims] == [b]
    assert (heard(line), house.news) == (b"three", ["shop"])


def test_what_is_no_trouble_of_the_disk_is_tried_again_later_each_time() -> None:
    house = House()
    house.drop("shop", "a")
    waits = []
    for turn in range(1, 5):
        house.desk.given[-1][2].callback(Answer(trouble="workers die of it"))
        waited = 0
        while len(house.desk.given) == turn:
            house.clock.advance(1)
            waited += 1
        waits.append(waited)
    assert waits == [10, 20, 40, 80]


def test_nobody_waits_on_a_line_for_ever() -> None:
    house = House()
    done = house.reception.receive("shop", "http", "a.xml", b"<a/>", None)
    house.clock.advance(299)
    assert not done.called
    house.clock.advance(2)
    assert isinstance(heard(done), Full)
    number = house.desk.given[0][1].first
    house.answer(answers={number: b"{}"})
    assert house.reception.in_flight == 0


def test_a_mistake_of_ours_leaves_nobody_waiting() -> None:
    house = House()
    done = house.reception.receive("shop", "http", "a.xml", b"<a/>", None)
    house.desk.given[0][2].errback(Failure(ZeroDivisionError()))
    assert isinstance(heard(done), NotTakenIn)
    assert house.reception.in_flight == 0


def test_of_long_tables_no_more_are_begun_than_there_are_workers_and_their_pieces_take_turns() -> None:
    house = House(workers=1, count=1)
    big = 100_000
    house.drop("shop", "a.csv", big)
    house.drop("shop", "b.csv", big)
    house.drop("pay", "c.xml")
    house.feed()
    [(kind, table, _)] = house.desk.given
    assert (kind, house.files()) == ("take_in", ["a.csv"])
    house.answer(more=(table.first,), slot=0)
    assert [(kind, [claim.file for claim in batch.claims]) for kind, batch, _ in house.desk.given[1:]] == [
        ("take_in", ["c.xml"]), ("go_on", ["a.csv"]),
    ]  # fmt: skip
    assert house.desk.slots == [None, None, 0]
    assert house.reception.low_water == table.first
    house.answer(1)
    house.answer(2, more=(table.first,), slot=0)
    assert house.files() == ["a.csv"]
    house.answer()
    assert house.files() == ["b.csv"]


def test_whoever_posted_a_long_table_hears_of_its_first_piece() -> None:
    house = House(workers=1)
    done = house.reception.receive("shop", "http", "a.csv", b"x" * 100_000, None)
    house.feed()
    number = house.desk.given[-1][1].first
    house.answer(answers={number: b"{}"}, more=(number,), slot=0)
    assert heard(done) == b"{}"
    kind, batch, _ = house.desk.given[-1]
    assert (kind, [(claim.number, claim.body) for claim in batch.claims]) == ("go_on", [(number, None)])


def test_a_long_table_in_trouble_is_tried_again_and_goes_on() -> None:
    house = House(workers=1)
    house.drop("shop", "a.csv", 100_000)
    house.feed()
    number = house.desk.given[-1][1].first
    house.answer(more=(number,), slot=0)
    house.answer(trouble="no space", disk=True)
    house.clock.advance(5)
    assert house.desk.given[-1][0] == "take_again"
    house.answer(more=(number,), slot=0)
    assert house.desk.given[-1][0] == "go_on"
