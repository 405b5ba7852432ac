"""Causes: what operators must decide about, grouped by why, so that one cure lets all of it go on.

Two reasons have the same cause when they differ in numbers, times and names of documents only.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import Any, Final

from spool.ledger import NEVER, Ledger

_LONGEST: Final = 200
_OURS: Final = "K105"
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?")
_NAME: Final = re.compile(r"[\w.|-]*\d{4,}[\w.|-]*")


def cause_of(why: str | None) -> str:
    r"""Return the cause that a reason speaks of.

    >>> cause_of("answered 400 Bad Request: order YX2026000000000001 of 2026-11-22T03:00:00Z is unknown")
    'answered 400 Bad Request: order … of … is unknown'
    >>> cause_of("K105 Traceback (most recent call last):\n  File …\nValueError: 12345 is too much"), cause_of(None)
    ('K105 ValueError: … is too much', '')
    """
    lines = (why or "").strip().split("\n")
    # Of a mistake of ours the last line tells what it was: not all mistakes are one.
    line = f"{_OURS} {lines[-1]}" if lines[0].startswith(f"{_OURS} Traceback") and len(lines) > 1 else lines[0]
    return _NAME.sub("…", _TIME.sub("…", line))[:_LONGEST]


def name_of(cause: str) -> str:
    """Return the short name by which a command means a cause.

    >>> name_of("answered 400 Bad Request")
    'dd612431'
    """
    return hashlib.sha256(cause.encode()).hexdigest()[:8]


def causes(ledger: Ledger) -> list[dict[str, Any]]:
    """Return what is held, by authority and cause, the most documents first."""
    return grouped(ledger.all("held_by_cause", NEVER))


def grouped(rows: Iterable[Any]) -> list[dict[str, Any]]:
    """Return rows of reasons as groups of causes."""
    groups: dict[tuple[str | None, str], dict[str, Any]] = {}
    for row in rows:
        cause = cause_of(row["why"])
        fresh = {
            "cause": name_of(cause), "authority": row["authority"], "why": cause, "documents": 0, "messages": 0,
            "partners": [], "oldest": row["oldest"], "oldest_number": str(row["first"]),
        }  # fmt: skip
        group = groups.setdefault((row["authority"], cause), fresh)
        group["documents"] += row["documents"]
        group["messages"] += row["messages"]
        if row["partner"] not in group["partners"]:
            group["partners"].append(row["partner"])
    return sorted(groups.values(), key=lambda group: (-group["documents"], group["oldest_number"], group["why"]))
