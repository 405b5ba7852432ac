"""Visits to SFTP servers of other houses: look, take, hand in, and let go there of what the ledger has.

Every remote has threads of its own, so that none waits for another; its visits keep its pace, and lie further
apart while it is away.  Each trouble is told once, and once more when it is over.
"""

import shutil
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks, succeed
from twisted.internet.threads import deferToThreadPool

from adapters.doors.remote import Lot, Place, RemoteDoor, Taken
from adapters.doors.remote_names import Whole
from adapters.remote_connection import Access, Daemons, Lines
from gateway.config_roads import Remote
from gateway.logs import log
from gateway.reception import Reception, Waiting
from spool.backoff import Plan
from spool.errors import Told

_LOT: Final = 256
_LOT_BYTES: Final = 64 * 1024 * 1024
_LONGEST_PAUSE: Final = 600.0
_PATIENCE_SECONDS: Final = 5.0
"""So long a visit that is to end may still let go of what it has taken."""
_TOLD: Final = 3


def access_of(remote: Remote, home: Path) -> Access:
    """Return how this server is reached."""
    return Access(
        remote.host, remote.port, remote.user, remote.host_keys,
        home / remote.key_file if remote.key_file else None,
        home / remote.password_file if remote.password_file else None,
        remote.timeout_seconds,
    )  # fmt: skip


