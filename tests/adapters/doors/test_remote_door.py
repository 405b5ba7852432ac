"""What the remote door takes from a real sshd is whole, comes again under the same name, and is let go of once."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.doors.remote import Place, RemoteDoor
from adapters.doors.remote_names import Whole
from adapters.remote_connection import Access, Lines, NoEntry, NoSecret, WrongHostKey
from adapters.remote_talk import RemoteAway, RemoteRefuses
from tests.adapters.relay import Relay
from tests.sshd import Sshd, key_pair, sshd

ORDER = b'<?xml version="1.0"?><a>\xe8\xae\xa2</a>\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("server") / "sshd") as one:
        yield one


@pytest.fixture
def there(tmp_path: Path) -> Path:
    folder = tmp_path / "there"
    folder.mkdir()
    return folder


def access(server: Sshd, **other: object) -> Access:
    values = {"port": server.port, "key_file": server.user_key, "timeout_seconds": 30.0, **other}
    return Access("127.0.0.1", user=server.user, host_keys=(server.host_key,), **values)  # type: ignore[arg-type]


class World:
    """A door to a folder of the server, and a clock that it goes by."""

    def __init__(
        self, server: Sshd, there: Path, tmp_path: Path, *, port: int = 0, seconds: float = 30.0, **place: object
    ) -> None:
        self.now = 100.0
        self.staging = tmp_path / f"staging{len(list(tmp_path.glob('staging*')))}"
        self.staging.mkdir()
        self.lines = Lines(access(server, port=port or server.port, timeout_seconds=seconds), 2)
        where = Place("partner:22", str(there), **place)  # type: ignore[arg-type]
        self.door = RemoteDoor(self.lines, where, self.staging, lambda: self.now)

    def later(self, seconds: float = 10.0) -> list[Whole]:
        self.now += seconds
        return self.door.look()

    def whole(self) -> list[Whole]:
        """The files that two listings show alike."""
        self.door.look()
        return self.later()

    def taken(self, files: list[Whole]) -> dict[str, bytes]:
        lot = self.door.take(files)
        assert (lot.troubles, lot.ended) == ([], None)
        return {one.whole.told: Path(one.path).read_bytes() for one in lot.taken}


@pytest.fixture
def world(server: Sshd, there: Path, tmp_path: Path) -> Iterator[World]:
    one = World(server, there, tmp_path)
    yield one
    one.lines.close()


def names(files: list[Whole]) -> list[str]:
    return sorted(one.told for one in files)


def test_a_file_is_whole_when_two_listings_show_it_alike(world: World, there: Path) -> None:
    (there / "a.xml").write_bytes(ORDER)
    (there / "b.xml").write_bytes(ORDER[:9])
    assert world.door.look() == []
    (there / "b.xml").write_bytes(ORDER)
    assert names(world.later()) == ["a.xml"]
    assert names(world.later()) == ["a.xml", "b.xml"]


def test_two_listings_too_near_each_other_say_nothing(world: World, there: Path) -> None:
    (there / "a.xml").write_bytes(ORDER)
    assert (world.door.look(), world.later(0.5), names(world.later(0.5))) == ([], [], ["a.xml"])


def test_a_done_file_makes_its_file_whole_at_once_and_goes_with_it(world: World, there: Path) -> None:
    (there / "a.txt").write_bytes(b"no end of its own")
    (there / "a.txt.done").write_bytes(b"")
    (there / "long.ok").write_bytes(b"x" * 300)
    found = world.door.look()
    assert names(found) == ["a.txt"]
    assert world.taken(found) == {"a.txt": b"no end of its own"}
    assert world.door.let_go(found) == []
    assert os.listdir(there) == ["long.ok"]
    assert names(world.later()) == ["long.ok"]


def test_what_changes_between_listing_and_reading_is_left_and_begins_anew(world: World, there: Path) -> None:
    (there / "a.xml").write_bytes(ORDER)
    found = world.whole()
    (there / "a.xml").write_bytes(ORDER + ORDER)
    assert world.taken(found) == {}
    assert os.listdir(world.staging) == []
    assert (world.later(), names(world.later())) == ([], ["a.xml"])


def test_an_xml_file_that_does_not_end_is_taken_only_after_it_stood_still_for_long(world: World, there: Path) -> None:
    (there / "a.xml").write_bytes(ORDER[:20])
    assert world.taken(world.whole()) == {}
    assert world.later() == []
    assert world.taken(world.later(60)) == {"a.xml": ORDER[:20]}


def test_what_is_let_go_of_is_gone_and_what_was_put_in_its_place_is_not(world: World, there: Path) -> None:
    for name in ("a.xml", "b.xml", "c.xml"):
        (there / name).write_bytes(ORDER)
    found = world.whole()
    assert world.taken(found) == dict.fromkeys(("a.xml", "b.xml", "c.xml"), ORDER)
    (there / "b.xml").write_bytes(ORDER + b" ")
    (there / "c.xml").unlink()
    assert world.door.let_go(found) == []
    assert {file.name: file.read_bytes() for file in there.iterdir()} == {"b.xml": ORDER + b" "}


def test_a_server_that_says_gone_and_keeps_the_file_is_told_of(world: World, there: Path) -> None:
    file = there / "a.xml"
    for told in ([], ["a.xml is there again, though the server said it was gone"]):
        file.write_bytes(ORDER)
        os.utime(file, (1_700_000_000, 1_700_000_000))
        found = world.whole()
        assert (names(found), world.door.troubles) == (["a.xml"], told)
        assert (world.door.let_go(found), file.exists()) == ([], False)
    assert (world.later(), world.door.troubles) == ([], [])
    file.write_bytes(ORDER)
    assert (names(world.whole()), world.door.troubles) == (["a.xml"], [])


def test_what_was_taken_is_moved_and_never_over_another(server: Sshd, there: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "a.xml").write_bytes(b"from before")
    (there / "a.xml").write_bytes(ORDER)
    (there / "b.xml").write_bytes(ORDER)
    world = World(server, there, tmp_path, taken=str(taken))
    found = world.whole()
    assert (len(world.taken(found)), world.door.let_go(found)) == (2, [])
    assert os.listdir(there) == []
    moved = {file.name: file.read_bytes() for file in taken.iterdir()}
    other = next(name for name in moved if name.startswith("a.xml~"))
    assert moved == {"a.xml": b"from before", "b.xml": ORDER, other: ORDER}


def test_the_same_file_comes_again_under_the_same_once_and_other_bytes_under_another(
    server: Sshd, there: Path, tmp_path: Path
) -> None:
    def once() -> str:
        world = World(server, there, tmp_path)
        try:
            return world.door.take(world.whole()).taken[0].once
        finally:
            world.lines.close()

    (there / "a.xml").write_bytes(ORDER)
    os.utime(there / "a.xml", (1e9, 1e9))
    first = once()
    assert first == once()
    (there / "a.xml").write_bytes(ORDER.replace(b"<a>", b"<a >")[:-1])
    os.utime(there / "a.xml", (1e9, 1e9))
    assert once() != first
    (there / "a.xml").write_bytes(ORDER)
    os.utime(there / "a.xml", (1e9, 2e9))
    assert once() != first


def test_names_are_taken_as_they_are_and_told_as_people_read_them(world: World, there: Path) -> None:
    given = {
        "订单 1.xml".encode(): "订单 1.xml", "订单2.xml".encode("gb18030"): "订单2.xml", b"-rf *.xml": "-rf *.xml",
        b"two\nlines.xml": "two_lines.xml", b"back\\slash.xml": "back_slash.xml", b"'\"$(x)`.xml": "'\"$(x)`.xml",
        b"x" * 251 + b".xml": "x" * 251 + ".xml",
    }  # fmt: skip
    for name in given:
        Path(os.fsdecode(bytes(there) + b"/" + name)).write_bytes(ORDER)
    found = world.whole()
    assert {one.name: one.told for one in found} == given
    assert world.taken(found) == dict.fromkeys(given.values(), ORDER)
    assert world.door.let_go(found) == []
    assert os.listdir(there) == []


def test_what_is_written_hidden_no_file_or_not_meant_is_left_alone(server: Sshd, there: Path, tmp_path: Path) -> None:
    for name in (".a.xml", "a.xml.part", "a.xml.tmp", "a.xml.filepart", "a.xml~", "a.csv"):
        (there / name).write_bytes(ORDER)
    (there / "folder.xml").mkdir()
    (there / "link.xml").symlink_to("/etc/passwd")
    os.mkfifo(there / "pipe.xml")
    (there / "a.xml").write_bytes(ORDER)
    world = World(server, there, tmp_path, files="*.xml")
    assert names(world.whole()) == ["a.xml"]
    world.lines.close()


def test_long_files_and_empty_ones_come_byte_for_byte(world: World, there: Path) -> None:
    long = b"<a>" + os.urandom(3_000_000).hex().encode() + b"</a>"
    bodies = {
        "long.xml": long,
        "piece.csv": b"x" * 32768,
        "empty.csv": b"",
        **{f"{n}.csv": b"%d" % n for n in range(200)},
    }
    for name, body in bodies.items():
        (there / name).write_bytes(body)
    assert world.taken(world.whole()) == bodies


def test_what_is_longer_than_we_take_stays_and_is_told_of(server: Sshd, there: Path, tmp_path: Path) -> None:
    (there / "a.xml").write_bytes(ORDER)
    world = World(server, there, tmp_path, most_bytes=10)
    lot = world.door.take(world.whole())
    assert (lot.taken, lot.ended) == ([], None)
    assert lot.troubles == [f"a.xml has {len(ORDER)} bytes, more than we take"]
    world.lines.close()


def test_a_line_that_is_cut_loses_nothing_and_leaves_nothing_behind(server: Sshd, there: Path, tmp_path: Path) -> None:
    (there / "long.csv").write_bytes(os.urandom(2_000_000))
    relay = Relay(server.port, 1_000_000)
    world = World(server, there, tmp_path, port=relay.port)
    lot = world.door.take(world.whole())
    assert (lot.taken, lot.troubles, isinstance(lot.ended, RemoteAway)) == ([], [], True)
    assert os.listdir(world.staging) == []
    relay.most = 2**40
    assert world.taken(world.later()) == {"long.csv": (there / "long.csv").read_bytes()}
    relay.close()
    world.lines.close()


def test_what_our_own_disk_does_not_hold_stays_there(world: World, there: Path) -> None:
    (there / "a.xml").write_bytes(ORDER)
    found = world.whole()
    world.staging.rmdir()
    lot = world.door.take(found)
    assert (lot.taken, lot.troubles, type(lot.ended)) == ([], [], FileNotFoundError)
    world.staging.mkdir()
    assert world.taken(world.later()) == {"a.xml": ORDER}


def test_a_server_that_falls_silent_is_given_up_in_time(server: Sshd, there: Path, tmp_path: Path) -> None:
    for most in (0, 500, 2200):
        relay = Relay(server.port, most, silent=True)
        world = World(server, there, tmp_path, port=relay.port, seconds=0.5)
        with pytest.raises(RemoteAway):
            world.door.look()
        relay.close()


def test_connections_are_used_again_and_renewed_when_their_session_has_died(
    server: Sshd, there: Path, world: World
) -> None:
    (there / "a.xml").write_bytes(ORDER)
    found = world.whole()
    assert (len(world.taken(found)), world.lines.opened) == (1, 1)
    server.cut()
    with contextlib.suppress(RemoteAway):  # the first use may be the one that hears of it
        world.door.look()
    assert names(world.later()) == ["a.xml"]
    assert world.lines.opened == 2


def test_what_may_not_be_removed_is_told_and_not_taken_again(there: Path, tmp_path: Path) -> None:
    (there / "a.xml").write_bytes(ORDER)
    with sshd(tmp_path / "sshd", "internal-sftp -R") as server:
        world = World(server, there, tmp_path)
        found = world.whole()
        once = world.door.take(found).taken[0].once
        assert world.door.let_go(found) == ["removing a.xml: permission denied; it is in the ledger and stays there"]
        told = ["removing a.xml: permission denied; it is in the ledger and stays there"]
        assert (world.later(), world.door.troubles) == ([], told)
        again = World(server, there, tmp_path)
        assert again.door.take(again.whole()).taken[0].once == once
        for one in (world, again):
            one.lines.close()


def test_a_folder_that_is_not_there_is_told_of(server: Sshd, tmp_path: Path) -> None:
    world = World(server, tmp_path / "nowhere", tmp_path)
    with pytest.raises(RemoteRefuses, match="nowhere: no such file or folder"):
        world.door.look()
    world.lines.close()


def test_a_server_with_another_host_key_hears_nothing_of_us(server: Sshd, tmp_path: Path) -> None:
    other = " ".join(key_pair(tmp_path / "other").split()[:2])
    before = (server.folder / "words").read_text()
    with pytest.raises(WrongHostKey, match="shows ssh-ed25519"), Lines(_pinned(server, other), 1).one():
        pass
    heard = (server.folder / "words").read_text().removeprefix(before)
    assert server.user not in heard.replace(str(tmp_path), "")


def test_a_server_without_a_key_of_a_pinned_kind_is_refused(server: Sshd, tmp_path: Path) -> None:
    from paramiko import ECDSAKey

    key = ECDSAKey.generate()
    lines = Lines(_pinned(server, f"{key.get_name()} {key.get_base64()}"), 1)
    with pytest.raises(WrongHostKey, match="no host key of a pinned kind"), lines.one():
        pass


def _pinned(server: Sshd, line: str) -> Access:
    return Access("127.0.0.1", server.port, server.user, (line,), server.user_key, timeout_seconds=5)


def test_a_key_that_the_server_does_not_know_or_we_cannot_read_is_for_the_operator(
    server: Sshd, tmp_path: Path
) -> None:
    key_pair(tmp_path / "stranger")
    with pytest.raises(NoEntry), Lines(access(server, key_file=tmp_path / "stranger"), 1).one():
        pass
    (tmp_path / "stranger").write_bytes(b"-----BEGIN nonsense")
    for file in (tmp_path / "stranger", tmp_path / "missing"):
        with pytest.raises(NoSecret), Lines(access(server, key_file=file), 1).one():
            pass
