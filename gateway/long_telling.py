"""What a long table's sender is told: the same files as of any other, written part by part from the ledger.

A part is read at a time, so the acknowledgement of some hundred thousand documents needs the memory
of some hundred.
"""

import sqlite3
from collections.abc import Iterator
from itertools import chain
from operator import itemgetter
from typing import Any, Final

import msgspec

from gateway.letting_go import Acknowledgement, Pieces, decoded, document_entry, why_findings, why_head, why_refused
from spool.ledger import IN_PARTS, Ledger

SHOWN: Final = 1_000
"""So many documents an answer on a line shows at most; the file in out/ has all."""
MOST_SHOWN: Final = 5_000
"""So many findings."""
Entry = dict[str, str | None]
_REPEATED: Final = ("P301", "P302")


def is_long(row: sqlite3.Row) -> bool:
    """Tell whether an interchange is a table that was written part by part."""
    return bool(row["documents"] == IN_PARTS)


def is_whole(ledger: Ledger, number: int) -> bool:
    """Tell whether the last part of a long table is in the ledger."""
    part = ledger.one("last_part", number)
    return part is not None and bool(part["ending"])


def entry(row: sqlite3.Row) -> Entry:
    """Return one document as an acknowledgement names it."""
    return document_entry(f"{row['number']}.{row['ordinal']}", row["spec"], row["key"], row["state"])


def repeated(ledger: Ledger, findings: list[dict[str, Any]]) -> Iterator[tuple[int, Entry]]:
    """Yield, for each document that came before, its ordinal here and the document that stands for it."""
    for found in findings:
        if found["code"] in _REPEATED and found["value"]:
            number, _, ordinal = found["value"].partition(".")
            if document := ledger.one("document", int(number), int(ordinal)):
                yield found["document"], entry(document)


class LongTable:
    """One long table as the ledger tells it, part by part."""

    def __init__(self, ledger: Ledger, row: sqlite3.Row) -> None:
        self._ledger = ledger
        self.row = row

    def parts(self) -> Iterator[tuple[list[Entry], list[dict[str, Any]]]]:
        """Yield the documents and the findings of each part."""
        number, after, at = self.row["number"], 0, 1
        while (part := self._ledger.one("part", number, at)) is not None:
            found = decoded(part["findings"])
            yield self._entries(after, part["documents"], found), found
            after, at = part["documents"], at + 1

    def _entries(self, after: int, until: int, found: list[dict[str, Any]]) -> list[Entry]:
        rows = self._ledger.all("documents_within", self.row["number"], after, until)
        earlier = [one for one in repeated(self._ledger, found) if after < one[0] <= until]
        entries = chain(((row["ordinal"], entry(row)) for row in rows), earlier)
        return [one for _, one in sorted(entries, key=itemgetter(0))]

    def brief(self, after: int = 0) -> Acknowledgement:
        """Return a page of the acknowledgement: the documents after an ordinal with their findings, and where to go on.

        What was found about no document comes with the page in which its part ends.
        """
        last = self._ledger.one("last_part", self.row["number"])
        assert last is not None
        until = min(after + SHOWN, last["documents"])
        findings = [
            found
            for part in self._ledger.all("parts_within", self.row["number"], after, until)
            for found in decoded(part["findings"])
            if (after < part["documents"] <= until if found["document"] is None else after < found["document"] <= until)
        ]
        told = self._told(self._entries(after, until, findings), findings[:MOST_SHOWN])
        whole = bool(last["ending"])
        following = None if whole and until == last["documents"] else until
        told.length = {"complete": whole, "documents_so_far": last["documents"], "after": following}
        return told

    def acknowledgement(self) -> Pieces:
        """Return what writes the whole acknowledgement."""

        def written() -> Iterator[bytes]:
            head, _, tail = self._told([], []).as_json().partition(b'"documents":[],"findings":[]')
            yield head + b'"documents":['
            yield from _listed(documents for documents, _ in self.parts())
            yield b'],"findings":['
            yield from _listed(findings for _, findings in self.parts())
            yield b"]" + tail

        return written

    def facts(self) -> tuple[int, int, bool]:
        """Return how many documents there are, how many of them are refused, and whether a row belongs to none."""
        documents = refused = 0
        is_lost = False
        for entries, findings in self.parts():
            documents += len(entries)
            refused += sum(one["state"] == "refused" for one in entries)
            is_lost = is_lost or any(one["severity"] == "error" and one["document"] is None for one in findings)
        return documents, refused, is_lost

    def why(self, documents: int, refused: int) -> Pieces:
        """Return what writes the reasons."""

        def written() -> Iterator[bytes]:
            told = self._told([], [])
            yield "".join(why_head(told, documents, refused)).encode()
            for entries, _ in self.parts():
                yield "".join(why_refused(entries)).encode()
            for _, findings in self.parts():
                yield "".join(why_findings(findings)).encode()

        return written

    def _told(self, documents: list[Entry], findings: list[dict[str, Any]]) -> Acknowledgement:
        row = self.row
        return Acknowledgement(
            row["number"], row["file"], row["sender"], row["sha256"], row["received_at"], row["duplicate_of"],
            documents, findings,
        )  # fmt: skip


def _listed(parts: Iterator[list[Any]]) -> Iterator[bytes]:
    comma = b""
    for part in parts:
        if part:
            yield comma + b",".join(msgspec.json.encode(one) for one in part)
            comma = b","
