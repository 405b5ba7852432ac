"""Rounds: what may leave for one authority is on its way, and the ledger is told as it comes back.

Nobody waits for the slowest.  Parcels travel in the groups that their carrier
likes, each group is answered for itself, and while one hangs the others leave.
A message that failed while others arrived is suspect: of these, one at a time
is on its way, and alone, so that they never take every place.

**Known limits**: what is suspect is known until a restart; where a carrier has
one place only (an SFTP server with `connections = 1`), what hangs there holds
the others up until it is given up.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred, fail, inlineCallbacks, succeed
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure

from adapters.carriers.carrier import Carried, Carrier
from gateway.dispatch import AT_ONCE, Leaving

_GATHER_SECONDS: Final = 0.05
"""So long what comes back is gathered before the ledger is told, while more is on its way."""
_ALONE: Final = 8
"""So many leave at a time while some of them must go alone."""
_NEVER: Final = -1.0


class Outbox(Protocol):
    """What a dispatcher empties."""

    def due(self, now: datetime, most: int = AT_ONCE, out: Collection[int] = ()) -> list[Leaving]:
        """Return what may leave now, and is not out."""

    def told(self, leaving: Sequence[Leaving], carried: Sequence[Carried], now: datetime) -> int:
        """The ledger knows what became of it; return how many left."""


class Dispatcher:
    """Sends what is due of one authority, and rests when nothing more may leave."""

    def __init__(
        self, reactor: Any, pool: Any, outgoing: Outbox, carrier: Carrier, now: Callable[[], datetime]
    ) -> None:
        """Nothing leaves before the first round."""
        self._reactor = reactor
        self._pool = pool
        self._outgoing = outgoing
        self._carrier = carrier
        self._now = now
        self._out: dict[int, float] = {}
        self._groups = 0
        self._back: list[tuple[Leaving, Carried]] = []
        self._alone: set[int] = set()
        self._suspects: dict[int, None] = {}
        self._arrived_at = _NEVER
        self._look = False
        self._ended = False
        self._stir: Deferred[None] | None = None
        self._gathering: Any = None

    @inlineCallbacks
    def round(self):  # type: ignore[no-untyped-def]  # noqa: ANN201  inlineCallbacks types it
        """Everything due has been tried once; fires with how many messages left."""
        total = 0
        self._look = True
        while True:
            if self._look and (room := self._room()):
                self._look = False
                yield self._set_out(room)
            if self._out:
                yield self._stirred()
                total += yield self._tell()
            elif not self._look or self._ended:
                return total

    def woken(self) -> None:
        """Something may leave that could not before; a round that is under way looks again."""
        self._look = True
        self._wake()

    def end(self) -> None:
        """Nothing more leaves; a round that is under way ends when all that is out has come back."""
        self._ended = True

    def _room(self) -> int:
        if self._ended or self._groups >= self._carrier.side_by_side:
            return 0
        return max(0, min(AT_ONCE if not self._alone else _ALONE, AT_ONCE - len(self._out)))

    @inlineCallbacks
    def _set_out(self, room: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
        out = frozenset((*self._out, *self._barred()))
        leaving = yield deferToThreadPool(self._reactor, self._pool, self._outgoing.due, self._now(), room, out)
        for group in self._in_groups(leaving):
            self._go(group)

    def _barred(self) -> list[int]:
        """Return the suspects that must wait: all while one is on its way, else all but one, another each time."""
        if not self._suspects or not self._suspects.keys().isdisjoint(self._out):
            return list(self._suspects)
        first = next(iter(self._suspects))
        del self._suspects[first]
        self._suspects[first] = None
        return list(self._suspects)[:-1]

    def _in_groups(self, leaving: Sequence[Leaving]) -> Iterator[list[Leaving]]:
        single = self._alone | self._suspects.keys()
        together = [one for one in leaving if one.parcel.number not in single]
        most = self._carrier.together
        yield from (together[start : start + most] for start in range(0, len(together), most))
        yield from ([one] for one in leaving if one.parcel.number in single)

    def _go(self, group: list[Leaving]) -> None:
        since = self._reactor.seconds()
        try:
            done = self._carrier.carry([one.parcel for one in group])
        except Exception:  # noqa: BLE001  a carrier's outermost call: postponed, and stamped on the rows
            done = fail()
        for one in group:
            self._out[one.parcel.number] = since
            self._alone.discard(one.parcel.number)
        self._groups += 1
        done.addBoth(self._came_back, group)

    def _came_back(self, result: "Sequence[Carried] | Failure", group: Sequence[Leaving]) -> None:
        self._groups -= 1
        results: dict[int, Carried] = {}
        trouble = "the carrier did not say what became of it"
        if isinstance(result, Failure):
            trouble = repr(result.value)
        else:
            results = {one.number: one for one in result}
        for one in group:
            number = one.parcel.number
            carried = results.get(number) or Carried(number, ok=False, trouble=trouble)
            if carried.fault == "neighbour" and len(group) > 1:
                del self._out[number]
                self._alone.add(number)
                self._look = True
            else:
                self._back.append((one, carried))
        if len(self._back) >= len(self._out) or self._look:
            self._wake()
        elif self._gathering is None or not self._gathering.active():
            self._gathering = self._reactor.callLater(_GATHER_SECONDS, self._wake)

    def _wake(self) -> None:
        stir, self._stir = self._stir, None
        if stir is not None:
            stir.callback(None)

    def _stirred(self) -> "Deferred[None]":
        """Return what fires when the ledger can be told of something, or asked for more."""
        if len(self._back) >= len(self._out) or (self._look and self._room()):
            return succeed(None)
        self._stir = Deferred()
        return self._stir

    @inlineCallbacks
    def _tell(self):  # type: ignore[no-untyped-def]  # noqa: ANN202  inlineCallbacks types it
        """The ledger knows of what came back; fires with how many of it left."""
        if not self._back:
            return 0
        if self._gathering is not None and self._gathering.active():
            self._gathering.cancel()
        back, self._back = self._back, []
        for one, carried in back:
            self._judge(one.parcel.number, carried)
        told = partial(self._outgoing.told, [one for one, _ in back], [one for _, one in back], self._now())
        try:
            gone = yield deferToThreadPool(self._reactor, self._pool, told)
        finally:
            for one, _ in back:
                self._out.pop(one.parcel.number, None)
        # After a failure nothing more is asked for until somebody wakes us: its date may have come at once.
        self._look = self._look or gone == len(back)
        return gone

    def _judge(self, number: int, carried: Carried) -> None:
        """Who failed while others arrived is suspect; who has not, is not."""
        if carried.ok:
            self._arrived_at = self._reactor.seconds()
        is_doubtful = not (carried.ok or carried.permanent or carried.given) and carried.fault == "doubt"
        if is_doubtful and self._arrived_at >= self._out[number]:
            self._suspects[number] = None
        else:
            self._suspects.pop(number, None)
