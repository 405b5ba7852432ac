"""Resuming: documents whose date has come go on from where they rest.

A released document, one whose key was in trouble, one a crash left behind: its
evidence is opened again and it walks on, by the same desks and the same seal.
"""

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby

from gateway import entries
from gateway.case import Arrival, Case, Judged
from gateway.config import House
from gateway.letting_go import encoded
from gateway.opening import Opener
from gateway.sealing import Sealer
from gateway.settling import iso
from gateway.wrapping import wrap_all
from spool.interchange import Claim
from spool.ledger import NEVER, Ledger
from spool.number import Numbers
from spool.states import State
from spool.store import Store

AT_ONCE = 500


def resume(
    house: House, ledger: Ledger, store: Store, opener: Opener, sealer: Sealer, numbers: Numbers, now: datetime
) -> int:
    """Up to five hundred due documents have gone on, or wait with a new reason; return how many were looked at."""
    due = ledger.all("due_documents", iso(now), AT_ONCE)
    if not due:
        return 0
    judged = [_again(ledger, store, opener, number, list(rows), now) for number, rows in _by_number(due)]
    wrapped = wrap_all(judged, sealer, store, numbers, house, now)
    store.sync()
    at = iso(now)
    with ledger.writing():
        if _have_moved(ledger, due):
            for one in wrapped:
                store.forget(one.place)
            return 0
        for judgement in judged:
            for case in judgement.cases:
                _write(ledger, case, at)
        entries.write_messages(ledger, wrapped, at)
    return len(due)


def _have_moved(ledger: Ledger, due: Iterable[sqlite3.Row]) -> bool:
    """Tell whether an operator or another worker has moved one of them meanwhile; then the next round looks anew."""
    for row in due:
        present = ledger.one("document", row["number"], row["ordinal"])
        if present is None or (present["state"], present["due_at"]) != (row["state"], row["due_at"]):
            return True
    return False


def _by_number(rows: Iterable[sqlite3.Row]) -> Iterable[tuple[int, Iterable[sqlite3.Row]]]:
    return groupby(sorted(rows, key=lambda row: (row["number"], row["ordinal"])), key=lambda row: row["number"])


def _again(
    ledger: Ledger, store: Store, opener: Opener, number: int, rows: list[sqlite3.Row], now: datetime
) -> Judged:
    row = ledger.one("interchange", number)
    assert row is not None
    data = store.read(row["evidence"])
    claim = Claim(number, row["sender"], row["door"], row["file"])
    judged = opener.open(Arrival(claim, row["evidence"], data, row["sha256"], row["size"]), now)
    wanted = {one["ordinal"]: State(one["state"]) for one in rows}
    judged.cases = tuple(case for case in judged.cases if case.ordinal in wanted)
    for case in judged.cases:
        _stand(case, wanted[case.ordinal])
    return judged


def _stand(case: Case, state: State) -> None:
    case.stored = True
    case.canonical = case.document.canonical()
    if state is State.RECEIVED:
        return
    case.steps.clear()
    case.state = state


def _write(ledger: Ledger, case: Case, at: str) -> None:
    for step in case.steps:
        found = encoded(one.as_dict() for one in step.findings) if step.findings else None
        ledger.run(
            "add_next_stamp", case.number, case.ordinal, at, step.desk, step.before, step.after, entries.BY,
            step.reason, found,
        )  # fmt: skip
    if case.message is not None:
        ledger.run("set_sealed", case.message, case.number, case.ordinal)
    else:
        ends = case.state in (State.REFUSED, State.CLOSED)
        ledger.run("set_waiting", None if ends else case.due_at or NEVER, case.why, case.number, case.ordinal)
    if case.reply_key:
        ledger.run("set_reply_key", case.reply_key, case.number, case.ordinal)
