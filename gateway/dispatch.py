"""Dispatch: what is ready leaves by its authority's carrier, partner by partner in turn.

The signed bytes lie in the store and are the same at every attempt.  A failure
is a later date on the outbox row; a refusal by the carrier's other side for
good (an HTTP 4xx) holds the message for an operator.  The ledger is asked and
told in a thread, never in the reactor.
"""

import sqlite3
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from operator import itemgetter
from pathlib import Path

from adapters.carriers.carrier import Carried, Parcel
from gateway.config import Authority
from gateway.logs import log
from gateway.settling import iso
from spool.backoff import Plan
from spool.ledger import NEVER, Ledger
from spool.store import Store

AT_ONCE = 64
BYTES_AT_ONCE = 16 * 1024 * 1024
_LOOKS = 32
"""So many times 64 messages of a partner are looked at for those that need not wait for an earlier one."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """A parcel and what the ledger must know when it has left."""

    parcel: Parcel
    partner: str
    attempts: int
    documents: tuple[tuple[int, int], ...]


class Outgoing:
    """The outbox of one authority, as the thread that asks the ledger sees it."""

    def __init__(self, ledger: Ledger, store: Store, authority: Authority) -> None:
        retry = authority.retry
        self._ledger = ledger
        self._store = store
        self._name = authority.name
        self._served = ""
        self._order = authority.pace.order
        self._look = timedelta(seconds=authority.carrier.client.look_seconds)
        self._plan = Plan(retry.first_seconds, retry.factor, retry.most_seconds, retry.jitter, retry.attempts)

    def due(self, now: datetime, most: int = AT_ONCE, out: Collection[int] = ()) -> list[Leaving]:
        """Return what may leave now: of every partner something, at most 64 and 16 MiB, in the order of its sealing.

        What is `out` already is left alone.

        A payment that was mended leaves before the inventory that has waited for it, though another partner sent it.
        What waits for an earlier message by the authority's `pace.order` stays.
        """
        most = min(most, AT_ONCE)
        partners = self._in_turn([row["partner"] for row in self._ledger.all("outbox_partners", self._name)])
        share = max(1, most // max(1, len(partners)))
        leaving: list[Leaving] = []
        size = 0
        for partner in partners:
            for row in self._ready(partner, iso(now), share, out):
                one = self._loaded(row, now)
                if one is None:
                    continue
                if leaving and size + len(one.parcel.body) > BYTES_AT_ONCE:
                    return sorted(leaving, key=_sealed)
                self._served = partner
                size += len(one.parcel.body)
                leaving.append(one)
                if len(leaving) >= most:
                    return sorted(leaving, key=_sealed)
        return sorted(leaving, key=_sealed)

    def set_right(self, now: datetime) -> int:
        """What was tried at a time that has not come yet may leave now: our clock was wrong; return how many."""
        with self._ledger.writing():
            return self._ledger.run("outbox_tried_in_future", iso(now), self._name)

    def given(self, now: datetime, out: Collection[int] = ()) -> list[Leaving]:
        """Return what lies with a client of the authority and is to be looked after now, at most 64."""
        rows = self._others(self._ledger.all("outbox_given", self._name, iso(now), AT_ONCE + len(out)), out)
        return [one for row in rows if (one := self._loaded(row, now)) is not None]

    def given_count(self) -> int:
        """Return how many messages lie with a client of the authority."""
        row = self._ledger.one("outbox_given_count", self._name)
        return int(row["n"]) if row else 0

    def probe(self, now: datetime, out: Collection[int] = (), *, at_any_date: bool = False) -> list[Leaving]:
        """Return the one message that is best tried alone: that which has failed least, the earliest of these."""
        until = NEVER if at_any_date else iso(now)
        if self._order == "none":
            rows = self._others(self._ledger.all("outbox_probe", self._name, until, AT_ONCE + len(out)), out)
        else:
            # What has failed least may be legion, and all of it wait for what has failed.
            partners = [row["partner"] for row in self._ledger.all("outbox_partners", self._name)]
            ready = [row for partner in partners for row in self._ready(partner, until, AT_ONCE, out)]
            rows = iter(sorted(ready, key=itemgetter("attempts", "message")))
        for row in rows:
            if (one := self._loaded(row, now)) is not None:
                return [one]
        return []

    def _ready(self, partner: str, until: str, share: int, out: Collection[int]) -> Iterator[sqlite3.Row]:
        if self._order == "partner":
            return self._first(partner, until, out)
        if self._order == "key":
            return islice((row for row in self._in_order(partner, until, out) if not self._waits(row)), share)
        rows = self._ledger.all("outbox_due", self._name, partner, until, share + len(out))
        return islice(self._others(rows, out), share)

    def _first(self, partner: str, until: str, out: Collection[int]) -> Iterator[sqlite3.Row]:
        """Yield the first message of the partner, if it may leave; one that an operator holds is waited for, too."""
        row = self._ledger.one("outbox_first", self._name, partner)
        if row is not None and row["state"] == "waiting" and row["not_before"] <= until and row["given_at"] is None:
            yield from self._others([row], out)

    def _in_order(self, partner: str, until: str, out: Collection[int]) -> Iterator[sqlite3.Row]:
        after = 0
        for _ in range(_LOOKS):
            rows = self._ledger.all("outbox_due_in_order", self._name, partner, until, after, AT_ONCE)
            yield from self._others(rows, out)
            if len(rows) < AT_ONCE:
                return
            after = rows[-1]["message"]

    @staticmethod
    def _others(rows: Iterable[sqlite3.Row], out: Collection[int]) -> Iterator[sqlite3.Row]:
        return (row for row in rows if row["message"] not in out)

    def _waits(self, row: sqlite3.Row) -> bool:
        """Tell whether an earlier message with a document of the same key must leave first, or be released."""
        names = _documents(row["documents"])
        return any(self._ledger.one("earlier_of_key", self._name, n, o) is not None for n, o in names)

    def _loaded(self, row: sqlite3.Row, now: datetime) -> Leaving | None:
        try:
            body = self._store.read(row["evidence"])
        except OSError as trouble:
            self._unreadable(row, row["partner"], trouble, now)
            return None
        root = f"{row['spec']}Message"
        parcel = Parcel(row["message"], f"{row['message']}.{root}.xml", root, body, row["given_at"] or "")
        return Leaving(parcel, row["partner"], row["attempts"], _documents(row["documents"]))

    def _in_turn(self, partners: list[str]) -> list[str]:
        """Return the partners beginning after the one served last, so that a full round leaves out nobody twice."""
        start = bisect_right(partners, self._served)
        return partners[start:] + partners[:start]

    def _unreadable(self, row: sqlite3.Row, partner: str, trouble: OSError, now: datetime) -> None:
        """A message whose evidence is gone waits for an operator; one that a disk withholds, for its date."""
        one = Leaving(Parcel(row["message"], "", "", b""), partner, row["attempts"], _documents(row["documents"]))
        gone = isinstance(trouble, FileNotFoundError)
        with self._ledger.writing():
            self._postpone(one, Carried(row["message"], ok=False, trouble=str(trouble), permanent=gone), now)

    def told(self, leaving: Sequence[Leaving], carried: Sequence[Carried], now: datetime) -> int:
        """The ledger knows what has left and when the rest is tried again; return how many left."""
        with self._ledger.writing():
            return self.note(leaving, carried, now)

    def note(self, leaving: Sequence[Leaving], carried: Sequence[Carried], now: datetime) -> int:
        """The same within the caller's transaction."""
        results = {one.number: one for one in carried}
        gone = 0
        for one in leaving:
            result = results.get(one.parcel.number)
            if result is not None and result.ok:
                self._gone(one, result, now)
                gone += 1
            elif result is not None and result.given:
                self._lies_with_client(one, result, now)
            else:
                self._postpone(one, result, now)
        return gone

    def _gone(self, one: Leaving, result: Carried, now: datetime) -> None:
        at, number = iso(now), one.parcel.number
        self._ledger.run("outbox_gone", at, result.acknowledgement or None, number, self._name)
        reason = f"{self._name} {number}"
        self._ledger.run_many("stamp_sent", [(n, ordinal, at, reason) for n, ordinal in one.documents])

    def _lies_with_client(self, one: Leaving, result: Carried, now: datetime) -> None:
        """It is looked after again soon; that it was given is stamped the first time."""
        at, number = iso(now), one.parcel.number
        self._ledger.run("outbox_give", at, iso(now + self._look), result.trouble, number, self._name)
        if not one.parcel.given_at:
            reason = f"{self._name} {number} given: {result.trouble}"
            self._ledger.run_many("stamp_given", [(n, ordinal, at, reason) for n, ordinal in one.documents])

    def _postpone(self, one: Leaving, result: Carried | None, now: datetime) -> None:
        trouble = result.trouble if result is not None else "the carrier did not say what became of it"
        number = one.parcel.number
        if result is not None and result.fault in ("nobody", "neighbour"):
            later = iso(now + timedelta(seconds=result.retry_after or 0))
            self._ledger.run("outbox_wait", later, trouble, number, self._name)
            return
        following = self._plan.next_try(now, one.attempts + 1, number)
        if following is not None and result is not None and result.retry_after:
            following = max(following, now + timedelta(seconds=result.retry_after))
        if following is None or (result is not None and result.permanent):
            self._ledger.run("outbox_hold", trouble, iso(now), number, self._name)
            self._hold(one, trouble, now)
            log.warning("message.held", number=number, authority=self._name, trouble=trouble)
        else:
            self._ledger.run("outbox_postpone", iso(now), iso(following), trouble, number, self._name)
            log.warning("message.postponed", number=number, authority=self._name, until=iso(following), trouble=trouble)

    def _hold(self, one: Leaving, trouble: str, now: datetime) -> None:
        for number, ordinal in one.documents:
            row = self._ledger.one("document", number, ordinal)
            if row is not None and row["state"] == "ready":
                self._ledger.run(
                    "add_next_stamp", number, ordinal, iso(now), "dispatch", "ready", "held", "kouan", trouble, None
                )
                self._ledger.run("set_waiting", NEVER, trouble, number, ordinal)


def _documents(text: str) -> tuple[tuple[int, int], ...]:
    return tuple((int(n), int(o)) for n, _, o in (name.partition(".") for name in text.split()))


def _sealed(one: Leaving) -> int:
    return one.parcel.number


def folder_of(home: Path, authority: Authority) -> Path:
    """Return the folder into which a folder carrier puts this authority's messages."""
    return home / (authority.carrier.folder or f"spool/authorities/{authority.name}/out")


def answers_of(home: Path, authority: Authority) -> Path | None:
    """Return the folder in which this authority's answers appear, or None where it has none."""
    if authority.answers.folder:
        return home / authority.answers.folder
    return folder_of(home, authority) / "InBox" if authority.carrier.kind == "client" else None
