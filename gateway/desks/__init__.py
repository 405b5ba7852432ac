"""Desks: pure decisions about a case.  A journey names them in order.

A desk is a module here with `needs` and `decide`.  It opens no file, reads no
clock and sends nothing; what it must know of the past are records, which the
clerk fetches for it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from importlib import import_module
from typing import Protocol, cast
from zoneinfo import ZoneInfo

from gateway.case import Case, Outcome
from gateway.config_shapes import Kouan
from message_specs.findings import Severity
from message_specs.trade.rates import Rates

_CHINA = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Needs:
    """What the clerk must fetch before a case can be decided: the papers of these marks, the values of these keys."""

    marks: tuple[int, ...] = ()
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Records:
    """What a desk may know beside its case: the time, the configuration, and what the clerk fetched for it.

    `needs` gets one with nothing fetched.
    """

    now: datetime
    secret: bytes = b""
    kouan: Kouan = field(default_factory=Kouan)
    rates: Rates = field(default_factory=Rates)
    filed: Mapping[int, tuple[object, ...]] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The day in China: the one that law means."""
        return self.now.astimezone(_CHINA).date()

    def papers(self, marks: Iterable[int]) -> tuple[object, ...]:
        """The papers filed under these marks, each once."""
        found: list[object] = []
        for mark in marks:
            found += [paper for paper in self.filed.get(mark, ()) if paper not in found]
        return tuple(found)

    def value(self, key: str) -> str | None:
        """The record that a desk kept under this key; None when there is none."""
        return self.kept.get(key)

    def severity(self, code: str) -> Severity | None:
        """The severity that the operator gave this finding; None where it has its own."""
        told = self.kouan.severity.get(code)
        return Severity(told) if told else None


class Desk(Protocol):
    """What a module of this package offers."""

    def needs(self, case: Case, records: Records) -> Needs:
        """Return what must be fetched before this case can be decided."""

    def decide(self, case: Case, records: Records) -> Outcome:
        """Return the whole answer: the state that follows, and the reasons."""


@cache
def desk(name: str) -> Desk:
    """Return the desk of this name; ModuleNotFoundError when there is none."""
    return cast("Desk", import_module(f"{__name__}.{name}"))
