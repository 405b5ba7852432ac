"""Resuming: documents whose date has come go on from where they rest.

A released document, one whose key was in trouble, one a crash left behind: its
evidence is opened again and it walks on, by the same desks and the same seal.
What today's look refuses stays refused, and the partner is told; what cannot be
opened at all is held, so that one bad document never keeps the others waiting.
A signed message is looked at whole when one of its documents is due.
"""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from gateway import entries, filing
from gateway.case import Arrival, Case, Judged
from gateway.config import House
from gateway.letting_go import encoded
from gateway.notices import refusal
from gateway.opening import Opener
from gateway.refusing import reason_file
from gateway.sealing import Sealer, leaves_whole
from gateway.settling import iso
from gateway.tables import is_table_file
from gateway.telling import quiet, tell
from gateway.turning import turned
from gateway.wrapping import KEY_TROUBLE_WAIT, Wrapped, route_all, wrap_all
from spool.interchange import Claim
from spool.ledger import NEVER, Ledger
from spool.number import Numbers
from spool.states import State
from spool.store import Store

AT_ONCE = 500
_ROUNDS = (AT_ONCE, 100, 20, 4)
_RESTING = (State.RECEIVED, State.CHECKED, State.FILED)
_HEAD = 4096
Row = sqlite3.Row


@dataclass(slots=True)
class Round:
    """One round: what went on, what could not be opened and why, and what must wait for its fellows."""

    judged: list[Judged] = field(default_factory=list)
    lost: list[tuple[Row, str]] = field(default_factory=list)
    parted: list[Row] = field(default_factory=list)
    seen: list[Row] = field(default_factory=list)
    """Every document taken up, as it stood."""


def resume(
    house: House,
    ledger: Ledger,
    store: Store,
    opener: Opener,
    sealer: Sealer,
    numbers: Numbers,
    now: datetime,
    pulse: Callable[[str], None] = quiet,
) -> int:
    """Up to five hundred due documents have gone on, or rest with a new reason; return how many were found due.

    Where others come so fast that a round is always outdated, a smaller one is tried.
    """  # fmt: skip
    for most in _ROUNDS:
        found = ledger.all("due_documents", iso(now), most)
        due = _whole_numbers(found, most)
        if not due:
            return 0
        this = Round()
        for number, rows in groupby(sorted(due, key=itemgetter("number", "ordinal")), key=itemgetter("number")):
            _take_up(this, ledger, store, opener, number, list(rows), now)
        pulse("taken up")
        route_all(this.judged, sealer, house, now)
        filed = filing.file(this.judged, ledger, opener.records(now))
        wrapped = wrap_all(this.judged, sealer, store, numbers, now)
        store.sync()
        pulse("sealed again")
        try:
            _write_round(ledger, this, filed, wrapped, now, pulse)
        except filing.Outdated:
            for one in wrapped:
                store.forget(one.place)
            continue
        pulse("gone on")
        tell(house.home, ledger, pulse)
        return len(found)
    return 0


def _write_round(
    ledger: Ledger, this: Round, filed: filing.Filed, wrapped: list[Wrapped], now: datetime,
    pulse: Callable[[str], None],
) -> None:  # fmt: skip
    at = iso(now)
    with ledger.writing():
        _see_moves(ledger, this.seen)
        _write_all(ledger, this, wrapped, at, iso(now + KEY_TROUBLE_WAIT))
        filing.write(ledger, filed, at, at)
        _turn(ledger, this.judged, at)
        pulse("going on")


def _turn(ledger: Ledger, judged: Iterable[Judged], at: str) -> None:
    """Whoever waits for a document that was kept here, such as by a key in trouble, looks again.

    Those of this round wait by now; what goes on in it does not rest on the turn.
    """
    for one in judged:
        for case in one.cases:
            if case.steps and case.steps[0].before == State.CHECKED:
                turned(ledger, case.number, case.ordinal, at)


def _whole_numbers(due: list[Row], most: int) -> list[Row]:
    """Leave out the last interchange where the limit may have cut it: a message is never taken up in part."""
    if len(due) == most and due[0]["number"] != due[-1]["number"]:
        return [row for row in due if row["number"] != due[-1]["number"]]
    return due


