"""The AMQP door: we read a queue of a broker, and acknowledge a message there only when it is in the ledger.

What is not acknowledged comes again: after a crash of ours, of the broker, or of
the line between.  That is harmless, since a message is handed in under a key
made of its id and its bytes.  One that came without an id has no key; the house
knows its bytes again.

A message that the house cannot take at the moment stays in hand, unacknowledged,
and is tried again later and later; it is never thrown back to come around again
at once.

**Known limits**: up to `prefetch` messages are in memory.  A message that is
tried again keeps its place among them.  Headers are not read.
"""

import hashlib
from collections.abc import Callable
from typing import Any, Final

from twisted.internet import defer
from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks

from adapters.amqp import Address, Line, closing, connected, told
from adapters.doors.http_names import as_table, file_name, table_ending
from spool.backoff import Plan

TakeIn = Callable[[str, bytes, str | None], "Deferred[bytes]"]
"""Takes a name, bytes and the key of a repeat; fires when they are in the ledger."""
_AGAIN: Final = Plan(first=1.0, factor=2.0, most=60.0)
_LATER: Final = Plan(first=1.0, factor=2.0, most=300.0)


class AmqpDoor:
    """Reads one queue."""

    def __init__(
        self, reactor: Any, address: Address, queue: str, take_in: TakeIn, log: Any, *, prefetch: int = 200
    ) -> None:
        """Nothing is asked of the broker yet."""
        self._reactor = reactor
        self._address = address
        self._queue = queue
        self._take_in = take_in
        self._log = log
        self._prefetch = prefetch
        self._open = False
        self._pauses: set[Deferred[None]] = set()
        self._in_hand: set[Deferred[None]] = set()
        self._reading: Deferred[Any] | None = None
        self._last_trouble = ""
        self._leave: Callable[[], None] | None = None

    def start(self) -> None:
        """The queue is read from now on, whenever the broker can be reached."""
        self._open = True
        self._reading = self._read()

    def stop(self) -> "Deferred[Any]":
        """It is read no more; fires when what was in hand is acknowledged or given back, and the line closed."""
        self._open = False
        self._go_on_at_once()
        if self._leave is not None:
            self._leave()
        if self._reading is None:
            return defer.succeed(None)
        ended: Deferred[Any] = Deferred()
        self._reading.addBoth(ended.callback)
        return ended

    @inlineCallbacks
    def _read(self):  # type: ignore[no-untyped-def]  # noqa: ANN202  inlineCallbacks types it
        """Lines follow one another until the door is stopped, farther apart while none comes about."""
        failures = 0
        while self._open:
            failures += 1
            connecting = connected(self._reactor, self._address)
            self._leave = connecting.cancel
            try:
                line = yield connecting
                consumed = yield self._consume(line)
            except Exception as trouble:  # noqa: BLE001  whatever it is, the next line may be better
                self._troubled(f"{self._address}: {told(trouble)}")
            else:
                failures = 0 if consumed else failures
            self._leave = None
            if self._open:
                yield self._pause(_AGAIN.wait(max(1, failures), self._address.port))

    @inlineCallbacks
    def _consume(self, line: Line):  # type: ignore[no-untyped-def]  # noqa: ANN202  inlineCallbacks types it
        """The queue has been read over this line; fires with whether it could be when the line is of no more use."""
        seconds, messages = self._address.timeout_seconds, None
        try:
            channel = yield line.channel().addTimeout(seconds, self._reactor)
            yield channel.basic_qos(prefetch_count=self._prefetch).addTimeout(seconds, self._reactor)
            messages, tag = yield channel.basic_consume(self._queue).addTimeout(seconds, self._reactor)
            self._leave = lambda: self._cancel(channel, tag)
            self._log.info("amqp.reading", queue=self._queue, broker=str(self._address))
            self._last_trouble = ""
            while self._open:
                message = yield messages.get()
                self._hold(self._take(channel, message))
        except Exception as trouble:  # noqa: BLE001  the line is over, whatever it was
            if self._open:
                self._troubled(f"{self._address} {self._queue}: {told(line.trouble or trouble)}")
        self._go_on_at_once()
        if not self._open:
            yield DeferredList(list(self._in_hand))
        yield closing(line, self._reactor)
        return messages is not None

    @staticmethod
    def _cancel(channel: Any, tag: str) -> None:
        if channel.is_open:
            channel.basic_cancel(tag).addErrback(lambda _: None)

    def _hold(self, taking: "Deferred[None]") -> None:
        self._in_hand.add(taking)
        taking.addBoth(lambda _: self._in_hand.discard(taking))

    @inlineCallbacks
    def _take(self, channel: Any, message: Any):  # type: ignore[no-untyped-def]  # noqa: ANN202  inlineCallbacks types it
        """The message is in the ledger and acknowledged, or the line that brought it is over."""
        name, once = _name(message.properties), _once(message.properties, message.body)
        attempts = 0
        while channel.is_open:
            try:
                yield self._take_in(name, message.body, once)
            except Exception as trouble:  # noqa: BLE001  nothing is dropped: it stays in hand
                attempts += 1
                self._troubled(f"{self._queue}: {trouble}")
                if not self._open:
                    return
                yield self._pause(_LATER.wait(attempts, message.method.delivery_tag))
                if not self._open:
                    return
            else:
                if channel.is_open:
                    channel.basic_ack(message.method.delivery_tag)
                return

    def _pause(self, seconds: float) -> "Deferred[None]":
        """Return what fires after so many seconds, or when the door is stopped."""
        pause: Deferred[None] = Deferred(lambda one: one.callback(None))
        call = self._reactor.callLater(seconds, lambda: pause.callback(None))
        self._pauses.add(pause)

        def over(_: object) -> None:
            self._pauses.discard(pause)
            if call.active():
                call.cancel()

        return pause.addBoth(over)

    def _go_on_at_once(self) -> None:
        for pause in list(self._pauses):
            pause.cancel()

    def _troubled(self, trouble: str) -> None:
        """Each new trouble is told once, until the queue is read again."""
        if trouble != self._last_trouble:
            self._last_trouble = trouble
            self._log.warning("amqp.trouble", queue=self._queue, broker=str(self._address), trouble=trouble)


def _name(properties: Any) -> str:
    """Return the name of a message: its id, as far as a file could be called so, with an ending; "" for none."""
    name = file_name(_text(properties.message_id)) or ""
    ending = table_ending(_text(properties.content_type).encode())
    if ending:
        return as_table(name or "message", ending)
    return f"{name}.xml" if name and "." not in name else name


def _once(properties: Any, body: bytes) -> str | None:
    """Return the key of a repeat: the same id with other bytes is another message."""
    sent_as = _text(properties.message_id)
    return f"amqp {hashlib.sha256(body).hexdigest()[:32]} {sent_as}" if sent_as else None


def _text(value: str | bytes | None) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value or ""
