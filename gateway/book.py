"""The book of a home, opened to be written: one of an earlier Kouan is brought up to date by what its papers say."""

from pathlib import Path

import msgspec

from gateway.clerk import clerk_at
from gateway.desks import voiding_mark
from message_specs.trade.marking import digest_of
from message_specs.trade.remarking import remarked
from spool.ledger import Ledger


def ledger_of(home: Path) -> Ledger:
    """Return the ledger of a home, to write, as this Kouan keeps it; one that is not there is made.

    Raises NewerLedger where a later Kouan wrote it.
    """
    return Ledger(clerk_at(home), marks_anew=marks_anew)


def marks_anew(spec: str, body: bytes) -> str:
    """Return what step 0014 changes of a paper's marks, as JSON pairs of what each was and what it is."""
    pairs: list[tuple[int, int]] = []
    for kind, before, after in remarked(spec, body):
        pairs.append((before, after))
        if kind == "order":
            # The cancels of its inventory are found by a mark that is made of the order's.
            pairs.append((digest_of(f"voiding|{before}"), voiding_mark(after)))
    return msgspec.json.encode(pairs).decode()
