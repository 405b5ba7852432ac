"""The hall: the daemon of one home, from the first look at what a crash left to the last door shut.

Order of the start: the ledger is opened, what was left is recovered and let
go, and only then the doors open.  The reactor waits for no disk, no SQLite and
no XML: looking, asking and telling happen in threads, the work in processes.
"""

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from adapters.doors.folder import FolderDoor, Found, Law
from adapters.doors.http import HttpDoor, HttpLimits
from adapters.doors.sftp import sftp_service
from adapters.doors.watching import Watcher
from gateway.children import Children
from gateway.clerk import clerk_at
from gateway.config import House, fingerprint, load_house
from gateway.crew import Crew
from gateway.departures import Departures
from gateway.dispatch import answers_of
from gateway.enquiries import Enquiries, mailbox_root
from gateway.frames import Answer
from gateway.logs import log
from gateway.reception import Reception, Waiting
from gateway.recovering import Left, recover
from gateway.resuming import AT_ONCE
from spool.aside import put
from spool.errors import Told
from spool.ledger import Ledger
from spool.mailbox import Mailbox, fitting
from spool.number import Numbers

_TICK_SECONDS = 1.0
_PATIENCE_SECONDS = 10.0
"""So long an open connection keeps a closing door open."""
_RESTING = 1000
"""With so many files waiting the watcher rests."""


def now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)


