"""Filing: the documents of a batch meet those of their trades, and their desks decide.

What desks must know is fetched at once for the whole batch (fetching).  What
follows is written with the batch: a paper and its marks for each new document of a trade, a
dossier for each new order, what desks keep, and who must be looked at again.

Two workers file at the same time, so what was read may be old when it is
written.  Each filing has a number: whatever came between is seen then.  A filed
document is looked at again at once; one that was to go on is judged anew
(Outdated), for it may rest on what is no longer true.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from gateway import awaiting
from gateway.belonging import belong
from gateway.case import Case, Judged, Outcome
from gateway.desks import Records, desk, voiding_mark
from gateway.drawn import await_papers, not_drawn, own_inventory
from gateway.draws import Arrangements
from gateway.fetching import fetch
from gateway.posing import pose
from gateway.settling import iso
from gateway.silence import first_look, listen_for
from gateway.turning import wake
from gateway.undivided import decide_all
from message_specs.findings import Finding
from message_specs.trade.giving_back import known_as
from message_specs.trade.papers import Paper, kind_of, marks, marks_of, pack
from message_specs.trade.waiting import KEYLESS
from spool.errors import OurMistake
from spool.ledger import NEVER, Ledger
from spool.states import State

OPEN: Final = timedelta(days=7)
"""So long a new dossier may be open before it is looked at; waiting.csv says what is too long."""
_WAITS = (State.CHECKED, State.FILED)
_OPENS = frozenset({"order", "payment", "inventory"})
_APPLIED = frozenset({"cancel", "refund"})
_AFTERWARDS = _APPLIED | {"tally"}


class Outdated(OurMistake):
    """What a document was decided by has changed while it was decided; it is judged anew"""


def may_be_tried_again(error: Exception) -> bool:
    """Tell whether a batch that could not be written is judged anew: its keys or its trades were taken meanwhile."""
    return isinstance(error, Outdated) or "UNIQUE" in str(error)


@dataclass(slots=True)
class Entry:
    """A document that is new to its trade: what is remembered of it, and by what it is found."""

    case: Case
    kind: str
    marks: tuple[int, ...]
    dossier: int | None
    body: bytes


@dataclass(slots=True)
class Filed:
    """What a batch does to the trades, by what was known at `now`: all of it is written with the batch."""

    now: datetime
    seen: int = 0
    entries: list[Entry] = field(default_factory=list)
    decided: dict[tuple[int, int], tuple[int, ...]] = field(default_factory=dict)
    """By which marks a document that may go on or wait was decided."""
    waiting: set[tuple[int, int]] = field(default_factory=set)
    over: dict[tuple[int, int], set[int]] = field(default_factory=dict)
    """What those awaited that wait no more."""
    opened: frozenset[int] = frozenset()
    """Dossiers that were there when we looked."""
    firm: dict[tuple[int, int], Case] = field(default_factory=dict)
    """The inventories that go on, by what their fellows say."""
    applied: list[Case] = field(default_factory=list)
    """The cancels and returns that go on."""
    keeps: dict[str, str] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)
    asks: list[tuple[str, tuple[int, int]]] = field(default_factory=list)
    notices: list[tuple[str, str, bytes]] = field(default_factory=list)
    draws: Arrangements = field(default_factory=Arrangements)
    codes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Under which codes each partner is registered."""


def file(judged: Iterable[Judged], ledger: Ledger, records: Records) -> Filed:
    """Every case with desks left before it has their outcome; return what is to be written of their trades.

    `records` comes with the time, the secret and the configuration, and nothing fetched.
    """
    ones = [
        (one, case)
        for one in judged
        if not one.answer_to and one.duplicate_of is None
        for case in one.cases
        if case.journey and case.first is None and (case.state in _WAITS or _is_held_at_once(case))
    ]
    filed = Filed(records.now, draws=records.draws, codes=records.codes)
    if not ones:
        return filed
    cases = [case for _, case in ones]
    for case in cases:
        case.marks = marks(case.document)
    filed.entries = [entry for case in cases if _is_new(case) and (entry := _entry(case)) is not None]
    fetched = fetch(ledger, cases, _by_mark(filed.entries), records)
    filed.seen, filed.decided, filed.revisions = fetched.seen, fetched.marks, fetched.revisions
    filed.opened = _opened(filed.entries, records)
    for entry in filed.entries:
        if entry.dossier is None and entry.kind in _AFTERWARDS:
            _join(entry, records)
    decide_all([(one, case) for one, case in ones if case.state in _WAITS], records, filed, _decide)
    return filed


