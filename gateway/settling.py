"""Settling: an authority's receipt meets its document, in whatever order receipts come.

Every receipt is stamped and kept.  A final one closes, a refusing one refuses,
an interim one leaves the document where it stands; what comes after the end is
only stamped.  Codes nobody knows are kept and shown.  A receipt that fits no
document declared to this authority is held for an operator; one that names a
number which its authority has not given yet waits for it (following).  Of several
versions of a document it means the one that was newest when it was said.  What
the exchange node says of a message is stamped, and trouble holds its documents.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from gateway import bills, following
from gateway.belonging import belong
from gateway.booking import Booking
from gateway.case import Case, Judged
from gateway.config import House
from gateway.living import LIVE_ON, go_on, learn
from gateway.meaning import Meaning, Meant, documents_in, meant, message_called
from gateway.said import Said, said
from gateway.turning import turned
from message_specs.client_answer import CLIENT
from message_specs.document import Document
from message_specs.dxp.envelope import REPLY, is_good
from message_specs.trade.life import Said as Heard
from message_specs.trade.papers import kind_of
from spool.ledger import NEVER, Ledger
from spool.states import State


@dataclass(frozen=True, slots=True)
class Settled:
    """One receipt that met its document, and the partner who is to have it."""

    partner: str
    unit: Document
    answer: int
    spec: str


def settle(ledger: Ledger, judged: Judged, at: str, house: House) -> list[Settled]:
    """Every receipt of the answer is in the ledger, inside the caller's transaction; return those for partners."""
    settled: list[Settled] = []
    heard: dict[tuple[int, int], list[Heard]] = {}
    brought: list[tuple[Case, sqlite3.Row]] = []
    old = judged.arrival.claim.replay_of
    decided = decided_units(ledger.all("documents_of", old)) if old is not None else frozenset()
    book, meaning = Booking(ledger, at), Meaning(ledger, judged.cases)
    for case in judged.cases:
        if case.ordinal in decided:
            continue
        if case.document.spec is REPLY or case.document.spec is CLIENT:
            book.write()
            _note_reply(ledger, case, at)
            continue
        told = case.told or said(case.document)
        for one in _spoken_of(ledger, book, meaning, case, told, at):
            row, answer = one.row, (case.number, case.ordinal, case.document.spec.code)
            if book.book(answer, one, told, case.partner, (file_name(answer[0], answer[2]), None)):
                settled.append(Settled(row["partner"], case.document, case.number, answer[2]))
                if key := bills.key_in(case):
                    book.write()
                    bills.hold_against(ledger, key, row, at, house.kouan.tax)
            brought.append((case, row))
            if kind_of(row["spec"]) in LIVE_ON:
                new = Heard(told.said_at, told.status, answer[2], info=told.info)
                heard.setdefault((row["number"], row["ordinal"]), []).append(new)
    book.write()
    for joined in _remember(ledger, book, brought, at, house):
        heard[joined] = []
    go_on(ledger, heard, at)
    return settled


def _spoken_of(ledger: Ledger, book: Booking, meaning: Meaning, case: Case, told: Said, at: str) -> Sequence[Meant]:
    """Return the documents that the receipt means, as they stand after all that was said before it."""
    if case.document.spec.follows:
        book.write()
        return _followed(ledger, case, told, at)
    documents = meaning.of(case, told)
    if any([book.has_moved(one.row) for one in documents]):  # noqa: C419  quicker for one
        book.write()
        documents = meaning.again(case, told)
    if not documents:
        _hold_unknown(ledger, case, at)
    return documents


def _remember(
    ledger: Ledger, book: Booking, brought: Sequence[tuple[Case, sqlite3.Row]], at: str, house: House
) -> Sequence[tuple[int, int]]:
    """What documents are called by their authority is known, and what was said by that is said of them.

    Return the documents that belong to a trade now, for they had named it by such a number before.
    """
    given = [(case, row, number) for case, row in brought for number in following.given(case)]
    new = following.remember(ledger, given)
    if not new:
        return ()
    learnt = {(row["number"], row["ordinal"]): case.document for case, row, _ in new}
    joined = belong(ledger, learn(ledger, learnt, at), at, house.codes)
    waited_for = following.waited_for(ledger, new)
    for case, row, number in new:
        if (number.value, number.kind) in waited_for:
            _bring(ledger, book, case, row, number, at, house)
    book.write()
    return joined


def _followed(ledger: Ledger, case: Case, told: Said, at: str) -> list[Meant]:
    """Return the documents that an unasked receipt means by its number.

    One whose number nobody was given yet waits for it; one whose number says nothing is held.
    """
    spec = case.document.spec
    number = following.followed(case)
    documents, clear = following.numbered(ledger, number)
    if not clear:
        why = f"K110 {number.kind} {number.value}"
        hold(ledger, case.number, case.ordinal, spec.code, case.key, case.partner, why, at)
        return []
    if not documents:
        why = f"K109 {spec.code} {number.kind} {number.value}"
        _receive(ledger, case.number, case.ordinal, spec.code, case.key, case.partner, following.until(at), why, at)
    following.keep(ledger, number, case, told, at)
    bills.keep(ledger, case)
    return [Meant(meant(versions, told.said_at)) for versions in documents]


