"""Showing: what each authority of the demonstration is told, and what of it came home.

An act plays one authority: what is prepared before the doors open, what is handed in at once, what rests on trades
that customs has released, and how all of it stands.  It is home when everything that was handed in was answered for
good and every answer lies where it belongs.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gateway import dossiers
from gateway.config import House
from spool.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Homecoming:
    """How one authority stands: what was handed in for it, went out and was answered, where that lies, and examples.

    `answers` counts words of theirs about documents of ours, which may have several; `book` is how many documents
    stand in their own book.
    """

    authority: str
    title: str
    partner: str
    door: str
    handed_in: int
    gone: int
    answers: int
    closed: int
    refused: int
    where: tuple[str, ...]
    examples: tuple[str, ...] = ()
    book: int = 0

    @property
    def is_home(self) -> bool:
        """Whether everything that was handed in was answered for good."""
        return self.closed + self.refused >= self.handed_in


class Act(Protocol):
    """One authority of the demonstration beside customs."""

    authority: str
    """Its name; simulators/NAME.toml are the settings of its box."""
    box: str
    """The module of its box."""

    def prepare(self) -> None:
        """The home has what this act needs; the doors are not open yet."""

    def begin(self) -> Iterator[str]:
        """What rests on nothing else is handed in; yield a sentence for each thing done."""

    def go_on(self) -> Iterator[str]:
        """What rests on released trades is handed in; yield a sentence for each thing done."""

    def told(self, ledger: Ledger) -> Homecoming:
        """Return how it stands."""

    def entry(self, line: dict[str, Any]) -> str:
        """Return which document a line of their book is about, "" where it is about none."""

    def end(self) -> None:
        """No process of this act lives."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One document that went out: which, how it stands, how many answers came, what the last or deciding one says."""

    spec: str
    partner: str
    key: str
    state: str
    answers: int
    status: str = ""
    info: str = ""
    file: str = ""

    def __str__(self) -> str:
        return f"{self.spec} {self.key} → {self.status} {self.info}  {self.partner}/out/{self.file}"


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


def billed(ledger: Ledger, house: House, order: str) -> Iterator[str]:
    """Yield a line for each tax bill of a trade: what customs levies, beside what was predicted of it."""
    for trade in dossiers.found(ledger, order, house=house):
        tax = trade["tax"] or {"predicted": None, "bills": ()}
        for bill in tax["bills"]:
            ours, theirs = ((one or {}).get("total", "–") for one in (tax["predicted"], bill["taxes"]))
            yield f"CEB816 {bill['tax_no']} → 税款 levied {theirs}, 预估 predicted {ours}"


def counts(documents: Sequence[Answered]) -> tuple[int, int, int, int]:
    """Return how many went out, the answers to them, and how many are closed and refused with an answer at hand.

    >>> counts([Answered("TAX101", "shop", "1", "closed", 2), Answered("TAX101", "shop", "2", "sent", 0)])
    (2, 2, 1, 0)
    """
    settled = [one.state for one in documents if one.answers]
    answers = sum(one.answers for one in documents)
    return len(documents), answers, settled.count("closed"), settled.count("refused")


def books(home: Path, boxes: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    """Return the own book of each box, line by line; `boxes` maps settings to modules."""
    open_ = {}
    for name, module in boxes.items():
        command = [sys.executable, "-P", "-m", f"adapters.simulators.{module}", "--book", "--json"]
        command += ["--config", str(home / f"simulators/{name}.toml")]
        open_[name] = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    return {name: [json.loads(line) for line in one.communicate()[0].splitlines()] for name, one in open_.items()}
