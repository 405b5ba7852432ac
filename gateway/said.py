"""What one receipt says: its status, what that means, when it was said and in which words."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
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


@lru_cache(maxsize=4096)
def _moment(digits: str) -> str:
    """Return the ISO time of 17 or 14 digits of China Standard Time; other texts as they stand.

    >>> _moment("20261121120506789"), _moment("20261121120506"), _moment("soon")
    ('2026-11-21T12:05:06.789+08:00', '2026-11-21T12:05:06.000+08:00', 'soon')
    """
    if len(digits) not in (14, 17) or not digits.isdigit():
        return digits
    try:
        # Written out for speed: strptime takes as long as everything else in a receipt.
        when = datetime(
            int(digits[:4]), int(digits[4:6]), int(digits[6:8]), int(digits[8:10]), int(digits[10:12]),
            int(digits[12:14]), tzinfo=_CHINA,
        )  # fmt: skip
    except ValueError:
        return digits
    return f"{when.replace(tzinfo=None).isoformat()}.{digits[14:] or '000'}+08:00"
