"""A finding about a message points into the partner's own file: sheet, row, column letter, heading, cell value."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from mapping.apply import MappedFile
from mapping.cells import column_of, letters
from mapping.drafting import Mapped
from mapping.plan import Plan
from message_specs.findings import Finding, Severity, shown
from message_specs.reader import quoted

_PLACE: Final = re.compile(r"(?:(\w+)(?:\[(\d+)\])?/)?(\w+)(?:\[\d+\])?$")
_LEAF: Final = re.compile(r"<([\w:]+)>([^<]*)")
_CELL: Final = re.compile(r"([A-Z]+)(\d+)")


def traced(run: MappedFile, document: Mapped, said: Iterable[Finding]) -> Iterator[Finding]:
    """Yield everything wrong with one document: what its cells say, then what its spec says, each with its cell.

    What follows from a cell that could not be read is not said twice.
    """
    blamed = set()
    reckoned = set()
    if document.is_bad:
        blamed = {(found.path, found.row) for found in document.findings if found.path}
        reckoned = {one.path for one in (run.plan.reckoned if run.plan else ())}
    for found in document.findings:
        yield _named(run, document, replace(found, document=document.ordinal))
    for found in said:
        path, line = _path_in(found.path)
        placed = _placed(run, document, found, path, line)
        if (path, placed.row) in blamed or (path in reckoned and found.code in ("S020", "C210", "C212")):
            continue
        yield placed


def _path_in(path: str) -> tuple[str, int]:
    """The path below the document, without positions, and the line it is in, from 1; 0 where it is in none.

    >>> _path_in("/CEB311Message/Order[orderNo='X/1']/OrderList[2]/qty")
    ('OrderList/qty', 2)
    """
    match = _PLACE.search(path)
    if match is None:
        return "", 0
    group, position, name = match.groups()
    return f"{group}/{name}" if group else name, int(position or 0)


def _placed(run: MappedFile, document: Mapped, found: Finding, path: str, line: int) -> Finding:
    """The finding of a message with the place in the file instead of the place in the XML."""
    group, plan, head_plan = document.group, run.plan, run.head_plan
    assert plan is not None
    assert head_plan is not None
    in_lines = bool(plan.shape.list_group) and path.startswith(f"{plan.shape.list_group}/")
    if in_lines and group.rows:
        at = min(max(line, 1), len(group.rows)) - 1
        place = (run.sheet, plan, group.numbers[at], group.rows[at])
    elif group.head is not None:
        place = (run.head_sheet, head_plan, *group.head)
    else:
        place = (run.sheet, plan, group.numbers[0], group.rows[0])
    sheet, used, row, cells = place
    column = used.columns.get(path)
    found = replace(found, document=document.ordinal, line=None, column=None, row=row)
    if column is None:
        return found
    return _with_cell(found, sheet, used, column, row, cells[column])


def _with_cell(found: Finding, sheet: str, plan: Plan, column: int, row: int, value: str) -> Finding:
    """The finding with its cell; the heading stands in both sentences."""
    heading, letter = plan.headings[column], letters(column)
    return replace(
        found,
        row=row,
        column=column + 1,
        cell=f"{sheet}!{letter}{row}" if sheet else f"{letter}{row}",
        value=shown(value),
        zh=f"{found.zh}（{letter} 列“{heading}”）",
        en=f'{found.en} (column {letter}, "{heading}")',
    )


def _named(run: MappedFile, document: Mapped, found: Finding) -> Finding:
    """A finding of a map with its sheet, heading and the path in the message."""
    spec, group = run.map.spec, document.group
    key = f"{spec.key_name}={quoted(group.key[-1])}" if group.key and group.key[-1] else str(document.ordinal)
    unit = f"/{spec.root}/{spec.document}[{key}]"
    if not found.path.startswith("/"):
        parent, _, name = found.path.rpartition("/")
        if run.plan is not None and parent and parent == run.plan.shape.list_group and found.row in group.numbers:
            parent = f"{parent}[{group.numbers.index(found.row) + 1}]"
        found = replace(found, path="/".join(part for part in (unit, parent, name) if part))
    return placed_in_sheet(run, found)


def placed_in_sheet(run: MappedFile, found: Finding) -> Finding:
    """A finding about a row or cell, with the sheet in front of the cell, and the heading in its sentences."""
    match = _CELL.fullmatch(found.cell or "")
    if match is None:
        return found
    column = column_of(match[1])
    sheet, plan = run.sheet, run.plan
    if run.head_plan is not plan and run.head_plan is not None and _is_of_head(run, found):
        sheet, plan = run.head_sheet, run.head_plan
    if plan is None or column >= len(plan.headings) or found.code in ("M005", "M008", "M014", "M022", "M024"):
        return replace(found, column=column + 1, cell=f"{sheet}!{found.cell}" if sheet else found.cell)
    value = found.value or ""
    return _with_cell(found, sheet, plan, column, int(match[2]), value)


def _is_of_head(run: MappedFile, found: Finding) -> bool:
    path, _ = _path_in(found.path)
    return run.plan is not None and bool(path) and not path.startswith(f"{run.plan.shape.list_group}/")


def is_error(found: Finding) -> bool:
    """Whether the finding stops what it is about."""
    return found.severity is Severity.ERROR


def cells_of(run: MappedFile, document: Mapped) -> Iterator[tuple[str, str, str]]:
    """Yield every value of a document: its path with the line, the value, and the cell it came from."""
    plan, group = run.plan, ""
    line = 0
    for opening, value in _LEAF.findall(document.text):
        name = opening.rpartition(":")[2]
        if plan is not None and name == plan.shape.unit and not value:
            continue
        if plan is not None and name in (plan.shape.head_group, plan.shape.list_group) and not value:
            group = name
            line += name == plan.shape.list_group
            continue
        path = f"{group}/{name}".lstrip("/")
        found = plan.columns.get(path) if plan is not None else None
        if plan is not None and group == plan.shape.list_group and line <= len(document.group.numbers):
            row = document.group.numbers[line - 1]
            path = f"{group}[{line}]/{name}"
        else:
            row = (document.group.head or (document.group.numbers[0], None))[0]
        yield path, value, f"{letters(found)}{row}" if found is not None else ""
