"""Rows become groups: those that carry the same business key are one document, in the order of first appearance.

A group is given out once the sheet is `WINDOW` rows beyond its first row, so a file of any length
needs the memory of a window. Rows of a document that stand farther apart are refused, never
declared as a second document.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from types import MappingProxyType
from typing import Final

from mapping.cells import Broken, Cells, Row, letters, worded
from mapping.plan import Plan
from message_specs.findings import Finding, finding

WINDOW: Final = 10_000
_SPARE_LINES: Final = 1
_NOTHING_ODD: Final[Mapping[int, Sequence[Finding]]] = MappingProxyType({})
_Key = Callable[[Cells], tuple[str, ...]]


@dataclass(slots=True)
class Group:
    """The rows of one document, by number, and what is wrong with them as rows."""

    key: tuple[str, ...]
    numbers: list[int] = field(default_factory=list)
    rows: list[Cells] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    head: tuple[int, Cells] | None = None
    """The row of the head sheet, where there are two sheets."""
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
        *,
        window: int = WINDOW,
        heads: "Heads | None" = None,
        odd: Mapping[int, Sequence[Finding]] = _NOTHING_ODD,
    ) -> None:
        """`odd` holds what is wrong with single rows before they are read: merged cells, error values."""
        self._plan = plan
        self._odd = odd
        self._tally = tally
        self._window = window
        self._heads = heads
        self._width = len(plan.headings)
        self._open: OrderedDict[tuple[str, ...], Group] = OrderedDict()
        self._done: set[int] = set()
        self._last: Group | None = None
        self._most = plan.shape.most_lines + _SPARE_LINES
        self._key = _getter(plan.key_columns)
        self._shared = _getter(plan.head_columns) if heads is None else _nothing

    def groups(self, rows: Iterator[Row]) -> Iterator[Group]:
        """Yield the groups; rows that belong to none come alone, with their finding."""
        if not self._plan.shape.list_group:
            yield from self._each(rows)
            return
        for row in self._tidied(rows):
            if isinstance(row, Group):
                yield row
                continue
            number, tidy, said = row
            if (alone := self._put(number, tidy, said)) is not None:
                yield alone
            yield from self._ripe(number)
        yield from self._rest()

    def _tidied(self, rows: Iterator[Row]) -> Iterator[Group | tuple[int, list[str], Finding | None]]:
        """Yield each row that is not blank, counted and of the sheet's width, or alone where it cannot be read."""
        for number, cells in rows:
            self._tally.rows += 1
            if isinstance(cells, Broken):
                yield self._alone(number, worded(cells.code, cells.words, row=number))
                continue
            tidy = [cell.strip() for cell in cells]
            if not any(tidy):
                self._tally.blank += 1
                continue
            said = None
            if len(tidy) != self._width:
                tidy, said = self._evened(number, tidy)
            yield number, tidy, said

    def _each(self, rows: Iterator[Row]) -> Iterator[Group]:
        """Yield every row as a document of its own, where the spec has no lines."""
        for row in self._tidied(rows):
            if isinstance(row, Group):
                yield row
                continue
            number, tidy, said = row
            self._tally.mapped += 1
            found = [*self._odd.get(number, ()), *([said] if said else [])]
            yield Group(self._key(tidy), [number], [tidy], found)

    def _evened(self, number: int, cells: Cells) -> tuple[Cells, Finding | None]:
        """The row as wide as the headings, and a finding unless only blanks were too many."""
        width = self._width
        if len(cells) > width and not any(cells[width:]):
            return cells[:width], None
        said = finding("M020", row=number, found=str(len(cells)), expected=str(width), value=" | ".join(cells))
        return (cells + [""] * width)[:width], said

    def _put(self, number: int, cells: Cells, said: Finding | None) -> Group | None:
        key = self._key(cells)
        if not all(key):
            heading = self._plan.headings[self._plan.key_columns[key.index("")]]
            if said is None and number not in self._odd:
                said = finding("M022", row=number, value=" | ".join(filter(None, cells)), heading=heading)
            if self._last is None or self._last.key not in self._open:
                return self._alone(number, *([said] if said else ()))
            # It may belong to the document above, which must not go without it.
            group = self._last
        elif hash(key) in self._done:
            limit = str(self._window)
            return self._alone(number, finding("M023", row=number, value=" ".join(key), key=" ".join(key), limit=limit))
        else:
            found = self._open.get(key)
            group = found if found is not None else self._new(key, number)
        self._add(group, number, cells, said)
        return None

    def _new(self, key: tuple[str, ...], number: int) -> Group:
        group = self._open[key] = Group(key)
        if self._heads is not None:
            group.head = self._heads.take(key)
            if group.head is None:
                group.is_refused = True
                group.findings.append(finding("M025", row=number, value=" ".join(key), key=" ".join(key)))
        return group

    def _add(self, group: Group, number: int, cells: Cells, said: Finding | None) -> None:
        self._last = group
        group.numbers.append(number)
        if number in self._odd:
            group.findings.extend(self._odd[number])
        if said is not None:
            group.findings.append(said)
        elif group.rows and self._shared(cells) != self._shared(group.rows[0]):
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

    def _ripe(self, number: int) -> Iterator[Group]:
        while self._open:
            group = next(iter(self._open.values()))
            if number - group.numbers[0] < self._window:
                return
            yield self._closed(group)

    def _rest(self) -> Iterator[Group]:
        while self._open:
            yield self._closed(next(iter(self._open.values())))

    def _closed(self, group: Group) -> Group:
        del self._open[group.key]
        self._done.add(hash(group.key))
        if group.is_refused:
            self._tally.refused += len(group.numbers)
        else:
            self._tally.mapped += len(group.numbers)
        return group

    def _alone(self, number: int, *said: Finding) -> Group:
        self._tally.refused += 1
        return Group((), [number], [], [*self._odd.get(number, ()), *said], is_refused=True)


class Heads:
    """The rows of a head sheet by key; each is taken once, and what is left has no lines."""

    def __init__(self, plan: Plan, tally: Tally, odd: Mapping[int, Sequence[Finding]] = _NOTHING_ODD) -> None:
        self._odd = odd
        self._rows: dict[tuple[str, ...], tuple[int, Cells]] = {}
        self._plan = plan
        self._tally = tally

    def read(self, rows: Iterator[Row]) -> Iterator[Group]:
        """Every row is kept; yield those that cannot be."""
        width, key_of = len(self._plan.headings), _getter(self._plan.key_columns)
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
            key = key_of(tidy)
            said = None
            if wide < width or any(cell.strip() for cell in cells[width:]):
                said = finding("M020", row=number, found=str(wide), expected=str(width), value=" | ".join(cells))
            elif not all(key):
                heading = self._plan.headings[self._plan.key_columns[key.index("")]]
                said = finding("M022", row=number, value=" | ".join(filter(None, tidy)), heading=heading)
            elif key in self._rows:
                said = finding("M026", row=number, value=" ".join(key), key=" ".join(key))
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

    def left(self) -> Iterator[Group]:
        """Yield the heads that no line named, each as a document without lines, which its spec refuses."""
        for key, head in self._rows.items():
            self._tally.mapped += 1
            yield Group(key, [], [], [], head=head)
        self._rows.clear()


def _nothing(_cells: Cells) -> tuple[str, ...]:
    return ()


def _getter(columns: tuple[int, ...]) -> _Key:
    if not columns:
        return _nothing
    if len(columns) == 1:
        column = columns[0]
        return lambda cells: (cells[column],)
    found: _Key = itemgetter(*columns)
    return found
