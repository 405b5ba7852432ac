"""Connections to SFTP servers of other houses: one place where paramiko is used, always from threads.

Only a server that shows a pinned host key hears who we are.  A connection is used by one thread at a time,
stays open between uses, and ends every wait after `timeout_seconds`.

Known limits: no proxy, no agent, no keys behind a passphrase; a server that only speaks ssh-rsa with SHA-1 or
SFTP below version 3 is not talked to.
"""

import base64
import contextlib
import itertools
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import paramiko
from twisted.python.threadpool import ThreadPool

from adapters.remote_talk import RemoteAway, Talk
from spool.errors import ForOperator

_KEPT_SECONDS: Final = 60.0
"""So long a connection that nobody uses stays open."""
_KINDS: Final = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
_SIGNED: Final = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
"""How keys of a kind sign, where not by their own name."""
_WINDOW_BYTES: Final = 4 * 1024 * 1024

logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False


class WrongHostKey(ForOperator):
    """The server shows a host key that is not pinned; nothing was said to it"""


class NoEntry(ForOperator):
    """The server does not let us in"""


class NoHostKey(ForOperator):
    """This is no host key of OpenSSH"""


class NoSecret(ForOperator):
    """Our own key or password cannot be read"""


@dataclass(frozen=True, slots=True)
class Access:
    """A server, how we know that it is the right one, and how it knows us."""

    host: str
    port: int
    user: str
    host_keys: tuple[str, ...]
    key_file: Path | None = None
    password_file: Path | None = None
    timeout_seconds: float = 30.0

    def __str__(self) -> str:
        """Return whom we visit, without anything secret."""
        return f"{self.user}@{self.host}:{self.port}"


def host_key(line: str) -> tuple[str, bytes]:
    """Return the kind and the bytes of a pinned key, with or without the names before it as ssh-keyscan writes them.

    >>> host_key("example.cn ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA9dGYRJ0ZW5xJ6v5YQ0b5m5c1yZ6m1i0d2o5bq1q2rS note")[0]
    'ssh-ed25519'
    """
    words = line.split()
    for kind, blob in itertools.pairwise(words[:3]):
        with contextlib.suppress(ValueError, paramiko.SSHException):
            data = base64.b64decode(blob, validate=True)
            if kind in _KINDS and data[4 : 4 + len(kind)] == kind.encode():
                return kind, paramiko.PKey.from_type_string(kind, data).asbytes()
    raise NoHostKey(line[:60])


class Line:
    """One connection that is logged in, and the talk over it."""

    def __init__(self, access: Access) -> None:
        """It is open; RemoteAway or ForOperator otherwise, and nothing is left of it."""
        self.used = time.monotonic()
        self._transport = _connected(access)
        try:
            with _in_time(self._transport, access.timeout_seconds):
                _let_in(self._transport, access)
                channel = self._transport.open_session(timeout=access.timeout_seconds, window_size=_WINDOW_BYTES)
                channel.settimeout(access.timeout_seconds)
                channel.invoke_subsystem("sftp")
                self.talk = Talk(channel, access.timeout_seconds)
        except BaseException as trouble:
            self.close()
            if isinstance(trouble, paramiko.SSHException | EOFError | OSError):
                raise RemoteAway(f"{access}: {trouble or type(trouble).__name__}") from trouble
            raise

    @property
    def is_open(self) -> bool:
        """Whether the other side has not hung up, as far as we know."""
        return self._transport.is_active() and not self.talk.is_spoilt

    def close(self) -> None:
        """It is closed; whoever waits on it hears so at once."""
        with contextlib.suppress(Exception):
            self._transport.close()


@contextlib.contextmanager
def _in_time(transport: paramiko.Transport, seconds: float) -> Iterator[None]:
    """The connection is closed when time is up: paramiko waits for ever for the answer to some requests."""
    alarm = threading.Timer(seconds, transport.close)
    alarm.daemon = True
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()


def _connected(access: Access) -> paramiko.Transport:
    seconds = access.timeout_seconds
    try:
        to_them = socket.create_connection((access.host, access.port), seconds)
    except OSError as trouble:
        raise RemoteAway(f"{access}: no connection: {trouble}") from trouble
    to_them.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport = paramiko.Transport(to_them, default_window_size=_WINDOW_BYTES)
    transport.banner_timeout = transport.auth_timeout = transport.channel_timeout = seconds
    try:
        pinned = [host_key(line) for line in access.host_keys]
        kinds = {name: None for kind, _ in pinned for name in _SIGNED.get(kind, (kind,))}
        transport.get_security_options().key_types = tuple(kinds)
        transport.start_client(timeout=seconds)
        _held_against(transport, [data for _, data in pinned], access)
    except (paramiko.SSHException, EOFError, OSError) as trouble:
        transport.close()
        if isinstance(trouble, paramiko.ssh_exception.IncompatiblePeer) and "host key" in str(trouble):
            raise WrongHostKey(f"{access} has no host key of a pinned kind") from trouble
        raise RemoteAway(f"{access}: {trouble or type(trouble).__name__}") from trouble
    except BaseException:
        transport.close()
        raise
    return transport


