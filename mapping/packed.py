"""A packed workbook, xlsx or ods, before it is opened: a zip of XML, and nothing it says of sizes is believed.

Every part is unpacked and counted, read as XML to its end, and packed anew: what opens the workbook
sees only what was counted here. Reading XML that breaks off may go on for ever there.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final
from xml.parsers import expat

from mapping import open_documents, sheet_parts
from mapping.bounds import MOST_BYTES, MOST_PARTS, Inspected, TooBig, Unsound, check_weight

_OPEN_DOCUMENT: Final = ("mimetype", "META-INF/manifest.xml", "content.xml")


def inspected(data: bytes) -> Inspected:
    """Return the workbook packed anew with its oddities; raise TooBig or Unsound where it must not be opened."""
    try:
        parts = dict(_parts(data))
        if "content.xml" in parts and not any(name.lower() == "xl/workbook.xml" for name in parts):
            parts = {name: parts[name] for name in _OPEN_DOCUMENT if name in parts}
            sheets = open_documents.oddities(parts["content.xml"])
        else:
            sheets = sheet_parts.oddities(parts)
        for one in sheets.values():
            one.check()
        check_weight(sum(one.weight for one in sheets.values()))
        return Inspected(_packed(parts), sheets)
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, EOFError, expat.ExpatError) as trouble:
        raise Unsound(str(trouble)) from trouble


def _parts(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the parts that are read, unpacked; everything is counted."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
    if len(entries) > MOST_PARTS:
        raise TooBig(f"有 {len(entries)} 个部分", f"it has {len(entries)} parts")
    check_weight(sum(entry.file_size for entry in entries))
    if sum(entry.compress_size for entry in entries) > len(data):
        raise TooBig("各部分互相重叠", "its parts overlap")
    left, seen = MOST_BYTES, set()
    for entry in entries:
        if (plain := entry.filename.lower()) in seen:
            raise Unsound(f"two parts are called {entry.filename}")
        seen.add(plain)
        body = _unpacked(data, entry, left)
        left -= len(body)
        if plain.endswith((".xml", ".rels")) or plain == "mimetype":
            yield entry.filename, body


def _unpacked(data: bytes, entry: zipfile.ZipInfo, most: int) -> bytes:
    if entry.flag_bits & 1:
        raise Unsound(f"{entry.filename} is encrypted")
    name, extra = struct.unpack_from("<HH", data, entry.header_offset + 26)
    start = entry.header_offset + 30 + name + extra
    packed = data[start : start + entry.compress_size]
    if entry.compress_type == zipfile.ZIP_STORED:
        body = packed
    elif entry.compress_type == zipfile.ZIP_DEFLATED:
        body = zlib.decompressobj(-15).decompress(packed, most + 1)
    else:
        raise Unsound(f"{entry.filename} is packed in an unusual way")
    if len(body) > most:
        check_weight(MOST_BYTES + 1)
    return body


def _packed(parts: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        while parts:
            archive.writestr(*parts.popitem())
    return made.getvalue()
