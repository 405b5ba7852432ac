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
from adapters.simulators.book import Book
from adapters.simulators.judging import REFUSED, TAKEN, UNBELIEVED, Told, Unit, judge
from adapters.simulators.law import ACCEPTED, FORMAT, RETURNED, law
from adapters.simulators.receipts import Planned, answered, guid_of, inventory_number
from adapters.simulators.settings import Enterprise, Settings
from adapters.simulators.trade.docket import Docket
from adapters.simulators.trade.office import Office
from adapters.simulators.trade.papers import INVENTORIES, Paper

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
        self._office = Office(book.shelf)

    def take_in(self, arrivals: Sequence[Arrival], enterprises: Mapping[str, Enterprise]) -> list[Told]:
        """Return the opinion of each arrival; all of them are in the book, and what follows from them is planned."""
        at = datetime.now(UTC)
        settings, trades = self._settings, not self._asked.prompt
        told = list(self._workers.map(lambda one: judge(one.data, settings, enterprises, at, trades=trades), arrivals))
        self.write(arrivals, told, int(at.timestamp() * 1000))
        return told

    def write(self, arrivals: Sequence[Arrival], told: Sequence[Told], at: int) -> None:
        """What was told at this moment (ms), and every answer that follows from it, is in the book."""
        book = self._book
        with book.writing():
            docket = Docket(at, self._settings, self._asked)
            come: list[Paper] = []
            for arrival, one in zip(arrivals, told, strict=True):
                come += self._write(one, arrival, docket)
            self._office.consider(come, docket)
            for paper in docket.withdrawn:
                book.withdraw(paper.message, paper.ordinal, docket.at)
            book.plan(docket.planned())

    def _write(self, told: Told, arrival: Arrival, docket: Docket) -> list[Paper]:
        """Write down a message; return the papers that its trades go on with."""
        book, at = self._book, docket.at
        known = book.known(told)
        if known is not None:
            # The same file seen twice is our own crash between book and removal: nobody told us again.
            if known.source != arrival.source:
                book.told_again(known, arrival.source, arrival.channel)
                book.answer_again(known, at)
            return []
        verdicts = self._verdicts(told)
        number = book.add(told, verdicts, arrival.source, arrival.channel, at)
        papers, stand, gone = self._papers(told, verdicts, number, at)
        is_trade = told.standing == TAKEN and all(unit.facts for unit in told.units)
        if is_trade:
            docket.open(number, told.sha256, papers)
        book.shelf.remove(told.spec, gone)
        book.shelf.add(stand)
        if not is_trade:
            book.plan((number, one) for one in self._plan(told, verdicts, at))
            return []
        for paper in papers:
            if paper.invt and paper.app_type != "1":
                docket.remark(paper, {"invtNo": paper.invt})
            if verdicts[paper.ordinal - 1] == RETURNED:
                docket.say(paper, RETURNED)
                self._book.shelf.changed(paper)
        return [paper for paper in papers if not verdicts[paper.ordinal - 1]]

    def _verdicts(self, told: Told) -> list[str]:
        """Say of each document: "" is accepted, 100 is accepted and returned later, a negative code is refused."""
        row = law(told.spec)
        if told.standing == UNBELIEVED:
            return [row.signature] * len(told.units)
        standing = self._book.shelf.standing(told.spec, [unit.key for unit in told.units])
        verdicts = []
        for unit in told.units:
            verdict = self._turned_away(told.spec, unit, standing)
            if not verdict and self._is_returned():
                verdict = RETURNED
            elif not verdict and unit.app_type == "3":
                standing.pop(unit.key, None)
            elif not verdict:
                standing[unit.key] = ACCEPTED
            verdicts.append(verdict)
        return verdicts

    def _turned_away(self, spec: str, unit: Unit, standing: Mapping[str, str]) -> str:
        row, last = law(spec), standing.get(unit.key)
        if (unit.app_type == "1") == (last is not None):
            return row.nothing if last is None else row.again
        if last not in (None, ACCEPTED):
            return row.used
        if unit.facts is None or unit.app_type == "3":
            return ""
        return self._office.refuses(spec, unit)

    def _papers(
        self, told: Told, verdicts: Sequence[str], number: int, at: int
    ) -> tuple[list[Paper], list[Paper], list[str]]:
        """Return every paper that is accepted, those that stand from now on, and the keys where none does."""
        papers: list[Paper] = []
        stand: dict[str, Paper] = {}
        gone: list[str] = []
        for ordinal, (unit, verdict) in enumerate(zip(told.units, verdicts, strict=True), 1):
            if verdict not in ("", RETURNED):
                continue
            head, lines = unit.facts or ({}, ())
            paper = Paper(told.spec, unit.key, number, ordinal, head, lines, app_type=unit.app_type)
            if unit.facts and told.spec in INVENTORIES:
                paper.invt = self._number(paper, at)
            papers.append(paper)
            if not verdict and unit.app_type == "3":
                stand.pop(unit.key, None)
                gone.append(unit.key)
            elif not verdict or (unit.app_type == "1" and unit.facts):
                stand[unit.key] = paper
        return papers, list(stand.values()), gone

    def _number(self, paper: Paper, at: int) -> str:
        if paper.app_type != "1":
            before = self._book.shelf.get(paper.spec, paper.key)
            return paper.head.get("invtNo") or (before.invt if before else "")
        return inventory_number(paper.spec, paper.head.get("customsCode", ""), paper.message, paper.ordinal, at)

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
