"""The remote door: files of another house's SFTP server are taken whole and let go of there when they are ours.

A file is read into a file of our own aside, held against its size and time once more while it is open, and only
then handed in.  It stays at the other side until somebody says that it is in the ledger; then it is removed or
moved, if it is still the same file.  A crash between the two brings it a second time, under the same `once`.

Known limits: what changes within one second and keeps its size is not seen to change; an XML file that does not end
as its root must, or a name without a known end, is taken after it stood still for a patient while; a file that may
not be removed there is taken once and again after each start; folders below the folder are left alone.
"""

import contextlib
import hashlib
import itertools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Final

from adapters.doors.folder import ENDLESS, ends_packed, ends_well
from adapters.doors.remote_names import Law, Whole
from adapters.remote_connection import Lines
from adapters.remote_talk import RemoteAway, Talk, Wanted
from adapters.remote_wire import NO_SUCH_FILE, OK, Entry, Facts, Status

_AT_ONCE: Final = 64
"""So many files are open there at a time."""
_BYTES_AT_ONCE: Final = 8 * 1024 * 1024
_LET_GO_AGAIN: Final = 1000
_PATIENCE_SECONDS: Final = 60.0
"""So long a file that does not end must have stood still."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where files lie, where they go when we have them ("" removes them), and which are meant."""

    server: str
    folder: str = "."
    taken: str = ""
    files: str = "*"
    apart_seconds: float = 1.0
    most_bytes: int = 4 * 1024**3
    patience_seconds: float = _PATIENCE_SECONDS


@dataclass(frozen=True, slots=True)
class Taken:
    """A whole file that lies at `path`, ours; `once` is the same whenever the same file comes again."""

    whole: Whole
    path: str
    once: str


@dataclass(slots=True)
class Lot:
    """What came of taking some files: what is here, what a person must hear, and what ended it before its end."""

    taken: list[Taken] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    ended: Exception | None = None


