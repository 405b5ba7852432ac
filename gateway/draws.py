"""Drawing arrangements: in whose name the inventory of an order is drawn up, if in anybody's."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from gateway.config_shapes import Draw, Partner
from message_specs.codes import order_types_of
from message_specs.trade.joining import spec_of
from message_specs.trade.papers import side_of

ANY: Final = "*"


@dataclass(frozen=True, slots=True)
class Arranged:
    """An arrangement and the partner who has it."""

    partner: str
    draw: Draw


class Arrangements:
    """Which inventories are drawn up for whom, by one reading of the configuration."""

    def __init__(self, partners: Mapping[str, Partner] = MappingProxyType({})) -> None:
        self._by_merchant: dict[tuple[str, str, str], Arranged] = {}
        for name, partner in partners.items():
            for draw in partner.draws:
                if partner.suspended:
                    continue
                spec = spec_of("order", side_of(draw.spec))
                for merchant in draw.merchants:
                    for kind in kinds_of(draw):
                        self._by_merchant[(spec, merchant, kind)] = Arranged(name, draw)

    def of(self, spec: str, head: Mapping[str, str | None]) -> Arranged | None:
        """Return the arrangement for an order, that of its merchant before one for all.

        An export order of another type than the mode of the arrangement rests on is none of its business: a booking
        (W) is not declared as a retail export.
        """
        merchant, kind = (head.get("ebcCode") or "").strip(), ""
        if side_of(spec) == "export":
            kind = (head.get("orderType") or "").strip()
        return self._by_merchant.get((spec, merchant, kind)) or self._by_merchant.get((spec, ANY, kind))


def kinds_of(draw: Draw) -> tuple[str, ...]:
    """Return the types of order for which an arrangement is made; of imports there is one.

    >>> kinds_of(Draw("CEB603", "9810")), kinds_of(Draw("CEB621", "9610"))
    (('W',), ('',))
    """
    return order_types_of(draw.mode) if side_of(draw.spec) == "export" else ("",)
