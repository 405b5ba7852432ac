"""The SFTP protocol, version 3, on the server's side: one request, one answer, in order.

Conch's own server answers some requests never and others twice, logs each one,
and goes on reading while nobody takes its answers.  This one takes the next
request when the last is answered and its channel has room.
"""

# ruff: noqa: SLF001
# The table at the end names the methods of its own class.
import struct
from collections.abc import Callable
from typing import Final, Protocol

from twisted.conch.ssh import filetransfer as fx
from twisted.conch.ssh.common import NS
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from adapters.doors.sftp_attributes import packed, unpacked
from adapters.doors.sftp_door import Door
from adapters.doors.sftp_files import BLOCK, Download, Listing, Upload
from adapters.doors.sftp_jail import Jail
from adapters.doors.sftp_status import Refused, is_ours, status
from adapters.doors.sftp_wire import OK, Answer, Reader, framed, names, told

LONGEST: Final = 256 * 1024 + 1024
HANDLES: Final = 128
NAMES: Final = 256
_HEAD: Final = struct.Struct("!LBL")
_NUMBER: Final = struct.Struct("!L")


class Channel(Protocol):
    """Where answers go."""

    @property
    def is_full(self) -> bool:
        """Tell whether answers wait that the client does not take."""

    def write(self, data: bytes) -> None:
        """The answer goes out as the client takes it."""

    def loseConnection(self) -> None:
        """The channel closes."""


