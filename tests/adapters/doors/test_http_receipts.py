"""A caller of the HTTP door waits for receipts as long as he likes, by cursor, and costs no thread while he waits."""

from typing import Any

from twisted.internet.defer import inlineCallbacks
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from adapters.doors.http import HttpDoor, HttpLimits
from adapters.doors.http_channel import DoorChannel
from tests.adapters.doors.http_caller import Answer, DoorCase, request
from tests.adapters.doors.paper_hall import PaperHall


class ReceiptsByCursor(DoorCase):
    @inlineCallbacks
    def test_are_served_page_by_page(self) -> Any:
        for number in range(5):
            self.hall.settle("shop", status=number)
        cursor, seen = 0, []
        while len(seen) < 5:
            answer = yield self.told(request("GET", f"/v1/receipts?after={cursor}&limit=2"))
            seen += [receipt["status"] for receipt in answer.told["receipts"]]
            cursor = answer.told["cursor"]
        assert (seen, cursor) == ([0, 1, 2, 3, 4], 5)
        other = yield self.told(request("GET", "/v1/receipts", token="pay-token"))
        assert other.told == {"receipts": [], "cursor": 0}

    @inlineCallbacks
    def test_are_refused_for_numbers_that_are_none(self) -> Any:
        for query in ("after=-1", "after=x", "limit=0", "wait=1.5", "after=1&after=2", "limit="):
            yield self.refused(400, request("GET", f"/v1/receipts?{query}"))
        answer = yield self.told(request("GET", "/v1/receipts?limit=99999"))
        assert answer.status == 200

    @inlineCallbacks
    def test_arrive_at_a_caller_who_waits(self) -> Any:
        waiting = self.told(request("GET", "/v1/receipts?after=0&wait=30"))
        while not self.hall.listeners["shop"]:
            yield self.told(request("GET", "/livez"))
        self.hall.settle("pay", status=1)
        self.hall.settle("shop", status=2)
        answer = yield waiting
        assert answer.told == {"receipts": [{"status": 2}], "cursor": 1}
        assert (self.door.api.polls.waiting, self.hall.listeners["shop"]) == ({}, [])

    @inlineCallbacks
    def test_end_the_wait_when_the_door_closes(self) -> Any:
        waiting = self.told(request("GET", "/v1/receipts?wait=30"))
        while not self.hall.listeners["shop"]:
            yield self.told(request("GET", "/livez"))
        yield self.door.close()
        answer = yield waiting
        assert (answer.status, answer.told) == (200, {"receipts": [], "cursor": 0})


class ALongPoll(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.hall = PaperHall(shop="shop-token", pay="pay-token")
        self.door = HttpDoor(self.hall, HttpLimits(polls_per_sender=2), self.clock)

    def ask(self, wait: int = 30, token: str = "shop-token") -> tuple[DoorChannel, StringTransport]:
        channel, wire = self.door.buildProtocol(None), StringTransport()
        assert channel is not None
        channel.makeConnection(wire)
        channel.dataReceived(request("GET", f"/v1/receipts?wait={wait}", token=token))
        return channel, wire

    def test_ends_empty_when_its_time_is_over(self) -> None:
        _, wire = self.ask(wait=30)
        self.clock.advance(29)
        assert wire.value() == b""
        self.clock.advance(1)
        assert Answer(wire.value()).told == {"receipts": [], "cursor": 0}
        assert (self.hall.listeners["shop"], self.clock.getDelayedCalls()) == ([], [])

    def test_waits_no_longer_than_a_minute(self) -> None:
        _, wire = self.ask(wait=86400)
        self.clock.advance(60)
        assert Answer(wire.value()).status == 200

    def test_answers_a_burst_at_once(self) -> None:
        _, wire = self.ask()
        for status in range(3):
            self.hall.settle("shop", status=status)
        self.clock.advance(0.05)
        assert Answer(wire.value()).told["cursor"] == 3

    def test_goes_on_waiting_after_news_that_were_none(self) -> None:
        _, wire = self.ask(wait=10)
        for _ in range(5):
            self.hall.listeners["shop"].pop().callback(None)
            self.clock.advance(0.05)
        assert wire.value() == b""
        self.clock.pump([1] * 10)
        assert Answer(wire.value()).status == 200
        assert self.clock.getDelayedCalls() == []

    def test_is_bounded_per_sender(self) -> None:
        self.ask()
        self.ask()
        _, third = self.ask()
        assert Answer(third.value()).status == 429
        _, other = self.ask(token="pay-token")
        assert other.value() == b""

    def test_leaves_nothing_when_its_caller_goes_away(self) -> None:
        channel, _ = self.ask()
        channel.connectionLost(Failure(ConnectionError()))
        assert (self.door.api.polls.waiting, self.hall.listeners["shop"]) == ({}, [])
        assert (self.clock.getDelayedCalls(), self.door.connections) == ([], set())
