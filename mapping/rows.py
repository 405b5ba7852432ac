"""Rows become groups: those that carry the same business key are one document, in the order of first appearance.

A survey has read all rows before (see survey), so a group is given out with its last row, and a
document that may be missing one of its lines, or whose rows stand more than `WINDOW` apart, is
refused before anything of it is declared. Memory is that of the groups that are open at a time.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from mapping.cells import Broken, Cells, Row, letters, worded
from mapping.nearby import Nearby
from mapping.plan import Plan
from mapping.survey import Survey
from mapping.tidying import Tidied, getter, nothing, tidied, without_errors
from message_specs.findings import Finding, finding

_SPARE_LINES: Final = 1
_NOTHING_ODD: Final[Mapping[int, Sequence[Finding]]] = MappingProxyType({})


@dataclass(slots=True)
class Group:
    """The rows of one document, by number, and what is wrong with them as rows."""

    key: tuple[str, ...]
    numbers: list[int] = field(default_factory=list)
    rows: list[Cells] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    head: tuple[int, Cells] | None = None
    """The row of the head sheet, where there are two sheets."""
    last: int = 0
    """The row with which it is complete."""
    is_refused: bool = False
    """Nothing of it becomes a document: its rows are told in findings alone."""


@dataclass(slots=True)
class Tally:
    """Every row of the data, accounted for: rows = blank + mapped + refused."""

    rows: int = 0
    blank: int = 0
    mapped: int = 0
    refused: int = 0
    documents: int = 0
    bad: int = 0

    @property
    def is_even(self) -> bool:
        """Whether no row was lost."""
        return self.rows == self.blank + self.mapped + self.refused


class Grouping:
    """Groups the rows of one sheet by the key columns of its plan."""

    def __init__(
        self,
        plan: Plan,
        tally: Tally,
        survey: Survey,
        *,
        heads: "Heads | None" = None,
        odd: Mapping[int, Sequence[Finding]] = _NOTHING_ODD,
        merged: Collection[int] = (),
    ) -> None:
        """`survey` is that of the same rows with the same `merged`; `odd` holds what is wrong with single rows."""
        self._plan = plan
        self._odd = odd
        self._tally = tally
        self._survey = survey
        self._merged = merged
        self._heads = heads
        self._open: OrderedDict[tuple[str, ...], Group] = OrderedDict()
        self._far: set[tuple[str, ...]] = set()
        self._last: tuple[str, ...] = ()
        self._nearby = Nearby(survey.window)
        self._most = plan.shape.most_lines + _SPARE_LINES
        self._shared = getter(plan.head_columns) if heads is None else nothing

    def groups(self, rows: Iterator[Row]) -> Iterator[Group]:
        """Yield the groups; rows that belong to none come alone, with their finding."""
        put = self._put if self._plan.shape.list_group else self._by_itself
        for row in tidied(self._plan, rows):
            self._tally.rows += 1
            if row.is_blank:
                self._tally.blank += 1
                continue
            if (alone := put(row)) is not None:
                yield alone
            yield from self._ripe(row.number)
        yield from self._ripe(None)

    @property
    def rows_in_hand(self) -> int:
        """How many rows are read whose document was not given out yet."""
        return sum(len(group.numbers) for group in self._open.values())

    def _by_itself(self, row: Tidied) -> Group:
        """The row is a document of its own, where the spec has no lines."""
        if row.broken is not None:
            return self._alone(row)
        self._tally.mapped += 1
        found = [*self._odd.get(row.number, ()), *([row.said] if row.said else [])]
        return Group(row.key, [row.number], [row.cells], found)

    def _put(self, row: Tidied) -> Group | None:
        if row.broken is not None:
            return self._alone(row)
        if not all(row.key):
            # A merged cell above says itself to which document the row belongs.
            if row.number not in self._merged or self._last not in self._open:
                return self._alone(row)
            self._add(self._open[self._last], row)
            return None
        last = self._survey.lasts[self._nearby.place(row.key, row.number)]
        if not last:
            return self._too_far(row)
        found = self._open.get(row.key)
        self._add(self._new(row.key, row.number, last) if found is None else found, row)
        return None

    def _too_far(self, row: Tidied) -> Group | None:
        """The rows of a document that stand too far apart are told with the first of them."""
        self._tally.refused += 1
        if row.key in self._far:
            return None
        self._far.add(row.key)
        limit, shown = str(self._survey.window), " ".join(row.key)
        said = finding("M023", row=row.number, value=shown, key=shown, limit=limit)
        return Group((), [row.number], [], [said], is_refused=True)

    def _new(self, key: tuple[str, ...], number: int, last: int) -> Group:
        group = self._open[key] = Group(key, last=last)
        if self._heads is not None:
            group.head = self._heads.take(key)
            if group.head is None:
                group.is_refused = True
                group.findings.append(finding("M025", row=number, value=" ".join(key), key=" ".join(key)))
            else:
                group.findings.extend(self._heads.said_of(key))
        return group

    def _add(self, group: Group, row: Tidied) -> None:
        self._last = group.key
        number, cells = row.number, row.cells
        group.numbers.append(number)
        if number in self._odd:
            group.findings.extend(self._odd[number])
        if row.said is not None:
            group.findings.append(row.said)
        elif group.rows and all(row.key) and self._shared(cells) != self._shared(group.rows[0]):
            group.findings.extend(self._differing(group, number, cells))
        # A document beyond its most lines is refused by its spec; more than one line too many changes nothing.
        if len(group.rows) <= max(self._most, 1):
            group.rows.append(cells)

    def _differing(self, group: Group, number: int, cells: Cells) -> Iterator[Finding]:
        for column in self._plan.head_columns:
            first = group.rows[0][column]
            if cells[column] != first:
                yield finding(
                    "M024", row=number, cell=f"{letters(column)}{number}", value=cells[column],
                    heading=self._plan.headings[column], first=first,
                )  # fmt: skip

    def _ripe(self, number: int | None) -> Iterator[Group]:
        """Yield the groups at the front whose last row has been read; all at the end."""
        while self._open:
            group = next(iter(self._open.values()))
            if number is not None and number < group.last:
                return
            del self._open[group.key]
            group.findings.extend(self._survey.doubts_of(group.key, group.rows[0], group.numbers))
            if group.is_refused:
                self._tally.refused += len(group.numbers)
            else:
                self._tally.mapped += len(group.numbers)
            yield group

    def _alone(self, row: Tidied) -> Group:
        self._tally.refused += 1
        said = row.unplaced(self._plan)
        odd = self._odd.get(row.number, ())
        found = [*odd, *([] if odd and row.broken is None and row.said is None else [said])]
        return Group((), [row.number], [], found, is_refused=True)


def of_head(plan: Plan, said: Iterable[Finding]) -> Iterator[Finding]:
    """Yield what is said of the head sheet so that its path tells of which sheet it is."""
    for found in said:
        yield found if found.path else replace(found, path=plan.shape.head_group)


class Heads:
    """The rows of a head sheet by key; each is taken once, and what is left has no lines."""

    def __init__(self, plan: Plan, tally: Tally, odd: Mapping[int, Sequence[Finding]] = _NOTHING_ODD) -> None:
        self._odd = odd
        self._rows: dict[tuple[str, ...], tuple[int, Cells]] = {}
        self._plan = plan
        self._tally = tally
        self._left = 0
        self._twice: dict[tuple[str, ...], list[Finding]] = {}

    def read(self, rows: Iterator[Row]) -> Iterator[Group]:
        """Every row is kept; yield those that cannot be."""
        width, key_of = len(self._plan.headings), getter(self._plan.key_columns)
        for number, cells in rows:
            self._tally.rows += 1
            if isinstance(cells, Broken):
                self._tally.refused += 1
                yield Group((), [number], [], [worded(cells.code, cells.words, row=number)], is_refused=True)
                continue
            tidy = [cell.strip() for cell in cells]
            if not any(tidy):
                self._tally.blank += 1
                continue
            wide = len(tidy)
            tidy = (tidy + [""] * width)[:width]
            key = without_errors(key_of(tidy))
            said = None
            if wide < width or any(cell.strip() for cell in cells[width:]):
                first = f"{letters(min(wide, width))}{number}"
                value = " | ".join(cells)
                said = finding("M020", row=number, cell=first, found=str(wide), expected=str(width), value=value)
                [said] = of_head(self._plan, [said])
            elif not all(key):
                [said] = of_head(self._plan, [Tidied(number, tidy, key).unplaced(self._plan)])
            elif key in self._rows:
                said = finding("M026", row=number, value=" ".join(key), key=" ".join(key))
                self._twice.setdefault(key, []).append(said)
            if said is not None or number in self._odd:
                self._tally.refused += 1
                found = [*self._odd.get(number, ()), *([said] if said else [])]
                yield Group((), [number], [], found, is_refused=True)
                continue
            self._rows[key] = (number, tidy)

    def take(self, key: tuple[str, ...]) -> tuple[int, Cells] | None:
        """The row of that key, counted as mapped; None where there is none."""
        found = self._rows.pop(key, None)
        if found is not None:
            self._tally.mapped += 1
        return found

    def said_of(self, key: tuple[str, ...]) -> Sequence[Finding]:
        """What refuses the document of that key: its head stands twice, so nobody can tell which one holds."""
        return self._twice.get(key, ())

    def left(self) -> Iterator[Group]:
        """Yield the heads that no line named, each as a document without lines, which its spec refuses."""
        for key, head in self._rows.items():
            self._tally.mapped += 1
            self._left += 1
            yield Group(key, [], [], list(self.said_of(key)), head=head)

    @property
    def rows_in_hand(self) -> int:
        """How many heads are kept that were not given out."""
        return len(self._rows) - self._left
