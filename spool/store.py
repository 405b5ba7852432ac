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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spool import aside, number


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
        aside.write_new(f"{self._base}/{place}.own", data)
        os.rename(f"{self._base}/{place}.own", f"{self._base}/{place}")

    def forget(self, place: str) -> None:
        """What was written for a transaction that did not come about is not there."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self._base}/{place}")

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


def is_full(error: OSError) -> bool:
    """Tell whether an error means that the disk or a quota is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
