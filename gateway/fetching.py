"""Fetching: what the desks of a batch must know of the past is read at once, before they decide.

Papers that share a mark with a case, those of the batch itself among them; what
only papers tell, such as the payment that an order names, looked up once more;
what customs has said, where a desk asks for lives; and the records that desks
keep.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import msgspec

from gateway.case import Case
from gateway.desks import Needs, Records, desk
from gateway.living import said_of
from message_specs.trade.papers import Paper, beside, paid_elsewhere, unpack
from spool.ledger import Ledger

Place = tuple[int, int]
_TELL = ("inventory", "cancel")


@dataclass(slots=True)
class Fetched:
    """By what was decided: how many filings had been, by which marks each case, at which revision the records."""

    seen: int
    marks: dict[Place, tuple[int, ...]]
    revisions: dict[str, int] = field(default_factory=dict)


def fetch(ledger: Ledger, cases: Sequence[Case], of_batch: Mapping[int, list[Paper]], records: Records) -> Fetched:
    """`records` holds all that the desks of these cases need; `of_batch` are the papers that the ledger has not yet."""
    needed: list[tuple[Case, Needs]] = []
    marks: dict[Place, tuple[int, ...]] = {}
    for case in cases:
        of_case: tuple[int, ...] = ()
        for name in case.journey:
            needs = desk(name).needs(case, records)
            needed.append((case, needs))
            of_case += needs.marks
        marks[(case.number, case.ordinal)] = tuple(dict.fromkeys(of_case))
    row = ledger.one("filings")
    fetched = Fetched(row["last"] if row else 0, marks)
    first = {mark for of_case in marks.values() for mark in of_case}
    _papers(ledger, records, first, of_batch)
    # An order may name a payment that tells of another order: the second look finds it.
    named: set[int] = set()
    for case, needs in needed:
        if needs.paid and (paid := paid_elsewhere(records.papers(needs.marks))):
            marks[(case.number, case.ordinal)] += paid
            named.update(paid)
    then = [_then(needs, records) for _, needs in needed]
    named.update(*then)
    _papers(ledger, records, named - first, of_batch)
    shared = _beside(needed, then, marks, records, second=bool(named))
    _papers(ledger, records, shared - first - named, of_batch)
    _lives(
        ledger, records, [(*needs.marks, *more) for (_, needs), more in zip(needed, then, strict=True) if needs.lives]
    )
    if keys := {key for _, needs in needed for key in needs.values}:
        _values(ledger, records, keys, fetched)
    more = {key for _, needs in needed if needs.keys is not None for key in needs.keys(records)}
    if more:
        _values(ledger, records, more, fetched)
    _names(ledger, records, needed, more)
    return fetched


def _values(ledger: Ledger, records: Records, keys: set[str], fetched: Fetched) -> None:
    for one in ledger.all("records", as_json(keys)):
        records.values[one["key"]] = one["value"]
        fetched.revisions[one["key"]] = one["revision"]


def _names(
    ledger: Ledger, records: Records, needed: Sequence[tuple[Case, Needs]], keys: Iterable[str]
) -> None:  # fmt: skip
    """The papers that records name are known."""
    names = {value for key in keys if (value := records.values.get(key, ""))[:1].isdigit()}
    names.update(name for _, needs in needed if needs.names is not None for name in needs.names(records))
    for name in names - records.named.keys():
        number, _, ordinal = name.partition(".")
        if (row := ledger.one("paper", int(number), int(ordinal))) is not None:
            records.named[name] = paper_of(row)


def _beside(
    needed: Sequence[tuple[Case, Needs]], then: Sequence[Sequence[int]], marks: dict[Place, tuple[int, ...]],
    records: Records, *, second: bool,
) -> set[int]:  # fmt: skip
    """Return the marks of orders that share a payment with a case; by them too it is decided."""
    found: set[int] = set()
    for (case, needs), more in zip(needed, then, strict=True):
        place = (case.number, case.ordinal)
        # What the first look found is known already, unless there was a second.
        known = (*marks[place], *more) if second else needs.marks
        if needs.beside and (of_case := beside(records.papers(known))):
            marks[place] += of_case
            found.update(of_case)
    return found


def _then(needs: Needs, records: Records) -> Sequence[int]:
    return () if needs.then is None else tuple(needs.then(records.papers(needs.marks)))


def _papers(ledger: Ledger, records: Records, wanted: set[int], of_batch: Mapping[int, list[Paper]]) -> None:
    if not wanted:
        return
    by_mark = records.by_mark
    for mark in wanted & of_batch.keys():
        by_mark[mark] = list(of_batch[mark])
    known: dict[Place, Paper] = {}
    for row in ledger.all("papers_by_marks", as_json(wanted)):
        mark, place = row[0], (row[1], row[2])
        paper = known.get(place)
        if paper is None:
            paper = known[place] = _of(*row[1:])
        if mark in by_mark:
            by_mark[mark].append(paper)
        else:
            by_mark[mark] = [paper]
    records.found.clear()


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
    return _of(
        row["number"], row["ordinal"], row["kind"], row["body"], row["spec"], row["partner"], row["state"],
        row["app_type"], row["version"], row["status"],
    )  # fmt: skip


def _of(
    number: int, ordinal: int, kind: str, body: bytes, spec: str, partner: str, state: str, app_type: str | None,
    version: int | None, status: str | None,
) -> Paper:  # fmt: skip
    head, lines = unpack(body)
    return Paper(number, ordinal, spec, kind, partner, state, app_type or "1", version or 0, status or "", head, lines)


def as_json(values: Iterable[int] | Iterable[str]) -> str:
    """Return the values as a list for a query that joins them."""
    return msgspec.json.encode(sorted(values)).decode()
