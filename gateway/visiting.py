"""Visiting: the visitor that each kind of road needs."""

from pathlib import Path
from typing import Any

from gateway.config_roads import Broker, Remote
from gateway.reception import Reception
from gateway.roads import Visitor


class Visiting:
    """Makes the visitors of a home."""

    def __init__(self, reactor: Any, reception: Reception, home: Path) -> None:
        self._reactor = reactor
        self._reception = reception
        self._home = home

    def visitor(self, sender: str, kind: str, place: Remote | Broker) -> Visitor:
        """Return who visits this place for a sender."""
        raise NotImplementedError(f"{sender}: no visitor for {kind} {place.host} yet")
