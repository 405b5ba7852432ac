"""What is not whole never appears in in/: cut lines, dead sessions, pauses, and uploads resumed later."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.doors.sftp_home import Home, home, until

DATA = os.urandom(60_000)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with home(tmp_path_factory.mktemp("cut")) as opened:
        yield opened


class Scissors:
    """A TCP proxy that cuts both ways after so many bytes from the client."""

    def __init__(self, port: int, most: int) -> None:
        self.passed = 0
        self._most = most
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with (
            self._listener,
            self._listener.accept()[0] as near,
            socket.create_connection(("127.0.0.1", self._target)) as far,
        ):
            back = threading.Thread(target=self._back, args=(far, near), daemon=True)
            back.start()
            while data := near.recv(min(4096, self._most - self.passed)):
                far.sendall(data)
                self.passed += len(data)
                if self.passed >= self._most:
                    break
            for end in (near, far):
                end.shutdown(socket.SHUT_RDWR)
            back.join(5)

    def _back(self, far: socket.socket, near: socket.socket) -> None:
        try:
            while data := far.recv(65536):
                near.sendall(data)
        except OSError:
            return

    def join(self) -> None:
        self._thread.join(20)


def staged(door: Home) -> list[str]:
    return door.names(".uploading/open")


def everyone_left(door: Home) -> bool:
    return len(door.events("sftp.login")) == len(door.events("sftp.logout"))


def whole_length(door: Home, path: Path) -> int:
    """How many bytes a client sends for an upload from first to last."""
    proxy = Scissors(door.port, 10**9)
    assert door.sftp(f"put {path} in/whole.xml\n", port=proxy.port).returncode == 0
    proxy.join()
    return proxy.passed


def test_a_line_cut_at_any_byte_leaves_the_whole_file_or_nothing(door: Home, tmp_path: Path) -> None:
    path = tmp_path / "cut.xml"
    path.write_bytes(DATA)
    total = whole_length(door, path)
    positions = sorted(
        {*range(1000, total, total // 20), *(total - back for back in (600, 400, 300, 200, 150, 100, 50, 1))}
    )
    found: dict[int, bytes | None] = {}
    for position in positions:
        name = f"cut{position}.xml"
        proxy = Scissors(door.port, position)
        door.sftp(f"put {path} in/{name}\n", port=proxy.port)
        proxy.join()
        until(lambda: everyone_left(door) and not staged(door), f"the session cut at byte {position} ends")
        target = door.box("in") / name
        found[position] = target.read_bytes() if target.exists() else None
        assert (name in door.arrivals()) == target.exists()
    assert set(found.values()) <= {None, DATA}
    # Beyond the file's own bytes a client sends at least its close; before them nothing may be there.
    assert [found[position] for position in positions if position < len(DATA)] == [None] * sum(
        position < len(DATA) for position in positions
    )


@pytest.mark.parametrize("sent", [0, 1, 32_768, 59_999, 60_000])
def test_a_client_that_dies_before_its_close_leaves_nothing(door: Home, sent: int) -> None:
    name = f"dead{sent}.xml"
    with door.line() as line:
        client = line.open_sftp_client()
        file = client.open(f"in/{name}", "w")
        file.write(DATA[:sent])
        file.flush()
        assert (len(staged(door)), name in door.names("in")) == (1, False)
        line.sock.shutdown(socket.SHUT_RDWR)
        until(lambda: not staged(door), "the part is dropped")
    assert (name in door.names("in"), name in door.arrivals()) == (False, False)


def test_a_session_that_ends_politely_without_closing_its_file_leaves_nothing(door: Home) -> None:
    with door.line() as line:
        client = line.open_sftp_client()
        file = client.open("in/polite.xml", "w")  # held, for paramiko closes what nobody holds
        file.write(DATA)
        file.flush()
        client.get_channel().shutdown_write()
        until(lambda: not staged(door), "the part is dropped")
    assert "polite.xml" not in door.names("in")


def test_a_slow_writer_may_pause_in_the_middle_while_others_come_and_go(door: Home, tmp_path: Path) -> None:
    path = tmp_path / "other.xml"
    path.write_bytes(DATA)
    with door.client() as client, client.open("in/slow.xml", "w") as file:
        file.write(DATA[:1000])
        file.flush()
        for number in range(3):
            assert door.sftp(f"ls in\nput {path} in/other{number}.xml\n").returncode == 0
            assert "slow.xml" not in door.names("in")
        file.write(DATA[1000:])
    assert (door.box("in") / "slow.xml").read_bytes() == DATA
    assert door.arrivals().count("slow.xml") == 1


def test_a_part_under_a_temporary_name_is_kept_and_resumed_as_winscp_does(door: Home) -> None:
    name = "/in/resumed.xml.filepart"
    with door.line() as line:
        client = line.open_sftp_client()
        file = client.open(name, "w")
        file.write(DATA[:20_000])
        file.flush()
        until(lambda: client.stat(name).st_size == 20_000, "the part is written")
        line.sock.shutdown(socket.SHUT_RDWR)
    until(lambda: everyone_left(door), "the session ends")
    with door.client() as client:
        there = client.stat(name).st_size
        assert (there, client.listdir("/in").count("resumed.xml.filepart")) == (20_000, 1)
        with client.open(name, "r+") as file:
            file.seek(there)
            file.write(DATA[there:40_000])
        with client.open(name, "a") as file:
            file.write(DATA[40_000:])
        assert "resumed.xml" not in door.names("in")
        client.posix_rename(name, "/in/resumed.xml")
    assert (door.box("in") / "resumed.xml").read_bytes() == DATA
    assert door.arrivals().count("resumed.xml") == 1


def test_a_file_still_being_written_cannot_be_renamed_into_place(door: Home) -> None:
    with door.client() as client:
        with client.open("in/early.xml.part", "w") as file:
            file.write(DATA[:10])
            file.flush()
            with pytest.raises(OSError, match="still being written"):
                client.rename("in/early.xml.part", "in/early.xml")
        client.rename("in/early.xml.part", "in/early.xml")
    assert (door.box("in") / "early.xml").read_bytes() == DATA[:10]


def test_a_client_that_comes_back_takes_its_unfinished_file_over_from_its_dead_session(door: Home) -> None:
    with door.client() as dead, door.client() as back:
        hanging = dead.open("in/over.xml.tmp", "w")
        hanging.write(b"old")
        hanging.flush()
        with back.open("in/over.xml.tmp", "w") as file:
            file.write(DATA)
        with pytest.raises(OSError, match="failed"):
            hanging.stat()
        back.rename("in/over.xml.tmp", "in/over.xml")
    assert (door.box("in") / "over.xml").read_bytes() == DATA


def test_what_a_killed_door_left_in_staging_is_gone_at_the_next_visit(tmp_path: Path) -> None:
    staging = tmp_path / "partners" / "acme" / ".uploading" / "open"
    staging.mkdir(parents=True)
    (staging / "0").write_bytes(b"half")
    with home(tmp_path) as opened:
        assert opened.sftp("ls in\n").returncode == 0
        assert (opened.names(".uploading/open"), opened.names("in")) == ([], [])
