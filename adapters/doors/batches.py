"""The door for batches: folders of feedback that an exchange office puts into ours, each taken whole or not at all.

A folder is whole when Token.lock stands in it, its control file ends as it must, and every file that the control
file lists is there and ends too.  Then it is taken by one rename, so that nobody changes it any more, and its files
are brought one by one; when all are in the ledger, what is left of it goes to `read`.  A control file that disagrees
with itself is brought alone, and its folder goes to `refused` untouched.

**Known limits**: the folders must lie on one file system; a folder that never becomes whole waits for a person.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from adapters import fx

_TAIL = 64
_MOST_CONTROL = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a batch that is whole: the batch, its name, and where it lies."""

    batch: str
    file: str
    path: Path
    size: int


@dataclass(slots=True)
class Look:
    """What one look found: files to be brought, folders that wait and why, control files that disagree."""

    files: list[Found] = field(default_factory=list)
    waits: dict[str, str] = field(default_factory=dict)
    refused: list[Found] = field(default_factory=list)


class BatchDoor:
    """Looks into the folder of one authority; `beside` holds what was taken, read and refused."""

    def __init__(self, folder: Path, beside: Path) -> None:
        """Nothing is looked at yet."""
        self._folder = folder
        self._beside = beside
        self._given: set[Path] = set()

    def look(self) -> Look:
        """Return what is new; whole batches are taken by it."""
        seen = Look()
        for batch in _folders(self._folder):
            reason, is_refused = state_of(batch)
            if is_refused:
                control = batch / f"{batch.name}.XML"
                if control not in self._given:
                    self._given.add(control)
                    seen.refused.append(Found(batch.name, control.name, control, control.stat().st_size))
            elif reason:
                seen.waits[batch.name] = reason
            else:
                _move(batch, self._beside / "taken")
        for batch in _folders(self._beside / "taken"):
            self._bring(batch, seen)
        return seen

    def _bring(self, batch: Path, seen: Look) -> None:
        left = [file for file in sorted(batch.iterdir()) if _is_data(file.name)]
        if not left:
            _move(batch, self._beside / "read")
        for file in left:
            if file not in self._given:
                self._given.add(file)
                seen.files.append(Found(batch.name, file.name, file, file.stat().st_size))

    def taken(self, found: Found) -> None:
        """The file is in the ledger."""
        self._given.discard(found.path)

    def set_aside(self, found: Found) -> None:
        """The batch whose control file disagrees lies in `refused`; that control file is in the ledger."""
        _move(found.path.parent, self._beside / "refused")
        self._given.discard(found.path)

    def give_up(self, found: Found) -> None:
        """The file could not be brought; the next look brings it again."""
        self._given.discard(found.path)


def state_of(batch: Path) -> tuple[str, bool]:
    """Return why a batch is not whole yet, "" where it is, and whether its control file disagrees."""
    control = batch / f"{batch.name}.XML"
    if not (batch / fx.TOKEN).exists():
        return f"{fx.TOKEN} is not there yet", False
    if not _ends(control):
        return f"{control.name} is not whole yet", False
    try:
        told = fx.read_control(control.read_bytes()[:_MOST_CONTROL])
    except ValueError:
        return "", True
    if not told.agrees or any(not _is_data(name) for name in told.files):
        return "", True
    for name in told.files:
        if not _ends(batch / name):
            return f"{name} is not whole yet", False
    extra = {file.name for file in batch.iterdir() if _is_data(file.name)} - set(told.files)
    return "", bool(extra)


def _ends(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            return fx.is_whole(file.read())
    except OSError:
        return False


def _is_data(name: str) -> bool:
    found = fx.name_of(name)
    return found is not None and found.type != fx.CONTROL


def _folders(parent: Path) -> Iterator[Path]:
    if parent.is_dir():
        yield from sorted(one for one in parent.iterdir() if one.is_dir() and not one.name.startswith("."))


def _move(batch: Path, folder: Path) -> None:
    """The batch lies in the folder, under another name where one of its name lies there already."""
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    target, again = folder / batch.name, 1
    while target.exists():
        again += 1
        target = folder / f"{batch.name}.{again}"
    batch.rename(target)
