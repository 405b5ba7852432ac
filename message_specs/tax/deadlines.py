"""Deadlines of a refund: until when an export is declared, with what evidence later, and when it is too late.

The table `windows` holds them by name and by the day of export.  `filing` and `evidence`: so many a day of that month
of the next year.  `late`: so many months after the export.  `index`: so many days after the declaration, until which
the index of its documents (备案单证) stands.
"""

import calendar
from collections.abc import Sequence
from datetime import date, timedelta

from message_specs.tax.laws import Row, in_force


def deadline(name: str, exported_on: date, windows: Sequence[Row]) -> date | None:
    """The last day of a window that is counted from the year after the export; None where the law knows none.

    >>> from message_specs.tax.laws import shipped
    >>> deadline("filing", date(2026, 11, 21), shipped("windows"))
    datetime.date(2027, 4, 30)
    """
    row = in_force(windows, exported_on, name=name)
    return date(exported_on.year + 1, int(row["months"]), int(row["day"])) if row else None


def late_until(exported_on: date, windows: Sequence[Row]) -> date | None:
    """The last day on which a late export may be declared; None where the law knows none.

    >>> from message_specs.tax.laws import shipped
    >>> late_until(date(2026, 8, 31), shipped("windows")), late_until(date(2025, 8, 31), shipped("windows"))
    (datetime.date(2029, 8, 31), None)
    """
    row = in_force(windows, exported_on, name="late")
    if row is None:
        return None
    year, month = divmod(exported_on.year * 12 + exported_on.month - 1 + int(row["months"]), 12)
    return date(year, month + 1, min(exported_on.day, calendar.monthrange(year, month + 1)[1]))


def index_until(declared_on: date, windows: Sequence[Row]) -> date | None:
    """Until when the index of a declaration's documents is to stand; None where the law knows no day.

    >>> from message_specs.tax.laws import shipped
    >>> index_until(date(2026, 12, 20), shipped("windows"))
    datetime.date(2027, 1, 4)
    """
    row = in_force(windows, declared_on, name="index")
    return declared_on + timedelta(days=int(row["day"])) if row else None