class RemoteVisitor:
    """Visits one place for one sender."""

    def __init__(
        self, reactor: Any, reception: Reception, sender: str, remote: Remote, home: Path, staging: Path,
        may_take: Callable[[], bool], most_bytes: int,
    ) -> None:  # fmt: skip
        """`may_take` says whether there is room for what would be found; `staging` is there, for this visitor alone.

        What is longer than `most_bytes` is not fetched: it would only be refused here, and fill our disk for that.
        """
        self._reactor = reactor
        self._reception = reception
        self._sender = sender
        self._remote = remote
        self._may_take = may_take
        self._lines = Lines(access_of(remote, home), remote.connections)
        place = Place(
            f"{remote.host}:{remote.port}", remote.folder, remote.taken, remote.files, min(1.0, remote.every_seconds),
            most_bytes,
        )  # fmt: skip
        self._door = RemoteDoor(self._lines, place, staging)
        self._pool = Daemons(0, remote.connections, f"remote {sender}")
        self._plan = Plan(remote.every_seconds, 2.0, max(_LONGEST_PAUSE, remote.every_seconds))
        self._failures = 0
        self._told: tuple[str, ...] = ()
        self._next: Any = None
        self._round: Deferred[Any] = succeed(None)
        self._stopping = False

    def start(self) -> None:
        """The first visit is under way, the others follow."""
        self._pool.start()
        self._visit()

    def stop(self) -> "Deferred[Any]":
        """It is visited no more; fires when nothing is under way, after a little patience."""
        self._stopping = True
        if self._next is not None and self._next.active():
            self._next.cancel()
        over: Deferred[Any] = Deferred()
        cut = self._reactor.callLater(_PATIENCE_SECONDS, self._lines.close)

        def ended(_: Any) -> None:
            if cut.active():
                cut.cancel()
            self._lines.close()
            self._pool.stop()
            over.callback(None)

        self._round.addBoth(ended)
        return over

    def _visit(self) -> None:
        self._round = self._whole_round()
        self._round.addErrback(self._mistaken).addCallback(self._over)

    def _mistaken(self, failure: Any) -> list[str]:
        if failure.check(Told):
            self._failures += 1
            return [str(failure.value)]
        self._failures += 1
        log.error("remote.mistake", sender=self._sender, trouble=failure.getTraceback())
        return [repr(failure.value)]

    def _over(self, troubles: Sequence[str]) -> None:
        if self._stopping:
            return
        self._tell(tuple(troubles[:_TOLD]), len(troubles))
        pause = self._plan.wait(self._failures + 1, hash(self._sender) & 0xFFFF) if self._failures else None
        self._next = self._reactor.callLater(pause or self._remote.every_seconds, self._visit)

    def _tell(self, troubles: tuple[str, ...], count: int) -> None:
        if troubles and troubles != self._told:
            log.warning("remote.trouble", sender=self._sender, host=self._remote.host, trouble=troubles, count=count)
        elif self._told and not troubles:
            log.info("remote.well", sender=self._sender, host=self._remote.host)
        self._told = troubles

    @inlineCallbacks
    def _whole_round(self):  # type: ignore[no-untyped-def]  # noqa: ANN202  inlineCallbacks types it
        """Everything whole has been taken as far as there was room; fires with what a person must hear."""
        if not self._may_take():
            return list(self._told)
        found: list[Whole] = yield self._thread(self._door.look)
        self._failures = 0
        lots = lots_of(found)
        troubles = list(self._door.troubles)
        takers = [self._taking(lots, troubles) for _ in range(min(self._remote.connections, len(lots)))]
        for ended, result in (yield DeferredList(takers, consumeErrors=True)):
            if not ended:
                troubles += self._mistaken(result)
        self._lines.rest()
        return troubles

    @inlineCallbacks
    def _taking(self, lots: deque[list[Whole]], troubles: list[str]):  # type: ignore[no-untyped-def]  # noqa: ANN202
        """Take lot after lot; while one waits for the ledger the next is under way."""
        before: Deferred[list[Whole]] | None = None
        while lots and not self._stopping and self._may_take():
            lot: Lot = yield self._thread(self._door.take, lots.popleft())
            in_ledger = self._hand_in(lot.taken)
            troubles += lot.troubles
            if before is not None:
                troubles += yield self._let_go((yield before))
            before = in_ledger
            if lot.ended is not None:
                lots.clear()
                troubles.append(str(lot.ended) or repr(lot.ended))
                self._failures += 1
        if before is not None:
            troubles += yield self._let_go((yield before))

    def _hand_in(self, taken: Sequence[Taken]) -> "Deferred[list[Whole]]":
        """Return what fires with those that are in the ledger."""
        answers = []
        for one in taken:
            done: Deferred[bytes] = Deferred()
            waiting = Waiting(self._sender, "sftp", one.whole.told, path=one.path, once=one.once, done=done)
            answers.append(done)
            self._reception.hand_in(waiting, one.whole.size)
        heard: Deferred[Any] = DeferredList(answers, consumeErrors=True)
        return heard.addCallback(_in_ledger, taken)

    def _let_go(self, files: Sequence[Whole]) -> "Deferred[list[str]]":
        return self._thread(self._door.let_go, files) if files else succeed([])

    def _thread(self, work: Callable[..., Any], *values: object) -> "Deferred[Any]":
        return deferToThreadPool(self._reactor, self._pool, work, *values)


def _in_ledger(results: Sequence[tuple[bool, object]], taken: Sequence[Taken]) -> list[Whole]:
    """Return the files that are in the ledger; what is not comes again, so nothing of it stays here."""
    found = []
    for one, (is_in, _) in zip(taken, results, strict=True):
        if is_in:
            found.append(one.whole)
        else:
            Path(one.path).unlink(missing_ok=True)
    return found


def lots_of(files: Sequence[Whole]) -> deque[list[Whole]]:
    """Return the files in lots that are taken at a time: few, and not too many bytes, but at least one.

    >>> [len(lot) for lot in lots_of([Whole(b"a", "a", 40 * 1024**2, 0, 0.0)] * 3)]
    [1, 1, 1]
    """
    lots: deque[list[Whole]] = deque()
    room = 0
    for one in files:
        if not lots or len(lots[-1]) >= _LOT or one.size > room:
            lots.append([])
            room = _LOT_BYTES
        lots[-1].append(one)
        room -= one.size
    return lots


def fresh_staging(home: Path) -> Path:
    """Return the folder below which visitors read files; what was left there is gone, for nobody was promised it."""
    root = home / "spool" / "visits"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(mode=0o750, parents=True, exist_ok=True)
    return root
