"""What lies on a desk: an arrival, its cases, and the outcome that a desk gives.

An arrival is a transmission with its bytes in hand.  A case is one document
on its way through the desks; the clerk carries it and writes what became of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec

from adapters.fx import Feedback
from gateway.said import Said
from message_specs.document import Document
from message_specs.findings import Finding, Severity
from message_specs.opening import Opened
from spool.interchange import Claim
from spool.number import CHINA
from spool.states import State


def drawn_by(claim: Claim) -> str:
    """Return the map by which a table was drawn up by ourselves, replayed or not; "" where a partner sent it.

    >>> drawn_by(Claim(7, "agent", "drawing", "draw-621.drawing.7.csv")), drawn_by(Claim(7, "agent", "folder", "a.csv"))
    ('draw-621', '')
    """
    map_name, *rest = claim.file.rsplit(".", 3)
    return map_name if claim.door in ("drawing", "replay") and rest[:1] == ["drawing"] else ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A transmission whose bytes lie in the store; `data` is only their head for a table or what is too big to read."""

    claim: Claim
    place: str
    data: bytes
    sha256: bytes
    size: int
    path: Path | None = None
    """Where a table is read from, which never lies in memory whole."""

    @property
    def drawn_by(self) -> str:
        """The map by which we drew this table up ourselves, "" where a partner sent it."""
        return drawn_by(self.claim)

    @property
    def fingerprint(self) -> int:
        """The first eight bytes of the digest, as the ledger indexes them."""
        return int.from_bytes(self.sha256[:8], "big", signed=True)

    def came_at(self, now: datetime) -> datetime:
        """When it came, in China, as its number tells, so that it means the same whenever it is opened; else `now`."""
        digits = f"{self.claim.number:018d}"
        year, month, day, hour, minute, second = (int(digits[place : place + 2]) for place in range(0, 12, 2))
        try:
            return datetime(2000 + year, month, day, hour, minute, second, tzinfo=CHINA)
        except ValueError:
            return now.astimezone(CHINA)


class Notice(msgspec.Struct, frozen=True):
    """What a partner is told of his trade besides receipts: a file of this name in his out/."""

    partner: str
    name: str
    body: bytes


class Outcome(msgspec.Struct, frozen=True):
    """The whole answer of a desk: a state and the reasons, and what the ledger is to remember with it.

    A filed document says `why` it waits and until when (`due`).  `keeps` are new
    values of records, None for one that is no more; `asks` are questions that
    somebody outside must answer first.  `notices` are for partners.
    """

    state: State
    findings: tuple[Finding, ...] = ()
    why: str | None = None
    due: datetime | None = None
    keeps: Mapping[str, str | None] = msgspec.field(default_factory=dict)
    asks: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()


class Step(msgspec.Struct, frozen=True, gc=False):
    """One stamp to be written: which desk moved the case where, and why."""

    desk: str
    before: str
    after: State
    reason: str | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class Case:
    """One document on its way: where it stands in this batch and what must be written about it."""

    number: int
    ordinal: int
    partner: str
    document: Document
    key: str
    findings: tuple[Finding, ...] = ()
    state: State = State.RECEIVED
    authority: str = ""
    version: int | None = None
    digest: bytes = b""
    canonical: bytes = b""
    message: int | None = None
    after: int = 0
    """The last message with an earlier version of it: its own has a greater number, whichever worker seals it."""
    due_at: str | None = None
    why: str | None = None
    keyless: str = ""
    """Why it cannot leave where a key or certificate is in trouble; nothing rests on it then."""
    reply_key: str | None = None
    told: Said | None = None
    """What it says, where it is an authority's receipt."""
    means: tuple[int, int] | None = None
    """The very document that it is about, where the authority's file tells it."""
    first: "Earlier | None" = None
    journey: tuple[str, ...] = ()
    """The desks after `check`, in order."""
    marks: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """By what the document is found by the others of its trade, by the kind of mark."""
    steps: list[Step] = field(default_factory=list)

    def move(self, desk: str, after: State, reason: str | None = None, findings: tuple[Finding, ...] = ()) -> None:
        """The case stands in `after`, and a stamp will say so."""
        self.steps.append(Step(desk, self.state, after, reason, findings))
        self.state = after

    @property
    def name(self) -> str:
        """The document's number as people write it."""
        return f"{self.number}.{self.ordinal}"


@dataclass(frozen=True, slots=True)
class Earlier:
    """A document already in the ledger under the same key."""

    number: int
    ordinal: int
    version: int
    partner: str
    state: State
    digest: bytes
    deleted: bool = False
    message: int = 0
    """The number of the message in which it leaves, 0 where it is in none."""


@dataclass(slots=True)
class Judged:
    """An arrival that was opened and checked: its cases and everything found."""

    arrival: Arrival
    opened: Opened | None
    findings: tuple[Finding, ...] = ()
    cases: tuple[Case, ...] = ()
    signed: bool = False
    duplicate_of: int | None = None
    answer_to: str = ""
    trouble: str = ""
    again: bool = False
    piece: int = 0
    """Which part of a long table this is; 0 for a whole interchange."""
    conflict: bool = False
    feedback: Feedback | None = None
    """What an exchange office says about one of our files."""

    @property
    def spec(self) -> str | None:
        """The code of the message's spec, as far as it could be told."""
        return self.opened.spec.code if self.opened and self.opened.spec else None

    def add(self, *findings: Finding) -> None:
        """The findings belong to this arrival."""
        self.findings = (*self.findings, *findings)


def is_error(finding: Finding) -> bool:
    """Tell whether a finding stops what it is about."""
    return finding.severity is Severity.ERROR
