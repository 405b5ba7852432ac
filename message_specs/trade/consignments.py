"""What a consignment is worth in yuan, as far as it can be told without a rate of exchange: between a least and a most.

Customs converts at its own rate of the month, which nobody here knows. exchange.csv holds bounds so wide that no such
rate leaves them, so what is surely above a limit and what is surely inside it can be told, and the rest is said not
to be known.

Known limits: only the goods count (totalPrice of the lines), without freight and insurance.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from message_specs.trade.packed import Texts
from message_specs.trade.papers import table
from message_specs.trade.sharing import money

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Worth:
    """At least and at most so many yuan; `most` is None where a currency is not in the table."""

    least: Decimal = _NOTHING
    most: Decimal | None = _NOTHING
    unknown: tuple[str, ...] = ()
    """The currencies that the table does not know."""
    sums: tuple[tuple[str, Decimal], ...] = ()
    """What the lines come to in each currency, in the order of the lines."""


@cache
def _bounds() -> dict[str, tuple[Decimal, Decimal]]:
    return {row["currency"]: (Decimal(row["least"]), Decimal(row["most"])) for row in table("exchange.csv")}


def worth(lines: Iterable[Texts]) -> Worth:
    """What these lines are worth.

    >>> told = worth([{"totalPrice": "750", "currency": "502"}, {"totalPrice": "10", "currency": "142"}])
    >>> told.least, told.most, told.sums
    (Decimal('4510'), Decimal('6010'), (('502', Decimal('750')), ('142', Decimal('10'))))
    >>> worth([{"totalPrice": "750", "currency": "999"}])
    Worth(least=Decimal('0'), most=None, unknown=('999',), sums=(('999', Decimal('750')),))
    """
    least, most = _NOTHING, _NOTHING
    unknown: dict[str, None] = {}
    sums: dict[str, Decimal] = {}
    for line in lines:
        price, currency = money(line.get("totalPrice")), line.get("currency", "").strip()
        sums[currency] = sums.get(currency, _NOTHING) + price
        if currency in _bounds():
            low, high = _bounds()[currency]
            least, most = least + price * low, most + price * high
        else:
            unknown[currency] = None
    return Worth(least, None if unknown else most, tuple(unknown), tuple(sums.items()))
