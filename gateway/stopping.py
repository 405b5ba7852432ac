"""Messages between the seal and the carrier, as an operator stops them, lets them go on, or makes them void.

The outbox row decides.  While a daemon runs, a row that is due may be in its
carrier's hands although nothing says so; such a message is stopped for the next
attempt, and can be made void only when the carrier's time for a whole round is
surely over.  A stopped row keeps that moment in `not_before`.
"""

import sqlite3
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from gateway.config import House
from gateway.replaying import Ruling
from gateway.selecting import Name, members
from gateway.settling import iso
from spool.ledger import Ledger
from spool.states import State

MARGIN: Final = timedelta(seconds=10)
VOID: Final = "voided"
"""How the trouble of an outbox row begins whose message must never leave."""
_DEFAULT_SECONDS: Final = 30.0
_SIDE_BY_SIDE: Final = 8
_AS_RECEIVED: Final = "as received"


class Messages:
    """The messages that documents of a slice lie in, inside the caller's transaction."""

    def __init__(self, house: House, ledger: Ledger, ruling: Ruling, at: str, *, daemon_runs: bool) -> None:
        self._house = house
        self._ledger = ledger
        self._ruling = ruling
        self._at = at
        self._runs = daemon_runs

    def mates(self, number: int, ordinal: int) -> list[Name]:
        """Return every document sealed together with this one, itself too; none when it is not in a message."""
        row = self._ledger.one("document", number, ordinal)
        if row is None or row["message"] is None or row["state"] not in (State.READY, State.HELD):
            return []
        return self._members(row["message"])

    def has_left(self, document: sqlite3.Row) -> bool:
        """Tell whether the document's message has gone to its authority."""
        row = self._row(document)
        return row is not None and row["state"] == "gone"

    def was_answered(self, document: sqlite3.Row) -> bool:
        """Tell whether the authority has spoken of the message's documents so that it surely has the message."""
        return any(
            mate["status"] is not None or mate["state"] in (State.SENT, State.CLOSED) for mate in self._mates(document)
        )

    def arrived(self, document: sqlite3.Row, said: str) -> str:
        """The message does not leave again once the authority has ended all of it; return what follows."""
        row = self._row(document)
        alive = [mate for mate in self._mates(document) if State(mate["state"]) not in (State.CLOSED, State.REFUSED)]
        if row is None or row["state"] == "gone" or (row["trouble"] or "").startswith(VOID) or alive:
            return ""
        self._ledger.run("outbox_arrived", said, row["message"])
        return f"; message {row['message']} has come there and does not leave again"

    def _mates(self, document: sqlite3.Row) -> Iterator[sqlite3.Row]:
        for name in self._members(document["message"]):
            row = self._ledger.one("document", *name)
            if row is not None and row["message"] == document["message"]:
                yield row

    def stop(self, document: sqlite3.Row) -> str:
        """The message does not leave until it is released; return what an operator must know about it."""
        row = self._row(document)
        if row is None:
            return ""
        if row["state"] == "gone":
            return f"message {row['message']} has left already"
        others = self._names(document, State.READY)
        note = f"message {row['message']} does not leave"
        if row["given_at"]:
            note = f"message {row['message']} lies with the client of {row['destination']}, which may send it"
        if others:
            note += f"; with it wait {' '.join(others)}"
        if row["state"] == "held":
            return note
        may_be_away = self._runs and row["not_before"] <= self._at
        until = self._surely_back(row["destination"]) if may_be_away else self._at
        self._ledger.run("outbox_stop", f"held by {self._ruling.by}: {self._ruling.reason}", until, row["message"])
        return f"{note}; an attempt may be under way at this moment" if may_be_away else note

    def go_on(self, document: sqlite3.Row) -> str:
        """The message leaves again, unless another document in it is still held; return which it waits for."""
        row = self._row(document)
        if row is None:
            return ""
        if held := self._names(document, State.HELD):
            return f"message {row['message']} still waits for the release of {' '.join(held)}"
        self._ledger.run("outbox_go_on", self._at, row["message"])
        return f"message {row['message']} leaves as it was sealed"

    def void(self, document: sqlite3.Row, refused: Collection[Name]) -> tuple[str, str]:
        """The message never leaves, and what of it is not refused is sealed again; return why not, or what follows."""
        row = self._row(document)
        message = self._ledger.one("message", document["message"])
        if row is None or message is None or (row["trouble"] or "").startswith(VOID):
            return "", ""
        if row["given_at"]:
            return (
                f"message {row['message']} lies with the client of {row['destination']} since {row['given_at']};"
                " take it out of its OutBox, release it, and refuse it once it is held because it lies nowhere"
            ), ""
        if given := self._ledger.one("fx_file_of", row["message"]):
            # A batch is written as it was gathered, whatever becomes of one of its messages meanwhile.
            return f"message {row['message']} stands in {given['file']}, which leaves whole; refuse it when it has", ""
        if self._runs and (row["not_before"] <= self._at) == (row["state"] == "waiting"):
            later = "now, and refuse it later" if row["state"] == "waiting" else f"until {row['not_before']}"
            return f"message {row['message']} may be on its way at this moment; hold it {later}", ""
        rest = [
            mate
            for name in self._members(row["message"])
            if name not in refused and (mate := self._ledger.one("document", *name)) is not None
        ]
        names = " ".join(f"{mate['number']}.{mate['ordinal']}" for mate in rest)
        if rest and message["suite"] == _AS_RECEIVED:
            return f"its message is signed and leaves whole; refuse these with it: {names}", ""
        why = f"{VOID} by {self._ruling.by}: {self._ruling.reason}"
        self._ledger.run("outbox_stop", why, self._at, row["message"])
        for mate in rest:
            self._take_out(mate, row["message"])
        return "", f"message {row['message']} never leaves" + (f"; sealed again: {names}" if rest else "")

    def _take_out(self, mate: sqlite3.Row, message: int) -> None:
        number, ordinal = mate["number"], mate["ordinal"]
        if mate["state"] == State.HELD:
            self._ledger.run("take_out", mate["due_at"], mate["why"], number, ordinal)
            return
        reason = f"message {message} is void: {self._ruling.reason}"
        for before, after in ((State.READY, State.HELD), (State.HELD, State.CHECKED)):
            self._ledger.run(
                "add_next_stamp", number, ordinal, self._at, "operator", before, after, self._ruling.by, reason, None
            )
        self._ledger.run("take_out", self._at, None, number, ordinal)

    def _row(self, document: sqlite3.Row) -> sqlite3.Row | None:
        return self._ledger.one("outbox_of", document["message"]) if document["message"] else None

    def _members(self, message: int) -> list[Name]:
        row = self._ledger.one("message", message)
        return members(row["documents"]) if row else []

    def _names(self, document: sqlite3.Row, state: State) -> list[str]:
        return [f"{number}.{ordinal}" for number, ordinal in self._others(document, state)]

    def _others(self, document: sqlite3.Row, state: State) -> Iterator[Name]:
        for number, ordinal in self._members(document["message"]):
            row = self._ledger.one("document", number, ordinal)
            itself = (number, ordinal) == (document["number"], document["ordinal"])
            if row is not None and not itself and row["state"] == state and row["message"] == document["message"]:
                yield number, ordinal

    def _surely_back(self, authority: str) -> str:
        """Return when the round that is under way now is surely over, were each of its parcels as slow as can be."""
        # It brings Twisted with it; most commands do without.
        from gateway.dispatch import AT_ONCE

        known = self._house.authorities.get(authority)
        seconds = known.carrier.timeout_seconds if known else _DEFAULT_SECONDS
        if known and known.carrier.sftp is not None:
            seconds = max(seconds, known.carrier.sftp.timeout_seconds)
        turns = ceil(AT_ONCE / (known.pace.at_once if known else _SIDE_BY_SIDE))
        return iso(datetime.fromisoformat(self._at) + timedelta(seconds=seconds * turns) + MARGIN)