def _is_held_at_once(case: Case) -> bool:
    """Tell whether an operator decides about a new document before its trade is asked; its trade knows it too."""
    return case.state is State.HELD and _is_new(case)


def _is_new(case: Case) -> bool:
    """Tell whether the document comes to its desks for the first time, so that its trade does not know it yet."""
    return bool(case.steps) and case.steps[0].before == State.RECEIVED


def _entry(case: Case) -> Entry | None:
    document = case.document
    kind = kind_of(document.spec.code)
    if not kind:
        return None
    all_marks = tuple({mark: None for of_kind in case.marks.values() for mark in of_kind})
    return Entry(case, kind, all_marks, _order(case), pack(document))


def _order(case: Case) -> int | None:
    """Return the mark of the order, by which the dossier is known."""
    return next(iter(case.marks.get("order", ())), None)


def _opened(entries: Iterable[Entry], records: Records) -> frozenset[int]:
    """Return the dossiers of these documents that an earlier one, not refused at once, opened: no need to try again."""
    mine = {(entry.case.number, entry.case.ordinal) for entry in entries}
    return frozenset(
        entry.dossier
        for entry in entries
        if entry.dossier is not None
        for one in records.by_mark.get(entry.dossier, ())
        if one.kind in _OPENS and one.state != State.REFUSED and (one.number, one.ordinal) not in mine
    )


def _by_mark(entries: Iterable[Entry]) -> dict[int, list[Paper]]:
    """Return the papers of this batch by their marks."""
    found: dict[int, list[Paper]] = {}
    for entry in entries:
        paper = _paper(entry)
        for mark in entry.marks:
            found.setdefault(mark, []).append(paper)
    return found


def _join(entry: Entry, records: Records) -> None:
    """A cancel or return that names an inventory by its number alone is of the trade of that inventory."""
    named = records.papers(entry.case.marks.get("inventory", ()))
    inventory = known_as(named, (entry.case.document.head.get("invtNo") or "").strip())
    order = next(iter(marks_of("order", inventory.spec, inventory.head)), None) if inventory else None
    if order is not None:
        entry.dossier = order
        entry.marks = (*entry.marks, order, voiding_mark(order))


def _paper(entry: Entry) -> Paper:
    """Return the paper of a document of this batch, where the batch is about to put it, with all its texts."""
    case, document = entry.case, entry.case.document
    return Paper(
        case.number, case.ordinal, document.spec.code, entry.kind, case.partner,
        KEYLESS if case.keyless else case.state, document.app_type,
        case.version or 0, "", document.head, tuple(document.lines),
    )  # fmt: skip


def _decide(one: Judged, case: Case, records: Records, filed: Filed) -> None:
    """The desks are asked in turn until one does not let the case go on; only what goes on is remembered of it."""
    place, is_new, waited = (case.number, case.ordinal), _is_new(case), case.state is State.FILED
    keeps: dict[str, str | None] = {}
    warned: list[Finding] = []
    own = own_inventory(case, records) if one.arrival.drawn_by else None
    for name in case.journey:
        outcome = desk(name).decide(case, records) if own is None else not_drawn(case, own)
        filed.asks += [(subject, place) for subject in outcome.asks]
        filed.notices += [(told.partner, told.name, told.body) for told in outcome.notices]
        if outcome.state is not State.CHECKED:
            _stop(one, case, name, outcome)
            break
        keeps.update(outcome.keeps)
        warned += outcome.findings
        if outcome.findings and is_new:
            one.add(*outcome.findings)
            case.move(name, case.state, None, outcome.findings)
    else:
        case.due_at = case.why = None
        if case.state is State.FILED:
            case.move(case.journey[-1], State.CHECKED, None, tuple(warned))
        if keeps:
            records.keep(keeps)
            filed.keeps.update({key: value or "" for key, value in keeps.items()})
    if waited and case.state is not State.FILED:
        filed.over[place] = awaiting.ever_awaited(case, filed.decided[place], records)
    if case.state is State.FILED:
        filed.waiting.add(place)
    elif case.state is State.CHECKED and (kind := kind_of(case.document.spec.code)) == "inventory":
        filed.firm[place] = case
    elif case.state is State.CHECKED and kind in _APPLIED:
        filed.applied.append(case)


