"""Settling: an authority's receipt meets its document, in whatever order receipts come.

Every receipt is stamped and kept.  A final one closes, a refusing one refuses,
an interim one leaves the document where it stands; what comes after the end is
only stamped.  Codes nobody knows are kept and shown.  A receipt that fits no
document of ours is held for an operator.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gateway.case import Case, Judged
from message_specs.catalog import catalog
from message_specs.codes import receipt_status
from message_specs.document import Document
from spool.ledger import NEVER, Ledger
from spool.states import State

_CHINA = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Settled:
    """One receipt that met its document, and the partner who is to have it."""

    partner: str
    unit: Document
    answer: int
    spec: str


@dataclass(frozen=True, slots=True)
class Said:
    """What one receipt says: status, its meaning, when and in which words."""

    status: str
    outcome: str
    zh: str
    said_at: str
    info: str


def settle(ledger: Ledger, judged: Judged, at: str) -> list[Settled]:
    """Every receipt of the answer is in the ledger, inside the caller's transaction; return those for partners."""
    settled: list[Settled] = []
    for case in judged.cases:
        rows = list(_answered(ledger, case))
        if not rows:
            _hold_unknown(ledger, case, at)
        for row in rows:
            if _apply(ledger, case, row, at):
                settled.append(Settled(row["partner"], case.document, case.number, case.document.spec.code))
    return settled


def file_name(answer: int, spec: str) -> str:
    """Return the name of a receipt in the partner's out/.

    >>> file_name(261121204432000017, "CEB312")
    '261121204432000017.CEB312.xml'
    """
    return f"{answer}.{spec}.xml"


def _answered(ledger: Ledger, case: Case) -> Iterator[sqlite3.Row]:
    spec = case.document.spec
    if spec.code == "CEB900":
        message = ledger.one("message_by_guid", (case.document.head.get("oriCopMsgId") or "").upper())
        for number, ordinal in _members(message["documents"] if message else ""):
            if row := ledger.one("document", number, ordinal):
                yield row
        return
    declaration = catalog().specs.get(spec.answers or "")
    if declaration is None:
        return
    same = declaration.reply_key == declaration.key
    row = ledger.one("answered_by_key" if same else "answered_by_reply_key", case.key, declaration.code)
    if row is None and not same:
        row = _by_first_part(ledger, case, declaration.code)
    if row is not None:
        yield row


def _by_first_part(ledger: Ledger, case: Case, code: str) -> sqlite3.Row | None:
    """Return the one document with this copNo, where the receipt leaves out the codes beside it (622)."""
    rows = ledger.all("answered_by_key_start", case.key.partition("|")[0], code)
    return rows[0] if len(rows) == 1 else None


def _members(text: str) -> Iterator[tuple[int, int]]:
    for name in text.split():
        number, _, ordinal = name.partition(".")
        yield int(number), int(ordinal)


def _said(unit: Document) -> Said:
    head = unit.head
    status = head.get("returnStatus", "").strip()
    meaning = receipt_status(unit.spec.code, status)
    return Said(status, meaning.outcome, meaning.zh, _moment(head.get("returnTime", "")), head.get("returnInfo", ""))


def _moment(digits: str) -> str:
    """Return the ISO time of 17 or 14 digits of China Standard Time; other texts as they stand.

    >>> _moment("20261121120506789"), _moment("20261121120506"), _moment("soon")
    ('2026-11-21T12:05:06.789+08:00', '2026-11-21T12:05:06.000+08:00', 'soon')
    """
    padded = digits.ljust(17, "0") if len(digits) in (14, 17) and digits.isdigit() else ""
    try:
        when = datetime.strptime(padded[:14], "%Y%m%d%H%M%S").replace(tzinfo=_CHINA)
    except ValueError:
        return digits
    return f"{when:%Y-%m-%dT%H:%M:%S}.{padded[14:]}+08:00"


def _apply(ledger: Ledger, case: Case, row: sqlite3.Row, at: str) -> bool:
    said = _said(case.document)
    number, ordinal = row["number"], row["ordinal"]
    if ledger.one("receipt_known", number, ordinal, said.status, said.said_at, said.info):
        return False
    spec = case.document.spec.code
    file = file_name(case.number, spec)
    ledger.run(
        "add_receipt", row["partner"], case.number, case.ordinal, number, ordinal, spec, row["key"] or "",
        said.status, said.outcome, said.said_at, said.info, file,
    )  # fmt: skip
    ledger.run("set_status", said.status, said.said_at, number, ordinal, said.said_at)
    reason = f"{spec} {said.status} {said.zh}"
    state = State(row["state"])
    for after in moves(state, said.outcome):
        ledger.run("add_next_stamp", number, ordinal, at, "settle", state, after, case.partner, reason, None)
        state = after
    return True


def moves(state: State, outcome: str) -> tuple[State, ...]:
    """Return the states through which a receipt of this outcome takes a document; its own state means a stamp only.

    >>> moves(State.READY, "final"), moves(State.CLOSED, "interim")
    ((<State.SENT: 'sent'>, <State.CLOSED: 'closed'>), (<State.CLOSED: 'closed'>,))
    """
    if state not in (State.READY, State.SENT):
        return (state,)
    end = _ENDS.get(outcome)
    taken = (State.SENT,) if state is State.READY else ()
    return (*taken, end) if end else taken or (state,)


_ENDS: Mapping[str, State] = {"final": State.CLOSED, "refused": State.REFUSED}


def _hold_unknown(ledger: Ledger, case: Case, at: str) -> None:
    spec, why = case.document.spec.code, f"K103 {case.document.spec.code} {case.key}"
    hold(ledger, case.number, case.ordinal, spec, case.key, case.partner, why, at)


def hold(ledger: Ledger, number: int, ordinal: int, spec: str, key: str | None, sender: str, why: str, at: str) -> None:
    """A document of an authority's answer is held for an operator, with its reason stamped."""
    ledger.run(
        "add_document", number, ordinal, spec, key, None, sender, None, None, None, sender, None, NEVER, why
    )  # fmt: skip
    ledger.run("add_stamp", number, ordinal, 1, at, "door", "", State.RECEIVED, "kouan", None, None)
    ledger.run("add_stamp", number, ordinal, 2, at, "settle", State.RECEIVED, State.HELD, "kouan", why, None)


def iso(moment: datetime) -> str:
    """Return a time as the ledger writes it: UTC, milliseconds.

    >>> iso(datetime(2026, 11, 21, 1, 2, 3, 456789, UTC))
    '2026-11-21T01:02:03.456Z'
    """
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"
