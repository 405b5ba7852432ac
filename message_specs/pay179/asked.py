"""What customs asks for: the form of a platDataOpen call, read as tolerantly as callers write it.

The form field `openReq` holds a JSON object with orderNo, sessionID and serviceTime.  Callers were seen that escape
it as HTML (`&quot;`), with backslashes, or as a JSON text within a JSON text; all of them are understood.
"""

import csv
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote_plus

FIELD: Final = "openReq"
RECEIVED, FAILED = "10000", "20000"
_SESSION = re.compile(r'[^\s"\\\x00-\x1f\ud800-\udfff]{1,100}')
_ORDER = re.compile(r"[^\x00-\x1f\ud800-\udfff]{1,60}")
_MILLISECONDS = re.compile(r"\d{1,16}")
_WAYS: Final = 3
"""So often a text may have been escaped."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What customs wants to know; `service_time` are milliseconds of its clock."""

    order_no: str
    session: str
    service_time: int


class NotAsked(ValueError):  # noqa: N818  named for what is true
    """The call is no platDataOpen; the text names the first thing that is wrong"""


def asked(body: bytes) -> Asked:
    """What the form asks for; `NotAsked` where it cannot be read or lacks one of the three fields.

    >>> asked(b'openReq={"orderNo":"A1","sessionID":"S1","serviceTime":1700000000000}')
    Asked(order_no='A1', session='S1', service_time=1700000000000)
    >>> asked(b"openReq=%7B%26quot%3BorderNo%26quot%3B%3A%26quot%3BA1%26quot%3B%7D")
    Traceback (most recent call last):
    ...
    message_specs.pay179.asked.NotAsked: sessionID
    """
    for text in _texts(body):
        found = _object(text)
        if found is not None:
            return _read(found)
    raise NotAsked(FIELD)


def _texts(body: bytes) -> Iterator[str]:
    """Yield the value of the field as a form has it, then as it reads where a caller forgot to encode it."""
    try:
        form = body.decode("utf-8")
    except UnicodeDecodeError:
        return
    try:
        values = [value for name, value in parse_qsl(form, keep_blank_values=True, max_num_fields=50) if name == FIELD]
    except ValueError:
        values = []
    if len(values) > 1:
        raise NotAsked(FIELD)
    yield from values
    name, _, rest = form.partition("=")
    if name == FIELD:
        yield unquote_plus(rest)


def _object(text: str) -> dict[str, object] | None:
    for _ in range(_WAYS):
        for one in (text, html.unescape(text), html.unescape(text).replace('\\"', '"')):
            try:
                found = json.loads(one.strip())
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict):
                return found
            if isinstance(found, str):
                text = found
                break
        else:
            text = html.unescape(text)
    return None


def _read(found: dict[str, object]) -> Asked:
    order, session, moment = (found.get(name) for name in ("orderNo", "sessionID", "serviceTime"))
    if not isinstance(order, str) or not order.strip() or not _ORDER.fullmatch(order):
        raise NotAsked("orderNo")
    if not isinstance(session, str) or not _SESSION.fullmatch(session):
        raise NotAsked("sessionID")
    if isinstance(moment, bool) or not _MILLISECONDS.fullmatch(str(moment)):
        raise NotAsked("serviceTime")
    return Asked(order.strip(), session, int(str(moment)))


def answer(code: str, message: str, milliseconds: int) -> bytes:
    """The reply to a call, as the notice has it.

    >>> answer(RECEIVED, "", 1700000000000)
    b'{"code":"10000","message":"","serviceTime":1700000000000}'
    """
    told = {"code": code, "message": message, "serviceTime": milliseconds}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


@cache
def _unknown() -> tuple[tuple[date, str, str], ...]:
    with Path(__file__).with_name("unknown_order.csv").open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    return tuple((date.fromisoformat(row["since"]), row["code"], row["message"]) for row in rows)


def unknown_on(day: date) -> str:
    """The code with which a call about an order that nobody knows is answered on that day.

    >>> unknown_on(date(2026, 11, 22))
    '10000'
    """
    codes = [code for since, code, _ in _unknown() if since <= day]
    return codes[-1] if codes else RECEIVED
