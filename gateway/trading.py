"""Trading: dossiers whose date has come are looked at; what is complete is drawn up, what waits too long is told.

A dossier comes due when a paper came that it awaits, and when its documents have
waited as long as waiting.csv allows.  Looking twice does no harm: a notice is
told once, and an inventory that is drawn up again is a duplicate of the first.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from gateway.case import Notice
from gateway.filing import paper_of
from gateway.notices import notice
from gateway.settling import iso
from message_specs.trade.choosing import Chosen, choose
from message_specs.trade.papers import Paper, paid_elsewhere
from message_specs.trade.waiting import missing, too_long
from spool.ledger import Ledger

AT_ONCE: Final = 200
_CHINA: Final = ZoneInfo("Asia/Shanghai")
_AGAIN: Final = timedelta(days=1)


def look(ledger: Ledger, now: datetime) -> int:
    """Up to two hundred due dossiers have been looked at; return how many."""
    rows = ledger.all("due_dossiers", iso(now), AT_ONCE)
    if not rows:
        return 0
    told: list[Notice] = []
    dates: list[tuple[str | None, str | None, int, str]] = []
    for row in rows:
        chosen = trade_of(ledger, row["mark"])
        mode = row["mode"]
        since = datetime.fromisoformat(row["opened_at"]).astimezone(_CHINA).date()
        today = now.astimezone(_CHINA).date()
        late = too_long(chosen, mode, since, today, inventory=True) if row["phase"] == "open" else None
        if late is not None:
            told += [notice(paper, [late]) for paper in _parties(chosen)]
        lacking = missing(chosen, mode, today, inventory=True) if row["phase"] == "open" else ()
        due = None if not lacking else iso(now + _AGAIN)
        why = " ".join((late.code if late else "T204", *lacking)) if lacking else None
        dates.append((due, why, row["mark"], row["due_at"]))
    with ledger.writing():
        ledger.run_many("add_notice", [(one.partner, one.name, one.body) for one in told])
        ledger.run_many("dossier_looked_at", dates)
    return len(rows)


def trade_of(ledger: Ledger, mark: int) -> Chosen:
    """Return the trade of an order's mark as its papers stand in the ledger now."""
    papers = _papers(ledger, [mark])
    anchor = next((one for one in papers if one.kind == "inventory"), None)
    anchor = anchor or next((one for one in papers if one.kind == "order"), None)
    if anchor is not None:
        from message_specs.trade.papers import marks_of_paper

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
