"""A map made ready for one sheet: every line of it knows its column, its verb is built, formulas are in order.

Nothing here is done per row; what is done per row stands in `drafting`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Final

from mapping.cells import letters
from mapping.reckoning import DRAFT_VERBS, Draft
from mapping.table import Line, Map, headings_of, plain
from mapping.verbs import CELL_VERBS, parts_of
from message_specs.findings import Finding, finding
from message_specs.tables import Node, table

VERBS: Final = (*CELL_VERBS, *DRAFT_VERBS, "concat")
Cells = Sequence[str]
Step = Callable[[Cells, Draft, int], str | None]
CellStep = Callable[[Cells], str | None]


@dataclass(frozen=True, slots=True)
class Shape:
    """How a document of a spec is made: its head's group, its repeated group, and the fields of each in order."""

    unit: str
    head_group: str
    list_group: str
    head: Mapping[str, Node]
    lines: Mapping[str, Node]
    most_lines: int
    least_lines: int = 1

    def node(self, path: str) -> Node | None:
        """The field at this path below the document, if it has one."""
        group, _, name = path.rpartition("/")
        if group == self.head_group and name in self.head:
            return self.head[name]
        return self.lines.get(name) if group == self.list_group and self.list_group else None

    def paths(self) -> Iterator[tuple[str, Node]]:
        """Yield every field with its path."""
        for group, nodes in ((self.head_group, self.head), (self.list_group, self.lines)):
            for name, node in nodes.items():
                yield f"{group}/{name}".lstrip("/"), node


@lru_cache(maxsize=64)
def shape_of(root: str, document: str, revision: str) -> Shape:
    """The shape of the documents of this message."""
    unit = next(child for child in table(root, revision).children if child.name == document)
    groups = [child for child in unit.children if child.is_group]
    heads = [group for group in groups if group.maximum == 1]
    lists = [group for group in groups if group.maximum != 1]
    head = heads[0] if heads else unit
    rows = lists[0] if lists else None
    return Shape(
        document,
        head.name if heads else "",
        rows.name if rows else "",
        {node.name: node for node in head.children if not node.is_group},
        {node.name: node for node in rows.children} if rows else {},
        (rows.maximum or 1_000_000) if rows else 0,
        rows.minimum if rows else 0,
    )


@dataclass(slots=True)
class Field:
    """One field of a document as it is filled from this sheet."""

    path: str
    name: str
    node: Node
    is_line: bool
    steps: list[Step] = field(default_factory=list)
    """What is tried, once all cells are values, where its own cells gave none."""
    column: int | None = None
    """The first column that it comes from, where findings point."""
    cell: CellStep | None = None


@dataclass(slots=True)
class Plan:
    """Everything that mapping the rows of a sheet needs."""

    map: Map
    shape: Shape
    headings: list[str]
    heading_row: int
    key_columns: tuple[int, ...]
    head_fields: list[Field]
    line_fields: list[Field]
    reckoned: list[Field]
    head_columns: tuple[int, ...]
    columns: dict[str, int]
    """The first column of each path."""
    findings: list[Finding]

    @property
    def fatal(self) -> bool:
        """Whether no row can be mapped."""
        return any(found.severity == "error" for found in self.findings)


def match(headings: Sequence[str], used: Map, row: int) -> tuple[dict[str, int], list[Finding]]:
    """The column of each heading that the map knows, in plain form; what is unknown or there twice is a finding."""
    known = {plain(heading) for heading in headings_of(used.lines)}
    found: dict[str, int] = {}
    findings = []
    for column, heading in enumerate(headings):
        mark = plain(heading)
        cell = f"{letters(column)}{row}"
        if not mark:
            continue
        if mark not in known:
            findings.append(finding("M005", row=row, cell=cell, value=heading, heading=heading))
        elif mark in found:
            other = letters(found[mark])
            findings.append(finding("M008", row=row, cell=cell, value=heading, heading=heading, other=other))
        else:
            found[mark] = column
    for line in used.lines:
        there = list(dict.fromkeys(plain(name) for name in line.columns if plain(name) in found))
        for mark in there[1:]:
            heading, other = headings[found[mark]], letters(found[there[0]])
            cell = f"{letters(found[mark])}{row}"
            if not any(said.code == "M008" and said.cell == cell for said in findings):
                findings.append(finding("M008", row=row, cell=cell, value=heading, heading=heading, other=other))
    return found, findings


def make_plan(used: Map, headings: Sequence[str], heading_row: int, revision: str) -> Plan:
    """The plan for a sheet with these headings; a finding for each that is missing, unknown or there twice."""
    shape = shape_of(used.spec.root, used.spec.document, revision)
    by_heading, findings = match(headings, used, heading_row)
    fields = []
    for path, lines in used.by_path.items():
        node = shape.node(path)
        if node is not None:
            one, told = _field(path, node, lines, by_heading, shape, heading_row)
            findings += told
            fields.append(one)
    if not shape.least_lines and all(one.column is None for one in fields if one.is_line):
        # No column tells of lines, and a document may be without them.
        findings = [said for said in findings if not said.path.startswith(f"{shape.list_group}/")]
    plan = Plan(
        used, shape, list(headings), heading_row, (), [one for one in fields if not one.is_line],
        [one for one in fields if one.is_line], [], (), {}, findings,
    )  # fmt: skip
    plan.columns = {one.path: one.column for one in fields if one.column is not None}
    plan.key_columns = tuple(dict.fromkeys(plan.columns[path] for path in used.key if path in plan.columns))
    _divide(plan)
    return plan


