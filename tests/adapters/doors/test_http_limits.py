"""No caller of the HTTP door, slow, huge, rude or gone, costs more than the limits say."""

import os
import socket
import subprocess
import sys
from typing import Any

from twisted.internet.defer import gatherResults, inlineCallbacks
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from adapters.doors.http import HttpDoor, HttpLimits
from adapters.doors.http_channel import DoorChannel
from tests.adapters.doors.http_caller import KIB, Answer, DoorCase, read_answer, request, send_and_leave
from tests.adapters.doors.paper_hall import PaperHall
from tests.programs import needs

MIB = 1024 * KIB
SERVER = """
from twisted.internet import reactor
from adapters.doors.http import HttpDoor
from tests.adapters.doors.paper_hall import PaperHall
opened = HttpDoor(PaperHall(shop="shop-token")).open("127.0.0.1:0")
opened.addCallback(lambda port: print(port.getHost().port, flush=True))
reactor.run()
"""


class ABodyOverTheLimit(DoorCase):
    @inlineCallbacks
    def test_is_refused_before_it_is_sent(self) -> Any:
        head = request("POST", "/v1/interchanges", Content_Length=str(100 * MIB))
        (answer,) = yield self.talk(head, wait_for_end=True)
        assert (answer.status, answer.headers["connection"]) == (413, "close")

    @inlineCallbacks
    def test_is_refused_and_heard_by_a_caller_who_sends_on(self) -> Any:
        answer = yield deferToThread(send_everything_then_read, self.port, 8 * MIB, chunked=False)
        assert (answer.status, self.hall.taken, self.door.held_bytes) == (413, [], 0)

    @inlineCallbacks
    def test_is_cut_at_the_limit_when_it_comes_in_chunks(self) -> Any:
        answer = yield deferToThread(send_everything_then_read, self.port, 8 * MIB, chunked=True)
        assert (answer.status, self.hall.taken, self.door.held_bytes) == (413, [], 0)

    @inlineCallbacks
    def test_of_an_unknown_caller_is_refused_for_his_token(self) -> Any:
        head = request("POST", "/v1/interchanges", token="nobody", Content_Length=str(200 * KIB))
        (answer,) = yield self.talk(head, wait_for_end=True)
        assert answer.status == 401

    @inlineCallbacks
    def test_gets_no_continue_from_a_door_that_refuses(self) -> Any:
        head = request("POST", "/v1/interchanges", Content_Length=str(100 * MIB), Expect="100-continue")
        (answer,) = yield self.talk(head, wait_for_end=True)
        assert answer.status == 413


