"""The other side of a story: customs in a box at the world's own clock, told and answering through the exchange's form.

Its counter, its law and its book are the real ones; only its two rounds are turned by hand.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from adapters.simulators import reading, trade_reading
from adapters.simulators.behaviours import behaviours
from adapters.simulators.book import Book
from adapters.simulators.counter import Arrival, Counter
from adapters.simulators.judging import TAKEN, judge
from adapters.simulators.receipts import make
from adapters.simulators.settings import load

_STEPS = ("2", "120", "300", "399", "500", "501", "502", "503", "599", "600", "700", "800", "899", "816", "818", "792")


class Customs:
    """One customs with its book; every step of an answer comes a second after the one before."""

    def __init__(self, home: Path) -> None:
        told = load(home / "simulators/customs.toml")
        self._settings = replace(told, seed="7", delays=dict.fromkeys(_STEPS, 1.0))
        self._book = Book(told.state)
        self._told = 0
        self.behave()

    def behave(self, *asked: str) -> None:
        """From now on it behaves like this; what is under way goes on as it was planned."""
        self._counter = Counter(self._book, self._settings, behaviours(asked), ThreadPoolExecutor(1))

    def hear(self, envelopes: list[bytes], at: datetime) -> None:
        """These have arrived one after the other, each taken in by itself; what is not taken breaks the story."""
        enterprises = self._settings.enterprises
        told = [judge(one, self._settings, enterprises, at, trades=True) for one in envelopes]
        assert [one.standing for one in told] == [TAKEN] * len(told), [one.reason for one in told]
        for body, one in zip(envelopes, told, strict=True):
            self._told += 1
            self._counter.write([Arrival(body, "folder", str(self._told))], [one], _milliseconds(at) + self._told % 500)

    def say(self, at: datetime) -> list[tuple[str, bytes]]:
        """What it has to say by this moment, in its order: of each answer its kind and its bytes."""
        said = []
        while due := self._book.due(_milliseconds(at), 100):
            for one in due:
                answer = make(one, self._book.booked(one.message), self._settings)
                said.append((answer.name.partition("_")[0], answer.body))
            self._book.sent(due, _milliseconds(at))
        return said

    def documents(self) -> list[dict[str, Any]]:
        """Its book, a line a document."""
        return list(reading.lines(self._settings.state))

    def trades(self, at: datetime) -> list[dict[str, Any]]:
        """Its book of trades, as `--book --trades` prints it at this moment."""
        return list(trade_reading.lines(self._settings.state, _milliseconds(at)))

    def close(self) -> None:
        """Its book is shut."""
        self._book.close()


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
