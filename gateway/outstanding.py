"""Outstanding trades: what each open dossier waits for, oldest first, and the same grouped by what and by whom.

Before them stand those that are declared and of which customs has said nothing for too long: they wait for `customs`.

Only so many of the oldest are looked at as were asked for, so the time does not grow with how many are open.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, Final

from gateway.config import House
from gateway.dossiers import disagreements, lacking
from gateway.gathering import Trade, gathered
from gateway.silence import heard
from gateway.undrawn import ToBeDrawn, Undrawn
from message_specs.findings import Severity
from message_specs.trade.waiting import AGREEMENT, due
from spool.ledger import Ledger
from spool.number import came_at

Facts = dict[str, Any]
_LISTS: Final = ("silent_dossiers", "open_dossiers")
_COUNTS: Final = ("silent_dossiers_count", "open_dossiers_count")


def count(ledger: Ledger) -> int:
    """Return how many trades wait: those that are open, and those about which customs is silent for too long."""
    rows = [ledger.one(count) for count in _COUNTS]
    return sum(row["n"] for row in rows if row)


def trades(ledger: Ledger, today: date, limit: int, house: House | None = None) -> Iterator[Facts]:
    """Yield what each of the oldest trades that wait waits for, by the law of that day: customs, or its documents.

    By the house it is known whose inventories are drawn up, and what has to be filed or mended first (T7xx).
    """
    drawn = ToBeDrawn(house.partners, house.goods) if house else None
    for listed in _LISTS:
        for row in ledger.all(listed, limit):
            trade = gathered(ledger, row["mark"])
            if trade is not None and (listed == "open_dossiers" or _is_silent(trade, today)):
                yield _told(trade, today, drawn.of(trade, today) if drawn else None)


def _is_silent(trade: Trade, today: date) -> bool:
    inventory = trade.chosen.inventory
    return inventory is not None and heard(trade.ledger, inventory, today) is not None


def _told(trade: Trade, today: date, undrawn: Undrawn | None) -> Facts:
    row, inventory = trade.row, trade.chosen.inventory
    waits = lacking(trade, today, undrawn)
    unfiled = [one.code for one in undrawn.findings] if undrawn else []
    broken = [one for one in disagreements(trade, today) if one.severity is Severity.ERROR]
    until = min((one["until"] for one in waits if one["until"]), default=None)
    if broken and not waits and inventory is not None:
        last = due((AGREEMENT,), came_at(inventory.number).date(), trade.side, trade.mode, today)
        until = last.isoformat() if last else None
    silent = _is_silent(trade, today)
    return {
        "platform": row["platform"],
        "order": row["order_no"],
        "mode": undrawn.mode if undrawn else trade.mode,
        "partner": undrawn.partner if undrawn else _waiting(trade),
        "since": row["opened_at"],
        "waits_for": ["customs"] * silent
        + list(dict.fromkeys([one["kind"] for one in waits] + unfiled + [one.code for one in broken])),
        "until": until,
        "late": silent or (until is not None and until <= today.isoformat()),
        "inventory": inventory.name if inventory else None,
        "state": inventory.state if inventory else None,
        "due_at": row["due_at"],
    }


def _waiting(trade: Trade) -> str:
    """Return who waits: whoever declares the inventory, else whose order it is, else whose document is here."""
    chosen = trade.chosen
    papers = (chosen.inventory, chosen.order, chosen.payment, chosen.waybill, *trade.papers)
    return next((one.partner for one in papers if one is not None), "")


def groups(told: Iterable[Facts]) -> list[Facts]:
    """Return the trades counted by what they wait for and by who waits, the group of the oldest trade first."""
    found: dict[tuple[str, ...], Facts] = {}
    for one in told:
        group = found.setdefault(
            (one["partner"], *one["waits_for"]),
            {"waits_for": one["waits_for"], "partner": one["partner"], "trades": 0, "late": 0}
            | {"oldest": one["since"], "oldest_order": one["order"], "until": one["until"]},
        )
        group["trades"] += 1
        group["late"] += one["late"]
        group["until"] = min(filter(None, (group["until"], one["until"])), default=None)
    return list(found.values())
