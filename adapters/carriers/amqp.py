"""The AMQP carrier: persistent messages into a queue of a broker, each confirmed by it before it counts as carried.

A message travels under its parcel's name as `message_id`; who repeats it after a
lost confirmation sends the same bytes under the same id.  A message that the
broker could not put into any queue comes back and stays ours.

What comes back is told by its `message_id`: pika marks the first message of a
confirmation for several as the one that came back, and forgets the second of two.

**Known limits**: who reads the queue must know a message again by its id, since a
confirmation lost with its connection is followed by a repeat.  The broker's
confirmation says that its queue has the message, nothing of who reads it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pika import BasicProperties, DeliveryMode, exceptions
from twisted.internet import defer
from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks, maybeDeferred
from twisted.python.failure import Failure

from adapters.amqp import Address, AmqpTrouble, Line, closing, connected, told
from adapters.carriers.carrier import Carried, Parcel

BY_SENDER: Final = "{dxpId}"
"""Stands in the name of a queue for the identity of who sends: the SenderId of the envelope."""
_SENDER: Final = re.compile(rb"<(?:\w+:)?SenderId>\s*([0-9A-Za-z_]{1,30})\s*</")
_HEAD: Final = 4096
_PRECONDITION_FAILED: Final = 406
_IDLE_SECONDS: Final = 60.0
_NEXT: Final = "the broker refuses a message that went with this one; it goes again"


@dataclass(slots=True)
class _Way:
    """A line, its channel in confirm mode, and what came back on it: why, by message id."""

    line: Line
    channel: Any
    returned: dict[str, str] = field(default_factory=dict)
    broken: bool = False
    closed_over: str = ""

    def came_back(self, message: Any) -> None:
        self.returned[message.properties.message_id] = f"{message.method.reply_code} {message.method.reply_text}"


class AmqpCarrier:
    """Carries into one queue of a broker, or into one for each sender."""

    together = 64
    side_by_side = 8

    def __init__(self, address: Address, queue: str, *, reactor: Any = None) -> None:
        """Nothing is asked of the broker yet."""
        if reactor is None:
            from twisted.internet import reactor
        self._reactor = reactor
        self._address = address
        self._queue = queue
        self._way: _Way | None = None
        self._opening: list[Deferred[_Way]] = []
        self._ending: set[Deferred[Any]] = set()
        self._busy = 0
        self._idle: Any = None

    @inlineCallbacks
    def carry(self, parcels: Sequence[Parcel]):  # type: ignore[no-untyped-def]  # noqa: ANN201  inlineCallbacks types it
        """Fire with one result a parcel when the broker confirmed, returned or lost each."""
        self._busy += 1
        # A line, its channel, its mode and the confirmations may take one patience each; the whole never more than 8.
        latest = self._reactor.seconds() + 4 * self._address.timeout_seconds
        try:
            results = yield self._carry(parcels)
            for place, parcel in enumerate(parcels):
                if results[place] is None and self._reactor.seconds() < latest:
                    results[place] = yield self._carry_alone(parcel)
        finally:
            self._busy -= 1
            self._rest()
        return [
            one or Carried(parcel.number, ok=False, trouble=_NEXT, fault="neighbour")
            for one, parcel in zip(results, parcels, strict=True)
        ]

    def close(self) -> "Deferred[Any]":
        """Fire when there is no line to the broker."""
        if self._idle is not None and self._idle.active():
            self._idle.cancel()
        if self._way is not None:
            self._end(self._way)
        return DeferredList(list(self._ending))

    @inlineCallbacks
    def _carry(self, parcels: Sequence[Parcel]):  # type: ignore[no-untyped-def]  # noqa: ANN202
        """Fire with one result a parcel; None where it has to go alone, as the broker closed the channel over one."""
        try:
            way = yield self._ready()
        except AmqpTrouble as trouble:
            return [Carried(parcel.number, ok=False, trouble=str(trouble), fault="road") for parcel in parcels]
        results = yield self._published(way, parcels)
        if way.broken:
            self._end(way)
        return results

    @inlineCallbacks
    def _carry_alone(self, parcel: Parcel):  # type: ignore[no-untyped-def]  # noqa: ANN202  inlineCallbacks types it
        """Fire with the result of a parcel on a line of its own: if the broker closes that, it is over this parcel."""
        try:
            way = yield self._opened()
        except AmqpTrouble as trouble:
            return Carried(parcel.number, ok=False, trouble=str(trouble), fault="road")
        [result] = yield self._published(way, [parcel])
        self._end(way)
        if result is None:
            words = f"{self._address}: the broker refuses this message: {way.closed_over}"
            return Carried(parcel.number, ok=False, trouble=words, permanent=True)
        return result

    @inlineCallbacks
    def _published(self, way: _Way, parcels: Sequence[Parcel]):  # type: ignore[no-untyped-def]  # noqa: ANN202
        told_of = DeferredList([self._publish(way, parcel) for parcel in parcels])
        told_of.addTimeout(self._address.timeout_seconds, self._reactor)
        return [result for _, result in (yield told_of)]

    def _publish(self, way: _Way, parcel: Parcel) -> "Deferred[Carried | None]":
        queue = self._queue_of(parcel)
        if not queue:
            trouble = "the envelope names no SenderId, so its queue is not known"
            return defer.succeed(Carried(parcel.number, ok=False, trouble=trouble, permanent=True))
        properties = BasicProperties(
            message_id=parcel.name,
            type=parcel.message_type,
            content_type="application/xml",
            app_id="kouan",
            delivery_mode=DeliveryMode.Persistent,
        )
        done = maybeDeferred(way.channel.basic_publish, "", queue, parcel.body, properties, mandatory=True)
        return done.addBoth(self._judged, way, parcel, queue)

    def _queue_of(self, parcel: Parcel) -> str:
        if BY_SENDER not in self._queue:
            return self._queue
        sender = _SENDER.search(parcel.body[:_HEAD])
        return self._queue.replace(BY_SENDER, sender[1].decode("ascii")) if sender else ""

    def _judged(self, result: object, way: _Way, parcel: Parcel, queue: str) -> Carried | None:
        trouble = result.value if isinstance(result, Failure) else None
        came_back = way.returned.pop(parcel.name, "")
        if came_back:
            words = f"no queue {queue} takes it: {came_back}"
        elif trouble is None or isinstance(trouble, exceptions.UnroutableError):
            return Carried(parcel.number, ok=True, acknowledgement=parcel.name)
        elif isinstance(trouble, exceptions.NackError):
            words = f"the queue {queue} does not take it; it may be full"
        else:
            way.broken = True
            words = told(trouble)
            if isinstance(trouble, defer.CancelledError):
                words = f"no confirmation within {self._address.timeout_seconds:g} s"
            elif isinstance(trouble, exceptions.ChannelClosedByBroker) and trouble.reply_code == _PRECONDITION_FAILED:
                way.closed_over = trouble.reply_text
                return None
        return Carried(parcel.number, ok=False, trouble=f"{self._address}: {words}")

    def _ready(self) -> "Deferred[_Way]":
        """Return what fires with an open way; all who ask while it is being opened have the same."""
        if self._idle is not None and self._idle.active():
            self._idle.cancel()
        if self._way is not None:
            return defer.succeed(self._way)
        waiting: Deferred[_Way] = Deferred()
        self._opening.append(waiting)
        if len(self._opening) == 1:
            self._opened().addBoth(self._tell)
        return waiting

    @inlineCallbacks
    def _opened(self):  # type: ignore[no-untyped-def]  # noqa: ANN202  inlineCallbacks types it
        line = yield connected(self._reactor, self._address)
        try:
            channel = yield line.channel().addTimeout(self._address.timeout_seconds, self._reactor)
            way = _Way(line, channel)
            channel.add_on_return_callback(way.came_back)
            channel.on_closed.addCallback(lambda _: self._lost(way))
            yield channel.confirm_delivery().addTimeout(self._address.timeout_seconds, self._reactor)
        except Exception as trouble:
            line.abort()
            raise AmqpTrouble(f"{self._address}: {told(trouble)}") from trouble
        return way

    def _tell(self, result: "_Way | Failure") -> None:
        self._way = None if isinstance(result, Failure) else result
        waiting, self._opening = self._opening, []
        for one in waiting:
            one.callback(result)

    def _end(self, way: _Way) -> None:
        self._lost(way)
        ending = closing(way.line, self._reactor)
        self._ending.add(ending)
        ending.addBoth(lambda _: self._ending.discard(ending))

    def _lost(self, way: _Way) -> None:
        if self._way is way:
            self._way = None

    def _rest(self) -> None:
        """A line that nobody has used for a while is closed."""
        if not self._busy and self._way is not None:
            self._idle = self._reactor.callLater(_IDLE_SECONDS, self.close)
