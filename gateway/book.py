"""The book of a home as its daemon opens it: that of an earlier Kouan is brought up to date by what its papers say."""

import contextlib
import time
from pathlib import Path

import msgspec

from gateway.clerk import clerk_at
from gateway.desks import voiding_mark
from gateway.logs import log
from message_specs.trade.marking import digest_of
from message_specs.trade.remarking import remarked
from spool.ledger import Ledger


def ledger_of(home: Path) -> Ledger:
    """Return the ledger of a home for its daemon, to write; one that is not there is made.

    One of an earlier Kouan is brought up to date, which takes minutes where it is long and is logged.  A stop in
    between leaves it as after the last step that was whole.  Raises what `Ledger` raises.
    """
    path = clerk_at(home)
    if not _is_behind(path):
        return Ledger(path, marks_anew=marks_anew)
    log.info("ledger.upgrading", mib=path.stat().st_size >> 20)
    begun = time.monotonic()
    ledger = Ledger(path, marks_anew=marks_anew)
    log.info("ledger.upgraded", seconds=round(time.monotonic() - begun, 1), mib=path.stat().st_size >> 20)
    return ledger


def _is_behind(path: Path) -> bool:
    if not path.exists():
        return False
    with contextlib.closing(Ledger(path, read_only=True)) as before:
        return before.is_behind()


def marks_anew(spec: str, body: bytes) -> str:
    """Return what step 0014 changes of a paper's marks, as JSON pairs of what each was and what it is."""
    pairs: list[tuple[int, int]] = []
    for kind, before, after in remarked(spec, body):
        pairs.append((before, after))
        if kind == "order":
            # The cancels of its inventory are found by a mark that is made of the order's.
            pairs.append((digest_of(f"voiding|{before}"), voiding_mark(after)))
    return msgspec.json.encode(pairs).decode()
