"""Frames that pika cannot read: a message whose headers hold a value that Python has no word for.

A number that is none, or a time beyond the year 9999 (milliseconds where seconds
belong), makes pika throw the whole connection away, and the message comes again on
the next.  Nobody here reads headers, so such a message is read without them.
"""

import struct
from typing import Any, Final

from pika import frame
from pika.adapters.twisted_connection import _TwistedConnectionAdapter

_START: Final = struct.Struct(">BHL")
_CONTENT_HEADER: Final = 2
_FLAGS_AT: Final = 12
_BEFORE_HEADERS: Final = (1 << 15, 1 << 14)
_HEADERS: Final = 1 << 13


class Reading(_TwistedConnectionAdapter):  # type: ignore[misc]  # pika is untyped to us
    """pika's connection, which no header of a message can cut."""

    def _read_frame(self) -> Any:
        try:
            return super()._read_frame()
        except Exception:
            shorter = without_headers(self._frame_buffer)
            if shorter is None:
                raise
            # What is trimmed from the buffer afterwards is the frame as it came.
            size = _START.unpack_from(self._frame_buffer)[2]
            return _START.size + size + 1, frame.decode_frame(shorter)[1]


def without_headers(data: bytes) -> bytes | None:
    """Return the first frame of the data without the headers of its message; None where there are none.

    >>> payload = struct.pack(">HHQH", 60, 0, 5, _HEADERS | 1 << 12) + struct.pack(">L", 3) + b"abc" + bytes([2])
    >>> shorter = without_headers(_START.pack(2, 1, len(payload)) + payload + bytes([0xCE]) + b"more")
    >>> frame.decode_frame(shorter)[1].properties
    <BasicProperties(['delivery_mode=2'])>
    """
    kind, channel, size = _START.unpack_from(data)
    payload = data[_START.size : _START.size + size]
    if kind != _CONTENT_HEADER or len(payload) < _FLAGS_AT + 2:
        return None
    (flags,) = struct.unpack_from(">H", payload, _FLAGS_AT)
    if not flags & _HEADERS:
        return None
    start = _FLAGS_AT + 2
    for flag in _BEFORE_HEADERS:
        if flags & flag:
            start += 1 + payload[start]
    (length,) = struct.unpack_from(">L", payload, start)
    rest = payload[_FLAGS_AT + 2 : start] + payload[start + 4 + length :]
    kept = payload[:_FLAGS_AT] + struct.pack(">H", flags & ~_HEADERS) + rest
    return _START.pack(kind, channel, len(kept)) + kept + bytes([frame.spec.FRAME_END])
