"""How freight and insurance are spread over the lines, and how an amount is rounded.

Spread by value, cut to the fen; the last line takes the rest, so the shares always make the whole.
The official rule for either is not published: rounding is configured (`[tax]` of kouan.toml).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Context, Decimal
from functools import cache

from message_specs.amounts import amount

WIDE = Context(prec=60)
_FEN = Decimal("0.01")
_NOTHING = Decimal(0)
_MODES = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN, "down": ROUND_DOWN, "up": ROUND_UP}


@dataclass(frozen=True, slots=True)
class Rounding:
    """The rule of rounding: how, to how many places, and whether each line or only the whole bill."""

    mode: str = "half_up"
    places: int = 2
    at: str = "bill"

    def of(self, value: Decimal) -> Decimal:
        """The amount as this rule rounds it.

        >>> Rounding().of(Decimal("123.529411")), Rounding("down").of(Decimal("123.529411"))
        (Decimal('123.53'), Decimal('123.52'))
        """
        return value.quantize(_quantum(self.places), _MODES[self.mode], WIDE)


def fen(value: Decimal) -> Decimal:
    """The amount to the fen, half up: ROUND(…, 2) of the tax office.

    >>> fen(Decimal("0.125")), fen(Decimal("-0.125"))
    (Decimal('0.13'), Decimal('-0.13'))
    """
    return value.quantize(_FEN, ROUND_HALF_UP, WIDE)


@cache
def _quantum(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)


def money(text: str | None) -> Decimal:
    """The amount a document writes; what is absent or no number counts as 0.

    >>> money("12.50"), money(None), money("NaN")
    (Decimal('12.50'), Decimal('0'), Decimal('0'))
    """
    found = amount(text)
    return found if found.is_finite() else _NOTHING


def shares(whole: Decimal, values: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """What each line bears of an amount, by its value.

    >>> shares(Decimal("10.00"), [Decimal(100), Decimal(100), Decimal(100)])
    (Decimal('3.33'), Decimal('3.33'), Decimal('3.34'))
    >>> shares(Decimal("8"), [Decimal(0), Decimal(0)])
    (Decimal('0.00'), Decimal('8.00'))
    """
    weights = [max(value, _NOTHING) for value in values]
    total = sum(weights, _NOTHING)
    if not weights:
        return ()
    if not total:
        cut = [_NOTHING.quantize(_FEN)] * (len(weights) - 1)
    else:
        cut = [_cut(WIDE.divide(WIDE.multiply(whole, weight), total)) for weight in weights[:-1]]
    return (*cut, WIDE.subtract(whole, sum(cut, _NOTHING.quantize(_FEN))))


def _cut(value: Decimal) -> Decimal:
    return value.quantize(_FEN, ROUND_DOWN, WIDE)
