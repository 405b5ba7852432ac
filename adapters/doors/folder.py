"""The folder door: a full scan is the truth, a watcher only wakes it.

A file is taken when it is surely whole: a done-file names it, or nobody holds
it open for writing and it ends as its root element, or the zip it is, must end;
a file renamed in is one of these.  A table of text has no end: it is whole when
nobody writes it and it stands still over several looks.  So it is for all where
the file system cannot tell who writes (no leases, another owner), by looks of
our own monotonic clock.  What nobody writes and still does not end is taken
after a patient while, to be refused with its reason.  A file that someone holds
open is never taken.  Modification times are compared with themselves only,
never with a clock.

Known limits: a program that writes half a file, closes it, and goes on later
than `unfinished_seconds` gets a refusal; links and folders in in/ are left alone.
"""

import contextlib
import errno
import fcntl
import os
import re
import stat
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from spool.mailbox import DONE, is_done_file, is_temporary

_ROOT: Final = re.compile(rb"<(?![?!])([^\s<>/]+)")
_COMMENT: Final = re.compile(rb"<!--.*?-->", re.DOTALL)
_HEAD_BYTES: Final = 2048
_TAIL_BYTES: Final = 256
_PACKED: Final = b"PK\x03\x04"
_PACKED_END: Final = b"PK\x05\x06"
_ENDLESS: Final = (".csv", ".tsv", ".xls")
"""What has no end of its own: it is whole when nobody writes it and it stands still."""
_TICK: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """A whole file: its sender, name, path and size in bytes."""

    sender: str
    file: str
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Law:
    """When a file counts as whole: so many looks so far apart, or that long without an end."""

    looks: int = 3
    look_seconds: float = 0.5
    unfinished_seconds: float = 10.0


@dataclass(slots=True)
class _Young:
    """A file not yet known to be whole: how it looked, since when, and how often it looked so."""

    size: int
    mtime: int
    since: float
    last: float
    looks: int = 1


@dataclass(slots=True)
class Inbox:
    """One watched in/: what lies there, what is given out, what is still young."""

    sender: str
    folder: str
    backlog: deque[str] = field(default_factory=deque)
    given: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    young: dict[str, _Young] = field(default_factory=dict)
    seen: int = -1


class FolderDoor:
    """Finds whole files in many in/ folders, each folder in turn."""

    def __init__(self, law: Law) -> None:
        self._law = law
        self.inboxes: dict[str, Inbox] = {}

    def watch(self, sender: str, folder: str) -> None:
        """This folder is looked into from now on."""
        if sender not in self.inboxes or self.inboxes[sender].folder != folder:
            self.inboxes[sender] = Inbox(sender, folder)

    def leave(self, sender: str) -> None:
        """This sender's folder is not looked into any more."""
        self.inboxes.pop(sender, None)

    def taken(self, sender: str, file: str) -> None:
        """What was given out has been claimed, or is given back."""
        if inbox := self.inboxes.get(sender):
            inbox.given.discard(file)
            # A new file of this name may have been passed over meanwhile.
            inbox.seen = -1

    def look(self, now: float, most: int) -> list[Found]:
        """Return whole files not given out before, at most `most` of each folder; `now` is a monotonic clock's."""
        found: list[Found] = []
        for inbox in list(self.inboxes.values()):
            found.extend(self._look_into(inbox, now, most))
        return found

    def _look_into(self, inbox: Inbox, now: float, most: int) -> Iterator[Found]:
        if not inbox.backlog:
            self._list(inbox)
        given = 0
        while inbox.backlog and given < most:
            name = inbox.backlog.popleft()
            if name not in inbox.given and (size := self._whole(inbox, name, now)) is not None:
                inbox.young.pop(name, None)
                inbox.named.discard(name)
                if (name := _tellable(inbox.folder, name)) in inbox.given:
                    continue
                inbox.given.add(name)
                given += 1
                yield Found(inbox.sender, name, f"{inbox.folder}/{name}", size)

    @staticmethod
    def _list(inbox: Inbox) -> None:
        try:
            changed = os.stat(inbox.folder).st_mtime_ns
            if changed == inbox.seen and not inbox.young:
                return
            names = sorted(os.listdir(inbox.folder))
        except OSError:
            return
        # The kernel's clock ticks every few milliseconds: a name may come after this listing under the same time,
        # so a folder counts as seen only when it has not changed for a while.
        inbox.seen = changed if time.time_ns() - changed > _TICK else -1
        done = {name for name in names if is_done_file(name)}
        inbox.named |= {_named(name) for name in done} & set(names)
        inbox.backlog.extend(name for name in names if name not in done and not is_temporary(name))
        for name in inbox.young.keys() - set(names):
            del inbox.young[name]
        _sweep(inbox, done, set(names))

    def _whole(self, inbox: Inbox, name: str, now: float) -> int | None:
        path = f"{inbox.folder}/{name}"
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            inbox.young.pop(name, None)
            return None
        try:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                return None
            if name in inbox.named:
                return facts.st_size
            written = is_written(descriptor)
            if written is True:
                inbox.young[name] = _Young(facts.st_size, facts.st_mtime_ns, now, now)
                return None
            ended = ends_well(descriptor, facts.st_size) or ends_packed(descriptor, facts.st_size)
            if written is False and ended:
                return facts.st_size
            ended = ended or name.lower().endswith(_ENDLESS)
            return facts.st_size if self._stands_still(inbox, name, facts, now, ended=ended) else None
        finally:
            os.close(descriptor)

    def _stands_still(self, inbox: Inbox, name: str, facts: os.stat_result, now: float, *, ended: bool) -> bool:
        young = inbox.young.get(name)
        if young is None or (young.size, young.mtime) != (facts.st_size, facts.st_mtime_ns):
            inbox.young[name] = _Young(facts.st_size, facts.st_mtime_ns, now, now)
            return False
        if now - young.last >= self._law.look_seconds:
            young.last = now
            young.looks += 1
        if ended:
            return young.looks >= self._law.looks
        return now - young.since >= self._law.unfinished_seconds


