"""The tax on a retail import as the notices reckon it: line by line, with every figure on the way.

P is goods, freight and insurance. Duty is P·d; consumption tax (P + duty)·c / (1 − c); VAT (P + duty + consumption
tax)·v. Inside the limits d is 0 and a factor (0.7) is levied of the other two; the base of VAT has the whole
consumption tax all the same (财关税〔2016〕18号). Figures are exact until the rule of rounding is applied, once.

**Known limits.** Specific and compound consumption tax is said to be unknown, never guessed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from message_specs.findings import Finding, finding
from message_specs.trade.limits import Limits, Standing, standing
from message_specs.trade.rates import Consumption, Rate, Rates, measures
from message_specs.trade.sharing import WIDE, Rounding, money, shares

Texts = Mapping[str, str]
_NOTHING = Decimal(0)
_WHOLE = Decimal(100)


@dataclass(frozen=True, slots=True)
class Taxes:
    """The three taxes in yuan."""

    duty: Decimal = _NOTHING
    consumption: Decimal = _NOTHING
    vat: Decimal = _NOTHING

    @property
    def total(self) -> Decimal:
        """The three together."""
        return WIDE.add(WIDE.add(self.duty, self.consumption), self.vat)

    def rounded(self, rounding: Rounding) -> "Taxes":
        """Each of the three as the rule rounds it."""
        return Taxes(rounding.of(self.duty), rounding.of(self.consumption), rounding.of(self.vat))

    def plus(self, other: "Taxes") -> "Taxes":
        """Each of the three of both together."""
        consumption = WIDE.add(self.consumption, other.consumption)
        return Taxes(WIDE.add(self.duty, other.duty), consumption, WIDE.add(self.vat, other.vat))


@dataclass(frozen=True, slots=True)
class LineTax:
    """One line: its taxable value and what it is made of, the rates applied, the taxes; None where not predicted."""

    gnum: int
    hs: str
    goods: Decimal
    freight: Decimal
    insurance: Decimal
    value: Decimal
    rate: Rate | None = None
    unit_price: Decimal | None = None
    consumption_rate: Decimal | None = None
    statutory: Taxes | None = None
    payable: Taxes | None = None
    shown: Taxes | None = None


@dataclass(frozen=True, slots=True)
class Purchase:
    """What an inventory is worth in yuan, how many items it holds, and how it stands to the single limit."""

    goods: Decimal
    freight: Decimal
    insurance: Decimal
    value: Decimal
    items: Decimal
    standing: Standing


@dataclass(frozen=True, slots=True)
class Prediction:
    """What customs is expected to levy on an inventory; `payable` is None while one line cannot be told."""

    on: date
    purchase: Purchase
    limits: Limits
    factor: Decimal
    rounding: Rounding
    lines: tuple[LineTax, ...]
    payable: Taxes | None
    findings: tuple[Finding, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Every figure under its name, numbers as text, without the findings."""
        told = {name: value for name, value in asdict(self).items() if name != "findings"}
        plain: dict[str, Any] = _plain(told)
        return plain


@dataclass(frozen=True, slots=True)
class Terms:
    """The law of one prediction: the day, the table, the limits of the day and the rule of rounding."""

    on: date
    rates: Rates
    limits: Limits
    rounding: Rounding = field(default_factory=Rounding)


def purchase_of(head: Texts, lines: Sequence[Texts], limits: Limits) -> Purchase:
    """What the inventory is worth: a line by its totalPrice, freight and insurance by the head."""
    goods, items = _NOTHING, _NOTHING
    for line in lines:
        goods = WIDE.add(goods, _worth(line.get("totalPrice")))
        items = WIDE.add(items, money(line.get("qty")))
    freight, insurance = _worth(head.get("freight")), _worth(head.get("insuredFee"))
    value = WIDE.add(goods, WIDE.add(freight, insurance))
    # Two halves in two lines are no single item, though their quantities come to 1.
    alone = len(lines) == 1 and items == 1
    return Purchase(goods, freight, insurance, value, items, standing(value, limits, alone=alone))


def _worth(text: str | None) -> Decimal:
    """What a document writes, never below 0: a freight of less than nothing would open a limit (C130 tells of it)."""
    return max(money(text), _NOTHING)


def taxable_values(head: Texts, lines: Sequence[Texts]) -> dict[int, Decimal]:
    """The taxable value of each line by gnum: its totalPrice with its part of freight and insurance."""
    goods = [_worth(line.get("totalPrice")) for line in lines]
    freight, insurance = (shares(_worth(head.get(name)), goods) for name in ("freight", "insuredFee"))
    parts = enumerate(zip(lines, goods, freight, insurance, strict=True), 1)
    bare = [_bare(ordinal, *part) for ordinal, part in parts]
    return {one.gnum: one.value for one in bare}