class Requests:
    """One SFTP conversation: what comes in through its channel, its open files, and its answers."""

    def __init__(self, jail: Jail, door: Door, channel: Channel) -> None:
        self._jail = jail
        self._door = door
        self._channel = channel
        self._incoming = bytearray()
        self._open: dict[bytes, Upload | Download | Listing] = {}
        self._serial = 0
        self._answering = False
        self._lost = False
        self._running = False

    @property
    def waiting(self) -> int:
        """Return how many bytes of requests wait to be read."""
        return len(self._incoming)

    @property
    def is_idle(self) -> bool:
        """Tell whether no request is being answered."""
        return not self._answering

    def received(self, data: bytes) -> None:
        """The bytes are kept until `go_on` reads them."""
        self._incoming += data

    def go_on(self) -> None:
        """Every whole request is answered, up to one that takes time or fills the channel."""
        if self._running:  # an answer that was ready at once has called back
            return
        self._running = True
        at = 0
        buffer = self._incoming
        while not (self._answering or self._lost or self._channel.is_full) and len(buffer) - at >= 9:
            length, kind, number = _HEAD.unpack_from(buffer, at)
            if not 5 <= length <= LONGEST:
                self._door.log.warning("sftp.bad_request", partner=self._jail.partner, length=length)
                self._channel.loseConnection()
                at = len(buffer)
                break
            if len(buffer) - at < 4 + length:
                break
            request = bytes(memoryview(buffer)[at + 4 : at + 4 + length])
            at += 4 + length
            self._take(kind, number, request)
        del buffer[:at]
        self._running = False

    def lost(self) -> None:
        """Every file that was not closed is dropped; nothing of it is delivered."""
        self._lost = True
        self._incoming.clear()
        files, self._open = list(self._open.values()), {}
        for one in files:
            one.abort()

    def _take(self, kind: int, number: int, request: bytes) -> None:
        if kind == fx.FXP_INIT:
            offers = b"".join(NS(k) + NS(v) for k, v in self._jail.gotVersion(number, {}).items())
            self._channel.write(struct.pack("!LBL", 5 + len(offers), fx.FXP_VERSION, 3) + offers)
            return
        try:
            work = _KINDS.get(kind)
            if work is None:
                raise Refused("unsupported")  # noqa: TRY301  one place answers for all
            answer = work(self, Reader(request))
        except Exception as trouble:  # noqa: BLE001  every request is answered
            answer = self._trouble(trouble)
        if isinstance(answer, Deferred):
            self._answering = True
            answer.addErrback(self._late_trouble).addCallback(self._late, number)
        else:
            self._answer(number, answer)

    def _answer(self, number: int, answer: Answer) -> None:
        self._channel.write(framed(number, answer))

    def _late(self, answer: Answer, number: int) -> None:
        self._answering = False
        if not self._lost:
            self._answer(number, answer)
            self.go_on()

    def _late_trouble(self, failure: Failure) -> Answer:
        return self._trouble(failure.value)

    def _trouble(self, trouble: BaseException | None) -> Answer:
        found = trouble or Refused("ours")
        if isinstance(found, (struct.error, ValueError, OverflowError)):
            found = Refused("message")
        if is_ours(found):
            self._door.log.warning("sftp.trouble", partner=self._jail.partner, trouble=repr(found))
        return told(*status(found))

    def _file(self, read: Reader) -> Upload | Download:
        file = self._open.get(read.text())
        if file is None or isinstance(file, Listing):
            raise Refused("message")
        return file

    def _handle(self, file: Upload | Download | Listing) -> Answer:
        if self._lost:
            file.abort()
            raise Refused("broken")
        self._serial += 1
        handle = _NUMBER.pack(self._serial & 0xFFFFFFFF)
        self._open[handle] = file
        return bytes((fx.FXP_HANDLE,)) + NS(handle)

    def _open_file(self, read: Reader) -> "Answer | Deferred[Answer]":
        path, flags, attrs = read.text(), read.number(), unpacked(read.rest())
        if len(self._open) >= HANDLES:
            raise Refused("handles")
        file = self._jail.openFile(path, flags, attrs)
        return file.addCallback(self._handle) if isinstance(file, Deferred) else self._handle(file)

    def _close(self, read: Reader) -> Answer:
        file = self._open.pop(read.text(), None)
        if file is None:
            raise Refused("message")
        try:
            file.close()
        except BaseException:
            file.abort()
            raise
        return OK

    def _read(self, read: Reader) -> Answer:
        data = self._file(read).readChunk(read.offset(), read.number())
        return bytes((fx.FXP_DATA,)) + NS(data)

    def _write(self, read: Reader) -> "Answer | Deferred[Answer]":
        written = self._file(read).writeChunk(read.offset(), read.text())
        return OK if written is None else written.addCallback(lambda _: OK)

    def _remove(self, read: Reader) -> Answer:
        self._jail.removeFile(read.text())
        return OK

    def _rename(self, read: Reader) -> Answer:
        self._jail.renameFile(read.text(), read.text())
        return OK

    def _make_folder(self, read: Reader) -> Answer:
        self._jail.makeDirectory(read.text(), {})
        return OK

    def _remove_folder(self, read: Reader) -> Answer:
        self._jail.removeDirectory(read.text())
        return OK

    def _open_folder(self, read: Reader) -> Answer:
        if len(self._open) >= HANDLES:
            raise Refused("handles")
        return self._handle(self._jail.openDirectory(read.text()))

    def _read_folder(self, read: Reader) -> "Deferred[Answer]":
        listing = self._open.get(read.text())
        if not isinstance(listing, Listing):
            raise Refused("message")
        return self._door.in_thread(lambda: names(listing.some(NAMES)))

    def _stat(self, read: Reader) -> Answer:
        return bytes((fx.FXP_ATTRS,)) + packed(self._jail.getAttrs(read.text(), 0))

    def _stat_file(self, read: Reader) -> Answer:
        return bytes((fx.FXP_ATTRS,)) + packed(self._file(read).getAttrs())

    def _set(self, read: Reader) -> Answer:
        self._jail.setAttrs(read.text(), unpacked(read.rest()))
        return OK

    def _set_file(self, read: Reader) -> Answer:
        self._file(read).setAttrs(unpacked(read.rest()))
        return OK

    def _real_path(self, read: Reader) -> Answer:
        path = self._jail.realPath(read.text())
        return bytes((fx.FXP_NAME,)) + _NUMBER.pack(1) + NS(path) + NS(path) + _NUMBER.pack(0)

    def _links(self, _: Reader) -> Answer:
        raise Refused("links")

    def _extended(self, read: Reader) -> "Answer | Deferred[Answer]":
        name = read.text()
        if name == b"posix-rename@openssh.com":
            return self._rename(read)
        if name == b"fsync@openssh.com":
            return self._door.in_thread(self._file(read).sync).addCallback(lambda _: OK)
        if name == b"limits@openssh.com":
            body = struct.pack("!4Q", LONGEST, BLOCK, BLOCK, HANDLES)
        else:
            body = self._jail.extendedRequest(name, read.rest())
        return bytes((fx.FXP_EXTENDED_REPLY,)) + body


_KINDS: Final[dict[int, Callable[[Requests, Reader], "Answer | Deferred[Answer]"]]] = {
    fx.FXP_OPEN: Requests._open_file,
    fx.FXP_CLOSE: Requests._close,
    fx.FXP_READ: Requests._read,
    fx.FXP_WRITE: Requests._write,
    fx.FXP_LSTAT: Requests._stat,
    fx.FXP_FSTAT: Requests._stat_file,
    fx.FXP_SETSTAT: Requests._set,
    fx.FXP_FSETSTAT: Requests._set_file,
    fx.FXP_OPENDIR: Requests._open_folder,
    fx.FXP_READDIR: Requests._read_folder,
    fx.FXP_REMOVE: Requests._remove,
    fx.FXP_MKDIR: Requests._make_folder,
    fx.FXP_RMDIR: Requests._remove_folder,
    fx.FXP_REALPATH: Requests._real_path,
    fx.FXP_STAT: Requests._stat,
    fx.FXP_RENAME: Requests._rename,
    fx.FXP_READLINK: Requests._links,
    fx.FXP_SYMLINK: Requests._links,
    fx.FXP_EXTENDED: Requests._extended,
}
