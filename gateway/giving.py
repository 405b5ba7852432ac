"""Giving back: what an inventory used of its buyer's year is free again when customs returned or cancelled it.

A return of goods gives back the deal value of what came back; freight and
insurance stay used.  Records are written by document, so doing it again changes
nothing.

Known limits: which year a purchase counts for is told by the number of its inventory, so one that waited over New
Year is looked for in both years.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import msgspec

from message_specs.amounts import amount
from message_specs.trade import quotas
from message_specs.trade.life import Life
from message_specs.trade.limits import limits_on
from message_specs.trade.papers import Paper, marks_of
from message_specs.trade.persons import person_mark
from message_specs.trade.taxing import purchase_of
from spool.ledger import Ledger
from spool.number import came_at
from spool.states import State

_ACCEPTED: Final = frozenset({"399", "800"})
_ON_RELEASE: Final = frozenset({"released", "closed"})


@dataclass(frozen=True, slots=True)
class Kept:
    """A record as it is to stand, and the revision from which that was reckoned."""

    key: str
    value: str
    revision: int


def used_of(
    ledger: Ledger, inventory: Paper, refunds: Iterable[Paper], life: Life, when: str, secret: bytes
) -> Iterator[Kept]:
    """Yield the records of the buyer's year as this inventory leaves them; `when` purchases count as configured."""
    person = inventory.head.get("buyerIdNumber", "").strip()
    orders = marks_of("order", inventory.spec, inventory.head)
    if inventory.spec != "CEB621" or not person or when == "never" or not orders:
        return
    name = str(orders[0])
    year = came_at(inventory.number).year
    keys = [f"quota|{person_mark(person, secret)}|{one}" for one in (year, year + 1)]
    for row in ledger.all("records", msgspec.json.encode(keys).decode()):
        value = _after(row["value"] or None, name, inventory, refunds, life)
        if (value or "") != row["value"]:
            yield Kept(row["key"], value or "", row["revision"])
        keys.remove(row["key"])
    if when == "released" and life.phase in _ON_RELEASE and keys[:1] == [f"quota|{person_mark(person, secret)}|{year}"]:
        yield Kept(keys[0], quotas.counted(None, name, _value(inventory)) or "", 0)


def _after(value: str | None, name: str, inventory: Paper, refunds: Iterable[Paper], life: Life) -> str | None:
    if life.phase == "void" or (life.phase == "open" and (life.said or inventory.state == State.REFUSED)):
        return quotas.given_back(value, name)
    if life.phase in _ON_RELEASE and name not in (value or ""):
        value = quotas.counted(value, name, _value(inventory))
    for refund in refunds:
        if refund.status in _ACCEPTED:
            value = quotas.refunded(value, name, refund.name, _returned(inventory, refund))
    return value


def _value(inventory: Paper) -> Decimal:
    return purchase_of(inventory.head, inventory.lines, limits_on(came_at(inventory.number).date())).value


def _returned(inventory: Paper, refund: Paper) -> Decimal:
    """Return the deal value of what comes back: of each line the share of its quantity."""
    declared = {line.get("gnum", ""): line for line in inventory.lines}
    total = Decimal(0)
    for line in refund.lines:
        original = declared.get(line.get("gnum", ""), {})
        if whole := amount(original.get("qty")):
            total += amount(original.get("totalPrice")) * amount(line.get("qty")) / whole
    return total.quantize(Decimal("0.01"))
