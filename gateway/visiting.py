"""Visiting: the visitor that each kind of road needs."""

import hashlib
import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from twisted.internet.defer import Deferred, fail
from twisted.internet.threads import deferToThread

from adapters.doors.amqp import AmqpDoor
from adapters.doors.hall import DiskNearlyFull
from gateway.brokers import address_of
from gateway.config_authorities import Authority
from gateway.config_roads import Broker, Remote
from gateway.fx_visiting import FeedbackVisitor
from gateway.logs import log
from gateway.reception import Reception, Waiting
from gateway.remote_visits import RemoteVisitor, fresh_staging
from gateway.roads import Visitor
from spool import aside

_LARGE: Final = 32 * 1024 * 1024
"""A body that is longer waits for its turn on the disk: the reception has no room for two of them in memory."""


class Visiting:
    """Makes the visitors of a home."""

    def __init__(
        self,
        reactor: Any,
        reception: Reception,
        home: Path,
        may_take: Callable[[], bool],
        most_bytes: Callable[[], int],
    ) -> None:
        """`may_take` says whether the house has room for more, `most_bytes` how long the longest file may be."""
        self._reactor = reactor
        self._reception = reception
        self._home = home
        self._may_take = may_take
        self._most_bytes = most_bytes
        self._staging: Path | None = None
        self._numbers = itertools.count(1)

    def visitor(self, sender: str, kind: str, place: Remote | Broker | Authority) -> Visitor:
        """Return who visits this place for a sender."""
        if isinstance(place, Authority):
            return FeedbackVisitor(self._reactor, self._reception, self._home, place)
        if isinstance(place, Broker):
            take_in = partial(self._take_in, sender, kind)
            told = log.bind(sender=sender)
            address = address_of(self._home, place)
            return AmqpDoor(self._reactor, address, place.queue, take_in, told, prefetch=place.prefetch)
        return self._remote(sender, place)

    def _remote(self, sender: str, place: Remote) -> RemoteVisitor:
        if self._staging is None:
            self._staging = fresh_staging(self._home)
        staging = self._staging / f"{sender}-{next(self._numbers)}"
        staging.mkdir(mode=0o750)
        return RemoteVisitor(
            self._reactor, self._reception, sender, place, self._home, staging, self._may_take, self._most_bytes()
        )

    def _take_in(self, sender: str, kind: str, file: str, body: bytes, once: str | None) -> "Deferred[bytes]":
        if not self._may_take():
            return fail(DiskNearlyFull())
        if len(body) <= _LARGE:
            return self._reception.receive(sender, kind, file, body, once)
        # With a key of its own it is promised to whoever brought it, and not found again beside what he brings again.
        once = once or f"{kind} {uuid4()}"
        written = deferToThread(_written, self._home / "spool" / "roads" / sender, body)
        return written.addCallback(lambda path: self._hand_in(sender, kind, file, path, len(body), once))

    def _hand_in(self, sender: str, kind: str, file: str, path: str, size: int, once: str | None) -> "Deferred[bytes]":
        done: Deferred[bytes] = Deferred()
        self._reception.hand_in(Waiting(sender, kind, file, path=path, once=once, done=done), size)
        return done


def _written(folder: Path, body: bytes) -> str:
    """Return where the body lies, in a file of its own; a crash leaves it there until the same bytes come again."""
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    path = str(folder / hashlib.sha256(body).hexdigest())
    aside.write(path, body)
    return path
