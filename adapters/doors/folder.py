"""The folder door: a full scan is the truth, a watcher only wakes it.

A file is taken when it is surely whole: a done-file names it, or nobody holds
it open for writing and it ends as its root element, or the zip it is, must end;
a file renamed in is one of these.  A table of text has no end: it is whole when
nobody writes it and it stands still over several looks.  So it is for all where
the file system cannot tell who writes (no leases, another owner), by looks of
our own monotonic clock.  What nobody writes and still does not end is taken
after a patient while, to be refused with its reason.  A file that someone holds
open is never taken, unless its done-file stands.  Modification times are
compared with themselves only, never with a clock.

A folder is read in pages of 20,000 names in order, so that a million of them
cost no memory; the next page begins where the last one ended.

Known limits: a program that writes half a file, closes it, and goes on later
than `unfinished_seconds` gets a refusal; links and folders in in/ are left
alone; where more than a page waits, a name that comes behind the present page
waits for the next round; a name that is no UTF-8 and cannot be changed stays.
"""

import contextlib
import errno
import fcntl
import os
import re
import stat
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from adapters.doors.folder_names import PAGE, named_by, page_of, tellable
from spool.mailbox import is_done_file, is_temporary

_ROOT: Final = re.compile(rb"<(?![?!])([^\s<>/]+)")
_COMMENT: Final = re.compile(rb"<!--.*?-->", re.DOTALL)
_HEAD_BYTES: Final = 2048
_TAIL_BYTES: Final = 256
_DONE_BYTES: Final = 256
"""A done-file holds nothing, or a line; what is longer is a file like any other."""
_SETTLED: Final = 1.0
"""Seconds after which a folder's time surely tells of every later change: the kernel's own clock ticks slowly."""
_PACKED: Final = b"PK\x03\x04"
_PACKED_END: Final = b"PK\x05\x06"
ENDLESS: Final = (".csv", ".tsv", ".xls")
"""What has no end of its own: it is whole when nobody writes it and it stands still."""


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
    after: str = ""
    changed: int = -1
    since: float = 0.0
    settled: int = -1
    seen: int = -1


def _untold(sender: str, trouble: str) -> None:
    """Nobody listens to the troubles of folders."""


class FolderDoor:
    """Finds whole files in many in/ folders, each folder in turn."""

    def __init__(self, law: Law, troubled: Callable[[str, str], None] = _untold) -> None:
        """`troubled` hears of a sender whose folder could not be read to its end; the others' files are found."""
        self._law = law
        self._troubled = troubled
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
            try:
                for one in self._look_into(inbox, now, most):
                    found.append(one)  # noqa: PERF402  what was found before a trouble is kept
            except Exception as trouble:  # noqa: BLE001  one sender's folder is not the trouble of the others
                self._troubled(inbox.sender, repr(trouble))
        return found

    def _look_into(self, inbox: Inbox, now: float, most: int) -> Iterator[Found]:
        if not inbox.backlog:
            _list(inbox, now)
        given = 0
        while inbox.backlog and given < most:
            name = inbox.backlog.popleft()
            if name not in inbox.given and (size := self._whole(inbox, name, now)) is not None:
                inbox.young.pop(name, None)
                inbox.named.discard(name)
                told = tellable(inbox.folder, name)
                if told is None or told in inbox.given:
                    continue
                inbox.given.add(told)
                given += 1
                yield Found(inbox.sender, told, f"{inbox.folder}/{told}", size)

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
                _is_young(inbox, name, facts, now)
                return None
            ended = ends_well(descriptor, facts.st_size) or ends_packed(descriptor, facts.st_size)
            if written is False and ended:
                return facts.st_size
            ended = ended or name.lower().endswith(ENDLESS)
            return facts.st_size if self._stands_still(inbox, name, facts, now, ended=ended) else None
        finally:
            os.close(descriptor)

    def _stands_still(self, inbox: Inbox, name: str, facts: os.stat_result, now: float, *, ended: bool) -> bool:
        young = inbox.young.get(name)
        if young is None or (young.size, young.mtime) != (facts.st_size, facts.st_mtime_ns):
            _is_young(inbox, name, facts, now)
            return False
        if now - young.last >= self._law.look_seconds:
            young.last = now
            young.looks += 1
        if ended:
            return young.looks >= self._law.looks
        return now - young.since >= self._law.unfinished_seconds


def _is_young(inbox: Inbox, name: str, facts: os.stat_result, now: float) -> None:
    """The file's patience begins; where too many are young already, later."""
    if name in inbox.young or len(inbox.young) < PAGE:
        inbox.young[name] = _Young(facts.st_size, facts.st_mtime_ns, now, now)


def _list(inbox: Inbox, now: float) -> None:
    """The next page of names waits to be looked at."""
    try:
        changed = os.stat(inbox.folder).st_mtime_ns
        if changed == inbox.seen and not inbox.young and not inbox.after:
            return
        first = not inbox.after
        page, more = page_of(inbox.folder, inbox.after)
    except OSError:
        return
    # A name may come after this listing under the same time, for that time comes from a clock that ticks slowly. So a
    # folder counts as seen only when a round began with a time that had stood for a while by our own clock.
    if changed != inbox.changed:
        inbox.changed, inbox.since = changed, now
    if first:
        inbox.settled = changed if now - inbox.since >= _SETTLED else -1
    inbox.after = page[-1] if more else ""
    inbox.seen = inbox.settled if not more and inbox.settled == changed else -1
    there = set(page)
    done = [name for name in page if is_done_file(name)]
    _heed(inbox, done, there)
    inbox.backlog.extend(name for name in page if not is_temporary(name) and not is_done_file(name))
    for name in [name for name in inbox.young if name not in there]:
        if not os.path.lexists(f"{inbox.folder}/{name}"):
            del inbox.young[name]


def _heed(inbox: Inbox, done: list[str], there: set[str]) -> None:
    """What done-files name counts as whole; a done-file whose file has been taken is gone."""
    if len(inbox.named) > PAGE:
        inbox.named.clear()
    for name in done:
        file = named_by(name)
        if file in inbox.given:
            continue
        if file in there or os.path.lexists(f"{inbox.folder}/{file}"):
            inbox.named.add(file)
            continue
        inbox.named.discard(file)
        with contextlib.suppress(OSError):
            # Who gives a message such a name has not said anything about another file.
            if os.lstat(f"{inbox.folder}/{name}").st_size > _DONE_BYTES:
                inbox.backlog.append(name)
            else:
                os.unlink(f"{inbox.folder}/{name}")


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
