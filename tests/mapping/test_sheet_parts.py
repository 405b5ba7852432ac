"""What is counted in the sheet of an xlsx workbook, wherever its bytes are cut, against a plain reader of the same."""

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from mapping.cells import letters
from mapping.sheet_parts import Book

PART = "xl/worksheets/sheet1.xml"
SMALL = st.integers(0, 3)
CELLS = st.tuples(
    st.none() | SMALL,
    st.none() | st.integers(1, 30),
    st.sampled_from(["", ' t="s"', ' t="e"', ' t="n"']),
    st.booleans(),
)
ROWS = st.tuples(st.none() | st.integers(1, 30), st.lists(CELLS, max_size=5), st.integers(1, 3))


def _written(rows: list[tuple[int | None, list[tuple[int | None, int | None, str, bool]], int]]) -> bytes:
    """Sheet data whose cells say their column and row, one of both as the row before has it, or nothing."""
    told, now = [], 0
    for number, cells, times in rows:
        for _ in range(times):
            now = now + 1 if number is None else number
            told.append("<row>" if number is None else f'<row r="{number}">')
            for column, row, kind, is_reckoned in cells:
                place = "" if column is None else f' r="{letters(column)}{now if row is None else row}"'
                told.append(f"<c{place}{kind}>{'<f>1</f>' if is_reckoned else ''}<v>0</v></c>")
            told.append("</row>")
    return f"<worksheet><sheetData>{''.join(told)}</sheetData></worksheet>".encode()


def _plainly(data: bytes) -> tuple[int, int, int, dict[int, list[int]], set[tuple[int, int]]]:
    """Height, width, cells with shared texts, reckoned cells and error cells, one cell after the other."""
    height = width = shared = row = 0
    reckoned: dict[int, list[int]] = {}
    errors: set[tuple[int, int]] = set()
    for line in etree.fromstring(data).iter("row"):
        row, column = int(line.get("r", row + 1)), -1
        for cell in line:
            if (place := cell.get("r")) is not None:
                row, column = int(place[1:]), ord(place[0]) - ord("A")
            else:
                column += 1
            height, width = max(height, row), max(width, column + 1)
            shared += cell.get("t") == "s"
            if cell.get("t") == "e":
                errors.add((row, column))
            if cell.find("f") is not None:
                reckoned.setdefault(column, []).append(row)
    return height, width, shared, reckoned, errors


@given(st.lists(ROWS, max_size=8), st.lists(st.integers(1, 400), max_size=6))
def test_every_cell_is_counted_wherever_the_bytes_are_cut(
    rows: list[tuple[int | None, list[tuple[int | None, int | None, str, bool]], int]], cuts: list[int]
) -> None:
    data = _written(rows)
    book = Book()
    read = book.reader(PART)
    rest = data
    for cut in cuts:
        read(rest[:cut], False)
        rest = rest[cut:]
    read(rest, True)
    workbook = book.reader("xl/workbook.xml")
    workbook(b'<w xmlns:r="r"><sheets><sheet name="A" r:id="x"/></sheets></w>', True)
    relations = book.reader("xl/_rels/workbook.xml.rels")
    relations(b'<w><Relationship Id="x" Target="worksheets/sheet1.xml"/></w>', True)
    odd = book.sheets(lambda _: ())["A"]

    told = {column: list(rows) for column, rows in odd.formulas.items()}
    shared = book._walks[PART].shared
    assert (odd.height, odd.width, shared, told, odd.errors) == _plainly(data)
