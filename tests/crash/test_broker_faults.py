"""What goes wrong at a broker: nothing is lost, nothing leaves under another identity, and operators are told."""

from pathlib import Path

from tests.brokers import RabbitMQ
from tests.crash.daemon import ask, quiet_home, running, until
from tests.crash.test_remote_faults import OUTBOX, drop, released, symptoms, told, waiting
from tests.homes import demo_home
from tests.queues import ANSWERED, SENT, on_queues, orders_in

LIMIT = "max_message_size = 2000"
"""Less than any sealed message has."""


def test_a_broker_that_is_away_or_refuses_is_told_of_and_what_it_refused_leaves_by_its_cause(tmp_path: Path) -> None:
    broker = RabbitMQ(tmp_path / "rabbit", settings=LIMIT).start()
    try:
        broker.keep(SENT, ANSWERED)
        home = on_queues(quiet_home(demo_home(tmp_path)), broker.port)
        shop, customs = home / "partners/shop.toml", home / "authorities/customs.toml"
        shop.write_text(shop.read_text("utf-8").partition("\n[fetch.amqp]")[0], "utf-8")
        customs.write_text(customs.read_text("utf-8").replace("pack = 100", "pack = 1"), "utf-8")
        with running(home, "run") as daemon:
            drop(home, "shop", "CEB311", 1, 2, 3)
            waiting(home, 3)
            until(lambda: {row[2] for row in ask(home, OUTBOX)} == {"held"}, 60, lambda: str(ask(home, OUTBOX)))
            (group,) = told(home, "queue")["causes"]
            assert (group["authority"], group["documents"], group["messages"]) == ("customs", 3, 3)
            assert "the broker refuses this message" in group["why"]
            assert [one for one in symptoms(home) if one[0] == "warning"] == [("warning", "扣留 3 messages held")]

            broker.kill()
            drop(home, "shop", "CEB311", *range(4, 10))
            waiting(home, 9)
            until(lambda: told(home, "authority", "show", "customs")["breaker"]["state"] != "closed", 60)
            (status, seen), *_ = symptoms(home)
            assert (status, "cannot be reached" in seen) == ("warning", True)
            away = [one for one in told(home, "doctor")["symptoms"] if one["name"] == f"queue {SENT} of customs"]
            assert [one["status"] for one in away] == ["error"]
            (row,) = [one for one in told(home, "queue")["outbox"] if one["state"] == "waiting"]
            assert (row["messages"], "cannot be reached" in row["trouble"]) == (6, True)

            conf = broker.folder / "rabbitmq.conf"
            conf.write_text(conf.read_text("utf-8").replace(LIMIT, ""), "utf-8")
            broker.start()
            assert released(home, group["cause"]) == ["ready"] * 3
            told(home, "authority", "probe", "customs")
            until(lambda: [row[2] for row in ask(home, OUTBOX)] == ["gone"] * 9, 90, lambda: str(ask(home, OUTBOX)))
            words = daemon.words.read_text("utf-8")
            assert ['"authority.broken"' in words, '"authority.mended"' in words] == [True, True]
            assert daemon.stop() == 0
        sent = broker.take(SENT)
    finally:
        broker.end()
    numbers = [row[0] for row in ask(home, OUTBOX)]
    assert sorted(name or "" for name, _ in sent) == [f"{number}.CEB311Message.xml" for number in numbers]
    orders = [key.partition("|")[2] for (key,) in ask(home, "SELECT key FROM document ORDER BY key")]
    assert sorted(one for _, body in sent for one in orders_in(body)) == orders
