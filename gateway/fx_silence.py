"""Silence of an exchange office: a file has left, and no feedback has come for longer than the operator allows.

Counted in whole periods of `silent_days` from when the last of its messages left.  Each period the partners whose
records stand in the file are told once, and `kouan doctor` and `kouan fx files` tell the operator, until feedback
comes.  Nothing is sent again by itself: the office may have it.
"""

import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from gateway.config import House
from gateway.fx_records import tell_all
from gateway.settling import iso
from message_specs.amounts import number
from message_specs.findings import finding
from spool.ledger import Ledger

AT_ONCE: Final = 20
_TENTH: Final = Decimal("0.1")
_CHINA: Final = ZoneInfo("Asia/Shanghai")


def listen(ledger: Ledger, house: House, now: datetime) -> int:
    """Up to twenty files whose date has come are looked at: who waits too long for feedback is told of it."""
    patience = {name: timedelta(days=one.exchange.silent_days) for name, one in house.authorities.items()}
    rows = ledger.all("due_fx_silence", iso(now), AT_ONCE)
    for row in rows:
        _one(ledger, row, patience, now)
    return len(rows)


def _one(ledger: Ledger, row: sqlite3.Row, patience: Mapping[str, timedelta], now: datetime) -> None:
    each = patience.get(row["authority"], timedelta(days=1))
    left = ledger.one("fx_file_left", row["name"])
    is_gone = left is not None and left["waiting"] == 0 and left["left_at"]
    since = datetime.fromisoformat(left["left_at"]) if left is not None and is_gone else now
    passed = (now - since) // each
    with ledger.writing():
        if passed:
            span = Decimal(str(passed * each / timedelta(days=1))).quantize(_TENTH)
            day = since.astimezone(_CHINA).date().isoformat()
            tell_all(ledger, row["name"], finding("F166", file=row["name"], since=day, days=number(span)))
        ledger.run("fx_listen_again", iso(since + (passed + 1) * each), row["name"])
