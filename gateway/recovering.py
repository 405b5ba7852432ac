"""Recovering: what a crash left is put in order before a door opens.

Evidence that was claimed and has no row is taken in under its own number.
What we had written from a connection without a row was promised to nobody, and
an envelope without a row was never sent: both are set aside, not thrown away.
Batches that were written and not let go are let go.
"""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from gateway.intake import SENT, WRITTEN
from spool.aside import sync_filesystem
from spool.interchange import Claim
from spool.ledger import Ledger
from spool.number import SEQUENCE
from spool.store import Store


@dataclass(frozen=True, slots=True)
class Left:
    """What a start finds: claims without rows, long tables to go on with, what was set aside, the last number given."""

    claims: tuple[Claim, ...]
    tables: tuple[Claim, ...]
    set_aside: int
    last_number: int


def recover(home: Path, ledger: Ledger) -> Left:
    """Return what is to be taken in again; leftovers lie in spool/leftovers/, half-written files are gone.

    Workers whose daemon was killed end with the batch in hand; until then this waits, and until it is done
    no command begins to write.
    """
    alone = _hold(home, fcntl.LOCK_EX)
    try:
        return _put_in_order(home, ledger)
    finally:
        os.close(alone)


def _put_in_order(home: Path, ledger: Ledger) -> Left:
    store = Store(home / "spool" / "store")
    row = ledger.one("low_water")
    low_water = (row["low_water"] if row else None) or 0
    claims: list[Claim] = []
    set_aside = 0
    last = _last(ledger)
    for evidence in store.since(low_water):
        last = max(last, evidence.number)
        if store.is_half_copied(evidence):
            store.forget(evidence.place)
            continue
        if evidence.sender.startswith(SENT):
            known = ledger.one("message", evidence.number)
        else:
            known = ledger.one("interchange", evidence.number)
        if known is not None:
            continue
        if evidence.sender.startswith((SENT, WRITTEN)):
            store.set_aside(evidence.place)
            set_aside += 1
        else:
            claims.append(Claim(evidence.number, evidence.sender, "folder", evidence.file, place=evidence.place))
    _sweep(home)
    if set_aside:
        sync_filesystem(home)
    return Left(tuple(claims), _cut_short(ledger), set_aside, (last // SEQUENCE + 1) * SEQUENCE - 1 if last else 0)


def _cut_short(ledger: Ledger) -> tuple[Claim, ...]:
    rows = ledger.all("open_tables")
    return tuple(Claim(row["number"], row["sender"], row["door"], row["file"], place=row["evidence"]) for row in rows)


def at_work(home: Path) -> int:
    """This process is known to be writing in this home for as long as it lives or the descriptor is open."""
    return _hold(home, fcntl.LOCK_SH)


def _hold(home: Path, how: int) -> int:
    descriptor = os.open(home / "workers.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    fcntl.flock(descriptor, how)
    return descriptor


def _last(ledger: Ledger) -> int:
    row = ledger.one("last_number")
    return (row["number"] if row else None) or 0


def _sweep(home: Path) -> None:
    """What we had begun to write into partners' folders and not renamed is gone; it is written again."""
    for folder in home.glob("spool/partners/*/[or]*"):
        for name in os.listdir(folder):
            if name.startswith(".") and name.endswith(".writing"):
                os.unlink(folder / name)
