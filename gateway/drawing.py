"""Drawing: a complete trade becomes the inventory of the enterprise that arranged for it.

Order, payment, waybill and filed goods are joined in a table, and the table is taken in like a file of that
enterprise: stored, mapped, checked, matched, taxed, signed and sent by the same desks, its copNo made from the order.
So the evidence of a drawn inventory tells where each of its values came from, whatever is filed later.

| a crash after | leaves | and the next look |
|---|---|---|
| joined | nothing | draws it up again |
| taken in, not written | a table without a row, set aside at start | draws it up again |
| written | the trade declared, or the refusal | finds it and draws nothing: the rows are the same |

Known limits: a map that was mended draws nothing again by itself: replay the table that was refused.
"""

import csv
import io
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

import msgspec

from gateway import mishap
from gateway.config import House
from gateway.draws import Arranged, Arrangements
from message_specs.catalog import catalog
from message_specs.trade.choosing import Chosen
from message_specs.trade.goods import Goods
from message_specs.trade.joining import Joined, Row, cop_no, joined, rows_of, table_of
from message_specs.trade.marking import mark_of
from message_specs.trade.papers import Paper
from spool.errors import Told
from spool.interchange import Batch, Claim
from spool.ledger import Ledger
from spool.number import Numbers
from spool.states import State
from spool.store import is_of_the_disk

if TYPE_CHECKING:
    from gateway.clerk import Clerk

DOOR: Final = "drawing"
MOST: Final = 100
"""So many inventories are drawn up in one table."""


def goods_mark(partner: str) -> int:
    """Return what a dossier awaits whose goods the partner has yet to file."""
    return mark_of("goods", partner)


def goods_came(ledger: Ledger, house: House, at: str) -> None:
    """Every trade that waited for goods is looked at again: the house was read anew."""
    marks = [goods_mark(name) for name, partner in house.partners.items() if partner.draws]
    waiting = [(mark, row["number"]) for mark in marks for row in ledger.all("awaiting", f"[{mark}]")]
    if not waiting:
        return
    with ledger.writing():
        ledger.run_many("wake_dossier", [(at, dossier) for _, dossier in waiting])
        # Who still lacks something awaits it again when he is looked at.
        ledger.run_many("no_longer_awaited", [(mark, dossier, 0) for mark, dossier in waiting])


@dataclass(frozen=True, slots=True)
class Drawn:
    """An inventory to be drawn up: for whom, its rows, and by which mark its trade is known."""

    arranged: Arranged
    rows: tuple[Row, ...]
    dossier: int = 0


class Drawing:
    """Draws up inventories by one reading of the configuration."""

    def __init__(self, clerk: "Clerk", numbers: Numbers) -> None:
        """`numbers` gives the tables theirs; `news` is who has something in his out/."""
        self._clerk = clerk
        self._numbers = numbers
        self._arrangements = Arrangements(clerk.house.partners)
        self.news: set[str] = set()
        self._goods = {name: Goods(rows) for name, rows in clerk.house.goods.items()}

    def arranged(self, chosen: Chosen) -> Arranged | None:
        """Return the arrangement for a trade whose order is there."""
        order = chosen.order
        return None if order is None else self._arrangements.of(order.spec, order.head)

    def join(self, arranged: Arranged, chosen: Chosen, today: date) -> Joined:
        """Return the rows of the trade's inventory, or what the partner has yet to file."""
        draw = arranged.draw
        values = {**draw.values, "tradeMode": draw.mode}
        return joined(chosen, self._goods.get(arranged.partner, Goods()), values, today)

    def before(self, arranged: Arranged, order: Paper) -> "Before | None":
        """Return the newest inventory of this order and its rows, where it was drawn up."""
        spec, partner = catalog().specs[arranged.draw.spec], self._clerk.house.partner(arranged.partner)
        copno = cop_no(*[order.head.get(name, "") for name in ("ebpCode", "ebcCode", "orderNo")])
        texts = {**order.head, "agentCode": partner.code, "copNo": copno}
        key = "|".join(texts.get(path.rpartition("/")[2], "").strip() for path in spec.key)
        ledger = self._clerk.ledger
        found = [row for row in ledger.all("documents_by_key", key) if row["spec"] == spec.code]
        if not found:
            return None
        row = max(found, key=lambda one: (one["number"], one["ordinal"]))
        interchange = ledger.one("interchange", row["number"])
        assert interchange is not None
        name = f"{row['number']}.{row['ordinal']}"
        if interchange["door"] != DOOR:
            return Before(name, row["state"], ())
        data = self._clerk.store.read(interchange["evidence"])
        return Before(name, row["state"], rows_of(csv.reader(io.StringIO(data.decode())), copno))

    def draw(self, ready: Sequence[Drawn]) -> set[int]:
        """Every one of these is in the ledger, by hundreds a table; return the dossiers whose table has a refusal."""
        groups: dict[tuple[str, str, str], list[Drawn]] = {}
        for one in ready:
            draw = one.arranged.draw
            groups.setdefault((one.arranged.partner, draw.spec, draw.map_name), []).append(one)
        refused: set[int] = set()
        for group in groups.values():
            for first in range(0, len(group), MOST):
                refused |= self._draw(group[first : first + MOST])
        return refused

    def _draw(self, group: Sequence[Drawn]) -> set[int]:
        """A table that costs the clerk his nerves is taken apart, and the one inventory that does is held."""
        batch = self._batch(group)
        try:
            parting = self._clerk.take_in(batch)
            self.news |= parting.news
            is_refused = any(_has_refusal(answer) for answer in parting.answers.values())
            return {one.dossier for one in group} if is_refused else set()
        except (OSError, Told):
            raise
        except Exception as trouble:
            if is_of_the_disk(trouble) or self._clerk.ledger.one("batch", batch.first):
                raise
            reason = traceback.format_exc(limit=-6)
            if len(group) == 1:
                mishap.hold(self._clerk, batch, reason)
                return set()
            return set().union(*[self._draw([one]) for one in group])

    def _batch(self, group: Sequence[Drawn]) -> Batch:
        partner, draw = group[0].arranged.partner, group[0].arranged.draw
        body, map_name = written(table_of(draw.spec, [row for one in group for row in one.rows])), draw.map_name
        number = self._numbers.take(1)[0]
        claim = Claim(number, partner, DOOR, f"{map_name}.{DOOR}.{number}.csv", body=body)
        row = self._clerk.ledger.one("low_water")
        return Batch(number, number, (row["low_water"] if row else None) or 0, (claim,))


def _has_refusal(acknowledgement: bytes) -> bool:
    return any(one["state"] == State.REFUSED for one in msgspec.json.decode(acknowledgement)["documents"])


@dataclass(frozen=True, slots=True)
class Before:
    """An inventory that stands in the ledger for an order, and the rows of which it was drawn up."""

    name: str
    state: str
    rows: tuple[Mapping[str, str], ...]

    @property
    def is_over(self) -> bool:
        """Tell whether it was refused, so that another may follow."""
        return self.state == State.REFUSED


def written(cells: Sequence[Sequence[str]]) -> bytes:
    """Return the table as it is stored."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(cells)
    return text.getvalue().encode()
