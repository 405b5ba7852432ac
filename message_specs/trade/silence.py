"""How long customs may be silent about what it has, by its last status, and when that is told.

The rows of silence.csv, for inventories and for the cancels and returns that come after them: after `days` whoever
declared it is told, and again each `again` days.  A status of life.csv without a row is one after which nothing is
waited for: released, closed, decided, or given back to be mended.
Every number of days is ours; no source tells how fast customs is.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from message_specs.catalog import catalog
from message_specs.findings import Finding, finding
from message_specs.trade.life import state_of
from message_specs.trade.matching import applies, day
from message_specs.trade.papers import kind_of, side_of, table

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
def patience(spec: str, mode: str, status: str, on: date) -> Patience | None:
    """The row in force on that day for a status, "" where customs has said nothing; None where nothing is waited for.

    >>> patience("CEB621", "9610", "", date(2026, 11, 21)), patience("CEB621", "9610", "120", date(2026, 11, 21))
    (Patience(days=1, again=1), Patience(days=3, again=3))
    >>> patience("CEB621", "9610", "800", date(2026, 11, 21)), patience("CEB623", "9610", "399", date(2026, 11, 21))
    (None, None)
    >>> patience("CEB603", "9610", "777", date(2026, 11, 21))
    Patience(days=7, again=7)
    """
    kind, side = kind_of(spec), side_of(spec)
    wanted = status.strip() or _NOTHING_SAID
    if wanted != _NOTHING_SAID and not state_of(wanted).known:
        wanted = _UNKNOWN
    for row in table("silence.csv"):
        since, until = day(row["since"]), day(row["until"])
        in_force = (since is None or since <= on) and (until is None or on <= until)
        meant = row["status"] == wanted and kind in row["kinds"].split()
        if meant and in_force and applies(row["modes"], side, mode):
            return Patience(int(row["days"]), int(row["again"]))
    return None


def silence(spec: str, mode: str, status: str, since: date, today: date) -> Silence | None:
    """What is told of a document of which customs has said nothing since that day; None where nothing is waited for.

    The words change once a period, so that each period is told once.

    >>> said = silence("CEB621", "9610", "2", date(2026, 11, 21), date(2026, 11, 24))
    >>> said.told.zh, said.next_look
    ('海关自 2026-11-21 起已满 2 天没有新的回执，清单停在“申报中”', datetime.date(2026, 11, 25))
    >>> silence("CEB621", "9610", "2", date(2026, 11, 21), date(2026, 11, 22))
    Silence(told=None, next_look=datetime.date(2026, 11, 23))
    >>> silence("CEB623", "", "", date(2026, 11, 21), date(2026, 11, 22)).told.zh
    '海关自 2026-11-21 起已满 1 天没有新的回执，撤销申请单停在“已发送，尚无回执”'
    """
    patient = patience(spec, mode, status, today)
    if patient is None:
        return None
    passed = (today - since).days - patient.days
    if passed < 0:
        return Silence(None, since + timedelta(days=patient.days))
    days = patient.days + passed // patient.again * patient.again
    state, known = state_of(status), catalog().specs[spec]
    told = finding(
        "T212" if kind_of(spec) == "inventory" else "T213",
        title=known.title,
        english=known.english,
        days=str(days),
        since=since.isoformat(),
        state=state.zh if status.strip() else "已发送，尚无回执",
        state_en=state.en if status.strip() else "sent, and no receipt at all",
    )
    return Silence(told, since + timedelta(days=days + patient.again))
