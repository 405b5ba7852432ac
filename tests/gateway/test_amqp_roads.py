"""The real daemon, a real broker: orders come out of one queue, sealed messages go into another, answers come back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import RabbitMQ
from tests.crash.daemon import ask, quiet_home, running, until
from tests.homes import demo_home
from tests.queues import ANSWERED, ORDERS, SENT, STATES, Sent, answers, on_queues, order


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    one = RabbitMQ(tmp_path_factory.mktemp("rabbit")).start()
    yield one
    one.end()


def test_orders_leave_a_queue_and_their_answers_come_home_by_another(broker: RabbitMQ, tmp_path: Path) -> None:
    home = on_queues(quiet_home(demo_home(tmp_path)), broker.port)
    broker.declare(SENT, ANSWERED, ORDERS)
    broker.publish(ORDERS, *map(order, range(1, 21)))
    with running(home, "run") as daemon:
        until(lambda: broker.depth(SENT) > 0, 30, lambda: daemon.words.read_text("utf-8"))
        sent: list[Sent] = []

        def closed() -> bool:
            sent.extend(taken := broker.take(SENT))
            broker.publish(ANSWERED, *answers(taken))
            return [row[2] for row in ask(home, STATES)] == ["closed"] * 20

        until(closed, 30, lambda: daemon.words.read_text("utf-8"))
        assert daemon.stop() == 0
    assert broker.take(ORDERS) == []
