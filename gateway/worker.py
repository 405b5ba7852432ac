"""A worker: one process that takes batches through the clerk and answers on its standard output.

Frames are four bytes of length and a msgpack list.  A batch that fails as a
whole is taken apart, so that one poisonous file costs only itself: it is held
with the traceback, and the hall stays open.
"""

import contextlib
import gc
import hashlib
import os
import sqlite3
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from gateway import mishap
from gateway.clerk import ALL_NUMBERS, Clerk, clerk_at
from gateway.config import House, load_house
from gateway.drawing import goods_came
from gateway.frames import Answer, Job, joined, read_frame, write_frame
from gateway.in_force import in_force
from gateway.letting_go import Parting
from gateway.parting import acknowledgement_of
from gateway.recovering import at_work
from gateway.settling import iso
from gateway.telling import quiet
from spool.errors import Told
from spool.interchange import Batch
from spool.ledger import Ledger
from spool.number import SEQUENCE, Numbers
from spool.store import is_of_the_disk

LANE_FIRST = 500_000
LANE_WIDTH = 6_000
_AT_ONCE = 50
_ALL = Batch(0, 0, ALL_NUMBERS, ())


def now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)


class Worker:
    """The clerk of one process, and the jobs he knows."""

    def __init__(
        self, home: Path, slot: int, pulse: Callable[[str], None] = quiet, house: Callable[[Path], House] = load_house
    ) -> None:
        """`house` gives the configuration of a home."""
        self._home = home
        self._house = house
        self._with_batch: dict[str, Callable[[Batch], Answer]] = {
            "take_in": self.take_in, "take_again": self.take_again, "hold": self.hold, "go_on": self.go_on,
            "let_go_again": self.let_go_again, "let_go_late": self.let_go_late,
        }  # fmt: skip
        self._alone: dict[str, Callable[[], Answer]] = {
            "resume": self.resume, "look": self.look, "reload": self.reload, "let_go_again": self.let_go_again,
        }  # fmt: skip
        self._pulse = pulse
        self._ledger = Ledger(clerk_at(home))
        given = [row["number"] for name in ("last_message", "last_number") if (row := self._ledger.one(name))]
        last = max([number for number in given if number], default=0)
        after = (last // SEQUENCE + 1) * SEQUENCE - 1 if last else 0
        self._numbers = Numbers(now, after=after, first=LANE_FIRST + slot * LANE_WIDTH, width=LANE_WIDTH)
        self._clerk = self._new_clerk()
        goods_came(self._ledger, self._clerk.house, iso(now()))

    def _new_clerk(self) -> Clerk:
        return Clerk(self._house(self._home), self._ledger, now=now, numbers=self._numbers, pulse=self._pulse)

    def take_in(self, batch: Batch) -> Answer:
        """The batch is in the ledger; what failed by itself is held."""
        try:
            return _told(self._clerk.take_in(batch, whole=False))
        except Exception as trouble:  # whatever it is, the hall stays open
            self._roll_back()
            if is_of_the_disk(trouble):
                raise
            if self._is_written(batch):
                return self._gone_wrong(batch) if self._clerk.is_unfinished(batch.first) else self.take_again(batch)
            return self._one_by_one(batch)

    def take_again(self, batch: Batch) -> Answer:
        """The batch of a worker that died is done: from the ledger as far as it got, else from where its files lie."""
        done = self._let_go(batch.first, batch.last)
        if self._is_written(batch):
            return joined([done, Answer(answers=dict(self._said_before(batch, done.answers)))])
        # Of a batch taken apart, or of which only the files came again, some claims are in the ledger already.
        rest = tuple(one for one in mishap.claimed(batch, self._clerk.store) if not self._is_settled(one.number))
        if not rest:
            return done
        first = rest[0].number if self._ledger.one("batch", batch.first) else batch.first
        return joined([done, self.take_in(msgspec.structs.replace(batch, first=first, claims=rest))])

    def go_on(self, batch: Batch) -> Answer:
        """One more piece of a long table is in the ledger; with the last, its acknowledgement has left."""
        if not self._clerk.is_unfinished(batch.first):
            return self.take_again(batch)
        try:
            return _told(self._clerk.go_on(batch))
        except Exception as trouble:  # whatever it is, the hall stays open
            self._roll_back()
            if is_of_the_disk(trouble):
                raise
            return self._gone_wrong(batch)

    def _gone_wrong(self, batch: Batch) -> Answer:
        """A long table ends where it stands, with the traceback; one of which nothing is written is held whole."""
        reason = traceback.format_exc(limit=-6)
        if self._is_settled(batch.first):
            return _told(self._clerk.abandon(batch.first, reason))
        claims = tuple(mishap.claimed(batch, self._clerk.store))
        return _told(mishap.hold(self._clerk, msgspec.structs.replace(batch, claims=claims), reason))

    def hold(self, batch: Batch) -> Answer:
        """The one claim of the batch, which has cost workers their lives, is held whole."""
        if self._clerk.is_unfinished(batch.first):
            return _told(self._clerk.abandon(batch.first, "a worker process died of it"))
        if self._is_settled(batch.first):
            return self.take_again(batch)
        claims = tuple(mishap.claimed(batch, self._clerk.store))
        held = msgspec.structs.replace(batch, claims=claims)
        return _told(mishap.hold(self._clerk, held, "a worker process died of it")) if claims else Answer()

    def _one_by_one(self, batch: Batch) -> Answer:
        parts: list[Answer] = []
        for claim in mishap.claimed(batch, self._clerk.store):
            single = Batch(claim.number, claim.number, batch.low_water, (claim,))
            if self._is_settled(claim.number):
                parts.append(self._let_go(claim.number, claim.number))
                continue
            try:
                parts.append(_told(self._clerk.take_in(single, whole=False)))
            except Exception as trouble:  # held with its traceback
                self._roll_back()
                if is_of_the_disk(trouble):
                    raise
                reason = traceback.format_exc(limit=-6)
                written = self._is_settled(claim.number)
                held = self._let_go(claim.number, claim.number) if written else None
                parts.append(held or _told(mishap.hold(self._clerk, single, reason)))
        return joined(parts)

    def _said_before(self, batch: Batch, answers: Mapping[int, bytes]) -> Iterator[tuple[int, bytes]]:
        """Yield what claims without a row hear, because their Idempotency-Keys came before."""
        for claim in batch.claims:
            if claim.number not in answers and claim.once and claim.body is not None:
                said = mishap.said_before(self._clerk, claim, hashlib.sha256(claim.body).digest())
                if said is not None:
                    yield claim.number, said

    def _is_written(self, batch: Batch) -> bool:
        row = self._ledger.one("batch", batch.first)
        return row is not None and bool(row["last"] == batch.last)

    def _is_settled(self, number: int) -> bool:
        return (self._ledger.one("batch", number) or self._ledger.one("interchange", number)) is not None

    def _let_go(self, first: int, last: int) -> Answer:
        """What the ledger promised has left as far as it could, and whoever waits on a line has his answer."""
        try:
            return _told(self._clerk.let_go(first, last))
        except Exception as trouble:  # it is in the ledger: its batch stays open, and the hall too
            self._roll_back()
            if is_of_the_disk(trouble):
                raise
            rows = self._ledger.all("interchanges_between", first, last)
            answers = {row["number"]: acknowledgement_of(self._ledger, row).as_json() for row in rows}
            return Answer(answers=answers, untold=(f"{first}: {trouble!r}",))

    def _roll_back(self) -> None:
        """A transaction that failed as it ended is over, so that the next one can begin."""
        if self._ledger.conn.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._ledger.conn.execute("ROLLBACK")

    def resume(self) -> Answer:
        """Due documents have gone on."""
        return Answer(count=self._clerk.resume())

    def look(self) -> Answer:
        """Due trades have been looked at, and partners have what they are to hear of theirs."""
        count = self._clerk.look()
        return Answer(count=count, news=tuple(self._clerk.drawing.news | self._clerk.tell()))

    def let_go_again(self, bounds: Batch = _ALL) -> Answer:
        """Open batches after `first` and below `low_water` have been let go as far as they could, fifty at most.

        `count` is the number after which more are open, 0 for none.
        """
        return self._let_go_open(bounds, together=False)

    def let_go_late(self, bounds: Batch) -> Answer:
        """The same, of batches that have left in part: what could not leave before leaves whole or not at all."""
        return self._let_go_open(bounds, together=True)

    def _let_go_open(self, bounds: Batch, *, together: bool) -> Answer:
        done, after = self._clerk.let_go_again(bounds.first, bounds.low_water, most=_AT_ONCE, together=together)
        self._roll_back()
        return Answer(news=tuple(done.news), count=after, untold=tuple(done.troubles))

    def reload(self) -> Answer:
        """The configuration that the daemon has put in force is the clerk's too."""
        self._clerk = self._new_clerk()
        goods_came(self._ledger, self._clerk.house, iso(now()))
        return Answer()

    def do(self, job: Job) -> Answer:
        """Return the answer to a job; whatever goes wrong is an answer too."""
        try:
            if job.batch is not None:
                answer = self._with_batch[job.kind](job.batch)
                more = tuple(claim.number for claim in job.batch.claims if self._clerk.is_unfinished(claim.number))
                return msgspec.structs.replace(answer, more=more) if more else answer
            return self._alone[job.kind]()
        except Told as trouble:
            return Answer(trouble=str(trouble))
        except Exception as trouble:  # noqa: BLE001  a worker that died of it would be given it again
            self._roll_back()
            if isinstance(trouble, OSError) or is_of_the_disk(trouble):
                return Answer(trouble=f"{type(trouble).__name__}: {trouble}", disk=True)
            return Answer(trouble=traceback.format_exc(limit=-6))


def _told(parting: Parting) -> Answer:
    return Answer(answers=parting.answers, news=tuple(parting.news), untold=tuple(parting.troubles))


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
    worker = Worker(home, slot, mishap.stopper(os.environ.get("KOUAN_STOP_AT", "")), in_force)
    sweep_seldom()
    write_frame(sink, msgspec.msgpack.encode(Answer(job=0)))
    serve(worker, sys.stdin.buffer, sink)


def sweep_seldom() -> None:
    """The collector of cycles looks at what comes and goes, about once a batch, and never again at tables and code.

    As Python sets it, it walks through all of them many times a batch: a twentieth of a worker's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 50)


if __name__ == "__main__":
    main()
