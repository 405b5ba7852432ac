"""The turnstile before an authority: whether anything may leave for it now, and how much.

An operator's pause, the hours of its maintenance, its breaker and its pace are
asked in this order, at every look into the outbox.  Pause and probe are words
of operators in the ledger's row, so they reach a daemon that runs and wait for
one that does not; breaker and pace are kept in the same row, so a restart
forgets nothing.  What lies with a client of the authority is looked after
whatever stands here: it is no longer ours to keep back.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

import msgspec

from adapters.carriers.carrier import Carried
from gateway.breaker import Breaker
from gateway.config import Authority
from gateway.dispatch import AT_ONCE, Leaving, Outgoing
from gateway.logs import log
from gateway.pace import spend
from gateway.settling import iso
from gateway.standing import OPEN, Admission, Standing, admission, standing
from spool.ledger import Ledger

BY: Final = "kouan"


class Turnstile:
    """The outbox of one authority behind its turnstile, as the thread that asks the ledger sees it."""

    def __init__(self, ledger: Ledger, outgoing: Outgoing, authority: Authority) -> None:
        self._ledger = ledger
        self._outgoing = outgoing
        self._authority = authority
        self._name = authority.name
        self._told = OPEN
        self._looked_at: datetime | None = None
        self._probe = 0
        """The message that probes at this moment."""

    def due(self, now: datetime, most: int = AT_ONCE, out: Collection[int] = ()) -> list[Leaving]:
        """Return what leaves now and is not out, and what lies with a client and is to be looked after."""
        # A clock that is set back leaves dates behind that may lie years ahead.
        if (self._looked_at is None or now < self._looked_at) and (count := self._outgoing.set_right(now)):
            log.warning("authority.clock_set_back", authority=self._name, messages=count)
        self._looked_at = now
        stands = standing(self._ledger, self._name)
        given = self._outgoing.given(now, out)
        found = admission(self._authority, stands, now)
        probes = self._probe in out
        if not probes:
            self._probe = 0
        elif found.state not in (OPEN, "paced"):
            return given
        if stands.probe_wanted and not probes:
            fresh = self._outgoing.probe(now, out, at_any_date=True)
            if not fresh and not given and not out:
                with self._ledger.writing():
                    self._answer_probe("nothing waits that could be tried", now)
        else:
            self._announce(found)
            fresh = self._fresh(found, now, most, out)
        if fresh and not probes and (stands.probe_wanted or found.state == "probing"):
            self._probe = fresh[0].parcel.number
        self._remember(stands, len(fresh), now)
        return given + fresh

    def told(self, leaving: Sequence[Leaving], carried: Sequence[Carried], now: datetime) -> int:
        """The ledger knows what became of it, and so does the breaker, in one transaction; return how many left."""
        with self._ledger.writing():
            gone = self._outgoing.note(leaving, carried, now)
            before = standing(self._ledger, self._name).breaker
            results = {one.number: one for one in carried}
            mine = [results.get(one.parcel.number) or _unsaid(one) for one in leaving]
            after = before.after(mine, now, self._authority.breaker)
            if after != before:
                self._set(after)
                self._stamp_turn(before, after, now)
            for probe in (one for one in mine if one.number == self._probe):
                self._answer_probe(_said(probe), now)
                self._probe = 0
        return gone

    def _fresh(self, found: Admission, now: datetime, most: int, out: Collection[int]) -> list[Leaving]:
        most = min(most, found.most)
        if self._authority.carrier.kind == "client":
            most = min(most, self._authority.pace.at_once - self._outgoing.given_count())
        if most <= 0:
            return []
        return self._outgoing.probe(now, out) if found.state == "probing" else self._outgoing.due(now, most, out)

    def _remember(self, stands: Standing, leaving: int, now: datetime) -> None:
        """What leaves is spent, and a probe is under way, before it leaves."""
        if not leaving or not (self._probe or self._authority.pace.messages_a_minute):
            return
        with self._ledger.writing():
            self._ledger.run("add_turnstile", self._name)
            if self._authority.pace.messages_a_minute:
                spent = spend(stands.spent, now.timestamp(), leaving)
                self._ledger.run("set_spent", msgspec.json.encode(spent).decode(), self._name)
            if self._probe and stands.breaker.state == "open":
                self._set(stands.breaker.probing())

    def _set(self, breaker: Breaker) -> None:
        self._ledger.run("add_turnstile", self._name)
        times = [iso(one) if one else None for one in (breaker.opened_at, breaker.retry_at)]
        failing = msgspec.json.encode(breaker.failing).decode()
        self._ledger.run(
            "set_breaker", breaker.state, breaker.failures, breaker.wait, *times, breaker.trouble or None, failing,
            self._name,
        )  # fmt: skip

    def _stamp_turn(self, before: Breaker, after: Breaker, now: datetime) -> None:
        """That it broke or was mended is stamped and told; that a probe failed only told."""
        if after.state == "closed" and before.state != "closed":
            self._ledger.run("add_turnstile_stamp", self._name, iso(now), "mended", BY, None)
            log.info("authority.mended", authority=self._name)
        if after.state == "open":
            if before.state == "closed":
                self._ledger.run("add_turnstile_stamp", self._name, iso(now), "broken", BY, after.trouble or None)
            until = iso(after.retry_at) if after.retry_at else None
            failures, trouble = after.failures, after.trouble
            log.warning("authority.broken", authority=self._name, failures=failures, until=until, trouble=trouble)

    def _answer_probe(self, said: str, now: datetime) -> None:
        if self._ledger.run("set_probed", iso(now), said, self._name):
            # What the authority answered with is for whoever asks.
            log.info("authority.probed", authority=self._name, said=said.partition(":")[0])

    def _announce(self, found: Admission) -> None:
        """Each turn between going and resting is told once; that the pace is kept is nothing to tell."""
        state = OPEN if found.state in ("paced", "probing", "broken") else found.state
        if state == self._told:
            return
        self._told = state
        until = iso(found.until) if found.until else None
        if state == "paused":
            log.info("authority.paused", authority=self._name, until=until, why=found.why)
        elif state == "maintenance":
            log.info("authority.maintenance", authority=self._name, until=until)
        else:
            log.info("authority.going", authority=self._name)


def _unsaid(one: Leaving) -> Carried:
    return Carried(one.parcel.number, ok=False, trouble="the carrier did not say what became of it")


def _said(last: Carried) -> str:
    if last.ok:
        return f"taken: {last.acknowledgement}".rstrip(": ")
    if last.given:
        return "given: it lies with the client"
    return f"{'refused' if last.permanent else 'failed'}: {last.trouble}"
