"""When to try again: a date, growing with the attempts, with jitter from the number itself.

The plan is a pure function of attempt and number, so an operator can read it
beforehand and a restart changes nothing.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to wait before attempt 2, 3, …: seconds, growth, ceiling, jitter as a share, and how many attempts."""

    first: float = 2.0
    factor: float = 2.0
    most: float = 600.0
    jitter: float = 0.2
    attempts: int = 0

    def wait(self, attempt: int, number: int) -> float:
        """Return the seconds to wait after the `attempt`-th failure of `number`.

        >>> [round(Plan(jitter=0).wait(n, 7)) for n in (1, 2, 3, 20)]
        [2, 4, 8, 600]
        """
        pure = min(self.most, self.first * self.factor ** min(attempt - 1, 60))
        digest = hashlib.sha256(f"{number}/{attempt}".encode()).digest()
        swing = int.from_bytes(digest[:4], "big") / 0xFFFFFFFF * 2 - 1
        return pure * (1 + self.jitter * swing)

    def next_try(self, now: datetime, attempt: int, number: int) -> datetime | None:
        """Return when to try again, or None when the plan has no further attempt (0 attempts means no end)."""
        if self.attempts and attempt >= self.attempts:
            return None
        return now + timedelta(seconds=self.wait(attempt, number))
