"""The tables by which tax is reckoned, dated; a home's own rows stand before ours or in their place.

Which columns a table has stands in tables.csv.  A file with a mistake is refused whole, each mistake with its line.

Known limits: the rebate rates that come with Kouan are a sample of seventy codes without their days; whoever declares
loads his own.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

from message_specs.findings import Finding, finding
from message_specs.identity import is_party_code

Row: TypeAlias = Mapping[str, str]
FOLDER: Final = Path(__file__).parent
INSTEAD: Final = frozenset({"due", "excluded", "assessment", "windows"})
"""Tables of which the home's own stands in the place of ours; of the others its rows come first."""
_MOST: Final = Decimal(10**12)


class NoLaw(LookupError):  # noqa: N818  it names what is lacking
    """No row of a tax table holds on that day"""


@cache
def columns() -> Mapping[str, Sequence[Row]]:
    """The columns of each table: name, kind, and whether it must be filled."""
    found: dict[str, list[Row]] = {}
    for row in csv.DictReader(io.StringIO((FOLDER / "tables.csv").read_text("utf-8"))):
        found.setdefault(row["file"], []).append(row)
    return found


@cache
def shipped(name: str) -> tuple[Row, ...]:
    """The rows of a table that come with Kouan; none where it comes with none."""
    file = FOLDER / f"{name}.csv"
    return tuple(csv.DictReader(io.StringIO(file.read_text("utf-8")))) if file.is_file() else ()


def with_own(name: str, own: Sequence[Row]) -> tuple[Row, ...]:
    """The rows that hold where a home has these of its own, the stronger first: its own, and of these the latest.

    >>> days = {"2019-07-01": "13", "2026-01-01": "9"}
    >>> rows = [{"hs": "1", "valid_from": day, "rate": rate} for day, rate in days.items()]
    >>> [in_force(with_own("rebates", rows), date(year, 11, 21), hs="1")["rate"] for year in (2025, 2026)]
    ['13', '9']
    """
    mine = sorted(own, key=_since, reverse=True)
    return tuple(mine) if mine and name in INSTEAD else (*mine, *shipped(name))


def _since(row: Row) -> str:
    return row.get("since") or row.get("valid_from") or ""


def in_force(rows: Iterable[Row], on: date, **asked: str) -> Row | None:
    """The first row that holds on that day and has these values; None where none does.

    >>> in_force(shipped("due"), date(2026, 11, 21))["last"], in_force(shipped("due"), date(2010, 1, 1))
    ('45', None)
    """
    for row in rows:
        if all(row.get(name, "") == value for name, value in asked.items()) and holds(row, on):
            return row
    return None


def holds(row: Row, on: date) -> bool:
    """Whether the row is in force on that day."""
    since = _since(row)
    until = row.get("until") or row.get("valid_to") or ""
    return since <= on.isoformat() and (not until or on.isoformat() <= until)


def read(name: str, data: bytes) -> tuple[tuple[Row, ...], tuple[Finding, ...]]:
    r"""The rows of a file for that table, and everything wrong with it; no rows where anything is.

    >>> read("rebates", b"hs,valid_from,rate\n0401100000,2026-01-01,9\n")[0][0]["rate"]
    '9'
    >>> [(one.code, one.row) for one in read("rebates", b"hs,valid_from,rate\n04011,2026-01-01,9\n")[1]]
    [('X403', 2)]
    """
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except (UnicodeDecodeError, csv.Error) as trouble:
        return (), (finding("X401", file=name, reason=str(trouble)),)
    heads = [cell.strip() for cell in lines[0][1]] if lines else []
    wrong = list(_headings(name, heads))
    rows: list[Row] = []
    for number, cells in lines[1:] if not wrong else ():
        row = dict.fromkeys((one["column"] for one in columns()[name]), "")
        row |= dict(zip(heads, (cell.strip() for cell in cells), strict=False))
        wrong += _wrong(name, number, row)
        if len(cells) > len(heads):
            wrong.append(finding("X401", row=number, file=name, reason=f"{len(cells)} > {len(heads)}"))
        rows.append(row)
    return (() if wrong else tuple(rows)), tuple(wrong)


def _headings(name: str, heads: Sequence[str]) -> Iterator[Finding]:
    known = {one["column"]: one["required"] for one in columns()[name]}
    for column, required in known.items():
        if required and column not in heads:
            yield finding("X402", row=1, path=column, name=column, file=name)
    for head in heads:
        if head not in known or heads.count(head) > 1:
            yield finding("X402", row=1, path=head, name=head, file=name)


def _wrong(name: str, number: int, row: Row) -> Iterator[Finding]:
    for one in columns()[name]:
        text = row[one["column"]]
        good = not one["required"] if not text else is_of_kind(text, one["kind"])
        if not good:
            yield finding("X403", row=number, path=one["column"], value=text, name=one["column"], kind=one["kind"])


def is_of_kind(text: str, kind: str) -> bool:
    """Whether a cell is of a kind: named in tables.csv, or one of the words that stand there instead.

    >>> is_of_kind("2026-02-30", "day"), is_of_kind("13", "percent"), is_of_kind("refund", "refund exempt")
    (False, True, True)
    """
    return _KINDS[kind](text) if kind in _KINDS else text in kind.split()


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10


def _is_number(text: str, above: Decimal) -> bool:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return False
    return found.is_finite() and 0 <= found <= above and "e" not in text.lower()


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 5


_KINDS: Mapping[str, Callable[[str], bool]] = {
    "day": _is_day,
    "hs": lambda text: len(text) == 10 and text.isascii() and text.isdigit(),
    "percent": lambda text: _is_number(text, Decimal(100)),
    "money": lambda text: _is_number(text, _MOST),
    "count": _is_count,
    "party": is_party_code,
    "text": bool,
}
