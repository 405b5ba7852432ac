"""The goods that a declaring enterprise has filed: tariff code, units and the legal quantities of one piece, by day.

A row is found by merchant, item number and day; what order, payment and waybill do not tell of the goods is here.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from message_specs.codes import table
from message_specs.findings import Finding, finding

COLUMNS: Final = (
    "ebcCode", "itemNo", "gcode", "gname", "gmodel", "unit", "unit1", "qty1", "unit2", "qty2", "netWeight",
    "itemRecordNo", "country", "from", "until",
)  # fmt: skip
_NEEDED: Final = ("ebcCode", "itemNo", "gcode", "unit", "unit1", "qty1", "from")
_PIECES: Final = ("qty1", "qty2", "netWeight")
_KILOGRAM: Final = "035"
_DECIMALS: Final = 5
_MOST: Final = Decimal(10**9)


@dataclass(frozen=True, slots=True)
class Good:
    """One row: the goods of a merchant's item number between two days, in the words of COLUMNS."""

    line: int
    texts: Mapping[str, str]
    since: date
    until: date | None

    @property
    def key(self) -> tuple[str, str]:
        """The merchant and his item number."""
        return self.texts["ebcCode"], self.texts["itemNo"]

    @property
    def net_weight(self) -> Decimal:
        """The net weight of one piece in kilograms: as filed, else the legal quantity that is one."""
        if filed := self.texts.get("netWeight"):
            return Decimal(filed)
        return Decimal(self.texts["qty1"] if self.texts["unit1"] == _KILOGRAM else self.texts["qty2"])

    def holds(self, on: date) -> bool:
        """Whether the row is in force on that day, first and last day included."""
        return self.since <= on and (self.until is None or on <= self.until)

    def as_row(self) -> dict[str, str | int]:
        """The row with its line in the file."""
        return {"line": self.line, **{name: self.texts.get(name, "") for name in COLUMNS}}


class Goods:
    """What one enterprise has filed, ready to be asked."""

    def __init__(self, rows: Iterable[Good] = ()) -> None:
        """No two rows of one item hold on one day."""
        self._by_key: dict[tuple[str, str], list[Good]] = {}
        for row in rows:
            self._by_key.setdefault(row.key, []).append(row)

    def on(self, merchant: str, item: str, day: date) -> Good | None:
        """The row of that item on that day, or None."""
        return next((row for row in self._by_key.get((merchant, item), ()) if row.holds(day)), None)


def read_goods(data: bytes) -> tuple[tuple[Good, ...], tuple[Finding, ...]]:
    r"""The goods of a CSV file and everything wrong with it; no goods where anything is.

    >>> head = "ebcCode,itemNo,gcode,unit,unit1,qty1,from\n"
    >>> read_goods((head + "3301961A2B,S1,2101110000,142,035,0.2,2026-01-01\n").encode())[0][0].key
    ('3301961A2B', 'S1')
    >>> [(one.code, one.path) for one in read_goods((head + "3301961A2B,S1,21,142,035,0,2026-01-01\n").encode())[1]]
    [('T715', 'gcode'), ('T715', 'qty1')]
    """
    try:
        text = data.decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except UnicodeDecodeError as error:
        return (), (finding("T710", place=str(error.start)),)
    except csv.Error as error:
        return (), (finding("T711", row=reader.line_num, reason=str(error)),)
    heads = [cell.strip() for cell in rows[0][1]] if rows else []
    if problem := tuple(_headings(heads)):
        return (), problem
    found: list[Finding] = []
    read: list[Good] = []
    for line, cells in rows[1:]:
        if cells[0].lstrip().startswith("#"):
            continue
        texts = {name: cell.strip() for name, cell in zip(heads, cells, strict=False) if cell.strip()}
        wrong = tuple(_wrong(texts, line))
        if len(cells) > len(heads):
            wrong = (finding("T718", row=line, found=str(len(cells)), expected=str(len(heads))), *wrong)
        found += wrong
        if not wrong:
            until = texts.get("until")
            ends = date.fromisoformat(until) if until else None
            read.append(Good(line, texts, date.fromisoformat(texts["from"]), ends))
    found += _overlaps(read)
    return (() if found else tuple(read)), tuple(sorted(found, key=lambda one: one.row or 0))


def _headings(heads: list[str]) -> Iterator[Finding]:
    for name in _NEEDED:
        if name not in heads:
            yield finding("T712", row=1, path=name, name=name)
    for name in dict.fromkeys(heads):
        if name not in COLUMNS or heads.count(name) > 1:
            yield finding("T713", row=1, value=name, name=name)


def _wrong(texts: Mapping[str, str], line: int) -> Iterator[Finding]:
    for name in _NEEDED:
        if name not in texts:
            yield finding("T714", row=line, path=name, name=name)
    gcode = texts.get("gcode", "0" * 10)
    good = {"gcode": len(gcode) == 10 and gcode.isascii() and gcode.isdigit()}
    good |= {name: texts[name] in table("unit") for name in ("unit", "unit1", "unit2") if name in texts}
    good |= {name: texts[name] in table("country") for name in ("country",) if name in texts}
    good |= {name: _is_quantity(texts[name]) for name in _PIECES if name in texts}
    for name, fits in good.items():
        if not fits:
            yield finding("T715", row=line, path=name, value=texts.get(name), name=name)
    if ("unit2" in texts) != ("qty2" in texts):
        lacking = "qty2" if "unit2" in texts else "unit2"
        yield finding("T714", row=line, path=lacking, name=lacking)
    if "unit1" in texts and "netWeight" not in texts and _KILOGRAM not in (texts["unit1"], texts.get("unit2")):
        yield finding("T719", row=line, path="netWeight")
    yield from _days(texts, line)


def _days(texts: Mapping[str, str], line: int) -> Iterator[Finding]:
    days: dict[str, date] = {}
    for name in ("from", "until"):
        if text := texts.get(name, ""):
            try:
                days[name] = date.fromisoformat(text if len(text) == 10 else "")
            except ValueError:
                yield finding("T716", row=line, path=name, value=text, name=name)
    if len(days) == 2 and days["until"] < days["from"]:
        yield finding("T716", row=line, path="until", value=texts["until"], name="until")


def _is_quantity(text: str) -> bool:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return False
    decimals = -int(value.as_tuple().exponent) if value.is_finite() else _DECIMALS + 1
    return decimals <= _DECIMALS and 0 < value < _MOST and text.isascii() and "e" not in text.lower()


def _overlaps(read: list[Good]) -> Iterator[Finding]:
    before: dict[tuple[str, str], Good] = {}
    for row in sorted(read, key=lambda one: (one.key, one.since, one.line)):
        earlier = before.get(row.key)
        if earlier and row.since <= (earlier.until or date.max):
            first, second = sorted((earlier.line, row.line))
            yield finding("T717", row=second, path="from", value=row.key[1], item=row.key[1], first=str(first))
        if earlier is None or (earlier.until or date.max) <= (row.until or date.max):
            before[row.key] = row
