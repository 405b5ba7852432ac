"""The real daemon, a real broker: orders come out of one queue, sealed messages go into another, answers come back."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import samples
from tests.brokers import RabbitMQ
from tests.crash.daemon import ask, quiet_home, running, until
from tests.homes import demo_home
from tests.queues import ANSWERED, ORDERS, SENT, STATES, Sent, answers, on_queues, order

TAKEN = "SELECT file, size, findings FROM interchange WHERE sender = 'shop'"


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


def test_a_message_too_large_for_the_house_is_refused_and_leaves_the_queue(broker: RabbitMQ, tmp_path: Path) -> None:
    home = on_queues(quiet_home(demo_home(tmp_path)), broker.port)
    broker.declare(SENT, ANSWERED, ORDERS)
    large = samples.message("CEB311", 1, start=1) + b" " * 70_000_000
    broker.publish(ORDERS, ("large.xml", large), ("table.csv", b"\x00" * 9_000_000), order(2))
    with running(home, "run") as daemon:
        until(lambda: [row[2] for row in ask(home, STATES)] == ["sent"], 30, lambda: daemon.words.read_text("utf-8"))
        until(lambda: len(ask(home, TAKEN)) == 3, 30, lambda: daemon.words.read_text("utf-8"))
        assert daemon.stop() == 0
    assert broker.take(ORDERS) == []
    broker.purge(SENT)
    taken = {
        file: (size, json.loads(findings)[0]["code"] if findings else "") for file, size, findings in ask(home, TAKEN)
    }
    assert taken["large.xml"] == (len(large), "S004")
    assert taken["table.csv"][0] == 9_000_000
    assert taken["CEB311_2.xml"][1] == ""
    assert list((home / "spool/roads/shop").iterdir()) == []
    refused = {file.name for file in (home / "spool/partners/shop/refused").iterdir()}
    assert {"large.xml", "large.xml.why.txt"} <= refused


def test_a_suspended_partner_is_not_read_and_one_who_serves_again_is(broker: RabbitMQ, tmp_path: Path) -> None:
    home = on_queues(quiet_home(demo_home(tmp_path)), broker.port)
    broker.declare(SENT, ANSWERED, ORDERS)
    shop = home / "partners/shop.toml"
    serving = shop.read_text("utf-8")
    shop.write_text(serving.replace("suspended = false", "suspended = true"), "utf-8")
    broker.publish(ORDERS, order(3))
    with running(home, "run") as daemon:
        until(lambda: "amqp.reading" in daemon.words.read_text("utf-8"), 20)
        assert broker.depth(ORDERS) == 1
        shop.write_text(serving, "utf-8")
        until(lambda: [row[2] for row in ask(home, STATES)] == ["sent"], 30, lambda: daemon.words.read_text("utf-8"))
        shop.write_text(serving.replace("suspended = false", "suspended = true"), "utf-8")
        until(lambda: readers(broker) == 0, 20)
        assert daemon.stop() == 0
    broker.purge(SENT)


def readers(broker: RabbitMQ) -> int:
    with broker.connection() as line:
        return int(line.channel().queue_declare(ORDERS, passive=True).method.consumer_count)
