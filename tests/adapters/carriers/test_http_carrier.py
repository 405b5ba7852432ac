"""The HTTP carrier says carried only for a whole 2xx answer, refused only for a 4xx, and never raises."""

import re
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from adapters.carriers.carrier import Carried, Parcel
from adapters.carriers.http import HttpCarrier

ORDER = "<ceb:CEB311Message>订单</ceb:CEB311Message>".encode()


def parcel(number: int = 1, body: bytes = ORDER) -> Parcel:
    return Parcel(number, f"{number}.CEB311Message.xml", "CEB311Message", body)


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class Counter(Protocol):
    """One connection at the authority's counter; it hears whole requests and does what the script says."""

    factory: "Authority"

    def connectionMade(self) -> None:
        self.heard = b""
        self.factory.open.add(self)
        self.factory.connections += 1
        if self.factory.slams_the_door:
            self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        self.heard += data
        head, end, body = self.heard.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        if end and length and len(body) >= int(length[1]):
            self.heard = b""
            self.factory.requests.append((head, body))
            self.factory.script(self)

    def connectionLost(self, _: Any = None) -> None:
        self.factory.open.discard(self)
        if self.factory.emptied and not self.factory.open:
            self.factory.emptied.callback(None)


class Authority(Factory):
    """An authority that answers by script."""

    protocol = Counter
    noisy = False

    def __init__(self) -> None:
        self.requests: list[tuple[bytes, bytes]] = []
        self.open: set[Counter] = set()
        self.connections = 0
        self.slams_the_door = False
        self.emptied: Deferred[None] | None = None
        self.script: Callable[[Counter], None] = lambda _: None

    def says(self, said: bytes) -> None:
        self.script = lambda counter: counter.transport.write(said)

    def says_and_leaves(self, said: bytes) -> None:
        def leave(counter: Counter) -> None:
            counter.transport.write(said)
            counter.transport.loseConnection()

        self.script = leave