def _take_up(
    this: Round, ledger: Ledger, store: Store, opener: Opener, number: int, rows: list[Row], now: datetime
) -> None:
    try:
        judged = _again(ledger, store, opener, number, rows, now)
        if leaves_whole(judged) and (mates := _mates(ledger, number, rows)):
            rows = [*rows, *mates]
            judged = _again(ledger, store, opener, number, rows, now)
    except Exception as trouble:  # noqa: BLE001  whatever it is, the others go on and this one is held with its reason
        this.lost += [(row, f"K105 {type(trouble).__name__}: {trouble}") for row in rows]
        this.seen += rows
        return
    this.seen += rows
    if judged.answer_to:
        # A receipt that waited a day for its number.
        this.lost += [(row, f"K103 {row['spec']} {row['key']}") for row in rows]
        return
    found = {case.ordinal for case in judged.cases}
    this.lost += [(row, "K105 the message does not open any more") for row in rows if row["ordinal"] not in found]
    if leaves_whole(judged) and _has_others(ledger, number, found):
        this.parted += [row for row in rows if row["ordinal"] in found]
        return
    this.judged.append(judged)


def _mates(ledger: Ledger, number: int, rows: Iterable[Row]) -> list[Row]:
    """Return the other documents of the message that wait: it leaves whole, so none waits for a date of its own."""
    known = {row["ordinal"] for row in rows}
    rows_of = ledger.all("documents_of", number)
    return [row for row in rows_of if row["ordinal"] not in known and row["state"] in _RESTING]


def _again(ledger: Ledger, store: Store, opener: Opener, number: int, rows: list[Row], now: datetime) -> Judged:
    row = ledger.one("interchange", number)
    assert row is not None
    claim = Claim(number, row["sender"], row["door"], row["file"])
    wanted = {one["ordinal"]: State(one["state"]) for one in rows}
    path = store.path(row["evidence"])
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if is_table_file(row["file"], head):
            arrival = Arrival(claim, row["evidence"], head, row["sha256"], row["size"], path)
            keys = {one["ordinal"]: one["key"] or "" for one in rows}
            judged = opener.open_some(arrival, keys, now)
        else:
            arrival = Arrival(claim, row["evidence"], head + file.read(), row["sha256"], row["size"])
            judged = opener.open(arrival, now)
    judged.cases = tuple(case for case in judged.cases if case.ordinal in wanted)
    for case in judged.cases:
        _stand(case, wanted[case.ordinal])
    return judged


def _has_others(ledger: Ledger, number: int, found: set[int]) -> bool:
    """Tell whether documents of the message rest elsewhere; one that cannot be taken apart then waits for them."""
    return any(row["ordinal"] not in found and row["state"] != "refused" for row in ledger.all("documents_of", number))


def _stand(case: Case, state: State) -> None:
    case.canonical = case.document.canonical()
    if state is State.RECEIVED:
        return
    refused = case.state is State.REFUSED
    found = tuple(one for step in case.steps for one in step.findings)
    case.steps.clear()
    case.state = state
    if refused:
        case.move("check", State.REFUSED, None, found)


def _see_moves(ledger: Ledger, due: Iterable[Row]) -> None:
    """Outdated when an operator or another worker has moved one of them meanwhile; then the next round looks anew."""
    for row in due:
        present = ledger.one("document", row["number"], row["ordinal"])
        if present is None or (present["state"], present["turn"]) != (row["state"], row["turn"]):
            raise filing.Outdated(f"{row['number']}.{row['ordinal']}")


def _write_all(ledger: Ledger, this: Round, wrapped: list[Wrapped], at: str, later: str) -> None:
    for one in this.judged:
        for case in one.cases:
            _write(ledger, case, at)
    for row, why in this.lost:
        place = (row["number"], row["ordinal"])
        ledger.run("add_next_stamp", *place, at, "seal", row["state"], State.HELD, entries.BY, why, None)
        ledger.run("set_waiting", NEVER, why, *place)
    for row in this.parted:
        ledger.run("set_waiting", later, "K108", row["number"], row["ordinal"])
    entries.write_messages(ledger, wrapped, at)
    for one in this.judged:
        for case in one.cases:
            if case.state is State.REFUSED:
                _note_refusal(ledger, case)


def _note_refusal(ledger: Ledger, case: Case) -> None:
    """Its partner will be told of it: in his out/ for his programs, in his refused/ for him."""
    if found := [one for step in case.steps for one in step.findings]:
        told = refusal(case, found)
        ledger.run("add_notice", told.partner, told.name, told.body)
    document = ledger.one("document", case.number, case.ordinal)
    assert document is not None
    stamp = ledger.all("stamps_of", case.number, case.ordinal)[-1]
    ledger.run("add_notice", case.partner, *reason_file(document, stamp))


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
