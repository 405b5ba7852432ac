"""A daemon whose files become wrong goes on by the last good ones, its workers too, and takes the mended ones."""

import os
import re
import signal
from pathlib import Path

import pytest

from gateway.rates import install
from tests import samples
from tests.crash.daemon import Process, children, quiet_home, running, until
from tests.homes import demo_home


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return quiet_home(demo_home(tmp_path))


def events(daemon: Process, name: str) -> int:
    return len(re.findall(rf'"event": "{name}"', daemon.words.read_text("utf-8")))


def drop(home: Path, order: int) -> None:
    folder = home / "spool/partners/shop/in"
    (folder / f".{order}").write_bytes(samples.order(order))
    os.rename(folder / f".{order}", folder / f"{order}.xml")


def told(home: Path, order: int) -> bool:
    return any(name.startswith(f"{order}.xml.") for name in os.listdir(home / "spool/partners/shop/out"))


def test_what_passes_the_check_and_cannot_be_arranged_changes_nothing_until_it_is_mended(home: Path) -> None:
    file = home / "authorities/customs.toml"
    good = file.read_text("utf-8")
    with running(home, "run", ends="stop") as daemon:
        file.write_text(
            re.sub(r'(?m)^folder = "spool/authorities/customs/in"', 'folder = "/proc/no/in"', good), "utf-8"
        )
        until(lambda: events(daemon, "config.refused") == 1, 10)
        drop(home, 1)
        until(lambda: told(home, 1), 10)
        file.write_text(good, "utf-8")
        until(lambda: events(daemon, "config.reloaded") == 1, 10)
        drop(home, 2)
        until(lambda: told(home, 2), 10)


def test_a_worker_that_replaces_a_dead_one_goes_by_the_last_good_configuration(home: Path) -> None:
    with running(home, "run", ends="stop") as daemon:
        (home / "partners/pay.toml").write_text("no = TOML = at all", "utf-8")
        until(lambda: events(daemon, "config.refused") == 1, 10)
        before = children(daemon.pid)
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        until(lambda: len(set(children(daemon.pid)) - set(before)) == 2, 10)
        drop(home, 1)
        until(lambda: told(home, 1), 15, lambda: daemon.words.read_text("utf-8")[-2000:])
        assert events(daemon, "worker.died") == 2


def test_a_rate_table_that_an_earlier_kouan_took_in_keeps_no_house_shut_and_the_start_tells_it(home: Path) -> None:
    install(home, b"hs,valid_from,valid_to,duty,vat,ct_type,name\n1901101090,2020-01-01,,0,13,none\n")
    with running(home, "run", ends="stop") as daemon:
        until(lambda: events(daemon, "config.warned") == 1, 10)
        drop(home, 1)
        until(lambda: told(home, 1), 10)
