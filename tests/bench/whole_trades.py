"""Whole import trades on the real daemon: three documents and an inventory in, declared, every receipt back, closed.

`python -m tests.bench.whole_trades [TRADES] [EACH] [box|first]`; ends with 1 when they are fewer than they must be.

As many workers as the sample configuration has, sample journeys, fresh home, every file synced.  Unless `box` is said
the answers of customs are made beforehand, as many as the customs in a box gives, and lie ready: the daemon has the
cores alone but for the clock.  With `box` the customs in a box works on the same cores, and the figure is of both.
With `first` the inventories come before all others, so that each waits and is woken.
"""

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from gateway import drill
from gateway.clerk import clerk_at
from gateway.home import make_home
from gateway.measuring import DidNotOpen, Running
from message_specs import writing
from message_specs.opening import open_message

MUST = 1000.0
MOST_MIB = 200.0
ANSWERS = (
    ("CEB311", "CEB312", "OrderReturn", ("2", "120")),
    ("CEB411", "CEB412", "PaymentReturn", ("2", "120")),
    ("CEB511", "CEB512", "LogisticsReturn", ("2", "120")),
    ("CEB621", "CEB622", "InventoryReturn", ("2", "120", "399", "800")),
)
NAMES = {
    "CEB311": ("ebpCode", "ebcCode", "orderNo"),
    "CEB411": ("payCode", "payTransactionId"),
    "CEB511": ("logisticsCode", "logisticsNo"),
    "CEB621": ("customsCode", "ebpCode", "ebcCode", "agentCode", "copNo"),
}
COUNT = 100


