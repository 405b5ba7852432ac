"""The two details of a refund declaration as values: exports, purchases, and the rows that join them.

Refund = ROUND(base × rate, 2), the rate in percent; what is not refunded of the tax paid goes to the cost.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from message_specs.findings import Finding
from message_specs.trade.sharing import WIDE, fen

NOTHING: Final = Decimal(0)
VAT: Final = "V"
CONSUMPTION: Final = "C"
OVERSEAS: Final = "9810"
"""Goods to an overseas warehouse: refunded on departure (预退) and settled once sold (STA notice 2025 no. 3)."""
_WHOLE: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Export:
    """One item of an export that was released: its number with the item, and what of it is left to be declared."""

    number: str
    exported_on: date
    hs: str
    name: str
    amounts: tuple[tuple[str, Decimal], ...]
    """By unit: the trade unit and the statutory ones, each once."""
    fob: Decimal | None
    """The value in dollars, free on board; None where it cannot be told."""
    invoice_no: str = ""
    source: str = ""
    """The document of the ledger from which it comes."""
    agency: str = ""
    """The proof of agency (代理出口货物证明) with its item, where an agent exported it."""
    orders: tuple[tuple[str, str], ...] = ()
    """Platform and number of the orders behind it, where they are known."""
    mode: str = ""
    """How it was supervised (监管方式), where that makes a difference here: 9810."""
    note: str = ""
    """The receipt of its foreign exchange, where it is declared late."""

    @property
    def remark(self) -> str:
        """What is written beside it: that it is refunded on departure and settled later, and what was received for it.

        >>> Export("N", date(2026, 11, 21), "0", "n", (), None, mode=OVERSEAS, note="收汇 2027-03-02 FX1").remark
        '海外仓预退；收汇 2027-03-02 FX1'
        """
        return "；".join(word for word in ("海外仓预退" if self.mode == OVERSEAS else "", self.note) if word)

    def in_unit(self, unit: str) -> Decimal | None:
        """How many of that unit it is; None where it is not counted in it."""
        return next((amount for one, amount in self.amounts if one == unit), None)


@dataclass(frozen=True, slots=True)
class Purchase:
    """One line of a purchase invoice, and how much of it earlier declarations used."""

    voucher: str
    line: int
    kind: str
    issued_on: date
    seller: str
    hs: str
    name: str
    unit: str
    whole: Decimal
    base: Decimal
    tax_rate: Decimal
    used: Decimal = NOTHING
    tax: str = VAT
    """Of which tax it is: V, or C of a payment document of consumption tax."""

    @property
    def left(self) -> Decimal:
        """How much of it was not declared yet."""
        return self.whole - self.used

    def base_of(self, taken: Decimal) -> Decimal:
        """The taxable amount of the next so many; what rounding left over goes with the last.

        >>> from dataclasses import replace
        >>> line = Purchase("V", 1, "02", date(2026, 1, 1), "S", "0", "n", "007", *map(Decimal, ("3", "10", "13")))
        >>> [replace(line, used=Decimal(used)).base_of(Decimal(1)) for used in range(3)]
        [Decimal('3.33'), Decimal('3.34'), Decimal('3.33')]
        """
        before, after = (
            fen(WIDE.divide(WIDE.multiply(self.base, part), self.whole)) for part in (self.used, self.used + taken)
        )
        return after - before


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One row of the detail of exports."""

    link: str
    export: Export
    unit: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class PurchaseRow:
    """One row of the detail of purchases."""

    link: str
    purchase: Purchase
    amount: Decimal
    base: Decimal
    refund_rate: Decimal
    refund: Decimal

    @property
    def cost(self) -> Decimal:
        """What of the tax paid is not refunded and goes to the cost: ROUND(base × (tax rate − refund rate), 2)."""
        return refund_of(self.base, self.purchase.tax_rate - self.refund_rate)


@dataclass(frozen=True, slots=True)
class Forms:
    """Both details of one declaration, and what was left out of it with its reason."""

    exports: tuple[ExportRow, ...] = ()
    purchases: tuple[PurchaseRow, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def base(self) -> Decimal:
        """The taxable amounts together."""
        return sum((one.base for one in self.purchases), NOTHING)

    @property
    def refund(self) -> Decimal:
        """The refunds together."""
        return sum((one.refund for one in self.purchases), NOTHING)

    @property
    def cost(self) -> Decimal:
        """What of the tax paid goes to the cost, together."""
        return sum((one.cost for one in self.purchases), NOTHING)


def refund_of(base: Decimal, rate: Decimal) -> Decimal:
    """ROUND(base × rate, 2), the rate in percent.

    >>> refund_of(Decimal("600000"), Decimal("13")), refund_of(Decimal("0.05"), Decimal("10"))
    (Decimal('78000.00'), Decimal('0.01'))
    """
    return fen(WIDE.divide(WIDE.multiply(base, rate), _WHOLE))
