"""The identity service: whether a name and a number belong together, asked over HTTP.

One POST of JSON with a bearer token a question.  What is sent and what an
answer means are rows of identity_requests.csv and identity_answers.csv, by
dialect.  Nothing that is told of a failure holds a name, a number or any text
of the other side.

**Known limits.**  A vendor who wants requests signed in his own way is asked
through a relay that signs them; redirects are not followed; an answer is read
up to 64 KiB.
"""

import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from treq.client import HTTPClient
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.python.failure import Failure
from twisted.web.client import Agent

from adapters.identity_dialects import request_of, verdict_of
from message_specs.verdict import PASSING, Verdict

_ANSWER_BYTES: Final = 64 * 1024
_UNHEARD: Final = frozenset({502, 504})
"""So a proxy says that it heard nothing right from the service, which may have been asked all the same."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of asking; `lost` where the service may have answered and we do not know what."""

    verdict: Verdict
    trouble: str = ""
    lost: bool = False


class _TooLong(Exception):  # noqa: N818  named for what happened
    """The answer is longer than any answer is"""


class IdentityService:
    """Asks one service."""

    def __init__(
        self, url: str, token: str, *, dialect: str = "generic", total_seconds: float = 10.0, clock: Any = None
    ) -> None:
        """Nothing is asked yet; `clock` is the reactor unless a test has another."""
        from twisted.internet import reactor

        self._url = url
        self._place = urlsplit(url).hostname or url
        self._token = token
        self._dialect = dialect
        self._seconds = total_seconds
        self._clock = clock or reactor
        # A connection that stayed open may be dead when it is needed, and then nobody knows what became of a question.
        agent = Agent(reactor, connectTimeout=total_seconds / 2)  # type: ignore[no-untyped-call]
        self._client: Any = HTTPClient(agent)

    def ask(self, name: str, number: str) -> "Deferred[Answered]":
        """Fire with the verdict, or with what kept us from it; never fail."""
        asking = Deferred.fromCoroutine(self._ask(name, number))
        asking.addTimeout(self._seconds, self._clock, _out_of_time)
        return asking.addErrback(self._failed)

    async def _ask(self, name: str, number: str) -> Answered:
        response = await self._client.post(
            self._url,
            data=json.dumps(request_of(self._dialect, name, number), ensure_ascii=False).encode(),
            headers={
                "Authorization": f"Bearer {self._token}", "Content-Type": "application/json; charset=utf-8",
                "Accept": "application/json", "User-Agent": "kouan",
            },
            allow_redirects=False,
        )  # fmt: skip
        parts: list[bytes] = []

        def collect(part: bytes) -> None:
            if sum(map(len, parts)) + len(part) > _ANSWER_BYTES:
                raise _TooLong
            parts.append(part)

        await response.collect(collect)
        return self._judge(int(response.code), b"".join(parts))

    def _judge(self, code: int, body: bytes) -> Answered:
        if code == 429:
            return Answered(Verdict.LIMIT, f"{self._place} answered 429")
        if not 200 <= code < 300:
            return Answered(Verdict.SERVICE_ERROR, f"{self._place} answered {code}", lost=code in _UNHEARD)
        try:
            answer = json.loads(body, object_pairs_hook=_said_once)
        except (ValueError, RecursionError):
            return Answered(Verdict.SERVICE_ERROR, f"{self._place}: the answer is no JSON", lost=True)
        verdict = verdict_of(self._dialect, answer)
        if verdict is None:
            trouble = f"{self._place}: no row of identity_answers.csv knows the answer ({self._dialect})"
            return Answered(Verdict.SERVICE_ERROR, trouble, lost=True)
        return Answered(verdict, f"{self._place} said so" if verdict in PASSING else "")

    def _failed(self, failure: Failure) -> Answered:
        # The text of an exception may quote what was sent or what came; its kind does not.
        unheard = isinstance(failure.value, ConnectError | DNSLookupError)
        what = "no connection" if unheard else "no whole answer"
        trouble = f"{self._place}: {what} ({failure.type.__name__})" if failure.type else f"{self._place}: {what}"
        return Answered(Verdict.SERVICE_ERROR, trouble, lost=not unheard)


def _said_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the object of these pairs; ValueError where it says one thing twice, for then it says nothing."""
    told = dict(pairs)
    if len(told) != len(pairs):
        raise ValueError("twice")
    return told


def _out_of_time(result: Any, seconds: float) -> Any:
    """Return what came in spite of the cancellation, or say that time was up: Agent says it in many ways."""
    return Failure(defer.TimeoutError(seconds)) if isinstance(result, Failure) else result  # type: ignore[no-untyped-call]
