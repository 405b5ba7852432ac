"""The one loop: take a batch in, judge it, write the ledger, then let things go.

The order of the last two never changes.  What leaves is a row first and an act
second, so a crash between them costs a repeat and never a loss.  Everything in
a batch shares one sync round and one transaction.

| after | a crash here leaves | and the next start |
|---|---|---|
| claimed | evidence without a row | takes it in again under the same number |
| judged, sealed, synced | the same, and unsent envelopes nobody names | the same, and sets the envelopes aside |
| written | rows; nothing in the partners' folders yet | lets the batch go from the ledger |
| let go | everything done, the batch still open | lets it go again under the same names |
"""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from gateway import entries, filing, fx_feedback, fx_silence
from gateway.aggregates import compare_due
from gateway.arranging import arrange
from gateway.case import Arrival, Judged
from gateway.config import House
from gateway.drawing import Drawing
from gateway.intake import Intake, promised
from gateway.letting_go import Parting
from gateway.long_tables import Desk, LongTables
from gateway.opening import Opener, TrustedCertificates
from gateway.parting import acknowledgement_of, part, part_again
from gateway.resuming import resume
from gateway.sealing import Sealer
from gateway.settling import Settled, iso, settle
from gateway.tables import LongTable
from gateway.telling import quiet, tell
from gateway.trading import look
from gateway.wrapping import Wrapped, route_all, wrap_all
from spool.aside import keep_watch
from spool.errors import OurMistake
from spool.interchange import Batch, Claim
from spool.ledger import Ledger
from spool.number import Numbers
from spool.store import Store

_ATTEMPTS = 8
ALL_NUMBERS = 2**62


class KeysAlwaysTaken(OurMistake):
    """Another process wrote the same business keys again and again while this batch was arranged"""


