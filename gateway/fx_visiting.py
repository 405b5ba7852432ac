"""Visiting an exchange office: its folder of feedback is looked into, and what is whole goes to the reception."""

from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThread

from adapters.doors.batches import BatchDoor, Found, Look
from gateway.config_authorities import Authority
from gateway.logs import log
from gateway.reception import Reception, Waiting
from spool.interchange import BATCH

_EVERY_SECONDS: Final = 0.5


class FeedbackVisitor:
    """Looks into the feedback folder of one authority."""

    def __init__(self, reactor: Any, reception: Reception, home: Path, authority: Authority) -> None:
        """Nothing is looked at before `start`."""
        self._name = authority.name
        self._reception = reception
        self._door = BatchDoor(home / authority.answers.folder, beside(home, authority))
        self._looking = LoopingCall(self._look)
        self._looking.clock = reactor
        self._under_way: Deferred[Any] | None = None
        self._told: dict[str, str] = {}

    def start(self) -> None:
        """The folder is looked into from now on."""
        self._looking.start(_EVERY_SECONDS, now=True)

    def stop(self) -> "Deferred[Any]":
        """It is looked into no more; fires when no look is under way."""
        if self._looking.running:
            self._looking.stop()
        return self._under_way or succeed(None)

    def _look(self) -> "Deferred[Any]":
        self._under_way = deferToThread(self._door.look)
        self._under_way.addCallbacks(self._looked, self._failed)
        self._under_way.addBoth(self._rested)
        return self._under_way

    def _rested(self, _: object) -> None:
        self._under_way = None

    def _looked(self, seen: Look) -> None:
        for found in seen.files:
            taken = lambda found=found: self._door.taken(found)  # noqa: E731  a callback
            self._reception.hand_in(Waiting(self._name, BATCH, found.file, str(found.path), claimed=taken), found.size)
        for found in seen.refused:
            self._refuse(found)
        for batch, reason in seen.waits.items():
            if self._told.get(batch) != reason:
                log.warning("feedback.waits", authority=self._name, batch=batch, reason=reason)
        self._told = seen.waits

    def _refuse(self, found: Found) -> None:
        body = found.path.read_bytes()
        log.error("feedback.refused", authority=self._name, batch=found.batch)
        once = f"{found.file} {found.path.stat().st_mtime_ns}"
        done = self._reception.receive(self._name, BATCH, found.file, body, once)
        done.addCallbacks(lambda _: self._door.set_aside(found), lambda _: self._door.give_up(found))
        done.addErrback(self._failed)

    def _failed(self, failure: Any) -> None:
        log.error("feedback.look_failed", authority=self._name, trouble=failure.getTraceback())


def beside(home: Path, authority: Authority) -> Path:
    """Return where batches lie that were taken, read or refused."""
    return home / "spool" / "authorities" / authority.name
