"""Posing: a filed document waits for an answer from outside, and the question stands in the ledger once."""

from datetime import datetime

from gateway.desks.identity import NUMBER
from gateway.settling import iso
from spool.ledger import Ledger


def pose(ledger: Ledger, subject: str, number: int, ordinal: int, seen: datetime, path: str = NUMBER) -> None:
    """The filed document waits for this answer, inside the caller's transaction, after its stamps were written.

    `seen` is when the records of its desk were read: an answer that came since makes it due at once.
    """
    known = ledger.one("question", subject)
    ledger.run("add_question_wait", subject, number, ordinal)
    if known is not None and (known["answered_at"] or "") > iso(seen):
        ledger.run("wake_questioners", iso(seen), subject)
        ledger.run("forget_question_waits", subject)
    else:
        ledger.run("pose_question", subject, number, ordinal, path, iso(seen))
