"""What a mailbox knows between sessions: names, room, and what was sent a moment ago; all of it bounded."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from adapters.doors.sftp_accounts import SftpAccount
from adapters.doors.sftp_attributes import attributes, packed, unpacked
from adapters.doors.sftp_login import FAILURES, Failures
from adapters.doors.sftp_mailbox import REMEMBERED, Mailbox, Recent, Sent
from adapters.doors.sftp_names import FOLDERS, LONGEST, numbered, place
from adapters.doors.sftp_status import Refused
from spool.mailbox import is_temporary


@given(
    st.binary(max_size=300) | st.lists(st.sampled_from([b"..", b".", b"", b"in", b"out", b"a", b"\0"])).map(b"/".join)
)
def test_every_path_is_one_of_our_places_or_refused(path: bytes) -> None:
    try:
        found = place(path)
    except Refused:
        return
    assert found.folder in ("", *FOLDERS)
    assert found.name not in (".", "..")
    assert "/" not in found.name
    assert found.folder or not found.name


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1))
def test_attributes_come_back_as_they_went(size: int, when: int) -> None:
    assert unpacked(packed(attributes(size, when))) == attributes(size, when)


def test_a_sent_file_is_remembered_for_a_minute() -> None:
    clock = Clock()
    recent = Recent(clock)
    recent.remember("a.xml", 3, 7)
    clock.advance(59)
    recent.touch("a.xml", 8)
    assert recent.find("a.xml") == Sent(3, 8, 60.0)
    clock.advance(2)
    recent.touch("a.xml", 9)
    assert recent.find("a.xml") is None


def test_only_so_many_sent_files_are_remembered() -> None:
    recent = Recent(Clock())
    for number in range(REMEMBERED + 1):
        recent.remember(str(number), number, 0)
    assert (recent.find("0"), recent.find("1")) == (None, Sent(1, 0, 60.0))


@pytest.fixture
def counts() -> list[tuple[int, int]]:
    return []


@pytest.fixture
def mailbox(tmp_path: Path, counts: list[tuple[int, int]]) -> tuple[Mailbox, Clock]:
    def at_once(count: Callable[[], tuple[int, int]]) -> "Deferred[tuple[int, int]]":
        counts.append(count())
        return succeed(counts[-1])

    clock = Clock()
    return Mailbox(SftpAccount("acme", tmp_path, (), quota_bytes=1000, quota_files=10), clock, at_once), clock


def refusal(room: "Deferred[None]") -> str | None:
    """Why there is no room, or None."""
    told: list[str | None] = []
    room.addCallbacks(lambda _: told.append(None), lambda failure: told.append(str(failure.value)))
    return told[0]


def test_room_is_counted_at_first_and_again_only_when_it_seems_to_be_gone(
    mailbox: tuple[Mailbox, Clock], counts: list[tuple[int, int]], tmp_path: Path
) -> None:
    box, clock = mailbox
    (tmp_path / "in" / "a.xml").write_bytes(b"x" * 400)
    assert (box.has_room(1, 0), refusal(box.make_room(1, 500)), counts) == (False, None, [(1, 400)])
    assert (box.has_room(0, 100), box.room_left()) == (True, (0, 8))
    assert (box.has_room(0, 1), refusal(box.make_room(0, 1)), len(counts)) == (False, "quota_bytes", 1)
    (tmp_path / "in" / "a.xml").unlink()
    assert (refusal(box.make_room(0, 1)), len(counts)) == ("quota_bytes", 1)
    clock.advance(3)
    assert (refusal(box.make_room(0, 1)), counts[1:], box.room_left()) == (None, [(0, 0)], (999, 10))


def test_room_in_files_is_its_own_reason(mailbox: tuple[Mailbox, Clock], tmp_path: Path) -> None:
    box, _ = mailbox
    for number in range(10):
        (tmp_path / ".uploading" / "named" / f"{number}.part").touch()
    assert refusal(box.make_room(1, 0)) == "quota_files"
    box.give_back(1, 0)
    assert box.has_room(1, 0)


def test_a_mailbox_whose_folder_is_a_link_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "box").mkdir()
    (tmp_path / "box" / "in").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotADirectoryError):
        Mailbox(SftpAccount("acme", tmp_path / "box", ()), Clock(), lambda count: succeed(count()))


def test_failures_of_an_address_are_forgotten_after_a_minute() -> None:
    clock = Clock()
    failures = Failures(clock)
    failures.add("192.0.2.1", FAILURES + 1)
    assert (failures.are_too_many("192.0.2.1"), failures.are_too_many("192.0.2.2")) == (True, False)
    clock.advance(61)
    assert not failures.are_too_many("192.0.2.1")


def test_a_second_upload_of_a_name_stands_beside_the_first_until_that_is_taken(
    mailbox: tuple[Mailbox, Clock], tmp_path: Path
) -> None:
    box, _ = mailbox

    def delivered(body: bytes, name: str = "ORDERS.xml") -> str:
        (staged := tmp_path / "staged").write_bytes(body)
        return box.deliver(str(staged), name)

    assert [delivered(body) for body in (b"1", b"2", b"3")] == ["ORDERS.xml", "ORDERS~2.xml", "ORDERS~3.xml"]
    (tmp_path / "in" / "ORDERS.xml").unlink()
    assert delivered(b"4") == "ORDERS.xml"
    assert {file.name: file.read_bytes() for file in (tmp_path / "in").iterdir()} == {
        "ORDERS.xml": b"4", "ORDERS~2.xml": b"2", "ORDERS~3.xml": b"3",
    }  # fmt: skip


def test_a_done_file_and_a_link_are_replaced(mailbox: tuple[Mailbox, Clock], tmp_path: Path) -> None:
    box, _ = mailbox
    (tmp_path / "in" / "a.xml").symlink_to(tmp_path / "secret")
    (tmp_path / "in" / "a.xml.done").touch()
    for name in ("a.xml", "a.xml.done"):
        (staged := tmp_path / "staged").write_bytes(b"x")
        assert box.deliver(str(staged), name) == name
        assert (tmp_path / "in" / name).read_bytes() == b"x"
    assert sorted(file.name for file in (tmp_path / "in").iterdir()) == ["a.xml", "a.xml.done"]


@given(st.text(st.characters(exclude_characters="/", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=66))
def test_a_numbered_name_can_be_named_and_is_final(name: str) -> None:
    if not is_temporary(name) and len(name.encode()) <= LONGEST and name not in (".", ".."):
        told = numbered(name, 2)
        assert (place(f"/in/{told}".encode()).name, is_temporary(told)) == (told, False)
