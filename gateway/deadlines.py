"""Deadlines: by which day a closed list must be gathered, and who hears of it.

A list of statistics flag B that is closed (899) must be gathered by the 15th of the next month, or the working day
after it (windows.csv).  Its partner is told some days before and on the day itself, as long as no application of his
gathers it; what an application gathers that customs has accepted waits no more, and waits again when it is returned.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from gateway.case import Notice
from gateway.desks.aggregating import gathered_key, holder_of
from gateway.fetching import number_of, paper_of
from gateway.living import life_in
from gateway.notices import notice
from gateway.ripening import ripe_mark
from gateway.settling import iso
from message_specs.trade.aggregation import gather_by, is_gathered_later, late, reminders
from message_specs.trade.choosing import newest
from message_specs.trade.marking import mark_of
from message_specs.trade.papers import Paper
from spool.ledger import Ledger
from spool.states import State

_CHINA: Final = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Deadline:
    """What follows for one closed trade: when it is looked at again and why, who is told, and by what it is found."""

    due: str | None = None
    why: str | None = None
    told: tuple[Notice, ...] = ()
    marks: tuple[tuple[int, int, int], ...] = ()


Holders = dict[str, Paper | str | None]


def deadline(ledger: Ledger, order: int, papers: Sequence[Paper], now: datetime, holders: Holders) -> Deadline:
    """Return what follows for the closed trade of an order's mark; nothing where its list is not to be gathered.

    `papers` are those under this mark; `holders` keeps from one trade to the next which application holds lists.
    """
    listed = newest(papers, "inventory")
    life = life_in(ledger, order)
    closed = life.closed_on
    if listed is None or closed is None or life.cancelled or not is_gathered_later(listed, closed):
        return Deadline()
    marks = ((ripe_mark(listed.head.get("ebcCode", ""), closed), listed.number, listed.ordinal),)
    number, today = number_of(ledger, listed), now.astimezone(_CHINA).date()
    holder = _holder(ledger, number, holders)
    if isinstance(holder, str) or (holder is not None and holder.state == State.CLOSED):
        return Deadline(marks=marks)
    days = reminders(gather_by(closed))
    following = next((day for day in days if day > today), None)
    due = iso(datetime.combine(following, time(), _CHINA)) if following else None
    found = late(number, life, today) if holder is None else None
    if found is None:
        return Deadline(due, f"T602 {days[-1]}", marks=marks)
    return Deadline(due, f"{found.code} {days[-1]}", (notice(listed, [found]),), marks)


def _holder(ledger: Ledger, number: str, holders: Holders) -> Paper | str | None:
    keys = msgspec.json.encode([gathered_key(number)]).decode()
    value: str = next((row["value"] for row in ledger.all("records", keys)), "")
    if value and value not in holders:
        holders[value] = holder_of(value, _papers(ledger, mark_of("inventory", number)))
    return holders[value] if value else None


def _papers(ledger: Ledger, mark: int) -> list[Paper]:
    return [paper_of(row) for row in ledger.all("papers_by_marks", msgspec.json.encode([mark]).decode())]
