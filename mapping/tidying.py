"""Tidying: each row of a sheet with its number, its key, the width of the headings, and what keeps it from being read.

The survey and the grouping read the same rows by the same rule, so what one has counted the other finds.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from mapping.cells import Broken, Cells, Row, is_error_value, letters, worded
from mapping.plan import Plan
from message_specs.findings import Finding, finding

Key = tuple[str, ...]
_TOTALS: Final = ("合计", "总计", "小计", "total", "subtotal", "sum")


@dataclass(slots=True)
class Tidied:
    """One row: its cells, or why it is none."""

    number: int
    cells: Cells
    key: Key = ()
    said: Finding | None = None
    """That it is narrower or wider than the headings, so that its cells may stand in the wrong columns."""
    broken: Broken | None = None
    is_blank: bool = False

    @property
    def text(self) -> str:
        """All that can be read of it."""
        text = self.broken.words.get("text", "") if self.broken is not None else "\t".join(self.cells)
        return text.replace('"', "")

    @property
    def is_total(self) -> bool:
        """Whether a row without a key says itself that it sums up others."""
        return any(cell.rstrip(":：").strip().lower() in _TOTALS for cell in self.cells)

    def unplaced(self, plan: Plan) -> Finding:
        """Why the row belongs to no document."""
        if self.broken is not None:
            text = self.broken.words.get("text", "").rstrip()
            return worded(self.broken.code, self.broken.words, row=self.number, value=text or None)
        if self.said is not None:
            return self.said
        column = plan.key_columns[self.key.index("")]
        cell = f"{letters(column)}{self.number}"
        if self.cells[column]:
            return finding("M037", row=self.number, cell=cell, value=self.cells[column], name=cell)
        heading = plan.headings[column]
        said = " | ".join(filter(None, self.cells))
        return finding("M022", row=self.number, cell=cell, value=said, heading=heading)


def tidied(plan: Plan, rows: Iterator[Row]) -> Iterator[Tidied]:
    """Yield every row."""
    width, key_of = len(plan.headings), getter(plan.key_columns)
    for number, cells in rows:
        if isinstance(cells, Broken):
            yield Tidied(number, [], broken=cells)
            continue
        tidy = [cell.strip() for cell in cells]
        if not any(tidy):
            yield Tidied(number, tidy, is_blank=True)
            continue
        said = None
        if len(tidy) != width:
            tidy, said = _evened(number, tidy, width)
        key = key_of(tidy)
        for part in key:
            if part[:1] == "#":
                key = without_errors(key)
                break
        yield Tidied(number, tidy, key, said)


def without_errors(key: Key) -> Key:
    """Return the key without what is an error value of a spreadsheet: such a row has no number.

    >>> without_errors(("YX1", "#REF!"))
    ('YX1', '')
    """
    return tuple("" if is_error_value(part) else part for part in key)


def _evened(number: int, cells: Cells, width: int) -> tuple[Cells, Finding | None]:
    """The row as wide as the headings, and a finding unless only blanks were too many.

    What stands beyond the headings stays with it, for it may be the number of a document.
    """
    if len(cells) > width and not any(cells[width:]):
        return cells[:width], None
    first = f"{letters(min(len(cells), width))}{number}"
    value = " | ".join(cells)
    said = finding("M020", row=number, cell=first, found=str(len(cells)), expected=str(width), value=value)
    return cells + [""] * (width - len(cells)), said


def tally_of(rows: Iterator[Row]) -> tuple[int, int, int]:
    """Return how many rows there are that say something, how many are blank, and how many of the first are broken."""
    said = blank = broken = 0
    for _, cells in rows:
        if isinstance(cells, Broken):
            broken += 1
        elif not any(cells) or not any(cell.strip() for cell in cells):
            blank += 1
            continue
        said += 1
    return said, blank, broken


def nothing(_cells: Sequence[str]) -> Key:
    """No column at all."""
    return ()


def getter(columns: tuple[int, ...]) -> Callable[[Cells], Key]:
    """Return what gives the cells of these columns."""
    if not columns:
        return nothing
    if len(columns) == 1:
        column = columns[0]
        return lambda cells: (cells[column],)
    found: Callable[[Cells], Key] = itemgetter(*columns)
    return found
