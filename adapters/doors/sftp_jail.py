"""What one partner sees and may do: /in, /out and /refused, flat, and nothing else.

| | list | stat | read | write | rename | remove |
|---|---|---|---|---|---|---|
| /in, final name | yes | yes, and for a minute after we took it | no | yes, whole | no | no |
| /in, temporary name | yes | yes | no | yes, also on from where it stopped | yes | yes |
| /out, /refused | yes | yes | yes | no | no | yes |

Known limits: a client that answers its own user's break with a clean close
(OpenSSH `sftp` does) delivers what it had sent; only the content tells.  The
delivered file is not synced: responsibility begins with the acknowledgement.
"""

# ruff: noqa: ARG002
# The interfaces of Conch name the arguments.
import os
import struct
from typing import Final

from twisted.conch.avatar import ConchUser
from twisted.conch.interfaces import ISFTPServer
from twisted.conch.ssh.filetransfer import FXF_APPEND, FXF_CREAT, FXF_EXCL, FXF_TRUNC, FXF_WRITE
from twisted.internet.defer import Deferred
from zope.interface import implementer

from adapters.doors.sftp_attributes import FOLDER, Attributes, attributes, of_file
from adapters.doors.sftp_door import Door
from adapters.doors.sftp_files import Download, Listing, Upload, entry
from adapters.doors.sftp_mailbox import Mailbox
from adapters.doors.sftp_names import FOLDERS, Place, place, steps
from adapters.doors.sftp_status import Refused
from spool.mailbox import is_temporary

EXTENSIONS: Final = {
    b"posix-rename@openssh.com": b"1",
    b"statvfs@openssh.com": b"2",
    b"fsync@openssh.com": b"1",
    b"limits@openssh.com": b"1",
}
_BLOCK: Final = 4096


