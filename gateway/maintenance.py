"""Maintenance: the hours in which an authority is shut, as dated rows in China time.

A row is daily hours, from a day until a day, or one span.  Hours that begin in
the evening and end in the morning belong to the day on which they begin.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from gateway.config_authorities import Maintenance

CHINA: Final = ZoneInfo("Asia/Shanghai")
_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24:00))")
_AHEAD: Final = timedelta(days=400)


def hours(text: str) -> tuple[time, timedelta]:
    """Return when daily hours begin and how long they last; ValueError where the text says neither.

    >>> hours("02:00-04:00")[1], hours("23:30-05:00")[1]
    (datetime.timedelta(seconds=7200), datetime.timedelta(seconds=19800))
    """
    found = _HOURS.fullmatch(text)
    if found is None:
        raise ValueError(text)
    begins = int(found[1]) * 60 + int(found[2])
    ends = 24 * 60 if found[5] else int(found[3]) * 60 + int(found[4])
    if begins == ends:
        raise ValueError(text)
    return time(int(found[1]), int(found[2])), timedelta(minutes=(ends - begins) % (24 * 60) or 24 * 60)


def shut_until(rows: Sequence[Maintenance], now: datetime) -> datetime | None:
    """Return when the authority opens again; None while it is open.  Spans that touch are one.

    >>> nights = (Maintenance(daily="23:00-02:00"), Maintenance(daily="02:00-04:00"))
    >>> shut_until(nights, datetime(2026, 11, 21, 16, 30, tzinfo=UTC)).isoformat()
    '2026-11-21T20:00:00+00:00'
    >>> shut_until(nights, datetime(2026, 11, 21, 20, 0, tzinfo=UTC)) is None
    True
    """
    moment = now
    # Rows that leave no gap at all shut it for good: more than a year ahead nobody looks.
    while moment < now + _AHEAD:
        ends = [end for row in rows for begin, end in _around(row, moment) if begin <= moment < end]
        if not ends:
            break
        moment = max(ends)
    return moment.astimezone(UTC) if moment > now else None


def following(rows: Sequence[Maintenance], now: datetime) -> tuple[datetime, datetime, str] | None:
    """Return the next span that begins after now, and what is noted about it; None where none is known."""
    coming = [(begin, end, row.note) for row in rows for begin, end in _coming(row, now)]
    if not coming:
        return None
    begin, end, note = min(coming)
    return begin.astimezone(UTC), end.astimezone(UTC), note


def _around(row: Maintenance, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the spans of a row that may hold this moment."""
    if row.daily:
        today = now.astimezone(CHINA).date()
        yield from (_on(row, day) for day in (today - timedelta(days=1), today) if _counts(row, day))
    elif row.begins and row.ends:
        yield china(row.begins), china(row.ends)


def _coming(row: Maintenance, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    if not row.daily:
        yield from (span for span in _around(row, now) if span[0] > now)
        return
    today = now.astimezone(CHINA).date()
    start = max(today, row.since or today)
    spans = [_on(row, day) for day in (start, start + timedelta(days=1)) if _counts(row, day)]
    yield from [span for span in spans if span[0] > now][:1]


def _counts(row: Maintenance, day: date) -> bool:
    return (row.since is None or row.since <= day) and (row.until is None or day <= row.until)


def _on(row: Maintenance, day: date) -> tuple[datetime, datetime]:
    begins, length = hours(row.daily)
    start = datetime.combine(day, begins, CHINA)
    return start, start + length


def china(moment: datetime) -> datetime:
    """Return a moment with its zone; one without is meant as China time."""
    return moment if moment.tzinfo else moment.replace(tzinfo=CHINA)
