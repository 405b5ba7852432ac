"""Upkeep: once a second the house sees to what nobody brings to it.

Room on the disk, a changed configuration, documents whose date has come, and
batches that are in the ledger and could not be let go.  What goes wrong in one
second is logged, and the next second comes.
"""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure

from gateway.config import House, fingerprint
from gateway.departures import Departures
from gateway.enquiries import Enquiries
from gateway.frames import Answer
from gateway.logs import log
from gateway.reception import Reception
from gateway.resuming import AT_ONCE
from gateway.settling import iso
from gateway.trading import AT_ONCE as TRADES_AT_ONCE
from spool.interchange import Batch
from spool.ledger import Ledger
from spool.number import SEQUENCE

_SECONDS = 1.0
_LATE_SECONDS = 10.0
"""So long a batch may be open before it is let go again, and so long until the next try."""
_TROUBLED_SECONDS = 30.0
"""After a trouble of ours due documents wait so long."""
_TOLD = 3


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look into the home told: its configuration, and whether the ledger has anything due or open."""

    fingerprint: object
    due: bool
    trades: bool
    late: bool


class Upkeep:
    """The clockwork of an open hall."""

    def __init__(
        self,
        reactor: Any,
        pool: Any,
        ledger: Ledger,
        reception: Reception,
        enquiries: Enquiries,
        departures: Departures,
        *,
        house: Callable[[], House],
        reload: Callable[[], "Deferred[None]"],
        news: Callable[[Iterable[str]], None],
    ) -> None:
        """`reload` reads the configuration anew; `news` is told whose out/ has something new."""
        self._reactor = reactor
        self._pool = pool
        self._ledger = ledger
        self._reception = reception
        self._enquiries = enquiries
        self._departures = departures
        self._house = house
        self._reload = reload
        self._news = news
        self._print: object = fingerprint(house().home)
        self._ticking = LoopingCall(self.tick)
        self._busy: set[str] = set()
        self._not_before: dict[str, float] = {}
        self._begun = 0.0
        self._stopped = False
        self._told: dict[str, str] = {}

    def start(self) -> None:
        """It is seen to things from the next second on."""
        self._ticking.clock = self._reactor
        self._ticking.start(_SECONDS, now=False)

    def stop(self) -> None:
        """Nothing more is begun."""
        self._stopped = True
        self._busy |= {"survey", "resume", "look", "let_go_late"}
        if self._ticking.running:
            self._ticking.stop()

    def tick(self) -> None:
        """One second has gone by."""
        try:
            self._see_room()
            self._departures.wake()
        except Exception:  # noqa: BLE001  the next second comes all the same
            self._failed(Failure(), "tick")  # type: ignore[no-untyped-call]
        else:
            self._told.pop("tick", None)
        if "survey" not in self._busy:
            self._busy.add("survey")
            below = self._reception.low_water - int(_LATE_SECONDS) * SEQUENCE
            done = deferToThreadPool(self._reactor, self._pool, self._survey, below)
            done.addCallback(self._surveyed, below).addErrback(self._failed, "survey")
            done.addBoth(self._free, "survey")

    def _see_room(self) -> None:
        house = self._house()
        limits, usage = house.kouan.limits, shutil.disk_usage(house.home)
        room = usage.free >= limits.disk_free_bytes and usage.free >= usage.total * limits.disk_free_percent / 100
        if room != self._enquiries.room:
            log.warning("disk.room", room=room, free=usage.free)
            self._enquiries.room = room

    def _survey(self, below: int) -> Seen:
        """In the thread of the books."""
        at = iso(datetime.now(UTC))
        due = bool(self._ledger.all("due_documents", at, 1))
        asked = (("due_dossiers", at, 1), ("due_aggregates", at, 1), ("open_notices", 0, 1), ("due_fx_silence", at, 1))
        trades = any(self._ledger.all(*one) for one in asked)
        late = bool(self._ledger.all("open_batches", 0, below, 1))
        return Seen(fingerprint(self._house().home), due, trades, late)

    def _surveyed(self, seen: Seen, below: int) -> "Deferred[None] | None":
        self._told.pop("survey", None)
        if seen.due:
            self._do("resume", None, self._resumed)
        if seen.trades:
            self._do("look", None, self._looked)
        if seen.late:
            self._begun = self._reactor.seconds()
            self._do("let_go_late", Batch(0, 0, below, ()), self._let_go)
        if seen.fingerprint != self._print:
            self._print = seen.fingerprint
            return self._reload()
        return None

    def _do(self, kind: str, batch: Batch | None, then: Callable[[Answer, Batch | None], None]) -> None:
        """A worker has the job, unless one has it already or its trouble is fresh; `then` hears the answer.

        It waits for its turn among what comes in, which may leave no worker free for hours.
        """
        crew = self._reception.crew
        if kind in self._busy or self._reactor.seconds() < self._not_before.get(kind, 0.0) or not crew:
            return
        self._busy.add(kind)
        crew.do(kind, batch).addBoth(self._free, kind).addCallback(then, batch).addErrback(self._failed, kind)

    def _free(self, result: Any, kind: str) -> Any:
        if not self._stopped:
            self._busy.discard(kind)
        return result

    def _resumed(self, answer: Answer, _: Batch | None) -> None:
        self._departures.wake()
        if answer.trouble:
            self._not_before["resume"] = self._reactor.seconds() + _TROUBLED_SECONDS
        if self._is_new("resume", answer.trouble):
            log.error("resuming.trouble", trouble=answer.trouble)
        if answer.count >= AT_ONCE:
            self._do("resume", None, self._resumed)

    def _looked(self, answer: Answer, _: Batch | None) -> None:
        self._departures.wake()
        self._news(answer.news)
        if answer.trouble:
            self._not_before["look"] = self._reactor.seconds() + _TROUBLED_SECONDS
        if self._is_new("look", answer.trouble):
            log.error("trading.trouble", trouble=answer.trouble)
        if answer.count >= TRADES_AT_ONCE:
            self._do("look", None, self._looked)

    def _let_go(self, answer: Answer, bounds: Batch | None) -> None:
        assert bounds is not None
        self._news(answer.news)
        trouble = answer.trouble or "; ".join(answer.untold[:_TOLD])
        if self._is_new("let_go_late", trouble):
            log.error("letting_go.trouble", trouble=trouble)
        if answer.count:
            self._do("let_go_late", msgspec.structs.replace(bounds, first=answer.count), self._let_go)
            return
        now = self._reactor.seconds()
        # Many batches that cannot leave for long keep a worker busy for a tenth of its time at most.
        self._not_before["let_go_late"] = now + max(_LATE_SECONDS, 10 * (now - self._begun))

    def _is_new(self, kind: str, trouble: str) -> bool:
        """The log tells each trouble once, and again when it has changed or has been away."""
        known, self._told[kind] = self._told.get(kind, ""), trouble
        return trouble not in ("", known)

    def _failed(self, failure: Failure, kind: str) -> None:
        trouble = failure.getTraceback()
        if self._is_new(kind, trouble):
            log.error("upkeep.failed", trouble=trouble)