class Clerk:
    """Takes batches through one home's desks, ledger and store."""

    def __init__(
        self,
        house: House,
        ledger: Ledger,
        *,
        now: Callable[[], datetime],
        numbers: Numbers,
        pulse: Callable[[str], None] = quiet,
    ) -> None:
        """`numbers` gives messages theirs; `pulse` is told each step and may stop the world there (tests/crash)."""
        self.house = house
        self.ledger = ledger
        self.store = Store(house.home / "spool" / "store")
        self.now = now
        self._numbers = numbers
        self._pulse = pulse
        self.drawing = Drawing(self, numbers)
        self._intake = Intake(self.store, house.kouan.limits.message_bytes)
        self._opener = Opener(house, TrustedCertificates(house))
        self._sealer = Sealer(house)
        keep_watch(house.home)
        self._long = LongTables(
            Desk(house, ledger, self.store, self._opener, self._sealer, numbers, now, pulse)
        )  # fmt: skip
        self._forms = {partner.name: partner.receipts for partner in house.partners.values()}

    def take_in(self, batch: Batch, *, whole: bool = True) -> Parting:
        """Every claim of the batch that is still there is in the ledger, and what follows from it has been let go.

        Return the acknowledgements by number, which partners have news, and what could not be let go.  A long
        table shares its batch with nobody: LongTable.  Unless `whole`, only the first of it is in the ledger,
        `more` says so, and `go_on` does the rest.
        """
        received_at = iso(self.now())
        arrivals = self.claim(batch)
        if not arrivals:
            return Parting()
        self._pulse("claimed")
        try:
            return self._taken_in(batch, arrivals, received_at)
        except LongTable as long:
            if len(batch.claims) > 1:
                raise
            self._long.begin(batch, long)
        parting = self.go_on(batch)
        while parting.more and (whole or not self._is_told(batch.claims[0])):
            parting = self.go_on(batch)
        return parting

    def _is_told(self, claim: Claim) -> bool:
        """Tell whether nobody waits for it on a line, or it is in the ledger and he can be told."""
        return not promised(claim) or self.ledger.one("interchange", claim.number) is not None

    def go_on(self, batch: Batch) -> Parting:
        """One more bounded piece of a long table is done; with the last what follows from all of it has been let go."""
        number = batch.first
        more = self._long.go_on(number)
        if isinstance(more, Judged):
            at = iso(self.now())
            settled = self._write(batch, [more], [], filing.Filed(self.now()), at)
            self._pulse("written")
            return self._let_go(batch, [more], settled, at)
        if not more:
            return self.let_go(number, number)
        parting = Parting(more=True)
        if (row := self.ledger.one("interchange", number)) is not None:
            parting.answers[number] = acknowledgement_of(self.ledger, row).as_json()
        return parting

    def is_unfinished(self, number: int) -> bool:
        """Tell whether a long table is in hand or in the ledger, and not whole."""
        return self._long.has(number)

    def abandon(self, number: int, reason: str) -> Parting:
        """A long table that cannot go on ends where it stands, with a held document that tells why."""
        self._long.abandon(number, reason)
        return self.let_go(number, number)

    def _taken_in(self, batch: Batch, arrivals: Sequence[Arrival], received_at: str) -> Parting:
        for attempt in range(_ATTEMPTS):
            judged = self._judge(arrivals)
            fx_feedback.complete(judged, self.ledger)
            self._pulse("judged")
            arrange(judged, self.ledger)
            route_all(judged, self._sealer, self.house, self.now())
            filed = filing.file(judged, self.ledger, self._opener.records(self.now()))
            wrapped = wrap_all(judged, self._sealer, self.store, self._numbers, self.now())
            self._pulse("sealed")
            self.store.sync()
            self._pulse("synced")
            try:
                settled = self._write(batch, judged, wrapped, filed, received_at)
            except (sqlite3.IntegrityError, filing.Outdated) as error:
                if not filing.may_be_tried_again(error) or attempt + 1 == _ATTEMPTS:
                    raise
                for one in wrapped:
                    self.store.forget(one.place)
                continue
            self._pulse("written")
            return self._let_go(batch, judged, settled, received_at)
        raise KeysAlwaysTaken(str(batch.first))

    def claim(self, batch: Batch) -> list[Arrival]:
        """Every claim of the batch that is still there lies in the store, not yet synced."""
        return self._intake.take(batch)

    def let_go_again(
        self, after: int = -1, below: int = ALL_NUMBERS, *, most: int = -1, together: bool = False
    ) -> tuple[Parting, int]:
        """Whatever a crash or a full disk kept from leaving has left, of up to `most` open batches between two numbers.

        Each batch is tried by itself: return who has news and what could not
        leave, and the number after which more may be open, 0 for none.
        """
        rows = self.ledger.all("open_batches", after, below, most)
        done = Parting()
        for row in rows:
            try:
                parting = self.let_go(row["first"], row["last"], together=together)
            except Exception as trouble:  # noqa: BLE001  one batch is not the trouble of the next
                done.troubles.append(f"{row['first']}: {trouble!r}")
            else:
                done.troubles += [f"{row['first']}: {trouble}" for trouble in parting.troubles]
                done.news |= parting.news
        return done, rows[-1]["first"] if len(rows) == most else 0

    def let_go(self, first: int, last: int, *, together: bool = False) -> Parting:
        """What a batch in the ledger promised has left, as far as it could; `together`, all of it or nothing."""
        parting = part_again(self.house.home, self.ledger, self.store, first, last, self._forms)
        if not parting.do(self.house.home, together=together) and not parting.more:
            self._pulse("let go")
            self.mark(first)
        return parting

    def look(self) -> int:
        """Due trades have been looked at, results of aggregation compared, silent offices told of; return how many."""
        records = self._opener.records(self.now())
        compared = compare_due(self.ledger, records.now)
        compared += fx_silence.listen(self.ledger, self.house, records.now)
        return compared + look(self.ledger, records.now, records.kouan, records.secret, self.drawing, self._pulse)

    def tell(self) -> set[str]:
        """Open notices have left; return who has news."""
        return tell(self.house.home, self.ledger, self._pulse)

    def resume(self) -> int:
        """Documents whose date has come have gone on; return how many were looked at."""
        return resume(*self.resources(), self.now(), self._pulse)

    def resources(self) -> tuple[House, Ledger, Store, Opener, Sealer, Numbers]:
        """Return what resuming works with."""
        return self.house, self.ledger, self.store, self._opener, self._sealer, self._numbers

    def _judge(self, arrivals: Sequence[Arrival]) -> list[Judged]:
        now = self.now()
        return [self._opener.open(arrival, now) for arrival in arrivals]

    def _write(
        self, batch: Batch, judged: list[Judged], wrapped: list[Wrapped], filed: filing.Filed, at: str
    ) -> dict[int, list[Settled]]:
        settled: dict[int, list[Settled]] = {}
        with self.ledger.writing() as ledger:
            self._pulse("writing")
            entries.write(ledger, batch, judged, wrapped, at)
            filing.write(ledger, filed, at, iso(self.now() + filing.OPEN))
            for one in judged:
                if one.answer_to and one.duplicate_of is None:
                    settled[one.arrival.claim.number] = settle(ledger, one, at, self.house)
                    fx_feedback.note(ledger, one, at)
        return settled

    def _let_go(
        self, batch: Batch, judged: list[Judged], settled: dict[int, list[Settled]], received_at: str
    ) -> Parting:
        parting = part(self.house.home, self.ledger, self.store, judged, settled, received_at, self._forms)
        if not parting.do(self.house.home):
            self._pulse("let go")
            self.mark(batch.first)
        parting.news |= tell(self.house.home, self.ledger, self._pulse)
        return parting

    def mark(self, first: int) -> None:
        """The batch is let go; it need not be done again."""
        with self.ledger.writing() as ledger:
            ledger.run("batch_let_go", iso(self.now()), first)


def clerk_at(home: Path) -> Path:
    """Return where the ledger of a home lies."""
    return home / "ledger.sqlite3"
