"""The HTTP door: bytes come in by POST, answers are fetched by GET, and nothing waits for a disk here.

A caller is judged by the head of his request (address, token, size, kind) before
a byte of his body is read.  Bodies lie in memory, each within the limit of a
message and all together within one budget, and no request holds a thread.

**Known limits**: no TLS and no HTTP/2 (a reverse proxy in front gives both); no
content encoding; a client that pipelines is answered in turn; `/metrics` and
`/readyz` ask for no token, so a proxy should not pass them on.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint
from twisted.internet.interfaces import IAddress, IListeningPort, IReactorTime
from twisted.internet.protocol import ServerFactory
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import datetimeToString

from adapters.doors.hall import HttpHall
from adapters.doors.http_api import Api, Route
from adapters.doors.http_channel import DoorChannel
from adapters.doors.http_names import query_of
from adapters.doors.http_refusals import NO_SUCH, NOT_UNDERSTOOD, OUR_MISTAKE, WHO_ARE_YOU, WRONG_VERB, Refusal
from adapters.doors.http_request import DoorRequest

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """How much and how slow a caller may be; the defaults hold a process well under 200 MiB."""

    body_bytes: int = 20 * _MIB
    in_flight_bytes: int = 64 * _MIB  # all bodies together, until the hall has answered
    connections: int = 2000
    polls_per_sender: int = 8
    idle_seconds: float = 60.0
    head_seconds: float = 15.0
    stall_seconds: float = 30.0
    linger_seconds: float = 10.0
    bytes_per_second: int = 4096  # slower than this in the long run is cut off
    wait_seconds: int = 60
    receipts: int = 1000


@dataclass(eq=False)
class HttpDoor(ServerFactory):
    """The open door: its connections, its budget, and the judgement of each request by its head."""

    hall: HttpHall
    limits: HttpLimits = field(default_factory=HttpLimits)
    clock: Any = None  # IReactorTime; the reactor unless a test passes its own

    def __post_init__(self) -> None:
        """Stand ready, not listening yet."""
        if self.clock is None:
            from twisted.internet import reactor

            self.clock = IReactorTime(reactor)
        self.connections: set[DoorChannel] = set()
        self.answers: Counter[int] = Counter()
        self.held_bytes = 0
        self.closing = False
        self.api = Api(self)
        self._log = Logger()
        self._budget = max(self.limits.in_flight_bytes, self.limits.body_bytes)
        self._sweeping = LoopingCall(self.sweep)
        self._sweeping.clock = self.clock
        self._port: IListeningPort | None = None
        self._wait_for_empty: list[Deferred[None]] = []
        self._date = ""
        self._tell_date()

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every address of this door."""
        return self.api.routes

    def open(self, listen: str) -> Deferred[IListeningPort]:
        """Listen on HOST:PORT (port 0: any free one) and fire with the port."""
        from twisted.internet import reactor

        host, _, port = listen.rpartition(":")
        endpoint = TCP6ServerEndpoint if ":" in host else TCP4ServerEndpoint
        place = endpoint(reactor, int(port), backlog=1024, interface=host.strip("[]"))
        opened: Deferred[IListeningPort] = place.listen(self)  # type: ignore[no-untyped-call]
        return opened.addCallback(self._opened)

    def _opened(self, port: IListeningPort) -> IListeningPort:
        self._port = port
        self._sweeping.start(1.0, now=False).addErrback(self._log_failure)
        return port

    def close(self) -> Deferred[None]:
        """Stop listening, answer long polls now, let bodies under way finish, and fire when all have gone."""
        self.closing = True
        for channel in tuple(self.connections):
            channel.close()
        self.api.polls.wake()
        stopped = succeed(None) if self._port is None else maybeDeferred(self._port.stopListening)
        return stopped.addCallback(lambda _: self._all_gone()).addBoth(self._closed)

    def _all_gone(self) -> Deferred[None]:
        gone: Deferred[None] = Deferred()
        self._wait_for_empty.append(gone)
        self._tell_when_empty()
        return gone

    def _closed(self, result: object) -> None:
        if self._sweeping.running:
            self._sweeping.stop()
        if isinstance(result, Failure):
            self._log_failure(result)

    def _tell_when_empty(self) -> None:
        while self._wait_for_empty and not self.connections:
            self._wait_for_empty.pop().callback(None)

    def buildProtocol(self, addr: IAddress | None) -> DoorChannel | None:  # noqa: ARG002  all are welcome
        """Welcome one more connection, or close it at once when there are too many."""
        if self.closing or len(self.connections) >= self.limits.connections:
            return None
        return DoorChannel(self)

    def forget(self, channel: DoorChannel) -> None:
        """Count this connection no longer."""
        self.connections.discard(channel)
        self._tell_when_empty()

    def sweep(self) -> None:
        """End every connection whose patience is over, and tell the time of the next second."""
        self._tell_date()
        moment = self.clock.seconds()
        for channel in tuple(self.connections):
            if channel.deadline <= moment:
                channel.expire()

    def hold(self, size: int) -> bool:
        """Count these bytes, unless the budget is spent."""
        if self.held_bytes + size > self._budget:
            return False
        self.held_bytes += size
        return True

    def has_room(self, size: int) -> bool:
        """Say whether a body of this size would fit at this moment."""
        return self.held_bytes + size <= self._budget

    def let_go(self, size: int) -> None:
        """Count these bytes no longer."""
        self.held_bytes -= size

    def judge(self, request: DoorRequest, method: bytes, target: bytes, length: int | None) -> Refusal | None:
        """Return why this request goes no further, or None; `length` None is a chunked body."""
        request.method, request.uri = method, target
        request.path, _, query = target.partition(b"?")
        by_method, request.tail = self.api.find(request.path)
        if by_method is None:
            return NO_SUCH
        route = by_method.get(b"GET" if method == b"HEAD" else method)
        if route is None:
            return WRONG_VERB.naming("", Allow=self.api.allowed(by_method))
        request.route = route
        if route.needs_token and not self._knows(request):
            return WHO_ARE_YOU
        if query:
            found = query_of(query)
            if found is None:
                return NOT_UNDERSTOOD.naming("query")
            request.query = found
        return route.judge(request, length)

    def _knows(self, request: DoorRequest) -> bool:
        values = request.requestHeaders.getRawHeaders(b"Authorization") or (b"",)
        scheme, _, token = values[0].partition(b" ")
        if len(values) > 1 or scheme.lower() != b"bearer" or not token:
            return False
        request.sender = self.hall.who(sha256(token.strip()).hexdigest()) or ""
        return bool(request.sender)

    def head(
        self,
        status: int,
        reason: str,
        length: int,
        kind: str,
        headers: Iterable[tuple[str, str]] = (),
        *,
        close: bool,
    ) -> bytes:
        """Return the head of an answer, and count it."""
        self.answers[status] += 1
        more = "".join(f"{name}: {value}\r\n" for name, value in headers)
        if close:
            more += "Connection: close\r\n"
        return (
            f"HTTP/1.1 {status} {reason}\r\nServer: kouan\r\nDate: {self._date}\r\nCache-Control: no-store\r\n"
            f"X-Content-Type-Options: nosniff\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{more}\r\n"
        ).encode("latin-1")

    def mistaken(self, failure: Failure) -> Refusal:
        """Log what went wrong with all we know, and return what the outside hears."""
        self._log_failure(failure)
        return OUR_MISTAKE

    def _log_failure(self, failure: Failure) -> None:
        self._log.failure("http.mistake", failure=failure)

    def _tell_date(self) -> None:
        self._date = datetimeToString(self.clock.seconds()).decode("ascii")  # type: ignore[no-untyped-call]
