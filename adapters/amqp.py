"""Lines to AMQP 0-9-1 brokers: where one stands, how a line to it is had, and what its troubles are called.

A line that is handed out has passed TLS and log-in.  Whatever fails on the way
is an `AmqpTrouble` with one sentence for an operator; the password never stands
in it.

pika's own log is silenced: it writes the beginning of returned messages into it.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pika import ConnectionParameters, PlainCredentials, exceptions
from pika.adapters.twisted_connection import TwistedProtocolConnection
from twisted.internet import defer, ssl
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.protocol import Factory
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure

from adapters.amqp_frames import Reading
from spool.errors import Postpone

_pika = logging.getLogger("pika")
_pika.addHandler(logging.NullHandler())
_pika.propagate = False

_SHOWN = 200
_LOST = (exceptions.StreamLostError, exceptions.ConnectionWrongStateError, ConnectionDone, ConnectionLost)


class AmqpTrouble(Postpone):
    """The broker cannot be reached, or refuses us"""


@dataclass(frozen=True, slots=True)
class Address:
    """A broker, and who we are to it; files are read at every attempt, so that they can be replaced."""

    host: str
    user: str
    password_file: Path
    port: int = 5672
    vhost: str = "/"
    tls: bool = False
    ca_file: Path | None = None
    heartbeat_seconds: int = 30
    timeout_seconds: float = 30.0

    def __str__(self) -> str:
        return f"{self.host}:{self.port}{'' if self.vhost == '/' else ' ' + self.vhost}"


class Line(TwistedProtocolConnection):  # type: ignore[misc]  # pika is untyped to us
    """A connection that knows why it was refused or lost: pika's adapter says no more than that it was closed."""

    trouble: BaseException | None = None

    def __init__(self, parameters: ConnectionParameters, reactor: Any) -> None:
        super().__init__(parameters, custom_reactor=reactor)
        self._impl = Reading(
            parameters=parameters,
            on_open_callback=self._on_connection_ready,
            on_open_error_callback=self._on_connection_failed,
            on_close_callback=self._on_connection_closed,
            custom_reactor=reactor,
        )

    def connectionLost(self, reason: Failure) -> None:
        """Twisted says that the line is cut; what pika heard from the broker before is kept."""
        self.trouble = self._impl._error or reason.value  # noqa: SLF001  it is overwritten in the next step
        super().connectionLost(reason)

    def abort(self) -> None:
        """The line is cut, without waiting for the other side."""
        if self.transport is not None:
            self.transport.abortConnection()


@inlineCallbacks
def connected(reactor: Any, address: Address):  # type: ignore[no-untyped-def]  # noqa: ANN201  inlineCallbacks types it
    """Fires with a `Line` that is ready for channels; fails with an `AmqpTrouble`."""
    lines: list[Line] = []
    under_way = _connected(reactor, address, lines)
    under_way.addTimeout(address.timeout_seconds, reactor)
    try:
        return (yield under_way)
    except Exception as trouble:
        for line in lines:
            line.abort()
        refused = lines[0].trouble if lines else None
        raise AmqpTrouble(f"{address}: {told(refused or trouble)}") from trouble


@inlineCallbacks
def _connected(reactor: Any, address: Address, lines: list[Line]):  # type: ignore[no-untyped-def]  # noqa: ANN202
    password, authorities = yield deferToThread(_read, address)
    parameters = ConnectionParameters(
        virtual_host=address.vhost,
        credentials=PlainCredentials(address.user, password, erase_on_connect=True),
        heartbeat=address.heartbeat_seconds,
        client_properties={"product": "kouan", "connection_name": "kouan"},
    )
    endpoint: Any = HostnameEndpoint(reactor, address.host, address.port, timeout=address.timeout_seconds)
    if address.tls:
        endpoint = wrapClientTLS(ssl.optionsForClientTLS(address.host, trustRoot=authorities), endpoint)
    lines.append((yield endpoint.connect(Factory.forProtocol(lambda: Line(parameters, reactor)))))
    return (yield lines[0].ready)


def _read(address: Address) -> tuple[str, Any]:
    """Return the password, and whose certificates count: the file's, else those that the machine trusts."""
    password = address.password_file.read_text("utf-8").strip()
    if address.ca_file is None:
        return password, ssl.platformTrust()  # type: ignore[no-untyped-call]
    pieces = address.ca_file.read_bytes().split(b"-----BEGIN CERTIFICATE-----")[1:]
    loaded = [ssl.Certificate.loadPEM(b"-----BEGIN CERTIFICATE-----" + piece) for piece in pieces]
    return password, ssl.trustRootFromCertificates(loaded)  # type: ignore[no-untyped-call]


def closing(line: Line, reactor: Any, seconds: float = 5.0) -> "Deferred[Any]":
    """Fires when the line is closed: politely, or else cut after so many seconds."""
    if line.closed is None:
        return defer.succeed(None)
    # Others wait for `closed` too: what is timed here is another Deferred.
    ended: Deferred[Any] = Deferred()
    line.closed.addBoth(_tell, ended)
    line.close()
    ended.addTimeout(seconds, reactor)
    return ended.addErrback(lambda _: line.abort())


def _tell(result: object, ended: "Deferred[Any]") -> object:
    if not ended.called:
        ended.callback(None)
    return result


def told(trouble: object) -> str:
    """Return in one line what a failure of pika, Twisted or TLS means.

    >>> told(exceptions.ChannelClosedByBroker(404, "NOT_FOUND - no queue 'DXP' in vhost '/'"))
    "the broker closed the channel: 404 NOT_FOUND - no queue 'DXP' in vhost '/'"
    >>> told(exceptions.ProbableAuthenticationError("x"))
    'the broker refuses this user or password'
    """
    if isinstance(trouble, Failure):
        trouble = trouble.value
    if isinstance(trouble, AmqpTrouble):
        return str(trouble).partition(": ")[2]
    if isinstance(trouble, exceptions.ProbableAuthenticationError):
        return "the broker refuses this user or password"
    if isinstance(trouble, exceptions.ProbableAccessDeniedError):
        return "the broker refuses this user or this vhost"
    if isinstance(trouble, exceptions.ConnectionClosedByBroker | exceptions.ChannelClosedByBroker):
        what = "channel" if isinstance(trouble, exceptions.ChannelClosedByBroker) else "connection"
        words = _one_line(f"the broker closed the {what}: {trouble.reply_code} {trouble.reply_text}")
        refused = trouble.reply_code == 403 and "Login was refused" in trouble.reply_text
        return "the broker refuses this user or password" if refused else words
    if isinstance(trouble, exceptions.AMQPHeartbeatTimeout):
        return "the broker fell silent"
    if isinstance(trouble, _LOST):
        return "the connection was lost"
    if isinstance(trouble, defer.TimeoutError):
        return "no answer in time"
    if isinstance(trouble, OSError) and trouble.filename:
        return _one_line(f"{trouble.filename}: {trouble.strerror}")
    return _one_line(f"{type(trouble).__name__}: {trouble}")


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_SHOWN]
