"""The way back: receipts as rows of CSV or Excel, for partners who do not read XML."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import xlsxwriter

from message_specs.codes import receipt_status
from message_specs.document import Document
from message_specs.spec import Spec
from message_specs.tables import table

FORMS: Final = ("xml", "csv", "xlsx")
_MEANING: Final = ("回执含义", "结果")
_OUTCOMES: Final = {"final": "办结", "interim": "处理中", "refused": "退回"}
_BORN: Final = datetime(2000, 1, 1, tzinfo=UTC)
_FORMULA: Final = ("=", "+", "-", "@", "\t")


def columns_of(spec: Spec, revision: str = "202205") -> tuple[tuple[str, str], ...]:
    """The fields of a receipt's unit in order: local name and heading."""
    unit = next(child for child in table(spec.root, revision).children if child.name == spec.document)
    groups = [child for child in unit.children if child.is_group]
    leaves = [child for child in unit.children if not child.is_group]
    if not leaves and groups:
        leaves = list(groups[0].children)
    return tuple((child.name, child.zh or child.name) for child in leaves)


def rows_of(spec: Spec, units: Sequence[Document]) -> Iterator[list[str]]:
    """Yield the headings and one row a receipt, with what its status means."""
    columns = columns_of(spec)
    extra = sorted({name for unit in units for name in unit.head} - {name for name, _ in columns})
    yield [heading for _, heading in columns] + extra + list(_MEANING)
    for unit in units:
        yield [unit.head.get(name, "") for name in (*(name for name, _ in columns), *extra)] + _meaning(unit)


def _meaning(unit: Document) -> list[str]:
    told = (unit.text(unit.spec.status) or "").strip()
    if not told:
        return ["", ""]
    status = receipt_status(unit.spec.code, told)
    return [status.zh, _OUTCOMES.get(status.outcome, status.outcome)]


def as_csv(spec: Spec, units: Sequence[Document]) -> bytes:
    """The receipts as CSV in UTF-8 with a byte order mark, as Excel wants it.

    A text that a spreadsheet would take for a formula gets an apostrophe before it; a negative number does not.
    """
    told = io.StringIO()
    csv.writer(told, lineterminator="\r\n").writerows([_harmless(cell) for cell in row] for row in rows_of(spec, units))
    return told.getvalue().encode("utf-8-sig")


def _harmless(cell: str) -> str:
    """The text, no formula.

    >>> _harmless("=1+1"), _harmless("-621018"), _harmless("已放行")
    ("'=1+1", '-621018', '已放行')
    """
    if not cell.startswith(_FORMULA) or cell[1:].replace(".", "", 1).isdigit():
        return cell
    return f"'{cell}"


def as_xlsx(spec: Spec, units: Sequence[Document]) -> bytes:
    """The receipts as one sheet of texts."""
    told = io.BytesIO()
    book = xlsxwriter.Workbook(told, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    # The same receipts give the same bytes, whenever they are written again.
    book.set_properties({"created": _BORN})
    sheet = book.add_worksheet(spec.title[:31])
    bold = book.add_format({"bold": True})
    for number, row in enumerate(rows_of(spec, units)):
        for column, cell in enumerate(row):
            sheet.write_string(number, column, cell[:32767], bold if number == 0 else None)
    sheet.freeze_panes(1, 0)
    book.close()
    return told.getvalue()


def written(form: str, spec: Spec, units: Sequence[Document]) -> bytes:
    """The receipts in that form: csv or xlsx."""
    return as_csv(spec, units) if form == "csv" else as_xlsx(spec, units)
