"""Reading the sessions of customs about payment data: for people and programs; and sending one again."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from gateway.payment_uploads import with_notes
from gateway.settling import iso
from message_specs.findings import finding
from message_specs.pay179.upload import FORM_FIELD
from spool.errors import ForOperator
from spool.ledger import Ledger

Facts = dict[str, Any]


class UnknownSession(ForOperator):
    """Customs asked for no payment data in this session"""


class HasItAlready(ForOperator):
    """Customs has accepted the payment data of this session; whether it takes another upload is not known"""


def sessions(ledger: Ledger, *, only_open: bool = False, limit: int = 1000) -> Iterator[Facts]:
    """Yield each session, the newest first: what was asked, where it stands, and why."""
    for row in ledger.all("payment_inquiries", int(only_open), limit):
        yield _session(row)


def _session(row: sqlite3.Row) -> Facts:
    state = row["state"]
    return {
        "session": row["session"],
        "platform": row["platform"],
        "order": row["order_no"],
        "state": state,
        "asked_at": row["asked_at"],
        "attempts": row["attempts"],
        "tried_at": row["tried_at"],
        "next_try": row["not_before"] if state in ("asked", "sealed") else None,
        "answered_at": row["answered_at"],
        "findings": json.loads(row["trouble"] or "[]"),
        "notes": json.loads(row["notes"] or "[]"),
        "payment": f"{row['pay_code']}|{row['transaction_id']}" if row["upload"] else None,
        "orders": row["orders"].split() if row["upload"] else [],
        "suite": row["suite"],
        "cert_no": row["cert_no"],
        "kept_until": row["kept_until"],
    }


def session(ledger: Ledger, name: str) -> Facts:
    """Return all that is known of a session: calls and answers as they came, uploads as they were signed and sent."""
    known = ledger.one("payment_session", name)
    if known is None:
        raise UnknownSession(name)
    return {
        **_session(known),
        "calls": [
            {"at": row["came_at"], "caller": row["caller"], "body": _text(row["body"]), "reply": _text(row["reply"])}
            for row in ledger.all("payment_calls_of", name)
        ],
        "uploads": [
            {
                "sealed_at": row["sealed_at"],
                "guid": row["guid"],
                "suite": row["suite"],
                "cert_no": row["cert_no"],
                "signed": _text(row["signed"]),
                FORM_FIELD: dict(parse_qsl(_text(row["body"])))[FORM_FIELD],
            }
            for row in ledger.all("payment_uploads_of", name)
        ],
        "answers": [
            {"at": row["at"], "status": row["status"], "body": _text(row["body"]), "trouble": row["trouble"]}
            for row in ledger.all("payment_answers_of", name)
        ],
    }


def _text(body: bytes | None) -> str:
    return (body or b"").decode("utf-8", "replace")


def waiting(ledger: Ledger, *, limit: int = 1000, held: bool = True) -> list[Facts]:
    """Return what waits, grouped by state, platform and the first reason, the oldest first."""
    groups: dict[tuple[str, str, str], Facts] = {}
    for row in ledger.all("payment_inquiries_open", limit):
        if row["state"] == "held" and not held:
            continue
        first = next(iter(json.loads(row["trouble"] or "[]")), {"code": "", "zh": "", "en": ""})
        fresh = {
            "state": row["state"], "platform": row["platform"], "code": first["code"], "sessions": 0,
            "oldest": row["asked_at"], "oldest_session": row["session"], "next_try": None,
            "why": f"{first['zh']} {first['en']}".strip(),
        }  # fmt: skip
        group = groups.setdefault((row["state"], row["platform"], first["code"]), fresh)
        group["sessions"] += 1
        if row["state"] != "held":
            group["next_try"] = min(filter(None, (group["next_try"], row["not_before"])))
    return list(groups.values())


def noted(ledger: Ledger, since: datetime, code: str, limit: int = 1000) -> list[str]:
    """Return the sessions asked since then to which this was noted, the newest first."""
    rows = ledger.all("payment_inquiries_noted", iso(since), limit)
    return [row["session"] for row in rows if any(one["code"] == code for one in json.loads(row["notes"]))]


def send_again(ledger: Ledger, name: str, now: datetime, by: str, *, anew: bool = False) -> str:
    """The session is due at once, with the bytes that stand or, anew, with fresh ones; return which state it is in."""
    with ledger.writing():
        row = ledger.one("payment_inquiry", name)
        if row is None:
            raise UnknownSession(name)
        if row["state"] == "answered":
            raise HasItAlready(name)
        stands = ledger.one("last_payment_upload", name) is not None and not anew
        state = "sealed" if stands else "asked"
        notes = with_notes(row["notes"], [finding("D132", by=by, at=iso(now))])
        ledger.run("payment_inquiry_again", state, iso(now), notes, name)
    return state
