"""Loaded exports: the general declarations (报关单) that a firm loaded, item by item, their values free on board.

A declaration counts once customs has closed it (结关); one that was deleted there is no export any more.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from gateway.purchases import DELETED, texts_of
from message_specs.amounts import amount
from message_specs.findings import Finding, finding
from message_specs.tax.forms import OVERSEAS, Export
from message_specs.tax.laws import Row, in_force
from message_specs.trade.sharing import WIDE, fen, shares

CLOSED: Final = "9"
_BEARS: Final = {"1": ("freight", "insuredFee"), "2": ("freight",), "3": (), "4": ("insuredFee",)}
"""What the price holds beside the goods, by the terms of delivery: 1 CIF, 2 C&F, 3 FOB, 4 C&I."""


def of_declaration(rows: Sequence[Any], dollars: Sequence[Row]) -> Iterator[Export | Finding]:
    """Yield the items of a declaration: freight and insurance are spread by value, the rest goes with the last."""
    loaded = [(row, texts_of(row["body"])) for row in rows]
    items = [(row, texts) for row, texts in loaded if texts.get("decState") != DELETED]
    if not items:
        return
    head = items[0][1]
    names = _BEARS.get(head.get("transMode", ""))
    if names is None:
        terms = head.get("transMode", "")
        yield finding("X126", path=rows[0]["declaration"], value=terms, names=rows[0]["declaration"], found=terms)
        return
    values = [amount(texts.get("totalPrice")) for _, texts in items]
    costs = shares(sum((amount(head.get(name)) for name in names), Decimal(0)), values)
    for (row, texts), value, cost in zip(items, values, costs, strict=True):
        number, on = f"{row['declaration']}{row['item']:03d}", date.fromisoformat(row["exported_on"])
        if texts.get("decState") != CLOSED:
            yield finding("X101", path=number, value=texts.get("decState"), names=number)
            continue
        amounts: dict[str, Decimal] = {}
        for unit, quantity in (("unit", "qty"), ("unit1", "qty1"), ("unit2", "qty2")):
            if texts.get(unit) and texts.get(quantity):
                amounts.setdefault(texts[unit], amount(texts[quantity]))
        in_usd = in_dollars(value - cost, texts.get("currency", ""), on, dollars)
        named = (texts.get("gcode", ""), texts.get("gname", "").strip())
        proof = texts.get("dlzm", "")
        yield Export(
            number, on, *named, tuple(amounts.items()), in_usd, texts.get("ckfphm", ""), row["declaration"],
            agency=f"{proof}{row['item']:02d}" if proof else "",
            mode=OVERSEAS if texts.get("tradeMode") == OVERSEAS else "",
        )  # fmt: skip


def in_dollars(value: Decimal, currency: str, on: date, dollars: Sequence[Row]) -> Decimal | None:
    """Return an amount in dollars by the rate of that day, half up; None where no rate is filed.

    >>> yuan = {"currency": "142", "since": "2026-01-01", "rate": "0.14"}
    >>> in_dollars(Decimal("7.1"), "142", date(2026, 1, 1), [yuan])
    Decimal('0.99')
    >>> in_dollars(Decimal("0.125"), "502", date(2026, 1, 1), [yuan | {"currency": "502", "rate": "1"}])
    Decimal('0.13')
    """
    row = in_force(dollars, on, currency=currency.strip())
    return fen(WIDE.multiply(value, Decimal(row["rate"]))) if row else None
