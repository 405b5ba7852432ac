"""What the folder carrier says it has carried stands in the folder, whole, and a repeat changes nothing."""

import errno
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from twisted.internet.defer import inlineCallbacks
from twisted.trial.unittest import TestCase

from adapters.carriers.carrier import Carried, Parcel
from adapters.carriers.folder import FolderCarrier

ORDER = b"<ceb:CEB311Message/>"


def parcel(number: int, name: str | None = None, body: bytes = ORDER) -> Parcel:
    return Parcel(number, name or f"{number}.CEB311Message.xml", "CEB311Message", body)


def carried(number: int, name: str | None = None) -> Carried:
    return Carried(number, ok=True, acknowledgement=name or f"{number}.CEB311Message.xml")


class TheFolderCarrier(TestCase):
    def setUp(self) -> None:
        place = TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = Path(place.name) / "out"
        self.folder.mkdir()
        self.carrier = FolderCarrier(self.folder)

    def standing(self) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in self.folder.iterdir()}

    @inlineCallbacks
    def test_puts_every_parcel_under_its_name_and_nothing_else(self) -> Any:
        parcels = [parcel(number, body=b"<a>%d</a>" % number) for number in range(200)]
        results = yield self.carrier.carry(parcels)
        assert results == [carried(number) for number in range(200)]
        assert self.standing() == {one.name: one.body for one in parcels}

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
        results = yield self.carrier.carry([parcel(1, body=ORDER + b" "), parcel(2)])
        trouble = f"other bytes stand under the name {parcel(1).name}"
        assert results == [Carried(1, ok=False, trouble=trouble), carried(2)]
        assert self.standing()[parcel(1).name] == ORDER

    @inlineCallbacks
    def test_carries_one_name_once_in_a_group(self) -> Any:
        results = yield self.carrier.carry([parcel(1, "a.xml"), parcel(2, "a.xml"), parcel(3, "a.xml", b"<other/>")])
        assert results[:2] == [carried(1, "a.xml"), carried(2, "a.xml")]
        assert not results[2].ok
        assert self.standing() == {"a.xml": ORDER}

    @inlineCallbacks
    def test_takes_over_what_a_crash_left_aside(self) -> Any:
        (self.folder / f".{parcel(1).name}.writing").write_bytes(ORDER[:5] + b"x" * 1000)
        results = yield self.carrier.carry([parcel(1)])
        assert (results, self.standing()) == ([carried(1)], {parcel(1).name: ORDER})

    @inlineCallbacks
    def test_carries_again_what_the_authority_took_away(self) -> Any:
        yield self.carrier.carry([parcel(1)])
        (self.folder / parcel(1).name).unlink()
        results = yield self.carrier.carry([parcel(1)])
        assert (results, self.standing()) == ([carried(1)], {parcel(1).name: ORDER})

    @inlineCallbacks
    def test_carries_groups_that_come_at_the_same_time_one_after_the_other(self) -> Any:
        groups = [self.carrier.carry([parcel(1), parcel(number)]) for number in range(2, 6)]
        for number, group in enumerate(groups, 2):
            results = yield group
            assert results == [carried(1), carried(number)]
        assert len(self.standing()) == 5

    @inlineCallbacks
    def test_says_that_the_folder_is_missing_and_carries_when_it_is_back(self) -> Any:
        self.folder.rmdir()
        results = yield self.carrier.carry([parcel(1), parcel(2)])
        trouble = f"the folder {self.folder} is not there"
        assert results == [Carried(1, ok=False, trouble=trouble), Carried(2, ok=False, trouble=trouble)]
        self.folder.mkdir()
        results = yield self.carrier.carry([parcel(1)])
        assert results == [carried(1)]

    @inlineCallbacks
    def test_says_that_the_folder_is_none(self) -> Any:
        file = self.folder / "a{file}"
        file.write_bytes(b"")
        results = yield FolderCarrier(file).carry([parcel(1)])
        assert results == [Carried(1, ok=False, trouble=f"{file} is not a folder")]

    @inlineCallbacks
    def test_tells_of_what_cannot_be_written_and_carries_the_others(self) -> Any:
        (self.folder / f".{parcel(1).name}.writing").mkdir()
        results = yield self.carrier.carry([parcel(1), parcel(2)])
        assert (results[0].ok, results[0].permanent, results[1]) == (False, False, carried(2))
        assert results[0].trouble
        assert (self.folder / parcel(2).name).read_bytes() == ORDER

    def test_says_that_no_space_is_left(self) -> None:
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        told = self.carrier._troubled(parcel(1), full)
        assert told == Carried(1, ok=False, trouble=f"no space is left in {self.folder}")

    @inlineCallbacks
    def test_does_not_follow_a_link_planted_under_its_aside_name(self) -> Any:
        victim = self.folder.parent / "victim"
        victim.write_bytes(b"untouched")
        (self.folder / f".{parcel(1).name}.writing").symlink_to(victim)
        results = yield self.carrier.carry([parcel(1)])
        assert (results, victim.read_bytes()) == ([carried(1)], b"untouched")

    @inlineCallbacks
    def test_troubles_nobody_with_a_name_that_is_none(self) -> Any:
        names = ["../a.xml", ".a.xml", "", "a\0.xml", "a\ud800.xml", "x" * 300]
        parcels = [Parcel(number, name, "CEB311Message", ORDER) for number, name in enumerate(names)]
        results = yield self.carrier.carry([*parcels, parcel(9)])
        assert [(one.number, one.ok, one.permanent) for one in results[:-1]] == [(n, False, False) for n in range(6)]
        assert all(one.trouble for one in results[:-1])
        assert (results[-1], self.standing()) == (carried(9), {parcel(9).name: ORDER})
