"""Where the headings of a sheet stand and what divides its columns: declared, or found by the headings."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import BinaryIO, Final

from mapping.cells import Broken, Cells, Sheet
from mapping.table import Map, headings_of, plain
from mapping.texts import DELIMITERS, records, rows_of
from message_specs.findings import Finding, finding

ROWS_LOOKED_AT: Final = 20
MOST_COLUMNS: Final = 1_000
"""Every row in hand is made as wide as the headings."""
_HEAD_LETTERS: Final = 1 << 18
_SHOWN: Final = 5


def delimiter_of(file: BinaryIO, encoding: str, used: Map, name: str) -> str:
    """The delimiter that the map declares, or the one by which most headings of the map appear."""
    if used.delimiter is not None:
        return used.delimiter
    text = io.TextIOWrapper(file, encoding, newline="")
    try:
        head = text.read(_HEAD_LETTERS)
    finally:
        text.detach()
        file.seek(0)
    order = "\t,;|" if name.lower().endswith(".tsv") else DELIMITERS
    known = _known(used)

    def found(delimiter: str) -> int:
        rows = islice(records(iter(io.StringIO(head, newline="")), delimiter), ROWS_LOOKED_AT)
        return max((_score(cells, known) for _, cells in rows), default=0)

    return max(order, key=found)


def text_sheet(file: BinaryIO, encoding: str, delimiter: str) -> Sheet:
    """The one sheet of a text file."""
    return Sheet("", rows_of(file, encoding, delimiter))


def take_headings(sheet: Sheet, used: Map) -> tuple[Cells, int, Sheet] | Finding:
    """The headings, their row, and the sheet from the row below on; or that there are none."""
    rows = iter(sheet.rows)
    if used.row is not None:
        first = list(islice(rows, used.row))
        number = used.row if len(first) >= used.row else 0
    else:
        first = list(islice(rows, ROWS_LOOKED_AT))
        known = _known(used)
        scores = [_score(cells, known) for _, cells in first]
        best = max(scores, default=0)
        # Headings may stand there again, and with more columns; the rows between must not be passed over.
        number = next((place for place, score in enumerate(scores, 1) if best and score * 2 >= best), 0)
    if not any(any(cells) for _, cells in first if not isinstance(cells, Broken)):
        return finding("M003")
    cells = first[number - 1][1] if number else None
    if cells is None or isinstance(cells, Broken) or not _score(cells, _known(used)):
        expected = "、".join(list(dict.fromkeys(line.columns[0] for line in used.lines if line.columns))[:_SHOWN])
        return finding("M004", row=1, rows=str(max(number, len(first))), expected=expected)
    headings = _trimmed(cells)
    if len(headings) > MOST_COLUMNS:
        return finding("M038", row=number, found=str(len(headings)), limit=str(MOST_COLUMNS))
    return headings, number, replace(sheet, rows=chain(first[number:], rows))


def _trimmed(cells: Sequence[str]) -> Cells:
    headings = [cell.strip() for cell in cells]
    while headings and not headings[-1]:
        headings.pop()
    return headings


def _known(used: Map) -> frozenset[str]:
    return frozenset(plain(heading) for heading in headings_of(used.lines))


def _score(cells: Cells | Broken, known: frozenset[str]) -> int:
    return 0 if isinstance(cells, Broken) else len({plain(cell) for cell in cells} & known)


def chosen(sheets: Sequence[Sheet], names: Sequence[str], used: Map) -> Sheet | Finding:
    """The sheet of one of these names, else the only one with the headings of the key; else the first."""
    wanted = {plain(name) for name in names}
    for sheet in sheets:
        if plain(sheet.name) in wanted:
            return sheet
    if not names or len(sheets) <= 1:
        return sheets[0] if sheets else finding("M003")
    fitting = [sheet for sheet in sheets if _fits(sheet, used)]
    if len(fitting) == 1:
        return fitting[0]
    return finding("M011", name=names[0], there="、".join(sheet.name for sheet in sheets))


def has_sheet(sheets: Sequence[Sheet], names: Sequence[str]) -> bool:
    """Whether a sheet has one of these names."""
    wanted = {plain(name) for name in names}
    return any(plain(sheet.name) in wanted for sheet in sheets)


def _fits(sheet: Sheet, used: Map) -> bool:
    """Whether the key's heading is among the first rows; they are read again."""
    rows = iter(sheet.rows)
    first = list(islice(rows, ROWS_LOOKED_AT))
    sheet.rows = chain(first, rows)
    keys = {plain(name) for path in used.key for line in used.by_path.get(path, ()) for name in line.columns}
    return any(not isinstance(cells, Broken) and keys & {plain(cell) for cell in cells} for _, cells in first)


def oddities(sheet: Sheet, used_columns: Sequence[int], heading_row: int) -> Iterator[tuple[int, Finding]]:
    """Yield what is wrong with single rows before they are read: cells merged over the data, error values."""
    from mapping.cells import letters

    used = set(used_columns)
    for top, left, bottom, right in sheet.merged:
        first = min((column for column in used if left <= column <= right), default=None)
        if first is not None:
            span = f"{letters(left)}{top}:{letters(right)}{bottom}"
            for number in range(max(top, heading_row + 1), bottom + 1):
                yield number, finding("M015", row=number, cell=f"{letters(first)}{number}", range=span)
    for number, column in sorted(sheet.errors):
        if number > heading_row and column in used:
            cell = f"{letters(column)}{number}"
            yield number, finding("M037", row=number, cell=cell, name=cell)


def formulas(sheet: Sheet, headings: Cells, used_columns: Sequence[int], heading_row: int) -> Iterator[Finding]:
    """Yield a finding for each used column with formulas."""
    from mapping.cells import letters

    for column in sorted(set(used_columns) & set(sheet.formulas)):
        below = [row for row in sheet.formulas[column] if row > heading_row]
        if below and column < len(headings):
            cell = f"{letters(column)}{below[0]}"
            yield finding("M014", row=below[0], cell=cell, heading=headings[column], count=str(len(below)))
