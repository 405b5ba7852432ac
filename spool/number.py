"""Numbers: our identity of everything, sorted by time.

A number has 18 digits: yymmddhhmmss of China Standard Time and six of a
sequence.  It fits a 64-bit integer, so it is the ledger's own row key.  The
daemon counts from 0, its workers from 500000 each in a range of its own, and
commands that act beside it from 900000: two writers never hand out the same.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

CHINA: Final = ZoneInfo("Asia/Shanghai")
SEQUENCE: Final = 1_000_000
DAEMON_FIRST: Final = 0
DAEMON_WIDTH: Final = 500_000
COMMAND_FIRST: Final = 900_000


def second_of(number: int) -> str:
    """Return the twelve digits that say when the number was given.

    >>> second_of(261121204432000017)
    '261121204432'
    """
    return f"{number // SEQUENCE:012d}"


def came_at(number: int) -> datetime:
    """Return when the number was given, to the second, in China Standard Time.

    A sequence that borrowed may stand in a second that no clock shows.

    >>> came_at(261121204432000017).isoformat(), came_at(261121204460000017).isoformat()
    ('2026-11-21T20:44:32+08:00', '2026-11-21T20:45:00+08:00')
    """
    digits = second_of(number)
    minute = datetime.strptime(digits[:10], "%y%m%d%H%M").replace(tzinfo=CHINA)
    return minute + timedelta(seconds=int(digits[10:]))


def folder_of(number: int) -> str:
    """Return the folder of the store in which a number's evidence lies.

    >>> folder_of(261121204432000017)
    '2026/11/21/2044'
    """
    when = second_of(number)
    return f"20{when[:2]}/{when[2:4]}/{when[4:6]}/{when[6:10]}"


def parse(text: str) -> tuple[int, int | None]:
    """Return number and ordinal of a written number; raise ValueError for anything else.

    >>> parse("261121204432000017.3"), parse("261121204432000017")
    ((261121204432000017, 3), (261121204432000017, None))
    """
    head, _, tail = text.partition(".")
    if len(head) != 18 or not head.isascii() or not head.isdigit():
        raise ValueError(text)
    if not tail:
        return int(head), None
    if len(tail) > 9 or not tail.isascii() or not tail.isdigit():
        raise ValueError(text)
    return int(head), int(tail)


class Numbers:
    """Ranges of fresh numbers, each greater than all before, whatever the clock does."""

    def __init__(
        self, now: Callable[[], datetime], *, after: int = 0, first: int = DAEMON_FIRST, width: int = DAEMON_WIDTH
    ) -> None:
        """Of each second the sequence from `first` on, `width` long, is ours; who writes beside us has another."""
        self._now = now
        self._last = after
        self._first = first
        self._width = width

    def take(self, count: int) -> range:
        """Return the next `count` numbers in a row.

        A clock that stands or goes back continues the last sequence; a sequence
        that is used up borrows from the next second.
        """
        start = self.following
        if start % SEQUENCE + count > self._first + self._width:
            start = (start // SEQUENCE + 1) * SEQUENCE + self._first
        self._last = start + count - 1
        return range(start, start + count)

    def go_on_after(self, number: int) -> None:
        """Every number given from now on is greater than this one."""
        self._last = max(self._last, number)

    @property
    def following(self) -> int:
        """The number that would be given next."""
        second = int(self._now().astimezone(CHINA).strftime("%y%m%d%H%M%S"))
        number = max(second * SEQUENCE + self._first, self._last + 1)
        # A last number of another's sequence must not lead into it: two writers would hand out the same numbers.
        if number % SEQUENCE < self._first:
            return number // SEQUENCE * SEQUENCE + self._first
        if number % SEQUENCE >= self._first + self._width:
            return (number // SEQUENCE + 1) * SEQUENCE + self._first
        return number
