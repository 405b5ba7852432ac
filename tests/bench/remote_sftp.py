"""Fetching from a partner's sshd beside OpenSSH's own client, in pairs; what 100,000 names cost other partners.

`sftp -r` copies; we list, read whole files, hold them against their facts again, write and hash them.  Letting go
there is told by itself, and so is the whole daemon, to the ledger and the emptied folder.
"""

import argparse
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from adapters.doors.remote import Place, RemoteDoor
from adapters.doors.remote_names import Whole
from adapters.remote_connection import Access, Lines
from gateway import drill
from tests.crash.daemon import running, until
from tests.remote_homes import place, visiting_home
from tests.sshd import Sshd, sshd

FILES = 5000
MANY = 100_000


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def beside(server: Sshd, there: Path, sink: Path) -> None:
    """OpenSSH's client copies the folder."""
    command = ["sftp", "-q", "-r", "-P", str(server.port), "-i", server.user_key, "-o", "StrictHostKeyChecking=no"]
    command += ["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
    command += [f"{server.user}@127.0.0.1:{there}", str(sink)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def lines_to(server: Sshd) -> Lines:
    return Lines(Access("127.0.0.1", server.port, server.user, (server.host_key,), server.user_key), 2)


def whole(door: RemoteDoor) -> list[Whole]:
    """What the second listing shows, some seconds after the first."""
    door.look()
    return door.look()


def polled(door: RemoteDoor) -> None:
    """Everything whole is listed and lies here."""
    files = door.look()
    lots = [door.take(files[at : at + 256]) for at in range(0, len(files), 256)]
    assert sum(len(lot.taken) for lot in lots) == FILES, [lot.away for lot in lots]


def pairs(server: Sshd, root: Path, there: Path, count: int) -> None:
    ratios = []
    for pair in range(count):
        theirs = FILES / timed(partial(beside, server, there, root / f"copy{pair}"))
        staging = root / f"staging{pair}"
        staging.mkdir()
        lines = lines_to(server)
        door = RemoteDoor(lines, Place("bench", str(there), apart_seconds=0), staging)
        door.look()
        ours = FILES / timed(partial(polled, door))
        lines.close()
        ratios.append(ours / theirs)
        print(f"ours {ours:.0f} files/s, sftp -r {theirs:.0f} files/s, ratio {ours / theirs:.2f}")
    print(f"median ratio {statistics.median(ratios):.2f} of {count} pairs, at least 0.5 wanted")


def whole_daemon(server: Sshd, root: Path, there: Path) -> None:
    home = visiting_home(root, server, "shop", place(server, there))
    with running(home, "run") as daemon:
        started = time.perf_counter()
        until(lambda: len(list(there.iterdir())) < FILES, 60, pause=0.02)
        until(lambda: not list(there.iterdir()), 240, pause=0.2)
        seconds = time.perf_counter() - started
        daemon.stop()
    print(f"daemon: {FILES / seconds:.0f} files/s to the ledger, acknowledged and removed there, two looks included")


def many_names(server: Sshd, root: Path) -> None:
    """How long a folder of many names takes to list, and how late other threads are meanwhile."""
    many, few, staging = root / "many", root / "few", root / "staging-many"
    for folder in (many, few, staging):
        folder.mkdir()
    for number in range(MANY):
        (many / f"order-{number:06}.xml").touch()
    (few / "a.csv").write_bytes(b"1")
    lines = lines_to(server)
    door = RemoteDoor(lines, Place("many", str(many), apart_seconds=0), staging)
    lines_of_other = lines_to(server)
    other = RemoteDoor(lines_of_other, Place("few", str(few), apart_seconds=0), staging)
    whole(other)
    quiet = statistics.median([timed(other.look) for _ in range(20)])
    listed: list[float] = []
    thread = threading.Thread(target=lambda: listed.extend(timed(door.look) for _ in range(3)))
    late, looks = [], []
    thread.start()
    while thread.is_alive():
        late.append(timed(lambda: time.sleep(0.005)) - 0.005)
        looks.append(timed(other.look))
    thread.join()
    print(f"{MANY} names: listed in {statistics.median(listed):.2f} s; meanwhile another thread of this process is")
    print(f"  {1000 * statistics.median(late):.0f} ms late in the median and {1000 * max(late):.0f} ms at most;")
    print(
        f"  another partner's look takes {1000 * statistics.median(looks):.0f} ms in the median, "
        f"{1000 * max(looks):.0f} ms at most (alone {1000 * quiet:.0f} ms)"
    )
    lines.close()
    lines_of_other.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=5)
    count = parser.parse_args().pairs
    with tempfile.TemporaryDirectory(prefix="kouan-remote-") as name, sshd(Path(name) / "sshd") as server:
        root = Path(name)
        there = root / "there"
        there.mkdir()
        for number in range(1, FILES + 1):
            (there / f"{number}.xml").write_bytes(drill.message("CEB311", number))
        pairs(server, root, there, count)
        many_names(server, root)
        whole_daemon(server, root, there)


if __name__ == "__main__":
    main()
