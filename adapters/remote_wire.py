"""The client's side of SFTP version 3: requests as they are sent and answers as they are read.

Nothing here talks: bytes go in and values come out, whatever a server may have written.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

INIT, VERSION, OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT = 1, 2, 3, 4, 5, 6, 7, 8
OPENDIR, READDIR, REMOVE, STAT, RENAME = 11, 12, 13, 17, 18
STATUS, HANDLE, DATA, NAME, ATTRS, EXTENDED = 101, 102, 103, 104, 105, 200
OK, AT_END, NO_SUCH_FILE, PERMISSION_DENIED, FAILURE = 0, 1, 2, 3, 4
READING, WRITING, CREATING, EMPTYING = 1, 2, 8, 16
POSIX_RENAME: Final = b"posix-rename@openssh.com"
FSYNC: Final = b"fsync@openssh.com"

_NUMBER: Final = struct.Struct("!L")
_HEAD: Final = struct.Struct("!LBL")
_LONG: Final = struct.Struct("!Q")
_PLACE: Final = struct.Struct("!QL")
_SIZE, _OWNER, _MODE, _TIMES, _MORE = 1, 2, 4, 8, 0x80000000

_WORDS: Final = {
    AT_END: "the end of the file",
    NO_SUCH_FILE: "no such file or folder",
    PERMISSION_DENIED: "permission denied",
    FAILURE: "failure (a full disk or quota often reads so)",
}


class NotSftp(ValueError):  # noqa: N818  named for what happened
    """What the server wrote is no SFTP."""


@dataclass(frozen=True, slots=True)
class Status:
    """How a request ended, in the server's words."""

    code: int
    text: str = ""

    def __str__(self) -> str:
        """Return it for a person.

        >>> str(Status(PERMISSION_DENIED, "Permission denied")), str(Status(8, "no such thing"))
        ('permission denied', 'status 8 no such thing')
        """
        return _WORDS.get(self.code) or f"status {self.code} {self.text}".rstrip()


# Of these there may be a hundred thousand at a time; what the collector does not look at delays no other thread.
class Facts(msgspec.Struct, frozen=True, gc=False):
    """What a server says of a file; None where it does not."""

    size: int | None = None
    mtime: int | None = None
    mode: int | None = None


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A name of a folder and what the server says of it."""

    name: bytes
    facts: Facts


Answer = Status | bytes | Facts | list[Entry]


def string(value: bytes) -> bytes:
    """Return a string as it is sent.

    >>> string(b"ab").hex()
    '000000026162'
    """
    return _NUMBER.pack(len(value)) + value


def framed(kind: int, number: int, body: bytes) -> bytes:
    """Return a request as it is sent."""
    return _HEAD.pack(len(body) + 5, kind, number) + body


def greeting() -> bytes:
    """Return what a client says first."""
    return _NUMBER.pack(5) + bytes((INIT,)) + _NUMBER.pack(3)


def opening(path: bytes, how: int) -> bytes:
    """Return the body that opens a file, new ones readable by owner and group."""
    return string(path) + _NUMBER.pack(how) + _NUMBER.pack(_MODE) + _NUMBER.pack(0o640)


def reading(handle: bytes, offset: int, length: int) -> bytes:
    """Return the body that reads a piece."""
    return string(handle) + _PLACE.pack(offset, length)


def writing(handle: bytes, offset: int, data: bytes) -> bytes:
    """Return the body that writes a piece."""
    return string(handle) + _LONG.pack(offset) + string(data)


def extensions_of(packet: bytes) -> frozenset[bytes]:
    """Return what the server can do beyond version 3, from its first packet; NotSftp where that is something else."""
    if packet[:1] != bytes((VERSION,)) or len(packet) < 5 or _NUMBER.unpack_from(packet, 1)[0] < 3:
        raise NotSftp("it does not speak SFTP version 3")
    found, at = set(), 5
    try:
        while at < len(packet):
            name, at = _string_at(packet, at)
            _, at = _string_at(packet, at)
            found.add(name)
    except struct.error as error:
        raise NotSftp("its first packet is cut") from error
    return frozenset(found)


def answer_of(packet: bytes) -> tuple[int, Answer]:
    """Return the number of the request and what came of it; NotSftp where a packet is none."""
    try:
        number = _NUMBER.unpack_from(packet, 1)[0]
        return number, _ANSWERS[packet[0]](packet)
    except (struct.error, KeyError, IndexError) as error:
        raise NotSftp("it sent a packet that cannot be read") from error


def _status(packet: bytes) -> Status:
    code = _NUMBER.unpack_from(packet, 5)[0]
    text = _string_at(packet, 9)[0] if len(packet) >= 13 else b""
    return Status(code, "".join(c if c.isprintable() else " " for c in text[:200].decode("utf-8", "replace")))


def _bytes(packet: bytes) -> bytes:
    return _string_at(packet, 5)[0]


def _names(packet: bytes) -> list[Entry]:
    count, at = _NUMBER.unpack_from(packet, 5)[0], 9
    found = []
    for _ in range(count):
        name, at = _string_at(packet, at)
        at += 4 + _NUMBER.unpack_from(packet, at)[0]  # the long form is for people
        facts, at = _facts_at(packet, at)
        found.append(Entry(name, facts))
    return found


def _facts(packet: bytes) -> Facts:
    return _facts_at(packet, 5)[0]


_ANSWERS: Final[dict[int, Callable[[bytes], Answer]]] = {
    STATUS: _status,
    HANDLE: _bytes,
    DATA: _bytes,
    NAME: _names,
    ATTRS: _facts,
}


def _string_at(packet: bytes, at: int) -> tuple[bytes, int]:
    end = at + 4 + _NUMBER.unpack_from(packet, at)[0]
    if end > len(packet):
        raise struct.error("a string goes beyond its packet")
    return packet[at + 4 : end], end


def _facts_at(packet: bytes, at: int) -> tuple[Facts, int]:
    flags = _NUMBER.unpack_from(packet, at)[0]
    at += 4
    size = mtime = mode = None
    if flags & _SIZE:
        size = _LONG.unpack_from(packet, at)[0]
        at += 8
    at += 8 if flags & _OWNER else 0
    if flags & _MODE:
        mode = _NUMBER.unpack_from(packet, at)[0]
        at += 4
    if flags & _TIMES:
        mtime = _NUMBER.unpack_from(packet, at + 4)[0]
        at += 8
    if flags & _MORE:
        count = _NUMBER.unpack_from(packet, at)[0]
        at += 4
        for _ in range(2 * count):
            _, at = _string_at(packet, at)
    return Facts(size, mtime, mode), at


def packets_of(data: bytearray, most: int) -> Iterator[bytes]:
    """Yield the whole packets at the start of what was received, which keeps the rest.

    >>> received = bytearray.fromhex("00000001 61 0000")
    >>> list(packets_of(received, 10)), received.hex()
    ([b'a'], '0000')
    """
    at = 0
    try:
        while len(data) - at >= 4:
            length = _NUMBER.unpack_from(data, at)[0]
            if not 0 < length <= most:
                raise NotSftp("it sent a packet of an impossible length")
            if len(data) - at - 4 < length:
                return
            packet = bytes(data[at + 4 : at + 4 + length])
            at += 4 + length
            yield packet
    finally:
        del data[:at]
