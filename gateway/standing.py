"""How an authority stands: what its row in the ledger says, and whether anything may leave for it now.

A word for each state: `open`, `paced` (the minute is used up), `paused` by an operator, `maintenance`, `broken`, and
`probing` where one message may find out.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from gateway.breaker import CLOSED, Breaker
from gateway.config_authorities import Authority
from gateway.maintenance import shut_until
from gateway.pace import Spent, allowance, next_at
from gateway.settling import iso
from spool.ledger import NEVER, Ledger

OPEN: Final = "open"
ANY_NUMBER: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Standing:
    """The row of an authority, read."""

    breaker: Breaker = CLOSED
    paused_at: str = ""
    paused_until: str = ""
    paused_by: str = ""
    paused_why: str = ""
    probe_asked_at: str = ""
    probed_at: str = ""
    probe_said: str = ""
    spent: Spent = ()

    def is_paused(self, now: datetime) -> bool:
        """Tell whether an operator keeps everything back at this moment."""
        return bool(self.paused_at) and iso(now) < self.paused_until

    @property
    def probe_wanted(self) -> bool:
        """Whether an operator asked for a probe that has not been made."""
        return bool(self.probe_asked_at) and not self.probed_at


@dataclass(frozen=True, slots=True)
class Admission:
    """What may leave now: so many, or nobody until a moment, and why; the state is a word for people and programs."""

    state: str
    most: int = 0
    until: datetime | None = None
    why: str = ""


def standing(ledger: Ledger, name: str) -> Standing:
    """Return how an authority stands in the ledger."""
    row = ledger.one("turnstile", name)
    if row is None:
        return Standing()
    failing = tuple(int(one) for one in msgspec.json.decode(row["failing"]))
    opened_at, retry_at = (datetime.fromisoformat(row[one]) if row[one] else None for one in ("opened_at", "retry_at"))
    spent = tuple((float(at), int(count)) for at, count in msgspec.json.decode(row["spent"]))
    return Standing(
        Breaker(row["breaker"], row["failures"], row["wait"], opened_at, retry_at, row["trouble"] or "", failing),
        row["paused_at"] or "", row["paused_until"] or "", row["paused_by"] or "", row["paused_why"] or "",
        row["probe_asked_at"] or "", row["probed_at"] or "", row["probe_said"] or "", spent,
    )  # fmt: skip


def admission(authority: Authority, stands: Standing, now: datetime) -> Admission:
    """Return whether messages may leave for the authority now; a probe that an operator asks for goes before this."""
    if stands.is_paused(now):
        until = None if stands.paused_until == NEVER else datetime.fromisoformat(stands.paused_until)
        return Admission("paused", until=until, why=f"{stands.paused_by}: {stands.paused_why}")
    if (until := shut_until(authority.maintenance, now)) is not None:
        return Admission("maintenance", until=until)
    breaker = stands.breaker
    if breaker.state != "closed" and not breaker.may_probe(now):
        return Admission("broken", until=breaker.retry_at, why=breaker.trouble)
    most, until = ANY_NUMBER, None
    if authority.pace.messages_a_minute:
        seconds, a_minute = now.timestamp(), authority.pace.messages_a_minute
        most = allowance(stands.spent, seconds, a_minute)
        until = None if most else datetime.fromtimestamp(next_at(stands.spent, seconds, a_minute), UTC)
    if breaker.state != "closed":
        # A probe that is made by itself keeps the pace, too.
        return Admission("probing" if most else "broken", min(most, 1), until, breaker.trouble)
    return Admission(OPEN if most else "paced", most, until)
