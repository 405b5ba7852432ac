"""A home whose orders come out of a queue and whose customs is reached by queues, and what such a customs answers."""

import base64
import re
from pathlib import Path

from message_specs import writing
from tests import samples
from tests.brokers import PASSWORD, USER
from tests.crash.world import fields

Sent = tuple[str | None, bytes]
SENT, ANSWERED, ORDERS = "DXPENT0000030001", "DXPENT0000030001_HZ", "shop.orders"
STATES = "SELECT key, version, state FROM document WHERE spec = 'CEB311' ORDER BY key"


def place(port: int, queue: str) -> str:
    """A broker of this machine, and a queue of it, as the configuration has them."""
    return f"""host = "127.0.0.1"
port = {port}
user = "{USER}"
password_file = "keys/mq.password"
queue = "{queue}"
"""


def on_queues(home: Path, broker: int, *, fetch: int = 0, carrier: int = 0) -> Path:
    """The shop's orders are fetched from a queue; customs is reached by queues named after who sends.

    `broker` is its port; others may be named for single roads.
    """
    (home / "keys/mq.password").write_text(PASSWORD + "\n", "utf-8")
    (home / "keys/mq.password").chmod(0o600)
    shop = home / "partners/shop.toml"
    shop.write_text(f"{shop.read_text('utf-8')}\n[fetch.amqp]\n{place(fetch or broker, ORDERS)}", "utf-8")
    customs = home / "authorities/customs.toml"
    text = re.sub(r"(?ms)^\[carrier\].*?(?=^\[retry\])", "", customs.read_text("utf-8"))
    text += f'\n[carrier]\nkind = "amqp"\n[carrier.amqp]\n{place(carrier or broker, "{dxpId}")}'
    text += f"\n[answers.fetch.amqp]\n{place(broker, '{dxpId}_HZ')}"
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