def _tellable(folder: str, name: str) -> str:
    """A name that is not UTF-8 is read as GB18030, as Chinese Windows clients mean it; the file is renamed so."""
    if name.isascii() or name == os.fsencode(name).decode("utf-8", "replace"):
        return name
    told = os.fsencode(name).decode("gb18030", "replace").lstrip(".~")
    while os.path.lexists(f"{folder}/{told}"):
        told = f"_{told}"
    with contextlib.suppress(FileNotFoundError):
        os.rename(f"{folder}/{name}", f"{folder}/{told}")
    return told


def is_written(descriptor: int) -> bool | None:
    """Tell whether any process holds the file open for writing; None where the system will not say.

    The kernel grants a read lease only on a file without writers.
    """
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as refusal:
        return True if refusal.errno == errno.EAGAIN else None
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def ends_well(descriptor: int, size: int) -> bool:
    """Tell whether the file ends with the end tag of its own root element."""
    root = _ROOT.search(_COMMENT.sub(b"", os.pread(descriptor, _HEAD_BYTES, 0)))
    if root is None:
        return False
    tail = os.pread(descriptor, _TAIL_BYTES, max(0, size - _TAIL_BYTES)).rstrip()
    return re.search(rb"</" + re.escape(root[1]) + rb"\s*>$", tail) is not None


def ends_packed(descriptor: int, size: int) -> bool:
    """Tell whether the file is a zip, as an xlsx or ods is, and ends with the end record of one."""
    if os.pread(descriptor, 4, 0) != _PACKED:
        return False
    tail = os.pread(descriptor, _TAIL_BYTES, max(0, size - _TAIL_BYTES))
    found = tail.rfind(_PACKED_END)
    return found >= 0 and found + 22 + int.from_bytes(tail[found + 20 : found + 22], "little") == len(tail)


def _named(done: str) -> str:
    return next(done[: -len(ending)] for ending in DONE if done.lower().endswith(ending))


def _sweep(inbox: Inbox, done: set[str], names: set[str]) -> None:
    """A done-file whose file has been taken is gone."""
    for name in done:
        if _named(name) not in names and _named(name) not in inbox.given:
            try:
                os.unlink(f"{inbox.folder}/{name}")
            except OSError:
                continue
