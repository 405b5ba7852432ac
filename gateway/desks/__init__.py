"""Desks: pure decisions about a case.  A journey names them in order.

A desk is a module here with `needs` and `decide`.  It opens no file, reads no
clock and sends nothing; what it must know of the past are records, which the
clerk fetches for it.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Protocol, cast

from gateway.case import Case, Outcome

Records = Mapping[str, str]


class Desk(Protocol):
    """What a module of this package offers."""

    def needs(self, case: Case) -> tuple[str, ...]:
        """Return the keys of the records without which this case cannot be decided."""

    def decide(self, case: Case, records: Records) -> Outcome:
        """Return the whole answer: the state that follows, and the reasons."""


@cache
def desk(name: str) -> Desk:
    """Return the desk of this name; ModuleNotFoundError when there is none."""
    return cast("Desk", import_module(f"{__name__}.{name}"))
