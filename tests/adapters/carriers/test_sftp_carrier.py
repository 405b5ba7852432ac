"""What the SFTP carrier says it has carried stands on a real sshd, whole, and a repeat changes nothing."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from twisted.trial.unittest import TestCase

from adapters.carriers.carrier import Carried, Parcel
from adapters.carriers.sftp import SftpCarrier
from adapters.remote_connection import Access, Lines
from tests.adapters.relay import Relay
from tests.sshd import Sshd

ORDER = b"<ceb:CEB311Message/>"


def parcel(number: int, name: str | None = None, body: bytes = ORDER) -> Parcel:
    return Parcel(number, name or f"{number}.CEB311Message.xml", "CEB311Message", body)


def carried(number: int, name: str | None = None) -> Carried:
    return Carried(number, ok=True, acknowledgement=name or f"{number}.CEB311Message.xml")


class TheSftpCarrier(TestCase):
    timeout = 200

    def setUp(self) -> None:
        place = TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.root = Path(place.name)
        self.folder = self.root / "out"
        self.folder.mkdir()
        self.server = self.serve("sshd")
        self.carrier = self.carry_to(self.server.port)

    def serve(self, name: str, subsystem: str = "internal-sftp") -> Sshd:
        server = Sshd(self.root / name, subsystem)
        server.start()
        self.addCleanup(server.stop)
        return server

    def carry_to(self, port: int, server: Sshd | None = None, seconds: float = 30.0) -> SftpCarrier:
        server = server or self.server
        access = Access("127.0.0.1", port, server.user, (server.host_key,), server.user_key, timeout_seconds=seconds)
        self.lines = Lines(access, 2)
        carrier = SftpCarrier(reactor, self.lines, str(self.folder), 2)
        self.addCleanup(carrier.close)
        return carrier

    def standing(self) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in self.folder.iterdir()}

    @inlineCallbacks
    def test_puts_every_parcel_under_its_name_and_nothing_else(self) -> Any:
        parcels = [parcel(number, body=b"<a>%d</a>" % number) for number in range(64)]
        parcels.append(parcel(64, body=os.urandom(1_000_000)))
        for _ in range(2):
            results = yield self.carrier.carry(parcels)
            assert results == [carried(number) for number in range(65)]
            assert self.standing() == {one.name: one.body for one in parcels}
        assert self.lines.opened == 2

    @inlineCallbacks
    def test_carries_nothing_when_there_is_nothing(self) -> Any:
        results = yield self.carrier.carry([])
        assert (results, self.standing()) == ([], {})

    @inlineCallbacks
    def test_leaves_a_parcel_alone_that_stands_there_already(self) -> Any:
        yield self.carrier.carry([parcel(1)])
        before = (self.folder / parcel(1).name).stat()
        results = yield self.carrier.carry([parcel(1), parcel(2)])
        after = (self.folder / parcel(1).name).stat()
        assert results == [carried(1), carried(2)]
        assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)

    @inlineCallbacks
    def test_never_replaces_other_bytes_under_the_same_name(self) -> Any:
        yield self.carrier.carry([parcel(1)])
        for other in (ORDER + b" ", ORDER[:-1], ORDER.upper()):
            results = yield self.carrier.carry([parcel(1, body=other), parcel(2)])
            trouble = f"other bytes stand under the name {parcel(1).name}"
            assert results == [Carried(1, ok=False, trouble=trouble), carried(2)]
        assert self.standing() == {parcel(1).name: ORDER, parcel(2).name: ORDER}

    @inlineCallbacks
    def test_carries_one_name_once_in_a_group(self) -> Any:
        results = yield self.carrier.carry([parcel(1, "a.xml"), parcel(2, "a.xml"), parcel(3, "a.xml", b"<other/>")])
        assert results[:2] == [carried(1, "a.xml"), carried(2, "a.xml")]
        assert not results[2].ok
        assert self.standing() == {"a.xml": ORDER}

    @inlineCallbacks
    def test_takes_over_what_a_cut_left_aside(self) -> Any:
        (self.folder / f".{parcel(1).name}.writing").write_bytes(ORDER[:5] + b"x" * 1000)
        results = yield self.carrier.carry([parcel(1)])
        assert (results, self.standing()) == ([carried(1)], {parcel(1).name: ORDER})

    @inlineCallbacks
    def test_a_line_cut_at_any_place_leaves_whole_parcels_and_the_repeat_completes_them(self) -> Any:
        parcels = [parcel(number, body=b"<a>%d</a>" % number * 2000) for number in range(8)]
        for most in range(1500, 6000, 400):
            relay = Relay(self.server.port, most)
            yield self.carry_to(relay.port).carry(parcels)
            shown = {name: body for name, body in self.standing().items() if not name.startswith(".")}
            assert shown.items() <= {one.name: one.body for one in parcels}.items()
            relay.close()
            results = yield self.carrier.carry(parcels)
            assert results == [carried(number) for number in range(8)]
            assert self.standing() == {one.name: one.body for one in parcels}
            for one in parcels:
                (self.folder / one.name).unlink()

    @inlineCallbacks
    def test_goes_on_after_the_server_was_away(self) -> Any:
        yield self.carrier.carry([parcel(1)])
        self.server.stop()
        results = yield self.carrier.carry([parcel(1), parcel(2)])
        assert [(one.ok, one.permanent) for one in results] == [(False, False)] * 2
        assert all("127.0.0.1" in one.trouble or "connection" in one.trouble for one in results)
        self.server.start()
        results = yield self.carrier.carry([parcel(1), parcel(2)])
        assert results == [carried(1), carried(2)]

    @inlineCallbacks
    def test_says_that_the_folder_is_missing_and_carries_when_it_is_back(self) -> Any:
        self.folder.rmdir()
        results = yield self.carrier.carry([parcel(1)])
        assert results == [Carried(1, ok=False, trouble=f"the folder {self.folder} is not there")]
        self.folder.mkdir()
        results = yield self.carrier.carry([parcel(1)])
        assert results == [carried(1)]

    @inlineCallbacks
    def test_a_full_disk_there_is_told_and_the_others_are_carried(self) -> Any:
        (self.folder / f".{parcel(1).name}.writing").symlink_to("/dev/full")
        results = yield self.carrier.carry([parcel(1), parcel(2)])
        trouble = f"writing {parcel(1).name} in {self.folder}: failure (a full disk or quota often reads so)"
        assert results == [Carried(1, ok=False, trouble=trouble), carried(2)]
        assert self.standing() == {parcel(2).name: ORDER}

    @inlineCallbacks
    def test_a_server_that_lets_nobody_write_is_told_of(self) -> Any:
        server = self.serve("readonly", "internal-sftp -R")
        results = yield self.carry_to(server.port, server).carry([parcel(1)])
        trouble = f"writing {parcel(1).name} in {self.folder}: permission denied"
        assert results == [Carried(1, ok=False, trouble=trouble)]

    @inlineCallbacks
    def test_a_silent_server_is_given_up_in_time(self) -> Any:
        relay = Relay(self.server.port, 3000, silent=True)
        results = yield self.carry_to(relay.port, seconds=0.5).carry([parcel(1)])
        assert [(one.ok, one.permanent) for one in results] == [(False, False)]
        relay.close()

    @inlineCallbacks
    def test_troubles_nobody_with_a_name_that_is_none(self) -> Any:
        names = ["../a.xml", ".a.xml", "", "a\0.xml", "a\ud800.xml", "x" * 300]
        parcels = [Parcel(number, name, "CEB311Message", ORDER) for number, name in enumerate(names)]
        results = yield self.carrier.carry([*parcels, parcel(9)])
        assert [(one.number, one.ok, one.permanent) for one in results[:-1]] == [(n, False, False) for n in range(6)]
        assert all(one.trouble for one in results[:-1])
        assert (results[-1], self.standing()) == (carried(9), {parcel(9).name: ORDER})
