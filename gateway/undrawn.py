"""Why an inventory that is drawn up is not there yet: for whom it will be, and what has to be filed or mended first.

What is told here is reckoned anew from the configuration and the papers, not read from old notices.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from gateway.config_shapes import Partner
from gateway.draws import Arranged, Arrangements
from gateway.gathering import Trade
from message_specs.findings import Finding, finding
from message_specs.trade.goods import Good, Goods
from message_specs.trade.joining import joined
from message_specs.trade.waiting import missing

_STUCK: Final = ("T704", "T705")
_WILL_BE: Final = "T707"


@dataclass(frozen=True, slots=True)
class Undrawn:
    """In whose name the inventory of a trade is drawn up, in which mode, and why it is not there."""

    partner: str
    mode: str
    findings: tuple[Finding, ...]


class ToBeDrawn:
    """Tells of the trades whose inventories are drawn up, by one reading of the configuration."""

    def __init__(self, partners: Mapping[str, Partner], goods: Mapping[str, tuple[Good, ...]]) -> None:
        """`goods` are what each partner has filed."""
        self._arrangements = Arrangements(partners)
        self._goods = {name: Goods(rows) for name, rows in goods.items()}

    def of(self, trade: Trade, today: date) -> Undrawn | None:
        """Return what keeps an open trade from having its inventory drawn up; None where nobody arranged for it."""
        order = trade.sure.order
        if trade.row["phase"] != "open" or order is None or trade.sure.inventory is not None:
            return None
        arranged = self._arrangements.of(order.spec, order.head)
        if arranged is None:
            return None
        return Undrawn(arranged.partner, arranged.draw.mode, self._why(trade, arranged, today))

    def _why(self, trade: Trade, arranged: Arranged, today: date) -> tuple[Finding, ...]:
        draw, waits = arranged.draw, (finding(_WILL_BE, partner=arranged.partner),)
        if missing(trade.sure, draw.mode, today):
            return waits
        stuck, _, name = (trade.row["why"] or "").partition(" ")
        if stuck in _STUCK:
            return (finding(stuck, names=name),)
        values = {**draw.values, "tradeMode": draw.mode}
        filed = self._goods.get(arranged.partner, Goods())
        return joined(trade.sure, filed, values, today).lacking or waits
