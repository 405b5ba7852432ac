"""What operators and the breaker have said of an authority holds for the daemon that runs, and for the next one."""

import http.server
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import samples
from tests.crash.daemon import KOUAN, ROOT, ask, quiet_home, running, until
from tests.homes import demo_home
from tests.ports import free_port


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return quiet_home(demo_home(tmp_path))


def drop(home: Path, order: int) -> None:
    folder = home / "spool/partners/shop/in"
    (folder / f".{order}").write_bytes(samples.order(order))
    os.rename(folder / f".{order}", folder / f"{order}.xml")


def told(home: Path, *arguments: str, ends: int = 0) -> dict[str, Any]:
    """What `kouan authority` says, and how it ends."""
    command = [*KOUAN, "authority", *arguments, "--json", "--home", str(home)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, env=environment)
    assert done.returncode == ends, done.stderr.decode()
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def states(home: Path) -> list[str]:
    """Of all messages, in no order: two workers number theirs from two ranges, so a later one may be the smaller."""
    return sorted(state for (state,) in ask(home, "SELECT state FROM outbox"))


@contextmanager
def listening(port: int, waits: threading.Event | None = None) -> Iterator[list[bytes]]:
    """An authority answers 200 at this port, whoever came first as soon as it may; what it was sent."""
    taken: list[bytes] = []

    class Office(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(self.rfile.read(int(self.headers["Content-Length"])))
            if waits is not None and taken.index(taken[-1]) == 0:
                waits.wait(300)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"OK")

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Office)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield taken
    finally:
        server.shutdown()
        server.server_close()


def test_a_pause_reaches_the_daemon_that_runs_and_outlives_it(home: Path) -> None:
    out = home / "spool/authorities/customs/out"
    with running(home, "run") as daemon:
        assert told(home, "pause", "customs", "--reason", "升级", "--by", "li")["state"] == "paused"
        drop(home, 1)
        until(lambda: states(home) == ["waiting"], 10)
        until(lambda: '"authority.paused"' in daemon.words.read_text("utf-8"), 5)
    with running(home, "run"):
        facts = told(home, "show", "customs")
        assert (facts["state"], facts["why"], facts["waiting"]) == ("paused", "li: 升级", 1)
        drop(home, 2)
        until(lambda: states(home) == ["waiting", "waiting"], 10)
        # A probe is the one thing that leaves, and it tells that the daemon has looked.
        assert told(home, "probe", "customs")["said"].startswith("taken")
        assert sorted(states(home)) == ["gone", "waiting"]
        assert len(list(out.iterdir())) == 1
    assert told(home, "resume", "customs", "--by", "li")["state"] == "open"
    with running(home, "run", ends="stop"):
        until(lambda: states(home) == ["gone", "gone"], 10)


def test_without_a_daemon_a_probe_waits_for_one(home: Path) -> None:
    assert told(home, "probe", "customs", ends=6)["said"] is None
    with running(home, "run", ends="stop"):
        until(lambda: told(home, "show", "customs")["probe"]["said"] == "nothing waits that could be tried", 10)


def test_a_breaker_outlives_a_kill_and_a_probe_mends_it(home: Path) -> None:
    port = free_port()
    file = home / "authorities/customs.toml"
    text = file.read_text("utf-8").replace('kind = "folder"', 'kind = "http"')
    text = text.replace("timeout_seconds = 30.0", f'timeout_seconds = 30.0\nurl = "http://127.0.0.1:{port}/dxp"', 1)
    text = text.replace("failures = 5\nfirst_seconds = 10.0", "failures = 2\nfirst_seconds = 300.0")
    file.write_text(text, "utf-8")
    with running(home, "run"):
        drop(home, 1)
        drop(home, 2)
        until(lambda: told(home, "show", "customs")["state"] == "broken", 20)
    before = told(home, "show", "customs")
    assert before["waiting"] == 2
    with running(home, "run", ends="stop"):
        assert told(home, "probe", "customs", ends=1)["said"].startswith("failed")
        assert told(home, "show", "customs")["breaker"]["opened_at"] == before["breaker"]["opened_at"]
        with listening(port) as taken:
            assert told(home, "probe", "customs")["said"] == "taken: OK"
            until(lambda: states(home) == ["gone", "gone"], 20)
    assert len(taken) == 2
    words = [one["what"] for one in told(home, "show", "customs")["stamps"]]
    assert [word for word in words if word in ("broken", "mended")] == ["mended", "broken"]


def test_a_post_that_is_not_answered_holds_up_none_of_the_others(home: Path) -> None:
    port, answered = free_port(), threading.Event()
    file = home / "authorities/customs.toml"
    text = file.read_text("utf-8").replace('kind = "folder"', f'kind = "http"\nurl = "http://127.0.0.1:{port}/dxp"')
    file.write_text(text.replace("timeout_seconds = 30.0", "timeout_seconds = 300.0").replace("= 100", "= 1"), "utf-8")
    with listening(port, answered) as taken, running(home, "run", ends="stop"):
        drop(home, 1)
        until(lambda: len(taken) == 1, 30)
        for number in range(2, 30):
            drop(home, number)
        until(lambda: states(home) == [*["gone"] * 28, "waiting"], 60)
        answered.set()
        until(lambda: states(home) == ["gone"] * 29, 30)
    assert len(taken) == len(set(taken)) == 29
