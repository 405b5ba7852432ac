"""The real daemon and the real customs in a box, as processes that can be killed."""

import contextlib
import json
import os
import re
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
KOUAN = [sys.executable, "-m", "gateway.cli"]


def patient(seconds: float) -> float:
    """As much longer as the machine has more to do than it has processors."""
    return seconds * max(1.0, 2 * os.getloadavg()[0] / (os.cpu_count() or 1))


def quiet_home(home: Path, *, workers: int = 2) -> Path:
    """The home keeps to its folders: no ports, no simulator of its own, answers at once and to the end, few words."""
    settings = (home / "kouan.toml").read_text("utf-8")
    settings = re.sub(r'(?m)^listen = ".*"', 'listen = ""', settings)
    settings = re.sub(r"(?m)^count = \d+", f"count = {workers}", settings)
    settings = re.sub(r"(?m)^unfinished_seconds = .*", "unfinished_seconds = 0.5", settings)
    (home / "kouan.toml").write_text(settings, "utf-8")
    authority = home / "authorities/customs.toml"
    authority.write_text(authority.read_text("utf-8").replace("simulate = true", "simulate = false"), "utf-8")
    settings = (home / "simulators/customs.toml").read_text("utf-8").partition("\n[delays]")[0]
    # Documents come one by one, without the rest of their trades.
    settings = f'behaviours = ["prompt"]\n{settings}\n[delays]\n2 = 0.05\n120 = 0.05\n'
    (home / "simulators/customs.toml").write_text(settings, "utf-8")
    return home


class Process:
    """A program of ours in a session of its own, and its words in a file."""

    def __init__(self, home: Path, *arguments: str, **environment: str) -> None:
        self.words = home / f"{arguments[0]}.log"
        with self.words.open("ab") as log:
            self._process = subprocess.Popen(
                [*KOUAN, *arguments, "--home", str(home)], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=log, start_new_session=True, env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            )  # fmt: skip

    def ready(self, seconds: float = 20) -> "Process":
        """It has said that it is ready."""
        assert self._process.stdout is not None
        heard, _, _ = select.select([self._process.stdout], [], [], patient(seconds))
        line = self._process.stdout.readline() if heard else b""
        assert b'"ready"' in line, self.words.read_text("utf-8", "replace")[-3000:]
        return self

    def kill(self) -> None:
        """It and all its children are dead, without a word of warning."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._end()

    def behead(self) -> None:
        """It is dead; its children are not told."""
        self._process.kill()
        self._end()

    def stop(self) -> int:
        """It was asked to end, and has."""
        self._process.terminate()
        return self._process.wait(patient(20))

    def wait_for_end(self) -> int:
        """It has ended by itself; how."""
        return self._process.wait(patient(30))

    @property
    def pid(self) -> int:
        """The process itself."""
        return self._process.pid

    def _end(self) -> None:
        self._process.wait(20)
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextlib.contextmanager
def running(home: Path, *arguments: str, ends: str = "kill", **environment: str) -> Iterator[Process]:
    """The program, ready, and dead at the end whatever happens; beheaded, it leaves its children to themselves."""
    process = Process(home, *arguments, **environment)
    try:
        yield process.ready()
        getattr(process, ends)()
    except BaseException:
        process.kill()
        raise


def children(pid: int) -> list[int]:
    """The process ids of the children of a process."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(entry.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry.parent.name))
    return found


def alive(pid: int) -> bool:
    """Whether a process runs: not gone, and not dead and waiting to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(true: Callable[[], bool], seconds: float, words: Callable[[], str] = str, *, pause: float = 0.05) -> None:
    """It has become true, before the deadline."""
    deadline = time.monotonic() + patient(seconds)
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s {words()}"
        time.sleep(pause)


def ask(home: Path, sql: str) -> list[tuple[Any, ...]]:
    """What the ledger of a home answers; nothing while it is being made."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{home}/ledger.sqlite3?mode=ro", uri=True, timeout=10)) as conn:
            return conn.execute(sql).fetchall()
    except sqlite3.OperationalError:
        return []


def customs_book(home: Path) -> list[dict[str, Any]]:
    """What customs wrote down of what it was told."""
    command = [*KOUAN, "simulate", "customs", "--book", "--json", "--home", str(home)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    return [json.loads(line) for line in told.stdout.splitlines()]
