"""Belonging: a cancel, return or tally that named a list by its number belongs to the trade of that list.

Who names a number before customs has given it is of no trade yet.  He joins it as soon as both are in the ledger,
whichever came last; one who neither declared nor sold what the list declares joins nothing.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from gateway.desks import voiding_mark
from gateway.fetching import paper_of
from gateway.turning import wake
from message_specs.trade.giving_back import known_as, stranger
from spool.ledger import Ledger


def belong(
    ledger: Ledger, marks: Iterable[int], at: str, codes: Mapping[str, frozenset[str]]
) -> Sequence[tuple[int, int]]:
    """Whatever names a list by one of these marks is of that list's trade, inside the caller's transaction.

    Return what has joined a trade by this.  `codes` are those under which partners are registered; who is none any
    more is a stranger.
    """
    joined = []
    for shared in ledger.all("marks_of_the_homeless", msgspec.json.encode(list(marks)).decode()):
        rows = ledger.all("papers_under_number", shared["mark"])
        papers = {(row["number"], row["ordinal"]): paper_of(row) for row in rows}
        dossiers = {(row["number"], row["ordinal"]): row["dossier"] for row in rows}
        for place, paper in papers.items():
            declared = known_as(papers.values(), paper.head.get("invtNo", "").strip())
            order = dossiers[(declared.number, declared.ordinal)] if declared else None
            if declared is None or order is None or dossiers[place] is not None:
                continue
            if paper.kind == "tally" or stranger(declared, paper, codes.get(paper.partner, frozenset())) is None:
                _join(ledger, place, order, at)
                joined.append(place)
    return joined


def _join(ledger: Ledger, place: tuple[int, int], order: int, at: str) -> None:
    ledger.run("paper_joins", order, *place)
    marks = (order, voiding_mark(order))
    for mark in marks:
        ledger.run("learn_mark", mark, *place)
    ledger.one("file_next")
    wake(ledger, marks, at)
    # A return may give something back.
    ledger.run("wake_dossier", at, order)
