"""Trading: dossiers whose date has come are looked at; what is complete is drawn up, what waits too long is told.

A dossier comes due when a paper came that it awaits, and when its documents have
waited as long as waiting.csv allows.  Looking twice does no harm: a notice is
told once, and an inventory that is drawn up again is a duplicate of the first.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from gateway.case import Notice
from gateway.config_shapes import Kouan
from gateway.deadlines import Deadline, deadline
from gateway.filing import Outdated, paper_of
from gateway.giving import Kept, used_of
from gateway.living import life_in
from gateway.notices import notice
from gateway.settling import iso
from message_specs.trade.choosing import Chosen, choose
from message_specs.trade.papers import Paper, marks_of_paper, paid_elsewhere
from message_specs.trade.waiting import missing, too_long
from spool.ledger import Ledger

AT_ONCE: Final = 200
_CHINA: Final = ZoneInfo("Asia/Shanghai")
_AGAIN: Final = timedelta(days=1)


@dataclass(slots=True)
class Looked:
    """What is to be written of the dossiers looked at: notices, records, and when each is due again."""

    told: list[Notice] = field(default_factory=list)
    kept: dict[str, Kept] = field(default_factory=dict)
    marks: list[tuple[int, int, int]] = field(default_factory=list)
    """By what closed lists are found by who gathers them."""
    dates: list[tuple[str | None, str | None, int, str]] = field(default_factory=list)


def look(ledger: Ledger, now: datetime, kouan: Kouan, secret: bytes) -> int:
    """Up to two hundred due dossiers have been looked at; return how many."""
    rows = ledger.all("due_dossiers", iso(now), AT_ONCE)
    if not rows:
        return 0
    looked = Looked()
    for row in rows:
        chosen = trade_of(ledger, row["mark"])
        if not _give_back(ledger, looked, row, chosen, kouan, secret):
            continue
        if row["phase"] == "closed":
            _gather(looked, row, deadline(ledger, row, now))
        else:
            _wait(looked, row, chosen, now)
    with ledger.writing():
        for one in looked.kept.values():
            # A desk has kept something else meanwhile: the dossiers are looked at again.
            if ledger.run("keep_record", one.key, one.value, one.revision) != 1:
                raise Outdated(one.key)
        ledger.run_many("add_notice", [(one.partner, one.name, one.body) for one in looked.told])
        ledger.run_many("learn_mark", looked.marks)
        ledger.run_many("dossier_looked_at", looked.dates)
    return len(rows)


def _give_back(
    ledger: Ledger, looked: Looked, row: sqlite3.Row, chosen: Chosen, kouan: Kouan, secret: bytes
) -> bool:
    """What the inventory used is reckoned anew; False where another dossier of this round has the same record."""
    inventory = chosen.inventory
    if inventory is None:
        return True
    life = life_in(ledger, row["mark"])
    refunds = [one for one in _papers(ledger, [row["mark"]]) if one.kind == "refund"]
    kept = list(used_of(ledger, inventory, refunds, life, kouan.tax.quotas, secret))
    if any(one.key in looked.kept for one in kept):
        return False
    looked.kept.update({one.key: one for one in kept})
    return True


def _gather(looked: Looked, row: sqlite3.Row, one: Deadline) -> None:
    """A closed list that is to be gathered is looked at again when its day comes near; any other rests."""
    looked.told += one.told
    looked.marks += one.marks
    looked.dates.append((one.due, one.why, row["mark"], row["due_at"]))


def _wait(looked: Looked, row: sqlite3.Row, chosen: Chosen, now: datetime) -> None:
    """An open trade that waits too long is told, and looked at again every day; any other rests."""
    today = now.astimezone(_CHINA).date()
    since = datetime.fromisoformat(row["opened_at"]).astimezone(_CHINA).date()
    is_open = row["phase"] == "open"
    late = too_long(chosen, row["mode"], since, today, inventory=True) if is_open else None
    lacking = missing(chosen, row["mode"], today, inventory=True) if is_open else ()
    if late is not None:
        looked.told += [notice(paper, [late]) for paper in _parties(chosen)]
    due = iso(now + _AGAIN) if lacking else None
    why = " ".join((late.code if late else "T204", *lacking)) if lacking else None
    looked.dates.append((due, why, row["mark"], row["due_at"]))


def trade_of(ledger: Ledger, mark: int) -> Chosen:
    """Return the trade of an order's mark as its papers stand in the ledger now."""
    papers = _papers(ledger, [mark])
    anchor = next((one for one in papers if one.kind == "inventory"), None)
    anchor = anchor or next((one for one in papers if one.kind == "order"), None)
    if anchor is not None:
        marks = marks_of_paper(anchor)
        more = [mark for kind in ("waybill", "sold", "order_no") for mark in marks.get(kind, ())]
        papers = _merged(papers, _papers(ledger, [*more, *paid_elsewhere(papers)]))
    return choose(papers, anchor)


def _merged(papers: Sequence[Paper], more: Sequence[Paper]) -> list[Paper]:
    known = {(one.number, one.ordinal): one for one in (*papers, *more)}
    return [known[place] for place in sorted(known)]


def _papers(ledger: Ledger, marks: Sequence[int]) -> list[Paper]:
    if not marks:
        return []
    return _merged([paper_of(row) for row in ledger.all("papers_by_marks", msgspec.json.encode(marks).decode())], ())


def _parties(chosen: Chosen) -> list[Paper]:
    return [one for one in (chosen.order, chosen.payment, chosen.waybill) if one is not None]
