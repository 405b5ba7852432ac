"""Desks: pure decisions about a case.  A journey names them in order.

A desk is a module here with `needs` and `decide`.  It opens no file, reads no
clock and sends nothing; what it must know of the past are papers of the same
trade and records, which the clerk fetches for it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from hashlib import blake2b
from importlib import import_module
from typing import NamedTuple, Protocol, cast
from zoneinfo import ZoneInfo

from gateway.case import Case, Outcome
from gateway.config_shapes import Kouan
from gateway.draws import Arrangements
from message_specs.exchange import Tables
from message_specs.findings import Severity
from message_specs.trade.life import Life, Said, life_of
from message_specs.trade.marking import mark_of
from message_specs.trade.papers import Paper, side_of
from message_specs.trade.rates import Rates
from spool.states import State

_CHINA = ZoneInfo("Asia/Shanghai")
_DECLARED = (State.READY, State.SENT, State.CLOSED)


def hidden_key(secret: bytes, kind: str, *words: str) -> str:
    """Return the key of a record about a person: without the home's secret nobody can tell or try whom it means.

    >>> hidden_key(b"s", "identity", "苏知夏", "330199195102020018")
    'identity|231214db3d7f8ffae2fa03cd55da2811'
    """
    joined = "\0".join((kind, *words)).encode()
    return f"{kind}|{blake2b(joined, key=secret[:64], digest_size=16).hexdigest()}"


def voiding_mark(order: int) -> int:
    """Return by what the cancels of an order's inventory are found, however many documents name that order."""
    return mark_of("voiding", str(order))


def released_key(number: int, ordinal: int) -> str:
    """Return the key under which stands for which codes an operator has released a held document."""
    return f"released|{number}.{ordinal}"


class Needs(NamedTuple):
    """What a desk must know: the papers that share one of these marks, and the records under these keys.

    `lives`: also what customs has said of the inventories and cancels among the papers.
    `paid`: also the payments that orders among the papers name.
    `beside`: also every version of the orders that share a payment with those.
    `then`: further marks that only the papers tell, looked up once more.
    `keys`: further records that only all this tells, and the papers that their values name.
    `names`: further papers, by the names that all these records tell.
    """

    marks: tuple[int, ...] = ()
    values: tuple[str, ...] = ()
    lives: bool = False
    paid: bool = False
    beside: bool = False
    then: Callable[[Sequence[Paper]], Iterable[int]] | None = None
    keys: Callable[["Records"], Iterable[str]] | None = None
    names: Callable[["Records"], Iterable[str]] | None = None


@dataclass(slots=True)
class Records:
    """What the desks of a batch may know beside their cases: the time, the configuration, and what was fetched.

    `needs` gets one with nothing fetched.
    """

    now: datetime
    secret: bytes = b""
    """The home's own secret, for hashes that nobody outside can make."""
    kouan: Kouan = field(default_factory=Kouan)
    rates: Rates = field(default_factory=Rates)
    draws: Arrangements = field(default_factory=Arrangements)
    codes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Under which codes each partner is registered."""
    exchange: Tables = field(default_factory=Tables)
    tax: Mapping[str, tuple[Mapping[str, str], ...]] = field(default_factory=dict)
    """The tax tables that hold in this home (message_specs.tax.laws)."""
    by_mark: dict[int, list[Paper]] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    said: dict[tuple[int, int], list[Said]] = field(default_factory=dict)
    named: dict[str, Paper] = field(default_factory=dict)
    """The papers that records name, by their names."""
    found: dict[tuple[int, ...], tuple[Paper, ...]] = field(default_factory=dict)
    """What `papers` has answered; whoever adds to `by_mark` empties it."""
    today: date = field(init=False)
    """The day by the clocks of Chinese customs."""

    def __post_init__(self) -> None:
        """The day is that of the time."""
        self.today = self.now.astimezone(_CHINA).date()

    def papers(self, marks: Iterable[int]) -> tuple[Paper, ...]:
        """Return every paper with one of these marks, each once, in the order of their numbers."""
        marks = tuple(marks)
        known = self.found.get(marks)
        if known is None:
            known = self.found[marks] = self._papers(marks)
        return known

    def _papers(self, marks: tuple[int, ...]) -> tuple[Paper, ...]:
        found: dict[tuple[int, int], Paper] = {}
        for mark in marks:
            for one in self.by_mark.get(mark, ()):
                found[(one.number, one.ordinal)] = one
        return tuple([found[place] for place in sorted(found)]) if len(found) > 1 else tuple(found.values())

    def life(self, papers: Iterable[Paper]) -> Life:
        """Return all that customs has said of these inventories and cancels.

        What was said of a version that was refused counts only while no other is declared.
        """
        ones = list(papers)
        alive = any(one.kind == "inventory" and one.state in _DECLARED for one in ones)
        told = [
            (one, said)
            for one in ones
            if not (alive and one.kind == "inventory" and one.state == State.REFUSED)
            for said in self.said.get((one.number, one.ordinal), ())
        ]
        return life_of(side_of(told[0][0].spec) if told else "import", [said for _, said in told])

    def invt_no(self, paper: Paper) -> str:
        """Return the number that customs gave an inventory of which it has said something, "" where it gave none."""
        told = self.said.get((paper.number, paper.ordinal), ())
        return next((one.invt_no for one in told if one.invt_no), paper.head.get("invtNo", "").strip())

    def paper(self, marks: tuple[int, ...], number: int, ordinal: int) -> Paper | None:
        """Return the paper of this document, if it has one of these marks."""
        for one in self.papers(marks):
            if one.number == number and one.ordinal == ordinal:
                return one
        return None

    def value(self, key: str) -> str | None:
        """Return what a desk keeps under this key; what desks of the same batch decided before stands already."""
        return self.values.get(key)

    def keep(self, keeps: Mapping[str, str | None]) -> None:
        """The next desk sees these values."""
        for key, value in keeps.items():
            self.values[key] = value or ""

    def severity(self, code: str) -> Severity | None:
        """Return the severity that the operator gave this finding; None where it has its own."""
        told = self.kouan.severity.get(code)
        return Severity(told) if told else None


class Desk(Protocol):
    """What a module of this package offers."""

    def needs(self, case: Case, records: Records) -> Needs:
        """Return without which papers and records this case cannot be decided."""

    def decide(self, case: Case, records: Records) -> Outcome:
        """Return the whole answer: the state that follows, and the reasons."""


@cache
def desk(name: str) -> Desk:
    """Return the desk of this name; ModuleNotFoundError when there is none."""
    return cast("Desk", import_module(f"{__name__}.{name}"))


def cancels_of(records: Records, listed: Paper, papers: Iterable[Paper]) -> list[Paper]:
    """Return the cancels of this list alone: another list of its order may have been cancelled before it came."""
    number = records.invt_no(listed)
    return [one for one in papers if number and one.kind == "cancel" and one.head.get("invtNo", "").strip() == number]
