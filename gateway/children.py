"""Children: the simulated authorities that the daemon of a demo home starts beside itself."""

import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from gateway.config import House
from gateway.logs import log

_PATIENCE = 10.0
"""So many seconds a simulator has to end by itself."""


class _Child(ProcessProtocol):
    def __init__(self, name: str, ended: Any) -> None:
        self.name = name
        self._ended = ended

    def outReceived(self, data: bytes) -> None:
        """What a simulator says is logged."""
        for line in data.decode("utf-8", "replace").splitlines():
            if line.strip():
                log.info("simulator.said", authority=self.name, text=line.strip())

    def processEnded(self, reason: Failure) -> None:
        """It is gone."""
        self._ended(self, reason)


class Children:
    """The simulators of one home."""

    def __init__(self, reactor: Any, environment: dict[str, str]) -> None:
        self._reactor = reactor
        self._environment = environment
        self._alive: set[_Child] = set()
        self._stopping: Deferred[None] | None = None

    def start(self, house: House) -> None:
        """Every authority that is to be simulated has its process."""
        for authority in house.authorities.values():
            settings = house.home / "simulators" / f"{authority.name}.toml"
            if authority.simulate and not settings.is_file():
                log.error("simulator.missing", authority=authority.name, settings=str(settings))
            elif authority.simulate:
                child = _Child(authority.name, self._ended)
                module = f"adapters.simulators.{authority.dialect}"
                arguments = [sys.executable, "-m", module, "--config", str(settings)]
                self._reactor.spawnProcess(
                    child, sys.executable, arguments, env=self._environment, childFDs={0: "w", 1: "r", 2: 2}
                )
                self._alive.add(child)

    def _ended(self, child: _Child, reason: Failure) -> None:
        self._alive.discard(child)
        if self._stopping is None:
            log.warning("simulator.ended", authority=child.name, reason=reason.getErrorMessage())
        elif not self._alive and not self._stopping.called:
            self._stopping.callback(None)

    def stop(self) -> "Deferred[None]":
        """No child lives; one that does not end when it is asked to is killed."""
        self._stopping = Deferred()
        if not self._alive:
            self._stopping.callback(None)
        self._signal("TERM")
        if self._alive:
            patience = self._reactor.callLater(_PATIENCE, self._signal, "KILL")
            self._stopping.addCallback(lambda _: patience.cancel() if patience.active() else None)
        return self._stopping

    def _signal(self, name: str) -> None:
        for child in list(self._alive):
            try:
                child.transport.signalProcess(name)  # type: ignore[union-attr]
            except ProcessExitedAlready:
                continue
