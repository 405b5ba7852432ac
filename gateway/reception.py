"""The reception: what the doors bring waits here in turns, gets its numbers, and goes to a worker in batches.

Batches adapt: a file that comes when it is quiet goes at once; in a stream the
batches keep a small distance, and under load they hold some hundreds.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from adapters.doors.hall import DiskNearlyFull, Full, OnceConflict
from gateway.config import Workers
from gateway.crew import Crew
from gateway.frames import Answer
from gateway.intake import promised
from gateway.logs import log
from gateway.turns import PATIENCE_SECONDS, Following, Turns
from mapping.cells import is_table
from spool.errors import OurMistake
from spool.interchange import Batch, Claim
from spool.number import Numbers

_RETRY_SECONDS = 5.0
_DOUBLINGS = 7
_PATIENCE_SECONDS = 300.0
"""So long a request waits for its acknowledgement at most."""
_ENOUGH = 100
"""So many files are a batch worth starting at any moment."""
_SMALL = 32 * 1024
"""A table up to this size goes with the messages; one of more than a piece all the same is taken out by the worker."""
_TOLD = 3
"""So many troubles of a kind are logged."""
_MOST_WAITING = 4000
_MOST_BYTES = 64 * 1024 * 1024


class NotTakenIn(OurMistake):
    """The interchange could not be taken in; nothing was accepted"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One transmission without a number yet, who waits for its acknowledgement, and whom to tell that it is claimed."""

    sender: str
    door: str
    file: str
    path: str = ""
    body: bytes | None = None
    once: str | None = None
    done: "Deferred[bytes] | None" = None
    claimed: Callable[[], None] | None = None


