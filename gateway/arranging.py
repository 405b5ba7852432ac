"""Arranging: which cases of a batch are new, which are duplicates, which are a new version.

Same bytes, or the same key and content, are a duplicate: it gets the first
answer again and is never declared twice.  After a refusal of all its versions
the key is free, and after its cancel; a change (appType 2, 3) is a new version of its key.  A copNo
that answers already follow to another document is refused.
"""

import hashlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from gateway.case import Case, Earlier, Judged
from gateway.duplicates import judge
from message_specs.findings import Finding, finding
from spool.interchange import BATCH
from spool.ledger import Ledger
from spool.states import State

Mark = tuple[str, str]


def arrange(judged: list[Judged], ledger: Ledger) -> None:
    """Every case knows its version or the first of its kind, by what the ledger holds and by order in the batch."""
    _once(judged, ledger)
    _same_bytes(judged, ledger)
    known = _known(judged, ledger)
    for one in judged:
        placed = _Book()
        for case in one.cases:
            if case.state is State.CHECKED:
                _place(one, case, known, placed)
        if _is_whole(one):
            known.add(placed)
        if not one.piece:
            _whole_duplicate(one)


def _same_bytes(judged: list[Judged], ledger: Ledger) -> None:
    asked = {one.arrival.fingerprint for one in judged if one.arrival.claim.replay_of is None}
    earlier: dict[tuple[str, bytes], int] = {}
    for row in ledger.all("same_bytes", msgspec.json.encode(sorted(asked)).decode()):
        if row["alive"]:
            earlier.setdefault((row["sender"], row["sha256"]), row["number"])
    for one in judged:
        claim = one.arrival.claim
        if claim.replay_of is not None or one.again or one.piece > 1 or claim.door == BATCH:
            # Feedback names no file: the same bytes are said of many, and the file's name tells which.
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
        if claim.once is None or one.piece > 1:
            continue
        mark = (claim.sender, claim.once)
        row = ledger.one("once_used", *mark)
        first = seen.setdefault(mark, (row["number"], row["sha256"]) if row else (claim.number, one.arrival.sha256))
        if first[0] != claim.number:
            one.again = True
            one.cases, one.findings = (), ()
            one.duplicate_of = first[0] if first[1] == one.arrival.sha256 else None
            one.conflict = one.duplicate_of is None


@dataclass(slots=True)
class _Book:
    """The versions of each key, and whose documents the authority's answers mean by each reply key (copNo)."""

    versions: dict[Mark, list[Earlier]] = field(default_factory=dict)
    threads: dict[Mark, set[Mark]] = field(default_factory=dict)

    def enter(self, spec: str, key: str, one: Earlier) -> None:
        self.versions.setdefault((spec, key), []).append(one)

    def follow(self, spec: str, reply_key: str, key: str, partner: str) -> None:
        self.threads.setdefault((spec, reply_key), set()).add((key, partner))

    def add(self, other: "_Book") -> None:
        for mark, versions in other.versions.items():
            self.versions.setdefault(mark, []).extend(versions)
        for mark, threads in other.threads.items():
            self.threads.setdefault(mark, set()).update(threads)


def _known(judged: list[Judged], ledger: Ledger) -> _Book:
    book = _Book()
    cases = [c for one in judged if not one.answer_to for c in one.cases if c.state is State.CHECKED]
    if not cases:
        return book
    for row in ledger.all("versions_by_key", _list(case.key for case in cases)):
        book.enter(row["spec"], row["key"], _earlier(row))
    if threads := _list(thread for case in cases if (thread := _thread(case))):
        for row in ledger.all("threads", threads):
            book.follow(row["spec"], row["reply_key"], row["key"], row["partner"])
    return book


def _list(texts: Iterable[str]) -> str:
    found = sorted(set(texts))
    return msgspec.json.encode(found).decode() if found else ""


def _thread(case: Case) -> str:
    """Return by what the authority's answers will name the document, where that is not its key and it says so."""
    spec = case.document.spec
    if spec.reply_key == spec.key:
        return ""
    thread = case.document.reply_key
    return thread if thread.partition("|")[0] else ""


def _earlier(row: sqlite3.Row) -> Earlier:
    state = State.SENT if row["declared"] else State(row["state"])
    return Earlier(
        row["number"], row["ordinal"], row["version"], row["partner"], state, row["digest"],
        bool(row["cancelled"]) or (row["app_type"] == "3" and state is State.CLOSED), row["message"] or 0,
    )  # fmt: skip


def _place(one: Judged, case: Case, known: _Book, placed: _Book) -> None:
    case.canonical = case.document.canonical()
    case.digest = hashlib.sha256(case.canonical).digest()[:16]
    spec, mark = case.document.spec.code, (case.document.spec.code, case.key)
    versions = [*known.versions.get(mark, ()), *placed.versions.get(mark, ())]
    verdict = judge(versions, case.partner, case.digest, case.document.app_type)
    if verdict.first is not None:
        name = f"{verdict.first.number}.{verdict.first.ordinal}"
        one.add(finding(verdict.finding, document=case.ordinal, value=name, first=name))
        case.first = verdict.first
        return
    if verdict.finding:
        _refuse(one, case, finding(verdict.finding, document=case.ordinal))
        return
    thread = _thread(case)
    others = known.threads.get((spec, thread), set()) | placed.threads.get((spec, thread), set())
    if thread and others - {(case.key, case.partner)}:
        named = thread.replace("|", " ")
        _refuse(one, case, finding("P308", document=case.ordinal, value=named, thread=named))
        return
    case.version = verdict.version
    case.after = max((one.message for one in versions), default=0)
    placed.enter(
        spec, case.key,
        Earlier(case.number, case.ordinal, verdict.version, case.partner, State.READY, case.digest),
    )  # fmt: skip
    if thread:
        case.reply_key = thread
        placed.follow(spec, thread, case.key, case.partner)


def _refuse(one: Judged, case: Case, reason: Finding) -> None:
    one.add(reason)
    case.steps.pop()
    case.state = State.RECEIVED
    case.move("check", State.REFUSED, None, (reason,))


def _is_whole(one: Judged) -> bool:
    """Tell whether what is fresh may go; of a signed message all goes or nothing does, for it cannot be taken apart."""
    fresh_ones = [case for case in one.cases if case.first is None and case.state is State.CHECKED]
    if not one.signed or not fresh_ones or len(fresh_ones) == len(one.cases):
        return True
    one.add(reason := finding("P306"))
    for case in fresh_ones:
        case.version = case.reply_key = None
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
