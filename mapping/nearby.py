"""Which document a row belongs to: the one of its key that began at most a window of rows above, else another.

The survey and the grouping ask in the same order and are told the same. Memory is that of one window.
"""

from array import array
from collections import deque
from collections.abc import Sequence
from typing import Final

Key = tuple[str, ...]
_PART: Final = 1 << 16
_MASK: Final = (1 << 64) - 1


class Nearby:
    """The documents that began within the window."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._open: dict[Key, int] = {}
        self._begun: deque[tuple[int, Key]] = deque()
        self.count = 0
        """How many documents have begun."""

    def place(self, key: Key, row: int) -> int:
        """Return the place, in the order of first appearance from 0, of the document that the row belongs to."""
        begun = self._begun
        while begun and row - begun[0][0] >= self._window:
            del self._open[begun.popleft()[1]]
        at = self._open.get(key)
        if at is None:
            at = self._open[key] = self.count
            self.count += 1
            begun.append((row, key))
        return at


def mark_of(key: Key) -> int:
    """A number of 64 bits for a key, that of no other one as far as it goes."""
    return hash(key) & _MASK


def recurring(marks: "array[int]") -> frozenset[int]:
    """Return the marks that are there more than once; they are looked through in parts, to save memory.

    >>> recurring(array("Q", [7, 8, 9, 8]))
    frozenset({8})
    """
    parts = len(marks) // _PART + 1
    found: set[int] = set()
    for part in range(parts):
        these = marks if parts == 1 else [mark for mark in marks if mark % parts == part]
        if len(seen := set(these)) < len(these):
            found |= _twice(these, seen)
    return frozenset(found)


def _twice(marks: Sequence[int], unseen: set[int]) -> set[int]:
    found = set()
    for mark in marks:
        if mark in unseen:
            unseen.remove(mark)
        else:
            found.add(mark)
    return found
