"""The SFTP door: a partner sees /in, /out and /refused, and what he drops whole is told on.

Promise: a file stands in in/ under its final name only after its sender closed
it, or renamed it from a temporary name; a broken session delivers nothing.

Known limits: SFTP version 3, flat folders; a suspension takes hold at the next
log-in; a file delivered but not yet taken in may be lost in a power cut, and
then has no acknowledgement.  A refused upload is told in the SFTP status text
and to `refusals`; most clients show their user only "Failure".
"""

# mypy: allow-untyped-calls
# Conch is half typed.
import os
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from twisted.conch.ssh.factory import SSHFactory
from twisted.conch.ssh.keys import FingerprintFormats, Key
from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred, maybeDeferred

from adapters.doors.sftp_accounts import Accounts, Arrivals, DiskGuard, Log, Refusals, SftpAccount
from adapters.doors.sftp_door import Door
from adapters.doors.sftp_line import Line
from adapters.doors.sftp_login import Failures, KeyChecker, Login, Realm
from adapters.doors.sftp_session import Conversation

__all__ = ["Accounts", "Arrivals", "DiskGuard", "Log", "Refusals", "SftpAccount", "SftpService", "sftp_service"]

STRANGERS: Final = 128


class SftpFactory(SSHFactory):
    """Makes a line for each client, unless too many strangers are at the door already."""

    protocol = Line
    services = {b"ssh-userauth": Login, b"ssh-connection": Conversation}  # noqa: RUF012  Conch's own attribute

    def __init__(self, door: Door, host_key: Key) -> None:
        self.door = door
        self.portal = Portal(Realm(door), [KeyChecker(door)])
        self.publicKeys = {host_key.sshType(): host_key.public()}
        self.privateKeys = {host_key.sshType(): host_key}
        self.lines: set[Line] = set()
        self._failures = Failures(door.reactor)

    def buildProtocol(self, addr: Any) -> Line | None:  # type: ignore[override]  # None turns a client away
        """Return a line, or None for an address that fails too often or when 128 clients are logging in."""
        address = str(getattr(addr, "host", "?"))
        strangers = sum(1 for line in self.lines if not hasattr(line, "avatar"))
        if strangers >= STRANGERS or self._failures.are_too_many(address):
            self.door.log.warning("sftp.turned_away", address=address, strangers=strangers)
            return None
        line = super().buildProtocol(addr)
        assert isinstance(line, Line)
        self.lines.add(line)
        return line

    def line_lost(self, line: Line) -> None:
        """The line is forgotten; failures count against its address unless its client came in at last."""
        self.lines.discard(line)
        if line.failures and not hasattr(line, "avatar"):
            self._failures.add(line.address, line.failures)


class SftpService:
    """The door as the house opens and closes it."""

    def __init__(self, factory: SftpFactory, listen: str, reactor: Any) -> None:
        self._factory = factory
        self._listen = listen
        self._reactor = reactor
        self._port: Any = None

    @property
    def port(self) -> int:
        """Return the port that is listened on, the real one where the configuration says 0."""
        return int(self._port.getHost().port)

    @property
    def fingerprint(self) -> str:
        """Return the fingerprint of the host key, as OpenSSH shows it, to be told to partners."""
        (key,) = self._factory.publicKeys.values()
        return f"SHA256:{key.fingerprint(FingerprintFormats.SHA256_BASE64).rstrip('=')}"

    def startListening(self) -> Any:
        """The door is open; CannotListenError when the address is taken."""
        host, _, port = self._listen.rpartition(":")
        self._port = self._reactor.listenTCP(int(port), self._factory, interface=host.strip("[]"), backlog=128)
        return self._port

    def stopListening(self) -> "Deferred[None]":
        """The door is shut, and every line is cut; what was not closed is not delivered."""
        closing = maybeDeferred(self._port.stopListening)
        for line in list(self._factory.lines):
            line.transport.abortConnection()
        return closing.addCallback(lambda _: None)


def sftp_service(
    *,
    listen: str,
    host_key: Path,
    accounts: Accounts,
    arrivals: Arrivals,
    guard: DiskGuard,
    reactor: Any,
    log: Log,
    refusals: Refusals | None = None,
    idle_seconds: float = 600.0,
) -> SftpService:
    """Return the door, ready to listen on "host:port"; the host key is made on first use, 0600."""
    door = Door(
        accounts=accounts,
        arrivals=arrivals,
        guard=guard,
        refusals=refusals,
        log=log,
        reactor=reactor,
        idle_seconds=idle_seconds,
    )
    return SftpService(SftpFactory(door, load_host_key(host_key)), listen, reactor)


def load_host_key(path: Path) -> Key:
    """Return the host key at `path`, an ed25519 key that is made there, readable by us only, if there is none."""
    if not path.exists():
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        text = Key(Ed25519PrivateKey.generate()).toString("openssh", comment="kouan")
        aside = path.with_name(f".{path.name}.writing")
        aside.unlink(missing_ok=True)
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(path)
    key = Key.fromFile(str(path))
    assert isinstance(key, Key)
    return key
