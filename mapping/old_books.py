"""A workbook of Excel 97 (.xls) before it is opened: a stream of records in a compound file.

What its own words do not bound is bounded here: how far the cells reach, how much text they share,
what the sheet says of its own size. Formulas and error values are told like those of an xlsx.
"""

import struct
from collections.abc import Iterator
from typing import Final

from mapping.bounds import CELL_BYTES, MOST_CELLS, Inspected, Oddities, Unsound, check_cells, check_weight
from mapping.compound import packed, streams

_FORMULA, _LOCKED, _CONTINUE, _SHEET, _SHARED, _END = 0x06, 0x2F, 0x3C, 0x85, 0xFC, 0x0A
_BEGIN: Final = (0x0809, 0x0409, 0x0209, 0x0009)
_EXTENT, _BOOLEAN_OR_ERROR, _SHARED_CELL, _MANY_NUMBERS = 0x0200, 0x0205, 0xFD, 0xBD
_CELLS: Final = frozenset({_FORMULA, 0x0203, 0x0204, _BOOLEAN_OR_ERROR, 0x027E, _MANY_NUMBERS, _SHARED_CELL, 0xD6})
_NAMES: Final = ("Workbook", "Book", "EncryptedPackage")
_ERROR_RESULT: Final = (2, 0xFFFF)
_Record = tuple[int, int, int]


class Locked(Exception):  # noqa: N818  what happened
    """The workbook is protected by a password"""


def inspected(data: bytes, most_cells: int = MOST_CELLS) -> Inspected:
    """Return the workbook alone in its file, with its oddities; raise Locked, TooBig, TooMany or Unsound."""
    found = streams(data, _NAMES)
    if "EncryptedPackage" in found:
        raise Locked
    name = next(iter(found), None)
    if name is None:
        raise Unsound("there is no workbook in it")
    book = bytearray(found[name])
    try:
        sheets = _sheets(book)
    except (struct.error, IndexError) as trouble:
        raise Unsound(str(trouble)) from trouble
    for one in sheets.values():
        one.check()
    weight = sum(one.weight for one in sheets.values())
    check_weight(weight)
    check_cells(sum(one.cells for one in sheets.values()) + weight // CELL_BYTES, most_cells)
    return Inspected(packed(name, bytes(book)), sheets)


def _records(book: bytearray, start: int) -> Iterator[_Record]:
    """Yield kind, place and length of the records up to the end of the part that begins here."""
    while start + 4 <= len(book):
        kind, length = struct.unpack_from("<HH", book, start)
        if start + 4 + length > len(book):
            raise Unsound("a record is cut off")
        yield kind, start + 4, length
        if kind == _END:
            return
        start += 4 + length


def _sheets(book: bytearray) -> dict[str, Oddities]:
    places: list[tuple[str, int]] = []
    shared: list[bytes] = []
    in_shared, is_new = False, True
    for kind, place, length in _records(book, 0):
        if kind in _BEGIN:
            is_new = kind == 0x0809 and struct.unpack_from("<H", book, place)[0] >= 0x0600
        elif kind == _LOCKED:
            raise Locked
        elif kind == _SHEET:
            start, _, count = struct.unpack_from("<IHB", book, place)
            places.append((_name(book[place + 7 : place + length], count, is_new=is_new), start))
        in_shared = kind == _SHARED or (kind == _CONTINUE and in_shared)
        if in_shared:
            shared.append(bytes(book[place : place + length]))
    if len({name for name, _ in places}) < len(places):
        raise Unsound("two sheets have one name")
    lengths = _lengths(shared) if shared else []
    if not places:
        raise Unsound("there is no sheet in it")
    if len({start for _, start in places}) < len(places):
        raise Unsound("two sheets are one")
    return {name: _sheet(book, start, lengths) for name, start in places}


def _name(raw: bytearray, count: int, *, is_new: bool) -> str:
    """The name of a sheet; that of Excel 95 is taken as Latin letters, whatever they are."""
    if not is_new:
        return bytes(raw[:count]).decode("latin-1")
    if not raw:
        raise Unsound("a sheet has no name")
    wide = raw[0] & 1
    return bytes(raw[1 : 1 + (count << wide)]).decode("utf-16-le" if wide else "latin-1", "replace")


def _sheet(book: bytearray, start: int, lengths: list[int]) -> Oddities:
    odd = Oddities()
    for kind, place, length in _records(book, start):
        if kind == _EXTENT:
            # Room would be made for as much as it says.
            book[place : place + length] = bytes(length)
        if kind not in _CELLS or length < 6:
            continue
        row, column = struct.unpack_from("<HH", book, place)
        last = struct.unpack_from("<H", book, place + length - 2)[0] if kind == _MANY_NUMBERS else column
        odd.reach(row + 1, max(column, last))
        if kind == _SHARED_CELL:
            number = struct.unpack_from("<I", book, place + 6)[0]
            odd.weight += lengths[number] if number < len(lengths) else 0
        elif kind == _FORMULA:
            odd.reckoned(row + 1, column)
            if (book[place + 6], struct.unpack_from("<H", book, place + 12)[0]) == _ERROR_RESULT:
                odd.error(row + 1, column)
        elif kind == _BOOLEAN_OR_ERROR and length >= 8 and book[place + 7]:
            odd.error(row + 1, column)
    return odd


def _lengths(parts: list[bytes]) -> list[int]:
    """The bytes of each shared string. A string goes on in the next record after a byte that tells its width anew."""
    count = struct.unpack_from("<I", parts[0], 4)[0]
    reader = _Reader(parts)
    told: list[int] = []
    while len(told) < count and not reader.is_at_end:
        told.append(reader.string())
    return told


class _Reader:
    """Reads through the records of the shared strings."""

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts
        self._part = 0
        self._place = 8

    @property
    def is_at_end(self) -> bool:
        """Whether nothing is left."""
        while self._part < len(self._parts) and self._place >= len(self._parts[self._part]):
            self._part += 1
            self._place = 0
        return self._part >= len(self._parts)

    def string(self) -> int:
        """The bytes that the next string has as UTF-8, at most."""
        letters: int
        letters, flags = struct.unpack("<HB", self._bytes(3))
        skipped: int = struct.unpack("<H", self._bytes(2))[0] * 4 if flags & 8 else 0
        skipped += struct.unpack("<I", self._bytes(4))[0] if flags & 4 else 0
        left, wide = letters, flags & 1
        while left and not self.is_at_end:
            if self._place == 0:
                wide, self._place = self._parts[self._part][0] & 1, 1
            taken = min(left, (len(self._parts[self._part]) - self._place) >> wide)
            self._place += taken << wide
            left -= taken
            if left and self._place < len(self._parts[self._part]):
                self._place = len(self._parts[self._part])
        self._skip(skipped)
        return letters * 3

    def _bytes(self, count: int) -> bytes:
        told = b""
        while len(told) < count and not self.is_at_end:
            part = self._parts[self._part][self._place : self._place + count - len(told)]
            self._place += len(part)
            told += part
        return told

    def _skip(self, count: int) -> None:
        while count > 0 and not self.is_at_end:
            taken = min(count, len(self._parts[self._part]) - self._place)
            self._place += taken
            count -= taken
