"""The HTTP carrier: one POST a parcel, a few at a time, over connections that stay open.

Only an authority that answers 2xx and ends its answer has the parcel.  A 4xx is
its refusal of these bytes; whatever else happens is a matter of time.

**Known limits**: redirects are not followed, as bytes must go where the
configuration says; no proxy; the certificate of an https authority is judged by
the trust store of the machine; an answer is read up to 64 KiB.
"""

from codecs import getincrementaldecoder
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

from OpenSSL import SSL
from twisted.internet import defer
from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults, maybeDeferred, succeed
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.interfaces import IConsumer
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool, ResponseDone, ResponseFailed
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IBodyProducer, IResponse
from zope.interface import implementer

from adapters.carriers.carrier import Carried, Fault, Parcel, quoted

AT_ONCE: Final = 8
_ANSWER_BYTES: Final = 64 * 1024
_SHOWN: Final = 200
_LATER: Final = frozenset({408, 425, 429})
_LONGEST_WAIT: Final = 86400


class HttpCarrier:
    """Carries to one address."""

    together = 1
    side_by_side = 64

    def __init__(
        self,
        url: str,
        *,
        connect_seconds: float = 10.0,
        total_seconds: float = 60.0,
        at_once: int = AT_ONCE,
        clock: Any = None,
    ) -> None:
        """Carry to this address, so many parcels side by side; nothing is asked of it yet."""
        from twisted.internet import reactor

        self._url = url
        self._place = urlsplit(url).hostname or url
        self._total_seconds = total_seconds
        self._clock = clock or reactor
        self._pool = HTTPConnectionPool(reactor)  # type: ignore[no-untyped-call]
        self._pool.maxPersistentPerHost = at_once
        self._pool.cachedConnectionTimeout = 15  # below the patience of usual servers: few meet a dead connection
        self._kept = Agent(reactor, connectTimeout=connect_seconds, pool=self._pool)  # type: ignore[no-untyped-call]
        self._fresh = Agent(reactor, connectTimeout=connect_seconds)  # type: ignore[no-untyped-call]
        self._hangs_up = False
        """The authority speaks HTTP/1.0 and closes after each answer, which the pool of connections does not know."""
        self._places = DeferredSemaphore(at_once)

    def carry(self, parcels: Sequence[Parcel]) -> Deferred[list[Carried]]:
        """Fire with one result a parcel when each was answered, refused or given up."""
        return gatherResults([self._places.run(self._carry, parcel) for parcel in parcels])

    def close(self) -> Deferred[None]:
        """Close the connections that stayed open, and fire when they are."""
        closed: Deferred[None] = self._pool.closeCachedConnections()  # type: ignore[no-untyped-call]
        return closed

    def _carry(self, parcel: Parcel) -> Deferred[Carried]:
        answered = maybeDeferred(self._post, parcel)
        answered.addTimeout(self._total_seconds, self._clock, _out_of_time)
        return answered.addCallbacks(self._judge, self._failed, callbackArgs=(parcel,), errbackArgs=(parcel,))

    def _post(self, parcel: Parcel) -> "Deferred[tuple[IResponse, bytes]]":
        headers = Headers(
            {
                "Content-Type": ["application/xml"],
                "Content-Disposition": [f"attachment; filename*=UTF-8''{quote(parcel.name)}"],
                "Idempotency-Key": [quote(parcel.name)],
                "User-Agent": ["kouan"],
            }
        )
        agent = self._fresh if self._hangs_up else self._kept
        request = agent.request(b"POST", self._url.encode("ascii"), headers, _Whole(parcel.body))
        return request.addCallback(self._read)

    def _read(self, response: IResponse) -> "Deferred[tuple[IResponse, bytes]]":
        self._hangs_up = tuple(response.version[1:]) < (1, 1)
        body = _Answer()
        response.deliverBody(body)  # type: ignore[no-untyped-call]
        return body.whole.addCallback(lambda read: (response, read))

    def _judge(self, answer: "tuple[IResponse, bytes]", parcel: Parcel) -> Carried:
        response, body = answer
        told = _shown(body)
        if 200 <= response.code < 300:
            return Carried(parcel.number, ok=True, acknowledgement=told)
        retry_after = self._retry_after(response)
        wait = f" (asks to wait {retry_after} s)" if retry_after is not None else ""
        reason = response.phrase.decode("latin-1")
        return Carried(
            parcel.number,
            ok=False,
            trouble=_one_line(f"{self._place} answered {response.code} {reason}{wait}: {quoted(told)}").rstrip(": "),
            permanent=400 <= response.code < 500 and response.code not in _LATER,
            retry_after=retry_after,
        )

    def _retry_after(self, response: IResponse) -> int | None:
        values = response.headers.getRawHeaders("Retry-After") or [""]
        try:
            seconds = int(values[0]) if values[0].isdecimal() else self._until(values[0])
        except (ValueError, TypeError, OverflowError):
            return None
        return max(0, min(seconds, _LONGEST_WAIT))

    def _until(self, date: str) -> int:
        return int(parsedate_to_datetime(date).timestamp() - self._clock.seconds())

    def _failed(self, failure: Failure, parcel: Parcel) -> Carried:
        fault: Fault = "road" if _was_shut(failure.value) else "doubt"
        return Carried(parcel.number, ok=False, trouble=f"{self._place}: {self._what(failure)}", fault=fault)

    def _what(self, failure: Failure) -> str:
        trouble = failure.value
        if isinstance(trouble, defer.TimeoutError):
            return f"no whole answer within {self._total_seconds:g} s"
        if isinstance(trouble, defer.CancelledError):
            return "given up before the answer came"
        if isinstance(trouble, DNSLookupError):
            return "no such host is known"
        if isinstance(trouble, ConnectError):
            return _one_line(f"no connection: {trouble}")
        if isinstance(trouble, ResponseFailed):
            inner = "; ".join(reason.getErrorMessage() for reason in trouble.reasons)
            return _one_line(f"the connection ended before the answer did: {inner}").rstrip(": ")
        return _one_line(f"{type(trouble).__name__}: {trouble}")


