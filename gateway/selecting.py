"""Selecting: which documents or interchanges an operator means.

A selection is numbers, or partner, spec, state, time and key, or both at once.
It is read in slices, so a million documents cost no more memory than five hundred.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from gateway.causes import cause_of, name_of
from gateway.settling import iso
from spool import number as numbers
from spool.ledger import Ledger
from spool.states import State

SLICE: Final = 500
_LAST: Final = 2**62
_CHINA: Final = ZoneInfo("Asia/Shanghai")
_SPAN: Final = re.compile(r"([0-9]{1,6})\s*([smhdw])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def moment(text: str, now: datetime) -> datetime:
    """Return the time that a person means; ValueError when nobody can tell.

    >>> now = datetime(2026, 11, 21, 12, 0, tzinfo=_CHINA)
    >>> moment("2h", now).isoformat(), moment("2026-11-20", now).isoformat()
    ('2026-11-21T10:00:00+08:00', '2026-11-20T00:00:00+08:00')
    >>> moment("2026-11-20T01:02:03Z", now).isoformat()
    '2026-11-20T01:02:03+00:00'
    """
    if span := _SPAN.fullmatch(text.strip()):
        return now - timedelta(seconds=int(span[1]) * _SECONDS[span[2]])
    when = datetime.fromisoformat(text.strip())
    return when if when.tzinfo else when.replace(tzinfo=_CHINA)


@dataclass(frozen=True, slots=True)
class Selection:
    """What an operator named; what is None or empty selects everything."""

    numbers: tuple[str, ...] = ()
    partner: str | None = None
    spec: str | None = None
    states: tuple[State, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    key: str | None = None
    cause: str | None = None
    """Held for this: the short name of a cause, or how the reason begins."""
    authority: str | None = None

    def means(self, row: sqlite3.Row) -> bool:
        """Tell whether a document is held for the cause and meant for the authority that were named."""
        if self.authority is not None and row["authority"] != self.authority:
            return False
        if self.cause is None:
            return True
        named = self.cause == name_of(cause_of(row["why"])) or (row["why"] or "").startswith(self.cause)
        return bool(row["state"] == State.HELD and named)

    @property
    def is_empty(self) -> bool:
        """True when nothing at all was named; such a selection is asked for by mistake only."""
        return self == Selection()

    def filters(self) -> tuple[str | None, str | None, str | None, str | None, str | None]:
        """Return partner, spec, states, since and until as the ledger's statements take them."""
        states = msgspec.json.encode(sorted(self.states)).decode() if self.states else None
        since, until = (iso(one) if one else None for one in (self.since, self.until))
        return self.partner, self.spec, states, since, until


Name = tuple[int, int]


def documents(ledger: Ledger, selection: Selection) -> Iterator[sqlite3.Row]:
    """Yield the selected documents in the order of their numbers."""
    filters = selection.filters()
    for number, ordinal in _spans(ledger, selection):
        after = (number, ordinal - 1) if ordinal else (number, 0)
        upto = number or _LAST
        while rows := ledger.all("selected_documents", *after, upto, *filters, 1 if ordinal else SLICE):
            yield from (row for row in rows if (not ordinal or row["ordinal"] == ordinal) and selection.means(row))
            if ordinal or len(rows) < SLICE:
                break
            after = (rows[-1]["number"], rows[-1]["ordinal"])


def contains(ledger: Ledger, selection: Selection, number: int, ordinal: int) -> bool:
    """Tell whether a document is selected."""
    named = any(one in ((0, 0), (number, 0), (number, ordinal)) for one in _spans(ledger, selection))
    one = replace(selection, numbers=(f"{number}.{ordinal}",), key=None)
    return named and any(True for _ in documents(ledger, one))


def slices(rows: Iterable[sqlite3.Row]) -> Iterator[list[sqlite3.Row]]:
    """Yield the documents by some five hundred; those of one interchange are never parted."""
    part: list[sqlite3.Row] = []
    for row in rows:
        if len(part) >= SLICE and row["number"] != part[-1]["number"]:
            yield part
            part = []
        part.append(row)
    if part:
        yield part


def interchanges(ledger: Ledger, selection: Selection) -> Iterator[sqlite3.Row]:
    """Yield the selected interchanges in order, as far as they are there when this is asked.

    Duplicates and replays are selected by their numbers only: they hold nothing that the first one does not.
    """
    newest = ledger.one("last_number")
    end = (newest["number"] if newest else None) or 0
    filters = selection.filters()
    seen: set[int] = set()
    for number, _ in _spans(ledger, selection):
        if number in seen:
            continue
        seen.add(number)
        after, upto = (number - 1, number) if number else (0, end)
        while rows := ledger.all("selected_interchanges", after, upto, *filters, int(number > 0), SLICE):
            yield from rows
            after = rows[-1]["number"]


def unknown(ledger: Ledger, selection: Selection) -> list[str]:
    """Return the numbers named that stand for nothing in the ledger, as they were written."""
    missing = []
    for text in selection.numbers:
        number, ordinal = numbers.parse(text)
        known = ledger.one("interchange", number) if ordinal is None else ledger.one("document", number, ordinal)
        if known is None and not (ordinal is None and ledger.one("message", number)):
            missing.append(text)
    return missing


def keyed(ledger: Ledger, key: str) -> list[Name]:
    """Return the documents with this business key, or whose key ends in it."""
    rows = ledger.all("documents_by_key", key)
    if not rows and "|" not in key:
        for head in ledger.all("key_heads"):
            rows += ledger.all("documents_by_key", f"{head['prefix']}{key}")
    return sorted((row["number"], row["ordinal"]) for row in rows)


def members(text: str) -> list[Name]:
    """Return the documents of a message as its row names them.

    >>> members("261121204432000017.1 261121204432000017.2")
    [(261121204432000017, 1), (261121204432000017, 2)]
    """
    return [(int(number), int(ordinal)) for number, _, ordinal in (name.partition(".") for name in text.split())]


def _spans(ledger: Ledger, selection: Selection) -> Sequence[Name]:
    """Return what is to be looked through: documents, whole interchanges (ordinal 0), or everything (0, 0)."""
    named: set[Name] = set()
    for text in selection.numbers:
        number, ordinal = numbers.parse(text)
        message = ledger.one("message", number) if ordinal is None else None
        if message is not None and ledger.one("interchange", number) is None:
            named.update(members(message["documents"]))
        else:
            named.add((number, ordinal or 0))
    if selection.key is not None:
        by_key = keyed(ledger, selection.key)
        if not selection.numbers:
            return by_key
        return [one for one in by_key if one in named or (one[0], 0) in named]
    if not selection.numbers:
        return ((0, 0),)
    return sorted(one for one in named if not one[1] or (one[0], 0) not in named)
