"""The crew: worker processes, kept alive, each with one job at a time.

A worker that dies is replaced and its batch is taken up again: what the ledger
has of it is done, the rest lies in the store under its numbers.  A batch that
kills its worker twice is taken apart; a single file that does so is held.  A job
that goes on killing is given up: whoever waits for it hears of the trouble.
"""

import contextlib
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IProcessTransport, IReactorProcess
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from gateway.frames import Answer, Job, joined
from gateway.logs import log
from spool.interchange import Batch

_DEATHS = 2
_DEATHS_HOLDING = 4
_PAUSE = 0.5
_PATIENCE = 30.0
"""So many seconds a worker has at the stop to finish what it has in hand."""


@dataclass(slots=True)
class Assigned:
    """A job on its way, who waits for it, and how many workers it has cost."""

    job: Job
    done: "Deferred[Answer]"
    deaths: int = 0
    slot: int | None = None
    """The worker that has what the job goes on with in hand; any other begins from the ledger."""


class Hand(ProcessProtocol):
    """The hall's side of one worker."""

    def __init__(self, crew: "Crew", slot: int) -> None:
        self._crew = crew
        self.slot = slot
        self.assigned: Assigned | None = None
        self.ready = False
        self.first: deque[Job] = deque()
        self._buffer = bytearray()

    def outReceived(self, data: bytes) -> None:
        """Whole frames are answers."""
        self._buffer += data
        while len(self._buffer) >= 4:
            size = int.from_bytes(self._buffer[:4], "big")
            if len(self._buffer) < 4 + size:
                return
            frame = bytes(self._buffer[4 : 4 + size])
            del self._buffer[: 4 + size]
            self._crew.answered(self, msgspec.msgpack.decode(frame, type=Answer))

    def give(self, assigned: Assigned) -> None:
        """The worker has the job."""
        self.assigned = assigned
        body = msgspec.msgpack.encode(assigned.job)
        transport = self.transport
        assert isinstance(transport, object)
        assert transport is not None
        transport.write(len(body).to_bytes(4, "big") + body)

    def processEnded(self, reason: Failure) -> None:
        """The crew learns of the death."""
        self._crew.died(self, reason)

    @property
    def process(self) -> IProcessTransport:
        """The process as the reactor sees it."""
        transport = self.transport
        assert transport is not None
        return transport


