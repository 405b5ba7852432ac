"""Naming a trade: by its order, or by any number, key or number of customs that one of its documents bears."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from gateway.fetching import paper_of
from message_specs.trade.marking import mark_of
from message_specs.trade.papers import NOBODY, Paper, marks_of
from spool import number as numbers
from spool.ledger import Ledger

_LEADS = ("waybill", "inventory", "declared", "return", "order_no")
"""The marks of a document without an order by which its trade is found."""


def named(ledger: Ledger, text: str) -> list[int]:
    """Return the order marks of the trades that a text names, each once.

    A text is PLATFORM|ORDER (无|MERCHANT|ORDER where there is no platform), an order number, NUMBER or NUMBER.ORDINAL
    of ours, a business key or its last part (the waybill's or payment's number), a copNo, or a number that customs or
    the port gave (invtNo, preNo).
    """
    text = text.strip()
    return list(dict.fromkeys(_marks_of(ledger, text))) if text else []


def _marks_of(ledger: Ledger, text: str) -> Iterator[int]:
    try:
        number, ordinal = numbers.parse(text)
    except ValueError:
        pass
    else:
        rows = ledger.all("documents_of", number)
        yield from _of_documents(ledger, (one for one in rows if ordinal in (None, one["ordinal"])))
        return
    platform, bar, order = text.partition("|")
    for at in (at for at, one in enumerate(text) if one == "|"):
        # Where there is no platform the merchant stands beside it, and an order number may have a bar too.
        if ledger.one("dossier", mark := mark_of("order", text[:at], text[at + 1 :])) is not None:
            yield mark
    marks = [mark_of(kind, text) for kind in ("order_no", "order_alone", "inventory")]
    yield from _of_papers(ledger, (paper_of(row) for row in _by_marks(ledger, marks)))
    if platform.strip() == NOBODY:
        # Each merchant has his own orders there.
        alone = map(paper_of, _by_marks(ledger, [mark_of("order_alone", order)]))
        yield from _of_papers(ledger, (one for one in alone if one.head.get("ebpCode", "").strip() == NOBODY))
    rows = ledger.all("documents_by_key", text)
    if not rows and not bar:
        for head in ledger.all("key_heads"):
            rows += ledger.all("documents_by_key", f"{head['prefix']}{text}")
    rows += ledger.all("documents_by_reply_start", text)
    rows += ledger.all("documents_by_given_number", text)
    yield from _of_documents(ledger, rows)


def _of_documents(ledger: Ledger, rows: Iterable[Any]) -> Iterator[int]:
    for row in rows:
        paper = ledger.one("paper", row["number"], row["ordinal"])
        if paper is not None:
            yield from _of_papers(ledger, [paper_of(paper)])


def _of_papers(ledger: Ledger, papers: Iterable[Paper]) -> Iterator[int]:
    for paper in papers:
        mine = _order(paper)
        if not mine:
            leads = [mark for kind in _LEADS for mark in marks_of(kind, paper.spec, paper.head, paper.lines)]
            mine = tuple(mark for row in _by_marks(ledger, leads) for mark in _order(paper_of(row)))
        yield from mine


def _order(paper: Paper) -> tuple[int, ...]:
    return marks_of("order", paper.spec, paper.head, paper.lines)


def _by_marks(ledger: Ledger, marks: list[int]) -> list[Any]:
    return ledger.all("papers_by_marks", msgspec.json.encode(marks).decode())
