"""The survey: all rows are read once before anything is declared, to know what no single row can tell.

It learns with which row each document ends, and which rows cannot be placed. A row always carries
the number of its document. So one that cannot be read (a wrong quotation mark, cells too many or
too few) can only be missing from a document whose key stands in its text, and one without a number
only from a document whose head it repeats. A row that says nothing of its document at all might be
missing from any, and then nothing of the file is declared; a line of totals is missing from none.

Memory is twelve bytes for each document, and the texts of the rows that cannot be placed.
"""

from array import array
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from mapping.cells import Cells, Row, is_error_value
from mapping.nearby import Nearby, mark_of, recurring
from mapping.plan import Plan
from mapping.tidying import Key, Tidied, tally_of, tidied
from message_specs.findings import Finding, finding

WINDOW: Final = 10_000
MOST_DOUBTS: Final = 200
_MOST_RECURRING: Final = 10_000
_MOST_LETTERS: Final = 1 << 20


@dataclass(slots=True)
class Survey:
    """What is known of the rows of a sheet beforehand."""

    window: int = WINDOW
    lasts: "array[int]" = field(default_factory=lambda: array("I"))
    """The last row of each document in the order of first appearance; 0 where its rows stand too far apart."""
    rows: int = 0
    """How many were read that are not blank."""
    documents: int = 0
    unclear: list[tuple[int, str]] = field(default_factory=list)
    """Rows that cannot be read, with their texts."""
    headless: list[tuple[int, dict[int, str]]] = field(default_factory=list)
    """Rows without a number, with what they repeat of their document's head."""
    findings: list[Finding] = field(default_factory=list)
    """What is wrong with the rows that cannot be placed, as far as they are kept."""
    recurring: frozenset[int] = frozenset()
    """Marks that more than one document has: rows of one key stand too far apart, or two keys share a mark."""
    lost: int = 0
    """The first row that might be missing from any document; 0 where there is none."""

    def doubts_of(self, key: Key, first: Sequence[str], numbers: Collection[int]) -> Iterator[Finding]:
        """Yield a finding for each row that may be missing from the document of this key and first row."""
        if not self.unclear and not self.headless:
            return
        parts = [part.replace('"', "") for part in key]
        for number, text in self.unclear:
            if all(part in text for part in parts) and number not in numbers:
                yield _doubt(number)
        for number, cells in self.headless:
            if all(first[column] == cell for column, cell in cells.items()):
                yield _doubt(number)


def _doubt(number: int) -> Finding:
    return finding("M028", row=number, place=str(number))


def surveyed(
    plan: Plan, rows: Iterator[Row], merged: Collection[int] = (), *, has_heads: bool = False, window: int = WINDOW
) -> Survey:
    """Return what the rows tell; `merged` are those over whose number the cell above is merged."""
    told = Survey(window)
    if not plan.shape.list_group:
        told.rows, _, broken = tally_of(rows)
        told.documents = told.rows - broken
        return told
    nearby, marks = Nearby(window), array("Q")
    above = -1
    columns = plan.key_columns if has_heads else (*plan.key_columns, *plan.head_columns)
    for row in tidied(plan, rows):
        if row.is_blank:
            continue
        told.rows += 1
        if row.broken is None and all(row.key):
            above = nearby.place(row.key, row.number)
            if above == len(marks):
                marks.append(mark_of(row.key))
                told.lasts.append(row.number)
            told.lasts[above] = row.number
            if row.said is None:
                continue
        elif row.number in merged and above >= 0:
            told.lasts[above] = row.number
            continue
        _doubted(told, plan, row, columns)
        if told.lost:
            break
    told.documents = len(marks)
    told.recurring = recurring(marks)
    return told


def look_again(told: Survey, plan: Plan, rows: Iterator[Row]) -> None:
    """Afterwards `lasts` is 0 for every document whose key began twice; the same rows are read once more for it.

    Of two keys that only share a mark neither is refused; where very many recur, nobody looks so closely.
    """
    is_exact = len(told.recurring) <= _MOST_RECURRING
    first: dict[Key | int, int] = {}
    nearby, count = Nearby(told.window), 0
    for row in tidied(plan, rows):
        if row.is_blank or row.broken is not None or not all(row.key):
            continue
        at = nearby.place(row.key, row.number)
        if at < count:
            continue
        count = nearby.count
        if (mark := mark_of(row.key)) in told.recurring:
            before = first.setdefault(row.key if is_exact else mark, at)
            if before != at:
                told.lasts[before] = told.lasts[at] = 0


def _doubted(told: Survey, plan: Plan, row: Tidied, columns: Sequence[int]) -> None:
    if row.broken is not None or row.said is not None:
        told.unclear.append((row.number, row.text))
    elif row.is_total:
        return
    else:
        repeated = _repeated(row.cells, columns)
        if not repeated:
            told.lost = row.number
        told.headless.append((row.number, repeated))
    told.findings.append(row.unplaced(plan))
    if len(told.findings) > MOST_DOUBTS or sum(len(text) for _, text in told.unclear) > _MOST_LETTERS:
        told.lost = row.number


def _repeated(cells: Cells, columns: Sequence[int]) -> dict[int, str]:
    return {column: cells[column] for column in columns if cells[column] and not is_error_value(cells[column])}
