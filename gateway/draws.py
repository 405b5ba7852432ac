"""Drawing arrangements: in whose name the inventory of an order is drawn up, if in anybody's."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from gateway.config_shapes import Draw, Partner
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
        self._by_merchant: dict[tuple[str, str], Arranged] = {}
        for name, partner in partners.items():
            for draw in partner.draws:
                if partner.suspended:
                    continue
                for merchant in draw.merchants:
                    self._by_merchant[(spec_of("order", side_of(draw.spec)), merchant)] = Arranged(name, draw)

    def of(self, spec: str, merchant: str) -> Arranged | None:
        """Return the arrangement for an order of this spec and merchant, his own before one for all."""
        return self._by_merchant.get((spec, merchant)) or self._by_merchant.get((spec, ANY))
