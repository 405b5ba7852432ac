"""Silence: customs has an inventory, a cancel or a return and says nothing of it for longer than silence.csv allows.

Counted from when we heard of it last, not from what customs wrote as its time; before its first receipt from when it
left.  Whoever declared it is told once a period, and the trade stands among those that wait until an answer comes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from gateway.case import Case, Notice
from gateway.notices import notice
from gateway.settling import iso
from message_specs.findings import Finding
from message_specs.trade.papers import Paper
from message_specs.trade.silence import Silence, patience, silence
from spool.ledger import Ledger
from spool.number import came_at
from spool.states import State

_CHINA: Final = ZoneInfo("Asia/Shanghai")
_AGAIN: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Listening:
    """When a declared trade is looked at again, why it stands among those that wait, and who is told."""

    due: str | None = None
    why: str | None = None
    told: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """Since when customs is silent about a document, at which status, and what is told of it."""

    since: date
    status: str
    told: Finding


@lru_cache(maxsize=64)
def first_look(spec: str, mode: str, now: datetime) -> str | None:
    """Return when a trade is looked at of which this goes to customs now, if customs says nothing until then."""
    patient = patience(spec, mode, "", now.astimezone(_CHINA).date())
    return iso(now + timedelta(days=patient.days)) if patient else None


def listen_for(ledger: Ledger, cases: Iterable[Case], now: datetime) -> None:
    """The trades of these cancels and returns, which go to customs now, are looked at in time, inside the transaction.

    The papers stand in the ledger.
    """
    looks = [(first_look(one.document.spec.code, "", now), one.number, one.ordinal) for one in cases]
    ledger.run_many("look_at_dossier_of", [look for look in looks if look[0] is not None])


def applications(papers: Iterable[Paper], row: Any) -> list[Paper]:
    """Return of which cancels and returns in a dossier a word is waited for.

    A cancel can decide something while the list that it is about is with customs, a return after its release.
    """
    if row["phase"] == "declared":
        declared = (row["number"] or 0, row["ordinal"] or 0)
        return [one for one in papers if one.kind == "cancel" and (one.number, one.ordinal) > declared]
    return [one for one in papers if one.kind == "refund"] if row["phase"] in ("released", "closed") else []


def listen(ledger: Ledger, papers: Iterable[Paper], now: datetime) -> Listening:
    """Return what follows for a trade of which these are with customs; nothing where no word of them is waited for."""
    ones = [_listen(ledger, paper, now) for paper in papers]
    return Listening(
        min((one.due for one in ones if one.due), default=None),
        next((one.why for one in ones if one.why), None),
        tuple(told for one in ones for told in one.told),
    )


def _listen(ledger: Ledger, paper: Paper, now: datetime) -> Listening:
    row = _row(ledger, paper)
    if row is None:
        return Listening()
    if (since := _since(row)) is None:
        return Listening(iso(now + _AGAIN))
    found = _silence(paper, row, since, now.astimezone(_CHINA).date())
    if found is None:
        return Listening()
    due = iso(datetime.combine(found.next_look, time(), _CHINA))
    if found.told is None:
        return Listening(due)
    why = f"{found.told.code} {row['status'] or '-'} {since.isoformat()}"
    return Listening(due, why, (notice(paper, [found.told]),))


def heard(ledger: Ledger, paper: Paper, today: date) -> Heard | None:
    """Return the silence about a document by the law of a day; None where there is none, or not for long."""
    row = _row(ledger, paper)
    if row is None or (since := _since(row)) is None:
        return None
    found = _silence(paper, row, since, today)
    return Heard(since, row["status"] or "", found.told) if found and found.told else None


def _row(ledger: Ledger, paper: Paper) -> Any:
    """Return what customs said last of a document that it has, None where it has none that goes on."""
    row = ledger.one("last_heard", paper.number, paper.ordinal)
    return row if row is not None and row["state"] in (State.READY, State.SENT) else None


def _silence(paper: Paper, row: Any, since: date, today: date) -> Silence | None:
    return silence(paper.spec, paper.head.get("tradeMode", ""), row["status"] or "", since, today)


def _since(row: Any) -> date | None:
    """Return the day of the last word, or of its leaving; None where it has not left."""
    if row["answer"] is not None:
        return came_at(row["answer"]).date()
    if row["outbox"] != "gone" or row["tried_at"] is None:
        return None
    return datetime.fromisoformat(row["tried_at"]).astimezone(_CHINA).date()
