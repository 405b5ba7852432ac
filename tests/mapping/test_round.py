"""Whatever is wrong with a table, rows read = rows in documents + rows told in findings + blank rows.

Tables of orders are made with any mixture of defects, as text and as workbook, on one sheet or two.
"""

from collections import Counter
from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mapping.apply import MappedFile
from mapping.judging import Judged
from message_specs.findings import Severity
from tests.mapping.books import old_book, open_document
from tests.mapping.tables import HEADINGS, as_xlsx, mapped, row

Table = list[list[str]]
HEAD_WIDTH = 15
DEFECTS = {
    "none": lambda cells: cells,
    "blank": lambda cells: [""] * len(cells),
    "spaces": lambda cells: [" "] * len(cells),
    "empty": lambda _cells: [],
    "short": lambda cells: cells[:-3],
    "very short": lambda cells: cells[:1],
    "long": lambda cells: [*cells, "", "more"],
    "no key": lambda cells: ["", *cells[1:]],
    "other head": lambda cells: [*cells[:5], "99", *cells[6:]],
    "exponent": lambda cells: [cells[0], *["1.2E+17"] * (len(cells) - 1)],
    "exponent key": lambda cells: ["2.02E+17", *cells[1:]],
    "nothing else": lambda cells: [cells[0], *[""] * (len(cells) - 1)],
    "control": lambda cells: ["\x01\ufffe" + cell for cell in cells],
    "heading again": lambda _cells: list(HEADINGS),
    "total": lambda cells: ["合计", *cells[1:]],
    "bad quote": lambda cells: [*cells[:-1], '\0"'],  # see as_text
    "open quote": lambda cells: [*cells[:-1], "\0'"],
}
ROWS = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(sorted(DEFECTS))), max_size=14)
LAID = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


def table(rows: Sequence[tuple[int, str]], width: slice = slice(None)) -> Table:
    """The headings and these rows, each of an order and with a defect."""
    made = [list(HEADINGS)[width]]
    for number, (order, defect) in enumerate(rows, 1):
        made.append(DEFECTS[defect](list(row(order, number).values())[width]))
    return made


def as_text(rows: Table) -> bytes:
    """CSV; a cell of NUL and a mark becomes a quotation mark that is wrong."""
    wrong = {'\0"': '"a"b', "\0'": '"never closed'}
    lines = [",".join(wrong.get(cell) or '"' + cell.replace('"', '""') + '"' for cell in cells) for cells in rows]
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace")


def as_book(rows: Table) -> Table:
    """What a workbook may hold."""
    return [[cell.replace("\0", "").replace("\x01", "").replace("\ufffe", "") for cell in cells] for cells in rows]


def check_round(run: MappedFile, judged: list[Judged], read: int) -> None:
    """Every row that is not blank stands in a document or in a finding of its own, and is counted once."""
    tally = run.tally
    assert tally.rows == tally.blank + tally.mapped + tally.refused == read
    grouped = [number for one in judged for document in one.mapped for number in document.group.numbers]
    heads = [document.group.head[0] for one in judged for document in one.mapped if document.group.head]
    assert len(grouped) + len(heads) == tally.mapped
    assert max(Counter(grouped).values(), default=1) == max(Counter(heads).values(), default=1) == 1
    documents = [document.ordinal for one in judged for document in one.documents]
    assert documents == list(range(1, tally.documents + 1))
    told = {found.row for found in run.findings if found.severity is Severity.ERROR}
    assert not tally.refused or told


@LAID
@given(ROWS)
def test_no_row_of_a_text_is_lost(rows: list[tuple[int, str]]) -> None:
    made = table(rows)
    run, judged = mapped(as_text(made))
    if run.findings and run.plan is None:
        assert not any(any(cells) for cells in made[1:])
        return
    read = run.tally.rows
    # A quotation mark that is never closed takes what follows up to the next one into its own row.
    assert read == len(rows) or any(defect == "open quote" for _, defect in rows)
    check_round(run, judged, read)
    numbers = {number for one in judged for document in one.mapped for number in document.group.numbers}
    told = {found.row for found in run.findings}
    if not any(defect == "open quote" for _, defect in rows):
        for number, cells in enumerate(made[1:], 2):
            assert number in numbers | told or not any(map(str.strip, cells))


@LAID
@given(ROWS, st.sampled_from([as_xlsx, old_book, open_document]))
def test_no_row_of_a_workbook_is_lost(rows, kind) -> None:  # type: ignore[no-untyped-def]
    made = as_book(table(rows))
    run, judged = mapped(kind({"订单": made}), "a.xlsx")
    check_round(run, judged, run.tally.rows)
    numbers = {number for one in judged for document in one.mapped for number in document.group.numbers}
    told = {found.row for found in run.findings}
    for number, cells in enumerate(made[1:], 2):
        assert number in numbers | told or not any(map(str.strip, cells))


@LAID
@given(ROWS, ROWS)
def test_no_row_of_two_sheets_is_lost(heads: list[tuple[int, str]], lines: list[tuple[int, str]]) -> None:
    head = as_book(table(heads, slice(HEAD_WIDTH)))
    rows = as_book(table(lines))
    listed = [[*cells[:1], *cells[HEAD_WIDTH:]] for cells in rows]
    run, judged = mapped(as_xlsx({"订单": head, "订单表体": listed}), "a.xlsx")
    check_round(run, judged, run.tally.rows)
    read = sum(any(map(str.strip, cells)) for cells in (*head[1:], *listed[1:]))
    assert run.tally.rows - run.tally.blank == read
