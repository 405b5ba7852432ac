"""Linking: exports and the purchases they came from become the two detail forms of a refund declaration.

Exports of one tariff code, unit and rate share a 关联号; purchases of the same code and unit are used first in, first
out, each unit of quantity once.  Refund = ROUND(base × rate, 2), the rate being that of the day of export and never
above the tax that was paid.  What cannot be declared is left out, each with its reason; nothing here is guessed.

Known limits: VAT alone; goods on which consumption tax is refunded are declared elsewhere.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Final

from message_specs.amounts import number
from message_specs.findings import Finding, finding
from message_specs.tax.laws import Row, holds, in_force
from message_specs.trade.sharing import WIDE

NOTHING: Final = Decimal(0)
_FEN: Final = Decimal("0.01")
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

    @property
    def left(self) -> Decimal:
        """How much of it was not declared yet."""
        return self.whole - self.used

    def base_of(self, taken: Decimal) -> Decimal:
        """The taxable amount of the next so many; what rounding left over goes with the last.

        >>> line = Purchase("V", 1, "02", date(2026, 1, 1), "S", "0", "n", "007", *map(Decimal, ("3", "10", "13")))
        >>> [replace(line, used=Decimal(used)).base_of(Decimal(1)) for used in range(3)]
        [Decimal('3.33'), Decimal('3.34'), Decimal('3.33')]
        """
        before, after = (
            WIDE.divide(WIDE.multiply(self.base, part), self.whole).quantize(_FEN, ROUND_HALF_UP)
            for part in (self.used, self.used + taken)
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


def refund_of(base: Decimal, rate: Decimal) -> Decimal:
    """ROUND(base × rate, 2), the rate in percent.

    >>> refund_of(Decimal("600000"), Decimal("13")), refund_of(Decimal("0.05"), Decimal("10"))
    (Decimal('78000.00'), Decimal('0.01'))
    """
    return WIDE.divide(WIDE.multiply(base, rate), _WHOLE).quantize(_FEN, ROUND_HALF_UP)


@dataclass(frozen=True)
class Law:
    """The dated tables of one declaration, and its month and batch."""

    rebates: Sequence[Row]
    excluded: Sequence[Row]
    month: str
    batch: str

    def rate_on(self, hs: str, on: date) -> Decimal | None:
        """The rate of refund in percent on that day; None where the table has none."""
        row = in_force(self._by_code.get(hs, ()), on)
        return Decimal(row["rate"]) if row else None

    @cached_property
    def _by_code(self) -> Mapping[str, Sequence[Row]]:
        found: dict[str, list[Row]] = {}
        for row in self.rebates:
            found.setdefault(row["hs"], []).append(row)
        return found

    def is_excluded(self, hs: str, on: date) -> bool:
        """Whether these goods have neither refund nor exemption on that day."""
        return any(hs.startswith(row["hs"]) and holds(row, on) for row in self.excluded)


def link(exports: Iterable[Export], purchases: Sequence[Purchase], law: Law) -> Forms:
    """The forms of a declaration: all exports that these purchases cover, the earliest first."""
    found: list[Finding] = []
    groups: dict[tuple[str, str, Decimal], list[Export]] = {}
    units = {(one.hs, one.unit) for one in purchases if one.left > 0}
    for one in sorted(exports, key=lambda one: (one.exported_on, one.number)):
        placed = _placed(one, units, law)
        if isinstance(placed, Finding):
            found.append(placed)
        else:
            groups.setdefault((one.hs, *placed), []).append(one)
    left: dict[tuple[str, str], list[Purchase]] = {}
    for bought in sorted(purchases, key=lambda one: (one.issued_on, one.voucher, one.line)):
        left.setdefault((bought.hs, bought.unit), []).append(bought)
    export_rows: list[ExportRow] = []
    purchase_rows: list[PurchaseRow] = []
    links = 0
    for (hs, unit, rate), members in sorted(groups.items()):
        stock = left[hs, unit]
        covered = _covered(members, unit, stock)
        found += [_left_out(one, unit) for one in members[len(covered) :]]
        if not covered:
            continue
        links += 1
        serial = f"{law.month}{law.batch}{links:08d}"
        rows = [ExportRow(serial, one, unit, one.in_unit(unit) or NOTHING) for one in covered]
        export_rows += rows
        purchase_rows += _taken(stock, rate, sum((one.amount for one in rows), NOTHING), serial)
    found += _names(export_rows, purchase_rows)
    return Forms(tuple(export_rows), tuple(purchase_rows), tuple(found))


def _placed(one: Export, units: set[tuple[str, str]], law: Law) -> tuple[str, Decimal] | Finding:
    """In which unit and at which rate it can be declared, or why not."""
    if law.is_excluded(one.hs, one.exported_on):
        return finding("X116", path=one.number, value=one.hs, names=one.number, hs=one.hs)
    rate = law.rate_on(one.hs, one.exported_on)
    if rate is None or not rate:
        day = one.exported_on.isoformat()
        return finding("X105", path=one.number, value=one.hs, names=one.number, hs=one.hs, day=day)
    if one.fob is None:
        return finding("X111", path=one.number, names=one.number)
    for unit, amount in one.amounts:
        if (one.hs, unit) in units and amount > 0:
            return unit, rate
    return finding("X103", path=one.number, value=one.hs, names=one.number, hs=one.hs)


def _covered(members: Sequence[Export], unit: str, purchases: Sequence[Purchase]) -> list[Export]:
    room = sum((one.left for one in purchases), NOTHING)
    covered = []
    for one in members:
        room -= one.in_unit(unit) or NOTHING
        if room < 0:
            break
        covered.append(one)
    return covered


def _left_out(one: Export, unit: str) -> Finding:
    amount = number(one.in_unit(unit) or NOTHING)
    return finding("X121", path=one.number, value=amount, names=one.number, found=amount, hs=one.hs)


def _taken(stock: list[Purchase], rate: Decimal, wanted: Decimal, serial: str) -> Iterator[PurchaseRow]:
    """Yield the purchases that cover so many, and take them off the stock."""
    for place, one in enumerate(stock):
        if wanted <= 0:
            return
        if one.left <= 0:
            continue
        amount = min(one.left, wanted)
        base, lower = one.base_of(amount), min(rate, one.tax_rate)
        yield PurchaseRow(serial, one, amount, base, lower, refund_of(base, lower))
        stock[place] = replace(one, used=one.used + amount)
        wanted -= amount


def _names(exports: Sequence[ExportRow], purchases: Sequence[PurchaseRow]) -> Iterator[Finding]:
    """Yield a warning for each purchase whose name no export of its link has: the office holds them together."""
    names: dict[str, set[str]] = {}
    for row in exports:
        names.setdefault(row.link, set()).add(row.export.name)
    for bought in purchases:
        if bought.purchase.name not in names[bought.link]:
            place = f"{bought.purchase.voucher}/{bought.purchase.line}"
            other = "、".join(sorted(names[bought.link]))
            yield finding("X102", path=place, value=bought.purchase.name, found=bought.purchase.name, expected=other)
