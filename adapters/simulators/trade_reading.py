"""What the book says of trades, one line each: how far it is, its number, its tax, what came back."""

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adapters.simulators.book import FILE
from adapters.simulators.trade.papers import Paper
from adapters.simulators.trade.shelf import read

_INVENTORIES = """
SELECT spec, key, message, ordinal, head, lines, invt, said, more FROM paper WHERE spec IN ('CEB621', 'CEB603')
ORDER BY id
"""
_ORDERS = """
SELECT spec, key, message, ordinal, head, lines, invt, said, more FROM paper AS ordered
WHERE spec IN ('CEB311', 'CEB303') AND head <> '{}' ORDER BY id
"""


_TAX = ("taxNo", "customsTax", "valueAddedTax", "consumptionTax", "status")


def lines(state: Path, at: int) -> Iterator[dict[str, Any]]:
    """Give a dictionary a trade at a moment: order, inventory, state, invtNo, tax, refunds; orders alone come last."""
    file = state / FILE
    if not file.exists():
        return
    book = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=30)
    try:
        book.execute("BEGIN")
        listed = set()
        for inventory in map(read, book.execute(_INVENTORIES)):
            if inventory.head:
                listed.add((inventory.spec, inventory.trade))
                yield _line(inventory, at)
        for order in map(read, book.execute(_ORDERS)):
            if ("CEB621" if order.spec == "CEB311" else "CEB603", order.trade) not in listed:
                yield _line(order, at)
    finally:
        book.close()


def _line(paper: Paper, at: int) -> dict[str, Any]:
    is_order = paper.spec in ("CEB311", "CEB303")
    tax = paper.more.get("tax") if paper.more.get("billed_at", 0) <= at else None
    return {
        "order": paper.trade,
        "inventory": None if is_order else paper.key,
        "state": paper.status(at),
        "invtNo": paper.invt or None,
        "tax": tax and {name: tax[name] for name in _TAX},
        "refunds": paper.more.get("refunds", []),
    }


def show(state: Path, *, as_json: bool) -> bool:
    """Print the trades; return whether there is a book."""
    for line in lines(state, int(time.time() * 1000)):
        if as_json:
            print(json.dumps(line, ensure_ascii=False))
        else:
            paid = line["tax"] and line["tax"]["valueAddedTax"]
            number, back = line["invtNo"] or "-", len(line["refunds"])
            print(f"{line['state']:5} {number:18}  {paid or '-':>10}  {back}  {line['order']}")
    return (state / FILE).exists()
