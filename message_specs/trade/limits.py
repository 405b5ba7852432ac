"""The limits of a day: the single and yearly one of retail import, the share of its tax that is levied, that of lists.

The rows of limits.csv name the notice that set them; a new notice is a new row and an end to the old one. A row of
low confidence is a claim: it stands there to be read, and nothing is decided by it.
"""

import csv
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path

_FILE = Path(__file__).with_name("limits.csv")
_ALWAYS = date.max
_IMPORT = ("single", "yearly", "factor")


class NoLimits(LookupError):  # noqa: N818  named for what is missing
    """There was no tax on retail import on that day"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one purchase and one person's year may be worth in yuan, and the factor of the tax inside both."""

    single: Decimal
    yearly: Decimal
    factor: Decimal


class Standing(StrEnum):
    """How a purchase stands to the single limit."""

    INSIDE = "inside"
    ONE_ITEM = "one_item"
    """Over it, but one item that cannot be divided: taken, and taxed in full."""
    OVER = "over"
    """Over it with several items: no retail import."""


@cache
def _rows() -> tuple[tuple[str, Decimal, date, date], ...]:
    with _FILE.open(encoding="utf-8", newline="") as source:
        return tuple(
            (
                row["what"],
                Decimal(row["value"]),
                date.fromisoformat(row["valid_from"]),
                date.fromisoformat(row["valid_to"]) if row["valid_to"] else _ALWAYS,
            )
            for row in csv.DictReader(source)
            if row["confidence"] != "low"
        )


@lru_cache(maxsize=64)
def limits_on(day: date) -> Limits:
    """The limits of that day; NoLimits before there were any.

    >>> limits_on(date(2018, 12, 31)).single, limits_on(date(2019, 1, 1)).single
    (Decimal('2000'), Decimal('5000'))
    """
    found = {what: value for what, value, since, until in _rows() if what in _IMPORT and since <= day <= until}
    try:
        return Limits(**found)
    except TypeError:
        raise NoLimits(day.isoformat()) from None


@lru_cache(maxsize=64)
def list_limit_on(day: date) -> Decimal | None:
    """What one consignment of 9710 or 9810 may be worth in yuan to be declared by list; None where no rule says.

    >>> list_limit_on(date(2026, 11, 21)), list_limit_on(date(2019, 1, 1))
    (Decimal('5000'), None)
    """
    return next((value for what, value, since, until in _rows() if what == "list" and since <= day <= until), None)


def standing(value: Decimal, limits: Limits, *, alone: bool) -> Standing:
    """How a purchase of that taxable value, one item `alone` or several, stands to the single limit; it is inside.

    >>> law = limits_on(date(2026, 11, 21))
    >>> [str(standing(Decimal(value), law, alone=value != 5700)) for value in (5000, 5600, 5700)]
    ['inside', 'one_item', 'over']
    """
    if value <= limits.single:
        return Standing.INSIDE
    return Standing.ONE_ITEM if alone else Standing.OVER


def over_year(used: Decimal, value: Decimal, limits: Limits) -> bool:
    """Whether a purchase would take the person's year above the yearly limit.

    >>> law = limits_on(date(2026, 11, 21))
    >>> over_year(Decimal(24800), Decimal(1300), law), over_year(Decimal(20000), Decimal(6000), law)
    (True, False)
    """
    return used + value > limits.yearly
