"""The desk `match` (三单对碰): an inventory waits until its order, payment and waybill are there and agree.

Order, payment and waybill are their senders' own declarations: they go on, and
what is wrong between them is told to both as a warning.  An inventory goes on
when nothing is lacking and nothing disagrees (message_specs/ceb/match.csv,
message_specs/trade/waiting.csv).  Where the inventory itself must be mended it
is refused; where a fellow must be mended it waits for his change.  Once customs
has it, it is corrected only in the states of life.csv (T501).

Known limits: what a fellow says later of a trade whose inventory is with customs already changes nothing here.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime, time, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import structs

from gateway.case import Case, Notice, Outcome
from gateway.desks import Needs, Records, cancels_of
from gateway.notices import notice
from message_specs.findings import Finding, Severity, finding
from message_specs.reader import named
from message_specs.trade.choosing import key_of, live, of_one_order
from message_specs.trade.comparing import Chosen, Disagreement, choose, compare, view_for
from message_specs.trade.giving_back import change_allowed, correct_allowed, no_longer_used
from message_specs.trade.papers import Paper, beside, kind_of, paid_elsewhere, side_of
from message_specs.trade.waiting import AGREEMENT, due, missing, too_long, unmended, why_waiting
from spool.number import came_at
from spool.states import State

_DELETION: Final = "3"
_CHANGES: Final = ("2", _DELETION)
_CHINA: Final = ZoneInfo("Asia/Shanghai")
_AGAIN: Final = timedelta(days=1)
"""So long a document that has waited too long waits until it is looked at again."""

_MEET: Final = ("order", "sold", "payment", "waybill", "order_no")
"""The marks by which a trade comes together; the rest of a document's marks are for its later life."""
_OF_INVENTORY: Final = ("order", "sold", "waybill")
"""An inventory names platform, merchant and waybill; what shares its order number alone only tells why it waits."""
_SEEKS_NO_PAYMENT: Final = ("waybill", "order")
_PARCEL: Final = ("logisticsCode", "logisticsNo")
_LIVE: Final = ("inventory", "cancel")
_MAY_RIVAL: Final = ("CEB603",)
"""Lists that are no version of one another and may yet be of one order; of imports the order itself is the key."""
_GOES_ON: Final = Outcome(State.CHECKED)


def needs(case: Case, records: Records) -> Needs:  # noqa: ARG001  a desk's signature
    """Return the marks by which the fellows of this document are found."""
    kind = kind_of(case.document.spec.code)
    found: tuple[int, ...] = ()
    get = case.marks.get
    for mark in _OF_INVENTORY if kind == "inventory" else _MEET:
        found += get(mark, ())
    # A waybill is held against its order and inventory alone; the payment that an order names is found by its marks.
    pays, then = (
        kind not in _SEEKS_NO_PAYMENT,
        partial(_by_number, get("order_no", ())) if kind == "inventory" else None,
    )
    lives = case.document.app_type in _CHANGES or case.document.spec.code in _MAY_RIVAL
    return Needs(found, lives=lives, paid=pays, beside=kind != "waybill", then=then)


def _by_number(marks: tuple[int, ...], papers: Sequence[Paper]) -> tuple[int, ...]:
    """Return by what a waybill of this order is found that the inventory does not name, where its own is not there."""
    return () if any([one.kind == "waybill" for one in papers]) else marks  # noqa: C419  quicker for four papers


def decide(case: Case, records: Records) -> Outcome:
    """Let an inventory go on, wait or be mended; pass every other document on with what its fellows say."""
    outcome = _decide(case, records)
    if not outcome.findings:
        return outcome
    return structs.replace(outcome, findings=tuple(_placed(one, case) for one in outcome.findings))


def _placed(one: Finding, case: Case) -> Finding:
    """Return the finding with the document that it is about: a table holds many, and their sender must tell them."""
    document = case.document
    whole = f"/{document.spec.root}/{named(document.spec, document.element, document.ordinal)}"
    return replace(one, document=case.ordinal, path=one.path or whole)


def _decide(case: Case, records: Records) -> Outcome:
    needed = needs(case, records)
    marks = needed.marks
    papers = records.papers(marks)
    more = (*(paid_elsewhere(papers) if needed.paid else ()), *(needed.then(papers) if needed.then else ()))
    if more and not set(more).issubset(marks):
        marks = (*marks, *more)
        papers = records.papers(marks)
    if needed.beside and (shared := beside(papers)):
        papers = _with_versions(papers, records.papers(shared))
    mine = records.paper(marks, case.number, case.ordinal)
    if mine is None:
        return _GOES_ON
    if mine.kind == "inventory":
        return _inventory(case, records, mine, papers)
    return _fellow(records, mine, papers)


def _with_versions(papers: Sequence[Paper], more: Sequence[Paper]) -> tuple[Paper, ...]:
    """Add the versions of orders beside this trade; what else belongs to those is none of its business."""
    known = {(one.number, one.ordinal): one for one in (*papers, *(one for one in more if one.kind == "order"))}
    return tuple(known[place] for place in sorted(known))


