"""The desk `aggregating`: an aggregate application (701) gathers closed lists of statistics flag B, each once.

The law is message_specs/trade/aggregation.py.  A list is gathered by the application that is kept in the record under
its number, as long as that application is alive: one that customs returned, or that was deleted, gives its lists free
again.  Two applications at the same time cannot both gather a list, for a record is written once.

An application for a period names no lists.  Those of its consignor that were closed here in the period are meant, and
whatever is wrong with them is only told: customs chooses the lists, and may know some that were declared elsewhere.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from gateway.case import Case, Outcome, is_error
from gateway.desks import Needs, Records, cancels_of, voiding_mark
from gateway.ripening import ripe_mark
from message_specs.document import Document
from message_specs.findings import Finding, finding
from message_specs.trade.aggregation import apply_allowed, months_of, period_allowed
from message_specs.trade.choosing import key_of, live
from message_specs.trade.giving_back import known_as, stranger
from message_specs.trade.marking import mark_of
from message_specs.trade.papers import Paper, marks_of_paper
from message_specs.trade.paths import path_of
from spool.states import State

_DELETES = "3"


def gathered_key(number: str) -> str:
    """Return the key under which stands which application gathers the list with this number.

    >>> gathered_key("29102026E000007001")
    'gathered|29102026E000007001'
    """
    return f"gathered|{number}"


def holder_of(value: str | None, papers: Sequence[Paper]) -> Paper | str | None:
    """Return the live application that a record names, by its name where the papers do not hold it; None: none.

    >>> holder_of("7.1", ()), holder_of("", ())
    ('7.1', None)
    """
    if not value:
        return None
    applications = [one for one in papers if one.kind == "aggregate"]
    named = next((one for one in applications if one.name == value), None)
    if named is None:
        return value
    return next((one for one in live(applications) if key_of(one) == key_of(named)), None)


def needs(case: Case, records: Records) -> Needs:  # noqa: ARG001  a desk's signature
    """Return by what the lists and their cancels and applications are found, and the records of who gathers them."""
    marks = tuple(mark for kind in ("parts", "inventory") for mark in case.marks.get(kind, ()))
    if ripe := _ripe(case):
        keys = partial(_keys_of_period, ripe)
        return Needs((*marks, *ripe), lives=True, then=_voiding, keys=keys)
    return Needs(marks, tuple(map(gathered_key, _numbers(case.document))), lives=True)


def _numbers(document: Document) -> tuple[str, ...]:
    numbers = ((line.get("invtNo") or "").strip() for line in document.lines)
    return tuple(dict.fromkeys(number for number in numbers if number))


def decide(case: Case, records: Records) -> Outcome:
    """Refuse an application for what may not be gathered; what goes on gathers its lists."""
    papers = records.papers(needs(case, records).marks)
    mine = next((one for one in papers if (one.number, one.ordinal) == (case.number, case.ordinal)), None)
    numbers = _numbers(case.document)
    if mine is None or mine.app_type == _DELETES:
        return Outcome(State.CHECKED)
    found = [_placed(one, case, numbers, records) for one in _found(records, mine, papers, numbers)]
    if ripe := _ripe(case):
        return _of_period(case, mine, ripe, records)
    if any(map(is_error, found)):
        return Outcome(State.REFUSED, tuple(found))
    return Outcome(State.CHECKED, tuple(found), keeps={gathered_key(number): mine.name for number in numbers})


def _ripe(case: Case) -> tuple[int, ...]:
    """Return by what the lists of an application for a period are found; nothing for one that names its lists."""
    head = case.document.head
    if _numbers(case.document):
        return ()
    return tuple(ripe_mark(head.get("ebcCode") or "", month) for month in months_of(head))


def _voiding(papers: Sequence[Paper]) -> Iterator[int]:
    return (voiding_mark(mark) for one in papers for mark in marks_of_paper(one).get("order", ()))


def _keys_of_period(ripe: tuple[int, ...], records: Records) -> Iterator[str]:
    return (gathered_key(number) for one in records.papers(ripe) if (number := records.invt_no(one)))


def _of_period(case: Case, mine: Paper, ripe: tuple[int, ...], records: Records) -> Outcome:
    """Return what is told of the lists of a period; those that are free are gathered by this application."""
    lists = {number: one for one in live(records.papers(ripe)) if (number := records.invt_no(one))}
    lives = {
        number: records.life([one, *cancels_of(records, one, records.papers(_voiding([one])))])
        for number, one in lists.items()
    }
    taken = [number for number in lists if _is_taken(records, number, mine)]
    found, free = period_allowed(mine, lists, lives, taken, records.today)
    told = tuple(_placed(one, case, (), records) for one in found)
    if any(map(is_error, told)):
        return Outcome(State.REFUSED, told)
    return Outcome(State.CHECKED, told, keeps={gathered_key(number): mine.name for number in free})


def _is_taken(records: Records, number: str, mine: Paper) -> bool:
    value = records.value(gathered_key(number))
    if not value:
        return False
    holder = records.named.get(value)
    return holder is None or (bool(live([holder])) and key_of(holder) != key_of(mine))


def _found(records: Records, mine: Paper, papers: Sequence[Paper], numbers: Sequence[str]) -> Iterator[Finding]:
    lists = {number: listed for number in numbers if (listed := _list(records, number))}
    # Whoever is a stranger hears nothing of where the list stands.
    codes = records.codes.get(mine.partner, frozenset())
    strange = [number for number, listed in lists.items() if stranger(listed, mine, codes)]
    yield from (finding("T510", invtNo=number, value=number) for number in strange)
    known = {number: listed for number, listed in lists.items() if number not in strange}
    lives = {number: records.life(_of_list(records, number)) for number in known}
    taken = []
    for number in known:
        holder = holder_of(records.value(gathered_key(number)), papers)
        if isinstance(holder, str) or (holder is not None and key_of(holder) != key_of(mine)):
            taken.append(number)
    asked = [number for number in numbers if number not in strange]
    yield from apply_allowed(mine, asked, known, lives, taken)


def _list(records: Records, number: str) -> Paper | None:
    return known_as(_of_list(records, number), number)


def _of_list(records: Records, number: str) -> list[Paper]:
    named = records.papers((mark_of("inventory", number),))
    return [one for one in named if one.kind in ("inventory", "cancel")]


def _placed(one: Finding, case: Case, numbers: Sequence[str], records: Records) -> Finding:
    """Return the finding as the partner reads it: with its document, its line, and the operator's severity."""
    path = one.path
    if one.value is not None and one.value in numbers:
        key = case.document.head.get("copNo") or ""
        path = path_of(case.document.spec.code, "invtNo", key, _row(case, one.value))
    severity = records.severity(one.code) or one.severity
    return replace(one, document=case.ordinal, path=path, severity=severity)


def _row(case: Case, number: str) -> int:
    rows = enumerate(case.document.lines, 1)
    return next(row for row, line in rows if (line.get("invtNo") or "").strip() == number)
