"""Booking: what the receipts of an answer say is written into the ledger, many rows at a time.

A receipt is a row, the status of its document, and the stamps that take the
document on.  The rows of an answer are kept back and written together: one
document is spoken of once in most answers, and whoever reads a document of
which something is kept back writes first.
"""

import sqlite3
from collections.abc import Mapping

from gateway.meaning import Meant
from gateway.said import Said
from gateway.turning import turned
from message_specs.catalog import catalog
from spool.ledger import Ledger
from spool.states import State


class Booking:
    """What one answer says, inside the caller's transaction; nothing of it is in the ledger before `write`."""

    def __init__(self, ledger: Ledger, at: str) -> None:
        """`at` is when the answer came."""
        self._ledger = ledger
        self._at = at
        self._receipts: list[tuple[object, ...]] = []
        self._statuses: list[tuple[object, ...]] = []
        self._stamps: list[tuple[object, ...]] = []
        self._spoken_of: set[tuple[str, object]] = set()

    def has_moved(self, row: sqlite3.Row) -> bool:
        """Tell whether the answer has said something of this document before, in any version."""
        return _name(row) in self._spoken_of

    def book(
        self, answer: tuple[int, int, str], one: Meant, told: Said, authority: str, given: tuple[str, int | None]
    ) -> bool:
        """The receipt takes its document where it leads; False when it was there before.

        Nothing may be held back of the document.  `given` is the file that its partner has, and the receipt
        that brought it.
        """
        row, spec = one.row, answer[2]
        number, ordinal = row["number"], row["ordinal"]
        if self._is_known(row, spec, told) if one.known is None else one.known:
            return False
        self._receipts.append(
            (row["partner"], *answer[:2], number, ordinal, spec, row["key"] or "", told.status, told.outcome,
             told.said_at, told.info, *given)
        )  # fmt: skip
        if not catalog().specs[spec].follows:
            # The state of a tax bill is none of the inventory.
            self._statuses.append((told.status, told.said_at, number, ordinal, told.said_at))
        reason = f"{spec} {told.status} {told.zh}"
        before = state = State(row["state"])
        for after in moves(state, told.outcome):
            self._stamps.append((number, ordinal, self._at, "settle", state, after, authority, reason, None))
            state = after
        self._spoken_of.add(_name(row))
        if state is State.REFUSED is not before:
            self.write()
            turned(self._ledger, number, ordinal, self._at)
        return True

    def _is_known(self, row: sqlite3.Row, spec: str, told: Said) -> bool:
        said_before = (row["key"], row["spec"], spec, told.status, told.said_at, told.info)
        return self._ledger.one("receipt_known", *said_before) is not None

    def write(self) -> None:
        """All that was said is in the ledger."""
        if not self._receipts:
            return
        self._ledger.run_many("add_receipt", self._receipts)
        self._ledger.run_many("set_status", self._statuses)
        self._ledger.run_many("add_next_stamp", self._stamps)
        for rows in (self._receipts, self._statuses, self._stamps):
            rows.clear()


def _name(row: sqlite3.Row) -> tuple[str, object]:
    return row["spec"], row["key"] or (row["number"], row["ordinal"])


def moves(state: State, outcome: str) -> tuple[State, ...]:
    """Return the states through which a receipt of this outcome takes a document; its own state means a stamp only.

    >>> moves(State.READY, "final"), moves(State.CLOSED, "interim")
    ((<State.SENT: 'sent'>, <State.CLOSED: 'closed'>), (<State.CLOSED: 'closed'>,))
    """
    if state not in (State.READY, State.SENT):
        return (state,)
    end = _ENDS.get(outcome)
    taken = (State.SENT,) if state is State.READY else ()
    return (*taken, end) if end else taken or (state,)


_ENDS: Mapping[str, State] = {"final": State.CLOSED, "refused": State.REFUSED}
