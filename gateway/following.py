"""Following: what an authority says by a number of its own finds the document to which it gave that number.

A tax bill names the inventory by invtNo, an aggregate answer the application by sumNo: numbers that came with
an earlier receipt.  Which receipt gives which number stands in its spec (`gives`), as does whom another follows.
One that comes before its number is kept, a day at most, and settles in the transaction in which the number comes.
A number that two documents have been given says nothing: what follows it is held.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from gateway.case import Case
from gateway.said import Said
from message_specs.catalog import catalog
from message_specs.codes import receipt_status
from spool.ledger import Ledger

PATIENCE: Final = timedelta(days=1)
"""How long a receipt waits for its number before an operator is asked (our choice of 2026-11)."""


@dataclass(frozen=True, slots=True)
class Early:
    """A receipt that waited for its number: where it stands, and what it said."""

    number: int
    ordinal: int
    spec: str
    state: str
    said: Said


def remember(ledger: Ledger, case: Case, row: sqlite3.Row) -> Iterator[tuple[str, str]]:
    """Every number that the receipt gives this document is in the ledger; yield kind and value of each."""
    for kind in case.document.spec.gives:
        value = (case.document.head.get(kind) or "").strip()
        if value:
            ledger.run("give_number", value, kind, case.partner, row["number"], row["ordinal"])
            yield kind, value


def mark(case: Case) -> tuple[str, str]:
    """Return kind and value of the number by which an unasked receipt names its document."""
    path = case.document.spec.echo[0]
    return path.rpartition("/")[2], (case.document.text(path) or "").strip()


def numbered(ledger: Ledger, case: Case) -> tuple[list[list[sqlite3.Row]], bool]:
    """Return the versions of each document to which the receipt's number was given, and whether it says which is meant.

    The parts of one application share its number, and what is said of it is said of all of them.
    """
    giver = catalog().specs[case.document.spec.follows or ""]
    declaration = catalog().specs[giver.answers or ""]
    kind, value = mark(case)
    rows = ledger.all("numbered", value, kind, case.partner, declaration.code)
    wholes = {(declaration.without_part(row["key"]), row["partner"]) for row in rows}
    by_key = groupby(sorted(rows, key=lambda row: str(row["key"])), key=lambda row: str(row["key"]))
    return [list(versions) for _, versions in by_key], len(wholes) <= 1


def until(at: str) -> str:
    """Return how long what came at this time waits.

    >>> until("2026-11-21T01:02:03.456Z")
    '2026-11-22T01:02:03.456Z'
    """
    return f"{datetime.fromisoformat(at) + PATIENCE:%Y-%m-%dT%H:%M:%S}{at[19:]}"


def keep(ledger: Ledger, case: Case, said: Said) -> None:
    """What the receipt says is kept until its number comes."""
    kind, value = mark(case)
    ledger.run(
        "add_early_receipt", value, kind, case.partner, case.number, case.ordinal, said.status, said.outcome,
        said.said_at, said.info,
    )  # fmt: skip


def early(ledger: Ledger, kind: str, value: str, case: Case) -> Iterator[Early]:
    """Yield every receipt that waited for this number of this receipt's kind; none of them is kept any more."""
    for row in ledger.all("early_receipts", value, kind, case.partner):
        if catalog().specs[row["spec"]].follows != case.document.spec.code:
            continue
        ledger.run("drop_early_receipt", value, kind, case.partner, row["number"], row["ordinal"])
        zh = receipt_status(row["spec"], row["status"]).zh
        words = Said(row["status"], row["outcome"], zh, row["said_at"], row["info"])
        yield Early(row["number"], row["ordinal"], row["spec"], row["state"], words)
