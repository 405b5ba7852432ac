"""What one receipt says: its status, what that means, when it was said and in which words."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from message_specs.codes import receipt_status
from message_specs.document import Document

_CHINA = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Said:
    """What one receipt says: status, its meaning, when and in which words."""

    status: str
    outcome: str
    zh: str
    said_at: str
    info: str


def said(unit: Document) -> Said:
    """Return what a receipt says, read where its spec says that status, time and words stand."""
    status = (unit.text(unit.spec.status) or "").strip()
    meaning = receipt_status(unit.spec.code, status)
    moment = _moment(unit.text(unit.spec.said_at) or "")
    info = " ".join([text for path in unit.spec.info if (text := unit.text(path))])
    return Said(status, meaning.outcome, meaning.zh, moment, info)


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
