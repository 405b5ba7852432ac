"""How many messages a second the AMQP carrier has confirmed, beside what the broker alone confirms to a bare client.

    python -m tests.bench.amqp [--messages 20000] [--bytes 4000] [--rounds 3]

The bare client publishes the same persistent messages with mandatory flag and confirmations over pika's
own asynchronous connection, as many in flight as the carrier has; the rounds alternate, and the ratio is that of the
medians.  The broker is Debian's, on this machine, below a folder of its own.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import pika
from twisted.internet import task
from twisted.internet.defer import inlineCallbacks

from adapters.amqp import Address
from adapters.carriers.amqp import AmqpCarrier
from adapters.carriers.carrier import Parcel
from tests.brokers import PASSWORD, USER, RabbitMQ

QUEUE = "bench"


def bare(broker: RabbitMQ, messages: int, body: bytes, at_once: int) -> float:
    """Messages a second that a bare pika connection has confirmed, groups of `at_once` in flight."""
    credentials = pika.PlainCredentials(USER, PASSWORD)
    state: dict[str, Any] = {"sent": 0, "low": 1, "started": 0.0, "seconds": 0.0}

    open_: set[int] = set()

    def publish(channel: Any) -> None:
        for _ in range(min(at_once, messages - state["sent"])):
            state["sent"] += 1
            open_.add(state["sent"])
            properties = pika.BasicProperties(message_id=f"{state['sent']}.xml", delivery_mode=2)
            channel.basic_publish("", QUEUE, body, properties, mandatory=True)

    def confirmed(frame: Any) -> None:
        method = frame.method
        for tag in range(state["low"], method.delivery_tag + 1) if method.multiple else (method.delivery_tag,):
            open_.discard(tag)
        if method.multiple:
            state["low"] = method.delivery_tag + 1
        if open_:
            return
        if state["sent"] >= messages:
            state["seconds"] = time.perf_counter() - state["started"]
            connection.close()
        else:
            publish(channel_of[0])

    channel_of: list[Any] = []

    def opened(channel: Any) -> None:
        channel_of.append(channel)
        channel.confirm_delivery(confirmed, callback=lambda _: begin(channel))

    def begin(channel: Any) -> None:
        state["started"] = time.perf_counter()
        publish(channel)

    connection = pika.SelectConnection(
        pika.ConnectionParameters("127.0.0.1", broker.port, credentials=credentials),
        on_open_callback=lambda one: one.channel(on_open_callback=opened),
        on_close_callback=lambda one, _: one.ioloop.stop(),
    )
    connection.ioloop.start()
    return messages / float(state["seconds"])


@inlineCallbacks
def carried(broker: RabbitMQ, messages: int, body: bytes, at_once: int) -> Any:
    """Messages a second that the carrier has confirmed, given to it in groups as the dispatch does."""
    carrier = AmqpCarrier(Address("127.0.0.1", USER, broker.folder / "password", port=broker.port), QUEUE)
    yield carrier.carry([Parcel(0, "0.xml", "", body)])
    started = time.perf_counter()
    for first in range(0, messages, at_once):
        numbers = range(first, min(first + at_once, messages))
        told = yield carrier.carry([Parcel(n, f"{n}.CEB311Message.xml", "CEB311Message", body) for n in numbers])
        assert all(one.ok for one in told), told[0]
    seconds = time.perf_counter() - started
    yield carrier.close()
    return messages / seconds


@inlineCallbacks
def rounds(broker: RabbitMQ, given: argparse.Namespace) -> Any:
    body = b"x" * given.bytes
    figures: dict[str, Any] = {"bytes": given.bytes, "messages": given.messages}
    for at_once in given.at_once:
        alone, ours = [], []
        for _ in range(given.rounds):
            broker.purge(QUEUE)
            ours.append((yield carried(broker, given.messages, body, at_once)))
            broker.purge(QUEUE)
            alone.append(bare(broker, given.messages, body, at_once))
        bare_, carrier = statistics.median(alone), statistics.median(ours)
        figures[f"{at_once} at once"] = {
            "broker alone": round(bare_), "carrier": round(carrier), "ratio": round(carrier / bare_, 2),
        }  # fmt: skip
    print(json.dumps(figures, indent=1))


def main() -> None:
    """The figures stand on stdout."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--bytes", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--at-once", type=int, nargs="+", default=[64, 1000])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kouan-bench-") as folder:
        broker = RabbitMQ(Path(folder) / "rabbit").start()
        try:
            (broker.folder / "password").write_text(PASSWORD, "utf-8")
            broker.declare(QUEUE)
            task.react(lambda _: rounds(broker, given))
        finally:
            broker.end()


if __name__ == "__main__":
    main()
