"""How long the law allows: windows.csv by name, side of the border and day, and the working days of China.

Days are those of China Standard Time.  Sources stand in the tables.

Known limits: holidays.csv holds the holidays of fixed date only; those that are announced each year, and the
working days that make up for them (`kind` workday), are added by whoever runs the platform.
"""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache

from message_specs.trade.matching import applies, day
from message_specs.trade.papers import table

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Window:
    """So many days, months or years, or until a day of the next month."""

    amount: int
    unit: str

    def until(self, start: date) -> date:
        """The last day of the window that begins on that day.

        >>> Window(30, "days").until(date(2026, 11, 21)), Window(6, "months").until(date(2026, 8, 31))
        (datetime.date(2026, 12, 21), datetime.date(2027, 2, 28))
        >>> Window(1, "years").until(date(2024, 2, 29)), Window(15, "day_of_next_month").until(date(2026, 12, 1))
        (datetime.date(2025, 2, 28), datetime.date(2027, 1, 15))
        """
        if self.unit == "days":
            return start + timedelta(days=self.amount)
        if self.unit == "day_of_next_month":
            return _months_later(start.replace(day=1), 1).replace(day=self.amount)
        return _months_later(start, self.amount * (12 if self.unit == "years" else 1))


def _months_later(start: date, months: int) -> date:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))


@lru_cache(maxsize=256)
def window(name: str, side: str, on: date, mode: str = "") -> Window | None:
    """The window of that name that is in force on that day; None where the law knows none.

    >>> window("refund_apply", "import", date(2026, 11, 21)), window("refund_apply", "export", date(2026, 11, 21))
    (Window(amount=30, unit='days'), None)
    """
    for row in table("windows.csv"):
        since, until = day(row["since"]), day(row["until"])
        in_force = (since is None or since <= on) and (until is None or on <= until)
        if row["name"] == name and in_force and applies(row["modes"], side, mode):
            return Window(int(row["amount"]), row["unit"])
    return None


@cache
def _special() -> dict[date, str]:
    return {date.fromisoformat(row["day"]): row["kind"] for row in table("holidays.csv")}


def is_working(on: date) -> bool:
    """Whether that day is a working day: no holiday, and no weekend unless it makes up for one.

    >>> is_working(date(2026, 10, 1)), is_working(date(2026, 11, 21)), is_working(date(2026, 11, 23))
    (False, False, True)
    """
    kind = _special().get(on)
    return kind == "workday" if kind else on.weekday() < _SATURDAY


def next_working(on: date) -> date:
    """That day, or the first working day after it.

    >>> next_working(date(2026, 11, 21))
    datetime.date(2026, 11, 23)
    """
    while not is_working(on):
        on += timedelta(days=1)
    return on
