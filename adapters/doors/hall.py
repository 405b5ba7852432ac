"""What a door asks of the hall, and what the hall may answer instead.

A door knows no ledger, no store and no desk: it knows these few questions.  The
house implements them; a door stays a thin thing that carries bytes in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from spool.errors import DiskNearlyFull, Postpone, Told

__all__ = ["Caller", "DiskNearlyFull", "Full", "HttpHall", "OnceConflict", "Suspended"]


class Full(Postpone):
    """The hall has no room for another interchange at this moment"""


class Suspended(Told):
    """This partner is suspended and may hand in nothing"""


class OnceConflict(Told):
    """This Idempotency-Key came before with other bytes"""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls platDataOpen: for which platform, from where, and what he shows."""

    platform: str
    peer: str
    forwarded: str
    token: str
    header: Callable[[str], str]


class HttpHall(Protocol):
    """The house as the HTTP door sees it.

    A sender is the name of a partner or an authority.  Every question names its
    sender, and the hall answers with that sender's own things only.  Each
    Deferred may fail with `Full`, `DiskNearlyFull`, `Suspended` or `OnceConflict`;
    any other failure is told outside as a mistake of ours and logged here.
    """

    def who(self, token_sha256: str) -> str | None:
        """Return the sender whose bearer token has this SHA-256 (hex), or None."""

    def take_in(self, sender: str, file: str, body: bytes, once: str | None) -> Deferred[bytes]:
        """Fire with the acknowledgement as JSON once bytes and row are synced, not before."""

    def interchange(self, sender: str, number: str, after: int) -> Deferred[dict[str, Any] | None]:
        """Fire with the interchange of this number, or None when it is not this sender's.

        Of a long table some documents after an ordinal are shown.
        """

    def documents(self, sender: str, key: str) -> Deferred[list[dict[str, Any]]]:
        """Fire with every version of this sender's documents that have this business key."""

    def document(self, sender: str, number: str) -> Deferred[dict[str, Any] | None]:
        """Fire with the document NUMBER.ORDINAL, or None when it is not this sender's."""

    def dossiers(self, sender: str, key: str) -> Deferred[list[dict[str, Any]]]:
        """Fire with the trades that a key names in which this sender has a document, seen through his rights."""

    def receipts(self, sender: str, after: int, limit: int) -> Deferred[tuple[list[dict[str, Any]], int]]:
        """Fire with at most `limit` receipts that came after this cursor, and the new cursor."""

    def receipts_news(self, sender: str) -> Deferred[None]:
        """Return a fresh Deferred that fires the next time this sender may have a new receipt; it may be cancelled."""

    def admits(self, caller: Caller) -> str:
        """Return "" where this caller may ask for payment data; else why not: closed, token, caller or header."""

    def ask_payment(self, caller: Caller, body: bytes) -> Deferred[bytes]:
        """Fire with what customs is told once its question is synced, not before."""

    def file_payments(self, sender: str, body: bytes) -> Deferred[dict[str, Any] | None]:
        """Fire with what became of each payment whose raw data was filed; None where the body is no filing."""

    def ready(self) -> tuple[bool, dict[str, Any]]:
        """Say whether the house can take responsibility for bytes, and why (not)."""

    def metrics(self) -> bytes:
        """Return the house's figures in Prometheus text form."""