class Reception:
    """Between the doors and the crew."""

    def __init__(
        self, reactor: Any, settings: Workers, numbers: Numbers, news: Callable[[Iterable[str]], None]
    ) -> None:
        """`news` is told which partners have something new in out/."""
        self._reactor = reactor
        self._settings = settings
        self._numbers = numbers
        self._news = news
        self._turns: Following[Waiting] = Following()
        self.follow: frozenset[str] = frozenset()
        """Whose documents wait for those of others, so that these go first."""
        self._tables: Turns[Waiting] = Turns()
        self._long: set[int] = set()
        self._bytes = 0
        self._last = 0.0
        self._pausing = False
        self._following: Any = None
        self._in_flight: dict[int, Batch] = {}
        self._attempts: dict[int, int] = {}
        self._lines: dict[int, Waiting] = {}
        self.crew: Crew | None = None
        self.taken_in = 0
        self.batches = 0
        self.troubles = 0
        self.seconds = 0.0

    def __len__(self) -> int:
        return len(self._turns) + len(self._tables)

    @property
    def in_flight(self) -> int:
        """How many batches are with workers."""
        return len(self._in_flight)

    def hand_in(self, waiting: Waiting, size: int) -> None:
        """The file waits for its turn; tables that may be long have turns of their own."""
        if size > _SMALL and is_table(waiting.file):
            self._tables.add(waiting.sender, waiting, size)
        else:
            self._turns.add(waiting.sender, waiting, size, follows=waiting.sender in self.follow)
        self.feed()

    def receive(self, sender: str, door: str, file: str, body: bytes, once: str | None) -> "Deferred[bytes]":
        """Return what fires with the acknowledgement; Full when too much waits already."""
        done: Deferred[bytes] = Deferred()
        if len(self) >= _MOST_WAITING or self._bytes + len(body) > _MOST_BYTES:
            done.errback(Failure(Full()))  # type: ignore[no-untyped-call]
            return done
        self._bytes += len(body)
        done.addTimeout(_PATIENCE_SECONDS, self._reactor, onTimeoutCancel=_out_of_patience)
        self.hand_in(Waiting(sender, door, file, body=body, once=once, done=done), len(body))
        return done

    def recover(self, claims: list[Claim]) -> "Deferred[Answer]":
        """What a crash left in the store without a row is taken in under its own numbers."""
        assert self.crew is not None
        batch = Batch(claims[0].number, claims[-1].number, min([claims[0].number, *self._in_flight]), tuple(claims))
        return self._assign(batch, "take_in")

    def go_on(self, tables: Iterable[Claim]) -> None:
        """Long tables that a crash cut short go on, beside everything else."""
        for claim in tables:
            self._long.add(claim.number)
            self._assign(Batch(claim.number, claim.number, claim.number, (claim,)), "go_on")

    def feed(self) -> None:
        """Every free worker has a batch, as far as something waits and the last batch is not too fresh.

        Of tables that may be long, no more are begun than there are workers; their pieces take turns with all else.
        """
        while self.crew is not None and len(self._long) < self._settings.count and len(self._tables):
            batch = self._batch_of([waiting for waiting, _ in self._tables.take(1, 1)])
            self._long.add(batch.first)
            self._assign(batch, "take_in")
        while self.crew is not None and (free := self.crew.free) > 0 and len(self._turns):
            if self._too_soon():
                return
            share = -(-len(self._turns) // free)
            most = min(share, self._settings.group_files)
            now = self._reactor.seconds()
            taken, first = self._turns.take(most, self._settings.group_bytes, now)
            if not taken:
                self._feed_later()
                return
            batch = self._batch_of(taken)
            self._turns.give_out(batch.first, first, now)
            self._assign(batch, "take_in")

    def _feed_later(self) -> None:
        """Who follows waits for what is in hand, but not for ever."""
        if self._following is None or not self._following.active():
            self._following = self._reactor.callLater(PATIENCE_SECONDS, self.feed)

    def _batch_of(self, taken: list[Waiting]) -> Batch:
        numbers = self._numbers.take(len(taken))
        claims = []
        for number, waiting in zip(numbers, taken, strict=True):
            self._lines[number] = waiting
            if waiting.body is not None:
                self._bytes -= len(waiting.body)
            claims.append(_claim(number, waiting))
        return Batch(numbers[0], numbers[-1], min([numbers[0], *self._in_flight]), tuple(claims))

    def _too_soon(self) -> bool:
        """In a stream of single files batches keep a distance, so that some files share what a batch costs.

        Who waits on a line waits a quarter of it.
        """
        now = self._reactor.seconds()
        distance = self._settings.pace_seconds / (4 if self._bytes else 1)
        # A last batch in the future is one of a clock that was set back: nobody waits for that.
        if len(self._turns) >= _ENOUGH or not 0 <= now - self._last < distance:
            self._last = now
            return False
        if not self._pausing:
            self._pausing = True
            self._reactor.callLater(self._last + distance - now, self._paused)
        return True

    def _paused(self) -> None:
        self._pausing = False
        self.feed()

    @property
    def low_water(self) -> int:
        """Every number below this is settled in the ledger."""
        return min([self._numbers.following, *self._in_flight])

    def _assign(self, batch: Batch, kind: str, slot: int | None = None) -> "Deferred[Answer]":
        assert self.crew is not None
        self._in_flight[batch.first] = batch
        started = time.monotonic()
        done = self.crew.do(kind, batch, slot)
        done.addCallback(self._answered, batch, started)
        done.addErrback(self._mistaken, batch)
        return done

    def _mistaken(self, failure: Failure, batch: Batch) -> Answer:
        """Nobody waits for ever, whatever we did wrong; what has no row is found by the next start."""
        trouble = failure.getTraceback()
        log.error("reception.mistake", trouble=trouble)
        self._in_flight.pop(batch.first, None)
        self._turns.settle(batch.first)
        for claim in batch.claims:
            self._long.discard(claim.number)
            waiting = self._lines.pop(claim.number, None)
            if waiting is not None and waiting.done is not None and not waiting.done.called:
                waiting.done.errback(Failure(NotTakenIn()))  # type: ignore[no-untyped-call]
        return Answer(trouble=trouble)

    def _answered(self, answer: Answer, batch: Batch, started: float) -> Answer:
        if answer.untold:
            log.error("letting_go.trouble", trouble="; ".join(answer.untold[:_TOLD]))
        if answer.trouble:
            self._troubled(answer, batch)
            return answer
        del self._in_flight[batch.first]
        self._turns.settle(batch.first)
        self._attempts.pop(batch.first, None)
        self.batches += 1
        self.taken_in += len(batch.claims) - len(answer.more)
        self.seconds += time.monotonic() - started
        for claim in batch.claims:
            if claim.number not in answer.more or claim.number in answer.answers or not promised(claim):
                self._hear(claim, answer)
        self._news(answer.news)
        self._go_on(answer, batch)
        return answer

    def _go_on(self, answer: Answer, batch: Batch) -> None:
        """What else waits has the worker first; then a long table has its next piece there."""
        for claim in batch.claims:
            if claim.number not in answer.more:
                self._long.discard(claim.number)
                continue
            self._long.add(claim.number)
            # Its bytes lie in the store.
            bare = msgspec.structs.replace(claim, body=None)
            self._in_flight[claim.number] = Batch(claim.number, claim.number, batch.low_water, (bare,))
        if answer.more:
            self.feed()
        for number in answer.more:
            self._assign(self._in_flight[number], "go_on", answer.slot)

    def _hear(self, claim: Claim, answer: Answer) -> None:
        waiting = self._lines.pop(claim.number, None)
        if waiting is not None:
            _tell(waiting, answer.answers.get(claim.number))

    def _troubled(self, answer: Answer, batch: Batch) -> None:
        """What has an answer is in; who waits on a line is told of the trouble, files stay claimed and are tried again.

        A disk may be well again in a moment; what else failed waits longer each time.
        """
        self.troubles += 1
        log.error("intake.trouble", trouble=answer.trouble, files=len(batch.claims))
        files = []
        for claim in batch.claims:
            waiting = self._lines.get(claim.number)
            if claim.number in answer.answers:
                self._hear(claim, answer)
            elif waiting is not None and waiting.done is not None and claim.body is not None:
                del self._lines[claim.number]
                waiting.done.errback(Failure(DiskNearlyFull() if answer.disk else NotTakenIn(answer.trouble)))  # type: ignore[no-untyped-call]
            else:
                files.append(claim)
        self._news(answer.news)
        del self._in_flight[batch.first]
        self._turns.settle(batch.first)
        attempts = self._attempts.pop(batch.first, 0) + 1
        if files:
            again = Batch(files[0].number, files[-1].number, batch.low_water, tuple(files))
            self._in_flight[again.first] = again
            self._attempts[again.first] = attempts
            doubled = _RETRY_SECONDS * 2 ** min(attempts, _DOUBLINGS)
            self._reactor.callLater(_RETRY_SECONDS if answer.disk else doubled, self._assign, again, "take_again")


def _out_of_patience(result: object, _: float) -> object:
    """A line that waited too long hears that there is no room; what was brought on it may be taken in all the same."""
    if isinstance(result, Failure) and result.check(CancelledError):  # type: ignore[no-untyped-call]
        raise Full
    return result


def _claim(number: int, waiting: Waiting) -> Claim:
    file = waiting.file or f"{number}.xml"
    return Claim(number, waiting.sender, waiting.door, file, waiting.path, waiting.body, once=waiting.once)


def _tell(waiting: Waiting, answer: bytes | None) -> None:
    if waiting.claimed is not None:
        waiting.claimed()
    if waiting.done is not None:
        if answer:
            waiting.done.callback(answer)
        else:
            waiting.done.errback(Failure(OnceConflict() if answer == b"" else NotTakenIn()))  # type: ignore[no-untyped-call]
