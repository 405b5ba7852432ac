"""Authorities as operators see and rule them: how each stands, a pause, its end, a probe.

A ruling is a row in the ledger and nothing else.  A daemon that runs looks at
it before each round; one that does not will.
"""

import re
import sqlite3
from datetime import datetime, timedelta
from typing import Any, Final

from gateway.config_authorities import Authority
from gateway.maintenance import china, following, shut_until
from gateway.settling import iso
from gateway.standing import admission, standing
from spool.ledger import NEVER, Ledger

_SPAN: Final = re.compile(r"([0-9]{1,6})\s*([smhdw])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_STAMPS: Final = 20


def later(text: str, now: datetime) -> datetime:
    """Return the moment that a person means; ValueError when nobody can tell, or it is over.

    >>> now = datetime.fromisoformat("2026-11-22T12:00:00+08:00")
    >>> later("2h", now).isoformat(), later("2026-11-23", now).isoformat()
    ('2026-11-22T14:00:00+08:00', '2026-11-23T00:00:00+08:00')
    """
    if span := _SPAN.fullmatch(text.strip()):
        return now + timedelta(seconds=int(span[1]) * _SECONDS[span[2]])
    moment = china(datetime.fromisoformat(text.strip()))
    if moment <= now:
        raise ValueError(text)
    return moment


def pause(ledger: Ledger, name: str, now: datetime, until: datetime | None, *, by: str, why: str) -> None:
    """Nothing leaves for the authority until then, or until it is resumed."""
    at = iso(now)
    end = iso(until) if until else NEVER
    with ledger.writing():
        ledger.run("add_turnstile", name)
        ledger.run("set_pause", at, end, by, why, name)
        ledger.run("add_turnstile_stamp", name, at, "paused", by, f"{why} (until {end})" if until else why)


def resume(ledger: Ledger, name: str, now: datetime, *, by: str, why: str) -> bool:
    """No pause stands; return whether one stood."""
    with ledger.writing():
        stood = standing(ledger, name).is_paused(now)
        ledger.run("set_pause", None, None, None, None, name)
        if stood:
            ledger.run("add_turnstile_stamp", name, iso(now), "resumed", by, why or None)
    return stood


def ask_probe(ledger: Ledger, name: str, now: datetime, *, by: str) -> None:
    """One message is tried as soon as a daemon looks, whatever keeps the others back."""
    at = iso(now)
    with ledger.writing():
        ledger.run("add_turnstile", name)
        ledger.run("ask_probe", at, name)
        ledger.run("add_turnstile_stamp", name, at, "probe asked", by, None)


def facts(ledger: Ledger, authority: Authority, now: datetime) -> dict[str, Any]:
    """Return how an authority stands and what waits for it."""
    stands = standing(ledger, authority.name)
    found = admission(authority, stands, now)
    sums = {row["state"]: row for row in ledger.all("outbox_sums", authority.name)}
    return {
        "name": authority.name,
        "title": authority.title,
        "carrier": authority.carrier.kind,
        "state": found.state,
        "until": iso(found.until) if found.until else None,
        "why": found.why or None,
        "failures": stands.breaker.failures,
        "waiting": _of(sums, "waiting", "messages"),
        "with_client": _of(sums, "waiting", "given"),
        "held": _of(sums, "held", "messages"),
        "next_try": sums["waiting"]["next_try"] if "waiting" in sums else None,
    }


def _of(sums: dict[str, sqlite3.Row], state: str, what: str) -> int:
    return int(sums[state][what]) if state in sums else 0


def whole(ledger: Ledger, authority: Authority, now: datetime) -> dict[str, Any]:
    """Return everything about an authority: also its rules, the next maintenance, the last probe and rulings."""
    from gateway.causes import causes

    stands = standing(ledger, authority.name)
    breaker, pace, retry = authority.breaker, authority.pace, authority.retry
    coming = following(authority.maintenance, shut_until(authority.maintenance, now) or now)
    return {
        **facts(ledger, authority, now),
        "paused": {
            "at": stands.paused_at, "until": None if stands.paused_until == NEVER else stands.paused_until,
            "by": stands.paused_by, "reason": stands.paused_why,
        } if stands.is_paused(now) else None,
        "breaker": {
            "state": stands.breaker.state, "failures": breaker.failures, "first_seconds": breaker.first_seconds,
            "most_seconds": breaker.most_seconds, "trouble": stands.breaker.trouble or None,
            "opened_at": iso(stands.breaker.opened_at) if stands.breaker.opened_at else None,
            "retry_at": iso(stands.breaker.retry_at) if stands.breaker.retry_at else None,
        },
        "pace": {"messages_a_minute": pace.messages_a_minute, "at_once": pace.at_once, "order": pace.order},
        "retry": {
            "first_seconds": retry.first_seconds, "factor": retry.factor, "most_seconds": retry.most_seconds,
            "jitter": retry.jitter, "attempts": retry.attempts,
        },
        "maintenance": {"begins": iso(coming[0]), "ends": iso(coming[1]), "note": coming[2]} if coming else None,
        "probe": {
            "asked_at": stands.probe_asked_at, "at": stands.probed_at or None, "said": stands.probe_said or None,
        } if stands.probe_asked_at else None,
        "causes": [group for group in causes(ledger) if group["authority"] == authority.name],
        "stamps": [dict(row) for row in ledger.all("turnstile_stamps", authority.name, _STAMPS)],
    }  # fmt: skip
