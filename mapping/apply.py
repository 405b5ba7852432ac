"""Mapping a file: rows in, documents in batches of at most a hundred out, every row accounted for.

Nothing that is sent here can raise: what cannot be read is a finding, and the rows read are the
rows of the documents plus the rows told of in findings plus the blank ones.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from types import MappingProxyType
from typing import BinaryIO, Final

from mapping import headings as found_headings
from mapping.bounds import MOST_CELLS
from mapping.cells import Sheet
from mapping.choosing import Source, choose, keyed, merged_rows, odd_rows, used_columns
from mapping.drafting import Drafting, Mapped
from mapping.plan import Plan, make_plan
from mapping.reckoning import Facts
from mapping.rows import Group, Grouping, Heads, Tally, of_head
from mapping.survey import Survey, look_again, surveyed
from mapping.table import Map
from mapping.tidying import tally_of
from mapping.workbooks import other_sheets
from message_specs.findings import Finding, Severity, finding

BATCH: Final = 100
MOST_FINDINGS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Most:
    """How much of a file is taken."""

    documents: int | None = None
    findings: int = MOST_FINDINGS
    cells: int = MOST_CELLS
    """How many cells a workbook may have."""


_MOST: Final = Most()
_AS_WORDED: Final[Mapping[str, Severity]] = MappingProxyType({})


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
    severities: Mapping[str, Severity] = field(default_factory=dict)
    _documents: Iterator[Mapped] = field(default_factory=lambda: iter(()))

    def graded(self, found: Finding, *, may_lower: bool) -> Finding:
        """The finding with the severity that the operator wants for its code."""
        wanted = self.severities.get(found.code, found.severity)
        return replace(found, severity=wanted) if may_lower or wanted is Severity.ERROR else found

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
    file: BinaryIO,
    name: str,
    used: Map,
    facts: Facts,
    revision: str = "202205",
    most: Most = _MOST,
    severities: Mapping[str, Severity] = _AS_WORDED,
) -> MappedFile:
    """The mapping of a file; text is streamed from it while batches are taken, a workbook is read at once.

    The file is read twice: what a first reading tells decides what may be declared at all. `severities` overrules what
    findings.csv says of a code, but what makes a row or the file unreadable stays an error.
    """
    mapping = MappedFile(used, revision, severities=severities)
    source = Source(file, name, most.cells)
    ready = _surveyed(mapping, source, most)
    if ready is None:
        return mapping
    sheets = [found_headings.take_headings(sheet, used) for sheet in _chosen(mapping, source) or ()]
    rows = [one[2].rows for one in sheets if not isinstance(one, Finding)]
    grouping = Grouping(ready.plan, mapping.tally, ready.survey, heads=ready.heads, odd=ready.odd, merged=ready.merged)
    groups = grouping.groups(rows[-1])
    if ready.heads is not None:
        groups = chain(ready.heads.read(rows[0]), groups, ready.heads.left())
    mapping.is_refused = False
    drafting = Drafting(ready.plan, facts, used.spec.family, mapping.head_plan)

    def give_up() -> None:
        """The rest is read for the count alone; none of it is declared."""
        tally = mapping.tally
        tally.refused += grouping.rows_in_hand + (ready.heads.rows_in_hand if ready.heads is not None else 0)
        for one in rows:
            said, blank, _ = tally_of(one)
            tally.rows += said + blank
            tally.blank += blank
            tally.refused += said

    mapping._documents = _documents(mapping, groups, drafting, most.findings, give_up)  # noqa: SLF001
    return mapping


def _chosen(mapping: MappedFile, source: Source) -> list[Sheet] | None:
    """The sheets that the map reads; None where a finding says why not."""
    found = choose(source, mapping.map)
    if isinstance(found, Finding):
        mapping.findings.append(found)
        return None
    if mapping.plan is None:
        mapping.findings += other_sheets(found.there, found.sheets)
    return found.sheets


@dataclass(slots=True)
class _Ready:
    """What the first reading of a file leaves for the second."""

    plan: Plan
    survey: Survey
    odd: Mapping[int, list[Finding]]
    merged: frozenset[int]
    heads: Heads | None = None


def _surveyed(mapping: MappedFile, source: Source, most: Most) -> _Ready | None:
    """What the first reading tells; None where the file as a whole is refused, with its findings."""
    sheets = _chosen(mapping, source)
    if sheets is None:
        return None
    planned = [_planned(mapping, sheet) for sheet in sheets]
    there = [one for one in planned if one is not None]
    if len(there) < len(sheets):
        return None
    (head_plan, head_rest), (plan, rest) = there[0], there[-1]
    mapping.head_sheet, mapping.sheet = head_rest.name, rest.name
    mapping.head_plan, mapping.plan = head_plan, plan
    mapping.findings += keyed(mapping.map, head_plan, plan)
    for of, one in there:
        said = found_headings.formulas(one, of.headings, used_columns(of), of.heading_row)
        mapping.findings += of_head(of, said) if of is not plan else said
    mapping.findings = [mapping.graded(found, may_lower=False) for found in mapping.findings]
    if any(found.severity is Severity.ERROR for found in mapping.findings):
        _refuse_all(mapping, *(one for _, one in there))
        return None
    ready = _Ready(plan, Survey(), odd_rows(rest, plan), merged_rows(rest, plan))
    if head_plan is not plan:
        odd = {number: list(of_head(head_plan, said)) for number, said in odd_rows(head_rest, head_plan).items()}
        ready.heads = Heads(head_plan, mapping.tally, odd)
    ready.survey = surveyed(plan, rest.rows, ready.merged, has_heads=ready.heads is not None)
    doubts = _too_doubtful(ready.survey, most)
    if doubts:
        mapping.findings += doubts
        _refuse_all(mapping, *(one for _, one in there))
        mapping.tally.rows += ready.survey.rows
        mapping.tally.refused += ready.survey.rows
        return None
    if ready.survey.recurring:
        again = found_headings.take_headings((_chosen(mapping, source) or [])[-1], mapping.map)
        assert not isinstance(again, Finding)
        look_again(ready.survey, plan, again[2].rows)
    return ready


def _too_doubtful(survey: Survey, most: Most) -> list[Finding]:
    if survey.lost:
        return [*survey.findings, finding("M029", row=survey.lost, place=str(survey.lost))]
    if most.documents is not None and survey.documents > most.documents:
        return [finding("M027", limit=str(most.documents))]
    return []


def _planned(mapping: MappedFile, sheet: Sheet) -> tuple[Plan, Sheet] | None:
    taken = found_headings.take_headings(sheet, mapping.map)
    if isinstance(taken, Finding):
        mapping.findings.append(taken)
        return None
    headings, row, rest = taken
    plan = make_plan(mapping.map, headings, row, mapping.revision)
    return plan, rest


def _refuse_all(mapping: MappedFile, *sheets: Sheet) -> None:
    """The rows of a file that cannot be mapped are counted as refused."""
    for sheet in sheets:
        left, _, _ = tally_of(sheet.rows)
        mapping.tally.rows += left
        mapping.tally.refused += left


def _documents(
    mapping: MappedFile, groups: Iterator[Group], drafting: Drafting, most: int, give_up: Callable[[], None]
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
                document.findings = [mapping.graded(one, may_lower=True) for one in document.findings]
                found += len(document.findings)
                tally.bad += document.is_bad
            yield document
        if found > most:
            last = group.numbers[-1] if group.numbers else 0
            mapping.findings.append(finding("M013", row=last, place=str(last)))
            give_up()
            return
