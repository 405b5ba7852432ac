"""The rows of a batch: everything the ledger learns, in one transaction.

Rows go in by tens of thousands a second, so they are tuples made in loops and
written by `executemany`; their order is that of queries.sql.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from gateway.arranging import fresh
from gateway.case import Case, Judged
from gateway.letting_go import encoded
from gateway.receipts import refusal_row
from gateway.settling import hold
from gateway.tables import Piece
from gateway.wrapping import Wrapped
from spool.interchange import Batch
from spool.ledger import IN_PARTS, Ledger
from spool.states import State

BY = "kouan"


def write(ledger: Ledger, batch: Batch, judged: list[Judged], wrapped: Iterable[Wrapped], at: str) -> None:
    """The batch, its interchanges, documents, stamps and messages are in the open transaction."""
    ledger.run("add_batch", batch.first, batch.last, batch.low_water)
    ledger.run_many("add_interchange", [_interchange(one, at) for one in judged if not one.conflict])
    declared = [case for one in judged if not one.answer_to for case in fresh(one.cases)]
    _add_documents(ledger, declared, at)
    write_messages(ledger, wrapped, at)
    ledger.run_many("add_receipt", [row for one in judged if (row := refusal_row(one, at)) is not None])
    for one in judged:
        # What an exchange office said of a whole file stands with the records of that file.
        if one.answer_to and not one.cases and one.duplicate_of is None and one.feedback is None:
            why = "K104 " + "; ".join(found.en for found in one.findings[:3])
            hold(ledger, one.arrival.claim.number, 1, one.spec or "?", None, one.answer_to, why, at)


def write_piece(
    ledger: Ledger, batch: Batch, one: Judged, piece: Piece, law: bytes, wrapped: Iterable[Wrapped], at: str
) -> None:
    """A piece of a long table is in the open transaction; with the first its batch and its interchange."""
    number = one.arrival.claim.number
    if piece.number == 1:
        ledger.run("add_batch", batch.first, batch.last, batch.low_water)
        ledger.run("add_interchange", *_interchange(one, at))
    found = encoded(said.as_dict() for said in one.findings) if one.findings else None
    ledger.run("add_part", number, piece.number, piece.last, piece.told, law, int(piece.is_last), found)
    _add_documents(ledger, fresh(one.cases), at)
    write_messages(ledger, wrapped, at)


def _add_documents(ledger: Ledger, cases: Sequence[Case], at: str) -> None:
    ledger.run_many("add_document", [_document(case) for case in cases])
    ledger.run_many("add_stamp", [row for case in cases for row in stamps(case, at, 1)])


def write_messages(ledger: Ledger, wrapped: Iterable[Wrapped], at: str) -> None:
    """The sealed messages and their outbox rows are in the open transaction."""
    for one in wrapped:
        pack, sealed = one.pack, one.sealed
        names = " ".join([case.name for case in pack.cases])
        digest = hashlib.sha256(sealed.body).digest()
        ledger.run(
            "add_message", one.number, sealed.guid, pack.cases[0].document.spec.code, pack.partner, pack.authority,
            names, sealed.suite, sealed.key_name, at, one.place, len(sealed.body), digest,
        )  # fmt: skip
        ledger.run("add_outbox", one.number, pack.authority, pack.partner, at)


def stamps(case: Case, at: str, first: int) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a case's steps; a new document begins with being received."""
    sequence = first
    if first == 1:
        yield (case.number, case.ordinal, 1, at, "door", "", State.RECEIVED, BY, None, None)
        sequence = 2
    for step in case.steps:
        found = encoded(one.as_dict() for one in step.findings) if step.findings else None
        yield (case.number, case.ordinal, sequence, at, step.desk, step.before, step.after, BY, step.reason, found)
        sequence += 1


def _interchange(one: Judged, at: str) -> tuple[object, ...]:
    arrival = one.arrival
    claim = arrival.claim
    opened = one.opened
    return (
        claim.number, claim.sender, claim.door, claim.file, arrival.size, arrival.sha256, arrival.fingerprint, at,
        arrival.place, one.spec, opened.revision if opened else None, IN_PARTS if one.piece else len(one.cases),
        one.duplicate_of,
        claim.replay_of, None if one.again else claim.once,
        encoded(found.as_dict() for found in one.findings) if one.findings and not one.piece else None,
    )  # fmt: skip


def _document(case: Case) -> tuple[object, ...]:
    return (
        case.number, case.ordinal, case.document.spec.code, case.key or None, case.version, case.partner,
        case.document.app_type, case.digest or None, case.reply_key, case.authority or None, case.message,
        case.due_at, case.why,
    )  # fmt: skip
