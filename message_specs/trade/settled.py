"""Which orders a record of foreign exchange settles, by all its versions, and how much of each changes hands.

A record names its orders in its TradeList.  Where there is no platform (无) the merchant stands beside it, as in the
marks of export orders.  Income (BOPA) that becomes yuan and a settlement (JSHD) sell foreign exchange; the part of a
remittance (BOPB) that is bought for it and a purchase (JSHE) buy it: what a trade is worth is sold once and bought
once, by whichever records.
"""

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Final

from message_specs.amounts import amount
from message_specs.trade.marking import mark_of
from message_specs.trade.packed import Texts
from message_specs.trade.papers import NOBODY, Paper

OTHER_KIND: Final[Mapping[str, str]] = MappingProxyType(
    {"BOPA": "JSHD", "JSHD": "BOPA", "BOPB": "JSHE", "JSHE": "BOPB"}
)
"""Which other records sell, or buy, for the same trades."""
LISTS: Final = ("JSHD", "JSHE")
_DELETES: Final = "3"
_TAKEN: Final = "closed"
_REFUSED: Final = "refused"
_CENT: Final = Decimal("0.01")


def order_mark(line: Texts) -> int:
    """The mark of the order that a line of a TradeList names.

    >>> order_mark({"ebpCode": "无", "ebcCode": "M1", "orderNo": "A1"}) == mark_of("order", "无", "M1", "A1")
    True
    """
    return mark_of("order", *order_named(line))


def order_named(line: Texts) -> tuple[str, str]:
    """The platform, with the merchant where there is none, and the number of the order that such a line names."""
    platform = line.get("ebpCode", "").strip()
    if platform == NOBODY:
        platform += f"|{line.get('ebcCode', '').strip()}"
    return platform, line.get("orderNo", "")


def by_order(lines: Iterable[Texts]) -> dict[int, dict[str, str]]:
    """The lines by the mark of their orders; an order that is named twice has both amounts.

    >>> lines = [{"orderNo": "A", "amount": "1"}, {"orderNo": "A", "amount": "2.5"}]
    >>> [one["amount"] for one in by_order(lines).values()]
    ['3.5']
    """
    found: dict[int, dict[str, str]] = {}
    for line in lines:
        mark = order_mark(line)
        before = amount(found[mark]["amount"]) if mark in found else None
        told = dict(line)
        if before is not None:
            told["amount"] = f"{before + amount(line.get('amount')):f}"
        found[mark] = told
    return found


def exchanged(spec: str, head: Texts) -> tuple[str, Decimal]:
    """The currency and the amount of a record that is sold for yuan, or bought with them."""
    if spec in LISTS:
        return head.get("FCYCCY", ""), amount(head.get("FCYAMT"))
    return head.get("TXCCY", ""), amount(head.get("LCYAMT"))


def part_of(spec: str, head: Texts, line: Texts) -> Decimal:
    """How much of a line is sold or bought: of a remittance the share that is bought, of income none without yuan.

    >>> part_of("BOPB", {"TXAMT": "100", "LCYAMT": "60"}, {"amount": "50"}), part_of("BOPA", {}, {"amount": "50"})
    (Decimal('30.00'), Decimal('0'))
    """
    told = amount(line.get("amount"))
    if spec in LISTS:
        return told
    yuan, whole = amount(head.get("LCYAMT")), amount(head.get("TXAMT"))
    if spec == "BOPA" or whole <= 0:
        return told if yuan > 0 else Decimal(0)
    return (told * yuan / whole).quantize(_CENT, ROUND_HALF_UP)


def standing(versions: Iterable[Paper]) -> tuple[Paper, ...]:
    """The versions of a record that may be what holds: the newest that was taken and all after it; no deletion.

    A deletion that was taken ends those before it; one that is under way does not yet.
    """
    alive = sorted((one for one in versions if one.state != _REFUSED), key=_place)
    taken = [place for place, one in enumerate(alive) if one.state == _TAKEN]
    since = alive[taken[-1] :] if taken else alive
    return tuple(one for one in since if one.app_type != _DELETES)


def _place(one: Paper) -> tuple[int, int, int]:
    return one.version, one.number, one.ordinal


def users(versions: Iterable[Paper], order: int) -> tuple[Paper, ...]:
    """Of the versions of one record those that settle the order, as far as they may be what holds."""
    return tuple(one for one in standing(versions) if order in by_order(one.lines))
