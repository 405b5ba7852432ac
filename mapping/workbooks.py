"""Excel and OpenDocument workbooks, read by calamine; a cell becomes the text that a person would write.

What it is, a zip of XML or records of Excel 97, is counted and made anew before that library sees it.

Known limits: hidden rows are read like all others; a binary xlsb is no workbook here.
"""

import datetime as dt
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

import python_calamine

from mapping import old_books, packed
from mapping.bounds import MOST_CELLS, MOST_ODD, Inspected, Oddities, TooBig, TooMany
from mapping.cells import Row, Sheet, worded
from message_specs.findings import Finding, finding

CODE_LISTS: Final = "代码表"
"""The sheet of our templates that holds what may be chosen."""
_SURE_DIGITS: Final = 15
_MOST_SURE: Final = 10.0**_SURE_DIGITS
_NONE: Final = Oddities()


@dataclass(frozen=True, slots=True)
class Workbook:
    """A workbook that was counted and opened: its sheets may be read as often as it is asked."""

    _opened: list[tuple[Sheet, python_calamine.CalamineSheet]]

    def sheets(self) -> list[Sheet]:
        """Return the sheets in their order, each before its first row."""
        return [replace(sheet, rows=_rows(read)) for sheet, read in self._opened]


def open_workbook(data: bytes, most_cells: int = MOST_CELLS) -> Workbook | Finding:
    """Return the workbook, or why it cannot be read."""
    try:
        return Workbook(_opened((packed if data.startswith(b"PK") else old_books).inspected(data, most_cells)))
    except (old_books.Locked, python_calamine.PasswordError):
        return finding("M017")
    except TooMany as most:
        return finding("M039", limit=str(most.args[0]))
    except TooBig as reason:
        return worded("M010", reason.words)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as trouble:  # noqa: BLE001  a panic of the Rust library is no Exception
        return finding("M009", reason=" ".join(str(trouble).split())[:200] or type(trouble).__name__)


def _opened(safe: Inspected) -> list[tuple[Sheet, python_calamine.CalamineSheet]]:
    book = python_calamine.load_workbook(io.BytesIO(safe.data))
    left = _Room()
    return [
        _sheet(book, sheet.name, odd, left)
        for sheet, odd in zip(book.sheets_metadata, _by_place(book, safe), strict=True)
        if sheet.typ is python_calamine.SheetTypeEnum.WorkSheet
    ]


def _by_place(book: python_calamine.CalamineWorkbook, safe: Inspected) -> list[Oddities]:
    """The oddities of each sheet in their order: the name of a sheet of Excel 95 depends on who reads it."""
    names = [sheet.name for sheet in book.sheets_metadata]
    if len(names) == len(safe.sheets):
        return list(safe.sheets.values())
    return [safe.sheets.get(name, _NONE) for name in names]


@dataclass(slots=True)
class _Room:
    """How many cells, and rows of merged cells, may still come."""

    cells: int = MOST_CELLS
    merged: int = MOST_ODD


def _sheet(
    book: python_calamine.CalamineWorkbook, name: str, odd: Oddities, left: _Room
) -> tuple[Sheet, python_calamine.CalamineSheet]:
    sheet = book.get_sheet_by_name(name)
    last_row, last_column = sheet.end or (0, 0)
    height, width = last_row + 1, last_column + 1
    left.cells -= height * width
    if left.cells < 0:
        raise TooBig(f"{height} 行 × {width} 列", f"{height} rows by {width} columns")
    spans = [(top + 1, start, bottom + 1, end) for (top, start), (bottom, end) in sheet.merged_cell_ranges or ()]
    # Nothing is missing from cells below the last row that holds something.
    merged = tuple((top, start, min(bottom, height), end) for top, start, bottom, end in spans or odd.merged)
    left.merged -= sum(max(bottom - top + 1, 1) for top, _, bottom, _ in merged)
    if left.merged < 0:
        raise TooBig(f"合并的单元格超过 {MOST_ODD} 行", f"more than {MOST_ODD} rows of merged cells")
    return Sheet(name, iter(()), formulas=odd.formulas, errors=frozenset(odd.errors), merged=merged), sheet


def _rows(sheet: python_calamine.CalamineSheet) -> Iterator[Row]:
    if sheet.start is None:
        return
    left = [""] * sheet.start[1]
    for number, row in enumerate(sheet.iter_rows(), 1):
        yield number, left + [cell if type(cell) is str else text_of(cell) for cell in row]


def text_of(value: object) -> str:
    """A cell's value as a person would write it; a number whose digits are no longer sure shows its exponent.

    >>> text_of(9007.0), text_of(1559.555559), text_of(0.1 + 0.2), text_of(2026112100000012345.0)
    ('9007', '1559.555559', '0.3', '2.02611210000001E+18')
    >>> text_of(dt.datetime(2026, 11, 21, 10, 30)), text_of(dt.date(2026, 11, 21)), text_of(True)
    ('2026-11-21 10:30:00', '2026-11-21', 'TRUE')
    """
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return str(value)


def _number(value: float) -> str:
    if value.is_integer() and -_MOST_SURE < value < _MOST_SURE:
        return str(int(value))
    short = f"{value:.{_SURE_DIGITS}g}"
    if "e" not in short:
        return short
    return f"{Decimal(short):f}" if abs(value) < 1 else f"{value:.14E}".replace("E+0", "E+")


def other_sheets(sheets: Iterable[Sheet], read: Iterable[Sheet]) -> Iterator[Finding]:
    """Yield a finding for each sheet with content that the map does not read, but the code lists of our templates."""
    used = {CODE_LISTS, *(sheet.name for sheet in read)}
    for sheet in sheets:
        if sheet.name not in used and any(any(row) for _, row in sheet.rows if isinstance(row, list)):
            yield finding("M016", name=sheet.name)