@contextmanager
def running(home: Path, *, box: bool) -> Iterator[Running]:
    """A fresh home whose daemon has opened its doors, with the customs in a box as its child or without."""
    make_home(home, datetime.now(UTC), demo=True)
    authority = home / "authorities/customs.toml"
    if box:
        with (home / "simulators/customs.toml").open("a") as file:
            file.write("\n[delays]\n2 = 0\n120 = 0\n399 = 0\n800 = 0\n")
    else:
        authority.write_text(authority.read_text("utf-8").replace("simulate = true", "simulate = false"), "utf-8")
    with (home / "daemon.log").open("w") as log:
        command = [sys.executable, "-m", "gateway.cli", "run", "--home", str(home)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    try:
        if not process.stdout.readline():
            raise DidNotOpen(str(home / "daemon.log"))
        yield Running(home, process, {})
    finally:
        process.terminate()
        process.wait(60)


def staged(home: Path, trades: int, each: int) -> dict[str, list[Path]]:
    """The documents lie beside the mailboxes, by spec."""
    found: dict[str, list[Path]] = {spec: [] for spec in drill.SENDERS}
    for spec, files in found.items():
        folder = home / "stage" / spec
        folder.mkdir(parents=True)
        for first in range(1, trades + 1, each):
            file = folder / f"{spec}-{first:07d}.xml"
            file.write_bytes(drill.message(spec, first, min(each, trades + 1 - first)))
            files.append(file)
    return found


def answers(home: Path, trades: int) -> list[Path]:
    """What customs will say lies ready, a hundred documents to an answer, in the order in which it says it."""
    folder = home / "stage/answers"
    folder.mkdir(parents=True)
    found = []
    for first in range(1, trades + 1, COUNT):
        for declared, spec, unit, statuses in ANSWERS:
            documents = open_message(drill.message(declared, first, min(COUNT, trades + 1 - first))).documents
            for at, status in enumerate(statuses):
                units = [(unit, _said(one.head, declared, status, at, first + n)) for n, one in enumerate(documents)]
                found.append(folder / f"{at}-{spec}-{first:07d}-{status}.xml")
                found[-1].write_bytes(writing.receipt(f"{spec}Message", "", units))
    return sorted(found)


def _said(head: dict[str, str], declared: str, status: str, at: int, number: int) -> dict[str, str]:
    told = {"guid": "4CDE1CFD-EDED-46B1-946C-B8022E42FC94", **{name: head[name] for name in NAMES[declared]}}
    if declared == "CEB621":
        told |= {"preNo": f"B2026{number:013d}", "invtNo": f"31002026I{number:09d}"}
    return {**told, "returnStatus": status, "returnTime": f"20991121120{at}00000", "returnInfo": "told"}


class Book:
    """The ledger of a running daemon, read beside it."""

    def __init__(self, home: Path) -> None:
        """It is open to read."""
        self._conn = sqlite3.connect(f"file:{clerk_at(home)}?mode=ro", uri=True)

    def count(self, where: str) -> int:
        """How many rows there are of a table, with a condition."""
        (found,) = self._conn.execute(f"SELECT count(*) FROM {where}").fetchone()
        return int(found)


def until(done: Callable[[], bool], daemon: Running, pause: float = 0.1) -> None:
    """It is done, or the daemon is no more."""
    while not done():
        if daemon.process.poll() is not None:
            raise DidNotOpen(str(daemon.home / "daemon.log"))
        time.sleep(pause)


def used(pid: int) -> dict[str, float]:
    """Seconds of a processor that each process of the daemon has used."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    found = {}
    for one in [str(pid), *children]:
        words = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        command = Path(f"/proc/{one}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        name = "hall" if one == str(pid) else "box" if "simulators" in command else "worker"
        found[f"{name} {one}"] = (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    return found


def measure(home: Path, trades: int, each: int, how: str) -> tuple[float, float]:
    """How many trades a second, and the largest process in MiB; what each process used stands on stdout."""
    with running(home, box=how == "box") as daemon:
        files, ready = staged(home, trades, each), [] if how == "box" else answers(home, trades)
        book = Book(home)
        os.sync()
        before, begun = used(daemon.process.pid), time.perf_counter()
        specs = list(files)
        if how == "first":
            for file in files["CEB621"]:
                _drop(home, "CEB621", file)
            until(lambda: book.count("document WHERE state = 'filed'") >= trades, daemon)
            specs.remove("CEB621")
            print(f"  filed after {time.perf_counter() - begun:.2f} s")
        for at in range(len(files["CEB311"])):
            for spec in specs:
                _drop(home, spec, files[spec][at])
        if how != "box":
            until(lambda: book.count("document WHERE state IN ('ready', 'sent')") >= 4 * trades, daemon)
            spent = sum(used(daemon.process.pid).values()) - sum(before.values())
            print(f"  declared after {time.perf_counter() - begun:.2f} s, {spent:.2f} s of a core")
            for file in ready:
                file.rename(home / "spool/authorities/customs/in" / file.name)
        until(lambda: book.count("dossier WHERE phase IN ('released', 'closed')") >= trades, daemon)
        until(lambda: book.count("document WHERE state <> 'closed'") <= 0, daemon)
        seconds = time.perf_counter() - begun
        after = used(daemon.process.pid)
        spent = {name: value - before.get(name, 0) for name, value in after.items()}
        waited = book.count("stamp WHERE from_state = 'filed' AND to_state <> 'filed'")
        print("  " + ", ".join(f"{name.split()[0]} {1e6 * value / trades:.0f} µs" for name, value in spent.items())
              + f" of a core a trade; {book.count('receipt') / trades:.1f} receipts a trade, "
              f"{waited:,} inventories had waited")  # fmt: skip
        return trades / seconds, daemon.memory_mib()


def _drop(home: Path, spec: str, file: Path) -> None:
    file.rename(home / "spool/partners" / drill.SENDERS[spec] / "in" / file.name)


def main(trades: int, each: int, how: str) -> int:
    """The figure stands on stdout; return 1 when it is not what it must be."""
    with tempfile.TemporaryDirectory(prefix="kouan-bench-whole-") as place:
        rate, memory = measure(Path(place) / "home", trades, each, how)
    print(f"{trades:,} trades, {each} a file, {how or 'answers ready'}: {rate:,.0f} trades a second,"
          f" largest process {memory:.0f} MiB")  # fmt: skip
    return int(rate < MUST or memory > MOST_MIB)


if __name__ == "__main__":
    words = [*sys.argv[1:], *("10000", "100", "")[len(sys.argv) - 1 :]]
    sys.exit(main(int(words[0]), int(words[1]), words[2]))
