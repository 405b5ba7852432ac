"""Meaning: which document each receipt of an answer speaks of.

A receipt names its document as the authority knows it: by the document's key,
by the key of its declaration (copNo and codes), by copNo alone, or by the guid
of the message.  Of several versions it means the one that was newest when it
was said.  Most answers name every document in the same way, so all of them are
looked up together, as they stood before the first receipt of the answer.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from gateway.case import Case
from gateway.said import Said, said
from message_specs.catalog import catalog
from spool.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Meant:
    """A document of which a receipt speaks, and whether this was said before; None where nobody has asked yet."""

    row: sqlite3.Row
    known: bool | None = None


class Meaning:
    """The documents that the receipts of one answer speak of, inside the caller's transaction."""

    def __init__(self, ledger: Ledger, cases: Iterable[Case]) -> None:
        """Whatever is found by a key is found now, as it stands."""
        self._ledger = ledger
        self._found = dict(_at_once(ledger, cases))

    def of(self, case: Case, told: Said) -> list[Meant]:
        """Return the documents of a receipt that nothing said before it in this answer has moved."""
        rows = self._found.get(case.ordinal)
        return self.again(case, told) if rows is None else [_one(rows, told)]

    def again(self, case: Case, told: Said) -> list[Meant]:
        """Return the documents as they stand now."""
        return [Meant(row) for row in _answered(self._ledger, case, told.said_at)]


def _at_once(ledger: Ledger, cases: Iterable[Case]) -> Iterator[tuple[int, list[sqlite3.Row]]]:
    asked: dict[tuple[str, str, str, str], list[tuple[int, str, str, str, str]]] = defaultdict(list)
    for case in cases:
        query, code = _query(case)
        if query in _BY_KEY:
            told = case.told or said(case.document)
            names = (_BY_KEY[query], code, case.partner, case.document.spec.code)
            asked[names].append((case.ordinal, case.key, told.status, told.said_at, told.info))
    for names, keys in asked.items():
        found: dict[int, list[sqlite3.Row]] = {}
        for row in ledger.all(names[0], msgspec.json.encode(keys).decode(), *names[1:]):
            found.setdefault(row["unit"], []).append(row)
        for unit, rows in found.items():
            if names[0] == "all_answered_by_key" or _is_one(rows):
                yield unit, sorted(rows, key=_age)


def _query(case: Case) -> tuple[str, str]:
    """Return by which query the document of a receipt is found, and of which spec it is; "" where by none of these."""
    spec = case.document.spec
    declaration = catalog().specs.get(spec.answers or "")
    if declaration is None or case.means is not None or spec.follows or spec.code == "CEB900":
        return "", ""
    if declaration.reply_key == declaration.key:
        return "answered_by_key", declaration.code
    start, _, rest = case.key.partition("|")
    if not start:
        return "", declaration.code
    return ("answered_by_reply_key" if rest.replace("|", "") else "answered_by_key_start"), declaration.code


_BY_KEY = {"answered_by_key": "all_answered_by_key", "answered_by_reply_key": "all_answered_by_reply_key"}


def _answered(ledger: Ledger, case: Case, said_at: str) -> Iterator[sqlite3.Row]:
    if case.means is not None:
        row = ledger.one("document", *case.means)
        yield from () if row is None else (row,)
        return
    if case.document.spec.code == "CEB900":
        yield from documents_in(ledger, message_called(ledger, case, case.document.head.get("oriCopMsgId") or ""))
        return
    query, code = _query(case)
    if not query:
        return
    # A receipt may leave out the codes beside its copNo (622): then only one document may have it.
    key = case.key.partition("|")[0] if query == "answered_by_key_start" else case.key
    rows = ledger.all(query, key, code, case.partner)
    if rows and (query == "answered_by_key" or _is_one(rows)):
        yield meant(sorted(rows, key=_age), said_at)


def _one(rows: Sequence[sqlite3.Row], told: Said) -> Meant:
    row = meant(rows, told.said_at)
    return Meant(row, bool(row["known"]))


def _is_one(rows: Sequence[sqlite3.Row]) -> bool:
    return len(rows) == 1 or len({(row["key"], row["partner"]) for row in rows}) == 1


def _age(row: sqlite3.Row) -> tuple[str, int]:
    return row["sealed_at"], row["version"]


def meant(rows: Sequence[sqlite3.Row], said_at: str) -> sqlite3.Row:
    """Return the version sealed last before it was said, else the newest; times of customs may lack their milliseconds.

    >>> rows = [{"sealed_at": "2026-11-21T01:00:00.500Z"}, {"sealed_at": "2026-11-21T04:00:00.500Z"}]
    >>> said = ("2026-11-21T09:30:00.000+08:00", "2026-11-21T12:00:00.000+08:00", "2026-11-20T09:00:00.000+08:00", "")
    >>> [rows.index(meant(rows, one)) for one in said]
    [0, 1, 1, 1]
    """
    if len(rows) == 1:
        return rows[0]
    try:
        moment = datetime.fromisoformat(said_at)
        before = [row for row in rows if datetime.fromisoformat(row["sealed_at"]).replace(microsecond=0) <= moment]
    except (TypeError, ValueError):
        before = []
    return (before or rows)[-1]


def message_called(ledger: Ledger, case: Case, guid: str) -> sqlite3.Row | None:
    """Return the message of ours with this guid, if it was declared to the authority that speaks."""
    row = ledger.one("message_by_guid", guid.strip().upper())
    return row if row is not None and row["authority"] == case.partner else None


def documents_in(ledger: Ledger, message: sqlite3.Row | None) -> Iterator[sqlite3.Row]:
    """Yield the documents that left in the message; what was taken out of it and sealed again is none of them."""
    for number, ordinal in _members(message["documents"] if message else ""):
        row = ledger.one("document", number, ordinal)
        if row is not None and message is not None and row["message"] == message["number"]:
            yield row


def _members(text: str) -> Iterator[tuple[int, int]]:
    for name in text.split():
        number, _, ordinal = name.partition(".")
        yield int(number), int(ordinal)