def send_everything_then_read(port: int, size: int, *, chunked: bool) -> Answer:
    """Be a simple client: send the whole body, whatever comes back meanwhile, then read the answer."""
    length = {"Transfer_Encoding": "chunked"} if chunked else {"Content_Length": str(size)}
    piece = b"x" * (64 * KIB)
    framed = b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection, connection.makefile("rb") as stream:
        connection.sendall(request("POST", "/v1/interchanges", **length))
        for _ in range(size // len(piece)):
            connection.sendall(framed)
        return Answer(read_answer(stream))


class AHundredMebibytes(DoorCase):
    @inlineCallbacks
    def test_leave_the_memory_of_the_daemon_flat(self) -> Any:
        codes, grown = yield deferToThread(post_to_own_process, self.file_of(100 * MIB))
        assert codes == ["413", "413", "202"]
        assert grown < 32 * MIB


def post_to_own_process(path: str) -> tuple[list[str], int]:
    """Post the file by length, in chunks, and then a small one; return the statuses and how the peak has grown."""
    curl = needs("curl")
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1/interchanges"
        common = [curl, "-sS", "-o", os.devnull, "-w", "%{http_code}", "-H", "Authorization: Bearer shop-token"]
        before = peak_memory(server.pid)
        codes = [
            subprocess.run([*common, *rest, url], capture_output=True, text=True, timeout=60, check=False).stdout
            for rest in (
                ["-H", "Expect:", "-T", path, "-X", "POST"],
                ["-H", "Expect:", "-H", "Transfer-Encoding: chunked", "-T", path, "-X", "POST"],
                ["-d", "<a/>"],
            )
        ]
        grown = peak_memory(server.pid) - before
        server.terminate()
    return codes, grown


def peak_memory(process: int) -> int:
    with open(f"/proc/{process}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * KIB for line in status if line.startswith("VmHWM"))


class BodiesUnderWay(DoorCase):
    @inlineCallbacks
    def test_are_refused_when_all_together_are_too_many(self) -> Any:
        self.hall.holding = True
        large = request("POST", "/v1/interchanges", b"x" * (200 * KIB))
        waiting = [self.told(large) for _ in range(2)]
        while len(self.hall.held) < 2:
            yield self.told(request("GET", "/livez"))
        answer = yield self.refused(503, large)
        assert answer.headers["retry-after"] == "1"
        for synced in self.hall.held:
            synced.callback(None)
        for answering in waiting:
            answer = yield answering
            assert answer.status == 202
        assert self.door.held_bytes == 0

    @inlineCallbacks
    def test_are_refused_by_their_head_while_there_is_no_room(self) -> Any:
        self.hall.holding = True
        waiting = [self.told(request("POST", "/v1/interchanges", b"x" * (250 * KIB))) for _ in range(2)]
        while len(self.hall.held) < 2:
            yield self.told(request("GET", "/livez"))
        (answer,) = yield self.talk(
            request("POST", "/v1/interchanges", Content_Length=str(200 * KIB)), wait_for_end=True
        )
        assert answer.status == 503
        for synced in self.hall.held:
            synced.callback(None)
        yield gatherResults(waiting)

    @inlineCallbacks
    def test_leave_nothing_when_the_caller_goes_away_at_any_point(self) -> Any:
        whole = request("POST", "/v1/interchanges", b"x" * (100 * KIB))
        for cut in (1, 20, 80, 90, 200, 50 * KIB, len(whole) - 1):
            yield deferToThread(send_and_leave, self.port, whole[:cut])
        while self.door.connections:
            yield self.told(request("GET", "/livez", Connection="close"))
        assert (self.hall.taken, self.door.held_bytes) == ([], 0)

    @inlineCallbacks
    def test_are_finished_when_the_door_closes(self) -> Any:
        self.hall.holding = True
        answering = self.told(request("POST", "/v1/interchanges", b"<a/>"))
        while not self.hall.held:
            yield self.told(request("GET", "/livez"))
        closed = self.door.close()
        assert not closed.called
        self.hall.held[0].callback(None)
        answer = yield answering
        assert (answer.status, answer.headers["connection"]) == (202, "close")
        yield closed
        assert self.door.connections == set()


class FewConnections(DoorCase):
    limits = HttpLimits(connections=2)

    @inlineCallbacks
    def test_more_than_the_limit_are_closed_at_once(self) -> Any:
        with self.connect(), self.connect():
            while len(self.door.connections) < 2:
                yield deferToThread(lambda: None)
            with self.connect() as third:
                third.settimeout(20)
                ended = yield deferToThread(third.recv, 1)
        assert ended == b""

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)


class Wire(StringTransport):
    """A transport on paper that can be closed by half and cut."""

    def __init__(self) -> None:
        super().__init__()
        self.half_closed = self.cut_off = False

    def loseWriteConnection(self) -> None:
        self.half_closed = True

    def abortConnection(self) -> None:
        self.cut_off = True


class ASlowCaller(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.hall = PaperHall(shop="shop-token")
        self.door = HttpDoor(self.hall, HttpLimits(), self.clock)
        self.wire = Wire()
        self.channel = self.door.buildProtocol(None)
        assert isinstance(self.channel, DoorChannel)
        self.channel.makeConnection(self.wire)

    def pass_seconds(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.door.sweep()

    def drip(self, data: bytes, pause: float) -> int:
        """Send one byte each time; return how many were sent before the door had enough."""
        for sent in range(len(data)):
            if self.wire.value():
                return sent
            self.channel.dataReceived(data[sent : sent + 1])
            self.pass_seconds(pause)
        return len(data)

    def test_who_says_nothing_is_closed_after_a_minute(self) -> None:
        self.pass_seconds(59)
        assert not self.wire.disconnecting
        self.pass_seconds(1)
        assert (self.wire.disconnecting, self.wire.value()) == (True, b"")
        self.pass_seconds(10)
        assert self.wire.cut_off

    def test_who_drips_headers_is_cut_off_after_fifteen_seconds(self) -> None:
        assert self.drip(request("GET", "/livez"), 1) == 15
        assert Answer(self.wire.value()).status == 408
        assert self.wire.half_closed
        self.pass_seconds(10)
        assert self.wire.cut_off

    def test_who_drips_a_body_is_cut_off_after_thirty_seconds(self) -> None:
        self.channel.dataReceived(request("POST", "/v1/interchanges", Content_Length="5000"))
        assert self.drip(b"x" * 5000, 1) == 31
        assert Answer(self.wire.value()).status == 408
        assert (self.door.held_bytes, self.hall.taken) == (0, [])

    def test_who_stops_mid_body_is_cut_off_however_much_he_sent(self) -> None:
        self.channel.dataReceived(request("POST", "/v1/interchanges", Content_Length="5000000"))
        self.channel.dataReceived(b"x" * 4_000_000)
        self.pass_seconds(29)
        assert self.wire.value() == b""
        self.pass_seconds(1)
        assert Answer(self.wire.value()).status == 408
        assert self.door.held_bytes == 0

    def test_but_steady_caller_is_waited_for(self) -> None:
        body = b"x" * 1_000_000
        self.channel.dataReceived(request("POST", "/v1/interchanges", Content_Length=str(len(body))))
        for start in range(0, len(body), 50_000):
            self.pass_seconds(10)
            self.channel.dataReceived(body[start : start + 50_000])
        assert Answer(self.wire.value()).status == 202

    def test_who_is_not_done_when_the_door_closes_may_finish_and_is_told_to_leave(self) -> None:
        whole = request("POST", "/v1/interchanges", b"<a/>")
        self.channel.dataReceived(whole[:50])
        closed: list[None] = []
        self.door.close().addCallback(closed.append)
        assert (closed, self.wire.disconnecting) == ([], False)
        self.channel.dataReceived(whole[50:])
        answer = Answer(self.wire.value())
        assert (answer.status, answer.headers["connection"], self.wire.disconnecting) == (503, "close", True)
        self.channel.connectionLost(Failure(ConnectionDone()))
        assert closed == [None]

    def test_is_not_blamed_while_the_hall_works(self) -> None:
        self.hall.holding = True
        self.channel.dataReceived(request("POST", "/v1/interchanges", b"<a/>"))
        self.pass_seconds(3600)
        self.hall.held[0].callback(None)
        assert Answer(self.wire.value()).status == 202

    def test_who_sends_on_after_a_refusal_is_cut_off_in_the_end(self) -> None:
        self.channel.dataReceived(request("POST", "/v1/interchanges", Content_Length=str(100 * MIB)))
        assert Answer(self.wire.value()).status == 413
        assert self.drip_on(b"x", 1) == 11

    def drip_on(self, data: bytes, pause: float) -> int:
        sent = 0
        while not self.wire.cut_off:
            self.channel.dataReceived(data)
            self.pass_seconds(pause)
            sent += 1
        return sent
