"""Living on: what customs says of an inventory and its cancels moves its trade on, in any order of arrival."""

import sqlite3
from collections.abc import Iterable

import msgspec

from message_specs.document import Document
from message_specs.trade.life import Life, Said, life_of
from message_specs.trade.papers import marks, marks_of, side_of, unpack
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


def learn(ledger: Ledger, unit: Document, number: int, ordinal: int, at: str) -> None:
    """A document is found by the number that customs gave it in this receipt, inside the caller's transaction.

    Who waits for that number is looked at, and whoever decides at this moment sees that something came.
    """
    found = marks(unit).get("inventory", ())
    if sum(ledger.run("learn_mark", mark, number, ordinal) for mark in found):
        ledger.one("file_next")
        wake(ledger, found, at)


def wake(ledger: Ledger, found: Iterable[int], at: str) -> None:
    """What awaits one of these marks, a document or a dossier, is looked at at that time."""
    for row in ledger.all("awaiting", _json(set(found))):
        if row["ordinal"]:
            ledger.run("wake_document", at, row["number"], row["ordinal"])
        else:
            ledger.run("wake_dossier", at, row["number"])


def go_on(ledger: Ledger, number: int, ordinal: int, at: str) -> None:
    """The trade of this document stands where its receipts put it, inside the caller's transaction.

    A trade that is open again, void or released is looked at: it may have to give something back.
    """
    row = ledger.one("paper", number, ordinal)
    if row is not None and row["kind"] == "aggregate":
        # Lists that are gathered wait no more; those of a refused application wait again.
        _, lines = unpack(row["body"])
        ledger.run("wake_lists", at, _json(marks_of("inventory", row["spec"], {}, lines)))
    if row is None or row["dossier"] is None:
        return
    if row["kind"] in _TELL:
        phase = life_in(ledger, row["dossier"]).phase
        ledger.run("dossier_phase", phase, at, row["dossier"])
    elif row["kind"] == "refund":
        ledger.run("wake_dossier", at, row["dossier"])


def _json(values: Iterable[int]) -> str:
    return msgspec.json.encode(list(values)).decode()
