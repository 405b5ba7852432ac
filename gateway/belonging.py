"""Belonging: a cancel, return or tally that named a list by its number belongs to the trade of that list.

Who names a number before customs has given it is of no trade yet.  He joins it as soon as both are in the ledger,
whichever came last; one who neither declared nor sold what the list declares joins nothing.
"""

from collections.abc import Iterable

from gateway.desks import voiding_mark
from gateway.fetching import paper_of
from gateway.turning import wake
from message_specs.trade.choosing import live
from message_specs.trade.giving_back import stranger
from spool.ledger import Ledger


def belong(ledger: Ledger, numbers: Iterable[int], at: str) -> None:
    """Whatever names a list by one of these marks is of that list's trade, inside the caller's transaction."""
    for number in numbers:
        rows = ledger.all("papers_under_number", number)
        papers = {(row["number"], row["ordinal"]): paper_of(row) for row in rows}
        lists = [one for one in live(papers.values()) if one.kind == "inventory"]
        dossiers = {(row["number"], row["ordinal"]): row["dossier"] for row in rows}
        if not lists or (order := dossiers[(lists[0].number, lists[0].ordinal)]) is None:
            continue
        for place, paper in papers.items():
            if dossiers[place] is None and (paper.kind == "tally" or stranger(lists[0], paper) is None):
                _join(ledger, place, order, at)


def _join(ledger: Ledger, place: tuple[int, int], order: int, at: str) -> None:
    ledger.run("paper_joins", order, *place)
    marks = (order, voiding_mark(order))
    for mark in marks:
        ledger.run("learn_mark", mark, *place)
    ledger.one("file_next")
    wake(ledger, marks, at)
    # A return may give something back.
    ledger.run("wake_dossier", at, order)
