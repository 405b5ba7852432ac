"""Partners take turns: whoever waits gets a place in the next batch, however much another has dropped.

Some partners' documents wait for those of others: an inventory for its order,
payment and waybill.  Judged too early they rest in the ledger and are judged
twice.  So these partners follow: their third file has its turn when everyone's
third file is in the ledger, or when nobody else has anything waiting or in hand.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

Thing = TypeVar("Thing")
ALL_ROUNDS: Final = 2**62
_SLACK: Final = 2
"""So many rounds later a follower has his turn: files that are dropped together may be seen a look apart."""
PATIENCE_SECONDS: Final = 5.0
"""So long a batch in hand makes those who follow wait."""


@dataclass(slots=True)
class Turns(Generic[Thing]):
    """Queues by name, served one thing each in turn.

    >>> turns = Turns()
    >>> for n in range(3): turns.add("big", f"b{n}", 1)
    >>> turns.add("small", "s", 1)
    >>> [thing for thing, _ in turns.take(3, 100)], len(turns)
    (['b0', 's', 'b1'], 1)
    """

    round: int = 0
    """How often a turn has gone round, the one that goes round now among them."""
    _queues: dict[str, deque[tuple[Thing, int, int]]] = field(default_factory=dict)
    _left: deque[str] = field(default_factory=deque)
    """Who still has his turn in this round."""
    _count: int = 0

    def __len__(self) -> int:
        return self._count

    def add(self, name: str, thing: Thing, size: int, after: int = 0) -> None:
        """The thing waits for its turn, and until `take` is told of more rounds than `after`."""
        self._queues.setdefault(name, deque()).append((thing, size, after))
        self._count += 1

    def waiting(self, name: str) -> int:
        """Return how many things of a name wait."""
        return len(self._queues.get(name, ()))

    @property
    def next_round(self) -> int:
        """The round in which the next thing has its turn."""
        return self.round if self._left else self.round + 1

    def take(
        self, most: int, most_bytes: int, rounds: int = ALL_ROUNDS, *, alone: bool = True
    ) -> Iterator[tuple[Thing, int]]:
        """Yield things and their sizes in turn, up to a number and a sum of sizes.

        At least one goes if any may, however big it is, if it goes `alone`.
        """
        taken = total = 0
        while taken < most and self._next(rounds):
            name = self._left[0]
            thing, size, _ = self._queues[name][0]
            if (taken or not alone) and total + size > most_bytes:
                return
            self._left.popleft()
            self._queues[name].popleft()
            if not self._queues[name]:
                del self._queues[name]
            taken += 1
            total += size
            self._count -= 1
            yield thing, size

    def _next(self, rounds: int) -> bool:
        """Tell whether any may go; then it is the first of those who are left in this round."""
        while self._left:
            if self._may_go(self._left[0], rounds):
                return True
            self._left.popleft()
        self._left = deque([name for name in self._queues if self._may_go(name, rounds)])
        self.round += bool(self._left)
        return bool(self._left)

    def _may_go(self, name: str, rounds: int) -> bool:
        queue = self._queues.get(name)
        return bool(queue) and queue[0][2] < rounds  # type: ignore[index]  # bool() has seen to it


@dataclass(slots=True)
class Following(Generic[Thing]):
    """Turns of those who lead and of those who follow them, and the batches in hand."""

    leaders: Turns[Thing] = field(default_factory=Turns)
    followers: Turns[Thing] = field(default_factory=Turns)
    _in_hand: dict[int, tuple[int, float]] = field(default_factory=dict)
    """Of batches that are not yet in the ledger the first round of leaders, and when they were given out."""

    def __len__(self) -> int:
        return len(self.leaders) + len(self.followers)

    def add(self, name: str, thing: Thing, size: int, *, follows: bool = False) -> None:
        """The thing waits for its turn; one that follows, for as many rounds of the others as are before it."""
        if follows:
            after = self.leaders.round + self.followers.waiting(name) + 1 + _SLACK
            self.followers.add(name, thing, size, after)
        else:
            self.leaders.add(name, thing, size)

    def take(self, most: int, most_bytes: int, now: float) -> tuple[list[Thing], int]:
        """Return the next things, and the first round of leaders among them, ALL_ROUNDS without leaders.

        Followers have half of a batch at most, unless nobody else waits.
        """
        lead = len(self.leaders) > 0
        first = self.leaders.next_round if lead else ALL_ROUNDS
        share = (-(-most // 2), most_bytes // 2) if lead else (most, most_bytes)
        # What is in hand for too long holds nobody up; then its followers wait in the ledger.
        rounds = [one for one, at in self._in_hand.values() if at > now - PATIENCE_SECONDS]
        found = list(self.followers.take(*share, min([first, *rounds])))
        room = most_bytes - sum(size for _, size in found)
        found += self.leaders.take(most - len(found), room, alone=not found)
        return [thing for thing, _ in found], first

    def give_out(self, batch: int, first: int, now: float) -> None:
        """The batch is in hand."""
        self._in_hand[batch] = (first, now)

    def settle(self, batch: int) -> None:
        """The batch is in the ledger, or in trouble: nobody waits for it any more."""
        self._in_hand.pop(batch, None)
