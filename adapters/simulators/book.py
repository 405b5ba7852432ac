"""Customs' own book: what it was told, what it thought of it, and what it still has to answer.

One SQLite file, `synchronous=FULL`.  Whatever `writing` encloses is safe on
disk when the block ends, or did not happen at all.  Reading it beside a
running customs disturbs nothing.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.simulators.judging import Told
from adapters.simulators.receipts import Booked, Due, Planned
from adapters.simulators.trade.papers import written
from adapters.simulators.trade.shelf import SCHEMA, Shelf

FILE = "book.sqlite3"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, standing TEXT NOT NULL, guid TEXT NOT NULL, spec TEXT NOT NULL,
    sender TEXT NOT NULL, message_id TEXT NOT NULL, message_type TEXT NOT NULL, channel TEXT NOT NULL,
    source TEXT NOT NULL, told_at INTEGER NOT NULL, times INTEGER NOT NULL, reason TEXT NOT NULL, body BLOB NOT NULL,
    UNIQUE (sha256, standing)) STRICT;
CREATE TABLE IF NOT EXISTS document (
    message INTEGER NOT NULL REFERENCES message (id), ordinal INTEGER NOT NULL, key TEXT NOT NULL,
    app_type TEXT NOT NULL, sha256 TEXT NOT NULL, verdict TEXT NOT NULL, told TEXT NOT NULL,
    PRIMARY KEY (message, ordinal)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answer (
    id INTEGER PRIMARY KEY, message INTEGER NOT NULL REFERENCES message (id), stage INTEGER NOT NULL,
    turn INTEGER NOT NULL, status TEXT NOT NULL, guid TEXT NOT NULL, moment INTEGER NOT NULL, copy INTEGER NOT NULL,
    due INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0, sent INTEGER, chain INTEGER NOT NULL DEFAULT 0,
    code TEXT NOT NULL DEFAULT '', about TEXT NOT NULL DEFAULT '') STRICT;
CREATE INDEX IF NOT EXISTS answer_due ON answer (due) WHERE sent IS NULL;
CREATE INDEX IF NOT EXISTS answer_message ON answer (message, turn);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""
_WAITING = "CREATE INDEX IF NOT EXISTS answer_waiting ON answer (message, chain, turn) WHERE sent IS NULL"
# A book that was begun before customs knew of trades goes on as it is.
_FROM_BEFORE_TRADES = """
ALTER TABLE answer ADD COLUMN chain INTEGER NOT NULL DEFAULT 0;
ALTER TABLE answer ADD COLUMN code TEXT NOT NULL DEFAULT '';
ALTER TABLE answer ADD COLUMN about TEXT NOT NULL DEFAULT '';
INSERT INTO paper (spec, key, message, ordinal, last, head, lines, said, more)
    SELECT spec, key, 0, 0, '2', '{}', '[]', '[]', '{}' FROM living;
DROP TABLE living;
"""
_DUE = """
SELECT id, message, stage, status, guid, moment, copy, tries, code, about FROM answer AS later
WHERE sent IS NULL AND due <= ? AND NOT EXISTS (
    SELECT 1 FROM answer WHERE message = later.message AND chain = later.chain AND turn < later.turn AND sent IS NULL)
AND (later.chain = 0 OR NOT EXISTS (
    SELECT 1 FROM answer WHERE message = later.message AND chain = 0 AND stage = 0 AND sent IS NULL))
