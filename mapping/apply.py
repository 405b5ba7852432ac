"""Mapping a file: rows in, documents in batches of at most a hundred out, every row accounted for.

Nothing that is sent here can raise: what cannot be read is a finding, and the rows read are the
rows of the documents plus the rows told of in findings plus the blank ones.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import BinaryIO, Final

from mapping import headings as found_headings
from mapping.cells import Sheet, is_table
from mapping.decoding import encoding_of
from mapping.drafting import Drafting, Mapped
from mapping.plan import Field, Plan, make_plan
from mapping.reckoning import Facts
from mapping.rows import Group, Grouping, Heads, Tally
from mapping.survey import Survey, surveyed
from mapping.table import Map
from mapping.workbooks import open_workbook, other_sheets
from message_specs.findings import Finding, Severity, finding

BATCH: Final = 100
MOST_FINDINGS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Most:
    """How much of a file is taken."""

    documents: int | None = None
    findings: int = MOST_FINDINGS


_MOST: Final = Most()


@dataclass(slots=True)
class MappedFile:
    """A file on its way through a map: what is wrong with it as a whole, and then its batches."""

    map: Map
    revision: str
    findings: list[Finding] = field(default_factory=list)
    """What is wrong with the file, and with rows that became no document; grows while batches are taken."""
    tally: Tally = field(default_factory=Tally)
    plan: Plan | None = None
    head_plan: Plan | None = None
    sheet: str = ""
    head_sheet: str = ""
    is_refused: bool = True
    """Whether the file as a whole cannot be mapped."""
    _documents: Iterator[Mapped] = field(default_factory=lambda: iter(()))

    def batches(self, size: int = BATCH) -> Iterator[list[Mapped]]:
        """Yield the documents, `size` at a time."""
        batch: list[Mapped] = []
        for document in self._documents:
            batch.append(document)
            if len(batch) >= size:
                yield batch
                batch = []
        if batch:
            yield batch


def map_bytes(data: bytes, name: str, used: Map, facts: Facts, revision: str = "202205") -> MappedFile:
    """The mapping of a file that lies in memory."""
    return map_file(io.BytesIO(data), name, used, facts, revision)


def map_file(
    file: BinaryIO, name: str, used: Map, facts: Facts, revision: str = "202205", most: Most = _MOST
) -> MappedFile:
    """The mapping of a file; text is streamed from it while batches are taken, a workbook is read at once.

    The file is read twice: what a first reading tells decides what may be declared at all.
    """
    mapping = MappedFile(used, revision)
    ready = _surveyed(mapping, file, name, most)
    if ready is None:
        return mapping
    file.seek(0)
    sheets = [found_headings.take_headings(sheet, used) for sheet in _chosen(mapping, file, name) or ()]
    rows = [one[2].rows for one in sheets if not isinstance(one, Finding)]
    grouping = Grouping(
        ready.plan, mapping.tally, ready.survey, heads=ready.heads, odd=ready.odd, merged=ready.merged
    )
    groups = grouping.groups(rows[-1])
    if ready.heads is not None:
        groups = chain(ready.heads.read(rows[0]), groups, ready.heads.left())
    mapping.is_refused = False
    drafting = Drafting(ready.plan, facts, used.spec.family, mapping.head_plan)
    mapping._documents = _documents(mapping, groups, drafting, most.findings)  # noqa: SLF001
    return mapping


def _chosen(mapping: MappedFile, file: BinaryIO, name: str) -> list[Sheet] | None:
    """The sheet that the map reads, or that of the heads and that of the lines; None where a finding says why not."""
    used = mapping.map
    sheets = _sheets(file, name, used)
    if isinstance(sheets, Finding):
        mapping.findings.append(sheets)
        return None
    head = found_headings.chosen(sheets, used.sheet, used)
    is_apart = found_headings.has_sheet(sheets, used.list_sheet) and len(sheets) > 1
    lines = found_headings.chosen(sheets, used.list_sheet, used) if is_apart else head
    for one in (head, lines):
        if isinstance(one, Finding):
            mapping.findings.append(one)
            return None
    assert isinstance(head, Sheet)
    assert isinstance(lines, Sheet)
    if mapping.plan is None:
        mapping.findings += other_sheets(sheets, (head, lines))
    return [head] if head is lines else [head, lines]


@dataclass(slots=True)
class _Ready:
    """What the first reading of a file leaves for the second."""

    plan: Plan
    survey: Survey
    odd: Mapping[int, list[Finding]]
    merged: frozenset[int]
    heads: Heads | None = None


def _surveyed(mapping: MappedFile, file: BinaryIO, name: str, most: Most) -> _Ready | None:
    """What the first reading tells; None where the file as a whole is refused, with its findings."""
    sheets = _chosen(mapping, file, name)
    if sheets is None:
        return None
    planned = [_planned(mapping, sheet) for sheet in sheets]
    there = [one for one in planned if one is not None]
    if len(there) < len(sheets):
        return None
    (head_plan, head_rest), (plan, rest) = there[0], there[-1]
    mapping.head_sheet, mapping.sheet = head_rest.name, rest.name
    mapping.head_plan, mapping.plan = head_plan, plan
    rests = [one for _, one in there]
    _keyed(mapping, head_plan, plan)
    if any(found.severity is Severity.ERROR for found in mapping.findings):
        _refuse_all(mapping, *rests)
        return None
    for of, one in there:
        mapping.findings += found_headings.formulas(one, of.headings, _used(of), of.heading_row)
    ready = _Ready(plan, Survey(), _odd(rest, plan), _merged(rest, plan))
    if head_plan is not plan:
        ready.heads = Heads(head_plan, mapping.tally, _odd(head_rest, head_plan))
    ready.survey = surveyed(plan, rest.rows, ready.merged, has_heads=ready.heads is not None)
    said = _too_doubtful(ready.survey, most)
    if not said:
        return ready
    mapping.findings += said
    _refuse_all(mapping, *rests)
    mapping.tally.rows += ready.survey.rows
    mapping.tally.refused += ready.survey.rows
    return None


def _too_doubtful(survey: Survey, most: Most) -> list[Finding]:
    if survey.lost:
        return [*survey.findings, finding("M029", row=survey.lost, place=str(survey.lost))]
    if most.documents is not None and survey.documents > most.documents:
        return [finding("M027", limit=str(most.documents))]
    return []


def _keyed(mapping: MappedFile, head_plan: Plan, plan: Plan) -> None:
    """What is wrong with the columns is told, and both sheets know by which of them their rows belong together."""
    if head_plan is plan:
        mapping.findings += plan.findings
        if not plan.key_columns and plan.shape.list_group:
            _no_key(mapping, plan)
        return
    _parted(mapping, head_plan, plan)
    shared = [path for path in mapping.map.key if path in head_plan.columns and path in plan.columns]
    if not shared:
        _no_key(mapping, plan)
    head_plan.key_columns = tuple(head_plan.columns[path] for path in shared)
    plan.key_columns = tuple(plan.columns[path] for path in shared)


def _sheets(file: BinaryIO, name: str, used: Map) -> list[Sheet] | Finding:
    if not is_table(name):
        return finding("M012", name=name)
    magic = file.read(8)
    file.seek(0)
    if not name.lower().endswith((".csv", ".tsv")) or magic.startswith(
        (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    ):
        return open_workbook(file.read())
    encoding = encoding_of(file)
    if isinstance(encoding, Finding):
        return encoding
    delimiter = found_headings.delimiter_of(file, encoding, used, name)
    return [found_headings.text_sheet(file, encoding, delimiter)]


def _planned(mapping: MappedFile, sheet: Sheet) -> tuple[Plan, Sheet] | None:
    taken = found_headings.take_headings(sheet, mapping.map)
    if isinstance(taken, Finding):
        mapping.findings.append(taken)
        return None
    headings, row, rest = taken
    plan = make_plan(mapping.map, headings, row, mapping.revision)
    return plan, rest


def _parted(mapping: MappedFile, head_plan: Plan, plan: Plan) -> None:
    """A column may lie on either sheet: it is missing only where both lack it."""
    lacking = {found.path for found in head_plan.findings if found.code in ("M006", "M007")}
    lacking &= {found.path for found in plan.findings if found.code in ("M006", "M007")}
    heads = {one.path: one for one in head_plan.head_fields}
    said = [found for found in head_plan.findings if found.code not in ("M006", "M007") or found.path in lacking]
    said += [found for found in plan.findings if found.code not in ("M006", "M007")]
    mapping.findings += said
    plan.reckoned = [heads.get(one.path, one) if not one.is_line else one for one in plan.reckoned]


def _no_key(mapping: MappedFile, plan: Plan) -> None:
    if not any(found.code == "M006" for found in mapping.findings):
        path = mapping.map.key[-1]
        lines = mapping.map.by_path.get(path, ())
        heading = next((name for line in lines for name in line.columns), path)
        mapping.findings.append(finding("M006", path=path, row=plan.heading_row, heading=heading, name=path))


def _used(plan: Plan) -> list[int]:
    fields: list[Field] = [*plan.head_fields, *plan.line_fields]
    return sorted({*(one.column for one in fields if one.column is not None), *plan.key_columns, *plan.head_columns})


def _odd(sheet: Sheet, plan: Plan) -> Mapping[int, list[Finding]]:
    odd: dict[int, list[Finding]] = {}
    for number, said in found_headings.oddities(sheet, _used(plan), plan.heading_row):
        odd.setdefault(number, []).append(said)
    return odd


def _merged(sheet: Sheet, plan: Plan) -> frozenset[int]:
    """The rows over whose number a cell from above is merged."""
    keys = set(plan.key_columns)
    return frozenset(
        number
        for top, left, bottom, right in sheet.merged
        if bottom > top > plan.heading_row and keys & set(range(left, right + 1))
        for number in range(top + 1, bottom + 1)
    )


def _refuse_all(mapping: MappedFile, *sheets: Sheet) -> None:
    """The rows of a file that cannot be mapped are counted as refused."""
    for sheet in sheets:
        left = found_headings.rows_left(sheet.rows)
        mapping.tally.rows += left
        mapping.tally.refused += left


def _documents(
    mapping: MappedFile, groups: Iterator[Group], drafting: Drafting, most: int
) -> Iterator[Mapped]:
    tally, found = mapping.tally, 0
    for group in groups:
        if group.is_refused:
            found += len(group.findings)
            mapping.findings += group.findings
        else:
            tally.documents += 1
            document = drafting.document(group, tally.documents)
            if document.findings:
                found += len(document.findings)
                tally.bad += document.is_bad
            yield document
        if found > most:
            last = group.numbers[-1] if group.numbers else 0
            mapping.findings.append(finding("M013", row=last, place=str(last)))
            _drain(tally, groups)
            return


def _drain(tally: Tally, groups: Iterator[Group]) -> None:
    """The rest is read for the count alone; none of it is declared."""
    before = tally.mapped
    for _ in groups:
        pass
    tally.refused += tally.mapped - before
    tally.mapped = before
