"""One partner's mailbox as his sessions share it: staging, room, and what he has just sent.

An upload is written under `.uploading/`, beside in/ and on its file system, and
moved into in/ when it is whole.  `.uploading/open` holds uploads under a final
name, which die with their session; `.uploading/named` those the client himself
gave a temporary name: he sees them in /in, may resume them, and renames them.
"""

import os
import stat
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Final, Protocol

from twisted.internet.defer import Deferred, succeed

from adapters.doors.sftp_accounts import SftpAccount
from adapters.doors.sftp_names import numbered
from adapters.doors.sftp_status import Refused
from spool.mailbox import is_done_file

REMEMBERED: Final = 2_000
REMEMBERED_SECONDS: Final = 60.0
RECOUNT_SECONDS: Final = 2.0


class Clock(Protocol):
    """A monotonic clock, as a reactor is one."""

    def seconds(self) -> float:
        """Return the time."""


InThread = Callable[[Callable[[], tuple[int, int]]], "Deferred[tuple[int, int]]"]


@dataclass(frozen=True, slots=True)
class Sent:
    """A file the partner delivered a moment ago; it may be taken in already."""

    size: int
    modified: int
    until: float


class Recent:
    """The files delivered within the last minute, at most 2,000.

    Clients stat, chmod and touch what they have just sent; by then we may have taken it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sent: OrderedDict[str, Sent] = OrderedDict()

    def remember(self, name: str, size: int, modified: int) -> None:
        """The file is known for a minute; the oldest are forgotten beyond the bound."""
        self._sent[name] = Sent(size, modified, self._clock.seconds() + REMEMBERED_SECONDS)
        self._sent.move_to_end(name)
        while len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)

    def find(self, name: str) -> Sent | None:
        """Return what was sent under this name within the last minute."""
        sent = self._sent.get(name)
        if sent is not None and sent.until < self._clock.seconds():
            del self._sent[name]
            return None
        return sent

    def touch(self, name: str, modified: int) -> None:
        """The remembered file carries the time its sender gave it."""
        sent = self.find(name)
        if sent is not None:
            self._sent[name] = replace(sent, modified=modified)


class Writer(Protocol):
    """An open upload under a temporary name, which another session may take over."""

    def abort(self) -> None:
        """Nothing more is written through it."""


class Mailbox:
    """The folders, the room left and the recent files of one partner, shared by his sessions."""

    def __init__(self, account: SftpAccount, clock: Clock, in_thread: InThread) -> None:
        """The folders are there, and what a former process left half written under a final name is gone."""
        self.account = account
        self.recent = Recent(clock)
        self.writers: dict[str, Writer] = {}
        self.sessions = 0
        self._clock = clock
        self._in_thread = in_thread
        self._files = self._bytes = 0
        self._counted: float | None = None
        self._serial = count()
        root = str(account.mailbox)
        self._open, self._named = f"{root}/.uploading/open", f"{root}/.uploading/named"
        self.make()
        for left in os.scandir(self._open):
            os.unlink(left.path)

    def make(self) -> None:
        """The folders are there, and none of them is a link; OSError otherwise."""
        root = str(self.account.mailbox)
        for folder in (*(f"{root}/{name}" for name in ("in", "out", "refused")), self._open, self._named):
            os.makedirs(folder, 0o750, exist_ok=True)
            if not stat.S_ISDIR(os.lstat(folder).st_mode):
                raise NotADirectoryError(20, "a mailbox folder is a link", folder)

    def folder(self, name: str) -> str:
        """Return the path of in, out or refused."""
        return f"{self.account.mailbox}/{name}"

    @property
    def named_folder(self) -> str:
        """Return the folder of uploads under temporary names."""
        return self._named

    def delivered(self, name: str) -> str:
        """Return where a whole file of this name stands in in/."""
        return f"{self.account.mailbox}/in/{name}"

    def deliver(self, staged: str, name: str) -> str:
        """The staged upload is whole and stands in in/; return under which name.

        A file of its name that is not taken in yet is not replaced: this one
        gets the next free number.  A done-file and what is no file are replaced.
        """
        told, number = name, 2
        while not is_done_file(name) and _is_file(self.delivered(told)):
            told, number = numbered(name, number), number + 1
        os.rename(staged, self.delivered(told))
        return told

    def named(self, name: str) -> str:
        """Return where an upload under this temporary name is staged."""
        return f"{self._named}/{name}"

    def fresh(self) -> str:
        """Return a path in staging that nobody has used."""
        return f"{self._open}/{next(self._serial)}"

    def has_room(self, files: int, size: int) -> bool:
        """Tell whether so much more fits, as far as we have counted; what fits is counted at once."""
        if self._counted is None or self._over(files, size):
            return False
        self._files += files
        self._bytes += size
        return True

    def give_back(self, files: int, size: int) -> None:
        """The room of what is gone again is free."""
        self._files = max(0, self._files - files)
        self._bytes = max(0, self._bytes - size)

    def make_room(self, files: int, size: int) -> "Deferred[None]":
        """The room is counted as used, after a fresh count if need be; Refused when there is none.

        Our count only grows, because others take files out of in/.  So it is
        made anew in a thread when it says no, at most every two seconds.
        """

        def decide(_: object) -> None:
            if not self.has_room(files, size):
                raise Refused("quota_files" if self._over(files, 0) else "quota_bytes")

        if self._counted is not None and self._clock.seconds() - self._counted < RECOUNT_SECONDS:
            return succeed(None).addCallback(decide)
        return self._in_thread(self._count).addCallback(self._counted_anew).addCallback(decide)

    def room_left(self) -> tuple[int, int]:
        """Return the bytes and files that fit still, as far as we have counted."""
        return max(0, self.account.quota_bytes - self._bytes), max(0, self.account.quota_files - self._files)

    def _over(self, files: int, size: int) -> bool:
        more_files = files > 0 and self._files + files > self.account.quota_files
        return more_files or self._bytes + size > self.account.quota_bytes

    def _counted_anew(self, found: tuple[int, int]) -> None:
        self._files, self._bytes = found
        self._counted = self._clock.seconds()

    def _count(self) -> tuple[int, int]:
        files = total = 0
        for folder in (self.folder("in"), self._open, self._named):
            for size in _sizes(folder):
                files += 1
                total += size
        return files, total


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False


def _sizes(folder: str) -> Iterator[int]:
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                yield entry.stat(follow_symlinks=False).st_size
            except FileNotFoundError:  # taken in while we count
                continue


class Mailboxes:
    """The mailboxes of all partners who have come in since the start."""

    def __init__(self, clock: Clock, in_thread: InThread) -> None:
        self._clock = clock
        self._in_thread = in_thread
        self._known: dict[tuple[str, Path], Mailbox] = {}

    def of(self, account: SftpAccount) -> Mailbox:
        """Return the partner's mailbox, with his account as it stands at this login; OSError if it cannot be had."""
        key = (account.name, account.mailbox)
        if key not in self._known:
            self._known[key] = Mailbox(account, self._clock, self._in_thread)
        mailbox = self._known[key]
        mailbox.account = account
        mailbox.make()
        return mailbox
