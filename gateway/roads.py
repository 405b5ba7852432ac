"""Roads: what we fetch from other houses ourselves, one visitor for each place, beside the doors to which others come.

A visitor takes what lies at its place to the reception and lets go of it there only when the reception says
that it is in the ledger.  Whoever is fetched twice is known by the name under which it is handed in (`once`).
"""

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred, DeferredList

from gateway.brokers import queues
from gateway.config import House
from gateway.config_roads import Fetched


class Visitor(Protocol):
    """One place that is visited for one sender."""

    def start(self) -> None:
        """It is visited from now on."""

    def stop(self) -> "Deferred[Any]":
        """It is visited no more; fires when nothing is under way."""


class Roads:
    """The visitors of a home."""

    def __init__(self, make: Callable[[str, str, Any], Visitor]) -> None:
        """`make` gives a visitor for a sender, the kind of a road, and what the configuration says of it."""
        self._make = make
        self._visitors: dict[tuple[str, str, object], Visitor] = {}
        self._open = False

    def arrange(self, house: House) -> None:
        """Every place of the configuration is visited, and no other; one that stays as it was goes on."""
        wanted = places(house)
        for place in self._visitors.keys() - set(wanted):
            self._visitors.pop(place).stop()
        for place in wanted:
            if place not in self._visitors:
                self._visitors[place] = visitor = self._make(*place)
                if self._open:
                    visitor.start()

    def start(self) -> None:
        """The visits begin."""
        self._open = True
        for visitor in self._visitors.values():
            visitor.start()

    def stop(self) -> "Deferred[Any]":
        """No visit is under way."""
        self._open = False
        return DeferredList([visitor.stop() for visitor in self._visitors.values()], consumeErrors=True)


def places(house: House) -> list[tuple[str, str, object]]:
    """Return every place that the configuration tells us to visit: whose, by which road, where.

    Whoever is suspended is not visited, but answers to what he declared before are.  A queue named after `{dxpId}` is
    one of the partner, or one for each partner.
    """
    serving = [one for one in house.partners.values() if not one.suspended]
    every = tuple(sorted({one.dxp_id for one in house.partners.values()} - {""}))
    found: list[tuple[str, Fetched, tuple[str, ...]]] = [(one.name, one.fetch, (one.dxp_id,)) for one in serving]
    found += [(name, one.answers.fetch, every) for name, one in house.authorities.items()]
    visited: list[tuple[str, str, object]] = [(name, "sftp", one.sftp) for name, one, _ in found if one.sftp]
    visited += [(name, "amqp", queue) for name, one, ids in found if one.amqp for queue in queues(one.amqp, ids)]
    return visited
