"""Turning: a document of a trade stands elsewhere than its fellows saw, though nothing of it came anew.

Held, released or refused, it may be what an inventory waits for, or what an
inventory that is judged at this moment rests on.  Its marks come anew, with a
filing of their own, so both look again.
"""

from collections.abc import Iterable

import msgspec

from message_specs.trade.papers import marks_of_packed
from spool.ledger import Ledger


def turned(ledger: Ledger, number: int, ordinal: int, at: str) -> None:
    """Whoever waits for this document is due, and who is judged without knowing of its turn is judged anew.

    Inside the caller's transaction, with the stamp of the turn.
    """
    row = ledger.one("paper", number, ordinal)
    if row is None:
        return
    filing = ledger.one("file_next")
    assert filing is not None
    marks = marks_of_packed(row["spec"], row["body"])
    ledger.run_many("mark_anew", [(filing["last"], mark, number, ordinal) for mark in marks])
    wake(ledger, marks, at)


def wake(ledger: Ledger, marks: Iterable[int], at: str) -> None:
    """Whoever awaits one of these marks is due, inside the caller's transaction."""
    for row in ledger.all("awaiting", msgspec.json.encode(sorted(set(marks))).decode()):
        if row["ordinal"]:
            ledger.run("wake_document", at, row["number"], row["ordinal"])
        else:
            ledger.run("wake_dossier", at, row["number"])
