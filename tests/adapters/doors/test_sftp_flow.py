"""One partner's great transfer or long listing neither fills memory nor keeps another waiting."""

import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.doors.sftp_home import Home, home, until

SIZE = 40_000_000


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with home(tmp_path_factory.mktemp("flow")) as opened:
        yield opened


def resident(door: Home) -> int:
    pages = Path(f"/proc/{door.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGESIZE")


def worked(door: Home) -> float:
    """The seconds of processor that the door has used, which are the same however busy the machine is."""
    facts = Path(f"/proc/{door.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(facts[11]) + int(facts[12])) / os.sysconf("SC_CLK_TCK")


def test_forty_megabytes_are_fetched_the_default_way_in_seconds(door: Home, tmp_path: Path) -> None:
    data = os.urandom(SIZE)
    door.put("out", "big.xml", data)
    before = worked(door)
    with door.client() as client:
        client.get("out/big.xml", str(tmp_path / "big.xml"))
    assert worked(door) - before < 10  # Conch's own channel: 31 s of work, and all others stalled; ours: half a second
    assert (tmp_path / "big.xml").read_bytes() == data


def test_a_client_that_asks_without_taking_answers_is_not_answered_into_memory(door: Home) -> None:
    door.put("out", "long.xml", b"x" * SIZE)
    with door.line() as line:
        channel = line.open_session(window_size=2**31 - 1)
        channel.invoke_subsystem("sftp")
        path = b"out/long.xml"
        channel.sendall(struct.pack("!LBL", 5, 1, 3))
        channel.sendall(struct.pack("!LBLL", 17 + len(path), 3, 1, len(path)) + path + struct.pack("!LL", 1, 0))
        answers = b""
        while b"\x66" not in answers[-20:]:
            answers += channel.recv(65536)
        handle = answers[-4:]
        line.packetizer.stop_reading = threading.Event()
        before = resident(door)
        reads = b"".join(
            struct.pack("!LBLL", 25, 5, n, 4) + handle + struct.pack("!QL", 0, 255 * 1024) for n in range(20_000)
        )
        sent = threading.Thread(target=lambda: _flood(channel, reads), daemon=True)
        held = threading.Lock()
        read_message = line.packetizer.read_message

        def slow_read() -> object:
            with held:
                return read_message()

        line.packetizer.read_message = slow_read
        with held:  # nothing is taken from the line any more
            sent.start()
            with door.client() as other:
                for _ in range(20):
                    assert "in" in other.listdir("/")
            assert resident(door) - before < 60_000_000
        line.sock.close()


def _flood(channel: object, data: bytes) -> None:
    try:
        channel.sendall(data)  # type: ignore[attr-defined]
    except OSError:
        return


def test_a_hundred_thousand_names_are_listed_while_another_session_works(door: Home) -> None:
    out = door.box("out")
    out.mkdir(parents=True, exist_ok=True)
    for name in os.listdir(out):
        (out / name).unlink()
    (out / "0.ack.json").write_bytes(b"{}")
    for number in range(1, 100_000):
        os.link(out / f"{number - number % 20_000}.ack.json", out / f"{number}.ack.json") if number % 20_000 else (
            out / f"{number}.ack.json"
        ).write_bytes(b"{}")
    names: list[str] = []
    waits: list[float] = []
    before = worked(door)

    def list_all() -> None:
        with door.client() as client:
            names.extend(client.listdir("out"))

    with door.client() as other:
        other.listdir("/")
        lister = threading.Thread(target=list_all)
        lister.start()
        while lister.is_alive():
            start = worked(door)
            other.stat("/in")
            waits.append(worked(door) - start)
        lister.join()
    whole = worked(door) - before
    assert sorted(names) == sorted(f"{number}.ack.json" for number in range(100_000))
    # A busy machine makes every wait longer, but not what the door does for others meanwhile.
    assert (len(waits) > 20, max(waits) < whole / 10) == (True, True), (len(waits), max(waits), whole)


def test_a_deep_queue_of_small_writes_is_answered_in_order(door: Home) -> None:
    with door.client() as client, client.open("in/many.xml", "w") as file:
        file.set_pipelined(True)
        for number in range(20_000):
            file.write(b"%07d\n" % number)
    until(lambda: "many.xml" in door.arrivals(), "the file arrives")
    assert (door.box("in") / "many.xml").read_bytes() == b"".join(b"%07d\n" % number for number in range(20_000))
