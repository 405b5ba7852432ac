"""What goes wrong at a server that we put messages on: nothing is lost or there twice, and operators are told."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.causes import cause_of
from tests import samples
from tests.crash.daemon import KOUAN, ROOT, ask, quiet_home, running, until
from tests.homes import demo_home
from tests.programs import needs
from tests.remote_homes import our_key, place, served_customs
from tests.sshd import Sshd, sshd

OUTBOX = "SELECT message, partner, state, attempts, trouble FROM outbox ORDER BY message"


def told(home: Path, *arguments: str) -> Any:
    """What `kouan` says, as JSON."""
    command = [*KOUAN, *arguments, "--json", "--home", str(home)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, env=environment)
    return json.loads(done.stdout)


def released(home: Path, cause: str) -> list[str]:
    """The states into which `kouan release --cause` has let documents go."""
    command = [*KOUAN, "release", "--cause", cause, "--reason", "mended", "--by", "li", "--json", "--home", str(home)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    return [json.loads(line)["after"] for line in done.stdout.splitlines()]


def drop(home: Path, partner: str, spec: str, *numbers: int) -> None:
    folder = home / f"spool/partners/{partner}/in"
    for number in numbers:
        (folder / f".{number}").write_bytes(samples.message(spec, 1, start=number))
        (folder / f".{number}").rename(folder / f"{number}.xml")


def served_home(tmp_path: Path, server: Sshd, out: Path, seconds: float) -> Path:
    """A quiet home whose customs takes messages from a folder of this server, and says nothing."""
    out.mkdir()
    (answers := tmp_path / "answers").mkdir()
    home = quiet_home(demo_home(tmp_path))
    our_key(home, server)
    lines = place(server, out).replace("timeout_seconds = 5.0", f"timeout_seconds = {seconds}")
    served_customs(home, lines, place(server, answers), out, answers)
    return home


def waiting(home: Path, count: int) -> list[int]:
    """So many messages wait in the outbox; their numbers."""
    until(lambda: len(ask(home, OUTBOX)) == count, 30)
    return [row[0] for row in ask(home, OUTBOX)]


def gone_once(home: Path, out: Path, count: int) -> None:
    """So many messages have left, each stands there under its own name, and nothing else does."""
    numbers = [row[0] for row in ask(home, OUTBOX)]
    assert [row[2] for row in ask(home, OUTBOX)] == ["gone"] * count
    assert sorted(os.listdir(out)) == [f"{number}.CEB311Message.xml" for number in numbers]


def symptoms(home: Path) -> list[tuple[str, str]]:
    """What the doctor says of customs."""
    found = told(home, "doctor")["symptoms"]
    return [(one["status"], one["seen"]) for one in found if one["name"] == "authority customs"]


def test_a_server_that_shows_another_host_key_hears_nothing_and_operators_are_told(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with sshd(tmp_path / "sshd") as server:
        home = served_home(tmp_path, server, out, 5.0)
        customs = home / "authorities/customs.toml"
        text = customs.read_text("utf-8").replace("pack = 100", "pack = 1").replace("failures = 5", "failures = 2")
        customs.write_text(text.replace("first_seconds = 2.0", "first_seconds = 0.2"), "utf-8")
        right = (tmp_path / "sshd/host").read_bytes()
        server.stop()
        other = Sshd(tmp_path / "other")
        (tmp_path / "sshd/host").write_bytes((tmp_path / "other/host").read_bytes())
        server.start()
        with running(home, "run") as daemon:
            drop(home, "shop", "CEB311", 1, 2, 3)
            waiting(home, 3)
            until(lambda: told(home, "authority", "show", "customs")["breaker"]["state"] == "open", 60)
            told_of = told(home, "queue")
            assert {"shows ssh-ed25519" in row["trouble"] for row in told_of["outbox"]} == {True}
            assert [row["state"] for row in told_of["authorities"]] == ["broken"]
            ((status, seen),) = symptoms(home)
            assert (status, seen[:9], "shows ssh-ed25519" in seen) == ("warning", "熔断 broken", True)
            assert '"authority.broken"' in daemon.words.read_text("utf-8")
            assert os.listdir(out) == []
            server.stop()
            (tmp_path / "sshd/host").write_bytes(right)
            server.start()
            told(home, "authority", "probe", "customs")
            until(lambda: {row[2] for row in ask(home, OUTBOX)} == {"gone"}, 60)
            assert '"authority.mended"' in daemon.words.read_text("utf-8")
            assert daemon.stop() == 0
        other.stop()
    gone_once(home, out, 3)


def test_what_a_server_did_not_take_is_held_under_one_cause_and_released_by_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    server = Sshd(tmp_path / "sshd", "internal-sftp -R")
    try:
        server.start()
        home = served_home(tmp_path, server, out, 5.0)
        customs = home / "authorities/customs.toml"
        text = customs.read_text("utf-8").replace("pack = 100", "pack = 1").replace("attempts = 0", "attempts = 2")
        customs.write_text(text.replace("first_seconds = 2.0", "first_seconds = 0.2"), "utf-8")
        with running(home, "run") as daemon:
            drop(home, "shop", "CEB311", *range(1, 5))
            waiting(home, 4)
            until(lambda: {row[2] for row in ask(home, OUTBOX)} == {"held"}, 60)
            (group,) = told(home, "queue")["causes"]
            assert (group["authority"], group["documents"], group["messages"]) == ("customs", 4, 4)
            assert group["why"] == cause_of(f"writing 1000 in {out}: permission denied")
            assert ("warning", "扣留 4 messages held") in symptoms(home)
            server.stop()
            server.allow("internal-sftp")
            server.start()
            assert released(home, group["cause"]) == ["ready"] * 4
            until(lambda: {row[2] for row in ask(home, OUTBOX)} == {"gone"}, 60)
            assert told(home, "queue")["causes"] == []
            assert daemon.stop() == 0
    finally:
        server.stop()
    gone_once(home, out, 4)


def test_what_a_clock_that_ran_ahead_postponed_leaves_when_it_is_right(tmp_path: Path) -> None:
    """The daemon ran three hours ahead while the server was away; the messages do not wait for these hours."""
    needs("faketime")
    faketime = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    out = tmp_path / "out"
    with sshd(tmp_path / "sshd") as server:
        home = served_home(tmp_path, server, out, 5.0)
        server.stop()
        ahead = {"LD_PRELOAD": str(faketime), "FAKETIME": "+3h", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        with running(home, "run", **ahead):
            drop(home, "shop", "CEB311", 1)
            waiting(home, 1)
            until(lambda: ask(home, OUTBOX)[0][3] > 0, 30)
        server.start()
        with running(home, "run") as daemon:
            until(lambda: ask(home, OUTBOX)[0][2] == "gone", 60)
            assert '"authority.clock_set_back"' in daemon.words.read_text("utf-8")
            assert daemon.stop() == 0
    gone_once(home, out, 1)


@pytest.mark.parametrize("order", ["none", "partner"])
def test_an_upload_that_hangs_holds_up_none_of_the_others(tmp_path: Path, order: str) -> None:
    """The server opens a file for writing and never comes back, for as long as the test lasts."""
    out = tmp_path / "out"
    with sshd(tmp_path / "sshd") as server:
        home = served_home(tmp_path, server, out, 300.0)
        customs = home / "authorities/customs.toml"
        text = customs.read_text("utf-8").replace('order = "none"', f'order = "{order}"')
        customs.write_text(text.replace("pack = 100", "pack = 1"), "utf-8")
        with running(home, "run") as daemon:
            told(home, "authority", "pause", "customs", "--reason", "x", "--by", "li")
            drop(home, "shop", "CEB311", *range(1, 21))
            shop = waiting(home, 20)
            drop(home, "pay", "CEB411", *range(1, 11))
            every = waiting(home, 30)
            hangs = shop[9]
            os.mkfifo(out / f".{hangs}.CEB311Message.xml.writing")
            behind = {one for one in shop if one > hangs} if order == "partner" else set()
            told(home, "authority", "resume", "customs", "--by", "li")
            begun = time.monotonic()
            others = {row[0] for row in ask(home, OUTBOX)} - behind - {hangs}
            until(
                lambda: {row[0] for row in ask(home, OUTBOX) if row[2] == "gone"} == others, 60,
                lambda: f"{ask(home, OUTBOX)} {daemon.words.read_text('utf-8')[-3000:]}",
            )  # fmt: skip
            print(f"others gone after {time.monotonic() - begun:.1f} s, order {order}")
            assert [row[2:4] for row in ask(home, OUTBOX) if row[0] == hangs] == [("waiting", 0)]
            server.cut()
            (out / f".{hangs}.CEB311Message.xml.writing").unlink()
            until(lambda: {row[2] for row in ask(home, OUTBOX)} == {"gone"}, 60)
            assert daemon.stop() == 0
    assert sorted(int(file.name.partition(".")[0]) for file in out.iterdir()) == every
    assert len(os.listdir(out)) == len(every)
