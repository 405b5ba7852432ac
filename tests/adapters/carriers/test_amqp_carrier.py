"""The AMQP carrier says carried only for what the broker confirmed, and repeats the same bytes under the same id."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from twisted.trial.unittest import TestCase

from adapters.amqp import Address
from adapters.carriers.amqp import AmqpCarrier
from adapters.carriers.carrier import Carried, Parcel
from tests.brokers import PASSWORD, USER, RabbitMQ

ORDER = "<dxp:SenderId>DXPENT0000030001</dxp:SenderId> 订单".encode()
BROKER: list[RabbitMQ] = []


@pytest.fixture(scope="module", autouse=True)
def _broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    broker = RabbitMQ(tmp_path_factory.mktemp("rabbit"), settings="max_message_size = 100000").start()
    (broker.folder / "password").write_text(PASSWORD, "utf-8")
    BROKER.append(broker)
    yield
    BROKER.pop().end()


def parcel(number: int = 1, body: bytes = ORDER) -> Parcel:
    return Parcel(number, f"{number}.CEB311Message.xml", "CEB311Message", body)


def carried(number: int) -> Carried:
    return Carried(number, ok=True, acknowledgement=f"{number}.CEB311Message.xml")


class Carrying(TestCase):
    """A carrier before a real broker."""

    timeout = 200

    def setUp(self) -> None:
        self.broker = BROKER[0]
        self.made: list[AmqpCarrier] = []

    @inlineCallbacks
    def tearDown(self) -> Any:
        for one in self.made:
            yield one.close()

    def carrier(self, queue: str, **changed: Any) -> AmqpCarrier:
        known = {"host": "127.0.0.1", "user": USER, "password_file": self.broker.folder / "password"}
        address = Address(**{**known, "port": self.broker.port, "timeout_seconds": 10.0, **changed})  # type: ignore[arg-type]
        self.made.append(AmqpCarrier(address, queue))
        return self.made[-1]

    @inlineCallbacks
    def test_what_is_confirmed_lies_in_the_queue_under_its_name_and_outlives_the_broker(self) -> Any:
        self.broker.keep("DXPENT0000030001")
        carrier = self.carrier("DXPENT0000030001")
        told = yield carrier.carry([parcel(1), parcel(2, b"two")])
        assert told == [carried(1), carried(2)]
        yield carrier.close()
        self.broker.kill()
        self.broker.start()
        assert self.broker.take("DXPENT0000030001") == [("1.CEB311Message.xml", ORDER), ("2.CEB311Message.xml", b"two")]

    @inlineCallbacks
    def test_the_queue_may_be_named_after_who_sends(self) -> Any:
        self.broker.declare("DXPENT0000030001_OUT")
        told = yield self.carrier("{dxpId}_OUT").carry([parcel(1), parcel(2, b"<nobody/>")])
        trouble = "the envelope names no SenderId, so its queue is not known"
        assert told == [carried(1), Carried(2, ok=False, trouble=trouble, permanent=True)]
        assert self.broker.take("DXPENT0000030001_OUT") == [("1.CEB311Message.xml", ORDER)]

    @inlineCallbacks
    def test_what_no_queue_takes_comes_back_whole_group_by_whole_group_and_goes_when_the_queue_is_there(self) -> Any:
        carrier = self.carrier("LATER")
        words = f"127.0.0.1:{self.broker.port}: no queue LATER takes it: 312 NO_ROUTE"
        told = yield carrier.carry([parcel(number) for number in range(50)])
        assert told == [Carried(number, ok=False, trouble=words) for number in range(50)]
        self.broker.declare("LATER")
        told = yield carrier.carry([parcel(number) for number in range(50)])
        assert told == [carried(number) for number in range(50)]
        assert len(self.broker.take("LATER")) == 50

    @inlineCallbacks
    def test_what_comes_back_among_what_is_taken_is_told_from_it(self) -> Any:
        self.broker.declare("MIXED1")
        here = b"<SenderId>MIXED1</SenderId>"
        away = b"<SenderId>MIXED2</SenderId>"
        carrier = self.carrier("{dxpId}")
        parcels = [parcel(number, away if number % 3 == 0 else here) for number in range(300)]
        told = yield carrier.carry(parcels)
        assert [one.number for one in told if one.ok] == [number for number in range(300) if number % 3]
        assert [body for _, body in self.broker.take("MIXED1")] == [here] * 200

    @inlineCallbacks
    def test_one_message_that_the_broker_will_never_take_keeps_no_other(self) -> Any:
        self.broker.declare("SIZED")
        told = yield self.carrier("SIZED").carry([parcel(1), parcel(2, b"x" * 200_000), parcel(3)])
        assert [one.ok for one in told] == [True, False, True]
        assert [one.permanent for one in told] == [False, True, False]
        assert "message size 200000" in told[1].trouble
        assert {name for name, _ in self.broker.take("SIZED")} == {"1.CEB311Message.xml", "3.CEB311Message.xml"}

    @inlineCallbacks
    def test_a_full_queue_is_trouble_that_passes(self) -> Any:
        self.broker.declare("FULL", **{"x-max-length": 1, "x-overflow": "reject-publish"})
        carrier = self.carrier("FULL")
        yield carrier.carry([parcel(1)])
        told = yield carrier.carry([parcel(2)])
        words = f"127.0.0.1:{self.broker.port}: the queue FULL does not take it; it may be full"
        assert told == [Carried(2, ok=False, trouble=words)]

    @inlineCallbacks
    def test_a_wrong_password_is_told_as_such_and_never_shown(self) -> Any:
        wrong = self.broker.folder / "wrong"
        wrong.write_text("secret", "utf-8")
        told = yield self.carrier("Q", password_file=wrong).carry([parcel()])
        place = f"127.0.0.1:{self.broker.port}"
        trouble = f"The broker cannot be reached, or refuses us: {place}: the broker refuses this user or password"
        assert told == [Carried(1, ok=False, trouble=trouble, fault="road")]

    @inlineCallbacks
    def test_no_password_file_no_vhost_and_nobody_there_are_troubles(self) -> Any:
        gone = self.broker.folder / "gone"
        for changed, words in (
            ({"password_file": gone}, f"{gone}: No such file or directory"),
            ({"vhost": "other"}, "vhost"),
            ({"port": 9}, "refused"),
        ):
            [told] = yield self.carrier("Q", **changed).carry([parcel()])
            assert (told.ok, told.permanent) == (False, False)
            assert words in told.trouble

    @inlineCallbacks
    def test_a_broker_killed_while_messages_go_loses_none_and_gives_none_another_id(self) -> Any:
        self.broker.keep("KILLED")
        carrier = self.carrier("KILLED", timeout_seconds=5.0)
        yield carrier.carry([parcel(0)])
        reactor.callLater(0.02, self.broker.kill)  # type: ignore[attr-defined]
        told = yield carrier.carry([parcel(number, b"%d" % number) for number in range(3000)])
        left = [one.number for one in told if not one.ok]
        self.broker.start()
        again = yield carrier.carry([parcel(number, b"%d" % number) for number in left])
        assert [one.ok for one in again] == [True] * len(left)
        found = self.broker.take("KILLED")
        assert set(found) == {("0.CEB311Message.xml", ORDER)} | {
            (f"{number}.CEB311Message.xml", b"%d" % number) for number in range(3000)
        }
        assert left, "the broker died too late for this test"


def test_a_password_file_is_asked_for_by_path() -> None:
    assert str(Address("mq.example", "kouan", Path("x"), vhost="port")) == "mq.example:5672 port"