class Hall:
    """One home, open."""

    def __init__(self, reactor: Any, house: House) -> None:
        self._reactor = reactor
        self.house = house
        self.home = house.home
        self._print = fingerprint(self.home)
        self._looks = ThreadPool(1, 1, "looks")
        self._books = ThreadPool(1, 1, "books")
        self._asks = ThreadPool(1, 1, "asks")
        self._ledger = Ledger(clerk_at(self.home))
        self._numbers = Numbers(now)
        self.reception = Reception(reactor, house.kouan.workers, self._numbers, self._news)
        asking = Ledger(clerk_at(self.home), read_only=True)
        self.enquiries = Enquiries(reactor, self._asks, asking, lambda: self.house, self.reception)
        folder = house.kouan.folder
        self._door = FolderDoor(Law(folder.looks, folder.look_seconds, folder.unfinished_seconds))
        self._watcher = Watcher(self._heard)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._crew = Crew(reactor, self.home, house.kouan.workers.count, self.reception.feed, environment)
        self.reception.crew = self._crew
        self._departures = Departures(reactor, self._books, self._ledger, self.home, now)
        self._children = Children(reactor, environment)
        self._http: HttpDoor | None = None
        self._sftp: Any = None
        self._looking = LoopingCall(self._look)
        self._ticking = LoopingCall(self._tick)
        self._busy_looking = False
        self._stopping: Deferred[None] | None = None

    @inlineCallbacks
    def open(self):  # type: ignore[no-untyped-def]  # noqa: ANN201  inlineCallbacks types it
        """Every door is open, and one line on stdout says where."""
        for pool in (self._looks, self._books, self._asks):
            pool.start()
        left: Left = yield deferToThreadPool(self._reactor, self._books, recover, self.home, self._ledger)
        self._numbers.go_on_after(left.last_number)
        self._crew.start()
        if left.claims or left.set_aside:
            log.info("hall.recovering", claims=len(left.claims), set_aside=left.set_aside)
        for start in range(0, len(left.claims), self.house.kouan.workers.group_files):
            yield self.reception.recover(list(left.claims[start : start + self.house.kouan.workers.group_files]))
        yield self._crew.do("let_go_again")
        self._arrange()
        yield self._open_doors()
        self.enquiries.open = True
        self._children.start(self.house)
        self._looking.start(self.house.kouan.folder.scan_seconds, now=True)
        self._ticking.start(_TICK_SECONDS, now=False)
        where = {"event": "ready", "http": self._http_at(), "sftp": self._sftp_at()}
        print(json.dumps(where), flush=True)
        log.info("hall.open", http=where["http"], sftp=where["sftp"])

    @inlineCallbacks
    def _open_doors(self):  # type: ignore[no-untyped-def]  # noqa: ANN202  inlineCallbacks types it
        kouan = self.house.kouan
        if kouan.http.listen:
            http = HttpDoor(self.enquiries, HttpLimits(body_bytes=kouan.http.body_bytes))
            self._http_port = yield http.open(kouan.http.listen)
            self._http = http
        if kouan.sftp.listen:
            sftp = sftp_service(
                listen=kouan.sftp.listen,
                host_key=self.home / kouan.sftp.host_key,
                accounts=self.enquiries,
                arrivals=self,
                guard=self.enquiries,
                refusals=self,
                reactor=self._reactor,
                log=log,
                idle_seconds=kouan.sftp.idle_seconds,
            )
            sftp.startListening()
            self._sftp = sftp

    def _http_at(self) -> str | None:
        if self._http is None:
            return None
        host = self._http_port.getHost()
        return f"{host.host}:{host.port}"

    def _sftp_at(self) -> str | None:
        if self._sftp is None:
            return None
        return f"{self.house.kouan.sftp.listen.rpartition(':')[0]}:{self._sftp.port}"

    def _arrange(self) -> None:
        """Mailboxes, watched folders and carriers are those of the configuration."""
        folders: dict[str, str] = {}
        for name in self.house.partners:
            mailbox = Mailbox(mailbox_root(self.home, name))
            mailbox.make()
            folders[name] = str(mailbox.incoming)
        for name, authority in self.house.authorities.items():
            answers = answers_of(self.home, authority)
            if answers is not None:
                answers.mkdir(mode=0o750, parents=True, exist_ok=True)
                folders[name] = str(answers)
        for sender in set(self._door.inboxes) - set(folders):
            self._door.leave(sender)
        for sender, folder in folders.items():
            self._door.watch(sender, folder)
        self._departures.arrange(self.house)
        self._watch()

    def _watch(self) -> None:
        if self.house.kouan.folder.watch and self._stopping is None:
            self._watcher.listen([inbox.folder for inbox in self._door.inboxes.values()])

    def _heard(self) -> None:
        """In watchdog's thread."""
        self._reactor.callFromThread(self._look)

    def arrived(self, partner: str, name: str) -> None:
        """The SFTP door has delivered a whole file."""
        if (inbox := self._door.inboxes.get(partner)) is not None:
            inbox.given.add(name)
        path = f"{mailbox_root(self.home, partner)}/in/{name}"
        try:
            size = os.stat(path).st_size
        except OSError:
            size = 0
        taken = lambda: self._door.taken(partner, name)  # noqa: E731  a callback
        self.reception.hand_in(Waiting(partner, "sftp", name, path=path, claimed=taken), size)

    def refused(self, partner: str, name: str, reason: str) -> None:
        """The SFTP door has refused an upload; the reason lies in refused/, since clients rarely show it."""
        folder = mailbox_root(self.home, partner) / "refused"
        text = f"文件 File: {name}\n{reason}\n".encode()
        path = folder / f"{fitting(name.replace('/', '_'), 246)}.why.txt"
        deferToThreadPool(self._reactor, self._looks, put, path, text).addErrback(
            lambda failure: log.warning("refused.not_told", partner=partner, trouble=failure.getErrorMessage())
        )

    def _look(self) -> None:
        """Whole files found in the folders wait at the reception; while enough waits nobody looks."""
        most = self.house.kouan.workers.group_files * 2
        if self._busy_looking or not self.enquiries.room or self._stopping or len(self.reception) > most:
            return
        self._busy_looking = True
        done = deferToThreadPool(self._reactor, self._looks, self._door.look, time.monotonic(), most)
        done.addCallbacks(self._looked, self._look_failed)

    def _looked(self, found: list[Found]) -> None:
        self._busy_looking = False
        for one in found:
            taken = lambda one=one: self._door.taken(one.sender, one.file)  # noqa: E731  a callback
            self.reception.hand_in(Waiting(one.sender, "folder", one.file, path=one.path, claimed=taken), one.size)
        if len(found) > _RESTING and self._watcher.awake:
            self._watcher.rest()
        elif not found and not self._watcher.awake:
            self._watch()

    def _look_failed(self, failure: Any) -> None:
        self._busy_looking = False
        log.error("folder.look_failed", trouble=failure.getTraceback())

    def _news(self, partners: Iterable[str]) -> None:
        self.enquiries.tell_news(partners)
        self._departures.wake()

    def _tick(self) -> None:
        """Once a second: room on the disk, a changed configuration, documents whose date has come."""
        limits = self.house.kouan.limits
        usage = shutil.disk_usage(self.home)
        room = usage.free >= limits.disk_free_bytes and usage.free >= usage.total * limits.disk_free_percent / 100
        if room != self.enquiries.room:
            log.warning("disk.room", room=room, free=usage.free)
            self.enquiries.room = room
        if fingerprint(self.home) != self._print:
            self._reload()
        self._departures.wake()
        if self._crew.free > 0:
            deferToThreadPool(self._reactor, self._books, self._has_due).addCallback(self._resume)

    def _has_due(self) -> bool:
        from gateway.settling import iso

        return bool(self._ledger.all("due_documents", iso(now()), 1))

    def _resume(self, due: bool) -> None:
        if due and not self._stopping:
            self._crew.do("resume").addCallback(self._resumed)

    def _resumed(self, answer: Answer) -> None:
        self._departures.wake()
        self._resume(due=answer.count >= AT_ONCE)

    def _reload(self) -> None:
        self._print = fingerprint(self.home)
        try:
            self.house = load_house(self.home)
        except Told as trouble:
            log.error("config.refused", trouble=str(trouble))
            return
        self._arrange()
        self._crew.everyone("reload")
        log.info("config.reloaded", partners=len(self.house.partners))

    @inlineCallbacks
    def close(self):  # type: ignore[no-untyped-def]  # noqa: ANN201  inlineCallbacks types it
        """The doors are shut, what was taken in is written, the workers are gone."""
        if self._stopping is not None:
            return
        self._stopping = Deferred()
        self.enquiries.open = False
        log.info("hall.closing")
        for loop in (self._looking, self._ticking):
            if loop.running:
                loop.stop()
        self._watcher.rest()
        shutting = [self._http.close()] if self._http else []
        shutting += [self._sftp.stopListening()] if self._sftp else []
        yield DeferredList([one.addTimeout(_PATIENCE_SECONDS, self._reactor) for one in shutting], consumeErrors=True)
        yield self._crew.stop()
        yield self._departures.stop()
        yield self._children.stop()
        for pool in (self._looks, self._asks, self._books):
            pool.stop()
        self._ledger.close()
        log.info("hall.closed")


def ignore_lease_signals() -> None:
    """A program that opens a file while we look at it does not stop us (see adapters.doors.folder)."""
    signal.signal(signal.SIGIO, signal.SIG_IGN)


def lock_path(home: Path) -> Path:
    """Return the file whose lock says that a daemon runs in this home."""
    return home / "kouan.lock"
