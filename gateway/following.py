"""Following: what an authority says by a number of its own finds the document to which it gave that number.

A tax bill names the inventory by invtNo, an aggregate answer the application by sumNo: numbers that came with
an earlier receipt.  Which receipt gives which number stands in its spec (`gives`), as does whom another follows.
What is said by a number is kept for whoever is given it later; one that comes before its number waits, a day at
most, and settles in the transaction in which the number comes.  A number that two documents have been given says
nothing: what follows it is held.  The parts of one application share its number: what is said of it is said of all.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Final

import msgspec

from gateway.case import Case
from gateway.said import Said
from message_specs.catalog import catalog
from message_specs.codes import receipt_status
from message_specs.trade.papers import kind_of, pack
from spool.ledger import Ledger

PATIENCE: Final = timedelta(days=1)
"""How long a receipt waits for its number before an operator is asked (our choice of 2026-11)."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number of an authority's: of which kind, and which declaration it is given to."""

    authority: str
    kind: str
    value: str
    declaration: str


Given = tuple[Case, sqlite3.Row, Number]
"""A receipt, its document, and a number that it gives the document."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A receipt that was said by a number: where it stands, how what stands for it rests, and what it said."""

    number: int
    ordinal: int
    spec: str
    state: str | None
    said: Said


def given(case: Case) -> Iterator[Number]:
    """Yield every number that the receipt gives its document."""
    spec = case.document.spec
    for kind in spec.gives:
        value = (case.document.head.get(kind) or "").strip()
        if value:
            yield Number(case.partner, kind, value, spec.answers or "")


def followed(case: Case) -> Number:
    """Return the number by which an unasked receipt names its document."""
    spec = case.document.spec
    path = spec.echo[0]
    declaration = catalog().specs[spec.follows or ""].answers or ""
    return Number(case.partner, path.rpartition("/")[2], (case.document.text(path) or "").strip(), declaration)


def remember(ledger: Ledger, given: Sequence[Given]) -> list[Given]:
    """The numbers are the documents'; return those that were not before, each once."""
    if not given:
        return []
    asked = {(one.value, one.kind, one.authority, row["number"], row["ordinal"]): (case, row, one)
             for case, row, one in given}  # fmt: skip
    new = [asked[tuple(row)] for row in ledger.all("give_numbers", _json(list(asked)))]
    for _, _, one in new:
        if one.kind == "sumNo":
            ledger.run("aggregate_has_number", one.value, one.authority)
    return new


def waited_for(ledger: Ledger, given: Sequence[Given]) -> frozenset[tuple[str, str]]:
    """Return the numbers and their kinds by which something was said already."""
    asked = _json([(one.value, one.kind, one.authority) for _, _, one in given])
    return frozenset((row["value"], row["kind"]) for row in ledger.all("numbers_waited_for", asked))


def numbered(ledger: Ledger, one: Number) -> tuple[list[list[sqlite3.Row]], bool]:
    """Return the versions of each document to which the number was given, and whether it says which is meant."""
    spec = catalog().specs[one.declaration]
    rows = ledger.all("numbered", one.value, one.kind, one.authority, one.declaration)
    wholes = {(spec.without_part(row["key"]), row["partner"]) for row in rows}
    by_key = groupby(sorted(rows, key=itemgetter("key")), key=itemgetter("key"))
    return [list(versions) for _, versions in by_key], len(wholes) <= 1


def until(at: str) -> str:
    """Return how long what came at this time waits.

    >>> until("2026-11-21T01:02:03.456Z")
    '2026-11-22T01:02:03.456Z'
    """
    return f"{datetime.fromisoformat(at) + PATIENCE:%Y-%m-%dT%H:%M:%S}{at[19:]}"


def keep(ledger: Ledger, one: Number, case: Case, said: Said, at: str) -> None:
    """What the receipt says is kept for whoever is given its number later; an aggregate result, to be compared."""
    if kind_of(case.document.spec.code) == "aggregate_result":
        body = pack(case.document)
        ledger.run("add_result", one.value, one.authority, case.number, case.ordinal, said.said_at, body)
        ledger.run("aggregate_came", one.value, one.authority, at)
    ledger.run(
        "add_numbered_receipt", one.value, one.kind, one.authority, case.number, case.ordinal,
        case.document.spec.code, said.status, said.outcome, said.said_at, said.info,
    )  # fmt: skip


def kept(ledger: Ledger, one: Number) -> Iterator[Kept]:
    """Yield everything that was said by this number, in the order in which we learned it."""
    for row in ledger.all("numbered_receipts", one.value, one.kind, one.authority):
        giver = catalog().specs[catalog().specs[row["spec"]].follows or ""]
        if giver.answers == one.declaration:
            zh = receipt_status(row["spec"], row["status"]).zh
            words = Said(row["status"], row["outcome"], zh, row["said_at"], row["info"])
            yield Kept(row["number"], row["ordinal"], row["spec"], row["state"], words)


def _json(values: object) -> str:
    return msgspec.json.encode(values).decode()
