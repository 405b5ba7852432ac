"""Measuring: the real daemon on this machine, with real files, to the last acknowledgement.

Every figure is of a fresh home whose authority is a folder that nobody
empties; orders are signed and acknowledged after their bytes and rows are
synced.  Beside it runs a bare loop of the same number of processes that only
parses, validates and signs, so that the figure has a ratio on any machine.
"""

import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from gateway import drill
from gateway.config import load_house
from gateway.home import make_home
from gateway.signing.keys import load_signer
from gateway.signing.seal import seal
from message_specs import writing
from message_specs.opening import open_message
from spool.errors import ForOperator

PACK = 100
CONNECTIONS = 48


class DidNotOpen(ForOperator):
    """The daemon that was to be measured did not open its doors"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure: how many documents in how many seconds, and the largest process in MiB."""

    name: str
    documents: int
    seconds: float
    memory_mib: float = 0.0

    @property
    def rate(self) -> float:
        """Documents a second."""
        return self.documents / self.seconds

    def as_facts(self, bare: "Figure | None" = None) -> dict[str, object]:
        """Return the figure for programs, with its ratio to the bare loop where there is one."""
        ratio = round(self.rate / bare.rate, 2) if bare else None
        return {**asdict(self), "rate": round(self.rate), "ratio_to_bare_loop": ratio}


@dataclass(slots=True)
class Running:
    """A daemon that is measured."""

    home: Path
    process: "subprocess.Popen[str]"
    where: dict[str, str]

    def memory_mib(self) -> float:
        """Return the largest resident size that any of its processes has had."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        sizes = []
        for pid in [str(self.process.pid), *children]:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            sizes += [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
        return max(sizes) / 1024


@contextmanager
def running(home: Path) -> Iterator[Running]:
    """A fresh home whose daemon has opened its doors and whose authority is a silent folder."""
    make_home(home, datetime.now(UTC), demo=True)
    authority = home / "authorities/customs.toml"
    authority.write_text(authority.read_text("utf-8").replace("simulate = true", "simulate = false"), "utf-8")
    with (home / "daemon.log").open("w") as log:
        command = [sys.executable, "-m", "gateway.cli", "run", "--home", str(home)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise DidNotOpen(str(home / "daemon.log"))
        yield Running(home, process, json.loads(line))
    finally:
        process.terminate()
        process.wait(60)


def folder(home: Path, files: int, each: int) -> Figure:
    """Return how fast files of `each` orders pass the folder door, first drop to last acknowledgement."""
    with running(home) as daemon:
        stage = home / "stage"
        stage.mkdir()
        for n in range(files):
            (stage / f"o{n:06d}.xml").write_bytes(drill.message("CEB311", 1 + n * each, each))
        os.sync()
        box = home / "spool/partners/shop"
        started = time.perf_counter()
        for name in sorted(os.listdir(stage)):
            os.rename(stage / name, box / "in" / name)
        while len(os.listdir(box / "out")) < files:
            time.sleep(0.02)
        seconds = time.perf_counter() - started
        return Figure(f"folder, {each} a file", files * each, seconds, daemon.memory_mib())


def bare(each: int, documents: int, processes: int, keys: Path) -> Figure:
    """Return how fast so many processes parse, validate and sign one message a hundred orders, keeping nothing."""
    share = documents // processes
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes) as pool:
        pool.starmap(_bare, [(each, PACK, str(keys))] * processes)
        started = time.perf_counter()
        pool.starmap(_bare, [(each, share, str(keys))] * processes)
        return Figure(f"bare loop, {each} a file", share * processes, time.perf_counter() - started)


def _bare(each: int, documents: int, keys: str) -> None:
    signer = load_signer(Path(keys), "shop")
    bodies = [drill.message("CEB311", 1 + n * each, each) for n in range(min(PACK, documents // each) or 1)]
    units: list[bytes] = []
    for n in range(documents // each):
        opened = open_message(bodies[n % len(bodies)])
        units += [document.canonical() for document in opened.documents]
        if len(units) >= PACK:
            seal(writing.message("CEB311Message", "0" * 36, units, opened.transfer), signer)
            units.clear()


def http(home: Path, posts: int) -> Figure:
    """Return how fast one-order POSTs are acknowledged after sync, by 48 connections kept alive."""
    with running(home) as daemon:
        token = (home / "keys/partners/shop/token").read_text().strip()
        host, _, port = daemon.where["http"].rpartition(":")
        bodies = [drill.message("CEB311", n + 1) for n in range(posts)]
        started = time.perf_counter()
        asyncio.run(_posting(host, int(port), token, bodies))
        return Figure("http, one order a POST", posts, time.perf_counter() - started, daemon.memory_mib())


async def _posting(host: str, port: int, token: str, bodies: list[bytes]) -> None:
    waiting = iter(bodies)
    head = (
        f"POST /v1/interchanges?name=o.xml HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/xml\r\nContent-Length: "
    ).encode()

    async def line() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        for body in waiting:
            writer.write(head + str(len(body)).encode() + b"\r\n\r\n" + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            if b" 202 " not in answer[:16]:
                raise DidNotOpen(answer[:200].decode("latin-1"))
            size = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(size)
        writer.close()

    await asyncio.gather(*(line() for _ in range(CONNECTIONS)))


def start_with_backlog(home: Path, documents: int) -> Figure:
    """Return how long the daemon takes to open its doors with so many documents waiting in its outbox."""
    make_home(home, datetime.now(UTC), demo=True)
    authority = home / "authorities/customs.toml"
    text = authority.read_text("utf-8").replace("simulate = true", "simulate = false")
    authority.write_text(text.replace('kind = "folder"', 'kind = "http"\nurl = "http://127.0.0.1:9/"'), "utf-8")
    from gateway.backlog import fill

    fill(load_house(home), documents)
    with (home / "daemon.log").open("w") as log:
        command = [sys.executable, "-m", "gateway.cli", "run", "--home", str(home)]
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    try:
        if not process.stdout.readline():
            raise DidNotOpen(str(home / "daemon.log"))
        seconds = time.perf_counter() - started
        time.sleep(5)
        memory = Running(home, process, {}).memory_mib()
    finally:
        process.terminate()
        process.wait(60)
    return Figure(f"start with {documents} waiting documents", documents, seconds, memory)