def _fellow(records: Records, mine: Paper, papers: Sequence[Paper]) -> Outcome:
    if len(papers) == 1:
        return _GOES_ON
    chosen = choose(papers, mine)
    if mine.app_type in _CHANGES and (used := _in_use(records, mine, chosen, papers)):
        return Outcome(State.REFUSED, used)
    late = no_longer_used(chosen.inventory)
    found = compare(chosen, _mode(mine), records.today, about=mine.kind)
    found = [one for one in found if mine in (one.left.paper, one.right.paper)]
    more = (*late, *_paid_again(mine, chosen))
    if not found:
        return Outcome(State.CHECKED, more) if more else _GOES_ON
    told = tuple(view_for(one, mine.partner, severity=Severity.WARNING) for one in found)
    return Outcome(State.CHECKED, (*told, *more), notices=_notices(chosen, mine, found))


def _paid_again(mine: Paper, chosen: Chosen) -> tuple[Finding, ...]:
    """Return what the sender of a payment hears whose order has another one already."""
    return _unclear(chosen, "T152") if mine.kind == "payment" else ()


def _in_use(records: Records, mine: Paper, chosen: Chosen, papers: Sequence[Paper]) -> tuple[Finding, ...]:
    """Tell whether an inventory that is with customs rests on this document, so that it may not change any more."""
    bound = (change_allowed(one, records.life(_living(records, one, papers))) for one in _users(mine, chosen, papers))
    return next(filter(None, bound), ())


def _users(mine: Paper, chosen: Chosen, papers: Sequence[Paper]) -> list[Paper]:
    """Return the inventories that rest on this document: a waybill is used by every one in its parcel."""
    used = [] if chosen.inventory is None else [chosen.inventory]
    if mine.kind == "waybill":
        others = [one for one in live(papers) if one.kind == "inventory" and one not in used]
        used += [one for one in others if all(one.head.get(name) == mine.head.get(name) for name in _PARCEL)]
    return used


def _living(records: Records, of: Paper, papers: Sequence[Paper]) -> list[Paper]:
    """Return the inventories of the order of this one and their cancels; those beside it live a life of their own.

    One that was refused and of which customs has said nothing has no number, whatever it claims.
    """
    others = [one for one in papers if one.kind == "inventory" and not of_one_order(one, of)]
    known = [one for one in others if one.state != State.REFUSED or records.said.get((one.number, one.ordinal))]
    numbers = {records.invt_no(one) for one in known} - {""}
    return [one for one in papers if one.kind in _LIVE and one not in others and not _names(one, of, numbers)]


def _names(one: Paper, of: Paper, numbers: AbstractSet[str]) -> bool:
    """Tell whether a cancel is of another order than this inventory, or of an inventory with one of these numbers."""
    if one.kind != "cancel":
        return False
    told = one.head.get("orderNo", "").strip()
    return one.head.get("invtNo", "").strip() in numbers or bool(told and not of_one_order(one, of))


def _inventory(case: Case, records: Records, mine: Paper, papers: Sequence[Paper]) -> Outcome:
    mode, today = _mode(mine), records.today
    life = records.life(_living(records, mine, papers)) if mine.app_type in _CHANGES else None
    if life is not None and life.said and (bound := correct_allowed(life)):
        return Outcome(State.REFUSED, bound)
    doubled = _doubled(records, mine, papers)
    if any(one.severity is Severity.ERROR for one in doubled):
        return Outcome(State.REFUSED, doubled)
    chosen = choose(papers, mine)
    if doubled:
        chosen = structs.replace(chosen, findings=(*chosen.findings, *doubled))
    found = compare(chosen, mode, today)
    wrong = [one for one in found if one.severity is Severity.ERROR]
    if any(mine in [said.paper for said in one.menders] for one in wrong):
        told = tuple(view_for(one, mine.partner) for one in found)
        return Outcome(State.REFUSED, told, notices=_warnings(chosen, mine, found))
    lacking = missing(chosen, mode, today)
    if not wrong and not lacking:
        warned = tuple(view_for(one, mine.partner) for one in found)
        return Outcome(State.CHECKED, (*warned, *_unclear(chosen)), notices=_warnings(chosen, mine, found))
    waits = _wait(case, records, chosen, found, lacking)
    strays = () if chosen.waybill else _strays(chosen, mine, papers)
    return structs.replace(waits, notices=(*waits.notices, *strays)) if strays else waits


def _warnings(chosen: Chosen, mine: Paper, found: Sequence[Disagreement]) -> tuple[Notice, ...]:
    """Return what the senders of earlier documents hear of an inventory that goes on or is refused.

    Which of two documents is wrong only their senders know; later ones hear it of their own.
    """
    papers = [one for one in (chosen.order, chosen.payment, chosen.waybill) if one is not None]
    told: list[Notice] = []
    for paper in papers:
        if (paper.number, paper.ordinal) < (mine.number, mine.ordinal):
            broken = [one for one in found if {id(paper), id(mine)} == {id(one.left.paper), id(one.right.paper)}]
            if broken:
                told.append(notice(paper, [view_for(one, paper.partner) for one in broken]))
    return tuple(told)