def _held_against(transport: paramiko.Transport, pinned: Sequence[bytes], access: Access) -> None:
    shown: Any = transport.get_remote_server_key()
    if shown.asbytes() not in pinned:
        raise WrongHostKey(f"{access} shows {shown.get_name()} {shown.fingerprint}")


def _let_in(transport: paramiko.Transport, access: Access) -> None:
    try:
        if access.key_file is not None:
            transport.auth_publickey(access.user, private_key(access.key_file))
        else:
            transport.auth_password(access.user, password(access.password_file), fallback=False)
    except paramiko.AuthenticationException as trouble:
        raise NoEntry(f"{access}: {trouble}") from trouble
    if not transport.is_authenticated():
        raise NoEntry(f"{access} asks for more than one proof")


def private_key(file: Path) -> paramiko.PKey:
    """Return our key; NoSecret says why it cannot be used."""
    try:
        return paramiko.PKey.from_path(file)
    except (OSError, ValueError, TypeError, paramiko.SSHException) as trouble:
        raise NoSecret(f"{file}: {trouble}") from trouble


def password(file: Path | None) -> str:
    """Return the first line of the file; NoSecret where there is none."""
    try:
        lines = file.read_text("utf-8").splitlines() if file is not None else []
    except (OSError, UnicodeDecodeError) as trouble:
        raise NoSecret(f"{file}: {trouble}") from trouble
    if not lines or not lines[0]:
        raise NoSecret(f"{file}: empty")
    return lines[0]


class Daemons(ThreadPool):
    """Threads that keep no process alive."""

    threadFactory = partial(threading.Thread, daemon=True)  # type: ignore[assignment]


class Lines:
    """The connections to one server: at most so many, each used by one thread at a time, and used again."""

    def __init__(self, access: Access, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is connected yet."""
        self._access = access
        self._clock = clock
        self._places = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._idle: list[Line] = []
        self._busy: set[Line] = set()
        self._closed = False
        self.opened = 0

    @contextlib.contextmanager
    def one(self) -> Iterator[Talk]:
        """Lend a connection that works, a rested one where there is one; whatever went wrong on it, it is not kept."""
        if not self._places.acquire(timeout=self._access.timeout_seconds):
            raise RemoteAway(f"{self._access}: every connection is busy")
        try:
            line = self._rested() or self._fresh()
            try:
                yield line.talk
            except BaseException:
                self._drop(line)
                raise
            self._rest(line)
        finally:
            self._places.release()

    def rest(self) -> None:
        """Connections that nobody used for a minute are closed."""
        with self._lock:
            old = [line for line in self._idle if self._clock() - line.used > _KEPT_SECONDS]
            self._idle = [line for line in self._idle if line not in old]
        for line in old:
            line.close()

    def close(self) -> None:
        """Every connection is closed, and whoever waits on one hears so; nobody gets another."""
        with self._lock:
            self._closed = True
            lines = [*self._idle, *self._busy]
            self._idle = []
        for line in lines:
            line.close()

    def _rested(self) -> Line | None:
        with self._lock:
            while self._idle:
                line = self._idle.pop()
                if line.is_open and self._clock() - line.used <= _KEPT_SECONDS:
                    self._busy.add(line)
                    return line
                line.close()
        return None

    def _fresh(self) -> Line:
        if self._closed:
            raise RemoteAway(f"{self._access}: visited no more")
        line = Line(self._access)
        with self._lock:
            self._busy.add(line)
            self.opened += 1
            closed = self._closed
        if closed:
            self._drop(line)
            raise RemoteAway(f"{self._access}: visited no more")
        return line

    def _rest(self, line: Line) -> None:
        line.used = self._clock()
        with self._lock:
            self._busy.discard(line)
            if line.is_open and not self._closed:
                self._idle.append(line)
                return
        line.close()

    def _drop(self, line: Line) -> None:
        with self._lock:
            self._busy.discard(line)
        line.close()
