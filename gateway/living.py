"""Living on: what customs says of an inventory and its cancels moves its trade on, in any order of arrival."""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from gateway.turning import wake
from message_specs.document import Document
from message_specs.trade.life import Life, Said, life_of, stays
from message_specs.trade.papers import marks, marks_of, side_of, unpack
from spool.ledger import Ledger
from spool.states import State

_TELL = ("inventory", "cancel")
LIVE_ON = frozenset({*_TELL, "refund", "aggregate"})
"""What documents are in trades that move on when customs speaks of them."""


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


def learn(ledger: Ledger, units: Mapping[tuple[int, int], Document], at: str) -> Collection[int]:
    """Documents are found by the numbers that customs gave them in these receipts; return the marks that are new.

    Inside the caller's transaction.
    Who waits for such a number is looked at, and whoever decides at this moment sees that something came.
    """
    found = [(mark, *place) for place, unit in units.items() for mark in marks(unit).get("inventory", ())]
    if not found:
        return ()
    new = {row["mark"] for row in ledger.all("learn_marks", _json(found))}
    if new:
        ledger.one("file_next")
        wake(ledger, new, at)
    return new


def go_on(ledger: Ledger, heard: Mapping[tuple[int, int], Collection[Said]], at: str) -> None:
    """The trades of these documents stand where their receipts put them, inside the caller's transaction.

    What was heard of a document is what is new; where nothing is named, everything is looked at again.
    A trade that is open again, void or released is looked at: it may have to give something back.
    """
    if not heard:
        return
    rows = ledger.all("dossiers_of", _json(list(heard)))
    for row in rows:
        if row["kind"] == "aggregate":
            # Lists that are gathered wait no more; those of a refused application wait again.
            _, lines = unpack(row["body"])
            ledger.run("wake_lists", at, _json(marks_of("inventory", row["spec"], {}, lines)))
    known = [row for row in rows if row["dossier"] is not None]
    told = {row["dossier"] for row in known if row["kind"] in _TELL and not _stands(row, heard)}
    given_back = {row["dossier"] for row in known if row["kind"] == "refund"}
    if told:
        phases = [(_phase(said), at, mark) for mark, said in _by_dossier(ledger, told).items()]
        ledger.run_many("dossier_phase", phases)
    ledger.run_many("wake_dossier", [(at, mark) for mark in given_back])


def _stands(row: sqlite3.Row, heard: Mapping[tuple[int, int], Collection[Said]]) -> bool:
    """Tell whether the trade stands where it stood: most receipts move none, and its life need not be read.

    Only for the inventory that the trade has now, while nobody waits to be told of its silence.  After an accepted
    cancel that is the one declared anew: what is said of it is later than the cancel, unless a clock is wrong.
    """
    new = heard[row["number"], row["ordinal"]]
    return bool(new) and row["phase"] is not None and all([stays(row["phase"], one) for one in new])  # noqa: C419  quicker for one


def _phase(rows: Sequence[sqlite3.Row]) -> str:
    life = _life(rows)
    return "declared" if not life.said and _is_declared(rows) else life.phase


def _by_dossier(ledger: Ledger, dossiers: Collection[int]) -> dict[int, list[sqlite3.Row]]:
    """Return the inventories and cancels of each of these dossiers, each with all that was said of it."""
    found: dict[int, list[sqlite3.Row]] = {mark: [] for mark in dossiers}
    for row in ledger.all("said_in_dossiers", _json(list(dossiers))):
        found[row["mark"]].append(row)
    return found


def _json(values: object) -> str:
    return msgspec.json.encode(values).decode()
