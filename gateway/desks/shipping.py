"""The desk `shipping`: a bill's waybill summary (607), arrival (507) and departure (509) are held against its lists.

The law is message_specs/trade/shipping.py; all of it is inferred, so nothing is refused here.  A bill of lading joins
thousands of lists, so lists are found by the waybills that a document names itself; only the part that makes a
summary whole looks at the lists of all its parts, for the weight.

A part that is missing is told when the last part is there, or when the bill goes on: the summary's with the arrival,
the arrival's with the departure.

Known limits: an arrival without lines means the whole bill, and nothing of it is looked at but its summary.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from gateway.case import Case, Outcome
from gateway.desks import Needs, Records, cancels_of, voiding_mark
from message_specs.amounts import amount
from message_specs.findings import Finding
from message_specs.trade.choosing import key_of, live, newest
from message_specs.trade.life import Life
from message_specs.trade.marking import mark_of
from message_specs.trade.papers import Paper, marks_of_paper
from message_specs.trade.shipping import (
    not_in_summary,
    of_bill,
    parcels_of,
    parts_missing,
    summary_allowed,
    weight_agrees,
)
from spool.states import State

_SUMMARY = "CEB607"
_MEET = {
    _SUMMARY: ("parts", "waybill", "inventory", "carried"), "CEB507": ("parts", "carried"),
    "CEB509": ("parts", "carried"),
}  # fmt: skip
_BEFORE = {"CEB507": _SUMMARY, "CEB509": "CEB507"}
"""What a bill has behind it when this comes."""
_DELETES = "3"


def needs(case: Case, records: Records) -> Needs:  # noqa: ARG001  a desk's signature
    """Return the marks of the other parts, of the summary of the bill, and of the lists that a summary names."""
    spec = case.document.spec.code
    marks = tuple(mark for kind in _MEET.get(spec, ()) for mark in case.marks.get(kind, ()))
    return Needs(marks, lives=spec == _SUMMARY, then=partial(_of_lists, case.marks.get("parts", ())))


def _of_lists(mine: tuple[int, ...], papers: Sequence[Paper]) -> Iterable[int]:
    """By what the cancels of the lists are found, and the lists of a whole summary's other parts and of its strays."""
    for one in papers:
        if one.kind == "inventory":
            yield from (voiding_mark(mark) for mark in marks_of_paper(one).get("order", ()))
    alive = live(papers)
    parts = [one for one in alive if one.spec == _SUMMARY and marks_of_paper(one).get("parts", ()) == mine]
    if not parts or parts_missing(parts):
        return
    code = parts[0].head.get("logisticsCode", "")
    if len({key_of(one) for one in parts}) > 1:
        yield from (mark_of("waybill", code, parcel) for parcel in parcels_of(parts))
    yield from (mark_of("waybill", code, parcel) for _, parcel in _strays(alive))


def _strays(alive: Iterable[Paper]) -> list[tuple[Paper, str]]:
    """Return the parcels that arrived or left with the bill and stand in none of its summaries, each once."""
    papers = list(alive)
    known = parcels_of(one for one in papers if one.spec == _SUMMARY)
    found: dict[str, Paper] = {}
    for one in papers:
        if one.spec in _BEFORE:
            found |= {parcel: one for parcel in parcels_of([one]) - known if parcel not in found}
    return [(found[parcel], parcel) for parcel in sorted(found)]


def decide(case: Case, records: Records) -> Outcome:
    """Pass the document on with what is odd about it."""
    asked = needs(case, records)
    papers = records.papers(asked.marks)
    mine = next((one for one in papers if (one.number, one.ordinal) == (case.number, case.ordinal)), None)
    if mine is None or mine.app_type == _DELETES:
        return Outcome(State.CHECKED)
    found = [*_summary(records, mine, papers)] if mine.spec == _SUMMARY else [*_carried(mine, papers)]
    parts = _parts(mine, papers)
    if amount(mine.head.get("msgSeqNo")) == max(amount(one.head.get("msgCount")) for one in parts):
        found += parts_missing(parts)
    told = [replace(one, document=case.ordinal, severity=records.severity(one.code) or one.severity) for one in found]
    return Outcome(State.CHECKED, tuple(told))


def _parts(mine: Paper, papers: Iterable[Paper]) -> list[Paper]:
    """Return the parts of the document of which this is one, this one among them."""
    same = marks_of_paper(mine).get("parts", ())
    return [one for one in live(papers) if one.spec == mine.spec and marks_of_paper(one).get("parts", ()) == same]


def _summary(records: Records, mine: Paper, papers: Sequence[Paper]) -> Iterable[Finding]:
    lists = _lists(records, [mine])
    lives = {parcel: _life(records, one) for parcel, one in lists.items()}
    yield from summary_allowed(mine, lists, lives)
    parts = _parts(mine, papers)
    if len(parts) == 1 or mine.name == max(parts, key=lambda one: (one.number, one.ordinal)).name:
        yield from weight_agrees(parts, _lists(records, parts))
    if not parts_missing(parts):
        yield from _left_out(records, mine, papers)


def _left_out(records: Records, mine: Paper, papers: Sequence[Paper]) -> Iterable[Finding]:
    """Yield the parcels that came with the bill before, whose lists the sender declared, and that his summary lacks.

    Several agents may share a bill: what another declared is for his summary, and is not told here.
    """
    code = mine.head.get("logisticsCode", "")
    for carried, parcel in _strays(live(papers)):
        listed = [one for one in live(records.papers((mark_of("waybill", code, parcel),))) if one.kind == "inventory"]
        if any(one.partner == mine.partner for one in listed):
            yield not_in_summary(carried, parcel)


def _lists(records: Records, parts: Sequence[Paper]) -> dict[str, Paper]:
    """Return the live list of each parcel that these parts name."""
    code = parts[0].head.get("logisticsCode", "")
    found: dict[str, Paper] = {}
    for parcel in sorted(parcels_of(parts)):
        named = records.papers((mark_of("waybill", code, parcel),))
        if listed := newest(named, "inventory"):
            found[parcel] = listed
    return found


def _life(records: Records, listed: Paper) -> Life:
    orders = marks_of_paper(listed).get("order", ())
    return records.life((listed, *cancels_of(records, listed, records.papers(map(voiding_mark, orders)))))


def _carried(mine: Paper, papers: Sequence[Paper]) -> Iterable[Finding]:
    alive = live(papers)
    yield from of_bill(mine, [one for one in alive if one.spec == _SUMMARY])
    before: dict[tuple[int, ...], list[Paper]] = {}
    for one in alive:
        if one.spec == _BEFORE[mine.spec]:
            before.setdefault(marks_of_paper(one).get("parts", ()), []).append(one)
    for parts in before.values():
        yield from parts_missing(parts)
