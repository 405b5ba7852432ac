"""The sheets of an OpenDocument workbook: what is merged, reckoned or wrong in them, and how far they reach.

Cells and rows may be repeated, so that few bytes make many cells; only what is empty to the end is free.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final
from xml.parsers import expat

from mapping.bounds import MOST_CELLS, MOST_ODD, Oddities, TooBig, Unsound

_ERROR_TEXT: Final = re.compile(r"#(?:N/A|DIV/0!|REF!|NAME\?|VALUE!|NUM!|NULL!)|Err:\d{3}")
_REPEATED_COLUMNS: Final = "table:number-columns-repeated"
_REPEATED_ROWS: Final = "table:number-rows-repeated"
_SPANNED_COLUMNS: Final = "table:number-columns-spanned"
_SPANNED_ROWS: Final = "table:number-rows-spanned"
_CELLS: Final = ("table:table-cell", "table:covered-table-cell")


class Walk:
    """The place that is reached, and the sheets so far."""

    def __init__(self, most_cells: int = MOST_CELLS) -> None:
        self._most_cells = most_cells
        self._sheets: dict[str, Oddities] = {}
        self._odd = Oddities(most_cells)
        self.kept = 0
        self._row = 0
        self._rows = 1
        self._column = 0
        self._columns = 1
        self._cell: dict[str, str] | None = None
        self._has_more = False
        self._letters = 0
        self._text: list[str] = []

    def reader(self, name: str) -> Callable[[bytes, bool], object]:
        """Return what reads a part of this name piece by piece."""
        if name != "content.xml":
            return lambda _piece, _is_last: None
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text
        return parser.Parse

    def sheets(self, _pieces: Callable[[str], Iterable[bytes]]) -> dict[str, Oddities]:
        """Return the oddities of each sheet by its name."""
        return self._sheets

    def start(self, tag: str, told: dict[str, str]) -> None:
        """An element begins."""
        if tag == "table:table":
            name = told.get("table:name", "")
            if name in self._sheets:
                raise Unsound(f"two sheets are called {name}")
            self._odd = self._sheets[name] = Oddities(self._most_cells)
            self._row, self._rows = 1, 0
        elif tag == "table:table-row":
            self._row += self._rows
            self._rows = _times(told, _REPEATED_ROWS)
            self._column, self._columns = 0, 0
        elif tag in _CELLS:
            self._column += self._columns
            self._columns = _times(told, _REPEATED_COLUMNS)
            self._cell, self._has_more, self._letters, self._text = told, False, 0, []
        else:
            self._has_more = True

    def text(self, text: str) -> None:
        """Text stands in a cell."""
        if self._cell is not None:
            self._letters += len(text.encode())
            if len(self._text) < 2:
                self._text.append(text)

    def end(self, tag: str) -> None:
        """An element ends."""
        if tag not in _CELLS or self._cell is None:
            return
        told, odd = self._cell, self._odd
        self._cell = None
        spanned = _times(told, _SPANNED_ROWS), _times(told, _SPANNED_COLUMNS)
        if tag == _CELLS[0] and spanned != (1, 1):
            odd.merged.append((self._row, self._column, self._row + spanned[0] - 1, self._column + spanned[1] - 1))
        if not (self._has_more or self._letters or any(name.startswith("office:") for name in told)):
            return
        odd.reach(self._row + self._rows - 1, self._column + self._columns - 1)
        odd.weight += self._letters * self._rows * self._columns
        odd.check()
        if "table:formula" in told:
            for column in range(self._column, self._column + self._columns):
                odd.reckoned(self._row, column, self._rows)
        if told.get("calcext:value-type") == "error" or (
            "table:formula" in told and _ERROR_TEXT.fullmatch("".join(self._text).strip())
        ):
            self._add_errors()

    def _add_errors(self) -> None:
        if self._rows * self._columns > MOST_ODD:
            raise TooBig(f"错误值单元格超过 {MOST_ODD} 个", f"more than {MOST_ODD} error cells")
        self._odd.errors.update(
            (row, column)
            for row in range(self._row, self._row + self._rows)
            for column in range(self._column, self._column + self._columns)
        )


def _times(told: dict[str, str], name: str) -> int:
    digits = told.get(name, "1")
    if not digits.isascii() or not digits.isdigit():
        raise Unsound(f"{name} is {digits[:30]!r}")
    return max(1, min(int(digits[:10]), MOST_CELLS * 2))
