"""How much may come out of a workbook, and how far apart its cells may lie.

What reads workbooks for us makes a full rectangle of every sheet and a copy of every text, and when
memory does not suffice it ends the process. So everything is counted before it is opened.
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

MOST_BYTES: Final = 400 << 20
MOST_PARTS: Final = 2000
MOST_CELLS: Final = 8_000_000
CELL_BYTES: Final = 64
"""What one cell takes once it is read; a longer text counts as so many cells more."""
MOST_ODD: Final = 100_000
"""How many error cells, or rows of merged cells, a sheet may have."""


class TooBig(Exception):  # noqa: N818  what happened
    """More comes out of the file than anyone can want; its words are Chinese and English"""

    @property
    def words(self) -> dict[str, str]:
        """The words of the finding."""
        return {"reason_zh": str(self.args[0]), "reason": str(self.args[1])}


class TooMany(Exception):  # noqa: N818  what happened
    """A workbook holds more cells than this house takes; its argument is how many may be"""


class Unsound(ValueError):  # noqa: N818  what happened
    """The file is not built as such a file must be"""


@dataclass(slots=True)
class Oddities:
    """What one sheet holds that its cells do not tell, and how much of it there is."""

    most_cells: int = MOST_CELLS
    formulas: dict[int, "array[int]"] = field(default_factory=dict)
    """Rows from 1, by column from 0, of the cells that are reckoned."""
    errors: set[tuple[int, int]] = field(default_factory=set)
    """Row from 1 and column from 0 of the cells that hold an error value."""
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    """First row, first column, last row, last column of merged cells; rows from 1, columns from 0."""
    height: int = 0
    width: int = 0
    weight: int = 0
    """Bytes of the texts that cells share, each counted as often as it is shown."""

    def reach(self, row: int, column: int) -> None:
        """A cell lies at this row from 1 and this column from 0."""
        self.height = max(self.height, row)
        self.width = max(self.width, column + 1)
        if self.cells > self.most_cells:
            self.check()

    @property
    def cells(self) -> int:
        """How many cells the rectangle has that is made of it."""
        return self.height * self.width

    def reckoned(self, row: int, column: int, rows: int = 1) -> None:
        """The cells from this row on are reckoned."""
        if column not in self.formulas:
            self.formulas[column] = array("I")
        self.formulas[column].extend(range(row, row + rows))

    def error(self, row: int, column: int) -> None:
        """The cell holds an error value."""
        self.errors.add((row, column))
        if len(self.errors) > MOST_ODD:
            raise TooBig(f"错误值单元格超过 {MOST_ODD} 个", f"more than {MOST_ODD} error cells")

    def check(self) -> None:
        """Raise TooBig where a rectangle of this size must not be made."""
        if self.cells > MOST_CELLS:
            reason = f"{self.height} 行 × {self.width} 列", f"{self.height} rows by {self.width} columns"
            raise TooBig(*reason)
        check_cells(self.cells, self.most_cells)
        check_weight(self.weight)


@dataclass(frozen=True, slots=True)
class Inspected:
    """A workbook made safe: the bytes to open, and what is odd about each sheet by its name."""

    data: bytes
    sheets: Mapping[str, Oddities]


def check_cells(cells: int, most: int) -> None:
    """Raise TooMany where a workbook must not have so many cells."""
    if cells > most:
        raise TooMany(most)


def check_weight(weight: int) -> None:
    """Raise TooBig where so many bytes must not come out of a file."""
    if weight > MOST_BYTES:
        raise TooBig(f"超过 {MOST_BYTES >> 20} MiB", f"more than {MOST_BYTES >> 20} MiB")
