"""Where every value of an inventory that was drawn up came from: the document, the goods row, the arrangement, the map.

It is read from the table that was joined then and lies in the store, so goods filed later change no answer.

Known limits: a map that has changed since is read as it is now; where it gives another value, the old one is not told.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.case import Arrival, drawn_by
from gateway.config import House
from gateway.maps import facts_of, house_map
from mapping.apply import MappedFile, map_bytes
from mapping.drafting import Mapped
from mapping.fitting import Unfit
from mapping.plan import Shape
from mapping.table import Line, plain
from mapping.tracing import cells_of
from mapping.verbs import CELL_VERBS
from message_specs.trade.joining import source_of
from spool import number as numbers
from spool.interchange import Claim
from spool.ledger import Ledger
from spool.store import Store


@dataclass(frozen=True, slots=True)
class Source:
    """One value: its path with the line, whose it is, and what of it."""

    path: str
    value: str
    of: str
    what: str

    def as_facts(self) -> dict[str, str]:
        """Return the source as programs read it."""
        return {"path": self.path, "value": self.value, "of": self.of, "what": self.what}


def is_drawn(file: str, door: str) -> bool:
    """Tell whether an interchange was drawn up, or is the replay of one that was.

    >>> is_drawn("draw-621.drawing.7.csv", "drawing"), is_drawn("orders.csv", "folder")
    (True, False)
    """
    return bool(drawn_by(Claim(0, "", door, file)))


def sources_of(house: House, ledger: Ledger, name: str) -> Iterator[Source]:
    """Yield every value of an inventory that was drawn up, in the order of the document."""
    number, ordinal = numbers.parse(name)
    row = ledger.one("interchange", number)
    assert row is not None
    data = Store(house.home / "spool" / "store").read(row["evidence"])
    claim = Claim(number, row["sender"], row["door"], row["file"])
    used = house_map(house.home, drawn_by(claim))
    arrival = Arrival(claim, row["evidence"], data, row["sha256"], row["size"])
    facts = facts_of(house.partner(row["sender"]), arrival.came_at(datetime.now(UTC)))
    run = map_bytes(data, row["file"], used, facts, row["revision"] or house.kouan.revision)
    for batch in run.batches():
        for document in batch:
            if document.ordinal == ordinal:
                yield from _sources(run, document)


def _sources(run: MappedFile, document: Mapped) -> Iterator[Source]:
    plan, shape = run.plan, run.plan.shape if run.plan else None
    assert plan is not None
    assert shape is not None
    rows = [dict(zip(plan.headings, cells, strict=False)) for cells in document.group.rows]
    line = 0
    for path, value, _ in cells_of(run, document):
        bare = path
        if shape.list_group and path.startswith(f"{shape.list_group}["):
            line, name = _in_line(path)
            bare = f"{shape.list_group}/{name}"
            row = rows[line - 1]
        else:
            row = rows[0]
        of, what = _source(run.map.by_path.get(bare, ()), shape, bare, row, value, run.map.spec.code)
        yield Source(path, value, of, what)


def _in_line(path: str) -> tuple[int, str]:
    """The line of a path in the lines, and its name.

    >>> _in_line("InventoryList[2]/qty")
    (2, 'qty')
    """
    _, _, rest = path.partition("[")
    position, _, name = rest.partition("]/")
    return int(position), name


def _source(
    lines: Sequence[Line], shape: Shape, path: str, row: Mapping[str, str], value: str, spec: str
) -> tuple[str, str]:
    """The first line of the map that gives this value."""
    headings = {plain(heading): heading for heading in row}
    for line in lines:
        verb = CELL_VERBS.get(line.verb)
        if verb is None:
            if line.verb == "partner":
                return "partner", line.argument
            whose = "map" if line.verb in ("constant", "now") else "reckoned"
            return whose, f"{line.verb} {line.argument}".strip()
        column = next((headings[plain(name)] for name in line.columns if plain(name) in headings), None)
        node = shape.node(path)
        if column is None or not row[column] or node is None:
            continue
        try:
            if verb.build(node, line.argument)(row[column].strip()) == value:
                return source_of(column, row, spec)
        except Unfit:
            continue
    return "", ""
