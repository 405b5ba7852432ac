"""The breaker: when failures follow each other nobody knocks for a while, then one message only.

Closed, everything may leave.  After so many failures in a row it opens; when
its time has come it is half open and one message probes; an answer, even a
refusal of that message, closes it, a failure opens it for twice as long.

A failure of the road counts each time.  Where nobody can tell whether it is the
road or the message, each message counts once, and one message alone never opens
it: an authority that chokes on one message is not away.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from gateway.config_authorities import Breaker as Law

if TYPE_CHECKING:
    from adapters.carriers.carrier import Carried

State = Literal["closed", "open", "half_open"]
_GROWTH: Final = 2.0
_LONGEST_REST: Final = 86400.0
"""Longer no authority may ask us to wait."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """Where it stands, since when, when it may be probed, the last trouble, and the messages counted in doubt."""

    state: State = "closed"
    failures: int = 0
    wait: float = 0.0
    opened_at: datetime | None = None
    retry_at: datetime | None = None
    trouble: str = ""
    failing: tuple[int, ...] = ()

    def may_probe(self, now: datetime) -> bool:
        """Tell whether one message may leave now though it is not closed.

        A rest that would last longer than any that is ever agreed was set by a clock that was wrong.
        """
        if self.state != "open" or self.retry_at is None or (self.opened_at is not None and self.opened_at > now):
            return self.state != "closed"
        rest = self.retry_at - now
        return rest <= timedelta(0) or rest > timedelta(seconds=max(self.wait, _LONGEST_REST))

    def probing(self) -> "Breaker":
        """Return it half open: a message is on its way to find out."""
        return self if self.state == "closed" else replace(self, state="half_open")

    def after(self, carried: "Iterable[Carried]", now: datetime, law: Law) -> "Breaker":
        """Return where it stands when these have been tried; what lies with a client or must wait says nothing yet."""
        told = [one for one in carried if not one.given and one.fault not in ("nobody", "neighbour")]
        if any(one.ok or one.permanent for one in told):
            return CLOSED
        road = [one for one in told if one.fault == "road"]
        fresh = tuple(one.number for one in told if one.fault != "road" and one.number not in self.failing)
        # What comes back late from before it opened says nothing that is not known.
        if not told or self.state == "open" or (self.state == "closed" and not road and not fresh):
            return self
        failing = self.failing + fresh
        failures = self.failures + len(road) + len(fresh)
        trouble = told[-1].trouble
        is_one_message = failures == len(failing) <= 1
        if law.failures == 0 or (self.state == "closed" and (failures < law.failures or is_one_message)):
            return Breaker(failures=failures, trouble=trouble, failing=failing if law.failures else ())
        wait = law.first_seconds if self.state == "closed" else min(law.most_seconds, self.wait * _GROWTH)
        asked = max((one.retry_after or 0 for one in told), default=0)
        retry_at = now + timedelta(seconds=max(wait, asked))
        return Breaker("open", failures, wait, self.opened_at or now, retry_at, trouble)


CLOSED: Final = Breaker()
