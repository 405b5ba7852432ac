"""Living on: what customs says of an inventory and its cancels moves its trade on, in any order of arrival."""

import sqlite3
from collections.abc import Collection

import msgspec

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


def go_on(ledger: Ledger, places: Collection[tuple[int, int]], at: str) -> None:
    """The trades of these documents stand where their receipts put them, inside the caller's transaction.

    A trade that is open again, void or released is looked at: it may have to give something back.
    """
    if not places:
        return
    rows = ledger.all("dossiers_of", _json(list(places)))
    told = {row["dossier"] for row in rows if row["kind"] in _TELL}
    given_back = {row["dossier"] for row in rows if row["kind"] == "refund"}
    if told:
        ledger.run_many("dossier_phase", [(life.phase, at, mark) for mark, life in _lives(ledger, told).items()])
    ledger.run_many("wake_dossier", [(at, mark) for mark in given_back])


def _lives(ledger: Ledger, dossiers: Collection[int]) -> dict[int, Life]:
    """Return the life of each of these dossiers, as `life_in` tells it."""
    said: dict[int, list[Said]] = {mark: [] for mark in dossiers}
    sides = dict.fromkeys(dossiers, "import")
    for mark, number, ordinal, spec, status, said_at, info, declared in ledger.all(
        "said_in_dossiers", _json(list(dossiers))
    ):
        if not said[mark]:
            sides[mark] = side_of(declared)
        said[mark].append(Said(said_at, status, spec, f"{number}.{ordinal}", info))
    return {mark: life_of(sides[mark], told) for mark, told in said.items()}


def _json(values: object) -> str:
    return msgspec.json.encode(values).decode()


def never_left(ledger: Ledger, number: int, ordinal: int, at: str) -> None:
    """The trade of an inventory that was refused before it left is open again and looked at, in the transaction."""
    row = ledger.one("paper", number, ordinal)
    dossier = ledger.one("dossier", row["dossier"]) if row is not None and row["dossier"] is not None else None
    if dossier is not None and (dossier["number"], dossier["ordinal"]) == (number, ordinal):
        ledger.run("dossier_phase", "open", at, dossier["mark"])
