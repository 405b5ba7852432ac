"""What a turnstile costs a message: pace, order and fairness beside an outbox without one, and what parallelism gives.

    python -m tests.bench.turnstiles [--messages 4000] [--rounds 3] [--partners 200]

The outbox is a real ledger on this disk, emptied by the dispatcher of the daemon through a carrier that takes
everything at once, so what is measured is what the house itself does for a message that leaves; the rounds of all
kinds alternate, and the figures are medians.  Then a carrier takes 5 ms for each message, so many side by side.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog
from twisted.internet import reactor, task
from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults, inlineCallbacks, succeed
from twisted.python.threadpool import ThreadPool

from adapters.carriers.carrier import Carried, Parcel
from gateway.config import Authority
from gateway.config_authorities import Breaker, Pace
from gateway.dispatch import Outgoing
from gateway.rounds import Dispatcher
from gateway.settling import iso
from gateway.turnstile import Turnstile
from spool.ledger import Ledger
from spool.store import Store

_BODY: Final = b"<sealed/>" * 400
_SECONDS: Final = 0.005
NOT: Final = "no turnstile"
BESIDE: Final = {
    NOT: Pace(),
    "open": Pace(),
    "paced, far from its pace": Pace(messages_a_minute=1_000_000),
    "order = partner": Pace(order="partner"),
    "order = key": Pace(order="key"),
}


class AtOnce:
    """A carrier that has everything at once."""

    together = 64
    side_by_side = 1

    def carry(self, parcels: Sequence[Parcel]) -> "Deferred[list[Carried]]":
        return succeed([Carried(one.number, ok=True, acknowledgement="OK") for one in parcels])


class InTime:
    """A carrier that takes its time for each parcel, so many side by side, as one over HTTP does."""

    together = 1
    side_by_side = 64

    def __init__(self, at_once: int) -> None:
        self._places = DeferredSemaphore(at_once)

    def carry(self, parcels: Sequence[Parcel]) -> "Deferred[list[Carried]]":
        return gatherResults([self._places.run(self._one, parcel) for parcel in parcels])

    def _one(self, parcel: Parcel) -> "Deferred[Carried]":
        return task.deferLater(
            reactor,
            _SECONDS,
            lambda: Carried(parcel.number, ok=True, acknowledgement="OK"),  # type: ignore[arg-type]
        )


class Outbox:
    """A ledger below a folder, in which so many messages of so many partners wait, each with a document of its own."""

    def __init__(self, folder: Path, messages: int, partners: int) -> None:
        self.ledger = Ledger(folder / "ledger.sqlite3")
        self.store = Store(folder / "store")
        self.store.path("x").parent.mkdir(parents=True)
        self.store.path("x").write_bytes(_BODY)
        at, first = iso(datetime.now(UTC) - timedelta(hours=1)), 261122000000500000
        with self.ledger.writing():
            for number in range(first, first + messages):
                partner = f"p{number % partners:05d}"
                self.ledger.run(
                    "add_message", number, f"G{number}", "CEB311", partner, "customs", f"{number}.1", "none", "", at,
                    "x", len(_BODY), bytes(32),
                )  # fmt: skip
                self.ledger.run("add_outbox", number, "customs", partner, at)
                self.ledger.conn.execute(
                    "INSERT INTO document (number, ordinal, spec, key, version, partner, state, message)"
                    " VALUES (?, 1, 'CEB311', ?, 1, ?, 'received', ?)",
                    (number, f"K{number}", partner, number),
                )

    def outlet(self, name: str, pace: Pace) -> "Outgoing | Turnstile":
        authority = Authority("customs", "海关", pace=pace, breaker=Breaker())
        outgoing = Outgoing(self.ledger, self.store, authority)
        return outgoing if name == NOT else Turnstile(self.ledger, outgoing, authority)


@inlineCallbacks
def emptied(folder: Path, name: str, pace: Pace, carrier: Any, messages: int, partners: int) -> Any:
    """Microseconds a message until the outbox is empty."""
    outbox = Outbox(folder, messages, partners)
    pool = ThreadPool(1, 1)
    pool.start()
    dispatcher = Dispatcher(reactor, pool, outbox.outlet(name, pace), carrier, lambda: datetime.now(UTC))
    left = gone = 0
    started = time.perf_counter()
    while left < messages:
        gone = yield dispatcher.round()
        left += gone
        if not gone:
            yield task.deferLater(reactor, 0.02)  # type: ignore[arg-type]  # a paced one gives out as a stream
    seconds = time.perf_counter() - started
    pool.stop()
    outbox.ledger.close()
    return 1e6 * seconds / messages


@inlineCallbacks
def figures(given: argparse.Namespace) -> Any:
    """Every kind in turn, round by round; the medians stand on stdout."""
    found: dict[str, list[float]] = {}
    kinds = [(f"{name}, {n} partners", name, pace, n) for n in (1, given.partners) for name, pace in BESIDE.items()]
    for _ in range(given.rounds):
        for label, name, pace, partners in kinds:
            with tempfile.TemporaryDirectory(prefix="kouan-bench-") as folder:
                cost = yield emptied(Path(folder), name, pace, AtOnce(), given.messages, partners)
            found.setdefault(label, []).append(cost)
    medians = {label: statistics.median(costs) for label, costs in found.items()}
    told: dict[str, Any] = {
        label: {"µs a message": round(cost), "to none": round(cost / medians[f"{NOT}, {partners} partners"], 2)}
        for (label, cost), (_, _, _, partners) in zip(medians.items(), kinds, strict=True)
    }
    for at_once in (1, 8, 64):
        with tempfile.TemporaryDirectory(prefix="kouan-bench-") as folder:
            carrier, count = InTime(at_once), given.messages // 8
            cost = yield emptied(Path(folder), "open", Pace(), carrier, count, 4)
        told[f"5 ms a message, {at_once} at once"] = {"messages a second": round(1e6 / cost)}
    print(json.dumps(told, indent=1, ensure_ascii=False))


def main() -> None:
    """The figures stand on stdout."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--partners", type=int, default=200)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    task.react(lambda _: figures(given))


if __name__ == "__main__":
    main()
