"""Fetching: what the desks of a batch must know of the past is read at once for all its documents.

Documents of the same batch see one another.  What only a paper tells, such as the payment that an order names, is
looked up once more.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain

import msgspec

from gateway.desks import Needs, Records
from gateway.living import said_of
from message_specs.trade.papers import Paper, paid_elsewhere, unpack
from spool.ledger import Ledger

_TELL = ("inventory", "cancel")


def fetch(
    ledger: Ledger, records: Records, needed: Sequence[Needs], of_batch: Mapping[int, list[Paper]]
) -> dict[str, int]:
    """The records hold all that is needed, with the papers of the batch itself; return the revisions of the values."""
    asked = {mark for needs in needed for mark in needs.marks}
    _papers(ledger, records, asked, of_batch)
    # An order may name a payment that tells of another order: the second look finds it.
    named = {mark for needs in needed for mark in paid_elsewhere(records.papers(needs.marks))}
    then = [_then(needs, records) for needs in needed]
    _papers(ledger, records, named.union(*then) - asked, of_batch)
    _lives(ledger, records, [(*needs.marks, *more) for needs, more in zip(needed, then, strict=True) if needs.lives])
    revisions: dict[str, int] = {}
    if keys := {key for needs in needed for key in needs.values}:
        for one in ledger.all("records", _json(keys)):
            records.values[one["key"]] = one["value"]
            revisions[one["key"]] = one["revision"]
    return revisions


def _then(needs: Needs, records: Records) -> Sequence[int]:
    return () if needs.then is None else tuple(needs.then(records.papers(needs.marks)))


def _papers(ledger: Ledger, records: Records, wanted: set[int], of_batch: Mapping[int, list[Paper]]) -> None:
    if not wanted:
        return
    for mark in wanted & of_batch.keys():
        records.by_mark[mark] = list(of_batch[mark])
    known: dict[tuple[int, int], Paper] = {}
    for row in ledger.all("papers_by_marks", _json(wanted)):
        place = (row["number"], row["ordinal"])
        if place not in known:
            known[place] = paper_of(row)
        records.by_mark.setdefault(row["mark"], []).append(known[place])


def _lives(ledger: Ledger, records: Records, needed: Iterable[Sequence[int]]) -> None:
    for paper in records.papers(chain.from_iterable(needed)):
        if paper.kind in _TELL:
            number = number_of(ledger, paper)
            rows = ledger.all("receipts_of", paper.number, paper.ordinal)
            said = [replace(said_of(row), invt_no=number) if number else said_of(row) for row in rows]
            records.said[(paper.number, paper.ordinal)] = said


def number_of(ledger: Ledger, paper: Paper, kind: str = "invtNo") -> str:
    """Return the number that customs gave a document, the last where there are several, "" where it gave none."""
    row = ledger.one("number_given", paper.number, paper.ordinal, kind)
    return row["value"] if row else paper.head.get(kind, "").strip()


def paper_of(row: sqlite3.Row) -> Paper:
    """Return the paper of a row of the ledger, with where its document stands now."""
    head, lines = unpack(row["body"])
    return Paper(
        row["number"], row["ordinal"], row["spec"], row["kind"], row["partner"], row["state"],
        row["app_type"] or "1", row["version"] or 0, row["status"] or "", head, lines,
    )  # fmt: skip


def _json(values: Iterable[int] | Iterable[str]) -> str:
    return msgspec.json.encode(list(values)).decode()
