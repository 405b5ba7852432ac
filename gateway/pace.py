"""The pace: how many messages may leave now, where an authority takes only so many a minute.

In any 60 seconds leave at most as many as agreed, and of these never more than
the sixtieth part at once, so that they come as a stream and not as a heap.
What was spent is a short list that the ledger keeps, so a restart gives nothing away.
"""

from collections.abc import Sequence
from math import ceil
from typing import Final

Spent = tuple[tuple[float, int], ...]
"""When how many left, the oldest first, in seconds since 1970."""
_MINUTE: Final = 60.0
_AT_ONCE: Final = 0.9
"""A little less than the second in which the house looks again."""


def allowance(spent: Sequence[tuple[float, int]], now: float, a_minute: int) -> int:
    """Return how many may leave now.

    >>> allowance((), 1000.0, 120), allowance(((1000.0, 2),), 1000.5, 120), allowance(((1000.0, 2),), 1001.0, 120)
    (2, 0, 2)
    >>> allowance(tuple((1000.0 + n, 1) for n in range(30)), 1031.0, 30)
    0
    """
    lately = sum(count for at, count in spent if abs(now - at) < _MINUTE)
    just = sum(count for at, count in spent if abs(now - at) < _AT_ONCE)
    return max(0, min(a_minute - lately, ceil(a_minute / 60) - just))


def spend(spent: Sequence[tuple[float, int]], now: float, count: int) -> Spent:
    """Return the list with these too, and without what is older than a minute."""
    kept = tuple((at, n) for at, n in spent if abs(now - at) < _MINUTE)
    return (*kept, (now, count)) if count else kept


def next_at(spent: Sequence[tuple[float, int]], now: float, a_minute: int) -> float:
    """Return the earliest moment at which something may leave again.

    >>> next_at(((1000.0, 1), (1030.0, 29)), 1031.0, 30)
    1060.001
    """
    moments = sorted(
        {round(at + span + 0.001, 3) for at, _ in spent for span in (_AT_ONCE, _MINUTE) if at + span > now}
    )
    return next((moment for moment in moments if allowance(spent, moment, a_minute)), now)
