"""Long tables: one interchange whose documents are written in pieces, each in a transaction of its own.

| after | a crash here leaves | and the next start |
|---|---|---|
| the first piece not written | evidence without a row | takes it in again under the same number |
| a piece written | the interchange, its documents so far, an open batch | maps it again and goes on after them |
| the last piece written | all documents; nothing in the partner's folders yet | lets the batch go from the ledger |

Mapping again gives the same documents, unless the map, the partner or Kouan itself has changed
meanwhile: then the table ends where it stands, and the partner is told to send it again, by which
nothing is declared twice.
"""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from gateway import entries, filing
from gateway.arranging import arrange
from gateway.case import Arrival, Judged, is_error
from gateway.config import House
from gateway.opening import Opener
from gateway.sealing import Sealer
from gateway.settling import hold, iso
from gateway.tables import LongTable, Piece, Table
from gateway.wrapping import route_all, wrap_all
from message_specs.findings import Finding, finding
from spool.errors import OurMistake
from spool.interchange import Batch, Claim
from spool.ledger import Ledger
from spool.number import Numbers
from spool.store import Store

_ATTEMPTS: Final = 8
_HEAD: Final = 4096


class KeysAlwaysTaken(OurMistake):
    """Another process wrote the same business keys again and again while this piece was arranged"""


@dataclass(slots=True)
class Desk:
    """What a piece is worked with."""

    house: House
    ledger: Ledger
    store: Store
    opener: Opener
    sealer: Sealer
    numbers: Numbers
    now: Callable[[], datetime]
    pulse: Callable[[str], None]


class LongTables:
    """The long tables that one clerk has in hand; each is kept open where it stands, and found again if it is not."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._works: dict[int, Iterator[Judged | None]] = {}

    def begin(self, batch: Batch, long: LongTable) -> None:
        """The table is in hand; nothing of it is written yet."""
        self._works[batch.first] = self._work(batch, long.table, long.pieces, long.first)

    def has(self, number: int) -> bool:
        """Tell whether the table is in hand, or in the ledger and not whole."""
        return number in self._works or bool(self._desk.ledger.all("unfinished_tables", number, number))

    def go_on(self, number: int) -> Judged | bool:
        """A bounded piece of work is done; return whether there is more.

        Where the interchange turns out to be a duplicate, return it, arranged and not written.
        """
        work = self._works.pop(number, None)
        if work is None:
            if not self.has(number):
                return False
            work = self._found_again(number)
        try:
            whole = next(work)
        except StopIteration:
            return False
        if whole is not None:
            return whole
        self._works[number] = work
        return True

    def abandon(self, number: int, reason: str) -> None:
        """The table ends where it stands, with a held document that tells why."""
        desk = self._desk
        self._works.pop(number, None)
        part = desk.ledger.one("last_part", number)
        row = desk.ledger.one("interchange", number)
        assert part is not None
        assert row is not None
        at = iso(desk.now())
        with desk.ledger.writing() as ledger:
            self._end(ledger, part, finding("K105"), part["documents"] + 1)
            hold(ledger, number, part["documents"] + 1, "?", None, row["sender"], f"K105 {reason}", at)

    @staticmethod
    def _end(ledger: Ledger, part: sqlite3.Row, reason: Finding, last: int) -> None:
        found = msgspec.json.encode([reason.as_dict()]).decode()
        ledger.run("add_part", part["number"], part["part"] + 1, last, part["told"], part["law"], 2, found)

    def _found_again(self, number: int) -> Iterator[Judged | None]:
        """The work goes on after what the ledger has of it."""
        desk = self._desk
        row, part = desk.ledger.one("interchange", number), desk.ledger.one("last_part", number)
        assert row is not None
        assert part is not None
        path = desk.store.path(row["evidence"])
        with path.open("rb") as file:
            head = file.read(_HEAD)
        claim = Claim(number, row["sender"], row["door"], row["file"], replay_of=row["replay_of"], once=row["once"])
        arrival = Arrival(claim, row["evidence"], head, row["sha256"], row["size"], path)
        partner = desk.house.partners.get(row["sender"])
        table = desk.opener.table(arrival, partner, desk.now()) if partner is not None else None
        if not isinstance(table, Table) or table.law != part["law"]:
            with desk.ledger.writing() as ledger:
                self._end(ledger, part, finding("K111", place=str(part["documents"])), part["documents"])
            return
        pieces = table.pieces(part["documents"], part["part"], part["told"])
        yield from self._work(Batch(number, number, 0, (claim,)), table, pieces, None)

    def _work(
        self, batch: Batch, table: Table, pieces: Iterator[Piece], first: Piece | None
    ) -> Iterator[Judged | None]:
        """Pause after each bounded piece of work; yield the whole instead where it is no piece but a duplicate."""
        partner = self._desk.house.partner(table.arrival.claim.sender)
        is_spoilt = False
        if partner.all_or_nothing:
            for bad in self._looked_through(table):
                is_spoilt = is_spoilt or bad
                yield None
        if first is not None:
            whole = self._write(batch, table, first, is_spoilt=is_spoilt)
            yield whole
            if whole is not None:
                return
        for piece in pieces:
            self._write(batch, table, piece, is_spoilt=is_spoilt)
            if not piece.is_last:
                yield None

    def _looked_through(self, table: Table) -> Iterator[bool]:
        """Judge all of it and keep nothing; yield for each piece whether it is bad, up to the first that is."""
        desk = self._desk
        partner = desk.house.partner(table.arrival.claim.sender)
        other = desk.opener.table(table.arrival, partner, desk.now())
        assert isinstance(other, Table)
        for piece in other.pieces():
            bad = any(is_error(one) for one in desk.opener.open_piece(other, piece, partner).findings)
            yield bad
            if bad:
                return

    def _write(self, batch: Batch, table: Table, piece: Piece, *, is_spoilt: bool) -> Judged | None:
        """The piece is in the ledger; return it instead where the interchange as a whole is a duplicate."""
        desk = self._desk
        partner = desk.house.partner(table.arrival.claim.sender)
        for attempt in range(_ATTEMPTS):
            judged = desk.opener.open_piece(table, piece, partner)
            judged.piece = piece.number
            if is_spoilt:
                desk.opener.spoil(judged)
            desk.pulse("judged")
            arrange([judged], desk.ledger)
            if judged.duplicate_of is not None or judged.conflict:
                judged.piece = 0
                return judged
            now = desk.now()
            route_all([judged], desk.sealer, desk.house, now)
            filed = filing.file([judged], desk.ledger, desk.opener.records(now))
            wrapped = wrap_all([judged], desk.sealer, desk.store, desk.numbers, now)
            desk.pulse("sealed")
            desk.store.sync()
            desk.pulse("synced")
            try:
                with desk.ledger.writing() as ledger:
                    desk.pulse("writing")
                    entries.write_piece(ledger, batch, judged, piece, table.law, wrapped, iso(now))
                    filing.write(ledger, filed, iso(now), iso(now + filing.OPEN))
            except (sqlite3.IntegrityError, filing.Outdated) as error:
                if not filing.may_be_tried_again(error) or attempt + 1 == _ATTEMPTS:
                    raise
                for one in wrapped:
                    desk.store.forget(one.place)
                continue
            desk.pulse("written")
            return None
        raise KeysAlwaysTaken(str(batch.first))
