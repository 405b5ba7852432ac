"""Silence: customs has an inventory and says nothing of it for longer than silence.csv allows.

Counted from when we heard of it last, not from what customs wrote as its time; before its first receipt from when it
left.  Whoever declared it is told once a period, and the trade stands among those that wait until an answer comes.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from gateway.case import Notice
from gateway.notices import notice
from gateway.settling import iso
from message_specs.findings import Finding
from message_specs.trade.papers import Paper, side_of
from message_specs.trade.silence import Silence, patience, silence
from spool.ledger import Ledger
from spool.number import came_at
from spool.states import State

_CHINA: Final = ZoneInfo("Asia/Shanghai")
_AGAIN: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Listening:
    """When a declared trade is looked at again, why it stands among those that wait, and who is told."""

    due: str | None = None
    why: str | None = None
    told: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """Since when customs is silent about an inventory, at which status, and what is told of it."""

    since: date
    status: str
    told: Finding


def first_look(spec: str, mode: str, now: datetime) -> str | None:
    """Return when a trade whose inventory goes on now is looked at, if customs says nothing until then."""
    patient = patience(side_of(spec), mode, "", now.astimezone(_CHINA).date())
    return iso(now + timedelta(days=patient.days)) if patient else None


def listen(ledger: Ledger, inventory: Paper | None, now: datetime) -> Listening:
    """Return what follows for a trade whose inventory is with customs; nothing where no word of it is waited for."""
    row = _row(ledger, inventory)
    if inventory is None or row is None:
        return Listening()
    if (since := _since(row)) is None:
        return Listening(iso(now + _AGAIN))
    found = _silence(inventory, row, since, now.astimezone(_CHINA).date())
    if found is None:
        return Listening()
    due = iso(datetime.combine(found.next_look, time(), _CHINA))
    if found.told is None:
        return Listening(due)
    why = f"{found.told.code} {row['status'] or '-'} {since.isoformat()}"
    return Listening(due, why, (notice(inventory, [found.told]),))


def heard(ledger: Ledger, inventory: Paper, today: date) -> Heard | None:
    """Return the silence about an inventory by the law of a day; None where there is none, or not for long."""
    row = _row(ledger, inventory)
    if row is None or (since := _since(row)) is None:
        return None
    found = _silence(inventory, row, since, today)
    return Heard(since, row["status"] or "", found.told) if found and found.told else None


def _row(ledger: Ledger, inventory: Paper | None) -> Any:
    """Return what customs said last of an inventory that it has, None where it has none that goes on."""
    row = ledger.one("last_heard", inventory.number, inventory.ordinal) if inventory is not None else None
    return row if row is not None and row["state"] in (State.READY, State.SENT) else None


def _silence(inventory: Paper, row: Any, since: date, today: date) -> Silence | None:
    return silence(side_of(inventory.spec), inventory.head.get("tradeMode", ""), row["status"] or "", since, today)


def _since(row: Any) -> date | None:
    """Return the day of the last word, or of its leaving; None where it has not left."""
    if row["answer"] is not None:
        return came_at(row["answer"]).date()
    if row["outbox"] != "gone" or row["tried_at"] is None:
        return None
    return datetime.fromisoformat(row["tried_at"]).astimezone(_CHINA).date()