def _bring(
    ledger: Ledger, book: Booking, case: Case, row: sqlite3.Row, number: following.Number, at: str, house: House
) -> None:
    """What was said by the number that this receipt brought is said of its document too."""
    waiting = list(following.kept(ledger, number))
    if not waiting or not following.numbered(ledger, number)[1]:
        return
    for one in waiting:
        book.write()
        document = ledger.one("document", row["number"], row["ordinal"])
        assert document is not None
        answer = (one.number, one.ordinal, one.spec)
        file = f"{one.number}.{one.ordinal}.{one.spec}.xml"
        book.book(answer, Meant(document), one.said, case.partner, (file, case.number))
        book.write()
        key = bills.bill_key(case.partner, number.value, one.said.info)
        bills.hold_against(ledger, key, document, at, house.kouan.tax)
        if one.state not in (State.RECEIVED, State.HELD):
            continue
        place, reason = (one.number, one.ordinal), f"{number.kind} {number.value} came with {case.name}"
        for before, after in pairwise(dict.fromkeys((State(one.state), State.RECEIVED, State.CLOSED))):
            ledger.run("add_next_stamp", *place, at, "settle", before, after, "kouan", reason, None)
        ledger.run("set_waiting", None, None, *place)


def decided_units(rows: Sequence[sqlite3.Row]) -> frozenset[int]:
    """Return the units of an answer that an operator has decided while others still wait; these stay as they are."""
    if all(row["state"] != State.HELD for row in rows):
        return frozenset()
    return frozenset(row["ordinal"] for row in rows if row["state"] != State.HELD)


def file_name(answer: int, spec: str) -> str:
    """Return the name of a receipt in the partner's out/.

    >>> file_name(261121204432000017, "CEB312")
    '261121204432000017.CEB312.xml'
    """
    return f"{answer}.{spec}.xml"


def _note_reply(ledger: Ledger, case: Case, at: str) -> None:
    """What the exchange node or a client says is stamped on the message's documents; if it did not take it, held."""
    by_client = case.document.spec is CLIENT
    code, info = (case.document.text(name) or "" for name in ("ResponseCode", "ResponseInfo"))
    message = _given(ledger, case) if by_client else message_called(ledger, case, case.key)
    rows = list(documents_in(ledger, message))
    if message is None or not rows:
        _hold_unknown(ledger, case, at)
        return
    good = is_good(code.strip())
    if by_client and good:
        _sent_by_client(ledger, case, message["number"], rows, at)
    trouble = "K112" if by_client else "K106"
    reason = " ".join([*([] if good else [trouble]), case.document.spec.code, *f"{code} {info}".split()])
    for row in documents_in(ledger, message):
        number, ordinal, state = row["number"], row["ordinal"], State(row["state"])
        after = State.HELD if not good and state in (State.READY, State.SENT) else state
        ledger.run("add_next_stamp", number, ordinal, at, "settle", state, after, case.partner, reason, None)
        if after is not state:
            ledger.run("set_waiting", NEVER, reason, number, ordinal)
            turned(ledger, number, ordinal, at)
    if not good:
        ledger.run("outbox_hold", reason, at, message["number"], case.partner)


def _given(ledger: Ledger, case: Case) -> sqlite3.Row | None:
    """Return the message whose number a client names, if it was for the authority whose client it is."""
    row = ledger.one("message", int(case.key))
    return row if row is not None and row["authority"] == case.partner else None


def _sent_by_client(ledger: Ledger, case: Case, message: int, rows: Sequence[sqlite3.Row], at: str) -> None:
    """A message that its client has sent has left, whether or not we saw it in a box."""
    if ledger.run("outbox_gone", at, case.document.spec.code, message, case.partner):
        reason = f"{case.partner} {message}"
        ledger.run_many("stamp_sent", [(row["number"], row["ordinal"], at, reason) for row in rows])


def _hold_unknown(ledger: Ledger, case: Case, at: str) -> None:
    spec, why = case.document.spec.code, f"K103 {case.document.spec.code} {case.key}"
    hold(ledger, case.number, case.ordinal, spec, case.key, case.partner, why, at)


def hold(ledger: Ledger, number: int, ordinal: int, spec: str, key: str | None, sender: str, why: str, at: str) -> None:
    """A document of an authority's answer is held for an operator, with its reason stamped."""
    _receive(ledger, number, ordinal, spec, key, sender, NEVER, why, at)
    ledger.run("add_stamp", number, ordinal, 2, at, "settle", State.RECEIVED, State.HELD, "kouan", why, None)


def _receive(
    ledger: Ledger, number: int, ordinal: int, spec: str, key: str | None, sender: str, due: str, why: str, at: str
) -> None:
    ledger.run("add_document", number, ordinal, spec, key, None, sender, None, None, None, sender, None, due, why)
    ledger.run("add_stamp", number, ordinal, 1, at, "door", "", State.RECEIVED, "kouan", None, None)


def iso(moment: datetime) -> str:
    """Return a time as the ledger writes it: UTC, milliseconds.

    >>> iso(datetime(2026, 11, 21, 1, 2, 3, 456789, UTC))
    '2026-11-21T01:02:03.456Z'
    """
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"
