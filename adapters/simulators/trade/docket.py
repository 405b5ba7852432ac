"""The docket of one transaction: what customs says because of what it has just been told, and when.

Whatever is said here is planned with everything that follows from it, so a
crash loses nothing: the answers wait in the book for their time.  What is said
of documents of one message at one step leaves as one answer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.simulators.behaviours import Behaviours
from adapters.simulators.law import ACCEPTED, TAKEN_IN
from adapters.simulators.receipts import Planned, guid_of
from adapters.simulators.settings import Settings
from adapters.simulators.trade.papers import INVENTORIES, Paper, written

DELAY = 0.2
_Place = tuple[int, int, str]  # message, step, code of the answer where it is not the receipt of the declaration


@dataclass(slots=True)
class _Answer:
    moment: int
    status: str
    about: dict[int, dict[str, Any]] = field(default_factory=dict)
    entries: list[list[Any]] = field(default_factory=list)


class Docket:
    """What is said in one transaction that began at `at` (ms)."""

    def __init__(self, at: int, settings: Settings, asked: Behaviours) -> None:
        self.at, self._settings, self.asked = at, settings, asked
        self._answers: dict[_Place, _Answer] = {}
        self._steps: dict[int, int] = {}
        self._new: dict[int, str] = {}
        self.withdrawn: list[Paper] = []

    def open(self, message: int, sha256: str, papers: Sequence[Paper]) -> None:
        """A message has come: its documents are accepted, which is the first thing said of them."""
        self._new[message] = sha256
        first = _Answer(self.at + self._delay(ACCEPTED), ACCEPTED)
        self._answers[message, 0, ""] = first
        for paper in papers:
            first.entries.append(entry := [first.moment, ACCEPTED])
            paper.said = [entry]

    def remark(self, paper: Paper, values: dict[str, str]) -> None:
        """The acceptance of a document says this too."""
        self._answers[paper.message, 0, ""].about.setdefault(paper.ordinal, {}).update(values)

    def say(self, paper: Paper, status: str, *, after: int = 0, code: str = "", **values: Any) -> int:
        """The next thing said of a document; return when.  `code` names a message of customs' own, such as CEB816."""
        if self.is_silent(paper):
            return 0
        if status == TAKEN_IN and self.asked.unknown_code and not code:
            self._put(paper, self.asked.unknown_code, after, "", {})
        return self._put(paper, status, after, code, values)

    def is_silent(self, paper: Paper) -> bool:
        """Whether customs was asked to say nothing more of this inventory."""
        end = self.asked.silent_after
        if not end or paper.spec not in INVENTORIES:
            return False
        return end in paper.more.get("made", ()) or any(status == end for _, status in paper.said)

    def latest(self, *papers: Paper) -> int:
        """Return when the last of what is said of these so far is said."""
        return max(int(entry[0]) for paper in papers for entry in paper.said[-1:])

    def withdraw(self, paper: Paper) -> None:
        """What was to be said of a document after this moment is not said."""
        paper.said = [entry for entry in paper.said if entry[0] <= self.at or entry[1] == ACCEPTED]
        if "spoken" in paper.more:
            paper.more["spoken"] = min(paper.more["spoken"], self.at)
        for (message, step, _), answer in self._answers.items():
            if message == paper.message and step and answer.moment > self.at:
                answer.about.pop(paper.ordinal, None)
        self.withdrawn.append(paper)

    def planned(self) -> Iterator[tuple[int, Planned]]:
        """Give every answer with the number of its message, as it is to be booked."""
        answers = {place: one for place, one in sorted(self._answers.items()) if one.about or not place[1]}
        reached: dict[tuple[int, int], int] = {}
        for (message, step, _), answer in answers.items():
            # Of no document may a later step be told with an earlier time.
            answer.moment = max(answer.moment, reached.get((message, step - 1), 0) + 1)
            reached[message, step] = max(answer.moment, reached.get((message, step), 0))
            for entry in answer.entries:
                entry[0] = answer.moment
        moments = [one.moment for one in answers.values()]
        last_of: dict[int, int] = {}
        for (message, _, _), one in answers.items():
            last_of[message] = max(last_of.get(message, 0), one.moment)
        for (message, step, code), one in answers.items():
            due, turn = one.moment, step
            if self.asked.backwards:
                due, turn = last_of[message], -step
            if self.asked.reversed:
                due, turn = min(moments) + max(moments) - one.moment, -step
            yield from self._copies(message, step, turn, code, one, due)

    def _copies(self, message: int, step: int, turn: int, code: str, one: _Answer, due: int) -> Iterator[Any]:
        # What follows of a message told earlier is a chain of its own, and waits for the acceptance only.
        chain = 0 if message in self._new else self.at
        if step:
            guid = guid_of(self._settings.seed, message, chain, step, code)
        else:
            guid = guid_of(self._settings.seed, self._new[message], "taken", 0)
        about = written(one.about) if one.about else ""
        due += int(1000 * self.asked.late)
        for copy in range(self.asked.copies):
            yield message, Planned(step, turn, one.status, guid, one.moment, copy, due, chain, code, about)

    def _put(self, paper: Paper, status: str, after: int, code: str, values: dict[str, Any]) -> int:
        step = self._steps[id(paper)] = self._steps.get(id(paper), 0) + 1
        spoken = paper.more.get("spoken", 0)
        base = max(self.at, after, spoken, *(entry[0] for entry in paper.said[-1:]))
        moment = base + self._delay(code[3:] or status)
        answer = self._answers.setdefault((paper.message, step, code), _Answer(moment, status))
        answer.moment = max(answer.moment, moment)
        if paper.invt and not code and (paper.spec == "CEB603" or status != "100"):
            values = {"invtNo": paper.invt} | values
        answer.about[paper.ordinal] = {"returnStatus": status, **values}
        if code:
            paper.more["spoken"] = moment
            paper.more.setdefault("made", []).append(code[3:])
        else:
            answer.entries.append(entry := [moment, status])
            paper.said.append(entry)
        return answer.moment

    def _delay(self, status: str) -> int:
        return max(1, int(1000 * self._settings.delays.get(status, DELAY)))
