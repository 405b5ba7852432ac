"""The breaker: when failures follow each other nobody knocks for a while, then one message only.

Closed, everything may leave.  After so many failures in a row it opens; when
its time has come it is half open and one message probes; an answer, even a
refusal of that message, closes it, a failure opens it for twice as long.
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


@dataclass(frozen=True, slots=True)
class Breaker:
    """Where it stands, since when, when it may be probed, and the last trouble."""

    state: State = "closed"
    failures: int = 0
    wait: float = 0.0
    opened_at: datetime | None = None
    retry_at: datetime | None = None
    trouble: str = ""

    def may_probe(self, now: datetime) -> bool:
        """Tell whether one message may leave now though it is not closed."""
        return self.state == "half_open" or (self.state == "open" and (self.retry_at is None or self.retry_at <= now))

    def probing(self) -> "Breaker":
        """Return it half open: a message is on its way to find out."""
        return self if self.state == "closed" else replace(self, state="half_open")

    def after(self, carried: "Iterable[Carried | None]", now: datetime, law: Law) -> "Breaker":
        """Return where it stands when a group has been tried; what lies with a client says nothing yet."""
        told = [one for one in carried if one is None or not one.given]
        if any(one is not None and (one.ok or one.permanent) for one in told):
            return CLOSED
        if not told:
            return self
        failures = self.failures + len(told)
        last = told[-1]
        trouble = last.trouble if last is not None else "the carrier did not say what became of it"
        if law.failures == 0 or (self.state == "closed" and failures < law.failures):
            return Breaker(failures=failures, trouble=trouble)
        wait = law.first_seconds if self.state == "closed" else min(law.most_seconds, self.wait * _GROWTH)
        asked = max((one.retry_after or 0 for one in told if one is not None), default=0)
        retry_at = now + timedelta(seconds=max(wait, asked))
        return Breaker("open", failures, wait, self.opened_at or now, retry_at, trouble)


CLOSED: Final = Breaker()