class RemoteDoor:
    """Looks into one folder of one server; every method waits for the network and belongs into a thread."""

    def __init__(self, lines: Lines, place: Place, staging: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """What is read lies in `staging`, which is there, until it is claimed."""
        self._lines = lines
        self._place = place
        self._staging = staging
        self._clock = clock
        self._law = Law(place.files, place.apart_seconds)
        self._numbers = itertools.count(1)
        self._kept: dict[bytes, Whole] = {}
        self._unended: dict[bytes, Whole] = {}
        self._gone: dict[bytes, Whole] = {}
        self.troubles: list[str] = []
        """What the last look could still not let go of, and what is there again though it was gone."""

    def look(self) -> list[Whole]:
        """Return the whole files there that are not ours yet, the oldest first.

        What is ours and could not be let go of is tried again.
        """
        with self._lines.one() as talk:
            entries = talk.listing(_path(self._place.folder))
        found = sorted(self._law.whole(entries, self._clock()), key=attrgetter("mtime"))
        there = {one.name: one for one in found}
        self._kept = {name: one for name, one in self._kept.items() if _same(there.get(name), one)}
        self._unended = {name: one for name, one in self._unended.items() if _same(there.get(name), one)}
        back = self._back(entries, found)
        self.troubles = self.let_go(list(itertools.islice(self._kept.values(), _LET_GO_AGAIN))) if self._kept else []
        self.troubles += back
        return [one for one in found if one.name not in self._kept and not self._is_awaited(one)]

    def _back(self, entries: Sequence[Entry], found: Sequence[Whole]) -> list[str]:
        """Return a sentence for each file that stands there as it stood when the server said that it was gone.

        It is taken once more all the same: nobody can tell it from one that was put there anew.
        """
        here = {
            one.name for one in entries
            if (before := self._gone.get(one.name)) and (one.facts.size, one.facts.mtime) == (before.size, before.mtime)
        }  # fmt: skip
        self._gone = {name: one for name, one in self._gone.items() if name in here}
        return [f"{one.told} is there again, though the server said it was gone" for one in found if one.name in here]

    def _is_awaited(self, one: Whole) -> bool:
        """Tell whether the file was read, did not end, and has not stood still for long enough."""
        return one.name in self._unended and self._clock() - one.since < self._place.patience_seconds

    def take(self, files: Sequence[Whole]) -> Lot:
        """Return what could be read; whatever went wrong stays there and is found again."""
        lot = Lot()
        small: list[Whole] = []
        for one in files:
            if one.size > self._place.most_bytes:
                lot.troubles.append(f"{one.told} has {one.size} bytes, more than we take")
            else:
                small.append(one)
        try:
            with self._lines.one() as talk:
                for group in _groups(small):
                    self._fetch(talk, group, lot)
        except (RemoteAway, OSError) as trouble:  # OSError: our own disk
            lot.ended = trouble
        return lot

    def _fetch(self, talk: Talk, group: Sequence[Whole], lot: Lot) -> None:
        paths = [self._staging / f"{os.getpid()}-{next(self._numbers)}" for _ in group]
        kept = set()
        try:
            with contextlib.ExitStack() as sinks:
                wanted = [
                    Wanted(self._there(one.name), one.size, sinks.enter_context(path.open("xb")))
                    for one, path in zip(group, paths, strict=True)
                ]
                facts = talk.fetch(wanted)
            for one, path, said in zip(group, paths, facts, strict=True):
                if self._holds(one, path, said, lot):
                    lot.taken.append(Taken(one, str(path), self._once(one, path)))
                    kept.add(path)
        finally:
            for path in paths:
                if path not in kept:
                    path.unlink(missing_ok=True)

    def _holds(self, one: Whole, path: Path, said: Facts | Status, lot: Lot) -> bool:
        """Tell whether what was read is the whole file that was listed; where not, it is looked at again later."""
        if isinstance(said, Status):
            if said.code != NO_SUCH_FILE:
                lot.troubles.append(f"reading {one.told}: {said}")
            return False
        if (said.size, said.mtime, path.stat().st_size) != (one.size, one.mtime, one.size):
            self._law.forget(one.name)
            return False
        if one.done is None and not _ends(one, path) and self._clock() - one.since < self._place.patience_seconds:
            self._unended[one.name] = one
            return False
        return True

    def _once(self, one: Whole, path: Path) -> str:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
        words = (self._place.server, self._place.folder, str(one.size), str(one.mtime))
        known = b"\0".join((*(word.encode() for word in words), one.name, digest))
        return f"sftp-{hashlib.sha256(known).hexdigest()}"

    def let_go(self, files: Sequence[Whole]) -> list[str]:
        """What is still as it was taken is away from its folder; return what a person must hear of the rest."""
        for one in files:
            self._kept[one.name] = one
        with self._lines.one() as talk:
            troubles: list[str] = []
            for start in range(0, len(files), _AT_ONCE):
                troubles += self._let_go(talk, files[start : start + _AT_ONCE])
            return troubles

    def _let_go(self, talk: Talk, files: Sequence[Whole]) -> Iterator[str]:
        facts = talk.facts([self._there(one.name) for one in files])
        ours = []
        for one, said in zip(files, facts, strict=True):
            if isinstance(said, Facts) and (said.size, said.mtime) == (one.size, one.mtime):
                ours.append(one)
            else:  # gone, or another file of this name, which is not ours yet
                self._kept.pop(one.name, None)
        # First, so that no done-file is ever left to name a later file.
        talk.remove([self._there(one.done) for one in ours if one.done is not None])
        for one, status in zip(ours, self._away(talk, ours), strict=True):
            if status.code in (OK, NO_SUCH_FILE):
                self._kept.pop(one.name, None)
                self._law.forget(one.name)
                self._gone[one.name] = one
            else:
                verb = "moving" if self._place.taken else "removing"
                yield f"{verb} {one.told}: {status}; it is in the ledger and stays there"

    def _away(self, talk: Talk, files: Sequence[Whole]) -> list[Status]:
        if not self._place.taken:
            return talk.remove([self._there(one.name) for one in files])
        folder = _path(self._place.taken)
        found = talk.move([(self._there(one.name), folder + b"/" + one.name) for one in files])
        for index, (one, status) in enumerate(zip(files, found, strict=True)):
            if status.code not in (OK, NO_SUCH_FILE):  # one of this name may lie there from before
                other = folder + b"/" + one.name[:200] + f"~{one.mtime}-{time.time_ns()}".encode()
                found[index] = talk.move([(self._there(one.name), other)])[0]
        return found

    def _there(self, name: bytes) -> bytes:
        return _path(self._place.folder) + b"/" + name


def _path(folder: str) -> bytes:
    return folder.rstrip("/").encode() if folder != "/" else b""


def _same(there: Whole | None, one: Whole) -> bool:
    return there is not None and (there.size, there.mtime) == (one.size, one.mtime)


def _ends(one: Whole, path: Path) -> bool:
    if one.told.lower().endswith(ENDLESS):
        return True
    with path.open("rb") as file:
        return ends_well(file.fileno(), one.size) or ends_packed(file.fileno(), one.size)


def _groups(files: Sequence[Whole]) -> Iterator[list[Whole]]:
    """Yield the files in groups that are open at once: few, and not too many bytes."""
    group: list[Whole] = []
    size = 0
    for one in files:
        if group and (len(group) >= _AT_ONCE or size + one.size > _BYTES_AT_ONCE):
            yield group
            group, size = [], 0
        group.append(one)
        size += one.size
    if group:
        yield group
