"""The counter: what was told is judged, decided against the book and written down, many messages in one transaction.

When `take_in` returns, everything told is on disk, and only then may the
sender hear OK or his file disappear.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate

from adapters.simulators.behaviours import Behaviours
from adapters.simulators.book import Book, Planned
from adapters.simulators.judging import REFUSED, UNBELIEVED, Told, judge
from adapters.simulators.law import ACCEPTED, FORMAT, RETURNED, law
from adapters.simulators.receipts import answered, guid_of
from adapters.simulators.settings import Enterprise, Settings

_DELAY = 0.2


@dataclass(frozen=True, slots=True)
class Arrival:
    """Bytes that arrived: by which channel, and what tells this arrival from another of the same bytes."""

    data: bytes
    channel: str
    source: str


class Counter:
    """Takes messages in; used by one thread."""

    def __init__(self, book: Book, settings: Settings, asked: Behaviours, workers: Executor) -> None:
        self._book, self._settings, self._asked, self._workers = book, settings, asked, workers
        self._accepted = book.documents()

    def take_in(self, arrivals: Sequence[Arrival], enterprises: Mapping[str, Enterprise]) -> list[Told]:
        """Return the opinion of each arrival; all of them are in the book."""
        at = datetime.now(UTC)
        settings = self._settings
        told = list(self._workers.map(lambda one: judge(one.data, settings, enterprises, at), arrivals))
        with self._book.writing():
            for arrival, one in zip(arrivals, told, strict=True):
                self._write(one, arrival, int(at.timestamp() * 1000))
        return told

    def _write(self, told: Told, arrival: Arrival, at: int) -> None:
        book = self._book
        known = book.known(told)
        if known is not None:
            # The same file seen twice is our own crash between book and removal: nobody told us again.
            if known.source != arrival.source:
                book.told_again(known, arrival.source, arrival.channel)
                book.answer_again(known, at)
            return
        verdicts = self._verdicts(told)
        number = book.add(told, verdicts, arrival.source, arrival.channel, at)
        book.plan(number, self._plan(told, verdicts, at))

    def _verdicts(self, told: Told) -> list[str]:
        """Say of each document: "" is accepted, 100 is accepted and returned later, a negative code is refused."""
        row = law(told.spec)
        if told.standing == UNBELIEVED:
            return [row.signature] * len(told.units)
        living = self._book.living(told.spec, [unit.key for unit in told.units])
        come: set[str] = set()
        gone: set[str] = set()
        verdicts = []
        for unit in told.units:
            stands = unit.key in living
            if (unit.app_type == "1") == stands:
                verdicts.append(row.again if stands else row.nothing)
                continue
            returned = self._is_returned()
            verdicts.append(RETURNED if returned else "")
            if not returned and unit.app_type == "1":
                come.add(unit.key)
                gone.discard(unit.key)
                living.add(unit.key)
            elif not returned and unit.app_type == "3":
                gone.add(unit.key)
                come.discard(unit.key)
                living.discard(unit.key)
        self._book.change_living(told.spec, come, gone)
        return verdicts

    def _is_returned(self) -> bool:
        self._accepted += 1
        every = self._asked.reject_every
        return bool(every) and self._accepted % every == 0

    def _plan(self, told: Told, verdicts: Sequence[str], at: int) -> list[Planned]:
        if told.standing == REFUSED:
            statuses: tuple[str, ...] = (FORMAT,)
        else:
            statuses = (ACCEPTED, *self._asked.stages(law(told.spec).stages))
        heard = [
            (stage, status)
            for stage, status in enumerate(statuses)
            if stage == 0 or any(answered(stage, status, verdict) for verdict in verdicts)
        ]
        moments = self._moments(heard, at)
        late = int(1000 * self._asked.late)
        planned = []
        for (stage, status), moment in zip(heard, moments, strict=True):
            # Backwards, all wait for the last stage; the times they give stay true.
            turn, due = (-stage, moments[-1]) if self._asked.backwards else (stage, moment)
            guid = guid_of(self._settings.seed, told.sha256, told.standing, stage)
            planned += [
                Planned(stage, turn, status, guid, moment, copy, due + late) for copy in range(self._asked.copies)
            ]
        return planned

    def _moments(self, heard: Sequence[tuple[int, str]], at: int) -> list[int]:
        """When each stage is reached; a millisecond apart at least, for receivers order receipts by returnTime."""
        steps = (max(1, int(1000 * self._settings.delays.get(status, _DELAY))) for _, status in heard)
        return list(accumulate(steps, initial=at))[1:]
