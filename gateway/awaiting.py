"""Awaiting: by which marks a document waits for its fellows; written while it waits, taken away when that is over.

What is awaited at one decision need not be at the next: an inventory without a waybill awaits whatever has its order
number, and the payment that its order names until that is here.  So all that it may ever have awaited is taken away,
reckoned from its own marks and from its orders, and nothing is asked.

Known limits: what was awaited only beside an order that has been changed to another payment since, and what waited
when an operator refused it, stays.
"""

from collections.abc import Collection, Mapping

import msgspec

from gateway.case import Case
from gateway.desks import Records
from message_specs.trade.papers import marks_of
from spool.ledger import Ledger

Place = tuple[int, int]
Marks = Collection[int]
_TOLD_BY_ORDERS = ("payment", "order")


def ever_awaited(case: Case, decided: Marks, records: Records) -> set[int]:
    """Return all that a document may have awaited: by these marks it was decided at last."""
    found = {mark for marks in case.marks.values() for mark in marks}
    found.update(decided)
    orders = [one for one in records.papers(decided) if one.kind == "order"]
    found.update(mark for one in orders for kind in _TOLD_BY_ORDERS for mark in marks_of(kind, one.spec, one.head))
    return found


def write(ledger: Ledger, waiting: Mapping[Place, Marks], over: Mapping[Place, Marks]) -> None:
    """Who waits is woken by these marks, and who waits no more by none, inside the caller's transaction."""
    ledger.run_many("add_awaited", [(mark, *place) for place, marks in waiting.items() for mark in marks])
    ledger.run_many("no_longer_awaited", [(mark, *place) for place, marks in over.items() for mark in marks])


def came_between(ledger: Ledger, decided: Mapping[Place, Marks], seen: int, came: int) -> list[Place]:
    """Return who was decided by a mark that came after one filing and before another."""
    asked = sorted({mark for marks in decided.values() for mark in marks})
    rows = ledger.all("marks_since", msgspec.json.encode(asked).decode(), seen, came)
    newer = {row["mark"] for row in rows}
    return [place for place, marks in decided.items() if not newer.isdisjoint(marks)]
