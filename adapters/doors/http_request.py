"""One request at the HTTP door: judged by its head, its body held in memory within limits.

twisted.web parses; this class replaces what it does with a body (a temporary
file from 100 KB on, written in the reactor) and how it answers (a resource
tree and a chunked writer), because both cost more than the rest of the door.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from twisted.web.http import Request
from twisted.web.iweb import INonQueuedRequestFactory
from zope.interface import provider

from adapters.doors.http_refusals import BUSY, TOO_BIG, Refusal

if TYPE_CHECKING:
    from adapters.doors.http import HttpDoor
    from adapters.doors.http_api import Route
    from adapters.doors.http_channel import DoorChannel

JSON = "application/json"
SWALLOWED = 64 * 1024  # a refused body up to this size is read and forgotten, and the connection stays


@provider(INonQueuedRequestFactory)
class DoorRequest(Request):
    """A request of this door; its body is counted against the door's budget until it is answered."""

    channel: "DoorChannel | None"  # type: ignore[assignment]  # twisted.web clears it when the caller is gone
    route: "Route"
    sender: str = ""
    tail: str = ""  # what stands in the place of {number}
    file: str = ""
    once: str | None = None
    refused: Refusal | None = None
    answered: bool = False
    method: bytes = b""

    def __init__(self, channel: "DoorChannel") -> None:
        """Belong to this connection, without a body so far."""
        super().__init__(channel)
        self.door: HttpDoor = channel.door
        self.query: dict[str, str] = {}
        self._length = 0
        self._first = b""
        self._whole: BytesIO | None = None

    def gotLength(self, length: int | None) -> None:
        """Open no temporary file: the body stays in memory, within the budget."""

    def handleContentChunk(self, data: bytes) -> None:
        """Keep these bytes, or cut the request when they are too many for it or for the door."""
        if self.refused is not None or not data:
            return
        if self._length + len(data) > self.door.limits.body_bytes:
            self._cut(TOO_BIG)
        elif not self.door.hold(len(data)):
            self._cut(BUSY)
        else:
            self._keep(data)

    def _keep(self, data: bytes) -> None:
        self._length += len(data)
        if self._length == len(data):  # most bodies come in one piece
            self._first = data
            return
        if self._whole is None:  # a BytesIO gives its bytes without a copy, and is not fooled by tiny chunks
            self._whole = BytesIO()
            self._whole.write(self._first)
            self._first = b""
        self._whole.write(data)

    def _cut(self, refusal: Refusal) -> None:
        self.refused = refusal
        self.forget_body()
        if self.channel is not None:
            self.channel.cut(refusal)

    def take_body(self) -> bytes:
        """Return the whole body; its bytes stay counted until `forget_body`."""
        body = self._first if self._whole is None else self._whole.getvalue()
        self._first, self._whole = b"", None
        return body

    @property
    def received(self) -> int:
        """How many bytes of the body are counted."""
        return self._length

    def forget_body(self) -> None:
        """Let the body go and give its bytes back to the door's budget; twice is once."""
        self.door.let_go(self._length)
        self._length, self._first, self._whole = 0, b"", None

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: ARG002  judged before
        """Serve the request, or say why not, when all of it is here."""
        self.clientproto = version
        if self.channel is None or self.channel.lingering:
            return
        if self.refused is not None:
            self.refuse(self.refused)
        else:
            self.route.serve(self)

    def answer(
        self,
        status: int,
        reason: str,
        body: bytes,
        kind: str = JSON,
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Write one whole answer; one that nobody waits for any more is dropped."""
        self.forget_body()
        channel = self.channel
        if self.answered or channel is None or channel.lingering:
            return
        self.answered = True
        head = self.door.head(status, reason, len(body), kind, headers, close=not channel.persistent)
        channel.transport.write(head if self.method == b"HEAD" else head + body)
        self.startedWriting = self.finished = 1
        self._cleanup()  # type: ignore[no-untyped-call]

    def refuse(self, refusal: Refusal) -> None:
        """Answer with this refusal."""
        self.answer(refusal.status, refusal.reason, refusal.body(), JSON, refusal.headers)

    def connectionLost(self, reason: object) -> None:
        """Leave nothing behind when the caller went away mid-body; a body already handed in is the hall's."""
        super().connectionLost(reason)  # type: ignore[no-untyped-call]
        if not self._handed_in:
            self.forget_body()

    _handed_in = False

    def hand_in(self) -> bytes:
        """Return the body and keep it counted until the hall has answered, even if the caller goes away."""
        self._handed_in = True
        return self.take_body()
