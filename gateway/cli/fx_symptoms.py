"""What is wrong with foreign exchange: files without feedback for too long, and feedback that was not read."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gateway.cli.symptoms import OK, WARNING, Symptom

if TYPE_CHECKING:
    from gateway.config import House


def feedback(house: "House", now: datetime) -> Iterator[Symptom]:
    """Yield which files an exchange office has not answered for too long, and which of its batches wait."""
    from gateway.cli.fx import waiting_batches

    offices = [name for name, one in house.authorities.items() if one.dialect == "fx"]
    silent = list(_silent(house, now))
    waiting = list(waiting_batches(house.home, house.authorities))
    for authority, file, since in silent:
        cure = "Ask it; do not report its records under other numbers. See kouan fx files."
        yield Symptom(f"feedback of {authority}", WARNING, f"{file}, sent {since}, has none", cure)
    for authority, batch, why in waiting:
        cure = "Ask it for the batch again, or finish or remove the folder."
        yield Symptom(f"feedback of {authority}", WARNING, f"batch {batch} is not read: {why}", cure)
    if offices and not silent and not waiting:
        yield Symptom("feedback", OK, f"nothing is missing from {' '.join(offices)}")


def _silent(house: "House", now: datetime) -> Iterator[tuple[str, str, str]]:
    from spool.ledger import Ledger

    file = house.home / "ledger.sqlite3"
    if not file.exists():
        return
    try:
        book = Ledger(file, read_only=True)
        rows = book.all("fx_files", None)
        book.close()
    except sqlite3.Error:
        return  # the symptom "ledger" tells of it
    for row in rows:
        known = house.authorities.get(row["authority"])
        if row["answer"] is not None or known is None or row["gone"] != row["messages"] or not row["left_at"]:
            continue
        if now - datetime.fromisoformat(row["left_at"]) >= timedelta(days=known.exchange.silent_days):
            yield row["authority"], row["name"], row["left_at"]
