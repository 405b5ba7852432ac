"""The shelf: every paper of every trade, found again by its key, its order, its waybill, its inventory and its bill.

It is part of the book and shares its transaction: what is put here is as safe
as the answers that follow from it.  A paper is one object as long as a
transaction lasts, whichever way it was found.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from adapters.simulators.trade.papers import FAILED, Paper, written

SCHEMA = """
CREATE TABLE IF NOT EXISTS paper (
    id INTEGER PRIMARY KEY, spec TEXT NOT NULL, key TEXT NOT NULL, message INTEGER NOT NULL, ordinal INTEGER NOT NULL,
    trade TEXT, waybill TEXT, invt TEXT, bill TEXT, last TEXT NOT NULL, head TEXT NOT NULL, lines TEXT NOT NULL,
    said TEXT NOT NULL, more TEXT NOT NULL, UNIQUE (spec, key)) STRICT;
CREATE INDEX IF NOT EXISTS paper_trade ON paper (trade) WHERE trade IS NOT NULL;
CREATE INDEX IF NOT EXISTS paper_waybill ON paper (waybill) WHERE waybill IS NOT NULL;
CREATE INDEX IF NOT EXISTS paper_invt ON paper (invt) WHERE invt IS NOT NULL;
DROP INDEX IF EXISTS paper_bill;
CREATE INDEX IF NOT EXISTS paper_of_bill ON paper (bill, spec) WHERE bill IS NOT NULL;
CREATE TABLE IF NOT EXISTS quota (
    person TEXT NOT NULL, year TEXT NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (person, year)) STRICT, WITHOUT ROWID;
"""
_COLUMNS = "spec, key, message, ordinal, head, lines, invt, said, more"
_NEW = """
INSERT OR REPLACE INTO paper (spec, key, message, ordinal, trade, waybill, invt, bill, last, head, lines, said, more)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
# Orders and waybills are found by their keys; these kinds by the other marks.
_BY_TRADE = ("CEB411", "CEB403", "CEB621", "CEB603", "CEB303", "CEB607", "CEB507", "CEB509", "CEB701")
_BY_BILL = ("CEB603", "CEB607", "CEB507", "CEB509")


class Shelf:
    """The papers of one book; used inside its transactions by one thread."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._open: dict[tuple[str, str], Paper] = {}
        self._changed: dict[tuple[str, str], Paper] = {}

    def begin(self) -> None:
        """Forget what an earlier transaction had at hand; it may have been rolled back."""
        self._open.clear()
        self._changed.clear()

    def standing(self, spec: str, keys: Sequence[str]) -> dict[str, str]:
        """Return the last status of those of the keys under which a declaration stands that has not failed."""
        found: dict[str, str] = {}
        for start in range(0, len(keys), 500):
            some = keys[start : start + 500]
            rows = self._db.execute(
                f"SELECT key, last FROM paper WHERE spec = ? AND key IN ({','.join('?' * len(some))})", (spec, *some)
            )
            found |= {str(key): str(last) for key, last in rows if last not in FAILED}
        for key in keys:
            if (at_hand := self._open.get((spec, key))) is not None:
                found[key] = at_hand.last
        return {key: last for key, last in found.items() if last not in FAILED}

    def add(self, papers: Iterable[Paper]) -> None:
        """Let these stand under their keys, in place of what stood there."""
        new = {(one.spec, one.key): one for one in papers}
        self._open |= new
        self._db.executemany(_NEW, [_row(one) for one in new.values()])

    def remove(self, spec: str, keys: Iterable[str]) -> None:
        """Let nothing stand under these keys."""
        for key in keys:
            self._open.pop((spec, key), None)
            self._changed.pop((spec, key), None)
            self._db.execute("DELETE FROM paper WHERE spec = ? AND key = ?", (spec, key))

    def get(self, spec: str, key: str) -> Paper | None:
        """Return the paper under a key, unless it has failed."""
        known = self._open.get((spec, key))
        found = [known] if known else self._where("spec = ? AND key = ?", spec, key)
        return next((one for one in found if one.last not in FAILED), None)

    def of_trade(self, trade: str, *specs: str) -> list[Paper]:
        """Return the papers of these kinds in a trade, or the parts of a split document."""
        return [one for one in self._where("trade = ?", trade) if one.spec in specs]

    def sharing(self, mark: str, spec: str) -> list[Paper]:
        """Return the inventories of a waybill, or the orders of a payment."""
        return [one for one in self._where("waybill = ?", mark) if one.spec == spec] if mark else []

    def of_inventory(self, invt: str, spec: str) -> Paper | None:
        """Return the inventory with this number."""
        return next((one for one in self._where("invt = ?", invt) if one.spec == spec), None) if invt else None

    def of_bill(self, bill: str, spec: str) -> list[Paper]:
        """Return the papers of one kind under a bill of lading."""
        return self._where("bill = ? AND spec = ?", bill, spec) if bill else []

    def all_of(self, spec: str) -> list[Paper]:
        """Return every paper of a kind: a long list."""
        return self._where("spec = ?", spec)

    def changed(self, paper: Paper) -> None:
        """Note that a paper has changed; `write` puts it down."""
        self._changed[paper.spec, paper.key] = paper

    def write(self) -> None:
        """Put down every paper that has changed."""
        rows = [
            (one.last, written(one.said), written(one.more), one.spec, one.key, one.message)
            for key, one in self._changed.items()
            if self._open.get(key) is one
        ]
        self._db.executemany(
            "UPDATE paper SET last = ?, said = ?, more = ? WHERE spec = ? AND key = ? AND message = ?", rows
        )

    def use(self, person: str, year: str, fen: int) -> int:
        """Count this amount to a person's year, a negative one gives back; return what is used of it then."""
        [(used,)] = self._db.execute(
            "INSERT INTO quota VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET used = used + excluded.used RETURNING used",
            (person, year, fen),
        ).fetchall()
        return int(used)

    def _where(self, condition: str, *values: str) -> list[Paper]:
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM paper WHERE {condition} ORDER BY id", values).fetchall()
        return [self._open.get((row[0], row[1])) or self._read(row) for row in rows]

    def _read(self, row: tuple[Any, ...]) -> Paper:
        paper = read(row)
        self._open[paper.spec, paper.key] = paper
        return paper


def read(row: tuple[Any, ...]) -> Paper:
    """Return the paper in a row of the columns spec, key, message, ordinal, head, lines, invt, said, more."""
    spec, key, message, ordinal, head, lines, invt, said, more = row
    return Paper(spec, key, message, ordinal, json.loads(head), json.loads(lines), invt or "", json.loads(said),
                 json.loads(more))  # fmt: skip


def _row(one: Paper) -> tuple[Any, ...]:
    trade = one.trade if one.spec in _BY_TRADE else ""
    bill = one.head.get("billNo", "") if one.spec in _BY_BILL else ""
    return (
        one.spec, one.key, one.message, one.ordinal, trade or None, one.shares or None, one.invt or None, bill or None,
        one.last, written(one.head), written(one.lines),
        written(one.said), written(one.more),
    )  # fmt: skip
