"""Roads: what we fetch from other houses ourselves, one visitor for each place, beside the doors to which others come.

A visitor takes what lies at its place to the reception and lets go of it there only when the reception says
that it is in the ledger.  Whoever is fetched twice is known by the name under which it is handed in (`once`).
"""

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred, DeferredList

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
        self._visitors: dict[tuple[str, str], tuple[object, Visitor]] = {}
        self._open = False

    def arrange(self, house: House) -> None:
        """Every place of the configuration is visited, and no other; one that stays as it was goes on."""
        wanted = {(sender, kind): place for sender, kind, place in places(house)}
        for name, (place, visitor) in list(self._visitors.items()):
            if wanted.get(name) != place:
                del self._visitors[name]
                visitor.stop()
        for name, place in wanted.items():
            if name not in self._visitors:
                visitor = self._make(*name, place)
                self._visitors[name] = (place, visitor)
                if self._open:
                    visitor.start()

    def start(self) -> None:
        """The visits begin."""
        self._open = True
        for _, visitor in self._visitors.values():
            visitor.start()

    def stop(self) -> "Deferred[Any]":
        """No visit is under way."""
        self._open = False
        return DeferredList([visitor.stop() for _, visitor in self._visitors.values()], consumeErrors=True)


def places(house: House) -> list[tuple[str, str, object]]:
    """Return every place that the configuration tells us to visit."""
    found: list[tuple[str, Fetched]] = [(name, one.fetch) for name, one in house.partners.items()]
    found += [(name, one.answers.fetch) for name, one in house.authorities.items()]
    offices = [(one.name, "fx", one) for one in house.authorities.values() if one.dialect == "fx"]
    return offices + [
        (sender, kind, place)
        for sender, fetch in found
        for kind, place in (("sftp", fetch.sftp), ("amqp", fetch.amqp))
        if place is not None
    ]