class Crew:
    """So many workers of one home; jobs go to whoever is free."""

    def __init__(
        self, reactor: IReactorProcess, home: Path, count: int, idle: Callable[[], None], environment: dict[str, str]
    ) -> None:
        """`idle` is called whenever a worker is free and no job waits."""
        self._reactor = reactor
        self._home = home
        self._count = count
        self._idle = idle
        self._environment = environment
        self._hands: dict[int, Hand] = {}
        self._waiting: deque[Assigned] = deque()
        self._next = 1
        self._stopping = False
        self._gone: Deferred[None] | None = None
        self._patience: Any = None

    def start(self) -> None:
        """Every worker is starting."""
        for slot in range(self._count):
            self._spawn(slot)

    def _spawn(self, slot: int) -> None:
        if self._stopping:
            return
        hand = Hand(self, slot)
        self._hands[slot] = hand
        arguments = [sys.executable, "-m", "gateway.worker", str(self._home), str(slot)]
        self._reactor.spawnProcess(
            hand, sys.executable, arguments, env=self._environment, childFDs={0: "w", 1: "r", 2: 2}
        )

    @property
    def free(self) -> int:
        """How many workers wait for a job."""
        idle = sum(1 for hand in self._hands.values() if hand.ready and hand.assigned is None)
        return idle - sum(1 for one in self._waiting if one.slot is None)

    @property
    def pids(self) -> list[int]:
        """The process ids of the living workers."""
        return [hand.process.pid for hand in self._hands.values() if hand.process.pid]

    def do(self, kind: str, batch: Batch | None = None, slot: int | None = None) -> "Deferred[Answer]":
        """Return what fires with the answer of whichever worker is free first, or of that one while it lives."""
        assigned = Assigned(Job(self._next, kind, batch), Deferred(), slot=slot if slot in self._hands else None)
        self._next += 1
        self._waiting.append(assigned)
        self._hand_out()
        return assigned.done

    def everyone(self, kind: str) -> None:
        """Every worker does this job before anything else."""
        for hand in self._hands.values():
            hand.first.append(Job(self._next, kind))
            self._next += 1
        self._hand_out()

    def _hand_out(self) -> None:
        for hand in self._hands.values():
            if hand.ready and hand.assigned is None:
                if hand.first:
                    hand.give(Assigned(hand.first.popleft(), Deferred()))
                elif one := next((one for one in self._waiting if one.slot in (None, hand.slot)), None):
                    self._waiting.remove(one)
                    hand.give(one)

    def answered(self, hand: Hand, answer: Answer) -> None:
        """The worker is free again and whoever waited has his answer."""
        assigned, hand.assigned = hand.assigned, None
        if assigned is None:
            hand.ready = True
        else:
            if answer.trouble and assigned.job.kind == "reload":
                log.error("config.refused", slot=hand.slot, trouble=answer.trouble)
            assigned.done.callback(msgspec.structs.replace(answer, slot=hand.slot) if answer.more else answer)
        self._hand_out()
        if self.free > 0:
            self._idle()

    def died(self, hand: Hand, reason: Failure) -> None:
        """The worker is replaced, and its job goes on with another."""
        self._hands.pop(hand.slot, None)
        if self._stopping:
            if hand.assigned is not None:
                _give_up(hand.assigned, "the daemon stops")
            self._end()
            return
        log.warning("worker.died", slot=hand.slot, reason=reason.getErrorMessage())
        for one in self._waiting:
            if one.slot == hand.slot:
                one.slot = None
        if hand.assigned is not None:
            self._again(hand.assigned)
            self._hand_out()
        self._reactor.callLater(_PAUSE, self._spawn, hand.slot)  # type: ignore[attr-defined]

    def _again(self, assigned: Assigned) -> None:
        assigned.deaths += 1
        assigned.slot = None
        batch = assigned.job.batch
        if batch is None or not batch.claims:
            if assigned.deaths >= _DEATHS or assigned.job.kind == "reload":
                _give_up(assigned, f"workers die of the job {assigned.job.kind}")
                return
        elif assigned.deaths < _DEATHS:
            assigned.job = msgspec.structs.replace(assigned.job, kind="take_again")
        elif len(batch.claims) > 1:
            self._apart(assigned, batch)
            return
        elif assigned.deaths < _DEATHS_HOLDING:
            assigned.job = msgspec.structs.replace(assigned.job, kind="hold")
        else:
            _give_up(assigned, f"workers die of {batch.first} and of holding it")
            return
        self._waiting.appendleft(assigned)

    def _apart(self, assigned: Assigned, batch: Batch) -> None:
        parts: list[Answer] = []

        def collect(answer: Answer) -> None:
            parts.append(answer)
            if len(parts) == len(batch.claims):
                assigned.done.callback(joined(parts))

        for claim in batch.claims:
            single = Batch(claim.number, claim.number, batch.low_water, (claim,))
            one = Assigned(Job(self._next, "take_again", single), Deferred(), deaths=_DEATHS - 1)
            self._next += 1
            one.done.addCallback(collect)
            self._waiting.append(one)

    def stop(self) -> "Deferred[None]":
        """Every worker has finished the job in hand and is gone; one that takes too long is killed.

        What still waited for a worker is given up; the next start finds its files.
        """
        self._stopping = True
        self._gone = Deferred()
        waiting, self._waiting = self._waiting, deque()
        for assigned in waiting:
            _give_up(assigned, "the daemon stops")
        for hand in list(self._hands.values()):
            hand.process.closeStdin()
        self._patience = self._reactor.callLater(_PATIENCE, self._kill)  # type: ignore[attr-defined]
        gone = self._gone
        self._end()
        return gone

    def _kill(self) -> None:
        for hand in list(self._hands.values()):
            log.error("worker.killed", slot=hand.slot, seconds=_PATIENCE)
            with contextlib.suppress(ProcessExitedAlready):
                hand.process.signalProcess("KILL")

    def _end(self) -> None:
        if not self._hands and self._gone is not None:
            gone, self._gone = self._gone, None
            if self._patience.active():
                self._patience.cancel()
            gone.callback(None)


def _give_up(assigned: Assigned, trouble: str) -> None:
    assigned.done.callback(Answer(trouble=trouble))
