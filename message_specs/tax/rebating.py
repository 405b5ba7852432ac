"""Rebating: by which rate a tax is refunded, and which goods have no refund, by the law of the day of export.

Known limits: some codes have two rates in public tables, one for each of two kinds of goods; which of them holds nobody
can tell by the code, so the firm files the one that does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from message_specs.tax.laws import Row, holds, in_force


@dataclass(frozen=True)
class Law:
    """The dated tables of one declaration, and its month and batch."""

    rebates: Sequence[Row]
    excluded: Sequence[Row]
    month: str
    batch: str

    def rates_on(self, hs: str, on: date) -> tuple[Decimal, ...]:
        """The rate of refund in percent on that day; several where the table has several, none where it has none.

        >>> law = Law([{"hs": "1901200000", "valid_from": "2019-07-01", "valid_to": "", "rate": "9|13"}], (), "", "")
        >>> law.rates_on("1901200000", date(2026, 1, 1)), law.rates_on("1901200000", date(2019, 6, 30))
        ((Decimal('9'), Decimal('13')), ())
        """
        row = in_force(self._by_code.get(hs, ()), on)
        return tuple(Decimal(one) for one in row["rate"].split("|")) if row else ()

    @cached_property
    def _by_code(self) -> Mapping[str, Sequence[Row]]:
        found: dict[str, list[Row]] = {}
        for row in self.rebates:
            found.setdefault(row["hs"], []).append(row)
        return found

    def is_excluded(self, hs: str, on: date) -> bool:
        """Whether these goods have neither refund nor exemption on that day."""
        return any(hs.startswith(row["hs"]) and holds(row, on) for row in self.excluded)
