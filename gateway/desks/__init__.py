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
from typing import Protocol, cast
from zoneinfo import ZoneInfo

from gateway.case import Case, Outcome
from gateway.config_shapes import Kouan
from gateway.draws import Arrangements
from message_specs.findings import Severity
from message_specs.trade.life import Life, Said, life_of
from message_specs.trade.papers import Paper, mark_of, side_of
from message_specs.trade.rates import Rates

_CHINA = ZoneInfo("Asia/Shanghai")


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


@dataclass(frozen=True, slots=True)
class Needs:
    """What a desk must know: the papers that share one of these marks, and the records under these keys.

    `lives`: also what customs has said of the inventories and cancels among the papers.  `then`: further marks that
    only the papers tell, looked up once more.
    """

    marks: tuple[int, ...] = ()
    values: tuple[str, ...] = ()
    lives: bool = False
    then: Callable[[Sequence[Paper]], Iterable[int]] | None = None


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
    by_mark: dict[int, list[Paper]] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    said: dict[tuple[int, int], list[Said]] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """Return the day by the clocks of Chinese customs."""
        return self.now.astimezone(_CHINA).date()

    def papers(self, marks: Iterable[int]) -> tuple[Paper, ...]:
        """Return every paper with one of these marks, each once, in the order of their numbers."""
        found = {(one.number, one.ordinal): one for mark in marks for one in self.by_mark.get(mark, ())}
        return tuple(found[place] for place in sorted(found))

    def life(self, papers: Iterable[Paper]) -> Life:
        """Return all that customs has said of these inventories and cancels."""
        told = [(one, said) for one in papers for said in self.said.get((one.number, one.ordinal), ())]
        return life_of(side_of(told[0][0].spec) if told else "import", [said for _, said in told])

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
