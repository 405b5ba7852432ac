"""The dated rate table: what goods of a tariff code are taxed on a day, in percent.

Ours is rates.csv beside this module, from a public table of January 2020: fit to develop and test with. A home
lays its own rows over it (`kouan rates load`): on the days that they cover they hold, on all others ours do.

**Known limits.** The duty is the ad valorem one of most favoured nations: provisional, treaty, specific and
compound duties are not in the source.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path

_FOLDER = Path(__file__).parent
COLUMNS = (
    "hs", "valid_from", "valid_to", "duty", "vat", "ct_type", "ct_rate", "ct_threshold", "ct_per", "unit1", "unit2",
    "name", "source",
)  # fmt: skip


class Consumption(StrEnum):
    """How consumption tax is levied on goods."""

    NONE = "none"
    AD_VALOREM = "ad_valorem"
    THRESHOLD = "threshold"
    """At the rate where a gram, a millilitre or a piece costs at least the threshold; else not at all."""
    SPECIFIC = "specific"
    COMPOUND = "compound"


@dataclass(frozen=True, slots=True)
class Rate:
    """What goods of a code are taxed from one day to another, both included; None leaves the end open."""

    hs: str
    valid_from: date
    valid_to: date | None
    duty: Decimal
    vat: Decimal
    ct_type: Consumption
    ct_rate: Decimal | None = None
    ct_threshold: Decimal | None = None
    ct_per: str = ""
    unit1: str = ""
    unit2: str = ""
    name: str = ""
    source: str = ""

    def holds(self, on: date) -> bool:
        """Whether the rate is in force on that day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    def as_row(self) -> dict[str, str]:
        """The rate under the columns of the table, as its file has it."""
        return {name: _cell(getattr(self, name)) for name in COLUMNS}


def _cell(value: object) -> str:
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)


def rate_of(row: Mapping[str, str]) -> Rate:
    """The rate that a row of the table writes; the row is known to be good.

    >>> rate = rate_of(dict(zip(COLUMNS, "2203000000,2020-01-01,,0,13,specific,,,,095,035,啤酒,".split(","))))
    >>> rate.vat, str(rate.ct_type), rate.as_row()["valid_from"]
    (Decimal('13'), 'specific', '2020-01-01')
    """
    return Rate(
        row["hs"],
        date.fromisoformat(row["valid_from"]),
        date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
        Decimal(row["duty"]),
        Decimal(row["vat"]),
        Consumption(row["ct_type"]),
        _number(row["ct_rate"]),
        _number(row["ct_threshold"]),
        *(row[name] for name in COLUMNS[8:]),
    )


def _number(cell: str) -> Decimal | None:
    return Decimal(cell) if cell else None


@cache
def _lines() -> Mapping[str, tuple[str, ...]]:
    """The lines of our table by code, unread: twelve thousand rates would be eight times the memory."""
    found: dict[str, tuple[str, ...]] = {}
    with (_FOLDER / "rates.csv").open(encoding="utf-8") as source:
        next(source)
        for line in source:
            found[line[:10]] = (*found.get(line[:10], ()), line)
    return found


@lru_cache(maxsize=4096)
def _ours(hs: str) -> tuple[Rate, ...]:
    return tuple(rate_of(row) for row in csv.DictReader(_lines().get(hs, ()), COLUMNS))


class Rates:
    """Our table with a home's own rows over it."""

    def __init__(self, own: Iterable[Rate] = ()) -> None:
        """`own` are the rows of the home; none overlaps another of the same code."""
        self._own: dict[str, tuple[Rate, ...]] = {}
        for rate in own:
            self._own[rate.hs] = (*self._own.get(rate.hs, ()), rate)

    def on(self, hs: str, day: date) -> Rate | None:
        """The rate of that code on that day, the home's before ours; None when no row covers it.

        >>> Rates().on("3304990029", date(2026, 11, 21)).ct_threshold, Rates().on("3304990029", date(2019, 12, 31))
        (Decimal('10'), None)
        """
        for rate in (*self._own.get(hs, ()), *_ours(hs)):
            if rate.holds(day):
                return rate
        return None

    def is_own(self, rate: Rate) -> bool:
        """Whether the rate is one of the home's."""
        return rate in self._own.get(rate.hs, ())

    def all_on(self, day: date, prefix: str = "") -> Iterator[Rate]:
        """Every rate in force on that day whose code begins so, by code.

        >>> [rate.name for rate in Rates().all_on(date(2026, 11, 21), "42022100")]
        ['以含濒危野生动物皮革或再生皮革作面的手提包', '其他以皮革或再生皮革作面的手提包']
        """
        for hs in sorted({*_lines(), *self._own}):
            if hs.startswith(prefix) and (rate := self.on(hs, day)) is not None:
                yield rate


@dataclass(frozen=True, slots=True)
class Measure:
    """One way to tell how many grams, millilitres or pieces a quantity is."""

    per: str
    unit: str
    factor: Decimal


@cache
def measures(per: str = "") -> tuple[Measure, ...]:
    """The rows of measures.csv for grams, millilitres, pieces or all, the more exact way before the less exact."""
    if per:
        return tuple(way for way in measures() if way.per == per)
    with (_FOLDER / "measures.csv").open(encoding="utf-8", newline="") as source:
        return tuple(Measure(row["per"], row["unit"], Decimal(row["factor"])) for row in csv.DictReader(source))
