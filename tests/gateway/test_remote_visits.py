"""The real daemon visits a real sshd: what lies there is in the ledger first, and gone from there afterwards."""

import json
import socket
import time
from pathlib import Path

from gateway import drill
from tests import samples
from tests.crash.daemon import ask, quiet_home, running, until
from tests.homes import demo_home
from tests.remote_homes import our_key, place, served_customs, visiting_home
from tests.sshd import Sshd, sshd

TAKEN = "SELECT sender, door, file FROM interchange ORDER BY file"


def test_what_a_partner_has_for_us_is_fetched_acknowledged_and_gone_there(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    for number in (1, 2):
        (there / f"o{number}.xml").write_bytes(samples.message("CEB311", 1, start=number))
    (there / "o3.xml.part").write_bytes(b"<half")
    with sshd(tmp_path / "sshd") as server:
        home = visiting_home(tmp_path, server, "shop", place(server, there))
        with running(home, "run") as daemon:
            until(lambda: len(list(there.iterdir())) == 1, 20, lambda: daemon.words.read_text()[-3000:])
            assert daemon.stop() == 0
    assert [file.name for file in there.iterdir()] == ["o3.xml.part"]
    assert ask(home, TAKEN) == [("shop", "sftp", "o1.xml"), ("shop", "sftp", "o2.xml")]
    acks = sorted((home / "spool/partners/shop/out").glob("*.ack.json"))
    assert [json.loads(ack.read_bytes())["file"] for ack in acks] == ["o1.xml", "o2.xml"]
    assert list((home / "spool/visits").glob("*/*")) == []


def test_customs_behind_a_server_gets_what_is_declared_and_its_answers_come_home(tmp_path: Path) -> None:
    out, answers = tmp_path / "out", tmp_path / "answers"
    with sshd(tmp_path / "sshd") as server:
        (out.mkdir(), answers.mkdir())
        home = quiet_home(demo_home(tmp_path))
        our_key(home, server)
        served_customs(home, place(server, out), place(server, answers, more='files = "*.xml"\n'), out, answers)
        with running(home, "simulate", "customs"), running(home, "run") as daemon:
            (aside := home / "spool/partners/shop/.o1").write_bytes(samples.message("CEB311", 1))
            aside.rename(home / "spool/partners/shop/in/o1.xml")
            until(
                lambda: ask(home, "SELECT state FROM document") == [("closed",)], 20,
                lambda: daemon.words.read_text()[-3000:],
            )  # fmt: skip
            until(lambda: list(answers.iterdir()) == [], 20, lambda: daemon.words.read_text()[-3000:])
            assert daemon.stop() == 0
    assert list(out.iterdir()) == []


def test_a_trouble_is_told_once_and_once_more_when_it_is_over(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    server = Sshd(tmp_path / "sshd")
    home = visiting_home(tmp_path, server, "shop", place(server, there))
    try:
        with running(home, "run") as daemon:
            until(lambda: told(daemon.words) == ["remote.trouble"], 20)
            (there / "o1.xml").write_bytes(samples.message("CEB311", 1))
            time.sleep(3)
            server.start()
            until(lambda: not list(there.iterdir()), 30, lambda: daemon.words.read_text()[-3000:])
            assert daemon.stop() == 0
        assert told(daemon.words) == ["remote.trouble", "remote.well"]
    finally:
        server.stop()


def told(words: Path) -> list[str]:
    """The events about remotes in the log."""
    return [event for line in words.read_text().splitlines() if (event := json.loads(line)["event"])[:7] == "remote."]


def test_a_stop_waits_for_no_silent_server(tmp_path: Path) -> None:
    server = Sshd(tmp_path / "sshd")
    home = visiting_home(tmp_path, server, "shop", place(server, tmp_path).replace("seconds = 5.0", "seconds = 600.0"))
    with socket.create_server(("127.0.0.1", server.port)) as silent, running(home, "run") as daemon:
        silent.accept()
        assert daemon.stop() == 0  # long before the ten minutes for which it would wait for an answer


def test_a_long_table_is_let_go_of_there_when_its_interchange_is_in_the_ledger(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / "orders.csv").write_bytes(b"".join(drill.table(1, 3000)))
    with sshd(tmp_path / "sshd") as server:
        home = visiting_home(tmp_path, server, "shop", place(server, there))
        file = home / "partners/shop.toml"
        maps = 'certificates = []\nmaps = ["orders-311"]'
        file.write_text(file.read_text("utf-8").replace("certificates = []", maps), "utf-8")
        with running(home, "run") as daemon:
            until(lambda: not list(there.iterdir()), 40, lambda: daemon.words.read_text()[-3000:])
            until(lambda: ask(home, "SELECT count(*) FROM document") == [(3000,)], 40)
            assert daemon.stop() == 0
    assert ask(home, TAKEN) == [("shop", "sftp", "orders.csv")]


def test_what_is_longer_than_the_longest_that_is_taken_in_stays_there_and_is_told(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / "a.xml").write_bytes(samples.message("CEB311", 1))
    with (there / "long.xml").open("wb") as long:
        long.truncate(256 * 1024 * 1024 + 1)
    with sshd(tmp_path / "sshd") as server:
        home = visiting_home(tmp_path, server, "shop", place(server, there))
        with running(home, "run") as daemon:
            until(lambda: "more than we take" in daemon.words.read_text(), 20, lambda: daemon.words.read_text()[-3000:])
            until(lambda: len(list(there.iterdir())) == 1, 20, lambda: daemon.words.read_text()[-3000:])
            assert daemon.stop() == 0
    assert [file.name for file in there.iterdir()] == ["long.xml"]
    assert ask(home, TAKEN) == [("shop", "sftp", "a.xml")]
