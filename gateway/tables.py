"""Tables in the hall: a partner's CSV or workbook is mapped, and opened like a message of many documents.

A row that belongs to no document refuses the whole file: nobody can tell which document it is
missing from, and a document without one of its lines must never be declared.

Known limits: a table is judged in memory, so its documents are limited; larger ones are sent in parts.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from fnmatch import fnmatch
from typing import Final
from zoneinfo import ZoneInfo

from gateway.case import Arrival, is_error
from gateway.config import House, Partner
from gateway.config_shapes import MapUse
from gateway.maps import facts_of, house_map
from mapping.apply import MappedFile, map_bytes
from mapping.cells import is_table
from mapping.judging import judge, transfer_of
from mapping.table import Map
from mapping.tracing import placed_in_sheet
from message_specs.document import Document
from message_specs.findings import Finding, Severity, finding
from message_specs.limits import Limits
from message_specs.opening import Opened

MOST_DOCUMENTS: Final = 10_000
_CHINA: Final = ZoneInfo("Asia/Shanghai")


class Tables:
    """Opens tables by one reading of the configuration; a map is read once."""

    def __init__(self, house: House, severities: Mapping[str, Severity], limits: Limits) -> None:
        self._house = house
        self._severities = severities
        self._limits = limits
        self._maps: dict[str, Map] = {}

    @staticmethod
    def means(arrival: Arrival) -> bool:
        """Tell whether an arrival is a table: by its name, unless it is XML all the same."""
        return is_table(arrival.claim.file) and not arrival.data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")

    def open(self, arrival: Arrival, partner: Partner, revision_of: Callable[[str], str], now: datetime) -> Opened:
        """Return the table opened: its documents numbered through, checked, every finding with its cell."""
        name = arrival.claim.file
        maps = [one.map for one in uses(partner) if fnmatch(name.lower(), one.files.lower())]
        if drawn_by := arrival.drawn_by:
            maps = [drawn_by]
        fitting = [self._map(one) for one in maps]
        if not fitting:
            return Opened(None, self._house.kouan.revision, findings=(finding("M019", name=name),), fatal=True)
        facts = facts_of(partner, came_at(arrival.claim.number, now))
        runs = (map_bytes(arrival.data, name, used, facts, revision_of(used.spec.code)) for used in fitting)
        run = _first_good(runs)
        used, revision = run.map, run.revision
        transfer = transfer_of(facts.partner)
        opened = Opened(used.spec, revision, None, "", used.spec.root, transfer=transfer)
        documents: list[Document] = []
        found: list[Finding] = []
        for batch in run.batches():
            if len(documents) >= MOST_DOCUMENTS:
                found.append(finding("M027", limit=str(MOST_DOCUMENTS)))
                break
            one = judge(run, batch, transfer, today=now.date(), severities=self._severities, limits=self._limits)
            documents += one.documents
            found += one.findings
        # Of a table that we joined the map takes what it wants: the other columns are no oversight of anybody.
        of_file = [placed_in_sheet(run, one) for one in run.findings if not (drawn_by and one.code == "M005")]
        opened.findings = (*of_file, *found)
        opened.documents = tuple(documents)
        opened.fatal = run.is_refused or not documents
        if opened.fatal and not any(is_error(one) for one in opened.findings):
            opened.findings = (*opened.findings, finding("M003"))
        return opened

    def _map(self, name: str) -> Map:
        if name not in self._maps:
            self._maps[name] = house_map(self._house.home, name)
        return self._maps[name]


def _first_good(runs: Iterator[MappedFile]) -> MappedFile:
    """The first map whose columns the file has; where none has them, the first tells what is missing."""
    first = next(runs)
    if not first.is_refused:
        return first
    return next((run for run in runs if not run.is_refused), first)


def uses(partner: Partner) -> tuple[MapUse, ...]:
    """Return the maps of a partner, each with the files it is for; those of a pattern before those of all files."""
    known = [MapUse(one) if isinstance(one, str) else one for one in partner.maps]
    return tuple(sorted(known, key=lambda one: one.files == "*"))


def came_at(number: int, now: datetime) -> datetime:
    """Return when an interchange came, as its number tells, so that mapping it again gives the same documents."""
    try:
        return datetime.strptime(f"{number:018d}"[:12], "%y%m%d%H%M%S").replace(tzinfo=_CHINA)
    except ValueError:
        return now
