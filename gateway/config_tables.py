"""journeys.csv and routes.csv: which desks a document visits, and which authority it goes to.

Both are read top to bottom by people and by likeness here: the row that says
more about a document wins over one that says `*`.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.config_files import Problem

ANY = "*"
COLUMNS = {"journeys.csv": ("mode", "kind", "desks", "note"), "routes.csv": ("spec", "area", "authority", "note")}


@dataclass(frozen=True, slots=True)
class Journey:
    """The desks, in order, that documents of a mode and kind visit."""

    mode: str
    kind: str
    desks: tuple[str, ...]
    line: int = 0


@dataclass(frozen=True, slots=True)
class Route:
    """The authority that takes a spec from a customs area."""

    spec: str
    area: str
    authority: str
    line: int = 0


def journey_for(journeys: Iterable[Journey], mode: str, kind: str) -> tuple[str, ...]:
    """Return the desks of the likeliest row; a document that no row names visits none.

    >>> rows = (Journey("*", "*", ("check",)), Journey("1210", "CEB621", ("check", "match")))
    >>> journey_for(rows, "1210", "CEB621"), journey_for(rows, "9610", "CEB621")
    (('check', 'match'), ('check',))
    """
    likely = [row for row in journeys if row.mode in (ANY, mode) and row.kind in (ANY, kind)]
    best = max(likely, key=lambda row: (row.kind != ANY, row.mode != ANY), default=None)
    return best.desks if best else ()


def route_for(routes: Iterable[Route], spec: str, area: str) -> str | None:
    """Return the authority of the likeliest row; an area is a customs code or the beginning of one.

    >>> rows = (Route("*", "*", "customs"), Route("*", "29", "hangzhou"), Route("CEB311", "*", "orders"))
    >>> route_for(rows, "CEB621", "2991"), route_for(rows, "CEB311", "2991"), route_for(rows, "CEB411", "")
    ('hangzhou', 'orders', 'customs')
    """
    likely = [row for row in routes if row.spec in (ANY, spec) and (row.area == ANY or area.startswith(row.area))]
    best = max(likely, key=lambda row: (row.spec != ANY, 0 if row.area == ANY else len(row.area)), default=None)
    return best.authority if best else None


def read_journeys(home: Path, problems: list[Problem]) -> tuple[Journey, ...]:
    """Return the rows of journeys.csv, and add what is wrong with them to `problems`."""
    rows = _rows(home, "journeys.csv", problems)
    return tuple(Journey(row[0], row[1], tuple(row[2].split()), line) for line, row in rows)


def read_routes(home: Path, problems: list[Problem]) -> tuple[Route, ...]:
    """Return the rows of routes.csv, and add what is wrong with them to `problems`."""
    return tuple(Route(row[0], row[1], row[2], line) for line, row in _rows(home, "routes.csv", problems))


def _rows(home: Path, file: str, problems: list[Problem]) -> list[tuple[int, Sequence[str]]]:
    columns = COLUMNS[file]
    found: list[tuple[int, Sequence[str]]] = []
    try:
        with (home / file).open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines)
            if tuple(next(reader, ())) != columns:
                cure = f"Write as its first line: {','.join(columns)}"
                problems.append(Problem(file, 1, "the first line does not name the columns", cure))
                return []
            for row in reader:
                if not any(row) or row[0].startswith("#"):
                    continue
                if len(row) < 3 or not all(cell.strip() for cell in row[:3]):
                    cure = f"A row is {','.join(columns)}; * stands for any."
                    problems.append(Problem(file, reader.line_num, "a cell is missing", cure))
                    continue
                found.append((reader.line_num, [cell.strip() for cell in row]))
    except FileNotFoundError:
        cure = "Take the sample from conf/, or make a home with: kouan init DIR"
        problems.append(Problem(file, None, "the file is missing", cure))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.append(Problem(file, None, f"cannot be read: {error}", "Save it as CSV in UTF-8."))
    return found
