"""An authority is shut in the hours its dated rows say, in China time, and opens at their end and not before."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config_authorities import Maintenance
from gateway.maintenance import CHINA, following, hours, shut_until

FIRST, LAST = datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2027-12-31")
MOMENTS = st.datetimes(FIRST, LAST, timezones=st.just(CHINA))
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
TIMES = st.builds(lambda h, m: f"{h:02d}:{m:02d}", st.integers(0, 23), st.integers(0, 59))
DAILY = st.builds(
    lambda begins, ends, since, until: Maintenance(daily=f"{begins}-{ends}", since=since, until=until),
    TIMES, TIMES, st.none() | DAYS, st.none() | DAYS,
).filter(lambda row: row.daily[:5] != row.daily[6:])  # fmt: skip
SPANS = st.builds(
    lambda begins, length: Maintenance(begins=begins, ends=begins + timedelta(minutes=length)),
    st.datetimes(FIRST, LAST), st.integers(1, 5000),
)  # fmt: skip
ROWS = st.lists(DAILY | SPANS, max_size=4)


def is_shut(rows: list[Maintenance], now: datetime) -> bool:
    """The law read aloud, minute by minute: is any row on at this moment?"""
    here = now.astimezone(CHINA).replace(tzinfo=None)
    return any(_is_on(row, here) for row in rows)


def _is_on(row: Maintenance, here: datetime) -> bool:
    if not row.daily:
        assert row.begins is not None
        assert row.ends is not None
        return row.begins <= here < row.ends
    begins, ends = (time.fromisoformat(part) for part in row.daily.split("-"))
    if begins < ends:
        day, on = here.date(), begins <= here.time() < ends
    else:
        day, on = (
            (here.date() if here.time() >= begins else here.date() - timedelta(days=1)),
            not (ends <= here.time() < begins),
        )
    return on and (row.since or date.min) <= day <= (row.until or date.max)


@given(ROWS, MOMENTS)
def test_it_is_shut_exactly_when_a_row_says_so_and_opens_when_none_does(rows: list[Maintenance], now: datetime) -> None:
    until = shut_until(rows, now)
    assert (until is not None) == is_shut(rows, now)
    if until is not None:
        step = now
        while step < until and step < now + timedelta(days=3):
            assert is_shut(rows, step)
            step = (step + timedelta(minutes=1)).replace(second=0, microsecond=0)
        assert until > now + timedelta(days=300) or not is_shut(rows, until)


@given(ROWS, MOMENTS)
def test_the_next_span_is_to_come_and_really_shut(rows: list[Maintenance], now: datetime) -> None:
    coming = following(rows, now)
    if coming is not None:
        begins, ends, _ = coming
        assert now < begins < ends
        assert is_shut(rows, begins)


@pytest.mark.parametrize("text", ["", "2:00-4:00", "02:00", "25:00-26:00", "02:00-02:00", "02:00-24:01", "02:00–04:00"])
def test_what_is_no_span_of_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text or "^$"):
        hours(text)


def test_a_whole_day_is_written_with_twenty_four() -> None:
    assert hours("00:00-24:00") == (time(0), timedelta(days=1))
    row = Maintenance(daily="00:00-24:00", since=date(2026, 10, 1), until=date(2026, 10, 7))
    assert shut_until((row,), datetime(2026, 10, 3, tzinfo=UTC)) == datetime(2026, 10, 7, 16, tzinfo=UTC)
    assert following((row,), datetime(2026, 11, 1, tzinfo=UTC)) is None
