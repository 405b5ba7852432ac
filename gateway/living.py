"""Living on: what customs says of an inventory and its cancels moves its trade on, in any order of arrival."""

import sqlite3
from collections.abc import Iterable, Sequence

from message_specs.document import Document
from message_specs.trade.life import Life, Said, life_of
from message_specs.trade.papers import marks, side_of
from spool.ledger import Ledger
from spool.states import State

_TELL = ("inventory", "cancel")


def life_in(ledger: Ledger, dossier: int) -> Life:
    """Return all that customs has said of the inventory of a dossier and of its cancels.

    What was said of a version that was refused counts only while no other is declared.
    """
    return _life(ledger.all("said_in_dossier", dossier))


def _life(rows: Sequence[sqlite3.Row]) -> Life:
    side = side_of(rows[0]["declared"]) if rows else "import"
    past = _is_declared(rows)
    told = [row for row in rows if not (past and _is_inventory(row) and row["state"] == State.REFUSED)]
    return life_of(side, [said_of(row) for row in told if row["status"] is not None])


def _is_declared(rows: Iterable[sqlite3.Row]) -> bool:
    """Tell whether one of the inventories is sealed and was not refused."""
    return any(_is_inventory(row) and row["state"] != State.REFUSED and row["message"] for row in rows)


def _is_inventory(row: sqlite3.Row) -> bool:
    return bool(row["kind"] == "inventory")


def said_of(row: sqlite3.Row) -> Said:
    """Return what a receipt says, as the law of a trade reads it."""
    return Said(row["said_at"], row["status"], row["spec"], f"{row['number']}.{row['ordinal']}", row["info"])


def learn(ledger: Ledger, unit: Document, number: int, ordinal: int) -> None:
    """A document is found by the number that customs gave it in this receipt, inside the caller's transaction."""
    ledger.run_many("learn_mark", [(mark, number, ordinal) for mark in marks(unit).get("inventory", ())])


def go_on(ledger: Ledger, number: int, ordinal: int, at: str) -> None:
    """The trade of this document stands where its receipts put it, inside the caller's transaction.

    A trade that is open again, void or released is looked at: it may have to give something back.
    """
    row = ledger.one("paper", number, ordinal)
    if row is None or row["dossier"] is None:
        return
    if row["kind"] in _TELL:
        rows = ledger.all("said_in_dossier", row["dossier"])
        life = _life(rows)
        phase = "declared" if not life.said and _is_declared(rows) else life.phase
        ledger.run("dossier_phase", phase, at, row["dossier"])
    elif row["kind"] == "refund":
        ledger.run("wake_dossier", at, row["dossier"])
