"""The folder door takes what is surely whole and leaves everything else alone, whatever clocks and clients do."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.doors.folder import FolderDoor, Found, Law, ends_well
from adapters.doors.folder_names import PAGE
from tests import samples

LAW = Law(looks=3, look_seconds=0.5, unfinished_seconds=10)
WHOLE = samples.order(1)
DAY = 86_400


@pytest.fixture
def box(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
def door(box: Path) -> FolderDoor:
    door = FolderDoor(LAW)
    door.watch("shop", str(box))
    return door


def names(found: list[Found]) -> list[str]:
    return [one.file for one in found]


def rename_in(box: Path, name: str, body: bytes = WHOLE) -> Path:
    (box / ".aside").write_bytes(body)
    return (box / ".aside").rename(box / name)


def looks(door: FolderDoor, since: float, until: float, step: float = 0.25) -> Iterator[list[str]]:
    now = since
    while now <= until:
        yield names(door.look(now, 1000))
        now += step


# whole files


def test_files_that_are_there_at_the_start_are_taken(box: Path, door: FolderDoor) -> None:
    for name in ("b.xml", "a.xml", "订单.xml"):
        (box / name).write_bytes(WHOLE)
    assert door.look(0, 1000) == [
        Found("shop", name, f"{box}/{name}", len(WHOLE)) for name in ("a.xml", "b.xml", "订单.xml")
    ]


def test_a_file_renamed_in_is_taken_at_the_next_look(box: Path, door: FolderDoor) -> None:
    assert names(door.look(0, 1000)) == []
    rename_in(box, "a.xml")
    assert names(door.look(0.25, 1000)) == ["a.xml"]


def test_what_was_given_out_is_not_given_out_again_before_it_was_claimed(box: Path, door: FolderDoor) -> None:
    rename_in(box, "a.xml")
    assert names(door.look(0, 1000)) == ["a.xml"]
    assert list(looks(door, 1, 20)) == [[]] * 77


def test_a_new_file_of_the_same_name_is_taken_when_the_first_was_claimed(box: Path, door: FolderDoor) -> None:
    rename_in(box, "a.xml")
    assert names(door.look(0, 1000)) == ["a.xml"]
    (box / "a.xml").unlink()
    rename_in(box, "a.xml")
    an_old_change(box)
    assert names(door.look(1, 1000)) == []
    door.taken("shop", "a.xml")
    assert names(door.look(2, 1000)) == ["a.xml"]


def an_old_change(box: Path) -> None:
    """The folder was changed long ago, as far as its time tells."""
    os.utime(box, (time.time() - DAY, time.time() - DAY))


@pytest.mark.parametrize("ending", [".done", ".ok", ".finish", ".DONE"])
def test_a_done_file_says_that_its_file_is_whole_and_is_cleared_away(box: Path, door: FolderDoor, ending: str) -> None:
    (box / "a.xml").write_bytes(b"<not whole")
    assert names(door.look(0, 1000)) == []
    (box / f"a.xml{ending}").touch()
    assert names(door.look(0.25, 1000)) == ["a.xml"]
    (box / "a.xml").unlink()
    door.taken("shop", "a.xml")
    assert names(door.look(0.5, 1000)) == []
    assert os.listdir(box) == []


def test_a_done_file_that_comes_first_waits_for_its_file(box: Path, door: FolderDoor) -> None:
    (box / "a.xml.done").touch()
    assert names(door.look(0, 1000)) == []
    rename_in(box, "a.xml")
    assert names(door.look(0.25, 1000)) == ["a.xml"]


@pytest.mark.parametrize("mtime", [0, -DAY * 365, DAY * 365])
def test_times_of_another_clock_neither_hasten_nor_hinder(box: Path, door: FolderDoor, mtime: int) -> None:
    moment = time.time() + mtime if mtime else 1.0
    for name, body in (("whole.xml", WHOLE), ("half.xml", WHOLE[:-20])):
        rename_in(box, name, body)
        os.utime(box / name, (moment, moment))
    told = list(looks(door, 0, 11))
    assert told[0] == ["whole.xml"]
    assert [found for found in told if "half.xml" in found] == [["half.xml"]]
    assert all(not found for found in told[1:40])


# files that are not whole


def test_a_writer_that_pauses_in_mid_file_is_never_cut_off(box: Path, door: FolderDoor) -> None:
    with (box / "slow.xml").open("wb", buffering=0) as file:
        for part in range(0, len(WHOLE), 1000):
            file.write(WHOLE[part : part + 1000])
            assert not any(looks(door, part, part + 100))
        assert not any(looks(door, 10_000, 10_100))
    assert names(door.look(20_000, 1000)) == ["slow.xml"]


def test_a_writer_that_pauses_where_it_looks_whole_is_not_cut_off_either(box: Path, door: FolderDoor) -> None:
    with (box / "two.xml").open("wb", buffering=0) as file:
        file.write(WHOLE)
        assert not any(looks(door, 0, 100))
        file.write(b"\n")
    assert names(door.look(200, 1000)) == ["two.xml"]


def test_half_a_file_that_was_closed_waits_for_its_other_half(box: Path, door: FolderDoor) -> None:
    (box / "half.xml").write_bytes(WHOLE[:1500])
    assert not any(looks(door, 0, 9))
    with (box / "half.xml").open("ab") as file:
        file.write(WHOLE[1500:])
    assert names(door.look(9.5, 1000)) == ["half.xml"]
    assert door.look(9.5, 1000) == []


def test_every_bit_that_comes_makes_the_patience_begin_anew(box: Path, door: FolderDoor) -> None:
    for part in range(5):
        with (box / "half.xml").open("ab") as file:
            file.write(WHOLE[part * 100 : (part + 1) * 100])
        assert not any(looks(door, part * 9, part * 9 + 8))
    assert [found for found in looks(door, 44, 60) if found] == [["half.xml"]]


@pytest.mark.parametrize("body", [WHOLE[:-1], WHOLE[:700], b"", b"no XML at all", WHOLE + b"<more>", b"\xff\xfe<"])
def test_what_does_not_end_is_given_out_to_be_refused_after_a_patient_while(
    box: Path, door: FolderDoor, body: bytes
) -> None:
    (box / "cut.xml").write_bytes(body)
    told = list(looks(door, 100, 112))
    assert not any(told[:40])
    assert [found for found in told if found] == [["cut.xml"]]


def test_a_file_that_shrinks_or_is_replaced_begins_anew(box: Path, door: FolderDoor) -> None:
    (box / "cut.xml").write_bytes(WHOLE[:700])
    assert not any(looks(door, 0, 9))
    (box / "cut.xml").write_bytes(WHOLE[:600])
    assert not any(looks(door, 9, 18))
    (box / "cut.xml").unlink()
    assert not any(looks(door, 18, 19))
    (box / "cut.xml").write_bytes(WHOLE[:600])
    assert not any(looks(door, 19, 28))
    assert any(looks(door, 29, 31))


# what is left alone


CLIENTS = [
    "a.xml.filepart", "a.xml.part", "a.xml.b7bd8374.partial", ".a.xml.Xa81kd", ".in.a.xml.", "a.xml.tmp",
    "a.xml.writing", "a.xml~", "a.xml.ocTransferId1983847.part", "lftp-pget-status",
]  # fmt: skip


def test_the_temporary_names_of_the_usual_clients_are_taken_when_they_are_renamed(box: Path, door: FolderDoor) -> None:
    for name in CLIENTS:
        (box / name).write_bytes(WHOLE)
    assert not any(looks(door, 0, 100))
    (box / CLIENTS[0]).rename(box / "a.xml")
    assert names(door.look(101, 1000)) == ["a.xml"]


def test_links_folders_and_pipes_are_left_alone(box: Path, door: FolderDoor, tmp_path: Path) -> None:
    (tmp_path / "secret.xml").write_bytes(WHOLE)
    (box / "link.xml").symlink_to(tmp_path / "secret.xml")
    (box / "folder.xml").mkdir()
    os.mkfifo(box / "pipe.xml")
    rename_in(box, "a.xml")
    assert [found for found in looks(door, 0, 20) if found] == [["a.xml"]]
    assert sorted(os.listdir(box)) == ["a.xml", "folder.xml", "link.xml", "pipe.xml"]


def test_a_missing_folder_is_no_trouble_and_is_looked_into_once_it_is_there(tmp_path: Path) -> None:
    door = FolderDoor(LAW)
    door.watch("shop", str(tmp_path / "later"))
    assert door.look(0, 1000) == []
    (tmp_path / "later").mkdir()
    rename_in(tmp_path / "later", "a.xml")
    assert names(door.look(1, 1000)) == ["a.xml"]


def test_a_partner_who_left_is_not_looked_at(box: Path, door: FolderDoor) -> None:
    rename_in(box, "a.xml")
    door.leave("shop")
    assert door.look(0, 1000) == []
    door.taken("shop", "a.xml")


def test_a_file_whose_name_is_no_utf8_gets_one_that_can_be_told(box: Path, door: FolderDoor) -> None:
    name = os.fsdecode("订单.xml".encode("gb18030"))
    rename_in(box, name)
    (found,) = door.look(0, 1000)
    assert found.file == "订单.xml"
    assert Path(found.path).read_bytes() == WHOLE
    rename_in(box, name, WHOLE + b"\n")
    (found,) = door.look(1, 1000)
    assert found.file == "_订单.xml"
    assert Path(found.path).read_bytes() == WHOLE + b"\n"
    assert sorted(os.listdir(box)) == ["_订单.xml", "订单.xml"]


# many files, many partners


def test_a_hundred_thousand_names_are_given_out_once_each_in_bounded_looks(box: Path, door: FolderDoor) -> None:
    for number in range(100_000):
        if number % 50_000 == 0:
            (first := box / f"{number}.xml").write_bytes(b"<a></a>")
        else:
            os.link(first, box / f"{number}.xml")
    given: set[str] = set()
    looked = 0
    while found := door.look(float(looked), 10_000):
        looked += 1
        assert len(found) <= 10_000
        assert given.isdisjoint(names(found))
        given.update(names(found))
    assert len(given) == 100_000
    assert looked == 10


def test_a_partner_with_many_files_does_not_keep_anothers_one_waiting(box: Path, tmp_path: Path) -> None:
    door = FolderDoor(LAW)
    (tmp_path / "small").mkdir()
    for sender, folder in (("big", box), ("small", tmp_path / "small")):
        door.watch(sender, str(folder))
    for number in range(500):
        rename_in(box, f"{number}.xml")
    rename_in(tmp_path / "small", "one.xml")
    found = door.look(0, 100)
    assert [one.file for one in found if one.sender == "small"] == ["one.xml"]
    assert len(found) == 101


def test_of_very_many_names_a_page_is_in_memory_and_all_of_them_are_given_out_in_order(
    box: Path, door: FolderDoor
) -> None:
    (first := box / "00000.xml").write_bytes(b"<a></a>")
    for number in range(1, 2 * PAGE + 10):
        os.link(first, box / f"{number:05}.xml")
    given: list[str] = []
    while found := door.look(float(len(given)), 9_000):
        given += names(found)
        assert len(door.inboxes["shop"].backlog) <= PAGE
        for one in found:
            os.unlink(one.path)
            door.taken("shop", one.file)
    assert given == [f"{number:05}.xml" for number in range(2 * PAGE + 10)]


def test_names_that_are_never_taken_hide_none_behind_them(box: Path, door: FolderDoor) -> None:
    (box / "a.tmp").touch()
    for number in range(PAGE + 10):
        os.link(box / "a.tmp", box / f"{number:05}.tmp")
    rename_in(box, "z.xml")
    (box / "zz.xml").write_bytes(b"<half")
    (box / "zz.xml.done").touch()
    assert [found for found in looks(door, 0, 3) if found] == [["z.xml", "zz.xml"]]


def test_a_folder_that_cannot_be_read_to_its_end_costs_no_other_its_files(box: Path) -> None:
    troubles: list[str] = []
    door = FolderDoor(LAW, lambda sender, trouble: troubles.append(f"{sender}: {trouble}"))
    door.watch("odd", "/proc/self")  # among its files is one whose bytes cannot be read: mem
    door.watch("shop", str(box))
    rename_in(box, "a.xml")
    assert names(door.look(0, 1000)) == ["a.xml"]
    assert [one.partition("(")[0] for one in troubles] == ["odd: OSError"]


@pytest.mark.parametrize("count", [95, 125])
def test_a_long_name_of_chinese_windows_is_cut_to_what_can_be_told(box: Path, door: FolderDoor, count: int) -> None:
    with open(os.fsencode(box) + b"/" + ("订" * count).encode("gbk") + b".xml", "wb") as file:
        file.write(WHOLE)
    rename_in(box, "z.xml")
    found = sorted(names(door.look(0, 1000)))
    assert found == sorted(os.listdir(box)) == ["z.xml", f"{'订' * 78}.xml"]
    assert not any(looks(door, 1, 3))


def test_a_name_that_cannot_be_changed_stays_and_hides_nothing(box: Path, door: FolderDoor) -> None:
    for length in range(18):  # every name under which it could be told is taken
        (box / f"{'_' * length}{'订' * 78}.xml").mkdir()
    with open(os.fsencode(box) + b"/" + ("订" * 95).encode("gbk") + b".xml", "wb") as file:
        file.write(WHOLE)
    rename_in(box, "a.xml")
    assert [found for found in looks(door, 0, 3) if found] == [["a.xml"]]


def test_a_name_that_comes_in_the_same_tick_as_a_listing_is_found(box: Path, door: FolderDoor) -> None:
    an_old_change(box)
    stood = box.stat().st_mtime_ns
    assert door.look(0, 1000) == []
    rename_in(box, "a.xml")
    os.utime(box, ns=(stood, stood))
    assert names(door.look(0.25, 1000)) == ["a.xml"]


@pytest.mark.parametrize("away", [-DAY * 365, 0, DAY * 365])
def test_a_quiet_folder_is_not_listed_again_and_again_whatever_its_time_says(
    box: Path, door: FolderDoor, away: int
) -> None:
    moment = time.time() + away
    os.utime(box, (moment, moment))
    stood = box.stat().st_mtime_ns
    assert not any(looks(door, 0, 3))
    rename_in(box, "a.xml")
    os.utime(box, ns=(stood, stood))  # as if nothing had changed: only a listing would find it
    assert not any(looks(door, 3.25, 6))
    door.taken("shop", "other.xml")
    assert names(door.look(7, 1000)) == ["a.xml"]


def test_a_done_file_that_was_cleared_away_says_nothing_of_the_next_file(box: Path, door: FolderDoor) -> None:
    (box / "a.xml").write_bytes(b"<half")
    (box / "a.xml.done").touch()
    assert names(door.look(0, 1000)) == ["a.xml"]
    (box / "b.xml.part").touch()
    assert names(door.look(0.25, 1000)) == []
    (box / "a.xml").unlink()
    door.taken("shop", "a.xml")
    assert names(door.look(0.5, 1000)) == []
    with (box / "a.xml").open("wb", buffering=0) as file:
        file.write(WHOLE[:500])
        assert not any(looks(door, 1, 20))


@pytest.mark.parametrize(
    ("body", "whole"),
    [
        (b"<a></a>", True), (b"<?xml version='1.0'?>\n<!-- <b> -->\n<a x='1'>1</a >\r\n\r\n", True), (b"<a/>", False),
        (b"<ceb:M xmlns:ceb='x'></ceb:M>", True), (b"<ceb:M></M>", False), (b"<a><b></a><b>", False), (b"</a>", False),
        (b"\xef\xbb\xbf<a></a>", True), (b"<a></a>" + b" " * 200, True),
    ],
)  # fmt: skip
def test_a_file_ends_well_when_it_ends_with_the_end_tag_of_its_root(tmp_path: Path, body: bytes, whole: bool) -> None:
    (tmp_path / "a").write_bytes(body)
    descriptor = os.open(tmp_path / "a", os.O_RDONLY)
    assert ends_well(descriptor, len(body)) is whole
    os.close(descriptor)


def test_a_message_with_a_done_files_name_is_a_message(box: Path, door: FolderDoor) -> None:
    rename_in(box, "orders.ok")
    (box / "gone.xml.done").write_bytes(b"")
    assert names(door.look(0.0, 10)) == ["orders.ok"]
    assert sorted(path.name for path in box.iterdir()) == ["orders.ok"]


def test_a_table_of_text_is_taken_when_it_stands_still_and_a_packed_one_when_its_zip_ends(
    door: FolderDoor, box: Path
) -> None:
    import io
    import zipfile

    told = io.BytesIO()
    with zipfile.ZipFile(told, "w") as archive:
        archive.writestr("content.xml", "<a/>")
    rename_in(box, "b.xlsx", told.getvalue())
    rename_in(box, "c.xlsx", told.getvalue()[:-4])
    rename_in(box, "a.csv", "订单编号,数量\n".encode())
    seen = list(looks(door, 0, 3))
    assert seen[0] == ["b.xlsx"]
    assert [names for names in seen[1:] if names] == [["a.csv"]]
