"""A round of the tax office in a box: what lies in its inbox is judged and booked, what is due is answered.

A declaration is in the book, synced, before anything is said of it, and its file goes out of the inbox only when all
that is to be said stands in the other folder; so a start after a crash says the same again and nothing else.
"""

import json
import os
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from adapters.simulators.tax_law import APPROVED, DOUBTS, REFUSED, TAKEN, Judged, Law, judge
from message_specs import writing

NAMES = {
    "late": "verdicts come so many seconds later (5)",
    "silent": "nothing is answered; what is due waits in the book for a start without this",
    "doubts": "every declaration has doubts (2) before its verdict",
    "reject-some": "every n-th declaration is refused whatever it says (2)",
    "duplicate": "every verdict comes twice, under two names",
    "out-of-order": "the verdict comes before the word that the declaration was taken in",
    "half": "a verdict stands half written under its aside name for a round before it is finished",
    "nonsense": "each verdict follows a file that is no XML, and one about a declaration that nobody made",
}
_WITH_FIGURE = {"late": "5", "reject-some": "2"}
_INFO = {TAKEN: "税务机关已接收", DOUBTS: "疑点待核实", APPROVED: "审核通过"}


class UnknownBehaviour(ValueError):  # noqa: N818  named for what is true
    """No behaviour has this name, or it cannot take this argument"""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What was asked for, by name with its figure."""

    asked: tuple[tuple[str, int], ...] = ()

    def __contains__(self, name: str) -> bool:
        return any(one == name for one, _ in self.asked)

    def figure(self, name: str) -> int:
        """The figure of a behaviour; 0 where it was not asked for."""
        return next((figure for one, figure in self.asked if one == name), 0)

    def __str__(self) -> str:
        return " ".join(f"{one}={figure}" if figure else one for one, figure in self.asked)


def behaviour(words: Iterable[str]) -> Behaviour:
    """Return what these words ask for.

    >>> str(behaviour(["late", "reject-some=3", "half"]))
    'late=5 reject-some=3 half'
    """
    asked = []
    for word in words:
        name, _, figure = word.partition("=")
        figure = figure or _WITH_FIGURE.get(name, "0")
        if name not in NAMES or not figure.isdigit() or (name not in _WITH_FIGURE and figure != "0"):
            raise UnknownBehaviour(word)
        asked.append((name, int(figure)))
    return Behaviour(tuple(asked))


class Office:
    """The office with its book and its two folders."""

    def __init__(self, state: Path, inbox: Path, answers: Path, law: Law, asked: Behaviour) -> None:
        self._state, self._inbox, self._answers, self._law, self._asked = state, inbox, answers, law, asked
        self._book = state / "book.jsonl"
        self._lines: list[dict[str, Any]] = []
        self._halves: set[Path] = set()
        self._waits: dict[str, float] = {}

    def open(self) -> None:
        """Its folders are there, and it remembers its book."""
        for folder in (self._state / "taken", self._state / "nobody", self._inbox, self._answers):
            folder.mkdir(parents=True, exist_ok=True)
        self._lines = list(self.told())

    def told(self) -> Iterator[dict[str, Any]]:
        """Yield what was told to it, the first first; a line that a crash cut short was never answered."""
        if not self._book.exists():
            return
        for line in self._book.read_text("utf-8").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue

    def look(self, now: float) -> None:
        """Everything in the inbox is judged and booked, and answered where it is time."""
        for path in sorted(self._inbox.glob("*.xml")):
            body = path.read_bytes()
            mark = sha256(body).hexdigest()
            line = next((one for one in self._lines if one["sha256"] == mark), None) or self._judged(body, mark)
            if line is None:
                path.rename(self._state / "nobody" / path.name)
                continue
            since = self._waits.setdefault(mark, now)
            if "silent" not in self._asked and now >= since + self._asked.figure("late") and self._say(line):
                path.rename(self._state / "taken" / path.name)

    def _judged(self, body: bytes, mark: str) -> dict[str, Any] | None:
        approved = {one: tuple(line["key"]) for line in self._lines if line["status"] == APPROVED
                    for one in line["exports"]}  # fmt: skip
        found = judge(body, self._law, {one: (key[0], key[1], key[2]) for one, key in approved.items()})
        if found is None:
            return None
        line = self._verdict(found, mark)
        with self._book.open("a", encoding="utf-8") as book:
            book.write(json.dumps(line, ensure_ascii=False) + "\n")
            book.flush()
            os.fsync(book.fileno())
        self._lines.append(line)
        return line

    def _verdict(self, found: Judged, mark: str) -> dict[str, Any]:
        every = self._asked.figure("reject-some")
        earlier = any(tuple(one["key"]) == found.key and one["spec"] == found.spec and one["status"] == APPROVED
                      for one in self._lines)  # fmt: skip
        troubles = list(found.troubles)
        if earlier:
            troubles.append(f"{'-'.join(found.key)} 已经审核通过，不得重复申报")
        if every and (len(self._lines) + 1) % every == 0:
            troubles.append("抽查不予通过")
        status = REFUSED if troubles else APPROVED
        return {
            "sha256": mark, "spec": found.spec, "key": list(found.key), "status": status,
            "info": "；".join(troubles)[:4000] or _INFO[APPROVED], "exports": list(found.exports),
            "refund": found.refund, "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }  # fmt: skip

    def _say(self, line: dict[str, Any]) -> bool:
        """Everything that is to be said of a declaration stands in the folder; False while a half of it does."""
        stages = [TAKEN, *([DOUBTS] if "doubts" in self._asked else []), line["status"]]
        files = [self._file(line, stage, place) for place, stage in enumerate(stages)]
        if "out-of-order" in self._asked:
            files.reverse()
        if "nonsense" in self._asked:
            nobody = {**line, "key": ["91330100MA2NOBODY1", "200001", "999"], "sha256": "0" * 64}
            files = [(f"nonsense-{line['sha256'][:12]}.xml", b"<not"), self._file(nobody, TAKEN, 0), *files]
        if "duplicate" in self._asked:
            files += [(f"again-{name}", body) for name, body in files]
        stands = [self._put(name, body) for name, body in files]
        return all(stands)

    def _file(self, line: dict[str, Any], stage: str, place: int) -> tuple[str, bytes]:
        at = datetime.fromisoformat(line["at"]) + timedelta(seconds=place)
        mark = f"{line['sha256']}{stage}"
        taxpayer, month, batch = line["key"]
        fields = {
            "guid": str(uuid.uuid5(uuid.NAMESPACE_OID, mark)), "taxpayerNo": taxpayer, "sbny": month, "sbpc": batch,
            "returnStatus": stage, "returnTime": writing.return_time(at),
        }  # fmt: skip
        if line["spec"] == "TAX101" and stage == APPROVED:
            fields["refundTotal"] = line["refund"]
        fields["returnInfo"] = line["info"] if stage == line["status"] else _INFO[stage]
        root, unit = Judged(line["spec"], (taxpayer, month, batch), ()).answer
        body = writing.receipt(root, str(uuid.uuid5(uuid.NAMESPACE_URL, mark)).upper(), [(unit, fields)])
        return f"{line['sha256'][:16]}-{place}-{stage}.xml", body

    def _put(self, name: str, body: bytes) -> bool:
        path, aside = self._answers / name, self._answers / f".{name}.writing"
        if "half" in self._asked and aside not in self._halves:
            aside.write_bytes(body[: len(body) // 2])
            self._halves.add(aside)
            return False
        with aside.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(path)
        return True
