"""Showing: what each authority of the demonstration is told, and what of it came home.

An act plays one authority: what is prepared before the doors open, what is handed in at once, what rests on trades
that customs has released, and how all of it stands.  An act is home when everything it handed in was answered for
good and every answer lies where it belongs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from spool.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Homecoming:
    """How one authority stands: what was handed in for it, went out and was answered, where that lies, and one example.

    `answers` counts documents of theirs, of which one of ours may have several.
    """

    authority: str
    title: str
    handed_in: int
    gone: int
    answers: int
    closed: int
    refused: int
    where: str
    example: tuple[str, ...] = ()

    @property
    def is_home(self) -> bool:
        """Whether everything that was handed in went out and was answered for good."""
        return self.gone >= self.handed_in and self.closed + self.refused >= self.handed_in


class Act(Protocol):
    """One authority of the demonstration."""

    def prepare(self) -> None:
        """The home has what this act needs; the doors are not open yet."""

    def begin(self) -> Iterator[str]:
        """What rests on nothing else is handed in; yield a sentence for each thing done."""

    def go_on(self) -> Iterator[str]:
        """What rests on released trades is handed in; yield a sentence for each thing done."""

    def told(self, ledger: Ledger) -> Homecoming:
        """Return how it stands."""

    def end(self) -> None:
        """No process of this act lives."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One document that went out: which, how it stands, how many answers came and what the last one says and where."""

    spec: str
    partner: str
    key: str
    state: str
    answers: int
    status: str = ""
    info: str = ""
    file: str = ""


def answered(ledger: Ledger, home: Path, authority: str) -> list[Answered]:
    """Return every document that went out to an authority; answers count only where their file lies in `out/`."""
    found = []
    for row in ledger.all("declared_to", authority):
        last = ledger.one("receipt_numbered", row["last"]) if row["last"] is not None else None
        facts = (row["spec"], row["partner"], row["key"], row["state"])
        if last is None or not (home / "spool/partners" / last["partner"] / "out" / last["file"]).is_file():
            found.append(Answered(*facts, 0))
        else:
            found.append(Answered(*facts, row["answers"], last["status"], last["info"], last["file"]))
    return found


def homecoming(
    authority: str, title: str, handed_in: int, documents: list[Answered], where: str, example: tuple[str, ...]
) -> Homecoming:
    """Return how an authority stands by its documents: settled are those whose answer lies where it belongs."""
    settled = [one.state for one in documents if one.answers]
    return Homecoming(
        authority, title, handed_in, len(documents), sum(one.answers for one in documents),
        settled.count("closed"), settled.count("refused"), where, example,
    )  # fmt: skip
