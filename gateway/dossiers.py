"""Reading a trade (卷宗): its documents, what waits for what, what broke and who mends it, as far as one may see it.

Everything here only reads.  An operator sees the whole; a partner sees his own
documents whole, of the others only that they are there and where they stand,
and what broke in the words that are meant for him.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from gateway import reading
from gateway.papers import paper_of
from message_specs.trade.papers import Paper, mark_of, marks_of
from spool import number as numbers
from spool.ledger import Ledger

Facts = dict[str, Any]
_JOINS = ("sold", "payment", "waybill", "inventory", "declared", "return")
"""The marks by which documents belong to a trade; a bill of lading joins many trades and a number alone none."""


def found(ledger: Ledger, text: str, partner: str | None = None) -> list[Facts]:
    """Return every trade that an order key, an order number or the number or key of a document names.

    With a partner only those in which he has a document, and seen through his rights.
    """
    told = []
    for mark in dict.fromkeys(_named(ledger, text)):
        row = ledger.one("dossier", mark)
        papers = _papers(ledger, mark)
        if row is None or (partner is not None and all(one.partner != partner for one in papers)):
            continue
        told.append(
            {
                "platform": row["platform"],
                "order": row["order_no"],
                "mode": row["mode"],
                "phase": row["phase"],
                "opened_at": row["opened_at"],
                "due_at": row["due_at"],
                "why": row["why"] if partner is None else None,
                "documents": [_document(ledger, one, partner) for one in papers],
            }
        )
    return told


def _named(ledger: Ledger, text: str) -> Iterator[int]:
    """Yield the order marks of the trades that the text names."""
    platform, bar, order = text.partition("|")
    if bar:
        yield mark_of("order", platform, order)
    rows = ledger.all("papers_by_marks", _json([mark_of("order_no", text)]))
    yield from _orders(rows)
    try:
        number, ordinal = numbers.parse(text)
    except ValueError:
        documents = [] if rows else ledger.all("documents_by_key", text)
    else:
        documents = [one for one in ledger.all("documents_of", number) if ordinal in (None, one["ordinal"])]
    for document in documents:
        paper = ledger.one("paper", document["number"], document["ordinal"])
        if paper is not None and paper["dossier"] is not None:
            yield paper["dossier"]
        elif paper is not None:
            own = paper_of(paper)
            marks = [mark for kind in ("waybill", "inventory", "order_no") for mark in _marks(own, kind)]
            yield from _orders(ledger.all("papers_by_marks", _json(marks)))


def _orders(rows: Iterable[Any]) -> Iterator[int]:
    for row in rows:
        yield from _marks(paper_of(row), "order")


def _papers(ledger: Ledger, mark: int) -> list[Paper]:
    """Return the documents of a trade: those of its order, and what shares a payment, waybill or list with them."""
    known: dict[tuple[int, int], Paper] = {}
    asked: set[int] = set()
    wanted = {mark}
    while wanted:
        rows = ledger.all("papers_by_marks", _json(wanted))
        asked |= wanted
        wanted = set()
        for row in rows:
            paper = paper_of(row)
            # A payment or a waybill may serve several orders: another order's own documents are not of this trade.
            if any(one != mark for one in _marks(paper, "order")) and paper.kind in ("order", "inventory"):
                continue
            known[(paper.number, paper.ordinal)] = paper
            wanted |= {one for kind in _JOINS for one in _marks(paper, kind)} - asked
    return [known[place] for place in sorted(known)]


def _marks(paper: Paper, kind: str) -> tuple[int, ...]:
    return marks_of(kind, paper.spec, paper.head, paper.lines)


def _document(ledger: Ledger, paper: Paper, partner: str | None) -> Facts:
    whole = partner is None or paper.partner == partner
    life = reading.document(ledger, paper.number, paper.ordinal, partner if whole else paper.partner)
    assert life is not None
    names = ["kind", "spec", "state", "status", "status_zh", "status_en"]
    if whole:
        names += ["number", "key", "version", "partner", "why", "due_at", "received_at", "stamps", "receipts"]
    return {name: paper.kind if name == "kind" else life[name] for name in names}


def _json(values: Iterable[int]) -> str:
    return msgspec.json.encode(list(values)).decode()
