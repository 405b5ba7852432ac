"""Undivided: a signed message cannot be taken apart, so where a desk refuses one of its documents none of it goes.

What went before in the same batch stands; what the message itself used and asked for is taken back.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING

from gateway import awaiting
from gateway.case import Case, Judged
from gateway.desks import Records
from message_specs.findings import finding
from message_specs.trade.papers import kind_of
from spool.states import State

if TYPE_CHECKING:
    from gateway.filing import Filed

Decide = Callable[[Judged, Case, Records, "Filed"], None]


def decide_all(ones: Iterable[tuple[Judged, Case]], records: Records, filed: "Filed", decide: Decide) -> None:
    """Every case is decided; of a signed message all go or wait, or none.

    Signed fellows come first, so that no inventory of the batch rests on one that goes back with its message.
    """
    in_turn = sorted(ones, key=lambda pair: not pair[0].signed or kind_of(pair[0].spec or "") == "inventory")
    for _, pairs in groupby(in_turn, key=lambda pair: id(pair[0])):
        of_message = list(pairs)
        with _undivided(of_message[0][0], records, filed):
            for one, case in of_message:
                decide(one, case, records, filed)


@contextmanager
def _undivided(one: Judged, records: Records, filed: "Filed") -> Iterator[None]:
    if not one.signed:
        yield
        return
    values, keeps = dict(records.values), dict(filed.keeps)
    asks = len(filed.asks)
    yield
    fresh = [case for case in one.cases if case.first is None]
    rest = [case for case in fresh if case.state is not State.REFUSED]
    if not rest or len(rest) == len(fresh):
        return
    records.values, filed.keeps = values, keeps
    del filed.asks[asks:]
    _refuse(one, rest, records, filed)


def _refuse(one: Judged, rest: Iterable[Case], records: Records, filed: "Filed") -> None:
    one.add(found := finding("P304"))
    for case in rest:
        place = (case.number, case.ordinal)
        case.version = case.due_at = case.why = None
        case.move("seal", State.REFUSED, None, (found,))
        filed.waiting.discard(place)
        filed.firm.pop(place, None)
        filed.applied = [other for other in filed.applied if other is not case]
        if place in filed.decided:
            filed.over[place] = awaiting.ever_awaited(case, filed.decided[place], records)
        for mark in {mark for of_kind in case.marks.values() for mark in of_kind} & records.by_mark.keys():
            records.by_mark[mark] = [one for one in records.by_mark[mark] if (one.number, one.ordinal) != place]
    records.found.clear()