def _stop(one: Judged, case: Case, name: str, outcome: Outcome) -> None:
    one.add(*outcome.findings)
    never = NEVER if outcome.state is State.HELD else None
    case.due_at, case.why = (iso(outcome.due) if outcome.due else never), outcome.why
    if outcome.state is not case.state or outcome.findings:
        case.move(name, outcome.state, outcome.why, outcome.findings)
    if outcome.state is State.REFUSED:
        case.version = None


def write(ledger: Ledger, filed: Filed, at: str, opens_until: str) -> None:
    """The trades know of the batch, inside the caller's transaction; Outdated when it must be judged anew."""
    if not filed.decided:
        return
    row = ledger.one("file_next")
    assert row is not None
    came = int(row["last"])
    _newer(ledger, filed, came, at)
    _keep(ledger, filed)
    _papers_in(ledger, filed, came, at, opens_until)
    _wait(ledger, filed)
    for subject, place in filed.asks:
        pose(ledger, subject, *place, filed.now)
    ledger.run_many("add_notice", filed.notices)


def _papers_in(ledger: Ledger, filed: Filed, came: int, at: str, opens_until: str) -> None:
    # What is held may go on; and who asks why an inventory is missing must find the one that was refused at once.
    going = [entry for entry in filed.entries if entry.case.state is not State.REFUSED]
    known = [entry for entry in filed.entries if entry.case.state is not State.REFUSED or entry.kind == "inventory"]
    ledger.run_many("add_paper", [(e.case.number, e.case.ordinal, e.kind, e.dossier, e.body) for e in known])
    marked = [(mark, e.case.number, e.case.ordinal, came) for e in known for mark in e.marks]
    # In their order: what lies side by side in a large table is come by once.
    ledger.run_many("add_mark", sorted(marked))
    # Customs may have given the number meanwhile.
    alone = [entry.case for entry in going if entry.dossier is None and entry.kind in _AFTERWARDS]
    belong(ledger, {mark for case in alone for mark in case.marks.get("inventory", ())}, at, filed.codes)
    opened = []
    for entry in going:
        if entry.dossier is not None and entry.kind in _OPENS and entry.dossier not in filed.opened:
            head = entry.case.document.head
            told = (head.get("ebpCode", ""), head.get("orderNo", ""), head.get("tradeMode", ""))
            opened.append((entry.dossier, *told, at, opens_until))
    ledger.run_many("open_dossier", opened)
    await_papers(ledger, filed.draws, [(e.case, e.dossier, e.marks) for e in going if e.kind == "order"], at)
    if going:
        wake(ledger, chain.from_iterable(entry.marks for entry in going), at)


def _wait(ledger: Ledger, filed: Filed) -> None:
    awaiting.write(ledger, {place: filed.decided[place] for place in filed.waiting}, filed.over)
    declared = []
    for place, case in filed.firm.items():
        if case.state is State.READY:
            mode = case.document.head.get("tradeMode", "")
            looked = first_look(case.document.spec.code, mode, filed.now)
            declared.append((mode, "declared", *place, looked, _order(case)))
    ledger.run_many("inventory_of_dossier", declared)
    listen_for(ledger, [case for case in filed.applied if case.state is State.READY], filed.now)


def _newer(ledger: Ledger, filed: Filed, came: int, at: str) -> None:
    """What came since we looked wakes what waits for it, and is looked at before an inventory goes on without it."""
    of = {place: marks_ for place, marks_ in filed.decided.items() if place in filed.waiting or place in filed.firm}
    if came == filed.seen + 1 or not of:
        return
    for place in awaiting.came_between(ledger, of, filed.seen, came):
        if place in filed.firm:
            raise Outdated(f"{place[0]}.{place[1]}")
        ledger.run("wake_document", at, *place)


def _keep(ledger: Ledger, filed: Filed) -> None:
    for key, value in filed.keeps.items():
        if ledger.run("keep_record", key, value, filed.revisions.get(key, 0)) != 1:
            raise Outdated(key)
