"""The lookout: folders are looked into in a thread, and what is whole goes to the reception.

Whatever goes wrong in one look is logged, and the next look comes.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool

from adapters.doors.folder import FolderDoor, Found, Law
from adapters.doors.watching import Watcher
from gateway.config import Kouan
from gateway.logs import log
from gateway.reception import Reception, Waiting

_RESTING = 1000
"""With so many files waiting the watcher rests."""


class Lookout:
    """The folder door and the watcher of a home."""

    def __init__(
        self, reactor: Any, pool: Any, kouan: Kouan, reception: Reception, may_look: Callable[[], bool]
    ) -> None:
        """`may_look` says whether there is room for what would be found."""
        self._reactor = reactor
        self._pool = pool
        self._settings = kouan.folder
        self._most = kouan.workers.group_files * 2
        self._reception = reception
        self._may_look = may_look
        law = Law(self._settings.looks, self._settings.look_seconds, self._settings.unfinished_seconds)
        self._door = FolderDoor(law, self._troubled)
        self._troubles: dict[str, str] = {}
        self._watcher = Watcher(self._heard)
        self._looking = LoopingCall(self._look)
        self._busy = False

    def arrange(self, folders: Mapping[str, str]) -> None:
        """These senders' folders are looked into, and no others."""
        for sender in set(self._door.inboxes) - set(folders):
            self._door.leave(sender)
        for sender, folder in folders.items():
            self._door.watch(sender, folder)
        self._watch()

    def leave_alone(self, sender: str, name: str) -> Callable[[], None]:
        """The scan passes over a file that another door brings; return what ends that."""
        if (inbox := self._door.inboxes.get(sender)) is not None:
            inbox.given.add(name)
        return lambda: self._door.taken(sender, name)

    def start(self) -> None:
        """The first look is under way, the others follow."""
        self._looking.clock = self._reactor
        self._looking.start(self._settings.scan_seconds, now=True)

    def stop(self) -> None:
        """Nobody looks any more."""
        self._may_look = lambda: False
        if self._looking.running:
            self._looking.stop()
        self._watcher.rest()

    def _watch(self) -> None:
        if self._settings.watch and self._may_look():
            self._watcher.listen([inbox.folder for inbox in self._door.inboxes.values()])

    def _heard(self) -> None:
        """In watchdog's thread."""
        self._reactor.callFromThread(self._look)

    def _look(self) -> None:
        """While enough waits nobody looks."""
        if self._busy or not self._may_look() or len(self._reception) > self._most:
            return
        self._busy = True
        done = deferToThreadPool(self._reactor, self._pool, self._door.look, time.monotonic(), self._most)
        done.addBoth(self._rested).addCallback(self._looked).addErrback(self._failed)

    def _rested(self, result: Any) -> Any:
        self._busy = False
        return result

    def _looked(self, found: list[Found]) -> None:
        for one in found:
            taken = lambda one=one: self._door.taken(one.sender, one.file)  # noqa: E731  a callback
            self._reception.hand_in(Waiting(one.sender, "folder", one.file, path=one.path, claimed=taken), one.size)
        if len(found) > _RESTING and self._watcher.awake:
            self._watcher.rest()
        elif not found and not self._watcher.awake:
            self._watch()

    def _failed(self, failure: Any) -> None:
        log.error("folder.look_failed", trouble=failure.getTraceback())

    def _troubled(self, sender: str, trouble: str) -> None:
        """In the thread of the looks: each new trouble is told once."""
        if self._troubles.get(sender) != trouble:
            self._troubles[sender] = trouble
            log.error("folder.look_failed", sender=sender, trouble=trouble)
