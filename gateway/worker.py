"""A worker: one process that takes batches through the clerk and answers on its standard output.

Frames are four bytes of length and a msgpack list.  A batch that fails as a
whole is taken apart, so that one poisonous file costs only itself: it is held
with the traceback, and the hall stays open.
"""

import os
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from gateway import mishap
from gateway.clerk import Clerk, clerk_at, quiet
from gateway.config import load_house
from gateway.frames import Answer, Job, read_frame, write_frame
from gateway.letting_go import Parting
from gateway.recovering import at_work
from gateway.resuming import resume
from spool.errors import ForOperator, Told
from spool.interchange import Batch
from spool.ledger import Ledger
from spool.number import SEQUENCE, Numbers
from spool.store import is_full

LANE_FIRST = 500_000
LANE_WIDTH = 6_000


def now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)


class Worker:
    """The clerk of one process, and the jobs he knows."""

    def __init__(self, home: Path, slot: int, pulse: Callable[[str], None] = quiet) -> None:
        self._home = home
        self._pulse = pulse
        self._ledger = Ledger(clerk_at(home))
        row = self._ledger.one("last_message")
        last = (row["number"] if row else None) or 0
        after = (last // SEQUENCE + 1) * SEQUENCE - 1 if last else 0
        self._numbers = Numbers(now, after=after, first=LANE_FIRST + slot * LANE_WIDTH, width=LANE_WIDTH)
        self._clerk = self._new_clerk()

    def _new_clerk(self) -> Clerk:
        house = load_house(self._home)
        return Clerk(house, self._ledger, now=now, numbers=self._numbers, pulse=self._pulse)

    def take_in(self, batch: Batch) -> Answer:
        """The batch is in the ledger; what failed by itself is held."""
        try:
            return _told(self._clerk.take_in(batch))
        except Exception as trouble:  # whatever it is, the hall stays open
            if isinstance(trouble, OSError) and is_full(trouble):
                raise
            return self._one_by_one(batch)

    def take_again(self, batch: Batch) -> Answer:
        """The batch of a worker that died is done: from the ledger as far as it got, else from where its files lie."""
        row = self._ledger.one("batch", batch.first)
        done = _told(self._clerk.let_go(batch.first, batch.last))
        if row and row["last"] == batch.last:
            return done
        # A batch taken apart has a row for each claim that was taken in alone.
        claims = (one for one in mishap.claimed(batch, self._clerk.store) if not self._ledger.one("batch", one.number))
        if not (rest := tuple(claims)):
            return done
        answer = self.take_in(msgspec.structs.replace(batch, first=rest[0].number if row else batch.first, claims=rest))
        return Answer(answers=done.answers | answer.answers, news=(*done.news, *answer.news))

    def hold(self, batch: Batch) -> Answer:
        """The one claim of the batch, which has cost workers their lives, is held whole."""
        if self._ledger.one("batch", batch.first):
            return self.take_again(batch)
        claims = tuple(mishap.claimed(batch, self._clerk.store))
        held = msgspec.structs.replace(batch, claims=claims)
        return _told(mishap.hold(self._clerk, held, "a worker process died of it")) if claims else Answer()

    def _one_by_one(self, batch: Batch) -> Answer:
        answers: dict[int, bytes] = {}
        news: set[str] = set()
        for claim in mishap.claimed(batch, self._clerk.store):
            single = Batch(claim.number, claim.number, batch.low_water, (claim,))
            try:
                parting = self._clerk.take_in(single)
            except Exception as trouble:  # held with its traceback
                if isinstance(trouble, OSError) and is_full(trouble):
                    raise
                reason = traceback.format_exc(limit=-6)
                parting = mishap.hold(self._clerk, single, reason)
            answers |= parting.answers
            news |= parting.news
        return Answer(answers=answers, news=tuple(news))

    def resume(self) -> Answer:
        """Due documents have gone on."""
        clerk = self._clerk
        return Answer(count=resume(*clerk.resources(), now()))

    def let_go_again(self) -> Answer:
        """Open batches have been let go."""
        return Answer(news=tuple(self._clerk.let_go_again()))

    def reload(self) -> Answer:
        """The configuration was read anew; a wrong one leaves the old in force and raises."""
        self._clerk = self._new_clerk()
        return Answer()

    def do(self, job: Job) -> Answer:
        """Return the answer to a job; trouble for the operator is an answer too."""
        try:
            if job.batch is not None:
                return {"take_in": self.take_in, "take_again": self.take_again, "hold": self.hold}[job.kind](job.batch)
            return {"resume": self.resume, "let_go_again": self.let_go_again, "reload": self.reload}[job.kind]()
        except ForOperator as trouble:
            return Answer(trouble=str(trouble))
        except OSError as trouble:
            return Answer(trouble=f"{type(trouble).__name__}: {trouble}", disk=True)
        except Told as trouble:
            return Answer(trouble=str(trouble))


def _told(parting: Parting) -> Answer:
    return Answer(answers=parting.answers, news=tuple(parting.news))


def serve(worker: Worker, source: BinaryIO, sink: BinaryIO) -> None:
    """Every job read from `source` is answered on `sink`, in order, until the source ends."""
    decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Job)
    while (frame := read_frame(source)) is not None:
        job = decoder.decode(frame)
        answer = worker.do(job)
        write_frame(sink, msgspec.msgpack.encode(msgspec.structs.replace(answer, job=job.id)))


def main() -> None:
    """Serve the home and slot named on the command line."""
    home, slot = Path(sys.argv[1]), int(sys.argv[2])
    sink = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    at_work(home)
    worker = Worker(home, slot, mishap.stopper(os.environ.get("KOUAN_STOP_AT", "")))
    write_frame(sink, msgspec.msgpack.encode(Answer(job=0)))
    serve(worker, sys.stdin.buffer, sink)


if __name__ == "__main__":
    main()
