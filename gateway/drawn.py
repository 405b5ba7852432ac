"""What is drawn up, as filing meets it: the trade of an order is looked at, and an inventory of one's own wins."""

from collections.abc import Iterable

from gateway.case import Case, Outcome
from gateway.desks import Records
from gateway.draws import Arrangements
from message_specs.findings import finding
from message_specs.trade.choosing import live
from message_specs.trade.papers import Paper
from spool.ledger import Ledger
from spool.states import State


def own_inventory(case: Case, records: Records) -> Paper | None:
    """Return the inventory that came for the order of this one, which was drawn up; what was sent wins."""
    marks = [mark for kind in ("order", "sold") for mark in case.marks.get(kind, ())]
    others = (one for one in live(records.papers(marks)) if one.kind == "inventory" and one.name != case.name)
    return next(others, None)


def not_drawn(case: Case, own: Paper) -> Outcome:
    """Return what becomes of an inventory that was drawn up while another came."""
    return Outcome(State.REFUSED, (finding("T705", document=case.ordinal, value=own.name, names=own.name),))


def await_papers(
    ledger: Ledger, draws: Arrangements, orders: Iterable[tuple[Case, int | None, tuple[int, ...]]], at: str
) -> None:
    """The trade of each order whose inventory is drawn up is looked at, now and whenever one of its papers comes."""
    arranged = [
        (dossier, marks)
        for case, dossier, marks in orders
        if dossier is not None and draws.of(case.document.spec.code, case.document.head)
    ]
    ledger.run_many("add_awaited", [(mark, dossier, 0) for dossier, marks in arranged for mark in marks])
    ledger.run_many("wake_dossier", [(at, dossier) for dossier, _ in arranged])
