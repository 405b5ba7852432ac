"""Exempting: what the local platform must hold of an export without a purchase invoice, and what income is assessed.

Free of VAT and consumption tax is what a firm registered in a pilot zone exports through the customs of that zone, when
each export stands there with date, goods, unit, quantity, price and amount (财税〔2018〕103号).  Income is assessed at
a share of receipts (国家税务总局公告2019年第36号).

Known limits: who is a small firm of low profit is his to know; what it would pay is told beside the statutory tax.
Tax-free income stays open; a declaration tells it to the office itself.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from message_specs.amounts import number
from message_specs.findings import Finding, finding
from message_specs.tax.laws import NoLaw, Row, holds, in_force
from message_specs.trade.sharing import WIDE, fen

_FEN: Final = Decimal("0.01")
_WHOLE: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Record:
    """One export to be registered: a line of a released list."""

    invt_no: str
    gnum: int
    exported_on: date
    hs: str
    name: str
    unit: str
    quantity: Decimal
    price: Decimal
    amount: Decimal
    currency: str
    district: str

    @property
    def number(self) -> str:
        """The number of the list with the item."""
        return f"{self.invt_no}{self.gnum:03d}"


def checks(one: Record, zone: str, districts: frozenset[str], excluded: Sequence[Row]) -> Iterator[Finding]:
    """Yield everything that keeps an export from the exemption.

    >>> good = Record("I", 1, date(2026, 1, 1), "4202210090", "包", "007", Decimal(120), Decimal("35.5"),
    ...               Decimal(4260), "142", "2910")
    >>> list(checks(good, "杭州", frozenset({"2910"}), ())), [said.code for said in checks(good, "", frozenset(), ())]
    ([], ['X201', 'X202'])
    """
    place = f"{one.invt_no}/{one.gnum}"
    if not zone:
        yield finding("X201", path=place, names=place)
    if one.district not in districts:
        yield finding("X202", path=place, value=one.district, names=place, found=one.district, zone=zone)
    if any(one.hs.startswith(row["hs"]) and holds(row, one.exported_on) for row in excluded):
        yield finding("X203", path=place, value=one.hs, names=place, hs=one.hs)
    due = fen(WIDE.multiply(one.quantity, one.price))
    if abs(due - one.amount) > _FEN:
        told = number(one.amount)
        yield finding("X205", path=place, value=told, names=place, found=told, expected=f"{due:f}")
    if not (one.name and one.unit and one.quantity > 0):
        yield finding("X206", path=place, names=place)


@dataclass(frozen=True, slots=True)
class Assessment:
    """What is assessed on the receipts of a period: the taxable income and the tax at the statutory rate."""

    receipts: Decimal
    margin: Decimal
    income: Decimal
    rate: Decimal
    tax: Decimal
    preferred: Decimal | None = None
    """The rate that small firms of low profit pay in effect; None where the law tells none."""
    preferred_tax: Decimal | None = None


def assessed(receipts: Decimal, law: Iterable[Row], on: date) -> Assessment:
    """The assessment by the law of that day; NoLaw where none holds.

    >>> from message_specs.tax.laws import shipped
    >>> one = assessed(Decimal(1000000), shipped("assessment"), date(2026, 11, 30))
    >>> one.income, one.tax, one.preferred_tax
    (Decimal('40000.00'), Decimal('10000.00'), Decimal('2000.00'))
    """
    row = in_force(law, on)
    if row is None:
        raise NoLaw(on.isoformat())
    margin, rate = Decimal(row["margin"]), Decimal(row["rate"])
    income = _part(receipts, margin)
    told = row.get("preferred") or ""
    preferred = Decimal(told) if told else None
    return Assessment(
        receipts, margin, income, rate, _part(income, rate), preferred, preferred and _part(income, preferred)
    )


def _part(income: Decimal, rate: Decimal) -> Decimal:
    return fen(WIDE.divide(WIDE.multiply(income, rate), _WHOLE))
