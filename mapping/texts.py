"""CSV and TSV: a stream of rows, never more than a record of it in memory.

A record with a wrong quotation mark costs one row: reading goes on with the next line.
"""

import csv
import io
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, Final

from mapping.cells import Broken, Row

DELIMITERS: Final = ",\t;|"
_RECORD_LINES: Final = 100
_REASONS: Final = {
    "expected after": "a letter follows a closing quotation mark",
    "unexpected end": "the quotation mark is never closed",
    "too many lines": "the quotation mark is not closed within 100 lines",
    "field larger": "the value is longer than 131,072 letters",
}


class _Tape(Iterator[str]):
    """The lines of a file; those of the record in hand can be wound back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._back: deque[str] = deque()
        self.taken: list[str] = []

    def __next__(self) -> str:
        if len(self.taken) >= _RECORD_LINES:
            raise csv.Error("too many lines")
        line = self._back.popleft() if self._back else next(self._lines)
        self.taken.append(line)
        return line

    def wind_back(self) -> None:
        """All lines of the record but its first are read again."""
        self._back.extendleft(reversed(self.taken[1:]))


def rows_of(file: BinaryIO, encoding: str, delimiter: str) -> Iterator[Row]:
    """Yield every record with its number from 1; one that cannot be read is Broken."""
    text = io.TextIOWrapper(file, encoding, newline="")
    try:
        yield from records(text, delimiter)
    finally:
        if not file.closed:  # whoever closed it first needs nothing back
            text.detach()


def records(lines: Iterator[str], delimiter: str) -> Iterator[Row]:
    r"""Yield the records of these lines.

    >>> [cells for _, cells in records(iter(['a,"b\n', 'c"\n', '"x"y\n', 'd\n']), ",")]  # doctest: +ELLIPSIS
    [['a', 'b\nc'], Broken(...), ['d']]
    """
    tape = _Tape(lines)
    taken = tape.taken
    reader = csv.reader(tape, delimiter=delimiter, strict=True)
    number = 0
    while True:
        taken.clear()
        number += 1
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error as trouble:
            if not taken:
                return
            yield number, Broken("M021", {"reason": _reason(str(trouble)), "text": taken[0]})
            tape.wind_back()
            reader = csv.reader(tape, delimiter=delimiter, strict=True)


def _reason(said: str) -> str:
    return next((reason for part, reason in _REASONS.items() if part in said), said)
