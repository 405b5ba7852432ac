"""Visiting: the visitor that each kind of road needs."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.config_roads import Broker, Remote
from gateway.reception import Reception
from gateway.remote_visits import RemoteVisitor, fresh_staging
from gateway.roads import Visitor


class Visiting:
    """Makes the visitors of a home."""

    def __init__(self, reactor: Any, reception: Reception, home: Path, may_take: Callable[[], bool]) -> None:
        """`may_take` says whether the house has room for more."""
        self._reactor = reactor
        self._reception = reception
        self._home = home
        self._may_take = may_take
        self._staging: Path | None = None
        self._numbers = itertools.count(1)

    def visitor(self, sender: str, kind: str, place: Remote | Broker) -> Visitor:
        """Return who visits this place for a sender."""
        if isinstance(place, Remote):
            return self._remote(sender, place)
        raise NotImplementedError(f"{sender}: no visitor for {kind} {place.host} yet")

    def _remote(self, sender: str, place: Remote) -> RemoteVisitor:
        if self._staging is None:
            self._staging = fresh_staging(self._home)
        staging = self._staging / f"{sender}-{next(self._numbers)}"
        staging.mkdir(mode=0o750)
        return RemoteVisitor(self._reactor, self._reception, sender, place, self._home, staging, self._may_take)
