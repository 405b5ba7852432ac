"""The ledger: the one book, in SQLite, synced before anything is let go.

One writer at a time, kept in turn by a lock on `ledger.lock` rather than by
SQLite's polling, so that two processes hand over without waiting for a timer.
Readers never wait.  A commit has reached the disk (`synchronous=FULL`).
"""

import contextlib
import fcntl
import os
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import sqlite_utils

from spool.errors import ForOperator
from spool.named_sql import queries

NEVER: Final = "9999-12-31T23:59:59Z"
"""The due date of what only an operator moves on."""

_OURS: Final = 0o640

IN_PARTS: Final = -1
"""The number of documents of a table that is written part by part: its parts tell how many there are."""


MarksAnew = Callable[[str, bytes], str]
"""Of a paper's spec and body: its marks that step 0014 changes, as JSON pairs of what each was and what it is."""


class NewerLedger(ForOperator):
    """The ledger was written by a newer Kouan; install that version or restore an older ledger"""


class OlderLedger(ForOperator):
    """The ledger was written by an earlier Kouan; the daemon brings it up to date when it starts"""


class LeftAsItWas(ForOperator):
    """The ledger could not be brought up to date and is as it was"""


def _migrations() -> sqlite_utils.Migrations:
    steps = sqlite_utils.Migrations("kouan")
    folder = files("spool").joinpath("migrations")
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".sql"):
            steps(name=file.name.removesuffix(".sql"))(_step(file.read_text("utf-8")))
    return steps


def _step(text: str) -> Any:
    def apply(db: sqlite_utils.Database) -> None:
        for statement in statements(text):
            db.conn.execute(statement)

    return apply


def statements(text: str) -> Iterator[str]:
    """Yield the statements of an SQL file one by one; a trigger is one.

    >>> list(statements("CREATE TABLE a (b);  INSERT INTO a VALUES (1);"))
    ['CREATE TABLE a (b);', 'INSERT INTO a VALUES (1);']
    """
    part = ""
    for piece in text.split(";"):
        part += piece + ";"
        if sqlite3.complete_statement(part):
            if part.strip(" \n;"):
                yield part.strip()
            part = ""


def _close_to_others(path: Path) -> None:
    """The file is there and none but our group can read it; SQLite makes its -wal and -shm in the same mode."""
    # Only a file that was not there: closing one that SQLite has open would let go of its locks.
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OURS))
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        # What was made by an older Kouan, or restored; what is not ours to change belongs to whoever arranged it so.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            mode = stat.S_IMODE(file.stat().st_mode)
            if mode & ~_OURS:
                file.chmod(mode & _OURS)


def _nothing_anew(spec: str, body: bytes) -> str:  # noqa: ARG001  of MarksAnew
    return "[]"


class Ledger:
    """One connection to the book of one home."""

    def __init__(self, path: Path, *, read_only: bool = False, marks_anew: MarksAnew | None = None) -> None:
        """The book is open; a new one is made unless `read_only`.

        One of an earlier Kouan is brought up to date with `marks_anew` alone, which the daemon gives: else a command
        could do so under an earlier daemon that still runs.  Raises OlderLedger without, NewerLedger where a later
        Kouan wrote it, and LeftAsItWas where it cannot be brought up to date, for the disk is full or a paper broken.
        """
        self.path = path
        self._sql = queries()
        if read_only:
            self.conn = sqlite3.connect(
                f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False, cached_statements=256
            )
        else:
            _close_to_others(path)
            self.conn = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
            self._lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        self.conn.row_factory = sqlite3.Row
        self.conn.execute("PRAGMA busy_timeout = 30000")
        if not read_only:
            self._prepare(marks_anew)

    def is_behind(self) -> bool:
        """Tell whether an earlier Kouan wrote this book and no daemon has brought it up to date."""
        database, steps = sqlite_utils.Database(self.conn), _migrations()
        return bool(steps.applied(database) and steps.pending(database))

    def _prepare(self, marks_anew: MarksAnew | None) -> None:
        self.conn.execute("PRAGMA journal_mode = WAL")
        self.conn.execute("PRAGMA synchronous = FULL")
        self.conn.execute("PRAGMA cache_size = -32768")
        self.conn.execute("PRAGMA wal_autocheckpoint = 4000")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            database = sqlite_utils.Database(self.conn)
            steps = _migrations()
            known = {step.name for step in steps._migrations}  # noqa: SLF001  the class names no public list
            applied = [step.name for step in steps.applied(database)]
            if newer := [name for name in applied if name not in known]:
                raise NewerLedger(", ".join(newer))
            if steps.pending(database):
                if applied and marks_anew is None:
                    raise OlderLedger(str(self.path))
                self._apply(steps, database, marks_anew or _nothing_anew)
                # A step may have written all papers anew; their log would stay as long as that.
                self.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _apply(self, steps: sqlite_utils.Migrations, database: sqlite_utils.Database, marks_anew: MarksAnew) -> None:
        stopped: list[BaseException] = []

        def told(spec: str, body: bytes) -> str:
            try:
                return marks_anew(spec, body)
            except BaseException as trouble:
                # SQLite would tell only that a function failed.
                stopped.append(trouble)
                raise

        self.conn.create_function("marks_anew", 2, told, deterministic=True)
        try:
            steps.apply(database)
        except sqlite3.OperationalError as trouble:
            if stopped and not isinstance(stopped[0], Exception):
                raise stopped[0] from None
            raise LeftAsItWas(repr(stopped[0]) if stopped else str(trouble)) from trouble
        finally:
            self.conn.create_function("marks_anew", 2, None)

    @contextmanager
    def writing(self) -> Iterator["Ledger"]:
        """Everything done inside is in the book, synced, or nothing of it is."""
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            self.conn.execute("BEGIN IMMEDIATE")
            try:
                yield self
            except BaseException:
                self.conn.execute("ROLLBACK")
                raise
            self.conn.execute("COMMIT")
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def all(self, name: str, *values: object) -> list[sqlite3.Row]:
        """Return every row of a named query."""
        return self.conn.execute(self._sql[name], values).fetchall()

    def one(self, name: str, *values: object) -> sqlite3.Row | None:
        """Return the first row of a named query, or None."""
        row: sqlite3.Row | None = self.conn.execute(self._sql[name], values).fetchone()
        return row

    def run(self, name: str, *values: object) -> int:
        """Do a named statement; return how many rows it changed."""
        return self.conn.execute(self._sql[name], values).rowcount

    def run_many(self, name: str, rows: Iterable[Sequence[object]]) -> None:
        """Do a named statement for each row of values."""
        self.conn.executemany(self._sql[name], rows)

    def close(self) -> None:
        """The connection is closed."""
        self.conn.close()
        if hasattr(self, "_lock"):
            os.close(self._lock)
            del self._lock
