"""Excel and OpenDocument workbooks, read by calamine; a cell becomes the text that a person would write.

Known limits: an old .xls file is not packed and its formulas and error cells are not told; hidden
rows are read like all others.
"""

import datetime as dt
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

import python_calamine

from mapping.cells import Row, Sheet
from mapping.packed import MOST_CELLS, Oddities, inspected
from message_specs.findings import Finding, finding

_SURE_DIGITS: Final = 15
_MOST_SURE: Final = 10.0**_SURE_DIGITS
_NONE: Final = Oddities()


def open_workbook(data: bytes) -> list[Sheet] | Finding:
    """Return the sheets in their order, or why they cannot be read."""
    oddities: Any = {}
    if data.startswith(b"PK"):
        oddities = inspected(data)
        if isinstance(oddities, Finding):
            return oddities
    try:
        book = python_calamine.load_workbook(io.BytesIO(data))
        names = [sheet.name for sheet in book.sheets_metadata if sheet.typ is python_calamine.SheetTypeEnum.WorkSheet]
        return [_sheet(book, name, oddities.get(name, _NONE)) for name in names]
    except python_calamine.PasswordError:
        return finding("M017")
    except _Wide as reason:
        return finding("M010", reason_zh=str(reason), reason=str(reason))
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as trouble:  # noqa: BLE001  a panic of the Rust library is no Exception
        return finding("M009", reason=" ".join(str(trouble).split())[:200] or type(trouble).__name__)


class _Wide(Exception):  # noqa: N818  what happened
    """Too many cells"""


def _sheet(book: python_calamine.CalamineWorkbook, name: str, odd: Oddities) -> Sheet:
    sheet = book.get_sheet_by_name(name)
    if sheet.total_height * sheet.total_width > MOST_CELLS:
        raise _Wide(f"{sheet.total_height} × {sheet.total_width}")
    merged = tuple(
        (top + 1, left, bottom + 1, right) for (top, left), (bottom, right) in sheet.merged_cell_ranges or ()
    )
    return Sheet(name, _rows(sheet), formulas=odd.formulas, errors=odd.errors, merged=merged)


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
    """Yield a finding for each sheet with content that the map does not read."""
    used = {sheet.name for sheet in read}
    for sheet in sheets:
        if sheet.name not in used and any(any(row) for _, row in sheet.rows if isinstance(row, list)):
            yield finding("M016", name=sheet.name)