def untold(lines: Sequence[Texts], terms: Terms) -> tuple[Finding, ...]:
    """What keeps a line from being predicted, by its code and quantities alone; dear findings, cheap silence."""
    found = []
    for ordinal, line in enumerate(lines, 1):
        hs = line.get("gcode", "")
        if code := _untold(terms.rates.on(hs, terms.on), line):
            place = f"InventoryList[{ordinal}]/gcode"
            found.append(finding(code, path=place, value=hs, hs=hs, day=terms.on.isoformat()))
    return tuple(found)


def _untold(rate: Rate | None, line: Texts) -> str:
    if rate is None:
        return "T301"
    if rate.ct_type in (Consumption.SPECIFIC, Consumption.COMPOUND):
        return "T302"
    asks = rate.ct_type is Consumption.THRESHOLD
    return "T303" if asks and (rate.ct_threshold is None or measure(rate.ct_per, line) is None) else ""


def predict(head: Texts, lines: Sequence[Texts], terms: Terms) -> Prediction:
    """The prediction for an inventory's head and lines under these terms."""
    purchase = purchase_of(head, lines, terms.limits)
    inside = purchase.standing is Standing.INSIDE
    goods = [_worth(line.get("totalPrice")) for line in lines]
    parts = zip(lines, goods, shares(purchase.freight, goods), shares(purchase.insurance, goods), strict=True)
    taxed = tuple(
        _line(line, _bare(ordinal, line, price, sent, insured), terms, inside=inside)
        for ordinal, (line, price, sent, insured) in enumerate(parts, 1)
    )
    return Prediction(
        terms.on,
        purchase,
        terms.limits,
        terms.limits.factor if inside else Decimal(1),
        terms.rounding,
        taxed,
        _sum(taxed, terms.rounding),
        untold(lines, terms) if any([one.payable is None for one in taxed]) else (),  # noqa: C419  quicker for few
    )


def _bare(ordinal: int, line: Texts, goods: Decimal, freight: Decimal, insurance: Decimal) -> LineTax:
    told = line.get("gnum", "")
    gnum = int(told) if told.isascii() and told.isdigit() else ordinal
    value = WIDE.add(goods, WIDE.add(freight, insurance))
    return LineTax(gnum, line.get("gcode", ""), goods, freight, insurance, value)


def _line(line: Texts, bare: LineTax, terms: Terms, *, inside: bool) -> LineTax:
    rate = terms.rates.on(bare.hs, terms.on)
    if rate is None or _untold(rate, line):
        return replace(bare, rate=rate)
    duty = _NOTHING if inside else _part(bare.value, rate.duty)
    base = WIDE.add(bare.value, duty)
    price, levied = _consumption(rate, base, line)
    consumption = WIDE.divide(WIDE.multiply(base, levied), _WHOLE - levied)
    statutory = Taxes(duty, consumption, _part(WIDE.add(base, consumption), rate.vat))
    factor = terms.limits.factor if inside else Decimal(1)
    payable = Taxes(duty, WIDE.multiply(consumption, factor), WIDE.multiply(statutory.vat, factor))
    # Written out for speed: `replace` takes as long as all that is reckoned here.
    return LineTax(
        bare.gnum, bare.hs, bare.goods, bare.freight, bare.insurance, bare.value, rate, price, levied, statutory,
        payable, payable.rounded(terms.rounding),
    )  # fmt: skip


def _part(value: Decimal, percent: Decimal) -> Decimal:
    return WIDE.divide(WIDE.multiply(value, percent), _WHOLE)


def _consumption(rate: Rate, base: Decimal, line: Texts) -> tuple[Decimal | None, Decimal]:
    """The price of a unit where one is asked for, and the percent of consumption tax levied."""
    levied = rate.ct_rate or _NOTHING
    if rate.ct_type is not Consumption.THRESHOLD:
        return None, levied
    measured = measure(rate.ct_per, line)
    assert measured is not None
    assert rate.ct_threshold is not None
    price = WIDE.divide(base, measured)
    return price, levied if price >= rate.ct_threshold else _NOTHING


def measure(per: str, line: Texts) -> Decimal | None:
    """How many grams, millilitres or pieces a line is by its statutory quantities; None where they do not tell.

    >>> measure("g", {"qty1": "0.05", "unit1": "035"}), measure("piece", {"qty1": "0.05", "unit1": "035"})
    (Decimal('50.00'), None)
    """
    for way in measures(per) if per else ():
        for quantity, unit in (("qty1", "unit1"), ("qty2", "unit2")):
            if line.get(unit, "").strip() == way.unit:
                found = money(line.get(quantity))
                if found > 0:
                    return WIDE.multiply(found, way.factor)
    return None


def _sum(lines: Sequence[LineTax], rounding: Rounding) -> Taxes | None:
    total = Taxes()
    for line in lines:
        if line.payable is None or line.shown is None:
            return None
        total = total.plus(line.shown if rounding.at == "line" else line.payable)
    return total.rounded(rounding)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value if value is None or isinstance(value, int) else str(value)
