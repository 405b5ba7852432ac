"""The AMQP door acknowledges what the house has, holds what it has not, and no message stops or circles the queue."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pika
import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred, fail, inlineCallbacks, succeed
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from adapters.amqp import Address
from adapters.doors.amqp import AmqpDoor
from adapters.doors.hall import Full
from tests.brokers import PASSWORD, USER, RabbitMQ

BROKER: list[RabbitMQ] = []
Handed = tuple[str, bytes, str | None]


@pytest.fixture(scope="module", autouse=True)
def _broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    broker = RabbitMQ(tmp_path_factory.mktemp("rabbit")).start()
    (broker.folder / "password").write_text(PASSWORD, "utf-8")
    BROKER.append(broker)
    yield
    BROKER.pop().end()


class InMilliseconds(pika.BasicProperties):
    """Properties whose headers hold a time in milliseconds where AMQP has seconds, as careless clients write it."""

    def encode(self) -> list[bytes]:
        return [b"T" + piece[1:] if len(piece) == 9 and piece[:1] == b"l" else piece for piece in super().encode()]


class PaperHouse:
    """A house that writes down what is handed to it, and answers as it was told to."""

    def __init__(self) -> None:
        self.handed: list[Handed] = []
        self.answers: list[Deferred[bytes]] = []
        self.told: list[tuple[str, str]] = []
        self.waits = False
        self.refuses = 0
        self.waiting: list[Deferred[bytes]] = []

    def take_in(self, name: str, body: bytes, once: str | None) -> "Deferred[bytes]":
        self.handed.append((name, body, once))
        if self.refuses:
            self.refuses -= 1
            return fail(Full())
        if self.answers:
            return self.answers.pop(0)
        if not self.waits:
            return succeed(b"{}")
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def answer(self) -> None:
        """Whoever waits is told that the house has it."""
        self.waits = False
        while self.waiting:
            self.waiting.pop().callback(b"{}")

    def info(self, event: str, **_: Any) -> None:
        self.told.append((event, ""))

    def warning(self, event: str, **facts: Any) -> None:
        self.told.append((event, facts["trouble"]))

    def ids(self) -> list[str]:
        return [name for name, *_ in self.handed]


class Reading(TestCase):
    """A door before a real broker and a house of paper."""

    timeout = 200

    def setUp(self) -> None:
        self.broker = BROKER[0]
        self.house = PaperHouse()
        self.doors: list[AmqpDoor] = []

    @inlineCallbacks
    def tearDown(self) -> Any:
        self.house.answer()
        for one in self.doors:
            yield one.stop()

    def door(self, queue: str, *, prefetch: int = 200, **changed: Any) -> AmqpDoor:
        known = {"host": "127.0.0.1", "user": USER, "password_file": self.broker.folder / "password"}
        address = Address(**{**known, "port": self.broker.port, "timeout_seconds": 10.0, **changed})  # type: ignore[arg-type]
        self.doors.append(AmqpDoor(reactor, address, queue, self.house.take_in, self.house, prefetch=prefetch))
        self.doors[-1].start()
        return self.doors[-1]

    @inlineCallbacks
    def until(self, true: Any) -> Any:
        for _ in range(600):
            if true():
                return
            yield deferLater(reactor, 0.05)  # type: ignore[arg-type]
        raise AssertionError(f"it did not come about: {self.house.told} {self.house.ids()}")

    @inlineCallbacks
    def test_each_message_is_handed_in_under_its_name_and_a_key_and_leaves_the_queue(self) -> Any:
        self.broker.declare("A")
        self.broker.publish("A", ("CEB311_1.xml", b"one"), ("7F", b"two"), (None, b"three"))
        door = self.door("A")
        yield self.until(lambda: len(self.house.handed) == 3)
        yield door.stop()
        assert self.house.handed == [
            ("CEB311_1.xml", b"one", f"amqp {sha256(b'one').hexdigest()[:32]} CEB311_1.xml"),
            ("7F.xml", b"two", f"amqp {sha256(b'two').hexdigest()[:32]} 7F"),
            ("", b"three", None),
        ]
        assert self.broker.take("A") == []

    @inlineCallbacks
    def test_what_the_house_has_not_yet_is_not_acknowledged_and_comes_again(self) -> Any:
        self.broker.declare("B")
        self.broker.publish("B", ("1", b"one"), ("2", b"two"))
        late: Deferred[bytes] = Deferred()
        self.house.answers = [succeed(b"{}"), late]
        door = self.door("B")
        yield self.until(lambda: len(self.house.handed) == 2)
        stopped = door.stop()
        yield deferLater(reactor, 0.2)  # type: ignore[arg-type]
        assert not stopped.called, "what the house works at is waited for"
        late.callback(b"{}")
        yield stopped
        assert self.broker.take("B") == []

    @inlineCallbacks
    def test_a_broker_killed_before_the_acknowledgement_brings_the_message_again_under_the_same_key(self) -> Any:
        self.broker.keep("C")
        self.broker.publish("C", *((f"{n}.xml", b"%d" % n) for n in range(50)))
        self.house.waits = True
        self.door("C")
        yield self.until(lambda: len(self.house.handed) == 50)
        first, self.house.handed, self.house.waits = self.house.handed, [], False
        self.broker.kill()
        self.broker.start()
        yield self.until(lambda: len(self.house.handed) == 50)
        assert sorted(self.house.handed) == sorted(first)
        assert self.house.told[0] == ("amqp.reading", "")
        assert any("connection was lost" in trouble for _, trouble in self.house.told)

    @inlineCallbacks
    def test_trouble_keeps_a_message_in_hand_and_others_go_by(self) -> Any:
        self.broker.declare("D")
        self.broker.publish("D", ("1.xml", b"one"), ("2.xml", b"two"))
        self.house.refuses = 1
        door = self.door("D")
        yield self.until(lambda: len(self.house.handed) == 3)
        yield door.stop()
        assert self.house.ids() == ["1.xml", "2.xml", "1.xml"]
        assert [trouble for event, trouble in self.house.told if event == "amqp.trouble"] == [f"D: {Full()}"]
        assert self.broker.take("D") == []

    @inlineCallbacks
    def test_what_is_never_taken_does_not_circle_and_is_back_in_the_queue_when_the_door_is_shut(self) -> Any:
        self.broker.declare("E")
        self.broker.publish("E", ("1.xml", b"one"))
        self.house.refuses = 1000
        door = self.door("E")
        yield deferLater(reactor, 4.0)  # type: ignore[arg-type]
        yield door.stop()
        assert 2 <= len(self.house.handed) <= 4
        assert self.broker.take("E") == [("1.xml", b"one")]

    @inlineCallbacks
    def test_headers_that_nobody_can_read_stop_no_message(self) -> Any:
        self.broker.declare("F")
        with self.broker.connection() as line:
            channel = line.channel()
            for number in range(3):
                form = InMilliseconds if number == 1 else pika.BasicProperties
                properties = form("text/csv", headers={"sent": 1_763_800_000_000}, message_id=f"{number}")
                channel.basic_publish("", "F", b"%d" % number, properties)
        door = self.door("F")
        yield self.until(lambda: len(self.house.handed) == 3)
        yield door.stop()
        assert [(name, body) for name, body, _ in self.house.handed] == [
            ("0.csv", b"0"), ("1.csv", b"1"), ("2.csv", b"2"),
        ]  # fmt: skip
        assert self.broker.take("F") == []

    @inlineCallbacks
    def test_a_queue_that_is_missing_is_told_once_and_read_when_it_is_there(self) -> Any:
        self.door("G")
        yield self.until(lambda: self.house.told)
        place = f"127.0.0.1:{self.broker.port}"
        yield deferLater(reactor, 1.5)  # type: ignore[arg-type]
        words = f"{place} G: the broker closed the channel: 404 NOT_FOUND - no queue 'G' in vhost '/'"
        assert self.house.told == [("amqp.trouble", words)]
        self.broker.declare("G")
        self.broker.publish("G", ("1.xml", b"one"))
        yield self.until(lambda: self.house.handed)

    @inlineCallbacks
    def test_a_queue_that_is_deleted_under_the_door_is_told(self) -> Any:
        self.broker.declare("H")
        self.door("H")
        yield self.until(lambda: self.house.told)
        self.broker.delete("H")
        yield self.until(lambda: len(self.house.told) > 1)
        assert self.house.told[0] == ("amqp.reading", "")

    @inlineCallbacks
    def test_a_wrong_password_is_told_once_and_a_right_one_serves_without_a_restart(self) -> Any:
        wrong = self.broker.folder / "wrong"
        wrong.write_text("secret", "utf-8")
        self.broker.declare("I")
        self.door("I", password_file=wrong)
        yield self.until(lambda: self.house.told)
        assert "the broker refuses this user or password" in self.house.told[0][1]
        wrong.write_text(PASSWORD, "utf-8")
        yield self.until(lambda: len(self.house.told) > 1)
        assert self.house.told[1:] == [("amqp.reading", "")]

    @inlineCallbacks
    def test_no_more_than_the_prefetch_is_in_hand(self) -> Any:
        self.broker.keep("J")
        self.broker.publish("J", *((f"{n}.xml", b"%d" % n) for n in range(20)))
        self.house.waits = True
        self.door("J", prefetch=5)
        yield self.until(lambda: len(self.house.handed) == 5)
        yield deferLater(reactor, 0.3)  # type: ignore[arg-type]
        assert len(self.house.handed) == 5
        self.broker.kill()  # nobody will answer for the five
        self.broker.start()
        yield self.until(lambda: len(self.house.handed) == 10)
        self.house.waits = False
