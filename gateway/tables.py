"""Tables in the hall: a partner's CSV or workbook is mapped, and opened like messages of many documents.

A table is read from its evidence as it is needed and judged in pieces of some hundred documents, so
its length costs time and no memory. Mapping is a pure function of the evidence, the map, the
partner and the interchange's number, which is also its clock: the same table gives the same
documents whenever it is mapped, and `law` tells whether that still holds.

Known limits: a workbook is read whole, so it has a limit of its own.
"""

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatch
from importlib.metadata import version
from itertools import chain
from typing import BinaryIO, Final

from gateway.case import Arrival, is_error
from gateway.config import House, Partner
from gateway.config_shapes import MapUse
from gateway.maps import facts_of, house_map
from mapping.apply import BATCH, MappedFile, Most, map_file
from mapping.cells import is_table
from mapping.drafting import Mapped
from mapping.judging import judge, transfer_of
from mapping.reckoning import Facts
from mapping.table import Map
from mapping.tracing import placed_in_sheet
from message_specs.document import Document
from message_specs.findings import Finding, Severity, finding
from message_specs.limits import Limits
from message_specs.opening import Opened
from spool.errors import OurMistake

PIECE: Final = 500
MOST_FINDINGS: Final = 50_000
_PACKED: Final = (b"PK", b"\xd0\xcf\x11\xe0")
_XML: Final = b"<"


def is_table_file(name: str, head: bytes) -> bool:
    """Tell whether a file is a table: by its name, unless it is XML all the same.

    >>> is_table_file("ORDERS.csv", b"a,b"), is_table_file("ORDERS.csv", b" <a/>"), is_table_file("a.xml", b"a,b")
    (True, False, False)
    """
    return is_table(name) and not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_XML)


@dataclass(slots=True)
class Piece:
    """Some hundred documents of a table in order, as they were mapped, and what was found on the way to them."""

    number: int
    documents: list[Mapped]
    last: int
    """The ordinal of its last document, or of the last one before it."""
    findings: tuple[Finding, ...]
    told: int
    """How many findings about rows and the file have been told with it."""
    is_last: bool


@dataclass(slots=True)
class Table:
    """One table, open."""

    arrival: Arrival
    run: MappedFile
    transfer: Mapping[str, str]
    law: bytes
    limits: Limits
    severities: Mapping[str, Severity]
    came: datetime
    source: BinaryIO = field(default_factory=io.BytesIO)

    def pieces(self, after: int = 0, number: int = 0, told: int = 0) -> Iterator[Piece]:
        """Yield the pieces; those after piece `number` that ended with an ordinal and had told so many findings."""
        documents = (one for batch in self.run.batches() for one in batch if one.ordinal > after)
        ahead = next(documents, None)
        while True:
            taken: list[Mapped] = []
            while ahead is not None and len(taken) < PIECE:
                taken.append(ahead)
                ahead = next(documents, None)
            number += 1
            found = tuple(placed_in_sheet(self.run, one) for one in self.run.findings[told:] if self._is_said(one))
            told = len(self.run.findings)
            after = taken[-1].ordinal if taken else after
            if ahead is None and not self.run.tally.is_even:
                raise RowsLost(f"{self.arrival.claim.number}: {self.run.tally}")
            yield Piece(number, taken, after, found, told, ahead is None)
            if ahead is None:
                self.source.close()
                return

    def _is_said(self, one: Finding) -> bool:
        """Of a table that we joined the map takes what it wants: other columns are no oversight of anybody."""
        return not (self.arrival.drawn_by and one.code == "M005")

    def opened(self, piece: Piece) -> Opened:
        """Return a piece opened: its documents checked, every finding with its cell."""
        run = self.run
        documents: list[Document] = []
        found: list[Finding] = []
        most, today = min(BATCH, self.limits.documents), self.came.date()
        for start in range(0, len(piece.documents), most):
            batch = piece.documents[start : start + most]
            one = judge(run, batch, self.transfer, today=today, severities=self.severities, limits=self.limits)
            documents += one.documents
            found += one.findings
        opened = Opened(run.map.spec, run.revision, None, "", run.map.spec.root, transfer=dict(self.transfer))
        opened.findings = (*piece.findings, *found)
        opened.documents = tuple(documents)
        opened.fatal = not documents and piece.number == 1
        if opened.fatal and not any(is_error(one) for one in opened.findings):
            opened.findings = (*opened.findings, finding("M003"))
        return opened