def _was_shut(trouble: BaseException | None) -> bool:
    """Tell whether the trouble came before anything of the parcel was said."""
    if isinstance(trouble, ResponseFailed):
        return all(isinstance(reason.value, SSL.Error) for reason in trouble.reasons)
    return isinstance(trouble, ConnectError | DNSLookupError | SSL.Error)


def _out_of_time(result: Any, seconds: float) -> Any:
    """Return what came in spite of the cancellation, or say that time was up: Agent says it in many ways."""
    return Failure(defer.TimeoutError(seconds)) if isinstance(result, Failure) else result  # type: ignore[no-untyped-call]


class _Answer(Protocol):
    """Reads an answer to its end, or to the limit."""

    def __init__(self) -> None:
        self.whole: Deferred[bytes] = Deferred(lambda _: self._stop())
        self._parts: list[bytes] = []
        self._size = 0

    def dataReceived(self, data: bytes) -> None:
        if self._size >= _ANSWER_BYTES:
            return
        self._parts.append(data[: _ANSWER_BYTES - self._size])
        self._size += len(data)
        if self._size >= _ANSWER_BYTES:
            self._stop()
            self._end()

    def _stop(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()

    def _end(self) -> None:
        if not self.whole.called:
            self.whole.callback(b"".join(self._parts))

    def connectionLost(self, reason: Failure | None = None) -> None:
        if reason is None or isinstance(reason.value, ResponseDone | PotentialDataLoss):
            self._end()
        elif not self.whole.called:
            self.whole.errback(reason)


@implementer(IBodyProducer)
class _Whole:
    """A body that is written in one piece."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.length = len(body)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self._body)
        return succeed(None)

    def pauseProducing(self) -> None:
        """Nothing is left to pause."""

    def resumeProducing(self) -> None:
        """Nothing is left to resume."""

    def stopProducing(self) -> None:
        """Nothing is left to stop."""


def _shown(body: bytes) -> str:
    """Return the first characters of an answer, whatever it is.

    >>> _shown("已收到".encode("gb18030")), _shown(b"<ok/>"), _shown(bytes([0, 255, 255]))
    ('已收到', '<ok/>', '�')
    """
    piece = body[: 4 * _SHOWN]
    try:
        text = getincrementaldecoder("utf-8")().decode(piece)
    except UnicodeDecodeError:
        text = getincrementaldecoder("gb18030")("replace").decode(piece)
    return _one_line(text)[:_SHOWN]


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
