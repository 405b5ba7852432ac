"""Trading: dossiers whose date has come are looked at; what is complete is drawn up, what waits too long is told.

A dossier comes due when a paper came that it awaits, and when its documents have
waited as long as waiting.csv allows, or customs was silent as long as silence.csv
allows.  Looking twice does no harm: a notice is
told once, and what was drawn up is found again and not drawn twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from sqlite3 import Row
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from gateway import guarantees
from gateway.case import Notice
from gateway.config_shapes import Kouan
from gateway.deadlines import deadline
from gateway.drawing import Drawing, Drawn, goods_mark
from gateway.draws import Arranged
from gateway.fetching import paper_of
from gateway.filing import Outdated
from gateway.giving import Kept, of_other_buyers, used_of, uses_a_year
from gateway.living import life_in
from gateway.notices import notice
from gateway.settling import iso
from gateway.silence import applications, listen
from gateway.telling import quiet
from message_specs.findings import Finding, Severity, finding
from message_specs.trade.choosing import Chosen, choose, live, with_waybill_of
from message_specs.trade.comparing import compare, view_for
from message_specs.trade.papers import Paper, beside, marks_of_paper, paid_elsewhere
from message_specs.trade.waiting import missing, too_long
from spool.ledger import Ledger
from spool.states import State

AT_ONCE: Final = 200
_CHINA: Final = ZoneInfo("Asia/Shanghai")
_AGAIN: Final = timedelta(days=1)
_LEAD_ON: Final = ("waybill", "sold", "shipped", "order_no")
_UNCLEAR: Final = ("T151", "T155")
"""Which of several orders or waybills is meant is not for us to guess in a declaration."""


@dataclass(slots=True)
class Look:
    """One look: what is told, what is drawn up, when each dossier is looked at again and why."""

    now: datetime
    kept: dict[str, Kept] = field(default_factory=dict)
    told: list[Notice] = field(default_factory=list)
    ready: list[Drawn] = field(default_factory=list)
    awaits: list[tuple[int, int, int]] = field(default_factory=list)
    over: list[tuple[int, int, int]] = field(default_factory=list)
    """What trades that are closed awaited."""
    holders: dict[str, Paper | str | None] = field(default_factory=dict)
    """Which application holds the lists whose record names it: an application holds thousands."""
    marks: list[tuple[int, int, int]] = field(default_factory=list)
    """By what closed lists are found by who gathers them."""
    dates: list[tuple[str | None, str | None, int, int]] = field(default_factory=list)


def look(
    ledger: Ledger, now: datetime, kouan: Kouan, secret: bytes, drawing: Drawing,
    pulse: Callable[[str], None] = quiet,
) -> int:  # fmt: skip
    """Up to two hundred due dossiers have been looked at; return how many.

    None where a desk has kept a record of theirs meanwhile: they are still due.
    """
    rows = ledger.all("due_dossiers", iso(now), AT_ONCE)
    if not rows:
        return 0
    this = Look(now)
    for row in rows:
        papers = _papers(ledger, [row["mark"]])
        if not _give_back(ledger, this, row, papers, kouan, secret):
            continue
        due, why = _look_at(this, ledger, row, papers, drawing)
        this.dates.append((due, why, row["mark"], row["turn"]))
    pulse("looked at")
    # Before the dossiers are put to rest: after a crash between the two they are looked at again.
    refused = drawing.draw(this.ready)
    # Looked at again, it is told as what customs returned is, and waits for whatever mends it.
    this.dates = [(iso(now) if mark in refused else due, why, mark, turn) for due, why, mark, turn in this.dates]
    pulse("drawn up")
    try:
        with ledger.writing():
            _write(ledger, this)
            for row in rows:
                guarantees.book(ledger, row["mark"], row["phase"], iso(now), kouan.tax)
            pulse("looking")
    except Outdated:
        # A desk has kept something else meanwhile: the dossiers stay due and are looked at again.
        return 0
    pulse("looked")
    return len(rows)


def _look_at(
    this: Look, ledger: Ledger, row: Row, papers: Sequence[Paper], drawing: Drawing
) -> tuple[str | None, str | None]:
    """Return when a trade is looked at again, and why it waits."""
    due: str | None = None
    why: str | None = None
    if row["phase"] == "open":
        due, why = _one(this, ledger, row, trade_of(ledger, row["mark"]), drawing)
    elif row["phase"] == "declared":
        due, why = _listen(this, ledger, trade_of(ledger, row["mark"]))
    elif row["phase"] == "closed":
        due, why = _closed(this, ledger, row, papers)
    beside = listen(ledger, applications(papers, row), this.now)
    this.told += beside.told
    # Why a declared trade waits is by what those are found of whose inventory customs says nothing.
    why = why or (beside.why if row["phase"] != "declared" else None)
    return min((one for one in (due, beside.due) if one), default=None), why


def _write(ledger: Ledger, this: Look) -> None:
    for one in this.kept.values():
        if ledger.run("keep_record", one.key, one.value, one.revision) != 1:
            raise Outdated(one.key)
    ledger.run_many("add_notice", [(one.partner, one.name, one.body) for one in this.told])
    ledger.run_many("add_awaited", this.awaits)
    ledger.run_many("no_longer_awaited", this.over)
    ledger.run_many("learn_mark", this.marks)
    ledger.run_many("dossier_looked_at", this.dates)


def _give_back(ledger: Ledger, this: Look, row: Row, papers: Sequence[Paper], kouan: Kouan, secret: bytes) -> bool:
    """What the inventory used is reckoned anew; False where another dossier of this round has the same record."""
    # What stands in the place of a refused one uses the year under the same name.
    refused = [one for one in papers if one.kind == "inventory" and one.state == State.REFUSED]
    inventory = _last(live(papers), "inventory") or _told_of(refused)
    if inventory is None or not uses_a_year(inventory):
        return True
    life = life_in(ledger, row["mark"])
    refunds = [one for one in papers if one.kind == "refund"]
    kept = list(used_of(ledger, inventory, refunds, life, kouan.tax.quotas, secret))
    kept += of_other_buyers(ledger, inventory, refused, secret)
    if any(one.key in this.kept for one in kept):
        return False
    this.kept.update({one.key: one for one in kept})
    return True


def _told_of(refused: Sequence[Paper]) -> Paper | None:
    """Return the last of these of which customs has spoken: one that was refused here may have come after it."""
    return max(refused, key=lambda one: (one.status != "", one.number, one.ordinal), default=None)


def _closed(this: Look, ledger: Ledger, row: Row, papers: Sequence[Paper]) -> tuple[str | None, str | None]:
    """A closed trade awaits nothing; return when its list is to be gathered and is looked at again, and why."""
    orders = [one for one in papers if one.kind == "order"]
    marks = [mark for one in orders for of_kind in marks_of_paper(one).values() for mark in of_kind]
    this.over += [(mark, row["mark"], 0) for mark in marks]
    one = deadline(ledger, row["mark"], papers, this.now, this.holders)
    this.told += one.told
    this.marks += one.marks
    return one.due, one.why


def _one(this: Look, ledger: Ledger, row: Row, chosen: Chosen, drawing: Drawing) -> tuple[str | None, str | None]:
    """Return when an open trade is looked at again, and why it waits."""
    if chosen.inventory is not None and chosen.inventory.state == State.REFUSED:
        # What was refused has given back what it used, and another may be drawn up in its place.
        chosen = trade_of(ledger, row["mark"], alive=True)
    today = this.now.astimezone(_CHINA).date()
    arranged = drawing.arranged(chosen)
    drawn = arranged is not None and chosen.inventory is None
    if drawn:
        chosen = trade_of(ledger, row["mark"], alive=True, by_refused=False)
    mode = arranged.draw.mode if arranged is not None and drawn else row["mode"]
    since = datetime.fromisoformat(row["opened_at"]).astimezone(_CHINA).date()
    late = too_long(chosen, mode, since, today, inventory=not drawn)
    if late is not None:
        this.told += [notice(paper, [late]) for paper in _parties(chosen)]
    lacking = missing(chosen, mode, today, inventory=not drawn)
    if lacking:
        return iso(this.now + _AGAIN), " ".join((late.code if late else "T204", *lacking))
    if not drawn or arranged is None:
        return _listen(this, ledger, chosen)
    why = _draw(this, row["mark"], chosen, arranged, drawing)
    # Nothing that comes wakes a trade whose inventory an operator decides about.
    return iso(this.now + _AGAIN) if why and why.startswith("T705") else None, why


def _listen(this: Look, ledger: Ledger, chosen: Chosen) -> tuple[str | None, str | None]:
    """Return when a trade whose inventory is with customs is looked at again, and why it waits."""
    one = listen(ledger, [chosen.inventory] if chosen.inventory else [], this.now)
    this.told += one.told
    return one.due, one.why


def _draw(this: Look, mark: int, chosen: Chosen, arranged: Arranged, drawing: Drawing) -> str | None:
    """The inventory of a complete trade is ready to be drawn up, or whoever must mend or file something is told."""
    order, today = chosen.order, this.now.astimezone(_CHINA).date()
    assert order is not None
    found = compare(chosen, arranged.draw.mode, today)
    wrong = [one for one in found if one.severity is Severity.ERROR]
    # In the words of the desk that matched them, so that nobody hears it twice.
    for paper in _parties(chosen) if wrong else ():
        if mine := [view_for(one, paper.partner) for one in found if paper in (one.left.paper, one.right.paper)]:
            this.told.append(notice(paper, mine))
    if wrong:
        return wrong[0].code
    if unclear := [one for one in chosen.findings if one.code in _UNCLEAR]:
        return _tell(this, mark, order, arranged, unclear)
    joined = drawing.join(arranged, chosen, today)
    if joined.lacking:
        return _tell(this, mark, order, arranged, joined.lacking)
    before = drawing.before(arranged, order)
    if before is not None and not before.is_over:
        return f"T705 {before.name}"
    if before is not None and before.rows == joined.rows:
        told = (finding("T704", value=before.name, names=before.name),)
        return f"{_tell(this, mark, order, arranged, told)} {before.name}"
    this.ready.append(Drawn(arranged, joined.rows, mark))
    return None


def _tell(this: Look, mark: int, order: Paper, arranged: Arranged, found: Sequence[Finding]) -> str:
    """The partner hears what he is to mend, and what he files makes the trade due again."""
    this.awaits.append((goods_mark(arranged.partner), mark, 0))
    this.told.append(notice(order, found, to=arranged.partner))
    return found[0].code


def trade_of(ledger: Ledger, mark: int, *, alive: bool = False, by_refused: bool = True) -> Chosen:
    """Return the trade of an order's mark as its papers stand now; `alive`: without an inventory that was refused.

    `by_refused`: with the waybill that only such a one names, which is no ground for a declaration.
    """
    papers = _papers(ledger, [mark])
    anchors = live(papers) if alive else papers
    anchor = _last(anchors, "inventory") or _last(anchors, "order")
    refused = _last(papers, "inventory") if by_refused and anchor is not None and anchor.kind == "order" else None
    told = [marks_of_paper(one) for one in (anchor, refused) if one is not None]
    if told:
        more = [mark for marks in told for kind in _LEAD_ON for mark in marks.get(kind, ())]
        papers = _merged(papers, _papers(ledger, [*more, *paid_elsewhere(papers)]))
        papers = _merged(papers, [one for one in _papers(ledger, beside(papers)) if one.kind == "order"])
    return with_waybill_of(choose(papers, anchor), papers, refused)


def _last(papers: Sequence[Paper], kind: str) -> Paper | None:
    """Return the last of its kind that lives, else the last that was refused."""
    of_kind = [one for one in papers if one.kind == kind]
    return max(of_kind, key=lambda one: (one.state != State.REFUSED, one.number, one.ordinal), default=None)


def _merged(papers: Sequence[Paper], more: Sequence[Paper]) -> list[Paper]:
    known = {(one.number, one.ordinal): one for one in (*papers, *more)}
    return [known[place] for place in sorted(known)]


def _papers(ledger: Ledger, marks: Sequence[int]) -> list[Paper]:
    if not marks:
        return []
    return _merged([paper_of(row) for row in ledger.all("papers_by_marks", msgspec.json.encode(marks).decode())], ())


def _parties(chosen: Chosen) -> list[Paper]:
    return [one for one in (chosen.order, chosen.payment, chosen.waybill) if one is not None]