def _strays(chosen: Chosen, mine: Paper, papers: Sequence[Paper]) -> tuple[Notice, ...]:
    """Return what the sender of a waybill hears whose number is not that of the inventory of his order number.

    Only where both numbers are of his own: an order number alone may be another platform's.
    """
    mismatched = [one for one in chosen.findings if one.code == "T153"]
    code = mine.head.get("logisticsCode", "")
    waybills = [one for one in papers if mismatched and one.kind == "waybill" and one.head.get("logisticsCode") == code]
    return tuple(notice(one, [told]) for one in waybills for told in mismatched if f" {one.name} " in told.zh)


def _rivals(records: Records, mine: Paper, papers: Sequence[Paper]) -> list[Paper]:
    """Return the lists of the same order that came before this one and were neither refused nor cancelled.

    One order has one live list (export rules 2: one per ebcCode and orderNo), whatever its copNo.
    """
    if mine.spec not in _MAY_RIVAL or mine.app_type == _DELETION:
        return []
    others = [one for one in live(papers) if one.kind == "inventory" and key_of(one) != key_of(mine)]
    before = [one for one in others if (one.number, one.ordinal) < (mine.number, mine.ordinal) and _of_one(one, mine)]
    return [one for one in before if not _cancelled(records, one, papers)]


def _doubled(records: Records, mine: Paper, papers: Sequence[Paper]) -> tuple[Finding, ...]:
    """Return what is said of a list that has rivals, as severely as the operator wants it."""
    rivals = _rivals(records, mine, papers)
    if not rivals:
        return ()
    names = "、".join(one.name for one in (*rivals, mine))
    found = finding("T154", found=str(len(rivals) + 1), names=names)
    return (replace(found, severity=records.severity(found.code) or found.severity),)


def _of_one(one: Paper, other: Paper) -> bool:
    return all(one.head.get(name, "").strip() == other.head.get(name, "").strip() for name in ("ebcCode", "orderNo"))


def _cancelled(records: Records, one: Paper, papers: Sequence[Paper]) -> bool:
    return records.life([one, *cancels_of(records, one, papers)]).cancelled


def _unclear(chosen: Chosen, *codes: str) -> tuple[Finding, ...]:
    """What is not clear about which documents belong together, or these of it; it stops nothing."""
    found = (one for one in chosen.findings if not codes or one.code in codes)
    return tuple(replace(one, severity=Severity.WARNING) for one in found)


def _wait(
    case: Case, records: Records, chosen: Chosen, found: Sequence[Disagreement], lacking: tuple[str, ...]
) -> Outcome:
    mine = chosen.inventory
    assert mine is not None
    mode, today, since = _mode(mine), records.today, came_at(case.number).date()
    wrong = [one.code for one in found if one.severity is Severity.ERROR]
    late = too_long(chosen, mode, since, today) if lacking else unmended(chosen, mode, since, today, wrong)
    told = [view_for(one, mine.partner, severity=Severity.WARNING) for one in found]
    told += [*_unclear(chosen), *why_waiting(chosen, mode, today)]
    codes = wrong or [one.code for one in told]
    # What was told before is not told again: a document that still waits is silent until something changes.
    again = case.state is State.FILED
    notices = _notices(chosen, mine, found, itself=again, late=late)
    if late is not None:
        told.append(late)
    last = due(lacking or (AGREEMENT,), since, side_of(mine.spec), mode, today) if late is None else None
    until = datetime.combine(last, time(), _CHINA) if last else records.now + _AGAIN
    why = " ".join([codes[0], *lacking])
    return Outcome(State.FILED, () if again else tuple(told), why=why, due=until, notices=notices)


def _notices(
    chosen: Chosen, mine: Paper, found: Sequence[Disagreement], *, itself: bool = False, late: Finding | None = None
) -> tuple[Notice, ...]:
    """Return what the partners of a trade hear now; whose document comes now has it in his acknowledgement."""
    papers = [one for one in (chosen.order, chosen.payment, chosen.waybill, chosen.inventory) if one is not None]
    told: list[Notice] = []
    for paper in papers:
        if paper.name == mine.name and not itself and late is None:
            continue
        broken = [one for one in found if paper in (one.left.paper, one.right.paper)]
        findings = [view_for(one, paper.partner) for one in broken]
        is_to_mend = any(paper in [said.paper for said in one.menders] for one in broken)
        if late is not None and (paper.kind in ("order", "inventory") or (late.code == "T215" and is_to_mend)):
            findings.append(late)
        if findings:
            told.append(notice(paper, findings))
    return tuple(told)


def _mode(paper: Paper) -> str:
    return paper.head.get("tradeMode", "")
