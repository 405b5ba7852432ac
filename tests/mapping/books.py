"""Workbooks of other kinds than xlsx for the tests: old ones by xlwt, OpenDocument written by hand."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from html import escape

import xlwt

_URN = "urn:oasis:names:tc:opendocument:xmlns"
_NAMES = "".join(f' xmlns:{name}="{_URN}:{name}:1.0"' for name in ("office", "table", "text"))


def old_book(sheets: Mapping[str, Sequence[Sequence[object]]]) -> bytes:
    """A workbook of Excel 97 of these sheets."""
    book = xlwt.Workbook(encoding="utf-8")
    for name, rows in sheets.items():
        sheet = book.add_sheet(name)
        for number, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                sheet.write(number, column, cell)
    return saved(book)


def saved(book: xlwt.Workbook) -> bytes:
    """The bytes of a workbook of Excel 97."""
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def packed(parts: Mapping[str, bytes]) -> bytes:
    """A zip of these parts."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return made.getvalue()


def open_document(sheets: Mapping[str, Sequence[Sequence[object]]]) -> bytes:
    """An OpenDocument workbook of these sheets."""
    return open_document_of({name: "".join(map(_row, rows)) for name, rows in sheets.items()})


def open_document_of(sheets: Mapping[str, str]) -> bytes:
    """An OpenDocument workbook whose sheets hold these rows of XML."""
    body = "".join(f'<table:table table:name="{name}">{rows}</table:table>' for name, rows in sheets.items())
    told = f"<office:body><office:spreadsheet>{body}</office:spreadsheet></office:body>"
    return packed(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{_URN}:manifest:1.0"/>'.encode(),
            "content.xml": f"<office:document-content{_NAMES}>{told}</office:document-content>".encode(),
        }
    )


def _row(cells: Sequence[object]) -> str:
    return "<table:table-row>" + "".join(map(open_cell, cells)) + "</table:table-row>"


def open_cell(value: object, attributes: str = "") -> str:
    """A cell of an OpenDocument sheet that holds a text."""
    text = escape(str(value))
    return f'<table:table-cell office:value-type="string"{attributes}><text:p>{text}</text:p></table:table-cell>'
