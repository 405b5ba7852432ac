"""The real daemon, a real broker: orders come out of one queue, sealed messages go into another, answers come back."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from message_specs import writing
from tests import samples
from tests.brokers import PASSWORD, USER, RabbitMQ
from tests.crash.daemon import ask, quiet_home, running, until
from tests.crash.world import fields
from tests.homes import demo_home

Sent = tuple[str | None, bytes]
SENT, ANSWERED, ORDERS = "DXPENT0000030001", "DXPENT0000030001_HZ", "shop.orders"
STATES = "SELECT key, version, state FROM document WHERE spec = 'CEB311' ORDER BY key"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    one = RabbitMQ(tmp_path_factory.mktemp("rabbit")).start()
    try:
        yield one
    finally:
        one.end()


def on_queues(home: Path, broker: RabbitMQ) -> Path:
    """The shop's orders are fetched from a queue; customs is reached by queues named after who sends."""
    place = f'host = "127.0.0.1"\nport = {broker.port}\nuser = "{USER}"\npassword_file = "keys/mq.password"\n'
    (home / "keys/mq.password").write_text(PASSWORD + "\n", "utf-8")
    (home / "keys/mq.password").chmod(0o600)
    shop = home / "partners/shop.toml"
    shop.write_text(f'{shop.read_text("utf-8")}\n[fetch.amqp]\n{place}queue = "{ORDERS}"\n', "utf-8")
    customs = home / "authorities/customs.toml"
    text = re.sub(r"(?ms)^\[carrier\].*?(?=^\[retry\])", "", customs.read_text("utf-8"))
    text += f'\n[carrier]\nkind = "amqp"\n[carrier.amqp]\n{place}queue = "{{dxpId}}"\n'
    text += f'\n[answers.fetch.amqp]\n{place}queue = "{{dxpId}}_HZ"\n'
    text = text.replace("first_seconds = 2.0", "first_seconds = 0.2").replace("most_seconds = 600", "most_seconds = 1")
    customs.write_text(text, "utf-8")
    return home


def order(number: int) -> Sent:
    return f"CEB311_{number}.xml", samples.message("CEB311", 1, start=number)


def orders_in(envelope: bytes) -> list[str]:
    """The numbers of the orders in a sealed message."""
    data = re.search(rb"<(?:\w+:)?Data>([^<]+)</", envelope)
    assert data
    return [found.decode() for found in re.findall(rb"orderNo>([^<]+)</", base64.b64decode(data[1]))]


def answers(sent: list[Sent]) -> list[Sent]:
    """What customs says of each sealed message: its orders are in the books."""
    return [(f"HZ-{name}", answer(orders_in(body))) for name, body in sent]


def answer(orders: list[str]) -> bytes:
    rows = [{**fields(1, "120"), "guid": samples.guid("R", n), "orderNo": one} for n, one in enumerate(orders)]
    return writing.receipt("CEB312Message", "", [("OrderReturn", one) for one in rows])


def test_orders_leave_a_queue_and_their_answers_come_home_by_another(broker: RabbitMQ, tmp_path: Path) -> None:
    home = on_queues(quiet_home(demo_home(tmp_path)), broker)
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
