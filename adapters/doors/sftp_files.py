"""Open files of an SFTP session: an upload on its way into in/, a download, a listing.

An upload stands in in/ after a clean close and at no moment before: what is cut
off, refused or out of room never gets there.
"""

# ruff: noqa: ARG002
# The interfaces of Conch name the arguments.
import os
import stat
from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from threading import Lock
from typing import Final

from twisted.conch.interfaces import ISFTPFile
from twisted.internet.defer import Deferred
from zope.interface import implementer

from adapters.doors.sftp_attributes import Attributes, attributes, long_name, of_file
from adapters.doors.sftp_door import Door
from adapters.doors.sftp_mailbox import Mailbox
from adapters.doors.sftp_names import can_be_named
from adapters.doors.sftp_status import Refused
from spool.mailbox import is_temporary

GUARDED: Final = 1024 * 1024
BLOCK: Final = 255 * 1024

Entry = tuple[bytes, bytes, Attributes]


@implementer(ISFTPFile)
class Upload:
    """A file being written; `temporary` when the client named it so and will rename it himself."""

    def __init__(
        self, door: Door, mailbox: Mailbox, name: str, *, temporary: bool, flags: int, append: bool = False
    ) -> None:
        """The staged file is open; its place in the count of files is the caller's business."""
        self._door = door
        self._mailbox = mailbox
        self.name = name
        self._temporary = temporary
        self._append = append
        self._path = mailbox.named(name) if temporary else mailbox.fresh()
        self._fd: int | None = os.open(self._path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
        self._size = os.fstat(self._fd).st_size
        self._guarded_until = self._size + GUARDED
        self._trouble: Refused | None = None
        self._times: tuple[int, int] | None = None
        if temporary:
            other = mailbox.writers.pop(name, None)
            if other is not None:  # a session that hangs, whose client has come back to resume
                other.abort()
            mailbox.writers[name] = self

    def writeChunk(self, offset: int, data: bytes) -> "Deferred[None] | None":
        """The block is in the staged file; where the room must be counted anew, when the Deferred fires."""
        self._open_descriptor()
        if self._append:
            offset = self._size
        growth = offset + len(data) - self._size
        if growth <= 0:
            self._write(offset, data)
            return None
        if self._size + growth > self._guarded_until:
            self._guarded_until = self._size + growth + GUARDED
            if not self._door.guard.may_take():
                raise self._failed(Refused("disk"))
        if self._mailbox.has_room(0, growth):
            self._write(offset, data)
            return None
        room = self._mailbox.make_room(0, growth)
        room.addErrback(lambda failure: self._no_room(failure.value))
        return room.addCallback(lambda _: self._write(offset, data))

    def close(self) -> None:
        """The upload stands in in/ under its final name, or in staging under its temporary one."""
        descriptor = self._open_descriptor()
        found = os.fstat(descriptor)
        modified = int(found.st_mtime)
        if self._times is not None:
            os.utime(descriptor, self._times)
            modified = self._times[1]
        if self._temporary:
            self._let_go()
            return
        try:
            told = self._mailbox.deliver(self._path, self.name)
        except OSError as trouble:
            self._failed(Refused("directory" if trouble.errno in (20, 21) else "ours"))
            raise
        self._let_go()
        self._mailbox.recent.remember(self.name, found.st_size, modified)
        self._door.arrived(self._mailbox.account.name, told)

    def abort(self) -> None:
        """Nothing of it reaches in/; a part under a temporary name is kept, so that the client may resume it."""
        if self._fd is None:
            return
        self._let_go()
        if not self._temporary:
            os.unlink(self._path)
            self._mailbox.give_back(1, self._size)
            self._door.log.info("sftp.upload_dropped", partner=self._mailbox.account.name, name=self.name)

    def sync(self) -> None:
        """What was written so far survives a power cut; called in a thread."""
        os.fsync(self._open_descriptor())

    def readChunk(self, offset: int, length: int) -> bytes:
        """What is being written cannot be read."""
        raise Refused("read_in")

    def getAttrs(self) -> Attributes:
        """Return size and time as they stand."""
        found = attributes(self._size, os.fstat(self._open_descriptor()).st_mtime)
        if self._times is not None:
            found["atime"], found["mtime"] = self._times
        return found

    def setAttrs(self, attrs: Attributes) -> None:
        """Times hold when the file is closed; a size is taken as a cut; owners and modes are passed over."""
        descriptor = self._open_descriptor()
        if "mtime" in attrs:
            self._times = (attrs["atime"], attrs["mtime"])
        size = attrs.get("size")
        if size is not None and size < self._size:
            os.ftruncate(descriptor, size)
            self._mailbox.give_back(0, self._size - size)
            self._size = size

    def _open_descriptor(self) -> int:
        if self._trouble is not None:
            raise self._trouble
        if self._fd is None:
            raise Refused("broken")
        return self._fd

    def _write(self, offset: int, data: bytes) -> None:
        descriptor = self._open_descriptor()
        try:
            written = os.pwrite(descriptor, data, offset)
            while written < len(data):  # a full disk writes a part, then says so
                written += os.pwrite(descriptor, data[written:], offset + written)
        except OSError:
            self._failed(Refused("disk"))
            raise
        self._size = max(self._size, offset + len(data))

    def _no_room(self, trouble: BaseException | None) -> None:
        raise self._failed(trouble if isinstance(trouble, Refused) else Refused("ours"))

    def _failed(self, trouble: Refused) -> Refused:
        """The upload can no more be closed well, even by a client that overlooks the answer."""
        self.abort()
        self._trouble = trouble
        self._door.refused(self._mailbox.account.name, self.name, trouble.text)
        return trouble

    def _let_go(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
        if self._mailbox.writers.get(self.name) is self:
            del self._mailbox.writers[self.name]


@implementer(ISFTPFile)
class Download:
    """A file of out/ or refused/ being read."""

    def __init__(self, path: str) -> None:
        """The file is open for reading; a link or folder is not there."""
        self._fd: int | None = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(self._fd).st_mode):
            self.close()
            raise Refused("missing")

    def readChunk(self, offset: int, length: int) -> bytes:
        """Return up to 255 KiB; EOFError at the end."""
        data = os.pread(self._open_descriptor(), min(length, BLOCK), offset)
        if not data:
            raise EOFError
        return data

    def writeChunk(self, offset: int, data: bytes) -> None:
        """What we wrote is not for others to change."""
        raise Refused("read_only")

    def getAttrs(self) -> Attributes:
        """Return size and time."""
        return of_file(os.fstat(self._open_descriptor()))

    def setAttrs(self, attrs: Attributes) -> None:
        """Nothing changes, silently: clients touch what they have fetched."""

    def sync(self) -> None:
        """It is as durable as it was."""

    def close(self) -> None:
        """The descriptor is free."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    abort = close

    def _open_descriptor(self) -> int:
        if self._fd is None:
            raise Refused("broken")
        return self._fd


class Listing:
    """The names of one folder, read in pieces in a thread, so that 100,000 of them keep nobody waiting."""

    def __init__(self, *sources: tuple[str, bool], first: Sequence[Entry] = ()) -> None:
        """A source is a folder and whether temporary names in it are shown; `first` come before them all."""
        self._names = _names(sources, first)
        self._lock = Lock()

    def __iter__(self) -> Iterator[Entry]:
        """Return each name with its `ls -l` line and attributes."""
        return self._names

    def some(self, most: int) -> list[Entry]:
        """Return the next names, none at the end; called in a thread."""
        with self._lock:
            return list(islice(self._names, most))

    def close(self) -> None:
        """The folder is no longer read."""
        with self._lock:  # a thread may be reading: closing a folder under its reader is fatal
            self._names.close()

    abort = close


def entry(name: str, found: Attributes) -> Entry:
    """Return what a listing tells of one name.

    >>> entry("a", attributes(3, 7))[:2]
    (b'a', b'-rw-r-----    1 kouan    kouan           3 Jan 01 00:00 a')
    """
    return name.encode(), long_name(name, found).encode(), found


def _names(sources: Sequence[tuple[str, bool]], first: Sequence[Entry]) -> Generator[Entry, None, None]:
    yield from first
    for folder, shows_temporary in sources:
        with os.scandir(folder) as entries:
            for one in entries:
                if not can_be_named(one.name) or (is_temporary(one.name) and not shows_temporary):
                    continue
                try:
                    found = one.stat(follow_symlinks=False)
                except FileNotFoundError:  # taken in or fetched while we list
                    continue
                if stat.S_ISREG(found.st_mode):
                    yield entry(one.name, of_file(found))
