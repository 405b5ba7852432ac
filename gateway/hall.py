"""The hall: the daemon of one home, from the first look at what a crash left to the last door shut.

Order of the start: the ledger is opened, what was left is recovered and let
go, and only then the doors open.  The reactor waits for no disk, no SQLite and
no XML: looking, asking and telling happen in threads, the work in processes.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from adapters.doors.http import HttpDoor, HttpLimits
from adapters.doors.sftp import sftp_service
from gateway.arrangement import Arrangement, arranged
from gateway.book import ledger_of
from gateway.children import Children
from gateway.clerk import ALL_NUMBERS, clerk_at
from gateway.config import House, load_house
from gateway.crew import Crew
from gateway.departures import Departures
from gateway.enquiries import Enquiries, mailbox_root
from gateway.frames import Answer
from gateway.in_force import nothing_in_force, put_in_force
from gateway.logs import log
from gateway.lookout import Lookout
from gateway.payment_calls import Calls
from gateway.reception import Reception, Waiting
from gateway.recovering import Left, recover
from gateway.roads import Roads
from gateway.secret import stands
from gateway.upkeep import Upkeep
from gateway.visiting import Visiting
from message_specs.trade.papers import kind_of
from spool.aside import put
from spool.interchange import Batch
from spool.ledger import Ledger
from spool.mailbox import fitting
from spool.number import Numbers

_AWAITED = frozenset({"order", "payment", "waybill"})
_PATIENCE_SECONDS = 10.0
"""So long an open connection keeps a closing door open."""


def now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)


class Hall:
    """One home, open."""

    def __init__(self, reactor: Any, house: House) -> None:
        self._reactor = reactor
        self.house = house
        self.home = house.home
        self._looks = ThreadPool(1, 1, "looks")
        self._books = ThreadPool(1, 1, "books")
        self._asks = ThreadPool(1, 1, "asks")
        stands(self.home, house.kouan.sftp.host_key if house.kouan.sftp.listen else None)
        self._ledger = ledger_of(self.home)
        self._numbers = Numbers(now)
        self.reception = Reception(reactor, house.kouan.workers, self._numbers, self._news)
        asking = Ledger(clerk_at(self.home), read_only=True)
        calls = Calls(reactor, self._books, self._ledger, lambda: self.house, now)
        self.enquiries = Enquiries(reactor, self._asks, asking, lambda: self.house, self.reception, calls)
        self._lookout = Lookout(reactor, self._looks, house.kouan, self.reception, self._may_look)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._crew = Crew(reactor, self.home, house.kouan.workers.count, self.reception.feed, environment)
        self.reception.crew = self._crew
        self.reception.follow = _who_follow(house)
        self._departures = Departures(reactor, self._books, self._ledger, self.home, now)
        calls.wake = self._departures.wake
        self._children = Children(reactor, environment)
        visiting = Visiting(reactor, self.reception, self.home, self._may_take, lambda: self.house.kouan.limits.longest)
        self._roads = Roads(visiting.visitor)
        self._http: HttpDoor | None = None
        self._sftp: Any = None
        self._upkeep = Upkeep(
            reactor, self._books, self._ledger, self.reception, self.enquiries, self._departures,
            house=lambda: self.house, reload=self._reload, news=self._news,
        )  # fmt: skip
        self._stopping = False

    @inlineCallbacks
    def open(self):  # type: ignore[no-untyped-def]  # noqa: ANN201  inlineCallbacks types it
        """Every door is open, and one line on stdout says where."""
        for pool in (self._looks, self._books, self._asks):
            pool.start()
        left: Left = yield self._thread(recover, self.home, self._ledger)
        self._numbers.go_on_after(left.last_number)
        found: Arrangement = yield self._thread(arranged, self.house)
        yield self._thread(self._put_in_force)
        self._crew.start()
        if left.claims or left.set_aside:
            log.info("hall.recovering", claims=len(left.claims), set_aside=left.set_aside)
        for start in range(0, len(left.claims), self.house.kouan.workers.group_files):
            yield self.reception.recover(list(left.claims[start : start + self.house.kouan.workers.group_files]))
        yield self._let_go_again()
        self._departures.arrange(self.house)
        self._lookout.arrange(found.folders)
        yield self._open_doors()
        self.enquiries.open = True
        self._children.start(self.house)
        self._lookout.start()
        self._roads.arrange(self.house)
        self._roads.start()
        self._upkeep.start()
        self.reception.go_on(left.tables)
        where = {"event": "ready", "http": self._http_at(), "sftp": self._sftp_at()}
        print(json.dumps(where), flush=True)
        log.info("hall.open", http=where["http"], sftp=where["sftp"])
        self._warn()

    def _warn(self) -> None:
        """What is odd about the configuration in force, and keeps nothing shut, is in the log."""
        for one in self.house.warnings:
            log.warning("config.warned", problem=str(one))

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

    def _thread(self, work: Callable[..., Any], *values: object) -> "Deferred[Any]":
        return deferToThreadPool(self._reactor, self._books, work, *values)

    @inlineCallbacks
    def _let_go_again(self):  # type: ignore[no-untyped-def]  # noqa: ANN202  inlineCallbacks types it
        """What a crash kept from leaving has left; what cannot leave keeps no door shut."""
        more = True
        after = 0
        while more:
            answer: Answer = yield self._crew.do("let_go_again", Batch(after, 0, ALL_NUMBERS, ()))
            if answer.trouble or answer.untold:
                log.error("letting_go.trouble", trouble=answer.trouble or "; ".join(answer.untold[:3]))
            after, more = answer.count, answer.count > 0

    def _put_in_force(self) -> None:
        try:
            put_in_force(self.house)
        except OSError as trouble:  # a full disk keeps no door shut: the workers go by the files, which are good now
            nothing_in_force(self.home)
            log.warning("config.not_kept", trouble=str(trouble))

    def _may_take(self) -> bool:
        return self.enquiries.room

    def _may_look(self) -> bool:
        return self.enquiries.room and not self._stopping

    def arrived(self, partner: str, name: str) -> None:
        """The SFTP door has delivered a whole file."""
        taken = self._lookout.leave_alone(partner, name)
        path = f"{mailbox_root(self.home, partner)}/in/{name}"
        try:
            size = os.stat(path).st_size
        except OSError:
            size = 0
        self.reception.hand_in(Waiting(partner, "sftp", name, path=path, claimed=taken), size)

    def refused(self, partner: str, name: str, reason: str) -> None:
        """The SFTP door has refused an upload; the reason lies in refused/, since clients rarely show it."""
        folder = mailbox_root(self.home, partner) / "refused"
        text = f"文件 File: {name}\n{reason}\n".encode()
        path = folder / f"{fitting(name.replace('/', '_'), 246)}.why.txt"
        deferToThreadPool(self._reactor, self._looks, put, path, text).addErrback(
            lambda failure: log.warning("refused.not_told", partner=partner, trouble=failure.getErrorMessage())
        )

    def _news(self, partners: Iterable[str]) -> None:
        self.enquiries.tell_news(partners)
        self._departures.wake()

    @inlineCallbacks
    def _reload(self):  # type: ignore[no-untyped-def]  # noqa: ANN202  inlineCallbacks types it
        """The changed configuration is in force; one that is wrong or cannot be arranged leaves all as it was."""
        try:
            found: Arrangement = yield self._thread(lambda: arranged(load_house(self.home)))
            self._departures.arrange(found.house)
            yield self._thread(put_in_force, found.house)
        except Exception as trouble:  # noqa: BLE001  whatever it is, the hall stays open as it was
            self._departures.arrange(self.house)
            log.error("config.refused", trouble=str(trouble) or repr(trouble))
            return
        if self._stopping:
            return
        self.house = found.house
        self.reception.follow = _who_follow(self.house)
        self._lookout.arrange(found.folders)
        self._roads.arrange(self.house)
        self._crew.everyone("reload")
        log.info("config.reloaded", partners=len(self.house.partners))
        self._warn()

    @inlineCallbacks
    def close(self):  # type: ignore[no-untyped-def]  # noqa: ANN201  inlineCallbacks types it
        """The doors are shut, what was taken in is written, the workers are gone."""
        if self._stopping:
            return
        self._stopping = True
        self.enquiries.open = False
        log.info("hall.closing")
        self._upkeep.stop()
        self._lookout.stop()
        shutting = [self._http.close()] if self._http else []
        shutting += [self._roads.stop()]
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


def _who_follow(house: House) -> frozenset[str]:
    """The partners who declare nothing that an inventory waits for."""
    partners = house.partners.values()
    return frozenset(one.name for one in partners if _AWAITED.isdisjoint(map(kind_of, one.specs)))
