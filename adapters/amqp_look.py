"""A look at a broker from outside the reactor: can we log in, is the queue there, what lies in it, who reads it."""

import ssl
from dataclasses import dataclass

from pika import BlockingConnection, ConnectionParameters, PlainCredentials, SSLOptions, exceptions

from adapters.amqp import Address, told

_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Seen:
    """How a queue is: `trouble` says why nothing could be seen."""

    messages: int = 0
    readers: int = 0
    trouble: str = ""


def look(address: Address, queue: str) -> Seen:
    """Return how the queue is; nothing is declared, read or changed, and whatever fails is told in the answer."""
    try:
        with BlockingConnection(_parameters(address)) as connection:
            found = connection.channel().queue_declare(queue, passive=True).method
            return Seen(int(found.message_count), int(found.consumer_count))
    except (exceptions.AMQPError, OSError, ValueError) as trouble:
        return Seen(trouble=told(_cause(trouble)))


def _parameters(address: Address) -> ConnectionParameters:
    password = address.password_file.read_text("utf-8").strip()
    seconds = min(_SECONDS, address.timeout_seconds)
    options = None
    if address.tls:
        trusted = ssl.create_default_context(cafile=str(address.ca_file) if address.ca_file else None)
        options = SSLOptions(trusted, address.host)
    return ConnectionParameters(
        address.host,
        address.port,
        address.vhost,
        PlainCredentials(address.user, password),
        ssl_options=options,
        socket_timeout=seconds,
        stack_timeout=seconds,
        blocked_connection_timeout=seconds,
    )


def _cause(trouble: Exception) -> object:
    """Return what stands behind a failed attempt: pika wraps it, sometimes more than once."""
    inner = trouble.args[0] if isinstance(trouble, exceptions.AMQPConnectionError) and trouble.args else None
    return _cause(inner) if isinstance(inner, Exception) else trouble
