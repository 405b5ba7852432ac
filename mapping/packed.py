"""A packed workbook, xlsx or ods, before it is opened: a zip of XML, and nothing it says of sizes is believed.

Every part is unpacked and counted, read as XML to its end, and packed anew, some kilobytes at a
time: what opens the workbook sees only what was counted here. Reading XML that breaks off may go on
for ever there.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final
from xml.parsers import expat

from mapping import open_documents, sheet_parts
from mapping.bounds import (
    CELL_BYTES,
    MOST_BYTES,
    MOST_CELLS,
    MOST_PARTS,
    Inspected,
    TooBig,
    Unsound,
    check_cells,
    check_weight,
)

_OPEN_DOCUMENT: Final = ("mimetype", "META-INF/manifest.xml", "content.xml")
_PIECE: Final = 1 << 16


def inspected(data: bytes, most_cells: int = MOST_CELLS) -> Inspected:
    """Return the workbook packed anew with its oddities; raise TooBig, TooMany or Unsound if it must not be opened."""
    try:
        archive = _Archive(data)
        is_open = "content.xml" in archive.names and not any(one.lower() == "xl/workbook.xml" for one in archive.names)
        walk = open_documents.Walk(most_cells) if is_open else sheet_parts.Book(most_cells)
        anew = archive.packed_anew(walk, _OPEN_DOCUMENT if is_open else None)
        sheets = walk.sheets(archive.pieces)
        for one in sheets.values():
            one.check()
        weight = sum(one.weight for one in sheets.values())
        check_weight(weight)
        check_cells(sum(one.cells for one in sheets.values()) + (weight + walk.kept) // CELL_BYTES, most_cells)
        return Inspected(anew, sheets)
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, EOFError, expat.ExpatError) as trouble:
        raise Unsound(str(trouble)) from trouble


class _Archive:
    """The parts of a workbook by name, with what they take together counted as they are unpacked."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = 0
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            self._entries = archive.infolist()
        self.names = [entry.filename for entry in self._entries]
        if len(self._entries) > MOST_PARTS:
            raise TooBig(f"有 {len(self._entries)} 个部分", f"it has {len(self._entries)} parts")
        check_weight(sum(entry.file_size for entry in self._entries))
        if sum(entry.compress_size for entry in self._entries) > len(data):
            raise TooBig("各部分互相重叠", "its parts overlap")
        self._by_name: dict[str, zipfile.ZipInfo] = {}
        for entry in self._entries:
            if (plain := entry.filename.lower()) in self._by_name:
                raise Unsound(f"two parts are called {entry.filename}")
            self._by_name[plain] = entry

    def packed_anew(self, walk: "sheet_parts.Book | open_documents.Walk", wanted: tuple[str, ...] | None) -> bytes:
        """Return the parts that are read, packed anew; each went through the walk while it was unpacked."""
        made, self._left = io.BytesIO(), MOST_BYTES
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name in self.names:
                is_read = name.lower().endswith((".xml", ".rels")) or name.lower() == "mimetype"
                if is_read and (wanted is None or name in wanted):
                    reader = walk.reader(name)
                    with archive.open(name, "w") as target:
                        for piece in self._counted(name):
                            reader(piece, False)
                            target.write(piece)
                        reader(b"", True)
                else:
                    for _ in self._counted(name):
                        pass
        return made.getvalue()

    def _counted(self, name: str) -> Iterator[bytes]:
        for piece in self.pieces(name):
            self._left -= len(piece)
            if self._left < 0:
                check_weight(MOST_BYTES + 1)
            yield piece

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield a part piece by piece."""
        entry = self._by_name[name.lower()]
        if entry.flag_bits & 1:
            raise Unsound(f"{entry.filename} is encrypted")
        told, extra = struct.unpack_from("<HH", self._data, entry.header_offset + 26)
        start = entry.header_offset + 30 + told + extra
        packed = memoryview(self._data)[start : start + entry.compress_size]
        if entry.compress_type == zipfile.ZIP_STORED:
            yield from (bytes(packed[at : at + _PIECE]) for at in range(0, len(packed), _PIECE))
        elif entry.compress_type == zipfile.ZIP_DEFLATED:
            yield from _inflated(packed)
        else:
            raise Unsound(f"{entry.filename} is packed in an unusual way")


def _inflated(packed: memoryview) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(-15)
    for at in range(0, len(packed), _PIECE):
        fed: bytes | memoryview = packed[at : at + _PIECE]
        while len(fed) and not unpacker.eof:
            if piece := unpacker.decompress(fed, _PIECE):
                yield piece
            fed = unpacker.unconsumed_tail
    while not unpacker.eof and (piece := unpacker.decompress(b"", _PIECE)):
        yield piece
