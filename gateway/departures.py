"""Departures: a dispatcher for each authority, and an asker where the house asks, woken when something may leave."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure

from adapters.carriers.amqp import AmqpCarrier
from adapters.carriers.batch import BatchCarrier
from adapters.carriers.carrier import Carrier
from adapters.carriers.client import ClientCarrier
from adapters.carriers.client_boxes import Rules
from adapters.carriers.folder import FolderCarrier
from adapters.carriers.http import HttpCarrier
from adapters.carriers.sftp import SftpCarrier
from adapters.remote_connection import Lines
from gateway.asking import Asker
from gateway.brokers import address_of
from gateway.config import Authority, House
from gateway.dispatch import Outgoing, folder_of
from gateway.fx_files import FileRegister
from gateway.logs import log
from gateway.payment_uploads import Uploader
from gateway.remote_visits import access_of
from gateway.rounds import Dispatcher
from gateway.turnstile import Turnstile
from spool.ledger import Ledger
from spool.store import Store

_IDENTITY: Final = "identity|"
"""The asker's place among the authorities, none of which can have this name."""
_PAYMENTS: Final = "payment-data|"


class Departures:
    """The dispatchers of a home, and its asker."""

    def __init__(self, reactor: Any, pool: Any, ledger: Ledger, home: Path, now: Callable[[], datetime]) -> None:
        self._reactor = reactor
        self._pool = pool
        self._ledger = ledger
        self._home = home
        self._now = now
        self._store = Store(home / "spool" / "store")
        self._dispatchers: dict[str, tuple[object, Dispatcher | Asker | Uploader]] = {}
        self._rounds: dict[str, Deferred[Any]] = {}
        self._again: set[str] = set()
        self._stopping = False
        self._lines: list[AmqpCarrier] = []

    def arrange(self, house: House) -> None:
        """Every authority of the configuration has its dispatcher; where one cannot be had, all are as they were.

        The folders of carriers are there already (see gateway.arrangement).
        """
        dispatchers = dict(self._dispatchers)
        replaced = []
        for name, authority in house.authorities.items():
            known = dispatchers.get(name)
            if known is None or known[0] != authority:
                replaced.append(known)
                outgoing = Outgoing(self._ledger, self._store, authority)
                turnstile = Turnstile(self._ledger, outgoing, authority)
                carrier = self._carrier(authority)
                dispatchers[name] = (authority, Dispatcher(self._reactor, self._pool, turnstile, carrier, self._now))
        dispatchers.pop(_IDENTITY, None)
        if house.kouan.identity.ask != "never":
            known = self._dispatchers.get(_IDENTITY)
            asker = Asker(self._reactor, self._pool, self._ledger, house, self._now)
            dispatchers[_IDENTITY] = known if known and known[0] == house else (house, asker)
        dispatchers.pop(_PAYMENTS, None)
        if house.kouan.payment_data.upload_to:
            known = self._dispatchers.get(_PAYMENTS)
            uploader = Uploader(self._reactor, self._pool, self._ledger, house, self._now)
            dispatchers[_PAYMENTS] = known if known and known[0] == house else (house, uploader)
        self._dispatchers = dispatchers
        for one in replaced:
            _end(one)

    def _carrier(self, authority: Authority) -> Carrier:
        if authority.dialect == "fx":
            register = FileRegister(Ledger(self._ledger.path), self._store, authority, self._now)
            return BatchCarrier(folder_of(self._home, authority), register)
        if authority.carrier.kind == "http":
            seconds, at_once = authority.carrier.timeout_seconds, authority.pace.at_once
            return HttpCarrier(authority.carrier.url, total_seconds=seconds, at_once=at_once)
        if authority.carrier.amqp is not None and authority.carrier.kind == "amqp":
            broker = authority.carrier.amqp
            # How long a round takes at most follows from the carrier's own patience (see gateway.stopping).
            seconds = min(broker.timeout_seconds, authority.carrier.timeout_seconds)
            address = replace(address_of(self._home, broker), timeout_seconds=seconds)
            self._lines.append(AmqpCarrier(address, broker.queue))
            return self._lines[-1]
        if authority.carrier.kind == "sftp" and (remote := authority.carrier.sftp) is not None:
            lines = Lines(access_of(remote, self._home), remote.connections)
            return SftpCarrier(self._reactor, lines, remote.folder, remote.connections)
        if authority.carrier.kind == "client":
            client = authority.carrier.client
            rules = Rules(client.pack, timedelta(seconds=client.vanished_seconds))
            return ClientCarrier(folder_of(self._home, authority), rules, self._now)
        return FolderCarrier(folder_of(self._home, authority))

    def wake(self) -> None:
        """Each authority's outbox is looked at, now or when the round in hand is over."""
        for name, (_, dispatcher) in self._dispatchers.items():
            if name in self._rounds:
                self._again.add(name)
                if isinstance(dispatcher, Dispatcher):
                    dispatcher.woken()
            elif not self._stopping:
                self._go(name)

    def _go(self, name: str) -> None:
        done = self._dispatchers[name][1].round()
        self._rounds[name] = done
        done.addErrback(self._failed, name)
        done.addCallback(self._over, name)

    def _failed(self, failure: Failure, name: str) -> None:
        log.error("dispatch.mistake", authority=name, trouble=failure.getTraceback())

    def _over(self, gone: int | None, name: str) -> None:
        del self._rounds[name]
        if name in self._again and gone:
            self._again.discard(name)
            self._reactor.callLater(0, self.wake)
        self._again.discard(name)

    def stop(self) -> "Deferred[Any]":
        """No round is under way, and no line to a broker is open."""
        self._stopping = True
        for one in self._dispatchers.values():
            _end(one)
        over = DeferredList(list(self._rounds.values()), consumeErrors=True)
        return over.addCallback(lambda _: DeferredList([one.close() for one in self._lines], consumeErrors=True))


def _end(known: tuple[object, Dispatcher | Asker | Uploader] | None) -> None:
    """Nothing more leaves by it than is on its way."""
    if known is not None and isinstance(known[1], Dispatcher):
        known[1].end()
