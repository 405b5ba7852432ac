"""Tables of tax as files: CSV, or a workbook of text cells, so that no number loses its zeros.

A workbook is written whole into memory first and put in place whole.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from spool.aside import put


def write_table(file: Path, title: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """The rows stand in the file under their columns; its name tells whether it is CSV or a workbook."""
    cells = [["" if row.get(one) is None else str(row.get(one)) for one in columns] for row in rows]
    if file.suffix.lower() == ".xlsx":
        put(file, workbook(title, (), columns, cells))
        return
    text = io.StringIO(newline="")
    csv.writer(text).writerows([list(columns), *cells])
    put(file, text.getvalue().encode("utf-8-sig"))


def workbook(
    title: str,
    above: Sequence[Sequence[str]],
    columns: Sequence[str],
    cells: Iterable[Sequence[str]],
    *,
    from_row: int = 2,
) -> bytes:
    """Return a workbook of one sheet: lines above, the headings in the row before `from_row`, the cells from there."""
    body = io.BytesIO()
    book = xlsxwriter.Workbook(body, {"in_memory": True})
    sheet = book.add_worksheet(title[:31])
    text = book.add_format({"num_format": "@"})
    bold = book.add_format({"bold": True, "num_format": "@"})
    for number, line in enumerate(above):
        for column, cell in enumerate(line):
            sheet.write_string(number, column, cell, text)
    for column, head in enumerate(columns):
        sheet.write_string(from_row - 2, column, head, bold)
    for number, line in enumerate(cells, from_row - 1):
        for column, cell in enumerate(line):
            sheet.write_string(number, column, cell, text)
    book.close()
    return body.getvalue()
