"""The law of foreign exchange beside the fields of a record: limits by their day, the directory, rates, codes.

The directory (名录) says which firm may trade abroad and in which class; rates say what a unit of a currency is worth
in US dollars.  Both are the operator's tables, by their days; limits come with Kouan, and of the transaction codes
those of goods, to which the operator's table adds all others.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from message_specs import codes

_FOLDER: Final = Path(__file__).parent / "fx"
_CENT: Final = Decimal("0.01")
_CODES: Final = ("bop_transaction", "settlement_transaction")
_CREDIT: Final = 18
DOLLAR: Final = "USD"
BASIC: Final[Mapping[str, str]] = MappingProxyType({"BOPG": "BOPA", "BOPH": "BOPB", "JSHF": "JSHD", "JSHG": "JSHE"})
"""Which basic information a declaration rests on."""


@dataclass(frozen=True, slots=True)
class Grade:
    """One line of the directory: a firm, its class, and the days on which it is in it."""

    code: str
    grade: str
    since: date
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Worth:
    """One line of the rates: what a unit of a currency is worth in US dollars, and on which days."""

    currency: str
    usd: Decimal
    since: date
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """One line of the transaction codes: six digits of a declaration, or five of a settlement or purchase.

    `bill`: a declaration with it needs BILLNO.
    """

    code: str
    bill: bool
    since: date
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Tables:
    """What the operator's tables say, and which partners are payment institutions."""

    grades: tuple[Grade, ...] = ()
    worths: tuple[Worth, ...] = ()
    codes: tuple[Code, ...] = ()
    institutions: frozenset[str] = frozenset()
    organisations: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The organisation codes of whoever bears a code, as far as partners' files tell."""

    def grade_on(self, code: str, day: date) -> str | None:
        """The class of a firm on a day, by its organisation code; None where it is not in the directory.

        >>> tables = Tables((Grade("600037341", "A", date(2026, 1, 1)), Grade("600037341", "B", date(2026, 7, 1))))
        >>> tables.grade_on("600037341", date(2026, 3, 1)), tables.grade_on("600037341", date(2026, 7, 1))
        ('A', 'B')
        >>> tables.grade_on("600037341", date(2025, 3, 1))
        """
        lines = [one for one in self.grades if one.code == code and _holds(one, day)]
        return max(lines, key=lambda one: one.since).grade if lines else None

    def organisations_of(self, code: str) -> frozenset[str]:
        """The organisation codes of whoever bears a code of customs or a credit code; none where nobody tells.

        >>> tables = Tables(organisations={"3301961A2B": frozenset({"600037341"})})
        >>> [sorted(tables.organisations_of(one)) for one in ("3301961A2B", "91330100MA0000001Q", "3301961B7T")]
        [['600037341'], ['MA0000001'], []]
        """
        return self.organisations.get(code) or organisations({code})

    def in_dollars(self, amount: Decimal, currency: str, day: date) -> Decimal | None:
        """What an amount is worth in US dollars on a day; None where no rate holds.

        >>> Tables(worths=(Worth("CNY", Decimal("0.14"), date(2026, 1, 1)),)).in_dollars(
        ...     Decimal("100"), "CNY", date(2026, 11, 22))
        Decimal('14.00')
        """
        if currency == DOLLAR:
            return amount
        lines = [one for one in self.worths if one.currency == currency and _holds(one, day)]
        if not lines:
            return None
        return (amount * max(lines, key=lambda one: one.since).usd).quantize(_CENT, ROUND_HALF_UP)

    def code_on(self, code: str, day: date) -> Code | None:
        """What a transaction code asks for on a day; None where nobody knows it as one in force.

        >>> tables = Tables(codes=(Code("621011", True, date(2026, 1, 1)),))
        >>> [bool(tables.code_on(one, date(2026, 11, 22))) for one in ("621011", "122030", "11003", "621012")]
        [True, True, True, False]
        """
        lines = [one for one in self.codes if one.code == code and _holds(one, day)]
        if lines:
            return max(lines, key=lambda one: one.since)
        return Code(code, bill=False, since=day) if any(code in codes.codes_on(of, day) for of in _CODES) else None


def organisations(codes: Iterable[str]) -> frozenset[str]:
    """The organisation codes in some codes: the ninth to seventeenth characters of each credit code.

    >>> organisations(["3301961A2B", "91330100MA0000001Q"])
    frozenset({'MA0000001'})
    """
    return frozenset(one[8:17] for one in codes if len(one) == _CREDIT)


def _holds(one: Grade | Worth | Code, day: date) -> bool:
    return one.since <= day and (one.until is None or day <= one.until)


@cache
def _limits() -> tuple[tuple[str, Decimal, date, date | None], ...]:
    return tuple(
        (row["what"], Decimal(row["value"]), date.fromisoformat(row["valid_from"]), _day(row["valid_to"]))
        for row in _rows("limits.csv")
    )


def limit_on(what: str, day: date) -> Decimal:
    """A limit in US dollars on a day.

    >>> limit_on("person_year", date(2026, 11, 22)), limit_on("institution_item", date(2026, 11, 22))
    (Decimal('50000'), Decimal('50000'))
    """
    held = [value for name, value, since, until in _limits() if name == what and since <= day <= (until or date.max)]
    return held[-1] if held else Decimal("Infinity")


@cache
def _currencies() -> Mapping[str, str]:
    return {row["customs"]: row["iso"] for row in _rows("currencies.csv")}


def currency_of(customs: str) -> str:
    """The ISO letters of a currency that customs writes in digits; the digits where no row knows them.

    >>> currency_of("502"), currency_of("999")
    ('USD', '999')
    """
    return _currencies().get(customs, customs)


def _rows(name: str) -> Iterable[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as source:
        yield from csv.DictReader(source)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
