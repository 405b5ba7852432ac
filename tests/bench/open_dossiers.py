"""A ledger full of open trades, written by SQL: three documents of each are there and one is awaited.

Of three trades one waits for its inventory, one for its waybill and one for its order; where the inventory waits it
is filed, awaited and due in three days.  Marks, papers and rows are those that the clerk would have written; stamps,
messages and evidence, of which matching reads nothing, are left out.
"""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from gateway import drill
from gateway.settling import iso
from message_specs.opening import open_message
from message_specs.trade.marking import mark_of
from message_specs.trade.papers import kind_of, pack, table
from spool.ledger import Ledger

FIRST = 50_000_000
"""The number of the first trade: what is measured beside them counts from 1."""
_LEFT_OUT = ("CEB621", "CEB511", "CEB311")
_SLICE = 50_000
_EACH = 100


class Kind:
    """One kind of document: its paper with a number in it that is exchanged for another."""

    def __init__(self, spec: str) -> None:
        """The paper of the sample's trade is at hand."""
        self.spec, self.kind, self.partner = spec, kind_of(spec), drill.SENDERS[spec]
        self.document = open_message(drill.message(spec, drill.SAMPLE_NUMBER)).documents[0]
        self.body = pack(self.document)
        self.key = self.document.key
        self.reply_key = self.document.reply_key if self.document.reply_key != self.key else None
        self.marks = [(name, tuple(values)) for name, values in _marked(self.document.head, spec)]

    def of(self, number: int, text: str) -> str:
        """The text as it is in another trade."""
        sample = drill.SAMPLE_NUMBER
        return text.replace(f"{sample:08d}", f"{number:08d}").replace(f"{sample:012X}", f"{number:012X}")

    def paper(self, number: int) -> bytes:
        """The paper as it is in another trade."""
        sample = drill.SAMPLE_NUMBER
        body = self.body.replace(f"{sample:08d}".encode(), f"{number:08d}".encode())
        body = body.replace(f"{sample:012X}".encode(), f"{number:012X}".encode())
        return body.replace(drill.buyer(sample), drill.buyer(number))

    def marks_of(self, number: int) -> list[int]:
        """By what it is found in another trade."""
        return [mark_of(name, *(self.of(number, value) for value in values)) for name, values in self.marks]


def _marked(head: dict[str, str], spec: str) -> Iterator[tuple[str, list[str]]]:
    for row in table("marks.csv"):
        if row["spec"] == spec:
            values = [head.get(path.rpartition("/")[2], "") for path in row["paths"].split()]
            if all(values):
                yield row["mark"], values


Rows = dict[str, list[tuple[Any, ...]]]


def fill(ledger: Ledger, count: int, now: datetime, *, after: int = 0) -> float:
    """The ledger holds so many open trades more than the `after` that it had; return the seconds it took."""
    begun = time.perf_counter()
    conn = ledger.conn
    conn.execute("PRAGMA synchronous = OFF")
    (begins,) = conn.execute("SELECT sql FROM sqlite_master WHERE name = 'document_begins'").fetchone()
    with ledger.writing():
        conn.execute("DROP TRIGGER document_begins")
        marks: list[tuple[Any, ...]] = []
        awaited: list[tuple[Any, ...]] = []
        trades = _trades(range(after, after + count), now)
        while some := list(islice(trades, _SLICE)):
            _write(conn, some, marks, awaited)
        # In the order of their index, as a ledger that has lived long has them.
        marks += [(mark ^ 1, number, -1 - ordinal) for mark, number, ordinal in awaited]
        conn.executemany("INSERT INTO mark VALUES (?, ?, ?, 0)", sorted(marks))
        conn.execute(begins)
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.execute("PRAGMA synchronous = FULL")
    return time.perf_counter() - begun


def _trades(places: range, now: datetime) -> Iterator[Rows]:
    kinds = [Kind(spec) for spec in drill.SENDERS]
    opened, due = iso(now), iso(now + timedelta(days=3))
    day = int(f"{now - timedelta(days=1):%y%m%d}") * 10**12
    for place in places:
        number = FIRST + place
        rows: Rows = {"document": [], "paper": [], "mark": [], "awaited": [], "dossier": []}
        dossier = mark_of("order", *(kinds[0].of(number, value) for value in kinds[0].marks[0][1]))
        ordinal = place % _EACH + 1
        for at, kind in enumerate(kinds):
            if kind.spec == _LEFT_OUT[place % 3]:
                continue
            name = day + (place // _EACH) * 4 + at
            waits = kind.kind == "inventory"
            rows["document"].append((
                name, ordinal, kind.spec, kind.of(number, kind.key), kind.partner, "filed" if waits else "sent",
                kind.of(number, kind.reply_key) if kind.reply_key else None, due if waits else None,
            ))  # fmt: skip
            mine = kind.marks_of(number)
            whose = None if kind.kind == "waybill" else dossier
            rows["paper"].append((name, ordinal, kind.kind, whose, kind.paper(number)))
            rows["mark"] += [(mark, name, ordinal) for mark in mine]
            if waits:
                rows["awaited"] += [(mark, name, ordinal) for mark in mine[:3]]
        told = (kinds[0].of(number, value) for value in kinds[0].marks[0][1])
        rows["dossier"].append((dossier, *told, opened, iso(now + timedelta(days=7))))
        yield rows


def _write(conn: Any, trades: list[Rows], marks: list[tuple[Any, ...]], awaited: list[tuple[Any, ...]]) -> None:
    many = conn.executemany
    many(
        "INSERT INTO document (number, ordinal, spec, key, version, partner, state, app_type, reply_key, authority,"
        " due_at) VALUES (?, ?, ?, ?, 1, ?, ?, '1', ?, 'customs', ?)",
        sorted(row for trade in trades for row in trade["document"]),
    )
    many("INSERT INTO paper (number, ordinal, kind, dossier, body) VALUES (?, ?, ?, ?, ?)",
         sorted(row for trade in trades for row in trade["paper"]))  # fmt: skip
    many("INSERT INTO dossier (mark, platform, order_no, mode, opened_at, phase, due_at)"
         " VALUES (?, ?, ?, '9610', ?, 'open', ?)", (row for trade in trades for row in trade["dossier"]))  # fmt: skip
    for trade in trades:
        marks += trade["mark"]
        awaited += trade["awaited"]
