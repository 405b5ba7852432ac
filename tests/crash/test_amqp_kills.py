"""Between the ledger and the broker everything may die: nothing is lost, and what comes again has the same identity."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import RabbitMQ
from tests.crash.daemon import ask, quiet_home, running, until
from tests.homes import demo_home
from tests.queues import ANSWERED, ORDERS, SENT, STATES, Sent, answers, on_queues, order, orders_in
from tests.relay import Relay

FETCHED = "SELECT count(*) FROM interchange WHERE door = 'amqp' AND sender = 'shop'"
GONE = "SELECT count(*) FROM document WHERE state = 'sent'"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RabbitMQ]:
    one = RabbitMQ(tmp_path / "rabbit").start()
    one.keep(SENT, ANSWERED, ORDERS)
    yield one
    one.end()


@pytest.fixture
def relay(broker: RabbitMQ) -> Iterator[Relay]:
    one = Relay(broker.port)
    yield one
    one.end()


def readers(broker: RabbitMQ, queue: str) -> int:
    with broker.connection() as line:
        return int(line.channel().queue_declare(queue, passive=True).method.consumer_count)


def known(home: Path) -> list[str]:
    """The numbers of the orders in our book."""
    return sorted(row[0].partition("|")[2] for row in ask(home, STATES))


def test_a_daemon_killed_between_its_commit_and_the_acknowledgement_takes_each_order_once(
    broker: RabbitMQ, relay: Relay, tmp_path: Path
) -> None:
    home = on_queues(quiet_home(demo_home(tmp_path)), broker.port, fetch=relay.port)
    with running(home, "run"):
        until(lambda: readers(broker, ORDERS) == 1, 20)
        relay.swallows_words = True
        broker.publish(ORDERS, *map(order, range(1, 21)))
        until(lambda: ask(home, FETCHED) == [(20,)], 20)
    relay.cut()
    until(lambda: broker.depth(ORDERS) == 20, 20)
    with running(home, "run") as daemon:
        until(lambda: broker.depth(ORDERS) == 0 and broker.depth(SENT) > 0, 20)
        until(lambda: ask(home, GONE) == [(20,)], 20)
        # What was not looked at when the daemon is stopped goes back to the queue.
        until(lambda: ask(home, FETCHED) == [(40,)], 20)
        assert daemon.stop() == 0
    assert broker.take(ORDERS) == []
    assert ask(home, f"{FETCHED} AND duplicate_of IS NULL AND once IS NOT NULL") == [(20,)]
    assert {row[1:] for row in ask(home, STATES)} == {(1, "sent")}
    # The kill may fall between a confirmation and our note of it: then the same bytes go again, under the same id.
    sent = broker.take(SENT)
    by_id = dict(sent)
    assert all(by_id[name] == body for name, body in sent)
    assert sorted(one for body in by_id.values() for one in orders_in(body)) == known(home)


def test_a_confirmation_that_is_lost_with_the_daemon_repeats_the_same_bytes_under_the_same_id(
    broker: RabbitMQ, relay: Relay, tmp_path: Path
) -> None:
    home = on_queues(quiet_home(demo_home(tmp_path)), broker.port, carrier=relay.port)
    with running(home, "run"):
        broker.publish(ORDERS, order(1))
        until(lambda: ask(home, GONE) == [(1,)], 20)
        relay.swallows_answers = True
        broker.publish(ORDERS, *map(order, range(2, 7)))
        until(lambda: broker.depth(SENT) >= 2, 20)
        time.sleep(0.5)
    relay.cut()
    before = broker.take(SENT)
    with running(home, "run") as daemon:
        until(lambda: ask(home, GONE) == [(6,)], 20)
        assert daemon.stop() == 0
    after = broker.take(SENT)
    assert after, "what was not confirmed was sent again"
    first = dict(before)
    assert all(first[name] == body for name, body in after if name in first)
    together = {**first, **dict(after)}
    assert sorted(one for body in together.values() for one in orders_in(body)) == known(home)


def test_daemon_and_broker_killed_in_turn_lose_no_order_and_double_none(broker: RabbitMQ, tmp_path: Path) -> None:
    seed = time.time_ns() % 10**6
    print(f"seed {seed}")
    chance = random.Random(seed)
    home = on_queues(quiet_home(demo_home(tmp_path)), broker.port)
    sent: list[Sent] = []
    files = 400

    def customs_reads() -> None:
        sent.extend(taken := broker.take(SENT))
        broker.publish(ANSWERED, *answers(taken))

    broker.publish(ORDERS, *map(order, range(1, files // 2 + 1)))
    for turn in range(3):
        with running(home, "run"):
            time.sleep(chance.uniform(0.3, 1.2))
            if turn == 1:
                broker.kill()
                time.sleep(0.5)
                broker.start()
                broker.publish(ORDERS, *map(order, range(files // 2 + 1, files + 1)))
            customs_reads()
    with running(home, "run") as daemon:
        time.sleep(chance.uniform(0.1, 0.5))
        broker.kill()
        broker.start()

        def closed() -> bool:
            customs_reads()
            return [row[1:] for row in ask(home, STATES)] == [(1, "closed")] * files

        until(closed, 60, lambda: f"seed {seed} {daemon.words.read_text('utf-8')[-3000:]}")
        until(lambda: broker.depth(ANSWERED) == 0, 20)
        assert daemon.stop() == 0
    assert broker.take(ORDERS) == []
    assert broker.take(ANSWERED) == []
    by_id = dict(sent)
    assert all(by_id[name] == body for name, body in sent), "the same id, the same bytes"
    told = [one for body in by_id.values() for one in orders_in(body)]
    assert sorted(told) == known(home)