class TheHttpCarrier(TestCase):
    timeout = 30

    def setUp(self) -> None:
        self.authority = Authority()
        self.port = reactor.listenTCP(0, self.authority, interface="127.0.0.1")
        self.clock = Clock()
        self.carrier = HttpCarrier(f"http://127.0.0.1:{self.port.getHost().port}/in", clock=self.clock)

    @inlineCallbacks
    def tearDown(self) -> Any:
        yield self.carrier.close()
        yield self.port.stopListening()
        if self.authority.open:
            self.authority.emptied = Deferred()
            for counter in tuple(self.authority.open):
                counter.transport.abortConnection()
            yield self.authority.emptied

    @inlineCallbacks
    def result(self, said: bytes) -> Any:
        self.authority.says(said)
        (one,) = yield self.carrier.carry([parcel()])
        return one

    @inlineCallbacks
    def test_posts_the_bytes_as_they_are_and_keeps_the_answer(self) -> Any:
        one = yield self.result(answer("202 Accepted", "已收到 42\r\n".encode()))
        assert one == Carried(1, ok=True, acknowledgement="已收到 42")
        ((head, body),) = self.authority.requests
        assert body == ORDER
        assert head.startswith(b"POST /in HTTP/1.1\r\n")
        for line in (
            b"Content-Type: application/xml",
            b"Content-Disposition: attachment; filename*=UTF-8''1.CEB311Message.xml",
            b"Idempotency-Key: 1.CEB311Message.xml",
        ):
            assert line in head.split(b"\r\n")

    @inlineCallbacks
    def test_keeps_two_hundred_characters_of_an_answer(self) -> Any:
        one = yield self.result(answer("200 OK", "好".encode() * 1000))
        assert one == Carried(1, ok=True, acknowledgement="好" * 200)

    @inlineCallbacks
    def test_reads_no_more_than_a_part_of_an_endless_answer(self) -> Any:
        one = yield self.result(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000)
        assert one == Carried(1, ok=True, acknowledgement="x" * 200)

    @inlineCallbacks
    def test_sees_a_refusal_of_these_bytes_in_a_4xx(self) -> Any:
        for status in ("400 Bad Request", "403 Forbidden", "404 Not Found", "413 Too Large", "422 Unprocessable"):
            one = yield self.result(answer(status, b"no <a/>"))
            assert one == Carried(1, ok=False, trouble=f"127.0.0.1 answered {status}: 「no <a/>」", permanent=True)

    @inlineCallbacks
    def test_sees_a_matter_of_time_in_what_is_no_refusal(self) -> Any:
        for status in ("301 Moved", "408 Slow", "425 Early", "429 Many", "500 Oh", "503 Busy", "599 What"):
            one = yield self.result(answer(status))
            assert one == Carried(1, ok=False, trouble=f"127.0.0.1 answered {status}")

    @inlineCallbacks
    def test_hears_how_long_it_should_wait(self) -> Any:
        for said, seconds in (
            ("7", 7),
            ("999999999", 86400),
            ("Thu, 01 Jan 1970 00:02:00 GMT", 120),
            ("Thu, 01 Jan 1960 00:02:00 GMT", 0),
            ("soon", None),
            ("-5", None),
            ("", None),
        ):
            one = yield self.result(answer("503 Busy", b"", f"Retry-After: {said}"))
            wait = "" if seconds is None else f" (asks to wait {seconds} s)"
            trouble = f"127.0.0.1 answered 503 Busy{wait}"
            assert one == Carried(1, ok=False, trouble=trouble, retry_after=seconds)

    @inlineCallbacks
    def test_holds_nothing_for_carried_that_ended_early(self) -> Any:
        for said in (
            b"",
            b"HTTP/1.1 2",
            answer("200 OK", b"whole")[:-1],
            b"\x00\xffnonsense\r\n\r\n",
            b"220 mail\r\n\r\n",
        ):
            self.authority.says_and_leaves(said)
            (one,) = yield self.carrier.carry([parcel()])
            assert (one.ok, one.permanent, one.trouble[:11]) == (False, False, "127.0.0.1: ")

    @inlineCallbacks
    def test_bears_an_authority_that_leaves_before_reading(self) -> Any:
        self.authority.slams_the_door = True
        results = yield self.carrier.carry([parcel(1), parcel(2, b"x" * 5_000_000)])
        assert [(one.number, one.ok, one.permanent) for one in results] == [(1, False, False), (2, False, False)]

    @inlineCallbacks
    def test_bears_an_authority_that_is_not_there(self) -> Any:
        yield self.port.stopListening()
        (one,) = yield self.carrier.carry([parcel()])
        assert (one.ok, one.permanent) == (False, False)
        assert one.trouble.startswith("127.0.0.1: no connection: ")

    @inlineCallbacks
    def test_gives_up_waiting_for_an_answer(self) -> Any:
        asked: Deferred[None] = Deferred()
        self.authority.script = lambda _: asked.callback(None)
        carrying = self.carrier.carry([parcel()])
        yield asked
        self.clock.advance(60)
        results = yield carrying
        assert results == [Carried(1, ok=False, trouble="127.0.0.1: no whole answer within 60 s")]

    @inlineCallbacks
    def test_gives_up_waiting_for_the_end_of_an_answer(self) -> Any:
        asked: Deferred[None] = Deferred()

        def begin(counter: Counter) -> None:
            counter.transport.write(answer("200 OK", b"whole")[:-1])
            asked.callback(None)

        self.authority.script = begin
        carrying = self.carrier.carry([parcel()])
        yield asked
        self.clock.advance(60)
        results = yield carrying
        assert results == [Carried(1, ok=False, trouble="127.0.0.1: no whole answer within 60 s")]

    @inlineCallbacks
    def test_asks_eight_at_a_time_over_connections_that_stay_open(self) -> Any:
        waiting: list[Counter] = []
        all_asked: Deferred[None] = Deferred()

        def wait(counter: Counter) -> None:
            waiting.append(counter)
            if len(waiting) == 8:
                all_asked.callback(None)

        self.authority.script = wait
        carrying = self.carrier.carry([parcel(number) for number in range(40)])
        yield all_asked
        assert len(self.authority.requests) == 8
        self.authority.says(answer("200 OK", b"yes"))
        for counter in waiting:
            self.authority.script(counter)
        results = yield carrying
        assert results == [Carried(number, ok=True, acknowledgement="yes") for number in range(40)]
        assert (len(self.authority.requests), self.authority.connections) == (40, 8)

    @inlineCallbacks
    def test_asks_an_authority_of_the_older_protocol_over_a_fresh_connection_each_time(self) -> Any:
        # It closes after its answer, and what we say meanwhile over the same connection may be lost.
        said = answer("200 OK", b"yes").replace(b"HTTP/1.1", b"HTTP/1.0")
        for _ in range(3):
            assert (yield self.result(said)).ok
        assert self.authority.connections == 3
        for _ in range(3):
            assert (yield self.result(answer("200 OK", b"yes"))).ok
        assert self.authority.connections == 4  # the one kept at the very first is still there

    @inlineCallbacks
    def test_bears_an_address_that_is_none(self) -> Any:
        for url in ("", "ftp://127.0.0.1/in", "http://口岸/in", "http://127.0.0.1:x/", "nonsense"):
            carrier = HttpCarrier(url)
            (one,) = yield carrier.carry([parcel()])
            assert (one.ok, one.permanent, bool(one.trouble)) == (False, False, True)
            yield carrier.close()
