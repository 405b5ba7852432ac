"""The compound file in which Excel 97 packs a workbook: one stream is taken out, and packed anew by itself.

A chain of sectors that goes in a circle has no end, and who follows it fills the memory first.
"""

import struct
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from mapping.bounds import Unsound

MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FREE: Final = 0xFFFFFFFF
_END: Final = 0xFFFFFFFE
_TABLE: Final = 0xFFFFFFFD
_LIST: Final = 0xFFFFFFFC
_HEADER: Final = struct.Struct("<8s16x5H6x9I436s")
_ENTRY: Final = struct.Struct("<64sHBB3I36xIQ")
_IN_HEADER: Final = 109
_SMALL: Final = 4096
_ROOT: Final = 5
_STREAM: Final = 2
_SECTOR: Final = 512
_IN_SECTOR: Final = _SECTOR // 4


def streams(data: bytes, wanted: Collection[str]) -> dict[str, bytes]:
    """Return the streams of these names, whatever storage they lie in; the first of a name holds."""
    try:
        head = _HEADER.unpack_from(data)
        if head[0] != MAGIC or head[3] != 0xFFFE or head[4] not in (9, 12) or head[5] != 6:
            raise Unsound("it is no compound file")
        return _Sectors(data, head).streams(wanted)
    except struct.error as trouble:
        raise Unsound(str(trouble)) from trouble


class _Sectors:
    """The sectors of a compound file with the table that chains them."""

    def __init__(self, data: bytes, head: Sequence[Any]) -> None:
        self._size = size = 1 << head[4]
        self._all = [data[start : start + size] for start in range(size, len(data), size)]
        self._next = _table(self._all, size, list(struct.unpack(f"<{_IN_HEADER}I", head[15])), head[13])
        self._directory, self._small_first = head[8], head[11]

    def streams(self, wanted: Collection[str]) -> dict[str, bytes]:
        """The streams of these names."""
        listed = self._body(self._directory)
        ends = range(_ENTRY.size, len(listed) + 1, _ENTRY.size)
        entries = [_ENTRY.unpack_from(listed, end - _ENTRY.size) for end in ends]
        found: dict[str, bytes] = {}
        for raw, length, kind, *_, first, told in entries:
            name = raw[: max(length - 2, 0)].decode("utf-16-le", "replace")
            if kind != _STREAM or name not in wanted or name in found:
                continue
            # Only newer files fill the upper half of the count, and then with zeros.
            count = told & 0xFFFFFFFF
            if count >= _SMALL:
                found[name] = self._body(first)[:count]
            else:
                found[name] = self._small(entries, first)[:count] if count else b""
        return found

    def _small(self, entries: Sequence[tuple[Any, ...]], first: int) -> bytes:
        root = next((entry for entry in entries if entry[2] == _ROOT), None)
        if root is None:
            raise Unsound("it has no root")
        whole = self._body(root[7])
        small = [whole[start : start + 64] for start in range(0, len(whole), 64)]
        return b"".join(_chain(small, _numbers(self._body(self._small_first)), first))

    def _body(self, first: int) -> bytes:
        return b"".join(_chain(self._all, self._next, first))


def _table(sectors: Sequence[bytes], size: int, listed: list[int], more: int) -> list[int]:
    """The table that names the sector after each sector."""
    seen = set()
    while more < _LIST:
        if more in seen or more >= len(sectors):
            raise Unsound("the list of its tables goes in a circle")
        seen.add(more)
        *numbers, more = _numbers(sectors[more].ljust(size, b"\xff"))
        listed += numbers
    table: list[int] = []
    for number in listed:
        if number < len(sectors) and len(table) <= len(sectors):
            table += _numbers(sectors[number].ljust(size, b"\xff"))
    return table


def _numbers(whole: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(whole) // 4}I", whole[: len(whole) // 4 * 4]))


def _chain(sectors: Sequence[bytes], table: Sequence[int], first: int) -> Iterator[bytes]:
    count = 0
    while first != _END:
        count += 1
        if first >= len(sectors) or first >= len(table) or count > len(sectors):
            raise Unsound("a chain of sectors has no end")
        yield sectors[first]
        first = table[first]


def packed(name: str, body: bytes) -> bytes:
    """Return a compound file that holds this one stream.

    >>> [streams(packed("Book", b"x" * size), ["Book"])["Book"] == b"x" * size for size in (5000, 20_000_000)]
    [True, True]
    """
    body = body.ljust(_SMALL, b"\0")
    count = -(-len(body) // _SECTOR)
    tables = lists = 0
    while tables * _IN_SECTOR < tables + lists + 1 + count:
        tables += 1
        lists = max(0, -(-(tables - _IN_HEADER) // (_IN_SECTOR - 1)))
    directory = tables + lists
    table = [_TABLE] * tables + [_LIST] * lists + [_END, *range(directory + 2, directory + 1 + count), _END]
    table += [_FREE] * (tables * _IN_SECTOR - len(table))
    listed = [*range(tables), *[_FREE] * (_IN_HEADER + lists * (_IN_SECTOR - 1) - tables)]
    more = [
        number
        for one in range(lists)
        for start in [_IN_HEADER + one * (_IN_SECTOR - 1)]
        for number in (*listed[start : start + _IN_SECTOR - 1], tables + one + 1 if one + 1 < lists else _END)
    ]
    head = _HEADER.pack(
        MAGIC, 0x3E, 3, 0xFFFE, 9, 6, 0, tables, directory, 0, _SMALL, _END, 0, tables if lists else _END, lists,
        _bytes(listed[:_IN_HEADER]),
    )  # fmt: skip
    entries = _entry("Root Entry", _ROOT, 1, _END, 0) + _entry(name, _STREAM, _FREE, directory + 1, len(body))
    padding = b"\0" * (-len(body) % _SECTOR)
    return b"".join([head, _bytes(table), _bytes(more), entries.ljust(_SECTOR, b"\0"), body, padding])


def _bytes(numbers: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


def _entry(name: str, kind: int, child: int, first: int, count: int) -> bytes:
    told = name.encode("utf-16-le")
    return _ENTRY.pack(told, len(told) + 2, kind, 1, _FREE, _FREE, child, first, count)