@implementer(ISFTPServer)
class Jail:
    """The mailbox of one partner as one of his sessions sees it."""

    def __init__(self, avatar: ConchUser, door: Door, mailbox: Mailbox) -> None:
        self.avatar = avatar
        self._door = door
        self._mailbox = mailbox

    @property
    def partner(self) -> str:
        """Return whose mailbox it is."""
        return self._mailbox.account.name

    def gotVersion(self, otherVersion: int, extData: dict[bytes, bytes]) -> dict[bytes, bytes]:
        """Return what we offer beyond SFTP version 3."""
        return EXTENSIONS

    def openFile(self, filename: bytes, flags: int, attrs: Attributes) -> "Upload | Download | Deferred[Upload]":
        """Return the open file; when the room must be counted first, a Deferred of it."""
        where = _file(place(filename))
        if not flags & FXF_WRITE:
            if where.folder == "in":
                raise Refused("read_in")
            return Download(self._existing(where))
        if where.folder != "in":
            raise Refused("read_only")
        try:
            return self._upload(where.name, flags)
        except Refused as trouble:
            self._door.refused(self.partner, where.name, trouble.text)
            raise

    def _upload(self, name: str, flags: int) -> "Upload | Deferred[Upload]":
        if not self._mailbox.account.may_write:
            raise Refused("writing")
        if not self._door.guard.may_take():
            raise Refused("disk")
        temporary = is_temporary(name)
        staged = self._mailbox.named(name) if temporary else self._mailbox.delivered(name)
        there = os.path.lexists(staged)
        if not there and not flags & FXF_CREAT:
            raise Refused("missing")
        if there and flags & FXF_EXCL and flags & FXF_CREAT:
            raise Refused("exists")
        if there and not temporary and not flags & FXF_TRUNC:
            raise Refused("append")
        files = 0 if there and temporary else 1
        if self._mailbox.has_room(files, 0):
            return self._opened(name, temporary=temporary, flags=flags)
        room = self._mailbox.make_room(files, 0)
        return room.addCallbacks(
            lambda _: self._opened(name, temporary=temporary, flags=flags),
            lambda failure: self._full(name, failure.value),
        )

    def _opened(self, name: str, *, temporary: bool, flags: int) -> Upload:
        mode = os.O_WRONLY | os.O_CREAT
        if not temporary:
            mode |= os.O_EXCL
        elif flags & FXF_TRUNC and os.path.lexists(self._mailbox.named(name)):
            mode |= os.O_TRUNC
            self._mailbox.give_back(0, os.lstat(self._mailbox.named(name)).st_size)
        append = bool(flags & FXF_APPEND)
        return Upload(self._door, self._mailbox, name, temporary=temporary, flags=mode, append=append)

    def _full(self, name: str, trouble: BaseException | None) -> Upload:
        answer = trouble if isinstance(trouble, Refused) else Refused("ours")
        self._door.refused(self.partner, name, answer.text)
        raise answer

    def removeFile(self, filename: bytes) -> None:
        """The file is gone from /out or /refused, or the unfinished one from /in."""
        where = _file(place(filename))
        if where.folder != "in":
            os.unlink(self._existing(where))
            return
        if not is_temporary(where.name):
            delivered = os.path.lexists(self._mailbox.delivered(where.name))
            raise Refused("delivered" if delivered or self._mailbox.recent.find(where.name) else "missing")
        size = os.lstat(self._mailbox.named(where.name)).st_size
        writer = self._mailbox.writers.get(where.name)
        if writer is not None:
            writer.abort()
        os.unlink(self._mailbox.named(where.name))
        self._mailbox.give_back(1, size)

    def renameFile(self, oldpath: bytes, newpath: bytes) -> None:
        """The file uploaded under a temporary name is delivered under its final one."""
        old, new = _file(place(oldpath)), _file(place(newpath))
        if old.folder != "in" or new.folder != "in":
            raise Refused("rename")
        if not is_temporary(old.name):
            delivered = os.path.lexists(self._mailbox.delivered(old.name)) or self._mailbox.recent.find(old.name)
            raise Refused("delivered" if delivered else "missing")
        if old.name in self._mailbox.writers or new.name in self._mailbox.writers:
            raise Refused("busy")
        staged = self._mailbox.named(old.name)
        found = os.lstat(staged)
        if is_temporary(new.name):
            os.rename(staged, self._mailbox.named(new.name))
            return
        told = self._mailbox.deliver(staged, new.name)
        self._mailbox.recent.remember(new.name, found.st_size, int(found.st_mtime))
        self._door.arrived(self.partner, told)

    def makeDirectory(self, path: bytes, attrs: Attributes) -> None:
        """No folder is made; of those that are there the client is told so."""
        raise Refused("exists" if steps(path) in ([], *([name] for name in FOLDERS)) else "fixed")

    def removeDirectory(self, path: bytes) -> None:
        """No folder is removed."""
        raise Refused("fixed")

    def openDirectory(self, path: bytes) -> Listing:
        """Return the listing of a folder."""
        where = place(path)
        if where.name:
            self._attributes(where)
            raise Refused("missing")
        if where.folder == "in":
            return Listing((self._mailbox.folder("in"), False), (self._mailbox.named_folder, True))
        if where.folder:
            return Listing((self._mailbox.folder(where.folder), False))
        return Listing(first=[entry(name, self._attributes(Place(name, ""))) for name in FOLDERS])

    def getAttrs(self, path: bytes, followLinks: int) -> Attributes:
        """Return the attributes of a file or folder; there are no links to follow."""
        return self._attributes(place(path))

    def setAttrs(self, path: bytes, attrs: Attributes) -> None:
        """A time given to a file in /in holds; everything else is passed over in silence, but not a change of size."""
        where = place(path)
        found = self._attributes(where)
        if attrs.get("size", found["size"]) != found["size"]:
            raise Refused("delivered")
        if where.folder != "in" or not where.name or "mtime" not in attrs:
            return
        temporary = is_temporary(where.name)
        target = self._mailbox.named(where.name) if temporary else self._mailbox.delivered(where.name)
        self._mailbox.recent.touch(where.name, attrs["mtime"])
        try:
            os.utime(target, (attrs["atime"], attrs["mtime"]), follow_symlinks=False)
        except FileNotFoundError:  # taken in already; the memory of it has the time
            return

    def readLink(self, path: bytes) -> bytes:
        """There is no link."""
        raise Refused("links")

    def makeLink(self, linkPath: bytes, targetPath: bytes) -> None:
        """No link is made."""
        raise Refused("links")

    def realPath(self, path: bytes) -> bytes:
        """Return the path without `.` and `..`, whether anything is there or not."""
        return b"/" + "/".join(steps(path)).encode()

    def extendedRequest(self, extendedName: bytes, extendedData: bytes) -> bytes:
        """Return the body of the answer to a statvfs request: the quota is the disk."""
        if extendedName != b"statvfs@openssh.com":
            raise Refused("unsupported")
        account, (size, files) = self._mailbox.account, self._mailbox.room_left()
        disk = os.statvfs(account.mailbox)
        free = min(size, disk.f_bavail * disk.f_frsize) // _BLOCK
        return struct.pack(
            "!11Q",
            _BLOCK,
            _BLOCK,
            account.quota_bytes // _BLOCK,
            free,
            free,
            account.quota_files,
            files,
            files,
            0,
            2,
            200,
        )

    def _attributes(self, where: Place) -> Attributes:
        if not where.name:
            folder = self._mailbox.folder(where.folder) if where.folder else str(self._mailbox.account.mailbox)
            return attributes(_BLOCK, os.stat(folder).st_mtime, FOLDER)
        if where.folder != "in":
            return of_file(os.lstat(self._existing(where)))
        if is_temporary(where.name):
            return of_file(os.lstat(self._mailbox.named(where.name)))
        try:
            return of_file(os.lstat(self._mailbox.delivered(where.name)))
        except FileNotFoundError:
            sent = self._mailbox.recent.find(where.name)
            if sent is None:
                raise
            return attributes(sent.size, sent.modified)

    def _existing(self, where: Place) -> str:
        if is_temporary(where.name):  # ours, being written aside
            raise Refused("missing")
        return f"{self._mailbox.folder(where.folder)}/{where.name}"


def _file(where: Place) -> Place:
    if not where.name:
        raise Refused("directory")
    return where
