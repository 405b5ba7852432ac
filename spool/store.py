"""The store: evidence, written once under a number, never changed.

What comes in and what leaves lies in `store/YYYY/MM/DD/HHMM/` as
`NUMBER~SENDER~FILE`.  A partner's file is claimed by renaming it there, which
is also the instant from which nobody else can take it; it becomes ours when
the ledger's row is synced.  A claim without a row is found again after a crash
by its name alone.

Known limits: in/ and store must lie on one file system.  A program of the
partner's that keeps the file open could still write to it: the folder door
takes only files that nobody holds open for writing.
"""

import contextlib
import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spool import aside, number

_OWN: Final = ".own"
_DISK: Final = frozenset({
    errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE,
})  # fmt: skip
_BOOK: Final = frozenset({
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file of the store as its name tells it."""

    number: int
    sender: str
    file: str
    place: str


class Store:
    """The evidence of one home folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._base = str(root)
        self._made: set[str] = set()

    def place(self, number_: int, sender: str, file: str) -> str:
        """Return where the evidence of a number lies, relative to the store; its folder is there.

        Names are cut to what a file system holds, keeping their ending.
        """
        folder = number.folder_of(number_)
        if folder not in self._made:
            os.makedirs(f"{self._base}/{folder}", mode=0o750, exist_ok=True)
            self._made.add(folder)
        return f"{folder}/{number_}~{sender}~{_short(file)}"

    def claim(self, path: str, place: str) -> bool:
        """Take a file from where it lies by one rename; False if it is not there any more."""
        try:
            os.rename(path, f"{self._base}/{place}")
        except FileNotFoundError:
            if not os.path.isdir(os.path.dirname(f"{self._base}/{place}")):
                raise
            return False
        return True

    def give_back(self, place: str, path: str) -> bool:
        """The claimed file lies again where it came from; False, and it stays here, if another stands there by now."""
        try:
            os.link(f"{self._base}/{place}", path)  # unlike a rename it replaces nothing
        except OSError:
            return False
        os.unlink(f"{self._base}/{place}")
        return True

    def write(self, place: str, data: bytes) -> None:
        """The evidence holds `data`; the caller syncs. What a crash left under this name is replaced."""
        full = f"{self._base}/{place}"
        try:
            aside.write_new(full, data)
        except FileExistsError:
            os.unlink(full)
            aside.write_new(full, data)

    def read(self, place: str) -> bytes:
        """Return the evidence; FileNotFoundError if there is none."""
        with open(f"{self._base}/{place}", "rb", buffering=0) as file:
            return file.read()

    def rewrite(self, place: str, data: bytes) -> None:
        """The evidence is a file of our own with the same bytes: another name or an open handle cannot change it."""
        self.write(f"{place}{_OWN}", data)
        os.rename(f"{self._base}/{place}{_OWN}", f"{self._base}/{place}")

    def copy_own(self, place: str) -> None:
        """The evidence is a copy of our own with the same bytes, however long it is."""
        own = f"{self._base}/{place}{_OWN}"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(own)
        shutil.copyfile(f"{self._base}/{place}", own)
        os.chmod(own, 0o440)
        os.rename(own, f"{self._base}/{place}")

    def is_half_copied(self, evidence: Evidence) -> bool:
        """Tell whether this is what a crash left of a copy of our own, beside the evidence itself."""
        return evidence.place.endswith(_OWN) and os.path.lexists(f"{self._base}/{evidence.place.removesuffix(_OWN)}")

    def forget(self, place: str) -> None:
        """What was written for a transaction that did not come about is not there."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self._base}/{place}")

    def set_aside(self, place: str) -> None:
        """What is no evidence lies in leftovers/ beside the store, under its name; nothing is thrown away."""
        folder = self.root.parent / "leftovers"
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        os.rename(f"{self._base}/{place}", folder / os.path.basename(place))

    def path(self, place: str) -> Path:
        """Return the full path of a piece of evidence."""
        return self.root / place

    def sync(self) -> None:
        """All evidence written or claimed so far survives a power cut."""
        aside.sync_filesystem(self._base)

    def since(self, low_water: int) -> Iterator[Evidence]:
        """Every piece of evidence with a number from `low_water` on, in order."""
        first = number.folder_of(low_water)
        for day in sorted(self.root.glob("????/??/??")):
            if f"{day.relative_to(self.root)}/9999" < first:
                continue
            for minute in sorted(day.iterdir()):
                folder = str(minute.relative_to(self.root))
                if folder >= first:
                    yield from _listed(minute, folder, low_water)


def _listed(minute: Path, folder: str, low_water: int) -> Iterator[Evidence]:
    for name in sorted(os.listdir(minute)):
        with contextlib.suppress(ValueError):
            digits, sender, file = name.split("~", 2)
            if int(digits) >= low_water:
                yield Evidence(int(digits), sender, file, f"{folder}/{name}")


def _short(file: str) -> str:
    raw = os.fsencode(file)
    if len(raw) <= 180:
        return file
    stem, dot, ending = file.rpartition(".")
    ending = f"{dot}{ending}" if stem and len(ending) <= 10 else ""
    return os.fsencode(file)[:160].decode("utf-8", "ignore") + ending


def is_of_the_disk(error: BaseException | None) -> bool:
    """Tell whether an error, or one that it arose from, is trouble with the disk, a quota or the book itself.

    No document is to blame for it, and it may pass.

    >>> is_of_the_disk(OSError(errno.ENOSPC, "")), is_of_the_disk(FileNotFoundError(errno.ENOENT, ""))
    (True, False)
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno in _DISK:
            return True
        if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _BOOK:
            return True
        error = error.__context__
    return False
