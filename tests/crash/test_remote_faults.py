"""What goes wrong at a server that we put messages on: nothing is lost or there twice, and operators are told."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests import samples
from tests.crash.daemon import KOUAN, ROOT, ask, quiet_home, running, until
from tests.homes import demo_home
from tests.remote_homes import our_key, place, served_customs
from tests.sshd import Sshd, sshd

OUTBOX = "SELECT message, partner, state, attempts, trouble FROM outbox ORDER BY message"


def told(home: Path, *arguments: str) -> Any:
    """What `kouan` says, as JSON."""
    command = [*KOUAN, *arguments, "--json", "--home", str(home)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, env=environment)
    return json.loads(done.stdout)


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
