"""Living on: what customs says of an inventory and its cancels moves its trade on, in any order of arrival."""

import sqlite3

from message_specs.document import Document
from message_specs.trade.life import Life, Said, life_of
from message_specs.trade.papers import marks, side_of
from spool.ledger import Ledger

_TELL = ("inventory", "cancel")


def life_in(ledger: Ledger, dossier: int) -> Life:
    """Return all that customs has said of the inventory of a dossier and of its cancels."""
    rows = ledger.all("said_in_dossier", dossier)
    side = side_of(rows[0]["declared"]) if rows else "import"
    return life_of(side, map(said_of, rows))


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
        phase = life_in(ledger, row["dossier"]).phase
        ledger.run("dossier_phase", phase, at, row["dossier"])
    elif row["kind"] == "refund":
        ledger.run("wake_dossier", at, row["dossier"])
