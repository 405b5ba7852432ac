"""The desk `afterwards`: a cancel or a return is for what was declared here, in time, and for no more than that.

The law is message_specs/trade/giving_back.py.  What it allows only in another
state of the inventory is refused with that state; an inventory that nobody
here has declared is told by a warning, for it may have been declared elsewhere.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from gateway.case import Case, Outcome, is_error
from gateway.desks import Needs, Records
from message_specs.findings import Finding, Severity, finding
from message_specs.trade.choosing import Chosen, key_of, live
from message_specs.trade.comparing import compare, view_for
from message_specs.trade.giving_back import (
    cancel_allowed,
    known_as,
    other_number,
    refund_allowed,
    return_allowed,
    stranger,
)
from message_specs.trade.life import Life
from message_specs.trade.papers import Paper
from spool.states import State

_MEET: Final = ("order", "inventory", "declared", "return")


def needs(case: Case, records: Records) -> Needs:  # noqa: ARG001  a desk's signature
    """Return by what the inventory and its other cancels and returns are found."""
    return Needs(tuple(mark for kind in _MEET for mark in case.marks.get(kind, ())), lives=True)


def decide(case: Case, records: Records) -> Outcome:
    """Refuse what the law does not allow; pass the rest with what must be watched."""
    papers = records.papers(needs(case, records).marks)
    mine = next((one for one in papers if (one.number, one.ordinal) == (case.number, case.ordinal)), None)
    if mine is None:
        return Outcome(State.CHECKED)
    original = _original(case, records, mine, papers)
    if original is None:
        told = finding("T509", document=case.ordinal, severity=Severity.WARNING, invtNo=mine.head.get("invtNo", ""))
        return Outcome(State.CHECKED, (told,))
    found = [
        replace(one, document=case.ordinal, severity=records.severity(one.code) or one.severity)
        for one in _found(records, original, mine, papers)
    ]
    return Outcome(State.REFUSED if any(map(is_error, found)) else State.CHECKED, tuple(found))


def _original(case: Case, records: Records, mine: Paper, papers: Sequence[Paper]) -> Paper | None:
    """Return the inventory of that number, else that of the order, else one of that number that customs returned."""
    named = records.papers(case.marks.get("inventory", ()))
    known = known_as(named, mine.head.get("invtNo", "").strip())
    if known is not None:
        return known
    returned = [one for one in named if one.kind == "inventory" and records.said.get((one.number, one.ordinal))]
    return next((one for one in (*live(papers), *reversed(returned)) if one.kind == "inventory"), None)


def _found(records: Records, original: Paper, mine: Paper, papers: Sequence[Paper]) -> list[Finding]:
    # Whoever keeps the site tallies what comes back, whose it is does not matter.
    strange = None if mine.kind == "tally" else stranger(original, mine, records.codes.get(mine.partner, frozenset()))
    if strange is not None and (records.severity(strange.code) or strange.severity) is Severity.ERROR:
        # Whoever is a stranger hears nothing of where the inventory stands.
        return [strange]
    others = [one for one in papers if one.name != mine.name]
    mine_and_cancels = (one for one in others if one.kind == "cancel" or key_of(one) == key_of(original))
    life = records.life(mine_and_cancels)
    found = [] if strange is None else [strange]
    if mine.kind == "tally":
        return _tally(life, mine, others)
    found += other_number(original, mine, records.invt_no(original))
    if mine.kind == "cancel":
        found += cancel_allowed(life) or _asked_already(records, original, mine, others)
        chosen = Chosen(inventory=original, cancel=mine)
    else:
        found += return_allowed(life, records.today)
        found += refund_allowed(original, [one for one in others if one.kind == "refund"], mine)
        chosen = Chosen(inventory=original, refund=mine)
    mode = original.head.get("tradeMode", "")
    return [*found, *(view_for(one, mine.partner) for one in compare(chosen, mode, records.today, about=mine.kind))]


def _asked_already(records: Records, original: Paper, mine: Paper, others: list[Paper]) -> tuple[Finding, ...]:
    """Another cancel of this inventory may be on its way, and customs has not said a word about it yet.

    One of the inventory that was declared before this one, and cancelled, names another number.
    """
    codes, number = records.codes, mine.head.get("invtNo", "").strip()
    cancels = [one for one in live(others) if one.kind == "cancel" and one.head.get("invtNo", "").strip() == number]
    cancels = [one for one in cancels if stranger(original, one, codes.get(one.partner, frozenset())) is None]
    return (finding("T512"),) if any(key_of(one) != key_of(mine) for one in cancels) else ()


def _tally(life: Life, mine: Paper, others: Sequence[Paper]) -> list[Finding]:
    """Goods lie at the site whether we like it or not: what is odd about them is told, and nothing is refused."""
    number = mine.head.get("invtNo", "")
    if life.cancelled or not life.may_refund:
        return [finding("T541", invtNo=number, state=life.zh, state_en=life.en)]
    applied = any(one.kind == "refund" for one in live(others))
    return [] if applied else [finding("T540", invtNo=number)]
