"""Long polls: a caller waits for receipts without holding a thread, and each sender only a few times."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from twisted.internet import defer
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.internet.task import deferLater

if TYPE_CHECKING:
    from adapters.doors.http import HttpDoor
    from adapters.doors.http_request import DoorRequest

Found = tuple[list[dict[str, Any]], int]
_GATHER_SECONDS = 0.05  # receipts settle in groups: a burst is one answer, and news without receipts is no tight loop


class Polls:
    """The callers of this door that wait for receipts."""

    def __init__(self, door: "HttpDoor") -> None:
        """Begin with nobody waiting."""
        self._door = door
        self.waiting: Counter[str] = Counter()
        self._news: set[Deferred[None]] = set()

    def has_room(self, sender: str) -> bool:
        """Say whether this sender may wait once more."""
        return self.waiting[sender] < self._door.limits.polls_per_sender

    def ask(self, request: "DoorRequest", after: int, limit: int, wait: int) -> Deferred[Found]:
        """Fire with what came after the cursor, as soon as there is any or the wait is over."""
        if not wait:
            return maybeDeferred(self._door.hall.receipts, request.sender, after, limit)
        found = ensureDeferred(self._until_found(request.sender, after, limit, wait))
        request.notifyFinish().addErrback(lambda _: found.cancel())
        return found

    async def _until_found(self, sender: str, after: int, limit: int, wait: int) -> Found:
        until = self._door.clock.seconds() + wait
        self.waiting[sender] += 1
        try:
            while True:
                news = self._door.hall.receipts_news(sender)  # asked for first: nothing slips between
                try:
                    found, cursor = await self._door.hall.receipts(sender, after, limit)
                    left = until - self._door.clock.seconds()
                    if found or left <= 0 or self._door.closing or not await self._wait(news, left):
                        return found, cursor
                finally:
                    news.addErrback(lambda _: None)
                    news.cancel()
        finally:
            self.waiting[sender] -= 1
            if not self.waiting[sender]:
                del self.waiting[sender]

    async def _wait(self, news: Deferred[None], left: float) -> bool:
        heard: Deferred[None] = Deferred()
        self._news.add(heard)
        news.addBoth(lambda _: self._let_hear(heard))
        heard.addTimeout(left, self._door.clock)
        try:
            await heard
        except defer.TimeoutError:
            return False
        finally:
            self._news.discard(heard)
        if not self._door.closing:
            await deferLater(self._door.clock, min(left, _GATHER_SECONDS))
        return True

    def wake(self) -> None:
        """Let everybody who waits look once more and be answered; used when the door closes."""
        for heard in tuple(self._news):
            self._let_hear(heard)

    def _let_hear(self, heard: Deferred[None]) -> None:
        if heard in self._news and not heard.called:
            heard.callback(None)
