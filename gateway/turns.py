"""Partners take turns: whoever waits gets a place in the next batch, however much another has dropped."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


@dataclass(slots=True)
class Turns(Generic[Thing]):
    """Queues by name, served one thing each in turn.

    >>> turns = Turns()
    >>> for n in range(3): turns.add("big", f"b{n}", 1)
    >>> turns.add("small", "s", 1)
    >>> list(turns.take(3, 100)), len(turns)
    (['b0', 's', 'b1'], 1)
    """

    _queues: dict[str, deque[tuple[Thing, int]]] = field(default_factory=dict)
    _count: int = 0

    def __len__(self) -> int:
        return self._count

    def add(self, name: str, thing: Thing, size: int) -> None:
        """The thing waits for its turn."""
        self._queues.setdefault(name, deque()).append((thing, size))
        self._count += 1

    def take(self, most: int, most_bytes: int) -> Iterator[Thing]:
        """Yield things in turn, up to a number and a sum of sizes; at least one if any waits."""
        taken = total = 0
        while self._queues and taken < most:
            for name in list(self._queues):
                queue = self._queues.pop(name)
                size = queue[0][1]
                if taken and (taken >= most or total + size > most_bytes):
                    self._queues = {name: queue, **self._queues}
                    return
                thing, _ = queue.popleft()
                if queue:
                    self._queues[name] = queue
                taken += 1
                total += size
                self._count -= 1
                yield thing
