"""Visiting: the visitor that each kind of road needs."""

from pathlib import Path
from typing import Any

from gateway.config_authorities import Authority
from gateway.config_roads import Broker, Remote
from gateway.fx_visiting import FeedbackVisitor
from gateway.reception import Reception
from gateway.roads import Visitor


class Visiting:
    """Makes the visitors of a home."""

    def __init__(self, reactor: Any, reception: Reception, home: Path) -> None:
        self._reactor = reactor
        self._reception = reception
        self._home = home

    def visitor(self, sender: str, kind: str, place: Remote | Broker | Authority) -> Visitor:
        """Return who visits this place for a sender."""
        if isinstance(place, Authority):
            return FeedbackVisitor(self._reactor, self._reception, self._home, place)
        raise NotImplementedError(f"{sender}: no visitor for {kind} {place.host} yet")
