"""One connection of the HTTP door: what arrives, and how long it may take.

Every phase of a connection has a moment at which patience ends; the door looks
at all connections once a second, so a request costs no timer.  What is refused
before its body was read is answered at once, then the rest is read and thrown
away for a while: closing at once would make the kernel send a reset, and the
caller would lose the answer.
"""

from enum import Enum, auto
from math import inf
from typing import TYPE_CHECKING, Any

from twisted.web.http import HTTPChannel

from adapters.doors.http_refusals import HEADERS_TOO_BIG, NOT_UNDERSTOOD, TOO_SLOW, Refusal
from adapters.doors.http_request import JSON, SWALLOWED, DoorRequest

if TYPE_CHECKING:
    from adapters.doors.http import HttpDoor


class Phase(Enum):
    """Where a connection stands."""

    IDLE = auto()  # between requests
    HEAD = auto()
    BODY = auto()
    BUSY = auto()  # all is here, the hall is asked
    LINGERING = auto()  # answered early, the rest is thrown away
    CLOSING = auto()


class DoorChannel(HTTPChannel):
    """A connection that knows its phase and the moment it is given up."""

    requestFactory = DoorRequest  # type: ignore[assignment]  # it is made for this channel only
    requests: list[DoorRequest]
    transport: Any  # a TCP transport that can be half closed
    maxHeaders = 100
    MAX_LENGTH = 8192
    totalHeadersSize = 16384

    def __init__(self, door: "HttpDoor") -> None:
        """Belong to this door."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.door = door
        self.phase = Phase.IDLE
        self.deadline = inf
        self._since = 0.0
        self._thrown_away = 0

    @property
    def lingering(self) -> bool:
        """Whether this connection was answered early and only reads to the end."""
        return self.phase is Phase.LINGERING

    def connectionMade(self) -> None:
        """Be counted among the door's connections."""
        super().connectionMade()  # type: ignore[no-untyped-call]
        self.door.connections.add(self)
        self._rest()

    def _rest(self) -> None:
        self.phase = Phase.IDLE
        self.deadline = self.door.clock.seconds() + self.door.limits.idle_seconds

    def dataReceived(self, data: bytes) -> None:
        """Read on, or throw away what follows an early answer."""
        if self.phase is Phase.LINGERING:
            self._thrown_away += len(data)
            self._be_patient(self._thrown_away, self.door.limits.linger_seconds)
            return
        if self.phase is Phase.IDLE:
            self.phase = Phase.HEAD
            self.deadline = self.door.clock.seconds() + self.door.limits.head_seconds
        super().dataReceived(data)  # type: ignore[no-untyped-call]
        if self.phase is Phase.BODY:
            self._be_patient(self.requests[-1].received, self.door.limits.stall_seconds)

    def _be_patient(self, arrived: int, stall: float) -> None:
        """Give up when nothing comes for `stall` seconds, or when all in all it comes too slowly."""
        slowest = self._since + stall + arrived / self.door.limits.bytes_per_second
        self.deadline = min(slowest, self.door.clock.seconds() + stall)

    def allHeadersReceived(self) -> None:
        """Judge the request by its head, before a byte of its body is read."""
        request = self.requests[-1]
        self.phase = Phase.BODY
        self._since = self.door.clock.seconds()
        self.deadline = self._since + self.door.limits.stall_seconds
        refusal = self.door.judge(request, self._command, self._path, self.length)
        request.refused = refusal
        if refusal is not None and self.length != 0 and self._body_is_costly(request):
            self.cut(refusal)
            return
        super().allHeadersReceived()  # type: ignore[no-untyped-call]
        if self.door.closing:
            self.persistent = 0

    def _body_is_costly(self, request: DoorRequest) -> bool:
        waits = request.requestHeaders.hasHeader(b"Expect")
        return waits or self.length is None or self.length > SWALLOWED

    def allContentReceived(self) -> None:
        """Take as long as the hall takes: from here on the caller is not to blame."""
        if self.phase is Phase.LINGERING:
            return
        self.phase = Phase.BUSY
        self.deadline = inf
        super().allContentReceived()  # type: ignore[no-untyped-call]

    def requestDone(self, request: DoorRequest) -> None:
        """Wait for the next request."""
        self._rest()
        super().requestDone(request)  # type: ignore[no-untyped-call]

    def cut(self, refusal: Refusal) -> None:
        """Answer now, read no further request, and throw the rest away."""
        if self.phase in (Phase.LINGERING, Phase.CLOSING):
            return
        body = refusal.body()
        self.transport.write(
            self.door.head(refusal.status, refusal.reason, len(body), JSON, refusal.headers, close=True) + body
        )
        self.phase = Phase.LINGERING
        self._since = self.door.clock.seconds()
        self._be_patient(0, self.door.limits.linger_seconds)
        self.clearLineBuffer()  # type: ignore[no-untyped-call]
        self.setRawMode()  # type: ignore[no-untyped-call]
        self.transport.unregisterProducer()
        self.transport.loseWriteConnection()

    def rawDataReceived(self, data: bytes) -> None:
        """Pass a body on, unless this connection was answered early."""
        if self.phase is not Phase.LINGERING:
            super().rawDataReceived(data)

    def expire(self) -> None:
        """End this connection in the way its phase allows."""
        if self.phase in (Phase.HEAD, Phase.BODY):
            for request in self.requests:
                request.forget_body()
            self.cut(TOO_SLOW)
        elif self.phase is Phase.IDLE:
            self.close()
        else:
            self.transport.abortConnection()

    def close(self) -> None:
        """Close at once when idle, else after the answer that is under way."""
        self.persistent = 0
        if self.phase is Phase.IDLE:
            self.phase = Phase.CLOSING
            self.deadline = self.door.clock.seconds() + self.door.limits.linger_seconds
            self.loseConnection()  # type: ignore[no-untyped-call]

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: ARG002  its length says it all
        """Refuse a request line or header that is too long."""
        self.cut(HEADERS_TOO_BIG)

    def _respondToBadRequestAndDisconnect(self) -> None:
        """Say in our own form what twisted.web would say in one bare line."""
        over = self._receivedHeaderSize > self.totalHeadersSize or self._receivedHeaderCount > self.maxHeaders
        self.cut(HEADERS_TOO_BIG if over else NOT_UNDERSTOOD)

    def connectionLost(self, reason: Any = None) -> None:
        """Be forgotten by the door."""
        self.door.forget(self)
        super().connectionLost(reason)  # type: ignore[no-untyped-call]
