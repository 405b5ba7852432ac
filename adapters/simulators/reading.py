"""The book as others read it: one line a document told, beside a running customs and without disturbing it."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from adapters.simulators.book import FILE
from adapters.simulators.receipts import CHINA, heard

_LINES = """
SELECT message.id, message.guid, message.spec, message.standing, message.sender, message.message_id, message.told_at,
    message.times, message.reason, message.sha256, document.ordinal, document.key, document.app_type, document.sha256,
    document.verdict
FROM message LEFT JOIN document ON document.message = message.id ORDER BY message.id, document.ordinal
"""
_ANSWERS = """
SELECT stage, status, about FROM answer
WHERE message = ? AND copy = 0 AND code = '' AND sent IS NOT NULL ORDER BY sent, chain, turn
"""


def lines(state: Path) -> Iterator[dict[str, Any]]:
    """Give a dictionary a document told: `guid`, `spec`, `key`, `when`, `times`, `sha256`, `statuses` and more.

    A message that was refused as a whole is one line with `key` null and its reason in `refused`.
    """
    file = state / FILE
    if not file.exists():
        return
    book = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=30)
    try:
        book.execute("BEGIN")
        number, answers = 0, []
        for row in book.execute(_LINES):
            if row[0] != number:
                rows = book.execute(_ANSWERS, (row[0],)).fetchall()
                number, answers = row[0], [(*two, json.loads(about) if about else None) for *two, about in rows]
            yield _line(row, answers)
    finally:
        book.close()


def _line(row: tuple[Any, ...], answers: list[Any]) -> dict[str, Any]:
    (_, guid, spec, standing, sender, message_id, told_at, times, reason, whole, ordinal, key, app_type, sha256,
     verdict) = row  # fmt: skip
    refused = standing == "refused"
    told = [
        heard(stage, status, "" if refused else verdict, None if about is None else about.get(str(ordinal), {}))
        for stage, status, about in answers
    ]
    return {
        "guid": guid,
        "spec": spec or None,
        "key": key,
        "ordinal": ordinal,
        "app_type": app_type,
        "when": datetime.fromtimestamp(told_at / 1000, CHINA).isoformat(timespec="milliseconds"),
        "times": times,
        "sha256": whole if refused else sha256,
        "message_sha256": whole,
        "message_id": message_id,
        "sender": sender,
        "verdict": verdict or "",
        "statuses": [status for status in told if status is not None],
        "refused": reason if refused else None,
        "reason": reason,
    }


def show(state: Path, *, as_json: bool) -> bool:
    """Print the book; return whether there is one."""
    for line in lines(state):
        if as_json:
            print(json.dumps(line, ensure_ascii=False))
        else:
            key = line["key"] or line["refused"]
            heard = ",".join(line["statuses"])
            print(f"{line['when']}  {line['spec'] or '-':7}  {line['times']:>3}x  {heard:20}  {key}")
    return (state / FILE).exists()
