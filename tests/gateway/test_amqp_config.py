"""What files say of brokers is checked before anything is read or sent, and the doctor looks at every queue."""

import json
from pathlib import Path

import pytest

from gateway.cli import ended
from gateway.config import inspect_house, load_house
from gateway.config_roads import Broker
from gateway.roads import places
from tests.brokers import RabbitMQ
from tests.ports import free_port
from tests.queues import ANSWERED, ORDERS, SENT, on_queues, place


def told(home: Path) -> list[tuple[str, str, str]]:
    return [(one.severity, one.file, one.what) for one in inspect_house(home, {})[1]]


def change(file: Path, was: str, becomes: str) -> None:
    """The last place where it stands says something else: the first may be a comment."""
    before, found, after = file.read_text("utf-8").rpartition(was)
    assert found
    file.write_text(before + becomes + after, "utf-8")


def test_a_home_on_queues_is_in_order_and_visits_each_queue_that_is_meant(home: Path) -> None:
    on_queues(home, 5672)
    assert told(home) == []
    change(home / "partners/pay.toml", "suspended = false", "suspended = true")
    change(
        home / "partners/pay.toml", "# [fetch.amqp]", place(5672, "{dxpId}").replace("host", "[fetch.amqp]\nhost", 1)
    )
    assert [(name, kind, one.queue) for name, kind, one in places(load_house(home)) if isinstance(one, Broker)] == [
        ("shop", "amqp", "shop.orders"),
        ("customs", "amqp", "DXPENT0000030001_HZ"),
        ("customs", "amqp", "DXPENT0000030002_HZ"),
        ("customs", "amqp", "DXPENT0000030004_HZ"),
        ("customs", "amqp", "DXPLGS0000030003_HZ"),
    ]


@pytest.mark.parametrize(
    ("was", "becomes", "what"),
    [
        ('host = "127.0.0.1"', 'host = "amqp://127.0.0.1"', '"amqp://127.0.0.1" is no host'),
        ('user = "kouan"', 'user = ""', "the broker has no user"),
        ('queue = "shop.orders"', 'queue = ""', '"" is no name of a queue'),
        ('queue = "shop.orders"', 'queue = "{dxpid}"', '"{dxpid}" is no name of a queue'),
        ("port = 5672", "port = 0", "0 is out of range"),
        ("port = 5672", "port = 5672\nprefetch = 0", "0 is out of range"),
        ("port = 5672", "port = 5672\nheartbeat_seconds = 0", "0 is out of range"),
        ('"keys/mq.password"', '"keys/none"', 'there is no file "keys/none"'),
        ("port = 5672", 'port = 5672\nca_file = "keys/ca.pem"', "a ca_file is named, but tls = false"),
        (
            "port = 5672",
            'port = 5672\ntls = true\nca_file = "keys/ca.pem"',
            'there are no certificates in "keys/ca.pem"',
        ),
    ],
)
def test_a_broker_that_cannot_serve_keeps_the_house_shut(home: Path, was: str, becomes: str, what: str) -> None:
    on_queues(home, 5672)
    change(home / "partners/shop.toml", was, becomes)
    errors = [one for one in told(home) if one[0] == "error"]
    assert errors == [("error", "partners/shop.toml", what)]


def test_a_password_in_the_clear_is_warned_of(home: Path) -> None:
    on_queues(home, 5672)
    change(home / "partners/shop.toml", 'host = "127.0.0.1"', 'host = "mq.example.cn"')
    what = "the password goes to mq.example.cn in the clear"
    assert told(home) == [("warning", "partners/shop.toml", what)]


def test_the_queue_of_answers_is_not_the_one_we_publish_into(home: Path) -> None:
    on_queues(home, 5672)
    change(home / "authorities/customs.toml", 'queue = "{dxpId}_HZ"', 'queue = "{dxpId}"')
    what = "its answers are read from the queue that we publish into"
    assert told(home) == [("error", "authorities/customs.toml", what)]


def test_a_queue_is_read_for_one_sender(home: Path) -> None:
    on_queues(home, 5672)
    change(home / "partners/shop.toml", 'queue = "shop.orders"', 'queue = "{dxpId}_HZ"')
    what = "its queue DXPENT0000030001_HZ is also read for partners/shop.toml"
    assert told(home) == [("error", "authorities/customs.toml", what)]


def test_a_carrier_of_kind_amqp_has_a_broker_and_no_other_has(home: Path) -> None:
    customs = home / "authorities/customs.toml"
    change(customs, 'kind = "folder"', 'kind = "amqp"')
    assert told(home) == [("error", "authorities/customs.toml", "the carrier has no broker")]
    on_queues(home, 5672)
    change(customs, 'kind = "amqp"', 'kind = "folder"\nfolder = "spool/out"')
    assert told(home) == [("error", "authorities/customs.toml", 'a broker is named, but kind = "folder"')]


def test_the_doctor_looks_at_every_queue(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def seen(ends: int) -> list[tuple[str, str, str]]:
        capsys.readouterr()
        assert ended(["doctor", "--json", "--home", str(home)]) == ends
        found = json.loads(capsys.readouterr().out)["symptoms"]
        return [
            (one["name"], one["status"], one["seen"]) for one in found if "queue" in one["name"] or "mq" in one["name"]
        ]

    for name in ("pay", "ship", "agent"):
        (home / f"partners/{name}.toml").unlink()
    broker = RabbitMQ(tmp_path / "rabbit").start()
    try:
        on_queues(home, broker.port)
        broker.declare(ORDERS, SENT)
        broker.publish(ORDERS, ("1", b"one"))
        missing = f"the broker closed the channel: 404 NOT_FOUND - no queue '{ANSWERED}' in vhost '/'"
        assert seen(1) == [
            (f"queue {ORDERS} of shop", "ok", "1 messages, 0 readers"),
            (f"queue {ANSWERED} of customs", "error", f"127.0.0.1:{broker.port}: {missing}"),
            (f"queue {SENT} of customs", "warning", "0 messages, nobody reads it"),
        ]
        broker.declare(ANSWERED)
        (home / "keys/mq.password").chmod(0o644)
        assert seen(1)[-1] == ("password mq.password", "error", "others can read it")
    finally:
        broker.end()
    (home / "keys/mq.password").chmod(0o600)
    assert {status for _, status, _ in seen(1)} == {"error"}


def test_a_daemon_whose_broker_is_away_opens_its_doors_all_the_same(home: Path) -> None:
    from tests.crash.daemon import quiet_home, running, until

    on_queues(quiet_home(home), free_port())
    with running(home, "run") as daemon:
        until(lambda: "amqp.trouble" in daemon.words.read_text("utf-8"), 20)
        assert daemon.stop() == 0
    assert "Connection was refused" in daemon.words.read_text("utf-8")
