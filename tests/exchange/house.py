"""A house that reports foreign exchange and an exchange office, in one process and under one clock.

Nothing here is a double: clerk, ledger, register, files and the office's own law and book are the real ones.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.carriers.batch import write_batch
from adapters.carriers.carrier import Carried
from adapters.doors.batches import BatchDoor, Look
from adapters.simulators.fx import Office, load
from adapters.simulators.fx_answers import asked_for
from gateway.clerk import Clerk, clerk_at
from gateway.config import load_house
from gateway.dispatch import Outgoing
from gateway.fx_files import FileRegister
from gateway.recovering import recover
from gateway.settling import iso
from spool.interchange import BATCH, Batch, Claim
from spool.ledger import Ledger
from spool.number import Numbers
from spool.store import Store
from tests.exchange.office import table

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)


class House:
    """One start of the house; `office` plays the other side with these behaviours."""

    def __init__(self, home: Path, *behaviours: str, pulse: Callable[[str], None] = str) -> None:
        self.home = home
        self.moment = NOON
        if (home / "started").exists():
            # A later start is later: what the last one wrote is in the past.
            self.moment += timedelta(minutes=1)
        (home / "started").touch()
        self.ledger = Ledger(clerk_at(home))
        left = recover(home, self.ledger)
        self.numbers, lane = Numbers(self.now), Numbers(self.now, first=500_000)
        for name, of in (("last_number", self.numbers), ("last_message", lane)):
            row = self.ledger.one(name)
            of.go_on_after((row["number"] if row else None) or 0)
        self.clerk = Clerk(load_house(home), self.ledger, now=self.now, numbers=lane, pulse=pulse)
        self.store = Store(home / "spool/store")
        authority = self.clerk.house.authority("safe")
        self.outgoing = Outgoing(self.ledger, self.store, authority)
        self.register = FileRegister(Ledger(clerk_at(home)), self.store, authority, self.now)
        self.sending = home / "spool/authorities/safe/send"
        self.sending.mkdir(parents=True, exist_ok=True)
        self.door = BatchDoor(home / "spool/authorities/safe/receive", home / "spool/authorities/safe")
        if left.claims:
            first, last = left.claims[0].number, left.claims[-1].number
            self.numbers.go_on_after(last)
            self.clerk.take_in(Batch(first, last, first, left.claims))
        self.clerk.let_go_again()
        self.office = Office(load(home / "simulators/safe.toml"), asked_for(behaviours))

    def now(self) -> datetime:
        """Every look at the clock takes a millisecond."""
        self.moment += timedelta(milliseconds=1)
        return self.moment

    def close(self) -> None:
        """This start is over."""
        self.ledger.close()

    def drop(self, file: str, *rows: dict[str, str]) -> dict[str, Any]:
        """The bank has sent these rows; return its acknowledgement."""
        return self.take("bank", file, body=table(*rows))

    def take(self, sender: str, file: str, *, body: bytes | None = None, path: str = "", door: str = BATCH) -> Any:
        """These bytes, or this file, are taken in; return the acknowledgement."""
        (number,) = self.numbers.take(1)
        claim = Claim(number, sender, "folder" if sender == "bank" else door, file, path, body)
        parting = self.clerk.take_in(Batch(number, number, number, (claim,)))
        return json.loads(parting.answers.get(number) or b"null")

    def due(self) -> Sequence[int]:
        """The messages that may leave now."""
        return [one.parcel.number for one in self.outgoing.due(self.now())]

    def carry(self) -> list[Carried]:
        """What is due has been carried, as the batch carrier does it."""
        leaving = self.outgoing.due(self.now())
        gathered = self.register.gather([one.parcel.number for one in leaving])
        done = set()
        for batch in gathered.batches:
            write_batch(self.sending, batch)
            done.update(number for file in batch.files for number in file.messages)
        carried = []
        for number in (one.parcel.number for one in leaving):
            trouble, seconds = gathered.later.get(number, ("", 0))
            carried.append(Carried(number, ok=number in done, trouble=trouble, retry_after=seconds))
        self.outgoing.told(leaving, carried, self.now())
        return carried

    def meets(self) -> Look:
        """The office has taken what is there, and what it says has been taken in; return what the door saw."""
        self.office.round()
        seen = self.door.look()
        for found in seen.files:
            self.take("safe", found.file, path=str(found.path))
            self.door.taken(found)
        for found in seen.refused:
            self.take("safe", found.file, body=found.path.read_bytes())
            self.door.set_aside(found)
        self.door.look()
        return seen

    def states(self, spec: str = "BOPA") -> list[tuple[str, str]]:
        """Where each record stands."""
        return self.rows("SELECT key, state FROM document WHERE spec = ? ORDER BY number, ordinal", spec)

    def held(self) -> list[str]:
        """Why answers of the office are held."""
        return [why for (why,) in self.rows("SELECT why FROM document WHERE partner = 'safe' AND state = 'held'")]

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What the ledger answers."""
        return [tuple(row) for row in self.ledger.conn.execute(sql, values)]

    def resume(self, after: timedelta = timedelta(0)) -> None:
        """So much later, what is due has gone on."""
        self.moment += after
        self.clerk.resume()

    def stamped(self) -> str:
        """The time as the ledger has it."""
        return iso(self.moment)
