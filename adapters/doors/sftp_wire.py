"""The fields of SFTP requests and the bodies of answers, as they go over the wire.

An answer here is its kind and body; length and request number are put before it
when it is sent.
"""

import struct
from collections.abc import Sequence
from typing import Final

from twisted.conch.ssh import filetransfer as fx
from twisted.conch.ssh.common import NS

from adapters.doors.sftp_attributes import Attributes, packed

Answer = bytes
_NUMBER: Final = struct.Struct("!L")


def told(code: int, text: str) -> Answer:
    """Return a status answer."""
    return bytes((fx.FXP_STATUS,)) + _NUMBER.pack(code) + NS(text) + NS(b"")


OK: Final = told(fx.FX_OK, "done")


def names(entries: Sequence[tuple[bytes, bytes, Attributes]]) -> Answer:
    """Return the answer that lists these names; EOFError when there are none."""
    if not entries:
        raise EOFError
    parts = [bytes((fx.FXP_NAME,)), _NUMBER.pack(len(entries))]
    for name, line, found in entries:
        parts += (NS(name), NS(line), packed(found))
    return b"".join(parts)


def framed(number: int, answer: Answer) -> bytes:
    """Return the answer to a request as it is sent.

    >>> framed(7, OK)[:9].hex()
    '000000156500000007'
    """
    return _NUMBER.pack(len(answer) + 4) + answer[:1] + _NUMBER.pack(number) + answer[1:]


class Reader:
    """The fields of one request, read one after the other; ValueError beyond its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 5

    def text(self) -> bytes:
        """Return a string."""
        start = self._at + 4
        end = start + self.number()
        if end > len(self._data):
            raise ValueError("a string is longer than its request")
        self._at = end
        return self._data[start:end]

    def number(self) -> int:
        """Return a number of 32 bits."""
        (value,) = _NUMBER.unpack_from(self._data, self._at)
        self._at += 4
        return int(value)

    def offset(self) -> int:
        """Return a number of 63 bits."""
        value = self.number() << 32 | self.number()
        if value >= 1 << 63:
            raise ValueError("an offset beyond any file")
        return value

    def rest(self) -> bytes:
        """Return what is left."""
        return self._data[self._at :]