ORDER BY due, id LIMIT ?
"""
_MESSAGE = """
SELECT id, guid, spec, standing, sender, message_id, message_type, channel, told_at, reason, body
FROM message WHERE id = ?
"""
_NEW_ANSWER = "INSERT INTO answer (message, stage, turn, status, guid, moment, copy, due, chain, code, about)"


@dataclass(frozen=True, slots=True)
class Known:
    """A message that stands in the book already."""

    id: int
    source: str
    told_at: int
    times: int


class Book:
    """The book, open for writing; safe to use from several threads."""

    def __init__(self, state: Path) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(state / FILE, isolation_level=None, check_same_thread=False, timeout=30)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA + SCHEMA)
        if "about" not in [row[1] for row in self._db.execute("PRAGMA table_info(answer)")]:
            self._db.executescript(_FROM_BEFORE_TRADES)
        self._db.execute(_WAITING)
        self.shelf = Shelf(self._db)

    def close(self) -> None:
        """Close the file; the book stays as it is."""
        with self._lock:
            self._db.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Make everything inside one transaction, synced at its end."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            self.shelf.begin()
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def fact(self, name: str, value: str) -> str:
        """Return what the book holds under `name`, writing `value` there first if it holds nothing."""
        with self.writing():
            self._db.execute("INSERT INTO fact VALUES (?, ?) ON CONFLICT DO NOTHING", (name, value))
            row = self._db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return str(row[0])

    def documents(self) -> int:
        """Return how many documents were told so far."""
        with self._lock:
            return int(self._db.execute("SELECT COUNT(*) FROM document").fetchone()[0])

    def known(self, told: Told) -> Known | None:
        """Return the row of the same bytes with the same standing, if they were told before."""
        row = self._db.execute(
            "SELECT id, source, told_at, times FROM message WHERE sha256 = ? AND standing = ?",
            (told.sha256, told.standing),
        ).fetchone()
        return Known(*row) if row else None

    def told_again(self, known: Known, source: str, channel: str) -> None:
        """Count one more time that this message was told."""
        self._db.execute(
            "UPDATE message SET times = times + 1, source = ?, channel = ? WHERE id = ?", (source, channel, known.id)
        )

    def add(self, told: Told, verdicts: Sequence[str], source: str, channel: str, at: int) -> int:
        """Write down a message and its documents, each with its verdict; return the number of the message."""
        cursor = self._db.execute(
            "INSERT INTO message VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)",
            (told.sha256, told.standing, told.guid, told.spec, told.sender, told.message_id, told.message_type,
             channel, source, at, told.reason, told.body),
        )  # fmt: skip
        number = cursor.lastrowid
        assert number is not None
        self._db.executemany(
            "INSERT INTO document VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (number, ordinal, unit.key, unit.app_type, unit.sha256, verdict, written(unit.values))
                for ordinal, (unit, verdict) in enumerate(zip(told.units, verdicts, strict=True), 1)
            ),
        )
        return number

    def plan(self, answers: Iterable[tuple[int, Planned]]) -> None:
        """Write down answers, each with the number of the message that will get it."""
        self._db.executemany(
            f"{_NEW_ANSWER} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((message, one.stage, one.turn, one.status, one.guid, one.moment, one.copy, one.due, one.chain, one.code,
              one.about) for message, one in answers),
        )  # fmt: skip

    def withdraw(self, message: int, ordinal: int, at: int) -> None:
        """What was to be said later of one document is not said."""
        rows = self._db.execute(
            "SELECT id, about FROM answer WHERE message = ? AND sent IS NULL AND moment > ? AND stage > 0 "
            "AND about <> ''",
            (message, at),
        ).fetchall()
        for number, about in rows:
            left = {name: one for name, one in json.loads(about).items() if name != str(ordinal)}
            if left:
                self._db.execute("UPDATE answer SET about = ? WHERE id = ?", (written(left), number))
            else:
                self._db.execute("DELETE FROM answer WHERE id = ?", (number,))

    def answer_again(self, known: Known, at: int) -> None:
        """Let the first answer of a message leave once more, the same bytes, if it left already."""
        self._db.execute(
            f"{_NEW_ANSWER} "
            "SELECT message, stage, -100, status, guid, moment, "
            "(SELECT MAX(copy) + 1 FROM answer WHERE message = ?1), ?2, chain, code, about FROM answer "
            "WHERE message = ?1 AND stage = 0 AND copy = 0 AND sent IS NOT NULL",
            (known.id, at),
        )

    def due(self, at: int, most: int) -> list[Due]:
        """Return answers that may leave, the earliest first, and of one message only those whose turn it is."""
        with self._lock:
            return [Due(*row) for row in self._db.execute(_DUE, (at, most))]

    def booked(self, message: int) -> Booked:
        """Return a message with its documents, as its answers need it."""
        with self._lock:
            row = self._db.execute(_MESSAGE, (message,)).fetchone()
            units = self._db.execute(
                "SELECT ordinal, verdict, told FROM document WHERE message = ? ORDER BY ordinal", (message,)
            ).fetchall()
        return Booked(*(*row, units))

    def sent(self, answers: Iterable[Due], at: int) -> None:
        """Write down that these answers have left."""
        with self.writing():
            self._db.executemany("UPDATE answer SET sent = ? WHERE id = ?", ((at, one.id) for one in answers))

    def failed(self, answers: Iterable[Due], due: int) -> None:
        """Write down that these answers could not leave and are tried again at `due`."""
        with self.writing():
            self._db.executemany("UPDATE answer SET tries = tries + 1, due = ? WHERE id = ?",
                                 ((due, one.id) for one in answers))  # fmt: skip
