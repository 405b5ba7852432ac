"""Declared elsewhere: what a partner declared by messages of his own, which no command here drew up.

Both ways lead through the desk `refund`, which sees every declaration that stands; a declaration that is drawn up here
must see the partner's own too, or it would propose what he has used.  One that was refused uses nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import msgspec

from gateway.fetching import paper_of
from message_specs.amounts import amount
from message_specs.trade.marking import mark_of
from message_specs.trade.papers import Paper
from spool.ledger import Ledger
from spool.states import State

SPECS: Final = {"refund": "TAX101", "exempt": "TAX201"}


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The declarations of one kind that a taxpayer's partners wrote themselves, and the batches of all."""

    papers: Sequence[Paper]
    batches: frozenset[tuple[str, str]]

    @property
    def exports(self) -> frozenset[str]:
        """The exports that stand in them: number with item."""
        return frozenset(_exports(self.papers))

    @property
    def purchases(self) -> dict[tuple[str, int], Decimal]:
        """How much of which line of which invoice they use."""
        used: dict[tuple[str, int], Decimal] = {}
        for one in self.papers:
            for line in one.lines:
                if line.get("jhpzh"):
                    place = (line["jhpzh"], int(amount(line.get("pzhh"))))
                    used[place] = used.get(place, Decimal(0)) + amount(line.get("sl"))
        return used


def _exports(papers: Sequence[Paper]) -> Iterator[str]:
    for one in papers:
        for line in one.lines:
            if line.get("invtNo"):
                yield f"{line['invtNo'].strip()}{int(amount(line.get('gnum'))):03d}"
            elif line.get("ckhwbgdh"):
                yield line["ckhwbgdh"]


def elsewhere(ledger: Ledger, kind: str, taxpayer: str) -> Elsewhere:
    """Return what stands of a taxpayer that was not drawn up here."""
    marks = msgspec.json.encode([mark_of("declarant", taxpayer)]).decode()
    papers = [paper_of(row) for row in ledger.all("papers_by_marks", marks)]
    mine = [one for one in papers if one.spec == SPECS[kind]]
    drawn = {row["key"] for row in ledger.all("drawn_all", kind)}
    theirs = [one for one in mine if one.state != State.REFUSED and _key(one, kind) not in drawn]
    return Elsewhere(theirs, frozenset((one.head.get("sbny", ""), one.head.get("sbpc", "")) for one in mine))


def _key(one: Paper, kind: str) -> str:
    return "|".join((kind, *(one.head.get(name, "").strip() for name in ("taxpayerNo", "sbny", "sbpc"))))