class RowsLost(OurMistake):
    """Not every row of a table is in a document, told in a finding, or blank"""


class LongTable(OurMistake):
    """A table is longer than one piece and cannot share a transaction"""

    def __init__(self, table: Table, pieces: Iterator[Piece], first: Piece) -> None:
        super().__init__(str(table.arrival.claim.number))
        self.table, self.pieces, self.first = table, pieces, first


class Tables:
    """Opens tables by one reading of the configuration; a map is read once."""

    def __init__(self, house: House, severities: Mapping[str, Severity], limits: Limits) -> None:
        self._house = house
        self._severities = severities
        self._limits = limits
        self._maps: dict[str, Map] = {}

    def most_bytes(self, arrival: Arrival) -> int:
        """Return how long a table of this kind may be."""
        limits = self._house.kouan.limits
        return limits.workbook_bytes if arrival.data.startswith(_PACKED) else limits.table_bytes

    def open(
        self, arrival: Arrival, partner: Partner, revision_of: Callable[[str], str], now: datetime
    ) -> Table | Finding:
        """Return the table open by the map that fits it, or that there is none."""
        name = arrival.claim.file
        maps = [one.map for one in uses(partner) if fnmatch(name.lower(), one.files.lower())]
        if drawn_by := arrival.drawn_by:
            maps = [drawn_by]
        fitting = [self._map(one) for one in maps]
        if not fitting:
            return finding("M019", name=name)
        came = arrival.came_at(now)
        facts = facts_of(partner, came)
        source = _source(arrival)
        most = Most(self._house.kouan.limits.table_documents, MOST_FINDINGS)
        runs = (map_file(source, name, one, facts, revision_of(one.spec.code), most) for one in _each(fitting, source))
        run = _first_good(runs)
        law = _law(run.map, facts, run.revision)
        return Table(arrival, run, transfer_of(facts.partner), law, self._limits, self._severities, came, source)

    def _map(self, name: str) -> Map:
        if name not in self._maps:
            self._maps[name] = house_map(self._house.home, name)
        return self._maps[name]


def _source(arrival: Arrival) -> BinaryIO:
    return io.BytesIO(arrival.data) if arrival.path is None else arrival.path.open("rb")


def _each(fitting: list[Map], source: BinaryIO) -> Iterator[Map]:
    for used in fitting:
        source.seek(0)
        yield used


def _first_good(runs: Iterator[MappedFile]) -> MappedFile:
    """The first map whose columns the file has; where none has them, the first tells what is missing."""
    first = next(runs)
    return next((run for run in chain([first], runs) if not run.is_refused), first)


def _law(used: Map, facts: Facts, revision: str) -> bytes:
    """Return a mark of everything besides the evidence that the documents of a table are made by."""
    settings = (used.name, used.spec.code, used.key, used.sheet, used.list_sheet, used.row, used.delimiter)
    lines = [(line.path, line.columns, line.verb, line.argument) for line in used.lines]
    told = (version("kouan"), settings, lines, dict(facts.partner), revision)
    return hashlib.sha256(repr(told).encode()).digest()


def uses(partner: Partner) -> tuple[MapUse, ...]:
    """Return the maps of a partner, each with the files it is for; those of a pattern before those of all files."""
    known = [MapUse(one) if isinstance(one, str) else one for one in partner.maps]
    return tuple(sorted(known, key=lambda one: one.files == "*"))
