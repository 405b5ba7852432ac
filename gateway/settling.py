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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from gateway import bills, following
from gateway.belonging import belong
from gateway.booking import Booking
from gateway.case import Case, Judged
from gateway.config import House
from gateway.living import LIVE_ON, go_on, learn
from gateway.said import Said, said
from gateway.turning import turned
from message_specs.catalog import catalog
from message_specs.client_answer import CLIENT
from message_specs.document import Document
from message_specs.dxp.envelope import REPLY, is_good
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
    heard: set[tuple[int, int]] = set()
    old = judged.arrival.claim.replay_of
    decided = decided_units(ledger.all("documents_of", old)) if old is not None else frozenset()
    book = Booking(ledger, at)
    for case in judged.cases:
        if case.ordinal in decided:
            continue
        if case.document.spec in (REPLY, CLIENT):
            book.write()
            _note_reply(ledger, case, at)
            continue
        told = case.told or said(case.document)
        for row in _spoken_of(ledger, book, case, told, at):
            answer = (case.number, case.ordinal, case.document.spec.code)
            if book.book(answer, row, told, case.partner, (file_name(answer[0], answer[2]), None)):
                settled.append(Settled(row["partner"], case.document, case.number, answer[2]))
                if key := bills.key_in(case):
                    book.write()
                    bills.hold_against(ledger, key, row, at, house.kouan.tax)
            _remember(ledger, book, case, row, at, house)
            if kind_of(row["spec"]) in LIVE_ON:
                heard.add((row["number"], row["ordinal"]))
    book.write()
    go_on(ledger, heard, at)
    return settled


def _spoken_of(ledger: Ledger, book: Booking, case: Case, told: Said, at: str) -> list[sqlite3.Row]:
    """Return the documents that the receipt means, as they stand after all that was said before it."""
    if case.document.spec.follows:
        book.write()
        return _followed(ledger, case, told, at)
    rows = list(_answered(ledger, case, told.said_at))
    if any(book.holds_back(row) for row in rows):
        book.write()
        rows = list(_answered(ledger, case, told.said_at))
    if not rows:
        _hold_unknown(ledger, case, at)
    return rows


def _remember(ledger: Ledger, book: Booking, case: Case, row: sqlite3.Row, at: str, house: House) -> None:
    """What the receipt's document is called by its authority is known, and what was said by that is said of it."""
    new = [number for number in following.given(case) if following.remember(ledger, number, row)]
    if not new:
        return
    belong(ledger, learn(ledger, case.document, row["number"], row["ordinal"], at), at, house.codes)
    for number in new:
        _bring(ledger, book, case, row, number, at, house)


def _followed(ledger: Ledger, case: Case, told: Said, at: str) -> list[sqlite3.Row]:
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
    return [_meant(versions, told.said_at) for versions in documents]


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
        book.book(answer, document, one.said, case.partner, (file, case.number))
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


def _answered(ledger: Ledger, case: Case, said_at: str) -> Iterator[sqlite3.Row]:
    spec = case.document.spec
    if spec.code == "CEB900":
        yield from _documents(ledger, _message(ledger, case, case.document.head.get("oriCopMsgId") or ""))
        return
    declaration = catalog().specs.get(spec.answers or "")
    if declaration is None:
        return
    if declaration.reply_key == declaration.key:
        rows = ledger.all("answered_by_key", case.key, declaration.code, case.partner)
    else:
        rows = _by_thread(ledger, case, declaration.code)
    if rows:
        yield _meant(rows, said_at)


def _by_thread(ledger: Ledger, case: Case, code: str) -> list[sqlite3.Row]:
    """Return the versions of the one document with this copNo; the receipt may leave out the codes beside it (622)."""
    start, _, rest = case.key.partition("|")
    if not start:
        return []
    if rest.replace("|", ""):
        rows = ledger.all("answered_by_reply_key", case.key, code, case.partner)
    else:
        rows = ledger.all("answered_by_key_start", start, code, case.partner)
    return rows if len({(row["key"], row["partner"]) for row in rows}) == 1 else []


def _meant(rows: Sequence[sqlite3.Row], said_at: str) -> sqlite3.Row:
    """Return the version sealed last before it was said, else the newest; times of customs may lack their milliseconds.

    >>> rows = [{"sealed_at": "2026-11-21T01:00:00.500Z"}, {"sealed_at": "2026-11-21T04:00:00.500Z"}]
    >>> said = ("2026-11-21T09:30:00.000+08:00", "2026-11-21T12:00:00.000+08:00", "2026-11-20T09:00:00.000+08:00", "")
    >>> [rows.index(_meant(rows, one)) for one in said]
    [0, 1, 1, 1]
    """
    if len(rows) == 1:
        return rows[0]
    try:
        said = datetime.fromisoformat(said_at)
        before = [row for row in rows if datetime.fromisoformat(row["sealed_at"]).replace(microsecond=0) <= said]
    except (TypeError, ValueError):
        before = []
    return (before or rows)[-1]


def _message(ledger: Ledger, case: Case, guid: str) -> sqlite3.Row | None:
    """Return the message of ours with this guid, if it was declared to the authority that speaks."""
    row = ledger.one("message_by_guid", guid.strip().upper())
    return row if row is not None and row["authority"] == case.partner else None


def _documents(ledger: Ledger, message: sqlite3.Row | None) -> Iterator[sqlite3.Row]:
    """Yield the documents that left in the message; what was taken out of it and sealed again is none of them."""
    for number, ordinal in _members(message["documents"] if message else ""):
        row = ledger.one("document", number, ordinal)
        if row is not None and message is not None and row["message"] == message["number"]:
            yield row


def _members(text: str) -> Iterator[tuple[int, int]]:
    for name in text.split():
        number, _, ordinal = name.partition(".")
        yield int(number), int(ordinal)


def _note_reply(ledger: Ledger, case: Case, at: str) -> None:
    """What the exchange node or a client says is stamped on the message's documents; if it did not take it, held."""
    by_client = case.document.spec is CLIENT
    code, info = (case.document.text(name) or "" for name in ("ResponseCode", "ResponseInfo"))
    message = _given(ledger, case) if by_client else _message(ledger, case, case.key)
    rows = list(_documents(ledger, message))
    if message is None or not rows:
        _hold_unknown(ledger, case, at)
        return
    good = is_good(code.strip())
    if by_client and good:
        _sent_by_client(ledger, case, message["number"], rows, at)
    trouble = "K112" if by_client else "K106"
    reason = " ".join([*([] if good else [trouble]), case.document.spec.code, *f"{code} {info}".split()])
    for row in _documents(ledger, message):
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
