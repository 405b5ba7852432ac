"""Duty, value-added tax and consumption tax as customs reckons them: its own few rates, its own rounding.

Within the limits duty is nothing and the other two are taken at 70 percent; a
single indivisible item above the single limit pays all three in full.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

SINGLE_LIMIT, YEARLY_LIMIT = Decimal(5000), Decimal(26000)
_SHARE = Decimal("0.7")
_FEN = Decimal("0.01")
_ZERO = Decimal(0)
# Beginnings of tariff codes: duty, value-added tax, consumption tax in percent; the longest beginning holds.
_RATES = {
    "": (10, 13, 0), "01": (10, 9, 0), "02": (12, 9, 0), "03": (7, 9, 0), "04": (12, 13, 0), "0401": (15, 9, 0),
    "06": (10, 9, 0), "07": (13, 9, 0), "08": (30, 9, 0), "10": (20, 9, 0), "19": (15, 13, 0), "21": (15, 13, 0),
    "22": (20, 13, 0), "2204": (14, 13, 10), "3303": (3, 13, 15), "3304": (5, 13, 15), "33051": (3, 13, 0),
    "4901": (0, 9, 0), "7113": (8, 13, 10), "9101": (8, 13, 20),
}  # fmt: skip
# Cosmetics pay consumption tax from this price a gram or millilitre on.
_COSMETICS = ("3303", "3304")
_COSMETICS_FROM = Decimal(10)
_GRAMS = {"035": 1000, "036": 1, "095": 1000, "096": 1}


@dataclass(frozen=True, slots=True)
class Line:
    """The tax of one line."""

    gnum: str
    gcode: str
    value: Decimal
    duty: Decimal
    vat: Decimal
    consumption: Decimal


def taxable(head: Mapping[str, str], lines: Sequence[Mapping[str, str]]) -> Decimal:
    """Return what is taxed: goods, freight and insurance together.

    >>> taxable({"freight": "8"}, [{"totalPrice": "92.00"}])
    Decimal('100.00')
    """
    return sum((number(line.get("totalPrice")) for line in lines), _carriage(head))


def reckon(head: Mapping[str, str], lines: Sequence[Mapping[str, str]]) -> list[Line]:
    """Return the tax of every line; freight and insurance are spread by value, the last line takes the rest.

    >>> [(line.vat, line.consumption) for line in reckon({}, [{"gcode": "3304990029", "totalPrice": "1000"}])]
    [(Decimal('107.06'), Decimal('123.53'))]
    """
    values = _spread(_carriage(head), [number(line.get("totalPrice")) for line in lines])
    full = sum(values, _ZERO) > SINGLE_LIMIT
    return [_line(line, value, full=full) for line, value in zip(lines, values, strict=True)]


def is_single_item(lines: Sequence[Mapping[str, str]]) -> bool:
    """Whether an order holds exactly one thing."""
    return len(lines) == 1 and number(lines[0].get("qty")) == 1


def number(text: str | None) -> Decimal:
    """Return a value of the schema's decimals; nothing is nought."""
    return Decimal(text) if text else _ZERO


def _carriage(head: Mapping[str, str]) -> Decimal:
    return number(head.get("freight")) + number(head.get("insuredFee"))


def _line(line: Mapping[str, str], value: Decimal, *, full: bool) -> Line:
    code = line.get("gcode", "")
    duty_rate, vat_rate, consumption_rate = (Decimal(rate) / 100 for rate in _rates(code))
    if code.startswith(_COSMETICS) and not _is_dear(line, value):
        consumption_rate = _ZERO
    duty = value * duty_rate if full else _ZERO
    consumption = (value + duty) / (1 - consumption_rate) * consumption_rate
    vat = (value + duty + consumption) * vat_rate
    share = Decimal(1) if full else _SHARE
    return Line(line.get("gnum", ""), code, value, _fen(duty), _fen(vat * share), _fen(consumption * share))


def _is_dear(line: Mapping[str, str], value: Decimal) -> bool:
    grams = number(line.get("qty1")) * _GRAMS.get(line.get("unit1", ""), 0)
    return not grams or value / grams >= _COSMETICS_FROM


def _rates(code: str) -> tuple[int, int, int]:
    return next(_RATES[code[:length]] for length in range(len(code), -1, -1) if code[:length] in _RATES)


def _spread(amount: Decimal, values: Sequence[Decimal]) -> list[Decimal]:
    total = sum(values, _ZERO)
    shares = [_fen(amount * value / total) if total else _ZERO for value in values]
    if shares:
        shares[-1] = amount - sum(shares[:-1], _ZERO)
    return [value + share for value, share in zip(values, shares, strict=True)]


def _fen(amount: Decimal) -> Decimal:
    return amount.quantize(_FEN, ROUND_HALF_UP)
