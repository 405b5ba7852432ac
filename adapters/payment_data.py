"""realTimeDataUpload: one POST of a form to customs, and what it said, whole.

Whoever calls gives bytes that are sealed already; the same bytes go out at every attempt.

**Known limits.**  Redirects are not followed; the certificate of customs is judged by the trust store of the machine;
an answer is read up to 64 KiB.
"""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from treq.client import HTTPClient
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.python.failure import Failure
from twisted.web.client import Agent

_ANSWER_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What came of one upload: the status and the body of the answer, or why there is none."""

    status: int | None
    body: bytes = b""
    trouble: str = ""


class _TooLong(Exception):  # noqa: N818  named for what happened
    """The answer is longer than any answer is"""


class PaymentDataCarrier:
    """Uploads to one address."""

    def __init__(self, url: str, *, total_seconds: float = 30.0, clock: Any = None) -> None:
        """Nothing is sent yet; `clock` is the reactor unless a test has another."""
        from twisted.internet import reactor

        self._url = url
        self._place = urlsplit(url).hostname or url
        self._seconds = total_seconds
        self._clock = clock or reactor
        agent = Agent(reactor, connectTimeout=total_seconds / 2)  # type: ignore[no-untyped-call]
        self._client: Any = HTTPClient(agent)

    def upload(self, body: bytes) -> "Deferred[Uploaded]":
        """Fire with what customs said, or with what kept it from saying it; never fail."""
        posting = Deferred.fromCoroutine(self._post(body))
        posting.addTimeout(self._seconds, self._clock, _out_of_time)
        return posting.addErrback(self._failed)

    async def _post(self, body: bytes) -> Uploaded:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "kouan"}
        response = await self._client.post(self._url, data=body, headers=headers, allow_redirects=False)
        parts: list[bytes] = []

        def collect(part: bytes) -> None:
            if sum(map(len, parts)) + len(part) > _ANSWER_BYTES:
                raise _TooLong
            parts.append(part)

        await response.collect(collect)
        status = int(response.code)
        trouble = "" if 200 <= status < 300 else f"{self._place} answered {status}"
        return Uploaded(status, b"".join(parts), trouble)

    def _failed(self, failure: Failure) -> Uploaded:
        unheard = isinstance(failure.value, ConnectError | DNSLookupError)
        what = "no connection" if unheard else "no whole answer"
        name = failure.type.__name__ if failure.type else ""
        return Uploaded(None, trouble=f"{self._place}: {what} ({name})")


def _out_of_time(result: Any, seconds: float) -> Any:
    """Return what came in spite of the cancellation, or say that time was up."""
    return Failure(defer.TimeoutError(seconds)) if isinstance(result, Failure) else result  # type: ignore[no-untyped-call]
