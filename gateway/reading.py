"""Reading the ledger for people and partner systems: lives, queues, receipts.

Everything here only reads.  What a partner sees is his own; what an operator
sees is everything.
"""

import sqlite3
from collections.abc import Iterator
from typing import Any

from gateway.letting_go import decoded
from gateway.parting import acknowledgement_of
from message_specs.codes import receipt_status
from spool import number as numbers
from spool.ledger import Ledger

Facts = dict[str, Any]


def interchange(ledger: Ledger, number: int, sender: str | None = None) -> Facts | None:
    """Return one interchange as its acknowledgement and where it came from; None when it is not the sender's."""
    row = ledger.one("interchange", number)
    if row is None or (sender is not None and row["sender"] != sender):
        return None
    told = acknowledgement_of(ledger, row)
    return {
        **told.as_facts(),
        "door": row["door"],
        "size": row["size"],
        "spec": row["spec"],
        "revision": row["revision"],
        "replay_of": str(row["replay_of"]) if row["replay_of"] else None,
    }


def document(ledger: Ledger, number: int, ordinal: int, partner: str | None = None) -> Facts | None:
    """Return one document with its stamps and receipts; None when it is not the partner's."""
    row = ledger.one("document", number, ordinal)
    if row is None or (partner is not None and row["partner"] != partner):
        return None
    return _life(ledger, row)


def documents(ledger: Ledger, key: str, partner: str | None = None) -> list[Facts]:
    """Return every document with this business key, or whose key ends in it, with stamps and receipts."""
    rows = ledger.all("documents_by_key", key)
    if not rows and "|" not in key:
        for head in ledger.all("key_heads"):
            rows += ledger.all("documents_by_key", f"{head['prefix']}{key}")
    return [_life(ledger, row) for row in rows if partner is None or row["partner"] == partner]


def _life(ledger: Ledger, row: sqlite3.Row) -> Facts:
    number, ordinal = row["number"], row["ordinal"]
    status = row["status"]
    meaning = receipt_status(_receipt_of(row["spec"]), status) if status else None
    message = ledger.one("message", row["message"]) if row["message"] else None
    arrival = ledger.one("interchange", number)
    return {
        "number": f"{number}.{ordinal}",
        "spec": row["spec"],
        "key": row["key"],
        "version": row["version"],
        "partner": row["partner"],
        "state": row["state"],
        "status": status,
        "status_zh": meaning.zh if meaning else None,
        "status_en": meaning.en if meaning else None,
        "status_at": row["status_at"],
        "due_at": row["due_at"],
        "why": row["why"],
        "file": arrival["file"] if arrival else None,
        "door": arrival["door"] if arrival else None,
        "received_at": arrival["received_at"] if arrival else None,
        "evidence": arrival["evidence"] if arrival else None,
        "message": _message(ledger, message) if message else None,
        "stamps": [_stamp(stamp) for stamp in ledger.all("stamps_of", number, ordinal)],
        "receipts": [receipt(one) for one in ledger.all("receipts_of", number, ordinal)],
    }


def _receipt_of(spec: str) -> str:
    from message_specs.catalog import catalog

    known = catalog().specs.get(spec)
    return (known.receipt or spec) if known else spec


def _message(ledger: Ledger, row: sqlite3.Row) -> Facts:
    return {
        "number": str(row["number"]),
        "guid": row["guid"],
        "authority": row["authority"],
        "suite": row["suite"],
        "key": row["key_name"],
        "sealed_at": row["sealed_at"],
        "evidence": row["evidence"],
        "sha256": row["sha256"].hex(),
        "outbox": [
            {name: out[name] for name in ("destination", "state", "attempts", "not_before", "tried_at", "trouble")}
            for out in ledger.all("outbox_of", row["number"])
        ],
    }


def _stamp(row: sqlite3.Row) -> Facts:
    return {
        "at": row["at"],
        "desk": row["desk"],
        "from": row["from_state"],
        "to": row["to_state"],
        "by": row["by"],
        "reason": row["reason"],
        "findings": decoded(row["findings"]),
    }


def receipt(row: sqlite3.Row) -> Facts:
    """Return one receipt as partner systems read it."""
    meaning = receipt_status(row["spec"], row["status"])
    return {
        "cursor": row["id"],
        "number": f"{row['number']}.{row['ordinal']}",
        "answer": f"{row['answer']}.{row['unit']}",
        "spec": row["spec"],
        "key": row["key"],
        "status": row["status"],
        "zh": meaning.zh,
        "en": meaning.en,
        "outcome": row["outcome"],
        "said_at": row["said_at"],
        "info": row["info"],
        "file": row["file"],
    }


def receipts(ledger: Ledger, partner: str, after: int, limit: int) -> tuple[list[Facts], int]:
    """Return a partner's receipts after a cursor, in the order in which we learned them, and the new cursor."""
    rows = [receipt(row) for row in ledger.all("receipts_after", partner, after, limit)]
    return rows, rows[-1]["cursor"] if rows else after


def queue(ledger: Ledger) -> Facts:
    """Return what waits: messages by authority and partner, documents by state, partner and reason."""
    return {
        "outbox": [dict(row) for row in ledger.all("outbox_counts")],
        "documents": [
            {**dict(row), "oldest": str(row["oldest"])} for row in ledger.all("waiting_counts")
        ],
    }


def found(ledger: Ledger, text: str) -> Iterator[Facts]:
    """Yield the lives that a number, a document's number, a message's number or a key names."""
    try:
        number, ordinal = numbers.parse(text)
    except ValueError:
        yield from documents(ledger, text)
        return
    if ordinal is not None:
        one = document(ledger, number, ordinal)
        if one is not None:
            yield one
        return
    for row in ledger.all("documents_of", number):
        yield _life(ledger, row)
    if (message := ledger.one("message", number)) is not None:
        for name in message["documents"].split():
            n, _, o = name.partition(".")
            one = document(ledger, int(n), int(o))
            if one is not None:
                yield one

