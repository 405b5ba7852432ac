"""What a sheet is: its name and its rows of texts, and the names of its places.

Whatever kind of file it came from, a cell is a text here: numbers as people write
them, times as `2026-11-21 10:30:00`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from message_specs.findings import Finding, finding

Cells = list[str]
KINDS: Final = (".csv", ".tsv", ".xlsx", ".xls", ".ods")
# What Excel shows for a value it does not have; hashes alone where a column is too narrow, and so it saves them as CSV.
_ERROR: Final = re.compile(
    r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|UNKNOWN!|BUSY!"
    r"|GETTING_DATA|EXTERNAL!|PYTHON!|#{2,})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that could not be read, and why."""

    code: str
    words: Mapping[str, str]


Row = tuple[int, Cells | Broken]


@dataclass(slots=True)
class Sheet:
    """One sheet: its rows by number from 1, and what is odd about some of its cells."""

    name: str
    rows: Iterator[Row]
    findings: tuple[Finding, ...] = ()
    formulas: Mapping[int, Sequence[int]] = field(default_factory=dict)
    """Rows, by column from 0, of the cells that are reckoned."""
    errors: frozenset[tuple[int, int]] = frozenset()
    """Row from 1 and column from 0 of the cells that hold an error value."""
    merged: tuple[tuple[int, int, int, int], ...] = ()
    """First row, first column, last row, last column of merged cells; rows from 1, columns from 0."""


def worded(
    code: str,
    words: Mapping[str, str],
    *,
    path: str = "",
    row: int | None = None,
    cell: str | None = None,
    value: str | None = None,
) -> Finding:
    """A finding whose words come in one piece."""
    return finding(code, path=path, row=row, cell=cell, value=value, document=None, severity=None, **dict(words))  # type: ignore[arg-type]  # words are no places


def letters(column: int) -> str:
    """The name of a column, counted from 0, as Excel shows it.

    >>> letters(0), letters(25), letters(26), letters(701), letters(702)
    ('A', 'Z', 'AA', 'ZZ', 'AAA')
    """
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def column_of(name: str) -> int:
    """The column, counted from 0, of a name of letters.

    >>> column_of("A"), column_of("AA"), column_of("XFD")
    (0, 26, 16383)
    """
    number = 0
    for letter in name:
        number = number * 26 + ord(letter) - 64
    return number - 1


def is_error_value(cell: str) -> bool:
    """Tell whether a text is what a spreadsheet shows in place of a value.

    >>> is_error_value("#N/A"), is_error_value("#div/0!"), is_error_value("######"), is_error_value("#1 桂花糕")
    (True, True, True, False)
    """
    return cell[:1] == "#" and _ERROR.fullmatch(cell) is not None


def is_table(name: str) -> bool:
    """Tell by its name whether a file is a table that maps read.

    >>> is_table("ORDERS.CSV"), is_table("orders.xml")
    (True, False)
    """
    return name.lower().endswith(KINDS)
