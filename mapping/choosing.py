"""Which sheets of a file a map reads, and what is known of their columns and single rows before any row is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

from mapping import headings as found_headings
from mapping.bounds import MOST_CELLS
from mapping.cells import Sheet, is_table
from mapping.decoding import encoding_of
from mapping.plan import Field, Plan
from mapping.rows import of_head
from mapping.table import Map
from mapping.workbooks import Workbook, open_workbook
from message_specs.findings import Finding, finding

_BOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_MISSING: Final = ("M006", "M007")


@dataclass(slots=True)
class Chosen:
    """The sheet that the map reads, or that of the heads and that of the lines, among all that are there."""

    sheets: list[Sheet]
    there: list[Sheet]


@dataclass(slots=True)
class Source:
    """A file that is read more than once; a workbook is counted and opened at the first reading alone."""

    file: BinaryIO
    name: str
    most_cells: int = MOST_CELLS
    book: Workbook | None = None


def choose(source: Source, used: Map) -> Chosen | Finding:
    """Return the sheets to read from their beginning, or why there are none."""
    sheets = _sheets(source, used)
    if isinstance(sheets, Finding):
        return sheets
    head = found_headings.chosen(sheets, used.sheet, used)
    if isinstance(head, Finding):
        return head
    if not found_headings.has_sheet(sheets, used.list_sheet) or len(sheets) == 1:
        return Chosen([head], sheets)
    lines = found_headings.chosen(sheets, used.list_sheet, used)
    if isinstance(lines, Finding):
        return lines
    return Chosen([head] if head is lines else [head, lines], sheets)


def _sheets(source: Source, used: Map) -> list[Sheet] | Finding:
    if source.book is not None:
        return source.book.sheets()
    file, name = source.file, source.name
    if not is_table(name):
        return finding("M012", name=name)
    file.seek(0)
    magic = file.read(8)
    file.seek(0)
    if not name.lower().endswith((".csv", ".tsv")) or magic.startswith(_BOOKS):
        book = open_workbook(file.read(), source.most_cells)
        if isinstance(book, Finding):
            return book
        source.book = book
        return book.sheets()
    encoding = encoding_of(file)
    if isinstance(encoding, Finding):
        return encoding
    delimiter = found_headings.delimiter_of(file, encoding, used, name)
    return [found_headings.text_sheet(file, encoding, delimiter)]


def keyed(used: Map, head_plan: Plan, plan: Plan) -> list[Finding]:
    """Return what is wrong with the columns; both sheets know then by which of them their rows belong together."""
    if head_plan is plan:
        is_lost = not plan.key_columns and plan.shape.list_group
        return [*plan.findings, *(_no_key(used, plan, plan.findings) if is_lost else ())]
    said = _parted(head_plan, plan)
    shared = [path for path in used.key if path in head_plan.columns and path in plan.columns]
    if not shared:
        said += _no_key(used, plan, said)
    head_plan.key_columns = tuple(head_plan.columns[path] for path in shared)
    plan.key_columns = tuple(plan.columns[path] for path in shared)
    return said


def _parted(head_plan: Plan, plan: Plan) -> list[Finding]:
    """A column may lie on either sheet: it is missing only where both lack it."""
    lacking = {found.path for found in head_plan.findings if found.code in _MISSING}
    lacking &= {found.path for found in plan.findings if found.code in _MISSING}
    heads = {one.path: one for one in head_plan.head_fields}
    plan.reckoned = [heads.get(one.path, one) if not one.is_line else one for one in plan.reckoned]
    said = [found for found in head_plan.findings if found.code not in _MISSING or found.path in lacking]
    return [*of_head(head_plan, said), *(found for found in plan.findings if found.code not in _MISSING)]


def _no_key(used: Map, plan: Plan, said: list[Finding]) -> list[Finding]:
    if any(found.code == "M006" for found in said):
        return []
    path = used.key[-1]
    lines = used.by_path.get(path, ())
    heading = next((name for line in lines for name in line.columns), path)
    return [finding("M006", path=path, row=plan.heading_row, heading=heading, name=path)]


def used_columns(plan: Plan) -> list[int]:
    """Return the columns that documents are made of."""
    fields: list[Field] = [*plan.head_fields, *plan.line_fields]
    return sorted({*(one.column for one in fields if one.column is not None), *plan.key_columns, *plan.head_columns})


def odd_rows(sheet: Sheet, plan: Plan) -> Mapping[int, list[Finding]]:
    """Return what is wrong with single rows before they are read."""
    odd: dict[int, list[Finding]] = {}
    for number, said in found_headings.oddities(sheet, used_columns(plan), plan.heading_row):
        odd.setdefault(number, []).append(said)
    return odd


def merged_rows(sheet: Sheet, plan: Plan) -> frozenset[int]:
    """Return the rows over whose number a cell from above is merged."""
    keys = set(plan.key_columns)
    return frozenset(
        number
        for top, left, bottom, right in sheet.merged
        if bottom > top > plan.heading_row and keys & set(range(left, right + 1))
        for number in range(top + 1, bottom + 1)
    )
