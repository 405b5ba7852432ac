"""A packed workbook before it is opened: how big it really is, and where formulas, errors and far cells lie.

An xlsx or ods file is a zip of XML. What its directory says of sizes is not believed:
every part is unpacked and counted, and thrown away beyond the cap.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from mapping.cells import column_of
from message_specs.findings import Finding, finding

MOST_BYTES: Final = 400 << 20
MOST_PARTS: Final = 2000
MOST_CELLS: Final = 8_000_000
_CHUNK: Final = 1 << 20
_REFERENCE: Final = re.compile(rb'\br\s*=\s*"([A-Z]*)(\d+)"')
_FORMULA: Final = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br\s*=\s*"([A-Z]+)(\d+)"[^>]*>\s*<(?:\w+:)?f[\s>/]')
_ERROR: Final = re.compile(rb'<(?:\w+:)?c\s(?=[^>]*?\bt\s*=\s*"e")[^>]*?\br\s*=\s*"([A-Z]+)(\d+)"')
_TAG: Final = re.compile(rb"<table:(table|table-row|table-cell|covered-table-cell)\b([^>]*)>")
_TIMES: Final = re.compile(rb'number-(?:columns|rows)-repeated\s*=\s*"(\d+)"')
_SHEET: Final = re.compile(rb'<(?:\w+:)?sheet\s[^>]*?\bname\s*=\s*"([^"]*)"[^>]*?:id\s*=\s*"([^"]*)"')
_TARGET: Final = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")


@dataclass(frozen=True, slots=True)
class Oddities:
    """What calamine does not tell of a sheet: its formulas by column, and its error cells."""

    formulas: Mapping[int, list[int]] = field(default_factory=dict)
    errors: frozenset[tuple[int, int]] = frozenset()


class _TooBig(Exception):  # noqa: N818  what happened
    """More comes out of the file than anyone can want"""


def inspected(data: bytes) -> Mapping[str, Oddities] | Finding:
    """Return the oddities of each sheet by its name, or why the workbook must not be opened."""
    try:
        parts = dict(_parts(data))
        if "content.xml" in parts:
            _check_repeats(parts["content.xml"])
            return {}
        return {name: _oddities(parts[part]) for name, part in _sheets(parts) if part in parts}
    except _TooBig as reason:
        zh, en = reason.args
        return finding("M010", reason_zh=zh, reason=en)
    except (zipfile.BadZipFile, zlib.error, struct.error, ValueError, NotImplementedError, EOFError) as trouble:
        return finding("M009", reason=str(trouble))


def _parts(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the XML parts, unpacked; everything is counted."""
    import io

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
    if len(entries) > MOST_PARTS:
        raise _TooBig(f"有 {len(entries)} 个部分", f"it has {len(entries)} parts")
    if sum(entry.compress_size for entry in entries) > len(data):
        raise _TooBig("各部分互相重叠", "its parts overlap")
    left = MOST_BYTES
    for entry in entries:
        body = _unpacked(data, entry, left)
        left -= len(body)
        if _is_read(entry.filename):
            yield entry.filename, body


def _is_read(name: str) -> bool:
    return name in ("content.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels") or name.startswith("xl/worksheets/")


def _unpacked(data: bytes, entry: zipfile.ZipInfo, most: int) -> bytes:
    name, extra = struct.unpack_from("<HH", data, entry.header_offset + 26)
    start = entry.header_offset + 30 + name + extra
    packed = data[start : start + entry.compress_size]
    if entry.compress_type == zipfile.ZIP_STORED:
        body = packed
    elif entry.compress_type == zipfile.ZIP_DEFLATED:
        body = zlib.decompressobj(-15).decompress(packed, most + 1)
    else:
        raise ValueError(f"{entry.filename} is packed in an unusual way")
    if len(body) > most:
        raise _TooBig(f"超过 {MOST_BYTES >> 20} MiB", f"more than {MOST_BYTES >> 20} MiB")
    return body


def _sheets(parts: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    targets = {}
    for relation in _TARGET.findall(parts.get("xl/_rels/workbook.xml.rels", b"").replace(b"'", b'"')):
        named = dict(re.findall(rb'\b(Id|Target)\s*=\s*"([^"]*)"', relation))
        targets[named.get(b"Id", b"")] = named.get(b"Target", b"").decode("utf-8", "replace")
    from html import unescape

    for name, relation in _SHEET.findall(parts.get("xl/workbook.xml", b"").replace(b"'", b'"')):
        target = targets.get(relation, "")
        yield (
            unescape(name.decode("utf-8", "replace")),
            target.lstrip("/") if target.startswith("/") else f"xl/{target}",
        )


def _oddities(sheet: bytes) -> Oddities:
    if b"='" in sheet or b"= '" in sheet:
        sheet = sheet.replace(b"'", b'"')
    _check_extent(sheet)
    formulas: dict[int, list[int]] = {}
    if b"<f" in sheet or b":f" in sheet:
        for column, row in _FORMULA.findall(sheet):
            formulas.setdefault(column_of(column.decode()), []).append(int(row))
    errors = frozenset((int(row), column_of(column.decode())) for column, row in _ERROR.findall(sheet))
    return Oddities(formulas, errors)


def _check_extent(sheet: bytes) -> None:
    """A sheet is read as a full rectangle: two cells far apart would cost gigabytes."""
    columns, rows = {b"A"}, {b"1"}
    for start in range(0, len(sheet), _CHUNK):
        for column, row in _REFERENCE.findall(sheet, start, start + _CHUNK + 64):
            columns.add(column)
            rows.add(row)
    height = max(int(row[:9]) for row in rows)
    width = max(column_of(column.decode()[:9]) for column in columns) + 1
    if height * width > MOST_CELLS:
        raise _TooBig(f"{height} 行 × {width} 列", f"{height} rows by {width} columns")


def _check_repeats(content: bytes) -> None:
    """Cells and rows of an OpenDocument sheet may be repeated; only what is empty to the end is free."""
    row = column = repeated = height = width = 0
    for match in _TAG.finditer(content.replace(b"'", b'"')):
        kind, told = match.groups()
        times = int(found[1][:9]) if (found := _TIMES.search(told)) else 1
        if kind == b"table":
            row = repeated = height = width = 0
        elif kind == b"table-row":
            row, repeated, column = row + repeated, times, 0
        else:
            column += times
            if not told.endswith(b"/"):
                height, width = row + repeated, max(width, column)
                if height * width > MOST_CELLS:
                    raise _TooBig(f"{height} 行 × {width} 列", f"{height} rows by {width} columns")
