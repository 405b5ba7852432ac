"""Reading the ledger for people and partner systems: lives, queues, receipts.

Everything here only reads.  What a partner sees is his own; what an operator
sees is everything.
"""

import re
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from gateway.causes import causes
from gateway.letting_go import decoded
from gateway.parting import acknowledgement_of
from gateway.settling import iso
from message_specs.codes import receipt_status
from message_specs.findings import finding
from spool import number as numbers
from spool.ledger import NEVER, Ledger

Facts = dict[str, Any]
_OURS: Final = frozenset({"K101", "K102", "K105"})
"""Reasons that hold what an exception of ours said, files and folders of this machine with it."""
_PATH: Final = re.compile(r"(?<![^\s'\"(=])(?:/[^\s/'\",;:)]+){2,}/?")
"""A path of this machine, not the one in a URL."""
SILENT_HOURS: Final = 24
"""How long an authority may say nothing at all about a document before people should ask (our choice of 2026-11)."""


def interchange(ledger: Ledger, number: int, sender: str | None = None, after: int = 0) -> Facts | None:
    """Return one interchange as its acknowledgement and where it came from; None when it is not the sender's.

    Of a long table only the documents after an ordinal are shown.
    """
    row = ledger.one("interchange", number)
    if row is None or (sender is not None and row["sender"] != sender):
        return None
    told = acknowledgement_of(ledger, row, after)
    return {
        **told.as_facts(),
        "door": row["door"],
        "size": row["size"],
        "spec": row["spec"],
        "revision": row["revision"],
        "replay_of": str(row["replay_of"]) if row["replay_of"] else None,
        **({"evidence": row["evidence"]} if sender is None else {}),
    }


def document(ledger: Ledger, number: int, ordinal: int, partner: str | None = None) -> Facts | None:
    """Return one document with its stamps and receipts; None when it is not the partner's."""
    row = ledger.one("document", number, ordinal)
    if row is None or (partner is not None and row["partner"] != partner):
        return None
    return _life(ledger, row, ours=partner is None)


def documents(ledger: Ledger, key: str, partner: str | None = None) -> list[Facts]:
    """Return every document with this business key, or whose key ends in it, or to which an authority gave it."""
    rows = ledger.all("documents_by_key", key) + ledger.all("documents_by_given_number", key)
    if not rows and "|" not in key:
        for head in ledger.all("key_heads"):
            rows += ledger.all("documents_by_key", f"{head['prefix']}{key}")
    return [_life(ledger, row, ours=partner is None) for row in rows if partner is None or row["partner"] == partner]


def _life(ledger: Ledger, row: sqlite3.Row, *, ours: bool = True) -> Facts:
    life = _whole_life(ledger, row)
    if not ours:
        # Where our evidence lies, and what is wrong with our machine, is no partner's business.
        del life["evidence"]
        life["why"] = told_outside(life["why"])
        for stamp in life["stamps"]:
            stamp["reason"] = told_outside(stamp["reason"])
        if life["message"]:
            del life["message"]["evidence"]
            for out in life["message"]["outbox"]:
                out["trouble"] = told_outside(out["trouble"])
    return life


def told_outside(reason: str | None) -> str | None:
    """Return a reason as a partner may read it: a trouble of our own is its code and what that means, no path of ours.

    >>> told_outside("K105 FileNotFoundError: [Errno 2] No such file or directory: '/srv/kouan/spool/store/x'")
    'K105 系统内部错误，单证已扣留 Kouan itself failed on this document; it is held'
    >>> told_outside("writing into /srv/kouan/out failed: the disk is full")
    'writing into … failed: the disk is full'
    >>> told_outside("https://a.cn/b/c answered 500")
    'https://a.cn/b/c answered 500'
    >>> told_outside("K103 CEB312 E1|A1"), told_outside("请补运单"), told_outside(None)
    ('K103 CEB312 E1|A1', '请补运单', None)
    """
    if not reason:
        return reason
    code = reason.partition(" ")[0]
    if code in _OURS:
        one = finding(code, reason="…", spec="…")
        return f"{code} {one.zh} {one.en}"
    return _PATH.sub("…", reason)


def _whole_life(ledger: Ledger, row: sqlite3.Row) -> Facts:
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
        "replay_of": str(arrival["replay_of"]) if arrival and arrival["replay_of"] else None,
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
        "number": f"{row['number']}.{row['ordinal']}" if row["ordinal"] else str(row["number"]),
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


def queue(ledger: Ledger, *, now: datetime, limit: int = 1000, held: bool = True) -> Facts:
    """Return what waits, oldest first: messages by authority and partner, documents by state, partner and reason.

    Then what an authority has had for SILENT_HOURS and not said a word about, and last what is held, by its causes.
    Without `held` only what goes on by itself at its date.
    """
    outbox = [dict(row) for row in ledger.all("outbox_waits", limit)]
    documents = [
        {name: row[name] for name in ("state", "partner", "why", "documents", "oldest")}
        | {"oldest_number": str(row["first"]), "next_try": row["next_try"]}
        for row in ledger.all("documents_wait", _latest(held=held), limit)
    ]
    return {
        "outbox": [row for row in outbox if held or row["state"] != "held"],
        "documents": documents,
        "unanswered": unanswered(ledger, now, limit=limit) if held else [],
        "causes": causes(ledger)[:limit] if held else [],
    }


def unanswered(ledger: Ledger, now: datetime, *, limit: int = 1000) -> list[Facts]:
    """Return how many documents rest in `sent` without any receipt for SILENT_HOURS, by authority and partner."""
    rows = ledger.all("unanswered", iso(now - timedelta(hours=SILENT_HOURS)), limit)
    return [
        {name: row[name] for name in ("authority", "partner", "documents", "oldest")}
        | {"oldest_number": str(row["first"]), "hours": SILENT_HOURS}
        for row in rows
    ]


def waiting(ledger: Ledger, *, limit: int = 1000, held: bool = True) -> Iterator[Facts]:
    """Yield each document that waits, by its number, with the reason."""
    for row in ledger.all("each_document_that_waits", _latest(held=held), limit):
        names = ("spec", "key", "partner", "state", "why", "due_at", "received_at")
        yield {"number": f"{row['number']}.{row['ordinal']}"} | {name: row[name] for name in names}


def _latest(*, held: bool) -> str:
    return NEVER if held else NEVER[:9]


def found(ledger: Ledger, text: str) -> Iterator[Facts]:
    """Yield the lives that a number, a document's number, a message's number or a key names.

    An interchange of which no document has a life here (refused whole, a duplicate, an answer) is told itself.
    """
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
    lives = ledger.all("documents_of", number)
    yield from (_life(ledger, row) for row in lives)
    if not lives and (arrival := interchange(ledger, number)) is not None:
        yield arrival | {"receipts": [receipt(row) for row in ledger.all("receipts_in", number)]}
    if (message := ledger.one("message", number)) is not None:
        for name in message["documents"].split():
            n, _, o = name.partition(".")
            one = document(ledger, int(n), int(o))
            if one is not None:
                yield one


def evidence_of(ledger: Ledger, text: str, *, sent: bool = False) -> list[str]:
    """Return where the bytes of what is named lie in the store: as they came in, or as they were sealed and sent."""
    places: dict[str, None] = {}
    for one in found(ledger, text):
        if sent:
            places |= {one["message"]["evidence"]: None} if one.get("message") else {}
        elif one["evidence"]:
            places[one["evidence"]] = None
    return list(places)
