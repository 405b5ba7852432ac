"""The desk `match` (三单对碰): an inventory waits until its order, payment and waybill are there and agree.

Order, payment and waybill are their senders' own declarations: they go on, and
what is wrong between them is told to both as a warning.  An inventory goes on
when nothing is lacking and nothing disagrees (message_specs/ceb/match.csv,
message_specs/trade/waiting.csv).  Where the inventory itself must be mended it
is refused; where a fellow must be mended it waits for his change.
"""

from typing import Final

from gateway.case import Case, Outcome
from gateway.desks import Needs, Records
from message_specs.trade.papers import kind_of, marks_of

_MEET: Final = ("order", "sold", "payment", "waybill", "order_no")
"""The marks by which a trade comes together; the rest of a document's marks are for its later life."""
_OF_INVENTORY: Final = ("order", "sold", "waybill")


def needs(case: Case) -> Needs:
    """Return the marks by which the fellows of this document are found."""
    document = case.document
    kinds = _OF_INVENTORY if kind_of(document.spec.code) == "inventory" else _MEET
    head, code = document.head, document.spec.code
    return Needs(tuple(mark for kind in kinds for mark in marks_of(kind, code, head)))


def decide(case: Case, records: Records) -> Outcome:
    """Pass."""
    records.papers(needs(case).marks)
    return Outcome(case.state)
