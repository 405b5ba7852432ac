"""Gathering a trade: all of its papers in the ledger, told from those of its neighbours, and who of them are chosen.

Papers are found by the marks that they share.  A payment or a waybill may serve several orders, and a CEB511 names an
order without its platform: such neighbours are looked at too, because the choice depends on them, and are not of the
trade.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from gateway.fetching import paper_of
from gateway.living import said_of
from message_specs.trade.choosing import Chosen, choose, live, newest, with_waybill_of
from message_specs.trade.life import Life, life_of
from message_specs.trade.papers import Paper, marks_of, paid_elsewhere, side_of
from message_specs.trade.papers import beside as shared
from spool.ledger import Ledger

CHINA: Final = ZoneInfo("Asia/Shanghai")
_JOINS: Final = ("sold", "payment", "waybill", "inventory", "declared", "return")
"""The marks by which documents belong to a trade; a bill of lading joins many trades and a number alone none."""
_TELL: Final = ("inventory", "cancel")
_OF_MANY: Final = frozenset({"entry", "summary", "arrival", "departure", "aggregate", "aggregate_result"})
"""What belongs to many trades at once and so leads from none to another."""


@dataclass(frozen=True)
class Trade:
    """One trade as it stands in the ledger: its row, its papers by number, and the papers of its neighbours."""

    ledger: Ledger
    row: Any
    papers: tuple[Paper, ...]
    beside: tuple[Paper, ...]

    @cached_property
    def chosen(self) -> Chosen:
        """The documents that are held against one another, with the waybill that only a refused inventory names."""
        return with_waybill_of(self.sure, self._around, self.inventories[-1] if self.inventories else None)

    @cached_property
    def sure(self) -> Chosen:
        """The documents by which an inventory may be drawn up: the live inventory's, else the live order's."""
        alive = live(self.papers)
        anchors = [newest(alive, "inventory")]
        anchors += [next((one for one in alive if one.kind == kind), None) for kind in ("order", "payment")]
        return choose(self._around, next(filter(None, anchors), None))

    @property
    def _around(self) -> tuple[Paper, ...]:
        return (*self.papers, *self.beside)

    @property
    def inventories(self) -> tuple[Paper, ...]:
        """Every inventory of it, refused ones too."""
        return tuple(one for one in self.papers if one.kind == "inventory")

    @property
    def mode(self) -> str:
        """The trade mode: that of the inventory, else what the ledger knows."""
        inventory = self.chosen.inventory
        return inventory.head.get("tradeMode", "") if inventory else str(self.row["mode"])

    @property
    def side(self) -> str:
        """Whether it is of import or export."""
        return next((side_of(one.spec) for one in self.papers), "import")

    @property
    def opened(self) -> datetime:
        """When the dossier was opened, in China."""
        return datetime.fromisoformat(self.row["opened_at"]).astimezone(CHINA)

    @cached_property
    def life(self) -> Life:
        """All that customs has said of its inventory and its cancels."""
        rows = [
            row
            for one in self.papers
            if one.kind in _TELL
            for row in self.ledger.all("receipts_of", one.number, one.ordinal)
        ]
        return life_of(self.side, map(said_of, rows))


def gathered(ledger: Ledger, mark: int) -> Trade | None:
    """Return the trade of an order's mark; None where the ledger has no dossier of it."""
    row = ledger.one("dossier", mark)
    if row is None:
        return None
    known, beside = _joined(ledger, mark, {mark})
    numbers = {one for paper in known.values() for one in _marks(paper, "order_no")}
    for paper in _by_marks(ledger, numbers):
        place = (paper.number, paper.ordinal)
        if place in known or place in beside:
            continue
        others = (*known.values(), *beside.values())
        if paper.kind == "waybill" and _is_of(paper, mark, others):
            more, near = _joined(ledger, mark, set(_marks(paper, "waybill")))
            known |= more
            beside |= near
        else:
            beside[place] = paper
    beside |= {
        place: one
        for one in _by_marks(ledger, paid_elsewhere(known.values()))
        if (place := (one.number, one.ordinal)) not in known
    }
    around = (*known.values(), *beside.values())
    beside |= {(one.number, one.ordinal): one for one in _by_marks(ledger, shared(around)) if one.kind == "order"}
    beside = {place: one for place, one in beside.items() if place not in known}
    return Trade(ledger, row, _sorted(known.values()), _sorted(beside.values()))


def _is_of(waybill: Paper, mark: int, others: Iterable[Paper]) -> bool:
    """Tell whether a waybill that names an order number alone is of the order with this mark."""
    order = choose((*others, waybill), waybill).order
    return order is None or mark in _marks(order, "order")


_Known = dict[tuple[int, int], Paper]


def _joined(ledger: Ledger, mark: int, wanted: set[int]) -> tuple[_Known, _Known]:
    """Return the papers that these marks lead to, and the neighbours met on the way."""
    known: _Known = {}
    beside: _Known = {}
    asked: set[int] = set()
    while wanted:
        papers = _by_marks(ledger, wanted)
        asked |= wanted
        wanted = set()
        for paper in papers:
            orders = _marks(paper, "order")
            # Only a payment may name one order and serve another; an export order may be known by its merchant alone.
            theirs = orders and mark not in orders and paper.kind != "payment"
            if theirs and asked.isdisjoint(_marks(paper, "sold")):
                beside[(paper.number, paper.ordinal)] = paper
                continue
            known[(paper.number, paper.ordinal)] = paper
            if paper.kind not in _OF_MANY:
                wanted |= {one for kind in _joins(paper) for one in _marks(paper, kind)} - asked
    return known, beside


def _joins(paper: Paper) -> tuple[str, ...]:
    """By which marks a paper leads on; an order to the waybills that name it in their remark, and no remark to others.

    A remark is free text that a million waybills may share.
    """
    return (*_JOINS, "shipped") if paper.kind == "order" else _JOINS


def _by_marks(ledger: Ledger, marks: Iterable[int]) -> list[Paper]:
    found = ledger.all("papers_by_marks", msgspec.json.encode(list(marks)).decode())
    return list({(row["number"], row["ordinal"]): paper_of(row) for row in found}.values())


def _marks(paper: Paper, kind: str) -> tuple[int, ...]:
    return marks_of(kind, paper.spec, paper.head, paper.lines)


def _sorted(papers: Iterable[Paper]) -> tuple[Paper, ...]:
    return tuple(sorted(papers, key=lambda one: (one.number, one.ordinal)))
