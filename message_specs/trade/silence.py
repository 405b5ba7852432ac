"""How long customs may be silent about an inventory that it has, by its last status, and when that is told.

The rows of silence.csv: after `days` whoever declared it is told, and again each `again` days.  A status of life.csv
without a row is one after which nothing is waited for: released, closed, or given back to be mended.
Every number of days is ours; no source tells how fast customs is.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from message_specs.findings import Finding, finding
from message_specs.trade.life import state_of
from message_specs.trade.matching import applies, day
from message_specs.trade.papers import table

_NOTHING_SAID: Final = "none"
_UNKNOWN: Final = "*"


@dataclass(frozen=True, slots=True)
class Patience:
    """After how many days silence is told, and after how many more it is told again."""

    days: int
    again: int


@dataclass(frozen=True, slots=True)
class Silence:
    """What is to be told of it today, if anything, and the next day on which it is looked at."""

    told: Finding | None
    next_look: date


@lru_cache(maxsize=256)
def patience(side: str, mode: str, status: str, on: date) -> Patience | None:
    """The row in force on that day for a status, "" where customs has said nothing; None where nothing is waited for.

    >>> patience("import", "9610", "", date(2026, 11, 21)), patience("import", "9610", "120", date(2026, 11, 21))
    (Patience(days=1, again=1), Patience(days=3, again=3))
    >>> patience("import", "9610", "800", date(2026, 11, 21)), patience("import", "9610", "-621005", date(2026, 11, 21))
    (None, None)
    >>> patience("export", "9610", "777", date(2026, 11, 21))
    Patience(days=7, again=7)
    """
    wanted = status.strip() or _NOTHING_SAID
    if wanted != _NOTHING_SAID and not state_of(wanted).known:
        wanted = _UNKNOWN
    for row in table("silence.csv"):
        since, until = day(row["since"]), day(row["until"])
        in_force = (since is None or since <= on) and (until is None or on <= until)
        if row["status"] == wanted and in_force and applies(row["modes"], side, mode):
            return Patience(int(row["days"]), int(row["again"]))
    return None


def silence(side: str, mode: str, status: str, since: date, today: date) -> Silence | None:
    """What is told of an inventory of which customs has said nothing since that day; None where nothing is waited for.

    The words change once a period, so that each period is told once.

    >>> said = silence("import", "9610", "2", date(2026, 11, 21), date(2026, 11, 24))
    >>> said.told.zh, said.next_look
    ('海关自 2026-11-21 起已满 2 天没有新的回执，清单停在“申报中”', datetime.date(2026, 11, 25))
    >>> silence("import", "9610", "2", date(2026, 11, 21), date(2026, 11, 22))
    Silence(told=None, next_look=datetime.date(2026, 11, 23))
    """
    patient = patience(side, mode, status, today)
    if patient is None:
        return None
    passed = (today - since).days - patient.days
    if passed < 0:
        return Silence(None, since + timedelta(days=patient.days))
    days = patient.days + passed // patient.again * patient.again
    state = state_of(status)
    told = finding(
        "T212",
        days=str(days),
        since=since.isoformat(),
        state=state.zh if status.strip() else "已发送，尚无回执",
        state_en=state.en if status.strip() else "sent, and no receipt at all",
    )
    return Silence(told, since + timedelta(days=days + patient.again))