def _divide(plan: Plan) -> None:
    """What comes from cells comes first; what is reckoned follows, each after what it is reckoned from."""
    everything = {one.path: one for one in (*plan.head_fields, *plan.line_fields)}
    plan.reckoned = [everything[path] for path in in_order(plan.map) if path in everything and everything[path].steps]
    of_lines = {column for one in everything.values() if one.is_line for column in _columns(plan, one)}
    of_head = {column for one in everything.values() if not one.is_line for column in _columns(plan, one)}
    plan.head_columns = tuple(sorted(of_head - of_lines - set(plan.key_columns)))


def _columns(plan: Plan, one: Field) -> Iterator[int]:
    by_heading = {plain(heading): column for column, heading in reversed(list(enumerate(plan.headings)))}
    for heading in headings_of(plan.map.by_path[one.path]):
        if plain(heading) in by_heading:
            yield by_heading[plain(heading)]


def in_order(used: Map) -> list[str]:
    """Every path of the map after those that its formulas need.

    Price from total and total from price is no trouble: one of them has a cell. The circle is cut.
    """
    graph = {path: {need for line in lines for need in needs(line)} for path, lines in used.by_path.items()}
    while True:
        try:
            return list(TopologicalSorter(graph).static_order())
        except CycleError as circle:
            way = circle.args[1]
            for needed, path in pairwise(way):
                graph[path].discard(needed)


def needs(line: Line) -> tuple[str, ...]:
    """The paths that a line is reckoned from."""
    verb = DRAFT_VERBS.get(line.verb)
    return verb.paths(line.argument) if verb else ()


def _field(
    path: str, node: Node, lines: Sequence[Line], by_heading: Mapping[str, int], shape: Shape, heading_row: int
) -> tuple[Field, list[Finding]]:
    is_line = bool(shape.list_group) and path.rpartition("/")[0] == shape.list_group
    one = Field(path, node.name, node, is_line)
    missing: list[Line] = []
    cell_steps: list[CellStep] = []
    for line in lines:
        step = _cell_step(line, node, by_heading, one)
        if step is not None and one.steps:
            one.steps.append(_lifted(step))
        elif step is not None:
            cell_steps.append(step)
        elif line.verb in DRAFT_VERBS:
            one.steps.append(_reckoned(DRAFT_VERBS[line.verb].build(node, line.argument)))
        else:
            missing.append(line)
    if cell_steps:
        one.cell = cell_steps[0] if len(cell_steps) == 1 else _first(cell_steps)
    return one, list(_missing(one, lines, missing, heading_row))


def _missing(one: Field, lines: Sequence[Line], missing: Sequence[Line], row: int) -> Iterator[Finding]:
    """A column that is not there is an error where the field must stand, a warning where a fixed amount steps in."""
    if not missing:
        return
    heading = next(iter(headings_of(missing)), "")
    if not one.steps and one.cell is None and one.node.minimum:
        yield finding("M006", path=one.path, row=row, heading=heading, name=one.name)
    elif one.column is None and one.node.base in ("xs:decimal", "xs:int") and lines[-1].verb == "constant":
        value = lines[-1].argument
        yield finding("M007", path=one.path, row=row, heading=heading, name=one.name, fixed=value)


def _cell_step(line: Line, node: Node, by_heading: Mapping[str, int], one: Field) -> CellStep | None:
    if line.verb == "concat":
        return _joined(line.argument, by_heading, one)
    verb = CELL_VERBS.get(line.verb)
    column = next((by_heading[plain(name)] for name in line.columns if plain(name) in by_heading), None)
    if verb is None or column is None:
        return None
    if one.column is None:
        one.column = column
    convert = verb.build(node, line.argument)

    def step(cells: Cells) -> str | None:
        cell = cells[column]
        return convert(cell) if cell else None

    return step


def _joined(argument: str, by_heading: Mapping[str, int], one: Field) -> CellStep | None:
    pieces: list[str | int] = []
    for piece in parts_of(argument):
        if isinstance(piece, str):
            pieces.append(piece)
            continue
        column = next((by_heading[plain(name)] for name in piece if plain(name) in by_heading), None)
        if column is None:
            return None
        if one.column is None:
            one.column = column
        pieces.append(column)
    columns = [piece for piece in pieces if isinstance(piece, int)]

    def step(cells: Cells) -> str | None:
        if not any(cells[column] for column in columns):
            return None
        return "".join(piece if isinstance(piece, str) else cells[piece] for piece in pieces)

    return step


def _first(steps: Sequence[CellStep]) -> CellStep:
    def step(cells: Cells) -> str | None:
        return next((value for one in steps if (value := one(cells))), None)

    return step


def _lifted(step: CellStep) -> Step:
    return lambda cells, _draft, _line: step(cells)


def _reckoned(reckon: Callable[[Draft, int], str | None]) -> Step:
    return lambda _cells, draft, line: reckon(draft, line)


def with_key(plan: Plan, columns: tuple[int, ...]) -> Plan:
    """The plan with other key columns, as a second sheet needs."""
    return replace(plan, key_columns=columns)
