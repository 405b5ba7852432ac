"""Arranging: which cases of a batch are new, which are duplicates, which are a new version.

Same bytes, or the same key and version, are a duplicate: it gets the first
answer again and is never declared twice.  After a refusal the key is free; a
change (appType 2, 3) is a new version of its key.
"""

import hashlib
import sqlite3
from collections.abc import Iterable

import msgspec

from gateway.case import Case, Earlier, Judged
from gateway.duplicates import judge
from message_specs.findings import finding
from spool.ledger import Ledger
from spool.states import State


def arrange(judged: list[Judged], ledger: Ledger) -> None:
    """Every case knows its version or the first of its kind, by what the ledger holds and by order in the batch."""
    _once(judged, ledger)
    _same_bytes(judged, ledger)
    known = _known(judged, ledger)
    for one in judged:
        placed: dict[tuple[str, str], Earlier] = {}
        for case in one.cases:
            if case.state is State.CHECKED:
                _place(one, case, known, placed)
        if _is_whole(one):
            known.update(placed)
        _whole_duplicate(one)


def _same_bytes(judged: list[Judged], ledger: Ledger) -> None:
    asked = {one.arrival.fingerprint for one in judged if one.arrival.claim.replay_of is None}
    earlier: dict[tuple[str, bytes], int] = {}
    for row in ledger.all("same_bytes", msgspec.json.encode(sorted(asked)).decode()):
        if row["alive"]:
            earlier.setdefault((row["sender"], row["sha256"]), row["number"])
    for one in judged:
        claim = one.arrival.claim
        if claim.replay_of is not None or one.again:
            continue
        mark = (claim.sender, one.arrival.sha256)
        first = earlier.get(mark)
        if first is not None and first != claim.number:
            one.duplicate_of = first
            one.cases = ()
            one.findings = ()
        elif any(case.state is State.CHECKED for case in one.cases) or one.answer_to:
            earlier.setdefault(mark, claim.number)


def _once(judged: list[Judged], ledger: Ledger) -> None:
    """An Idempotency-Key that came before brings the first answer again, or a conflict when the bytes differ."""
    seen: dict[tuple[str, str], tuple[int, bytes]] = {}
    for one in judged:
        claim = one.arrival.claim
        if claim.once is None:
            continue
        mark = (claim.sender, claim.once)
        row = ledger.one("once_used", *mark)
        first = seen.setdefault(mark, (row["number"], row["sha256"]) if row else (claim.number, one.arrival.sha256))
        if first[0] != claim.number:
            one.again = True
            one.cases, one.findings = (), ()
            one.duplicate_of = first[0] if first[1] == one.arrival.sha256 else None
            one.conflict = one.duplicate_of is None


def _known(judged: list[Judged], ledger: Ledger) -> dict[tuple[str, str], Earlier]:
    keys = sorted({c.key for one in judged if not one.answer_to for c in one.cases if c.state is State.CHECKED})
    if not keys:
        return {}
    rows = ledger.all("latest_by_key", msgspec.json.encode(keys).decode())
    return {(row["spec"], row["key"]): _earlier(row) for row in rows}


def _earlier(row: sqlite3.Row) -> Earlier:
    return Earlier(
        row["number"], row["ordinal"], row["version"], row["partner"], State(row["state"]), row["digest"],
        row["app_type"] == "3",
    )  # fmt: skip


def _place(
    one: Judged, case: Case, known: dict[tuple[str, str], Earlier], placed: dict[tuple[str, str], Earlier]
) -> None:
    case.canonical = case.document.canonical()
    case.digest = hashlib.sha256(case.canonical).digest()[:16]
    mark = (case.document.spec.code, case.key)
    verdict = judge(placed.get(mark) or known.get(mark), case.partner, case.digest, case.document.app_type)
    if verdict.finding:
        first = verdict.first
        name = f"{first.number}.{first.ordinal}" if first else ""
        one.add(found := finding(verdict.finding, document=case.ordinal, value=name or None, first=name))
        if first is not None:
            case.first = first
        else:
            case.steps.pop()
            case.state = State.RECEIVED
            case.move("check", State.REFUSED, None, (found,))
        return
    case.version = verdict.version
    deleted = case.document.app_type == "3"
    placed[mark] = Earlier(case.number, case.ordinal, verdict.version, case.partner, State.READY, case.digest, deleted)


def _is_whole(one: Judged) -> bool:
    """Tell whether what is fresh may go; of a signed message all goes or nothing does, for it cannot be taken apart."""
    fresh_ones = [case for case in one.cases if case.first is None and case.state is State.CHECKED]
    if not one.signed or not fresh_ones or len(fresh_ones) == len(one.cases):
        return True
    one.add(reason := finding("P306"))
    for case in fresh_ones:
        case.version = None
        case.steps.pop()
        case.state = State.RECEIVED
        case.move("check", State.REFUSED, None, (reason,))
    return False


def _whole_duplicate(one: Judged) -> None:
    firsts = {case.first.number for case in one.cases if case.first}
    same = all(case.first and case.first.digest == case.digest for case in one.cases)
    if len(firsts) == 1 and same:
        one.duplicate_of = firsts.pop()


def fresh(cases: Iterable[Case]) -> tuple[Case, ...]:
    """Return the cases that are no duplicates: those that get a row of their own."""
    return tuple(case for case in cases if case.first is None)
